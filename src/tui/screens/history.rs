//! The history: every step, the newest first, and the ways back.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Route, Screen};
use crate::messages::history::{about, progress};
use crate::store::{HistoryEntry, OperationKind, StepState};
use crate::text::terminal::clip;
use crate::text::time::age;
use crate::tui::command::{Command, connectors};
use crate::tui::context::Context;
use crate::tui::keymap::{Action, KeyContext, KeyMap};
use crate::tui::overlays::{Dialog, Tone};
use crate::tui::widgets::layout::cut_top;
use crate::tui::widgets::list::{Click, Column, MemoryList, Rows, Shown};
use crate::tui::widgets::theme::Theme;
use crate::worker::{FileJob, Overview, Query, Reply};

/// Why a push cannot be reverted.
pub(super) const PUSHED: &str = "a push changed Kibana, not the file: change the connector and push again";

/// The steps, once they have come.
#[derive(Debug, Default)]
pub(super) struct HistoryScreen {
    /// The newest first; none before they have come.
    steps: Option<Vec<HistoryEntry>>,
    list: MemoryList,
}

impl HistoryScreen {
    fn steps(&self) -> &[HistoryEntry] {
        self.steps.as_deref().unwrap_or_default()
    }

    fn current(&self) -> Option<&HistoryEntry> {
        self.steps().get(self.list.at(self.steps().len()))
    }

    /// Sets the steps; the cursor stays on its step.
    fn set_steps(&mut self, steps: &[HistoryEntry]) {
        let selected = self.current().map(|step| step.step);
        self.steps = Some(steps.to_vec());
        if let Some(at) = steps.iter().position(|step| Some(step.step) == selected) {
            self.list.go_to(at);
        }
    }
}

impl Screen for HistoryScreen {
    fn key_context(&self) -> KeyContext {
        KeyContext::History
    }

    fn title(&self) -> &'static str {
        "History"
    }

    fn queries(&mut self) -> Vec<Query> {
        vec![Query::Steps]
    }

    fn on_reply(&mut self, reply: &Reply, _cx: &Context) -> Vec<Command> {
        if let Reply::Steps(steps) = reply {
            self.set_steps(steps);
        }
        Vec::new()
    }

    fn is_waiting(&self) -> bool {
        self.steps.is_none()
    }

    fn total(&self) -> Option<usize> {
        Some(self.steps().len())
    }

    fn list_area(&self, cx: &Context) -> Rect {
        cut_top(cx.body(), 1).1
    }

    fn on_action(&mut self, action: Action, cx: &Context) -> Option<Vec<Command>> {
        let area = self.list_area(cx);
        if self.list.act(action, self.steps().len(), area) {
            return Some(Vec::new());
        }
        match (action, self.current()) {
            (Action::Open, Some(step)) => Some(vec![Command::Open(Route::Step(Box::new(step.clone()), ""))]),
            (Action::Revert, Some(step)) => Some(vec![revert(step, &cx.overview)]),
            _ => None,
        }
    }

    fn on_click(&mut self, at: Position, cx: &Context) -> Vec<Command> {
        let area = self.list_area(cx);
        match self.list.click(at, self.steps().len(), area) {
            Click::Current(_) => vec![Command::RunAction(Action::Open)],
            _ => Vec::new(),
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        let theme = cx.ui.theme;
        let (head, body) = cut_top(area, 1);
        frame.render_widget(Paragraph::new(headline(cx, head.width.into())), head);
        let steps = self.steps();
        if steps.is_empty() {
            let text =
                if self.steps.is_some() { "  Nothing has been changed in this file yet." } else { "  loading …" };
            return frame.render_widget(Paragraph::new(text), body);
        }
        let is_wide = area.width >= 60;
        let mut columns = vec![Column::new("AGE", 4), Column::new("WHAT", 9), Column::new("ABOUT", 0)];
        if is_wide {
            columns.insert(0, Column::new("STEP", 5));
            columns.push(Column::new("STATE", 14));
        }
        let cells = |at: usize| {
            let Some(step) = steps.get(at) else { return Vec::new() };
            let mut cells = cells(step, cx.now, theme);
            if !is_wide {
                cells.remove(4);
                cells.remove(0);
            }
            cells
        };
        self.list.view(&columns, Rows { title: "Changes", total: steps.len(), cells: &cells }, frame, body, theme);
    }
}

/// Confirms the revert of a step.
fn revert(step: &HistoryEntry, overview: &Overview) -> Command {
    if step.kind == OperationKind::Push {
        return Command::info(PUSHED);
    }
    if step.state == StepState::Reverted {
        return Command::info(format!("Step {} was undone already", step.step));
    }
    let is_last = overview.last_step.as_ref().is_some_and(|last| last.step == step.step);
    let mut dialog = Dialog::new("Revert a step", "Cancel")
        .line(format!("Revert step {}: {} of {}?", step.step, step.word(), about(step)))
        .lines(already(step))
        .line("Each connector goes back exactly to what it was. Those that were changed since are listed and skipped.");
    if !is_last && !step.kind.is_inverse() {
        dialog = dialog.line("It is not the last step; the ones after it stay.");
    }
    let job = Command::write(FileJob::Revert { step: step.step, only: None }, "reverting a step");
    Command::dialog(dialog.choice(format!("Revert {}", step.left()), vec![job]))
}

fn already(step: &HistoryEntry) -> Option<(Tone, String)> {
    (step.undone > 0).then(|| (Tone::Plain, format!("{} of them were undone already.", step.undone)))
}

/// Undoes the last step; confirms if it changed several connectors.
pub fn undo(last_step: Option<&HistoryEntry>, keys: KeyMap) -> Command {
    let Some(step) = last_step else {
        return Command::info("Nothing to undo");
    };
    let job = Command::write(FileJob::Undo, "undoing");
    if step.records <= 1 { job } else { confirm_undo(step, None, job, keys) }
}

/// Redoes the last undone step; confirms if it concerns several connectors.
pub fn redo(next: Option<&HistoryEntry>) -> Command {
    let Some(undone) = next else {
        return Command::info("Nothing to redo");
    };
    let job = Command::write(FileJob::Redo, "redoing");
    if undone.records <= 1 { job } else { confirm_redo(undone, None, job) }
}

/// Names a step that is to be undone or redone from a page that shows something else, or not all of it.
pub fn confirm_on_page(step: &HistoryEntry, elsewhere: Option<&str>, is_redo: bool, keys: KeyMap) -> Command {
    let job =
        Command::write(FileJob::Revert { step: step.step, only: None }, if is_redo { "redoing" } else { "undoing" });
    if is_redo { confirm_redo(step, elsewhere, job) } else { confirm_undo(step, elsewhere, job, keys) }
}

fn confirm_undo(step: &HistoryEntry, elsewhere: Option<&str>, job: Command, keys: KeyMap) -> Command {
    let what = match step.undone {
        0 if step.records <= 1 => format!("Undo the last step: {} of {}?", step.word(), about(step)),
        0 => format!("Undo the last step: {} of {}?", step.word(), connectors(step.left())),
        undone => format!(
            "Undo the rest of the last step, the {} of {}: {} ({undone} were undone already; {} redoes those)?",
            step.word(),
            connectors(step.records),
            connectors(step.left()),
            keys.key_of(KeyContext::History, Action::Redo)
        ),
    };
    confirm("Undo", what, elsewhere, job)
}

fn confirm_redo(undone: &HistoryEntry, elsewhere: Option<&str>, job: Command) -> Command {
    confirm("Redo", format!("Redo the {}?", about(undone)), elsewhere, job)
}

fn confirm(verb: &str, what: String, elsewhere: Option<&str>, job: Command) -> Command {
    Command::dialog(
        Dialog::new(verb, "Cancel")
            .line(what)
            .lines(elsewhere.map(|text| (Tone::Head, text.to_owned())))
            .line("Connectors that were changed since are listed and skipped.")
            .choice(verb, vec![job]),
    )
}

fn headline(cx: &Context, cells: usize) -> Line<'static> {
    let overview = &cx.overview;
    let of = |step: &HistoryEntry| match step.undone {
        0 => format!("{} of {}", step.word(), about(step)),
        _ => format!("rest of the {} ({})", step.word(), step.left()),
    };
    let mut parts = Vec::new();
    if let Some(step) = &overview.last_step {
        parts.push(format!("{} undoes the {}", cx.key(KeyContext::History, Action::Undo), of(step)));
    }
    if let Some(step) = &overview.next_redo {
        parts.push(format!("{} redoes: {}", cx.key(KeyContext::History, Action::Redo), about(step)));
    }
    Line::from(Span::styled(clip(&parts.join(" · "), cells), cx.ui.theme.muted()))
}

fn cells(step: &HistoryEntry, now: Timestamp, theme: Theme) -> Vec<Shown> {
    let style = if step.state == StepState::Running { theme.warning() } else { theme.muted() };
    let body = if step.state == StepState::Reverted { theme.muted() } else { theme.text() };
    vec![
        (step.step.to_string(), theme.muted()),
        (age(Some(&step.started_at), now), theme.muted()),
        (step.word().to_owned(), theme.accent()),
        (about(step), body),
        (progress(step), style),
    ]
}
