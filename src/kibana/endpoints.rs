//! The endpoints of Kibana's connector API, and of its saved objects where only those carry something.
//!
//! Endpoints, fields and codes: Kibana's published API, as of 8.x to 9.4.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::client::{Answer, Body, Client, Method};
use super::redaction::is_echoed;
use super::server::{LONGEST_VERSION, Server, WITH_MODES, WITHOUT_MODES};
use super::{Credential, KibanaError};
use crate::domain::json as text_of;
use crate::domain::remote::{RemoteConnector, Snapshot};
use crate::domain::secrets::OpenSecrets;
use crate::domain::{AuthMode, Connector, Remote, has_no_address};

/// The characters of an id that need no escape in a URL.
const IN_ADDRESS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Connectors of one answer; Kibana itself gives ten thousand at most.
const MOST_CONNECTORS: usize = 50_000;

/// Connector types of one answer; Kibana itself has less than two hundred.
const MOST_TYPES: usize = 2_000;

/// Bytes of an id, or of a type.
const LONGEST_ID: usize = 1 << 10;

/// Bytes of a name.
const LONGEST_NAME: usize = 32 << 10;

/// The longest config in bytes; Kibana accepts requests of 1 MiB unless configured otherwise.
const LONGEST_CONFIG: usize = 4 << 20;

/// The contents of a space.
#[derive(Debug)]
pub struct Space {
    /// The connectors.
    pub connectors: Vec<RemoteConnector>,
    /// The server reports auth modes.
    pub knows_modes: bool,
    /// The server's version or a substitute; `None` if nothing shows it.
    pub version: Option<String>,
}

/// The result of a test run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionResult {
    /// The run succeeded.
    pub is_ok: bool,
    /// Kibana's message.
    pub message: String,
    /// The answer as JSON text.
    pub answer: String,
}

/// The result of a saved-object import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Another id that the connector was given.
    pub destination: Option<String>,
}

/// One space of one Kibana.
pub struct Kibana {
    client: Client,
}

/// A connector in an answer of the API.
#[derive(Deserialize)]
struct ApiConnector {
    id: String,
    name: String,
    connector_type_id: String,
    #[serde(default)]
    config: Option<Box<RawValue>>,
    #[serde(default)]
    is_missing_secrets: Option<bool>,
    #[serde(default)]
    is_preconfigured: bool,
    #[serde(default)]
    is_system_action: bool,
    #[serde(default)]
    auth_mode: Option<String>,
    #[serde(default)]
    referenced_by_count: Option<u64>,
}

/// A connector type as the API reports it.
#[derive(Deserialize)]
struct ApiConnectorType {
    id: String,
    name: String,
}

impl Kibana {
    /// Opens a space of a remote. `cancel` stops reads.
    ///
    /// # Errors
    /// [`KibanaError::Settings`] if the CA file or the proxy cannot be used.
    pub fn new(
        remote: &Remote,
        credential: Option<&Credential>,
        cancel: &Arc<AtomicBool>,
    ) -> Result<Self, KibanaError> {
        Ok(Self { client: Client::new(remote, credential, cancel.clone())? })
    }

    /// Requests the status of the server.
    ///
    /// # Errors
    /// If the server is not reached, refuses, or is not Kibana.
    pub fn server(&self) -> Result<Server, KibanaError> {
        let answer = match self.client.fetch_status() {
            Ok(answer) => answer,
            // Kibana hides the version from users without the privilege to see it.
            Err(KibanaError::Refused { status: 403 | 404, .. }) => return Ok(Server::default()),
            Err(error) => return Err(error),
        };
        let body: Value =
            serde_json::from_str(&answer.text).map_err(|_| self.unrecognized("its status is not JSON", false))?;
        let version = body.get("version");
        let text = |key| version.and_then(|version| version.get(key)).and_then(Value::as_str);
        let is_version = |text: &&str| {
            let is_short = (1..=LONGEST_VERSION).contains(&text.len());
            is_short && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))
        };
        let version = text("number").filter(is_version).filter(|text| self.client.redaction().mask(text) == *text);
        Ok(Server { version: version.map(str::to_owned), is_serverless: text("build_flavor") == Some("serverless") })
    }

    /// Lists all connectors of the space, with what they show of the server.
    ///
    /// # Errors
    /// As for [`Kibana::server`].
    pub fn connectors(&self, server: &Server) -> Result<Space, KibanaError> {
        let answer = self.client.request(Method::Get, "/api/actions/connectors", None)?;
        let body: Vec<ApiConnector> = self.read_flat(&answer, "the list of connectors", false)?;
        drop(answer);
        if body.len() > MOST_CONNECTORS {
            return Err(self.unrecognized(&format!("it lists more than {MOST_CONNECTORS} connectors"), false));
        }
        let has_modes = body.iter().any(|one| one.auth_mode.is_some());
        let is_of_users = |one: &ApiConnector| !one.is_preconfigured && !one.is_system_action;
        let knows_modes = server.knows_modes() || has_modes;
        // Without a version, user connectors show whether there are modes; an empty space shows nothing.
        let version = match (server.kept(), body.iter().any(is_of_users)) {
            (Some(version), _) if version != WITHOUT_MODES || !has_modes => Some(version),
            _ if has_modes => Some(WITH_MODES.to_owned()),
            (_, true) => Some(WITHOUT_MODES.to_owned()),
            (_, false) => None,
        };
        let mut seen = HashSet::new();
        if let Some(twice) = body.iter().find(|one| !seen.insert(one.id.as_str())) {
            return Err(self.unrecognized(&format!("the connector {:?} appears twice", twice.id), false));
        }
        let all = body.into_iter().map(|one| self.accept(one, knows_modes, false)).collect::<Result<_, _>>()?;
        Ok(Space { connectors: all, knows_modes, version })
    }

    /// The connector types that the server has, as ids and names. What no list can show is left out.
    ///
    /// # Errors
    /// As any call.
    pub fn connector_types(&self) -> Result<Vec<(String, String)>, KibanaError> {
        let answer = self.client.request(Method::Get, "/api/actions/connector_types", None)?;
        let types: Vec<ApiConnectorType> = self.read_flat(&answer, "the list of connector types", false)?;
        let is_short = |one: &ApiConnectorType| one.id.len() <= LONGEST_ID && one.name.len() <= LONGEST_NAME;
        let is_clean = |text: &str| self.client.redaction().mask(text) == text;
        let types = types.into_iter().filter(|one| is_short(one) && is_clean(&one.name) && is_clean(&one.id));
        Ok(types.take(MOST_TYPES).map(|one| (one.id, one.name)).collect())
    }

    /// Returns a connector, or `None` if no connector has this id.
    ///
    /// # Errors
    /// As for [`Kibana::server`].
    pub fn connector(&self, id: &str, knows_modes: bool) -> Result<Option<RemoteConnector>, KibanaError> {
        match self.client.request(Method::Get, &path_of(id)?, None) {
            Ok(answer) => self.accept(self.read_flat(&answer, "the connector", false)?, knows_modes, false).map(Some),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates a connector.
    ///
    /// # Errors
    /// As any call.
    pub fn create(
        &self,
        record: &Connector,
        secrets: &OpenSecrets,
        knows_modes: bool,
    ) -> Result<RemoteConnector, KibanaError> {
        let body = body_of(record, secrets, true);
        self.register(record, secrets);
        let answer = self.client.request(Method::Post, &path_of(&record.id)?, Some(&body))?;
        self.accept(self.read(&answer, "the connector", true)?, knows_modes, true)
    }

    /// Replaces name, config and secrets of a connector.
    ///
    /// # Errors
    /// As any call.
    pub fn update(
        &self,
        record: &Connector,
        secrets: &OpenSecrets,
        knows_modes: bool,
    ) -> Result<RemoteConnector, KibanaError> {
        let body = body_of(record, secrets, false);
        self.register(record, secrets);
        let answer = self.client.request(Method::Put, &path_of(&record.id)?, Some(&body))?;
        self.accept(self.read(&answer, "the connector", true)?, knows_modes, true)
    }

    /// Deletes a connector; a missing one counts as deleted.
    ///
    /// # Errors
    /// As for [`Kibana::server`].
    pub fn delete(&self, id: &str) -> Result<(), KibanaError> {
        match self.client.request(Method::Delete, &path_of(id)?, None) {
            Ok(_) => Ok(()),
            Err(error) if error.status() == Some(404) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Imports one saved object, with or without permission to overwrite.
    ///
    /// # Errors
    /// As for [`Kibana::server`]. Kibana answers 200 even if it rejects the object, which is an error here.
    pub fn import(&self, line: &str, overwrite: bool) -> Result<Imported, KibanaError> {
        let boundary = format!("connector-admin-{}", uuid::Uuid::new_v4().simple());
        let text = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"connector.ndjson\"\r\n\
             Content-Type: application/ndjson\r\n\r\n{line}\n\r\n--{boundary}--\r\n"
        );
        let body = Body {
            bytes: Zeroizing::new(text.into_bytes()),
            content_type: format!("multipart/form-data; boundary={boundary}"),
        };
        let answer = self.client.request(
            Method::Post,
            &format!("/api/saved_objects/_import?overwrite={overwrite}"),
            Some(&body),
        )?;
        let body: Value = self.read(&answer, "the outcome of the import", true)?;
        if body.get("success") != Some(&Value::Bool(true)) {
            return Err(KibanaError::NotTaken {
                place: self.client.place().to_owned(),
                reason: self.client.redaction().message(&import_problem(&body)),
            });
        }
        // A successful import may still remove the connector, even one that it overwrote.
        if let Some(warning) = removal_of(&body) {
            let (place, reason) = (self.client.place().to_owned(), self.client.redaction().message(warning));
            return Err(KibanaError::Removed { place, reason });
        }
        let first = body.get("successResults").and_then(|results| results.get(0));
        let destination = first.and_then(|first| first.get("destinationId")).and_then(Value::as_str);
        let is_id = |id: &str| id.len() <= LONGEST_ID && !self.client.redaction().is_repeated_in(id, id);
        if destination.is_some_and(|id| !is_id(id)) {
            return Err(self.unrecognized("it gives the connector an invalid id", true));
        }
        Ok(Imported { destination: destination.map(str::to_owned) })
    }

    /// Runs a connector in Kibana, for real.
    ///
    /// # Errors
    /// As for [`Kibana::server`]; a failed run is a result.
    pub fn execute(&self, id: &str, params: &Value) -> Result<ExecutionResult, KibanaError> {
        let body = Body::json(&json!({ "params": params }).to_string());
        let answer = self.client.request(Method::Post, &format!("{}/_execute", path_of(id)?), Some(&body))?;
        if answer.status == 204 {
            return Ok(ExecutionResult {
                is_ok: true,
                message: "done; it gave no answer".to_owned(),
                answer: "null".to_owned(),
            });
        }
        if answer.text.len() > LONGEST_CONFIG {
            return Err(
                self.unrecognized(&format!("the outcome of the run is longer than {LONGEST_CONFIG} bytes"), true)
            );
        }
        let body: Value = self.read(&answer, "the outcome of the run", true)?;
        let text = |key| body.get(key).and_then(Value::as_str);
        let is_ok = text("status") == Some("ok");
        let parts: Vec<&str> = [text("message"), text("service_message")].into_iter().flatten().collect();
        let message = match (is_ok, parts.is_empty()) {
            (_, false) => parts.join(": "),
            (true, true) => "it worked".to_owned(),
            (false, true) => "it failed, and Kibana gave no reason".to_owned(),
        };
        let redaction = self.client.redaction();
        let masked = redaction.mask(&answer.text);
        // A masked value is part of a text; where it is not, nothing is left to be printed as JSON.
        let answer = if serde_json::from_str::<&RawValue>(&masked).is_ok() { masked } else { "null".to_owned() };
        Ok(ExecutionResult { is_ok, message: redaction.message(&message), answer })
    }

    /// Registers the secrets of a connector, so that they are recognized in answers.
    pub fn register(&self, record: &Connector, secrets: &OpenSecrets) {
        self.client.redaction().register(&record.id, &secrets.texts(), &[&record.name, &record.config]);
    }

    /// Refuses the description of a connector that contains secrets from the file.
    ///
    /// # Errors
    /// [`KibanaError::NotKibana`].
    pub fn check_description(
        &self,
        found: &RemoteConnector,
        local: &Connector,
        secrets: &OpenSecrets,
    ) -> Result<(), KibanaError> {
        let (texts, clear) = (secrets.texts(), [local.name.as_str(), local.config.as_str()]);
        match [&found.snapshot.name, &found.snapshot.config].into_iter().any(|text| is_echoed(text, &texts, &clear)) {
            true => Err(self.unrecognized(&format!("the name or config of a connector {REPEATS}"), false)),
            false => Ok(()),
        }
    }

    /// Accepts a connector of an answer, or refuses the whole answer: its values are stored, printed and sent again.
    fn accept(&self, body: ApiConnector, knows_modes: bool, is_write: bool) -> Result<RemoteConnector, KibanaError> {
        let config = body.config.as_ref().map_or("", |config| config.get());
        let kept = [
            (&body.id, LONGEST_ID, "id"),
            (&body.connector_type_id, LONGEST_ID, "type"),
            (&body.name, LONGEST_NAME, "name"),
        ];
        for (text, longest, what) in kept
            .iter()
            .map(|(text, longest, what)| (text.as_str(), *longest, *what))
            .chain([(config, LONGEST_CONFIG, "config")])
        {
            if text.len() > longest {
                return Err(
                    self.unrecognized(&format!("the {what} of a connector is longer than {longest} bytes"), is_write)
                );
            }
            if self.client.redaction().is_repeated_in(&body.id, text) {
                return Err(self.unrecognized(&format!("the {what} of a connector {REPEATS}"), is_write));
            }
        }
        Ok(found(body, knows_modes))
    }

    fn read<'a, T: Deserialize<'a>>(&self, answer: &'a Answer, what: &str, is_write: bool) -> Result<T, KibanaError> {
        if text_of::depth(&answer.text) > text_of::DEEPEST {
            return Err(self.unrecognized(&format!("{what} is nested too deep"), is_write));
        }
        self.read_flat(answer, what, is_write)
    }

    /// Parses an answer in which deep values are kept as text.
    fn read_flat<'a, T: Deserialize<'a>>(
        &self,
        answer: &'a Answer,
        what: &str,
        is_write: bool,
    ) -> Result<T, KibanaError> {
        serde_json::from_str(&answer.text).map_err(|error| {
            self.unrecognized(
                &format!("{what} cannot be read (line {}, column {})", error.line(), error.column()),
                is_write,
            )
        })
    }

    fn unrecognized(&self, reason: &str, may_have_arrived: bool) -> KibanaError {
        KibanaError::NotKibana {
            place: self.client.place().to_owned(),
            reason: self.client.redaction().message(reason),
            may_have_arrived,
        }
    }
}

/// Why an answer is refused.
const REPEATS: &str = "repeats a credential or a secret; nothing of it was kept";

/// Returns the path of a connector, for any request; an id that would lead to another path has none.
fn path_of(id: &str) -> Result<String, KibanaError> {
    if has_no_address(id) {
        return Err(KibanaError::Settings(format!("the id {id:?} cannot be part of a URL of Kibana's API")));
    }
    Ok(format!("/api/actions/connector/{}", utf8_percent_encode(id, IN_ADDRESS)))
}

fn found(body: ApiConnector, knows_modes: bool) -> RemoteConnector {
    let is_nested = body.config.as_ref().is_some_and(|config| text_of::depth(config.get()) > text_of::DEEPEST);
    let managed_by = match (body.is_preconfigured, body.is_system_action) {
        _ if is_nested => Some("nested"),
        (_, true) => Some("kibana"),
        (true, _) => Some("configuration"),
        _ => None,
    };
    // The first release omits an absent mode; every reader treats that as shared.
    let mode = body.auth_mode.as_deref().and_then(AuthMode::parse).unwrap_or(AuthMode::Shared);
    let config = body.config.filter(|_| !is_nested).map_or_else(|| "{}".to_owned(), |config| config.get().to_owned());
    let config = if config.trim() == "null" { "{}".to_owned() } else { text_of::compact(&config).unwrap_or(config) };
    RemoteConnector {
        id: body.id,
        snapshot: Snapshot {
            name: body.name,
            connector_type_id: body.connector_type_id,
            config,
            auth_mode: knows_modes.then_some(mode),
            is_missing_secrets: body.is_missing_secrets.unwrap_or(false),
        },
        managed_by,
        referenced_by: body.referenced_by_count.unwrap_or(0),
    }
}

/// Returns the body of a create or an update; Kibana refuses any other key.
fn body_of(record: &Connector, secrets: &OpenSecrets, is_create: bool) -> Body {
    let head = if is_create {
        json!({"name": record.name, "connector_type_id": record.connector_type_id})
    } else {
        json!({"name": record.name})
    };
    let head = head.to_string();
    let secrets = secrets.secret().expose();
    let mut bytes = Zeroizing::new(Vec::with_capacity(head.len() + record.config.len() + secrets.len() + 32));
    for part in [head.trim_end_matches('}'), ",\"config\":", &record.config, ",\"secrets\":", secrets, "}"] {
        bytes.extend_from_slice(part.as_bytes());
    }
    Body { bytes, content_type: "application/json".to_owned() }
}

/// Returns Kibana's warning that it removed the imported connector, if there is one.
fn removal_of(body: &Value) -> Option<&str> {
    let warnings = body.get("warnings").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut messages = warnings.iter().filter_map(|warning| warning.get("message").and_then(Value::as_str));
    messages.find(|message| message.contains("was removed") || message.contains("were removed"))
}

fn import_problem(body: &Value) -> String {
    let first = body.get("errors").and_then(|errors| errors.get(0)).and_then(|error| error.get("error"));
    let text = |key| first.and_then(|error| error.get(key)).and_then(Value::as_str);
    match (text("type"), text("message")) {
        (_, Some(message)) => message.to_owned(),
        (Some("conflict"), _) => "somebody has created a connector of this id meanwhile".to_owned(),
        (Some("ambiguous_conflict"), _) => "several connectors of other spaces come from this one".to_owned(),
        (Some("unsupported_type"), _) => "this Kibana does not import connectors".to_owned(),
        (Some(kind), _) => format!("the import ended with {kind}"),
        (None, None) => "the import was not done, and Kibana gave no reason".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_is_one_path_segment() {
        assert_eq!(path_of("a/b?c#d%20é").expect("an address"), "/api/actions/connector/a%2Fb%3Fc%23d%2520%C3%A9");
        for id in ["", " ", ".", ".."] {
            assert!(path_of(id).is_err(), "{id:?}");
        }
    }
}
