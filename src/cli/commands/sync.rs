//! Commands for a remote: `fetch`, `status`, `diff`, `pull`, `resolve`.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::bail;
use serde_json::{Value, json};

use super::{open_existing, parse_checked_filter, remote as remotes};
use crate::cli::context::Context;
use crate::cli::remote_args::Which;
use crate::cli::render::output::Output;
use crate::cli::{DONE, NEEDS_ATTENTION};
use crate::clock;
use crate::domain::remote::{FieldDrift, PushOptions, SyncStatus};
use crate::domain::{Filter, Remote};
use crate::kibana::{Credential, Kibana};
use crate::service::keys::find_unreadable_keys;
use crate::service::remote;
use crate::service::remote::{Entry, Pulling, Report, Side, SyncGroup};
use crate::store::{Push, RequestState, Store, StoreError, SyncPair};
use crate::text::plural;
use crate::vault::Vault;

/// A file, a remote, and the way to it.
pub(super) struct Linked {
    pub(super) store: Store,
    pub(super) vault: Vault,
    pub(super) remote: Remote,
    pub(super) kibana: Kibana,
}

/// Opens the file for writing and connects to the remote.
pub(super) fn link(context: &Context, which: &Which, output: &Output) -> anyhow::Result<Linked> {
    let mut store = open_existing(&context.file, output)?;
    let remote = remote::remote_of(&store, which.remote.as_deref())?;
    let vault = context.vault(&store)?;
    find_unreadable_keys(&vault, &mut store)?;
    let kibana = connect(&remote, &vault)?;
    Ok(Linked { store, vault, remote, kibana })
}

/// Connects with the credential of the environment, else the stored one, else one from a prompt.
pub(super) fn connect(remote: &Remote, vault: &Vault) -> anyhow::Result<Kibana> {
    let given = match Credential::from_environment().map_err(anyhow::Error::msg)? {
        None if remote.credential.is_none() && io::stdin().is_terminal() => {
            Some(remotes::read_credential(remote, false)?)
        }
        given => given,
    };
    Ok(remote::connect(remote, vault, given, &Arc::new(AtomicBool::new(false)))?)
}

impl Linked {
    /// Fetches the connectors of Kibana.
    pub(super) fn fetch(&mut self, output: &Output) -> anyhow::Result<()> {
        let progress = output.progress();
        progress.text(&format!("asking {}", self.remote.place()));
        Ok(remote::fetch(&mut self.store, &self.vault, &mut self.remote, &self.kibana)?)
    }
}

pub(super) fn pull(
    context: &Context,
    which: &Which,
    deletes_most: bool,
    json: bool,
    output: &mut Output,
) -> anyhow::Result<u8> {
    let mut linked = link(context, which, output)?;
    linked.fetch(output)?;
    let Linked { store, vault, remote, .. } = &mut linked;
    let report = remote::pull(store, vault, remote, Pulling { only: None, deletes_most }, &clock::now_iso())?;
    let pulled = &report.pulled;
    if json {
        output.json(&json!({
            "remote": remote.name, "added": pulled.added, "changed": pulled.changed, "deleted": pulled.deleted,
            "conflicts": report.conflicts, "nested": report.nested, "read_only": report.read_only, "held_back": report.held_back, "step": pulled.step,
        }))?;
    } else {
        let text = format!(
            "pulled from {}: {} new, {} changed, {} deleted",
            remote.name,
            pulled.added.len(),
            pulled.changed.len(),
            pulled.deleted.len()
        );
        output.line(&text)?;
        if report.read_only > 0 {
            output.line(&format!("{} managed by Kibana were skipped; `status` shows them", report.read_only))?;
        }
        for id in &report.conflicts {
            output.line(&format!("conflict, skipped: {id}"))?;
        }
        for id in &report.nested {
            output.line(&format!("skipped, its config is nested deeper than 100 levels: {id}"))?;
        }
    }
    if !report.conflicts.is_empty() {
        output.notice(
            "`connector-admin diff` shows both sides of a conflict, `resolve ID --keep local|remote` \
                     resolves it",
        );
    }
    if report.held_back > 0 {
        output.notice(&format!(
            "{} are missing in Kibana, which is most of them: they stay in the file. A wrong space or a missing \
             privilege looks like that; --accept-deletes deletes them in the file too",
            plural(report.held_back as u64, "connector")
        ));
    }
    let is_whole = report.conflicts.is_empty() && report.nested.is_empty() && report.held_back == 0;
    Ok(if is_whole { DONE } else { NEEDS_ATTENTION })
}

/// Returns the comparison with a remote: fetched, or by the last fetch.
fn compared(
    context: &Context,
    which: &Which,
    offline: bool,
    filter: &Filter,
    output: &Output,
) -> anyhow::Result<(Remote, Report)> {
    let (store, vault, remote) = if offline {
        let mut store = context.read()?;
        let remote = remote::remote_of(&store, which.remote.as_deref())?;
        if remote.seen_at.is_none() {
            bail!("{} was never read; run `connector-admin status` without --offline first", remote.name);
        }
        let vault = context.vault(&store)?;
        find_unreadable_keys(&vault, &mut store)?;
        (store, vault, remote)
    } else {
        let mut linked = link(context, which, output)?;
        linked.fetch(output)?;
        (linked.store, linked.vault, linked.remote)
    };
    let progress = output.progress();
    let report = remote::report(
        &store,
        &vault,
        &remote,
        PushOptions::default(),
        &|both| passes(&store, filter, both),
        &mut |done, total| progress.bar("compared", done, total, "connectors"),
    )?;
    Ok((remote, report))
}

/// Does a connector of either side pass a filter?
pub(super) fn passes(store: &Store, filter: &Filter, both: &SyncPair) -> bool {
    let remote = || both.state.seen.as_ref().map(|seen| seen.to_connector(&both.state.id));
    filter.is_empty() || both.local.clone().or_else(remote).is_some_and(|side| filter.matches(&store.summary_of(&side)))
}

pub(super) fn status(
    context: &Context,
    which: &Which,
    offline: bool,
    json: bool,
    output: &mut Output,
) -> anyhow::Result<u8> {
    let (remote, report) = compared(context, which, offline, &Filter::default(), output)?;
    if json {
        let mut value = report_json(&remote, &report);
        if let Some(push) = &report.last_push {
            value["last_push"] = push_json(push);
        }
        output.json(&value)?;
    } else {
        headline(&remote, &report, output)?;
        for group in SyncGroup::ALL {
            list_group(&report, group, output)?;
        }
        if report.is_clean() {
            output.line("nothing to push or pull")?;
        }
    }
    Ok(if report.is_clean() && !report.was_cut_off() { DONE } else { NEEDS_ATTENTION })
}

fn headline(remote: &Remote, report: &Report, output: &mut Output) -> anyhow::Result<()> {
    let version = remote.version.as_deref().map_or_else(String::new, |version| format!(", Kibana {version}"));
    let seen = remote.seen_at.as_deref().unwrap_or("never");
    output.line(&format!("{}: {}{version}; read {seen}; {} in sync", remote.name, remote.place(), report.in_sync))?;
    if let Some(word) = remote.word_about_modes() {
        output.line(word)?;
    }
    if let Some(push) = report.last_push.as_ref().filter(|_| report.was_cut_off()) {
        output.line(&format!("the last push (step {}, {}) was not done whole:", push.step, push.started_at))?;
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
pub(super) fn list_group(report: &Report, group: SyncGroup, output: &mut Output) -> anyhow::Result<()> {
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
        output.line(&format!("  {} ({}): {}", entry.name, entry.id, entry.what()))?;
        for line in entry.explained() {
            output.line(&format!("      {line}"))?;
        }
    }
    let shown = report.entries.iter().filter(|entry| entry.group() == Some(group)).count() as u64;
    if report.count(group) > shown {
        output.line(&format!("  and {} more", report.count(group) - shown))?;
    }
    Ok(())
}

pub(super) fn diff(
    context: &Context,
    which: &Which,
    offline: bool,
    filter: Option<&str>,
    json: bool,
    output: &mut Output,
) -> anyhow::Result<u8> {
    let filter = parse_checked_filter(filter)?;
    let (remote, report) = compared(context, which, offline, &filter, output)?;
    let differing: Vec<&Entry> =
        report.entries.iter().filter(|entry| entry.group() != Some(SyncGroup::ReadOnly)).collect();
    if json {
        output.json(&report_json(&remote, &report))?;
    } else {
        for entry in &differing {
            let group = entry.group().map_or("", SyncGroup::label);
            output.line(&format!("{group}: {} ({}): {}", entry.name, entry.id, entry.what()))?;
            for field in &entry.fields {
                output.line(&format!("  {}{}", field.field, drift_word(field)))?;
                let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
                if entry.has_base {
                    output.line(&format!("    base     {}", value(&field.base)))?;
                }
                output.line(&format!("    local   {}", value(&field.local)))?;
                output.line(&format!("    remote  {}", value(&field.remote)))?;
            }
            if entry.has_new_secrets {
                output.line("  secrets (changed in the file, or never sent; not shown)")?;
            }
        }
        output.line(&format!(
            "{} with differences, {} in sync",
            plural(differing_in_all(&report), "connector"),
            report.in_sync
        ))?;
    }
    Ok(if differing.is_empty() { DONE } else { NEEDS_ATTENTION })
}

/// Also those that are not kept one by one.
fn differing_in_all(report: &Report) -> u64 {
    let all = SyncGroup::ALL.into_iter().filter(|group| *group != SyncGroup::ReadOnly);
    all.map(|group| report.count(group)).sum()
}

fn drift_word(field: &FieldDrift) -> &'static str {
    use crate::domain::remote::Drift;
    match field.drift {
        Drift::Local => " (changed locally)",
        Drift::Remote => " (changed in Kibana)",
        Drift::Both => " (changed on both sides)",
    }
}

pub(super) fn report_json(remote: &Remote, report: &Report) -> Value {
    let counts: serde_json::Map<String, Value> =
        SyncGroup::ALL.into_iter().map(|group| (group.label().to_owned(), report.count(group).into())).collect();
    json!({
        "counts": counts,
        "remote": remote.name, "url": remote.url, "version": remote.version, "seen_at": remote.seen_at,
        "knows_auth_modes": remote.knows_modes, "in_sync": report.in_sync,
        "connectors": report.entries.iter().map(entry_json).collect::<Vec<_>>(),
    })
}

pub(super) fn entry_json(entry: &Entry) -> Value {
    use crate::domain::remote::{Drift, ResultingMode};
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
        "group": entry.group().map_or("in sync", SyncGroup::label), "what": entry.what(), "fields": fields,
        "sends_secrets": entry.sends_secrets,
    });
    match &entry.status {
        SyncStatus::ToPush { calls, mode, notes, loses_secrets, disconnects_users } => {
            value["loses_secrets"] = (*loses_secrets).into();
            value["disconnects_users"] = (*disconnects_users).into();
            value["requests"] = calls.iter().map(|call| call.as_str()).collect();
            value["auth_mode_after"] = match mode {
                ResultingMode::AsLocal(mode) => mode.as_str().into(),
                ResultingMode::Unknown | ResultingMode::Gone => Value::Null,
            };
            value["auth_mode_carried_by"] = entry.carrier().into();
            value["notes"] = notes.as_slice().into();
        }
        SyncStatus::Blocked(reason) => value["reason"] = reason.as_str().into(),
        SyncStatus::ReadOnly(why) => value["reason"] = (*why).into(),
        _ => {}
    }
    value
}

fn push_json(push: &Push) -> Value {
    let requests: Vec<Value> = push
        .requests
        .iter()
        .map(|sent| {
            json!({"id": sent.id, "call": sent.call.as_str(), "state": sent.state.as_str(), "detail": sent.detail})
        })
        .collect();
    json!({"step": push.step, "started_at": push.started_at, "requests": requests})
}

pub(super) fn resolve(
    context: &Context,
    which: &Which,
    (ids, side): (&[String], Side),
    json: bool,
    output: &mut Output,
) -> anyhow::Result<u8> {
    let mut store = open_existing(&context.file, output)?;
    let remote = remote::remote_of(&store, which.remote.as_deref())?;
    let vault = context.vault(&store)?;
    let known = |id: &String| -> Result<bool, StoreError> {
        let state = store.remote_state(&remote.name, id)?;
        Ok(state.seen.is_some() || state.base.is_some())
    };
    if let Some(id) = ids.iter().find(|id| !known(id).unwrap_or(true)) {
        bail!("{} knows no connector {id:?}; nothing was changed", remote.name);
    }
    let (pulled, left) = remote::resolve(&mut store, &vault, &remote, ids, side, &clock::now_iso())?;
    let seen = remote.seen_at.as_deref().unwrap_or("never");
    let is_left = |id: &String| left.iter().find(|(found, _)| found == id).map(|(_, reason)| reason);
    if json {
        let all: Vec<Value> = ids
            .iter()
            .map(|id| json!({"id": id, "is_decided": is_left(id).is_none(), "reason": is_left(id)}))
            .collect();
        output.json(&json!({"remote": remote.name, "seen_at": seen, "connectors": all, "step": pulled.step}))?;
        return Ok(if left.is_empty() { DONE } else { NEEDS_ATTENTION });
    }
    for id in ids {
        let text = match (is_left(id), side) {
            (Some(reason), _) => format!("{id}: skipped, {reason}"),
            (None, Side::Local) => format!("{id}: kept local; `push --dry-run` shows what a push can do with it"),
            (None, Side::Remote) => format!("{id}: replaced by Kibana's version"),
        };
        output.line(&text)?;
    }
    output.notice(&format!("resolved with the state of {seen}; `connector-admin status` fetches the current one"));
    Ok(if left.is_empty() { DONE } else { NEEDS_ATTENTION })
}
