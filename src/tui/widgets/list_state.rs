//! A list that is whole in memory: a cursor, a window, and drawing it as a table.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::text::terminal::fit;
use crate::tui::keymap::Action;
use crate::tui::widgets::layout::cut_top;
use crate::tui::widgets::theme::Theme;

/// The position of the cursor.
#[derive(Debug, Default)]
pub(in crate::tui) struct ListState {
    cursor: usize,
    /// The first row on the screen.
    top: usize,
}

/// A column: its header and its width; width 0 gets the remaining room.
pub(in crate::tui) struct Column(pub(in crate::tui) &'static str, pub(in crate::tui) usize);

/// The text and style of a cell.
pub(in crate::tui) type Shown = (String, Style);

impl ListState {
    /// Moves; false when the action is not about moving.
    pub(in crate::tui) fn act(&mut self, action: Action, total: usize, height: usize) -> bool {
        let page = height.saturating_sub(2).max(1);
        self.cursor = match action {
            Action::Down => self.cursor + 1,
            Action::Up => self.cursor.saturating_sub(1),
            Action::PageDown => self.cursor + page,
            Action::PageUp => self.cursor.saturating_sub(page),
            Action::Top => 0,
            Action::Bottom => total,
            _ => return false,
        };
        self.cursor = self.cursor.min(total.saturating_sub(1));
        self.top = self.top_for(self.cursor, height.saturating_sub(1));
        true
    }

    /// The first row of a window that shows the cursor.
    fn top_for(&self, cursor: usize, height: usize) -> usize {
        self.top.clamp((cursor + 1).saturating_sub(height.max(1)), cursor)
    }

    /// Puts the cursor on a row.
    pub(in crate::tui) fn go_to(&mut self, row: usize) {
        self.cursor = row;
    }

    /// The selected row of a list of so many.
    pub(in crate::tui) fn at(&self, total: usize) -> usize {
        self.cursor.min(total.saturating_sub(1))
    }

    /// Draws the heads and the rows in view; `row` gives the cells of a row.
    pub(in crate::tui) fn view(
        &self,
        columns: &[Column],
        total: usize,
        row: impl Fn(usize) -> Vec<Shown>,
        frame: &mut Frame<'_>,
        area: Rect,
        theme: Theme,
    ) {
        let fixed: usize = columns.iter().map(|column| column.1 + 1).sum();
        let left = usize::from(area.width).saturating_sub(fixed + 2).max(6);
        let width = |column: &Column| if column.1 == 0 { left } else { column.1 };
        let (heads, body) = cut_top(area, 1);
        let head: Vec<String> = columns.iter().map(|column| fit(column.0, width(column))).collect();
        frame.render_widget(Paragraph::new(Line::styled(format!("  {}", head.join(" ")), theme.title())), heads);
        let (cursor, height) = (self.at(total), usize::from(body.height));
        let top = self.top_for(cursor, height);
        let lines: Vec<Line<'_>> = (top..total)
            .take(height)
            .map(|at| {
                let selected = at == cursor;
                let mut spans = vec![Span::raw(if selected { "> " } else { "  " })];
                for ((text, style), column) in row(at).into_iter().zip(columns) {
                    spans.push(Span::styled(fit(&text, width(column)), if selected { theme.text() } else { style }));
                    spans.push(Span::raw(" "));
                }
                let line = Line::from(spans);
                if selected { line.patch_style(theme.selected()) } else { line }
            })
            .collect();
        frame.render_widget(Paragraph::new(lines), body);
    }
}
