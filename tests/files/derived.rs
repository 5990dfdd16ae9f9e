//! Derived values are right before anything shows them, whoever wrote the record.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector_admin::domain::derived::Derived;
use connector_admin::domain::{Filter, Summary};
use connector_admin::store::{Lists, Reading, Scope, Sort, Store, StoreError};

use crate::support::{App, TestDir, execute, rows};

fn open(path: &Path) -> Store {
    Store::open(path, &Arc::default(), &mut |_| Ok(())).unwrap().0
}

fn upgraded(dir: &TestDir) -> PathBuf {
    let path = dir.demo();
    drop(open(&path));
    path
}

/// Writes rows as a program does that does not know the derived columns.
const ELSEWHERE: &str = r#"
    INSERT INTO connectors (id, connector_type_id, name, config, extra) VALUES
      ('new-1', '.webhook', 'Elsewhere A', '{"authType":"webhook-authentication-basic"}', '{}'),
      ('new-2', '.webhook', 'Elsewhere B', '{"authType":7}', '{}'),
      ('new-3', '.servicenow', 'Elsewhere C', '{"usesTableApi":true}', '{}'),
      ('new-4', '.webhook', 'Elsewhere D', '{"authType":"x","authType":"y"}', '{}'),
      ('new-5', '.webhook', 'Elsewhere E', '{"\u0061uthType":"bearer"}', '{"attributes":{"authMode":"personal"}}'),
      ('new-6', '.webhook', 'Elsewhere F', 'no JSON', '{}'),
      ('new-7', '.webhook', 'Elsewhere G', '{"authType":" "}', '{}');
    UPDATE connectors SET secrets = 'ca1.k00112233445566aa.x.y' WHERE id = 'new-7';
    UPDATE connectors SET config = '{"authType":"bearer"}' WHERE name = 'Aurora alert history';
    UPDATE connectors SET config = '[]' WHERE name = 'Aurora assistant';"#;

/// A store shows for every record what the domain derives from it.
#[track_caller]
fn is_right(store: &Store) {
    let mut expected: Vec<Summary> = Vec::new();
    store
        .each::<StoreError>(|record| {
            expected.push(store.summary_of(&record));
            Ok(())
        })
        .unwrap();
    let order = store.order(Scope::Connectors, &Filter::default(), Sort::default()).unwrap();
    let mut shown: Vec<Summary> =
        store.summaries(&order.window(0, usize::MAX)).unwrap().into_iter().map(|row| row.unwrap()).collect();
    shown.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(shown.len(), expected.len());
    for (shown, expected) in shown.into_iter().zip(expected) {
        // A mode in `extra` alone is shown once the record is migrated.
        assert_eq!(Summary { auth_mode: None, decision: None, ..shown }, Summary { auth_mode: None, ..expected });
    }
    for filter in ["is:blocked", "is:backfill", "is:stamp-only", "authtype:bearer", "authtype:none", "is:malformed"] {
        let filter = Filter::parse(filter).unwrap();
        let fast = Lists::default().order(store, Scope::Connectors, &filter, Sort::default()).unwrap();
        let slow = store.order(Scope::Connectors, &filter, Sort::default()).unwrap();
        assert_eq!(fast.window(0, usize::MAX), slow.window(0, usize::MAX), "{filter:?}");
    }
}

#[test]
fn foreign_rows_are_derived_on_open() {
    let dir = TestDir::new();
    let path = upgraded(&dir);
    execute(&path, ELSEWHERE);
    let waiting = "SELECT count(*) FROM connectors WHERE is_derived = 0";
    assert_eq!(rows(&path, waiting).concat(), "Integer(9)");
    // In read-only mode the file is unchanged, and everything is shown.
    let before = std::fs::read(&path).unwrap();
    is_right(&Store::open_read_only(&path, Reading::Shared).unwrap());
    is_right(&Store::open_read_only(&path, Reading::Untouched).unwrap());
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let store = open(&path);
    is_right(&store);
    assert_eq!(rows(&path, waiting).concat(), "Integer(0)");
    let counts = store.plan_counts().unwrap();
    assert_eq!(
        rows(&path, "SELECT count(*) FROM connectors WHERE migration_group = 'blocked'").concat(),
        format!("Integer({})", counts.blocked)
    );
    // It is still foreign: a save based on the earlier state finds it changed.
    let foreign = rows(&path, "SELECT count(*) > 2 FROM connectors WHERE revision < 0").concat();
    assert_eq!(foreign, "Integer(1)");
}

#[test]
fn foreign_rows_are_derived_while_the_ui_is_open() {
    let dir = TestDir::new();
    let path = upgraded(&dir);
    let mut app = App::open(&path, 120, 40);
    app.act("back").expect("of 197").expect("189 to migrate");
    execute(&path, &format!("{ELSEWHERE} VACUUM;"));
    app.act("refresh").expect("of 204").expect("196 to migrate");
    app.act("filter").type_text("elsewhere is:blocked").act("confirm").expect("1 of 4");
    app.act("back review")
        .expect("Migration review")
        .act("filter")
        .type_text("elsewhere")
        .act("confirm")
        .expect("1 of 7");
}

#[test]
fn job_derives_foreign_rows_first() {
    let dir = TestDir::new();
    let path = upgraded(&dir);
    let mut store = open(&path);
    execute(&path, ELSEWHERE);
    store.apply(false, "2026-11-25T12:00:00.000Z", &mut |_, _| true).unwrap();
    let migrated = "SELECT group_concat(id) FROM connectors WHERE id LIKE 'new-%' AND model_version = 2";
    assert_eq!(rows(&path, migrated).concat(), "\"new-1,new-3,new-7\"");
    drop(store);
    is_right(&open(&path));
}

#[test]
fn read_only_schema_1_shows_derived_values() {
    let dir = TestDir::new();
    let path = dir.demo();
    execute(&path, ELSEWHERE);
    let before = std::fs::read(&path).unwrap();
    let store = Store::open_read_only(&path, Reading::Untouched).unwrap();
    is_right(&store);
    assert_eq!(store.plan_counts().unwrap().pending(), 196);
    drop(store);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn changed_rules_rederive_all_rows() {
    let dir = TestDir::new();
    let path = upgraded(&dir);
    execute(
        &path,
        "UPDATE settings SET value = '1' WHERE name = 'rules'; UPDATE connectors SET auth_type = 'wrong', migration_group = NULL",
    );
    is_right(&Store::open_read_only(&path, Reading::Shared).unwrap());
    is_right(&open(&path));
    assert_eq!(rows(&path, "SELECT count(*) FROM connectors WHERE auth_type = 'wrong'").concat(), "Integer(0)");
}

#[test]
fn connector_key_is_never_reused() {
    let dir = TestDir::new();
    let path = upgraded(&dir);
    let key = |id: &str| rows(&path, &format!("SELECT key FROM connectors WHERE id = '{id}'")).concat();
    execute(
        &path,
        "INSERT INTO connectors (id, connector_type_id, name) VALUES ('a', '.server-log', 'A'), ('b', '.server-log', 'B')",
    );
    let (first, second) = (key("a"), key("b"));
    execute(&path, "DELETE FROM connectors WHERE id IN ('a', 'b')");
    execute(
        &path,
        "INSERT INTO connectors (id, connector_type_id, name) VALUES ('c', '.server-log', 'C'), ('b', '.jira', 'B again')",
    );
    assert_eq!(key("b"), second);
    assert!(key("c") != first && key("c") != second, "{}", key("c"));
    // Written by this program, too.
    let mut store = open(&path);
    let record = store.get("c").unwrap().unwrap();
    store.delete(&["c".to_owned()], "2026-11-25T12:00:00.000Z").unwrap();
    store.create(&record, "2026-11-25T12:00:00.000Z").unwrap();
    assert_eq!(store.get("c").unwrap().unwrap().key, record.key);
    assert_eq!(store.history_of("c", 9).unwrap().len(), 2);
}

#[test]
fn indexes_triggers_and_views_of_the_user_survive_the_upgrade() {
    let dir = TestDir::new();
    let path = dir.demo();
    execute(
        &path,
        "CREATE INDEX own_index ON connectors (name, updated_at);
         CREATE TABLE audit (id TEXT);
         CREATE TRIGGER own_trigger AFTER UPDATE ON connectors BEGIN INSERT INTO audit VALUES (new.id); END;
         CREATE VIEW own_view AS SELECT id, name FROM connectors WHERE name LIKE 'A%';
         CREATE TABLE notes (connector TEXT REFERENCES connectors (id), note TEXT);
         INSERT INTO notes SELECT id, 'n' FROM connectors LIMIT 1;",
    );
    let shown = rows(&path, "SELECT * FROM own_view ORDER BY id");
    let mut store = open(&path);
    assert_eq!(rows(&path, "SELECT * FROM own_view ORDER BY id"), shown);
    let own = "SELECT group_concat(name || ' ' || tbl_name) FROM
               (SELECT name, tbl_name FROM sqlite_schema WHERE name LIKE 'own%' ORDER BY name)";
    assert_eq!(rows(&path, own).concat(), "\"own_index connectors,own_trigger connectors,own_view own_view\"");
    assert_eq!(rows(&path, "PRAGMA foreign_key_check").len(), 0);
    assert_eq!(
        rows(&path, "SELECT count(*) FROM audit").concat(),
        "Integer(0)",
        "the upgrade is no change of a record"
    );
    let run = store.apply(false, "2026-11-25T12:00:00.000Z", &mut |_, _| true).unwrap();
    assert_eq!(rows(&path, "SELECT count(*) FROM audit").concat(), format!("Integer({})", run.written()));
    assert_eq!(rows(&path, "PRAGMA integrity_check").concat(), "\"ok\"");
}

#[test]
fn derived_values_depend_only_on_the_row() {
    let dir = TestDir::new();
    let path = upgraded(&dir);
    let store = open(&path);
    let stored =
        rows(&path, "SELECT id, auth_type, coalesce(migration_group, '-'), is_malformed FROM connectors ORDER BY id");
    let mut found = Vec::new();
    store
        .each::<StoreError>(|record| {
            let derived = Derived::of(&record);
            let auth_type = derived.auth_type.map_or("Null".to_owned(), |text| format!("{text:?}"));
            let group = derived.group.map_or("-", |group| group.as_str());
            found.push(format!("{:?}|{auth_type}|{group:?}|Integer({})", record.id, i64::from(derived.is_malformed)));
            Ok(())
        })
        .unwrap();
    assert_eq!(stored, found);
}
