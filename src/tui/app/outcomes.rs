//! Messages about the results of jobs, with the next steps.

use std::collections::BTreeMap;

use super::actions::import;
use super::kibana;
use super::model::{Model, Screen};
use crate::domain::bulk::BulkEdit;
use crate::domain::diff::changes;
use crate::domain::remote::PushOptions;
use crate::domain::{Catalogue, Connector, SecretsState, validate};
use crate::kibana::saved_objects::ImportWarnings;
use crate::messages::transfer::{export_notes, import_notes};
use crate::service::bulk::BulkPreview;
use crate::service::export::ExportReport;
use crate::service::import::Preview;
use crate::store::{Applied, ImportOutcome, OnConflict, OperationKind, Reverted, SaveOutcome, Written};
use crate::text::{capitalized, grouped};
use crate::tui::keymap::{Action, KeyContext, KeyMap};
use crate::tui::overlays::dialog::{Tone, change_lines};
use crate::tui::screens::command::connectors as count_of;
use crate::tui::screens::{Command, Dialog, OpenTarget, Route, form, history};
use crate::worker::{FileJob, JobResult, Record};

fn undo_key(context: KeyContext, keys: KeyMap) -> String {
    keys.key_of(context, Action::Undo)
}

/// Handles the result of a job.
pub(super) fn job_done(model: &mut Model, done: JobResult) -> Vec<Command> {
    // A message names the keys of the screen on which it is shown.
    let context = model.context_below();
    match done {
        JobResult::Created(created) => {
            model.connectors.go_to(&created.id);
            close_form(model, &created, "Created")
        }
        JobResult::Saved { outcome, secrets } => saved(model, outcome, secrets),
        JobResult::AuthModeSet(written) => mode_set(&written, context, model.setup.ui.keys, model.setup.ui.catalogue),
        JobResult::Deleted(written) => deleted(model, &written),
        JobResult::Imported { path, outcome, notices } => {
            model.last_path.clear();
            imported(&path, &outcome, &notices, model.setup.ui.keys)
        }
        JobResult::BulkPreviewed(preview, job) => vec![Command::OpenDialog(Box::new(bulk_preview(&preview, *job)))],
        JobResult::Bulked(written) => {
            model.connectors.clear_selection();
            vec![bulked(&written, context, model.setup.ui.keys)]
        }
        JobResult::Previewed { path, preview } => vec![Command::OpenDialog(Box::new(import_preview(&path, &preview)))],
        JobResult::FileIsThere(job) => vec![Command::OpenDialog(Box::new(confirm_replace(*job)))],
        JobResult::Exported { path, report } => exported(&path, &report),
        JobResult::Decided(0) => vec![Command::info("Nothing decided: blocked and migrated records take no decision")],
        JobResult::Decided(1) => Vec::new(),
        JobResult::Decided(count) => {
            model.review.rows.clear_selection();
            vec![Command::success(format!("Decision saved for {}", count_of(count as u64)))]
        }
        JobResult::Applied(applied) => applied_run(model, applied),
        JobResult::Reverted(reverted) => {
            if let Some((id, _)) = &reverted.only {
                model.connectors.go_to(id);
            }
            vec![reverted_step(&reverted, context, model.setup.ui.keys)]
        }
        JobResult::UndoElsewhere { step, is_elsewhere, is_redo } => {
            let text = match model.screen() {
                Screen::HistoryEntry(_) => "It is not the step on this page.",
                _ => "The connector on this page is not part of it.",
            };
            vec![history::confirm_on_page(&step, is_elsewhere.then_some(text), is_redo, model.setup.ui.keys)]
        }
        JobResult::BackedUp(backup) => {
            let name = backup.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            vec![Command::success(format!("Created {name}"))]
        }
        JobResult::SavedAs(path) => {
            let mut dialog = Dialog::new("Saved to a new file", "Stay").line(path.display().to_string());
            if model.screens.iter().any(|screen| matches!(screen, Screen::Form(form) if form.is_dirty())) {
                dialog = dialog.line("A form is open: opening the new file drops what was typed into it.");
            }
            vec![Command::OpenDialog(Box::new(
                dialog.choice("Open it", vec![Command::OpenFile(OpenTarget::File(path))]),
            ))]
        }
        JobResult::Fetched => vec![Command::success("Fetched from Kibana")],
        JobResult::Pulled(report) => vec![kibana::pulled(&report, model.setup.ui.keys)],
        JobResult::Pushed(report) => {
            // Permissions apply to one push.
            for screen in &mut model.screens {
                if let Screen::Sync(state) = screen {
                    state.options = PushOptions::default();
                }
            }
            vec![kibana::pushed(&report, model.setup.ui.keys)]
        }
        JobResult::Resolved { count, side, left } => vec![kibana::resolved(count, side, left, model.setup.ui.keys)],
        JobResult::Ran(ran) => vec![kibana::ran(&ran)],
        JobResult::Nothing(reason) => vec![Command::info(capitalized(&reason))],
    }
}

fn close_form(model: &mut Model, connector: &Connector, verb: &str) -> Vec<Command> {
    if matches!(model.screen(), Screen::Form(_)) {
        model.screens.pop();
    }
    let mut text = format!("{verb} {}", connector.name);
    let was_filled = model.filled.as_ref().is_some_and(|(_, filled)| *filled == connector.id);
    let others = model.overview.missing_secrets.saturating_sub(1);
    if was_filled && !connector.is_missing_secrets {
        text.push_str(&match others {
            0 => "; no connector is missing secrets now".to_owned(),
            others => {
                let key = model.setup.ui.keys.key_of(model.context_below(), Action::NextMissing);
                format!("; {} still without secrets, {key} for the next", count_of(others))
            }
        });
    }
    vec![Command::success(text)]
}

fn saved(model: &mut Model, outcome: SaveOutcome, secrets: SecretsState) -> Vec<Command> {
    let form = match model.screens.last() {
        Some(Screen::Form(form)) => Some(form),
        _ => None,
    };
    match (outcome, form) {
        (SaveOutcome::Saved(connector), _) => close_form(model, &connector, "Saved"),
        (SaveOutcome::Conflict(theirs), Some(form)) => {
            let theirs = Record::new(*theirs, secrets);
            vec![Command::OpenDialog(Box::new(form::conflict(form, &theirs)))]
        }
        (SaveOutcome::Deleted, Some(form)) => vec![Command::OpenDialog(Box::new(form::gone(form)))],
        (SaveOutcome::Conflict(_) | SaveOutcome::Deleted, None) => {
            vec![Command::error("Not saved: changed by someone else")]
        }
    }
}

fn mode_set(written: &Written, context: KeyContext, keys: KeyMap, catalogue: &'static Catalogue) -> Vec<Command> {
    let undo = undo_key(context, keys);
    let mut text = match (&written.last, written.changed.len()) {
        (Some(last), 1) => format!("{} is {} now ({undo} to undo)", last.name, last.effective_auth_mode()),
        (_, count) => format!("auth mode of {} changed ({undo} to undo)", count_of(count as u64)),
    };
    let warning =
        written.last.as_ref().filter(|_| written.changed.len() == 1).and_then(|last| {
            validate::auth_mode_warning(last.effective_auth_mode(), last.auth_type().name(), catalogue)
        });
    if let Some(warning) = warning {
        text.push_str(&format!(". But: {warning}"));
    }
    if !written.missing.is_empty() {
        text.push_str(&format!("; {} were deleted meanwhile", written.missing.len()));
    }
    let refused = refused(written);
    if written.changed.is_empty() && !refused.is_empty() {
        return vec![Command::warning(format!("Nothing changed{refused}"))];
    }
    vec![Command::success(format!("{text}{refused}"))]
}

/// The most frequent reasons that the preview of a bulk edit names.
const REASONS: usize = 3;

/// Shows the preview of a bulk edit, for confirmation.
fn bulk_preview(preview: &BulkPreview, job: FileJob) -> Dialog {
    let (label, is_delete) = match &job {
        FileJob::Bulk { edit, .. } => (edit.label(), *edit == BulkEdit::Delete),
        _ => (String::new(), false),
    };
    let verb = if is_delete { "deleted" } else { "changed" };
    let mut dialog = Dialog::new("Bulk edit", "Cancel").line(format!(
        "{}: {} would be {verb}, {} unchanged.",
        capitalized(&label),
        count_of(preview.changed),
        grouped(preview.unchanged)
    ));
    for (reason, count) in preview.refused.iter().take(REASONS) {
        dialog = dialog.line(format!("{} skipped: {reason}.", count_of(*count)));
    }
    for (warning, count) in preview.warnings.iter().take(REASONS) {
        dialog = dialog.lines([(Tone::Minus, format!("Note on {}: {warning}.", count_of(*count)))]);
    }
    let others = |found: &[(String, u64)]| found.iter().skip(REASONS).map(|(_, count)| count).sum::<u64>();
    for (what, others) in [("skipped", others(&preview.refused)), ("with a note", others(&preview.warnings))] {
        if others > 0 {
            dialog = dialog.line(format!("{} {what} for other reasons.", count_of(others)));
        }
    }
    for (before, after) in &preview.first {
        dialog = dialog.lines([(Tone::Head, before.name.clone())]);
        dialog = match after {
            Some(after) => dialog.lines(change_lines(&changes(before, after)).into_iter().skip(1)),
            None => dialog.lines([(Tone::Minus, format!("  - {}", before.id))]),
        };
    }
    let more = preview.changed.saturating_sub(preview.first.len() as u64);
    if more > 0 {
        dialog = dialog.line(format!("and {} more", grouped(more)));
    }
    if preview.changed == 0 {
        return dialog;
    }
    let answer = format!("{} {}", if is_delete { "Delete" } else { "Change" }, preview.changed);
    dialog = dialog.line("This is one step for undo.");
    if let (FileJob::Bulk { ids, filter, edit: BulkEdit::AuthMode(mode) }, true) = (&job, !preview.warnings.is_empty())
    {
        let edit = BulkEdit::FittingAuthMode(*mode);
        let fitting = FileJob::BulkPreview { ids: ids.clone(), filter: filter.clone(), edit };
        dialog = dialog.choice("Only where it makes sense", vec![Command::write(fitting, "previewing")]);
    }
    dialog.choice(answer, vec![Command::write(job, "editing")])
}

fn bulked(written: &Written, context: KeyContext, keys: KeyMap) -> Command {
    let text = format!("{} changed ({} to undo)", count_of(written.changed.len() as u64), undo_key(context, keys));
    let refused = refused(written);
    if written.changed.is_empty() {
        Command::warning(format!("Nothing changed{refused}"))
    } else {
        Command::success(text + &refused)
    }
}

/// Returns the number of skipped connectors with the most frequent reason.
fn refused(written: &Written) -> String {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, reason) in &written.refused {
        *reasons.entry(reason).or_default() += 1;
    }
    let count = written.refused.len();
    match reasons.iter().max_by_key(|(_, count)| **count) {
        None => String::new(),
        Some((reason, most)) if *most == count => format!("; {} skipped: {reason}", count_of(count as u64)),
        Some((reason, most)) => {
            format!("; {} skipped: {most} because {reason}, {} for other reasons", count_of(count as u64), count - most)
        }
    }
}

fn deleted(model: &mut Model, written: &Written) -> Vec<Command> {
    model.connectors.unmark(&written.changed);
    if matches!(model.screen(), Screen::Detail(_)) {
        model.screens.pop();
    }
    vec![Command::success(format!(
        "Deleted {} ({} to undo)",
        count_of(written.changed.len() as u64),
        undo_key(model.context_below(), model.setup.ui.keys)
    ))]
}

fn imported(path: &std::path::Path, outcome: &ImportOutcome, notices: &ImportWarnings, keys: KeyMap) -> Vec<Command> {
    if !outcome.conflicts.is_empty() {
        return vec![Command::OpenDialog(Box::new(import_conflict(path, outcome)))];
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
            keys.key_of(KeyContext::Connectors, Action::NextMissing)
        ));
        dialog = dialog.choice("Show those without secrets", vec![Command::Route(Route::Missing)]);
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
    vec![Command::OpenDialog(Box::new(
        dialog.line(format!("In the list, {} undoes the import.", undo_key(KeyContext::Connectors, keys))),
    ))]
}

/// Shows the preview of an import, for confirmation.
fn import_preview(path: &std::path::Path, preview: &Preview) -> Dialog {
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
    dialog.choice("Import", vec![import(path.to_owned(), OnConflict::Report)]).default_to_last()
}

fn confirm_replace(job: FileJob) -> Dialog {
    let name = match &job {
        FileJob::Export { path, .. } => path.display().to_string(),
        _ => "the file".to_owned(),
    };
    Dialog::new("Replace the file?", "Cancel")
        .line(format!("{name} already exists. Replace it with the export?"))
        .choice("Replace", vec![Command::write(job, "exporting")])
}

fn exported(path: &std::path::Path, report: &ExportReport) -> Vec<Command> {
    let mut dialog =
        Dialog::new("Exported", "OK").line(format!("{} to {}.", count_of(report.exported), path.display()));
    for line in export_notes(report) {
        dialog = dialog.line(format!("Notice: {line}."));
    }
    vec![Command::OpenDialog(Box::new(dialog))]
}

fn import_conflict(path: &std::path::Path, outcome: &ImportOutcome) -> Dialog {
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
        .choice("Overwrite", again(OnConflict::Overwrite))
        .choice("Duplicate", again(OnConflict::CreateNewCopies))
}

fn applied_run(model: &mut Model, applied: Applied) -> Vec<Command> {
    model.review.rows.clear_selection();
    model.review.upgraded = None;
    model.pending.result = Some(applied);
    Vec::new()
}

fn reverted_step(reverted: &Reverted, context: KeyContext, keys: KeyMap) -> Command {
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
            format!("{} to undo", undo_key(context, keys))
        } else {
            format!("{} to redo", keys.key_of(context, Action::Redo))
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
    let show = vec![Command::Route(Route::Step(step.step, "-change:undone"))];
    Command::OpenDialog(Box::new(dialog.choice("Show both sides", show).default_to_last()))
}
