//! Draws the model: header, focused screen, message or footer, overlays.

use ratatui::Frame;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::footer;
use super::model::{Model, SMALLEST};
use crate::text::grouped;
use crate::text::terminal::{clip, fit, safe, width, wrap};
use crate::tui::command::{Severity, connectors as count_of};
use crate::tui::keymap::Action;
use crate::tui::running_job::RunningJob;
use crate::tui::widgets::layout::{cut_bottom, cut_top};

/// Draws everything.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let needed = format!("{}x{} needed", SMALLEST.0, SMALLEST.1);
        let whole = format!("terminal too small: {needed}");
        let text = if width(&whole) <= usize::from(area.width) { whole } else { needed };
        frame.render_widget(Paragraph::new(clip(&text, usize::from(area.width))), area);
        return;
    }
    let (head, rest) = cut_top(area, 1);
    let (body, foot) = cut_bottom(rest, 1);
    frame.render_widget(Paragraph::new(header(model, usize::from(head.width))), head);
    model.screens.top().view(frame, body, &model.cx);
    // A message may need more room than the footer; nothing of it is cut.
    let bottom = bottom_lines(model, usize::from(foot.width));
    let (_, bottom_area) = cut_bottom(rest, u16::try_from(bottom.len()).unwrap_or(1).min(4));
    frame.render_widget(Clear, bottom_area);
    frame.render_widget(Paragraph::new(bottom), bottom_area);
    for overlay in &model.overlays {
        overlay.view(frame, body, &model.cx);
    }
}

/// Draws the header: the screen, the file, and what needs attention.
fn header(model: &Model, cells: usize) -> Line<'static> {
    let theme = model.cx.ui.theme;
    let title = format!(" {} ", model.screens.top().title());
    // A part that does not fit whole is left out, but for the file's name.
    let room = cells.saturating_sub(width(&title) + 1);
    let mut facts = String::new();
    for part in header_parts(model) {
        let longer = if facts.is_empty() { clip(&part, room) } else { format!("{facts} · {}", safe(&part)) };
        if width(&longer) <= room {
            facts = longer;
        }
    }
    Line::from(vec![
        Span::styled(title, theme.selected().patch(theme.title())),
        Span::styled(format!(" {facts}"), theme.muted()),
    ])
}

/// Returns the parts of the header, the most urgent one first.
fn header_parts(model: &Model) -> Vec<String> {
    let mut parts = vec![model.cx.file.clone()];
    if model.is_displaced {
        parts.push("FILE GONE".to_owned());
    }
    if model.cx.is_read_only {
        parts.push("READ-ONLY".to_owned());
    }
    let overview = &model.cx.overview;
    let counts = [
        (overview.plan.pending(), "to migrate"),
        (overview.missing_secrets, "without secrets"),
        (overview.unreadable_secrets, "unreadable"),
    ];
    parts.extend(
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{} {what}", grouped(*count))),
    );
    parts.extend(overview.remote.as_ref().map(|remote| format!("remote {remote}")));
    if model.is_open && !model.pending.counts {
        parts.push(count_of(overview.total));
    }
    parts
}

/// Returns whether the last line shows the keys, and not a job or a message.
pub(super) fn shows_footer(model: &Model) -> bool {
    let is_silent =
        model.toast.is_none() && model.screens.top().list().is_none_or(|list| list.filter_error().is_none());
    if model.shown_job().is_some() { !model.overlays.is_empty() } else { is_silent }
}

/// Draws a running job, a message, or the keys.
fn bottom_lines(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let theme = model.cx.ui.theme;
    if let Some(job) = model.shown_job() {
        // The reason why a key has no command comes before the progress of the job.
        let mut lines = message_lines(model, cells);
        lines.push(Line::styled(fit(&job_text(model, job), cells), theme.warning()));
        if !model.overlays.is_empty() {
            lines.push(footer::line(model, cells));
        }
        return lines;
    }
    if let Some(reason) = model.screens.top().list().and_then(|list| list.filter_error()) {
        return wrap(reason, cells).into_iter().map(|line| Line::styled(line, theme.bad())).collect();
    }
    match message_lines(model, cells) {
        lines if lines.is_empty() => vec![footer::line(model, cells)],
        lines => lines,
    }
}

fn job_text(model: &Model, job: &RunningJob) -> String {
    if model.quits_after_job {
        return format!("{}: finishing the current step, then quitting …  Ctrl-c quits at once", job.title);
    }
    let text = job.progress(model.cx.now);
    if job.is_stopping || !model.overlays.is_empty() {
        return text;
    }
    format!("{text}  {} stops", model.cx.key(model.context(), Action::Back))
}

fn message_lines(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let theme = model.cx.ui.theme;
    let Some(toast) = &model.toast else { return Vec::new() };
    let (sign, style) = match toast.severity {
        Severity::Info => ("", theme.accent()),
        Severity::Success => ("✓ ", theme.good()),
        Severity::Warning => ("! ", theme.warning()),
        Severity::Error => ("✗ ", theme.bad()),
    };
    let text = format!("{sign}{}", toast.text);
    wrap(&text, cells).into_iter().map(|line| Line::styled(line, style)).collect()
}
