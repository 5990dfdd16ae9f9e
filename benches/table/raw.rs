//! The same work in plain SQL, without checks, progress or words for people: what SQLite alone needs.

use std::path::Path;

use connector_admin::domain::Connector;
use rusqlite::{Connection, params};

fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384")
        .unwrap();
    connection
}

pub fn backup(path: &Path, target: &Path) {
    let _ = std::fs::remove_file(target);
    let source = Connection::open(path).unwrap();
    source.backup(rusqlite::MAIN_DB, target, None::<fn(rusqlite::backup::Progress)>).unwrap();
    std::fs::File::open(target).unwrap().sync_all().unwrap();
}

/// The floor of an upgrade: the table is made anew with its indexes, and nothing is derived.
pub fn upgrade(path: &Path) {
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
}

const ROW: &str =
    "id, connector_type_id, name, auth_type, auth_mode, is_missing_secrets, is_malformed, migration_group, updated_at";

fn page(connection: &Connection, sql: &str) -> usize {
    let mut statement = connection.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut found = 0;
    while let Some(row) = rows.next().unwrap() {
        for at in 0..9 {
            let _ = row.get_ref(at).unwrap();
        }
        found += 1;
    }
    found
}

pub fn first_page(path: &Path, len: usize) -> usize {
    page(&open(path), &format!("SELECT {ROW} FROM connectors ORDER BY name COLLATE NOCASE, rowid LIMIT {len}"))
}

/// The exact count and the first page, each by the best index SQLite finds.
pub fn filtered(path: &Path, condition: &str) -> usize {
    let connection = open(path);
    let count: i64 = connection
        .query_row(&format!("SELECT count(*) FROM connectors WHERE {condition}"), [], |row| row.get(0))
        .unwrap();
    let sql = format!("SELECT {ROW} FROM connectors WHERE {condition} ORDER BY name COLLATE NOCASE, rowid LIMIT 76");
    usize::try_from(count).unwrap() + page(&connection, &sql)
}

pub fn plan_counts(path: &Path) -> i64 {
    let sql = "SELECT count(*) FROM connectors WHERE migration_group = ?1";
    let connection = open(path);
    let count = |group: &str| connection.query_row(sql, [group], |row| row.get::<_, i64>(0)).unwrap();
    ["backfill", "stamp_only", "blocked"].into_iter().map(count).sum()
}

/// Batches of updates with the journal's inserts, along the table.
pub fn migrate(path: &Path, batch: usize) {
    let mut connection = open(path);
    connection
        .execute_batch("INSERT INTO history (kind, state, started_at) VALUES ('migration', 'running', 'now')")
        .unwrap();
    let mut after = 0_i64;
    loop {
        let transaction = connection.transaction().unwrap();
        let rows: Vec<(i64, String, Option<String>)> = transaction
            .prepare_cached(&format!(
                "SELECT rowid, id, coalesce(auth_mode, CASE migration_group WHEN 'backfill' THEN 'shared' END)
                 FROM connectors NOT INDEXED WHERE rowid > ?1 AND model_version < 2 AND migration_group <> 'blocked'
                 ORDER BY rowid LIMIT {batch}"
            ))
            .unwrap()
            .query_map([after], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        for (row_id, id, mode) in &rows {
            transaction
                .prepare_cached(
                    "UPDATE connectors SET model_version = 2, auth_mode = ?2, revision = 1 WHERE rowid = ?1",
                )
                .unwrap()
                .execute(params![row_id, mode])
                .unwrap();
            transaction
                .prepare_cached("INSERT INTO history_changes VALUES (1, ?1, '{\"auth_mode\":null,\"model_version\":1,\"revision\":0}', '{\"auth_mode\":\"shared\",\"model_version\":2}', 1)")
                .unwrap()
                .execute([id])
                .unwrap();
        }
        transaction.commit().unwrap();
        match rows.last() {
            Some((last, ..)) => after = *last,
            None => return,
        }
    }
}

/// The way back, along the journal.
pub fn roll_back(path: &Path, batch: usize) {
    let mut connection = open(path);
    connection
        .execute_batch(
            "INSERT INTO history (kind, state, started_at, reverts) VALUES ('rollback', 'running', 'now', 1)",
        )
        .unwrap();
    let mut after = String::new();
    loop {
        let transaction = connection.transaction().unwrap();
        let ids: Vec<String> = transaction
            .prepare_cached(&format!(
                "SELECT connector_id FROM history_changes WHERE step = 1 AND connector_id > ?1 ORDER BY connector_id LIMIT {batch}"
            ))
            .unwrap()
            .query_map([&after], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        for id in &ids {
            transaction
                .prepare_cached("UPDATE connectors SET model_version = 1, auth_mode = NULL, revision = 0 WHERE id = ?1 AND revision = 1")
                .unwrap()
                .execute([id])
                .unwrap();
            transaction
                .prepare_cached("INSERT INTO history_changes VALUES (2, ?1, '{\"auth_mode\":\"shared\",\"model_version\":2,\"revision\":1}', '{\"auth_mode\":null,\"model_version\":1}', 0)")
                .unwrap()
                .execute([id])
                .unwrap();
        }
        transaction.commit().unwrap();
        match ids.last() {
            Some(last) => after.clone_from(last),
            None => return,
        }
    }
}

pub fn insert(path: &Path, connectors: &[Connector]) {
    let mut connection = open(path);
    let transaction = connection.transaction().unwrap();
    transaction
        .execute_batch("INSERT INTO history (kind, state, started_at) VALUES ('import', 'done', 'now')")
        .unwrap();
    for connector in connectors {
        transaction
            .prepare_cached(
                "INSERT INTO connectors (id, connector_type_id, name, config, secrets, is_missing_secrets, extra,
                 model_version, created_at, updated_at, auth_mode, revision) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,1)",
            )
            .unwrap()
            .execute(params![
                connector.id,
                connector.connector_type_id,
                connector.name,
                connector.config,
                connector.secrets,
                connector.is_missing_secrets,
                connector.extra,
                connector.model_version,
                connector.created_at,
                connector.updated_at,
                connector.auth_mode.map(|mode| mode.as_str()),
            ])
            .unwrap();
        transaction
            .prepare_cached("INSERT INTO history_changes VALUES (1, ?1, NULL, '{}', 1)")
            .unwrap()
            .execute([&connector.id])
            .unwrap();
    }
    transaction.commit().unwrap();
}

/// One durable transaction: the record and its line of the journal.
pub fn save(path: &Path, id: &str) {
    thread_local! {
        static KEPT: std::cell::RefCell<Option<Connection>> = const { std::cell::RefCell::new(None) };
    }
    KEPT.with_borrow_mut(|kept| {
        let connection = kept.get_or_insert_with(|| {
            let connection = open(path);
            connection.pragma_update(None, "synchronous", "FULL").unwrap();
            connection
        });
        let transaction = connection.transaction().unwrap();
        transaction
            .prepare_cached("INSERT INTO history (kind, state, started_at, records) VALUES ('edit', 'done', 'now', 1)")
            .unwrap()
            .execute([])
            .unwrap();
        let step = transaction.last_insert_rowid();
        transaction
            .prepare_cached("UPDATE connectors SET name = name || 'y', revision = ?2 WHERE id = ?1")
            .unwrap()
            .execute(params![id, step])
            .unwrap();
        transaction
            .prepare_cached("INSERT INTO history_changes VALUES (?1, ?2, '{\"name\":\"a\",\"revision\":0}', '{\"name\":\"b\"}', ?1)")
            .unwrap()
            .execute(params![step, id])
            .unwrap();
        transaction.commit().unwrap();
    });
}
