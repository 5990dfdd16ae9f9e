//! The differences between two states of one connector, field by field.

use serde_json::{Map, Value};
use strum::{EnumString, IntoStaticStr};

use super::auth::StoredAuthMode;
use super::connector::Connector;

/// A field with different values; `None` is an absent value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `name`, `auth mode`, `model version`, `config.url` …
    pub field: String,
    /// The value before.
    pub before: Option<String>,
    /// The value after.
    pub after: Option<String>,
}

/// The fields that differ, in the order the form shows them. Secrets are compared, never shown.
pub fn changes(before: &Connector, after: &Connector) -> Vec<Change> {
    let mut found = Vec::new();
    let mut push = |field: &str, before: Option<String>, after: Option<String>| {
        if before != after {
            found.push(Change { field: field.to_owned(), before, after });
        }
    };
    push("name", Some(before.name.clone()), Some(after.name.clone()));
    push("connector type", Some(before.connector_type_id.clone()), Some(after.connector_type_id.clone()));
    push("auth mode", mode_text(before), mode_text(after));
    push("model version", Some(before.model_version.to_string()), Some(after.model_version.to_string()));
    push("missing secrets", Some(before.is_missing_secrets.to_string()), Some(after.is_missing_secrets.to_string()));
    push("secrets", secrets_text(before), secrets_text(after));
    if before.secrets != after.secrets && secrets_text(before) == secrets_text(after) {
        push("secrets", secrets_text(before), Some("stored, replaced".to_owned()));
    }
    config_changes(before, after, &mut found);
    if before.extra != after.extra {
        found.push(Change {
            field: "extra".to_owned(),
            before: Some(before.extra.clone()),
            after: Some(after.extra.clone()),
        });
    }
    found
}

fn mode_text(connector: &Connector) -> Option<String> {
    match connector.stored_auth_mode() {
        StoredAuthMode::None => None,
        StoredAuthMode::Known(mode) => Some(mode.as_str().to_owned()),
        StoredAuthMode::Unknown(value) => Some(value),
    }
}

fn secrets_text(connector: &Connector) -> Option<String> {
    connector.secrets.as_ref().map(|_| "stored".to_owned())
}

fn config_changes(before: &Connector, after: &Connector, found: &mut Vec<Change>) {
    if before.config == after.config {
        return;
    }
    let (Ok(old), Ok(new)) = (before.config_object(), after.config_object()) else {
        found.push(Change {
            field: "config".to_owned(),
            before: Some(before.config.clone()),
            after: Some(after.config.clone()),
        });
        return;
    };
    let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
    for key in keys {
        let (before, after) = (text_of(&old, key), text_of(&new, key));
        if before != after {
            found.push(Change { field: format!("config.{key}"), before, after });
        }
    }
}

fn text_of(config: &Map<String, Value>, key: &str) -> Option<String> {
    config.get(key).map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// The current state of a change that a step made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum ChangeState {
    /// The record is as the step left it.
    Applied,
    /// The change was reverted.
    Undone,
    /// The record was changed since.
    #[strum(serialize = "modified-since", to_string = "modified since")]
    ModifiedSince,
    /// The record was deleted since.
    #[strum(serialize = "deleted-since", to_string = "deleted since")]
    DeletedSince,
}

impl ChangeState {
    /// Parses the word of the filter.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// Returns the words for the UI and for JSON.
    pub fn label(self) -> &'static str {
        self.into()
    }
}

/// A change of a step, for a row of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeInStep {
    /// The current state of the change.
    pub state: ChangeState,
    /// The changed fields with both sides.
    pub text: String,
}
