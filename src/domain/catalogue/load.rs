//! The catalogue: the built-in types, and the types that a user adds with a file of the same format.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{AuthTypeInfo, ConnectorType, Field, FieldKind};
use crate::domain::auth::AuthMode;
use crate::domain::similar::closest;
use crate::domain::{Connector, SecretsState, json, validate};

/// The types that come with the program.
const BUILTIN: &str = include_str!("../../../assets/connector_types.json");

/// The licences of Kibana, the lowest first.
const LICENSES: [&str; 6] = ["basic", "standard", "gold", "platinum", "enterprise", "trial"];

/// The connector types that this program knows.
#[derive(Debug, Default)]
pub struct Catalogue {
    types: Vec<ConnectorType>,
    by_id: HashMap<String, usize>,
    auth_types: BTreeMap<String, AuthTypeInfo>,
    features: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogueFile<'a> {
    #[serde(default)]
    features: BTreeMap<String, String>,
    #[serde(default)]
    auth_types: BTreeMap<String, AuthTypeInfo>,
    #[serde(borrow)]
    connector_types: Vec<&'a RawValue>,
}

impl Catalogue {
    /// Returns the catalogue that comes with the program.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Catalogue> = LazyLock::new(Catalogue::from_built_in);
        &BUILT_IN
    }

    /// The catalogue that comes with the program (a test proves that it loads).
    pub fn from_built_in() -> Self {
        Self::default().with(BUILTIN).unwrap_or_default()
    }

    /// Adds the types of a file; a type with the id of a built-in one replaces it.
    ///
    /// # Errors
    /// Returns the line and the reason, as `line 7: …`.
    pub fn with(mut self, text: &str) -> Result<Self, String> {
        let text = &wrapped(text);
        let file: CatalogueFile<'_> = serde_json::from_str(text).map_err(|error| at_line(error.line(), &error))?;
        self.features.extend(file.features);
        for (id, info) in file.auth_types {
            if AuthMode::parse(&info.auth_mode).is_none() {
                return Err(format!("auth type {id}: the auth mode is {:?}, not shared or per-user", info.auth_mode));
            }
            self.auth_types.insert(id, info);
        }
        let mut seen = HashSet::new();
        for raw in file.connector_types {
            let line = line_of(text, raw.get());
            let mut added: ConnectorType =
                serde_json::from_str(raw.get()).map_err(|error| at_line(line + error.line() - 1, &error))?;
            if !seen.insert(added.id.clone()) {
                return Err(format!("line {line}: {} appears twice in the file", added.id));
            }
            self.complete(&mut added);
            self.check(&added).map_err(|reason| format!("line {line}: {}: {reason}", added.id))?;
            self.types.retain(|known| known.id != added.id);
            self.types.push(added);
        }
        self.types.sort_by_key(|known| (known.name.to_lowercase(), known.id.clone()));
        self.by_id = self.types.iter().enumerate().map(|(at, known)| (known.id.clone(), at)).collect();
        Ok(self)
    }

    /// Fills in the derived values.
    fn complete(&self, added: &mut ConnectorType) {
        let is_per_user =
            |id: &&String| self.auth_types.get(*id).is_some_and(|info| info.auth_mode() == AuthMode::PerUser);
        added.per_user_auth_types = added.auth_types.iter().filter(is_per_user).cloned().collect();
        for field in added.config.iter_mut().chain(&mut added.secrets) {
            if field.label.is_empty() {
                field.label.clone_from(&field.name);
            }
        }
    }

    fn check(&self, added: &ConnectorType) -> Result<(), String> {
        if added.id.is_empty() || added.id.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("the id must be a word such as .acme-pager".to_owned());
        }
        if added.name.trim().is_empty() {
            return Err("a name is needed".to_owned());
        }
        if !LICENSES.contains(&added.minimum_license.as_str()) {
            return Err(format!("{:?} is not a licence: {}", added.minimum_license, LICENSES.join(", ")));
        }
        if let Some(unknown) = added.auth_types.iter().find(|id| !self.auth_types.contains_key(*id)) {
            return Err(format!("the auth type {unknown:?} is not known; add it under \"auth_types\""));
        }
        if added.keeps_auth_type_in_secrets() && added.auth_types.is_empty() {
            return Err("its auth type is in secrets, so \"auth_types\" must name some".to_owned());
        }
        let all = || added.config.iter().chain(&added.secrets);
        let unique: HashSet<&str> = added.config.iter().map(|field| field.name.as_str()).collect();
        if unique.len() != added.config.len() {
            return Err("a config field appears twice".to_owned());
        }
        all().try_for_each(|field| check_field(added, field).map_err(|reason| format!("{}: {reason}", field.name)))
    }

    /// One type by its id.
    pub fn get(&self, id: &str) -> Option<&ConnectorType> {
        self.by_id.get(id).and_then(|&at| self.types.get(at))
    }

    /// Returns the message about an unknown type, with the most similar one.
    pub fn unknown_type(&self, id: &str) -> String {
        let known = self.types.iter().map(|known| known.id.as_str());
        let dotted = format!(".{}", id.trim_start_matches('.'));
        match closest(&dotted, known) {
            Some(known) => format!("connector type {id:?} is not known; did you mean {known}?"),
            None => format!("connector type {id:?} is not known; `connector-admin types` lists all, --types adds one"),
        }
    }

    /// All types, by name.
    pub fn types(&self) -> &[ConnectorType] {
        &self.types
    }

    /// One auth type by its id.
    pub fn auth_type(&self, id: &str) -> Option<&AuthTypeInfo> {
        self.auth_types.get(id)
    }

    /// Returns the display name of a feature, or its id.
    pub fn feature<'a>(&'a self, id: &'a str) -> &'a str {
        self.features.get(id).map_or(id, String::as_str)
    }

    /// The mode Kibana infers for a new connector: that of its auth type, else shared.
    pub fn inferred_auth_mode(&self, auth_type: Option<&str>) -> AuthMode {
        auth_type.and_then(|id| self.auth_type(id)).map_or(AuthMode::Shared, AuthTypeInfo::auth_mode)
    }

    /// Kibana's `is_deprecated`: the type itself, or ServiceNow through the Table API.
    pub fn is_deprecated(&self, connector_type_id: &str, uses_table_api: bool) -> bool {
        Self::is_deprecated_use(connector_type_id, uses_table_api)
            || self.get(connector_type_id).is_some_and(|connector_type| connector_type.is_deprecated)
    }

    /// Returns whether a type that is not deprecated is used in a deprecated way: ServiceNow through the Table API.
    pub fn is_deprecated_use(connector_type_id: &str, uses_table_api: bool) -> bool {
        uses_table_api && matches!(connector_type_id, ".servicenow" | ".servicenow-sir")
    }

    /// Returns whether a record lacks secrets that it needs: a required, visible secret is not set, or the type refuses
    /// empty secrets. For an unknown type, only lost secrets are known.
    pub fn misses_secrets(&self, connector: &Connector, state: &SecretsState) -> bool {
        let has_some =
            matches!(state, SecretsState::Set { keys, auth_type } if !keys.is_empty() || auth_type.is_some());
        let Some(known) = self.get(&connector.connector_type_id) else {
            return !has_some && (connector.is_missing_secrets || connector.secrets.is_some());
        };
        !self.missed_secrets(connector, state).is_empty() || (!has_some && known.needs_secrets())
    }

    /// Returns the labels of the visible, required secrets that are not set.
    pub fn missed_secrets(&self, connector: &Connector, state: &SecretsState) -> Vec<&str> {
        let Some(known) = self.get(&connector.connector_type_id) else { return Vec::new() };
        let config = connector.config_object().unwrap_or_default();
        let value_of = |key: &str| match state.auth_type() {
            Some(id) if key == "authType" && known.keeps_auth_type_in_secrets() => Value::from(id),
            _ => config.get(key).cloned().unwrap_or(Value::Null),
        };
        let is_missed = |field: &&Field| field.is_required() && field.applies(value_of) && !state.has(&field.name);
        known.secrets.iter().filter(is_missed).map(|field| field.label.as_str()).collect()
    }

    /// Describes the state of a record's secrets, with the missing ones.
    pub fn describe_secrets(&self, connector: &Connector, state: &SecretsState) -> String {
        let text = state.describe();
        match (state, self.missed_secrets(connector, state)) {
            (SecretsState::Set { .. }, missed) if !missed.is_empty() => {
                format!("{text}; missing: {}", missed.join(", "))
            }
            _ => text,
        }
    }

    /// Returns `isMissingSecrets` after secrets were stripped, by the rule of Kibana's export: true when the type
    /// refuses empty secrets, else the value of `config.hasAuth`. Kibana cannot export a type that it does not know;
    /// such a connector is missing the secrets that it had.
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

fn check_field(added: &ConnectorType, field: &Field) -> Result<(), String> {
    if field.name.is_empty() {
        return Err("a field needs a name".to_owned());
    }
    if field.kind == FieldKind::Choice && field.choices.iter().flatten().next().is_none() {
        return Err("a field of type \"enum\" needs its values under \"enum\"".to_owned());
    }
    if let Some(reason) = field.default.as_ref().and_then(|value| validate::field_problem(field, Some(value))) {
        return Err(format!("its default does not fit: {reason}"));
    }
    let is_known = |key: &str| {
        added.config.iter().any(|other| other.name == key) || (key == "authType" && added.keeps_auth_type_in_secrets())
    };
    match field.controls().find(|key| !is_known(key)) {
        Some(key) => Err(format!("it depends on {key}, which is not a config field")),
        None => Ok(()),
    }
}

fn at_line(line: usize, error: &serde_json::Error) -> String {
    let text = error.to_string();
    // The line within the entry is less useful than the line within the file.
    let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    format!("line {line}: {reason}")
}

/// The line on which a part of a text begins.
fn line_of(text: &str, part: &str) -> usize {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    text.as_bytes().iter().take(start).filter(|byte| **byte == b'\n').count() + 1
}

/// The text as the object of a types file: one type, or an array of types, is put into it, on its own lines.
fn wrapped(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.trim_start().chars().next() {
        Some('[') => format!("{{\"connector_types\":{text}}}").into(),
        Some('{') if json::count_of_key(text, "id") > 0 => format!("{{\"connector_types\":[{text}]}}").into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builtin_catalogue_loads_completely() {
        let catalogue = Catalogue::default().with(BUILTIN).expect("loads");
        assert_eq!(catalogue.types().len(), 99);
        for known in catalogue.types() {
            assert!(known.id.starts_with('.') && !known.description.is_empty(), "{}", known.id);
            assert!(["stack", "spec"].contains(&known.framework.as_str()), "{}", known.id);
            assert!(!known.supported_feature_ids.is_empty() || known.is_system, "{}", known.id);
            for feature in &known.supported_feature_ids {
                assert!(catalogue.features.contains_key(feature), "{feature} of {}", known.id);
            }
            let auth_type = known.config.iter().find(|field| field.name == "authType");
            assert_eq!(
                auth_type.is_some(),
                known.auth_location == Some(super::super::AuthLocation::Config),
                "{}",
                known.id
            );
            for choice in auth_type.iter().flat_map(|field| field.choices.iter().flatten()) {
                assert!(known.auth_types.contains(choice), "{choice} of {}", known.id);
            }
        }
        assert_eq!(catalogue.get(".slack2").expect("a type").per_user_auth_types, ["oauth_authorization_code", "ears"]);
    }

    #[test]
    fn visible_fields_have_distinct_names() {
        for known in Catalogue::from_built_in().types() {
            for auth_type in known.auth_types.iter().map(|id| Value::from(id.as_str())).chain([Value::Null]) {
                let value_of = |key: &str| match key {
                    "authType" => auth_type.clone(),
                    "hasAuth" => Value::Bool(true),
                    _ => Value::Null,
                };
                let mut seen = HashSet::new();
                for field in known.secrets.iter().filter(|field| field.applies(value_of)) {
                    assert!(seen.insert(&field.name), "{} of {} with {auth_type}", field.name, known.id);
                }
            }
        }
    }

    #[test]
    fn user_types_are_added_or_refused_with_the_line() {
        let added = r#"{
 "auth_types": {"badge": {"label": "Badge", "auth_mode": "per-user"}},
 "connector_types": [
  {"id": ".acme", "name": "Acme", "auth_types": ["badge"], "auth_location": "secrets",
   "config": [{"name": "url", "type": "url", "required": true}],
   "secrets": [{"name": "pin", "type": "string", "required": true, "when": {"authType": ["badge"]}}]}]}"#;
        let catalogue = Catalogue::from_built_in().with(added).expect("added");
        let acme = catalogue.get(".acme").expect("there");
        assert_eq!((acme.config[0].label.as_str(), acme.framework.as_str()), ("url", "custom"));
        assert!(acme.needs_secrets() && acme.per_user_auth_types == ["badge"]);
        assert_eq!(catalogue.inferred_auth_mode(Some("badge")), AuthMode::PerUser);
        for (from, to, reason) in [
            (r#""id": ".acme""#, r#""id": "a b""#, "line 4: a b: the id must be a word"),
            (r#""url", "type": "url""#, r#""url", "type": "uri""#, "line 5: unknown variant `uri`"),
            (r#"["badge"], "auth"#, r#"["bagde"], "auth"#, "line 4: .acme: the auth type \"bagde\" is not known"),
            (r#""config": [{"#, r#""confg": [{"#, "line 5: unknown field `confg`"),
            (r#"{"authType""#, r#"{"auth""#, "line 4: .acme: pin: it depends on auth"),
            (r#""required": true}],"#, r#""default": 7}],"#, "line 4: .acme: url: its default does not fit"),
            (r#""per-user"}"#, r#""personal"}"#, "auth type badge: the auth mode is \"personal\""),
            (r#""name": "Acme","#, r#""name": "Acme""#, "line 4: expected"),
        ] {
            let broken = added.replace(from, to);
            assert_ne!(broken, added, "{from}");
            let error = Catalogue::from_built_in().with(&broken).expect_err(reason);
            assert!(error.starts_with(reason), "{error}");
        }
        let twice = added.replace("[\n  {\"id\"", "[\n  {\"id\": \".acme\", \"name\": \"A\"},\n  {\"id\"");
        assert_eq!(
            Catalogue::from_built_in().with(&twice).expect_err("twice"),
            "line 5: .acme appears twice in the file"
        );
        assert!(Catalogue::from_built_in().with("null").is_err_and(|reason| reason.starts_with("line 1: ")));
        // The output of `types --json` and `types ID --json` is accepted too, with its own line numbers.
        let one = "\u{feff}{\n \"id\": \".acme\",\n \"name\": \"A\"}";
        for text in [one.to_owned(), format!("[{}]", one.trim_start_matches('\u{feff}'))] {
            assert!(
                Catalogue::from_built_in().with(&text).is_ok_and(|catalogue| catalogue.get(".acme").is_some()),
                "{text}"
            );
            let broken = text.replace("\"A\"", "7");
            assert!(Catalogue::from_built_in().with(&broken).is_err_and(|reason| reason.starts_with("line 3: ")));
        }
    }

    #[test]
    fn per_user_is_inferred_for_oauth_code_and_ears() {
        let catalogue = Catalogue::from_built_in();
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
