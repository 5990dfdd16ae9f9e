//! A set of ids on disk, in constant memory.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::error::StoreError;

/// A set of ids that SQLite keeps in a file without a name, gone with this value.
pub struct TempIdSet(Connection);

impl TempIdSet {
    /// Creates an empty set.
    ///
    /// # Errors
    /// If there is no room for temporary files.
    pub fn new() -> Result<Self, StoreError> {
        // An empty path means a private temporary database, which is deleted on close.
        let open = || {
            let connection = Connection::open("")?;
            connection.execute_batch(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -2048;
                 CREATE TABLE ids (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID; BEGIN",
            )?;
            Ok(Self(connection))
        };
        open().map_err(wrap)
    }

    /// Inserts an id; false if it was there already.
    ///
    /// # Errors
    /// If there is no room for temporary files.
    pub fn insert(&self, id: &str) -> Result<bool, StoreError> {
        let insert = || {
            let mut statement =
                self.0.prepare_cached("INSERT INTO ids VALUES (?1) ON CONFLICT DO NOTHING RETURNING 1")?;
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
    fn id_is_new_only_once() {
        let seen = TempIdSet::new().expect("a set");
        let inserted: Vec<bool> = ["a", "b", "a", "A", ""].map(|id| seen.insert(id).expect("room")).into();
        assert_eq!(inserted, [true, true, false, true, true]);
    }
}
