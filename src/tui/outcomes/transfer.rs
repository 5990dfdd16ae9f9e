//! Reports about imports and exports.

use std::path::{Path, PathBuf};

use crate::kibana::saved_objects::ImportWarnings;
use crate::messages::transfer::{export_notes, import_notes};
use crate::service::export::ExportReport;
use crate::service::import::Preview;
use crate::store::{ImportOutcome, OnConflict};
use crate::text::grouped;
use crate::tui::command::{Command, connectors as count_of};
use crate::tui::context::Context;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::overlays::Dialog;
use crate::worker::FileJob;

/// Reports an import, with the next steps.
pub(super) fn imported(path: &Path, outcome: &ImportOutcome, notices: &ImportWarnings, cx: &Context) -> Dialog {
    if !outcome.conflicts.is_empty() {
        return import_conflict(path, outcome);
    }
    let mut dialog = Dialog::new("Imported", "OK").line(format!(
        "{} imported: {} new, {} replaced.",
        count_of(outcome.added + outcome.replaced),
        grouped(outcome.added),
        grouped(outcome.replaced)
    ));
    if outcome.missing_secrets > 0 {
        dialog = dialog.line(format!(
            "{} need secrets (exports never contain them). In the list, {} opens one after the other.",
            count_of(outcome.missing_secrets),
            cx.key(KeyContext::Connectors, Action::NextMissing)
        ));
        dialog = dialog.choice("Show those without secrets", vec![Command::Filter("missing:secrets".to_owned())]);
    }
    for (count, what) in [
        (outcome.kept_secrets, "kept the secrets that were stored."),
        (outcome.lost_secrets, "lost the secrets that were stored: they do not fit any more."),
    ] {
        if count > 0 {
            dialog = dialog.line(format!("{} {what}", count_of(count)));
        }
    }
    for line in import_notes(notices) {
        dialog = dialog.line(format!("Notice: {line}."));
    }
    dialog.line(format!("In the list, {} undoes the import.", cx.key(KeyContext::Connectors, Action::Undo)))
}

/// Shows the preview of an import, for confirmation.
pub(super) fn import_preview(path: &Path, preview: &Preview) -> Dialog {
    let Preview { outcome, notices, plan, same_names } = preview;
    if !outcome.conflicts.is_empty() {
        return import_conflict(path, outcome);
    }
    let mut dialog = Dialog::new("Import", "Cancel")
        .line(path.display().to_string())
        .line(format!("{}, all of them new.", count_of(outcome.added)));
    if outcome.missing_secrets > 0 {
        dialog =
            dialog.line(format!("{} need secrets (exports never contain them).", count_of(outcome.missing_secrets)));
    }
    if plan.pending() > 0 {
        dialog = dialog.line(format!(
            "The migration will be due for {}: backfill {}, stamp only {}, blocked {}.",
            plan.pending(),
            plan.backfill,
            plan.stamp_only,
            plan.blocked
        ));
    }
    for line in import_notes(notices) {
        dialog = dialog.line(format!("Notice: {line}."));
    }
    if outcome.added == 0 {
        return dialog.line("Nothing to import.");
    }
    if *same_names > 0 {
        let same = count_of(*same_names);
        dialog = dialog.line(format!("Note: {same} with the name of an existing one under another id."));
    }
    dialog.choice("Import", vec![import(path.to_owned(), OnConflict::Report)])
}

/// Confirms the replacement of a file by an export.
pub(super) fn confirm_replace(job: FileJob) -> Dialog {
    let name = match &job {
        FileJob::Export { path, .. } => path.display().to_string(),
        _ => "the file".to_owned(),
    };
    Dialog::new("Replace the file?", "Cancel")
        .line(format!("{name} already exists. Replace it with the export?"))
        .destructive_choice("Replace", vec![Command::write(job, "exporting")])
}

/// Reports an export.
pub(super) fn exported(path: &Path, report: &ExportReport) -> Dialog {
    let mut dialog =
        Dialog::new("Exported", "OK").line(format!("{} to {}.", count_of(report.exported), path.display()));
    for line in export_notes(report) {
        dialog = dialog.line(format!("Notice: {line}."));
    }
    dialog
}

fn import_conflict(path: &Path, outcome: &ImportOutcome) -> Dialog {
    let again = |on_conflict| vec![import(path.to_owned(), on_conflict)];
    let mut dialog = Dialog::new("These ids already exist", "Cancel").line(format!(
        "{} of the ids in the export are in the file already, {} are new. Nothing has been imported.",
        outcome.conflicts.count, outcome.added
    ));
    for id in outcome.conflicts.ids.iter().take(5) {
        dialog = dialog.line(format!("  {id}"));
    }
    if outcome.conflicts.count > 5 {
        dialog = dialog.line(format!("  and {} more", grouped(outcome.conflicts.count - 5)));
    }
    dialog
        .line(
            "Overwrite replaces those connectors; their stored secrets stay where they still fit type and config. \
               Duplicate gives every imported connector a new id.",
        )
        .destructive_choice("Overwrite", again(OnConflict::Overwrite))
        .choice("Duplicate", again(OnConflict::CreateNewCopies))
}

/// The job of an import.
fn import(path: PathBuf, on_conflict: OnConflict) -> Command {
    Command::write(FileJob::Import { path, on_conflict }, "importing")
}
