//! Records by the state of their secrets, and re-encryption.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::columns::{read, select};
use super::connectors::{count, text};
use crate::domain::derived::key_of;
use crate::domain::{Connector, Summary};
use crate::store::Progress;
use crate::store::error::StoreError;
use crate::store::file::open::Store;
use crate::store::remote::state::credentials;

/// Keys that are tried at most.
const KEYS: usize = 20;

/// Records in one transaction of a rotation.
const BATCH: usize = 500;

impl Store {
    /// Returns the next record by name that is missing secrets, after the given name and id and then from the start,
    /// with the number of such records.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn next_missing(&self, after: Option<(&str, &str)>) -> Result<(Option<String>, u64), StoreError> {
        self.run("looking for missing secrets", |connection| {
            let total =
                connection.query_row("SELECT count(*) FROM connectors WHERE is_missing_secrets <> 0", [], |row| {
                    count(row, 0)
                })?;
            let (name, id) = after.unwrap_or_default();
            let next = |condition: &str, values: &[&str]| {
                let sql = format!(
                    "SELECT id FROM connectors WHERE is_missing_secrets <> 0 {condition}
                     ORDER BY name COLLATE NOCASE, id LIMIT 1"
                );
                connection
                    .query_row(&sql, rusqlite::params_from_iter(values), |row| text(row, 0))
                    .optional()
                    .map(Option::flatten)
            };
            let found = match next("AND (name COLLATE NOCASE, id) > (?1 COLLATE NOCASE, ?2)", &[name, id])? {
                None => next("", &[])?,
                found => found,
            };
            Ok((found, total))
        })
    }

    /// Returns two values for each key whose values begin with `prefix`, to try a passphrase on, and all such
    /// credentials.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn encrypted_with_prefix(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.run("looking for encrypted secrets", |connection| {
            let (mut found, mut after) = (Vec::new(), prefix.to_owned());
            for _ in 0..KEYS {
                let Some(key) = next_key(connection, Some(&after))?.filter(|key| key.starts_with(prefix)) else {
                    break;
                };
                let sql = "SELECT secrets FROM connectors WHERE key IN (
                       SELECT min(key) FROM connectors WHERE key_id = ?1
                       UNION SELECT max(key) FROM connectors WHERE key_id = ?1)";
                for encrypted in connection.prepare_cached(sql)?.query_map([&key], |row| text(row, 0))? {
                    found.extend(encrypted?);
                }
                after = key;
            }
            found.extend(credentials(connection)?.into_iter().filter(|encrypted| encrypted.starts_with(prefix)));
            Ok(found)
        })
    }

    /// Returns each key that encrypted secrets of the file, with one of its values. The key is empty for values of
    /// another program.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn keys_in_use(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.run("looking for the keys of the secrets", |connection| {
            let mut sample = connection.prepare_cached("SELECT secrets FROM connectors WHERE key_id = ?1 LIMIT 1")?;
            let mut found = Vec::new();
            let mut next = next_key(connection, None)?;
            while let Some(key) = next {
                next = next_key(connection, Some(&key))?;
                let value = sample.query_row([&key], |row| text(row, 0)).optional()?.flatten();
                found.push((key, value.unwrap_or_default()));
            }
            Ok(found)
        })
    }

    /// Treats the values of these keys, as named by [`Store::keys_in_use`], as unreadable.
    pub fn set_unreadable_keys(&mut self, keys: BTreeSet<String>) {
        self.unreadable_keys = keys;
    }

    /// Returns the keys whose values cannot be decrypted.
    pub fn unreadable_keys(&self) -> &BTreeSet<String> {
        &self.unreadable_keys
    }

    /// Summarizes a connector for a list.
    pub fn summary_of(&self, connector: &Connector) -> Summary {
        let key = connector.secrets.as_deref().map(key_of);
        let has_unreadable_secrets = key.is_some_and(|key| self.unreadable_keys.contains(key));
        let reported_type = self.reported_types.name(&connector.connector_type_id, self.catalogue).map(str::to_owned);
        Summary { has_unreadable_secrets, reported_type, ..Summary::of(connector, self.catalogue) }
    }

    /// Counts the connectors whose secrets cannot be decrypted because their key is missing.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn count_unreadable_secrets(&self) -> Result<u64, StoreError> {
        if self.unreadable_keys.is_empty() {
            return Ok(0);
        }
        let sql = format!("SELECT count(*) FROM connectors WHERE {}", self.is_unreadable());
        self.run("counting the unreadable secrets", |connection| {
            connection.prepare_cached(&sql)?.query_row(params_from_iter(&self.unreadable_keys), |row| count(row, 0))
        })
    }

    /// The condition that secrets are unreadable; its parameters are the unreadable keys.
    pub(in crate::store) fn is_unreadable(&self) -> String {
        let placeholders = vec!["?"; self.unreadable_keys.len()].join(",");
        format!("key_id IN ({placeholders})")
    }

    /// Calls `encrypt` with every record that has secrets, and stores the returned value. The secrets themselves do not
    /// change, so neither does the revision, and there is no step in the history: earlier steps can still be reverted,
    /// with ciphertext of earlier keys. Each batch is one transaction; a stop keeps finished batches.
    ///
    /// # Errors
    /// The error of `encrypt`; if the file cannot be read or written.
    pub fn reencrypt<E: From<StoreError>>(
        &mut self,
        mut encrypt: impl FnMut(&Connector) -> Result<Option<String>, E>,
        progress: Progress<'_>,
    ) -> Result<bool, E> {
        let path = self.path.clone();
        let wrap = |error| StoreError::of_sqlite(&path, "re-encrypting the secrets", error);
        let total = self.run("counting the secrets", |connection| {
            connection.query_row("SELECT count(*) FROM connectors WHERE secrets IS NOT NULL", [], |row| count(row, 0))
        })?;
        let (mut first, mut done) = (i64::MIN, 0);
        loop {
            let seen = self.transaction::<_, E>("re-encrypting the secrets", |connection| {
                let sql = format!(
                    "SELECT {} FROM connectors WHERE secrets IS NOT NULL AND key >= ?1 ORDER BY key LIMIT {BATCH}",
                    select("")
                );
                let mut statement = connection.prepare_cached(&sql).map_err(wrap)?;
                let rows: Vec<Connector> =
                    statement.query_map([first], read).and_then(Iterator::collect).map_err(wrap)?;
                for connector in &rows {
                    if let Some(encrypted) = encrypt(connector)? {
                        write_encrypted(connection, connector.key, &encrypted).map_err(wrap)?;
                    }
                }
                Ok((rows.len(), rows.last().and_then(|last| last.key.checked_add(1))))
            })?;
            let (seen, next) = seen;
            done += seen as u64;
            match next {
                Some(next) => first = next,
                None => return Ok(true),
            }
            if !progress(done, total) {
                return Ok(false);
            }
        }
    }
}

/// The revision stays, because the secrets are the same. The changed key id distinguishes this write from another
/// program's.
fn write_encrypted(connection: &Connection, key: i64, encrypted: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE connectors SET secrets = ?2, key_id = ?3 WHERE key = ?1")?
        .execute(params![key, encrypted, key_of(encrypted)])
        .map(drop)
}

/// Returns the next key after another one, through an index, however many secrets a key encrypted.
fn next_key(connection: &Connection, after: Option<&str>) -> rusqlite::Result<Option<String>> {
    let condition = if after.is_some() { "key_id > ?1" } else { "key_id IS NOT NULL" };
    let sql = format!("SELECT key_id FROM connectors WHERE {condition} ORDER BY key_id LIMIT 1");
    connection
        .prepare_cached(&sql)?
        .query_row(params_from_iter(after), |row| text(row, 0))
        .optional()
        .map(Option::flatten)
}
