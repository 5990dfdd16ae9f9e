//! Steps of the history and their changes, as tables and JSON.

use serde_json::{Value, json};

use super::output::Output;
use crate::cli::{DONE, NEEDS_ATTENTION, REFUSED};
use crate::clock;
use crate::domain::Connector;
use crate::domain::diff::{Change, changes};
use crate::messages;
use crate::store::{HistoryEntry, HistoryLimits, RecordChange, Reverted};
use crate::text::plural;
use crate::text::size::bytes_text;
use crate::text::time::age;

/// Returns the cells of a step.
pub(in crate::cli) fn step_row(step: &HistoryEntry) -> Vec<String> {
    vec![
        step.step.to_string(),
        age(Some(&step.started_at), clock::now()),
        step.word().to_owned(),
        messages::history::about(step),
        messages::history::progress(step),
        bytes_text(step.bytes),
    ]
}

/// Returns a step as JSON.
pub(in crate::cli) fn step_json(step: &HistoryEntry) -> Value {
    json!({
        "step": step.step,
        "kind": step.word(),
        "state": step.state.as_str(),
        "started_at": step.started_at,
        "connectors": step.records,
        "subject": step.subject,
        "reverts": step.reverts,
        "bytes": step.bytes,
    })
}

pub(in crate::cli) fn print_change(change: &RecordChange, output: &mut Output) -> anyhow::Result<()> {
    output.line(&format!("{} ({}): {}", change.id, change.name(), change.state.label()))?;
    if let Some(sent) = &change.sent {
        return Ok(output.line(&format!("  {sent}"))?);
    }
    match (&change.before, &change.after) {
        (None, _) => output.line("  + created")?,
        (_, None) => output.line("  - deleted")?,
        (Some(before), Some(after)) => {
            for change in changes(before, after) {
                let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
                output.line(&format!("  {}: - {} + {}", change.field, value(&change.before), value(&change.after)))?;
            }
        }
    }
    Ok(())
}

/// Returns a change as JSON.
pub(in crate::cli) fn change_json(change: &RecordChange) -> Value {
    let side = |record: &Option<Connector>| record.is_some();
    let fields = match (&change.before, &change.after) {
        (Some(before), Some(after)) => changes(before, after),
        _ => Vec::new(),
    };
    json!({
        "id": change.id,
        "name": change.record().map(|record| &record.name),
        "created": !side(&change.before),
        "deleted": !side(&change.after),
        "now": change.state.label(),
        "sent": change.sent,
        "fields": fields.iter().map(field_json).collect::<Vec<_>>(),
    })
}

/// One changed field with both sides.
pub(in crate::cli) fn field_json(change: &Change) -> Value {
    json!({"field": change.field, "before": change.before, "after": change.after})
}

/// Describes the retention of the history.
pub(in crate::cli) fn limits_text(limits: HistoryLimits) -> String {
    let days = limits.days.map(|days| format!("for {days} days"));
    let megabytes = limits.megabytes.map(|megabytes| format!("up to {megabytes} MB"));
    match (days, megabytes) {
        (None, None) => "the whole history is kept".to_owned(),
        (days, megabytes) => {
            format!("the history is kept {}", [days, megabytes].into_iter().flatten().collect::<Vec<_>>().join(" and "))
        }
    }
}

/// Returns the past tense and the participle of the verb: reverting an undo is a redo.
fn verb_of(reverted: &Reverted) -> (&'static str, &'static str) {
    if reverted.step.kind.is_inverse() { ("Redid", "redone") } else { ("Undid", "undone") }
}

/// Reports a revert; the exit code is "refused" when every record was modified since.
pub(in crate::cli) fn report_revert(reverted: &Reverted, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let (verb, participle) = verb_of(reverted);
    let step = &reverted.step;
    if json {
        output.json(&json!({
            "step": step.step, "by": reverted.by, "restored": reverted.restored, "conflicts": reverted.conflicts,
        }))?;
    } else {
        let (origin, kind) = step.origin.unwrap_or((step.step, step.kind));
        output.line(&match reverted.restored {
            0 => format!("Nothing was {participle} of step {origin} ({})", kind.as_str()),
            restored => format!("{verb} {} of {} (step {origin})", kind.as_str(), plural(restored, "connector")),
        })?;
        for id in &reverted.conflicts {
            output.line(&format!("Modified since, not changed: {id}"))?;
        }
    }
    Ok(match (reverted.conflicts.is_empty(), reverted.restored) {
        (true, _) => DONE,
        (false, 0) => REFUSED,
        (false, _) => NEEDS_ATTENTION,
    })
}
