//! Reports about jobs with Kibana.

use crate::kibana::ExecutionResult;
use crate::messages::sync::{HALF_DONE, skip_reason, unresolvable};
use crate::service::remote::{PullReport, PushReport, STOPPED, SentOutcome, Side, Unresolvable};
use crate::text::grouped;
use crate::tui::command::{Command, connectors as count_of};
use crate::tui::keymap::{Action, KeyContext, KeyMap};
use crate::tui::overlays::{Dialog, Tone};
use crate::tui::screens::permits;
use crate::worker::RemoteJob;

/// A pull.
pub(super) fn pulled(report: &PullReport, keys: KeyMap) -> Command {
    let pulled = &report.pulled;
    let mut text = format!(
        "Pulled: {} new, {} changed, {} deleted",
        grouped(pulled.added.len()),
        grouped(pulled.changed.len()),
        grouped(pulled.deleted.len())
    );
    if pulled.step.is_some() {
        text.push_str(&format!(" ({} to undo)", keys.key_of(KeyContext::Sync, Action::Undo)));
    }
    if report.held_back > 0 {
        let gone = count_of(report.held_back as u64);
        let dialog = Dialog::new("Most connectors are missing in Kibana", "Keep them")
            .line(format!("{text}."))
            .line(format!(
                "{gone} that both sides had are missing in Kibana, which is most of them. A wrong space or a \
                 missing privilege looks like that. Delete them in the file too?"
            ))
            .choice(
                format!("Delete {}", report.held_back),
                vec![Command::write(RemoteJob::Pull { deletes_most: true }, "pulling")],
            );
        return Command::dialog(dialog);
    }
    match report.conflicts.len() {
        0 => Command::success(text),
        count => Command::info(format!(
            "{text}; {} changed on both sides and skipped: {} or {} decides",
            count_of(count as u64),
            keys.key_of(KeyContext::Sync, Action::KeepLocal),
            keys.key_of(KeyContext::Sync, Action::UseRemote)
        )),
    }
}

/// Reports a push; connectors that were not sent are listed with the reason.
pub(super) fn pushed(report: &PushReport, keys: KeyMap) -> Command {
    let done = report.done();
    if report.is_complete() {
        return Command::success(format!("Pushed {}", count_of(done as u64)));
    }
    let counts = [(done, "done"), (report.sent.len() - done, "not done"), (report.left, "left")];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let mut dialog = Dialog::new("Pushed in part", "OK").line(format!("{}.", counts.collect::<Vec<_>>().join(", ")));
    for sent in &report.sent {
        let (word, reason) = match &sent.outcome {
            SentOutcome::Done | SentOutcome::InStep => continue,
            SentOutcome::Refused(reason) => ("refused", reason.clone()),
            SentOutcome::Skipped(reason) => ("not sent", skip_reason(reason, &permits(keys))),
            SentOutcome::Unknown(reason) => ("not known", reason.clone()),
        };
        // The reason of the end comes last.
        let reason = if report.ended_by.as_ref() == Some(&reason) { "" } else { reason.as_str() };
        let text = format!("  {word}{}{reason}", if reason.is_empty() { "" } else { ": " });
        dialog = dialog.lines([(Tone::Head, sent.name.clone()), (Tone::Plain, text)]);
        if sent.is_half_done() {
            dialog = dialog.lines([(Tone::Minus, format!("- {HALF_DONE}"))]);
        }
    }
    if let Some(reason) = &report.ended_by {
        let why = if reason == STOPPED { String::new() } else { format!(" there: {reason}") };
        dialog = dialog.line(format!("The push stopped{why}. Push again to continue."));
    }
    Command::dialog(dialog)
}

/// Conflicts that were decided.
pub(super) fn resolved(count: usize, side: Side, left: Option<Unresolvable>, keys: KeyMap) -> Command {
    if let (0, Some(reason)) = (count, left) {
        return Command::warning(format!("Skipped: {}", unresolvable(reason)));
    }
    let count = count_of(count as u64);
    Command::success(match side {
        Side::Local => format!("{count}: kept local; the plan shows what a push can do"),
        Side::Remote => {
            format!("{count}: replaced by Kibana's ({} to undo)", keys.key_of(KeyContext::Sync, Action::Undo))
        }
    })
}

/// A run of a connector.
pub(super) fn ran(ran: &ExecutionResult) -> Command {
    let (title, tone) = if ran.is_ok { ("It ran", Tone::Plus) } else { ("The run failed", Tone::Minus) };
    Command::dialog(Dialog::new(title, "OK").lines([(tone, ran.message.clone())]))
}
