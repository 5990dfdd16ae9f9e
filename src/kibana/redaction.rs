//! Values that a server must not repeat: the credential and the secrets of connectors.
//!
//! A server or a proxy may put anything into an answer, including what it received. Every text of a server passes here
//! before it is printed or stored: known values are masked in every encoding, control characters become blanks, and
//! long texts are cut. A text is examined as it is and with its escapes decoded (`disguise`).

mod disguise;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use memchr::memmem;
use zeroize::Zeroizing;

use disguise::{forms_of, readings};

/// Shorter values are everywhere by chance: masking them would garble every message. They are masked in quotes.
const SHORTEST_MASKED: usize = 4;

/// Shorter values in a config do not indicate an echo.
const SHORTEST_REFUSED: usize = 6;

/// Characters of a message that are kept.
const LONGEST_MESSAGE: usize = 500;

/// A value in all its forms; wiped when dropped.
type Forms = Vec<Zeroizing<Vec<u8>>>;

/// The values that are known to be secret.
#[derive(Default)]
pub(super) struct Redaction {
    /// Of the credential.
    credential: Forms,
    /// Of the secrets of each connector that is worked with.
    by_connector: Mutex<HashMap<String, Forms>>,
}

impl Redaction {
    /// Registers the values of a credential.
    pub(super) fn new(credential: &[Zeroizing<String>]) -> Self {
        Self { credential: forms_of(credential), by_connector: Mutex::default() }
    }

    /// Registers the secrets of a connector. A value that its name or config shows is not treated as secret.
    pub(super) fn register(&self, id: &str, secrets: &[Zeroizing<String>], in_the_clear: &[&str]) {
        let forms = forms_of(&hidden(secrets, in_the_clear));
        self.by_connector.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), forms);
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
        let by_connector = self.by_connector.lock().unwrap_or_else(PoisonError::into_inner);
        let mut spans: Vec<Range<usize>> = Vec::new();
        for reading in readings(text) {
            for form in self.credential.iter().chain(by_connector.values().flatten()) {
                spans.extend(memmem::find_iter(&reading.bytes, form.as_slice()).map(|at| reading.span(at, form.len())));
            }
        }
        without(text, spans)
    }

    /// Returns whether a text to be stored contains the credential or a secret of this connector.
    pub(super) fn is_repeated_in(&self, id: &str, text: &str) -> bool {
        let by_connector = self.by_connector.lock().unwrap_or_else(PoisonError::into_inner);
        holds_any(text, self.credential.iter().chain(by_connector.get(id).into_iter().flatten()))
    }
}

/// Returns whether a text to be stored contains one of these secrets of its connector.
pub(super) fn is_echoed(text: &str, secrets: &[Zeroizing<String>], in_the_clear: &[&str]) -> bool {
    holds_any(text, forms_of(&hidden(secrets, in_the_clear)).iter())
}

fn hidden(secrets: &[Zeroizing<String>], in_the_clear: &[&str]) -> Vec<Zeroizing<String>> {
    let is_hidden = |secret: &&Zeroizing<String>| !in_the_clear.iter().any(|text| text.contains(secret.as_str()));
    secrets.iter().filter(is_hidden).cloned().collect()
}

fn holds_any<'a>(text: &str, forms: impl Iterator<Item = &'a Zeroizing<Vec<u8>>>) -> bool {
    let forms: Vec<_> = forms.filter(|form| form.len() >= SHORTEST_REFUSED).collect();
    let holds = |bytes: &[u8]| forms.iter().any(|form| memmem::find(bytes, form).is_some());
    !forms.is_empty() && readings(text).any(|reading| holds(&reading.bytes))
}

/// The text without the spans, each of them an ellipsis.
fn without(text: &str, mut spans: Vec<Range<usize>>) -> String {
    spans.sort_by_key(|span| span.start);
    let (mut masked, mut at) = (String::with_capacity(text.len()), 0);
    for span in spans {
        if span.start >= at {
            masked.push_str(text.get(at..span.start).unwrap_or_default());
            masked.push('…');
        }
        at = at.max(span.end);
    }
    masked.push_str(text.get(at..).unwrap_or_default());
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[test]
    fn every_encoding_of_a_secret_is_masked() {
        let redaction = Redaction::new(&[secret("id:s3cret\"key")]);
        redaction.register("one", &[secret("hunter2/ü"), secret("ab")], &[]);
        for repeated in [
            "id:s3cret\"key",
            "id:s3cret\\\"key",
            "aWQ6czNjcmV0ImtleQ==",
            "aWQ6czNjcmV0ImtleQ",
            "hunter2/ü",
            "hunter2%2F%C3%BC",
            "hunter2/%c3%bc",
            "%68%75%6e%74er2/ü",
            "\\u0068unter2\\/\\u00fc",
            "hun\u{200b}ter2/ü",
            "h&#117;nter2/&#xfc;",
            "hunter2&#x2F;ü",
            "68756e746572322fc3bc",
            "aHVudGVyMi_DvA",
            // Within a longer text: user:hunter2/ü, and with one letter more before it.
            "dXNlcjpodW50ZXIyL8O8",
            "eHVzZXI6aHVudGVyMi/DvA==",
            "xusEcjpodW50ZXIyL8O8",
        ] {
            let message = redaction.message(&format!("a {repeated} b\u{1b}[m"));
            assert_eq!(message, "a … b [m", "{repeated}");
        }
        assert_eq!(redaction.message("the pin [\"ab\"] of a cab"), "the pin […] of a cab", "short ones in quotes");
        assert_eq!(redaction.message("a cab is no secret"), "a cab is no secret");
    }

    #[test]
    fn echoed_secret_is_distinguished_from_sent_config() {
        let redaction = Redaction::new(&[secret("credential")]);
        redaction.register("one", &[secret("hunter2"), secret("elastic")], &[r#"{"url":"https://elastic.example"}"#]);
        assert!(redaction.is_repeated_in("one", r#"{"password":"hunter2"}"#));
        assert!(!redaction.is_repeated_in("one", r#"{"url":"https://elastic.example"}"#));
        assert!(!redaction.is_repeated_in("two", r#"{"password":"hunter2"}"#));
        assert!(redaction.is_repeated_in("two", "a credential"));
        for disguised in [r#"{"a":{"hunt\u0065r2":1}}"#, r#""\ud800 hunter\u0032""#, "aHVudGVyMg", "%68unter2"] {
            assert!(redaction.is_repeated_in("one", disguised), "{disguised}");
        }
        let (secrets, clear) = ([secret("hunter2"), secret("elastic")], ["elastic"]);
        assert!(is_echoed("x hunter2", &secrets, &clear) && !is_echoed("x elastic", &secrets, &clear));
    }

    #[test]
    fn server_message_is_truncated() {
        assert_eq!(Redaction::default().message(&"x".repeat(2000)).chars().count(), LONGEST_MESSAGE + 1);
    }
}
