//! Secrets: what of a record is encrypted and what is authenticated, what may be known of them, and how
//! they are edited without being read.
//!
//! Kibana's registration of `action` encrypts `secrets` and authenticates the id, `actionTypeId`,
//! `isMissingSecrets` and `config`. The auth mode is outside of it, so a backfill or a toggle leaves the
//! ciphertext valid and untouched.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::connector::Connector;
use super::json;
use super::model_version;

/// What a model version encrypts and authenticates; a change of either needs a new model version, whose
/// migration opens by the old registration and seals by the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The model version.
    pub model_version: i64,
    /// Attributes that are encrypted.
    pub encrypted: &'static [&'static str],
    /// Attributes that are authenticated beside the id.
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

/// The registration of a model version; that of the nearest known one for any other.
pub fn registration(model_version: i64) -> Registration {
    let known = model_version.clamp(1, model_version::latest());
    REGISTRATIONS.iter().copied().find(|found| found.model_version == known).unwrap_or(REGISTRATIONS[0])
}

/// What holds a sealed value: a connector its secrets, a remote its credential.
pub trait Sealed {
    /// Returns the sealed value.
    fn sealed(&self) -> Option<&str>;
    /// Returns what names it among its kind.
    fn label(&self) -> &str;
    /// Returns what the value is bound to. No two kinds share any: else a value could be moved from one to the other.
    fn associated_data(&self) -> String;
}

impl Sealed for Connector {
    fn sealed(&self) -> Option<&str> {
        self.secrets.as_deref()
    }

    fn label(&self) -> &str {
        &self.id
    }

    fn associated_data(&self) -> String {
        associated_data(self)
    }
}

/// The associated data of a record's secrets: `["action", id, {attributes}]` as canonical JSON. A config
/// that readers could take in two ways counts as the text it is. A config that is a JSON string has a name of its own:
/// else that of such a text would have the same associated data.
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

    /// The JSON text, for sealing.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// What may be known of a record's secrets: never what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SecretsState {
    /// There are none here, and none are known to be needed.
    #[default]
    None,
    /// They are needed and were lost, usually by an export.
    Missing,
    /// They are sealed and can be opened.
    Set {
        /// The names of those that are set.
        keys: Vec<String>,
        /// The auth type kept among them; Kibana itself copies it to the config.
        auth_type: Option<String>,
    },
    /// There is something that cannot be opened, and why.
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

    /// In one sentence, for people.
    pub fn describe(&self) -> String {
        match self {
            // A Kibana that the connector was pulled from may have them; it never tells.
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

    /// Reads the JSON text of an object.
    ///
    /// # Errors
    /// When it is something else.
    pub fn read(secret: Secret) -> Result<Self, NotAnObject> {
        entries(secret.expose()).ok_or(NotAnObject)?;
        Ok(Self(secret))
    }

    /// What may be known of them.
    pub fn state(&self) -> SecretsState {
        let entries = entries(self.0.expose()).unwrap_or_default();
        let auth_type = entries.get("authType").and_then(|value| serde_json::from_str(value.get()).ok());
        SecretsState::Set { keys: entries.into_keys().filter(|key| key != "authType").collect(), auth_type }
    }

    /// Is there nothing but, at most, an auth type?
    pub fn is_empty(&self) -> bool {
        entries(self.0.expose()).is_none_or(|entries| entries.keys().all(|key| key == "authType"))
    }

    /// The texts among them, at any depth, so that nobody who answers repeats one.
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

    /// The JSON text, for sealing.
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

/// What a person wants done to the secrets; those not named are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretEdits {
    /// New values by name; none clears the secret.
    pub by_name: BTreeMap<String, Option<Secret>>,
    /// All secrets anew, as one object.
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

    /// Kibana's own way: SHA-256 of `action|encrypted…|authenticated…|enforceRandomId`; here the text itself.
    /// When this fails, do not adapt it: write a model version whose migration opens by the old registration
    /// and seals by the new one, and add its line.
    #[test]
    fn what_is_encrypted_and_authenticated_is_pinned_for_each_model_version() {
        let pinned =
            ["1|secrets|actionTypeId|isMissingSecrets|config", "2|secrets|actionTypeId|isMissingSecrets|config"];
        let found: Vec<String> = REGISTRATIONS
            .iter()
            .map(|r| format!("{}|{}|{}", r.model_version, r.encrypted.join("|"), r.authenticated.join("|")))
            .collect();
        assert_eq!(found, pinned);
        assert_eq!(model_version::latest(), 2, "a new model version needs a registration and a line here");
    }

    #[test]
    fn only_the_authenticated_attributes_are_in_the_associated_data() {
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
    fn edits_replace_clear_and_keep() {
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
    fn nothing_prints_a_secret() {
        let mut edits = SecretEdits::default();
        edits.by_name.insert("password".to_owned(), Some(Secret::text("hunter2")));
        edits.whole = Some(Secret::text("hunter2"));
        assert!(!format!("{edits:?}").contains("hunter2"));
    }
}
