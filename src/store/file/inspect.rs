//! Inspection of a path, and connections to the file.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::location::{check_one_name, is_database};
use super::schema::{self, APPLICATION_ID};
use super::suitability::check_readable;
use crate::fs::{can_write, folder_of, sidecar};
use crate::store::error::StoreError;

/// How long a writer waits for another program's transaction.
pub(in crate::store) const BUSY: Duration = Duration::from_secs(10);

/// The content of a path, before it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inspection {
    /// The path is free for a new file.
    Missing,
    /// A connectors file.
    Connectors {
        /// The schema version.
        schema: i64,
        /// The file's permissions allow writing.
        writable: bool,
    },
}

/// Inspects a path as a reader. Must not be called while this process has the file open: it uses a plain handle, see
/// [`crate::store::Store::reader`].
///
/// # Errors
/// If the path is a directory, another format, another program's file, of a newer schema, unreadable or damaged.
pub fn inspect(path: &Path, reading: Reading) -> Result<Inspection, StoreError> {
    let path = &real_path(path);
    let Some(header) = read_header(path)? else {
        return Ok(Inspection::Missing);
    };
    if !is_database(&header) {
        let is_json = header.first() == Some(&b'{');
        let hint = if is_json { "; to read an export use `connector-admin import`" } else { "" };
        return Err(StoreError::NotSqlite { path: path.to_owned(), hint });
    }
    let connection = connect_read_only(path, reading)?;
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

/// Returns the absolute path with links followed. SQLite puts its sidecar files next to that path and reads a relative
/// name that begins with `file:` as a URI; backups belong there too.
pub(in crate::store) fn real_path(path: &Path) -> PathBuf {
    fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// What a reader may write into the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// SQLite may keep its sidecar files next to it, as for any reader, and tidy up after a program that was killed.
    Shared,
    /// Nothing is written: not to the file, not to its folder.
    Untouched,
}

/// Opens for reading. Where the permissions allow it, the connection can write and the caller sets `query_only`: only
/// such a connection removes SQLite's sidecar files on close.
pub(in crate::store) fn connect_read_only(path: &Path, reading: Reading) -> Result<Connection, StoreError> {
    let wrap = |error| StoreError::of_sqlite(path, "opening the file", error);
    let connection = match reading {
        Reading::Shared if can_write(path) && can_write(folder_of(path)) => {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_with_flags(path, flags)
        }
        _ => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(untouched_uri(path)?, flags)
        }
    }
    .map_err(wrap)?;
    connection.busy_timeout(BUSY).map_err(wrap)?;
    connection.query_row("PRAGMA schema_version", [], |row| row.get::<_, i64>(0)).map_err(wrap)?;
    Ok(connection)
}

/// Returns the URI that opens a file without writing anything. In write-ahead mode SQLite creates sidecar files for
/// every reader, unless they exist, or the URI declares the file immutable.
fn untouched_uri(path: &Path) -> Result<String, StoreError> {
    let log = sidecar(path, "-wal");
    let log_bytes = fs::metadata(&log).ok().map(|found| found.len());
    match log_bytes {
        Some(1..) if !sidecar(path, "-shm").exists() => Err(StoreError::NeedsWriting { path: path.to_owned(), log }),
        Some(_) if sidecar(path, "-shm").exists() => Ok(uri(path, "mode=ro&readonly_shm=1")),
        _ if is_in_wal_mode(path)? => Ok(uri(path, "immutable=1")),
        _ => Ok(uri(path, "mode=ro")),
    }
}

/// Returns whether the header declares write-ahead mode (<https://www.sqlite.org/fileformat.html>, offset 18).
fn is_in_wal_mode(path: &Path) -> Result<bool, StoreError> {
    Ok(read_header(path)?.is_some_and(|header| header.get(18) == Some(&2)))
}

fn uri(path: &Path, parameters: &str) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            byte => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    format!("{uri}?{parameters}")
}

/// The schema version of an open file that is ours; refuses every other.
pub(in crate::store) fn schema_version(path: &Path, connection: &Connection) -> Result<i64, StoreError> {
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
    let columns = columns_of(connection).map_err(|error| StoreError::of_sqlite(path, "reading the schema", error))?;
    if version > schema::LATEST && columns.is_empty() && application == APPLICATION_ID {
        return Err(StoreError::NewerSchema { path: path.to_owned(), found: version });
    }
    if columns.is_empty() {
        return Err(foreign("it has no table of connectors".to_owned()));
    }
    if let Some(lacking) = schema::COLUMNS_1.iter().find(|column| !columns.iter().any(|found| found == *column)) {
        return Err(foreign(format!("its table of connectors has no column {lacking}")));
    }
    if version > 1 && columns.iter().any(|column| column == schema::DEVELOPMENT_COLUMN) {
        return Err(StoreError::DevelopmentSchema { path: path.to_owned(), found: version });
    }
    if version > schema::LATEST {
        return Err(StoreError::NewerSchema { path: path.to_owned(), found: version });
    }
    if version > 1
        && let Some(lacking) = schema::COLUMNS_2.iter().find(|column| !columns.iter().any(|found| found == *column))
    {
        let detail = format!("its schema version is {version}, but its table of connectors has no column {lacking}");
        return Err(StoreError::Corrupt { path: path.to_owned(), detail });
    }
    if version < 1 {
        return Err(foreign(format!("its schema version is {version}")));
    }
    check_readable(path, connection)?;
    Ok(version)
}

fn columns_of(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_xinfo('connectors')")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

pub(in crate::store) fn connect_for_writing(path: &Path) -> Result<Connection, StoreError> {
    check_one_name(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let wrap = |error| StoreError::of_sqlite(path, "opening the file", error);
    let connection = Connection::open_with_flags(path, flags).map_err(wrap)?;
    connection.busy_timeout(BUSY).map_err(wrap)?;
    Ok(connection)
}
