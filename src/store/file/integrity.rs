//! Is the file itself whole, and are its values of the kinds that it should have?

use super::open::Store;
use super::suitability::wrong_values;
use crate::store::error::StoreError;

impl Store {
    /// Returns values of a wrong kind in a table made by hand: numbers or bytes instead of text.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn wrong_values(&self) -> Result<Vec<String>, StoreError> {
        self.run("checking the file", |connection| wrong_values(connection, false, 50))
    }

    /// Returns SQLite's findings about the file, its indexes and references; empty if there are none.
    ///
    /// # Errors
    /// If the file cannot be read at all.
    pub fn damage(&self) -> Result<Vec<String>, StoreError> {
        self.run("checking the file", |connection| {
            let mut found: Vec<String> = connection
                .prepare("PRAGMA integrity_check(50)")?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            found.retain(|line| line != "ok");
            let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
                found.push(format!("a row of {table} refers to a row of {parent} that does not exist"));
            }
            Ok(found)
        })
    }
}
