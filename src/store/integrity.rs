//! Is the file itself whole?

use super::error::StoreError;
use super::open::Store;

impl Store {
    /// What SQLite finds wrong with the file, its indexes and its references; empty when it is whole.
    ///
    /// # Errors
    /// When the file cannot be read at all.
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
                found.push(format!("a row of {table} names a row of {parent} that is not there"));
            }
            Ok(found)
        })
    }
}
