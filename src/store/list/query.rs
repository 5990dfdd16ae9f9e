//! The list's questions: which records in which order, and the rows of one window.
//!
//! An order is a vector of row ids. It costs four bytes a record and makes every count exact, every
//! jump direct and the scroll bar true; the rows themselves are read only when they are on the screen.

use std::collections::HashSet;

use rusqlite::Row;

use super::index::RowIds;
use crate::domain::diff::ChangeInStep;
use crate::domain::migration::{Decision, Group};
use crate::domain::{AuthMode, Filter, Summary};
use crate::store::error::StoreError;
use crate::store::file::open::Store;
use crate::store::history::change_state;
use crate::store::records::connectors::{count, integer, text};

/// The records of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All connectors.
    Connectors,
    /// The records of the migration plan, by group.
    Review,
    /// The records that a step of the history changed and that still exist.
    Step(i64),
}

/// A column the list can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SortColumn {
    /// By name.
    Name,
    /// By connector type id, then name.
    Type,
    /// By auth type, then name.
    AuthType,
    /// By auth mode, then name.
    AuthMode,
    /// By time of the last update.
    Updated,
}

impl SortColumn {
    /// All columns, in the order of the table.
    pub const ALL: [SortColumn; 5] =
        [SortColumn::Name, SortColumn::Type, SortColumn::AuthType, SortColumn::AuthMode, SortColumn::Updated];
}

impl SortColumn {
    /// Returns the display name.
    pub fn label(self) -> &'static str {
        match self {
            SortColumn::Name => "name",
            SortColumn::Type => "type",
            SortColumn::AuthType => "auth type",
            SortColumn::AuthMode => "auth mode",
            SortColumn::Updated => "updated",
        }
    }
}

/// An order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    /// The column.
    pub column: SortColumn,
    /// From the end.
    pub descending: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Self::FIRST
    }
}

impl Sort {
    /// The order of the list when it opens.
    pub const FIRST: Self = Self { column: SortColumn::Name, descending: false };

    pub(in crate::store) fn sql(self) -> String {
        let direction = if self.descending { "DESC" } else { "ASC" };
        let columns = match self.column {
            SortColumn::Name => "name COLLATE NOCASE",
            SortColumn::Type => "connector_type_id, name COLLATE NOCASE",
            SortColumn::AuthType => "auth_type, name COLLATE NOCASE",
            SortColumn::AuthMode => "auth_mode, name COLLATE NOCASE",
            SortColumn::Updated => "updated_at",
        };
        let ordered: Vec<String> =
            columns.split(", ").chain(["key"]).map(|column| format!("{column} {direction}")).collect();
        ordered.join(", ")
    }
}

const SUMMARY: &str = "id, connector_type_id, name, auth_type, auth_mode, is_missing_secrets, \
     is_deprecated_use, is_malformed, migration_group, model_version, updated_at, revision, \
     (SELECT decision FROM migration_decisions WHERE migration_decisions.key = connectors.key), key_id, key";

impl Store {
    /// Returns the row ids of a list, in order.
    ///
    /// # Errors
    /// If the file cannot be read or the search was cancelled.
    pub fn order(&self, scope: Scope, filter: &Filter, sort: Sort) -> Result<RowIds, StoreError> {
        let of_step: String;
        let (condition, order) = match scope {
            Scope::Connectors => ("", sort.sql()),
            Scope::Review => ("WHERE migration_group IS NOT NULL", format!("{PLAN_ORDER}, {}", sort.sql())),
            Scope::Step(step) => {
                of_step = format!("WHERE key IN (SELECT key FROM history_changes WHERE step = {step})");
                (of_step.as_str(), sort.sql())
            }
        };
        self.run("listing the connectors", |connection| {
            if filter.is_empty() {
                let sql = format!("SELECT key FROM connectors {condition} ORDER BY {order}");
                return connection.prepare(&sql)?.query_map([], |row| row.get(0))?.collect();
            }
            let matching = self.matching(scope, filter, condition)?;
            let sql = format!("SELECT key FROM connectors {condition} ORDER BY {order}");
            let mut statement = connection.prepare(&sql)?;
            let in_order = statement.query_map([], |row| row.get::<_, i64>(0))?;
            in_order.filter(|row_id| row_id.as_ref().map_or(true, |row_id| matching.contains(row_id))).collect()
        })
    }

    /// Returns the rows of a window; a deleted one is `None`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn summaries(&self, row_ids: &[i64]) -> Result<Vec<Option<Summary>>, StoreError> {
        use rusqlite::OptionalExtension;
        self.run("reading the list", |connection| {
            let sql = format!("SELECT {SUMMARY} FROM connectors WHERE key = ?1");
            let mut statement = connection.prepare_cached(&sql)?;
            row_ids.iter().map(|row_id| statement.query_row([row_id], |row| self.summary(row)).optional()).collect()
        })
    }

    /// Returns the row id of a record.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn row_id(&self, id: &str) -> Result<Option<i64>, StoreError> {
        use rusqlite::OptionalExtension;
        self.run("reading the list", |connection| {
            connection
                .prepare_cached("SELECT key FROM connectors WHERE id = ?1")?
                .query_row([id], |row| row.get(0))
                .optional()
        })
    }

    /// Returns the ids of rows.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn ids(&self, row_ids: &[i64]) -> Result<Vec<String>, StoreError> {
        self.run("reading the list", |connection| {
            let mut statement = connection.prepare_cached("SELECT id FROM connectors WHERE key = ?1")?;
            let mut found = Vec::with_capacity(row_ids.len());
            for row_id in row_ids {
                let mut rows = statement.query([row_id])?;
                if let Some(row) = rows.next()? {
                    found.extend(text(row, 0)?);
                }
            }
            Ok(found)
        })
    }

    /// Returns the number of connectors, and of those that are missing secrets.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn totals(&self) -> Result<(u64, u64), StoreError> {
        self.run("counting the connectors", |connection| {
            let number = |sql| connection.query_row(sql, [], |row| count(row, 0));
            Ok((
                number("SELECT count(*) FROM connectors")?,
                number("SELECT count(*) FROM connectors WHERE is_missing_secrets <> 0")?,
            ))
        })
    }
}

/// The groups of the plan as the file names them, in the order of the list.
pub(in crate::store) const PLAN_GROUPS: [&str; 3] = ["backfill", "stamp_only", "blocked"];

pub(in crate::store) const PLAN_ORDER: &str =
    "CASE migration_group WHEN 'backfill' THEN 0 WHEN 'stamp_only' THEN 1 ELSE 2 END";

impl Store {
    /// The row ids that a filter lets through. Read in the order the file has them in: following an index to
    /// every row would jump through the whole file.
    fn matching(&self, scope: Scope, filter: &Filter, condition: &str) -> rusqlite::Result<HashSet<i64>> {
        let connection = &self.connection;
        let table = if condition.is_empty() { "connectors NOT INDEXED" } else { "connectors" };
        let mut statement = connection.prepare(&format!("SELECT {SUMMARY} FROM {table} {condition}"))?;
        let mut rows = statement.query([])?;
        let mut found = HashSet::new();
        while let Some(row) = rows.next()? {
            let mut summary = self.summary(row)?;
            if let (Scope::Step(step), true) = (scope, filter.reads_changes()) {
                let state = change_state(connection, step, (row.get(14)?, summary.revision))?;
                summary.change = state.map(|state| ChangeInStep { state, text: String::new() });
            }
            if filter.matches(&summary, self.catalogue) {
                found.insert(row.get("key")?);
            }
        }
        Ok(found)
    }

    fn summary(&self, row: &Row<'_>) -> rusqlite::Result<Summary> {
        let connector_type_id = text(row, 1)?.unwrap_or_default();
        Ok(Summary {
            id: text(row, 0)?.unwrap_or_default(),
            name: text(row, 2)?.unwrap_or_default(),
            auth_type: text(row, 3)?,
            auth_mode: text(row, 4)?.as_deref().and_then(AuthMode::parse),
            is_missing_secrets: integer(row, 5)? != 0,
            has_unreadable_secrets: text(row, 13)?.is_some_and(|key| self.unreadable_keys.contains(&key)),
            is_deprecated: integer(row, 6)? != 0 || self.catalogue.is_deprecated(&connector_type_id, false),
            is_malformed: integer(row, 7)? != 0,
            group: text(row, 8)?.as_deref().and_then(Group::parse),
            model_version: integer(row, 9)?,
            updated_at: text(row, 10)?,
            revision: integer(row, 11)?,
            decision: text(row, 12)?.as_deref().and_then(Decision::parse),
            change: None,
            drift: None,
            reported_type: self.reported_types.name(&connector_type_id, self.catalogue).map(str::to_owned),
            connector_type_id,
        })
    }
}
