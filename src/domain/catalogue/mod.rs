//! Connector types: the fields of config and secrets, when each field is shown, and how a connector authenticates. The
//! [`Catalogue`] holds all known types.

mod load;
mod reported;
pub mod test_params;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::auth::AuthMode;

pub use load::Catalogue;
pub use reported::ReportedTypes;

/// The kind of value of a field.
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
    /// An http or https address; Kibana's schema accepts nothing else.
    #[serde(rename = "url")]
    Url,
    /// An address for which Kibana's schema accepts any text.
    #[serde(rename = "address")]
    Address,
    /// An e-mail address, with or without a display name; Kibana's schemas accept any text.
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
    /// Returns whether the value is a JSON string.
    pub fn is_text(self) -> bool {
        self.is_line() || matches!(self, FieldKind::LongText | FieldKind::JsonText)
    }

    /// The value is a JSON string of one line.
    pub fn is_line(self) -> bool {
        matches!(self, FieldKind::Text | FieldKind::Url | FieldKind::Address | FieldKind::Email)
    }
}

/// Values of other fields by key; null stands for an absent value.
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
    /// Kibana requires a value while the field is shown, unless there is a [`Field::default`].
    #[serde(default)]
    required: bool,
    /// The display name; empty for the key.
    #[serde(default)]
    pub label: String,
    /// Value of a new connector; Kibana fills it in where the field is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Kibana also accepts digits as text for a [`FieldKind::Number`].
    #[serde(default, skip_serializing_if = "is_false")]
    pub coerced: bool,
    /// Kibana's own form does not show the field, so this form does not either.
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
    /// The field is shown only while each of these fields has one of these values.
    #[serde(default, skip_serializing_if = "Condition::is_empty")]
    pub when: Condition,
    /// The field is hidden while any of these fields has one of these values.
    #[serde(default, skip_serializing_if = "Condition::is_empty")]
    pub unless: Condition,
}

impl Field {
    /// The connector cannot work without a value.
    pub fn is_required(&self) -> bool {
        self.required && self.default.is_none()
    }

    /// Returns whether the field is shown, given the values of the other fields.
    pub fn applies(&self, value_of: impl Fn(&str) -> Value) -> bool {
        self.when.iter().all(|(key, accepted)| accepted.contains(&value_of(key)))
            && !self.unless.iter().any(|(key, excluded)| excluded.contains(&value_of(key)))
    }

    /// The fields it depends on.
    pub fn controls(&self) -> impl Iterator<Item = &str> {
        self.when.keys().chain(self.unless.keys()).map(String::as_str)
    }
}

/// Where a connector type stores its auth type.
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
    /// The display name.
    pub name: String,
    /// The purpose, in one line.
    #[serde(default)]
    pub description: String,
    /// `stack`, `spec`, or `custom` for types that a user added.
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
    /// The auth types whose connectors use each user's own account. Derived from the auth types.
    #[serde(default)]
    pub per_user_auth_types: Vec<String>,
    /// Where the auth type is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_location: Option<AuthLocation>,
    /// Kibana marks this type as deprecated.
    #[serde(default)]
    pub is_deprecated: bool,
    /// The type is internal to Kibana; users cannot create such connectors.
    #[serde(default)]
    pub is_system: bool,
    /// Not yet stable.
    #[serde(default)]
    pub is_technical_preview: bool,
    /// Fields of `config`.
    #[serde(default)]
    pub config: Vec<Field>,
    /// The fields of `secrets`, without the auth type that spec types store in it.
    #[serde(default)]
    pub secrets: Vec<Field>,
    /// Kibana refuses empty secrets although no single secret is always required.
    #[serde(default, skip_serializing_if = "is_false")]
    needs_secrets: bool,
    /// The type has config fields that are not listed, so an unknown field is no finding.
    #[serde(default, skip_serializing_if = "is_false")]
    pub has_more_fields: bool,
    /// Notes for users.
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
    /// Returns whether Kibana refuses empty secrets for this type; an export then flags its connectors as missing them.
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

/// Connector types by purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TypeGroup {
    /// Added by a user.
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
    /// Returns the display name.
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

/// An auth type of the catalogue.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AuthTypeInfo {
    /// The display name.
    pub label: String,
    auth_mode: String,
    /// Kibana sets this auth type; users cannot choose it.
    #[serde(default)]
    pub is_chosen_by_kibana: bool,
}

impl AuthTypeInfo {
    /// The mode Kibana infers from this auth type.
    pub fn auth_mode(&self) -> AuthMode {
        AuthMode::parse(&self.auth_mode).unwrap_or(AuthMode::Shared)
    }
}
