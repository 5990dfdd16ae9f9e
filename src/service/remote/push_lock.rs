//! One push at a time from one file: two would send the same connectors, and report each other's requests as
//! interrupted.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::SyncError;
use crate::store::StoreError;

/// While this exists, no other program pushes from the file. The lock is a file next to it, which the system releases
/// when the program ends in any way.
pub struct PushLock {
    path: PathBuf,
    /// Holds the lock.
    file: File,
}

impl Drop for PushLock {
    fn drop(&mut self) {
        // A lock file with content is not ours.
        if self.file.metadata().is_ok_and(|found| found.len() == 0) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Makes sure to be the only one that pushes from a file.
///
/// # Errors
/// [`SyncError::Pushing`]; when the folder cannot be written.
pub fn lock_for_push(connectors: &Path) -> Result<PushLock, SyncError> {
    let mut name = connectors.as_os_str().to_owned();
    name.push("-push");
    let path = PathBuf::from(name);
    let wrap = |cause| StoreError::Io { path: path.clone(), cause };
    let done = || SyncError::Pushing(connectors.display().to_string());
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(wrap)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(done()),
        Err(TryLockError::Error(cause)) => return Err(wrap(cause).into()),
    }
    // The previous owner may have removed its file in between: then this lock is on nothing.
    if is_at(&file, &path) { Ok(PushLock { path, file }) } else { Err(done()) }
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
