//! Draws a list: heads and the rows of its window.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Cursor;
use crate::text::terminal::fit;
use crate::tui::widgets::layout::cut_top;
use crate::tui::widgets::theme::Theme;

/// Lines of the heads.
pub const HEADS: u16 = 1;

/// A column: its head, and its width in cells.
pub struct Column {
    /// The head.
    pub head: String,
    /// The width; 0 for the room that the others leave.
    pub width: usize,
}

impl Column {
    /// Returns a column.
    pub fn new(head: impl Into<String>, width: usize) -> Self {
        Self { head: head.into(), width }
    }
}

/// The text and style of a cell.
pub type Shown = (String, Style);

/// A row as it is drawn.
pub struct Row {
    /// A cell for each column.
    pub cells: Vec<Shown>,
    /// The row is selected for an action.
    pub is_selected: bool,
}

/// A list to draw.
pub struct Table<'a> {
    /// The columns.
    pub columns: &'a [Column],
    /// The cursor, with the first row.
    pub cursor: Cursor,
    /// Rows in all.
    pub total: usize,
    /// Returns a row; `None` while it is not in memory.
    pub row: &'a dyn Fn(usize) -> Option<Row>,
}

impl Table<'_> {
    /// Draws the heads and the rows below.
    pub fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: Theme) {
        let widths = self.widths(usize::from(area.width));
        let (heads, body) = cut_top(area, HEADS);
        let head: Vec<String> =
            self.columns.iter().zip(&widths).map(|(column, width)| fit(&column.head, *width)).collect();
        frame.render_widget(Paragraph::new(Line::styled(format!("  {}", head.join(" ")), theme.title())), heads);
        let lines: Vec<Line<'_>> = (self.cursor.top..self.total)
            .take(usize::from(body.height))
            .map(|at| self.line(at, &widths, usize::from(body.width), theme))
            .collect();
        frame.render_widget(Paragraph::new(lines), body);
    }

    fn widths(&self, cells: usize) -> Vec<usize> {
        let fixed: usize = self.columns.iter().map(|column| column.width + 1).sum();
        let left = cells.saturating_sub(fixed + 2).max(6);
        self.columns.iter().map(|column| if column.width == 0 { left } else { column.width }).collect()
    }

    fn line(&self, at: usize, widths: &[usize], cells: usize, theme: Theme) -> Line<'static> {
        let is_current = at == self.cursor.row;
        let Some(row) = (self.row)(at) else {
            return Line::styled(fit("  …", cells), if is_current { theme.selected() } else { theme.muted() });
        };
        let (sign, style) = match (is_current, row.is_selected) {
            (true, true) => (">*", theme.text()),
            (true, false) => ("> ", theme.text()),
            (false, true) => ("* ", theme.warning()),
            (false, false) => ("  ", theme.text()),
        };
        let mut spans = vec![Span::styled(sign, style)];
        for ((text, style), width) in row.cells.into_iter().zip(widths) {
            // One calm bar: colours of cells would break a reversed row into pieces.
            spans.push(Span::styled(fit(&text, *width), if is_current { theme.text() } else { style }));
            spans.push(Span::raw(" "));
        }
        let line = Line::from(spans);
        if is_current { line.patch_style(theme.selected()) } else { line }
    }
}
