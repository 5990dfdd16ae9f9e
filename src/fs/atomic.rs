//! Atomic writes: a file is replaced only when the new content is complete.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::paths::location_of;
use super::{TemporaryFile, folder_of, reason};

/// A file that cannot be read or written, with the system's reason.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {}", reason(cause))]
pub struct FileError {
    /// The file, or the name of a stream.
    pub name: String,
    /// The system's reason.
    pub cause: io::Error,
}

/// Writes to a temporary file and moves it to `target` when it is complete. Links are followed; a pipe or a device is
/// written to directly.
///
/// # Errors
/// The error of `write`; if the file cannot be written.
pub fn write_atomically<T, E: From<FileError>>(
    target: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<T, E>,
) -> Result<T, E> {
    let cannot = |cause| FileError { name: format!("{} cannot be written", target.display()), cause };
    let real = location_of(target).unwrap_or_else(|| target.to_owned());
    if fs::metadata(&real).is_ok_and(|metadata| !metadata.is_file()) {
        let file = File::options().write(true).open(&real).map_err(cannot)?;
        let mut out = BufWriter::new(file);
        let value = write(&mut out)?;
        out.flush().map_err(cannot)?;
        return Ok(value);
    }
    let partial = TemporaryFile::new_in(folder_of(&real)).map_err(cannot)?;
    let mut out: BufWriter<&File> = BufWriter::new(partial.as_file());
    let value = write(&mut out)?;
    out.flush().map_err(cannot)?;
    drop(out);
    if let Ok(replaced) = fs::metadata(&real) {
        // The new file keeps the permissions of the old one.
        partial.as_file().set_permissions(replaced.permissions()).map_err(cannot)?;
    }
    partial.as_file().sync_all().map_err(cannot)?;
    partial.persist(&real).map_err(cannot)?;
    Ok(value)
}
