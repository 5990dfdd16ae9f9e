//! Files that are named by people: paths, folders, and writing one whole.

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};

use super::TransferError;
use crate::beside::{folder_of, temporary};

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

/// Refuses a path whose file must not be written over: the connectors file, what SQLite and this program keep beside
/// it, the key file, any other SQLite file. The connectors file itself is not opened: closing another handle of it
/// would drop this process's locks (a rule of POSIX).
///
/// # Errors
/// [`TransferError::Taken`].
pub fn check_target(target: &Path, connectors: &Path, keys: &Path) -> Result<(), TransferError> {
    let taken = |what| Err(TransferError::Taken { path: target.to_owned(), what });
    if target == Path::new("-") {
        return Ok(());
    }
    if is_same(target, connectors) {
        return taken("the connectors file itself");
    }
    if is_same(target, keys) {
        return taken("the key file");
    }
    for suffix in ["-wal", "-shm", "-journal", ".auto.bak"] {
        let mut beside = connectors.as_os_str().to_owned();
        beside.push(suffix);
        if is_same(target, Path::new(&beside)) {
            return taken("kept beside the connectors file by the program");
        }
    }
    let mut head = [0; 16];
    let is_file = fs::metadata(target).is_ok_and(|metadata| metadata.is_file());
    if is_file && File::open(target).and_then(|mut file| file.read_exact(&mut head)).is_ok() && &head == SQLITE {
        return taken("a connectors file or a copy of one");
    }
    Ok(())
}

/// The first bytes of every SQLite file.
const SQLITE: &[u8; 16] = b"SQLite format 3\0";

/// Do both lead to one file, or to one place where none is yet?
pub fn is_same(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    if let (Ok(one), Ok(other)) = (fs::metadata(one), fs::metadata(other)) {
        use std::os::unix::fs::MetadataExt as _;
        return (one.dev(), one.ino()) == (other.dev(), other.ino());
    }
    matches!((place_of(one), place_of(other)), (Some(one), Some(other)) if one == other)
}

/// Where a file is or would be, links followed, also those that lead to nothing yet.
fn place_of(path: &Path) -> Option<PathBuf> {
    /// As many links in a row as Linux follows.
    const LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        if let Ok(real) = fs::canonicalize(&path) {
            return Some(real);
        }
        let folder = folder_of(&path);
        path = match fs::read_link(&path) {
            Ok(target) => folder.join(target),
            Err(_) => return Some(fs::canonicalize(folder).ok()?.join(path.file_name()?)),
        };
    }
    None
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
    let real = place_of(target).unwrap_or_else(|| target.to_owned());
    if fs::metadata(&real).is_ok_and(|metadata| !metadata.is_file()) {
        let file = File::options().write(true).open(&real).map_err(cannot)?;
        let mut out = BufWriter::new(file);
        let value = write(&mut out)?;
        out.flush().map_err(cannot)?;
        return Ok(value);
    }
    let partial = temporary(folder_of(&real)).map_err(cannot)?;
    let mut out: BufWriter<&File> = BufWriter::new(partial.as_file());
    let value = write(&mut out)?;
    out.flush().map_err(cannot)?;
    drop(out);
    if let Ok(replaced) = fs::metadata(&real) {
        // Whoever may read the file that is replaced may read this one.
        partial.as_file().set_permissions(replaced.permissions()).map_err(cannot)?;
    }
    partial.as_file().sync_all().map_err(cannot)?;
    partial.persist(&real).map_err(|error| cannot(error.error))?;
    Ok(value)
}
