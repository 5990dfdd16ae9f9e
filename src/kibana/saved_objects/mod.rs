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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connector::sample;

    #[test]
    fn every_field_of_a_connector_is_exported_but_secrets_and_numbers_of_the_file() {
        let wanted = sample();
        let exported = as_exported(&wanted, Catalogue::built_in());
        // Each field is named, so that a new field cannot be forgotten.
        let Connector {
            id,
            connector_type_id,
            name,
            config,
            secrets,
            is_missing_secrets,
            auth_mode,
            extra,
            model_version,
            created_at,
            updated_at,
            revision: _,
            key: _,
            raw: _,
        } = &exported;
        assert_eq!((id, connector_type_id, name), (&wanted.id, &wanted.connector_type_id, &wanted.name));
        assert_eq!((config, extra, model_version), (&wanted.config, &wanted.extra, &wanted.model_version));
        assert_eq!((created_at, updated_at), (&wanted.created_at, &wanted.updated_at));
        assert_eq!((is_missing_secrets, auth_mode), (&wanted.is_missing_secrets, &wanted.auth_mode));
        assert_eq!(secrets, &None);
    }
}
