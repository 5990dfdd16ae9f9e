//! Draws the model: header, focused screen, message or footer, overlays.

use ratatui::Frame;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph};

use super::footer;
use super::model::{Model, SMALLEST};
use crate::text::terminal::{clip, fit, width, wrap};
use crate::tui::header::Header;
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
    let screen = model.screens.top();
    let header = Header { title: screen.title(), subject: screen.subject(), is_displaced: model.is_displaced };
    frame.render_widget(Paragraph::new(header.line(head.width.into(), &model.cx)), head);
    model.screens.top().view(frame, body, &model.cx);
    // A message may need several lines; nothing of it is cut.
    let messages = message_lines(model, usize::from(foot.width));
    let (_, message_area) = cut_bottom(body, u16::try_from(messages.len()).unwrap_or(1).min(4));
    frame.render_widget(Clear, message_area);
    frame.render_widget(Paragraph::new(messages), message_area);
    frame.render_widget(Paragraph::new(footer::line(model, usize::from(foot.width))), foot);
    if !model.overlays.is_empty() {
        frame.buffer_mut().set_style(body, model.cx.ui.theme.dimmed());
    }
    for overlay in &model.overlays {
        overlay.view(frame, body, &model.cx);
    }
}

/// Returns the lines above the footer: a message, and the running job or what is wrong with the filter.
fn message_lines(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let theme = model.cx.ui.theme;
    let styled = |text: &str, style| wrap(text, cells).into_iter().map(move |line| Line::styled(line, style));
    let mut lines = Vec::new();
    if let Some(message) = model.message() {
        lines.extend(styled(&message.shown(), message.severity.style(theme)));
    }
    if let Some(job) = model.shown_job() {
        lines.push(Line::styled(fit(&job_text(model, job), cells), theme.warning()));
    } else if let Some(reason) = model.screens.top().list().and_then(|list| list.filter_error()) {
        lines.extend(styled(reason, theme.bad()));
    }
    lines
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
