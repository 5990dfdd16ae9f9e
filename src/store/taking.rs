//! Taking in what a remote said, as one step of the history; and what becomes of the agreement of both sides when such
//! a step is taken back.

use rusqlite::{Connection, OptionalExtension, params};

use super::connectors::{get, text};
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

/// What Kibana said last is what both sides agree on.
pub(super) fn agree(connection: &Connection, remote: &str, id: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE remote_connectors SET base = seen WHERE remote = ?1 AND id = ?2")?
        .execute([remote, id])?;
    forget_empty(connection, remote, id)
}

/// Notes what both sides agree on after a step took a connector in, and what they agreed on `before`.
fn note_bases(
    connection: &Connection,
    step: i64,
    remote: &str,
    (id, before): (&str, Option<&Snapshot>),
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO remote_bases (step, connector_id, remote, before, after)
             VALUES (?1, ?3, ?2, ?4, (SELECT base FROM remote_connectors WHERE remote = ?2 AND id = ?3))",
        )?
        .execute(params![step, remote, id, before.map(Snapshot::to_text)])
        .map(drop)
}

/// A pull or a decision is taken back, or brought again: so is what it made both sides agree on. What was pulled counts
/// as newer in Kibana again, never as changed or deleted here; what was changed here before counts as changed here.
pub(super) fn follow(connection: &Connection, taking: i64, id: &str, is_again: bool) -> rusqlite::Result<()> {
    let noted = connection
        .prepare_cached("SELECT remote, before, after FROM remote_bases WHERE step = ?1 AND connector_id = ?2")?
        .query_row(params![taking, id], |row| {
            let snapshot = |at| Ok::<_, rusqlite::Error>(text(row, at)?.as_deref().and_then(Snapshot::from_text));
            Ok((row.get::<_, String>(0)?, snapshot(1)?, snapshot(2)?))
        })
        .optional()?;
    let Some((remote, before, after)) = noted else { return Ok(()) };
    let (from, to) = if is_again { (before, after) } else { (after, before) };
    let current = remote_state(connection, &remote, id)?.base;
    let base = rebased(id, current, from.as_ref(), to);
    connection
        .prepare_cached(
            "INSERT INTO remote_connectors (remote, id, base) VALUES (?1, ?2, ?3)
             ON CONFLICT (remote, id) DO UPDATE SET base = ?3",
        )?
        .execute(params![remote, id, base.as_ref().map(Snapshot::to_text)])?;
    forget_empty(connection, &remote, id)
}

/// An agreement with the fields in which `from` and `to` differ as `to` has them; what later pulls brought stays.
fn rebased(id: &str, current: Option<Snapshot>, from: Option<&Snapshot>, to: Option<Snapshot>) -> Option<Snapshot> {
    match (current, from, to) {
        (Some(current), Some(from), Some(to)) => {
            let agreed = merged(&current.to_connector(id), &to, &three_way(Some(from), from, &to));
            Some(Snapshot { auth_mode: current.auth_mode.and(agreed.auth_mode), ..Snapshot::of(&agreed) })
        }
        // What one did not agree on since is not agreed on now.
        (None, Some(_), Some(_)) => None,
        (_, _, to) => to,
    }
}

/// A connector of which nothing is known any more is no row.
fn forget_empty(connection: &Connection, remote: &str, id: &str) -> rusqlite::Result<()> {
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
        connection.execute("UPDATE remote_connectors SET base = NULL WHERE remote = ?1 AND id = ?2", [remote, &id])?;
        forget_empty(connection, remote, &id)?;
    } else {
        agree(connection, remote, &id)?;
    }
    note_bases(connection, journal.step(), remote, (&id, state.base.as_ref()))
}
