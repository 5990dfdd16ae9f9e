//! Taking in what a remote said, as one step of the history.

use rusqlite::Connection;

use super::agreement;
use super::connectors::get;
use super::error::StoreError;
use super::history::{Journal, Kind};
use super::open::Store;
use super::remotes::{BothSides, ids_of, remote_state};
use crate::domain::Connector;

/// What a pull makes of one connector.
#[derive(Clone, Debug)]
pub enum Taking {
    /// It stays as it is on both sides.
    Leave,
    /// The record stays; what Kibana said is what both agree on now.
    Agree,
    /// The record becomes this, or is added; then both agree.
    Put(Box<Connector>),
    /// The record is deleted.
    Delete,
    /// What was agreed on is forgotten: the connector counts as new on the side that has it.
    Forget,
}

/// What a pull did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulled {
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
    /// Takes in what `decide` says of each connector of the two sides, as one step of the history of this kind. `only`:
    /// these connectors; none: all.
    ///
    /// # Errors
    /// What `decide` returns; when the file cannot be written. Nothing is changed then.
    pub fn take_in<E: From<StoreError>>(
        &mut self,
        (kind, remote): (Kind, &str),
        only: Option<&[String]>,
        now: &str,
        mut decide: impl FnMut(&BothSides) -> Result<Taking, E>,
    ) -> Result<Pulled, E> {
        let path = self.path.clone();
        let wrap = |error| StoreError::of_sqlite(&path, "taking in what a remote said", error);
        self.transaction("taking in what a remote said", |connection| {
            let ids: Vec<String> = match only {
                Some(ids) => ids.to_vec(),
                None => ids_of(connection, remote).map_err(wrap)?.into_iter().collect(),
            };
            let mut journal = Journal::begin(connection, kind, None, Some(remote), now).map_err(wrap)?;
            let mut pulled = Pulled::default();
            for id in ids {
                let here = get(connection, &id).map_err(wrap)?;
                let state = remote_state(connection, remote, &id).map_err(wrap)?;
                let both = BothSides { here, state };
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
    both: BothSides,
    taking: Taking,
    pulled: &mut Pulled,
) -> rusqlite::Result<()> {
    let BothSides { here, state } = both;
    let id = state.id;
    let forgets = matches!(taking, Taking::Forget);
    match (taking, here) {
        (Taking::Leave, _) | (Taking::Delete, None) => return Ok(()),
        (Taking::Agree | Taking::Forget, here) => journal.mention(&id, here.as_ref())?,
        (Taking::Put(mut record), Some(current)) => {
            journal.update(&current, &mut record)?;
            pulled.changed.push(id.clone());
        }
        (Taking::Put(mut record), None) => {
            journal.insert(&mut record)?;
            pulled.added.push(id.clone());
        }
        (Taking::Delete, Some(current)) => {
            journal.delete(&current)?;
            pulled.deleted.push(id.clone());
        }
    }
    if forgets {
        agreement::disagree(connection, remote, &id)?;
    } else {
        agreement::agree(connection, remote, &id)?;
    }
    agreement::note(connection, journal.step(), remote, (&id, state.base.as_ref()))
}
