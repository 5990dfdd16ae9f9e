//! The location of a file: whether the open file is still at its path, and logs without a database.
//!
//! SQLite finds the log of a database by its name alone. A stray log would be applied to the next file created at that
//! path, and two names of one file have two logs. Both lose data.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::fs::sidecar;
use crate::store::error::StoreError;

/// SQLite's logs, which hold content that is not in the database yet.
pub(in crate::store) const LOGS: [&str; 2] = ["-wal", "-journal"];

/// All of SQLite's sidecar files.
pub(in crate::store) const SIDECARS: [&str; 3] = ["-wal", "-journal", "-shm"];

/// The identity of a file: another file at the same path has another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Identifies the file at a path; `None` where nothing is, or where the system has no such identity.
    pub(in crate::store) fn at(path: &Path) -> Option<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let found = fs::metadata(path).ok()?;
            Some(Self { device: found.dev(), inode: found.ino() })
        }
        #[cfg(not(unix))]
        {
            let _ = path;
            None
        }
    }

    /// Checks that the file is still at its path.
    ///
    /// # Errors
    /// [`StoreError::Gone`], [`StoreError::AnotherFile`].
    pub(in crate::store) fn check(self, path: &Path) -> Result<(), StoreError> {
        match Self::at(path) {
            Some(found) if found == self => Ok(()),
            Some(_) => Err(StoreError::AnotherFile(path.to_owned())),
            None => Err(StoreError::Gone(path.to_owned())),
        }
    }
}

/// Refuses to write to a file that has another name too.
///
/// # Errors
/// [`StoreError::HardLinks`].
pub(in crate::store) fn check_one_name(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let names = fs::metadata(path).map_or(1, |found| found.nlink());
        if names > 1 {
            return Err(StoreError::HardLinks { path: path.to_owned(), names });
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Returns the logs at a path that hold something.
pub(in crate::store) fn logs_of(path: &Path) -> impl Iterator<Item = PathBuf> {
    let logs = LOGS.map(|suffix| sidecar(path, suffix));
    logs.into_iter().filter(|log| fs::metadata(log).is_ok_and(|found| found.len() > 0))
}

/// Returns a foreign file with the name of SQLite's log index, which SQLite would overwrite.
fn foreign_index(path: &Path) -> Option<PathBuf> {
    let index = sidecar(path, "-shm");
    let mut head = Vec::new();
    let file = fs::metadata(&index).ok().filter(fs::Metadata::is_file).and_then(|_| fs::File::open(&index).ok())?;
    file.take(16).read_to_end(&mut head).ok()?;
    let is_of_sqlite = is_log(&head) || head.iter().all(|byte| *byte == 0);
    (!is_of_sqlite).then_some(index)
}

/// Refuses a path for a new file next to a stray log.
///
/// # Errors
/// [`StoreError::StrayLog`].
pub fn check_no_stray_log(path: &Path) -> Result<(), StoreError> {
    match logs_of(path).next().or_else(|| foreign_index(path)) {
        Some(log) => Err(StoreError::StrayLog { path: path.to_owned(), log }),
        None => Ok(()),
    }
}

/// Renames the sidecar files of `file` to those of `kept`: their content is kept, and no new file at `file` uses them.
/// Returns whether there were any.
///
/// # Errors
/// If the file system refuses.
pub(in crate::store) fn set_sidecars_aside(file: &Path, kept: &Path) -> Result<bool, StoreError> {
    let mut moved = false;
    for suffix in SIDECARS {
        let (from, to) = (sidecar(file, suffix), sidecar(kept, suffix));
        match fs::rename(&from, &to) {
            Ok(()) => moved = true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io(&from, error)),
        }
    }
    Ok(moved)
}

/// Returns whether a path is a sidecar file of an existing database, or has such a name without a database.
pub fn is_sidecar_of_a_database(path: &Path) -> bool {
    let Some(name) = path.as_os_str().to_str() else { return false };
    let database = SIDECARS.iter().find_map(|suffix| name.strip_suffix(suffix));
    if database.is_some() && path.exists() {
        return true;
    }
    let mut head = Vec::new();
    database.is_some_and(|database| {
        let is_file = fs::metadata(database).is_ok_and(|found| found.is_file());
        is_file && fs::File::open(database).is_ok_and(|file| file.take(16).read_to_end(&mut head).is_ok())
    }) && is_database(&head)
}

/// Returns whether a file with this beginning was a SQLite database: its first bytes differ, but the page size and
/// three fixed numbers are right (same source as [`is_database`]).
pub fn is_damaged_database(head: &[u8]) -> bool {
    let page = head.get(16..18).map(|size| u16::from_be_bytes([size[0], size[1]]));
    let is_page_size = page.is_some_and(|size| size == 1 || (size >= 512 && size.is_power_of_two()));
    is_page_size && head.get(21..24) == Some(&[64, 32, 32])
}

/// Returns whether a file with this beginning is a SQLite database (<https://www.sqlite.org/fileformat.html>).
pub fn is_database(head: &[u8]) -> bool {
    head.starts_with(b"SQLite format 3\0")
}

/// Returns whether a file with this beginning is a sidecar file of SQLite: a write-ahead log, a rollback journal, or a
/// log index (same source, and <https://www.sqlite.org/walformat.html>).
pub fn is_log(head: &[u8]) -> bool {
    const WAL_INDEX_VERSION: u32 = 3_007_000;
    head.starts_with(&[0x37, 0x7f, 0x06, 0x82])
        || head.starts_with(&[0x37, 0x7f, 0x06, 0x83])
        || head.starts_with(&[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7])
        || (head.starts_with(&WAL_INDEX_VERSION.to_ne_bytes()) && head.get(4..8) == Some(&[0; 4]))
}
