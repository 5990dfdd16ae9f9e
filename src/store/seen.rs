//! Ids that were met, on disk: any number of them takes the same memory.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::error::StoreError;

/// A set of ids that SQLite keeps in a file without a name, gone with this value.
pub struct SeenIds(Connection);

impl SeenIds {
    /// An empty set.
    ///
    /// # Errors
    /// When there is no room for temporary files.
    pub fn new() -> Result<Self, StoreError> {
        // A path of no characters asks for a database of this connection alone, deleted when it is closed.
        let open = || {
            let connection = Connection::open("")?;
            connection.execute_batch(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -2048;
                 CREATE TABLE seen (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID; BEGIN",
            )?;
            Ok(Self(connection))
        };
        open().map_err(wrap)
    }

    /// Takes an id in; false when it is there already.
    ///
    /// # Errors
    /// When there is no room for temporary files.
    pub fn insert(&self, id: &str) -> Result<bool, StoreError> {
        let insert = || {
            let mut statement =
                self.0.prepare_cached("INSERT INTO seen VALUES (?1) ON CONFLICT DO NOTHING RETURNING 1")?;
            statement.query_row([id], |_| Ok(())).optional()
        };
        insert().map(|inserted| inserted.is_some()).map_err(wrap)
    }
}

fn wrap(error: rusqlite::Error) -> StoreError {
    StoreError::of_sqlite(Path::new("a temporary file"), "comparing ids", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once() {
        let seen = SeenIds::new().expect("a set");
        let inserted: Vec<bool> = ["a", "b", "a", "A", ""].map(|id| seen.insert(id).expect("room")).into();
        assert_eq!(inserted, [true, true, false, true, true]);
    }
}
