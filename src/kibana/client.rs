//! Requests and answers: time-outs, bounded retries, size limits, no redirects, cancellation.

use std::fs;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::Agent;
use ureq::http::{HeaderValue, Request, Uri, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use zeroize::Zeroizing;

use super::credential::Credential;
use super::error::{KibanaError, advice};
use super::redaction::Redaction;
use crate::domain::Remote;

/// The number of tries for a request that changes nothing.
const TRIES: u32 = 4;
/// Before the second try; each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest `Retry-After` that is honoured.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The interval at which a cancel is noticed.
const STEP: Duration = Duration::from_millis(50);
/// The time limit for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// The largest answer that is read: ten thousand connectors of several kilobytes.
const LARGEST: u64 = 128 << 20;

/// The version of Kibana's public API; serverless requires it.
const API_VERSION: &str = "2023-10-31";

/// The HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// A body and its content type.
pub(super) struct Body {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) content_type: String,
}

impl Body {
    pub(super) fn json(text: &str) -> Self {
        Self { bytes: Zeroizing::new(text.as_bytes().to_vec()), content_type: "application/json".to_owned() }
    }
}

/// An answer that has come whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
    is_json: bool,
    retry_after: Option<Duration>,
    location: Option<String>,
    is_of_elasticsearch: bool,
}

/// A connection to one space of one server.
pub(super) struct Client {
    agent: Agent,
    base: String,
    place: String,
    authorization: Option<Zeroizing<String>>,
    redaction: Redaction,
    cancel: Arc<AtomicBool>,
}

impl Client {
    pub(super) fn new(
        remote: &Remote,
        credential: Option<&Credential>,
        cancel: Arc<AtomicBool>,
    ) -> Result<Self, KibanaError> {
        remote.check_address().map_err(|reason| KibanaError::Settings(format!("remote {}: {reason}", remote.name)))?;
        // Checked for each connection: another program may have changed the file since the remote was added.
        if remote.is_in_the_clear() && !remote.allow_http {
            return Err(KibanaError::Settings(format!(
                "{} is reached over http://, where credentials and secrets can be read on the way; nothing was sent. Use \
                 an https:// address, or allow it with `remote add {} ADDRESS --replace --allow-http`",
                remote.place(),
                remote.name
            )));
        }
        let config = Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(u64::from(remote.timeout.max(1)))))
            .timeout_connect(Some(CONNECT.min(Duration::from_secs(u64::from(remote.timeout.max(1))))))
            .http_status_as_error(false)
            // The credential must not follow a redirect, so redirects are reported instead.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("connector-admin/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots(remote)?).build());
        let config = match &remote.proxy {
            Some(url) => config.proxy(Some(ureq::Proxy::new(url).map_err(|_| wrong_proxy())?)),
            // A proxy of the environment could read plain traffic to this machine.
            None if remote.url.starts_with("http://") => config.proxy(None),
            None => {
                check_environment()?;
                config
            }
        };
        Ok(Self {
            agent: config.build().new_agent(),
            base: remote.base(),
            place: remote.place(),
            authorization: credential.map(Credential::header),
            redaction: Redaction::new(&credential.map(Credential::words).unwrap_or_default()),
            cancel,
        })
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Returns the values that an answer must not repeat.
    pub(super) fn redaction(&self) -> &Redaction {
        &self.redaction
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// Sends a request and returns the answer, whatever its status is. Reads are retried when the server is not
    /// available, and every method after a 429, with which Kibana refuses a request before it acts on it.
    pub(super) fn request(&self, method: Method, path: &str, body: Option<&Body>) -> Result<Answer, KibanaError> {
        self.request_unless(method, path, body, |_| false)
    }

    /// Like [`Client::request`], but an answer for which `is_good` holds is never retried, whatever its status is.
    fn request_unless(
        &self,
        method: Method,
        path: &str,
        body: Option<&Body>,
        is_good: fn(&Answer) -> bool,
    ) -> Result<Answer, KibanaError> {
        let mut wait = FIRST_WAIT;
        for left in (0..TRIES).rev() {
            let result = self.send_once(method, path, body);
            if result.as_ref().is_ok_and(is_good) {
                return result;
            }
            let is_passing = match &result {
                Ok(answer) => answer.status == 429 || (method == Method::Get && matches!(answer.status, 502..=504)),
                Err(KibanaError::Unreachable { is_passing, .. }) => *is_passing && method == Method::Get,
                Err(_) => false,
            };
            if !is_passing || left == 0 {
                return result.and_then(|answer| self.interpret(method, answer)).map_err(|error| self.redacted(error));
            }
            let requested_wait = result.ok().and_then(|answer| answer.retry_after).unwrap_or(wait).min(LONGEST_WAIT);
            self.pause(requested_wait)?;
            wait *= 2;
        }
        Err(KibanaError::Cancelled)
    }

    /// Requests the status. While a plugin is unavailable, Kibana answers 503 and still reports its version.
    pub(super) fn fetch_status(&self) -> Result<Answer, KibanaError> {
        self.request_unless(Method::Get, STATUS, None, |answer| {
            let body = || serde_json::from_str::<Value>(&answer.text).ok();
            answer.status == 503
                && body().is_some_and(|body| body.pointer("/version/number").is_some_and(Value::is_string))
        })
    }

    /// Waits, unless it is to stop.
    fn pause(&self, wait: Duration) -> Result<(), KibanaError> {
        let until = Instant::now() + wait;
        while Instant::now() < until {
            if self.is_cancelled() {
                return Err(KibanaError::Cancelled);
            }
            thread::sleep(STEP.min(until.saturating_duration_since(Instant::now())));
        }
        Ok(())
    }

    /// Sends a request once, on a separate thread. A read is abandoned on cancel; a write is waited for until its
    /// time-out, because its outcome has to be known.
    fn send_once(&self, method: Method, path: &str, body: Option<&Body>) -> Result<Answer, KibanaError> {
        let request = self.build_request(method, path, body)?;
        let (agent, place) = (self.agent.clone(), self.place.clone());
        let (send, receive) = mpsc::channel();
        thread::spawn(move || {
            let _ = send.send(exchange(&agent, method, request, &place));
        });
        loop {
            match receive.recv_timeout(STEP) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Timeout) if self.is_cancelled() && method == Method::Get => {
                    return Err(KibanaError::Cancelled);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let cause = "the request ended without an answer".to_owned();
                    let place = self.place.clone();
                    return Err(KibanaError::Unreachable { place, cause, may_have_arrived: true, is_passing: true });
                }
            }
        }
    }

    fn build_request(&self, method: Method, path: &str, body: Option<&Body>) -> Result<Request<Vec<u8>>, KibanaError> {
        let wrong = |_| KibanaError::Settings(format!("{} is not a usable address", self.place));
        let name = match method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        };
        let mut request = Request::builder()
            .method(name)
            .uri(format!("{}{path}", self.base))
            .header("kbn-xsrf", "connector-admin")
            .header("elastic-api-version", API_VERSION)
            .header(header::ACCEPT, "application/json");
        if let Some(authorization) = &self.authorization {
            let mut value = HeaderValue::from_str(authorization)
                .map_err(|_| KibanaError::Settings("the credential holds characters that cannot be sent".to_owned()))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, &body.content_type);
        }
        request.body(body.map(|body| body.bytes.to_vec()).unwrap_or_default()).map_err(|_| wrong(()))
    }

    /// Interprets the status of an answer that does not concern a connector.
    fn interpret(&self, method: Method, answer: Answer) -> Result<Answer, KibanaError> {
        let may_have_arrived = method != Method::Get && !matches!(answer.status, 300..=499);
        let unrecognized = |reason| KibanaError::NotKibana { place: self.place.clone(), reason, may_have_arrived };
        if answer.is_of_elasticsearch || is_error_of_elasticsearch(&answer.text) {
            return Err(unrecognized(ELASTICSEARCH.to_owned()));
        }
        match answer.status {
            204 => Ok(answer),
            300..=399 => Err(unrecognized(redirected(answer.location.as_deref(), &self.base))),
            status if status >= 400 => Err(KibanaError::Refused {
                place: self.place.clone(),
                status,
                message: word_of(&answer.text),
                advice: advice(status, self.authorization.is_some()),
            }),
            _ if !answer.is_json => Err(unrecognized("it is not JSON (a sign-in page, or a proxy?)".to_owned())),
            _ => Ok(answer),
        }
    }

    /// Returns the error without values that a server, a proxy or a library repeats in it.
    fn redacted(&self, error: KibanaError) -> KibanaError {
        let clean = |text: String| self.redaction.message(&text);
        match error {
            KibanaError::Unreachable { place, cause, may_have_arrived, is_passing } => {
                KibanaError::Unreachable { place, cause: clean(cause), may_have_arrived, is_passing }
            }
            KibanaError::Refused { place, status, message, advice } => {
                KibanaError::Refused { place, status, message: clean(message), advice }
            }
            KibanaError::NotKibana { place, reason, may_have_arrived } => {
                KibanaError::NotKibana { place, reason: clean(reason), may_have_arrived }
            }
            KibanaError::NotTaken { place, reason } => KibanaError::NotTaken { place, reason: clean(reason) },
            KibanaError::Removed { place, reason } => KibanaError::Removed { place, reason: clean(reason) },
            KibanaError::Settings(_) | KibanaError::Cancelled => error,
        }
    }
}

/// Refuses a proxy of the environment that cannot be read: it would be passed over, and the server called directly.
fn check_environment() -> Result<(), KibanaError> {
    for name in ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
        if std::env::var(name).is_ok_and(|url| !url.is_empty() && ureq::Proxy::new(&url).is_err()) {
            return Err(KibanaError::Settings(format!("${name} is not an address such as http://proxy.example:3128")));
        }
    }
    Ok(())
}

fn wrong_proxy() -> KibanaError {
    KibanaError::Settings("the proxy is not an address such as http://proxy.example:3128".to_owned())
}

/// The authorities that are trusted: the system's, or those of a file.
fn roots(remote: &Remote) -> Result<RootCerts, KibanaError> {
    let Some(path) = &remote.ca_file else { return Ok(RootCerts::PlatformVerifier) };
    let cannot = |cause: String| KibanaError::Settings(format!("{path}: {cause}"));
    let pem = fs::read(path).map_err(|error| cannot(error.to_string()))?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
            Ok(_) => None,
            Err(_) => Some(Err(cannot("it holds something that is not a PEM certificate".to_owned()))),
        })
        .collect::<Result<_, _>>()?;
    if certificates.is_empty() {
        return Err(cannot("it holds no certificate; it must be a PEM file".to_owned()));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

fn redirected(location: Option<&str>, base: &str) -> String {
    let target = location.and_then(|location| location.parse::<Uri>().ok());
    let own: Option<Uri> = base.parse().ok();
    let host = |uri: &Uri| uri.authority().map(|authority| authority.host().to_owned());
    match target.as_ref().and_then(host) {
        Some(to) if own.as_ref().and_then(host).as_ref() != Some(&to) => {
            format!("it redirects to another host ({to}); the credential was not sent to it")
        }
        Some(_) if target.as_ref().and_then(Uri::scheme_str) == Some("https") && base.starts_with("http://") => {
            "it sends on to https; put https:// in the remote's address".to_owned()
        }
        _ => "it sends on to another page (a sign-in page, or a base path that is missing in the address?)".to_owned(),
    }
}

fn exchange(agent: &Agent, method: Method, request: Request<Vec<u8>>, place: &str) -> Result<Answer, KibanaError> {
    let (parts, body) = request.into_parts();
    let body = Zeroizing::new(body);
    let sent = match method {
        Method::Get | Method::Delete => agent.run(Request::from_parts(parts, ())),
        Method::Post | Method::Put => agent.run(Request::from_parts(parts, body.as_slice())),
    };
    let is_write = method != Method::Get;
    let mut response = sent.map_err(|error| failed(&error, place, is_write))?;
    let text_of = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let content_type = text_of("content-type").unwrap_or_default();
    let (retry_after, location) = (text_of("retry-after"), text_of("location"));
    // Kibana names itself and never passes on the header of its Elasticsearch.
    let is_of_elasticsearch = text_of("x-elastic-product").is_some() && text_of("kbn-name").is_none();
    let status = response.status().as_u16();
    // Allocates the announced length: a growing buffer would hold up to twice the answer.
    let announced = text_of("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut bytes = Vec::with_capacity(usize::try_from(LARGEST.min(announced)).unwrap_or(0));
    response
        .body_mut()
        .with_config()
        .limit(LARGEST)
        .reader()
        .read_to_end(&mut bytes)
        .map_err(|error| broken_off(&error, place, is_write))?;
    let is_json = content_type.to_ascii_lowercase().contains("json");
    let text = String::from_utf8(bytes).map_err(|_| KibanaError::NotKibana {
        place: place.to_owned(),
        reason: "it is not UTF-8".to_owned(),
        may_have_arrived: is_write && status < 300,
    })?;
    let retry_after = retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    Ok(Answer { status, text, is_json, retry_after, location, is_of_elasticsearch })
}

/// The endpoint that reports the version.
const STATUS: &str = "/api/status";

/// Why an Elasticsearch is refused.
const ELASTICSEARCH: &str =
    "it is an Elasticsearch, not a Kibana; give the remote the address of Kibana, which usually has port 5601";

/// The form that Elasticsearch alone gives errors: an object with their causes.
fn is_error_of_elasticsearch(text: &str) -> bool {
    let body = serde_json::from_str::<Value>(text).ok();
    body.is_some_and(|body| body.pointer("/error/root_cause").is_some() || body.get("tagline").is_some())
}

/// Returns the error message of an answer, in the formats of Kibana and of proxies.
fn word_of(text: &str) -> String {
    /// A longer text says nothing about an error.
    const LONGEST: usize = 200;
    let body = serde_json::from_str::<Value>(text).ok();
    let places = ["/message", "/error/reason", "/error", "/reason"];
    let found = body.as_ref().and_then(|body| places.iter().find_map(|place| body.pointer(place)?.as_str()));
    let plain = text.trim();
    let is_plain = body.is_none() && !plain.is_empty() && plain.len() <= LONGEST && !plain.starts_with('<');
    match found {
        Some(found) => found.to_owned(),
        None if is_plain => plain.to_owned(),
        None => "no reason was given".to_owned(),
    }
}

fn broken_off(error: &std::io::Error, place: &str, is_write: bool) -> KibanaError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>());
    match inner {
        Some(ureq::Error::BodyExceedsLimit(limit)) => KibanaError::NotKibana {
            place: place.to_owned(),
            reason: format!("the answer is larger than {} MiB", limit >> 20),
            may_have_arrived: is_write,
        },
        Some(error) => failed(error, place, is_write),
        None => KibanaError::Unreachable {
            place: place.to_owned(),
            cause: format!("the answer broke off ({error})"),
            may_have_arrived: is_write,
            is_passing: true,
        },
    }
}

/// Describes why no answer arrived, without values of the request.
fn failed(error: &ureq::Error, place: &str, is_write: bool) -> KibanaError {
    use std::io::ErrorKind;
    let insecure = |cause: String| {
        format!("the connection is not safe: {cause}. `remote add --ca FILE` trusts an authority of your own")
    };
    // Describes the connection failure, and whether a retry may help.
    let (cause, may_have_arrived, is_passing) = match error {
        ureq::Error::HostNotFound => ("no host of this name".to_owned(), false, false),
        ureq::Error::Io(cause) if cause.kind() == ErrorKind::ConnectionRefused => {
            ("it does not take connections; does Kibana run there, on this port?".to_owned(), false, true)
        }
        ureq::Error::Timeout(_) => {
            ("it did not answer in time (--timeout of `remote add` gives it longer)".to_owned(), is_write, false)
        }
        ureq::Error::Rustls(cause) => (insecure(cause.to_string()), false, false),
        ureq::Error::Io(cause) if tls_cause(cause).is_some() => {
            (insecure(tls_cause(cause).unwrap_or_default()), false, false)
        }
        ureq::Error::ConnectProxyFailed(cause) => (format!("the proxy refused: {cause}"), false, false),
        ureq::Error::InvalidProxyUrl => return wrong_proxy(),
        ureq::Error::LargeResponseHeader(..) | ureq::Error::Protocol(_) => {
            return KibanaError::NotKibana {
                place: place.to_owned(),
                reason: "the answer is not HTTP".to_owned(),
                may_have_arrived: is_write,
            };
        }
        ureq::Error::Io(cause) => (format!("the connection broke ({cause})"), is_write, true),
        other => (other.to_string(), is_write, true),
    };
    KibanaError::Unreachable { place: place.to_owned(), cause, may_have_arrived, is_passing }
}

fn tls_cause(error: &std::io::Error) -> Option<String> {
    let text = error.get_ref()?.to_string();
    (text.contains("certificate") || text.contains("TLS") || text.contains("tls")).then_some(text)
}
