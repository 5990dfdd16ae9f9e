//! The number of connectors of each kind, from indexes alone.

use crate::domain::AuthMode;
use crate::store::error::StoreError;
use crate::store::file::open::Store;
use crate::store::records::connectors::{count, text};

/// The numbers of the overview.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Connectors of each connector type, the most frequent first.
    pub types: Vec<(String, u64)>,
    /// The connectors of each auth mode; `None` for those without one.
    pub modes: Vec<(Option<AuthMode>, u64)>,
}

impl Store {
    /// Counts the connectors by kind.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn statistics(&self) -> Result<Statistics, StoreError> {
        self.run("counting the connectors", |connection| {
            let counts = |column: &str| {
                let sql = format!(
                    "SELECT {column}, count(*) FROM connectors GROUP BY {column} ORDER BY count(*) DESC, {column}"
                );
                let mut statement = connection.prepare(&sql)?;
                statement
                    .query_map([], |row| Ok((text(row, 0)?, count(row, 1)?)))?
                    .collect::<rusqlite::Result<Vec<_>>>()
            };
            let types = counts("connector_type_id")?;
            let modes = counts("auth_mode")?;
            let mode = |text: Option<String>| text.and_then(|text| AuthMode::parse(&text));
            Ok(Statistics {
                types: types.into_iter().map(|(id, count)| (id.unwrap_or_default(), count)).collect(),
                modes: modes.into_iter().map(|(text, count)| (mode(text), count)).collect(),
            })
        })
    }
}
