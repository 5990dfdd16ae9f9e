//! A secret being entered: it can be typed and pasted, and never read back. Wiped when dropped.

use crossterm::event::KeyCode;
use unicode_segmentation::UnicodeSegmentation;
use zeroize::Zeroizing;

use super::input::TooLong;
use crate::text::plural;
use crate::tui::keymap::Key;

/// The longest secret in bytes; certificates and service accounts are far shorter.
const LONGEST: usize = 256 << 10;
/// The initial capacity; it is doubled by hand, so that no copy is left behind.
const ROOM: usize = 256;

/// The intended change of the stored secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intent {
    /// Keep it.
    #[default]
    Keep,
    /// Replace it with the entered text.
    Replace,
    /// Clear it.
    Clear,
}

/// The entered text and the intended change.
#[derive(Clone, Default)]
pub struct SecretInput {
    text: Zeroizing<String>,
    intent: Intent,
}

impl std::fmt::Debug for SecretInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretInput({:?})", self.intent)
    }
}

impl SecretInput {
    /// Returns the intended change.
    pub fn intent(&self) -> Intent {
        self.intent
    }

    /// Returns the entered text; empty unless it replaces the secret.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Handles a key; false if the key does not apply.
    pub fn key(&mut self, key: Key) -> bool {
        match (key.code, key.ctrl) {
            (KeyCode::Backspace, _) | (KeyCode::Char('h'), true) => {
                let end = self.text.grapheme_indices(true).next_back().map_or(0, |(at, _)| at);
                self.cut(end);
            }
            (KeyCode::Char('u' | 'w'), true) => self.cut(0),
            _ => match key.typed() {
                // A full field accepts no more letters and shows how many it has.
                Some(character) => {
                    let _ = self.insert(character.encode_utf8(&mut [0; 4]));
                }
                None => return false,
            },
        }
        true
    }

    /// Adds text at the end; line breaks stay, other controls are left out.
    ///
    /// # Errors
    /// [`TooLong`]; nothing is added then.
    pub fn insert(&mut self, text: &str) -> Result<(), TooLong> {
        if text.len() > LONGEST.saturating_sub(self.text.len()) {
            return Err(TooLong(LONGEST));
        }
        self.make_room(text.len());
        // Terminals send the line breaks of a paste as they like: CR LF, LF, or a lone CR.
        let mut after_return = false;
        let line_breaks = text.chars().filter_map(|character| {
            let is_second = character == '\n' && after_return;
            after_return = character == '\r';
            (!is_second).then_some(if after_return { '\n' } else { character })
        });
        for character in line_breaks.filter(|character| !character.is_control() || matches!(character, '\n' | '\t')) {
            self.text.push(character);
        }
        if !self.text.is_empty() {
            self.intent = Intent::Replace;
        }
        Ok(())
    }

    fn make_room(&mut self, more: usize) {
        let needed = (self.text.len() + more).min(LONGEST);
        if needed <= self.text.capacity() {
            return;
        }
        let mut bigger = Zeroizing::new(String::with_capacity(needed.max(self.text.capacity() * 2).max(ROOM)));
        bigger.push_str(&self.text);
        self.text = bigger;
    }

    fn cut(&mut self, end: usize) {
        // Copied, so that the rest is wiped too.
        let mut shorter = Zeroizing::new(String::with_capacity(self.text.capacity()));
        shorter.push_str(&self.text[..end]);
        self.text = shorter;
        self.intent = if self.text.is_empty() { Intent::Keep } else { Intent::Replace };
    }

    /// Clears the stored secret, or keeps it after all.
    pub fn toggle_clear(&mut self, is_set: bool) {
        let was_kept = self.intent == Intent::Keep;
        self.cut(0);
        if was_kept && is_set {
            self.intent = Intent::Clear;
        }
    }

    /// Returns a dot per character and the length, never the text.
    pub fn shown(&self, cells: usize) -> String {
        let (count, lines) = (self.text.graphemes(true).count(), self.text.lines().count());
        let characters = plural(count as u64, "character");
        let size = if lines > 1 { format!(" ({characters}, {lines} lines)") } else { format!(" ({characters})") };
        format!("{}{size}", "•".repeat(count.min(cells.saturating_sub(size.len()).min(24))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(input: &mut SecretInput, keys: &str) {
        for name in keys.split_whitespace() {
            assert!(input.key(Key::parse(name).expect("a key")), "{name}");
        }
    }

    #[test]
    fn secret_is_entered_without_echo() {
        let mut input = SecretInput::default();
        press(&mut input, "a b ü Backspace c");
        assert_eq!(
            (input.text(), input.intent(), input.shown(60).as_str()),
            ("abc", Intent::Replace, "••• (3 characters)")
        );
        input.insert("\r\n-----BEGIN\u{1b}[0m\r").expect("room");
        assert_eq!(input.text(), "abc\n-----BEGIN[0m\n");
        assert!(input.shown(80).contains("2 lines") && !format!("{input:?}").contains("abc"));
        press(&mut input, "Ctrl-u");
        assert_eq!((input.text(), input.intent()), ("", Intent::Keep));
        assert!(!input.key(Key::parse("Left").expect("a key")));
    }

    #[test]
    fn cleared_secret_can_be_kept_again() {
        let mut input = SecretInput::default();
        input.toggle_clear(true);
        assert_eq!(input.intent(), Intent::Clear);
        input.toggle_clear(true);
        assert_eq!(input.intent(), Intent::Keep);
        input.toggle_clear(false);
        assert_eq!(input.intent(), Intent::Keep);
        assert_eq!(input.insert(&"x".repeat(LONGEST + 1)), Err(TooLong(LONGEST)));
        assert_eq!(input.text(), "", "half a secret is another secret");
        input.insert(&"x".repeat(LONGEST)).expect("room");
        assert_eq!(input.text().len(), LONGEST);
    }
}
