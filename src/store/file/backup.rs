//! Backups of the file: on request, automatic before large changes, and restore.
//!
//! A backup is one SQLite file without sidecar files, complete before it gets its name. Automatic backups are verified
//! by counting records; backups on request, and every backup before a restore, by a full integrity check. Its name is
//! the file's with a suffix for its kind, so that backups are found next to the file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use rusqlite::backup::{Backup as Copying, StepResult};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::inspect::{
    BUSY, Inspection, Reading, connect_for_writing, connect_read_only, inspect, real_path, schema_version,
};
use super::location::{SIDECARS, check_no_stray_log, check_one_name, logs_of, set_sidecars_aside};
use super::open::Store;
use crate::clock;
use crate::fs::{PersistError, TemporaryFile, folder_of, names_in, sidecar};
use crate::store::Progress;
use crate::store::error::StoreError;
use crate::store::records::connectors::count;

/// An import of more records than this is preceded by a copy.
pub const COPY_FROM: u64 = 1000;

/// Pages copied between two progress reports.
const PAGES: i32 = 2048;

/// The kind of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupKind {
    /// Made on request.
    Made,
    /// Made before a migration run or a large import; the next one replaces it.
    Automatic,
    /// Before an upgrade of the schema.
    Upgrade,
    /// The previous state of the file, from before a restore.
    Replaced,
}

impl BackupKind {
    /// Returns the word for the UI and for JSON.
    pub fn label(self) -> &'static str {
        match self {
            BackupKind::Made => "backup",
            BackupKind::Automatic => "before a run or import",
            BackupKind::Upgrade => "before an upgrade",
            BackupKind::Replaced => "before a restore",
        }
    }

    fn of_suffix(suffix: &str) -> Option<Self> {
        match suffix.strip_suffix(".bak")? {
            ".auto" => Some(BackupKind::Automatic),
            made if made.starts_with(".backup-") => Some(BackupKind::Made),
            made if made.starts_with(".replaced-") => Some(BackupKind::Replaced),
            made if made.starts_with(".schema") => Some(BackupKind::Upgrade),
            _ => None,
        }
    }
}

/// A backup next to the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The path.
    pub path: PathBuf,
    /// The kind.
    pub kind: BackupKind,
    /// The size in bytes.
    pub bytes: u64,
    /// The time of creation.
    pub made_at: Option<SystemTime>,
}

/// The result of a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The copy.
    pub from: PathBuf,
    /// The previous file, or the log of a deleted one; `None` if there was nothing to keep.
    pub kept: Option<PathBuf>,
    /// Records in the file now.
    pub records: u64,
    /// The schema version; the next opening for writing upgrades an older one.
    pub schema: i64,
}

/// Lists the backups next to a file, the newest first.
///
/// # Errors
/// If the folder cannot be read.
pub fn backups_of(file: &Path) -> Result<Vec<Backup>, StoreError> {
    let file = real_path(file);
    let folder = folder_of(&file);
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let names = names_in(folder).map_err(|error| StoreError::io(folder, error))?;
    let mut found: Vec<Backup> = names
        .into_iter()
        .filter_map(|found| {
            let kind = BackupKind::of_suffix(found.to_string_lossy().strip_prefix(&name)?)?;
            let path = folder.join(found);
            let metadata = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
            Some(Backup { path, kind, bytes: metadata.len(), made_at: metadata.modified().ok() })
        })
        .collect();
    found.sort_by(|one, other| other.made_at.cmp(&one.made_at).then_with(|| one.path.cmp(&other.path)));
    Ok(found)
}

impl Store {
    /// Creates a backup of the committed state: at `target`, which must not exist, else next to the file.
    ///
    /// # Errors
    /// If the backup cannot be created or verified; nothing is left of it then.
    pub fn back_up(&self, target: Option<&Path>, now: Timestamp, progress: Progress<'_>) -> Result<Backup, StoreError> {
        if let Some(target) = target {
            check_no_stray_log(target)?;
        }
        let folder = target.map_or_else(|| folder_of(&self.path), folder_of);
        // From the open connection: the file may have been moved away from its path.
        let copied = copy_of(&self.connection, &self.path, folder, true, progress)?;
        let path = match target {
            Some(target) => {
                copied.persist_noclobber(target).map_err(|error| not_made(target, error.error))?;
                sync_folder(target)?;
                target.to_owned()
            }
            None => persist_at(copied, &self.path, "backup", now)?,
        };
        made(path, BackupKind::Made)
    }

    /// Makes the copy that is kept before a run or a large import, in place of the one before.
    ///
    /// # Errors
    /// As [`Store::back_up`].
    pub fn create_automatic_backup(&self, progress: Progress<'_>) -> Result<Backup, StoreError> {
        create_automatic_backup(&self.path, progress)
    }
}

/// [`Store::create_automatic_backup`] of a file by its path.
pub(in crate::store) fn create_automatic_backup(path: &Path, progress: Progress<'_>) -> Result<Backup, StoreError> {
    let target = sidecar(path, ".auto.bak");
    let copied = write_copy(path, folder_of(path), false, progress)?;
    // SQLite would read a log of the replaced backup as part of the new one.
    set_sidecars_aside(&target, &free_name(&target, "replaced", clock::now())?)?;
    copied.persist(&target).map_err(|error| StoreError::io(&target, error))?;
    sync_folder(&target)?;
    made(target, BackupKind::Automatic)
}

/// Restores a backup: verified first, all or nothing; the previous file is kept. Other programs see the change as that
/// of any writer.
///
/// # Errors
/// If the backup is not a complete connectors file, or the file cannot be written; the file is unchanged then.
pub fn restore(
    file: &Path,
    from: &Path,
    now: Timestamp,
    mut progress: impl FnMut(u64, u64) -> bool,
) -> Result<Restored, StoreError> {
    let (file, from) = (real_path(file), real_path(from));
    match inspect(&from, Reading::Shared) {
        Ok(Inspection::Missing) => return Err(StoreError::Missing(from)),
        Ok(Inspection::Connectors { .. }) => {}
        Err(StoreError::Corrupt { detail, .. }) => return Err(damaged_backup(&from, &detail)),
        Err(error) => return Err(error),
    }
    if file == from {
        return Err(StoreError::Refused(format!("{} is the file itself, not a backup of it", file.display())));
    }
    check_complete(&from)?;
    check_one_name(&file)?;
    let kept = match inspect(&file, Reading::Shared) {
        Ok(Inspection::Missing) => install_at(&file, &from, now, &mut progress)?,
        Ok(Inspection::Connectors { .. }) => match write_copy(&file, folder_of(&file), true, &mut progress) {
            Ok(as_it_was) => {
                let kept = persist_at(as_it_was, &file, "replaced", now)?;
                let last = SEQUENCES.map(|table| last_number(&file, table));
                write_over(&file, &from)?;
                for (table, last) in SEQUENCES.into_iter().zip(last) {
                    skip_numbers(&file, table, last?)?;
                }
                Some(kept)
            }
            // A file that is too damaged to copy keeps its bytes under another name.
            Err(StoreError::Corrupt { .. }) => Some(replace(&file, &from, now, &mut progress)?),
            Err(error) => return Err(error),
        },
        // Nothing but its logs is left of it.
        Err(StoreError::ZeroBytes(_)) => install_at(&file, &from, now, &mut progress)?,
        Err(StoreError::Corrupt { .. } | StoreError::NotSqlite { .. }) => {
            Some(replace(&file, &from, now, &mut progress)?)
        }
        Err(error) => return Err(error),
    };
    let connection = connect_read_only(&file, Reading::Shared)?;
    let schema = schema_version(&file, &connection)?;
    let records = count_of(&connection, &file)?;
    Ok(Restored { from, kept, records, schema })
}

/// Distinguishes a name in use from a full disk.
fn not_made(target: &Path, error: std::io::Error) -> StoreError {
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        let text = format!("{} already exists; choose another name for the backup", target.display());
        return StoreError::Refused(text);
    }
    StoreError::io(target, error)
}

/// Writes a backup without a name: complete, on disk, with the same number of records. With `is_checked` its structure
/// is verified too, which takes several times as long as copying.
fn write_copy(
    path: &Path,
    folder: &Path,
    is_checked: bool,
    progress: Progress<'_>,
) -> Result<TemporaryFile, StoreError> {
    copy_of(&connect_read_only(path, Reading::Shared)?, path, folder, is_checked, progress)
}

/// As [`write_copy`], from an open connection.
fn copy_of(
    source: &Connection,
    path: &Path,
    folder: &Path,
    is_checked: bool,
    progress: Progress<'_>,
) -> Result<TemporaryFile, StoreError> {
    let wrap = |error| StoreError::of_sqlite(path, "copying the file", error);
    // One read transaction for the copy and for the comparison.
    let view = Transaction::new_unchecked(source, TransactionBehavior::Deferred).map_err(wrap)?;
    let records = count_of(&view, path)?;
    let target = TemporaryFile::new_in(folder).map_err(|error| StoreError::io(folder, error))?;
    copy_pages(path, &view, target.path(), progress)?;
    if is_checked && let Some(detail) = damage(target.path(), "quick_check")? {
        return Err(StoreError::Corrupt {
            path: path.to_owned(),
            detail: format!("its backup is not right: {detail}"),
        });
    }
    let copied = connect_read_only(target.path(), Reading::Shared)?;
    if count_of(&copied, target.path())? != records {
        return Err(StoreError::Corrupt { path: path.to_owned(), detail: "its backup has other records".to_owned() });
    }
    drop(copied);
    let io = |error| StoreError::io(folder, error);
    // A file that was moved away keeps its owner alone as the reader of its copy.
    if let Ok(found) = fs::metadata(path) {
        target.as_file().set_permissions(found.permissions()).map_err(io)?;
    }
    target.as_file().sync_all().map_err(io)?;
    Ok(target)
}

fn copy_pages(path: &Path, source: &Connection, target: &Path, progress: Progress<'_>) -> Result<(), StoreError> {
    let wrap = |error| StoreError::of_sqlite(path, "copying the file", error);
    let mut copied = Connection::open(target).map_err(wrap)?;
    // One sync at the end makes it durable.
    copied.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY").map_err(wrap)?;
    {
        let copying = Copying::new(source, &mut copied).map_err(wrap)?;
        while copying.step(PAGES).map_err(wrap)? != StepResult::Done {
            let pages = copying.progress();
            let number = |pages: i32| u64::try_from(pages).unwrap_or(0);
            if !progress(number(pages.pagecount - pages.remaining), number(pages.pagecount)) {
                return Err(StoreError::Cancelled);
            }
        }
    }
    // The copy of a file in write-ahead mode is in that mode too; a backup does not need it.
    copied.pragma_update(None, "journal_mode", "DELETE").map_err(wrap)?;
    copied.close().map_err(|(_, error)| wrap(error))
}

/// Refuses a file that SQLite finds damage in, the order of its indexes included.
fn check_complete(path: &Path) -> Result<(), StoreError> {
    match damage(path, "integrity_check") {
        Ok(None) => Ok(()),
        Ok(Some(detail)) | Err(StoreError::Corrupt { detail, .. }) => Err(damaged_backup(path, &detail)),
        Err(error) => Err(error),
    }
}

fn damaged_backup(path: &Path, detail: &str) -> StoreError {
    let text = format!("the backup {} is damaged ({detail}); nothing was changed. Choose another one", path.display());
    StoreError::Refused(text)
}

fn damage(path: &Path, check: &str) -> Result<Option<String>, StoreError> {
    let connection = connect_read_only(path, Reading::Shared)?;
    let report: String = connection
        .query_row(&format!("PRAGMA {check}(1)"), [], |row| row.get(0))
        .map_err(|error| StoreError::of_sqlite(path, "checking the file", error))?;
    Ok((report != "ok").then_some(report))
}

/// Writes the pages of `from` over those of the file, in one transaction of SQLite.
fn write_over(file: &Path, from: &Path) -> Result<(), StoreError> {
    let wrap = |error| StoreError::of_sqlite(file, "restoring the backup", error);
    let source = connect_read_only(from, Reading::Shared)?;
    let mut live = connect_for_writing(file)?;
    let page_size = |connection: &Connection| connection.query_row("PRAGMA page_size", [], |row| row.get::<_, i64>(0));
    // A write-ahead log does not accept pages of another size.
    if page_size(&source).map_err(wrap)? != page_size(&live).map_err(wrap)? {
        live.pragma_update(None, "journal_mode", "DELETE").map_err(wrap)?;
    }
    live.pragma_update(None, "synchronous", "FULL").map_err(wrap)?;
    let until = Instant::now() + BUSY;
    let copying = Copying::new(&source, &mut live).map_err(wrap)?;
    loop {
        match copying.step(-1).map_err(wrap)? {
            StepResult::Done => return Ok(()),
            _ if Instant::now() < until => thread::sleep(Duration::from_millis(20)),
            _ => return Err(StoreError::Busy(file.to_owned())),
        }
    }
}

/// The tables whose numbers are never given again.
const SEQUENCES: [&str; 2] = ["history", "connectors"];

/// Returns the largest number that a row of a table ever had, or 0 without a row.
fn last_number(file: &Path, table: &str) -> Result<i64, StoreError> {
    let connection = connect_read_only(file, Reading::Shared)?;
    let has_any = "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'";
    match connection.query_row(has_any, [], |row| row.get::<_, i64>(0)) {
        Ok(0) => Ok(0),
        Ok(_) => {
            connection.query_row("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?1", [table], |row| {
                row.get(0)
            })
        }
        Err(error) => Err(error),
    }
    .map_err(|error| StoreError::of_sqlite(file, "reading the history", error))
}

/// Skips the step numbers and connector keys that the file used before the restore: a reader would otherwise mistake
/// new content for the content it read under the same number.
fn skip_numbers(file: &Path, table: &str, last: i64) -> Result<(), StoreError> {
    let connection = connect_for_writing(file)?;
    let has_history =
        schema_has_history(&connection).map_err(|error| StoreError::of_sqlite(file, "reading the history", error))?;
    if !has_history || last_number(file, table)? >= last {
        return Ok(());
    }
    let skip = || {
        let changed = connection
            .execute("UPDATE sqlite_sequence SET seq = ?1 WHERE name = ?2", rusqlite::params![last, table])?;
        if changed == 0 {
            connection
                .execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?2, ?1)", rusqlite::params![last, table])?;
        }
        Ok(())
    };
    skip().map_err(|error| StoreError::of_sqlite(file, "restoring the backup", error))
}

fn schema_has_history(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'history')", [], |row| row.get(0))
}

/// Places a copy of `from` where no file, or an empty file, is. A stray log is kept under another name, which is
/// returned.
fn install_at(file: &Path, from: &Path, now: Timestamp, progress: Progress<'_>) -> Result<Option<PathBuf>, StoreError> {
    let fresh = write_copy(from, folder_of(file), true, progress)?;
    let kept = free_name(file, "replaced", now)?;
    let had_sidecars = set_sidecars_aside(file, &kept)?;
    if fs::metadata(file).is_ok_and(|found| found.len() == 0) {
        fs::remove_file(file).map_err(|error| StoreError::io(file, error))?;
    }
    fresh.persist_noclobber(file).map_err(|error| StoreError::io(file, error.error))?;
    sync_folder(file)?;
    Ok(had_sidecars.then(|| logs_of(&kept).next()).flatten())
}

/// Puts a copy of `from` in the place of a file that SQLite cannot read. Its place is never empty: the copy is whole
/// before anything is touched, and the old file has its other name before it loses this one.
fn replace(file: &Path, from: &Path, now: Timestamp, progress: Progress<'_>) -> Result<PathBuf, StoreError> {
    let fresh = write_copy(from, folder_of(file), true, progress)?;
    let kept = free_name(file, "replaced", now)?;
    // File systems without hard links need a copy.
    fs::hard_link(file, &kept)
        .or_else(|_| fs::copy(file, &kept).map(drop))
        .map_err(|error| StoreError::io(&kept, error))?;
    sync_folder(file)?;
    // A log that is not of the new file must be gone before it.
    set_sidecars_aside(file, &kept)?;
    sync_folder(file)?;
    fresh.persist(file).map_err(|error| StoreError::io(file, error))?;
    sync_folder(file)?;
    Ok(kept)
}

/// `<file>.<what>-<UTC time>.bak`, with a number after the first of one second.
fn named(file: &Path, what: &str, now: Timestamp, attempt: usize) -> PathBuf {
    let stamp = now.strftime("%Y%m%dT%H%M%SZ");
    let number = if attempt == 1 { String::new() } else { format!("-{attempt}") };
    sidecar(file, &format!(".{what}-{stamp}{number}.bak"))
}

/// Returns the first name of [`named`] where nothing is, no log either.
fn free_name(file: &Path, what: &str, now: Timestamp) -> Result<PathBuf, StoreError> {
    let is_free = |path: &PathBuf| !path.exists() && SIDECARS.iter().all(|suffix| !sidecar(path, suffix).exists());
    let names = (1..100).map(|attempt| named(file, what, now, attempt));
    names.into_iter().find(is_free).ok_or_else(|| no_free_name(file))
}

fn no_free_name(file: &Path) -> StoreError {
    StoreError::Refused(format!("too many backups of {} were made in this second; nothing was changed", file.display()))
}

/// Gives a copy its name, never replacing an earlier one.
pub(in crate::store) fn persist_at(
    mut copied: TemporaryFile,
    file: &Path,
    what: &str,
    now: Timestamp,
) -> Result<PathBuf, StoreError> {
    loop {
        let target = free_name(file, what, now)?;
        match copied.persist_noclobber(&target) {
            Ok(()) => {
                sync_folder(&target)?;
                return Ok(target);
            }
            // Another program used the name in between.
            Err(PersistError { error, file }) if error.kind() == std::io::ErrorKind::AlreadyExists => copied = *file,
            Err(error) => return Err(StoreError::io(&target, error.error)),
        }
    }
}

fn made(path: PathBuf, kind: BackupKind) -> Result<Backup, StoreError> {
    let metadata = fs::metadata(&path).map_err(|error| StoreError::io(&path, error))?;
    Ok(Backup { path, kind, bytes: metadata.len(), made_at: metadata.modified().ok() })
}

fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = folder_of(path);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| StoreError::io(folder, error))
}

fn count_of(connection: &Connection, path: &Path) -> Result<u64, StoreError> {
    connection
        .query_row("SELECT count(*) FROM main.connectors", [], |row| count(row, 0))
        .map_err(|error| StoreError::of_sqlite(path, "counting the records", error))
}
