//! Decodes the bytes of a terminal: keys, the mouse, pasted text.
//!
//! The crate `terminput` parses sequences. Pastes are parsed here, because a paste may be a secret: its bytes are only
//! in buffers that are wiped.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use terminput::{Event, KeyEventKind, MouseButton, MouseEventKind, ScrollDirection};
use zeroize::{Zeroize, Zeroizing};

use crate::tui::app::Mouse;
use crate::tui::keymap::Key;

/// An input of the terminal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// A key was pressed.
    Key(Key),
    /// The mouse was used.
    Mouse(Mouse),
    /// Text was pasted.
    Paste(Zeroizing<String>),
}

/// The brackets around a paste (bracketed paste, DEC private mode 2004).
const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// No sequence of a key or of the mouse is longer.
const LONGEST_SEQUENCE: usize = 64;

/// The largest paste in bytes: more than any field accepts, so that a longer one is refused there and not cut here.
const LONGEST_PASTE: usize = 4 << 20;

/// Accepts bytes in any portions.
#[derive(Default)]
pub(super) struct Decoder {
    /// The beginning of a sequence or of a character.
    begun: Zeroizing<Vec<u8>>,
    /// The paste that has begun and not ended.
    paste: Option<Paste>,
    /// An unfinished reply of the terminal that is to be ignored.
    skipped: Option<Skipped>,
}

/// A sequence whose bytes are not keys.
#[derive(Clone, Copy)]
enum Skipped {
    /// `ESC [ …`, up to a letter or the like.
    Control,
    /// `ESC ] …` and other strings, up to BEL or `ESC \\`; whether the last byte was ESC.
    Text { escaped: bool },
}

impl Skipped {
    /// Handles a byte; returns the rest to ignore.
    fn take(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Skipped::Control, 0x40..=0x7e)
            | (Skipped::Text { escaped: true }, b'\\')
            | (Skipped::Text { .. }, 0x07) => None,
            (Skipped::Control, _) => Some(self),
            (Skipped::Text { .. }, _) => Some(Skipped::Text { escaped: byte == 0x1b }),
        }
    }
}

#[derive(Default)]
struct Paste {
    bytes: Zeroizing<Vec<u8>>,
    /// The length of the partial end marker, which is not part of the text if the rest follows.
    end: usize,
}

impl Decoder {
    /// Returns whether a sequence is unfinished.
    pub(super) fn is_waiting(&self) -> bool {
        !self.begun.is_empty() || self.paste.is_some() || self.skipped.is_some()
    }

    /// Decodes bytes. `has_more`: more bytes can be read at once, so that an Esc may begin a sequence.
    pub(super) fn take(&mut self, bytes: &[u8], has_more: bool, found: &mut Vec<Input>) {
        for (at, byte) in bytes.iter().enumerate() {
            if let Some(paste) = &mut self.paste {
                if paste.take(*byte) {
                    found.extend(self.paste.take().map(Paste::text));
                }
                continue;
            }
            if let Some(skipped) = self.skipped.take() {
                self.skipped = skipped.take(*byte);
                continue;
            }
            self.begun.push(*byte);
            let is_last = at + 1 == bytes.len() && !has_more;
            if self.begun.as_slice() == PASTE_BEGINS {
                self.begun.clear();
                self.paste = Some(Paste::default());
            } else if !is_last && matches!(self.begun.as_slice(), [0x1b, b']' | b'P' | b'X' | b'^' | b'_']) {
                self.begun.zeroize();
                self.skipped = Some(Skipped::Text { escaped: false });
            } else if self.begun.as_slice() != b"\x1b" || is_last {
                self.decode(found);
            }
        }
    }

    /// Gives up on an unfinished sequence after a time-out.
    pub(super) fn give_up(&mut self, found: &mut Vec<Input>) {
        self.begun.zeroize();
        self.skipped = None;
        found.extend(self.paste.take().map(Paste::text));
    }

    fn decode(&mut self, found: &mut Vec<Input>) {
        // A paste is known by its whole beginning, which the library must not see.
        if PASTE_BEGINS.starts_with(&self.begun) && self.begun.len() > 2 {
            return;
        }
        // The library subtracts one from coordinates that a terminal must not send as zero.
        if is_mouse_at_zero(&self.begun) {
            return self.begun.zeroize();
        }
        match Event::parse_from(&self.begun) {
            Ok(Some(event)) => {
                found.extend(input_of(&event));
                self.begun.zeroize();
            }
            Ok(None) if self.begun.len() < LONGEST_SEQUENCE => {}
            Ok(None) | Err(_) => {
                let is_open = |rest: &[u8]| rest.last().is_none_or(|last| !(0x40..=0x7e).contains(last));
                if self.begun.strip_prefix(b"\x1b[").is_some_and(is_open) {
                    self.skipped = Some(Skipped::Control);
                }
                self.begun.zeroize();
            }
        }
    }
}

impl Paste {
    /// Handles a byte; true at the end of the paste.
    fn take(&mut self, byte: u8) -> bool {
        if PASTE_ENDS.get(self.end) == Some(&byte) {
            self.end += 1;
            return self.end == PASTE_ENDS.len();
        }
        // It only resembled the end marker, which contains Esc only at its beginning.
        let looked_like = PASTE_ENDS.get(..std::mem::take(&mut self.end)).unwrap_or_default();
        looked_like.iter().for_each(|byte| self.push(*byte));
        if byte == b'\x1b' {
            self.end = 1;
        } else {
            self.push(byte);
        }
        false
    }

    fn push(&mut self, byte: u8) {
        if self.bytes.len() == LONGEST_PASTE {
            return;
        }
        if self.bytes.len() == self.bytes.capacity() {
            // Grown by hand: a vector that grows by itself leaves a copy behind.
            let mut bigger = Zeroizing::new(Vec::with_capacity((self.bytes.capacity() * 2).max(4096)));
            bigger.extend_from_slice(&self.bytes);
            self.bytes = bigger;
        }
        self.bytes.push(byte);
    }

    fn text(mut self) -> Input {
        // Not copied where it is text, as it nearly always is.
        let text = match String::from_utf8(std::mem::take(&mut *self.bytes)) {
            Ok(text) => Zeroizing::new(text),
            Err(error) => {
                let bytes = Zeroizing::new(error.into_bytes());
                Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())
            }
        };
        Input::Paste(text)
    }
}

/// `ESC [ < button ; 0 …` and the like; coordinates count from one.
fn is_mouse_at_zero(sequence: &[u8]) -> bool {
    let Some(rest) = sequence.strip_prefix(b"\x1b[") else { return false };
    let fields = match (rest.strip_prefix(b"<"), rest.strip_prefix(b"M")) {
        (Some(fields), _) => fields,
        (None, Some([_, x, y])) => return *x <= 32 || *y <= 32,
        _ => rest,
    };
    let ends = matches!(sequence.last(), Some(b'M' | b'm'));
    let numbers = fields.split(|byte| matches!(byte, b';' | b'M' | b'm')).skip(1);
    ends && numbers.filter(|number| !number.is_empty()).any(|number| number.iter().all(|digit| *digit == b'0'))
}

fn input_of(event: &Event) -> Option<Input> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Input::Key(key_of(*key)?)),
        Event::Mouse(mouse) => mouse_of(mouse).map(Input::Mouse),
        _ => None,
    }
}

fn mouse_of(mouse: &terminput::MouseEvent) -> Option<Mouse> {
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Mouse::Click(mouse.column, mouse.row)),
        MouseEventKind::Scroll(ScrollDirection::Up) => Some(Mouse::WheelUp),
        MouseEventKind::Scroll(ScrollDirection::Down) => Some(Mouse::WheelDown),
        // Moving alone is of no use.
        _ => None,
    }
}

fn key_of(key: terminput::KeyEvent) -> Option<Key> {
    use terminput::KeyCode as Code;
    let code = match key.code {
        Code::Backspace => KeyCode::Backspace,
        Code::Enter => KeyCode::Enter,
        Code::Left => KeyCode::Left,
        Code::Right => KeyCode::Right,
        Code::Up => KeyCode::Up,
        Code::Down => KeyCode::Down,
        Code::Home => KeyCode::Home,
        Code::End => KeyCode::End,
        Code::PageUp => KeyCode::PageUp,
        Code::PageDown => KeyCode::PageDown,
        Code::Tab => KeyCode::Tab,
        Code::Delete => KeyCode::Delete,
        Code::Insert => KeyCode::Insert,
        Code::Esc => KeyCode::Esc,
        Code::F(number) => KeyCode::F(number),
        Code::Char(character) => KeyCode::Char(character),
        _ => return None,
    };
    let mut modifiers = KeyModifiers::NONE;
    for (theirs, ours) in [
        (terminput::KeyModifiers::SHIFT, KeyModifiers::SHIFT),
        (terminput::KeyModifiers::ALT, KeyModifiers::ALT),
        (terminput::KeyModifiers::CTRL, KeyModifiers::CONTROL),
    ] {
        modifiers.set(ours, key.modifiers.contains(theirs));
    }
    Some(KeyEvent::new(code, modifiers).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(parts: &[&[u8]]) -> Vec<Input> {
        let (mut decoder, mut found) = (Decoder::default(), Vec::new());
        parts.iter().for_each(|part| decoder.take(part, false, &mut found));
        found
    }

    fn keys(names: &str) -> Vec<Input> {
        names.split_whitespace().map(|name| Input::Key(Key::parse(name).expect("a key"))).collect()
    }

    fn paste(text: &str) -> Input {
        Input::Paste(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn key_sequences_are_decoded() {
        for (bytes, names) in [
            (&b"aZ~"[..], "a Z ~"),
            (b"\r\t\x7f\x1b[Z", "Enter Tab Backspace Shift-Tab"),
            (b"\x1b[A\x1bOB\x1b[H\x1b[4~\x1b[5~\x1b[6~\x1b[3~", "Up Down Home End PgUp PgDn Del"),
            (b"\x01\x13\x1b[1;5D", "Ctrl-a Ctrl-s Ctrl-Left"),
            (b"\x1bx\x1b[15~\x1bOP", "Alt-x F5 F1"),
            ("é障".as_bytes(), "é 障"),
            (b"\x1b", "Esc"),
        ] {
            assert_eq!(decoded(&[bytes]), keys(names), "{bytes:?}");
        }
    }

    #[test]
    fn terminal_replies_are_not_keys() {
        let long = [b"\x1b[".as_slice(), &b"1;".repeat(200), b"1mq"].concat();
        for bytes in [
            &b"\x1b[>0;1;2cq"[..],
            b"\x1b[?62;22cq",
            b"\x1b]52;c;ZGRkZA==\x07q",
            b"\x1b]11;rgb:0000/0000/0000\x1b\\q",
            b"\x1bP>|term 1.0\x1b\\q",
            b"\x1b_Gi=1;OK\x1b\\q",
            &long,
        ] {
            assert_eq!(decoded(&[bytes]), keys("q"), "{bytes:?}");
        }
        // One that never ends is given up with the next pause, and eats nothing after it.
        let (mut decoder, mut found) = (Decoder::default(), Vec::new());
        decoder.take(b"\x1bPabc", false, &mut found);
        assert!(decoder.is_waiting());
        decoder.give_up(&mut found);
        decoder.take(b"c", false, &mut found);
        assert_eq!(found, keys("c"));
        assert_eq!(decoded(&[b"\x1b]"]), keys("Alt-]"), "a key by itself");
    }

    #[test]
    fn split_sequence_is_joined_and_lone_escape_is_a_key() {
        assert_eq!(decoded(&[b"\x1b[", b"1;5", b"C"]), keys("Ctrl-Right"));
        assert_eq!(decoded(&["é".as_bytes().get(..1).unwrap(), "é".as_bytes().get(1..).unwrap()]), keys("é"));
        assert_eq!(decoded(&[b"\x1b", b"x"]), keys("Esc x"));
    }

    #[test]
    fn incomplete_sequence_swallows_no_other_key() {
        let (mut decoder, mut found) = (Decoder::default(), Vec::new());
        decoder.take(b"\x1b[", false, &mut found);
        assert!(decoder.is_waiting() && found.is_empty());
        decoder.give_up(&mut found);
        decoder.take(b"q", false, &mut found);
        assert_eq!(found, keys("q"));
        assert!(!decoder.is_waiting());
    }

    #[test]
    fn pasted_text_is_never_a_key() {
        assert_eq!(decoded(&[b"\x1b[200~a\r\nq\x1b[201~b"]), [paste("a\r\nq"), keys("b").remove(0)]);
        assert_eq!(decoded(&[b"\x1b[2", b"00~x\x1b[2", b"01", b"~"]), [paste("x")]);
        assert_eq!(decoded(&[b"\x1b[200~\x1b[20\x1b[31mx\xff\x1b[201~"]), [paste("\x1b[20\x1b[31mx\u{fffd}")]);
        let long = [PASTE_BEGINS, &vec![b'x'; LONGEST_PASTE + 9], PASTE_ENDS, b"y"].concat();
        assert_eq!(decoded(&[&long]).last(), keys("y").last());
    }

    #[test]
    fn mouse_events_are_decoded_within_range() {
        assert_eq!(decoded(&[b"\x1b[<0;3;4M\x1b[<0;3;4m"]), [Input::Mouse(Mouse::Click(2, 3))]);
        assert_eq!(
            decoded(&[b"\x1b[<64;1;1M\x1b[<65;1;1M"]),
            [Input::Mouse(Mouse::WheelUp), Input::Mouse(Mouse::WheelDown)]
        );
        for impossible in [&b"\x1b[<0;0;4M"[..], b"\x1b[<0;4;0M", b"\x1b[M   ", b"\x1b[M  !", b"\x1b[32;0;0M"] {
            assert_eq!(decoded(&[impossible]), [], "{impossible:?}");
        }
    }

    proptest! {
        #[test]
        fn no_input_bytes_panic(parts in proptest::collection::vec(proptest::collection::vec(
            prop_oneof![Just(b'\x1b'), Just(b'['), Just(b'<'), Just(b'M'), Just(b';'), Just(b'0'), Just(b'~'), any::<u8>()],
            0..12,
        ), 0..12)) {
            let (mut decoder, mut found) = (Decoder::default(), Vec::new());
            for part in parts {
                decoder.take(&part, part.len() % 2 == 0, &mut found);
            }
            decoder.give_up(&mut found);
            decoder.take(b"q", false, &mut found);
            prop_assert_eq!(found.pop(), keys("q").pop());
        }
    }
}
