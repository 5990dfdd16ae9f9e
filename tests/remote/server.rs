//! A Kibana for the tests: it keeps connectors by the rules of the API, and misbehaves on demand.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// The required header of every request.
pub const AUTHORIZATION: &str = "ApiKey aWQ6dG9wLXNlY3JldC1rZXk=";
/// The API key as Kibana shows it.
pub const API_KEY: &str = "aWQ6dG9wLXNlY3JldC1rZXk=";

/// A fault instead of an answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answers with a status.
    Status(u16),
    /// Answers with a status and a `Retry-After`.
    RetryAfter(u16, u64),
    /// Waits before it answers.
    Slow(Duration),
    /// Waits for the test, and then carries the request out.
    Held(Arc<AtomicBool>),
    /// Closes the connection; nothing is done.
    Cut,
    /// Carries the request out and closes the connection without an answer.
    CutAfter,
    /// Answers with this body and content type.
    Body(&'static str, Vec<u8>),
    /// Answers with this status, content type and body.
    Whole(u16, &'static str, String),
    /// Announces a longer body than it sends.
    Short,
    /// Never ends its body.
    Endless,
    /// Sends on to another place.
    Redirect(String),
    /// Repeats the request's body in an error.
    Echo,
    /// Answers with a status and this message.
    Error(u16, String),
}

/// One request that came.
#[derive(Clone, Debug)]
pub struct Came {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

#[derive(Default)]
pub struct State {
    pub connectors: BTreeMap<String, Value>,
    /// The secrets that each was given last.
    pub secrets: BTreeMap<String, Value>,
    /// The connector types that it has.
    pub types: Vec<(&'static str, &'static str)>,
    /// The user has no right to see them.
    pub refuses_types: bool,
    pub version: String,
    pub knows_modes: bool,
    /// An import drops the auth mode.
    pub drops_modes: bool,
    pub prefix: String,
    /// In order; each is used by the next request of its method.
    pub faults: VecDeque<(&'static str, Fault)>,
    pub came: Vec<Came>,
    /// Method and path of requests that were answered, or never will be.
    pub ended: Vec<(String, String)>,
    /// Connections that are being served.
    busy: usize,
    pub runs: Vec<(String, Value)>,
    /// The delay of every answer.
    pub delay: Duration,
}

pub struct Server {
    pub port: u16,
    state: Arc<Mutex<State>>,
}

impl Server {
    /// A Kibana of 9.4 without connectors.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { version: "9.4.0".to_owned(), knows_modes: true, ..State::default() }));
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                state.lock().unwrap().busy += 1;
                thread::spawn(move || {
                    let came = serve(stream, &state);
                    let mut state = state.lock().unwrap();
                    state.busy -= 1;
                    state.ended.extend(came.map(|came| (came.method, came.path)));
                });
            }
        });
        Self { port, state }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Waits until nothing is being served, also for a client that is gone.
    pub fn wait_until_idle(&self) {
        while self.state().busy > 0 {
            thread::yield_now();
        }
    }

    /// Waits until a request whose path ends so has been served.
    pub fn wait_for_end(&self, method: &str, path: &str) {
        let is_meant = |(found, at): &(String, String)| found == method && at.ends_with(path);
        while !self.state().ended.iter().any(is_meant) {
            thread::yield_now();
        }
    }

    /// Adds a connector as another user would.
    pub fn add(&self, id: &str, type_id: &str, config: &Value) {
        let mode = mode_of(config);
        let one = json!({
            "id": id, "name": format!("Name of {id}"), "connector_type_id": type_id, "config": config,
            "is_missing_secrets": false, "is_preconfigured": false, "is_system_action": false, "is_deprecated": false,
            "auth_mode": mode,
        });
        self.state().connectors.insert(id.to_owned(), one);
    }

    pub fn set(&self, id: &str, key: &str, value: Value) {
        self.state().connectors.get_mut(id).unwrap()[key] = value;
    }

    pub fn get(&self, id: &str) -> Value {
        self.state().connectors.get(id).cloned().unwrap_or_default()
    }

    pub fn fault(&self, method: &'static str, fault: Fault) {
        self.state().faults.push_back((method, fault));
    }

    /// The requests of a method that came, as paths.
    pub fn paths(&self, method: &str) -> Vec<String> {
        self.state().came.iter().filter(|came| came.method == method).map(|came| came.path.clone()).collect()
    }
}

fn mode_of(config: &Value) -> &'static str {
    match config["authType"].as_str() {
        Some("oauth_authorization_code" | "ears") => "per-user",
        _ => "shared",
    }
}

/// Reads a request; `None` at the end.
pub fn read_request(stream: &mut impl Read) -> Option<Came> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let mut words = first.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Came { method, path, headers, body: String::from_utf8_lossy(&body).into_owned() })
}

/// The bytes of an answer.
pub fn answer(status: u16, content_type: &str, extra: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n{extra}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

const JSON: &str = "application/json; charset=utf-8";

/// Serves one request; given back when its connection is done with.
fn serve(mut stream: TcpStream, state: &Mutex<State>) -> Option<Came> {
    let came = read_request(&mut stream)?;
    serve_request(&mut stream, &came, state);
    Some(came)
}

fn serve_request(stream: &mut TcpStream, came: &Came, state: &Mutex<State>) {
    let (fault, delay) = {
        let mut state = state.lock().unwrap();
        state.came.push(came.clone());
        let at = state.faults.iter().position(|(method, _)| *method == came.method);
        (at.and_then(|at| state.faults.remove(at)).map(|(_, fault)| fault), state.delay)
    };
    thread::sleep(delay);
    let failure = |status: u16, message: &str| {
        let body = json!({"statusCode": status, "error": "Error", "message": message}).to_string();
        answer(status, JSON, "", body.as_bytes())
    };
    let bytes = match fault {
        Some(Fault::Cut) => return,
        Some(Fault::CutAfter) => {
            respond(&mut state.lock().unwrap(), came);
            return;
        }
        Some(Fault::Status(status)) => failure(status, "on demand"),
        Some(Fault::RetryAfter(status, seconds)) => {
            answer(status, JSON, &format!("retry-after: {seconds}\r\n"), b"{\"message\":\"busy\"}")
        }
        Some(Fault::Body(content_type, body)) => answer(200, content_type, "", &body),
        Some(Fault::Whole(status, content_type, body)) => answer(status, content_type, "", body.as_bytes()),
        Some(Fault::Redirect(to)) => answer(302, "text/html", &format!("location: {to}\r\n"), b""),
        Some(Fault::Error(status, message)) => failure(status, &message),
        Some(Fault::Echo) => failure(400, &format!("error validating secrets: got {}", came.body)),
        Some(Fault::Short) => {
            let head = format!("HTTP/1.1 200 X\r\ncontent-type: {JSON}\r\ncontent-length: 999\r\n\r\n[");
            let _ = stream.write_all(head.as_bytes());
            return;
        }
        Some(Fault::Endless) => {
            let head = format!("HTTP/1.1 200 X\r\ncontent-type: {JSON}\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(head.as_bytes());
            while stream.write_all(&[b' '; 1 << 16]).is_ok() {}
            return;
        }
        slow => {
            if let Some(Fault::Slow(wait)) = &slow {
                let wait = *wait;
                thread::sleep(wait);
            }
            if let Some(Fault::Held(is_free)) = slow {
                while !is_free.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(5));
                }
            }
            let (status, body) = respond(&mut state.lock().unwrap(), came);
            let text = if status == 204 { String::new() } else { body.to_string() };
            answer(status, JSON, "", text.as_bytes())
        }
    };
    let _ = stream.write_all(&bytes);
}

fn error(status: u16, message: impl Into<String>) -> (u16, Value) {
    (status, json!({"statusCode": status, "error": "Error", "message": message.into()}))
}

/// Returns Kibana's answer, by its rules.
fn respond(state: &mut State, came: &Came) -> (u16, Value) {
    if came.headers.get("authorization").map(String::as_str) != Some(AUTHORIZATION) {
        return error(401, "unable to authenticate");
    }
    if came.method != "GET" && !came.headers.contains_key("kbn-xsrf") {
        return error(400, "Request must contain a kbn-xsrf header.");
    }
    let Some(path) = came.path.strip_prefix(&state.prefix) else { return error(404, "Not Found") };
    let path = path.to_owned();
    let id = path.strip_prefix("/api/actions/connector/").map(decoded);
    match (came.method.as_str(), path.as_str(), id) {
        // Users without the privilege do not see the version.
        ("GET", "/api/status", _) if state.version.is_empty() => {
            (200, json!({"status": {"overall": {"level": "available"}}}))
        }
        ("GET", "/api/status", _) => {
            (200, json!({"version": {"number": state.version}, "status": {"overall": {"level": "available"}}}))
        }
        ("GET", "/api/actions/connectors", _) => {
            let all = state.connectors.values().map(|one| shown(state, one, true)).collect();
            (200, Value::Array(all))
        }
        ("GET", "/api/actions/connector_types", _) if state.refuses_types => error(403, "Forbidden"),
        ("GET", "/api/actions/connector_types", _) => {
            let types = state.types.iter().map(|(id, name)| {
                json!({"id": id, "name": name, "enabled": true, "enabled_in_config": true, "enabled_in_license": true,
                       "minimum_license_required": "basic", "supported_feature_ids": ["alerting"],
                       "is_system_action_type": false, "is_deprecated": false, "source": "stack"})
            });
            (200, Value::Array(types.collect()))
        }
        ("GET", _, Some(id)) => match state.connectors.get(&id) {
            Some(one) => (200, shown(state, one, false)),
            None => error(404, format!("Saved object [action/{id}] not found")),
        },
        ("POST", "/api/saved_objects/_import?overwrite=true", _) => import(state, came, true),
        ("POST", "/api/saved_objects/_import?overwrite=false", _) => import(state, came, false),
        ("POST", _, Some(id)) => match id.strip_suffix("/_execute") {
            Some(id) => execute(state, id, came),
            None => create(state, &id, came),
        },
        ("PUT", _, Some(id)) => update(state, &id, came),
        ("DELETE", _, Some(id)) => match state.connectors.remove(&id) {
            Some(_) => (204, Value::Null),
            None => error(404, "not found"),
        },
        _ => error(404, "Not Found"),
    }
}

fn is_plain_id(id: &str) -> bool {
    (1..=36).contains(&id.len()) && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

fn decoded(id: &str) -> String {
    percent_encoding::percent_decode_str(id).decode_utf8_lossy().into_owned()
}

fn shown(state: &State, one: &Value, in_list: bool) -> Value {
    let mut one = one.clone();
    let entries = one.as_object_mut().unwrap();
    if !state.knows_modes {
        entries.remove("auth_mode");
    }
    entries.entry("is_connector_type_deprecated").or_insert(json!(false));
    if in_list && entries.get("is_preconfigured") != Some(&Value::Bool(true)) {
        entries.entry("referenced_by_count").or_insert(json!(0));
    }
    one
}

/// The body, if it has no other keys than these.
fn body_of(came: &Came, keys: &[&str]) -> Result<Value, (u16, Value)> {
    let body: Value = serde_json::from_str(&came.body).map_err(|_| error(400, "no JSON"))?;
    match body.as_object().unwrap().keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(error(400, format!("[request body.{key}]: definition for this key is missing"))),
        None => Ok(body),
    }
}

fn needs_secrets(type_id: &str, config: &Value, secrets: &Value) -> bool {
    let needs = matches!(type_id, ".slack" | ".jira") || config["hasAuth"] == true;
    needs && secrets.as_object().is_none_or(serde_json::Map::is_empty)
}

fn create(state: &mut State, id: &str, came: &Came) -> (u16, Value) {
    let body = match body_of(came, &["name", "connector_type_id", "config", "secrets"]) {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    if state.knows_modes && !is_plain_id(id) {
        return error(400, format!("[request params.id]: {id} is not an id of a connector"));
    }
    if state.connectors.contains_key(id) {
        return error(409, format!("Saved object [action/{id}] conflict"));
    }
    let type_id = body["connector_type_id"].as_str().unwrap_or_default();
    if needs_secrets(type_id, &body["config"], &body["secrets"]) {
        return error(400, "error validating connector type secrets: must be defined");
    }
    let one = json!({
        "id": id, "name": body["name"], "connector_type_id": type_id, "config": filled_in(type_id, &body["config"]),
        "is_missing_secrets": false, "is_preconfigured": false, "is_system_action": false, "is_deprecated": false,
        "auth_mode": mode_of(&body["config"]),
    });
    state.connectors.insert(id.to_owned(), one.clone());
    state.secrets.insert(id.to_owned(), body["secrets"].clone());
    (200, shown(state, &one, false))
}

/// Kibana fills in defaults.
fn filled_in(type_id: &str, config: &Value) -> Value {
    let mut config = config.clone();
    if type_id == ".webhook" && config.get("headers").is_none() {
        config["headers"] = Value::Null;
    }
    if type_id == ".index" && config.get("refresh").is_none() {
        config["refresh"] = json!(false);
    }
    config
}

fn update(state: &mut State, id: &str, came: &Came) -> (u16, Value) {
    let body = match body_of(came, &["name", "config", "secrets"]) {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let Some(one) = state.connectors.get(id).cloned() else { return error(404, "not found") };
    if one["is_preconfigured"] == true {
        return error(400, format!("Preconfigured action {id} can not be updated."));
    }
    let (requested, stored) = (&body["config"]["authType"], &one["config"]["authType"]);
    if one["auth_mode"] == "per-user" && requested != stored {
        return error(400, "Authentication type cannot be changed for per-user connectors.");
    }
    // Also when the auth type did not change.
    if state.knows_modes && one["auth_mode"] == "shared" && mode_of(&body["config"]) == "per-user" {
        return error(400, "Authentication type cannot be changed to a per-user type for shared connectors.");
    }
    let type_id = one["connector_type_id"].as_str().unwrap_or_default().to_owned();
    if needs_secrets(&type_id, &body["config"], &body["secrets"]) {
        return error(400, "error validating connector type secrets: must be defined");
    }
    let mut one = one;
    one["name"] = body["name"].clone();
    one["config"] = filled_in(&type_id, &body["config"]);
    one["is_missing_secrets"] = json!(false);
    state.connectors.insert(id.to_owned(), one.clone());
    state.secrets.insert(id.to_owned(), body["secrets"].clone());
    (200, shown(state, &one, false))
}

fn import(state: &mut State, came: &Came, overwrite: bool) -> (u16, Value) {
    assert!(came.headers["content-type"].starts_with("multipart/form-data; boundary="), "{came:?}");
    assert!(came.body.contains("filename=\"connector.ndjson\""), "{came:?}");
    let line = came.body.lines().find(|line| line.starts_with('{')).expect("a line of an export");
    let document: Value = serde_json::from_str(line).unwrap();
    let attributes = &document["attributes"];
    assert_eq!((&document["type"], &attributes["secrets"]), (&json!("action"), &json!({})), "{document}");
    let id = document["id"].as_str().unwrap().to_owned();
    if !overwrite && state.connectors.contains_key(&id) {
        let error = json!({"type": "action", "id": id, "error": {"type": "conflict"}});
        return (200, json!({"success": false, "successCount": 0, "errors": [error]}));
    }
    if state.knows_modes && !is_plain_id(&id) {
        // An overwritten connector is removed too.
        state.connectors.remove(&id);
        state.secrets.remove(&id);
        let message = format!(
            "Connector with ID [{id}] has an invalid ID and was removed. Connector IDs must contain only lowercase letters, \
             numbers, and hyphens and be 36 characters or less."
        );
        let warning = json!({"type": "simple", "message": message});
        return (
            200,
            json!({"success": true, "successCount": 1, "successResults": [{"type": "action", "id": id}], "warnings": [warning]}),
        );
    }
    let one = json!({
        "id": id, "name": attributes["name"], "connector_type_id": attributes["actionTypeId"],
        "config": attributes["config"], "is_missing_secrets": attributes["isMissingSecrets"], "is_preconfigured": false,
        "is_system_action": false, "is_deprecated": false,
        "auth_mode": attributes.get("authMode").filter(|_| !state.drops_modes).cloned().unwrap_or(json!("shared")),
    });
    state.connectors.insert(id.clone(), one);
    state.secrets.remove(&id);
    (
        200,
        json!({"success": true, "successCount": 1, "successResults": [{"type": "action", "id": id, "overwrite": true}]}),
    )
}

fn execute(state: &mut State, id: &str, came: &Came) -> (u16, Value) {
    let body: Value = serde_json::from_str(&came.body).unwrap();
    if !state.connectors.contains_key(id) {
        return error(404, format!("Saved object [action/{id}] not found"));
    }
    state.runs.push((id.to_owned(), body["params"].clone()));
    if id == "broken" {
        return (
            200,
            json!({"connector_id": id, "status": "error", "message": "it failed", "service_message": "no route"}),
        );
    }
    (200, json!({"connector_id": id, "status": "ok", "data": {}}))
}
