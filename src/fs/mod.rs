//! The file system below the SQLite file: temporary files that are known to be ours, folders, names next to a file.

pub mod atomic;
mod folder;
pub mod paths;
pub mod temporary;

use std::io;

pub use atomic::{FileError, write_atomically};
pub use folder::{can_write, folder_of, names_in, sidecar};
pub use temporary::{OWN_SIDECARS, PersistError, TemporaryFile, TemporaryFolder};

/// Returns the system's reason as part of a sentence: `no such file or directory`.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error ").next().unwrap_or(&text);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
