//! What is typed before a movement: a count, or the first `g` of `gg`.

use crossterm::event::KeyCode;

use super::actions;
use super::model::Model;
use crate::tui::command::Command;
use crate::tui::keymap::{Action, Key, KeyContext};

/// The most rows that a count moves by.
const MOST: usize = 1_000_000;

/// The most lines that a count moves by on a screen without a paged list.
const MOST_LINES: usize = 1000;

/// The keys typed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Prefix {
    count: usize,
    is_g: bool,
}

impl Prefix {
    /// Returns the keys typed so far, for the footer.
    pub(super) fn shown(self) -> Option<String> {
        let count = if self.count > 0 { self.count.to_string() } else { String::new() };
        let text = format!("{count}{}", if self.is_g { "g" } else { "" });
        (!text.is_empty()).then_some(text)
    }
}

/// Handles a key that has no action of its own, or an action after a prefix; `None` if no prefix concerns it.
pub(super) fn on_key(model: &mut Model, context: KeyContext, key: Key, action: Option<Action>) -> Option<Vec<Command>> {
    let prefix = std::mem::take(&mut model.prefix);
    let can_move = model.cx.ui.keys.bindings(context).any(|binding| binding.action == Action::Bottom);
    if !can_move || key.ctrl {
        return None;
    }
    match (action, key.code) {
        (None, KeyCode::Char('g')) if prefix.is_g => Some(go_to_row(model, context, prefix.count.max(1))),
        (None, KeyCode::Char('g')) => {
            model.prefix = Prefix { is_g: true, ..prefix };
            Some(Vec::new())
        }
        (None, KeyCode::Char(letter)) if letter.is_ascii_digit() && (letter != '0' || prefix.count > 0) => {
            let digit = usize::try_from(letter.to_digit(10)?).ok()?;
            model.prefix = Prefix { count: (prefix.count * 10 + digit).min(MOST), is_g: false };
            Some(Vec::new())
        }
        (Some(Action::Bottom), _) if prefix.count > 0 => Some(go_to_row(model, context, prefix.count)),
        (Some(action @ (Action::Down | Action::Up | Action::PageDown | Action::PageUp)), _) if prefix.count > 0 => {
            Some(repeat(model, context, action, prefix.count))
        }
        _ => None,
    }
}

fn go_to_row(model: &mut Model, context: KeyContext, row: usize) -> Vec<Command> {
    let commands = actions::run(model, context, Action::Top);
    if row == 1 { commands } else { repeat(model, context, Action::Down, row - 1) }
}

/// Runs a movement several times. Only the rows of the last place are asked for.
fn repeat(model: &mut Model, context: KeyContext, action: Action, count: usize) -> Vec<Command> {
    if let Some(list) = model.screens.top_mut().list_mut() {
        return Command::reads(list.repeat(action, count));
    }
    for _ in 1..count.min(MOST_LINES) {
        actions::run(model, context, action);
    }
    actions::run(model, context, action)
}
