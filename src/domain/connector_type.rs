//! The catalogue of connector types: which fields config and secrets have, and how they authenticate.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::auth::AuthMode;

/// What kind of value a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum FieldKind {
    /// Any text.
    #[serde(rename = "string")]
    Text,
    /// An http or https address.
    #[serde(rename = "url")]
    Url,
    /// A JSON number.
    #[serde(rename = "number")]
    Number,
    /// True or false.
    #[serde(rename = "boolean")]
    Toggle,
    /// One of [`Field::choices`].
    #[serde(rename = "enum")]
    Choice,
    /// An object of text values, such as HTTP headers.
    #[serde(rename = "map<string,string>")]
    TextMap,
    /// A list of `{id, name}`.
    #[serde(rename = "array<{id,name}>")]
    List,
    /// Any JSON object.
    #[serde(rename = "object")]
    Object,
}

/// One field of a connector type's config or secrets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Key in the object.
    pub name: String,
    /// Kind of value.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// The connector cannot work without it.
    pub required: bool,
    /// Name for people.
    pub label: String,
    /// Value of a new connector.
    #[serde(default)]
    pub default: Option<Value>,
    /// One line of help.
    #[serde(default)]
    pub help: Option<String>,
    /// The values of a [`FieldKind::Choice`]; a null among them means "none".
    #[serde(default, rename = "enum")]
    pub choices: Vec<Option<String>>,
    /// Belongs to this auth type alone.
    #[serde(default)]
    pub auth_type: Option<String>,
}

/// Where a connector type keeps its auth type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthLocation {
    /// `config.authType`.
    Config,
    /// `secrets.authType`, copied to `config.authType` by newer releases.
    Secrets,
}

/// One connector type.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorType {
    /// Connector type id, for example `.webhook`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What it does, in one line.
    pub description: String,
    /// `stack` or `spec`.
    pub framework: String,
    /// Features it can be used in.
    pub supported_feature_ids: Vec<String>,
    /// Lowest licence that runs it.
    pub minimum_license: String,
    /// Auth types it can use; empty when it has no such choice.
    pub auth_types: Vec<String>,
    /// Where the auth type is kept.
    #[serde(default)]
    pub auth_location: Option<AuthLocation>,
    /// Kibana marks the type as deprecated.
    pub is_deprecated: bool,
    /// Kibana's own; people cannot create one.
    pub is_system: bool,
    /// Not yet stable.
    pub is_technical_preview: bool,
    /// Fields of `config`.
    pub config: Vec<Field>,
    /// Fields of `secrets`.
    pub secrets: Vec<Field>,
    /// Kibana refuses empty secrets by a rule of its own, though no single one is required.
    #[serde(default)]
    needs_secrets: bool,
    /// What is worth knowing.
    #[serde(default)]
    pub notes: Option<String>,
}

impl ConnectorType {
    /// Kibana refuses empty secrets for this type, so an export marks its connectors as missing them.
    pub fn needs_secrets(&self) -> bool {
        self.needs_secrets || self.secrets.iter().any(|field| field.required)
    }
}

/// An auth type as the catalogue knows it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthTypeInfo {
    /// Name for people.
    pub label: String,
    auth_mode: String,
}

impl AuthTypeInfo {
    /// The mode Kibana infers from this auth type.
    pub fn auth_mode(&self) -> AuthMode {
        AuthMode::parse(&self.auth_mode).unwrap_or(AuthMode::Shared)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogueFile {
    auth_types: HashMap<String, AuthTypeInfo>,
    connector_types: Vec<ConnectorType>,
}

/// All connector types this program knows.
pub struct Catalogue {
    types: Vec<ConnectorType>,
    by_id: HashMap<String, usize>,
    auth_types: HashMap<String, AuthTypeInfo>,
}

static BUILTIN: LazyLock<Catalogue> = LazyLock::new(|| {
    let file = serde_json::from_str(include_str!("../../assets/connector_types.json"));
    Catalogue::of(file.unwrap_or(CatalogueFile { auth_types: HashMap::new(), connector_types: Vec::new() }))
});

impl Catalogue {
    /// The catalogue built into the program (a test proves that its file loads).
    pub fn builtin() -> &'static Catalogue {
        &BUILTIN
    }

    fn of(file: CatalogueFile) -> Self {
        let mut types = file.connector_types;
        types.sort_by_key(|connector_type| connector_type.name.to_lowercase());
        let by_id = types.iter().enumerate().map(|(at, connector_type)| (connector_type.id.clone(), at)).collect();
        Self { types, by_id, auth_types: file.auth_types }
    }

    /// One type by its id.
    pub fn get(&self, id: &str) -> Option<&ConnectorType> {
        self.by_id.get(id).and_then(|&at| self.types.get(at))
    }

    /// All types, by name.
    pub fn types(&self) -> &[ConnectorType] {
        &self.types
    }

    /// One auth type by its id.
    pub fn auth_type(&self, id: &str) -> Option<&AuthTypeInfo> {
        self.auth_types.get(id)
    }

    /// The mode Kibana infers for a new connector: that of its auth type, else shared.
    pub fn inferred_auth_mode(&self, auth_type: Option<&str>) -> AuthMode {
        auth_type.and_then(|id| self.auth_type(id)).map_or(AuthMode::Shared, AuthTypeInfo::auth_mode)
    }

    /// Kibana's `is_deprecated`: the type itself, or ServiceNow through the Table API.
    pub fn is_deprecated(&self, connector_type_id: &str, uses_table_api: bool) -> bool {
        let table_api = matches!(connector_type_id, ".servicenow" | ".servicenow-sir") && uses_table_api;
        table_api || self.get(connector_type_id).is_some_and(|connector_type| connector_type.is_deprecated)
    }

    /// `isMissingSecrets` after secrets were stripped, by the rule of Kibana's export: true when the
    /// type refuses empty secrets, else what `config.hasAuth` says. Kibana cannot export a type it
    /// does not know; here such a connector is missing what it had.
    pub fn is_missing_secrets_after_export(
        &self,
        connector_type_id: &str,
        config: &Map<String, Value>,
        had_or_missed: bool,
    ) -> bool {
        match self.get(connector_type_id) {
            None => had_or_missed,
            Some(connector_type) if connector_type.needs_secrets() => true,
            Some(_) => config.get("hasAuth") == Some(&Value::Bool(true)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_catalogue_loads_and_is_consistent() {
        let catalogue = Catalogue::builtin();
        assert!(catalogue.types().len() >= 60);
        for connector_type in catalogue.types() {
            assert!(connector_type.id.starts_with('.'), "{}", connector_type.id);
            for auth_type in &connector_type.auth_types {
                assert!(catalogue.auth_type(auth_type).is_some(), "{auth_type} of {}", connector_type.id);
            }
            for field in connector_type.config.iter().filter(|field| field.kind == FieldKind::Choice) {
                assert!(!field.choices.is_empty(), "{} of {}", field.name, connector_type.id);
            }
        }
    }

    #[test]
    fn per_user_is_inferred_for_the_two_auth_types_of_users() {
        let catalogue = Catalogue::builtin();
        for (auth_type, mode) in [
            (Some("oauth_authorization_code"), AuthMode::PerUser),
            (Some("ears"), AuthMode::PerUser),
            (Some("basic"), AuthMode::Shared),
            (Some("never heard of"), AuthMode::Shared),
            (None, AuthMode::Shared),
        ] {
            assert_eq!(catalogue.inferred_auth_mode(auth_type), mode, "{auth_type:?}");
        }
    }
}
