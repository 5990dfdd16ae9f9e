//! How many connectors there are of each kind, from indexes alone.

use super::connectors::{count, text};
use super::error::StoreError;
use super::open::Store;
use crate::domain::AuthMode;

/// The numbers of the overview.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Connectors of each connector type, the most frequent first.
    pub types: Vec<(String, u64)>,
    /// Connectors of each auth mode; none: there is none yet.
    pub modes: Vec<(Option<AuthMode>, u64)>,
}

impl Store {
    /// Counts the connectors by kind.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn census(&self) -> Result<Census, StoreError> {
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
            Ok(Census {
                types: types.into_iter().map(|(id, count)| (id.unwrap_or_default(), count)).collect(),
                modes: modes.into_iter().map(|(text, count)| (mode(text), count)).collect(),
            })
        })
    }
}
