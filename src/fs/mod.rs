//! The file system below the SQLite file: temporary files that are known to be ours, folders, names next to a file.

pub mod atomic;
mod folder;
pub mod paths;
pub mod temporary;

pub use atomic::{FileError, write_atomically};
pub use folder::{can_write, folder_of, names_in, sidecar};
pub use temporary::{OWN_SIDECARS, PersistError, TemporaryFile, TemporaryFolder};
