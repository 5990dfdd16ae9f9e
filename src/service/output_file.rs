//! Where an export, a backup or a map of ids may be written.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use super::ServiceError;
use crate::fs::paths::{is_same, location_of};
use crate::fs::{OWN_SIDECARS, can_write, folder_of, sidecar};
use crate::{store, vault};

/// Refuses a path whose file must not be overwritten: the connectors file, its sidecar files, any other database, log
/// or key file. Also refuses a path where no file can be created, so that no work starts that could not be reported.
/// The connectors file itself is not opened: closing another handle of it would drop this process's locks (a rule of
/// POSIX).
///
/// # Errors
/// [`ServiceError::Protected`], [`ServiceError::NotCreatable`], [`store::StoreError::StrayLog`].
pub fn check_target(target: &Path, connectors: &Path, keys: &Path) -> Result<(), ServiceError> {
    if target == Path::new("-") {
        return Ok(());
    }
    let in_use = |what| Err(ServiceError::Protected { path: target.to_owned(), what });
    if is_same(target, connectors) {
        return in_use("the connectors file itself");
    }
    if is_same(target, keys) {
        return in_use("the key file");
    }
    if OWN_SIDECARS.iter().any(|suffix| is_same(target, &sidecar(connectors, suffix))) {
        return in_use("kept next to the connectors file by the program");
    }
    if store::is_sidecar_of_a_database(target) {
        return in_use("a name that SQLite uses for a file next to another database");
    }
    if !target.exists() {
        store::check_no_stray_log(target)?;
    }
    match head_of(target).map(|head| protected_kind(&head)) {
        Some(Some(what)) => in_use(what),
        _ => check_creatable(target),
    }
}

/// Comments may come before the first key of a key file.
const LONGEST_HEAD: u64 = 1 << 20;

/// The first bytes of a regular file.
fn head_of(path: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    File::open(path).ok()?.take(LONGEST_HEAD).read_to_end(&mut head).ok()?;
    Some(head)
}

/// Names a protected kind of file by its first bytes.
fn protected_kind(head: &[u8]) -> Option<&'static str> {
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

/// Refuses a path where no file can be created. A pipe or a device is written to directly.
fn check_creatable(target: &Path) -> Result<(), ServiceError> {
    let refuse = |reason: String| Err(ServiceError::NotCreatable { path: target.to_owned(), reason });
    let real = location_of(target).unwrap_or_else(|| target.to_owned());
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
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => refuse(format!("no folder {}", folder.display())),
        Err(error) => refuse(format!("the folder {}: {error}", folder.display())),
    }
}
