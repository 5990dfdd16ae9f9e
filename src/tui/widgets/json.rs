//! JSON for the screen: indented, coloured, safe.

use ratatui::text::{Line, Span};
use serde_json::Value;

use super::theme::Theme;
use crate::text::terminal::safe;

/// The lines of a value.
pub fn lines(value: &Value, theme: Theme) -> Vec<Line<'static>> {
    format!("{value:#}").lines().map(|line| colour(line, theme)).collect()
}

/// Colours one line of indented JSON: the key, and values that are not text.
fn colour(line: &str, theme: Theme) -> Line<'static> {
    let indent = line.len() - line.trim_start().len();
    let body = line.trim_start();
    let mut spans = vec![Span::styled(" ".repeat(indent), theme.text())];
    let value = match key_end(body) {
        Some(end) => {
            spans.push(Span::styled(safe(&body[..end]), theme.accent()));
            &body[end..]
        }
        None => body,
    };
    let is_text = value.trim_start_matches(": ").starts_with('"');
    let style = if is_text || value.trim_start_matches(": ").starts_with(['{', '[', '}', ']']) {
        theme.text()
    } else {
        theme.warning()
    };
    spans.push(Span::styled(safe(value), style));
    Line::from(spans)
}

/// Returns the end of the key of `"key": value`.
fn key_end(body: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in body.char_indices().skip(1) {
        match character {
            _ if !body.starts_with('"') => return None,
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return body[at + 1..].starts_with(": ").then_some(at + 1),
            _ => escaped = false,
        }
    }
    None
}
