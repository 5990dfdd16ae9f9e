//! The clipboard of the terminal, by the sequence that works over SSH too (OSC 52).
#![expect(clippy::disallowed_methods, reason = "the text is base64")]

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Terminals cut off or drop longer texts.
const LONGEST: usize = 74_000;

/// Sends a text to the clipboard. The terminal does not confirm it.
///
/// # Errors
/// If it is too long for a terminal, or the terminal is gone.
pub fn copy(text: &str) -> Result<(), String> {
    if text.len() > LONGEST {
        return Err(format!(
            "{} bytes are more than terminals take for their clipboard; export it instead",
            text.len()
        ));
    }
    let mut out = io::stdout();
    write!(out, "\x1b]52;c;{}\x07", STANDARD.encode(text)).and_then(|()| out.flush()).map_err(|error| error.to_string())
}
