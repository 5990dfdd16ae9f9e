//! Commands for the history: list, undo, redo, retention.

use std::path::Path;

use anyhow::bail;
use serde_json::{Value, json};

use super::{certain, open_existing};
use crate::cli::context::Context;
use crate::cli::render::output::Output;
use crate::cli::render::stream::List;
use crate::cli::{DONE, NEEDS_ATTENTION, REFUSED};
use crate::clock;
use crate::domain::diff::{Change, changes};
use crate::domain::{Connector, Filter, filter};
use crate::text::size::bytes_text;
use crate::text::time::age;

use crate::store::{HistoryEntry, HistoryLimits, RecordChange, RecordStep, Reverted, Store, StoreError};
use crate::text::plural;

pub(super) fn list(context: &Context, limit: usize, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let store = context.read()?;
    let steps = store.steps(None, limit)?;
    if json {
        output.json(&Value::Array(steps.iter().map(step_json).collect()))?;
        return Ok(DONE);
    }
    let rows: Vec<Vec<String>> = steps.iter().map(step_row).collect();
    if !rows.is_empty() {
        output.table(&["STEP", "AGE", "WHAT", "ABOUT", "STATE", "SIZE"], &rows)?;
    }
    let size = store.history_size()?;
    output.line(&format!("{}, {}", plural(size.steps, "step"), bytes_text(size.bytes)))?;
    Ok(DONE)
}

pub(super) fn of_connector(
    context: &Context,
    id: &str,
    limit: usize,
    json: bool,
    output: &mut Output,
) -> anyhow::Result<u8> {
    let store = context.read()?;
    let steps = store.history_of(id, limit)?;
    if steps.is_empty() && store.get(id)?.is_none() {
        bail!("{}: no connector with id {id:?}, neither in the file nor in its history", context.file.display());
    }
    if json {
        let entry = |entry: &RecordStep| {
            let mut step = step_json(&entry.step);
            if let Value::Object(step) = &mut step {
                step.insert("columns".to_owned(), json!(entry.columns));
            }
            step
        };
        output.json(&Value::Array(steps.iter().map(entry).collect()))?;
        return Ok(DONE);
    }
    let rows: Vec<Vec<String>> = steps
        .iter()
        .map(|entry| {
            let mut row = step_row(&entry.step);
            row.truncate(5);
            row.push(entry.columns.join(", "));
            row
        })
        .collect();
    output.table(&["STEP", "AGE", "WHAT", "ABOUT", "STATE", "CHANGED"], &rows)?;
    Ok(DONE)
}

pub(super) fn step(
    context: &Context,
    step: i64,
    filter: Option<&str>,
    json: bool,
    output: &mut Output,
) -> anyhow::Result<u8> {
    for warning in filter::warnings(filter.unwrap_or_default()) {
        output.notice(&warning);
    }
    let filter = Filter::parse(filter.unwrap_or_default()).map_err(anyhow::Error::msg)?;
    let store = context.read()?;
    let Some(found) = store.step(step)? else {
        bail!("{}: no step {step} in the history", context.file.display());
    };
    let mut shown = 0;
    let members: Vec<(String, Value)> = match step_json(&found) {
        Value::Object(members) => members.into_iter().collect(),
        _ => Vec::new(),
    };
    let members: Vec<(&str, Value)> = members.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let mut list = json.then(|| List::object(&members, "changes", output)).transpose()?;
    store.each_change::<anyhow::Error>(step, |change| {
        if !filter.matches(&change.summary()) {
            return Ok(());
        }
        shown += 1;
        match &mut list {
            Some(list) => Ok(list.push(&change_json(&change), output)?),
            None => print_change(&change, output),
        }
    })?;
    match list {
        Some(list) => list.end(&[], output)?,
        None => output.line(&format!("step {step}: {} of {}, {shown} shown", found.word(), found.about()))?,
    }
    Ok(DONE)
}

fn print_change(change: &RecordChange, output: &mut Output) -> anyhow::Result<()> {
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

/// Sets the retention of the history, and prunes it at once.
pub(super) fn keep(file: &Path, limits: HistoryLimits, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let mut store = open_existing(file, output)?;
    store.set_history_limits(limits)?;
    let pruned = store.prune(limits, clock::now(), &mut |_, _| true)?;
    if json {
        output.json(&json!({
            "keep_days": limits.days, "keep_megabytes": limits.megabytes,
            "pruned_steps": pruned.steps, "pruned_bytes": pruned.bytes,
        }))?;
        return Ok(DONE);
    }
    output.line(&format!("{}; removed now: {}", limits_text(limits), plural(pruned.steps, "step")))?;
    Ok(DONE)
}

/// Describes the retention of the history.
pub(super) fn limits_text(limits: HistoryLimits) -> String {
    let days = limits.days.map(|days| format!("for {days} days"));
    let megabytes = limits.megabytes.map(|megabytes| format!("up to {megabytes} MB"));
    match (days, megabytes) {
        (None, None) => "the history is kept for ever".to_owned(),
        (days, megabytes) => {
            format!("the history is kept {}", [days, megabytes].into_iter().flatten().collect::<Vec<_>>().join(" and "))
        }
    }
}

pub(super) fn undo(
    file: &Path,
    step: Option<i64>,
    filter: Option<&str>,
    json: bool,
    output: &mut Output,
) -> anyhow::Result<u8> {
    filter.map_or(Ok(()), certain)?;
    let filter = Filter::parse(filter.unwrap_or_default()).map_err(anyhow::Error::msg)?;
    let mut store = open_existing(file, output)?;
    let step = match (step, store.last_step()?) {
        (Some(step), _) => step,
        (None, Some(last)) => last.step,
        (None, None) => bail!("{}: nothing to undo", file.display()),
    };
    if filter.is_empty() {
        return revert(&mut store, step, json, output);
    }
    let mut ids = Vec::new();
    store.each_change::<StoreError>(step, |change| {
        if filter.matches(&change.summary()) {
            ids.push(change.id);
        }
        Ok(())
    })?;
    if ids.is_empty() {
        bail!("{}: no connector of step {step} passes the filter; nothing was changed", file.display());
    }
    let reverted = store.revert_some(step, &ids, &clock::now_iso())?;
    report(&reverted, verb_of(&reverted), json, output)
}

/// Returns the past tense and the participle of the verb: reverting an undo is a redo.
fn verb_of(reverted: &Reverted) -> (&'static str, &'static str) {
    if reverted.step.kind.is_inverse() { ("Redid", "redone") } else { ("Undid", "undone") }
}

pub(super) fn redo(file: &Path, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let mut store = open_existing(file, output)?;
    let Some(step) = store.next_redo()? else {
        bail!("{}: nothing to redo", file.display());
    };
    revert(&mut store, step.step, json, output)
}

fn revert(store: &mut Store, step: i64, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let progress = output.progress();
    let reverted = store
        .revert(step, &clock::now_iso(), &mut |done, total| progress.bar("reverting", done, total, "connectors"))?;
    drop(progress);
    report(&reverted, verb_of(&reverted), json, output)
}

/// Reports a revert; the exit code is "refused" when every record was modified since.
pub(super) fn report(
    reverted: &Reverted,
    (verb, participle): (&str, &str),
    json: bool,
    output: &mut Output,
) -> anyhow::Result<u8> {
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

fn step_row(step: &HistoryEntry) -> Vec<String> {
    vec![
        step.step.to_string(),
        age(Some(&step.started_at), clock::now()),
        step.word().to_owned(),
        step.about(),
        step.progress(),
        bytes_text(step.bytes),
    ]
}

fn step_json(step: &HistoryEntry) -> Value {
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

fn change_json(change: &RecordChange) -> Value {
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
pub(super) fn field_json(change: &Change) -> Value {
    json!({"field": change.field, "before": change.before, "after": change.after})
}
