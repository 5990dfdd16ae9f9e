//! Draws a paged list: a pane with the filter in its border, and the table.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Column, HEADS, PagedList, Row, Shown, Table};
use crate::domain::Summary;
use crate::store::Sort;
use crate::text::grouped;
use crate::text::terminal::{clip, width};
use crate::tui::keymap::Action;
use crate::tui::ui::Ui;
use crate::tui::widgets::layout::cut_top;
use crate::tui::widgets::pane::{Pane, thumb};
use crate::tui::widgets::theme::Theme;

/// A column: its head, its width, and its cells.
pub struct PagedColumn<'a> {
    /// The head.
    pub head: String,
    /// The width in cells.
    pub width: usize,
    /// Returns the cell of a row.
    pub cell: Box<dyn Fn(&Summary) -> Shown + 'a>,
}

/// How a paged list is drawn.
pub struct PagedView<'a> {
    /// The title of the pane.
    pub title: &'a str,
    /// The columns.
    pub columns: &'a [PagedColumn<'a>],
    /// The text of a list without rows.
    pub empty: &'a [String],
}

impl PagedList {
    /// Draws the list in its pane.
    pub fn view(&self, view: &PagedView<'_>, frame: &mut Frame<'_>, area: Rect, ui: Ui) {
        let cells = usize::from(area.width).saturating_sub(width(view.title) + 8);
        let inside =
            Pane::new(view.title).focused().right(filter_spans(self, cells, ui.theme)).view(frame, area, ui.theme);
        let row = |at: usize| {
            self.row(at).map(|row| Row {
                cells: view.columns.iter().map(|column| (column.cell)(row)).collect(),
                is_selected: self.is_selected(&row.id),
            })
        };
        let heads: Vec<Column> = view.columns.iter().map(|column| Column::new(&column.head, column.width)).collect();
        Table { columns: &heads, cursor: self.cursor(), total: self.total, row: &row }.view(frame, inside, ui.theme);
        let (_, rows) = cut_top(inside, HEADS);
        if self.total == 0 {
            frame.render_widget(Paragraph::new(self.without_rows(view.empty, ui)), rows);
        } else {
            thumb(frame, rows, self.cursor().top, self.total, ui.theme.focus());
        }
    }

    fn without_rows(&self, empty: &[String], ui: Ui) -> Vec<Line<'static>> {
        let no_match = [
            format!("No connectors match. {} clears the filter", ui.keys.key_of(self.context(), Action::Back)),
            String::new(),
            "Words match name, id and type. Auth types: authtype:basic; modes: auth:per-user.".to_owned(),
        ];
        let text: &[String] = match (self.loaded, self.is_filtered()) {
            (false, _) => &["loading …".to_owned()],
            (true, true) => &no_match,
            (true, false) => empty,
        };
        text.iter().map(|line| Line::from(format!("  {line}"))).collect()
    }
}

/// The filter language in short.
const HINT: &str = " words, type: auth: authtype: needs:migration missing:secrets is:blocked -not";

/// Returns the filter, and the position in the list.
fn filter_spans(rows: &PagedList, cells: usize, theme: Theme) -> Vec<Span<'static>> {
    let place = if rows.total == 0 { 0 } else { rows.cursor().row + 1 };
    let mut count = match (rows.is_slow(), rows.is_marking()) {
        (true, true) => "selecting …".to_owned(),
        (true, false) => "searching …".to_owned(),
        _ => format!("{} of {}", grouped(place), grouped(rows.total)),
    };
    if rows.selected() > 0 {
        count.push_str(&format!(", {} selected", rows.selected()));
    }
    // The column that the list is sorted by may have no room on the screen.
    if rows.sort != Sort::default() {
        let direction = if rows.sort.descending { " down" } else { "" };
        count.push_str(&format!(", by {}{direction}", rows.sort.column.label()));
    }
    let mut spans = Vec::new();
    if rows.typing || rows.is_filtered() {
        let room = cells.saturating_sub(count.len() + 4);
        spans.push(Span::styled("/", theme.accent()));
        let input = rows.filter_text.view(room, 1, rows.typing, theme);
        spans.extend(input.into_iter().flat_map(|line| line.spans));
        if rows.filter_text.text().is_empty() {
            spans.push(Span::styled(clip(HINT, room.saturating_sub(2)), theme.muted()));
        }
        spans.push(Span::raw("  "));
    }
    let style = if !rows.has_valid_filter() { theme.bad() } else { theme.muted() };
    spans.push(Span::styled(count, style));
    spans
}
