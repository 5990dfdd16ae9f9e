//! Drawing the form.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::field::{Field, FieldId};
use super::input::Widget;
use super::{Form, Purpose, has_unrecognized_mode};
use crate::domain::{AuthMode, Catalogue, SecretsState, StoredAuthMode};
use crate::text::terminal::{clip, fit, width as text_width, wrap};
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::widgets::connector_details;
use crate::tui::widgets::layout::cut_bottom;
use crate::tui::widgets::pane::{Pane, padded};
use crate::tui::widgets::secret_input::{Intent, SecretInput};
use crate::tui::widgets::theme::Theme;

/// The least and the most room for the labels.
const LABEL: std::ops::RangeInclusive<usize> = 12..=32;
/// Lines of JSON shown of a field with the focus.
const JSON_HEIGHT: usize = 8;

/// Draws the form.
pub(super) fn view(state: &Form, frame: &mut Frame<'_>, area: Rect, theme: Theme) {
    if let Some(picker) = &state.picker {
        picker.view(frame, area, theme);
        return;
    }
    let changed = if state.is_dirty() { "● changed" } else { "" };
    let right = if changed.is_empty() { Vec::new() } else { vec![Span::styled(changed, theme.warning())] };
    let rest = padded(Pane::new(title(state)).focused().right(right).view(frame, area, theme));
    let (body, help) = if rest.height >= 8 { cut_bottom(rest, 2) } else { (rest, Rect::ZERO) };
    let (lines, focus) = lines(state, usize::from(body.width), theme);
    let height = usize::from(body.height);
    let scroll = (focus.end.saturating_sub(height)).min(focus.start);
    let shown: Vec<Line<'_>> = lines.into_iter().skip(scroll).take(height).collect();
    frame.render_widget(Paragraph::new(shown), body);
    if help.area() > 0 {
        frame.render_widget(Paragraph::new(help_lines(state, usize::from(help.width), theme)), help);
    }
}

fn title(state: &Form) -> String {
    let verb = match state.purpose {
        Purpose::Edit => "Edit",
        Purpose::Create => "New connector",
    };
    format!("{verb} {}", state.base.name)
}

/// All lines, and which of them are the focused field's.
fn lines(state: &Form, width: usize, theme: Theme) -> (Vec<Line<'static>>, std::ops::Range<usize>) {
    let mut lines = Vec::new();
    let mut focus = 0..0;
    let mut has_secrets = false;
    for at in state.shown_places() {
        let field = &state.fields[at];
        if field.id.is_of_secrets() && !has_secrets {
            has_secrets = true;
            push_secrets_head(&mut lines, state, width, theme);
        }
        let start = lines.len();
        let focused = at == state.focus && state.picker.is_none();
        push_field(&mut lines, state, field, focused, width, theme);
        if field.id == FieldId::AuthMode {
            push_mode_notes(&mut lines, state, field, width, theme);
        }
        if let Some(problem) = &field.problem {
            let indent = label_width(state, width) + 3;
            for part in wrap(&format!("! {problem}"), width.saturating_sub(indent)) {
                lines.push(Line::styled(format!("{}{part}", " ".repeat(indent)), theme.bad()));
            }
        }
        if let (None, Some(note)) = (&field.problem, field.note(&state.base.connector_type_id, state.catalogue)) {
            let indent = label_width(state, width) + 3;
            for part in wrap(&format!("* {note}"), width.saturating_sub(indent)) {
                lines.push(Line::styled(format!("{}{part}", " ".repeat(indent)), theme.warning()));
            }
        }
        if at == state.focus {
            focus = start..lines.len();
        }
    }
    if !has_secrets && !state.base.connector_type_id.is_empty() {
        push_secrets_head(&mut lines, state, width, theme);
    }
    (lines, focus)
}

/// Draws the state of the secrets above their fields.
fn push_secrets_head(lines: &mut Vec<Line<'static>>, state: &Form, width: usize, theme: Theme) {
    let has_field =
        |name: &String| state.shown().any(|field| matches!(&field.id, FieldId::Secret(own, _) if own == name));
    let (text, style) = match &state.secrets {
        SecretsState::None if state.shown().all(|field| !field.id.is_of_secrets()) => {
            ("Secrets: none".to_owned(), theme.muted())
        }
        SecretsState::None if state.purpose == Purpose::Edit => {
            ("Secrets: none in this file".to_owned(), theme.accent())
        }
        SecretsState::None => ("Secrets".to_owned(), theme.accent()),
        SecretsState::Missing => {
            ("Secrets: missing, to be entered before the connector can run".to_owned(), theme.warning())
        }
        SecretsState::Set { keys, .. } => {
            let left: Vec<String> = state.obsolete_secrets().into_iter().collect();
            let others: Vec<&str> =
                keys.iter().filter(|name| !has_field(name) && !left.contains(name)).map(String::as_str).collect();
            let mut text = "Secrets: set".to_owned();
            if state.duplicate_of.is_some() {
                text.push_str(", copied from the original");
            }
            for (what, names) in [("also set", others.join(", ")), ("cleared on saving", left.join(", "))] {
                if !names.is_empty() {
                    text.push_str(&format!("; {what}: {names}"));
                }
            }
            let missed = state.missed_secrets();
            if !missed.is_empty() {
                text.push_str(&format!("; missing: {}", missed.join(", ")));
            }
            (text, if missed.is_empty() { theme.accent() } else { theme.warning() })
        }
        SecretsState::Unreadable(reason) => (format!("Secrets: unreadable: {reason}"), theme.warning()),
    };
    for part in wrap(&text, width.saturating_sub(2)) {
        lines.push(Line::styled(format!("  {part}"), style));
    }
}

fn push_field(lines: &mut Vec<Line<'static>>, state: &Form, field: &Field, focused: bool, width: usize, theme: Theme) {
    let label_width = label_width(state, width);
    // A value that a changed choice made obsolete is not required.
    let is_requested = field.kind.as_ref().is_none_or(|kind| state.applies(kind));
    let star = if field.required && is_requested { " *" } else { "" };
    let label = format!("{}{star}", clip(&field.label, label_width.saturating_sub(star.len())));
    let head = |first: bool| {
        let sign = if focused && first { "> " } else { "  " };
        let text = if first { fit(&label, label_width) } else { " ".repeat(label_width) };
        Span::styled(format!("{sign}{text} "), if focused { theme.title() } else { theme.accent() })
    };
    let room = width.saturating_sub(label_width + 4);
    for (at, value) in value_lines(state, field, focused, room, theme).into_iter().enumerate() {
        let mut spans = vec![head(at == 0)];
        spans.extend(value.spans);
        lines.push(Line::from(spans));
    }
}

/// Room for the longest label, as far as the values leave it.
fn label_width(state: &Form, width: usize) -> usize {
    let longest = state.shown().map(|field| text_width(&field.label) + 2 * usize::from(field.required)).max();
    longest.unwrap_or(0).clamp(*LABEL.start(), *LABEL.end()).min(width * 2 / 5)
}

fn value_lines(state: &Form, field: &Field, focused: bool, room: usize, theme: Theme) -> Vec<Line<'static>> {
    match &field.widget {
        Widget::Type(id) if id.is_empty() => {
            let text = format!("(choose with {})", state.keys.key_of(KeyContext::Form, Action::Open));
            vec![value(&text, focused, room, theme)]
        }
        Widget::Type(id) => vec![value(&connector_details::type_text(id, state.catalogue), focused, room, theme)],
        Widget::Text(input) | Widget::Number(input) if focused => input.view(room, 1, true, theme),
        Widget::Text(input) | Widget::Number(input) if !input.text().is_empty() => input.view(room, 1, false, theme),
        Widget::Json(input) | Widget::Lines(input) | Widget::Pairs(input) | Widget::Items(input) if focused => {
            input.view(room, JSON_HEIGHT, true, theme)
        }
        Widget::Json(input) if !input.text().is_empty() => {
            vec![Line::styled(clip(&one_line(input.text()), room), theme.muted())]
        }
        Widget::Lines(input) | Widget::Pairs(input) | Widget::Items(input) if !input.text().is_empty() => {
            vec![Line::styled(clip(&input.text().replace('\n', " ⏎ "), room), theme.text())]
        }
        Widget::Toggle(on) => vec![value(toggle_text(field, *on), focused, room, theme)],
        Widget::Choice { options, at } => {
            vec![value(
                &choice_text(field, options.get(*at).cloned().flatten(), room, state.catalogue),
                focused,
                room,
                theme,
            )]
        }
        Widget::Mode(_, chosen) => vec![mode_line(*chosen, focused, theme)],
        Widget::Secret(input) => vec![secret_line(state, field, input, focused, room, theme)],
        _ => vec![Line::styled("—", theme.muted())],
    }
}

fn toggle_text(field: &Field, on: Option<bool>) -> &'static str {
    match on {
        Some(true) => "[x] on",
        Some(false) => "[ ] off",
        None if field.id.is_of_secrets() && field.is_stored => "[-] set, kept",
        None => "[-] not set",
    }
}

fn choice_text(field: &Field, chosen: Option<String>, room: usize, catalogue: &'static Catalogue) -> String {
    let is_auth_type = match &field.id {
        FieldId::AuthType => true,
        FieldId::Config(key) => key == "authType",
        _ => false,
    };
    let label = match chosen {
        None if matches!(field.id, FieldId::Secret(..)) && field.is_stored => "set, kept".to_owned(),
        None if matches!(field.id, FieldId::Secret(..)) => "not set".to_owned(),
        None => "(none)".to_owned(),
        Some(id) if is_auth_type && catalogue.auth_type(&id).is_some() => {
            let name = connector_details::auth_type_name(&id, catalogue);
            let both = format!("{name} ({id})");
            if both.len() + 4 > room { name.to_owned() } else { both }
        }
        Some(text) if text.trim().is_empty() => format!("{text:?}"),
        Some(text) => text,
    };
    format!("< {label} >")
}

/// Draws the state of a secret, or dots for the entered text.
fn secret_line(
    state: &Form,
    field: &Field,
    input: &SecretInput,
    focused: bool,
    room: usize,
    theme: Theme,
) -> Line<'static> {
    let is_complete = field.id == FieldId::WholeSecrets;
    let (text, style) = match (input.intent(), &state.secrets) {
        (Intent::Replace, _) => (input.shown(room), theme.good()),
        (Intent::Clear, _) => ("will be cleared".to_owned(), theme.warning()),
        (Intent::Keep, SecretsState::Set { .. }) if field.is_stored || is_complete => {
            ("•••••• set".to_owned(), theme.text())
        }
        (Intent::Keep, SecretsState::Unreadable(_)) if field.required || is_complete => {
            ("unreadable".to_owned(), theme.warning())
        }
        (Intent::Keep, SecretsState::Missing | SecretsState::Set { .. }) if field.required => {
            ("missing".to_owned(), theme.warning())
        }
        (Intent::Keep, SecretsState::Unreadable(_)) => ("not known".to_owned(), theme.muted()),
        (Intent::Keep, _) => ("not set".to_owned(), theme.muted()),
    };
    Line::styled(clip(&text, room), if focused { theme.selected() } else { style })
}

fn value(text: &str, focused: bool, room: usize, theme: Theme) -> Line<'static> {
    Line::styled(clip(text, room), if focused { theme.selected() } else { theme.text() })
}

fn one_line(text: &str) -> String {
    // An invalid text must stay visible.
    let compact = crate::domain::json::read(text).map_or_else(|_| text.replace('\n', " ⏎ "), |json| json.to_string());
    if compact.is_empty() { "—".to_owned() } else { compact }
}

/// Draws both modes in a row with the chosen one marked.
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

fn push_mode_notes(lines: &mut Vec<Line<'static>>, state: &Form, field: &Field, width: usize, theme: Theme) {
    let indent = label_width(state, width) + 3;
    let room = width.saturating_sub(indent);
    let explanation = match &field.widget {
        Widget::Mode(_, Some(mode)) => Some((mode.explanation().to_owned(), theme.muted())),
        Widget::Mode(StoredAuthMode::Unknown(unrecognized), None) => {
            Some((format!("stored: {unrecognized}"), theme.warning()))
        }
        _ => Some(("not set yet: behaves as shared".to_owned(), theme.muted())),
    };
    let unrecognized = has_unrecognized_mode(&state.base) && field.is_changed();
    let repaired = unrecognized.then(|| ("the unrecognized value is replaced".to_owned(), theme.muted()));
    let warnings = state.warnings().into_iter().map(|text| (format!("* {text}"), theme.warning()));
    for (text, style) in [explanation, repaired].into_iter().flatten().chain(warnings) {
        for part in wrap(&text, room) {
            lines.push(Line::styled(format!("{}{part}", " ".repeat(indent)), style));
        }
    }
}

fn help_lines(state: &Form, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let Some(field) = state.fields.get(state.focus) else {
        return Vec::new();
    };
    wrap(&field.help, width).into_iter().take(2).map(|line| Line::styled(line, theme.muted())).collect()
}
