//! The queries of a list, each answered by an index.

use rusqlite::{Connection, params, params_from_iter};

use super::row_set::RowSet;
use crate::domain::filter::{Test, fold};
use crate::store::error::StoreError;
use crate::store::file::open::Store;
use crate::store::list::query::{Scope, Sort, SortColumn};
use crate::store::records::connectors::{count, text};

/// Identifies the names and ids of a moment: the writes of other programs, and the newest step of the history that may
/// have changed a name or an id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextState {
    foreign: Option<String>,
    step: Option<i64>,
    /// The start of the step: after a restore, another step may have the same number.
    started_at: Option<String>,
}

/// The names and ids that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextChanges {
    /// None.
    None,
    /// At most those of these records.
    Of(Vec<String>),
    /// Many, or unknown.
    Many,
}

/// The largest number of changed records that are updated one by one.
const FEW: usize = 64;

impl Store {
    /// Returns the current [`TextState`].
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn text_state(&self) -> Result<TextState, StoreError> {
        self.run("looking for changes", |connection| {
            use rusqlite::OptionalExtension;
            let foreign = connection
                .prepare_cached("SELECT value FROM settings WHERE name = 'foreign_changes'")?
                .query_row([], |row| row.get(0))
                .optional()?;
            let last: Option<(i64, String)> = connection
                .prepare_cached(&format!(
                    "SELECT step, started_at FROM history WHERE {TEXT_KINDS} ORDER BY step DESC LIMIT 1"
                ))?
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let (step, started_at) = last.unzip();
            Ok(TextState { foreign, step, started_at })
        })
    }

    /// Returns the names and ids that changed after a state.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn text_changes(&self, before: &TextState, now: &TextState) -> Result<TextChanges, StoreError> {
        if before == now {
            return Ok(TextChanges::None);
        }
        if before.foreign != now.foreign || now.step < before.step {
            return Ok(TextChanges::Many);
        }
        self.run("looking for changes", |connection| {
            if !is_in_history(connection, before)? {
                return Ok(TextChanges::Many);
            }
            let ids: Vec<String> = connection
                .prepare_cached(&format!(
                    "SELECT DISTINCT c.connector_id FROM history AS h CROSS JOIN history_changes AS c ON c.step = h.step
                     WHERE h.step > ?1 AND {TEXT_KINDS} LIMIT {}",
                    FEW + 1
                ))?
                .query_map([before.step.unwrap_or(0)], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            Ok(if ids.len() > FEW { TextChanges::Many } else { TextChanges::Of(ids) })
        })
    }

    /// Returns the first rows of a list without a filter, if an index has its order.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn first_rows(&self, scope: Scope, sort: Sort, len: usize) -> Result<Option<Vec<i64>>, StoreError> {
        if scope != Scope::Connectors || !matches!(sort.column, SortColumn::Name | SortColumn::Updated) {
            return Ok(None);
        }
        self.row_ids(&format!("SELECT key FROM connectors ORDER BY {} LIMIT {len}", sort.sql()), &[]).map(Some)
    }

    /// Returns the ids of many rows, unordered.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn ids_of_many(&self, row_ids: &[i64]) -> Result<Vec<String>, StoreError> {
        let wanted: RowSet = row_ids.iter().copied().collect();
        self.run("reading the list", |connection| {
            let mut statement = connection.prepare_cached("SELECT id, key FROM connectors ORDER BY id")?;
            let mut rows = statement.query([])?;
            let mut found = Vec::with_capacity(row_ids.len());
            while let Some(row) = rows.next()? {
                if wanted.contains(row.get(1)?) {
                    found.extend(text(row, 0)?);
                }
            }
            Ok(found)
        })
    }

    /// Returns the number of all connectors.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn count_rows(&self) -> Result<usize, StoreError> {
        self.run("counting the connectors", |connection| {
            connection
                .prepare_cached("SELECT count(*) FROM connectors")?
                .query_row([], |row| count(row, 0))
                .map(|count| usize::try_from(count).unwrap_or(usize::MAX))
        })
    }

    fn row_ids<T: FromIterator<i64>>(&self, sql: &str, values: &[String]) -> Result<T, StoreError> {
        self.run("searching the connectors", |connection| {
            connection.prepare_cached(sql)?.query_map(params_from_iter(values), |row| row.get(0))?.collect()
        })
    }

    /// The rows that an index finds for a test of a column.
    pub(super) fn rows_of(&self, test: &Test) -> Result<RowSet, StoreError> {
        let select = |condition: &str| format!("SELECT key FROM connectors WHERE {condition}");
        match test {
            Test::AuthMode(Some(mode)) => self.row_ids(&select("auth_mode = ?1"), &[mode.as_str().to_owned()]),
            Test::AuthMode(None) => self.row_ids(&select("auth_mode IS NULL"), &[]),
            Test::AuthType(None) => self.row_ids(&select("auth_type IS NULL"), &[]),
            Test::AuthType(Some(wanted)) => {
                let found = self.distinct("auth_type", |auth_type| fold(auth_type).contains(wanted))?;
                self.row_ids(&select(&format!("auth_type IN ({})", placeholders(found.len()))), &found)
            }
            Test::NeedsMigration => self.row_ids(&select("migration_group IS NOT NULL"), &[]),
            Test::InGroup(group) => self.rows_of_group(group.as_str()),
            Test::MissingSecrets => self.row_ids(&select("is_missing_secrets <> 0"), &[]),
            Test::UnreadableSecrets => {
                let keys: Vec<String> = self.unreadable_keys().iter().cloned().collect();
                self.row_ids(&select(&self.is_unreadable()), &keys)
            }
            Test::Deprecated => {
                let types = self.types_where(|id| self.catalogue.is_deprecated(id, false))?;
                let mut rows = self.rows_of_types(&types)?;
                // The rest of the types that can be used in a deprecated way is named by the column itself.
                let in_use = "connector_type_id IN ('.servicenow', '.servicenow-sir') AND is_deprecated_use <> 0";
                rows.union(self.row_ids(&select(in_use), &[])?);
                Ok(rows)
            }
            Test::Malformed => self.row_ids(&select("is_malformed <> 0"), &[]),
            Test::Text(_) | Test::Type(_) | Test::UnknownType | Test::Change(_) => Ok(RowSet::default()),
        }
    }

    pub(super) fn rows_of_types(&self, types: &[String]) -> Result<RowSet, StoreError> {
        let sql = format!("SELECT key FROM connectors WHERE connector_type_id IN ({})", placeholders(types.len()));
        self.row_ids(&sql, types)
    }

    pub(super) fn rows_of_group(&self, group: &str) -> Result<RowSet, StoreError> {
        self.row_ids("SELECT key FROM connectors WHERE migration_group = ?1", &[group.to_owned()])
    }

    /// For each row id up to the largest the rank of its value in an indexed column, the values in order, none
    /// first.
    pub(super) fn ranks(&self, column: &str, room: usize) -> Result<Vec<u32>, StoreError> {
        self.run("sorting the connectors", |connection| {
            let mut statement =
                connection.prepare_cached(&format!("SELECT {column}, key FROM connectors ORDER BY {column}, key"))?;
            let mut rows = statement.query([])?;
            let (mut ranks, mut rank, mut last): (Vec<u32>, u32, Option<Option<Vec<u8>>>) =
                (Vec::with_capacity(room), 0, None);
            while let Some(row) = rows.next()? {
                let value = row.get_ref(0)?.as_bytes_or_null().unwrap_or_default();
                if last.as_ref().is_some_and(|last| last.as_deref() != value) {
                    rank += 1;
                }
                if last.as_ref().is_none_or(|last| last.as_deref() != value) {
                    last = Some(value.map(<[u8]>::to_vec));
                }
                // Larger row ids are not sorted by this method.
                let Ok(row_id) = u32::try_from(row.get::<_, i64>(1)?) else { continue };
                let row_id = row_id as usize;
                if row_id >= ranks.len() {
                    ranks.resize(row_id + 1, 0);
                }
                ranks[row_id] = rank;
            }
            Ok(ranks)
        })
    }

    pub(super) fn types_where(&self, holds: impl Fn(&str) -> bool) -> Result<Vec<String>, StoreError> {
        self.distinct("connector_type_id", holds)
    }

    /// The values of an indexed column for which something holds, found by jumping from one to the next.
    fn distinct(&self, column: &str, holds: impl Fn(&str) -> bool) -> Result<Vec<String>, StoreError> {
        self.run("searching the connectors", |connection| {
            let mut found = Vec::new();
            let mut last = next_value(connection, column, None)?;
            while let Some(value) = last {
                last = next_value(connection, column, Some(&value))?;
                if holds(&value) {
                    found.push(value);
                }
            }
            Ok(found)
        })
    }
}

fn next_value(connection: &Connection, column: &str, after: Option<&str>) -> rusqlite::Result<Option<String>> {
    use rusqlite::OptionalExtension;
    let condition = if after.is_some() { format!("{column} > ?1") } else { format!("{column} IS NOT NULL") };
    let sql = format!("SELECT {column} FROM connectors WHERE {condition} ORDER BY {column} LIMIT 1");
    connection
        .prepare_cached(&sql)?
        .query_row(params_from_iter(after), |row| text(row, 0))
        .optional()
        .map(Option::flatten)
}

/// Returns whether the steps of the file come after a state: false after a restore by another program, or if the step
/// was pruned.
fn is_in_history(connection: &Connection, state: &TextState) -> rusqlite::Result<bool> {
    let Some(step) = state.step else { return Ok(true) };
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM history WHERE step = ?1 AND started_at IS ?2)")?
        .query_row(params![step, state.started_at], |row| row.get(0))
}

/// Steps that may have changed a name or an id; a rollback changes neither.
const TEXT_KINDS: &str = "kind NOT IN ('auth mode', 'migration', 'rollback')";

/// `?,?,?` for so many values.
fn placeholders(count: usize) -> String {
    vec!["?"; count].join(",")
}
