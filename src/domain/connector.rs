//! One connector: a saved object of type `action`, as the file stores it.

use serde_json::{Map, Value};

use super::auth::{AuthMode, AuthType, StoredAuthMode};
use super::catalogue::Catalogue;
use super::diff::ChangeInStep;
use super::json::{self, Members};
use super::migration;
use super::migration::{Decision, Group};

/// A whole record. `config` and `extra` are kept as text, so that unedited parts stay byte for byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connector {
    /// Saved object id, unique in the file.
    pub id: String,
    /// Connector type id, for example `.webhook`; never changes after creation.
    pub connector_type_id: String,
    /// The display name.
    pub name: String,
    /// The text of a JSON object; a foreign or damaged file can hold anything.
    pub config: String,
    /// Ciphertext, or none.
    pub secrets: Option<String>,
    /// Kibana's `isMissingSecrets`: the connector needs secrets that it lost, usually by an export.
    pub is_missing_secrets: bool,
    /// The value of the auth mode column; see [`Connector::stored_auth_mode`] for the mode of the record.
    pub auth_mode: Option<AuthMode>,
    /// JSON object text with everything of the saved object that has no column.
    pub extra: String,
    /// Kibana's model version (`10.N.0` in `typeMigrationVersion`).
    pub model_version: i64,
    /// ISO 8601, as stored.
    pub created_at: Option<String>,
    /// ISO 8601, as stored.
    pub updated_at: Option<String>,
    /// The history step that wrote it; a save names the one it started from. One revision, one content.
    pub revision: i64,
    /// The key of the record in the file, which no other one ever has; 0 for a record that is not in a file.
    pub key: i64,
    /// The parts of the record that are not UTF-8 in the file.
    pub raw: RawText,
}

/// Column values that are not UTF-8. A record shows them as text with replacement characters; the bytes are written
/// back unchanged until that text is edited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawText(Vec<(&'static str, Vec<u8>)>);

impl RawText {
    /// Keeps the bytes of a column.
    pub fn insert(&mut self, column: &'static str, bytes: &[u8]) {
        self.remove(column);
        self.0.push((column, bytes.to_vec()));
    }

    /// Drops the bytes of a column that has a new value.
    pub fn remove(&mut self, column: &str) {
        self.0.retain(|(kept, _)| *kept != column);
    }

    /// Returns the bytes of a column whose text is still the one that was read from them.
    pub fn bytes(&self, column: &str, text: &str) -> Option<&[u8]> {
        let (_, bytes) = self.0.iter().find(|(kept, _)| *kept == column)?;
        (String::from_utf8_lossy(bytes) == text).then_some(bytes)
    }
}

impl Connector {
    /// A new, empty connector at the newest model version.
    pub fn new(id: &str, connector_type_id: &str) -> Self {
        Self {
            id: id.to_owned(),
            connector_type_id: connector_type_id.to_owned(),
            name: String::new(),
            config: "{}".to_owned(),
            secrets: None,
            is_missing_secrets: false,
            auth_mode: Some(AuthMode::Shared),
            extra: r#"{"references":[],"coreMigrationVersion":"8.8.0","managed":false}"#.to_owned(),
            model_version: migration::latest(),
            created_at: None,
            updated_at: None,
            revision: 0,
            key: 0,
            raw: RawText::default(),
        }
    }

    /// Returns the names of the columns that are not UTF-8 in the file.
    pub fn not_utf8(&self) -> Vec<&'static str> {
        let texts = [
            ("id", Some(&self.id)),
            ("connector_type_id", Some(&self.connector_type_id)),
            ("name", Some(&self.name)),
            ("config", Some(&self.config)),
            ("secrets", self.secrets.as_ref()),
            ("extra", Some(&self.extra)),
            ("created_at", self.created_at.as_ref()),
            ("updated_at", self.updated_at.as_ref()),
        ];
        let is_raw = |(column, text): (&'static str, Option<&String>)| {
            text.is_some_and(|text| self.raw.bytes(column, text).is_some()).then_some(column)
        };
        texts.into_iter().filter_map(is_raw).collect()
    }

    /// Returns the config as an object.
    ///
    /// # Errors
    /// Explains that the text is not JSON, or not an object.
    pub fn config_object(&self) -> Result<Map<String, Value>, String> {
        object(&self.config, "config")
    }

    /// Returns `extra` as an object.
    ///
    /// # Errors
    /// As for [`Connector::config_object`].
    pub fn extra_object(&self) -> Result<Map<String, Value>, String> {
        object(&self.extra, "extra")
    }

    /// Some members of the config.
    ///
    /// # Errors
    /// As [`Connector::config_object`].
    pub fn config_members(&self, keys: &[&'static str]) -> Result<Members, String> {
        members(&self.config, "config", keys)
    }

    /// Some members of `extra`.
    ///
    /// # Errors
    /// As [`Connector::extra_object`].
    pub fn extra_members(&self, keys: &[&'static str]) -> Result<Members, String> {
        members(&self.extra, "extra", keys)
    }

    /// `config.authType`; [`AuthType::None`] when the config cannot be read.
    pub fn auth_type(&self) -> AuthType {
        self.config_members(&["authType"]).map_or(AuthType::None, |config| auth_type_of(config.get("authType")))
    }

    /// Returns the auth mode of the record: its column, else `extra.attributes.authMode`.
    pub fn stored_auth_mode(&self) -> StoredAuthMode {
        if let Some(mode) = self.auth_mode {
            return StoredAuthMode::Known(mode);
        }
        let Ok(extra) = self.extra_members(&["attributes"]) else {
            return StoredAuthMode::None;
        };
        let carried = extra.get("attributes").and_then(|attributes| attributes.get("authMode"));
        if extra.count("attributes") > 1 || (carried.is_some() && is_written_twice(&self.extra)) {
            return StoredAuthMode::Unknown("written twice".to_owned());
        }
        match carried {
            None | Some(Value::Null) => StoredAuthMode::None,
            Some(Value::String(text)) if text.is_empty() => StoredAuthMode::None,
            Some(Value::String(text)) => match AuthMode::parse(text) {
                Some(mode) => StoredAuthMode::Known(mode),
                None => StoredAuthMode::Unknown(Value::from(text.as_str()).to_string()),
            },
            Some(other) => StoredAuthMode::Unknown(other.to_string()),
        }
    }

    /// Returns the mode that applies: Kibana reads an absent mode as `shared`.
    pub fn effective_auth_mode(&self) -> AuthMode {
        match self.stored_auth_mode() {
            StoredAuthMode::Known(mode) => mode,
            StoredAuthMode::None | StoredAuthMode::Unknown(_) => AuthMode::Shared,
        }
    }

    /// Returns whether a newer Kibana wrote the record. Such a record is kept and shown but not edited, because the
    /// effect of an edit is unknown.
    pub fn is_newer_than_known(&self) -> bool {
        self.model_version > migration::latest()
    }

    /// Kibana computes this: a deprecated type, or ServiceNow through the Table API.
    pub fn is_deprecated(&self, catalogue: &Catalogue) -> bool {
        let config = self.config_members(&["usesTableApi"]);
        let uses_table_api = config.is_ok_and(|config| config.get("usesTableApi") == Some(&Value::Bool(true)));
        catalogue.is_deprecated(&self.connector_type_id, uses_table_api)
    }
}

/// Returns whether Kibana 9.4 and newer accepts the id: 1 to 36 lower-case letters, digits and hyphens. Kibana refuses
/// to create a connector with another id, and an import removes such a connector, even one that it overwrites.
pub fn is_plain_id(id: &str) -> bool {
    (1..=36).contains(&id.len()) && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Returns whether an id cannot be a path segment of a URL: a server or a proxy would read it as another address.
pub fn has_no_address(id: &str) -> bool {
    id.trim().is_empty() || id == "." || id == ".."
}

/// Classifies a value of `config.authType`.
pub fn auth_type_of(value: Option<&Value>) -> AuthType {
    match value {
        None | Some(Value::Null) => AuthType::None,
        Some(Value::String(text)) if text.is_empty() => AuthType::None,
        Some(Value::String(text)) => AuthType::Named(text.clone()),
        Some(other) => AuthType::NotText(other.to_string()),
    }
}

fn members(text: &str, column: &str, keys: &[&'static str]) -> Result<Members, String> {
    match json::members(text, keys) {
        Some(found) => Ok(found),
        None => object(text, column).map(|object| Members::of(object, text, keys)),
    }
}

/// Returns whether `extra` holds the auth mode twice; JSON parsers disagree on which one counts.
fn is_written_twice(extra: &str) -> bool {
    if json::count_of_key(extra, "attributes") > 1 {
        return true;
    }
    let attributes = json::RawObject::parse(extra).ok().and_then(|mut extra| extra.take("attributes"));
    attributes.is_some_and(|attributes| json::count_of_key(attributes.get(), "authMode") > 1)
}

fn object(text: &str, column: &str) -> Result<Map<String, Value>, String> {
    match json::parse_lossy(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(other) => Err(format!("{column} is {}, not a JSON object", kind_of(&other))),
        Err(error) => Err(format!("{column} is not valid JSON: {error}")),
    }
}

/// A value's kind, with its article, for messages.
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The values of a connector that the list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Saved object id.
    pub id: String,
    /// Connector type id.
    pub connector_type_id: String,
    /// The name that Kibana reports for a connector type that the catalogue does not know.
    pub reported_type: Option<String>,
    /// Name.
    pub name: String,
    /// `config.authType` when it is a non-empty string.
    pub auth_type: Option<String>,
    /// The auth mode, when the record has one of the two.
    pub auth_mode: Option<AuthMode>,
    /// Needs secrets it does not have.
    pub is_missing_secrets: bool,
    /// The secrets cannot be decrypted because their key is missing. Only callers with the keys can set this.
    pub has_unreadable_secrets: bool,
    /// Deprecated type or use.
    pub is_deprecated: bool,
    /// Config or extra is not a JSON object.
    pub is_malformed: bool,
    /// The group in the migration plan; `None` if no migration is pending.
    pub group: Option<Group>,
    /// Model version.
    pub model_version: i64,
    /// ISO 8601, as stored.
    pub updated_at: Option<String>,
    /// As [`Connector::revision`].
    pub revision: i64,
    /// The user's decision about the migration.
    pub decision: Option<Decision>,
    /// In the list of a step of the history: what that did to it.
    pub change: Option<ChangeInStep>,
    /// In the list of connectors: how it differs from the remote.
    pub drift: Option<&'static str>,
}

impl Summary {
    /// Summarizes a record, whether it is stored or not.
    pub fn of(connector: &Connector, catalogue: &Catalogue) -> Self {
        let auth_mode = match connector.stored_auth_mode() {
            StoredAuthMode::Known(mode) => Some(mode),
            StoredAuthMode::None | StoredAuthMode::Unknown(_) => None,
        };
        Self {
            id: connector.id.clone(),
            connector_type_id: connector.connector_type_id.clone(),
            reported_type: None,
            name: connector.name.clone(),
            auth_type: connector.auth_type().name().map(str::to_owned),
            auth_mode,
            is_missing_secrets: connector.is_missing_secrets,
            has_unreadable_secrets: false,
            is_deprecated: connector.is_deprecated(catalogue),
            is_malformed: connector.config_members(&[]).is_err() || connector.extra_members(&[]).is_err(),
            group: migration::plan(connector).map(|plan| plan.group),
            model_version: connector.model_version,
            updated_at: connector.updated_at.clone(),
            revision: connector.revision,
            decision: None,
            change: None,
            drift: None,
        }
    }

    /// Returns the name of the connector type to show.
    pub fn type_label<'a>(&'a self, catalogue: &'a Catalogue) -> &'a str {
        let known = catalogue.get(&self.connector_type_id).map(|known| known.name.as_str());
        known.or(self.reported_type.as_deref()).unwrap_or(&self.connector_type_id)
    }

    /// The connector type is not in the catalogue.
    pub fn is_unknown_type(&self, catalogue: &Catalogue) -> bool {
        catalogue.get(&self.connector_type_id).is_none()
    }
    /// Returns the flags in words, the most urgent first.
    pub fn flags(&self, catalogue: &Catalogue) -> Vec<&'static str> {
        [
            (self.is_malformed, "malformed"),
            (self.group == Some(Group::Blocked), "blocked"),
            (self.is_missing_secrets, "no secrets"),
            (self.has_unreadable_secrets, "unreadable"),
            (matches!(self.group, Some(Group::Backfill | Group::StampOnly)), "to migrate"),
            (self.is_unknown_type(catalogue), "unknown type"),
            (self.is_deprecated, "deprecated"),
        ]
        .into_iter()
        .filter_map(|(holds, word)| holds.then_some(word))
        .chain(self.drift)
        .collect()
    }
}

/// Returns a connector with a value in each field, for tests: a new field has to be added here.
#[cfg(test)]
pub fn sample() -> Connector {
    Connector {
        id: "an-id".to_owned(),
        connector_type_id: ".webhook".to_owned(),
        name: "A name".to_owned(),
        config: r#"{"authType":"webhook-authentication-basic","hasAuth":true,"url":"https://a.example"}"#.to_owned(),
        secrets: Some("ciphertext".to_owned()),
        is_missing_secrets: true,
        auth_mode: Some(AuthMode::PerUser),
        extra: r#"{"references":[],"typeMigrationVersion":"10.2.0"}"#.to_owned(),
        model_version: 2,
        created_at: Some("2026-01-02T03:04:05.678Z".to_owned()),
        updated_at: Some("2026-02-03T04:05:06.789Z".to_owned()),
        revision: 3,
        key: 4,
        raw: RawText::default(),
    }
}
