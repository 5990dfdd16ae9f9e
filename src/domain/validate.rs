//! Is a connector right? Rules of the saved object, of Kibana's API and of the connector type.

use serde_json::{Map, Value};

use super::auth::{AuthMode, AuthType};
use super::catalogue::{Catalogue, ConnectorType, Field, FieldKind};
use super::connector::{Connector, auth_type_of, kind_of};

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `name`, `config`, or `config.<key>`.
    pub field: String,
    /// The problem and the valid values.
    pub reason: String,
}

impl Problem {
    /// A problem of one field.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

/// Everything that is wrong with a record; empty when it is right.
pub fn problems(connector: &Connector, catalogue: &Catalogue) -> Vec<Problem> {
    let not_utf8 = "is not UTF-8 in the file, and is shown with U+FFFD in its place; enter it again";
    let mut found: Vec<Problem> =
        connector.not_utf8().into_iter().map(|column| Problem::new(column, not_utf8)).collect();
    if connector.name.trim().is_empty() {
        found.push(Problem::new("name", "a name is needed"));
    }
    match connector.config_object() {
        Err(reason) => found.push(Problem::new("config", reason)),
        Ok(config) => config_problems(&connector.connector_type_id, &config, &mut found, catalogue),
    }
    if let Err(reason) = connector.extra_object() {
        found.push(Problem::new("extra", reason));
    }
    found
}

/// Returns notes about values that Kibana may refuse or the user may not have meant. They never prevent a save.
pub fn notes(connector: &Connector, catalogue: &Catalogue) -> Vec<Problem> {
    let (Some(known), Ok(config)) = (catalogue.get(&connector.connector_type_id), connector.config_object()) else {
        return Vec::new();
    };
    let of_value = |(key, value): (&String, &Value)| {
        let reason = match known.config.iter().find(|field| field.name == *key) {
            Some(field) => text_note(field.kind, value.as_str()?)?,
            None if is_unknown(known, key) => UNKNOWN_KEY.to_owned(),
            None => return None,
        };
        Some(Problem::new(format!("config.{key}"), reason))
    };
    config.iter().filter_map(of_value).collect()
}

/// The note about a config key that the catalogue does not know.
const UNKNOWN_KEY: &str = "is not a config key of this connector type; Kibana refuses unknown keys";

/// Returns whether Kibana would refuse this config key. Kibana itself copies the auth type of spec types into the
/// config.
fn is_unknown(known: &ConnectorType, key: &str) -> bool {
    let is_auth_type = key == "authType" && known.keeps_auth_type_in_secrets();
    !known.has_more_fields && !is_auth_type && known.config.iter().all(|field| field.name != key)
}

/// Returns a note about an unusual text that Kibana accepts; the note never repeats the text.
pub fn text_note(kind: FieldKind, text: &str) -> Option<String> {
    let note = match kind {
        _ if text.is_empty() => return None,
        _ if text.trim().is_empty() => "is blank; Kibana's API refuses blank values: leave it out".to_owned(),
        FieldKind::Address if !is_url(text) => "is not an address such as https://host/path".to_owned(),
        FieldKind::Email if !is_email(text) => "is not an e-mail address such as name@host.example".to_owned(),
        FieldKind::JsonText => match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => return None,
            Err(error) => format!("is not JSON (line {}, column {})", error.line(), error.column()),
        },
        _ => return None,
    };
    Some(note)
}

fn config_problems(
    connector_type_id: &str,
    config: &Map<String, Value>,
    found: &mut Vec<Problem>,
    catalogue: &Catalogue,
) {
    let Some(connector_type) = catalogue.get(connector_type_id) else {
        if let AuthType::NotText(_) = auth_type_of(config.get("authType")) {
            found.push(Problem::new("config.authType", "must be a string"));
        }
        return;
    };
    let value_of = |key: &str| config.get(key).cloned().unwrap_or(Value::Null);
    for field in &connector_type.config {
        let required = field.is_required() && field.applies(value_of);
        if let Some(reason) = problem_of(field, required, config.get(&field.name)) {
            found.push(Problem::new(format!("config.{}", field.name), reason));
        }
    }
    if let (AuthType::NotText(_), false) =
        (auth_type_of(config.get("authType")), connector_type.config.iter().any(|field| field.name == "authType"))
    {
        found.push(Problem::new("config.authType", "must be a string"));
    }
}

const NEEDED: &str = "a value is needed";

/// Returns the problem with the value of a field.
pub fn field_problem(field: &Field, value: Option<&Value>) -> Option<String> {
    problem_of(field, field.is_required(), value)
}

fn problem_of(field: &Field, required: bool, value: Option<&Value>) -> Option<String> {
    let value = match value {
        None | Some(Value::Null) => return required.then(|| NEEDED.to_owned()),
        Some(value) => value,
    };
    let wanted = |kind: &str| Some(format!("must be {kind}, not {}", kind_of(value)));
    match (field.kind, value) {
        (kind, Value::String(text)) if kind.is_text() => text_problem(field.kind, required, text),
        (kind, _) if kind.is_text() => wanted("a text"),
        (FieldKind::Number, Value::Number(number)) => number_problem(field, number.as_f64()),
        (FieldKind::Number, Value::String(text)) if field.coerced => match text.trim().parse::<f64>() {
            Ok(number) => number_problem(field, Some(number)),
            Err(_) => wanted("a number"),
        },
        (FieldKind::Number, _) => wanted("a number"),
        (FieldKind::Toggle, Value::Bool(_)) => None,
        (FieldKind::Toggle, _) => wanted("true or false"),
        (FieldKind::Choice, Value::String(text)) => choice_problem(field, text),
        (FieldKind::Choice, _) => wanted("a text"),
        (FieldKind::TextMap, Value::Object(map)) => map
            .iter()
            .find(|(_, value)| !value.is_string())
            .map(|(key, value)| format!("the value of {key:?} must be a string, not {}", kind_of(value))),
        (FieldKind::TextMap | FieldKind::Object, value) if !value.is_object() => wanted("a JSON object"),
        (FieldKind::List, value) if !value.is_array() => wanted("a JSON array"),
        _ => None,
    }
}

/// Returns the problem with a text; the message never repeats the text.
pub fn text_problem(kind: FieldKind, required: bool, text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return required.then(|| NEEDED.to_owned());
    }
    (kind == FieldKind::Url && !is_url(text)).then(|| "must be an address such as https://host/path".to_owned())
}

fn number_problem(field: &Field, number: Option<f64>) -> Option<String> {
    let number = number?;
    match (field.minimum, field.maximum) {
        (Some(least), _) if number < least => Some(format!("must be at least {least}")),
        (_, Some(greatest)) if number > greatest => Some(format!("must be at most {greatest}")),
        _ => None,
    }
}

fn choice_problem(field: &Field, text: &str) -> Option<String> {
    let known = field.choices.iter().flatten().any(|choice| choice == text);
    // An empty auth type reads as none everywhere; old data holds it.
    if known || (text.is_empty() && !field.is_required()) {
        return None;
    }
    let choices: Vec<&str> = field.choices.iter().flatten().map(String::as_str).collect();
    Some(format!("must be one of {}", choices.join(", ")))
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.starts_with(['/', '?', '#']) && !rest.contains(char::is_whitespace)
    })
}

/// `name@host`, or `Any name <name@host>` as mail programs write it.
fn is_email(text: &str) -> bool {
    let address = match text.trim().strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((_, address)) => address,
        None => text.trim(),
    };
    let is_unusual = |c: char| c.is_whitespace() || c.is_control() || "<>@,;".contains(c);
    address.rsplit_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !name.contains(is_unusual) && !host.contains(is_unusual)
    })
}

/// A hint (never an error) when the auth mode does not fit the auth type.
pub fn auth_mode_warning(mode: AuthMode, auth_type: Option<&str>, catalogue: &Catalogue) -> Option<String> {
    let inferred = catalogue.inferred_auth_mode(auth_type);
    match (mode, inferred, auth_type) {
        (AuthMode::PerUser, AuthMode::Shared, Some(auth_type)) => {
            Some(format!("per-user needs OAuth with each user's consent; {auth_type} has no such step"))
        }
        (AuthMode::PerUser, AuthMode::Shared, None) => {
            Some("per-user needs OAuth with each user's consent; this connector has no auth type".to_owned())
        }
        (AuthMode::Shared, AuthMode::PerUser, Some(auth_type)) => {
            Some(format!("Kibana makes new connectors with {auth_type} per-user: each user consents for an account"))
        }
        _ => None,
    }
}

/// A hint when another auth type is chosen: Kibana's update keeps the mode, so it refuses a type of the
/// other mode, and any change of a per-user connector's.
pub fn auth_type_change_warning(
    mode: AuthMode,
    before: Option<&str>,
    after: Option<&str>,
    catalogue: &Catalogue,
) -> Option<String> {
    if before == after {
        return None;
    }
    match (mode, catalogue.inferred_auth_mode(after)) {
        (AuthMode::PerUser, _) if before.is_some() => {
            Some("Kibana itself refuses to change the auth type of a per-user connector".to_owned())
        }
        (AuthMode::Shared, AuthMode::PerUser) => {
            Some("Kibana itself refuses to give a shared connector a per-user auth type".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(config: &str) -> Vec<Problem> {
        problems(
            &Connector { name: "n".into(), config: config.into(), ..Connector::new("id", ".webhook") },
            Catalogue::built_in(),
        )
    }

    #[test]
    fn problem_names_its_field() {
        assert_eq!(webhook(r#"{"url":"https://x.example"}"#), []);
        for (config, field) in [
            ("{}", "config.url"),
            (r#"{"url":" "}"#, "config.url"),
            (r#"{"url":5}"#, "config.url"),
            (r#"{"url":"https://u","method":"shout"}"#, "config.method"),
            (r#"{"url":"https://u","hasAuth":"yes"}"#, "config.hasAuth"),
            (r#"{"url":"https://u","headers":{"a":1}}"#, "config.headers"),
            (r#"{"url":"https://u","authType":7}"#, "config.authType"),
            ("null", "config"),
            ("{", "config"),
        ] {
            let found = webhook(config);
            assert_eq!(found.len(), 1, "{config}: {found:?}");
            assert_eq!(found[0].field, field);
        }
    }

    #[test]
    fn per_user_without_consent_is_a_warning() {
        assert!(auth_mode_warning(AuthMode::PerUser, Some("basic"), Catalogue::built_in()).is_some());
        assert!(auth_mode_warning(AuthMode::PerUser, None, Catalogue::built_in()).is_some());
        assert!(
            auth_mode_warning(AuthMode::PerUser, Some("oauth_authorization_code"), Catalogue::built_in()).is_none()
        );
        assert!(auth_mode_warning(AuthMode::Shared, Some("basic"), Catalogue::built_in()).is_none());
        assert!(auth_mode_warning(AuthMode::Shared, Some("ears"), Catalogue::built_in()).is_some());
    }

    #[test]
    fn refused_auth_type_change_is_a_warning() {
        use AuthMode::{PerUser, Shared};
        for (mode, before, after, remarked) in [
            (Shared, Some("basic"), Some("bearer"), false),
            (Shared, Some("basic"), Some("ears"), true),
            (Shared, None, Some("oauth_authorization_code"), true),
            (PerUser, Some("ears"), Some("oauth_authorization_code"), true),
            (PerUser, Some("ears"), Some("ears"), false),
            (PerUser, None, Some("ears"), false),
        ] {
            let warning = auth_type_change_warning(mode, before, after, Catalogue::built_in());
            assert_eq!(warning.is_some(), remarked, "{mode} {before:?} {after:?}: {warning:?}");
        }
    }

    #[test]
    fn plain_text_that_kibana_accepts_is_only_a_note() {
        let noted = |type_id: &str, config: &str| {
            let connector = Connector { name: "n".into(), config: config.into(), ..Connector::new("id", type_id) };
            assert_eq!(problems(&connector, Catalogue::built_in()), [], "{config}");
            notes(&connector, Catalogue::built_in()).into_iter().map(|note| note.field).collect::<Vec<_>>()
        };
        assert_eq!(noted(".webhook", r#"{"url":"hook.example"}"#), ["config.url"]);
        assert_eq!(
            noted(".webhook", r#"{"url":"https://hook.example","additionalFields":"{"}"#),
            ["config.additionalFields"]
        );
        assert_eq!(noted(".webhook", r#"{"url":"https://hook.example","colour":"red"}"#), ["config.colour"]);
        assert_eq!(noted(".email", r#"{"service":"gmail","from":"a b.example"}"#), ["config.from"]);
        assert_eq!(noted(".pagerduty", r#"{"apiUrl":""}"#), [""; 0]);
        assert_eq!(noted(".pagerduty", r#"{"apiUrl":" "}"#), ["config.apiUrl"]);
        // Kibana itself copies the auth type of a spec type into the config; for a type with unlisted fields nothing is
        // known.
        assert_eq!(noted(".notion", r#"{"authType":"bearer"}"#), [""; 0]);
        assert_eq!(noted(".grafana", r#"{"baseUrl":"https://grafana.example","more":1}"#), [""; 0]);
        assert_eq!(noted(".nowhere", r#"{"more":1}"#), [""; 0]);
    }

    #[test]
    fn hidden_field_is_not_required() {
        let email = |config: &str| {
            let connector = Connector { name: "n".into(), config: config.into(), ..Connector::new("id", ".email") };
            problems(&connector, Catalogue::built_in()).into_iter().map(|problem| problem.field).collect::<Vec<_>>()
        };
        assert_eq!(email(r#"{"service":"other","from":"a@b.example"}"#), ["config.host", "config.port"]);
        assert_eq!(email(r#"{"service":"gmail","from":"A B <a@b.example>"}"#), [""; 0]);
        assert_eq!(email(r#"{"from":"a@b","host":"h","port":70000}"#), ["config.port"]);
        assert_eq!(email(r#"{"from":"a@b","host":"h","port":"70000"}"#), ["config.port"]);
        assert_eq!(email(r#"{"from":"a@b","host":"h","port":"465"}"#), [""; 0], "Kibana converts it");
        assert_eq!(email(r#"{"service":"exchange_server","from":"a@b"}"#), ["config.tenantId", "config.clientId"]);
    }
}
