//! Errors of the store, with advice.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ffi};

use super::file::location::logs_of;
use super::file::schema;
use crate::fs::reason;
use crate::fs::sidecar;

/// Why the store refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The path does not exist.
    #[error("{0}: no such file")]
    Missing(PathBuf),
    /// The path is a directory.
    #[error("{0} is a directory; name a connectors file")]
    Directory(PathBuf),
    /// A pipe, a socket or a device.
    #[error("{0} is not a regular file; name a connectors file")]
    NotAFile(PathBuf),
    /// A file of no bytes.
    #[error(
        "{0} is empty (0 bytes) and not a connectors file. Restore a backup (`connector-admin backup --list`, then `restore BACKUP`), or name another file"
    )]
    ZeroBytes(PathBuf),
    /// No database is at the path, but the log of one.
    #[error(
        "{} holds changes of a database that does not exist, and SQLite would write them into a new {}. Restore \
         that database, or move the log away; nothing was changed",
        log.display(), path.display()
    )]
    StrayLog {
        /// The path of the new file.
        path: PathBuf,
        /// The log.
        log: PathBuf,
    },
    /// The file was deleted or moved away while it was open.
    #[error("{0} was deleted or moved away by another program; nothing is written to it any more")]
    Gone(PathBuf),
    /// Another file is at the path of the one that is open.
    #[error(
        "{0} was replaced with another file by another program; nothing is written to it before it is opened again"
    )]
    AnotherFile(PathBuf),
    /// The file has several names, so several programs would keep several logs of it.
    #[error(
        "{path} has {names} names (hard links), and SQLite would keep a separate log for each; what is written \
         under one name would be lost under the other. Copy the file and write to the copy, or remove the other \
         names. --read-only opens it as it is"
    )]
    HardLinks {
        /// The file.
        path: PathBuf,
        /// The number of names.
        names: u64,
    },
    /// A log has to be written into the file first, and nothing may be written.
    #[error(
        "{} holds changes that belong into {}, and the file is opened without writing. Open it once where it can be \
         written, or copy it and its log to such a place",
        log.display(), path.display()
    )]
    NeedsWriting {
        /// The file.
        path: PathBuf,
        /// The log.
        log: PathBuf,
    },
    /// A file made by hand that cannot be upgraded, or written, without loss.
    #[error("{path} {reason}; nothing was changed. {advice}")]
    Unsuitable {
        /// The file.
        path: PathBuf,
        /// The property.
        reason: String,
        /// The advice.
        advice: String,
    },
    /// Not SQLite.
    #[error("{path} is not a SQLite file{hint}")]
    NotSqlite {
        /// The file.
        path: PathBuf,
        /// The detected format, with advice.
        hint: &'static str,
    },
    /// SQLite, but another program's.
    #[error("{path} is a SQLite file of another program ({reason}); it was left untouched")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The evidence.
        reason: String,
    },
    /// Written by a newer release.
    #[error("{path} has schema {found}, and this connector-admin knows schemas up to {known}; use a newer release. The file was left untouched", known = schema::LATEST)]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The schema version.
        found: i64,
    },
    /// SQLite found damage.
    #[error(
        "{path} is damaged: {detail}. Restore a backup (look for {path}.*.bak), or save what can be read with \
         `sqlite3 {path} .recover`"
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The message of SQLite.
        detail: String,
    },
    /// No permission to read, or to write where writing is needed.
    #[error("{path}: permission denied; {advice}")]
    Permission {
        /// The file.
        path: PathBuf,
        /// The advice.
        advice: &'static str,
    },
    /// Another program holds the file.
    #[error(
        "{0} is locked by another program; try again when it has finished. If none has it open, its file system \
         without the file locks, as network file systems often do not: work on a local copy"
    )]
    Busy(PathBuf),
    /// The schema is one that this program had while it was developed.
    #[error(
        "{} has schema {found} of a development version of this program, which no release opens. Export its connectors \
         with that version and import them into a new file; enter the secrets again",
        path.display()
    )]
    DevelopmentSchema {
        /// The file.
        path: PathBuf,
        /// The schema version.
        found: i64,
    },
    /// Opened read-only.
    #[error("{0} is open read-only; nothing was changed")]
    ReadOnly(PathBuf),
    /// The schema upgrade failed or was stopped; the file is as it was.
    #[error("{path} could not be upgraded from schema {from} to {to} ({stage}): {cause}. The file is as it was{backup}", to = schema::LATEST)]
    Upgrade {
        /// The file.
        path: PathBuf,
        /// The schema version.
        from: i64,
        /// The stage.
        stage: String,
        /// The cause.
        cause: String,
        /// The location of the backup, as the end of the sentence.
        backup: String,
    },
    /// A record with this id exists.
    #[error("a connector with id {0:?} already exists; choose another id")]
    IdInUse(String),
    /// The import contains an id twice; nothing was imported.
    #[error("the id {0:?} appears twice in the import")]
    Repeated(String),
    /// No such record.
    #[error("no connector with id {0:?} in the file")]
    NoSuchConnector(String),
    /// The step does not exist or cannot be reverted.
    #[error("{0}")]
    History(String),
    /// Another program put a copy of the file back while a job was under way.
    #[error("{0} was replaced by a backup while this was running; the rest was not done. Look at the file again")]
    Replaced(PathBuf),
    /// A backup cannot be created or restored; nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// The user stopped it.
    #[error("stopped; nothing was changed")]
    Cancelled,
    /// The file system.
    #[error("{path}: {}", reason(cause))]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's word.
        cause: std::io::Error,
    },
    /// No room, a limit on the size of files, or a file system that turned read-only.
    #[error(
        "{path} could not be written ({cause}): {doing} was not done, and what was done before stays. Make room, or have the disk looked at, and try again"
    )]
    NoRoom {
        /// The file.
        path: PathBuf,
        /// The operation.
        doing: &'static str,
        /// The source of the error.
        cause: String,
    },
    /// The file system keeps no locks, without which two programs would write over each other.
    #[error(
        "{path} lies on a file system without the file locks that SQLite needs, as network file systems often are \
         ({cause}): {doing} was not done. Copy the file to a local disk, work on that copy, and copy it back"
    )]
    NoLocks {
        /// The file.
        path: PathBuf,
        /// The operation.
        doing: &'static str,
        /// SQLite's word.
        cause: rusqlite::Error,
    },
    /// The disk failed.
    #[error(
        "{path} could not be read or written ({cause}): {doing} was not done, and what was done before stays. Have the disk looked at, then `connector-admin check` the file"
    )]
    Disk {
        /// The file.
        path: PathBuf,
        /// The operation.
        doing: &'static str,
        /// SQLite's word.
        cause: rusqlite::Error,
    },
    /// Another error of SQLite.
    #[error("{path}, {doing}: {cause}")]
    Sql {
        /// The file.
        path: PathBuf,
        /// The operation.
        doing: &'static str,
        /// SQLite's word.
        cause: rusqlite::Error,
    },
}

impl StoreError {
    /// Turns SQLite's errors about a file into ours.
    pub(super) fn of_sqlite(path: &Path, doing: &'static str, cause: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        // The extended codes for a log that would have to be written into a read-only file.
        const NEEDS_WRITING: [i32; 3] =
            [ffi::SQLITE_READONLY_RECOVERY, ffi::SQLITE_READONLY_ROLLBACK, ffi::SQLITE_READONLY_CANTINIT];
        if cause.sqlite_error().is_some_and(|error| NEEDS_WRITING.contains(&error.extended_code)) {
            let log = logs_of(path).next().unwrap_or_else(|| sidecar(path, "-wal"));
            return StoreError::NeedsWriting { path: path.to_owned(), log };
        }
        // The codes of file locks, or of the memory that programs share for a file.
        const LOCKS: [i32; 9] = [
            ffi::SQLITE_IOERR_LOCK,
            ffi::SQLITE_IOERR_RDLOCK,
            ffi::SQLITE_IOERR_UNLOCK,
            ffi::SQLITE_IOERR_CHECKRESERVEDLOCK,
            ffi::SQLITE_IOERR_SHMLOCK,
            ffi::SQLITE_IOERR_SHMMAP,
            ffi::SQLITE_IOERR_SHMOPEN,
            ffi::SQLITE_IOERR_SHMSIZE,
            ffi::SQLITE_IOERR_BLOCKED,
        ];
        let path = path.to_owned();
        let is_protocol = cause.sqlite_error_code() == Some(Code::FileLockingProtocolFailed);
        if is_protocol || cause.sqlite_error().is_some_and(|error| LOCKS.contains(&error.extended_code)) {
            return StoreError::NoLocks { path, doing, cause };
        }
        match cause.sqlite_error_code() {
            Some(Code::NotADatabase) => StoreError::NotSqlite { path, hint: "" },
            Some(Code::DatabaseCorrupt) => StoreError::Corrupt { path, detail: cause.to_string() },
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => StoreError::Busy(path),
            Some(Code::ReadOnly) => StoreError::ReadOnly(path),
            Some(Code::PermissionDenied | Code::CannotOpen) => {
                StoreError::Permission { path, advice: "SQLite could not open it" }
            }
            Some(Code::OperationInterrupted) => StoreError::Cancelled,
            Some(Code::DiskFull) => StoreError::NoRoom { path, doing, cause: cause.to_string() },
            Some(Code::SystemIoFailure) => StoreError::Disk { path, doing, cause },
            _ => StoreError::Sql { path, doing, cause },
        }
    }

    /// The same for code that has only the connection.
    pub(super) fn on(connection: &Connection, doing: &'static str) -> impl Fn(rusqlite::Error) -> Self {
        let path = PathBuf::from(connection.path().unwrap_or_default());
        move |cause| Self::of_sqlite(&path, doing, cause)
    }

    /// The same about another path: a file under construction is named by its final name.
    pub(super) fn about(self, path: &Path) -> Self {
        let path = path.to_owned();
        match self {
            StoreError::NoRoom { doing, cause, .. } => StoreError::NoRoom { path, doing, cause },
            StoreError::NoLocks { doing, cause, .. } => StoreError::NoLocks { path, doing, cause },
            StoreError::Disk { doing, cause, .. } => StoreError::Disk { path, doing, cause },
            StoreError::Sql { doing, cause, .. } => StoreError::Sql { path, doing, cause },
            StoreError::Io { cause, .. } => StoreError::Io { path, cause },
            StoreError::Busy(_) => StoreError::Busy(path),
            other => other,
        }
    }

    /// Wraps a file system error.
    pub(super) fn io(path: &Path, cause: std::io::Error) -> Self {
        match cause.kind() {
            std::io::ErrorKind::StorageFull
            | std::io::ErrorKind::QuotaExceeded
            | std::io::ErrorKind::FileTooLarge
            | std::io::ErrorKind::ReadOnlyFilesystem => {
                StoreError::NoRoom { path: path.to_owned(), doing: "writing it", cause: cause.to_string() }
            }
            std::io::ErrorKind::NotFound => StoreError::Missing(path.to_owned()),
            std::io::ErrorKind::PermissionDenied => {
                StoreError::Permission { path: path.to_owned(), advice: "ask its owner for access" }
            }
            _ => StoreError::Io { path: path.to_owned(), cause },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_system_without_locks_is_named_with_advice() {
        for code in [ffi::SQLITE_PROTOCOL, ffi::SQLITE_IOERR_LOCK, ffi::SQLITE_IOERR_SHMLOCK, ffi::SQLITE_IOERR_SHMMAP]
        {
            let cause = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let message = StoreError::of_sqlite(Path::new("a.db"), "opening the file", cause).to_string();
            assert!(message.contains("without the file locks") && message.contains("local disk"), "{code}: {message}");
        }
        let cause = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None);
        let message = StoreError::of_sqlite(Path::new("a.db"), "opening the file", cause).to_string();
        assert!(message.contains("locked by another program") && message.contains("work on a local copy"), "{message}");
    }
}
