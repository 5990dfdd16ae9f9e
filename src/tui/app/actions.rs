//! Actions: those of every screen, and whether one is available now.

use super::keys;
use super::model::Model;
use super::palette;
use crate::text::capitalized;
use crate::tui::command::Command;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::outcomes;
use crate::tui::overlays::Dialog;
use crate::tui::screens::{Route, Screen, redo, undo};
use crate::tui::widgets::theme::Theme;
use crate::worker::Query;

/// Runs an action on the focused screen: on its list, else on the screen itself, else as every screen has it.
pub(super) fn run(model: &mut Model, context: KeyContext, action: Action) -> Vec<Command> {
    if let Err(reason) = availability(model, model.screens.top(), context, action) {
        return vec![Command::info(capitalized(&reason))];
    }
    let screen = model.screens.top_mut();
    if let Some(queries) = screen.list_mut().and_then(|list| list.act(action)) {
        return Command::reads(queries);
    }
    screen.on_action(action, &model.cx).unwrap_or_else(|| common(model, context, action))
}

/// The actions that every screen has.
fn common(model: &mut Model, context: KeyContext, action: Action) -> Vec<Command> {
    match action {
        Action::QuitNow => keys::quit_now(model),
        Action::Suspend => vec![Command::Suspend],
        Action::Redraw => vec![Command::Redraw],
        Action::Help => vec![Command::Open(Route::Help(context))],
        Action::Palette => vec![Command::menu(palette::menu(model))],
        Action::Messages => vec![Command::Open(Route::Messages)],
        Action::About => vec![Command::dialog(outcomes::about(&model.cx))],
        Action::Overview => vec![Command::Open(Route::Overview)],
        Action::Backups => vec![Command::Open(Route::Backups)],
        Action::History => vec![Command::Open(Route::History)],
        Action::Sync => vec![Command::Open(Route::Sync)],
        Action::Undo => vec![undo(model.cx.overview.last_step.as_ref(), model.cx.ui.keys)],
        Action::Redo => vec![redo(model.cx.overview.next_redo.as_ref())],
        Action::Mouse => switch_mouse(model),
        Action::Theme => vec![next_theme(model)],
        Action::Refresh => read_again(model),
        Action::Back | Action::Quit if model.screens.depth() > 0 => vec![Command::Back],
        Action::Quit => vec![confirm_stop(model).unwrap_or(Command::Quit)],
        _ => Vec::new(),
    }
}

fn switch_mouse(model: &mut Model) -> Vec<Command> {
    let is_on = !model.cx.has_mouse;
    model.cx.has_mouse = is_on;
    let text = if is_on { "Mouse on" } else { "Mouse off: the terminal selects text again" };
    vec![Command::Mouse(is_on), Command::info(text)]
}

fn next_theme(model: &mut Model) -> Command {
    let scheme = model.cx.ui.theme.scheme().next();
    model.cx.ui.theme = Theme::of(scheme);
    Command::info(format!("Theme {0}; theme = \"{0}\" in the configuration file keeps it", scheme.name()))
}

/// Reads the file again, including everything in memory.
fn read_again(model: &mut Model) -> Vec<Command> {
    let mut commands = vec![Command::Read(Query::Forget)];
    commands.extend(model.reload());
    commands.push(Command::info("Read again"));
    commands
}

/// Confirms that the running job is stopped before the program quits.
pub(super) fn confirm_stop(model: &Model) -> Option<Command> {
    let title = model.cx.job.as_ref()?.title;
    Some(Command::dialog(
        Dialog::new("Quit", "Stay")
            .line(format!("A job is running: {title}. Stop it and quit? The current step is finished first."))
            .destructive_choice("Stop and quit", vec![Command::QuitAfterJob])
            .close_with_job(),
    ))
}

/// Returns why an action of a screen is unavailable now.
pub(super) fn availability(
    model: &Model,
    screen: &dyn Screen,
    context: KeyContext,
    action: Action,
) -> Result<(), String> {
    let cx = &model.cx;
    let writes =
        cx.ui.keys.bindings(context).find(|binding| binding.action == action).is_some_and(|binding| binding.writes);
    if writes && cx.is_read_only {
        return Err("the file is open read-only: nothing can be changed".to_owned());
    }
    if writes && cx.job.is_some() {
        return Err(format!("wait for the running job, or stop it with {}", cx.key(context, Action::Back)));
    }
    if action.needs_row() && screen.total() == Some(0) {
        return Err("no row is selected".to_owned());
    }
    if action.needs_remote() && cx.overview.remote.is_none() {
        return Err("this file has no remote; add one with connector-admin remote add".to_owned());
    }
    match action {
        Action::Undo if cx.overview.last_step.is_none() => Err("nothing to undo".to_owned()),
        Action::Redo if cx.overview.next_redo.is_none() => Err("nothing to redo".to_owned()),
        _ => screen.unavailable(action, cx).map_or(Ok(()), Err),
    }
}
