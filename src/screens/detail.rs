//! One connector, whole.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::connectors;
use super::effect::{Effect, Go};
use super::menu::{Item, Menu};
use super::record;
use super::scroll::Scroll;
use crate::keymap::{Action, Place, key_of};
use crate::ui::theme::Theme;
use crate::worker::protocol::{Record, Request};

/// The connector that is shown; it arrives after the screen has opened.
#[derive(Debug)]
pub struct State {
    /// Its id.
    pub id: String,
    /// The record; `None` before it has come.
    pub record: Option<Record>,
    /// It was deleted meanwhile.
    pub gone: bool,
    scroll: Scroll,
}

impl State {
    /// The screen before the record has come.
    pub fn new(id: String) -> Self {
        Self { id, record: None, gone: false, scroll: Scroll::default() }
    }

    fn lines(&self, width: usize, now: Timestamp, theme: Theme) -> Vec<Line<'static>> {
        match (&self.record, self.gone) {
            (Some(record), _) => record::lines(record, now, theme, width.saturating_sub(2)),
            (None, true) => {
                let key = key_of(Place::Detail, Action::Back);
                vec![format!("This connector has been deleted. {key} goes back.").into()]
            }
            (None, false) => vec!["loading …".into()],
        }
    }
}

/// What an action does here.
pub fn update(state: &mut State, action: Action, size: (usize, usize)) -> Vec<Effect> {
    let lines = state.lines(size.0, Timestamp::UNIX_EPOCH, Theme::new(false)).len();
    if state.scroll.act(action, size.1, lines) {
        return Vec::new();
    }
    match action {
        Action::Edit => vec![Effect::Go(Go::Edit(state.id.clone()))],
        Action::Duplicate => vec![Effect::Go(Go::Duplicate(state.id.clone()))],
        Action::NextMissing => vec![Effect::Go(Go::NextMissing)],
        Action::ToggleMode => vec![connectors::toggle(vec![state.id.clone()], false)],
        Action::Delete => {
            let name = state.record.as_ref().map(|record| record.connector.name.as_str());
            vec![connectors::delete(vec![state.id.clone()], name)]
        }
        Action::Compare => vec![compare(state)],
        Action::History => vec![Effect::Go(Go::History)],
        Action::Back | Action::Quit => vec![Effect::Go(Go::Back)],
        _ => Vec::new(),
    }
}

/// The steps that changed it, to compare it with what it was before one of them.
fn compare(state: &State) -> Effect {
    let steps = state.record.as_ref().map(|record| record.history.as_slice()).unwrap_or_default();
    let items: Vec<Item> = steps
        .iter()
        .map(|step| {
            let request = Request::CompareBefore { step: step.step.step, id: state.id.clone() };
            let label = format!("before step {}: {}", step.step.step, step.step.word());
            Item::new(label, step.step.started_at.clone(), vec![Effect::Read(request)])
        })
        .collect();
    if items.is_empty() {
        return Effect::info("this file's history knows of no change of it");
    }
    Effect::Offer(Box::new(Menu::new("Compare with what it was", items)))
}

/// Draws the connector.
pub fn view(state: &State, frame: &mut Frame<'_>, area: Rect, now: Timestamp, theme: Theme) {
    state.scroll.view(state.lines(usize::from(area.width), now, theme), Place::Detail, frame, area);
}
