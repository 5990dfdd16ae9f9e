//! The credential: an API key, or a user and a password.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::domain::secrets::Secret;

/// The environment variable with the API key.
const API_KEY: &str = "CONNECTOR_ADMIN_API_KEY";
/// The environment variable with the user.
const USERNAME: &str = "CONNECTOR_ADMIN_USERNAME";
/// The environment variable with the password.
const PASSWORD: &str = "CONNECTOR_ADMIN_PASSWORD";

/// A credential; wiped when dropped, printed by nothing.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// Base64 of `id:key`, as Elasticsearch's `encoded`.
    ApiKey(Zeroizing<String>),
    /// Basic authentication.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Zeroizing<String>,
    },
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credential::ApiKey(_) => "ApiKey(…)",
            Credential::Basic { .. } => "Basic(…)",
        })
    }
}

/// The stored format, before encryption.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Stored<'a> {
    ApiKey(&'a str),
    Basic(&'a str, &'a str),
}

impl Credential {
    /// Parses an API key as Kibana shows it: encoded, or as `id:key`.
    ///
    /// # Errors
    /// Explains the problem without repeating the key.
    pub fn api_key(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let text = text.strip_prefix("ApiKey ").unwrap_or(text).trim();
        let encoded =
            if text.contains(':') { Zeroizing::new(BASE64.encode(text)) } else { Zeroizing::new(text.to_owned()) };
        let decoded = BASE64.decode(encoded.as_bytes()).ok().map(Zeroizing::new);
        match decoded.is_some_and(|decoded| decoded.contains(&b':')) {
            true => Ok(Credential::ApiKey(encoded)),
            false => {
                Err("not an API key; enter the base64 text (`encoded` in Elasticsearch's answer), or id:key".to_owned())
            }
        }
    }

    /// A user and a password.
    ///
    /// # Errors
    /// A user with a colon, which basic authentication cannot send.
    pub fn basic(user: &str, password: Zeroizing<String>) -> Result<Self, String> {
        match user {
            "" => Err("the user is empty".to_owned()),
            _ if user.contains(':') => Err("a user name cannot hold a colon".to_owned()),
            _ => Ok(Credential::Basic { user: user.to_owned(), password }),
        }
    }

    /// Returns the credential of the environment: `CONNECTOR_ADMIN_API_KEY`, else `CONNECTOR_ADMIN_USERNAME` with
    /// `CONNECTOR_ADMIN_PASSWORD`.
    ///
    /// # Errors
    /// Explains the problem.
    pub fn from_environment() -> Result<Option<Self>, String> {
        let read = |name: &str| match std::env::var(name) {
            Ok(text) if text.is_empty() => Err(format!("${name} is set but empty; give the value or unset it")),
            Ok(text) => Ok(Some(Zeroizing::new(text))),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(format!("${name} is not UTF-8")),
        };
        if let Some(key) = read(API_KEY)? {
            return Self::api_key(&key).map(Some).map_err(|reason| format!("${API_KEY}: {reason}"));
        }
        match (read(USERNAME)?, read(PASSWORD)?) {
            (Some(user), Some(password)) => Self::basic(&user, password).map(Some),
            (None, None) => Ok(None),
            (Some(_), None) => Err(format!("${USERNAME} is set, and ${PASSWORD} is not")),
            (None, Some(_)) => Err(format!("${PASSWORD} is set, and ${USERNAME} is not")),
        }
    }

    /// Returns the text to encrypt.
    pub fn to_secret(&self) -> Secret {
        let stored = match self {
            Credential::ApiKey(key) => Stored::ApiKey(key),
            Credential::Basic { user, password } => Stored::Basic(user, password),
        };
        Secret::json(Zeroizing::new(serde_json::to_string(&stored).unwrap_or_default()))
    }

    /// Parses a decrypted credential.
    pub fn from_secret(secret: &Secret) -> Option<Self> {
        // Strings with escapes cannot be borrowed, so they are read as owned ones.
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Opened {
            ApiKey(Zeroizing<String>),
            Basic(String, Zeroizing<String>),
        }
        Some(match serde_json::from_str(secret.expose()).ok()? {
            Opened::ApiKey(key) => Credential::ApiKey(key),
            Opened::Basic(user, password) => Credential::Basic { user, password },
        })
    }

    /// The value of the `Authorization` header.
    pub(super) fn header(&self) -> Zeroizing<String> {
        match self {
            Credential::ApiKey(key) => Zeroizing::new(format!("ApiKey {}", key.as_str())),
            Credential::Basic { user, password } => {
                let pair = Zeroizing::new(format!("{user}:{}", password.as_str()));
                Zeroizing::new(format!("Basic {}", Zeroizing::new(BASE64.encode(pair.as_bytes())).as_str()))
            }
        }
    }

    /// Returns the texts that nothing may repeat: the parts, and the whole as it is sent.
    pub(super) fn words(&self) -> Vec<Zeroizing<String>> {
        let header = self.header();
        let sent = header.split_once(' ').map_or("", |(_, sent)| sent);
        let mut words = vec![Zeroizing::new(sent.to_owned())];
        let pair = BASE64.decode(sent).ok().and_then(|bytes| String::from_utf8(bytes).ok()).map(Zeroizing::new);
        // Of an API key, or of a user and a password: the second part alone is as good as the whole.
        if let Some(pair) = pair {
            words.extend(pair.split_once(':').map(|(_, second)| Zeroizing::new(second.to_owned())));
            words.push(pair);
        }
        words
    }

    /// Returns the kind for the UI.
    pub fn kind(&self) -> &'static str {
        match self {
            Credential::ApiKey(_) => "an API key",
            Credential::Basic { .. } => "user and password",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_credential_kinds_round_trip() {
        let password = Zeroizing::new("p\"ä\\:\n".to_owned());
        for credential in [
            Credential::api_key("aWQ6a2V5").expect("encoded"),
            Credential::api_key(" id:key ").expect("a pair"),
            Credential::basic("elastic", password).expect("basic"),
        ] {
            assert_eq!(Credential::from_secret(&credential.to_secret()), Some(credential.clone()));
            assert!(!format!("{credential:?}").contains("a2V5"));
        }
        assert_eq!(Credential::api_key("id:key").expect("a pair").header().as_str(), "ApiKey aWQ6a2V5");
    }

    #[test]
    fn invalid_credential_is_not_echoed() {
        for text in ["hunter2", "", "ApiKey", "aHVudGVyMg=="] {
            let error = Credential::api_key(text).expect_err(text);
            assert!(!error.contains("hunter2"));
        }
        assert!(Credential::basic("a:b", Zeroizing::default()).is_err());
    }
}
