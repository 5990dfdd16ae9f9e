//! The mouse: the wheel moves, a click selects, a second click opens; footer hints can be clicked.

use ratatui::layout::Position;

use super::actions;
use super::footer;
use super::keys::after;
use super::model::Model;
use crate::tui::command::Command;
use crate::tui::keymap::{Action, KeyContext};

/// A mouse event and its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// The left button went down.
    Click(u16, u16),
    /// The wheel was turned up.
    WheelUp,
    /// The wheel was turned down.
    WheelDown,
}

/// Rows that a turn of the wheel moves by.
const WHEEL: usize = 3;

/// Handles a mouse event.
pub(super) fn on_mouse(model: &mut Model, mouse: Mouse) -> Vec<Command> {
    model.shows_message = false;
    if model.is_too_small() || model.is_waiting() {
        return Vec::new();
    }
    match mouse {
        Mouse::WheelUp => (0..WHEEL).flat_map(|_| wheel(model, Action::Up)).collect(),
        Mouse::WheelDown => (0..WHEEL).flat_map(|_| wheel(model, Action::Down)).collect(),
        Mouse::Click(x, y) => click(model, Position { x, y }),
    }
}

fn wheel(model: &mut Model, action: Action) -> Vec<Command> {
    if let Some(overlay) = model.overlays.last_mut() {
        overlay.on_wheel(action);
        return Vec::new();
    }
    let context = model.context();
    let is_bound = model.cx.ui.keys.bindings(context).any(|binding| binding.action == action);
    if is_bound && context != KeyContext::Picker { actions::run(model, context, action) } else { Vec::new() }
}

fn click(model: &mut Model, at: Position) -> Vec<Command> {
    // While the file is being opened only the menu of the ways to begin can be clicked.
    if !model.is_open && model.overlays.is_empty() {
        return Vec::new();
    }
    if at.y + 1 == model.cx.size.1 {
        let hint = footer::hints(model, model.cx.size.0.into()).into_iter().find(|hint| hint.cells.contains(&at.x));
        return hint.map(|hint| hint.press(model.context())).into_iter().collect();
    }
    let body = model.cx.body();
    if let Some(overlay) = model.overlays.last_mut() {
        let flow = overlay.on_click(at, body);
        return after(model, flow);
    }
    if model.is_typing_filter() {
        return Vec::new();
    }
    model.screens.top_mut().on_click(at, &model.cx)
}
