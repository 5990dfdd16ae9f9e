//! Secrets: the encrypted and authenticated attributes of a record, the visible state of its secrets, and edits that
//! never read them.
//!
//! Kibana's registration of `action` encrypts `secrets` and authenticates the id, `actionTypeId`, `isMissingSecrets`
//! and `config`. The auth mode is not part of it, so a backfill or a toggle leaves the ciphertext valid and unchanged.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::connector::Connector;
use super::json;

/// The encrypted and authenticated attributes of a model version. A change needs a new model version, whose migration
/// decrypts with the old registration and encrypts with the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The model version.
    pub model_version: i64,
    /// Attributes that are encrypted.
    pub encrypted: &'static [&'static str],
    /// The authenticated attributes besides the id.
    pub authenticated: &'static [&'static str],
}

/// All registrations, by model version.
pub const REGISTRATIONS: &[Registration] = &[
    Registration {
        model_version: 1,
        encrypted: &["secrets"],
        authenticated: &["actionTypeId", "isMissingSecrets", "config"],
    },
    Registration {
        model_version: 2,
        encrypted: &["secrets"],
        authenticated: &["actionTypeId", "isMissingSecrets", "config"],
    },
];

/// Returns the registration of a model version; a version without one has that of the version before.
pub fn registration(model_version: i64) -> Registration {
    let newest = REGISTRATIONS.iter().copied().rev().find(|known| known.model_version <= model_version);
    newest.unwrap_or(REGISTRATIONS[0])
}

/// An object with an encrypted value: the secrets of a connector, the credential of a remote.
pub trait SecretHolder {
    /// Returns the encrypted value.
    fn ciphertext(&self) -> Option<&str>;
    /// Returns what names it among its kind.
    fn label(&self) -> &str;
    /// Returns the associated data. No two kinds of object share any, so that a value cannot be moved between them.
    fn associated_data(&self) -> String;
}

impl SecretHolder for Connector {
    fn ciphertext(&self) -> Option<&str> {
        self.secrets.as_deref()
    }

    fn label(&self) -> &str {
        &self.id
    }

    fn associated_data(&self) -> String {
        associated_data(self)
    }
}

/// Returns the associated data of a record's secrets: `["action", id, {attributes}]` as canonical JSON. A config that
/// parsers would read differently counts as text. A config that is a JSON string has its own key, so that it never
/// equals such a text.
pub fn associated_data(connector: &Connector) -> String {
    let mut names = registration(connector.model_version).authenticated.to_vec();
    names.sort_unstable();
    let attributes: Vec<String> = names
        .iter()
        .filter_map(|name| attribute(connector, name))
        .map(|(name, value)| format!("{}:{value}", json::quote(name)))
        .collect();
    format!("[\"action\",{},{{{}}}]", json::quote(&connector.id), attributes.join(","))
}

fn attribute(connector: &Connector, name: &'static str) -> Option<(&'static str, String)> {
    match name {
        "actionTypeId" => Some((name, json::quote(&connector.connector_type_id))),
        "isMissingSecrets" => Some((name, connector.is_missing_secrets.to_string())),
        "config" => Some(match json::canonical(&connector.config) {
            Some(canonical) if canonical.starts_with('"') => ("configString", canonical),
            Some(canonical) => (name, canonical),
            None => (name, json::quote(&connector.config)),
        }),
        _ => None,
    }
}

/// A secret value as JSON text. It is wiped from memory when it is dropped, and nothing prints it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// A text as a JSON string.
    pub fn text(text: &str) -> Self {
        // Room for the worst case, so that no copy is left behind by growing.
        let mut out = Vec::with_capacity(text.len() * 6 + 2);
        // Writing a string to memory cannot fail.
        let _ = serde_json::to_writer(&mut out, text);
        Self(Zeroizing::new(String::from_utf8(out).unwrap_or_default()))
    }

    /// JSON text as it is.
    pub fn json(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// Returns the JSON text for encryption.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The state of a record's secrets, without the secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SecretsState {
    /// No secrets are stored, and none are required.
    #[default]
    None,
    /// Secrets are required and were lost, usually by an export.
    Missing,
    /// The secrets can be decrypted.
    Set {
        /// The names of those that are set.
        keys: Vec<String>,
        /// The auth type kept among them; Kibana itself copies it to the config.
        auth_type: Option<String>,
    },
    /// The secrets cannot be decrypted, with the reason.
    Unreadable(String),
}

impl SecretsState {
    /// Is the secret of this name set?
    pub fn has(&self, name: &str) -> bool {
        matches!(self, SecretsState::Set { keys, .. } if keys.iter().any(|key| key == name))
    }

    /// The auth type kept among the secrets.
    pub fn auth_type(&self) -> Option<&str> {
        match self {
            SecretsState::Set { auth_type, .. } => auth_type.as_deref(),
            _ => None,
        }
    }

    /// Returns a sentence for the UI.
    pub fn describe(&self) -> String {
        match self {
            // A Kibana from which the connector was pulled may have them; it never returns them.
            SecretsState::None => "none in this file".to_owned(),
            SecretsState::Missing => "missing: to be entered again before the connector can run".to_owned(),
            SecretsState::Set { keys, .. } if keys.is_empty() => "set, empty".to_owned(),
            SecretsState::Set { keys, .. } => format!("set: {}", keys.join(", ")),
            SecretsState::Unreadable(reason) => format!("unreadable: {reason}"),
        }
    }
}

/// The secrets of a record, opened: an object of JSON values. Wiped when dropped.
#[derive(Debug)]
pub struct OpenSecrets(Secret);

impl OpenSecrets {
    /// No secrets.
    pub fn empty() -> Self {
        Self(Secret::json(Zeroizing::new("{}".to_owned())))
    }

    /// Parses the text of a JSON object.
    ///
    /// # Errors
    /// If the text is something else.
    pub fn read(secret: Secret) -> Result<Self, NotAnObject> {
        entries(secret.expose()).ok_or(NotAnObject)?;
        Ok(Self(secret))
    }

    /// Returns the state of the secrets.
    pub fn state(&self) -> SecretsState {
        let entries = entries(self.0.expose()).unwrap_or_default();
        let auth_type = entries.get("authType").and_then(|value| serde_json::from_str(value.get()).ok());
        SecretsState::Set { keys: entries.into_keys().filter(|key| key != "authType").collect(), auth_type }
    }

    /// Returns whether there are no secrets except, possibly, an auth type.
    pub fn is_empty(&self) -> bool {
        entries(self.0.expose()).is_none_or(|entries| entries.keys().all(|key| key == "authType"))
    }

    /// Returns all texts at any depth, so that they can be masked in answers.
    pub fn texts(&self) -> Vec<Zeroizing<String>> {
        fn collect(value: &RawValue, found: &mut Vec<Zeroizing<String>>) {
            let text = value.get();
            if let Ok(text) = serde_json::from_str::<Zeroizing<String>>(text) {
                found.push(text);
            } else if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(text) {
                list.into_iter().for_each(|value| collect(value, found));
            } else if let Some(inner) = entries(text) {
                inner.into_iter().filter(|(key, _)| key != "authType").for_each(|(_, value)| collect(value, found));
            }
        }
        let mut found = Vec::new();
        for (key, value) in entries(self.0.expose()).unwrap_or_default() {
            if key != "authType" {
                collect(value, &mut found);
            }
        }
        found
    }

    /// Returns the JSON text for encryption.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// With the edits made.
    #[must_use]
    pub fn edited(&self, edits: &SecretEdits) -> Self {
        if let Some(whole) = &edits.whole {
            return Self(whole.clone());
        }
        let old = entries(self.0.expose()).unwrap_or_default();
        let mut merged: BTreeMap<&str, &str> = old.iter().map(|(key, value)| (key.as_str(), value.get())).collect();
        for (name, value) in &edits.by_name {
            match value {
                Some(secret) => merged.insert(name, secret.expose()),
                None => merged.remove(name.as_str()),
            };
        }
        let room = merged.iter().map(|(key, value)| key.len() * 6 + value.len() + 4).sum::<usize>() + 2;
        let mut text = Zeroizing::new(String::with_capacity(room));
        for (at, (key, value)) in merged.into_iter().enumerate() {
            text.push(if at == 0 { '{' } else { ',' });
            text.push_str(&json::quote(key));
            text.push(':');
            text.push_str(value);
        }
        let end = if text.is_empty() { "{}" } else { "}" };
        text.push_str(end);
        Self(Secret::json(text))
    }
}

/// The opened text is not a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnObject;

fn entries(text: &str) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(text).ok()
}

/// The user's edits of the secrets; secrets that are not named are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretEdits {
    /// New values by name; none clears the secret.
    pub by_name: BTreeMap<String, Option<Secret>>,
    /// A replacement of all secrets, as one object.
    pub whole: Option<Secret>,
}

impl SecretEdits {
    /// All are kept.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty() && self.whole.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::migration;

    /// Kibana uses SHA-256 of `action|encrypted…|authenticated…|enforceRandomId`; this test uses the text itself. If it
    /// fails, do not adapt it: write a model version whose migration decrypts with the old registration and encrypts
    /// with the new one, and add its line.
    #[test]
    fn encrypted_attributes_are_pinned_per_model_version() {
        let pinned =
            ["1|secrets|actionTypeId|isMissingSecrets|config", "2|secrets|actionTypeId|isMissingSecrets|config"];
        let found: Vec<String> = REGISTRATIONS
            .iter()
            .map(|r| format!("{}|{}|{}", r.model_version, r.encrypted.join("|"), r.authenticated.join("|")))
            .collect();
        assert_eq!(found, pinned);
        assert_eq!(migration::latest(), 2, "a new model version needs a registration and a line here");
    }

    #[test]
    fn associated_data_holds_only_authenticated_attributes() {
        let base =
            Connector { name: "n".into(), config: r#"{"b":1,"a":"x"}"#.into(), ..Connector::new("id", ".webhook") };
        let data = associated_data(&base);
        assert_eq!(
            data,
            r#"["action","id",{"actionTypeId":".webhook","config":{"a":"x","b":1},"isMissingSecrets":false}]"#
        );
        let same = Connector {
            name: "other".into(),
            config: "{ \"a\": \"x\", \"b\": 1 }".into(),
            auth_mode: None,
            extra: "{}".into(),
            model_version: 1,
            updated_at: Some("now".into()),
            revision: 9,
            ..base.clone()
        };
        assert_eq!(associated_data(&same), data);
        for other in [
            Connector { id: "id2".into(), ..base.clone() },
            Connector { connector_type_id: ".http".into(), ..base.clone() },
            Connector { is_missing_secrets: true, ..base.clone() },
            Connector { config: r#"{"a":"x","b":1.0}"#.into(), ..base.clone() },
            Connector { config: r#"{"a":"y","a":"x","b":1}"#.into(), ..base.clone() },
            Connector { config: "{".into(), ..base.clone() },
        ] {
            assert_ne!(associated_data(&other), data, "{other:?}");
        }
        let twice = Connector { config: r#"{"a":"y","a":"x"}"#.into(), ..base.clone() };
        let as_string = Connector { config: json::quote(&twice.config), ..base };
        assert_ne!(associated_data(&twice), associated_data(&as_string));
    }

    #[test]
    fn secret_edits_replace_clear_and_keep() {
        let open = |text: &str| OpenSecrets::read(Secret::json(Zeroizing::new(text.to_owned()))).expect("an object");
        let old = open(r#"{"user":"u","password":"p\"","n":1.50}"#);
        let mut edits = SecretEdits::default();
        edits.by_name.insert("password".to_owned(), Some(Secret::text("new \"one\"\n")));
        edits.by_name.insert("user".to_owned(), None);
        assert_eq!(old.edited(&edits).secret().expose(), r#"{"n":1.50,"password":"new \"one\"\n"}"#);
        edits.by_name.insert("password".to_owned(), None);
        edits.by_name.insert("n".to_owned(), None);
        assert_eq!(old.edited(&edits).secret().expose(), "{}");
        assert!(open(r#"{"authType":"bearer"}"#).is_empty() && !old.is_empty());
        assert!(OpenSecrets::read(Secret::json(Zeroizing::new("[]".to_owned()))).is_err());
    }

    #[test]
    fn debug_output_hides_secrets() {
        let mut edits = SecretEdits::default();
        edits.by_name.insert("password".to_owned(), Some(Secret::text("hunter2")));
        edits.whole = Some(Secret::text("hunter2"));
        assert!(!format!("{edits:?}").contains("hunter2"));
    }
}
