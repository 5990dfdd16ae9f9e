//! Files that are named by people: paths, folders, and writing one whole.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::TransferError;

/// What a folder holds, for picking a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, as text.
    pub name: String,
    /// A folder.
    pub is_folder: bool,
    /// Bytes of a file.
    pub bytes: u64,
}

/// The folders of a folder, and its exports (`.ndjson`), each by name; hidden ones are left out.
///
/// # Errors
/// When the folder cannot be read, for people.
pub fn entries(folder: &Path) -> Result<Vec<Entry>, String> {
    let read = fs::read_dir(folder).map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
    let entry = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
        // Links are followed: what they lead to is what is opened.
        let metadata = fs::metadata(entry.path()).ok()?;
        let is_export = Path::new(&name).extension().is_some_and(|end| end.eq_ignore_ascii_case("ndjson"));
        (metadata.is_dir() || is_export).then(|| Entry { name, is_folder: metadata.is_dir(), bytes: metadata.len() })
    };
    let mut found: Vec<Entry> = read.filter_map(Result::ok).filter_map(entry).collect();
    found.sort_by(|one, other| (!one.is_folder, &one.name).cmp(&(!other.is_folder, &other.name)));
    Ok(found)
}

/// A path that a person typed may begin with `~/`, which no shell has seen.
pub fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// Do both lead to one file that is there?
pub fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Writes a file beside its place and moves it there when it is whole. Links are followed; what is no regular file
/// (a pipe, a device) is written to as it is.
///
/// # Errors
/// What `write` returns; when the file cannot be written.
pub fn write_whole<T, E: From<TransferError>>(
    target: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<T, E>,
) -> Result<T, E> {
    let cannot = |cause| TransferError::Io { name: format!("{} cannot be written", target.display()), cause };
    let real = fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
    if fs::metadata(&real).is_ok_and(|metadata| !metadata.is_file()) {
        let file = File::options().write(true).open(&real).map_err(cannot)?;
        let mut out = BufWriter::new(file);
        let value = write(&mut out)?;
        out.flush().map_err(cannot)?;
        return Ok(value);
    }
    let folder = real.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let partial = tempfile::Builder::new().prefix(".connector-admin-").tempfile_in(folder).map_err(cannot)?;
    let mut out: BufWriter<&File> = BufWriter::new(partial.as_file());
    let value = write(&mut out)?;
    out.flush().map_err(cannot)?;
    drop(out);
    partial.as_file().sync_all().map_err(cannot)?;
    partial.persist(&real).map_err(|error| cannot(error.error))?;
    Ok(value)
}
