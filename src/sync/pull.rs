//! Taking in what Kibana says: field by field, as one step of the history that can be taken back.

use super::report::entry_of;
use super::{SyncError, SyncGroup};
use crate::domain::sync::{Drift, FieldDrift, Limits, Snapshot, Verdict, merged};
use crate::domain::{Connector, Remote, SecretEdits};
use crate::store::{BothSides, Kind, Pulled, Store, Taking};
use crate::vault::Vault;

/// What a pull did, and what it left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullReport {
    /// What it did.
    pub pulled: Pulled,
    /// Ids that both sides changed; they were left alone.
    pub conflicts: Vec<String>,
    /// Ids whose config in Kibana is nested too deep to be held here; they were left alone.
    pub nested: Vec<String>,
    /// Connectors that are Kibana's own.
    pub read_only: u64,
    /// Connectors that are gone in Kibana and stay here all the same, since they are most of them.
    pub held_back: usize,
}

/// The side that a conflict is decided for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What the file says; the next push sends it.
    Here,
    /// What Kibana says.
    There,
}

/// What a pull may do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pulling<'a> {
    /// These connectors; none: all.
    pub only: Option<&'a [String]>,
    /// Delete here also when most of the connectors are gone in Kibana.
    pub deletes_most: bool,
}

/// From so many on, connectors that are gone in Kibana may be a wrong space or a missing right.
const SUSPICIOUS: usize = 4;

/// Connectors that are gone in Kibana, when they are most of those that both sides agreed on; else none.
fn gone_in_bulk(store: &Store, vault: &Vault, remote: &Remote) -> Result<usize, SyncError> {
    let (mut gone, mut agreed) = (0, 0);
    store.each_of_both::<SyncError>(&remote.name, |both| {
        if both.state.base.is_some() {
            agreed += 1;
            let is_gone = both.here.is_some() && both.state.seen.is_none();
            gone += usize::from(is_gone && entry_of(vault, remote, &both, Limits::default()).verdict == Verdict::Take);
        }
        Ok(())
    })?;
    Ok(if gone >= SUSPICIOUS && gone * 2 > agreed { gone } else { 0 })
}

/// Takes in what Kibana said last. What was changed here stays; what both changed is left alone and listed.
///
/// # Errors
/// When secrets cannot be sealed anew or the file cannot be written; nothing is changed then.
pub fn pull(
    store: &mut Store,
    vault: &Vault,
    remote: &Remote,
    pulling: Pulling<'_>,
    now: &str,
) -> Result<PullReport, SyncError> {
    let mut report = PullReport::default();
    if !pulling.deletes_most && pulling.only.is_none() {
        report.held_back = gone_in_bulk(store, vault, remote)?;
    }
    let holds_back = report.held_back > 0;
    report.pulled = store.take_in::<SyncError>((Kind::Pull, &remote.name), pulling.only, now, |both| {
        let entry = entry_of(vault, remote, both, Limits::default());
        match entry.group() {
            Some(SyncGroup::Conflict) => {
                report.conflicts.push(entry.id);
                return Ok(Taking::Leave);
            }
            Some(SyncGroup::ReadOnly) => report.read_only += 1,
            _ => {}
        }
        if both.state.managed_by.as_deref() == Some("nested") {
            report.nested.push(entry.id);
            return Ok(Taking::Leave);
        }
        if both.state.managed_by.is_some() {
            return Ok(Taking::Leave);
        }
        match (&both.here, &both.state.seen) {
            (None, Some(_)) if entry.verdict == Verdict::Take => added(both, now),
            (Some(_), None) if entry.verdict == Verdict::Take && !holds_back => Ok(Taking::Delete),
            (Some(here), Some(seen)) => {
                let is_unsent = here.secrets.is_none() && here.is_missing_secrets != seen.is_missing_secrets;
                let takes = is_unsent || entry.fields.iter().any(|field| field.drift == Drift::There);
                if !takes {
                    return Ok(Taking::Leave);
                }
                taken(vault, here, seen, &entry.fields, now)
            }
            _ => Ok(Taking::Leave),
        }
    })?;
    Ok(report)
}

fn added(both: &BothSides, now: &str) -> Result<Taking, SyncError> {
    let Some(seen) = &both.state.seen else { return Ok(Taking::Leave) };
    let fresh = Connector { created_at: Some(now.to_owned()), ..seen.to_connector(&both.state.id) };
    put(fresh, None, now)
}

/// The record with what only Kibana changed.
fn taken(
    vault: &Vault,
    here: &Connector,
    seen: &Snapshot,
    fields: &[FieldDrift],
    now: &str,
) -> Result<Taking, SyncError> {
    let mut taken = merged(here, seen, fields);
    vault.carry(Some(here), &mut taken, &SecretEdits::default())?;
    put(taken, here.secrets.is_none().then_some(seen.is_missing_secrets), now)
}

/// Without secrets in the file only Kibana knows whether they are missing.
fn put(mut record: Connector, is_missing: Option<bool>, now: &str) -> Result<Taking, SyncError> {
    record.is_missing_secrets = is_missing.unwrap_or(record.is_missing_secrets);
    record.updated_at = Some(now.to_owned());
    Ok(Taking::Put(Box::new(record)))
}

/// Decides for one side what differs. This file's side counts where both changed a field, or Kibana alone did; Kibana's
/// can always be taken, in place of all that was changed here. What is left alone is given back with the reason.
///
/// # Errors
/// As [`pull`].
pub fn resolve(
    store: &mut Store,
    vault: &Vault,
    remote: &Remote,
    ids: &[String],
    side: Side,
    now: &str,
) -> Result<(Pulled, Vec<(String, String)>), SyncError> {
    let mut left = Vec::new();
    let pulled = store.take_in::<SyncError>((Kind::Resolve, &remote.name), Some(ids), now, |both| {
        let entry = entry_of(vault, remote, both, Limits::default());
        if let Err(reason) = entry.can_be_decided(side) {
            left.push((entry.id, reason.to_owned()));
            return Ok(Taking::Leave);
        }
        match (side, &both.here, &both.state.seen) {
            (Side::Here, Some(_), None) => Ok(Taking::Forget),
            // What only Kibana changed was no conflict.
            (Side::Here, Some(here), Some(seen))
                if entry.verdict == Verdict::Conflict && entry.fields.iter().any(|it| it.drift == Drift::There) =>
            {
                taken(vault, here, seen, &entry.fields, now)
            }
            (Side::Here, ..) => Ok(Taking::Agree),
            (Side::There, _, None) => Ok(Taking::Delete),
            (Side::There, None, Some(_)) => added(both, now),
            (Side::There, Some(here), Some(seen)) => {
                let mut fields = entry.fields;
                fields.iter_mut().for_each(|field| field.drift = Drift::There);
                // Kibana has others: those of the file are given up like all else.
                if entry.has_new_secrets && !seen.is_missing_secrets {
                    let without = Connector { secrets: None, ..here.clone() };
                    return taken(vault, &without, seen, &fields, now);
                }
                taken(vault, here, seen, &fields, now)
            }
        }
    })?;
    Ok((pulled, left))
}
