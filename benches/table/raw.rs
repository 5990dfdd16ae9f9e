//! The same work in plain SQL, without checks, progress or messages: the share of SQLite.

use std::path::Path;

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
            .prepare_cached("INSERT INTO history_changes SELECT ?1, key, id, '{\"name\":\"a\",\"revision\":0}', '{\"name\":\"b\"}', ?1 FROM connectors WHERE id = ?2")
            .unwrap()
            .execute(params![step, id])
            .unwrap();
        transaction.commit().unwrap();
    });
}
