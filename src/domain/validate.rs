//! Is a connector right? Rules of the saved object, of Kibana's API and of the connector type.

use serde_json::{Map, Value};

use super::auth::{AuthMode, AuthType};
use super::connector::{Connector, auth_type_in, kind_of};
use super::connector_type::{Catalogue, Field, FieldKind};

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `name`, `config`, or `config.<key>`.
    pub field: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl Problem {
    /// A problem of one field.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

/// Everything that is wrong with a record; empty when it is right.
pub fn problems(connector: &Connector) -> Vec<Problem> {
    let mut found = Vec::new();
    if connector.name.trim().is_empty() {
        found.push(Problem::new("name", "a name is needed"));
    }
    match connector.config_object() {
        Err(reason) => found.push(Problem::new("config", reason)),
        Ok(config) => config_problems(&connector.connector_type_id, &config, &mut found),
    }
    if let Err(reason) = connector.extra_object() {
        found.push(Problem::new("extra", reason));
    }
    found
}

fn config_problems(connector_type_id: &str, config: &Map<String, Value>, found: &mut Vec<Problem>) {
    let Some(connector_type) = Catalogue::builtin().get(connector_type_id) else {
        if let AuthType::NotText(_) = auth_type_in(config) {
            found.push(Problem::new("config.authType", "must be a string"));
        }
        return;
    };
    for field in &connector_type.config {
        if let Some(reason) = field_problem(field, config.get(&field.name)) {
            found.push(Problem::new(format!("config.{}", field.name), reason));
        }
    }
    if let (AuthType::NotText(_), false) =
        (auth_type_in(config), connector_type.config.iter().any(|field| field.name == "authType"))
    {
        found.push(Problem::new("config.authType", "must be a string"));
    }
}

const NEEDED: &str = "a value is needed";

/// What is wrong with one field's value, if anything.
pub fn field_problem(field: &Field, value: Option<&Value>) -> Option<String> {
    let value = match value {
        None | Some(Value::Null) if field.required => {
            return Some(NEEDED.to_owned());
        }
        None | Some(Value::Null) => return None,
        Some(value) => value,
    };
    let wanted = |kind: &str| Some(format!("must be {kind}, not {}", kind_of(value)));
    match (field.kind, value) {
        (FieldKind::Text, Value::String(text)) if field.required && text.trim().is_empty() => Some(NEEDED.to_owned()),
        (FieldKind::Text, Value::String(_)) => None,
        (FieldKind::Url, Value::String(text)) => url_problem(text, field.required),
        (FieldKind::Text | FieldKind::Url, _) => wanted("a text"),
        (FieldKind::Number, Value::Number(_)) => None,
        (FieldKind::Number, _) => wanted("a number"),
        (FieldKind::Toggle, Value::Bool(_)) => None,
        (FieldKind::Toggle, _) => wanted("true or false"),
        (FieldKind::Choice, Value::String(text)) => choice_problem(field, text),
        (FieldKind::Choice, _) => wanted("a text"),
        (FieldKind::TextMap, Value::Object(map)) => map
            .iter()
            .find(|(_, value)| !value.is_string())
            .map(|(key, value)| format!("the value of {key:?} must be a text, not {}", kind_of(value))),
        (FieldKind::TextMap | FieldKind::Object, value) if !value.is_object() => wanted("a JSON object"),
        (FieldKind::List, value) if !value.is_array() => wanted("a JSON array"),
        (FieldKind::TextMap | FieldKind::Object | FieldKind::List, _) => None,
    }
}

fn choice_problem(field: &Field, text: &str) -> Option<String> {
    let known = field.choices.iter().flatten().any(|choice| choice == text);
    // An empty auth type reads as none everywhere; old data holds it.
    if known || (text.is_empty() && !field.required) {
        return None;
    }
    let choices: Vec<&str> = field.choices.iter().flatten().map(String::as_str).collect();
    Some(format!("must be one of {}", choices.join(", ")))
}

fn url_problem(text: &str, required: bool) -> Option<String> {
    if text.is_empty() && !required {
        return None;
    }
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace) => None,
        _ => Some("must be an address such as https://host/path".to_owned()),
    }
}

/// A hint (never an error) when the auth mode does not fit the auth type.
pub fn auth_mode_warning(mode: AuthMode, auth_type: Option<&str>) -> Option<String> {
    let inferred = Catalogue::builtin().inferred_auth_mode(auth_type);
    match (mode, inferred) {
        (AuthMode::PerUser, AuthMode::Shared) => Some(match auth_type {
            Some(auth_type) => format!("per-user needs OAuth with each user's consent; {auth_type} has no such step"),
            None => "per-user needs OAuth with each user's consent; this connector has no auth type".to_owned(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(config: &str) -> Vec<Problem> {
        problems(&Connector { name: "n".into(), config: config.into(), ..Connector::new("id", ".webhook") })
    }

    #[test]
    fn a_problem_names_its_field() {
        assert_eq!(webhook(r#"{"url":"https://x.example"}"#), []);
        for (config, field) in [
            ("{}", "config.url"),
            (r#"{"url":" "}"#, "config.url"),
            (r#"{"url":5}"#, "config.url"),
            (r#"{"url":"u","method":"shout"}"#, "config.method"),
            (r#"{"url":"u","hasAuth":"yes"}"#, "config.hasAuth"),
            (r#"{"url":"u","headers":{"a":1}}"#, "config.headers"),
            (r#"{"url":"u","authType":7}"#, "config.authType"),
            ("null", "config"),
            ("{", "config"),
        ] {
            let found = webhook(config);
            assert_eq!(found.len(), 1, "{config}: {found:?}");
            assert_eq!(found[0].field, field);
        }
    }

    #[test]
    fn per_user_warns_unless_users_consent() {
        assert!(auth_mode_warning(AuthMode::PerUser, Some("basic")).is_some());
        assert!(auth_mode_warning(AuthMode::PerUser, None).is_some());
        assert!(auth_mode_warning(AuthMode::PerUser, Some("oauth_authorization_code")).is_none());
        assert!(auth_mode_warning(AuthMode::Shared, Some("basic")).is_none());
    }
}
