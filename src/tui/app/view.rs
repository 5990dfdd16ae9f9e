//! Draws the model: header, focused screen, footer, overlays.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::actions::footer;
use super::model::{Model, RunningJob, SMALLEST, Screen};
use super::welcome;
use crate::store::Stage;
use crate::text::terminal::{clip, fit, safe, width, wrap};
use crate::text::{grouped, time};
use crate::tui::keymap::{Action, Binding, KeyContext};
use crate::tui::overlays::file_picker;
use crate::tui::screens::command::connectors as count_of;
use crate::tui::screens::{
    Command, Severity, backups, connectors, detail, form, help, history, history_entry, overview, review, sync,
};
use crate::tui::widgets::layout::{centered, cut_bottom, cut_top};

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
    if model.opened.is_none() {
        opening(model, frame, body);
    } else {
        screen(model, frame, body);
    }
    // A message may need more room than the footer; nothing of it is cut.
    let bottom = bottom_lines(model, usize::from(foot.width));
    let (_, bottom_area) = cut_bottom(rest, u16::try_from(bottom.len()).unwrap_or(1).min(4));
    frame.render_widget(Clear, bottom_area);
    frame.render_widget(Paragraph::new(bottom), bottom_area);
    if let Some(state) = &model.file {
        file_picker::view(state, frame, body, model.setup.ui);
    }
    if let Some(prompt) = &model.prompt {
        prompt.view(frame, body, model.setup.ui);
    }
    if let Some(menu) = &model.menu {
        menu.view(frame, body, model.setup.ui.theme);
    }
    if let Some(dialog) = &model.dialog {
        dialog.view(frame, body, model.setup.ui);
    }
}

fn screen(model: &Model, frame: &mut Frame<'_>, body: Rect) {
    let theme = model.setup.ui.theme;
    let preview = model.preview.as_ref();
    match model.screen() {
        Screen::Connectors => connectors::view(&model.connectors, preview, frame, body, model.now, model.setup.ui),
        Screen::Detail(state) => detail::view(state, frame, body, model.now, model.setup.ui),
        Screen::Review => review::view(
            &model.review,
            &model.overview.plan,
            preview.map(|record| &record.connector),
            frame,
            body,
            model.setup.ui,
        ),
        Screen::Overview(state) => {
            overview::view(state, &model.overview, frame, body, model.now, theme, model.setup.ui.catalogue);
        }
        Screen::History(state) => history::view(state, &model.overview, frame, body, model.now, model.setup.ui),
        Screen::HistoryEntry(state) => {
            history_entry::view(state, model.step(state.step), frame, body, model.now, model.setup.ui);
        }
        Screen::Backups(state) => backups::view(state, frame, body, model.now, model.setup.ui),
        Screen::Sync(state) => sync::view(state, frame, body, model.setup.ui),
        Screen::Form(state) => form::view(state, frame, body, theme),
        Screen::Help(state) => help::view(state, frame, body, model.setup.ui),
    }
}

/// Draws the header: the screen, the file, and what needs attention.
fn header(model: &Model, cells: usize) -> Line<'static> {
    let theme = model.setup.ui.theme;
    let title = match model.screen() {
        Screen::Connectors if model.opened.is_none() && model.menu.is_some() => "Welcome",
        Screen::Connectors => "Connectors",
        Screen::Detail(_) => "Connector",
        Screen::Review => "Migration review",
        Screen::Overview(_) => "Overview",
        Screen::History(_) => "History",
        Screen::HistoryEntry(_) => "One step",
        Screen::Backups(_) => "Backups",
        Screen::Sync(_) => "Sync with Kibana",
        Screen::Form(_) => "Form",
        Screen::Help(_) => "Keys",
    };
    // The most urgent part comes first; parts that do not fit are dropped.
    let mut parts = vec![model.setup.file.clone()];
    if model.is_displaced {
        parts.push("FILE GONE".to_owned());
    }
    if let Some(opened) = &model.opened {
        if opened.read_only {
            parts.push("READ-ONLY".to_owned());
        }
        let overview = &model.overview;
        let counts = [
            (overview.plan.pending(), "to migrate"),
            (overview.missing_secrets, "without secrets"),
            (overview.unreadable_secrets, "unreadable"),
        ];
        parts.extend(
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{} {what}", grouped(*count))),
        );
        parts.extend(overview.remote.as_ref().map(|remote| format!("remote {remote}")));
        if !model.pending.counts {
            parts.push(count_of(overview.total));
        }
    }
    let title = format!(" {title} ");
    // A part that does not fit whole is left out, but for the file's name.
    let room = cells.saturating_sub(width(&title) + 1);
    let mut facts = String::new();
    for part in parts {
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

/// Draws a running job, a message, or the keys.
fn bottom_lines(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let theme = model.setup.ui.theme;
    if let Some(job) = model.shown_job() {
        // The reason why a key has no command comes before the progress of the job.
        let mut lines = toast_lines(model, cells);
        let can_be_stopped = model.dialog.is_none() && !job.is_stopping;
        let stops = format!("  {} stops", model.setup.ui.keys.key_of(model.context(), Action::Back));
        let stops = if can_be_stopped { stops } else { String::new() };
        let text = format!("{}{stops}", progress_text(model, job));
        lines.push(Line::styled(fit(&text, cells), theme.warning()));
        if model.dialog.is_some() {
            lines.push(footer_line(model, cells));
        }
        return lines;
    }
    if let Some(reason) = model.filter_error() {
        return wrap(reason, cells).into_iter().map(|line| Line::styled(line, theme.bad())).collect();
    }
    match toast_lines(model, cells) {
        lines if lines.is_empty() => vec![footer_line(model, cells)],
        lines => lines,
    }
}

fn toast_lines(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let theme = model.setup.ui.theme;
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

/// A key of the footer, and the cells that it is drawn on.
pub(super) struct Hint {
    binding: &'static Binding,
    is_usable: bool,
    pub(super) cells: std::ops::Range<u16>,
}

impl Hint {
    /// Returns the command of a click.
    pub(super) fn press(&self, context: KeyContext) -> Command {
        match (context, self.binding.keys().next().flatten()) {
            (KeyContext::Connectors, _) | (_, None) => Command::RunAction(self.binding.action),
            (_, Some(key)) => Command::SendKey(key),
        }
    }
}

/// The keys that can be used, as many as fit.
pub(super) fn footer_hints(model: &Model, cells: usize) -> Vec<Hint> {
    let bindings = footer(model);
    // Help and quit stay visible when there is no room for the others.
    let last = bindings.iter().position(|(binding, _)| matches!(binding.action, Action::Back | Action::Help));
    let kept = last.and_then(|at| bindings.get(at..)).unwrap_or_default();
    let reserved: usize = kept.iter().map(|(binding, usable)| hint_width(binding, *usable)).sum();
    let (mut hints, mut used) = (Vec::new(), 0);
    for (at, (binding, is_usable)) in bindings.into_iter().enumerate() {
        let is_kept = last.is_some_and(|last| at >= last);
        let needed = hint_width(binding, is_usable);
        let room = if is_kept { cells } else { cells.saturating_sub(reserved) };
        if used + needed <= room + 2 {
            let cell = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
            hints.push(Hint { binding, is_usable, cells: cell(used)..cell(used + needed - 2) });
            used += needed;
        }
    }
    hints
}

fn footer_line(model: &Model, cells: usize) -> Line<'static> {
    let theme = model.setup.ui.theme;
    let mut spans = Vec::new();
    for hint in footer_hints(model, cells) {
        let key = hint.binding.keys.first().copied().unwrap_or_default();
        let text = hint.binding.hint().unwrap_or_default();
        let key_style = if hint.is_usable { theme.accent() } else { theme.muted() };
        let text = if hint.is_usable { format!(" {text}  ") } else { format!(" ({text})  ") };
        spans.push(Span::styled(key, key_style));
        spans.push(Span::styled(text, if hint.is_usable { theme.text() } else { theme.muted() }));
    }
    Line::from(spans)
}

fn hint_width(binding: &crate::tui::keymap::Binding, usable: bool) -> usize {
    let brackets = if usable { 0 } else { 2 };
    width(binding.keys.first().copied().unwrap_or_default()) + width(binding.hint().unwrap_or_default()) + 3 + brackets
}

fn progress_text(model: &Model, job: &RunningJob) -> String {
    if model.quits_after_job {
        return format!("{}: finishing the current step, then quitting …  Ctrl-c quits at once", job.title);
    }
    if job.is_stopping {
        return format!("{}: stopping after the current step …", job.title);
    }
    if job.is_waiting {
        return format!("{}: waiting for another program that is writing to the file", job.title);
    }
    if job.done == 0 {
        return format!("{} …", job.title);
    }
    let elapsed = model.now.duration_since(job.started).as_millis().max(1).unsigned_abs();
    let rate = u128::from(job.done) * 1000 / elapsed;
    let mut text = format!("{}: {}", job.title, job.done);
    if job.total > 0 {
        let percent = job.done * 100 / job.total.max(1);
        text = format!("{}: {percent}% ({} of {}, {rate}/s)", job.title, grouped(job.done), grouped(job.total));
        if let Some(left) = u128::from(job.total.saturating_sub(job.done)).checked_div(rate)
            && left > 0
        {
            text.push_str(&format!(", about {} left", time::seconds_left(u64::try_from(left).unwrap_or(u64::MAX))));
        }
    }
    text
}

/// Draws the opening of the file, with the stages of an upgrade.
fn opening(model: &Model, frame: &mut Frame<'_>, body: Rect) {
    let theme = model.setup.ui.theme;
    if model.menu.is_some() {
        let lines = welcome::lines(model, usize::from(body.width));
        return frame.render_widget(Paragraph::new(lines), body);
    }
    let title = if model.pending.restore { "Restoring the backup …" } else { "Opening the file …" };
    let mut lines = vec![Line::styled(title, theme.title())];
    if let Some(stage) = &model.upgrade_stage {
        lines = vec![
            Line::styled("Upgrading the schema of the file", theme.title()),
            Line::default(),
            Line::from(stage.to_string()),
        ];
        if let Stage::Copying { done, total } | Stage::Records { done, total } = stage {
            let cells = u64::from(body.width.saturating_sub(8).min(50));
            let filled = usize::try_from(done * cells / (*total).max(1)).unwrap_or(0);
            let empty = usize::try_from(cells).unwrap_or(0).saturating_sub(filled);
            lines.push(Line::from(format!("[{}{}]", "#".repeat(filled), ".".repeat(empty))));
        }
        let promise = format!(
            "A verified backup is made first. All or nothing: {} cancels, and the file stays as it was.",
            model.setup.ui.keys.key_of(KeyContext::Connectors, Action::Back)
        );
        lines.push(Line::default());
        lines.extend(wrap(&promise, usize::from(body.width.saturating_sub(4).min(70))).into_iter().map(Line::from));
    }
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    frame.render_widget(Paragraph::new(lines), centered(body, body.width.saturating_sub(4).min(70), height));
}
