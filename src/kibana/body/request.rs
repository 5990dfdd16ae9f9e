//! The request bodies of Kibana's connector API (`POST` and `PUT /api/actions/connector/{id}`) as connectors.
//!
//! As in Kibana, a body is complete: a missing config is an empty one, and unknown keys are refused. In contrast to
//! Kibana, the answer of a `GET` is accepted too, as long as no fixed value differs; `auth_mode` is accepted; and
//! missing secrets are kept, because they cannot be read in order to send them again.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::ApiError;
use crate::domain::json::{self, RawObject};
use crate::domain::secrets::{OpenSecrets, Secret};
use crate::domain::validate::{self, auth_type_change_warning, text_problem};
use crate::domain::{AuthMode, AuthType, Catalogue, Connector, SecretEdits, SecretsState};

/// Computed values of answers; they are ignored.
const COMPUTED: [&str; 7] = [
    "is_missing_secrets",
    "is_preconfigured",
    "is_system_action",
    "is_deprecated",
    "is_connector_type_deprecated",
    "referenced_by_count",
    "user_auth_status",
];

/// A parsed request body.
pub struct Body {
    id: Option<String>,
    connector_type_id: Option<String>,
    name: String,
    config: String,
    secrets: Option<Zeroizing<String>>,
    auth_mode: Option<AuthMode>,
}

impl Body {
    /// Parses a body.
    ///
    /// # Errors
    /// 400 if it is not a JSON object, a key is unknown, or a value is invalid.
    pub fn read(text: &str) -> Result<Self, ApiError> {
        let text = text.trim_start_matches('\u{feff}');
        let mut object = RawObject::parse(text)
            .map_err(|error| ApiError::bad(format!("[request body]: is not a JSON object: {error}")))?;
        let name = string(&mut object, "name")?.ok_or_else(|| ApiError::bad("[request body.name]: is missing"))?;
        if name.trim().is_empty() {
            return Err(ApiError::bad("[request body.name]: a name is needed"));
        }
        let auth_mode = string(&mut object, "auth_mode")?.map(|text| mode(&text)).transpose()?;
        let config = object.take("config").map_or("{}".to_owned(), |config| config.get().to_owned());
        if json::depth(&config) > json::DEEPEST {
            return Err(ApiError::bad(format!(
                "[request body.config]: is nested deeper than {} levels",
                json::DEEPEST
            )));
        }
        let body = Self {
            id: string(&mut object, "id")?,
            connector_type_id: string(&mut object, "connector_type_id")?,
            name,
            config: compact(&config)?,
            secrets: object.take("secrets").map(|secrets| Zeroizing::new(secrets.get().to_owned())),
            auth_mode,
        };
        match object.0.iter().find(|(key, _)| !COMPUTED.contains(&key.as_str())) {
            Some((key, _)) => Err(ApiError::bad(format!("[request body.{key}]: is not a key of a connector"))),
            None => Ok(body),
        }
    }

    /// Sets the id, whatever the body contains.
    #[must_use]
    pub fn with_id(self, id: Option<String>) -> Self {
        Self { id: id.or(self.id), ..self }
    }

    /// Returns the connector to create, with the secrets to encrypt. Without an id in the body it gets `new_id`;
    /// without an auth mode it gets the one that Kibana infers from the auth type.
    ///
    /// # Errors
    /// 400 for an unknown connector type, or a config or secrets that do not fit it.
    pub fn create(self, new_id: &str, catalogue: &Catalogue) -> Result<(Connector, SecretEdits), ApiError> {
        let type_id = self.connector_type_id.clone().unwrap_or_default();
        if type_id.trim().is_empty() {
            return Err(ApiError::bad("[request body.connector_type_id]: is missing"));
        }
        if catalogue.get(&type_id).is_none() {
            return Err(ApiError::bad(catalogue.unknown_type(&type_id)));
        }
        let id = self.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| new_id.to_owned());
        if id.trim().is_empty() {
            return Err(ApiError::bad("[request params.id]: is blank"));
        }
        let mut connector = Connector::new(&id, &type_id);
        let (config, secrets, auth_type) = self.parts(&type_id, &connector.config, catalogue)?;
        connector.name = self.name;
        connector.config = config;
        connector.auth_mode =
            Some(self.auth_mode.unwrap_or_else(|| catalogue.inferred_auth_mode(auth_type.as_deref())));
        check(&connector, None, catalogue)?;
        connector.is_missing_secrets = catalogue.misses_secrets(&connector, &SecretsState::None);
        Ok((connector, secrets))
    }

    /// Returns the updated connector, with the secrets to encrypt, if the body has any.
    ///
    /// # Errors
    /// 400 if a fixed value differs, or a config or secrets do not fit the type.
    pub fn update(self, current: &Connector, catalogue: &Catalogue) -> Result<(Connector, SecretEdits), ApiError> {
        if current.is_newer_than_known() {
            return Err(ApiError::bad(format!(
                "connector {} belongs to model version {}, which is newer than this program knows",
                current.id, current.model_version
            )));
        }
        let fixed =
            [("id", &self.id, &current.id), ("connector_type_id", &self.connector_type_id, &current.connector_type_id)];
        for (key, given, kept) in fixed {
            if given.as_ref().is_some_and(|given| given != kept) {
                return Err(ApiError::bad(format!("[request body.{key}]: cannot be changed; it is {kept:?}")));
            }
        }
        let (config, secrets, auth_type) = self.parts(&current.connector_type_id, &current.config, catalogue)?;
        let mode = current.effective_auth_mode();
        let before = current.auth_type();
        if self.auth_mode.is_none_or(|given| given == mode)
            && let Some(reason) = auth_type_change_warning(mode, before.name(), auth_type.as_deref(), catalogue)
        {
            return Err(ApiError::bad(format!("{reason}; give the other auth_mode too. Connector: {}", current.id)));
        }
        // A missing value is kept: an edit does not give a mode to a record without one.
        let auth_mode = match self.auth_mode {
            Some(given) if given != mode => Some(given),
            _ => current.auth_mode,
        };
        let connector = Connector { name: self.name, config, auth_mode, ..current.clone() };
        check(&connector, Some(current), catalogue)?;
        Ok((connector, secrets))
    }

    /// Returns whether the body has secrets, which replace the stored ones.
    pub fn has_secrets(&self) -> bool {
        self.secrets.is_some()
    }

    /// Returns the config (as stored, if it is equal), the secrets, and their auth type.
    fn parts(
        &self,
        type_id: &str,
        stored: &str,
        catalogue: &Catalogue,
    ) -> Result<(String, SecretEdits, Option<String>), ApiError> {
        let mut config = self.config.clone();
        if is_same(&config, stored) {
            config = stored.to_owned();
        } else {
            refuse_repeated_keys(&config)?;
        }
        let mut secrets = SecretEdits::default();
        let mut auth_type = auth_type_of(&config);
        if let Some(text) = &self.secrets {
            let (whole, named) = secrets_of(type_id, text, catalogue)?;
            // Kibana copies the auth type among the secrets to the config.
            if let Some(named) = named {
                let mut object = RawObject::parse(&config).map_err(|error| ApiError::config(&error.to_string()))?;
                object.set("authType", json::raw_string(&named));
                config = object.to_text();
                auth_type = Some(named);
            }
            secrets.whole = Some(whole);
        }
        Ok((config, secrets, auth_type))
    }
}

fn mode(text: &str) -> Result<AuthMode, ApiError> {
    AuthMode::parse(text).ok_or_else(|| {
        ApiError::bad(format!("[request body.auth_mode]: must be \"shared\" or \"per-user\", not {text:?}"))
    })
}

fn string(object: &mut RawObject, key: &str) -> Result<Option<String>, ApiError> {
    let Some(value) = object.take(key) else { return Ok(None) };
    serde_json::from_str(value.get())
        .map(Some)
        .map_err(|_| ApiError::bad(format!("[request body.{key}]: must be a string")))
}

/// JSON as it is stored: without blanks, all else as given.
fn compact(config: &str) -> Result<String, ApiError> {
    let wrong = |error: serde_json::Error| ApiError::config(&error.to_string());
    if !config.starts_with('{') {
        return Err(ApiError::config("must be an object"));
    }
    json::sorted(config).map_err(wrong)?;
    json::compact(config).map_err(wrong)
}

/// The same config, however it is written.
fn is_same(one: &str, other: &str) -> bool {
    matches!((json::sorted(one), json::sorted(other)), (Ok(one), Ok(other)) if one == other)
}

/// Of a duplicate key Kibana reads the last value and SQLite the first.
fn refuse_repeated_keys(config: &str) -> Result<(), ApiError> {
    if json::canonical(config).is_none() && !json::has_lone_surrogate(config) {
        return Err(ApiError::config("names a key twice"));
    }
    Ok(())
}

fn auth_type_of(config: &str) -> Option<String> {
    let config = json::parse_lossy(config).ok()?;
    config.get("authType")?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Parses the secrets object and its auth type; errors never contain its values.
fn secrets_of(
    type_id: &str,
    text: &Zeroizing<String>,
    catalogue: &Catalogue,
) -> Result<(Secret, Option<String>), ApiError> {
    if json::has_repeated_key(text) {
        return Err(ApiError::bad("[request body.secrets]: names a key twice"));
    }
    let values: BTreeMap<String, &RawValue> =
        serde_json::from_str(text).map_err(|_| ApiError::bad("[request body.secrets]: must be an object"))?;
    if let Some(known) = catalogue.get(type_id) {
        for (key, value) in &values {
            let is_auth_type = key == "authType" && known.keeps_auth_type_in_secrets();
            let field = known.secrets.iter().find(|field| field.name == *key);
            let problem = match field {
                None if is_auth_type => None,
                None => Some("is not a secret of this connector type".to_owned()),
                Some(field) => match serde_json::from_str::<Option<String>>(value.get()) {
                    Ok(text) => text.map(Zeroizing::new).and_then(|text| text_problem(field.kind, true, &text)),
                    Err(_) if field.kind.is_text() => Some("must be a string".to_owned()),
                    Err(_) => None,
                },
            };
            if let Some(problem) = problem {
                return Err(ApiError::bad(format!("error validating connector type secrets: [{key}]: {problem}")));
            }
        }
    }
    let kept = values.iter().filter(|(_, value)| value.get() != "null");
    let mut object = RawObject::default();
    for (key, value) in kept {
        object.set(key, (*value).to_owned());
    }
    let text = Zeroizing::new(object.to_text());
    wipe(object);
    let secrets = OpenSecrets::read(Secret::json(text))
        .map_err(|_| ApiError::bad("[request body.secrets]: must be an object"))?;
    let auth_type = match secrets.state() {
        SecretsState::Set { auth_type, .. } => auth_type,
        _ => None,
    };
    Ok((Secret::json(Zeroizing::new(secrets.secret().expose().to_owned())), auth_type))
}

/// The values that were copied on the way.
fn wipe(object: RawObject) {
    for (_, value) in object.0 {
        drop(Zeroizing::new(String::from(Box::<str>::from(value))));
    }
}

/// Applies the rules of the type, as the form does. A problem that existed before the update does not refuse it.
fn check(connector: &Connector, current: Option<&Connector>, catalogue: &Catalogue) -> Result<(), ApiError> {
    let before = current.map(|current| validate::problems(current, catalogue)).unwrap_or_default();
    if let Some(problem) =
        validate::problems(connector, catalogue).into_iter().find(|problem| !before.contains(problem))
    {
        return Err(match problem.field.strip_prefix("config") {
            Some(key) => ApiError::config(&format!("{}: {}", key_of(key), problem.reason)),
            None => ApiError::bad(format!("[request body.{}]: {}", problem.field, problem.reason)),
        });
    }
    if let AuthType::NotText(_) = connector.auth_type() {
        return Err(ApiError::config("[authType]: must be a string"));
    }
    Ok(())
}

fn key_of(key: &str) -> String {
    key.strip_prefix('.').map_or_else(|| "[config]".to_owned(), |key| format!("[{key}]"))
}
