//! Reports about steps that were reverted.

use super::Place;
use crate::store::{OperationKind, Reverted};
use crate::text::grouped;
use crate::tui::command::{Command, connectors as count_of};
use crate::tui::keymap::Action;
use crate::tui::overlays::Dialog;
use crate::tui::screens::Route;

/// Reports an undo, a redo, a revert or a rollback.
pub(super) fn reverted(reverted: &Reverted, on: &Place<'_>) -> Command {
    let step = &reverted.step;
    let (verb, participle) = match (step.kind, step.kind.is_inverse()) {
        (_, true) => ("Redid", "redone"),
        (OperationKind::Migration, _) => ("Rolled back", "rolled back"),
        _ => ("Undid", "undone"),
    };
    let kind = step.origin.map_or(step.kind, |(_, kind)| kind).as_str();
    let what = match (&reverted.only, step.kind) {
        (Some((_, name)), _) => format!("{verb} {kind} of {name}"),
        (None, OperationKind::Migration) => format!("{verb} {}", count_of(reverted.restored)),
        (None, _) => format!("{verb} {kind} of {}", count_of(reverted.restored)),
    };
    if reverted.stopped {
        return Command::info(format!("{what} of {}, then stopped; run it again to resume", step.left()));
    }
    if reverted.restored == 0 && reverted.conflicts.is_empty() {
        return Command::info("Nothing left to revert");
    }
    if reverted.conflicts.is_empty() {
        let way_back = if step.kind.is_inverse() {
            format!("{} to undo", on.key(Action::Undo))
        } else {
            format!("{} to redo", on.key(Action::Redo))
        };
        return Command::success(format!("{what} ({way_back})"));
    }
    let title =
        if reverted.restored == 0 { format!("Nothing was {participle}") } else { format!("Partly {participle}") };
    let mut dialog = Dialog::new(title, "OK")
        .line(what)
        .line(format!("{} changed since and skipped:", count_of(reverted.conflicts.len() as u64)));
    for id in reverted.conflicts.iter().take(5) {
        dialog = dialog.line(format!("  {id}"));
    }
    if reverted.conflicts.len() > 5 {
        dialog = dialog.line(format!("  and {} more", grouped(reverted.conflicts.len() - 5)));
    }
    let show = vec![Command::Open(Route::Step(Box::new(step.clone()), "-change:undone"))];
    Command::dialog(dialog.choice("Show both sides", show))
}
