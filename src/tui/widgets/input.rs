//! A text input of one line or several. The cursor moves by grapheme.

use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

use super::theme::Theme;
use crate::text::terminal::{safe, width};
use crate::tui::keymap::Key;
use crossterm::event::KeyCode;

/// The longest text, in bytes.
pub const LONGEST: usize = 1 << 20;

/// The text is longer than its field accepts. Nothing was inserted, because a part of it would be something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is too long: a field holds {} KiB at most. Nothing was changed", .0 >> 10)]
pub struct TooLong(pub usize);

/// A text and its cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextInput {
    text: String,
    /// Byte offset, always at the edge of a grapheme.
    cursor: usize,
    multiline: bool,
}

impl TextInput {
    /// One line, the cursor at its end.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len(), multiline: false }
    }

    /// Several lines, the cursor at the start.
    pub fn multiline(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: 0, multiline: true }
    }

    /// Another text in its place, as it is, the cursor where a new one has it.
    pub fn replace(&mut self, text: &str) {
        *self = if self.multiline { Self::multiline(text) } else { Self::new(text) };
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Handles a key; false if the key does not apply to a text.
    pub fn key(&mut self, key: Key) -> bool {
        match (key.code, key.ctrl) {
            (KeyCode::Backspace, _) => self.erase(self.previous(), self.cursor),
            (KeyCode::Char('h'), true) => self.erase(self.previous(), self.cursor),
            (KeyCode::Delete, _) => self.erase(self.cursor, self.next()),
            (KeyCode::Char('w'), true) => self.erase(self.word_start(), self.cursor),
            (KeyCode::Char('u'), true) => self.erase(self.line_start(), self.cursor),
            (KeyCode::Char('k'), true) => self.erase(self.cursor, self.line_end()),
            (KeyCode::Left, false) => self.cursor = self.previous(),
            (KeyCode::Right, false) => self.cursor = self.next(),
            (KeyCode::Left, true) => self.cursor = self.word_start(),
            (KeyCode::Home, _) | (KeyCode::Char('a'), true) => self.cursor = self.line_start(),
            (KeyCode::End, _) | (KeyCode::Char('e'), true) => self.cursor = self.line_end(),
            _ => match key.typed() {
                // A full field accepts no more letters and shows that.
                Some(character) => {
                    let _ = self.insert(&character.to_string());
                }
                None => return false,
            },
        }
        true
    }

    /// Inserts text at the cursor: in one line, line breaks and tabs become blanks; other controls are left out.
    ///
    /// # Errors
    /// [`TooLong`]; nothing is inserted then.
    pub fn insert(&mut self, text: &str) -> Result<(), TooLong> {
        let is_blank = |character: char| matches!(character, '\n' | '\t');
        let clean: String = text
            .replace("\r\n", "\n")
            .replace('\r', "\n")
            .chars()
            .map(|character| if is_blank(character) && !self.multiline { ' ' } else { character })
            .filter(|character| is_blank(*character) || !character.is_control())
            .collect();
        if clean.len() > LONGEST.saturating_sub(self.text.len()) {
            return Err(TooLong(LONGEST));
        }
        self.text.insert_str(self.cursor, &clean);
        self.cursor += clean.len();
        // A combining character may have joined the grapheme before it.
        while !self.is_edge(self.cursor) {
            self.cursor = self.text.ceil_char_boundary(self.cursor + 1);
        }
        Ok(())
    }

    /// Moves to the line above or below; false at the first or last line.
    pub fn move_line(&mut self, down: bool) -> bool {
        let start = self.line_start();
        let column = self.text[start..self.cursor].graphemes(true).count();
        let target = if down {
            match self.line_end() {
                end if end == self.text.len() => return false,
                end => end + 1,
            }
        } else {
            match start {
                0 => return false,
                start => self.text[..start - 1].rfind('\n').map_or(0, |at| at + 1),
            }
        };
        let end = self.text[target..].find('\n').map_or(self.text.len(), |at| target + at);
        let line = &self.text[target..end];
        self.cursor = line.grapheme_indices(true).nth(column).map_or(end, |(at, _)| target + at);
        true
    }

    fn is_edge(&self, at: usize) -> bool {
        at == self.text.len() || self.text.grapheme_indices(true).any(|(edge, _)| edge == at)
    }

    fn erase(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
    }

    fn previous(&self) -> usize {
        self.text[..self.cursor].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn next(&self) -> usize {
        let rest = &self.text[self.cursor..];
        self.cursor + rest.graphemes(true).next().map_or(0, str::len)
    }

    fn word_start(&self) -> usize {
        let before = self.text[..self.cursor].trim_end_matches(|c: char| !c.is_alphanumeric());
        before.trim_end_matches(char::is_alphanumeric).len()
    }

    fn line_start(&self) -> usize {
        self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self) -> usize {
        self.text[self.cursor..].find('\n').map_or(self.text.len(), |at| self.cursor + at)
    }

    /// The text within `cells` columns and `height` lines, scrolled so that the cursor is in it. With
    /// the focus the cursor is a reversed cell.
    pub fn view(&self, cells: usize, height: usize, focused: bool, theme: Theme) -> Vec<Line<'static>> {
        let cursor_line = self.text[..self.cursor].matches('\n').count();
        let first = if focused { (cursor_line + 1).saturating_sub(height.max(1)) } else { 0 };
        let mut lines = Vec::new();
        for (at, line) in self.text.split('\n').enumerate().skip(first).take(height.max(1)) {
            let cursor = (focused && at == cursor_line).then(|| self.cursor - self.line_start());
            lines.push(view_line(line, cursor, cells, theme));
        }
        lines
    }
}

fn view_line(line: &str, cursor: Option<usize>, cells: usize, theme: Theme) -> Line<'static> {
    let Some(cursor) = cursor else {
        return Line::from(Span::styled(crate::text::terminal::clip(line, cells), theme.text()));
    };
    let before: Vec<String> = line[..cursor].graphemes(true).map(safe).collect();
    let mut rest = line[cursor..].graphemes(true);
    let under = rest.next().map_or(" ".to_owned(), safe);
    // Keep the cursor's cell in view: drop from the left what does not fit.
    let room = cells.saturating_sub(width(&under));
    let mut used = 0;
    let shown = before.iter().rev().take_while(|part| {
        used += width(part);
        used <= room
    });
    let skip = before.len() - shown.count();
    let head: String = before.iter().skip(skip).map(String::as_str).collect();
    let tail_room = room.saturating_sub(width(&head));
    let tail = crate::text::terminal::clip(rest.as_str(), tail_room);
    Line::from(vec![
        Span::styled(head, theme.text()),
        Span::styled(under, theme.selected()),
        Span::styled(tail, theme.text()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn press(input: &mut TextInput, keys: &str) {
        for name in keys.split_whitespace() {
            assert!(input.key(Key::parse(name).expect("a key")), "{name}");
        }
    }

    #[test]
    fn cursor_moves_by_grapheme() {
        let mut input = TextInput::new("a👩‍🚒e\u{301}");
        press(&mut input, "Backspace");
        assert_eq!(input.text(), "a👩‍🚒");
        press(&mut input, "Left x");
        assert_eq!(input.text(), "ax👩‍🚒");
        press(&mut input, "Home Del");
        assert_eq!(input.text(), "x👩‍🚒");
        press(&mut input, "End Ctrl-u");
        assert_eq!(input.text(), "");
    }

    #[test]
    fn paste_into_single_line_input_stays_one_line() {
        let mut input = TextInput::new("");
        input.insert("one\r\ntwo\x1b[31m\tthree").expect("room");
        assert_eq!(input.text(), "one two[31m three");
    }

    #[test]
    fn multi_line_input_keeps_tabs_and_refuses_oversize() {
        let mut input = TextInput::multiline("");
        input.insert("a\tb\r\n").expect("room");
        assert_eq!(input.text(), "a\tb\n");
        assert_eq!(input.insert(&"x".repeat(LONGEST)), Err(TooLong(LONGEST)));
        assert_eq!(input.text(), "a\tb\n");
    }

    #[test]
    fn cursor_moves_between_lines() {
        let mut input = TextInput::multiline("one\nlonger\nx");
        assert!(!input.move_line(false));
        press(&mut input, "End");
        assert!(input.move_line(true) && input.move_line(true) && !input.move_line(true));
        press(&mut input, "!");
        assert_eq!(input.text(), "one\nlonger\nx!");
    }

    proptest! {
        #[test]
        fn cursor_stays_within_any_text(
            text in any::<String>(),
            keys in proptest::collection::vec(0usize..12, 0..30),
            cells in 0usize..30,
        ) {
            let names = ["Left", "Right", "Home", "End", "Backspace", "Del", "x", "Ctrl-w", "Ctrl-k", "Ctrl-u", "é", "Ctrl-Left"];
            for mut input in [TextInput::new(&text), TextInput::multiline(&text)] {
                for &key in &keys {
                    input.key(Key::parse(names[key]).expect("a key"));
                    input.move_line(key % 2 == 0);
                    for line in input.view(cells, 3, true, Theme::new(true)) {
                        prop_assert!(line.width() <= cells.max(12));
                    }
                }
                input.insert("\u{301}\u{200d}🚒").expect("room");
                prop_assert!(input.text().is_char_boundary(input.cursor));
            }
        }
    }
}
