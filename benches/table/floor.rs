//! Floors: the work of a short script for the same rows, with a primary key, an index on the name, batches, and one
//! journal row for each record where the job keeps a journal. No checks, no progress, no undo.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::{Map, Value};

/// Rows in one transaction of a job that goes along the table.
const BATCH: usize = 2_000;

const TABLES: &str = "CREATE TABLE connectors (id TEXT PRIMARY KEY, connector_type_id TEXT, name TEXT, config TEXT,
     secrets TEXT, is_missing_secrets INTEGER, extra TEXT, model_version INTEGER, created_at TEXT, updated_at TEXT,
     auth_mode TEXT, revision INTEGER);
   CREATE INDEX by_name ON connectors (name COLLATE NOCASE);
   CREATE TABLE journal (step INTEGER, key INTEGER, before TEXT, after TEXT, PRIMARY KEY (step, key)) WITHOUT ROWID;";

const INSERT: &str =
    "INSERT INTO connectors (rowid, id, connector_type_id, name, config, secrets, is_missing_secrets, extra,
     model_version, created_at, updated_at, auth_mode, revision)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536")
        .unwrap();
    connection
}

/// A file with the records of a file of schema 1.
pub fn file_of(schema_1: &Path, path: &Path) {
    let connection = open(path);
    connection.execute_batch(TABLES).unwrap();
    connection.execute("ATTACH ?1 AS old", [schema_1.to_str().unwrap()]).unwrap();
    connection
        .execute_batch(
            "INSERT INTO connectors SELECT id, connector_type_id, name, config, secrets, is_missing_secrets, extra,
               model_version, created_at, updated_at, NULL, 0 FROM old.connectors ORDER BY rowid",
        )
        .unwrap();
}

/// Parses an export and adds its lines to a new file.
pub fn import(export: &Path, path: &Path) {
    let mut connection = open(path);
    connection.execute_batch(TABLES).unwrap();
    let transaction = connection.transaction().unwrap();
    for (key, line) in (1_i64..).zip(BufReader::new(File::open(export).unwrap()).lines()) {
        let Value::Object(mut document) = serde_json::from_str(&line.unwrap()).unwrap() else { continue };
        let Some(Value::Object(mut attributes)) = document.remove("attributes") else { continue };
        let text = |of: &mut Map<String, Value>, name: &str| {
            of.remove(name).and_then(|found| found.as_str().map(str::to_owned))
        };
        let (id, created, updated) =
            (text(&mut document, "id"), text(&mut document, "created_at"), text(&mut document, "updated_at"));
        let (kind, name, mode) =
            (text(&mut attributes, "actionTypeId"), text(&mut attributes, "name"), text(&mut attributes, "authMode"));
        let config = attributes.remove("config").unwrap_or_default().to_string();
        let values = params![
            key,
            id,
            kind,
            name,
            config,
            None::<String>,
            0,
            Value::from(document).to_string(),
            1,
            created,
            updated,
            mode,
            1
        ];
        transaction.prepare_cached(INSERT).unwrap().execute(values).unwrap();
        note(&transaction, 1, key, None, Some("{}"));
    }
    transaction.commit().unwrap();
}

/// Writes the connectors of a file of the program as lines, their JSON parsed and written again.
pub fn export(path: &Path, target: &Path) {
    let connection = Connection::open(path).unwrap();
    let mut out = BufWriter::new(File::create(target).unwrap());
    let mut statement = connection
        .prepare("SELECT id, connector_type_id, name, config, extra, created_at, updated_at, auth_mode FROM connectors ORDER BY id")
        .unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let text = |at: usize| row.get::<_, Option<String>>(at).unwrap();
        let json = |at: usize| serde_json::from_str::<Value>(&text(at).unwrap_or_default()).unwrap_or_default();
        let mut document = json(4);
        document["attributes"] = serde_json::json!({"actionTypeId": text(1), "name": text(2), "config": json(3), "authMode": text(7), "secrets": {}});
        document["id"] = text(0).into();
        document["created_at"] = text(5).into();
        document["updated_at"] = text(6).into();
        writeln!(out, "{document}").unwrap();
    }
}

/// Copies the file and rebuilds its table with the indexes of schema 2, without derived values.
pub fn upgrade(path: &Path) {
    std::fs::copy(path, path.with_extension("copy")).unwrap();
    File::open(path.with_extension("copy")).unwrap().sync_all().unwrap();
    let schema = include_str!("../../assets/schema/2.sql");
    let steps: Vec<String> = schema.split("-- step: ").skip(1).map(|step| format!("-- {step}")).collect();
    let (first, rest) = steps.split_first().unwrap();
    let columns = "id, connector_type_id, name, config, secrets, is_missing_secrets, extra, model_version, created_at, updated_at";
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(&format!(
            "PRAGMA cache_size = -65536; PRAGMA legacy_alter_table = ON; BEGIN IMMEDIATE;
             ALTER TABLE connectors RENAME TO old; {first};
             INSERT INTO connectors ({columns}) SELECT {columns} FROM old ORDER BY rowid; DROP TABLE old;
             {}; PRAGMA user_version = 2; COMMIT",
            rest.concat()
        ))
        .unwrap();
    std::fs::remove_file(path.with_extension("copy")).unwrap();
}

fn note(connection: &Connection, step: i64, key: i64, before: Option<&str>, after: Option<&str>) {
    connection
        .prepare_cached("INSERT INTO journal VALUES (?1, ?2, ?3, ?4)")
        .unwrap()
        .execute(params![step, key, before, after])
        .unwrap();
}

/// Goes along a query in batches; `each` gets the rows of one, within its transaction.
fn in_batches<T>(
    path: &Path,
    sql: &str,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<(i64, T)>,
    each: impl Fn(&Connection, i64, T),
) {
    let mut connection = open(path);
    let mut after = 0;
    loop {
        let transaction = connection.transaction().unwrap();
        let rows: Vec<(i64, T)> = transaction
            .prepare_cached(sql)
            .unwrap()
            .query_map(params![after, i64::try_from(BATCH).unwrap()], &read)
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let Some((last, _)) = rows.last() else { return };
        after = *last;
        rows.into_iter().for_each(|(key, row)| each(&transaction, key, row));
        transaction.commit().unwrap();
    }
}

/// Gives each record its auth mode and the newest model version.
pub fn apply(path: &Path) {
    let sql = "SELECT rowid, config FROM connectors WHERE rowid > ?1 AND model_version < 2 ORDER BY rowid LIMIT ?2";
    in_batches(
        path,
        sql,
        |row| Ok((row.get(0)?, row.get::<_, String>(1)?)),
        |connection, key, config| {
            let config: Value = serde_json::from_str(&config).unwrap_or_default();
            let mode = config["authType"].as_str().filter(|text| !text.is_empty()).map(|_| "shared");
            connection
                .prepare_cached(
                    "UPDATE connectors SET model_version = 2, auth_mode = ?2, revision = 1 WHERE rowid = ?1",
                )
                .unwrap()
                .execute(params![key, mode])
                .unwrap();
            let before = r#"{"auth_mode":null,"model_version":1,"revision":0}"#;
            note(connection, 1, key, Some(before), Some(r#"{"auth_mode":"shared","model_version":2}"#));
        },
    );
}

/// Goes back along the journal.
pub fn roll_back(path: &Path) {
    let sql = "SELECT key, before FROM journal WHERE step = 1 AND key > ?1 ORDER BY key LIMIT ?2";
    in_batches(
        path,
        sql,
        |row| Ok((row.get(0)?, row.get::<_, String>(1)?)),
        |connection, key, before| {
            let before: Value = serde_json::from_str(&before).unwrap();
            connection
            .prepare_cached(
                "UPDATE connectors SET model_version = ?2, auth_mode = ?3, revision = ?4 WHERE rowid = ?1 AND revision = 1",
            )
            .unwrap()
            .execute(params![key, before["model_version"].as_i64(), before["auth_mode"].as_str(), before["revision"].as_i64()])
            .unwrap();
            let now = r#"{"auth_mode":"shared","model_version":2,"revision":1}"#;
            note(connection, 2, key, Some(now), Some(r#"{"auth_mode":null,"model_version":1}"#));
        },
    );
}

/// Deletes the rows of an import; the journal keeps each record whole.
pub fn undo_import(path: &Path) {
    let sql = "SELECT j.key, json_array(c.id, c.connector_type_id, c.name, c.config, c.secrets, c.is_missing_secrets, c.extra,
                 c.model_version, c.created_at, c.updated_at, c.auth_mode, c.revision)
               FROM journal AS j JOIN connectors AS c ON c.rowid = j.key
               WHERE j.step = 1 AND j.key > ?1 ORDER BY j.key LIMIT ?2";
    in_batches(
        path,
        sql,
        |row| Ok((row.get(0)?, row.get::<_, String>(1)?)),
        |connection, key, whole| {
            note(connection, 2, key, Some(&whole), None);
            connection.prepare_cached("DELETE FROM connectors WHERE rowid = ?1").unwrap().execute([key]).unwrap();
        },
    );
}

/// Adds the deleted rows again.
pub fn redo_import(path: &Path) {
    let sql = "SELECT key, before FROM journal WHERE step = 2 AND key > ?1 ORDER BY key LIMIT ?2";
    in_batches(
        path,
        sql,
        |row| Ok((row.get(0)?, row.get::<_, String>(1)?)),
        |connection, key, whole| {
            let Value::Array(values) = serde_json::from_str(&whole).unwrap() else { return };
            let text = |at: usize| values.get(at).and_then(Value::as_str);
            let number = |at: usize| values.get(at).and_then(Value::as_i64);
            let values = params![
                key,
                text(0),
                text(1),
                text(2),
                text(3),
                text(4),
                number(5),
                text(6),
                number(7),
                text(8),
                text(9),
                text(10),
                number(11)
            ];
            connection.prepare_cached(INSERT).unwrap().execute(values).unwrap();
            note(connection, 3, key, None, Some("{}"));
        },
    );
}
