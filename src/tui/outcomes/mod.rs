//! What the results of jobs mean for the user: messages and dialogs, with the next steps.

mod about;
mod bulk;
mod file;
mod kibana;
mod revert;
mod transfer;

pub(super) use about::about;
pub(super) use file::{DROPS_INPUT, FAILED, displaced, failed, older_schema, opened, read_failed, restored};

use std::path::PathBuf;

use crate::domain::Connector;
use crate::domain::diff::changes;
use crate::fs::paths::file_name;
use crate::text::capitalized;
use crate::tui::command::{Command, OpenTarget, connectors as count_of};
use crate::tui::context::Context;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::overlays::{Dialog, Tone, change_lines};
use crate::tui::screens;
use crate::worker::{JobResult, UndoPage};

/// Where a report is shown: it names the keys of that screen.
pub(super) struct Place<'a> {
    /// The context of the focused screen.
    pub(super) context: KeyContext,
    /// A form has changes that are not saved.
    pub(super) has_unsaved: bool,
    /// The facts about the program.
    pub(super) cx: &'a Context,
}

impl Place<'_> {
    fn key(&self, action: Action) -> String {
        self.cx.key(self.context, action)
    }
}

/// Reports the result of a job; the form reports on its own jobs, and the review on a run of the migration.
pub(super) fn report(result: JobResult, on: &Place<'_>) -> Option<Command> {
    let keys = on.cx.ui.keys;
    Some(match result {
        JobResult::Created(_) | JobResult::Saved { .. } | JobResult::Applied(_) | JobResult::Decided(1) => return None,
        JobResult::AuthModeSet(written) => bulk::mode_set(&written, on),
        JobResult::Deleted(written) => bulk::deleted(&written, on),
        JobResult::BulkPreviewed(preview, job) => Command::dialog(bulk::bulk_preview(&preview, *job)),
        JobResult::Bulked(written) => bulk::bulked(&written, on),
        JobResult::Imported { path, outcome, notices } => {
            Command::dialog(transfer::imported(&path, &outcome, &notices, on.cx))
        }
        JobResult::Previewed { path, preview } => Command::dialog(transfer::import_preview(&path, &preview)),
        JobResult::FileIsThere(job) => Command::dialog(transfer::confirm_replace(*job)),
        JobResult::Exported { path, report } => Command::dialog(transfer::exported(&path, &report)),
        JobResult::Decided(0) => Command::info("Nothing decided: blocked and migrated records take no decision"),
        JobResult::Decided(count) => Command::success(format!("Decision saved for {}", count_of(count as u64))),
        JobResult::Reverted(reverted) => revert::reverted(&reverted, on),
        JobResult::UndoElsewhere { step, page, is_elsewhere, is_redo } => {
            let text = match page {
                UndoPage::Step(_) => "It is not the step on this page.",
                UndoPage::Connector(_) => "The connector on this page is not part of it.",
            };
            screens::confirm_on_page(&step, is_elsewhere.then_some(text), is_redo, keys)
        }
        JobResult::BackedUp(backup) => Command::success(format!("Created {}", file_name(&backup.path))),
        JobResult::SavedAs(path) => Command::dialog(saved_as(path, on.has_unsaved)),
        JobResult::Fetched => Command::success("Fetched from Kibana"),
        JobResult::Pulled(report) => kibana::pulled(&report, keys),
        JobResult::Pushed(report) => kibana::pushed(&report, keys),
        JobResult::Resolved { count, side, left } => kibana::resolved(count, side, left, keys),
        JobResult::Ran(ran) => kibana::ran(&ran),
        JobResult::Nothing(reason) => Command::info(capitalized(&reason)),
    })
}

fn saved_as(path: PathBuf, has_unsaved: bool) -> Dialog {
    let mut dialog = Dialog::new("Saved to a new file", "Stay").line(path.display().to_string());
    if has_unsaved {
        dialog = dialog.line(DROPS_INPUT);
    }
    dialog.choice("Open it", vec![Command::OpenFile(OpenTarget::File(path))])
}

/// Compares two connectors, or two states of one, field by field.
pub(super) fn comparison([(left, one), (right, other)]: &[(String, Connector); 2]) -> Dialog {
    let lines = change_lines(&changes(one, other));
    let dialog = Dialog::new("Compare", "OK")
        .lines([(Tone::Minus, format!("- {left} ({})", one.id)), (Tone::Plus, format!("+ {right} ({})", other.id))]);
    if lines.is_empty() { dialog.line("They do not differ.") } else { dialog.lines(lines) }
}
