//! One connector, whole.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::command::{Command, Route};
use super::connectors;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::overlays::menu::{Item, Menu};
use crate::tui::ui::Ui;
use crate::tui::widgets::connector_details;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::theme::Theme;
use crate::worker::{Query, Record};

/// The connector that is shown; it arrives after the screen has opened.
#[derive(Debug)]
pub struct State {
    /// The id.
    pub id: String,
    /// The record; `None` before it has come.
    pub record: Option<Record>,
    /// The connector was deleted in the meantime.
    pub gone: bool,
    scroll: Scroll,
}

impl State {
    /// The screen before the record has come.
    pub fn new(id: String) -> Self {
        Self { id, record: None, gone: false, scroll: Scroll::default() }
    }

    fn lines(&self, width: usize, now: Timestamp, ui: Ui) -> Vec<Line<'static>> {
        let keys = ui.keys;
        match (&self.record, self.gone) {
            (Some(record), _) => connector_details::lines(record, now, ui, width.saturating_sub(2)),
            (None, true) => {
                let key = keys.key_of(KeyContext::Detail, Action::Back);
                vec![format!("This connector has been deleted. {key} goes back.").into()]
            }
            (None, false) => vec!["loading …".into()],
        }
    }
}

/// Handles an action.
pub fn update(state: &mut State, action: Action, size: (usize, usize), ui: Ui) -> Vec<Command> {
    let _keys = ui.keys;
    let lines = state.lines(size.0, Timestamp::UNIX_EPOCH, Ui { theme: Theme::new(false), ..ui }).len();
    if state.scroll.act(action, size.1, lines) {
        return Vec::new();
    }
    match action {
        Action::Edit => vec![Command::Route(Route::Edit(state.id.clone()))],
        Action::Duplicate => vec![Command::Route(Route::Duplicate(state.id.clone()))],
        Action::NextMissing => vec![Command::Route(Route::NextMissing)],
        Action::ToggleMode => vec![connectors::toggle(vec![state.id.clone()], false)],
        Action::Delete => {
            let name = state.record.as_ref().map(|record| record.connector.name.as_str());
            vec![connectors::delete(vec![state.id.clone()], name)]
        }
        Action::Compare => vec![compare(state)],
        Action::History => vec![Command::Route(Route::History)],
        Action::Back | Action::Quit => vec![Command::Route(Route::Back)],
        _ => Vec::new(),
    }
}

/// Returns the menu of the steps that changed the connector, for a comparison.
fn compare(state: &State) -> Command {
    let steps = state.record.as_ref().map(|record| record.history.as_slice()).unwrap_or_default();
    let items: Vec<Item> = steps
        .iter()
        .map(|step| {
            let request = Query::CompareBefore { step: step.step.step, id: state.id.clone() };
            let label = format!("before step {}: {}", step.step.step, step.step.word());
            Item::new(label, step.step.started_at.clone(), vec![Command::Read(request)])
        })
        .collect();
    if items.is_empty() {
        return Command::info("The history has no change of this connector");
    }
    Command::OpenMenu(Box::new(Menu::new("Compare with an earlier state", items)))
}

/// Draws the connector.
pub fn view(state: &State, frame: &mut Frame<'_>, area: Rect, now: Timestamp, ui: Ui) {
    let keys = ui.keys;
    state.scroll.view(state.lines(usize::from(area.width), now, ui), KeyContext::Detail, frame, area, keys);
}
