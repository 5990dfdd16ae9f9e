//! What is at a path, and opening it: read-only or for writing.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;
use super::schema::{self, APPLICATION_ID};
use super::upgrade::{Stage, UpgradeReport, upgrade};

/// How long a writer waits for another program's transaction.
const BUSY: Duration = Duration::from_secs(10);

/// What a path holds, before anything is opened for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inspection {
    /// Nothing is there; a new file can be made.
    Missing,
    /// A connectors file.
    Connectors {
        /// Its schema version.
        schema: i64,
        /// The file's permissions allow writing.
        writable: bool,
    },
}

/// Looks at a path without changing anything. Not to be called while this process has the file open:
/// it uses a plain handle, see [`Store::reader`].
///
/// # Errors
/// Everything that makes the path unusable: a directory, another format, another program's file, a
/// newer schema, no permission, damage.
pub fn inspect(path: &Path) -> Result<Inspection, StoreError> {
    let Some(header) = read_header(path)? else {
        return Ok(Inspection::Missing);
    };
    if !header.starts_with(b"SQLite format 3\0") {
        let is_json = header.first() == Some(&b'{');
        let hint = if is_json { "; to read an export use `connector-admin import`" } else { "" };
        return Err(StoreError::NotSqlite { path: path.to_owned(), hint });
    }
    let connection = connect_read_only(path)?;
    let schema = schema_version(path, &connection)?;
    let writable = OpenOptions::new().append(true).open(path).is_ok();
    Ok(Inspection::Connectors { schema, writable })
}

fn read_header(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io(path, error)),
    };
    if metadata.is_dir() {
        return Err(StoreError::Directory(path.to_owned()));
    }
    if !metadata.is_file() {
        return Err(StoreError::NotAFile(path.to_owned()));
    }
    if metadata.len() == 0 {
        return Err(StoreError::ZeroBytes(path.to_owned()));
    }
    let mut header = Vec::new();
    let file = File::open(path).map_err(|error| StoreError::io(path, error))?;
    file.take(100).read_to_end(&mut header).map_err(|error| StoreError::io(path, error))?;
    Ok(Some(header))
}

/// Opens for reading. Where the permissions allow it, the connection could write and is told not to
/// (`query_only`, set by the caller): only such a one can take SQLite's side files away when it closes.
fn connect_read_only(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = |flags, target: &str| {
        let connection = Connection::open_with_flags(target, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.query_row("PRAGMA schema_version", [], |row| row.get::<_, i64>(0))?;
        Ok::<_, rusqlite::Error>(connection)
    };
    match open(flags, &path.to_string_lossy()) {
        Ok(connection) => Ok(connection),
        // A file in WAL mode in a folder that cannot be written has no place for its side files;
        // immutable reads it without them.
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen) => {
            let wal = side_file(path, "-wal");
            if fs::metadata(&wal).is_ok_and(|metadata| metadata.len() > 0) {
                return Err(StoreError::Permission {
                    path: path.to_owned(),
                    advice: "it has unsaved pages in its -wal file, and its folder cannot be written",
                });
            }
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            open(flags, &immutable_uri(path)).map_err(|error| StoreError::of_sqlite(path, "opening the file", error))
        }
        Err(error) => Err(StoreError::of_sqlite(path, "opening the file", error)),
    }
}

fn immutable_uri(path: &Path) -> String {
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{escaped}?immutable=1")
}

/// `<path><suffix>`, SQLite's way to name side files.
pub(super) fn side_file(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The schema version of an open file that is ours; refuses every other.
pub(super) fn schema_version(path: &Path, connection: &Connection) -> Result<i64, StoreError> {
    let read = |pragma: &str| {
        connection
            .query_row(pragma, [], |row| row.get::<_, i64>(0))
            .map_err(|error| StoreError::of_sqlite(path, "reading the schema version", error))
    };
    let foreign = |reason: String| StoreError::Foreign { path: path.to_owned(), reason };
    let application = read("PRAGMA application_id")?;
    let version = read("PRAGMA user_version")?;
    if application != APPLICATION_ID && application != 0 {
        return Err(foreign(format!("its application id is {application}, not {APPLICATION_ID}")));
    }
    if version > schema::LATEST && application == APPLICATION_ID {
        return Err(StoreError::NewerSchema { path: path.to_owned(), found: version });
    }
    let columns = columns_of(connection).map_err(|error| StoreError::of_sqlite(path, "reading the schema", error))?;
    if columns.is_empty() {
        return Err(foreign("it has no table of connectors".to_owned()));
    }
    if let Some(lacking) = schema::COLUMNS_1.iter().find(|column| !columns.iter().any(|found| found == *column)) {
        return Err(foreign(format!("its table of connectors has no column {lacking}")));
    }
    if version > schema::LATEST {
        return Err(StoreError::NewerSchema { path: path.to_owned(), found: version });
    }
    if version < 1 {
        return Err(foreign(format!("its schema version is {version}")));
    }
    Ok(version)
}

fn columns_of(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_xinfo('connectors')")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// An open connectors file.
pub struct Store {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    pub(super) read_only: bool,
    pub(super) cancel: Arc<AtomicBool>,
}

impl Store {
    /// Opens a file for reading; a schema 1 file is shown as if it were upgraded, and nothing is written.
    ///
    /// # Errors
    /// As [`inspect`].
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        if inspect(path)? == Inspection::Missing {
            return Err(StoreError::Missing(path.to_owned()));
        }
        Self::read(path)
    }

    fn read(path: &Path) -> Result<Self, StoreError> {
        let connection = connect_read_only(path)?;
        let schema = schema_version(path, &connection)?;
        let store = Self { connection, path: path.to_owned(), read_only: true, cancel: Arc::default() };
        if schema < schema::LATEST {
            store.run("reading an older schema", |connection| connection.execute_batch(&schema::view_of_schema_1()))?;
        }
        store.run("opening the file", |connection| connection.pragma_update(None, "query_only", true))?;
        Ok(store)
    }

    /// Opens a file for writing: makes a missing one, upgrades an older one first.
    ///
    /// # Errors
    /// As [`inspect`] and [`upgrade`]; a file that cannot be written.
    pub fn open(
        path: &Path,
        cancel: &Arc<AtomicBool>,
        observe: &mut dyn FnMut(Stage) -> Result<(), StoreError>,
    ) -> Result<(Self, Option<UpgradeReport>), StoreError> {
        let mut report = None;
        match inspect(path)? {
            Inspection::Missing => create(path)?,
            Inspection::Connectors { writable: false, .. } => {
                return Err(StoreError::Permission {
                    path: path.to_owned(),
                    advice: "it cannot be written; open it with --read-only",
                });
            }
            Inspection::Connectors { schema, .. } if schema < schema::LATEST => {
                report = upgrade(path, cancel, observe)?;
            }
            Inspection::Connectors { .. } => {}
        }
        let connection = connect_for_writing(path)?;
        let journal = |connection: &Connection| {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "foreign_keys", true)
        };
        journal(&connection).map_err(|error| StoreError::of_sqlite(path, "opening the file", error))?;
        let mut store = Self { connection, path: path.to_owned(), read_only: false, cancel: cancel.clone() };
        store.watch_for_cancel();
        Ok((store, report))
    }

    /// A second connection to the same file, for reading beside this one. It does not look at the
    /// file by other means: closing a plain handle would drop this process's locks (a rule of POSIX).
    ///
    /// # Errors
    /// When the file cannot be opened again.
    pub fn reader(&self) -> Result<Self, StoreError> {
        Self::read(&self.path)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Nothing can be written.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The schema version on disk.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn schema_version(&self) -> Result<i64, StoreError> {
        schema_version(&self.path, &self.connection)
    }

    /// A number that changes when another connection writes to the file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn data_version(&self) -> Result<i64, StoreError> {
        self.run("looking for changes", |connection| connection.query_row("PRAGMA data_version", [], |row| row.get(0)))
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

    pub(super) fn run<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        work(&self.connection).map_err(|error| StoreError::of_sqlite(&self.path, doing, error))
    }

    /// One transaction that takes the write lock at once (a deferred one could fail half-way instead of
    /// waiting) and is rolled back when `work` fails.
    pub(super) fn transaction<T, E: From<StoreError>>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.read_only {
            return Err(StoreError::ReadOnly(self.path.clone()).into());
        }
        let path = self.path.clone();
        let wrap = |error| StoreError::of_sqlite(&path, doing, error);
        let transaction =
            self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(wrap)?;
        let value = work(&transaction)?;
        transaction.commit().map_err(wrap)?;
        Ok(value)
    }
}

pub(super) fn connect_for_writing(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let wrap = |error| StoreError::of_sqlite(path, "opening the file", error);
    let connection = Connection::open_with_flags(path, flags).map_err(wrap)?;
    connection.busy_timeout(BUSY).map_err(wrap)?;
    Ok(connection)
}

/// Makes a new file at the newest schema, readable by its owner only.
fn create(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| StoreError::io(folder, error))?;
    }
    // Built beside the path and moved there whole: a program killed in between leaves no half file.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let fresh = tempfile::Builder::new()
        .prefix(".connector-admin-new-")
        .tempfile_in(folder)
        .map_err(|error| StoreError::io(folder, error))?;
    write_schema(fresh.path(), schema::LATEST)?;
    match fresh.persist_noclobber(path) {
        Ok(_) => Ok(()),
        // Another program made it first; its file is as good.
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::io(path, error.error)),
    }
}

/// Writes an empty schema of the given version into an empty file.
pub(super) fn write_schema(path: &Path, version: i64) -> Result<(), StoreError> {
    let sql: String = (0..version).flat_map(schema::steps_from).map(|step| step.sql).collect::<Vec<_>>().join("\n");
    let connection = connect_for_writing(path)?;
    connection
        .execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION_ID}; BEGIN IMMEDIATE; {sql}; PRAGMA user_version = {version}; COMMIT;"
        ))
        .map_err(|error| StoreError::of_sqlite(path, "creating the file", error))?;
    connection.close().map_err(|(_, error)| StoreError::of_sqlite(path, "creating the file", error))
}
