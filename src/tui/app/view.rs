//! Draws the model: header, focused screen, message or footer, overlays.

use ratatui::Frame;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::footer;
use super::model::{Model, SMALLEST};
use crate::text::grouped;
use crate::text::terminal::{clip, fit, safe, width, wrap};
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

/// Draws the header: where one is, and at the right end what needs attention.
fn header(model: &Model, cells: usize) -> Line<'static> {
    let theme = model.cx.ui.theme;
    let screen = model.screens.top();
    let mut place = vec![Span::styled(format!(" {}", clip(&model.cx.file, cells / 3)), theme.muted())];
    let mut crumb = |text: &str, style| {
        place.push(Span::styled(" › ", theme.muted()));
        place.push(Span::styled(clip(text, cells / 2), style));
    };
    crumb(screen.title(), theme.title());
    if let Some(subject) = screen.subject() {
        crumb(&subject, theme.text());
    }
    let mut used: usize = place.iter().map(Span::width).sum();
    // A badge that does not fit whole is left out; the most urgent one comes first.
    let mut badges = Vec::new();
    for (text, style) in badges_of(model) {
        let needed = width(&text) + 2;
        if used + needed < cells {
            used += needed;
            badges.push(Span::raw("  "));
            badges.push(Span::styled(text, style));
        }
    }
    place.push(Span::raw(" ".repeat(cells.saturating_sub(used + 1))));
    place.extend(badges);
    Line::from(place)
}

/// Returns what needs attention, the most urgent first.
fn badges_of(model: &Model) -> Vec<(String, Style)> {
    let theme = model.cx.ui.theme;
    let mut badges = Vec::new();
    if model.is_displaced {
        badges.push(("FILE GONE".to_owned(), theme.bad()));
    }
    if model.cx.is_read_only {
        badges.push(("READ-ONLY".to_owned(), theme.warning()));
    }
    let overview = &model.cx.overview;
    let counts = [
        (overview.plan.blocked, "X", "blocked", theme.bad()),
        (overview.plan.pending(), "M", "to migrate", theme.warning()),
        (overview.missing_secrets, "S", "missing secrets", theme.warning()),
        (overview.unreadable_secrets, "U", "unreadable", theme.bad()),
    ];
    let of_count = |(count, sign, what, style): (u64, &str, &str, Style)| {
        (count > 0).then(|| (format!("{sign} {} {what}", grouped(count)), style))
    };
    badges.extend(counts.into_iter().filter_map(of_count));
    badges.extend(overview.remote.as_ref().map(|remote| (format!("remote {}", safe(remote)), theme.muted())));
    badges
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
