//! The mouse: the wheel moves, a click selects, a second click opens; headers sort, and footer hints can be clicked.

use ratatui::layout::{Position, Rect};

use super::actions::{menu_chosen, screen_action};
use super::model::{Model, Screen};
use super::view::footer_hints;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::screens::{Command, connectors, history_entry, review};
use crate::tui::widgets::layout::cut_top;
use crate::tui::widgets::table;

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

pub(super) fn update(model: &mut Model, mouse: Mouse) -> Vec<Command> {
    model.toast = None;
    if model.is_too_small() || model.opened.is_none() || model.is_waiting() {
        return Vec::new();
    }
    match mouse {
        Mouse::WheelUp => (0..WHEEL).flat_map(|_| wheel(model, Action::Up)).collect(),
        Mouse::WheelDown => (0..WHEEL).flat_map(|_| wheel(model, Action::Down)).collect(),
        Mouse::Click(x, y) => click(model, Position { x, y }),
    }
}

fn wheel(model: &mut Model, action: Action) -> Vec<Command> {
    match model.context() {
        KeyContext::Picker => menu_chosen(model, action).unwrap_or_default(),
        KeyContext::Dialog | KeyContext::Form | KeyContext::Input => Vec::new(),
        context => screen_action(model, context, action),
    }
}

fn click(model: &mut Model, at: Position) -> Vec<Command> {
    let context = model.context();
    if at.y + 1 == model.size.1 {
        let hint = footer_hints(model, usize::from(model.size.0)).into_iter().find(|hint| hint.cells.contains(&at.x));
        return hint.map(|hint| hint.press(context)).into_iter().collect();
    }
    match context {
        KeyContext::Dialog => dialog(model, at),
        KeyContext::Picker => menu(model, at),
        KeyContext::Connectors | KeyContext::Review | KeyContext::Step => list(model, context, at),
        _ => Vec::new(),
    }
}

fn dialog(model: &mut Model, at: Position) -> Vec<Command> {
    let body = model.body();
    let Some(answer) = model.dialog.as_ref().and_then(|dialog| dialog.answer_at(body, at)) else { return Vec::new() };
    model.dialog = None;
    answer
}

fn menu(model: &mut Model, at: Position) -> Vec<Command> {
    let body = model.body();
    let is_row = model.menu.as_mut().is_some_and(|menu| menu.select_at(body, at));
    if is_row { menu_chosen(model, Action::Confirm).unwrap_or_default() } else { Vec::new() }
}

fn list(model: &mut Model, context: KeyContext, at: Position) -> Vec<Command> {
    let body = model.body();
    let area = match model.screen() {
        Screen::Review => review::list_area(&model.review, body),
        Screen::HistoryEntry(_) => history_entry::list_area(body),
        _ => connectors::list_area(body),
    };
    let (head, rows_area) = cut_top(area, table::HEAD);
    if head.contains(at) && at.y + 1 == head.bottom() && context == KeyContext::Connectors {
        let column = connectors::column_at(&model.connectors, area.width, at.x - area.x);
        let request = column.and_then(|column| column.sort).map(|column| model.connectors.sort_by_column(column));
        return request.map(Command::Read).into_iter().collect();
    }
    if !rows_area.contains(at) {
        return Vec::new();
    }
    let is_mode = context == KeyContext::Connectors
        && connectors::column_at(&model.connectors, area.width, at.x - area.x).is_some_and(|column| column.is_mode);
    select(model, context, rows_area, at, is_mode)
}

/// A row that is selected already is opened, or its auth mode toggled where that was clicked.
fn select(model: &mut Model, context: KeyContext, area: Rect, at: Position, is_mode: bool) -> Vec<Command> {
    let Some(rows) = model.rows() else { return Vec::new() };
    let row = rows.top + usize::from(at.y - area.y);
    if row >= rows.total {
        return Vec::new();
    }
    if row != rows.cursor {
        return rows.go_to_row(row).into_iter().map(Command::Read).collect();
    }
    match (is_mode, context) {
        (true, _) => screen_action(model, context, Action::ToggleMode),
        (false, KeyContext::Review) => screen_action(model, context, Action::Edit),
        (false, _) => screen_action(model, context, Action::Open),
    }
}
