//! A list that is whole in memory: a cursor over the rows that its screen has.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use super::{Click, Column, Cursor, HEADS, Row, Shown, Table};
use crate::text::grouped;
use crate::tui::keymap::Action;
use crate::tui::widgets::layout::cut_top;
use crate::tui::widgets::pane::{Pane, inside, thumb};
use crate::tui::widgets::theme::Theme;

/// The position in the list.
#[derive(Debug, Default)]
pub struct MemoryList {
    cursor: Cursor,
}

impl MemoryList {
    /// Moves; `area` is that of the pane. Returns false for actions that do not move.
    pub fn act(&mut self, action: Action, total: usize, area: Rect) -> bool {
        self.cursor.act(action, total, rows_of(area).height.into())
    }

    /// Puts the cursor on a row.
    pub fn go_to(&mut self, row: usize) {
        self.cursor.row = row;
    }

    /// Returns the row with the cursor, in a list of so many.
    pub fn at(&self, total: usize) -> usize {
        self.cursor.row.min(total.saturating_sub(1))
    }

    /// Moves the cursor to a row that was clicked.
    pub fn click(&mut self, at: Position, total: usize, area: Rect) -> Click {
        let rows = rows_of(area);
        let cursor = self.followed(total, rows);
        match cursor.row_at(rows, at, total) {
            None => Click::Outside,
            Some(row) if row == cursor.row => Click::Current(at.x - rows.x),
            Some(row) => {
                self.cursor = Cursor { row, ..cursor };
                Click::Moved(Vec::new())
            }
        }
    }

    /// Draws the pane with the heads and the rows in view.
    pub fn view(&self, columns: &[Column], rows: Rows<'_>, frame: &mut Frame<'_>, area: Rect, theme: Theme) {
        let place = if rows.total == 0 { 0 } else { self.at(rows.total) + 1 };
        let inner = Pane::new(rows.title)
            .focused()
            .bottom(format!("{}/{}", grouped(place), grouped(rows.total)))
            .view(frame, area, theme);
        let row = |at: usize| Some(Row { cells: (rows.cells)(at), is_selected: false });
        let cursor = self.followed(rows.total, rows_of(area));
        Table { columns, cursor, total: rows.total, row: &row }.view(frame, inner, theme);
        thumb(frame, rows_of(area), cursor.top, rows.total, theme.focus());
    }

    fn followed(&self, total: usize, rows: Rect) -> Cursor {
        let mut cursor = Cursor { row: self.at(total), ..self.cursor };
        cursor.follow(total, rows.height.into());
        cursor
    }
}

/// The rows to draw.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// The title of the pane.
    pub title: &'a str,
    /// Rows in all.
    pub total: usize,
    /// Returns the cells of a row.
    pub cells: &'a dyn Fn(usize) -> Vec<Shown>,
}

fn rows_of(area: Rect) -> Rect {
    cut_top(inside(area), HEADS).1
}
