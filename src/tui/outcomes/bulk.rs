//! Reports about edits of several connectors.

use std::collections::BTreeMap;

use super::Place;
use crate::domain::bulk::BulkEdit;
use crate::domain::diff::changes;
use crate::domain::validate;
use crate::service::bulk::BulkPreview;
use crate::store::Written;
use crate::text::{capitalized, grouped};
use crate::tui::command::{Command, connectors as count_of};
use crate::tui::keymap::Action;
use crate::tui::overlays::{Dialog, Tone, change_lines};
use crate::worker::FileJob;

/// Reports a change of auth modes.
pub(super) fn mode_set(written: &Written, on: &Place<'_>) -> Command {
    let undo = on.key(Action::Undo);
    let mut text = match (&written.last, written.changed.len()) {
        (Some(last), 1) => format!("{} is {} now ({undo} to undo)", last.name, last.effective_auth_mode()),
        (_, count) => format!("auth mode of {} changed ({undo} to undo)", count_of(count as u64)),
    };
    let warning = written.last.as_ref().filter(|_| written.changed.len() == 1).and_then(|last| {
        validate::auth_mode_warning(last.effective_auth_mode(), last.auth_type().name(), on.cx.ui.catalogue)
    });
    if let Some(warning) = warning {
        text.push_str(&format!(". But: {warning}"));
    }
    if !written.missing.is_empty() {
        text.push_str(&format!("; {} were deleted meanwhile", written.missing.len()));
    }
    let refused = refused(written);
    if written.changed.is_empty() {
        let gone = if written.missing.is_empty() { "" } else { ": deleted by another program" };
        return Command::warning(format!("Nothing changed{gone}{refused}"));
    }
    Command::success(format!("{text}{refused}"))
}

/// The most frequent reasons that the preview of a bulk edit names.
const REASONS: usize = 3;

/// Shows the preview of a bulk edit, for confirmation.
pub(super) fn bulk_preview(preview: &BulkPreview, job: FileJob) -> Dialog {
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

pub(super) fn bulked(written: &Written, on: &Place<'_>) -> Command {
    let text = format!("{} changed ({} to undo)", count_of(written.changed.len() as u64), on.key(Action::Undo));
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

/// Reports a delete.
pub(super) fn deleted(written: &Written, on: &Place<'_>) -> Command {
    if written.changed.is_empty() {
        return Command::warning("Nothing deleted: another program was faster");
    }
    let count = count_of(written.changed.len() as u64);
    Command::success(format!("Deleted {count} ({} to undo)", on.key(Action::Undo)))
}
