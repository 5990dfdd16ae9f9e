//! Files that are named by people: paths, folders, and writing one whole.

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};

use super::TransferError;
use crate::fs::{OWN_SIDECARS, TemporaryFile, can_write, folder_of, names_in, sidecar};
use crate::{store, vault};

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
    let names = names_in(folder).map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
    let entry = |name: std::ffi::OsString| {
        let name = name.into_string().ok().filter(|name| !name.starts_with('.'))?;
        // Links are followed: what they lead to is what is opened.
        let metadata = fs::metadata(folder.join(&name)).ok()?;
        let is_export = Path::new(&name).extension().is_some_and(|end| end.eq_ignore_ascii_case("ndjson"));
        (metadata.is_dir() || is_export).then(|| Entry { name, is_folder: metadata.is_dir(), bytes: metadata.len() })
    };
    let mut found: Vec<Entry> = names.into_iter().filter_map(entry).collect();
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

/// Refuses a path whose file must not be written over: the connectors file, what SQLite and this program keep next to
/// it, any other database, log or key file. Refuses a path where no file can be made too, so that nothing is begun
/// that could not be reported. The connectors file itself is not opened: closing another handle of it would drop this
/// process's locks (a rule of POSIX).
///
/// # Errors
/// [`TransferError::Taken`], [`TransferError::NoPlace`], [`store::StoreError::StrayLog`].
pub fn check_target(target: &Path, connectors: &Path, keys: &Path) -> Result<(), TransferError> {
    if target == Path::new("-") {
        return Ok(());
    }
    let taken = |what| Err(TransferError::Taken { path: target.to_owned(), what });
    if is_same(target, connectors) {
        return taken("the connectors file itself");
    }
    if is_same(target, keys) {
        return taken("the key file");
    }
    if OWN_SIDECARS.iter().any(|suffix| is_same(target, &sidecar(connectors, suffix))) {
        return taken("kept next to the connectors file by the program");
    }
    if store::is_sidecar_of_a_database(target) {
        return taken("a name that SQLite uses for a file next to another database");
    }
    if !target.exists() {
        store::check_no_stray_log(target)?;
    }
    match head_of(target).map(|head| what_begins_so(&head)) {
        Some(Some(what)) => taken(what),
        _ => check_place(target),
    }
}

/// Comments may stand before the first key of a key file.
const LONGEST_HEAD: u64 = 1 << 20;

/// The first bytes of a regular file.
fn head_of(path: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    File::open(path).ok()?.take(LONGEST_HEAD).read_to_end(&mut head).ok()?;
    Some(head)
}

/// Says what a file that must stay is, by its first bytes.
fn what_begins_so(head: &[u8]) -> Option<&'static str> {
    if store::is_database(head) {
        Some("a connectors file, a backup of one, or another database")
    } else if store::is_damaged_database(head) {
        Some("a database whose first bytes are damaged (`restore` can put a backup in its place)")
    } else if store::is_log(head) {
        Some("the log of a database")
    } else {
        (!head.is_empty() && vault::is_key_file(head)).then_some("a key file")
    }
}

/// Refuses a path where no file can be made. What is no regular file (a pipe, a device) is written to as it is.
fn check_place(target: &Path) -> Result<(), TransferError> {
    let refuse = |reason: String| Err(TransferError::NoPlace { path: target.to_owned(), reason });
    let real = place_of(target).unwrap_or_else(|| target.to_owned());
    match fs::metadata(&real) {
        Ok(found) if found.is_dir() => return refuse("it is a folder".to_owned()),
        Ok(found) if !found.is_file() => return Ok(()),
        _ => {}
    }
    let folder = folder_of(&real);
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() && can_write(folder) => Ok(()),
        Ok(found) if found.is_dir() => refuse(format!("the folder {} cannot be written to", folder.display())),
        Ok(_) => refuse(format!("{} is not a folder", folder.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            refuse(format!("there is no folder {}", folder.display()))
        }
        Err(error) => refuse(format!("the folder {}: {error}", folder.display())),
    }
}

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
    let partial = TemporaryFile::new_in(folder_of(&real)).map_err(cannot)?;
    let mut out: BufWriter<&File> = BufWriter::new(partial.as_file());
    let value = write(&mut out)?;
    out.flush().map_err(cannot)?;
    drop(out);
    if let Ok(replaced) = fs::metadata(&real) {
        // Whoever may read the file that is replaced may read this one.
        partial.as_file().set_permissions(replaced.permissions()).map_err(cannot)?;
    }
    partial.as_file().sync_all().map_err(cannot)?;
    partial.persist(&real).map_err(cannot)?;
    Ok(value)
}
