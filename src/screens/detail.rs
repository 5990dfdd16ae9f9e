//! One connector, whole.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::Paragraph;

use super::connectors;
use super::effect::{Effect, Go};
use super::record;
use crate::domain::Connector;
use crate::keymap::Action;
use crate::ui::theme::Theme;

/// The connector that is shown; it arrives after the screen has opened.
#[derive(Debug)]
pub struct State {
    /// Its id.
    pub id: String,
    /// The record; `None` before it has come.
    pub record: Option<Connector>,
    /// It was deleted meanwhile.
    pub gone: bool,
    scroll: usize,
}

impl State {
    /// The screen before the record has come.
    pub fn new(id: String) -> Self {
        Self { id, record: None, gone: false, scroll: 0 }
    }
}

/// What an action does here.
pub fn update(state: &mut State, action: Action, height: usize) -> Vec<Effect> {
    let page = height.saturating_sub(1).max(1);
    match action {
        Action::Down => state.scroll += 1,
        Action::Up => state.scroll = state.scroll.saturating_sub(1),
        Action::PageDown => state.scroll += page,
        Action::PageUp => state.scroll = state.scroll.saturating_sub(page),
        Action::Top => state.scroll = 0,
        Action::Bottom => state.scroll = usize::MAX / 2,
        Action::Edit => return vec![Effect::Go(Go::Edit(state.id.clone()))],
        Action::Duplicate => return vec![Effect::Go(Go::Duplicate(state.id.clone()))],
        Action::ToggleMode => return vec![connectors::toggle(vec![state.id.clone()])],
        Action::Delete => {
            let name = state.record.as_ref().map_or("", |record| record.name.as_str());
            return vec![connectors::delete(vec![state.id.clone()], name)];
        }
        Action::Back | Action::Quit => return vec![Effect::Go(Go::Back)],
        _ => {}
    }
    // The end depends on the width; a rough bound keeps "up" from lagging behind a long way down.
    if let Some(record) = &state.record {
        let most = record::lines(record, Timestamp::UNIX_EPOCH, Theme::new(false), 60).len();
        state.scroll = state.scroll.min(most.saturating_sub(height.min(most)));
    }
    Vec::new()
}

/// Draws the connector.
pub fn view(state: &State, frame: &mut Frame<'_>, area: Rect, now: Timestamp, theme: Theme) {
    let lines = match (&state.record, state.gone) {
        (Some(record), _) => record::lines(record, now, theme, usize::from(area.width).saturating_sub(2)),
        (None, true) => vec!["This connector has been deleted. Esc goes back.".into()],
        (None, false) => vec!["loading …".into()],
    };
    let height = usize::from(area.height);
    let scroll = state.scroll.min(lines.len().saturating_sub(height));
    let shown: Vec<_> = lines.into_iter().skip(scroll).take(height).collect();
    let area = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    frame.render_widget(Paragraph::new(shown), area);
}
