//! The history: every step, the newest first, and the ways back.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::dialog::{Dialog, Tone};
use super::effect::{Effect, Go, connectors};
use super::listing::{Column, Listing, Shown};
use crate::clock::age;
use crate::keymap::{Action, Place, key_of};
use crate::store::{Kind, Step, StepState};
use crate::ui::layout::cut_top;
use crate::ui::text::clip;
use crate::ui::theme::Theme;
use crate::worker::protocol::{Job, Overview};

/// Why a push is no step to take back.
pub(super) const PUSHED: &str = "a push changed Kibana and not the file: change it here and push again";

/// The steps, once they have come.
#[derive(Debug, Default)]
pub struct State {
    /// The newest first; none before they have come.
    pub steps: Option<Vec<Step>>,
    list: Listing,
}

impl State {
    fn steps(&self) -> &[Step] {
        self.steps.as_deref().unwrap_or_default()
    }

    /// Takes the steps that have come; the cursor stays on its step.
    pub fn take(&mut self, steps: &[Step]) {
        let selected = self.current().map(|step| step.step);
        self.steps = Some(steps.to_vec());
        if let Some(at) = steps.iter().position(|step| Some(step.step) == selected) {
            self.list.go_to(at);
        }
    }

    /// The selected step.
    pub fn current(&self) -> Option<&Step> {
        self.steps().get(self.list.at(self.steps().len()))
    }
}

/// What an action does here.
pub fn update(state: &mut State, action: Action, overview: &Overview, height: usize) -> Vec<Effect> {
    let total = state.steps().len();
    if state.list.act(action, total, height.saturating_sub(1)) {
        return Vec::new();
    }
    match (action, state.current()) {
        (Action::Open, Some(step)) => vec![Effect::Go(Go::Step(step.step, ""))],
        (Action::TakeBack, Some(step)) => vec![take_back(step, overview)],
        (Action::Copies, _) => vec![Effect::Go(Go::Copies)],
        (Action::Back | Action::Quit, _) => vec![Effect::Go(Go::Back)],
        _ => Vec::new(),
    }
}

/// Asks before a step is taken back.
pub fn take_back(step: &Step, overview: &Overview) -> Effect {
    if step.kind == Kind::Push {
        return Effect::info(PUSHED);
    }
    if step.state == StepState::Reverted {
        return Effect::info(format!("step {} was taken back already", step.step));
    }
    let is_last = overview.last_step.as_ref().is_some_and(|last| last.step == step.step);
    let mut dialog = Dialog::new("Take a step back", "Cancel")
        .line(format!("Take step {} back: {} of {}?", step.step, step.word(), step.about()))
        .lines(already(step))
        .line(
            "Each connector goes back exactly to what it was. Those that were changed since are listed and left alone.",
        );
    if !is_last && !step.kind.is_inverse() {
        dialog = dialog.line("It is not the last step; the ones after it stay.");
    }
    let job = Effect::Write(Job::TakeBack { step: step.step, only: None }, "taking a step back");
    Effect::Ask(Box::new(dialog.choice(format!("Take back {}", step.left()), vec![job])))
}

fn already(step: &Step) -> Option<(Tone, String)> {
    (step.taken_back > 0).then(|| (Tone::Plain, format!("{} of it were taken back already.", step.taken_back)))
}

/// Takes the last step back; asks when it was about several connectors.
pub fn undo(last_step: Option<&Step>) -> Effect {
    let Some(step) = last_step else {
        return Effect::info("there is nothing to undo");
    };
    let job = Effect::Write(Job::Undo, "undoing");
    if step.records <= 1 { job } else { ask_to_undo(step, None, job) }
}

/// Brings the step again that was taken back last; asks when it is about several connectors.
pub fn redo(next: Option<&Step>) -> Effect {
    let Some(undone) = next else {
        return Effect::info("there is nothing to redo");
    };
    let job = Effect::Write(Job::Redo, "redoing");
    if undone.records <= 1 { job } else { ask_to_redo(undone, None, job) }
}

/// Names a step that is to be undone or redone from a page that shows something else, or not all of it.
pub fn ask_on_page(step: &Step, elsewhere: Option<&str>, is_redo: bool) -> Effect {
    let job = Effect::Write(Job::TakeBack { step: step.step, only: None }, if is_redo { "redoing" } else { "undoing" });
    if is_redo { ask_to_redo(step, elsewhere, job) } else { ask_to_undo(step, elsewhere, job) }
}

fn ask_to_undo(step: &Step, elsewhere: Option<&str>, job: Effect) -> Effect {
    let what = match step.taken_back {
        0 if step.records <= 1 => format!("Take the last step back: {} of {}?", step.word(), step.about()),
        0 => format!("Take the last step back: {} of {}?", step.word(), connectors(step.left())),
        taken_back => format!(
            "Take back the rest of the last step, the {} of {}: {} ({taken_back} were taken back already; {} brings \
             those again)?",
            step.word(),
            connectors(step.records),
            connectors(step.left()),
            key_of(Place::History, Action::Redo)
        ),
    };
    confirm("Undo", what, elsewhere, job)
}

fn ask_to_redo(undone: &Step, elsewhere: Option<&str>, job: Effect) -> Effect {
    confirm("Redo", format!("Bring the {} again?", undone.about()), elsewhere, job)
}

fn confirm(verb: &str, what: String, elsewhere: Option<&str>, job: Effect) -> Effect {
    Effect::Ask(Box::new(
        Dialog::new(verb, "Cancel")
            .line(what)
            .lines(elsewhere.map(|text| (Tone::Head, text.to_owned())))
            .line("Connectors that were changed since are listed and left alone.")
            .choice(verb, vec![job]),
    ))
}

/// Draws the history.
pub fn view(state: &State, overview: &Overview, frame: &mut Frame<'_>, area: Rect, now: Timestamp, theme: Theme) {
    let (head, body) = cut_top(area, 1);
    frame.render_widget(Paragraph::new(headline(overview, usize::from(head.width), theme)), head);
    let steps = state.steps();
    if steps.is_empty() {
        let text = if state.steps.is_some() { "  Nothing has been changed in this file yet." } else { "  loading …" };
        frame.render_widget(Paragraph::new(text), body);
        return;
    }
    let columns: &[Column] = if area.width >= 60 {
        &[Column("STEP", 5), Column("AGE", 4), Column("WHAT", 9), Column("ABOUT", 0), Column("STATE", 14)]
    } else {
        &[Column("AGE", 4), Column("WHAT", 9), Column("ABOUT", 0)]
    };
    let is_wide = columns.len() == 5;
    let row = |at: usize| {
        let Some(step) = steps.get(at) else { return Vec::new() };
        let mut cells = cells(step, now, theme);
        if !is_wide {
            cells.remove(4);
            cells.remove(0);
        }
        cells
    };
    state.list.view(columns, steps.len(), row, frame, body, theme);
}

fn headline(overview: &Overview, cells: usize, theme: Theme) -> Line<'static> {
    let of = |step: &Step| match step.taken_back {
        0 => format!("{} of {}", step.word(), step.about()),
        _ => format!("rest of the {} ({})", step.word(), step.left()),
    };
    let mut parts = Vec::new();
    if let Some(step) = &overview.last_step {
        parts.push(format!("{} undoes the {}", key_of(Place::History, Action::Undo), of(step)));
    }
    if let Some(step) = &overview.next_redo {
        parts.push(format!("{} brings again: {}", key_of(Place::History, Action::Redo), step.about()));
    }
    Line::from(Span::styled(clip(&parts.join(" · "), cells), theme.muted()))
}

fn cells(step: &Step, now: Timestamp, theme: Theme) -> Vec<Shown> {
    let style = if step.state == StepState::Running { theme.warning() } else { theme.muted() };
    let body = if step.state == StepState::Reverted { theme.muted() } else { theme.text() };
    vec![
        (step.step.to_string(), theme.muted()),
        (age(Some(&step.started_at), now), theme.muted()),
        (step.word().to_owned(), theme.accent()),
        (step.about(), body),
        (step.progress(), style),
    ]
}
