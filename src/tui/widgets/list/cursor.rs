//! The cursor of a list, and the window of rows around it.

use ratatui::layout::{Position, Rect};

use crate::tui::keymap::Action;

/// A row, and the first row on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The row with the cursor.
    pub row: usize,
    /// The first row on the screen.
    pub top: usize,
}

impl Cursor {
    /// Moves in a list of `total` rows of which `height` are shown. Returns false for actions that do not move.
    pub fn act(&mut self, action: Action, total: usize, height: usize) -> bool {
        let page = height.saturating_sub(1).max(1);
        let row = match action {
            Action::Down => self.row.saturating_add(1),
            Action::Up => self.row.saturating_sub(1),
            Action::PageDown => self.row.saturating_add(page),
            Action::PageUp => self.row.saturating_sub(page),
            Action::Top => 0,
            Action::Bottom => usize::MAX,
            _ => return false,
        };
        self.go_to(row, total, height);
        true
    }

    /// Puts the cursor on a row, or on the last one.
    pub fn go_to(&mut self, row: usize, total: usize, height: usize) {
        self.row = row.min(total.saturating_sub(1));
        self.follow(total, height);
    }

    /// Moves the window so that it shows the cursor.
    pub fn follow(&mut self, total: usize, height: usize) {
        let height = height.max(1);
        let last_top = total.saturating_sub(height);
        let lowest = (self.row + 1).saturating_sub(height);
        self.top = self.top.clamp(lowest, self.row.max(lowest)).min(last_top);
    }

    /// Returns the row at a position, if `rows` is the area of the rows and shows one there.
    pub fn row_at(&self, rows: Rect, at: Position, total: usize) -> Option<usize> {
        let row = self.top + usize::from(at.y.checked_sub(rows.y)?);
        (rows.contains(at) && row < total).then_some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_follows_the_cursor_and_ends_with_the_list() {
        let mut cursor = Cursor::default();
        assert!(cursor.act(Action::Bottom, 100, 10));
        assert_eq!(cursor, Cursor { row: 99, top: 90 });
        assert!(cursor.act(Action::PageUp, 100, 10));
        assert_eq!(cursor, Cursor { row: 90, top: 90 });
        assert!(cursor.act(Action::Up, 100, 10));
        assert_eq!(cursor, Cursor { row: 89, top: 89 });
        // The list has become shorter than the window.
        cursor.go_to(89, 5, 10);
        assert_eq!(cursor, Cursor { row: 4, top: 0 });
        assert!(!cursor.act(Action::Open, 5, 10));
    }

    #[test]
    fn position_below_the_last_row_is_no_row() {
        let cursor = Cursor { row: 0, top: 2 };
        let rows = Rect { x: 0, y: 3, width: 10, height: 5 };
        let row_at = |y| cursor.row_at(rows, Position { x: 1, y }, 5);
        assert_eq!([row_at(2), row_at(3), row_at(5), row_at(6)], [None, Some(2), Some(4), None]);
    }
}
