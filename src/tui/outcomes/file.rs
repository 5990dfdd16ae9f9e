//! Reports about the file itself: restored, replaced, not readable, gone.

use crate::fs::paths::file_name;
use crate::store::Restored;
use crate::tui::command::{Command, OpenTarget, connectors as count_of};
use crate::tui::context::Context;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::overlays::Dialog;
use crate::tui::overlays::file_picker::{self, Purpose};

/// The title of the report of a failed job.
pub(in crate::tui) const FAILED: &str = "The action failed";

/// What opening another file costs.
pub(in crate::tui) const DROPS_INPUT: &str = "A form is open: opening the new file drops what was typed into it.";

/// Reports a failed job. A reason can be long, and none of it may be lost at the edge of the footer.
pub(in crate::tui) fn failed(reason: String, is_displaced: bool, cx: &Context) -> Dialog {
    let dialog = Dialog::new(FAILED, "OK").line(reason);
    if is_displaced { with_rescue(dialog, cx) } else { dialog }
}

/// Reports what an opened file needs: to resume a migration run, or to review the plan.
pub(in crate::tui) fn opened(cx: &Context) -> Option<Command> {
    let review = cx.key(KeyContext::Connectors, Action::Review);
    if let Some(run) = &cx.overview.interrupted_run {
        let key = |action| cx.key(KeyContext::Review, action);
        return Some(Command::warning(format!(
            "a migration run was interrupted after {}: {review} reviews it, {} resumes it, {} to undo",
            count_of(run.records),
            key(Action::Apply),
            key(Action::Rollback)
        )));
    }
    let pending = cx.overview.plan.pending();
    (pending > 0).then(|| Command::info(format!("{} to migrate: {review} reviews that", count_of(pending))))
}

/// Reports the result of a restore.
pub(in crate::tui) fn restored(outcome: Result<Restored, String>) -> Dialog {
    match outcome {
        Ok(restored) => Dialog::new("The backup is restored", "OK")
            .line(format!(
                "The file holds what it held in {}: {}.",
                file_name(&restored.from),
                count_of(restored.records)
            ))
            .line(format!(
                "What it was before is kept as {}.",
                restored.kept.as_deref().map(file_name).unwrap_or_default()
            )),
        Err(reason) => Dialog::new("The backup was not restored", "OK").line(reason).line("The file is as it was."),
    }
}

/// Reports that the file is no longer at its path.
pub(in crate::tui) fn displaced(reason: String, is_replaced: bool, has_unsaved: bool, cx: &Context) -> Dialog {
    let title = if is_replaced { "Another file is in its place" } else { "The file does not exist any more" };
    let mut dialog = Dialog::new(title, "Look around")
        .line(reason)
        .line("What the program has open can still be written to a new file, with its history and secrets.");
    if is_replaced && has_unsaved {
        dialog = dialog.line(DROPS_INPUT);
    }
    if is_replaced {
        let target = OpenTarget::File(cx.path.clone());
        dialog = dialog.choice("Open the file that is there now", vec![Command::OpenFile(target)]);
    }
    with_rescue(dialog, cx)
}

fn with_rescue(dialog: Dialog, cx: &Context) -> Dialog {
    dialog.choice("Save to a new file", file_picker::open(Purpose::SaveAs, cx))
}

/// Reports that the file is another one now; only opening it again helps.
pub(in crate::tui) fn older_schema(schema: i64) -> Dialog {
    Dialog::new("The file was replaced", "Later")
        .line(format!("Another program replaced this file with one of schema {schema}; the screen shows the old one."))
        .line("Opening it again upgrades its schema, after a backup.")
        .choice("Open it again", vec![Command::Reopen(None)])
}

/// Reports that the file cannot be read. It is not repeated automatically, which could fail endlessly.
pub(in crate::tui) fn read_failed(reason: String, on: KeyContext, cx: &Context) -> Dialog {
    let key = cx.key(on, Action::Refresh);
    Dialog::new("The file cannot be read", "OK").line(reason).line(format!("{key} reads it again; Ctrl-c quits."))
}
