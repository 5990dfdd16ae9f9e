//! The life of the file: it is chosen, opened, counted, replaced by another program, opened again.

use std::path::PathBuf;

use super::effect::Effect;
use super::model::{Model, Start};
use super::stack::{Screens, fit};
use crate::fs::paths::file_name;
use crate::messages;
use crate::tui::command::{Command, OpenTarget};
use crate::tui::keymap::Action;
use crate::tui::outcomes;
use crate::tui::overlays::{Dialog, Tone};
use crate::tui::screens::Route;
use crate::worker::{FileJob, Opened, Query};

/// Opens the file that the user chose.
pub(super) fn open(model: &mut Model, target: OpenTarget) -> Effect {
    // Another one in place of the one that is open: only when it can be.
    if model.is_open && matches!(target, OpenTarget::File(_)) {
        return Effect::OpenFile(target);
    }
    match &target {
        OpenTarget::New => {}
        OpenTarget::Import => model.pending.action = Some(Action::Import),
        OpenTarget::Demo => {
            model.cx.is_demo = true;
            model.cx.file = "the demo".to_owned();
        }
        OpenTarget::File(path) => {
            model.cx.file = file_name(path);
            model.cx.path.clone_from(path);
        }
    }
    model.screens = Screens::new(Route::Opening(false), &model.cx);
    Effect::OpenFile(target)
}

/// Another file is being opened in place of the one before.
pub(super) fn switched(model: &mut Model, path: PathBuf) {
    model.reopen(false);
    model.cx.is_demo = false;
    model.cx.file = file_name(&path);
    model.cx.path = path;
}

/// The file is open.
pub(super) fn opened(model: &mut Model, opened: Opened) -> Vec<Command> {
    model.is_open = true;
    model.is_displaced = false;
    model.cx.is_read_only = opened.read_only;
    model.start =
        Start { was_upgraded: opened.upgraded.is_some(), was_restored: opened.restored.is_some(), ..model.start };
    model.cx.upgraded = opened.upgraded;
    model.screens = Screens::new(Route::Connectors, &model.cx);
    fit(model.screens.top_mut(), &model.cx);
    let mut commands = Command::reads(model.screens.top_mut().queries());
    commands.extend(model.pending.action.take().map(Command::RunAction));
    if !opened.key_warnings.is_empty() {
        let lines = opened.key_warnings.iter().map(|warning| (Tone::Plain, messages::keys::warning(warning)));
        commands.push(Command::dialog(Dialog::new("About the keys", "OK").lines(lines)));
    }
    commands.extend(opened.restored.map(|outcome| Command::dialog(outcomes::restored(outcome))));
    match opened.overview {
        Some(overview) => {
            model.cx.overview = overview;
            commands.extend(first_counts(model));
        }
        None => {
            model.pending.counts = true;
            commands.push(Command::Read(Query::Overview));
        }
    }
    commands
}

/// Returns the commands of the first counts of an opened file.
pub(super) fn first_counts(model: &Model) -> Vec<Command> {
    let (start, plan) = (model.start, &model.cx.overview.plan);
    if start.was_restored {
        return Vec::new();
    }
    if start.applies_migration && plan.to_apply() > 0 {
        return vec![Command::Open(Route::Review), Command::write(FileJob::Apply, "migrating")];
    }
    if start.was_upgraded && plan.pending() > 0 {
        return vec![Command::Open(Route::Review)];
    }
    outcomes::opened(&model.cx).into_iter().collect()
}

/// The file is no longer at its path. The open content stays on the screen and can be saved elsewhere.
pub(super) fn displaced(model: &mut Model, reason: String, is_replaced: bool) -> Vec<Command> {
    model.is_displaced = true;
    // This says why the job before failed.
    model.overlays.retain(|overlay| overlay.title() != outcomes::FAILED);
    vec![Command::dialog(outcomes::displaced(reason, is_replaced, model.has_unsaved(), &model.cx))]
}
