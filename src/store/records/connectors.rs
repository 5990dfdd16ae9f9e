//! Reading and writing single records; every write is journalled.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params_from_iter};

use super::columns::{self, DERIVED, read, select};
use crate::domain::bulk::{BulkEdit, Edited};
use crate::domain::derived::Derived;
use crate::domain::{AuthMode, Connector};
use crate::store::error::StoreError;
use crate::store::file::open::Store;
use crate::store::history::{Journal, OperationKind};

/// How to set an auth mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeChange {
    /// Each gets the mode it does not have.
    Toggle,
    /// All get this one.
    To(AuthMode),
}

/// The result of a write of several records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The history step, if anything changed.
    pub step: Option<i64>,
    /// Ids that changed.
    pub changed: Vec<String>,
    /// Ids that had the requested value already.
    pub unchanged: Vec<String>,
    /// Ids that are not in the file.
    pub missing: Vec<String>,
    /// The last record that was changed, as it is now.
    pub last: Option<Box<Connector>>,
    /// Ids skipped, with the reason.
    pub refused: Vec<(String, String)>,
}

/// The outcome of a save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveOutcome {
    /// Written.
    Saved(Box<Connector>),
    /// The record has been changed since it was read; nothing was written.
    Conflict(Box<Connector>),
    /// The record has been deleted since it was read; nothing was written.
    Deleted,
}

impl Store {
    /// Returns a record.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn get(&self, id: &str) -> Result<Option<Connector>, StoreError> {
        self.run("reading a connector", |connection| get(connection, id))
    }

    /// Returns the record of a row, even if its id is not UTF-8.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn get_row(&self, row_id: i64) -> Result<Option<Connector>, StoreError> {
        self.run("reading a connector", |connection| get_by_key(connection, row_id))
    }

    /// Calls `each` with every record by id, in one read transaction.
    ///
    /// # Errors
    /// If the file cannot be read, or the error of `each`.
    pub fn each<E: From<StoreError>>(&self, mut each: impl FnMut(Connector) -> Result<(), E>) -> Result<(), E> {
        let doing = "reading the connectors";
        let wrap = |error| StoreError::of_sqlite(&self.path, doing, error);
        let sql = format!("SELECT {} FROM connectors ORDER BY id", select(""));
        let mut statement = self.connection.prepare(&sql).map_err(wrap)?;
        let mut rows = statement.query([]).map_err(wrap)?;
        while let Some(row) = rows.next().map_err(wrap)? {
            each(read(row).map_err(wrap)?)?;
        }
        Ok(())
    }

    /// Returns whether a connector has this name, ignoring case.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn has_name(&self, name: &str) -> Result<bool, StoreError> {
        self.run("looking for a name", |connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM connectors WHERE name = ?1 COLLATE NOCASE)";
            connection.prepare_cached(sql)?.query_row([name], |row| row.get(0))
        })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`StoreError::IdInUse`]; when the file cannot be written.
    pub fn create(&mut self, connector: &Connector, now: &str) -> Result<Connector, StoreError> {
        let path = self.path.clone();
        let wrap = |error| StoreError::of_sqlite(&path, "adding a connector", error);
        self.transaction("adding a connector", |connection| {
            if get(connection, &connector.id).map_err(wrap)?.is_some() {
                return Err(StoreError::IdInUse(connector.id.clone()));
            }
            let mut journal = Journal::begin(connection, OperationKind::Create, None, None, now).map_err(wrap)?;
            let mut created = connector.clone();
            created.created_at = Some(now.to_owned());
            created.updated_at = Some(now.to_owned());
            journal.insert(&mut created).map_err(wrap)?;
            journal.finish().map_err(wrap)?;
            Ok(created)
        })
    }

    /// Replaces a record that is still at the revision that the caller read. `complete` gets the stored record, within
    /// the transaction, and the new one.
    ///
    /// # Errors
    /// The error of `complete`; if the file cannot be written.
    pub fn save<E: From<StoreError>>(
        &mut self,
        connector: &Connector,
        now: &str,
        complete: impl FnOnce(&Connector, &mut Connector) -> Result<(), E>,
    ) -> Result<SaveOutcome, E> {
        let path = self.path.clone();
        let wrap = |error| StoreError::of_sqlite(&path, "saving a connector", error);
        self.transaction("saving a connector", |connection| {
            let Some(current) = get(connection, &connector.id).map_err(wrap)? else {
                return Ok(SaveOutcome::Deleted);
            };
            // The time too: a file that was restored by another program counts its steps from where it was.
            if (current.revision, &current.updated_at) != (connector.revision, &connector.updated_at) {
                return Ok(SaveOutcome::Conflict(Box::new(current)));
            }
            let mut saved = connector.clone();
            saved.updated_at = Some(now.to_owned());
            complete(&current, &mut saved)?;
            let mut journal = Journal::begin(connection, OperationKind::Edit, None, None, now).map_err(wrap)?;
            journal.update(&current, &mut saved).map_err(wrap)?;
            journal.finish().map_err(wrap)?;
            Ok(SaveOutcome::Saved(Box::new(saved)))
        })
    }

    /// Sets the auth mode of some connectors, as one step of the history. Only the mode and the time of the update
    /// change.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn set_auth_mode(&mut self, ids: &[String], change: ModeChange, now: &str) -> Result<Written, StoreError> {
        let catalogue = self.catalogue;
        self.write_each::<StoreError>("setting the auth mode", OperationKind::AuthMode, ids, now, |current| {
            let mode = match change {
                ModeChange::To(mode) => mode,
                ModeChange::Toggle => current.effective_auth_mode().toggled(),
            };
            let mut edited = BulkEdit::AuthMode(mode).apply(current, catalogue);
            if let Edited::Changed(edited) = &mut edited {
                edited.updated_at = Some(now.to_owned());
            }
            Ok(edited)
        })
    }

    /// Deletes some connectors, as one step of the history.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn delete(&mut self, ids: &[String], now: &str) -> Result<Written, StoreError> {
        self.write_each::<StoreError>("deleting connectors", OperationKind::Delete, ids, now, |_| Ok(Edited::Deleted))
    }

    /// Edits or deletes some connectors, as one step of the history.
    ///
    /// # Errors
    /// The error of `edit`; if the file cannot be written. Nothing is changed then.
    pub fn edit_each<E: From<StoreError>>(
        &mut self,
        ids: &[String],
        is_delete: bool,
        now: &str,
        edit: impl FnMut(&Connector) -> Result<Edited, E>,
    ) -> Result<Written, E> {
        let kind = if is_delete { OperationKind::Delete } else { OperationKind::Edit };
        self.write_each("editing connectors", kind, ids, now, edit)
    }

    fn write_each<E: From<StoreError>>(
        &mut self,
        doing: &'static str,
        kind: OperationKind,
        ids: &[String],
        now: &str,
        edit: impl FnMut(&Connector) -> Result<Edited, E>,
    ) -> Result<Written, E> {
        if ids.len() < BATCH {
            return self.write_in_order(doing, kind, ids, now, edit);
        }
        let mut ids = ids.to_vec();
        self.run(doing, |connection| sort_by_key(connection, &mut ids))?;
        self.at_once(|store| store.write_in_order(doing, kind, &ids, now, edit))
    }

    fn write_in_order<E: From<StoreError>>(
        &mut self,
        doing: &'static str,
        kind: OperationKind,
        ids: &[String],
        now: &str,
        mut edit: impl FnMut(&Connector) -> Result<Edited, E>,
    ) -> Result<Written, E> {
        let path = self.path.clone();
        let wrap = |error| StoreError::of_sqlite(&path, doing, error);
        self.transaction(doing, |connection| {
            let mut written = Written::default();
            let mut journal = Journal::begin(connection, kind, None, None, now).map_err(wrap)?;
            let mut seen = HashSet::new();
            for id in ids.iter().filter(|id| seen.insert(id.as_str())) {
                let Some(current) = get(connection, id).map_err(wrap)? else {
                    written.missing.push(id.clone());
                    continue;
                };
                match edit(&current)? {
                    Edited::Unchanged => written.unchanged.push(id.clone()),
                    Edited::Refused(reason) => written.refused.push((id.clone(), reason)),
                    Edited::Changed(mut edited) => {
                        journal.update(&current, &mut edited).map_err(wrap)?;
                        written.changed.push(id.clone());
                        written.last = Some(edited);
                    }
                    Edited::Deleted => {
                        journal.delete(&current).map_err(wrap)?;
                        written.changed.push(id.clone());
                    }
                }
            }
            written.step = journal.finish().map_err(wrap)?;
            Ok(written)
        })
    }
}

/// Returns the record of an id.
pub(in crate::store) fn get(connection: &Connection, id: &str) -> rusqlite::Result<Option<Connector>> {
    connection.prepare_cached(&BY_ID)?.query_row([id], read).optional()
}

pub(in crate::store) fn text(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<String>> {
    Ok(match row.get_ref(at)? {
        ValueRef::Null => None,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
    })
}

pub(in crate::store) fn integer(row: &Row<'_>, at: usize) -> rusqlite::Result<i64> {
    Ok(row.get_ref(at)?.as_i64().unwrap_or(0))
}

pub(in crate::store) fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(integer(row, at)?).unwrap_or(0))
}

/// From so many on, records are written in the order of the table: each page is written once then.
const BATCH: usize = 1_000;

fn sort_by_key(connection: &Connection, ids: &mut [String]) -> rusqlite::Result<()> {
    let mut key = connection.prepare_cached("SELECT key FROM connectors WHERE id = ?1")?;
    let mut keys = HashMap::with_capacity(ids.len());
    for id in ids.iter() {
        let found: Option<i64> = key.query_row([id], |row| row.get(0)).optional()?;
        keys.insert(id.clone(), found);
    }
    ids.sort_by_key(|id| keys.get(id).copied().flatten());
    Ok(())
}

/// Returns the record of a key.
pub(in crate::store) fn get_by_key(connection: &Connection, key: i64) -> rusqlite::Result<Option<Connector>> {
    connection.prepare_cached(&BY_KEY)?.query_row([key], read).optional()
}

/// Returns the key of an id, also of a connector that was deleted.
pub(in crate::store) fn key_of(connection: &Connection, id: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached(
            "SELECT key FROM connectors WHERE id = ?1
             UNION ALL SELECT key FROM past_connectors WHERE id = ?1 LIMIT 1",
        )?
        .query_row([id], |row| row.get(0))
        .optional()
}

/// Returns the key of an id that may never have been in the file; it gets one then.
pub(in crate::store) fn key_for(connection: &Connection, id: &str) -> rusqlite::Result<i64> {
    if let Some(key) = key_of(connection, id)? {
        return Ok(key);
    }
    let is_first = connection.execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'connectors'", [])? == 0;
    if is_first {
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('connectors', 1)", [])?;
    }
    let sql = "INSERT INTO past_connectors (id, key) SELECT ?1, seq FROM sqlite_sequence WHERE name = 'connectors'
               RETURNING key";
    connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))
}

/// Inserts a record with its derived values; returns its key.
pub(in crate::store) fn insert(connection: &Connection, connector: &Connector) -> rusqlite::Result<i64> {
    Insert::new(connection)?.insert(connector, &Derived::of(connector))
}

/// A statement that adds records.
pub(in crate::store) struct Insert<'a> {
    connection: &'a Connection,
    statement: CachedStatement<'a>,
}

impl<'a> Insert<'a> {
    /// Prepares it.
    pub(in crate::store) fn new(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self { connection, statement: connection.prepare_cached(&INSERT)? })
    }

    /// Adds a record; returns its key.
    pub(in crate::store) fn insert(&mut self, connector: &Connector, derived: &Derived) -> rusqlite::Result<i64> {
        let values = columns::of_new().iter().map(|column| (column.get)(connector));
        let values = values.chain(DERIVED.iter().map(|column| (column.get)(derived)));
        self.statement.execute(params_from_iter(values.map(ToSqlOutput::Borrowed)))?;
        Ok(self.connection.last_insert_rowid())
    }
}

/// The id is the first parameter: a connector that was deleted has its key again.
static INSERT: LazyLock<String> = LazyLock::new(|| {
    let names = columns::of_new().iter().map(|column| column.name).chain(DERIVED.iter().map(|column| column.name));
    let names: Vec<&str> = names.collect();
    let placeholders: Vec<String> = (1..=names.len()).map(|at| format!("?{at}")).collect();
    format!(
        "INSERT INTO connectors (key, {}) VALUES ((SELECT key FROM past_connectors WHERE id = ?1), {})",
        names.join(", "),
        placeholders.join(", ")
    )
});

static BY_KEY: LazyLock<String> = LazyLock::new(|| format!("SELECT {} FROM connectors WHERE key = ?1", select("")));

static BY_ID: LazyLock<String> = LazyLock::new(|| format!("SELECT {} FROM connectors WHERE id = ?1", select("")));
