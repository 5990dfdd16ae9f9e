//! Kibana's saved-object export: `read` and `write`; `documents` and `forms` are the other forms in which saved objects
//! are written down, `model_version` and `legacy_migrations` what releases differ in.

mod documents;
mod forms;
mod legacy_migrations;
mod model_version;
mod read;
mod write;

use crate::domain::{Catalogue, Connector};
use crate::fs::FileError;

pub use read::{ExportReader, ImportWarnings, ImportedConnector, without_origin};
pub use write::{to_line, write_summary};

/// Why a text was refused.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A line of an export that cannot be read.
    #[error("{source_name}, line {line}: {reason}. Nothing was imported")]
    Line {
        /// The file, or `standard input`.
        source_name: String,
        /// From 1.
        line: u64,
        /// The problem.
        reason: String,
    },
    /// The whole text is not an export.
    #[error("{source_name} {reason}. Nothing was imported")]
    NotAnExport {
        /// The file, or `standard input`.
        source_name: String,
        /// The format of the text.
        reason: String,
    },
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] FileError),
}

/// Returns a connector as an import of its export would produce it: keys in Kibana's order, without values that no
/// export holds.
pub fn as_exported(connector: &Connector, catalogue: &Catalogue) -> Connector {
    let read = || {
        let (line, _) = to_line(connector, catalogue).ok()?;
        ExportReader::new("a line", Box::new(std::io::Cursor::new(line))).next()?.ok()
    };
    read().map_or_else(|| connector.clone(), |imported| imported.connector)
}
