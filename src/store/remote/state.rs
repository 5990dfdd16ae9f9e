//! Remotes, and the last known state of their connectors.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::merge_base::{deleted_in_remote, set_detected_base};
use crate::domain::remote::{RemoteConnector, Snapshot, three_way};
use crate::domain::{Connector, Remote, ReportedTypes};
use crate::store::error::StoreError;
use crate::store::file::open::Store;
use crate::store::records::columns::{WIDTH, read, select};
use crate::store::records::connectors::{count, get, text};

/// The stored state of a connector on a remote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteState {
    /// The id.
    pub id: String,
    /// The merge base.
    pub base: Option<Snapshot>,
    /// The last state in Kibana; `None` if Kibana does not have it.
    pub fetched: Option<Snapshot>,
    /// The fingerprint of the secrets that Kibana received from this file.
    pub sent_secrets: Option<String>,
    /// As [`RemoteConnector`] has it.
    pub managed_by: Option<String>,
    /// As [`RemoteConnector`] has it.
    pub referenced_by: u64,
}

/// A connector on both sides; at least one side has it.
#[derive(Clone, Debug)]
pub struct SyncPair {
    /// The record of the file.
    pub local: Option<Connector>,
    /// The stored remote state.
    pub state: RemoteState,
}

const REMOTE: &str = "name, url, space, ca_file, proxy, timeout, allow_http, credential, is_default, version, knows_modes, \
     fetched_at";

impl Store {
    /// Returns all remotes, by name.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn remotes(&self) -> Result<Vec<Remote>, StoreError> {
        self.run("reading the remotes", remotes)
    }

    /// Adds or replaces a remote. The first one becomes the default.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn put_remote(&mut self, remote: &Remote) -> Result<(), StoreError> {
        self.transaction("keeping a remote", |connection| {
            put_remote(connection, remote).map_err(StoreError::on(connection, "keeping a remote"))
        })
    }

    /// Removes a remote and its stored state; the connectors of the file stay.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn remove_remote(&mut self, name: &str) -> Result<(), StoreError> {
        self.transaction("forgetting a remote", |connection| {
            let work = || {
                connection.execute("DELETE FROM remotes WHERE name = ?1", [name])?;
                connection.execute(
                    "UPDATE remotes SET is_default = 1 WHERE name = (SELECT min(name) FROM remotes)
                     AND NOT EXISTS (SELECT 1 FROM remotes WHERE is_default <> 0)",
                    [],
                )
            };
            work().map(drop).map_err(StoreError::on(connection, "forgetting a remote"))
        })
    }

    /// Returns the stored remote state of one connector.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn remote_state(&self, remote: &str, id: &str) -> Result<RemoteState, StoreError> {
        self.run("reading the state of a remote", |connection| remote_state(connection, remote, id))
    }

    /// Returns a connector on both sides.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn both_sides(&self, remote: &str, id: &str) -> Result<SyncPair, StoreError> {
        Ok(SyncPair { local: self.get(id)?, state: self.remote_state(remote, id)? })
    }

    /// Calls `each` with every connector of the file or of the remote: first those of the file, then the others.
    ///
    /// # Errors
    /// If the file cannot be read, or the error of `each`.
    pub fn each_of_both<E: From<StoreError>>(
        &self,
        remote: &str,
        mut each: impl FnMut(SyncPair) -> Result<(), E>,
    ) -> Result<(), E> {
        let wrap = |error| StoreError::of_sqlite(&self.path, "comparing with a remote", error);
        let of_file = format!(
            "SELECT {}, {STATE} FROM connectors AS c
             LEFT JOIN remote_connectors AS r ON r.remote = ?1 AND r.id = c.id ORDER BY c.id",
            select("c.")
        );
        let mut statement = self.connection.prepare(&of_file).map_err(wrap)?;
        let mut rows = statement.query([remote]).map_err(wrap)?;
        while let Some(row) = rows.next().map_err(wrap)? {
            let local = read(row).map_err(wrap)?;
            let state = RemoteState { id: local.id.clone(), ..state_of(row, WIDTH).map_err(wrap)? };
            each(SyncPair { local: Some(local), state })?;
        }
        let of_remote = format!(
            "SELECT {STATE} FROM remote_connectors AS r WHERE r.remote = ?1
             AND (r.base IS NOT NULL OR r.fetched IS NOT NULL)
             AND NOT EXISTS (SELECT 1 FROM connectors AS c WHERE c.id = r.id) ORDER BY r.id"
        );
        let mut statement = self.connection.prepare(&of_remote).map_err(wrap)?;
        let mut rows = statement.query([remote]).map_err(wrap)?;
        while let Some(row) = rows.next().map_err(wrap)? {
            each(SyncPair { local: None, state: state_of(row, 0).map_err(wrap)? })?;
        }
        Ok(())
    }

    /// Replaces the fingerprints of sent secrets for which `refingerprint` returns one.
    ///
    /// # Errors
    /// The error of `refingerprint`; if the file cannot be read or written.
    pub fn refingerprint<E: From<StoreError>>(
        &mut self,
        mut refingerprint: impl FnMut(&Connector, &str) -> Result<Option<String>, E>,
    ) -> Result<(), E> {
        let path = self.path.clone();
        let wrap = |error| StoreError::of_sqlite(&path, "noting which secrets were sent", error);
        self.transaction("noting which secrets were sent", |connection| {
            let sent: Vec<(String, String, String)> = connection
                .prepare("SELECT remote, id, sent_secrets FROM remote_connectors WHERE sent_secrets IS NOT NULL")
                .and_then(|mut statement| {
                    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
                })
                .map_err(wrap)?;
            for (remote, id, old) in sent {
                let Some(record) = get(connection, &id).map_err(wrap)? else { continue };
                if let Some(new) = refingerprint(&record, &old)? {
                    connection
                        .execute(
                            "UPDATE remote_connectors SET sent_secrets = ?3 WHERE remote = ?1 AND id = ?2",
                            [remote, id, new],
                        )
                        .map_err(wrap)?;
                }
            }
            Ok(())
        })
    }

    /// Returns the names of connector types that remotes reported, as they were read last.
    pub fn reported_types(&self) -> &ReportedTypes {
        &self.reported_types
    }

    /// Loads the names of connector types that remotes reported.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read_reported_types(&mut self) -> Result<(), StoreError> {
        self.reported_types = self.run("reading the connector types of the remotes", |connection| {
            connection
                .prepare_cached("SELECT id, name FROM remote_types ORDER BY remote")?
                .query_map([], |row| Ok((text(row, 0)?.unwrap_or_default(), text(row, 1)?.unwrap_or_default())))?
                .collect()
        })?;
        Ok(())
    }

    /// Replaces the connector types that a remote reported.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn put_reported_types(&mut self, remote: &str, types: &[(String, String)]) -> Result<(), StoreError> {
        self.bookkeeping("keeping the connector types of a remote", |connection| {
            let work = || {
                connection.execute("DELETE FROM remote_types WHERE remote = ?1", [remote])?;
                let mut insert = connection
                    .prepare_cached("INSERT OR REPLACE INTO remote_types (remote, id, name) VALUES (?1, ?2, ?3)")?;
                types.iter().try_for_each(|(id, name)| insert.execute([remote, id, name]).map(drop))
            };
            work().map_err(StoreError::on(connection, "keeping the connector types of a remote"))
        })?;
        self.read_reported_types()
    }

    /// Stores the state of all connectors of a remote. Equal sides become the merge base, and requests of an
    /// interrupted push are settled.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn record_snapshot(&mut self, remote: &Remote, found: &[RemoteConnector]) -> Result<(), StoreError> {
        self.bookkeeping("saving the state of a remote", |connection| {
            let work = || {
                put_remote(connection, remote)?;
                super::push_log::reconcile(connection, &remote.name, remote.fetched_at.as_deref(), found)?;
                let mut gone = ids_of(connection, &remote.name)?;
                for one in found {
                    gone.remove(&one.id);
                    record_remote(connection, &remote.name, one)?;
                }
                gone.into_iter()
                    .try_for_each(|id| deleted_in_remote(connection, &remote.name, &id, get(connection, &id)?.as_ref()))
            };
            work().map_err(StoreError::on(connection, "saving the state of a remote"))
        })
    }
}

fn remotes(connection: &Connection) -> rusqlite::Result<Vec<Remote>> {
    connection
        .prepare_cached(&format!("SELECT {REMOTE} FROM remotes ORDER BY name"))?
        .query_map([], remote_of)?
        .collect()
}

/// Returns the encrypted credentials.
pub(in crate::store) fn credentials(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    Ok(remotes(connection)?.into_iter().filter_map(|remote| remote.credential).collect())
}

fn remote_of(row: &Row<'_>) -> rusqlite::Result<Remote> {
    Ok(Remote {
        name: row.get(0)?,
        url: row.get(1)?,
        space: row.get(2)?,
        ca_file: row.get(3)?,
        proxy: row.get(4)?,
        timeout: row.get(5)?,
        allow_http: row.get(6)?,
        credential: row.get(7)?,
        is_default: row.get(8)?,
        version: row.get(9)?,
        knows_modes: row.get(10)?,
        fetched_at: row.get(11)?,
    })
}

fn put_remote(connection: &Connection, remote: &Remote) -> rusqlite::Result<()> {
    let is_only: bool = connection.query_row(
        "SELECT NOT EXISTS (SELECT 1 FROM remotes WHERE name <> ?1 AND is_default <> 0)",
        [&remote.name],
        |row| row.get(0),
    )?;
    let is_default = remote.is_default || is_only;
    if is_default {
        connection.execute("UPDATE remotes SET is_default = 0", [])?;
    }
    connection
        .execute(
            &format!(
                "INSERT INTO remotes ({REMOTE}) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12) ON CONFLICT (name) DO UPDATE SET
                   url = ?2, space = ?3, ca_file = ?4, proxy = ?5, timeout = ?6, allow_http = ?7, credential = ?8,
                   is_default = ?9, version = ?10, knows_modes = ?11, fetched_at = ?12"
            ),
            params![
                remote.name,
                remote.url,
                remote.space,
                remote.ca_file,
                remote.proxy,
                remote.timeout,
                remote.allow_http,
                remote.credential,
                is_default,
                remote.version,
                remote.knows_modes,
                remote.fetched_at,
            ],
        )
        .map(drop)
}

const STATE: &str = "r.id, r.base, r.fetched, r.sent_secrets, r.managed_by, r.referenced_by";

/// Reads a row as [`STATE`] names it, from a column on.
fn state_of(row: &Row<'_>, at: usize) -> rusqlite::Result<RemoteState> {
    let snapshot = |at| Ok::<_, rusqlite::Error>(text(row, at)?.as_deref().and_then(Snapshot::from_text));
    Ok(RemoteState {
        id: text(row, at)?.unwrap_or_default(),
        base: snapshot(at + 1)?,
        fetched: snapshot(at + 2)?,
        sent_secrets: text(row, at + 3)?,
        managed_by: text(row, at + 4)?,
        referenced_by: count(row, at + 5)?,
    })
}

pub(in crate::store) fn remote_state(connection: &Connection, remote: &str, id: &str) -> rusqlite::Result<RemoteState> {
    let sql = format!("SELECT {STATE} FROM remote_connectors AS r WHERE r.remote = ?1 AND r.id = ?2");
    let found = connection.prepare_cached(&sql)?.query_row([remote, id], |row| state_of(row, 0)).optional()?;
    Ok(found.unwrap_or_else(|| RemoteState { id: id.to_owned(), ..RemoteState::default() }))
}

pub(in crate::store) fn ids_of(
    connection: &Connection,
    remote: &str,
) -> rusqlite::Result<std::collections::BTreeSet<String>> {
    connection
        .prepare_cached("SELECT id FROM remote_connectors WHERE remote = ?1")?
        .query_map([remote], |row| row.get(0))?
        .collect()
}

/// Stores the state of one connector in Kibana.
pub(in crate::store) fn record_remote(
    connection: &Connection,
    remote: &str,
    found: &RemoteConnector,
) -> rusqlite::Result<()> {
    let fetched = found.snapshot.to_text();
    connection
        .prepare_cached(
            "INSERT INTO remote_connectors (remote, id, fetched, managed_by, referenced_by) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (remote, id) DO UPDATE SET fetched = ?3, managed_by = ?4, referenced_by = ?5",
        )?
        .execute(params![
            remote,
            found.id,
            fetched,
            found.managed_by,
            i64::try_from(found.referenced_by).unwrap_or(i64::MAX)
        ])?;
    let state = remote_state(connection, remote, &found.id)?;
    if found.managed_by.is_none() && state.base.as_ref() != Some(&found.snapshot) {
        let local = get(connection, &found.id)?;
        if local.as_ref().is_some_and(|local| three_way(None, &Snapshot::of(local), &found.snapshot).is_empty()) {
            set_detected_base(connection, remote, &found.id, (state.base.as_ref(), Some(&found.snapshot)))?;
        }
    }
    Ok(())
}
