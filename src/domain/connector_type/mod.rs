//! Connector types: which fields config and secrets have, when each is asked for, and how a connector
//! authenticates. The [`Catalogue`] holds all types this program knows.

mod catalogue;
mod reported;
pub mod test_params;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::auth::AuthMode;

pub use catalogue::Catalogue;
pub use reported::ReportedTypes;

/// What kind of value a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum FieldKind {
    /// One line of text.
    #[serde(rename = "string")]
    Text,
    /// Text of several lines, such as a certificate.
    #[serde(rename = "text")]
    LongText,
    /// A text that holds JSON.
    #[serde(rename = "json")]
    JsonText,
    /// An http or https address; Kibana's schema takes nothing else.
    #[serde(rename = "url")]
    Url,
    /// An address for which Kibana's schema takes any text.
    #[serde(rename = "address")]
    Address,
    /// An e-mail address, with or without a name before it; Kibana's schemas take any text.
    #[serde(rename = "email")]
    Email,
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

impl FieldKind {
    /// The value is a JSON string that a person types.
    pub fn is_text(self) -> bool {
        self.is_line() || matches!(self, FieldKind::LongText | FieldKind::JsonText)
    }

    /// The value is a JSON string of one line.
    pub fn is_line(self) -> bool {
        matches!(self, FieldKind::Text | FieldKind::Url | FieldKind::Address | FieldKind::Email)
    }
}

/// Values of other fields by their key; null stands for an absent one.
pub type Condition = BTreeMap<String, Vec<Value>>;

/// One field of a connector type's config or secrets.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Key in the object.
    pub name: String,
    /// Kind of value.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// Kibana wants a value (where the field is asked for at all), unless there is a [`Field::default`].
    #[serde(default)]
    required: bool,
    /// Name for people; the key when empty.
    #[serde(default)]
    pub label: String,
    /// Value of a new connector; Kibana fills it in where the field is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Kibana also takes a [`FieldKind::Number`] as a text of digits.
    #[serde(default, skip_serializing_if = "is_false")]
    pub coerced: bool,
    /// A field for which Kibana's own form does not ask, nor does this program's.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hidden: bool,
    /// One line of help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The values of a [`FieldKind::Choice`]; a null among them means "none".
    #[serde(default, rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Option<String>>,
    /// The least [`FieldKind::Number`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// The greatest [`FieldKind::Number`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// Asked for only while each of these fields has one of these values.
    #[serde(default, skip_serializing_if = "Condition::is_empty")]
    pub when: Condition,
    /// Not asked for while any of these fields has one of these values.
    #[serde(default, skip_serializing_if = "Condition::is_empty")]
    pub unless: Condition,
}

impl Field {
    /// The connector cannot work without a value.
    pub fn is_required(&self) -> bool {
        self.required && self.default.is_none()
    }

    /// Is the field asked for, given the values of the others?
    pub fn applies(&self, value_of: impl Fn(&str) -> Value) -> bool {
        self.when.iter().all(|(key, accepted)| accepted.contains(&value_of(key)))
            && !self.unless.iter().any(|(key, excluded)| excluded.contains(&value_of(key)))
    }

    /// The fields it depends on.
    pub fn controls(&self) -> impl Iterator<Item = &str> {
        self.when.keys().chain(self.unless.keys()).map(String::as_str)
    }
}

/// Where a connector type keeps its auth type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthLocation {
    /// `config.authType`.
    Config,
    /// `secrets.authType`, copied to `config.authType` by newer releases.
    Secrets,
}

/// One connector type.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorType {
    /// Connector type id, for example `.webhook`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What it does, in one line.
    #[serde(default)]
    pub description: String,
    /// `stack`, `spec`, or `custom` for types that a person added.
    #[serde(default = "custom")]
    pub framework: String,
    /// Features it can be used in.
    #[serde(default)]
    pub supported_feature_ids: Vec<String>,
    /// Lowest licence that runs it.
    #[serde(default = "basic")]
    pub minimum_license: String,
    /// Auth types it can use; empty when it has no such choice.
    #[serde(default)]
    pub auth_types: Vec<String>,
    /// Those of them whose connectors use each user's own account. Derived from the auth types.
    #[serde(default)]
    pub per_user_auth_types: Vec<String>,
    /// Where the auth type is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_location: Option<AuthLocation>,
    /// Kibana marks the type as deprecated.
    #[serde(default)]
    pub is_deprecated: bool,
    /// Kibana's own; people cannot create one.
    #[serde(default)]
    pub is_system: bool,
    /// Not yet stable.
    #[serde(default)]
    pub is_technical_preview: bool,
    /// Fields of `config`.
    #[serde(default)]
    pub config: Vec<Field>,
    /// Fields of `secrets`; the auth type that spec types keep there is not listed.
    #[serde(default)]
    pub secrets: Vec<Field>,
    /// Kibana refuses empty secrets by a rule of its own, though no single one is always required.
    #[serde(default, skip_serializing_if = "is_false")]
    needs_secrets: bool,
    /// It has config fields that are not listed, so an unknown one is nothing to remark.
    #[serde(default, skip_serializing_if = "is_false")]
    pub has_more_fields: bool,
    /// What is worth knowing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

fn custom() -> String {
    "custom".to_owned()
}

fn basic() -> String {
    "basic".to_owned()
}

impl ConnectorType {
    /// Kibana refuses empty secrets for this type, so an export marks its connectors as missing them.
    pub fn needs_secrets(&self) -> bool {
        self.needs_secrets
            || self.keeps_auth_type_in_secrets()
            || self.secrets.iter().any(|field| field.is_required() && field.when.is_empty() && field.unless.is_empty())
    }

    /// A spec type: the auth type is chosen with the secrets.
    pub fn keeps_auth_type_in_secrets(&self) -> bool {
        self.auth_location == Some(AuthLocation::Secrets)
    }

    /// The group a list of types shows it in.
    pub fn group(&self) -> TypeGroup {
        let has = |feature: &str| self.supported_feature_ids.iter().any(|id| id == feature);
        match () {
            () if self.framework == "custom" => TypeGroup::Custom,
            () if has("cases") => TypeGroup::Cases,
            () if self.supported_feature_ids.iter().any(|id| id.starts_with("generativeAI")) => TypeGroup::GenerativeAi,
            () if has("endpointSecurity") => TypeGroup::Endpoint,
            () if has("alerting") && self.framework == "stack" => TypeGroup::Alerting,
            () => TypeGroup::Workflows,
        }
    }
}

/// What connector types are for, as groups to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TypeGroup {
    /// Added by a person.
    Custom,
    /// Messages and calls when a rule fires.
    Alerting,
    /// Tickets and cases.
    Cases,
    /// Models.
    GenerativeAi,
    /// Endpoint protection.
    Endpoint,
    /// Workflows and agents.
    Workflows,
}

impl TypeGroup {
    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            TypeGroup::Custom => "Your own types",
            TypeGroup::Alerting => "Alerting",
            TypeGroup::Cases => "Cases and tickets",
            TypeGroup::GenerativeAi => "Generative AI",
            TypeGroup::Endpoint => "Endpoint security",
            TypeGroup::Workflows => "Workflows and agents",
        }
    }
}

/// An auth type as the catalogue knows it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AuthTypeInfo {
    /// Name for people.
    pub label: String,
    auth_mode: String,
    /// Set by Kibana; people cannot choose it.
    #[serde(default)]
    pub is_chosen_by_kibana: bool,
}

impl AuthTypeInfo {
    /// The mode Kibana infers from this auth type.
    pub fn auth_mode(&self) -> AuthMode {
        AuthMode::parse(&self.auth_mode).unwrap_or(AuthMode::Shared)
    }
}
