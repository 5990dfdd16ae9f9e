//! Differences from a remote, as text and JSON.

use serde_json::{Value, json};

use super::output::Output;
use crate::domain::Remote;
use crate::domain::remote::{Drift, FieldDrift, ResultingMode, SyncStatus};
use crate::messages::sync;
use crate::messages::sync::Permits;
use crate::service::remote::{Entry, Report, SyncGroup};
use crate::store::{Push, RequestState};
use crate::text::{grouped, plural};

/// Prints the remote, and an interrupted push.
pub(in crate::cli) fn print_header(remote: &Remote, report: &Report, output: &mut Output) -> anyhow::Result<()> {
    let version = remote.version.as_deref().map_or_else(String::new, |version| format!(", Kibana {version}"));
    let seen = remote.fetched_at.as_deref().unwrap_or("never");
    output.line(&format!(
        "{}: {}{version}; fetched {seen}; {} in sync",
        remote.name,
        remote.place(),
        grouped(report.in_sync)
    ))?;
    if let Some(note) = sync::modes_note(remote) {
        output.line(note)?;
    }
    if let Some(push) = report.last_push.as_ref().filter(|_| report.was_interrupted()) {
        output.line(&format!("the last push (step {}, {}) is incomplete:", push.step, push.started_at))?;
        let name_of = |state| match state {
            RequestState::Done => "sent and accepted",
            RequestState::Refused => "sent and refused",
            RequestState::NotSent => "not sent, or not accepted",
            RequestState::Sending => "sent, no answer yet",
            RequestState::Unknown => "unknown (the next push sends it again if something is left to push)",
        };
        for request in &push.requests {
            output.line(&format!(
                "  {}: {} {} ({})",
                name_of(request.state),
                request.call.as_str(),
                request.id,
                request.detail
            ))?;
        }
    }
    Ok(())
}

/// Prints a group with the action for each connector.
pub(in crate::cli) fn print_group(report: &Report, group: SyncGroup, output: &mut Output) -> anyhow::Result<()> {
    let entries = report.entries.iter().filter(|entry| entry.group() == Some(group));
    for (at, entry) in entries.enumerate() {
        if at == 0 {
            let what = match group {
                SyncGroup::Conflict => "conflicts, changed on both sides",
                SyncGroup::ToPush => "to push",
                SyncGroup::Blocked => "blocked",
                SyncGroup::ToPull => "to pull",
                SyncGroup::ReadOnly => "Kibana's own, read-only",
            };
            output.line(&format!("{what} ({}):", report.count(group)))?;
        }
        output.line(&format!("  {} ({}): {}", entry.name, entry.id, sync::summary(entry)))?;
        for line in sync::explained(entry, &Permits::flags()) {
            output.line(&format!("      {line}"))?;
        }
    }
    let shown = report.entries.iter().filter(|entry| entry.group() == Some(group)).count() as u64;
    if report.count(group) > shown {
        output.line(&format!("  and {} more", grouped(report.count(group) - shown)))?;
    }
    Ok(())
}

/// Prints each differing connector with the three sides of each field.
pub(in crate::cli) fn print_differences(report: &Report, output: &mut Output) -> anyhow::Result<()> {
    for entry in report.differing() {
        let group = entry.group().map_or("", SyncGroup::label);
        output.line(&format!("{group}: {} ({}): {}", entry.name, entry.id, sync::summary(entry)))?;
        for field in &entry.fields {
            output.line(&format!("  {}{}", field.field, drift_text(field)))?;
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
            if entry.has_base {
                output.line(&format!("    base    {}", value(&field.base)))?;
            }
            output.line(&format!("    local   {}", value(&field.local)))?;
            output.line(&format!("    remote  {}", value(&field.remote)))?;
        }
        if entry.has_new_secrets {
            output.line("  secrets (changed in the file, or never sent; not shown)")?;
        }
    }
    // The count includes the entries that are not listed one by one.
    let all = SyncGroup::ALL.into_iter().filter(|group| *group != SyncGroup::ReadOnly);
    let differing = all.map(|group| report.count(group)).sum();
    Ok(output.line(&format!(
        "{} with differences, {} in sync",
        plural(differing, "connector"),
        grouped(report.in_sync)
    ))?)
}

fn drift_text(field: &FieldDrift) -> &'static str {
    match field.drift {
        Drift::Local => " (changed locally)",
        Drift::Remote => " (changed in Kibana)",
        Drift::Both => " (changed on both sides)",
    }
}

/// Returns the differences as JSON.
pub(in crate::cli) fn report_json(remote: &Remote, report: &Report) -> Value {
    let counts: serde_json::Map<String, Value> =
        SyncGroup::ALL.into_iter().map(|group| (group.label().to_owned(), report.count(group).into())).collect();
    json!({
        "counts": counts,
        "remote": remote.name, "url": remote.url, "version": remote.version, "fetched_at": remote.fetched_at,
        "knows_auth_modes": remote.knows_modes, "in_sync": report.in_sync,
        "connectors": report.entries.iter().map(entry_json).collect::<Vec<_>>(),
    })
}

fn entry_json(entry: &Entry) -> Value {
    let fields: Vec<Value> = entry
        .fields
        .iter()
        .map(|field| {
            let drift = match field.drift {
                Drift::Local => "local",
                Drift::Remote => "remote",
                Drift::Both => "both",
            };
            json!({"field": field.field, "base": field.base, "local": field.local, "remote": field.remote, "changed": drift})
        })
        .collect();
    let mut value = json!({
        "id": entry.id, "name": entry.name, "connector_type_id": entry.connector_type_id,
        "group": entry.group().map_or("in sync", SyncGroup::label), "what": sync::summary(entry), "fields": fields,
        "sends_secrets": entry.sends_secrets,
    });
    match &entry.status {
        SyncStatus::ToPush { calls, mode, notes, loses_secrets, disconnects_users } => {
            value["loses_secrets"] = (*loses_secrets).into();
            value["disconnects_users"] = (*disconnects_users).into();
            value["requests"] = calls.iter().map(|call| call.as_str()).collect();
            value["auth_mode_after"] = match mode {
                ResultingMode::AsLocal(mode) => mode.as_str().into(),
                ResultingMode::Unknown | ResultingMode::Deleted => Value::Null,
            };
            value["auth_mode_carried_by"] = sync::carrier(entry).into();
            value["notes"] = notes.iter().map(sync::push_note).collect();
        }
        SyncStatus::Blocked(reason) => value["reason"] = sync::block_reason(reason, &Permits::flags()).into(),
        SyncStatus::ReadOnly(manager) => value["reason"] = sync::manager_text(*manager).into(),
        _ => {}
    }
    value
}

/// Returns a push with its requests as JSON.
pub(in crate::cli) fn push_json(push: &Push) -> Value {
    let requests: Vec<Value> = push
        .requests
        .iter()
        .map(|sent| {
            json!({"id": sent.id, "call": sent.call.as_str(), "state": sent.state.as_str(), "detail": sent.detail})
        })
        .collect();
    json!({"step": push.step, "started_at": push.started_at, "requests": requests})
}
