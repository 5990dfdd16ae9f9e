//! The open file: for reading, or for writing after it was made or upgraded.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::inspect::{
    BUSY, Inspection, Reading, connect_for_writing, connect_read_only, inspect, real_path, schema_version,
};
use super::location::{FileId, check_no_stray_log, check_one_name};
use super::schema::{self, APPLICATION_ID};
use super::suitability::check_writable;
use super::upgrade::{Stage, UpgradeReport, upgrade};
use super::write_lock::{begin, is_busy};
use crate::domain::{Catalogue, ReportedTypes};
use crate::fs::{TemporaryFile, folder_of};
use crate::store::error::StoreError;
use crate::store::records::derive::{note_rules, overlay, store_if_due};

/// Kilobytes of pages that a connection keeps.
const CACHE: i64 = 2 * 1024;

/// The size of a page in kilobytes, unless a file made by hand has another one.
const PAGE_KILOBYTES: i64 = 4;

/// Kilobytes of pages that a job on many records keeps: what fits need not be written to the disk and read again.
pub(in crate::store) const BULK_CACHE: i64 = 64 * 1024;

/// The same while indexes are made: SQLite sorts in as much memory again.
pub(in crate::store) const INDEX_CACHE: i64 = 32 * 1024;

/// An open connectors file.
pub struct Store {
    pub(in crate::store) connection: Connection,
    pub(in crate::store) path: PathBuf,
    pub(in crate::store) read_only: bool,
    pub(in crate::store) cancel: Arc<AtomicBool>,
    waiting: Option<Box<dyn Fn() + Send>>,
    reading: Reading,
    /// The identity of the open file; `None` if the system has none.
    file: Option<FileId>,
    /// Raised when a transaction is committed.
    committed: Arc<AtomicBool>,
    /// The keys of secrets that cannot be decrypted (`store::secrets`).
    pub(in crate::store) unreadable_keys: BTreeSet<String>,
    /// The names of connector types that remotes reported.
    pub(in crate::store) reported_types: ReportedTypes,
    /// The connector types that the program knows.
    pub(in crate::store) catalogue: &'static Catalogue,
    /// Another connection of this process may write to the file.
    pub(in crate::store) may_be_written: bool,
    /// Derived columns in memory lie over those of the file.
    pub(in crate::store) has_overlay: bool,
}

impl Store {
    /// Opens a file for reading; a schema 1 file is shown as if it were upgraded.
    ///
    /// # Errors
    /// As [`inspect`].
    pub fn open_read_only(path: &Path, reading: Reading) -> Result<Self, StoreError> {
        let path = real_path(path);
        if inspect(&path, reading)? == Inspection::Missing {
            return Err(StoreError::Missing(path));
        }
        Self::read(&path, reading)
    }

    fn read(path: &Path, reading: Reading) -> Result<Self, StoreError> {
        let connection = connect_read_only(path, reading)?;
        let schema = schema_version(path, &connection)?;
        let mut store = Self {
            connection,
            path: path.to_owned(),
            read_only: true,
            cancel: Arc::default(),
            waiting: None,
            reading,
            file: FileId::at(path),
            committed: Arc::default(),
            unreadable_keys: BTreeSet::new(),
            reported_types: ReportedTypes::default(),
            catalogue: Catalogue::built_in(),
            may_be_written: false,
            has_overlay: false,
        };
        if schema < schema::LATEST {
            store.run("reading an older schema", |connection| {
                connection.execute_batch(schema::EMPTY_TABLES)?;
                overlay(connection, schema)
            })?;
        }
        store.run("opening the file", |connection| connection.pragma_update(None, "query_only", true))?;
        store.read_reported_types()?;
        if schema == schema::LATEST {
            store.derive()?;
        }
        Ok(store)
    }

    /// Opens a file for writing: makes a missing one, upgrades an older one first.
    ///
    /// # Errors
    /// As [`inspect`] and [`upgrade`]; a file that cannot be written.
    pub fn open(
        path: &Path,
        cancel: &Arc<AtomicBool>,
        on_stage: &mut dyn FnMut(Stage) -> Result<(), StoreError>,
    ) -> Result<(Self, Option<UpgradeReport>), StoreError> {
        let path = &real_path(path);
        let mut report = None;
        match inspect(path, Reading::Shared)? {
            Inspection::Missing => create(path)?,
            Inspection::Connectors { writable: false, .. } => {
                return Err(StoreError::Permission {
                    path: path.to_owned(),
                    advice: "ask its owner for write access, copy the file, or open it with --read-only to look at it",
                });
            }
            Inspection::Connectors { schema, .. } if schema < schema::LATEST => {
                report = upgrade(path, cancel, on_stage)?;
            }
            Inspection::Connectors { .. } => {}
        }
        Ok((Self::join(path, cancel)?, report))
    }

    /// Opens another connection for writing in a process that has the file open. It uses no plain handle, see
    /// [`Store::reader`].
    ///
    /// # Errors
    /// If the file cannot be opened again.
    pub fn join(path: &Path, cancel: &Arc<AtomicBool>) -> Result<Self, StoreError> {
        let connection = connect_for_writing(path)?;
        check_writable(path, &connection)?;
        let journal = |connection: &Connection| {
            use_write_ahead_log(connection)?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "cache_size", -CACHE)?;
            connection.pragma_update(None, "foreign_keys", true)
        };
        journal(&connection).map_err(|error| StoreError::of_sqlite(path, "opening the file", error))?;
        let mut store = Self {
            connection,
            path: path.to_owned(),
            read_only: false,
            cancel: cancel.clone(),
            waiting: None,
            reading: Reading::Shared,
            file: FileId::at(path),
            committed: Arc::default(),
            unreadable_keys: BTreeSet::new(),
            reported_types: ReportedTypes::default(),
            catalogue: Catalogue::built_in(),
            may_be_written: false,
            has_overlay: false,
        };
        store.watch_for_cancel();
        store.derive()?;
        store.read_reported_types()?;
        Ok(store)
    }

    /// As [`Store::join`], for a file that is known: another one at its path is refused.
    ///
    /// # Errors
    /// [`StoreError::AnotherFile`], [`StoreError::Gone`]; when the file cannot be opened again.
    pub fn join_same(path: &Path, file: Option<FileId>, cancel: &Arc<AtomicBool>) -> Result<Self, StoreError> {
        if let Some(file) = file {
            file.check(path)?;
        }
        let store = Self::join(path, cancel)?;
        match file == store.file {
            true => Ok(store),
            false => Err(StoreError::AnotherFile(path.to_owned())),
        }
    }

    /// Returns the identity of the open file.
    pub fn file_id(&self) -> Option<FileId> {
        self.file
    }

    /// Checks that the open file is still at its path and has no other name that another program could write to.
    ///
    /// # Errors
    /// [`StoreError::Gone`], [`StoreError::AnotherFile`]; for a writable file, [`StoreError::HardLinks`].
    pub fn check_location(&self) -> Result<(), StoreError> {
        if let Some(file) = self.file {
            file.check(&self.path)?;
        }
        if self.read_only { Ok(()) } else { check_one_name(&self.path) }
    }

    /// Writes the log into the file and empties it, unless a reader is active. The file is then complete on its own: it
    /// can be moved, and no file that replaces it applies the log.
    pub fn empty_log(&self) {
        if self.read_only || self.check_location().is_err() {
            return;
        }
        // A log in use is emptied after the next job, or on close.
        let _ = self.connection.busy_timeout(Duration::ZERO);
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let _ = self.connection.busy_timeout(BUSY);
    }

    /// Uses another catalogue than the built-in one.
    #[must_use]
    pub fn with_catalogue(mut self, catalogue: &'static Catalogue) -> Self {
        self.catalogue = catalogue;
        self
    }

    /// Returns the catalogue in use.
    pub fn catalogue(&self) -> &'static Catalogue {
        self.catalogue
    }

    /// Raises this flag when something was written.
    #[must_use]
    pub fn with_commit_flag(mut self, committed: &Arc<AtomicBool>) -> Self {
        self.committed = committed.clone();
        self
    }

    /// Opens a second connection for reading. It uses no plain handle: closing one would drop this process's locks (a
    /// rule of POSIX).
    ///
    /// # Errors
    /// If the file cannot be opened again.
    pub fn reader(&self) -> Result<Self, StoreError> {
        let reader = Self::read(&self.path, self.reading)?;
        Ok(Self { may_be_written: !self.read_only, catalogue: self.catalogue, ..reader })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Nothing can be written.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Returns the schema version on disk.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn schema_version(&self) -> Result<i64, StoreError> {
        schema_version(&self.path, &self.connection)
    }

    /// Returns a number that changes when another connection writes to the file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn data_version(&self) -> Result<i64, StoreError> {
        self.run("looking for changes", |connection| connection.query_row("PRAGMA data_version", [], |row| row.get(0)))
    }

    /// Registers a callback that runs repeatedly while a job waits for another writer.
    pub fn when_waiting(&mut self, on_wait: impl Fn() + Send + 'static) {
        self.waiting = Some(Box::new(on_wait));
    }

    /// Lets the flag of this store interrupt a long statement.
    fn watch_for_cancel(&mut self) {
        let cancel = self.cancel.clone();
        // A failure to register only costs the cancel key its effect inside one statement.
        let _ = self.connection.progress_handler(10_000, Some(move || cancel.load(Ordering::Relaxed)));
    }

    /// Uses `cancel` as the flag that interrupts this store.
    #[must_use]
    pub fn cancelled_by(mut self, cancel: &Arc<AtomicBool>) -> Self {
        self.cancel = cancel.clone();
        self.watch_for_cancel();
        self
    }

    /// Runs a job of many transactions with a large cache and without a sync for each. After a power cut the job may be
    /// shorter, but never ends within a record. The caller ends it with its own transaction, which is synced together
    /// with all before.
    pub(in crate::store) fn in_batches<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.prepare("NORMAL", BULK_CACHE)?;
        let outcome = work(self);
        self.prepare("FULL", CACHE)?;
        outcome
    }

    /// Does a job of one large transaction: more of the file is kept in memory.
    pub(in crate::store) fn at_once<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.prepare("FULL", BULK_CACHE)?;
        let outcome = work(self);
        self.prepare("FULL", CACHE)?;
        outcome
    }

    fn prepare(&self, synchronous: &str, cache: i64) -> Result<(), StoreError> {
        if self.read_only {
            return Ok(());
        }
        self.run("preparing the file", |connection| {
            connection.pragma_update(None, "synchronous", synchronous)?;
            connection.pragma_update(None, "cache_size", -cache)?;
            // The log goes into the file in as large parts as pages are kept.
            connection.pragma_update(None, "wal_autocheckpoint", cache / PAGE_KILOBYTES * 2)
        })
    }

    pub(in crate::store) fn run<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        work(&self.connection).map_err(|error| StoreError::of_sqlite(&self.path, doing, error))
    }

    /// One transaction that is rolled back when `work` fails.
    pub(in crate::store) fn transaction<T, E: From<StoreError>>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let value = self.bookkeeping(doing, work)?;
        self.committed.store(true, Ordering::Relaxed);
        Ok(value)
    }

    /// Like [`Store::transaction`], for internal data that is no change of a user.
    pub(in crate::store) fn bookkeeping<T, E: From<StoreError>>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.read_only {
            return Err(StoreError::ReadOnly(self.path.clone()).into());
        }
        let path = self.path.clone();
        let wrap = |error| StoreError::of_sqlite(&path, doing, error);
        let waiting = || self.waiting.iter().for_each(|on_wait| on_wait());
        let transaction = begin(&self.connection, (&path, doing), &self.cancel, &waiting)?;
        self.check_location()?;
        store_if_due(&transaction).map_err(wrap)?;
        let value = work(&transaction)?;
        // A write to a file that is no longer at its path would be lost.
        self.check_location()?;
        transaction.commit().map_err(wrap)?;
        Ok(value)
    }
}

/// Two programs that switch at once block each other; SQLite then refuses without waiting, so this function waits.
fn use_write_ahead_log(connection: &Connection) -> rusqlite::Result<()> {
    let until = Instant::now() + BUSY;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if is_busy(&error) && Instant::now() < until => thread::sleep(Duration::from_millis(5)),
            outcome => return outcome,
        }
    }
}

/// Makes a new file at the newest schema, readable by its owner only.
fn create(path: &Path) -> Result<(), StoreError> {
    check_no_stray_log(path)?;
    // Built under a temporary name and moved into place, so that a killed program leaves no partial file.
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(|error| StoreError::io(folder, error))?;
    let fresh = TemporaryFile::new_in(folder).map_err(|error| StoreError::io(folder, error))?;
    write_schema(fresh.path(), schema::LATEST).map_err(|error| error.about(path))?;
    match fresh.persist_noclobber(path) {
        Ok(()) => Ok(()),
        // Another program made it first; its file is as good.
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists && path.exists() => Ok(()),
        Err(error) => Err(StoreError::io(path, error.error)),
    }
}

/// Writes an empty schema of the given version into an empty file.
pub(in crate::store) fn write_schema(path: &Path, version: i64) -> Result<(), StoreError> {
    let sql: String = match version {
        1 => schema::SCHEMA_1.to_owned(),
        _ => schema::steps().iter().map(|step| step.sql).collect::<Vec<_>>().join("\n"),
    };
    let connection = connect_for_writing(path)?;
    let write = || {
        connection.execute_batch(&format!(
            "PRAGMA foreign_keys = OFF; PRAGMA application_id = {APPLICATION_ID}; BEGIN IMMEDIATE; {sql}; PRAGMA user_version = {version};"
        ))?;
        if version == schema::LATEST {
            note_rules(&connection)?;
        }
        connection.execute_batch("COMMIT")
    };
    write().map_err(|error| StoreError::of_sqlite(path, "creating the file", error))?;
    connection.close().map_err(|(_, error)| StoreError::of_sqlite(path, "creating the file", error))
}
