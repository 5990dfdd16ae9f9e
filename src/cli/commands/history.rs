//! The history: what was changed, undo, redo, and for how long it is kept.

use std::path::Path;

use anyhow::bail;
use serde_json::{Value, json};

use super::super::context::Context;
use super::super::output::{Output, counted};
use super::super::stream::List;
use super::super::{DONE, NEEDS_A_PERSON, REFUSED};
use super::{certain, open_existing};
use crate::clock::{self, age, bytes_text};
use crate::domain::change::{Change, changes};
use crate::domain::{Connector, Filter, filter};

use crate::store::{HistoryLimits, RecordChange, RecordStep, Reverted, Step, Store, StoreError};

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
    output.line(&format!("{}, {}", counted(size.steps, "step"), bytes_text(size.bytes)))?;
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
        bail!("{}: there is no connector with id {id:?}, and the history knows none", context.file.display());
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
    for doubt in filter::doubts(filter.unwrap_or_default()) {
        output.notice(&doubt);
    }
    let filter = Filter::parse(filter.unwrap_or_default()).map_err(anyhow::Error::msg)?;
    let store = context.read()?;
    let Some(found) = store.step(step)? else {
        bail!("{}: there is no step {step} in the history", context.file.display());
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

/// Sets for how long the history is kept, and forgets what is beyond that at once.
pub(super) fn keep(file: &Path, limits: HistoryLimits, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let mut store = open_existing(file, output)?;
    store.set_history_limits(limits)?;
    let pruned = store.prune(limits, clock::now(), &mut |_, _| true)?;
    if json {
        output.json(&json!({
            "keep_days": limits.days, "keep_megabytes": limits.megabytes,
            "forgotten_steps": pruned.steps, "forgotten_bytes": pruned.bytes,
        }))?;
        return Ok(DONE);
    }
    output.line(&format!("{}; forgotten now: {}", limits_text(limits), counted(pruned.steps, "step")))?;
    Ok(DONE)
}

/// For how long the history is kept, for people.
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
        (None, None) => bail!("{}: there is nothing to undo", file.display()),
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

/// What takes a step back that took another one back brings that one again.
fn verb_of(reverted: &Reverted) -> &'static str {
    if reverted.step.kind.is_inverse() { "brought again" } else { "undone" }
}

pub(super) fn redo(file: &Path, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let mut store = open_existing(file, output)?;
    let Some(step) = store.next_redo()? else {
        bail!("{}: there is nothing to redo", file.display());
    };
    revert(&mut store, step.step, json, output)
}

fn revert(store: &mut Store, step: i64, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let progress = output.progress();
    let reverted = store
        .revert(step, &clock::now_iso(), &mut |done, total| progress.bar("taking back", done, total, "connectors"))?;
    drop(progress);
    report(&reverted, verb_of(&reverted), json, output)
}

/// Says what taking a step back did; refused when every record was changed since.
pub(super) fn report(reverted: &Reverted, verb: &str, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let step = &reverted.step;
    if json {
        output.json(&json!({
            "step": step.step, "by": reverted.by, "restored": reverted.restored, "conflicts": reverted.conflicts,
        }))?;
    } else {
        let (origin, kind) = step.origin.unwrap_or((step.step, step.kind));
        output.line(&match reverted.restored {
            0 => format!("nothing was {verb} of step {origin} ({})", kind.as_str()),
            restored => format!("{verb}: {} of {} (step {origin})", kind.as_str(), counted(restored, "connector")),
        })?;
        for id in &reverted.conflicts {
            output.line(&format!("changed since, left alone: {id}"))?;
        }
    }
    Ok(match (reverted.conflicts.is_empty(), reverted.restored) {
        (true, _) => DONE,
        (false, 0) => REFUSED,
        (false, _) => NEEDS_A_PERSON,
    })
}

fn step_row(step: &Step) -> Vec<String> {
    vec![
        step.step.to_string(),
        age(Some(&step.started_at), clock::now()),
        step.word().to_owned(),
        step.about(),
        step.progress(),
        bytes_text(step.bytes),
    ]
}

fn step_json(step: &Step) -> Value {
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
