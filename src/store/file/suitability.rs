//! Files made by hand: whether the program can work with their table without losing anything.
//!
//! The history holds one row at a time, found by id and rowid. A table without these, or with rows that cascade to
//! others, could change in ways that undo cannot restore. Such a file is refused, untouched, with the reason and
//! advice.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::schema::{COLUMNS_1, COLUMNS_2, OLD_TABLE, OWN_TABLES, OWN_TRIGGERS, steps};
use crate::store::error::StoreError;

/// The requirements of each text column of schema 1.
const NEEDED: [(&str, &str); 7] = [
    ("id", "text"),
    ("connector_type_id", "text"),
    ("name", "text"),
    ("config", "text"),
    ("extra", "text"),
    ("is_missing_secrets", "integer"),
    ("model_version", "integer"),
];

/// Columns that may hold nothing.
const OPTIONAL: [&str; 3] = ["secrets", "created_at", "updated_at"];

/// Why a file is refused: its property, and the advice.
type Refusal = (String, &'static str);

/// Refuses a table that nothing can be read from reliably.
pub(in crate::store) fn check_readable(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    refuse(path, shape(connection))
}

/// Refuses a file that cannot be written to without losing something.
pub(in crate::store) fn check_writable(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    refuse(path, shape(connection))?;
    refuse(path, side_effects(connection))?;
    refuse(path, own_rules(connection))
}

/// Refuses a file of schema 1 that could not be worked with once it is upgraded.
pub(in crate::store) fn check_upgradable(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    check_writable(path, connection)?;
    refuse(path, names_in_use(connection))?;
    refuse(path, first_wrong_value(connection))?;
    let is_unique = has_unique_ids(connection).map_err(|error| failed(path, error))?;
    if is_unique { Ok(()) } else { refuse(path, duplicate(connection)) }
}

fn refuse(path: &Path, found: rusqlite::Result<Option<Refusal>>) -> Result<(), StoreError> {
    match found.map_err(|error| failed(path, error))? {
        None => Ok(()),
        Some((reason, advice)) => {
            Err(StoreError::Unsuitable { path: path.to_owned(), reason, advice: advice.to_owned() })
        }
    }
}

fn failed(path: &Path, error: rusqlite::Error) -> StoreError {
    StoreError::of_sqlite(path, "checking the file", error)
}

/// The kind of the table, and its columns.
fn shape(connection: &Connection) -> rusqlite::Result<Option<Refusal>> {
    const NEW_TABLE: &str = "Create a table as documented in the file format, and copy the rows into it";
    let (kind, without_rowid): (String, bool) = connection
        .prepare("SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = 'connectors' COLLATE NOCASE")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if kind != "table" {
        return Ok(Some((format!("has a {kind} named connectors, not a table"), NEW_TABLE)));
    }
    if without_rowid {
        return Ok(Some(("has a table of connectors WITHOUT ROWID".to_owned(), NEW_TABLE)));
    }
    let mut columns = connection.prepare("SELECT lower(name), hidden FROM pragma_table_xinfo('connectors', 'main')")?;
    let mut rows = columns.query([])?;
    while let Some(row) = rows.next()? {
        let (name, hidden): (String, i64) = (row.get(0)?, row.get(1)?);
        if ["rowid", "oid", "_rowid_"].contains(&name.as_str()) {
            let reason = format!("has a column named {name} in its table of connectors, which hides SQLite's own");
            return Ok(Some((reason, "Rename it: ALTER TABLE connectors RENAME COLUMN")));
        }
        if hidden != 0 && COLUMNS_1.contains(&name.as_str()) {
            return Ok(Some((format!("computes the column {name} of its connectors"), NEW_TABLE)));
        }
    }
    Ok(None)
}

/// Triggers and references that change other rows when a connector is written.
fn side_effects(connection: &Connection) -> rusqlite::Result<Option<Refusal>> {
    let mut triggers = connection.prepare(
        "SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = 'connectors' COLLATE NOCASE",
    )?;
    let mut rows = triggers.query([])?;
    while let Some(row) = rows.next()? {
        let (name, sql): (String, String) = (row.get(0)?, row.get(1)?);
        if !OWN_TRIGGERS.contains(&name.as_str()) && (writes_connectors(&sql) || may_skip_row(&sql)) {
            let reason = format!(
                "has a trigger {name} that changes connectors, or leaves them out, when one is written; no undo could follow"
            );
            return Ok(Some((reason, "Remove it with DROP TRIGGER, or open the file with --read-only")));
        }
    }
    let reference: Option<(String, String, String)> = connection
        .prepare(
            "SELECT child.name, refs.on_delete, refs.on_update
             FROM pragma_table_list AS child, pragma_foreign_key_list(child.name, 'main') AS refs
             WHERE child.schema = 'main' AND child.type = 'table' AND refs.\"table\" = 'connectors' COLLATE NOCASE
             AND child.name NOT IN (SELECT value FROM json_each(?1))
             AND (refs.on_delete NOT IN ('NO ACTION', 'RESTRICT') OR refs.on_update NOT IN ('NO ACTION', 'RESTRICT'))",
        )?
        .query_row([serde_json::json!(OWN_TABLES).to_string()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    Ok(reference.map(|(table, on_delete, on_update)| {
        let reason = format!(
            "has a table {table} whose rows go or change with the connectors (ON DELETE {on_delete}, ON UPDATE \
             {on_update}); no undo could restore them"
        );
        (reason, "Make it a reference without an action, or open the file with --read-only")
    }))
}

/// Finds extra columns and constraints in the table. Undo cannot restore unknown columns of a deleted connector, and a
/// constraint may refuse or replace rows.
fn own_rules(connection: &Connection) -> rusqlite::Result<Option<Refusal>> {
    const APART: &str = "Keep it in a separate table, or open the file with --read-only";
    let mut columns =
        connection.prepare("SELECT name FROM pragma_table_xinfo('connectors', 'main') WHERE hidden = 0")?;
    let names: Vec<String> = columns.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let is_ours = |name: &str| COLUMNS_1.iter().chain(&COLUMNS_2).any(|own| own.eq_ignore_ascii_case(name));
    if let Some(name) = names.iter().find(|name| !is_ours(name)) {
        let reason = format!("has an extra column {name} in its table of connectors, which no undo could restore");
        return Ok(Some((reason, APART)));
    }
    const WITHOUT: &str = "Make the table again without it, or open the file with --read-only";
    let unique: Option<String> = connection
        .prepare(
            "SELECT list.name FROM pragma_index_list('connectors', 'main') AS list WHERE list.\"unique\" AND
             (SELECT group_concat(lower(name)) FROM pragma_index_info(list.name, 'main')) IS NOT 'id'",
        )?
        .query_row([], |row| row.get(0))
        .optional()?;
    if let Some(name) = unique {
        return Ok(Some((format!("demands by {name} that more than the ids of its connectors is unique"), WITHOUT)));
    }
    let parent: Option<String> = connection
        .prepare("SELECT \"table\" FROM pragma_foreign_key_list('connectors', 'main')")?
        .query_row([], |row| row.get(0))
        .optional()?;
    if let Some(parent) = parent {
        return Ok(Some((format!("demands that its connectors refer to the table {parent}"), WITHOUT)));
    }
    let sql: String = connection
        .prepare("SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = 'connectors' COLLATE NOCASE")?
        .query_row([], |row| row.get(0))?;
    let checks = words_of(&sql).filter(|word| word == "check").count();
    // Schema 2 has two: of the auth mode and of the migration group.
    let own = if names.iter().any(|name| name == "auth_mode") { 2 } else { 0 };
    Ok((checks > own).then(|| ("has extra conditions (CHECK) on its connectors".to_owned(), WITHOUT)))
}

fn words_of(sql: &str) -> impl Iterator<Item = String> {
    let words = sql.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Returns whether a trigger may skip a row silently.
fn may_skip_row(sql: &str) -> bool {
    let words: Vec<String> = words_of(sql).collect();
    words.windows(2).any(|pair| pair == ["raise", "ignore"])
}

/// Returns whether the body of a trigger writes to the table of connectors.
fn writes_connectors(sql: &str) -> bool {
    let words: Vec<String> = words_of(sql).collect();
    let body = words.iter().position(|word| word == "begin").unwrap_or(0);
    let words = words.get(body..).unwrap_or_default();
    let target = |verb: usize, from: usize| {
        // UPDATE OR IGNORE main.connectors, INSERT OR REPLACE INTO connectors, DELETE FROM connectors.
        words.get(verb..).unwrap_or_default().iter().skip(from).take(4).any(|word| word == "connectors")
    };
    words
        .iter()
        .enumerate()
        .any(|(at, word)| matches!(word.as_str(), "update" | "insert" | "replace" | "delete") && target(at, 1))
}

/// Tables, indexes, triggers and columns under the names that the upgrade gives.
fn names_in_use(connection: &Connection) -> rusqlite::Result<Option<Refusal>> {
    const RENAME: &str = "Rename it first: the program needs the name";
    let table: Option<String> = connection
        .prepare("SELECT name FROM main.sqlite_schema WHERE lower(name) IN (SELECT value FROM json_each(?1))")?
        .query_row([serde_json::json!(OWN_TABLES).to_string()], |row| row.get(0))
        .optional()?;
    if let Some(table) = table {
        return Ok(Some((format!("has an extra table {table}"), RENAME)));
    }
    let other: Option<(String, String)> = connection
        .prepare(
            "SELECT type, name FROM main.sqlite_schema
             WHERE type IN ('index', 'trigger', 'view') AND lower(name) IN (SELECT value FROM json_each(?1))",
        )?
        .query_row([serde_json::json!(made_by_upgrade()).to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((kind, name)) = other {
        return Ok(Some((format!("has the extra {kind} {name}"), "Drop it first: the program needs the name")));
    }
    let column: Option<String> = connection
        .prepare(
            "SELECT name FROM pragma_table_xinfo('connectors', 'main')
             WHERE lower(name) IN (SELECT value FROM json_each(?1))",
        )?
        .query_row([serde_json::json!(COLUMNS_2).to_string()], |row| row.get(0))
        .optional()?;
    Ok(column.map(|column| (format!("has an extra column {column} in its table of connectors"), RENAME)))
}

/// Returns the names that an upgrade creates.
fn made_by_upgrade() -> Vec<String> {
    let of_step = |sql: &str| -> Vec<String> {
        let words: Vec<String> = words_of(sql).collect();
        let is_kind = |word: &String| ["index", "trigger", "table", "view"].contains(&word.as_str());
        words.windows(2).filter(|pair| is_kind(&pair[0])).map(|pair| pair[1].clone()).collect()
    };
    let made = steps().into_iter().flat_map(|step| of_step(step.sql)).chain([OLD_TABLE.to_owned()]);
    made.filter(|name| name.contains('_') || OWN_TABLES.contains(&name.as_str())).collect()
}

fn first_wrong_value(connection: &Connection) -> rusqlite::Result<Option<Refusal>> {
    let found = wrong_values(connection, true, 1)?.pop();
    Ok(found.map(|found| (format!("has {found}"), CORRECT_ROW)))
}

/// The advice for [`wrong_values`].
pub(in crate::store) const CORRECT_ROW: &str = "Correct that row with `sqlite3 FILE`, then open the file again";

/// Returns the first values that schema 1 does not allow, which a table made by hand may hold; with `with_ids` also the
/// ids that are not UTF-8.
pub(in crate::store) fn wrong_values(
    connection: &Connection,
    with_ids: bool,
    limit: usize,
) -> rusqlite::Result<Vec<String>> {
    let needed = NEEDED.iter().map(|(column, kind)| format!("WHEN typeof({column}) <> '{kind}' THEN '{column}'"));
    let optional =
        OPTIONAL.iter().map(|column| format!("WHEN typeof({column}) NOT IN ('text', 'null') THEN '{column}'"));
    let kinds = needed.chain(optional).collect::<Vec<_>>().join(" ");
    let mut statement = connection.prepare(&format!("SELECT rowid, id, CASE {kinds} END FROM main.connectors"))?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let (Some(row), true) = (rows.next()?, found.len() < limit) {
        let row_id: i64 = row.get(0)?;
        let column: Option<String> = row.get(2)?;
        let is_text_id = row.get_ref(1)?.as_str().is_ok();
        let (column, is) = match column {
            Some(column) => (column, "not of the kind that schema 1 has (text, or an integer for a number; not NULL)"),
            None if with_ids && !is_text_id => ("id".to_owned(), "not UTF-8"),
            None => continue,
        };
        found.push(format!("a connector (rowid {row_id}) whose {column} is {is}"));
    }
    Ok(found)
}

/// A primary key or a unique index on the id alone.
fn has_unique_ids(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT EXISTS (
           SELECT 1 FROM pragma_index_list('connectors', 'main') AS list WHERE list.\"unique\" AND NOT list.partial
           AND (SELECT count(*) FROM pragma_index_info(list.name, 'main')) = 1
           AND (SELECT lower(name) FROM pragma_index_info(list.name, 'main')) = 'id')",
        [],
        |row| row.get(0),
    )
}

fn duplicate(connection: &Connection) -> rusqlite::Result<Option<Refusal>> {
    let id: Option<String> = connection
        .prepare("SELECT id FROM main.connectors GROUP BY id HAVING count(*) > ?1 LIMIT 1")?
        .query_row(params![1], |row| row.get(0))
        .optional()?;
    let advice = "An id is unique: give one of them another id, or delete it";
    Ok(id.map(|id| (format!("has the id {id:?} several times"), advice)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_writing_connectors_are_recognized() {
        for (body, writes) in [
            ("UPDATE connectors SET name = 'x' WHERE id = new.id", true),
            ("update or ignore \"main\".\"connectors\" set name = 1", true),
            ("DELETE FROM connectors WHERE id <> old.id", true),
            ("INSERT OR REPLACE INTO connectors (id) VALUES ('x')", true),
            ("INSERT INTO audit SELECT id FROM connectors", false),
            ("INSERT INTO audit VALUES (new.id)", false),
            ("SELECT count(*) FROM connectors", false),
        ] {
            let sql = format!("CREATE TRIGGER t AFTER UPDATE ON connectors BEGIN {body}; END");
            assert_eq!(writes_connectors(&sql), writes, "{body}");
        }
    }
}
