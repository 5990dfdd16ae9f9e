//! One push at a time from one file: two would send the same, and tell each other's requests for cut off.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::SyncError;
use crate::store::StoreError;

/// While this lives, no other program pushes from the file. The lock is a file beside it, which the system lets go when
/// the program ends, however that happens.
pub struct Alone {
    path: PathBuf,
    /// Holds the lock.
    file: File,
}

impl Drop for Alone {
    fn drop(&mut self) {
        // One that holds something was not made here.
        if self.file.metadata().is_ok_and(|found| found.len() == 0) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Makes sure to be the only one that pushes from a file.
///
/// # Errors
/// [`SyncError::Pushing`]; when the folder cannot be written.
pub fn alone(connectors: &Path) -> Result<Alone, SyncError> {
    let mut name = connectors.as_os_str().to_owned();
    name.push("-push");
    let path = PathBuf::from(name);
    let wrap = |cause| StoreError::Io { path: path.clone(), cause };
    let taken = || SyncError::Pushing(connectors.display().to_string());
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(wrap)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(taken()),
        Err(TryLockError::Error(cause)) => return Err(wrap(cause).into()),
    }
    // The one that had it may have taken its file away in between: then this is a lock on nothing.
    if is_at(&file, &path) { Ok(Alone { path, file }) } else { Err(taken()) }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    matches!((file.metadata(), std::fs::metadata(path)), (Ok(one), Ok(other)) if one.ino() == other.ino())
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}
