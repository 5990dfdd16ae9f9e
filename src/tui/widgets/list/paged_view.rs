//! Draws a paged list: the filter line, the table, and a scroll bar.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::paged::FILTER;
use super::{Column, HEADS, PagedList, Row, Shown, Table};
use crate::domain::Summary;
use crate::store::Sort;
use crate::text::grouped;
use crate::text::terminal::clip;
use crate::tui::keymap::Action;
use crate::tui::ui::Ui;
use crate::tui::widgets::layout::cut_top;
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

impl PagedList {
    /// Draws the list; `empty` is shown if there is no row.
    pub fn view(&self, columns: &[PagedColumn<'_>], empty: &[String], frame: &mut Frame<'_>, area: Rect, ui: Ui) {
        let (filter, table) = cut_top(area, FILTER);
        frame.render_widget(Paragraph::new(filter_line(self, usize::from(filter.width), ui.theme)), filter);
        let row = |at: usize| {
            self.row(at).map(|row| Row {
                cells: columns.iter().map(|column| (column.cell)(row)).collect(),
                is_selected: self.is_selected(&row.id),
            })
        };
        let heads: Vec<Column> = columns.iter().map(|column| Column::new(&column.head, column.width)).collect();
        Table { columns: &heads, cursor: self.cursor(), total: self.total, row: &row }.view(frame, table, ui.theme);
        let (_, rows) = cut_top(table, HEADS);
        if self.total == 0 {
            frame.render_widget(Paragraph::new(self.without_rows(empty, ui)), rows);
        } else {
            scroll_bar(self, frame, rows, ui.theme);
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

/// Draws the position in the list, and the filter.
fn filter_line(rows: &PagedList, width: usize, theme: Theme) -> Line<'static> {
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
        let room = width.saturating_sub(count.len() + 4);
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
    Line::from(spans)
}

/// Draws a scroll bar on the right edge.
fn scroll_bar(rows: &PagedList, frame: &mut Frame<'_>, body: Rect, theme: Theme) {
    let height = usize::from(body.height);
    if rows.total <= height || body.width < 3 || height == 0 {
        return;
    }
    let thumb = (height * height / rows.total).max(1);
    let range = rows.total - height;
    let start = (height - thumb) * rows.cursor().top.min(range) / range.max(1);
    let bar: Vec<Line<'_>> = (0..height)
        .map(|at| {
            let inside = (start..start + thumb).contains(&at);
            Line::styled(if inside { "█" } else { "│" }, theme.border())
        })
        .collect();
    frame.render_widget(Paragraph::new(bar), Rect { x: body.right() - 1, width: 1, ..body });
}
