//! What a server must not repeat: the credential, and the secrets that were sent.
//!
//! A server, or what stands before it, may put anything into its answers, also what it was sent. Every text of a server
//! passes here before it is printed or stored: known values are masked in each form they are sent or repeated in,
//! control characters become blanks, and what is too long is cut.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

/// Shorter values are everywhere by chance: masking them would garble every message.
const SHORTEST_MASKED: usize = 4;

/// Shorter values in a config are no sign of an echo.
const SHORTEST_REFUSED: usize = 6;

/// Characters of a message that are kept.
const LONGEST_MESSAGE: usize = 500;

/// A value in all its forms; wiped when dropped.
type Forms = Vec<Zeroizing<String>>;

/// The values that are known to be secret.
#[derive(Default)]
pub(super) struct Redaction {
    /// Of the credential.
    credential: Forms,
    /// Of the secrets that were sent for each connector.
    sent: Mutex<HashMap<String, Forms>>,
}

impl Redaction {
    /// Knows the values of a credential.
    pub(super) fn new(credential: &[Zeroizing<String>]) -> Self {
        Self { credential: forms_of(credential), sent: Mutex::default() }
    }

    /// Remembers the secrets that are sent for a connector. What its name or config holds in the clear is no secret.
    pub(super) fn remember(&self, id: &str, secrets: &[Zeroizing<String>], in_the_clear: &[&str]) {
        let is_hidden = |secret: &&Zeroizing<String>| !in_the_clear.iter().any(|text| text.contains(secret.as_str()));
        let hidden: Vec<_> = secrets.iter().filter(is_hidden).cloned().collect();
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), forms_of(&hidden));
    }

    /// Returns a text of a server for a message: masked, on one line, and no longer than a user reads.
    pub(super) fn message(&self, text: &str) -> String {
        let masked: String =
            self.mask(text).chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        match masked.char_indices().nth(LONGEST_MESSAGE) {
            Some((at, _)) => format!("{}…", masked.get(..at).unwrap_or_default()),
            None => masked,
        }
    }

    /// Returns a text of a server without the values.
    pub(super) fn mask(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        self.each(|value| {
            if value.len() >= SHORTEST_MASKED && masked.contains(value) {
                masked = masked.replace(value, "…");
            }
        });
        masked
    }

    /// Whether a text that would be stored holds the credential, or what was sent for this connector.
    pub(super) fn is_repeated_in(&self, id: &str, text: &str) -> bool {
        let holds =
            |forms: &Forms| forms.iter().any(|value| value.len() >= SHORTEST_REFUSED && text.contains(value.as_str()));
        holds(&self.credential) || self.sent.lock().unwrap_or_else(PoisonError::into_inner).get(id).is_some_and(holds)
    }

    /// Calls with each value, the longest first: a short one may be part of it.
    fn each(&self, mut each: impl FnMut(&str)) {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<&str> =
            self.credential.iter().chain(sent.values().flatten()).map(|value| value.as_str()).collect();
        all.sort_by_key(|value| std::cmp::Reverse(value.len()));
        all.into_iter().for_each(&mut each);
    }
}

/// The forms in which a value is sent, or comes back: as it is, line by line, as JSON, in an address, in base64.
fn forms_of(values: &[Zeroizing<String>]) -> Forms {
    /// Shorter lines of a key or certificate say nothing.
    const SHORTEST_LINE: usize = 16;
    let mut forms: Forms = Vec::new();
    for value in values.iter().filter(|value| value.len() >= SHORTEST_MASKED) {
        let json = Zeroizing::new(serde_json::to_string(value.as_str()).unwrap_or_default());
        let inner = json.get(1..json.len().saturating_sub(1)).unwrap_or_default();
        forms.push(value.clone());
        forms.push(Zeroizing::new(inner.to_owned()));
        forms.push(Zeroizing::new(utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()));
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            forms.push(Zeroizing::new(engine.encode(value.as_bytes())));
        }
        let lines = value.lines().filter(|line| line.len() >= SHORTEST_LINE && line.len() < value.len());
        forms.extend(lines.map(|line| Zeroizing::new(line.to_owned())));
    }
    forms.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[test]
    fn each_form_of_a_value_is_masked() {
        let redaction = Redaction::new(&[secret("id:s3cret\"key")]);
        redaction.remember("one", &[secret("hunter2/ü"), secret("ab")], &[]);
        for repeated in [
            "id:s3cret\"key",
            "id:s3cret\\\"key",
            "aWQ6czNjcmV0ImtleQ==",
            "aWQ6czNjcmV0ImtleQ",
            "hunter2/ü",
            "hunter2%2F%C3%BC",
            "aHVudGVyMi_DvA",
        ] {
            let message = redaction.message(&format!("a {repeated} b\u{1b}[m"));
            assert_eq!(message, "a … b [m", "{repeated}");
        }
        assert_eq!(redaction.message("a cab is no secret"), "a cab is no secret");
    }

    #[test]
    fn an_echo_in_a_config_is_told_from_what_was_sent_there() {
        let redaction = Redaction::new(&[secret("credential")]);
        redaction.remember("one", &[secret("hunter2"), secret("elastic")], &[r#"{"url":"https://elastic.example"}"#]);
        assert!(redaction.is_repeated_in("one", r#"{"password":"hunter2"}"#));
        assert!(!redaction.is_repeated_in("one", r#"{"url":"https://elastic.example"}"#));
        assert!(!redaction.is_repeated_in("two", r#"{"password":"hunter2"}"#));
        assert!(redaction.is_repeated_in("two", "a credential"));
    }

    #[test]
    fn a_message_is_short() {
        assert_eq!(Redaction::default().message(&"x".repeat(2000)).chars().count(), LONGEST_MESSAGE + 1);
    }
}
