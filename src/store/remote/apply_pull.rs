//! Applies a pull as one step of the history.

use rusqlite::Connection;

use super::merge_base;
use super::state::{SyncPair, ids_of, remote_state};
use crate::domain::Connector;
use crate::store::error::StoreError;
use crate::store::file::open::Store;
use crate::store::history::{Journal, OperationKind};
use crate::store::records::connectors::get;

/// The action of a pull for one connector.
#[derive(Clone, Debug)]
pub enum PullAction {
    /// Neither side changes.
    Keep,
    /// The record stays; the state in Kibana becomes the merge base.
    AcceptAsBase,
    /// The record becomes this, or is added; then both sides are equal.
    Write(Box<Connector>),
    /// The record is deleted.
    Delete,
    /// The merge base is dropped: the connector counts as new on the side that has it.
    DropBase,
}

/// The result of a pull.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullOutcome {
    /// The step of the history; none when no record changed.
    pub step: Option<i64>,
    /// Ids that were added.
    pub added: Vec<String>,
    /// Ids that were changed.
    pub changed: Vec<String>,
    /// Ids that were deleted.
    pub deleted: Vec<String>,
}

impl Store {
    /// Applies the decision for each connector, as one step of this kind. `only` limits it to some connectors; empty
    /// means all.
    ///
    /// # Errors
    /// The error of `decide`; if the file cannot be written. Nothing is changed then.
    pub fn apply_pull<E: From<StoreError>>(
        &mut self,
        (kind, remote): (OperationKind, &str),
        only: Option<&[String]>,
        now: &str,
        mut decide: impl FnMut(&SyncPair) -> Result<PullAction, E>,
    ) -> Result<PullOutcome, E> {
        let path = self.path.clone();
        let wrap = |error| StoreError::of_sqlite(&path, "applying a pull", error);
        self.transaction("applying a pull", |connection| {
            let ids: Vec<String> = match only {
                Some(ids) => ids.to_vec(),
                None => ids_of(connection, remote).map_err(wrap)?.into_iter().collect(),
            };
            let mut journal = Journal::begin(connection, kind, None, Some(remote), now).map_err(wrap)?;
            let mut pulled = PullOutcome::default();
            for id in ids {
                let local = get(connection, &id).map_err(wrap)?;
                let state = remote_state(connection, remote, &id).map_err(wrap)?;
                let both = SyncPair { local, state };
                let taking = decide(&both)?;
                take(connection, &mut journal, remote, both, taking, &mut pulled).map_err(wrap)?;
            }
            pulled.step = journal.finish().map_err(wrap)?;
            Ok(pulled)
        })
    }
}

fn take(
    connection: &Connection,
    journal: &mut Journal<'_>,
    remote: &str,
    both: SyncPair,
    taking: PullAction,
    pulled: &mut PullOutcome,
) -> rusqlite::Result<()> {
    let SyncPair { local, state } = both;
    let id = state.id;
    let forgets = matches!(taking, PullAction::DropBase);
    match (taking, local) {
        (PullAction::Keep, _) | (PullAction::Delete, None) => return Ok(()),
        (PullAction::AcceptAsBase | PullAction::DropBase, local) => journal.mention(&id, local.as_ref())?,
        (PullAction::Write(mut record), Some(current)) => {
            journal.update(&current, &mut record)?;
            pulled.changed.push(id.clone());
        }
        (PullAction::Write(mut record), None) => {
            journal.insert(&mut record)?;
            pulled.added.push(id.clone());
        }
        (PullAction::Delete, Some(current)) => {
            journal.delete(&current)?;
            pulled.deleted.push(id.clone());
        }
    }
    if forgets {
        merge_base::clear_base(connection, remote, &id)?;
    } else {
        merge_base::set_base(connection, remote, &id)?;
    }
    merge_base::note(connection, journal.step(), remote, (&id, state.base.as_ref()))
}
