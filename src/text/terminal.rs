//! Makes text of records safe for a terminal: no control character, nothing invisible, a known width.
//!
//! All text from a file, an argument or an error passes [`safe`] before it reaches a terminal. Characters that cannot
//! be shown are replaced, not dropped: an administrator must see that they exist.

use ratatui::buffer::{Buffer, Cell};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The number of combining characters per base character; more would cover neighbouring lines.
const MOST_MARKS: usize = 4;

/// The text with everything harmful or invisible made visible: controls as control pictures (`␛`), the
/// rest as `\u{202e}`.
pub fn safe(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut combining = 0;
    let mut characters = text.chars().peekable();
    let mut last = ' ';
    while let Some(character) = characters.next() {
        let width = unicode_width::UnicodeWidthChar::width(character);
        combining = if width == Some(0) { combining + 1 } else { 0 };
        match character {
            '\0'..='\x1f' => shown.extend(char::from_u32(0x2400 + u32::from(character))),
            '\x7f' => shown.push('\u{2421}'),
            // Inside an emoji these two join and colour; elsewhere they only deceive.
            '\u{200d}' if is_emoji(last) && characters.peek().copied().is_some_and(is_emoji) => shown.push(character),
            '\u{fe0f}' if is_emoji(last) || is_keycap(last, characters.peek()) => shown.push(character),
            _ if is_hidden(character) || (combining > MOST_MARKS) => {
                shown.push_str(&character.escape_unicode().to_string());
            }
            _ => shown.push(character),
        }
        last = character;
    }
    shown
}

/// `2` and `\u{20e3}` with the selector between them: a key with a digit on it.
fn is_keycap(before: char, after: Option<&char>) -> bool {
    matches!(before, '0'..='9' | '#' | '*') && after == Some(&'\u{20e3}')
}

fn is_emoji(character: char) -> bool {
    matches!(character, '\u{fe0f}' | '\u{2190}'..='\u{2bff}' | '\u{3030}' | '\u{1f000}'..='\u{1faff}')
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
            | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{fdd0}'..='\u{fdef}')
        // Noncharacters end each plane.
        || u32::from(character) & 0xfffe == 0xfffe
}

/// Makes a drawn frame safe, as the last step before it is shown. All texts pass [`safe`] before; a cell with a harmful
/// character shows U+FFFD.
pub fn make_cells_safe(buffer: &mut Buffer) {
    let is_harmless = |symbol: &str| symbol.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    for cell in &mut buffer.content {
        if !is_harmless(cell.symbol()) && safe(cell.symbol()) != cell.symbol() {
            replace_symbol(cell);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the replacement is a text of our own")]
fn replace_symbol(cell: &mut Cell) {
    cell.set_symbol("\u{fffd}");
}

/// Width in terminal cells.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Safe text cut to at most `cells`, with `…` where something is missing.
pub fn clip(text: &str, cells: usize) -> String {
    clip_safe(&safe(text), cells)
}

fn clip_safe(text: &str, cells: usize) -> String {
    if text.width() <= cells {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let width = grapheme.width();
        if used + width + 1 > cells {
            break;
        }
        kept.push_str(grapheme);
        used += width;
    }
    if cells > 0 {
        kept.push('…');
    }
    kept
}

/// Safe text of exactly `cells`: cut or filled with blanks.
pub fn fit(text: &str, cells: usize) -> String {
    let mut fitted = clip(text, cells);
    let missing = cells.saturating_sub(fitted.width());
    fitted.extend(std::iter::repeat_n(' ', missing));
    fitted
}

/// Wraps safe text to `cells` columns, at blanks where possible.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in safe(paragraph).split_inclusive(' ') {
            if line.width() + word.trim_end().width() > cells && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for grapheme in word.graphemes(true) {
                // A character that is wider than the line cannot be shown.
                let grapheme = if grapheme.width() > cells { "…" } else { grapheme };
                // The blank that a line breaks at is not shown.
                if line.width() + grapheme.width() > cells && grapheme == " " {
                    continue;
                }
                if line.width() + grapheme.width() > cells {
                    lines.push(std::mem::take(&mut line));
                }
                line.push_str(grapheme);
            }
        }
        lines.push(line);
    }
    lines
}

/// JSON for a terminal: what JSON itself leaves as it is but a terminal would act on, is escaped.
pub fn safe_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        if !matches!(character, '\n' | '\t') && is_hidden(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn invisible_characters_are_shown() {
        assert_eq!(safe("a\tb\u{1b}[31m\n"), "a␉b␛[31m␊");
        assert_eq!(safe("\u{202e}evil\u{200b}\u{9b}"), "\\u{202e}evil\\u{200b}\\u{9b}");
        assert_eq!(safe("👩‍🚒 on-call 障害 é"), "👩‍🚒 on-call 障害 é");
        assert_eq!(safe("2\u{fe0f}\u{20e3} 2\u{fe0f}3"), "2\u{fe0f}\u{20e3} 2\\u{fe0f}3");
        assert_eq!(safe("a\u{200d}b"), "a\\u{200d}b");
        assert!(safe(&format!("e{}", "\u{301}".repeat(20))).contains("\\u{301}"));
    }

    #[test]
    fn escaping_keeps_the_width() {
        assert_eq!(clip("障害対応", 5), "障害…");
        assert_eq!(fit("ab", 4), "ab  ");
        assert_eq!(fit("障害対応", 4), "障… ");
        assert_eq!(clip("abc", 0), "");
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
    }

    proptest! {
        #[test]
        fn no_control_character_passes(text in any::<String>(), cells in 0usize..50) {
            for shown in [safe(&text), fit(&text, cells)] {
                prop_assert!(!shown.chars().any(char::is_control), "{shown:?}");
                let overrides = '\u{202a}'..='\u{202e}';
                prop_assert!(!shown.chars().any(|c| overrides.contains(&c)), "{:?}", shown);
            }
            prop_assert_eq!(fit(&text, cells).width(), cells);
            for line in wrap(&text, cells) {
                prop_assert!(line.width() <= cells.max(1), "{:?}", line);
            }
        }
    }
}
