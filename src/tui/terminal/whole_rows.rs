//! Rows that are redrawn completely after any change.
//!
//! Terminals disagree on the width of a flag, a keycap or a letter with combining characters. If only changed cells
//! were written, a half of the old text could remain. A row with such text is erased and written again.

use ratatui::buffer::{Buffer, Cell, CellDiffOption};

/// Returns the rows to be erased before `next` is drawn over `shown`, and has all their cells written.
pub(super) fn renew(shown: &Buffer, next: &mut Buffer) -> Vec<u16> {
    let cells = usize::from(next.area.width);
    if shown.area != next.area || cells == 0 {
        return Vec::new();
    }
    let rows = shown.content.chunks(cells).zip(next.content.chunks_mut(cells)).zip(next.area.y..);
    rows.filter_map(|((before, after), y)| {
        let is_renewed = !is_same(before, after) && before.iter().chain(&*after).any(is_uncertain);
        if is_renewed {
            after.iter_mut().for_each(|cell| cell.diff_option = CellDiffOption::AlwaysUpdate);
        }
        is_renewed.then_some(y)
    })
    .collect()
}

fn is_same(before: &[Cell], after: &[Cell]) -> bool {
    before.iter().zip(after).all(|(before, after)| before.symbol() == after.symbol() && before.style() == after.style())
}

/// Returns whether terminals may disagree on the width of a cell.
fn is_uncertain(cell: &Cell) -> bool {
    let symbol = cell.symbol();
    symbol.len() > 1 && (symbol.chars().nth(1).is_some() || crate::text::terminal::width(symbol) > 1)
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn screen(lines: [&str; 3]) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 3));
        for (y, line) in (0..).zip(lines) {
            buffer.set_stringn(0, y, line, 12, Style::default());
        }
        buffer
    }

    #[test]
    fn row_of_uncertain_width_is_redrawn_whole() {
        let shown = screen(["a", "de 🇩🇪 team", "e\u{301}quipe"]);
        for (next, rows) in [
            (["a", "de 🇩🇪 team", "e\u{301}quipe"], vec![]),
            (["b", "de 🇩🇪 team", "e\u{301}quipe"], vec![]),
            (["a", "", "e\u{301}quipe"], vec![1]),
            (["a", "de 🇩🇪 teams", ""], vec![1, 2]),
            (["障害", "de 🇩🇪 team", "e\u{301}quipe"], vec![0]),
        ] {
            let mut next = screen(next);
            assert_eq!(renew(&shown, &mut next), rows);
            for (at, cell) in next.content.iter().enumerate() {
                let is_written = rows.contains(&u16::try_from(at / 12).unwrap_or(9));
                assert_eq!(cell.diff_option == CellDiffOption::AlwaysUpdate, is_written);
            }
        }
    }

    #[test]
    fn resize_redraws_the_whole_screen() {
        let shown = Buffer::empty(Rect::new(0, 0, 10, 3));
        assert!(renew(&shown, &mut screen(["🇩🇪", "", ""])).is_empty());
    }
}
