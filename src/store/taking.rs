//! Taking in what a remote said, as one step of the history; and what becomes of the agreement of both sides when such
//! a step is taken back.

use rusqlite::{Connection, params};

use super::connectors::get;
use super::error::StoreError;
use super::history::{Journal, Kind};
use super::open::Store;
use super::remotes::{BothSides, ids_of, remote_state};
use crate::domain::Connector;
use crate::domain::sync::{Snapshot, merged, three_way};

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
    /// Takes in what `decide` says of each connector of the two sides, as one step of the history. `only`: these
    /// connectors; none: all.
    ///
    /// # Errors
    /// What `decide` returns; when the file cannot be written. Nothing is changed then.
    pub fn take_in<E: From<StoreError>>(
        &mut self,
        remote: &str,
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
            let mut journal = Journal::begin(connection, Kind::Pull, None, Some(remote), now).map_err(wrap)?;
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

/// What Kibana said last is what both sides agree on.
pub(super) fn agree(connection: &Connection, remote: &str, id: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE remote_connectors SET base = seen WHERE remote = ?1 AND id = ?2")?
        .execute([remote, id])?;
    connection
        .prepare_cached(
            "DELETE FROM remote_connectors WHERE remote = ?1 AND id = ?2 AND base IS NULL AND seen IS NULL",
        )?
        .execute([remote, id])
        .map(drop)
}

/// A pull is taken back, or brought again: of a record that went from one state to another, the fields in which those
/// differ are agreed on as they are in the other one. So what was pulled counts as newer in Kibana again, and never as
/// changed or deleted here.
pub(super) fn follow(
    connection: &Connection,
    remote: &str,
    (id, from, to): (&str, Option<&Connector>, Option<&Connector>),
) -> rusqlite::Result<()> {
    let is_known: bool =
        connection.query_row("SELECT EXISTS (SELECT 1 FROM remotes WHERE name = ?1)", [remote], |row| row.get(0))?;
    if !is_known {
        return Ok(());
    }
    let state = remote_state(connection, remote, id)?;
    let base = match (from, to) {
        (_, None) => None,
        (None, Some(to)) => Some(Snapshot::of(to)),
        (Some(from), Some(to)) => {
            let (from, to) = (Snapshot::of(from), Snapshot::of(to));
            // Against the state it comes from, all that differs is as if Kibana had changed it.
            let base = state.base.unwrap_or_else(|| from.clone());
            let fields = three_way(Some(&from), &from, &to);
            let agreed = merged(&base.to_connector(id), &to, &fields);
            Some(Snapshot { auth_mode: base.auth_mode.and(agreed.auth_mode), ..Snapshot::of(&agreed) })
        }
    };
    connection
        .prepare_cached(
            "INSERT INTO remote_connectors (remote, id, base) VALUES (?1, ?2, ?3)
             ON CONFLICT (remote, id) DO UPDATE SET base = ?3",
        )?
        .execute(params![remote, id, base.as_ref().map(Snapshot::to_text)])?;
    connection
        .prepare_cached(
            "DELETE FROM remote_connectors WHERE remote = ?1 AND id = ?2 AND base IS NULL AND seen IS NULL",
        )?
        .execute([remote, id])
        .map(drop)
}

fn take(
    connection: &Connection,
    journal: &mut Journal<'_>,
    remote: &str,
    both: BothSides,
    taking: Taking,
    pulled: &mut Pulled,
) -> rusqlite::Result<()> {
    let id = both.state.id;
    match (taking, both.here) {
        (Taking::Leave, _) | (Taking::Delete, None) => return Ok(()),
        (Taking::Agree, _) => {}
        (Taking::Forget, _) => {
            connection
                .execute("UPDATE remote_connectors SET base = NULL WHERE remote = ?1 AND id = ?2", [remote, &id])?;
            connection.execute(
                "DELETE FROM remote_connectors WHERE remote = ?1 AND id = ?2 AND seen IS NULL",
                [remote, &id],
            )?;
            return Ok(());
        }
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
    agree(connection, remote, &id)
}
