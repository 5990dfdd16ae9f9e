//! The schema upgrade: a verified copy first, then everything or nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use connector_admin::store::upgrade;
use connector_admin::store::{LATEST_SCHEMA, Stage, Store, StoreError};

use crate::support::{TestDir, execute, rows, untouched};
use connector_admin::domain::Catalogue;

fn backups(dir: &TestDir) -> Vec<PathBuf> {
    dir.names().into_iter().filter(|name| name.ends_with(".bak")).map(|name| dir.path(&name)).collect()
}

fn run(path: &Path) -> Result<Option<connector_admin::store::UpgradeReport>, StoreError> {
    upgrade(path, &Arc::default(), &mut |_| Ok(()))
}

#[test]
fn upgrade_backup_equals_the_original() {
    let dir = TestDir::new();
    let path = dir.demo();
    let original = std::fs::read(&path).unwrap();
    let records = untouched(&path);
    let report = run(&path).unwrap().expect("an upgrade");
    assert_eq!((report.from, report.to, report.records), (1, LATEST_SCHEMA, 197));
    assert_eq!(backups(&dir), std::slice::from_ref(&report.backup));
    assert!(report.backup.file_name().unwrap().to_string_lossy().starts_with("demo.db.schema1-2"));
    assert_eq!(std::fs::read(&report.backup).unwrap(), original);
    assert_eq!(untouched(&report.backup), records);
    assert_eq!(rows(&path, "PRAGMA integrity_check").concat(), "\"ok\"");
    // The records themselves are not touched by the schema's upgrade.
    assert_eq!(untouched(&path), records);
    assert_eq!(rows(&path, "SELECT DISTINCT model_version FROM connectors ORDER BY 1").len(), 3);
    assert!(run(&path).unwrap().is_none(), "a second upgrade has nothing to do");
    assert_eq!(backups(&dir).len(), 1);
}

#[cfg(unix)]
#[test]
fn upgrade_backup_has_the_files_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TestDir::new();
    let path = dir.demo();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    run(&path).unwrap();
    assert_eq!(std::fs::metadata(&backups(&dir)[0]).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn existing_auth_mode_survives_the_upgrade() {
    let dir = TestDir::new();
    let path = dir.demo();
    run(&path).unwrap();
    let moved =
        rows(&path, "SELECT auth_mode, count(*) FROM connectors WHERE auth_mode IS NOT NULL GROUP BY 1 ORDER BY 1");
    let carried = rows(
        &path,
        "SELECT json_extract(extra, '$.attributes.authMode') AS m, count(*) FROM connectors WHERE m IN ('shared', 'per-user') AND json_valid(extra) GROUP BY 1 ORDER BY 1",
    );
    assert_eq!(moved, carried);
    assert_eq!(moved.len(), 2);
}

#[test]
fn upgrade_failing_at_any_stage_changes_nothing() {
    let stages = {
        let dir = TestDir::new();
        let mut seen = 0;
        upgrade(&dir.demo(), &Arc::default(), &mut |_| {
            seen += 1;
            Ok(())
        })
        .unwrap();
        seen
    };
    assert!(stages > 12, "every step has its own stage");
    for failing in 0..stages {
        let dir = TestDir::new();
        let path = dir.demo();
        let original = std::fs::read(&path).unwrap();
        let mut at = 0;
        let mut failed_stage = String::new();
        let error = upgrade(&path, &Arc::default(), &mut |stage| {
            at += 1;
            if at > failing {
                failed_stage = stage.to_string();
                return Err(StoreError::Io { path: "disk".into(), cause: std::io::Error::other("injected") });
            }
            Ok(())
        })
        .expect_err("the injected failure");
        let message = error.to_string();
        assert_eq!(std::fs::read(&path).unwrap(), original, "after {failed_stage}");
        assert!(message.contains("injected") && message.contains("The file is as it was"), "{message}");
        assert!(message.contains(&failed_stage), "{message}");
        match backups(&dir).first() {
            Some(backup) => {
                assert!(message.contains(&backup.display().to_string()), "{message}");
                assert_eq!(std::fs::read(backup).unwrap(), original);
            }
            None => assert!(message.contains("No backup was left"), "{message}"),
        }
        // Nothing partial remains, and the next try succeeds.
        assert!(
            dir.names().iter().all(|name| !name.starts_with('.') && !name.ends_with("-journal")),
            "{:?}",
            dir.names()
        );
        assert!(run(&path).unwrap().is_some());
    }
}

#[test]
fn cancelled_upgrade_changes_nothing() {
    let dir = TestDir::new();
    let path = dir.demo();
    let original = std::fs::read(&path).unwrap();
    let cancel = Arc::new(AtomicBool::new(false));
    let flag = cancel.clone();
    let error = upgrade(&path, &cancel, &mut |stage| {
        flag.store(matches!(stage, Stage::Step { .. }), Ordering::Relaxed);
        if matches!(stage, Stage::Step { number: 3, .. }) { Err(StoreError::Cancelled) } else { Ok(()) }
    });
    assert!(error.expect_err("stopped").to_string().contains("stopped on request"));
    assert_eq!(std::fs::read(&path).unwrap(), original);
}

#[test]
fn concurrent_starts_upgrade_once() {
    for _ in 0..20 {
        let dir = TestDir::new();
        let path = dir.demo();
        let records = untouched(&path);
        let upgraded: usize = std::thread::scope(|scope| {
            let starts: Vec<_> =
                (0..4).map(|_| scope.spawn(|| Store::open(&path, &Arc::default(), &mut |_| Ok(())))).collect();
            starts.into_iter().map(|start| usize::from(start.join().unwrap().expect("both end well").1.is_some())).sum()
        });
        assert_eq!(upgraded, 1);
        assert_eq!(backups(&dir).len(), 1);
        assert_eq!(untouched(&path), records);
    }
}

#[test]
fn upgrade_backup_includes_the_wal() {
    let dir = TestDir::new();
    let path = dir.demo();
    // Another program has the file open in WAL mode, with a change that is not in the file itself yet.
    let other = rusqlite::Connection::open(&path).unwrap();
    other.pragma_update(None, "journal_mode", "WAL").unwrap();
    other.execute("UPDATE connectors SET name = 'only in the log' WHERE id = 'legacy-import-broken'", []).unwrap();
    let reading = other.unchecked_transaction().unwrap();
    reading.query_row("SELECT count(*) FROM connectors", [], |_| Ok(())).unwrap();
    let report = run(&path).unwrap().expect("an upgrade");
    let name = rows(&report.backup, "SELECT count(*) FROM connectors WHERE name = 'only in the log'");
    assert_eq!(name, ["Integer(1)"]);
}

#[test]
fn file_without_application_id_is_accepted() {
    let dir = TestDir::new();
    let path = dir.path("hand.db");
    execute(
        &path,
        &format!(
            "{}; PRAGMA user_version = 1; INSERT INTO connectors (id, connector_type_id, name) VALUES ('a', '.webhook', 'by hand')",
            connector_admin::store::SCHEMA_1
        ),
    );
    assert!(run(&path).unwrap().is_some());
    assert_eq!(rows(&path, "PRAGMA application_id").concat(), "Integer(1129270862)");
}

#[test]
fn any_column_value_survives_the_upgrade() {
    let dir = TestDir::new();
    let path = dir.demo();
    for (at, rubbish) in [
        "",
        "null",
        "[]",
        "{",
        "{\"a\":",
        "\u{0}",
        "{\"authType\":{}}",
        "{\"authType\":\"x\",\"authType\":7}",
        "{\"a\":\"\\ud800\"}",
    ]
    .iter()
    .enumerate()
    {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection
            .execute(
                "INSERT INTO connectors (id, connector_type_id, name, config, extra) VALUES (?1, ?2, ?2, ?2, ?2)",
                [&format!("r{at}"), *rubbish],
            )
            .unwrap();
    }
    execute(
        &path,
        "INSERT INTO connectors (id, connector_type_id, name, config) VALUES ('utf', '.x', CAST(x'ff' AS TEXT), CAST(x'7bff7d' AS TEXT))",
    );
    let before = untouched(&path);
    run(&path).unwrap();
    assert_eq!(untouched(&path), before);
    let (store, _) = Store::open(&path, &Arc::default(), &mut |_| Ok(())).unwrap();
    assert_eq!(store.plan_counts().unwrap().blocked, 5 + 8 + 1);
}

#[test]
fn new_file_has_the_newest_schema_and_mode_0600() {
    let dir = TestDir::new();
    let path = dir.path("deep/er/new.db");
    let (store, report) = Store::open(&path, &Arc::default(), &mut |_| Ok(())).unwrap();
    assert_eq!((store.schema_version().unwrap(), report), (LATEST_SCHEMA, None));
    drop(store);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no side files are left");
}

/// The schema of an upgraded file and of a new one are the same, and change only on purpose.
#[test]
fn upgraded_and_new_files_have_the_same_schema() {
    let dir = TestDir::new();
    let path = dir.demo();
    run(&path).unwrap();
    let fresh = dir.path("fresh.db");
    drop(Store::open(&fresh, &Arc::default(), &mut |_| Ok(())).unwrap());
    let schema = "SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2";
    assert_eq!(rows(&path, schema), rows(&fresh, schema));
}

#[test]
fn repeated_failures_leave_one_backup() {
    let dir = TestDir::new();
    let path = dir.demo();
    for _ in 0..3 {
        upgrade(&path, &Arc::default(), &mut |stage| match stage {
            Stage::Committing => Err(StoreError::Cancelled),
            _ => Ok(()),
        })
        .expect_err("the injected failure");
    }
    assert_eq!(backups(&dir).len(), 1);
    // The remains of a killed upgrade are replaced.
    std::fs::write(dir.path("demo.db.upgrade-copy"), "half").unwrap();
    assert_eq!(run(&path).unwrap().expect("an upgrade").backup, backups(&dir)[0]);
}

#[test]
fn backup_of_an_earlier_state_is_kept() {
    let dir = TestDir::new();
    let path = dir.demo();
    let bytes = std::fs::read(&path).unwrap();
    let backup = run(&path).unwrap().expect("an upgrade").backup;
    // Back at schema 1 with another record, as after a restore.
    std::fs::write(&path, &bytes).unwrap();
    execute(&path, "INSERT INTO connectors (id, connector_type_id, name) VALUES ('b', '.webhook', 'by hand')");
    let other = run(&path).unwrap().expect("an upgrade").backup;
    assert_eq!(backups(&dir).len(), 2);
    assert_eq!(std::fs::read(backup).unwrap(), bytes);
    assert_eq!(crate::support::rows(&other, "SELECT count(*) FROM connectors"), ["Integer(198)"]);
}

#[test]
fn development_schema_is_refused_with_advice() {
    let dir = TestDir::new();
    for version in 2..6 {
        let path = dir.path(&format!("{version}.db"));
        execute(
            &path,
            &format!(
                "{}; ALTER TABLE connectors ADD COLUMN auth_mode TEXT;
                 ALTER TABLE connectors ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
                 ALTER TABLE connectors ADD COLUMN is_odd INTEGER GENERATED ALWAYS AS (0) VIRTUAL;
                 PRAGMA user_version = {version}; PRAGMA application_id = 1129270862;",
                include_str!("../../assets/schema/1.sql")
            ),
        );
        let original = std::fs::read(&path).unwrap();
        for error in [
            run(&path).map(drop).unwrap_err(),
            Store::open(&path, &Arc::default(), &mut |_| Ok(())).map(drop).err().unwrap(),
            Store::open_read_only(&path, connector_admin::store::Reading::Shared).map(drop).err().unwrap(),
        ] {
            let message = error.to_string();
            assert!(message.contains(&format!("has schema {version} of a development version")), "{message}");
            assert!(message.contains("Export its connectors with that version"), "{message}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), original);
        assert_eq!(dir.names().len(), version - 1, "nothing lies next to it: {:?}", dir.names());
    }
}

#[cfg(unix)]
#[test]
fn link_is_followed_and_backup_is_next_to_the_target() {
    let dir = TestDir::new();
    let folder = dir.path("real");
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("demo.db");
    connector_admin::demo::Demo::create(Some(&path), Catalogue::built_in()).unwrap().finish();
    std::os::unix::fs::symlink(&path, dir.path("link.db")).unwrap();
    let report = run(&dir.path("link.db")).unwrap().expect("an upgrade");
    assert_eq!(report.backup.parent(), Some(std::fs::canonicalize(&folder).unwrap().as_path()));
}

#[test]
fn unusual_file_names_work() {
    let dir = TestDir::new();
    for name in ["file:x.db", "a?b#c%20d.db", "blank and \u{fc}.db"] {
        let path = dir.path(name);
        drop(Store::open(&path, &Arc::default(), &mut |_| Ok(())).unwrap());
        assert!(path.is_file(), "{name}");
        Store::open_read_only(&path, connector_admin::store::Reading::Shared).unwrap();
    }
}
