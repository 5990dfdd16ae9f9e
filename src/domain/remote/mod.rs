//! A remote: a space of a Kibana that a file is a working copy of.

mod classify;
mod reason;
mod snapshot;
#[cfg(test)]
mod sync_tests;
mod three_way;

pub use classify::{ApiCall, ClassifyContext, LocalSecrets, PushOptions, ResultingMode, Sides, SyncStatus, classify};
pub use reason::{BlockReason, LostSecrets, Manager, PushNote};
pub use snapshot::{RemoteConnector, Snapshot};
pub use three_way::{Drift, FieldDrift, is_same_snapshot, merged, three_way};

use std::net::IpAddr;

use http::Uri;

use super::json;
use super::secrets::SecretHolder;

/// The default time limit of a request, in seconds.
pub const TIMEOUT: u32 = 30;

/// A space of a Kibana, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The name in this file.
    pub name: String,
    /// The address with its base path, without a trailing slash.
    pub url: String,
    /// The space id; empty for the default space.
    pub space: String,
    /// The authorities that are trusted in place of the system's, as a PEM file.
    pub ca_file: Option<String>,
    /// The proxy; none leaves it to the environment.
    pub proxy: Option<String>,
    /// The time limit of a request, in seconds.
    pub timeout: u32,
    /// The user allows plain http to another machine, where others can read the traffic.
    pub allow_http: bool,
    /// The encrypted credential; without one it is prompted for or taken from the environment.
    pub credential: Option<String>,
    /// The one that is meant where none is named.
    pub is_default: bool,
    /// Kibana's version, as reported or as the user gave it.
    pub version: Option<String>,
    /// Kibana reports auth modes (9.4 and newer).
    pub knows_modes: bool,
    /// The time of the last fetch; ISO 8601.
    pub fetched_at: Option<String>,
}

impl Remote {
    /// Returns a remote that was never fetched.
    ///
    /// # Errors
    /// Explains the problem with the name, the address or the space.
    pub fn new(name: &str, url: &str, space: Option<&str>) -> Result<Self, String> {
        if !is_word(name) {
            return Err(format!(
                "{name:?} is not a valid name for a remote; use letters, digits, - and _ only, for example prod"
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            url: address(url)?,
            space: space_id(space.unwrap_or_default())?,
            ca_file: None,
            proxy: None,
            timeout: TIMEOUT,
            allow_http: false,
            credential: None,
            is_default: false,
            version: None,
            knows_modes: false,
            fetched_at: None,
        })
    }

    /// All that decides where the credential goes, and who can read it on the way.
    fn way(&self) -> String {
        let text = |text: &Option<String>| text.as_ref().map_or_else(|| "null".to_owned(), |text| json::quote(text));
        format!(
            "{{\"url\":{},\"space\":{},\"proxy\":{},\"ca_file\":{},\"allow_http\":{}}}",
            json::quote(&self.url),
            json::quote(&self.space),
            text(&self.proxy),
            text(&self.ca_file),
            self.allow_http
        )
    }

    /// Returns whether a credential for one of the two is valid for the other.
    pub fn is_reached_like(&self, other: &Self) -> bool {
        self.way() == other.way()
    }

    /// Checks the address again, because another program may have written it into the file.
    ///
    /// # Errors
    /// Explains the problem.
    pub fn check_address(&self) -> Result<(), String> {
        address(&self.url).map(drop)
    }

    /// Returns the part of each address before `/api`.
    pub fn base(&self) -> String {
        if self.space.is_empty() { self.url.clone() } else { format!("{}/s/{}", self.url, self.space) }
    }

    /// Returns the location for the UI.
    pub fn place(&self) -> String {
        if self.space.is_empty() { self.url.clone() } else { format!("{} (space {})", self.url, self.space) }
    }

    /// Returns whether others can read the traffic: plain http to another machine or through a proxy. An unreadable
    /// address counts as such.
    pub fn is_in_the_clear(&self) -> bool {
        let Ok(uri) = self.url.parse::<Uri>() else { return true };
        if address(&self.url).is_err() {
            return true;
        }
        uri.scheme_str() != Some("https") && (self.proxy.is_some() || !is_this_machine(&uri))
    }
}

/// Returns whether the host is `localhost` or a loopback address. A name that only resembles one is another machine.
fn is_this_machine(uri: &Uri) -> bool {
    let Some(host) = uri.host() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or_else(|_| host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 40 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Kibana's rule for ids of spaces; `default` is the one without a prefix.
fn space_id(space: &str) -> Result<String, String> {
    let is_id = space.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    match space {
        "default" => Ok(String::new()),
        _ if is_id => Ok(space.to_owned()),
        _ => Err(format!(
            "{space:?} is not a valid space id; use lower-case letters, digits, - and _ (the id is not the display name)"
        )),
    }
}

/// Returns the address without its trailing slash, parsed by the library that connects to it, so that the checked
/// address is the one in use. Errors do not repeat it: it may contain a password.
fn address(url: &str) -> Result<String, String> {
    let url = url.trim();
    let not_a_server = || "the address is not one of a server: https://HOST[:PORT][/BASE-PATH]".to_owned();
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(
            "the address must begin with https:// (or http://), for example https://kibana.example:5601".to_owned()
        );
    }
    let uri: Uri = url.parse().map_err(|_| not_a_server())?;
    let authority = uri.authority().ok_or_else(not_a_server)?;
    if authority.as_str().contains('@') {
        return Err(
            "the address holds a user or a password; leave them out; `remote login` prompts for them".to_owned()
        );
    }
    let port = authority.port().map_or_else(String::new, |port| format!(":{port}"));
    // Text between host and port is part of neither, and parsers disagree on it.
    let is_host_and_port = authority.as_str() == format!("{}{port}", authority.host());
    if !is_host_and_port || !is_host(authority.host()) || uri.query().is_some() || url.contains(['#', '\\', '"']) {
        return Err(not_a_server());
    }
    let path = uri.path();
    if let Some((at, space)) = path.split('/').zip(path.split('/').skip(1)).find(|(at, _)| *at == "s") {
        return Err(format!("the address names a space (/{at}/{space}); leave that out and give --space {space}"));
    }
    if path.split('/').any(|part| part == "app" || part == "api") {
        return Err("the address has a path after the server (/app or /api); leave that out".to_owned());
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// A name, an IPv4 address, or an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
        Some(address) => address.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok()),
        None => !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)),
    }
}

/// The credential is bound to the connection settings. Somebody who can write the file but has no key cannot redirect
/// it: neither with another remote nor as the secrets of a connector.
impl SecretHolder for Remote {
    fn ciphertext(&self) -> Option<&str> {
        self.credential.as_deref()
    }

    fn label(&self) -> &str {
        &self.name
    }

    fn associated_data(&self) -> String {
        format!("[\"remote\",{},{}]", json::quote(&self.name), self.way())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_accepted_or_refused_with_advice() {
        for (url, taken) in [
            ("https://kibana.example:5601/", "https://kibana.example:5601"),
            ("https://example.com/base/path", "https://example.com/base/path"),
            (" http://[::1]:5601 ", "http://[::1]:5601"),
        ] {
            assert_eq!(Remote::new("prod", url, None).expect(url).url, taken);
        }
        for (url, word) in [
            ("kibana.example", "must begin with https://"),
            ("ftp://x", "must begin with https://"),
            ("https://elastic:hunter2@x", "leave them out"),
            ("https://", "not one of a server"),
            ("https://x y", "not one of a server"),
            ("https://x?a=1", "not one of a server"),
            ("https://x#a", "not one of a server"),
            ("http://[::1]evil.example", "not one of a server"),
            ("http://[::1", "not one of a server"),
            ("http://evil.example[::1]", "not one of a server"),
            ("http://127.0.0.1\\@evil.example", "not one of a server"),
            ("https://x/s/marketing/app/management", "give --space marketing"),
            ("https://x/app/home", "leave that out"),
        ] {
            let error = Remote::new("prod", url, None).expect_err(url);
            assert!(error.contains(word) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn remote_name_and_space_are_validated() {
        for name in ["", "a b", "a/b", "\u{1b}[1m"] {
            assert!(Remote::new(name, "https://x", None).is_err(), "{name}");
        }
        let of = |space| Remote::new("prod", "https://x", Some(space)).map(|remote| remote.base());
        assert_eq!(of("default"), Ok("https://x".to_owned()));
        assert_eq!(of("team-1"), Ok("https://x/s/team-1".to_owned()));
        assert!(of("Team 1").is_err() && of("../x").is_err());
    }

    #[test]
    fn credential_is_bound_to_its_connection_settings() {
        let remote = Remote::new("prod", "https://x", None).expect("an address");
        for changed in [
            Remote { url: "https://y".into(), ..remote.clone() },
            Remote { space: "team".into(), ..remote.clone() },
            Remote { proxy: Some("http://p".into()), ..remote.clone() },
            Remote { ca_file: Some("/ca.pem".into()), ..remote.clone() },
            Remote { allow_http: true, ..remote.clone() },
        ] {
            assert!(!changed.is_reached_like(&remote), "{changed:?}");
        }
        assert!(Remote { timeout: 1, is_default: true, ..remote.clone() }.is_reached_like(&remote));
    }

    #[test]
    fn plain_http_is_limited_to_loopback() {
        for (url, expected) in [
            ("https://x", false),
            ("http://localhost:5601", false),
            ("http://127.0.0.1:5601/base", false),
            ("http://[::1]:1", false),
            ("http://kibana.example", true),
            ("http://localhost.evil.example", true),
            ("http://127.evil.example", true),
            ("http://127.0.0.1.evil.example", true),
            ("http://[::2]:1", true),
            ("http://127.8.8.8", false),
        ] {
            assert_eq!(Remote::new("prod", url, None).expect(url).is_in_the_clear(), expected, "{url}");
        }
    }
}
