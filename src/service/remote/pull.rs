//! Pull and resolve: merge Kibana's changes field by field, as one step of the history.

use super::status::entry_of;
use super::{SyncError, SyncGroup, Unresolvable};
use crate::domain::remote::{Drift, FieldDrift, PushOptions, Snapshot, SyncStatus, merged};
use crate::domain::{Catalogue, Connector, Remote, SecretEdits};
use crate::store::{OperationKind, PullAction, PullOutcome, Store, SyncPair};
use crate::vault::Vault;

/// The result of a pull.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullReport {
    /// The changes.
    pub pulled: PullOutcome,
    /// Ids that both sides changed; they were skipped.
    pub conflicts: Vec<String>,
    /// Ids whose config in Kibana is nested too deep for this program; they were skipped.
    pub nested: Vec<String>,
    /// Connectors that are Kibana's own.
    pub read_only: u64,
    /// The number of connectors that were deleted in Kibana and kept here, because they are most of them.
    pub held_back: usize,
}

/// The side that a conflict is decided for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The local side; the next push sends it.
    Local,
    /// Kibana's side.
    Remote,
}

/// The options of a pull.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pulling<'a> {
    /// These connectors; none: all.
    pub only: Option<&'a [String]>,
    /// Delete locally even if most connectors are gone in Kibana.
    pub deletes_most: bool,
}

/// From so many on, connectors that are gone in Kibana may be a wrong space or a missing right.
const SUSPICIOUS: usize = 4;

/// Connectors that are gone in Kibana, when they are most of those with a merge base; else none.
fn deleted_in_bulk(store: &Store, vault: &Vault, remote: &Remote) -> Result<usize, SyncError> {
    let (mut gone, mut same) = (0, 0);
    store.each_of_both::<SyncError>(&remote.name, |both| {
        if both.state.base.is_some() {
            same += 1;
            let is_gone = both.local.is_some() && both.state.fetched.is_none();
            gone += usize::from(
                is_gone
                    && entry_of(vault, remote, &both, PushOptions::default(), store.catalogue()).status
                        == SyncStatus::ToPull,
            );
        }
        Ok(())
    })?;
    Ok(if gone >= SUSPICIOUS && gone * 2 > same { gone } else { 0 })
}

/// Merges the last fetched state. Local changes stay; conflicts are skipped and listed.
///
/// # Errors
/// If secrets cannot be re-encrypted or the file cannot be written; nothing is changed then.
pub fn pull(
    store: &mut Store,
    vault: &Vault,
    remote: &Remote,
    pulling: Pulling<'_>,
    now: &str,
) -> Result<PullReport, SyncError> {
    let catalogue = store.catalogue();
    let mut report = PullReport::default();
    if !pulling.deletes_most && pulling.only.is_none() {
        report.held_back = deleted_in_bulk(store, vault, remote)?;
    }
    let holds_back = report.held_back > 0;
    report.pulled = store.apply_pull::<SyncError>((OperationKind::Pull, &remote.name), pulling.only, now, |both| {
        let entry = entry_of(vault, remote, both, PushOptions::default(), catalogue);
        match entry.group() {
            Some(SyncGroup::Conflict) => {
                report.conflicts.push(entry.id);
                return Ok(PullAction::Keep);
            }
            Some(SyncGroup::ReadOnly) => report.read_only += 1,
            _ => {}
        }
        if both.state.managed_by.as_deref() == Some("nested") {
            report.nested.push(entry.id);
            return Ok(PullAction::Keep);
        }
        if both.state.managed_by.is_some() {
            return Ok(PullAction::Keep);
        }
        match (&both.local, &both.state.fetched) {
            (None, Some(_)) if entry.status == SyncStatus::ToPull => added(both, now),
            (Some(_), None) if entry.status == SyncStatus::ToPull && !holds_back => Ok(PullAction::Delete),
            (Some(local), Some(fetched)) => {
                let is_unsent = local.secrets.is_none() && local.is_missing_secrets != fetched.is_missing_secrets;
                let takes = is_unsent || entry.fields.iter().any(|field| field.drift == Drift::Remote);
                if !takes {
                    return Ok(PullAction::Keep);
                }
                accepted(vault, local, fetched, &entry.fields, now, catalogue)
            }
            _ => Ok(PullAction::Keep),
        }
    })?;
    Ok(report)
}

fn added(both: &SyncPair, now: &str) -> Result<PullAction, SyncError> {
    let Some(fetched) = &both.state.fetched else { return Ok(PullAction::Keep) };
    let fresh = Connector { created_at: Some(now.to_owned()), ..fetched.to_connector(&both.state.id) };
    put(fresh, None, now)
}

/// The record with what only Kibana changed.
fn accepted(
    vault: &Vault,
    local: &Connector,
    fetched: &Snapshot,
    fields: &[FieldDrift],
    now: &str,
    catalogue: &Catalogue,
) -> Result<PullAction, SyncError> {
    let mut accepted = merged(local, fetched, fields);
    vault.prepare_secrets(Some(local), &mut accepted, &SecretEdits::default(), catalogue)?;
    put(accepted, local.secrets.is_none().then_some(fetched.is_missing_secrets), now)
}

/// Without local secrets only Kibana can tell whether they are missing.
fn put(mut record: Connector, is_missing: Option<bool>, now: &str) -> Result<PullAction, SyncError> {
    record.is_missing_secrets = is_missing.unwrap_or(record.is_missing_secrets);
    record.updated_at = Some(now.to_owned());
    Ok(PullAction::Write(Box::new(record)))
}

/// Resolves differences for one side. Keeping the local side applies where both sides changed a field, or only Kibana
/// did; Kibana's side can always be used, in place of all local changes. Skipped connectors are returned with the
/// reason.
///
/// # Errors
/// As for [`pull`].
pub fn resolve(
    store: &mut Store,
    vault: &Vault,
    remote: &Remote,
    ids: &[String],
    side: Side,
    now: &str,
) -> Result<(PullOutcome, Vec<(String, Unresolvable)>), SyncError> {
    let catalogue = store.catalogue();
    let mut left = Vec::new();
    let pulled = store.apply_pull::<SyncError>((OperationKind::Resolve, &remote.name), Some(ids), now, |both| {
        let entry = entry_of(vault, remote, both, PushOptions::default(), catalogue);
        if let Err(reason) = entry.can_be_resolved(side) {
            left.push((entry.id, reason));
            return Ok(PullAction::Keep);
        }
        match (side, &both.local, &both.state.fetched) {
            (Side::Local, Some(_), None) => Ok(PullAction::DropBase),
            // A change of Kibana alone was no conflict.
            (Side::Local, Some(local), Some(fetched))
                if entry.status == SyncStatus::Conflict && entry.fields.iter().any(|it| it.drift == Drift::Remote) =>
            {
                accepted(vault, local, fetched, &entry.fields, now, catalogue)
            }
            (Side::Local, ..) => Ok(PullAction::AcceptAsBase),
            (Side::Remote, _, None) => Ok(PullAction::Delete),
            (Side::Remote, None, Some(_)) => added(both, now),
            (Side::Remote, Some(local), Some(fetched)) => {
                let mut fields = entry.fields;
                fields.iter_mut().for_each(|field| field.drift = Drift::Remote);
                // Kibana has others: those of the file are given up like all else.
                if entry.has_new_secrets && !fetched.is_missing_secrets {
                    let without = Connector { secrets: None, ..local.clone() };
                    return accepted(vault, &without, fetched, &fields, now, catalogue);
                }
                accepted(vault, local, fetched, &fields, now, catalogue)
            }
        }
    })?;
    Ok((pulled, left))
}
