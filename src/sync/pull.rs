//! Taking in what Kibana says: field by field, as one step of the history that can be taken back.

use super::report::entry_of;
use super::{SyncError, SyncGroup};
use crate::domain::sync::{Drift, Limits, Verdict, merged};
use crate::domain::{Connector, Remote, SecretEdits};
use crate::store::{BothSides, Pulled, Store, Taking};
use crate::vault::Vault;

/// What a pull did, and what it left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullReport {
    /// What it did.
    pub pulled: Pulled,
    /// Ids that both sides changed; they were left alone.
    pub conflicts: Vec<String>,
    /// Connectors that are Kibana's own.
    pub read_only: u64,
}

/// The side that a conflict is decided for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What the file says; the next push sends it.
    Here,
    /// What Kibana says.
    There,
}

/// Takes in what Kibana said last. What was changed here stays; what both changed is left alone and listed.
///
/// # Errors
/// When secrets cannot be sealed anew or the file cannot be written; nothing is changed then.
pub fn pull(
    store: &mut Store,
    vault: &Vault,
    remote: &Remote,
    only: Option<&[String]>,
    now: &str,
) -> Result<PullReport, SyncError> {
    let mut report = PullReport::default();
    report.pulled = store.take_in::<SyncError>(&remote.name, only, now, |both| {
        let entry = entry_of(vault, remote, both, Limits::default());
        match entry.group() {
            Some(SyncGroup::Conflict) => {
                report.conflicts.push(entry.id);
                return Ok(Taking::Leave);
            }
            Some(SyncGroup::ReadOnly) => report.read_only += 1,
            _ => {}
        }
        if both.state.managed_by.is_some() {
            return Ok(Taking::Leave);
        }
        match (&both.here, &both.state.seen) {
            (None, Some(_)) if entry.verdict == Verdict::Take => added(both, now),
            (Some(_), None) if entry.verdict == Verdict::Take => Ok(Taking::Delete),
            (Some(here), Some(seen)) => {
                let mut taken = merged(here, seen, &entry.fields);
                let is_unsent = here.secrets.is_none() && here.is_missing_secrets != seen.is_missing_secrets;
                let takes = is_unsent || entry.fields.iter().any(|field| field.drift == Drift::There);
                if !takes {
                    return Ok(Taking::Leave);
                }
                vault.carry(Some(here), &mut taken, &SecretEdits::default())?;
                put(taken, here.secrets.is_none().then_some(seen.is_missing_secrets), now)
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

/// Without secrets in the file only Kibana knows whether they are missing.
fn put(mut record: Connector, is_missing: Option<bool>, now: &str) -> Result<Taking, SyncError> {
    record.is_missing_secrets = is_missing.unwrap_or(record.is_missing_secrets);
    record.updated_at = Some(now.to_owned());
    Ok(Taking::Put(Box::new(record)))
}

/// Decides conflicts for one side. Of connectors that are none, nothing is changed; their ids are given back.
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
) -> Result<(Pulled, Vec<String>), SyncError> {
    let mut no_conflicts = Vec::new();
    let pulled = store.take_in::<SyncError>(&remote.name, Some(ids), now, |both| {
        let entry = entry_of(vault, remote, both, Limits::default());
        if entry.verdict != Verdict::Conflict {
            no_conflicts.push(entry.id);
            return Ok(Taking::Leave);
        }
        match (side, &both.here, &both.state.seen) {
            (Side::Here, Some(_), None) => Ok(Taking::Forget),
            (Side::Here, ..) => Ok(Taking::Agree),
            (Side::There, _, None) => Ok(Taking::Delete),
            (Side::There, None, Some(_)) => added(both, now),
            (Side::There, Some(here), Some(seen)) => {
                let mut fields = entry.fields;
                fields.iter_mut().for_each(|field| field.drift = Drift::There);
                let mut taken = merged(here, seen, &fields);
                vault.carry(Some(here), &mut taken, &SecretEdits::default())?;
                put(taken, here.secrets.is_none().then_some(seen.is_missing_secrets), now)
            }
        }
    })?;
    Ok((pulled, no_conflicts))
}
