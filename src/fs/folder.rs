//! Folders and the names in them.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// Returns the folder of a file.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns `<path><suffix>`, SQLite's way to name its sidecar files.
pub fn sidecar(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Returns the names in a folder, unordered. The standard library's reader panics if closing the folder fails, which a
/// failing disk or a network file system can cause; this one does not.
///
/// # Errors
/// If the folder cannot be read.
#[cfg(unix)]
pub fn names_in(folder: &Path) -> io::Result<Vec<OsString>> {
    use std::os::unix::ffi::OsStringExt as _;

    use rustix::fs::{Dir, Mode, OFlags, open};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let names = Dir::new(open(folder, flags, Mode::empty())?)?.map(|entry| Ok(entry?.file_name().to_bytes().to_vec()));
    let names = names.filter(|name| !matches!(name.as_deref(), Ok(b"." | b"..")));
    names.map(|name| name.map(OsString::from_vec)).collect()
}

/// Returns the names in a folder, in no order.
///
/// # Errors
/// The folder cannot be read.
#[cfg(not(unix))]
pub fn names_in(folder: &Path) -> io::Result<Vec<OsString>> {
    std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
}

/// Returns whether the permissions and the mount allow writing, without writing.
#[cfg(unix)]
pub fn can_write(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

/// Returns whether the permissions allow writing.
#[cfg(not(unix))]
pub fn can_write(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.permissions().readonly())
}
