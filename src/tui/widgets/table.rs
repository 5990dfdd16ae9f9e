//! Draws a window of a list: headers, rows, selection, scroll bar, and the filter line above.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::paged_list::PagedList;
use crate::domain::Summary;
use crate::store::Sort;
use crate::text::grouped;
use crate::text::terminal::{clip, fit};
use crate::tui::keymap::Action;
use crate::tui::ui::Ui;
use crate::tui::widgets::layout::cut_top;
use crate::tui::widgets::theme::Theme;

/// Returns the text and style of a cell.
pub(in crate::tui) type Cell<'a> = Box<dyn Fn(&Summary) -> (String, Style) + 'a>;

/// A column: its header, its width, and its cells.
pub(in crate::tui) struct Column<'a> {
    pub(in crate::tui) head: String,
    pub(in crate::tui) width: usize,
    pub(in crate::tui) cell: Cell<'a>,
}

/// Lines above the rows: the filter and the heads.
pub const HEAD: u16 = 2;

/// Draws the list; `empty` is shown if there is no row.
pub(in crate::tui) fn view(
    rows: &PagedList,
    columns: &[Column<'_>],
    empty: &[String],
    frame: &mut Frame<'_>,
    area: Rect,
    ui: Ui,
) {
    let Ui { theme, keys, .. } = ui;
    let (filter, area) = cut_top(area, 1);
    frame.render_widget(Paragraph::new(filter_line(rows, usize::from(filter.width), theme)), filter);
    let (heads, body) = cut_top(area, 1);
    let head: Vec<String> = columns.iter().map(|column| fit(&column.head, column.width)).collect();
    frame.render_widget(Paragraph::new(Line::styled(format!("  {}", head.join(" ")), theme.title())), heads);
    if rows.total == 0 {
        let no_match = [
            format!("No connectors match. {} clears the filter", keys.key_of(rows.context(), Action::Back)),
            String::new(),
            "Words match name, id and type. Auth types: authtype:basic; modes: auth:per-user.".to_owned(),
        ];
        let text: &[String] = match (rows.loaded, rows.is_filtered()) {
            (false, _) => &["loading …".to_owned()],
            (true, true) => &no_match,
            (true, false) => empty,
        };
        let lines: Vec<Line<'_>> = text.iter().map(|line| Line::from(format!("  {line}"))).collect();
        frame.render_widget(Paragraph::new(lines), body);
        return;
    }
    let width = usize::from(body.width);
    let lines: Vec<Line<'_>> = (rows.top..rows.total)
        .take(usize::from(body.height))
        .map(|at| row_line(rows, at, columns, width, theme))
        .collect();
    frame.render_widget(Paragraph::new(lines), body);
    scroll_bar(rows, frame, body, theme);
}

fn row_line(rows: &PagedList, at: usize, columns: &[Column<'_>], width: usize, theme: Theme) -> Line<'static> {
    let is_current = at == rows.cursor;
    let Some(row) = rows.row(at) else {
        return Line::styled(fit("  …", width), if is_current { theme.selected() } else { theme.muted() });
    };
    let selected = rows.is_selected(&row.id);
    let sign = match (is_current, selected) {
        (true, true) => ">*",
        (true, false) => "> ",
        (false, true) => "* ",
        (false, false) => "  ",
    };
    let mut spans = vec![Span::styled(sign, if selected && !is_current { theme.warning() } else { theme.text() })];
    for column in columns {
        let (text, style) = (column.cell)(row);
        // One calm bar: colours of cells would break a reversed row into pieces.
        let style = if is_current { theme.text() } else { style };
        spans.push(Span::styled(fit(&text, column.width), style));
        spans.push(Span::raw(" "));
    }
    let line = Line::from(spans);
    if is_current { line.patch_style(theme.selected()) } else { line }
}

/// The filter language in short.
const HINT: &str = " words, type: auth: authtype: needs:migration missing:secrets is:blocked -not";

/// Draws the position in the list, and the filter.
fn filter_line(rows: &PagedList, width: usize, theme: Theme) -> Line<'static> {
    let place = if rows.total == 0 { 0 } else { rows.cursor + 1 };
    let mut count = match (rows.is_slow, rows.is_marking()) {
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
    let style = if rows.filter_error.is_some() { theme.bad() } else { theme.muted() };
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
    let start = (height - thumb) * rows.top.min(range) / range.max(1);
    let bar: Vec<Line<'_>> = (0..height)
        .map(|at| {
            let inside = (start..start + thumb).contains(&at);
            Line::styled(if inside { "█" } else { "│" }, theme.border())
        })
        .collect();
    frame.render_widget(Paragraph::new(bar), Rect { x: body.right() - 1, width: 1, ..body });
}
