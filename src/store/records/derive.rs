//! Derived columns: made for the rows that another program wrote, before anything shows or counts them.
//!
//! A file that can be written gets them stored. Of one that is only read they lie in a temporary table, which a temporary
//! view puts over the table of connectors; so does a file of schema 1, which has none of them.

use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params_from_iter};

use super::columns::{DERIVED, read, select};
use crate::domain::Connector;
use crate::domain::derived::{Derived, carried_auth_mode, rules};
use crate::parallel::map_ahead;
use crate::store::error::StoreError;
use crate::store::file::inspect::connect_for_writing;
use crate::store::file::open::Store;
use crate::store::file::schema;

/// Records that are derived at once.
pub(in crate::store) const BATCH: usize = 2_000;

/// How long a reader waits for another program before it derives in memory.
const LOCK_TIMEOUT: Duration = Duration::from_millis(100);

/// The setting that names the rules by which the columns were derived.
const RULES_SETTING: &str = "rules";

impl Store {
    /// Updates the derived columns after other programs wrote records, or after a change of the rules.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn derive(&mut self) -> Result<(), StoreError> {
        if !self.run(DOING, is_due)? {
            return if self.has_overlay { self.put_overlay(false) } else { Ok(()) };
        }
        if !self.read_only {
            return self.bookkeeping(DOING, |connection| store(connection).map_err(StoreError::on(connection, DOING)));
        }
        if self.may_be_written && self.derive_by_writing().is_ok() {
            return if self.has_overlay { self.put_overlay(false) } else { Ok(()) };
        }
        self.put_overlay(true)
    }

    /// Stores the derived columns by another connection; a program that writes just now is not waited for.
    fn derive_by_writing(&self) -> Result<(), StoreError> {
        self.check_location()?;
        let wrap = |error| StoreError::of_sqlite(&self.path, DOING, error);
        let mut connection = connect_for_writing(&self.path)?;
        connection.busy_timeout(LOCK_TIMEOUT).map_err(wrap)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(wrap)?;
        store(&transaction).map_err(wrap)?;
        self.check_location()?;
        transaction.commit().map_err(wrap)
    }

    /// Lays derived columns in memory over those of the file, or removes them.
    fn put_overlay(&mut self, is_wanted: bool) -> Result<(), StoreError> {
        self.has_overlay = is_wanted;
        self.run(DOING, |connection| {
            connection.pragma_update(None, "query_only", false)?;
            connection.execute_batch("DROP VIEW IF EXISTS temp.connectors; DROP TABLE IF EXISTS temp.derived_here;")?;
            if is_wanted {
                overlay(connection, schema::LATEST)?;
            }
            connection.pragma_update(None, "query_only", true)
        })
    }
}

const DOING: &str = "deriving what follows from the connectors";

/// Returns whether a row, or after a change of the rules every row, has to be derived.
fn is_due(connection: &Connection) -> rusqlite::Result<bool> {
    let waits: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM main.connectors WHERE is_derived = 0)")?
        .query_row([], |row| row.get(0))?;
    Ok(waits || !has_these_rules(connection)?)
}

fn has_these_rules(connection: &Connection) -> rusqlite::Result<bool> {
    let stored: Option<String> = connection
        .prepare_cached("SELECT value FROM main.settings WHERE name = ?1")?
        .query_row([RULES_SETTING], |row| row.get(0))
        .optional()?;
    Ok(stored.is_some_and(|stored| stored == rules().to_string()))
}

/// Notes by which rules the columns are derived.
pub(in crate::store) fn note_rules(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT OR REPLACE INTO main.settings (name, value) VALUES (?1, ?2)",
            [RULES_SETTING, &rules().to_string()],
        )
        .map(drop)
}

/// Stores what is due, within the caller's transaction.
pub(in crate::store) fn store(connection: &Connection) -> rusqlite::Result<()> {
    if !has_these_rules(connection)? {
        connection.execute("UPDATE main.connectors SET is_derived = 0 WHERE is_derived <> 0", [])?;
        note_rules(connection)?;
    }
    let names: Vec<String> = DERIVED.iter().map(|column| format!("{} = ?", column.name)).collect();
    let update = format!("UPDATE main.connectors SET {} WHERE key = ?", names.join(", "));
    let sql = format!("SELECT {} FROM main.connectors WHERE is_derived = 0 LIMIT {BATCH}", select(""));
    loop {
        let rows: Vec<Connector> = connection.prepare_cached(&sql)?.query_map([], read)?.collect::<Result<_, _>>()?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut write = connection.prepare_cached(&update)?;
        for record in &rows {
            let derived = Derived::of(record);
            let values = DERIVED.iter().map(|column| (column.get)(&derived)).chain([ValueRef::Integer(record.key)]);
            write.execute(params_from_iter(values.map(ToSqlOutput::Borrowed)))?;
        }
    }
}

/// Stores what is due before a transaction does anything else; usually nothing is due.
pub(in crate::store) fn store_if_due(connection: &Connection) -> rusqlite::Result<()> {
    if is_due(connection)? { store(connection) } else { Ok(()) }
}

/// Puts a view with derived columns over the connectors of a file that is only read.
pub(in crate::store) fn overlay(connection: &Connection, schema: i64) -> rusqlite::Result<()> {
    let is_first = schema < 2;
    let names: Vec<&str> = DERIVED.iter().map(|column| column.name).chain(["auth_mode"]).collect();
    connection
        .execute_batch(&format!("CREATE TEMP TABLE derived_here (key INTEGER PRIMARY KEY, {})", names.join(", ")))?;
    let insert =
        format!("INSERT INTO temp.derived_here (key, {}) VALUES (?{})", names.join(", "), ", ?".repeat(names.len()));
    let source = if is_first {
        format!("SELECT {} FROM main.connectors ORDER BY rowid", select_1())
    } else {
        let due = if has_these_rules(connection)? { "WHERE is_derived = 0" } else { "" };
        format!("SELECT {} FROM main.connectors {due} ORDER BY key", select(""))
    };
    let mut write = connection.prepare(&insert)?;
    let mut reading = connection.prepare(&source)?;
    let mut rows = reading.query([])?;
    let next = || rows.next()?.map(read).transpose();
    each_derived(next, |mut record, derived| {
        record.auth_mode = carried_auth_mode(&record);
        let mode = record.auth_mode.map_or(ValueRef::Null, |mode| ValueRef::Text(mode.as_str().as_bytes()));
        let values = [ValueRef::Integer(record.key)].into_iter();
        let values = values.chain(DERIVED.iter().map(|column| (column.get)(&derived))).chain([mode]);
        write.execute(params_from_iter(values.map(ToSqlOutput::Borrowed))).map(drop)
    })?;
    connection.execute_batch(&view(is_first))
}

fn view(is_first: bool) -> String {
    let derived = |column: &str| match is_first {
        true => format!("d.{column}"),
        false => format!("iif(d.key IS NULL, c.{column}, d.{column}) AS {column}"),
    };
    let own: Vec<String> = schema::COLUMNS_1.iter().map(|column| format!("c.{column}")).collect();
    let columns: Vec<String> = DERIVED.iter().map(|column| derived(column.name)).collect();
    let (key, later) = match is_first {
        true => ("c.rowid AS key", "d.auth_mode, 0 AS revision"),
        false => ("c.key", "c.auth_mode, c.revision"),
    };
    let on = if is_first { "c.rowid" } else { "c.key" };
    format!(
        "CREATE TEMP VIEW connectors AS SELECT {key}, {}, {later}, {} FROM main.connectors AS c
         LEFT JOIN temp.derived_here AS d ON d.key = {on}",
        own.join(", "),
        columns.join(", ")
    )
}

/// The columns of a table of schema 1, as [`select`] names those of schema 2.
pub(in crate::store) fn select_1() -> String {
    select("").replace("auth_mode", "NULL").replace("revision", "0").replace("key", "rowid")
}

/// Derives from each record that `next` yields on a second thread, while the caller's reads and writes.
pub(in crate::store) fn each_derived<E>(
    next: impl FnMut() -> Result<Option<Connector>, E>,
    mut each: impl FnMut(Connector, Derived) -> Result<(), E>,
) -> Result<(), E> {
    let derive = |record: Connector| {
        let derived = Derived::of(&record);
        (record, derived)
    };
    map_ahead(next, derive, |(record, derived)| each(record, derived))
}
