//! Connectors as text: Kibana's saved-object export ([`ndjson`], [`export`]) and its API ([`api`]).

pub mod api;
mod export;
mod ndjson;
mod stamp;

use std::path::Path;

use crate::store::{ImportOptions, ImportOutcome, OnConflict, Store, StoreError};

pub use export::{ExportReport, export};
pub use ndjson::{Export, Notices};

/// Why text was refused.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A line of an export that cannot be taken; nothing was.
    #[error("{source_name}, line {line}: {reason}. Nothing was imported")]
    Line {
        /// The file, or `standard input`.
        source_name: String,
        /// From 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// The whole text is not an export.
    #[error("{source_name} {reason}. Nothing was imported")]
    NotAnExport {
        /// The file, or `standard input`.
        source_name: String,
        /// What it is instead.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("{name}: {cause}")]
    Io {
        /// The file.
        name: String,
        /// The system's word.
        cause: std::io::Error,
    },
    /// The connectors file refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Imports an export; `-` reads standard input. All or nothing.
///
/// # Errors
/// A line that cannot be taken, with its number; a file that cannot be read or written.
pub fn import(
    store: &mut Store,
    source: &Path,
    options: ImportOptions,
    now: &str,
    progress: impl FnMut(u64) -> bool,
) -> Result<(ImportOutcome, Notices), TransferError> {
    let mut export = Export::open(source)?;
    let copies = options.on_conflict == OnConflict::CreateNewCopies;
    let mut connectors = export.by_ref().map(|connector| {
        let mut connector = connector?;
        if copies {
            connector.id = uuid::Uuid::new_v4().to_string();
            connector.extra = ndjson::without_origin(&connector.extra);
        }
        Ok(connector)
    });
    let outcome = store.import::<TransferError>(&mut connectors, options, now, progress)?;
    Ok((outcome, export.into_notices()?))
}
