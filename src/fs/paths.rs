//! Paths that users name.

use std::fs;
use std::path::{Path, PathBuf};

use super::{folder_of, names_in};

/// An entry of a folder, for picking a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, as text.
    pub name: String,
    /// A folder.
    pub is_folder: bool,
    /// Bytes of a file.
    pub bytes: u64,
}

/// Returns the folders in a folder, then its exports (`.ndjson`), each by name, without hidden ones.
///
/// # Errors
/// If the folder cannot be read.
pub fn entries(folder: &Path) -> Result<Vec<Entry>, String> {
    let names = names_in(folder).map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
    let entry = |name: std::ffi::OsString| {
        let name = name.into_string().ok().filter(|name| !name.starts_with('.'))?;
        // Links are followed: their targets are opened.
        let metadata = fs::metadata(folder.join(&name)).ok()?;
        let is_export = Path::new(&name).extension().is_some_and(|end| end.eq_ignore_ascii_case("ndjson"));
        (metadata.is_dir() || is_export).then(|| Entry { name, is_folder: metadata.is_dir(), bytes: metadata.len() })
    };
    let mut found: Vec<Entry> = names.into_iter().filter_map(entry).collect();
    found.sort_by(|one, other| (!one.is_folder, &one.name).cmp(&(!other.is_folder, &other.name)));
    Ok(found)
}

/// Expands `~/` in a path that a user typed, since no shell did.
pub fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// Do both lead to one file, or to one place where none is yet?
pub fn is_same(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    if let (Ok(one), Ok(other)) = (fs::metadata(one), fs::metadata(other)) {
        use std::os::unix::fs::MetadataExt as _;
        return (one.dev(), one.ino()) == (other.dev(), other.ino());
    }
    matches!((location_of(one), location_of(other)), (Some(one), Some(other)) if one == other)
}

/// Returns the location of a file, links followed, whether it exists or not.
pub fn location_of(path: &Path) -> Option<PathBuf> {
    /// The number of links in a row that Linux follows.
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

/// Returns the name of a file without its folder, for a text.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
