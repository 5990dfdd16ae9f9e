//! How jobs ended, in words for people and with the ways on.

use std::collections::BTreeMap;

use super::actions::import;
use super::kibana;
use super::model::{Model, Screen};
use crate::domain::bulk::BulkEdit;
use crate::domain::change::changes;
use crate::domain::sync::Limits;
use crate::domain::{Connector, SecretsState, validate};
use crate::keymap::{Action, Place, key_of};
use crate::screens::dialog::{Tone, change_lines};
use crate::screens::effect::connectors as count_of;
use crate::screens::{Dialog, Effect, Go, Start, form, history};
use crate::store::{Applied, ImportOutcome, Kind, OnConflict, Reverted, SaveOutcome, Written};
use crate::transfer::{ExportReport, Notices, Preview};
use crate::worker::bulk::BulkPreview;
use crate::worker::protocol::{Done, Job, Record};

fn undo_key(place: Place) -> String {
    key_of(place, Action::Undo)
}

/// Takes the end of a job into the state.
pub(super) fn job_done(model: &mut Model, done: Done) -> Vec<Effect> {
    // Where a message is read, its keys hold.
    let place = model.place_below();
    match done {
        Done::Created(created) => {
            model.connectors.go_to(&created.id);
            close_form(model, &created, "created")
        }
        Done::Saved { outcome, secrets } => saved(model, outcome, secrets),
        Done::AuthModeSet(written) => mode_set(&written, place),
        Done::Deleted(written) => deleted(model, &written),
        Done::Imported { path, outcome, notices } => {
            model.last_path.clear();
            imported(&path, &outcome, &notices)
        }
        Done::BulkPreviewed(preview, job) => vec![Effect::Ask(Box::new(bulk_preview(&preview, *job)))],
        Done::Bulked(written) => {
            model.connectors.clear_marks();
            vec![bulked(&written, place)]
        }
        Done::Previewed { path, preview } => vec![Effect::Ask(Box::new(import_preview(&path, &preview)))],
        Done::FileIsThere(job) => vec![Effect::Ask(Box::new(ask_to_replace(*job)))],
        Done::Exported { path, report } => exported(&path, &report),
        Done::Decided(0) => vec![Effect::info("nothing decided: blocked and migrated records take no decision")],
        Done::Decided(1) => Vec::new(),
        Done::Decided(count) => {
            model.review.rows.clear_marks();
            vec![Effect::success(format!("decided for {count} connectors"))]
        }
        Done::Applied(applied) => applied_run(model, applied),
        Done::Reverted(reverted) => {
            if let Some((id, _)) = &reverted.only {
                model.connectors.go_to(id);
            }
            vec![reverted_step(&reverted, place)]
        }
        Done::UndoElsewhere { step, is_elsewhere, is_redo } => {
            let text = match model.screen() {
                Screen::Step(_) => "It is not the step on this page.",
                _ => "The connector on this page is not part of it.",
            };
            vec![history::ask_on_page(&step, is_elsewhere.then_some(text), is_redo)]
        }
        Done::BackedUp(copy) => {
            let name = copy.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            vec![Effect::success(format!("copied to {name}"))]
        }
        Done::SavedAs(path) => {
            let mut dialog = Dialog::new("Saved to a new file", "Stay here").line(path.display().to_string());
            if model.screens.iter().any(|screen| matches!(screen, Screen::Form(form) if form.is_dirty())) {
                dialog = dialog.line("A form is open: opening the new file drops what was typed into it.");
            }
            vec![Effect::Ask(Box::new(dialog.choice("Open it", vec![Effect::Start(Start::File(path))])))]
        }
        Done::Fetched => vec![Effect::success("Kibana has told what it has")],
        Done::Pulled(report) => vec![kibana::pulled(&report)],
        Done::Pushed(report) => {
            // What was allowed was allowed for this push.
            for screen in &mut model.screens {
                if let Screen::Sync(state) = screen {
                    state.limits = Limits::default();
                }
            }
            vec![kibana::pushed(&report)]
        }
        Done::Resolved { count, side, left } => vec![kibana::resolved(count, side, left.as_deref())],
        Done::Ran(ran) => vec![kibana::ran(&ran)],
        Done::Nothing(reason) => vec![Effect::info(reason)],
    }
}

fn close_form(model: &mut Model, connector: &Connector, verb: &str) -> Vec<Effect> {
    if matches!(model.screen(), Screen::Form(_)) {
        model.screens.pop();
    }
    let mut text = format!("{verb}: {}", connector.name);
    let was_filled = model.filled.as_ref().is_some_and(|(_, filled)| *filled == connector.id);
    let others = model.overview.missing_secrets.saturating_sub(1);
    if was_filled && !connector.is_missing_secrets {
        text.push_str(&match others {
            0 => "; no connector misses its secrets now".to_owned(),
            others => {
                let key = key_of(model.place_below(), Action::NextMissing);
                format!("; {} left without secrets, {key} goes on", count_of(others))
            }
        });
    }
    vec![Effect::success(text)]
}

fn saved(model: &mut Model, outcome: SaveOutcome, secrets: SecretsState) -> Vec<Effect> {
    let form = match model.screens.last() {
        Some(Screen::Form(form)) => Some(form),
        _ => None,
    };
    match (outcome, form) {
        (SaveOutcome::Saved(connector), _) => close_form(model, &connector, "saved"),
        (SaveOutcome::Conflict(theirs), Some(form)) => {
            let theirs = Record::new(*theirs, secrets);
            vec![Effect::Ask(Box::new(form::conflict(form, &theirs)))]
        }
        (SaveOutcome::Gone, Some(form)) => vec![Effect::Ask(Box::new(form::gone(form)))],
        (SaveOutcome::Conflict(_) | SaveOutcome::Gone, None) => {
            vec![Effect::error("not saved: changed by someone else")]
        }
    }
}

fn mode_set(written: &Written, place: Place) -> Vec<Effect> {
    let undo = undo_key(place);
    let mut text = match (&written.last, written.changed.len()) {
        (Some(last), 1) => format!("{} is {} now; {undo} takes it back", last.name, last.effective_auth_mode()),
        (_, count) => format!("auth mode of {} changed; {undo} takes it back", count_of(count as u64)),
    };
    let warning = written
        .last
        .as_ref()
        .filter(|_| written.changed.len() == 1)
        .and_then(|last| validate::auth_mode_warning(last.effective_auth_mode(), last.auth_type().name()));
    if let Some(warning) = warning {
        text.push_str(&format!(". But: {warning}"));
    }
    if !written.missing.is_empty() {
        text.push_str(&format!("; {} were deleted meanwhile", written.missing.len()));
    }
    let refused = refused(written);
    if written.changed.is_empty() && !refused.is_empty() {
        return vec![Effect::warning(format!("nothing changed{refused}"))];
    }
    vec![Effect::success(format!("{text}{refused}"))]
}

/// What an edit of many would do, and the question whether it is to be made.
fn bulk_preview(preview: &BulkPreview, job: Job) -> Dialog {
    let (label, is_delete) = match &job {
        Job::Bulk { edit, .. } => (edit.label(), *edit == BulkEdit::Delete),
        _ => (String::new(), false),
    };
    let verb = if is_delete { "go" } else { "change" };
    let mut dialog = Dialog::new("Edit many", "Cancel").line(format!(
        "{label}: {} would {verb}, {} would stay as they are.",
        count_of(preview.changed),
        preview.unchanged
    ));
    for (reason, count) in preview.refused.iter().take(3) {
        dialog = dialog.line(format!("{} cannot be: {reason}.", count_of(*count)));
    }
    for (doubt, count) in preview.doubts.iter().take(3) {
        dialog = dialog.lines([(Tone::Minus, format!("But for {count}: {doubt}."))]);
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
        dialog = dialog.line(format!("and {more} more"));
    }
    if preview.changed == 0 {
        return dialog;
    }
    let answer = format!("{} {}", if is_delete { "Delete" } else { "Change" }, preview.changed);
    dialog = dialog.line("This is one step for undo.");
    if let (Job::Bulk { ids, filter, edit: BulkEdit::AuthMode(mode) }, true) = (&job, !preview.doubts.is_empty()) {
        let edit = BulkEdit::FittingAuthMode(*mode);
        let fitting = Job::BulkPreview { ids: ids.clone(), filter: filter.clone(), edit };
        dialog = dialog.choice("Only where it makes sense", vec![Effect::Write(fitting, "looking")]);
    }
    dialog.choice(answer, vec![Effect::Write(job, "editing")])
}

fn bulked(written: &Written, place: Place) -> Effect {
    let text = format!("{} changed; {} takes it back", count_of(written.changed.len() as u64), undo_key(place));
    let refused = refused(written);
    if written.changed.is_empty() {
        Effect::warning(format!("nothing changed{refused}"))
    } else {
        Effect::success(text + &refused)
    }
}

/// How many were skipped, and why; of several reasons the most frequent one.
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

fn deleted(model: &mut Model, written: &Written) -> Vec<Effect> {
    model.connectors.unmark(&written.changed);
    if matches!(model.screen(), Screen::Detail(_)) {
        model.screens.pop();
    }
    vec![Effect::success(format!(
        "deleted {}; {} takes it back",
        count_of(written.changed.len() as u64),
        undo_key(model.place_below())
    ))]
}

fn imported(path: &std::path::Path, outcome: &ImportOutcome, notices: &Notices) -> Vec<Effect> {
    if !outcome.conflicts.is_empty() {
        return vec![Effect::Ask(Box::new(import_conflict(path, outcome)))];
    }
    let mut dialog = Dialog::new("Imported", "OK").line(format!(
        "{} imported: {} new, {} replaced.",
        count_of(outcome.added + outcome.replaced),
        outcome.added,
        outcome.replaced
    ));
    if outcome.missing_secrets > 0 {
        dialog = dialog.line(format!(
            "{} without secrets, which no export holds. In the list, {} fills in one after the other.",
            count_of(outcome.missing_secrets),
            key_of(Place::Connectors, Action::NextMissing)
        ));
        dialog = dialog.choice("Show those without secrets", vec![Effect::Go(Go::Missing)]);
    }
    for (count, what) in [
        (outcome.kept_secrets, "kept the secrets that were stored."),
        (outcome.lost_secrets, "lost the secrets that were stored: they do not fit any more."),
    ] {
        if count > 0 {
            dialog = dialog.line(format!("{} {what}", count_of(count)));
        }
    }
    for line in notices.lines() {
        dialog = dialog.line(format!("Notice: {line}."));
    }
    vec![Effect::Ask(Box::new(
        dialog.line(format!("In the list, {} takes the import back.", undo_key(Place::Connectors))),
    ))]
}

/// What an import would do, before it is done.
fn import_preview(path: &std::path::Path, preview: &Preview) -> Dialog {
    let Preview { outcome, notices, plan, same_names } = preview;
    if !outcome.conflicts.is_empty() {
        return import_conflict(path, outcome);
    }
    let mut dialog = Dialog::new("Import", "Cancel")
        .line(path.display().to_string())
        .line(format!("{}, all of them new.", count_of(outcome.added)));
    if outcome.missing_secrets > 0 {
        dialog = dialog.line(format!("{} without secrets, which no export holds.", count_of(outcome.missing_secrets)));
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
    for line in notices.lines() {
        dialog = dialog.line(format!("Notice: {line}."));
    }
    if outcome.added == 0 {
        return dialog.line("There is nothing to import.");
    }
    if *same_names > 0 {
        let same = count_of(*same_names);
        dialog = dialog.line(format!("Notice: {same} with the name of one that is here already, under another id."));
    }
    dialog.choice("Import", vec![import(path.to_owned(), OnConflict::Report)]).default_to_last()
}

fn ask_to_replace(job: Job) -> Dialog {
    let name = match &job {
        Job::Export { path, .. } => path.display().to_string(),
        _ => "the file".to_owned(),
    };
    Dialog::new("Replace the file?", "Cancel")
        .line(format!("{name} is there already. Replace it with the export?"))
        .choice("Replace", vec![Effect::Write(job, "exporting")])
}

fn exported(path: &std::path::Path, report: &ExportReport) -> Vec<Effect> {
    let mut dialog =
        Dialog::new("Exported", "OK").line(format!("{} to {}.", count_of(report.exported), path.display()));
    for line in report.notices() {
        dialog = dialog.line(format!("Notice: {line}."));
    }
    vec![Effect::Ask(Box::new(dialog))]
}

fn import_conflict(path: &std::path::Path, outcome: &ImportOutcome) -> Dialog {
    let again = |on_conflict| vec![import(path.to_owned(), on_conflict)];
    let mut dialog = Dialog::new("These ids exist already", "Cancel").line(format!(
        "{} of the ids in the export are in the file already, {} are new. Nothing has been imported.",
        outcome.conflicts.count, outcome.added
    ));
    for id in outcome.conflicts.ids.iter().take(5) {
        dialog = dialog.line(format!("  {id}"));
    }
    if outcome.conflicts.count > 5 {
        dialog = dialog.line(format!("  and {} more", outcome.conflicts.count - 5));
    }
    dialog
        .line("Overwrite replaces those connectors; their stored secrets stay where they still fit type and config. Create copies gives every imported connector a new id.")
        .choice("Overwrite", again(OnConflict::Overwrite))
        .choice("Create copies", again(OnConflict::CreateNewCopies))
}

fn applied_run(model: &mut Model, applied: Applied) -> Vec<Effect> {
    model.review.rows.clear_marks();
    model.review.upgraded = None;
    model.awaiting_result = Some(applied);
    Vec::new()
}

fn reverted_step(reverted: &Reverted, place: Place) -> Effect {
    let step = &reverted.step;
    let verb = match (step.kind, step.kind.is_inverse()) {
        (_, true) => "brought again",
        (Kind::Migration, _) => "rolled back",
        _ => "undone",
    };
    let kind = step.origin.map_or(step.kind, |(_, kind)| kind).as_str();
    let what = match (&reverted.only, step.kind) {
        (Some((_, name)), _) => format!("{verb}: {kind} of {name}"),
        (None, Kind::Migration) => format!("{verb}: {} as before", count_of(reverted.restored)),
        (None, _) => format!("{verb}: {kind} of {}", count_of(reverted.restored)),
    };
    if reverted.stopped {
        return Effect::info(format!("stopped: {what}, of {}; doing it again goes on", step.left()));
    }
    if reverted.restored == 0 && reverted.conflicts.is_empty() {
        return Effect::info("nothing was left to take back");
    }
    if reverted.conflicts.is_empty() {
        let way_back = if step.kind.is_inverse() {
            format!("{} takes it back", undo_key(place))
        } else {
            format!("{} brings it again", key_of(place, Action::Redo))
        };
        return Effect::success(format!("{what}; {way_back}"));
    }
    let title = if reverted.restored == 0 { format!("Nothing was {verb}") } else { format!("Partly {verb}") };
    let mut dialog = Dialog::new(title, "OK")
        .line(what)
        .line(format!("{} changed since and left alone:", count_of(reverted.conflicts.len() as u64)));
    for id in reverted.conflicts.iter().take(5) {
        dialog = dialog.line(format!("  {id}"));
    }
    if reverted.conflicts.len() > 5 {
        dialog = dialog.line(format!("  and {} more", reverted.conflicts.len() - 5));
    }
    let show = vec![Effect::Go(Go::Step(step.step, "-change:taken-back"))];
    Effect::Ask(Box::new(dialog.choice("Show both sides", show).default_to_last()))
}
