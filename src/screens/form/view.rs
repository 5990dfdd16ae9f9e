//! Drawing the form.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::field::{Field, FieldId, Widget};
use super::{Purpose, State, has_odd_mode};
use crate::domain::{AuthMode, Catalogue, StoredAuthMode};
use crate::screens::record;
use crate::ui::layout::{cut_bottom, cut_top};
use crate::ui::text::{clip, fit, wrap};
use crate::ui::theme::Theme;

/// Room for the labels.
const LABEL: usize = 26;
/// Lines of JSON shown of a field with the focus.
const JSON_HEIGHT: usize = 8;

/// Draws the form.
pub fn view(state: &State, frame: &mut Frame<'_>, area: Rect, theme: Theme) {
    let area = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    let (title, rest) = cut_top(area, 1);
    frame.render_widget(Paragraph::new(title_line(state, usize::from(area.width), theme)), title);
    let (body, help) = if rest.height >= 8 { cut_bottom(rest, 2) } else { (rest, Rect::ZERO) };
    let (lines, focus) = lines(state, usize::from(body.width), theme);
    let height = usize::from(body.height);
    let scroll = (focus.end.saturating_sub(height)).min(focus.start);
    let shown: Vec<Line<'_>> = lines.into_iter().skip(scroll).take(height).collect();
    frame.render_widget(Paragraph::new(shown), body);
    if help.area() > 0 {
        frame.render_widget(Paragraph::new(help_lines(state, usize::from(help.width), theme)), help);
    }
    if let Some(picker) = &state.picker {
        picker.view(frame, area, theme);
    }
}

fn title_line(state: &State, width: usize, theme: Theme) -> Line<'static> {
    let verb = match state.purpose {
        Purpose::Edit => "Edit",
        Purpose::Create => "New connector",
    };
    let changed = if state.is_dirty() { " (changed)" } else { "" };
    Line::styled(clip(&format!("{verb} {}{changed}", state.base.name), width), theme.title())
}

/// All lines, and which of them are the focused field's.
fn lines(state: &State, width: usize, theme: Theme) -> (Vec<Line<'static>>, std::ops::Range<usize>) {
    let mut lines = Vec::new();
    let mut focus = 0..0;
    for (at, field) in state.fields.iter().enumerate() {
        let start = lines.len();
        let focused = at == state.focus && state.picker.is_none();
        push_field(&mut lines, field, focused, width, theme);
        if field.id == FieldId::AuthMode {
            push_mode_notes(&mut lines, state, field, width, theme);
        }
        if let Some(problem) = &field.problem {
            let indent = LABEL.min(width / 3) + 3;
            for part in wrap(&format!("! {problem}"), width.saturating_sub(indent)) {
                lines.push(Line::styled(format!("{}{part}", " ".repeat(indent)), theme.bad()));
            }
        }
        if at == state.focus {
            focus = start..lines.len();
        }
    }
    lines.push(Line::default());
    lines.push(Line::styled(clip(&format!("  secrets: {}", record::secrets_text(&state.base)), width), theme.muted()));
    (lines, focus)
}

fn push_field(lines: &mut Vec<Line<'static>>, field: &Field, focused: bool, width: usize, theme: Theme) {
    let label_width = LABEL.min(width / 3);
    let star = if field.required { " *" } else { "" };
    let label = format!("{}{star}", clip(&field.label, label_width.saturating_sub(star.len())));
    let head = |first: bool| {
        let sign = if focused && first { "> " } else { "  " };
        let text = if first { fit(&label, label_width) } else { " ".repeat(label_width) };
        Span::styled(format!("{sign}{text} "), if focused { theme.title() } else { theme.accent() })
    };
    let room = width.saturating_sub(label_width + 4);
    for (at, value) in value_lines(field, focused, room, theme).into_iter().enumerate() {
        let mut spans = vec![head(at == 0)];
        spans.extend(value.spans);
        lines.push(Line::from(spans));
    }
}

fn value_lines(field: &Field, focused: bool, room: usize, theme: Theme) -> Vec<Line<'static>> {
    match &field.widget {
        Widget::Type(id) if id.is_empty() => {
            vec![value("(choose with Enter)", focused, room, theme)]
        }
        Widget::Type(id) => vec![value(&record::type_text(id), focused, room, theme)],
        Widget::Text(input) if focused => input.view(room, 1, true, theme),
        Widget::Text(input) if input.text().is_empty() => vec![Line::styled("—", theme.muted())],
        Widget::Text(input) => input.view(room, 1, false, theme),
        Widget::Json(input) if focused => input.view(room, JSON_HEIGHT, true, theme),
        Widget::Json(input) => vec![Line::styled(clip(&one_line(input.text()), room), theme.muted())],
        Widget::Toggle(on) => {
            let text = match on {
                Some(true) => "[x] on",
                Some(false) => "[ ] off",
                None => "[-] not set",
            };
            vec![value(text, focused, room, theme)]
        }
        Widget::Choice { options, at } => {
            let chosen = options.get(*at).cloned().flatten();
            let label = match (&field.id, &chosen) {
                (_, None) => "(none)".to_owned(),
                (FieldId::Config(key), Some(id)) if key == "authType" => match Catalogue::current().auth_type(id) {
                    Some(known) => format!("{} ({id})", known.label),
                    None => id.clone(),
                },
                (_, Some(text)) if text.trim().is_empty() => format!("{text:?}"),
                (_, Some(text)) => text.clone(),
            };
            vec![value(&format!("< {label} >"), focused, room, theme)]
        }
        Widget::Mode(_, chosen) => vec![mode_line(*chosen, focused, theme)],
    }
}

fn value(text: &str, focused: bool, room: usize, theme: Theme) -> Line<'static> {
    Line::styled(clip(text, room), if focused { theme.selected() } else { theme.text() })
}

fn one_line(text: &str) -> String {
    let compact =
        serde_json::from_str::<serde_json::Value>(text).map_or_else(|_| text.to_owned(), |json| json.to_string());
    if compact.is_empty() { "—".to_owned() } else { compact }
}

/// Both modes side by side, the chosen one marked.
fn mode_line(chosen: Option<AuthMode>, focused: bool, theme: Theme) -> Line<'static> {
    let mut spans = Vec::new();
    for mode in AuthMode::ALL {
        let is_chosen = chosen == Some(mode);
        let text = format!("{} {mode}", if is_chosen { "(•)" } else { "( )" });
        let style = match (is_chosen, focused) {
            (true, true) => theme.selected(),
            (true, false) => theme.title(),
            (false, _) => theme.muted(),
        };
        let style = if focused && chosen.is_none() { theme.selected() } else { style };
        spans.push(Span::styled(text, style));
        spans.push(Span::raw("  "));
    }
    Line::from(spans)
}

fn push_mode_notes(lines: &mut Vec<Line<'static>>, state: &State, field: &Field, width: usize, theme: Theme) {
    let indent = LABEL.min(width / 3) + 3;
    let room = width.saturating_sub(indent);
    let explanation = match &field.widget {
        Widget::Mode(_, Some(mode)) => Some((mode.explanation().to_owned(), theme.muted())),
        Widget::Mode(StoredAuthMode::Unknown(odd), None) => Some((format!("stored: {odd}"), theme.warning())),
        _ => Some(("not set yet: behaves as shared".to_owned(), theme.muted())),
    };
    let odd = has_odd_mode(&state.base) && field.is_changed();
    let repaired = odd.then(|| ("the odd value is replaced".to_owned(), theme.muted()));
    let warning = state.warning().map(|text| (format!("* {text}"), theme.warning()));
    for (text, style) in [explanation, repaired, warning].into_iter().flatten() {
        for part in wrap(&text, room) {
            lines.push(Line::styled(format!("{}{part}", " ".repeat(indent)), style));
        }
    }
}

fn help_lines(state: &State, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let Some(field) = state.fields.get(state.focus) else {
        return Vec::new();
    };
    wrap(&field.help, width).into_iter().take(2).map(|line| Line::styled(line, theme.muted())).collect()
}
