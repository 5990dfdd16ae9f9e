//! Secrets in the form: entered values become edits, which only the vault can apply.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroizing;

use super::field::{Field, FieldId};
use super::input::{Widget, pair_lines};
use super::{Form, Purpose};
use crate::domain::catalogue;
use crate::domain::catalogue::FieldKind;
use crate::domain::diff::Change;
use crate::domain::secrets::{OpenSecrets, Secret, SecretEdits};
use crate::domain::{SecretsState, validate};
use crate::tui::keymap::{Action, KeyContext, KeyMap};
use crate::tui::widgets::secret_input::{Intent, SecretInput};

/// One line of help for a secret.
pub(super) fn help(kind: &catalogue::Field, keys: KeyMap) -> String {
    let form = match kind.kind {
        FieldKind::TextMap => " as name: value on each line",
        FieldKind::Object => " as a JSON object",
        _ => "",
    };
    let own = kind.help.as_ref().map_or(String::new(), |help| format!("{help}. "));
    let default = match kind.default.as_ref() {
        None => String::new(),
        Some(value) => format!("When it is not set, Kibana uses {}. ", value.as_str().unwrap_or(&value.to_string())),
    };
    let entered = match kind.kind {
        FieldKind::Toggle | FieldKind::Choice => {
            format!("Write-only: {} chooses another value", keys.key_of(KeyContext::Form, Action::Change))
        }
        _ => {
            return format!(
                "{own}{default}Write-only: type or paste{form} to replace it, {} clears or keeps it. It is never shown",
                keys.key_of(KeyContext::Form, Action::ClearField)
            );
        }
    };
    format!("{own}{default}{entered}")
}

/// Returns a note about the entered value without repeating it.
pub(super) fn note(input: &SecretInput, kind: Option<&catalogue::Field>) -> Option<String> {
    if input.intent() != Intent::Replace {
        return None;
    }
    let (kind, text) = (kind?.kind, input.text());
    if kind.is_line() && text.trim() != text && !text.trim().is_empty() {
        return Some(
            "blanks at its beginning or end are kept; clear it and enter it again if they are not meant".to_owned(),
        );
    }
    validate::text_note(kind, text)
}

/// Returns the problem with the entered value without repeating it.
pub(super) fn check(input: &SecretInput, kind: Option<&catalogue::Field>) -> Result<(), String> {
    if input.intent() != Intent::Replace {
        return Ok(());
    }
    secret_of(input.text(), kind).map(|_| ())
}

/// The JSON of an entered secret.
fn secret_of(text: &str, kind: Option<&catalogue::Field>) -> Result<Secret, String> {
    match kind.map_or(FieldKind::Object, |kind| kind.kind) {
        FieldKind::Object => object(text),
        FieldKind::TextMap if text.trim_start().starts_with('{') => object(text),
        FieldKind::TextMap => pair_lines(text).map(|lines| of_pairs(&lines)),
        FieldKind::Number | FieldKind::List => Err("a secret of this kind cannot be entered here".to_owned()),
        kind => match validate::text_problem(kind, true, text) {
            Some(problem) => Err(problem),
            None => Ok(Secret::text(if kind == FieldKind::LongText { text } else { text.trim_end_matches('\n') })),
        },
    }
}

/// Only the position of an error is reported: the parser's message could contain parts of the text.
fn object(text: &str) -> Result<Secret, String> {
    match serde_json::from_str::<BTreeMap<String, serde::de::IgnoredAny>>(text) {
        Ok(_) => Ok(Secret::json(Zeroizing::new(text.trim().to_owned()))),
        Err(error) => Err(format!("not a JSON object (line {}, column {})", error.line(), error.column())),
    }
}

fn of_pairs(lines: &[(&str, &str)]) -> Secret {
    let by_name = lines.iter().map(|(name, value)| ((*name).to_owned(), Some(Secret::text(value)))).collect();
    OpenSecrets::empty().edited(&SecretEdits { by_name, whole: None }).secret().clone()
}

impl Form {
    /// Returns the edits of the secrets.
    ///
    /// # Errors
    /// If an entered value is invalid.
    pub(super) fn secret_edits(&self) -> Result<SecretEdits, String> {
        let mut edits = SecretEdits::default();
        for field in self.shown().filter(|field| field.is_changed()) {
            let value = match &field.widget {
                Widget::Secret(input) if input.intent() == Intent::Clear => None,
                Widget::Secret(input) => Some(secret_of(input.text(), field.kind.as_ref())?),
                Widget::Choice { options, at } => options.get(*at).cloned().flatten().map(|text| Secret::text(&text)),
                Widget::Toggle(on) => Some(Secret::json(Zeroizing::new(on.unwrap_or(false).to_string()))),
                _ => continue,
            };
            match (&field.id, value) {
                (FieldId::WholeSecrets, Some(secret)) => edits.whole = Some(secret),
                (FieldId::WholeSecrets, None) => edits.whole = Some(OpenSecrets::empty().secret().clone()),
                (FieldId::Secret(name, _), value) => {
                    edits.by_name.insert(name.clone(), value);
                }
                _ => {}
            }
        }
        for name in self.obsolete_secrets() {
            edits.by_name.entry(name).or_insert(None);
        }
        let auth_type = self.fields.iter().find(|field| field.id == FieldId::AuthType);
        let are_set = matches!(self.secrets, SecretsState::Set { .. });
        let is_inferred = auth_type.is_some_and(|field| {
            // Kibana requires the auth type even if it has no other secrets, or only some with defaults.
            let is_all = self.missed_secrets().is_empty() && (self.purpose == Purpose::Create || field.is_changed());
            !edits.is_empty() || (are_set && field.is_changed()) || is_all
        });
        if let Some(id) = self.chosen_auth_type().filter(|_| is_inferred) {
            edits.by_name.insert("authType".to_owned(), Some(Secret::text(&id)));
        }
        Ok(edits)
    }

    /// Stored secrets that belong to a choice which is not chosen any more.
    pub(super) fn obsolete_secrets(&self) -> BTreeSet<String> {
        let asked_for: Vec<&str> = self.shown().filter_map(secret_name).collect();
        let is_left = |field: &&Field| field.is_stored && self.is_obsolete(field);
        self.fields
            .iter()
            .filter(is_left)
            .filter_map(secret_name)
            .filter(|name| !asked_for.contains(name))
            .map(str::to_owned)
            .collect()
    }

    /// Returns whether a secret was entered; then the required ones must be there too.
    pub(super) fn secrets_are_entered(&self) -> bool {
        self.shown().any(|field| match &field.widget {
            Widget::Secret(input) => input.intent() == Intent::Replace,
            _ => false,
        })
    }

    /// A required secret that is neither stored nor entered.
    pub(super) fn is_missed(&self, field: &Field) -> bool {
        let exists = match &field.widget {
            Widget::Secret(input) => match input.intent() {
                Intent::Keep => field.is_stored,
                Intent::Replace => true,
                Intent::Clear => false,
            },
            Widget::Choice { .. } if matches!(field.id, FieldId::Secret(..)) => field.is_stored || field.is_changed(),
            _ => return false,
        };
        field.required && !exists
    }

    /// The labels of the required secrets that are neither stored nor entered.
    pub(super) fn missed_secrets(&self) -> Vec<&str> {
        self.shown().filter(|field| self.is_missed(field)).map(|field| field.label.as_str()).collect()
    }

    /// Returns the changes by the names of the secrets, never their values.
    pub(super) fn secret_changes(&self, edits: &SecretEdits) -> Vec<Change> {
        let before = |name: &str| if self.secrets.has(name) { "set" } else { "(not set)" }.to_owned();
        let mut found: Vec<Change> = edits
            .by_name
            .iter()
            .filter(|(name, _)| *name != "authType")
            .map(|(name, value)| Change {
                field: format!("secrets.{name}"),
                before: Some(before(name)),
                after: Some(if value.is_some() { "replaced" } else { "cleared" }.to_owned()),
            })
            .collect();
        if edits.whole.is_some() {
            let before = Some(self.secrets.describe());
            found.push(Change { field: "secrets".to_owned(), before, after: Some("replaced".to_owned()) });
        }
        found
    }

    /// The auth type is chosen with the secrets, and these change: the mode is inferred from it.
    pub(super) fn chosen_auth_type(&self) -> Option<String> {
        let field = self.fields.iter().find(|field| field.id == FieldId::AuthType)?;
        field.value().ok().flatten()?.as_str().map(str::to_owned)
    }

    /// A new or changed auth type of a spec type, for the config, where Kibana copies it.
    pub(super) fn auth_type_for_config(&self) -> Option<String> {
        let field = self.fields.iter().find(|field| field.id == FieldId::AuthType)?;
        let is_written = self.purpose == Purpose::Create || field.is_changed();
        self.chosen_auth_type().filter(|_| is_written)
    }
}

fn secret_name(field: &Field) -> Option<&str> {
    match &field.id {
        FieldId::Secret(name, _) => Some(name),
        _ => None,
    }
}
