//! Keys: the focused part handles a key first, and passes on what it does not use.

use super::model::Model;
use super::{actions, prefix};
use crate::tui::command::Command;
use crate::tui::keymap::{Action, Key};
use crate::tui::overlays::{Dialog, Flow};
use crate::tui::widgets::input::TooLong;
use crate::tui::widgets::list::PagedList;

/// The title of the question before unsaved input is dropped.
const QUIT: &str = "Quit";

/// Handles a key.
pub(super) fn on_key(model: &mut Model, key: Key) -> Vec<Command> {
    // A message stays until the next key, or until it expires.
    model.shows_message = false;
    let action = model.cx.ui.keys.action(model.context(), key);
    if let Some(commands) = urgent(model, action) {
        return commands;
    }
    if model.is_too_small() {
        return Vec::new();
    }
    if model.is_waiting() || !model.pending.keys.is_empty() {
        model.pending.keys.push_back(key);
        return Vec::new();
    }
    focused_key(model, key)
}

/// Handles actions that never wait.
fn urgent(model: &mut Model, action: Option<Action>) -> Option<Vec<Command>> {
    let is_below = model.overlays.is_empty();
    match action {
        Some(Action::QuitNow) => Some(quit_now(model)),
        Some(Action::Suspend) => Some(vec![Command::Suspend]),
        Some(Action::Redraw) => Some(vec![Command::Redraw]),
        Some(Action::Back) if is_below && model.cx.job.is_some() => Some(vec![Command::CancelJob]),
        Some(Action::Back) if is_below && model.screens.top().list().is_some_and(PagedList::is_marking) => {
            model.pending.keys.clear();
            model.screens.top_mut().list_mut().map(PagedList::clear_selection);
            Some(Vec::new())
        }
        _ => None,
    }
}

/// Returns the commands of the next queued key, if it can be handled now.
pub(super) fn next_waiting_key(model: &mut Model) -> Option<Vec<Command>> {
    if model.is_waiting() {
        return None;
    }
    let key = model.pending.keys.pop_front()?;
    Some(focused_key(model, key))
}

fn focused_key(model: &mut Model, key: Key) -> Vec<Command> {
    let context = model.context();
    let action = model.cx.ui.keys.action(context, key);
    if let Some(overlay) = model.overlays.last_mut() {
        let flow = overlay.on_key(key, action, &model.cx);
        return after(model, flow);
    }
    let screen = model.screens.top_mut();
    if let Some(list) = screen.list_mut().filter(|list| list.typing) {
        return Command::reads(list.on_filter_key(key, action));
    }
    if let Some(commands) = screen.on_key(key, action, &model.cx) {
        return commands;
    }
    if let Some(commands) = prefix::on_key(model, context, key, action) {
        return commands;
    }
    match action {
        Some(action) => actions::run(model, context, action),
        None => {
            let help = model.cx.key(context, Action::Help);
            vec![Command::info(format!("{key} does nothing here; {help} lists the keys"))]
        }
    }
}

/// Closes the last overlay if it is done, and returns the commands that follow.
pub(super) fn after(model: &mut Model, flow: Flow) -> Vec<Command> {
    match flow {
        Flow::Stay(commands) => commands,
        Flow::Close(commands) => {
            model.overlays.pop();
            commands
        }
    }
}

/// Quits on Ctrl-C; requires confirmation only if unsaved input would be lost.
pub(super) fn quit_now(model: &mut Model) -> Vec<Command> {
    if model.quits_after_job {
        return vec![Command::Quit];
    }
    // A second Ctrl-C confirms: an interrupted step may be incomplete.
    if model.overlays.pop_if(|overlay| overlay.closes_with_job()).is_some() {
        return vec![Command::QuitAfterJob];
    }
    // What was typed before is not meant for the question.
    model.pending.keys.clear();
    if model.cx.job.is_some() {
        return actions::confirm_stop(model).into_iter().collect();
    }
    let is_confirmed = model.overlays.last().is_some_and(|overlay| overlay.title() == QUIT);
    if is_confirmed || !model.has_unsaved() {
        return vec![Command::Quit];
    }
    vec![Command::dialog(
        Dialog::new(QUIT, "Keep editing")
            .line("Quit and drop what you changed in this form?")
            .destructive_choice("Quit", vec![Command::Quit]),
    )]
}

/// Handles pasted text: it goes into a text or nowhere, never to the keys.
pub(super) fn on_paste(model: &mut Model, text: &str) -> Vec<Command> {
    if model.is_too_small() {
        return Vec::new();
    }
    paste(model, text).unwrap_or_else(|error| vec![Command::error(error.to_string())])
}

fn paste(model: &mut Model, text: &str) -> Result<Vec<Command>, TooLong> {
    if let Some(overlay) = model.overlays.last_mut() {
        let flow = overlay.on_paste(text)?;
        return Ok(after(model, flow));
    }
    let screen = model.screens.top_mut();
    if let Some(list) = screen.list_mut().filter(|list| list.typing) {
        return Ok(Command::reads(list.paste_filter(text)?));
    }
    screen.on_paste(text).unwrap_or_else(|| {
        let key = model.cx.key(model.context(), Action::Filter);
        Ok(vec![Command::info(format!("Text cannot be pasted here; {key} opens the filter"))])
    })
}
