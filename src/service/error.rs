use std::path::PathBuf;

use crate::fs::FileError;
use crate::kibana::saved_objects::ReadError;
use crate::store::StoreError;
use crate::vault::VaultError;

/// Why a use case failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// An export cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Secrets cannot be encrypted.
    #[error("{0}. Nothing was changed")]
    Vault(VaultError),
    /// A file would replace one that must stay.
    #[error("{path} is {what}; name another file")]
    Protected {
        /// The file.
        path: PathBuf,
        /// The kind of file.
        what: &'static str,
    },
    /// A file cannot be created at a path; nothing was begun.
    #[error("{path} cannot be written: {reason}; name another file")]
    NotCreatable {
        /// The path.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The connector that was to be duplicated was deleted.
    #[error("the original was deleted meanwhile, and its secrets with it; nothing was created")]
    OriginalGone,
    /// The connectors file refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

// Not the source of the error too: it would be printed twice.
impl From<VaultError> for ServiceError {
    fn from(error: VaultError) -> Self {
        ServiceError::Vault(error)
    }
}
