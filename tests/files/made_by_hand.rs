//! Files of other programs: unusable ones are refused, untouched; usable ones can be undone byte for byte.

use std::path::{Path, PathBuf};

use rusqlite::types::Value;

use super::program::{exit_code, run};
use crate::support::{TestDir, execute, rows};

/// The columns of schema 1 without anything that keeps wrong values out.
const LOOSE: &str = "id TEXT, connector_type_id TEXT, name TEXT, config TEXT, secrets TEXT, is_missing_secrets INTEGER, \
     extra TEXT, model_version INTEGER, created_at TEXT, updated_at TEXT";

const ROW: &str = "'.webhook', 'Hook', '{\"authType\":\"basic\"}', NULL, 0, '{}', 1, NULL, NULL";

fn made(dir: &TestDir, name: &str, sql: &str) -> PathBuf {
    let path = dir.path(name);
    execute(&path, &format!("{sql}; PRAGMA user_version = 1; PRAGMA application_id = 1129270862"));
    path
}

/// A loose table with a primary key, and one row.
fn keyed(rest: &str) -> String {
    format!(
        "CREATE TABLE connectors ({}); INSERT INTO connectors VALUES ('a', {ROW}); {rest}",
        LOOSE.replacen("id TEXT", "id TEXT PRIMARY KEY", 1)
    )
}

/// Every shape that cannot be upgraded without loss, with the refusal.
#[test]
fn unusable_schema_is_refused_with_the_reason() {
    let dir = TestDir::new();
    let loose = format!("CREATE TABLE connectors ({LOOSE})");
    for (at, (sql, word)) in [
        (format!("{loose}; INSERT INTO connectors VALUES ('a', {ROW}), ('a', {ROW})"), "has the id \"a\" several times"),
        (format!("{loose}; INSERT INTO connectors VALUES (7, {ROW})").replace("id TEXT,", "id,"), "whose id is not of the kind"),
        (format!("{loose}; INSERT INTO connectors VALUES (x'00ff', {ROW})"), "whose id is not of the kind"),
        (format!("{loose}; INSERT INTO connectors VALUES (CAST(x'61ff' AS TEXT), {ROW})"), "whose id is not UTF-8"),
        (format!("{loose}; INSERT INTO connectors VALUES (NULL, {ROW})"), "whose id is not of the kind"),
        (format!("{loose}; INSERT INTO connectors VALUES ('a', {})", ROW.replace("'{\"authType\":\"basic\"}'", "NULL")), "whose config is not of the kind"),
        (format!("{loose}; INSERT INTO connectors VALUES ('a', {})", ROW.replace("'{}'", "NULL")), "whose extra is not of the kind"),
        (format!("{loose}; INSERT INTO connectors VALUES ('a', {})", ROW.replace("'Hook'", "x'00'")), "whose name is not of the kind"),
        (keyed("CREATE TRIGGER twin AFTER UPDATE ON connectors BEGIN UPDATE connectors SET name = 'x' WHERE id <> new.id; END"), "has a trigger twin that changes connectors"),
        (keyed("CREATE TABLE child (of TEXT REFERENCES connectors (id) ON DELETE CASCADE)"), "has a table child whose rows go or change"),
        (keyed("CREATE TABLE child (of TEXT REFERENCES connectors (id) ON UPDATE SET NULL)"), "has a table child whose rows go or change"),
        (format!("CREATE TABLE connectors ({LOOSE}, rowid TEXT)"), "has a column named rowid"),
        (keyed("ALTER TABLE connectors ADD COLUMN auth_mode TEXT"), "has an extra column auth_mode"),
        (keyed("CREATE TABLE history (what TEXT)"), "has an extra table history"),
        (format!("CREATE TABLE connectors ({}) WITHOUT ROWID", LOOSE.replacen("id TEXT", "id TEXT PRIMARY KEY", 1)), "WITHOUT ROWID"),
        (keyed("CREATE TRIGGER quiet BEFORE INSERT ON connectors BEGIN SELECT RAISE(IGNORE); END"), "has a trigger quiet that changes connectors, or leaves them out"),
        (keyed("ALTER TABLE connectors ADD COLUMN owner TEXT DEFAULT 'me'"), "has an extra column owner"),
        (format!("CREATE TABLE connectors (n INTEGER PRIMARY KEY, {LOOSE})"), "has an extra column n"),
        (format!("CREATE TABLE connectors ({}); INSERT INTO connectors VALUES ('a', {ROW})", LOOSE.replace("name TEXT", "name TEXT UNIQUE ON CONFLICT REPLACE")), "more than the ids of its connectors is unique"),
        (keyed("CREATE UNIQUE INDEX one ON connectors (name) WHERE model_version = 2"), "demands by one that more than the ids"),
        (format!("CREATE TABLE kinds (k TEXT); CREATE TABLE connectors ({})", LOOSE.replace("connector_type_id TEXT", "connector_type_id TEXT REFERENCES kinds (k)")), "refer to the table kinds"),
        (format!("CREATE TABLE connectors ({})", LOOSE.replace("model_version INTEGER", "model_version INTEGER CHECK (model_version = 1)")), "has \
                                                                                                                                              extra \
                                                                                                                                              conditions \
                                                                                                                                              (CHECK)"),
        (keyed("CREATE INDEX connectors_by_name ON connectors (name)"), "has the extra index connectors_by_name"),
        (keyed("CREATE TABLE log (id TEXT); CREATE TRIGGER connectors_deleted AFTER DELETE ON connectors BEGIN INSERT INTO log VALUES (old.id); END"), "has \
                                                                                                                                                        the \
                                                                                                                                                        extra \
                                                                                                                                                        trigger \
                                                                                                                                                        connectors_deleted"),
        (format!("CREATE TABLE theirs ({LOOSE}); CREATE VIEW connectors AS SELECT * FROM theirs"), "has a view named connectors"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = made(&dir, &format!("{at}.db"), &sql);
        let (before, names) = (std::fs::read(&path).unwrap(), dir.names());
        for arguments in [&["upgrade"][..], &["toggle", "a"]] {
            let error = exit_code(&run(&path, arguments), 2);
            assert!(error.contains(word) && error.contains("nothing was changed"), "{sql}: {error}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), before, "{sql}");
        assert_eq!(dir.names(), names, "{sql}");
    }
}

/// Shapes that are unusual and can be worked with: upgraded, edited, migrated, deleted, undone.
#[test]
fn unusual_schema_is_upgraded() {
    let dir = TestDir::new();
    let loose = format!("CREATE TABLE connectors ({LOOSE})");
    for (at, sql) in [
        // No primary key, but unique ids.
        format!("{loose}; INSERT INTO connectors VALUES ('a', {ROW}), ('b', {ROW})"),
        // The first and the last rows that SQLite has.
        format!(
            "{loose}; INSERT INTO connectors (rowid, id, connector_type_id, name, config, secrets, is_missing_secrets, extra, \
             model_version, created_at, updated_at) VALUES (-9223372036854775808, 'a', {ROW}), (-5, 'b', {ROW})"
        ),
        // Columns in another order, and more of them; an index, a view and a harmless trigger.
        keyed(
            "ALTER TABLE connectors ADD COLUMN shout TEXT AS (upper(name)); CREATE INDEX theirs ON connectors (name); \
             CREATE TABLE audit (id TEXT); CREATE VIEW names AS SELECT name FROM connectors; \
             CREATE TRIGGER log AFTER UPDATE ON connectors BEGIN INSERT INTO audit VALUES (new.id); END; \
             CREATE TABLE notes (of TEXT REFERENCES connectors (id))",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let path = made(&dir, &format!("{at}.db"), &sql);
        exit_code(&run(&path, &["upgrade"]), 0);
        let all = "SELECT * FROM connectors ORDER BY id";
        let of_old = "SELECT id, config, auth_mode, model_version FROM connectors ORDER BY id";
        let before = rows(&path, of_old);
        exit_code(&run(&path, &["migrate", "--apply"]), 0);
        assert!(rows(&path, of_old).iter().all(|row| row.contains("\"shared\"|Integer(2)")), "{sql}");
        exit_code(&run(&path, &["undo"]), 0);
        assert_eq!(rows(&path, of_old), before, "{sql}");
        let whole = rows(&path, all);
        exit_code(&run(&path, &["toggle", "a"]), 0);
        exit_code(&run(&path, &["undo"]), 0);
        assert_eq!(rows(&path, all), whole, "{sql}");
        exit_code(&run(&path, &["delete", "a"]), 0);
        exit_code(&run(&path, &["undo"]), 0);
        assert_eq!(rows(&path, of_old), before, "{sql}");
        assert_eq!(exit_code(&run(&path, &["check"]), 1).matches("the file is not damaged").count(), 1);
    }
}

#[test]
fn later_trigger_or_reference_stops_only_writing() {
    let dir = TestDir::new();
    let path = made(&dir, "a.db", &keyed(""));
    exit_code(&run(&path, &["upgrade"]), 0);
    for (make, drop) in [
        ("CREATE TRIGGER twin AFTER DELETE ON connectors BEGIN DELETE FROM connectors; END", "DROP TRIGGER twin"),
        ("CREATE TABLE child (of TEXT REFERENCES connectors (id) ON DELETE CASCADE)", "DROP TABLE child"),
        ("ALTER TABLE connectors ADD COLUMN owner TEXT", "ALTER TABLE connectors DROP COLUMN owner"),
        ("CREATE UNIQUE INDEX names ON connectors (name)", "DROP INDEX names"),
    ] {
        execute(&path, make);
        exit_code(&run(&path, &["toggle", "a"]), 2);
        exit_code(&run(&path, &["list"]), 0);
        execute(&path, drop);
        exit_code(&run(&path, &["toggle", "a"]), 0);
    }
}

#[test]
fn empty_id_and_empty_secrets_can_be_undone() {
    let dir = TestDir::new();
    let path = made(
        &dir,
        "a.db",
        &keyed(&format!("INSERT INTO connectors VALUES ('', {ROW}); UPDATE connectors SET secrets = '{{}}'")),
    );
    exit_code(&run(&path, &["upgrade"]), 0);
    let all = "SELECT id, name, config, secrets, auth_mode, model_version FROM connectors ORDER BY id";
    let before = rows(&path, all);
    for arguments in [
        &["delete", "--", ""][..],
        &["delete", "a"],
        &["toggle", "--to", "per-user", "--", ""],
        &["migrate", "--apply"],
    ] {
        exit_code(&run(&path, arguments), 0);
        assert_ne!(rows(&path, all), before, "{arguments:?}");
        exit_code(&run(&path, if arguments[0] == "migrate" { &["migrate", "--rollback"] } else { &["undo"] }), 0);
        assert_eq!(rows(&path, all), before, "{arguments:?}");
    }
}

/// Texts that are not UTF-8 in every column that has text.
fn with_foreign_bytes(dir: &TestDir) -> PathBuf {
    let path = made(
        dir,
        "bytes.db",
        &keyed(&format!(
            "INSERT INTO connectors VALUES ('b', CAST(x'2e77ff' AS TEXT), CAST(x'4dfc6e636865ff' AS TEXT), \
             CAST(x'7b2261223a22ff227d' AS TEXT), CAST(x'fffe' AS TEXT), 0, CAST(x'7bff7d' AS TEXT), 1, \
             CAST(x'ff' AS TEXT), CAST(x'fe' AS TEXT)); INSERT INTO connectors VALUES ('c', {ROW})"
        )),
    );
    exit_code(&run(&path, &["upgrade"]), 0);
    path
}

fn bytes_of(path: &Path) -> Vec<Vec<Value>> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let columns = "id, connector_type_id, name, config, secrets, is_missing_secrets, extra, model_version, created_at, updated_at, auth_mode";
    let hex =
        columns.split(", ").map(|column| format!("hex({column}), typeof({column})")).collect::<Vec<_>>().join(", ");
    let mut statement = connection.prepare(&format!("SELECT {hex} FROM connectors ORDER BY id")).unwrap();
    let count = statement.column_count();
    statement
        .query_map([], |row| (0..count).map(|at| row.get(at)).collect())
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

#[test]
fn non_utf8_bytes_round_trip() {
    let dir = TestDir::new();
    let path = with_foreign_bytes(&dir);
    let before = bytes_of(&path);
    for (command, count) in [(&["delete", "b"][..], 1), (&["delete", "a", "b", "c"], 3)] {
        exit_code(&run(&path, command), 0);
        assert_eq!(bytes_of(&path).len(), 3 - count);
        exit_code(&run(&path, &["undo"]), 0);
        assert_eq!(bytes_of(&path), before);
        exit_code(&run(&path, &["redo"]), 0);
        exit_code(&run(&path, &["undo"]), 0);
        assert_eq!(bytes_of(&path), before);
    }
    // A change of another column keeps them, and so does undo.
    exit_code(&run(&path, &["toggle", "b"]), 0);
    let toggled = bytes_of(&path);
    let updated_at = before[1].len() - 4..before[1].len();
    for (at, (one, other)) in before[1].iter().zip(&toggled[1]).enumerate() {
        assert!(one == other || updated_at.contains(&at) || at >= updated_at.end, "column {at}");
    }
    exit_code(&run(&path, &["undo"]), 0);
    assert_eq!(bytes_of(&path), before);
}

#[test]
fn non_utf8_bytes_are_reported_before_replacement() {
    let dir = TestDir::new();
    let path = with_foreign_bytes(&dir);
    // A list shows every record, and reports what it could not represent.
    let output = run(&path, &["list", "--json"]);
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 3);
    assert!(exit_code(&output, 1).contains("1 connector with text that is not UTF-8"));
    exit_code(&run(&path, &["get", "b", "--json"]), 1);
    assert!(exit_code(&run(&path, &["list", "--csv"]), 1).contains("1 connector with text that is not UTF-8"));
    // An export leaves the record out, by name.
    let output = run(&path, &["export"]);
    let lines = String::from_utf8_lossy(&output.stdout).lines().count();
    assert_eq!(lines, 3, "two connectors and the summary");
    assert!(exit_code(&output, 1).contains("excluded b: its connector_type_id is not UTF-8"));
    let check = exit_code(&run(&path, &["check"]), 1);
    for column in ["connector_type_id", "name", "config", "secrets", "extra", "created_at", "updated_at"] {
        assert!(
            check.lines().any(|line| line.starts_with('b') && line.contains(column) && line.contains("not UTF-8")),
            "{column}: {check}"
        );
    }
}

#[test]
fn non_utf8_id_is_listed_and_reported() {
    let dir = TestDir::new();
    let path = with_foreign_bytes(&dir);
    execute(
        &path,
        &format!(
            "INSERT INTO connectors (id, connector_type_id, name, config, secrets, is_missing_secrets, extra, model_version, created_at, updated_at) VALUES (CAST(x'64ff' AS TEXT), {ROW})"
        ),
    );
    let output = run(&path, &["list", "--jsonl"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 4);
    exit_code(&output, 1);
    let check = exit_code(&run(&path, &["check"]), 1);
    assert!(check.contains("give it another id"), "{check}");
}

#[test]
fn wrong_storage_class_is_reported_and_prevented() {
    let dir = TestDir::new();
    let columns = LOOSE.replacen("id TEXT", "id PRIMARY KEY", 1);
    let path =
        made(&dir, "a.db", &format!("CREATE TABLE connectors ({columns}); INSERT INTO connectors VALUES ('a', {ROW})"));
    let wrong = format!(
        "INSERT INTO connectors (id, connector_type_id, name, config, secrets, is_missing_secrets, extra, model_version, created_at, updated_at) VALUES (7, {ROW})"
    );
    execute(&path, &wrong);
    let check = exit_code(&run(&path, &["check"]), 1);
    assert!(check.contains("whose id is not of the kind") && check.contains("correct that row"), "{check}");
    execute(&path, "DELETE FROM connectors WHERE id = 7");
    exit_code(&run(&path, &["upgrade"]), 0);
    // The table of schema 2 accepts no other kind.
    execute(&path, &wrong);
    assert_eq!(rows(&path, "SELECT typeof(id), id FROM connectors WHERE id = '7'").concat(), "\"text\"|\"7\"");
    let check = exit_code(&run(&path, &["check"]), 1);
    assert!(!check.contains("whose id is not of the kind"), "{check}");
}
