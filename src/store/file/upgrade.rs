//! The schema upgrade: a verified copy, then every step in one transaction, or nothing.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::backup::persist_at;
use super::inspect::{BUSY, connect_for_writing, real_path, schema_version};
use super::location::logs_of;
use super::open::{BULK_CACHE, INDEX_CACHE};
use super::schema::{self, APPLICATION_ID, SqlStep};
use super::suitability::check_upgradable;
use super::write_lock::begin;
use crate::clock;
use crate::domain::derived::carried_auth_mode;
use crate::fs::{TemporaryFile, folder_of, names_in, sidecar};
use crate::store::error::StoreError;
use crate::store::records::columns::read;
use crate::store::records::connectors::Insert;
use crate::store::records::derive::{BATCH, each_derived, note_rules, select_1};

/// The current stage of an upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Waiting for the write lock.
    Locking,
    /// Copying the file.
    Copying {
        /// Bytes copied.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// Reading the copy again.
    Verifying,
    /// Running a step of the schema.
    Step {
        /// The title.
        title: &'static str,
        /// The number, from 1.
        number: usize,
        /// The number of steps.
        of: usize,
    },
    /// Copying records into the new table.
    Records {
        /// The number of copied records.
        done: u64,
        /// Records in all.
        total: u64,
    },
    /// Checking that no record was lost.
    Checking,
    /// Making the upgrade durable.
    Committing,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stage::Locking => f.write_str("waiting for other programs"),
            Stage::Copying { .. } => f.write_str("copying the file"),
            Stage::Verifying => f.write_str("verifying the backup"),
            Stage::Step { title, number, of } => write!(f, "step {number} of {of}: {title}"),
            Stage::Records { .. } => f.write_str("taking the records over"),
            Stage::Checking => f.write_str("counting the records"),
            Stage::Committing => f.write_str("committing"),
        }
    }
}

/// The result of an upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeReport {
    /// Schema version before.
    pub from: i64,
    /// Schema version after.
    pub to: i64,
    /// The copy of the file as it was.
    pub backup: PathBuf,
    /// Records in the file.
    pub records: i64,
}

type OnStage<'a> = &'a mut dyn FnMut(Stage) -> Result<(), StoreError>;

/// Upgrades a file. Returns `None` if another program was faster. `on_stage` is called before each stage and can refuse
/// it; `cancel` stops a running step.
///
/// # Errors
/// [`StoreError::Upgrade`] with the cause; the file is unchanged.
pub fn upgrade(
    path: &Path,
    cancel: &Arc<AtomicBool>,
    on_stage: OnStage<'_>,
) -> Result<Option<UpgradeReport>, StoreError> {
    let path = &real_path(path);
    // Closing any handle of the file drops all locks this process has on it (a rule of POSIX), so the
    // handle that the copy reads from is opened first and closed last, after the connection.
    let source = File::open(path).map_err(|error| StoreError::io(path, error))?;
    let mut run = Run { path, stage: Stage::Locking, backup: None, from: 0, on_stage, source: &source };
    let outcome = run.upgrade(cancel);
    let (stage, backup, from) = (run.stage.to_string(), run.backup.take(), run.from);
    drop(source);
    outcome.map_err(|cause| match cause {
        StoreError::NewerSchema { .. } | StoreError::Foreign { .. } | StoreError::Unsuitable { .. } => cause,
        StoreError::DevelopmentSchema { .. } => cause,
        StoreError::HardLinks { .. } => cause,
        cause => StoreError::Upgrade {
            path: path.to_owned(),
            from: from.max(1),
            stage,
            cause: match cause {
                StoreError::Cancelled => "stopped on request".to_owned(),
                cause => cause.to_string(),
            },
            backup: backup
                .map_or(". No backup was left".to_owned(), |backup| format!("; the backup is at {}", backup.display())),
        },
    })
}

struct Run<'a> {
    path: &'a Path,
    stage: Stage,
    backup: Option<PathBuf>,
    from: i64,
    on_stage: OnStage<'a>,
    source: &'a File,
}

impl Run<'_> {
    fn enter(&mut self, stage: Stage) -> Result<(), StoreError> {
        self.stage = stage.clone();
        (self.on_stage)(stage)
    }

    fn upgrade(&mut self, cancel: &Arc<AtomicBool>) -> Result<Option<UpgradeReport>, StoreError> {
        self.enter(Stage::Locking)?;
        let mut connection = connect_for_writing(self.path)?;
        // A step may rebuild a table; with foreign keys on, dropping the old one would cascade.
        connection
            .pragma_update(None, "foreign_keys", false)
            .and_then(|()| connection.pragma_update(None, "cache_size", -BULK_CACHE))
            .map_err(|error| StoreError::of_sqlite(self.path, "upgrading the schema", error))?;
        self.fold_wal_into_file(&connection)?;
        let path = self.path;
        let wrap = move |error| StoreError::of_sqlite(path, "upgrading the schema", error);
        let flag = cancel.clone();
        connection.progress_handler(10_000, Some(move || flag.load(Ordering::Relaxed))).map_err(wrap)?;
        // Its stage reports the wait.
        let transaction = begin(&connection, (path, "upgrading the schema"), cancel, &|| ())?;
        // Read again under the write lock: another program may have upgraded in between.
        self.from = schema_version(self.path, &transaction)?;
        if self.from == schema::LATEST {
            return Ok(None);
        }
        check_upgradable(self.path, &transaction)?;
        let records = count(&transaction).map_err(wrap)?;
        let backup = self.back_up_file(&transaction, cancel)?;
        self.run_steps(&transaction, records)?;
        self.enter(Stage::Checking)?;
        if count(&transaction).map_err(wrap)? != records {
            return Err(StoreError::Corrupt {
                path: self.path.to_owned(),
                detail: "the number of records changed during the upgrade".to_owned(),
            });
        }
        self.enter(Stage::Committing)?;
        transaction.commit().map_err(wrap)?;
        Ok(Some(UpgradeReport { from: self.from, to: schema::LATEST, backup, records }))
    }

    /// Creates the new table of connectors, fills it, and creates the rest of the schema.
    fn run_steps(&mut self, transaction: &Connection, records: i64) -> Result<(), StoreError> {
        let path = self.path;
        let wrap = move |error| StoreError::of_sqlite(path, "upgrading the schema", error);
        let own = own_objects(transaction).map_err(wrap)?;
        let steps: Vec<SqlStep> = schema::steps();
        let of = steps.len() + 1;
        let mut number = 0;
        for (at, step) in steps.into_iter().enumerate() {
            number += 1;
            self.enter(Stage::Step { title: step.title, number, of })?;
            if at > 0 {
                transaction.execute_batch(step.sql).map_err(wrap)?;
                continue;
            }
            set_old_table_aside(transaction).map_err(wrap)?;
            transaction.execute_batch(step.sql).map_err(wrap)?;
            number += 1;
            self.enter(Stage::Step { title: "take the records over", number, of })?;
            copy_records(transaction, path, &mut |done| {
                self.enter(Stage::Records { done, total: u64::try_from(records).unwrap_or(0) })
            })?;
            transaction.execute_batch(&format!("DROP TABLE {}", schema::OLD_TABLE)).map_err(wrap)?;
            transaction.pragma_update(None, "cache_size", -INDEX_CACHE).map_err(wrap)?;
        }
        let end = || {
            note_rules(transaction)?;
            own.iter().try_for_each(|sql| transaction.execute_batch(sql))?;
            transaction.execute_batch(&format!(
                "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {};",
                schema::LATEST
            ))
        };
        end().map_err(wrap)
    }

    /// Moves pages of another program's write-ahead log into the file, unless a reader is active.
    fn fold_wal_into_file(&self, connection: &Connection) -> Result<(), StoreError> {
        // No wait: a remaining log is copied another way, and the lock has its own wait.
        connection
            .busy_timeout(Duration::ZERO)
            .and_then(|()| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
            .and_then(|()| connection.busy_timeout(BUSY))
            .map_err(|error| StoreError::of_sqlite(self.path, "upgrading the schema", error))
    }

    /// Copies the locked file to `<file>.schema<N>-<UTC>.bak` and verifies it. Sets `self.backup` only when the copy is
    /// complete and durable.
    fn back_up_file(&mut self, locked: &Connection, cancel: &Arc<AtomicBool>) -> Result<PathBuf, StoreError> {
        let total = self.source.metadata().map_err(|error| StoreError::io(self.path, error))?.len();
        self.enter(Stage::Copying { done: 0, total })?;
        let folder = folder_of(self.path);
        let io = |error| StoreError::io(folder, error);
        let has_wal = fs::metadata(sidecar(self.path, "-wal")).is_ok_and(|metadata| metadata.len() > 0);
        if !has_wal && let Some(backup) = self.equal_backup(folder)? {
            self.backup = Some(backup.clone());
            return Ok(backup);
        }
        let partial = TemporaryFile::new_in(folder).map_err(io)?;
        if has_wal {
            self.copy_pages(partial.path())?;
        } else {
            self.copy_bytes(partial.as_file(), total, cancel)?;
        }
        self.enter(Stage::Verifying)?;
        self.verify(partial.path(), locked, has_wal)?;
        let permissions = self.source.metadata().map_err(io)?.permissions();
        partial.as_file().set_permissions(permissions).map_err(io)?;
        partial.as_file().sync_all().map_err(io)?;
        let backup = persist_at(partial, self.path, &format!("schema{}", self.from), clock::now())?;
        self.backup = Some(backup.clone());
        Ok(backup)
    }

    /// A copy that an earlier, failed upgrade left and that is still equal: tries do not pile up copies.
    fn equal_backup(&self, folder: &Path) -> Result<Option<PathBuf>, StoreError> {
        let prefix = backup_prefix(self.path, self.from);
        for name in names_in(folder).map_err(|error| StoreError::io(folder, error))? {
            let is_duplicate = name.to_string_lossy().ends_with(".bak")
                && name.as_encoded_bytes().starts_with(prefix.as_os_str().as_encoded_bytes());
            let path = folder.join(&name);
            // With a log next to it, it holds something else when it is opened.
            if is_duplicate && logs_of(&path).next().is_none() && same_bytes(self.path, self.source, &path)? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    fn copy_bytes(&mut self, mut target: &File, total: u64, cancel: &Arc<AtomicBool>) -> Result<(), StoreError> {
        const CHUNK: u64 = 16 << 20;
        // An earlier copy may have been compared with it.
        self.source.rewind().map_err(|error| StoreError::io(self.path, error))?;
        let mut done = 0;
        while done < total {
            if cancel.load(Ordering::Relaxed) {
                return Err(StoreError::Cancelled);
            }
            let copied = io::copy(&mut self.source.take(CHUNK), &mut target)
                .map_err(|error| StoreError::io(self.path, error))?;
            if copied == 0 {
                break;
            }
            done += copied;
            self.enter(Stage::Copying { done, total })?;
        }
        Ok(())
    }

    /// Copies with SQLite's backup API, for a file whose write-ahead log another program keeps open. It uses a separate
    /// connection: the one with the write lock cannot be the source.
    fn copy_pages(&self, target: &Path) -> Result<(), StoreError> {
        let wrap = |error| StoreError::of_sqlite(self.path, "copying the file", error);
        let source = Connection::open_with_flags(self.path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(wrap)?;
        let mut backup = Connection::open(target).map_err(wrap)?;
        let done = Backup::new(&source, &mut backup).map_err(wrap)?.step(-1).map_err(wrap)?;
        if done == StepResult::Done { Ok(()) } else { Err(StoreError::Busy(self.path.to_owned())) }
    }

    fn verify(&self, backup: &Path, locked: &Connection, by_pages: bool) -> Result<(), StoreError> {
        let bad = |detail: &str| StoreError::Io {
            path: backup.to_owned(),
            cause: io::Error::other(format!("the backup {detail}")),
        };
        if !by_pages && !same_bytes(self.path, self.source, backup)? {
            return Err(bad("differs from the file"));
        }
        let wrap = |error| StoreError::of_sqlite(backup, "verifying the backup", error);
        let opened = Connection::open_with_flags(backup, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(wrap)?;
        if schema_version(backup, &opened)? != self.from
            || count(&opened).map_err(wrap)? != count(locked).map_err(wrap)?
        {
            return Err(bad("has other records than the file"));
        }
        Ok(())
    }
}

/// The SQL of the user's own indexes and triggers on the table of connectors, which are made again for the new one.
fn own_objects(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(
            "SELECT sql FROM main.sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL
             AND tbl_name = 'connectors' COLLATE NOCASE ORDER BY type, rowid",
        )?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Renames the table of schema 1. Views and references of other tables keep naming the connectors.
fn set_old_table_aside(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "PRAGMA legacy_alter_table = ON; ALTER TABLE connectors RENAME TO {}; PRAGMA legacy_alter_table = OFF;",
        schema::OLD_TABLE
    ))
}

/// Writes the records of schema 1 into the new table, in order, with their derived values.
fn copy_records(
    connection: &Connection,
    path: &Path,
    on_stage: &mut dyn FnMut(u64) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let wrap = |error| StoreError::of_sqlite(path, "upgrading the schema", error);
    let sql = format!("SELECT {} FROM {} ORDER BY rowid", select_1(), schema::OLD_TABLE);
    let mut old = connection.prepare(&sql).map_err(wrap)?;
    let mut rows = old.query([]).map_err(wrap)?;
    let mut new = Insert::new(connection).map_err(wrap)?;
    let mut done = 0;
    let next = || {
        let Some(row) = rows.next().map_err(wrap)? else { return Ok(None) };
        let mut record = read(row).map_err(wrap)?;
        record.auth_mode = carried_auth_mode(&record);
        Ok(Some(record))
    };
    each_derived(next, |record, derived| {
        new.insert(&record, &derived).map_err(wrap)?;
        done += 1;
        if done % BATCH as u64 == 0 { on_stage(done) } else { Ok(()) }
    })
}

fn count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM main.connectors", [], |row| row.get(0))
}

fn same_bytes(path: &Path, mut source: &File, backup: &Path) -> Result<bool, StoreError> {
    source.rewind().map_err(|error| StoreError::io(path, error))?;
    let mut copied = File::open(backup).map_err(|error| StoreError::io(backup, error))?;
    let (mut left, mut right) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let read = source.read(&mut left).map_err(|error| StoreError::io(path, error))?;
        let Some(right) = right.get_mut(..read) else {
            return Ok(false);
        };
        if copied.read_exact(right).is_err() || left.get(..read) != Some(&*right) {
            return Ok(false);
        }
        if read == 0 {
            return Ok(copied.read(&mut [0]).map_err(|error| StoreError::io(backup, error))? == 0);
        }
    }
}

/// Returns the prefix of the names of backups, without the folder.
fn backup_prefix(path: &Path, schema: i64) -> PathBuf {
    sidecar(Path::new(path.file_name().unwrap_or_default()), &format!(".schema{schema}-"))
}
