//! The location of a file: foreign files next to it, logs without a database, moved files, hard links.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use connector_admin::store::{Reading, Store, StoreError};

use super::program::{PROGRAM, exit_code, printed, run};
use crate::support::{SAMPLE, TestDir, execute, records};

/// Returns a closed file of the newest schema with some records.
fn upgraded(dir: &TestDir, name: &str) -> PathBuf {
    let path = dir.path(name);
    exit_code(&run(&path, &["import", dir.write("sample.ndjson", SAMPLE).to_str().unwrap()]), 0);
    path
}

/// A database and a log of it that was never written back, as after a kill.
fn with_log(dir: &TestDir, name: &str) -> PathBuf {
    let path = upgraded(dir, "source.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA wal_autocheckpoint = 0; UPDATE connectors SET name = 'in the log'").unwrap();
    let target = dir.path(name);
    for suffix in ["", "-wal"] {
        let [from, to] = [&path, &target].map(|path| format!("{}{suffix}", path.display()));
        std::fs::copy(from, to).unwrap();
    }
    target
}

/// Everything in a folder: names, bytes, permissions, times of change.
fn folder(path: &Path) -> Vec<(String, Vec<u8>, u32, i64)> {
    let mut found: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            (entry.file_name().to_string_lossy().into_owned(), bytes, metadata.mode(), metadata.mtime_nsec())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn similarly_named_files_are_never_removed() {
    let dir = TestDir::new();
    let path = dir.demo();
    let old = SystemTime::now() - Duration::from_secs(10 * 24 * 60 * 60);
    for name in [
        ".connector-admin-keys",
        ".connector-admin-prod.db",
        ".connector-admin-0123456789abcdef0123456789abcdef",
        "demo.db.upgrade-copy",
    ] {
        std::fs::File::create(dir.path(name)).unwrap().set_modified(old).unwrap();
    }
    let names = dir.names();
    for arguments in [&["list"][..], &["--read-only", "list"], &["export"], &["migrate", "--dry-run"], &["info"]] {
        assert_ne!(run(&path, arguments).status.code(), Some(2), "{arguments:?}");
        assert_eq!(dir.names(), names, "{arguments:?}");
    }
    exit_code(&run(&path, &["upgrade"]), 0);
    run(&path, &["export", "--output", dir.path("out.ndjson").to_str().unwrap()]);
    exit_code(&run(&path, &["backup"]), 0);
    assert!(dir.path("out.ndjson").exists());
    assert!(names.iter().all(|name| dir.names().contains(name)), "{:?}", dir.names());
}

#[test]
fn leftovers_of_a_killed_program_are_cleaned_up() {
    let dir = TestDir::new();
    let (path, other) = (upgraded(&dir, "a.db"), upgraded(&dir, "b.db"));
    let state = dir.path("state");
    let with_state = |path: &Path, arguments: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.arg("--file").arg(path).args(arguments).env("XDG_STATE_HOME", &state);
        command
    };
    // Killed while it writes to a pipe without a reader: its temporary file remains.
    let fifo = dir.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut child = with_state(
        &path,
        &["import", fifo.to_str().unwrap(), "--create-new-copies", "--id-map", dir.path("map").to_str().unwrap()],
    )
    .spawn()
    .unwrap();
    let mut writer = std::fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    std::io::Write::write_all(&mut writer, SAMPLE.lines().next().unwrap().as_bytes()).unwrap();
    let temporaries = || dir.names().iter().filter(|name| name.starts_with(".connector-admin-")).count();
    while temporaries() == 0 {
        std::thread::yield_now();
    }
    // The file of a running program is kept.
    exit_code(&with_state(&other, &["history", "--keep-all"]).output().unwrap(), 0);
    assert_eq!(temporaries(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(writer);
    exit_code(&with_state(&other, &["--read-only", "list"]).output().unwrap(), 0);
    assert_eq!(temporaries(), 1);
    exit_code(&with_state(&other, &["history", "--keep-all"]).output().unwrap(), 0);
    assert_eq!(temporaries(), 0);
    assert_eq!(std::fs::read_dir(state.join("connector-admin/temporary")).unwrap().count(), 0);
}

#[test]
fn read_only_writes_nothing() {
    let dir = TestDir::new();
    let upgraded = upgraded(&dir, "new.db");
    let older = dir.demo();
    let both = |path: &Path| {
        for arguments in [&["list"][..], &["info"], &["check"], &["export"], &["migrate", "--dry-run"], &["history"]] {
            let before = folder(dir.folder.path());
            let changed = std::fs::metadata(dir.folder.path()).unwrap().mtime_nsec();
            let output = run(path, &[&["--read-only"], arguments].concat());
            assert_ne!(output.status.code(), Some(2), "{}", printed(&output));
            assert_eq!(folder(dir.folder.path()), before, "{arguments:?}");
            assert_eq!(std::fs::metadata(dir.folder.path()).unwrap().mtime_nsec(), changed, "{arguments:?}");
        }
    };
    both(&upgraded);
    both(&older);
    // The folder has no room for a backup then; a named target has.
    let before = folder(dir.folder.path());
    assert!(exit_code(&run(&upgraded, &["--read-only", "backup"]), 2).contains("name a file for the backup"));
    assert_eq!(folder(dir.folder.path()), before);
    let elsewhere = TestDir::new();
    exit_code(&run(&upgraded, &["--read-only", "backup", elsewhere.path("b.db").to_str().unwrap()]), 0);
    assert_eq!(folder(dir.folder.path()), before);
    // The log of a killed program, with its index: its content is shown, and stays in it.
    let killed = with_log(&dir, "killed.db");
    std::fs::copy(dir.path("killed.db"), dir.path("other.db")).unwrap();
    let other = rusqlite::Connection::open(&killed).unwrap();
    other.query_row("SELECT count(*) FROM connectors", [], |row| row.get::<_, i64>(0)).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let [from, to] = [&killed, &dir.path("left.db")].map(|path| format!("{}{suffix}", path.display()));
        std::fs::copy(from, to).unwrap();
    }
    let before = folder(dir.folder.path());
    assert!(exit_code(&run(&dir.path("left.db"), &["--read-only", "list"]), 0).contains("in the log"));
    assert_eq!(folder(dir.folder.path()), before);
}

#[test]
fn unreadable_wal_in_read_only_is_reported() {
    let dir = TestDir::new();
    let path = with_log(&dir, "lone.db");
    let before = folder(dir.folder.path());
    let error = exit_code(&run(&path, &["--read-only", "list"]), 2);
    assert!(
        error.contains("lone.db-wal holds changes that belong into") && error.contains("without writing"),
        "{error}"
    );
    assert_eq!(folder(dir.folder.path()), before);
    // Without --read-only the same file just opens.
    assert!(exit_code(&run(&path, &["list"]), 0).contains("in the log"));
}

#[test]
fn new_file_ignores_a_foreign_wal() {
    let dir = TestDir::new();
    let other = upgraded(&dir, "other.db");
    let export = dir.write("sample.ndjson", SAMPLE);
    for suffix in ["-wal", "-journal"] {
        let path = dir.path(&format!("new{suffix}.db"));
        let log = PathBuf::from(format!("{}{suffix}", path.display()));
        std::fs::write(&log, b"what another database committed").unwrap();
        let before = dir.names();
        let target = path.to_str().unwrap();
        for output in [
            run(&path, &["import", export.to_str().unwrap()]),
            run(&path, &["remote", "add", "prod", "https://kibana.example"]),
            Command::new(PROGRAM).args(["demo", "--keep", target]).output().unwrap(),
            run(&other, &["backup", target]),
        ] {
            let error = exit_code(&output, 2);
            assert!(error.contains(&format!("db{suffix} holds changes of a database that does not exist")), "{error}");
        }
        let after = dir.names();
        assert!(!path.exists() && before.iter().all(|name| after.contains(name)), "{after:?}");
        assert_eq!(std::fs::read(&log).unwrap(), b"what another database committed");
    }
}

#[test]
fn restore_keeps_the_existing_wal() {
    let dir = TestDir::new();
    let path = with_log(&dir, "work.db");
    let backup = dir.path("good.bak");
    exit_code(&run(&dir.path("source.db"), &["backup", backup.to_str().unwrap()]), 0);
    let expected = records(&backup);
    for (what, damage) in [
        ("missing", &(|| std::fs::remove_file(&path).unwrap()) as &dyn Fn()),
        ("of no bytes", &|| std::fs::write(&path, b"").unwrap()),
        ("without its header", &|| {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[..100].fill(0);
            std::fs::write(&path, bytes).unwrap();
        }),
        ("cut off", &|| std::fs::write(&path, b"SQLite format 3\0").unwrap()),
    ] {
        let log = format!("{}-wal", path.display());
        std::fs::copy(dir.path("source.db"), &path).unwrap();
        std::fs::write(&log, std::fs::read(dir.path("source.db-wal")).unwrap_or_else(|_| b"log".to_vec())).unwrap();
        damage();
        let held = std::fs::read(&log).unwrap();
        exit_code(&run(&path, &["restore", backup.to_str().unwrap()]), 0);
        assert_eq!(records(&path), expected, "{what}");
        let kept = dir.names().into_iter().filter(|name| name.starts_with("work.db.replaced-"));
        let kept: Vec<Vec<u8>> = kept.map(|name| std::fs::read(dir.path(&name)).unwrap()).collect();
        assert!(kept.contains(&held), "{what}: the log is kept");
        assert_eq!(exit_code(&run(&path, &["check"]), 1).matches("the file is not damaged").count(), 1, "{what}");
    }
}

#[test]
fn empty_file_advice_is_a_backup() {
    let dir = TestDir::new();
    let error = exit_code(&run(&dir.write("zero.db", ""), &["list"]), 2);
    assert!(error.contains("restore BACKUP") && !error.contains("delete it"), "{error}");
}

#[test]
fn displaced_file_is_not_written() {
    for (what, happens) in [
        ("deleted", &(|path: &Path| std::fs::remove_file(path).unwrap()) as &dyn Fn(&Path)),
        ("moved", &|path| std::fs::rename(path, path.with_extension("moved")).unwrap()),
        ("replaced", &|path| {
            std::fs::copy(path, path.with_extension("copy")).unwrap();
            std::fs::rename(path.with_extension("copy"), path).unwrap();
        }),
    ] {
        let dir = TestDir::new();
        let path = upgraded(&dir, "a.db");
        let (mut store, _) = Store::open(&path, &std::sync::Arc::default(), &mut |_| Ok(())).unwrap();
        let id = store.ids(&[1]).unwrap().concat();
        happens(&path);
        let written = store.delete(&[id], "2026-11-25T12:00:00.000Z");
        match what {
            "replaced" => assert!(matches!(written, Err(StoreError::AnotherFile(_))), "{written:?}"),
            _ => assert!(matches!(written, Err(StoreError::Gone(_))), "{written:?}"),
        }
        assert!(store.check_location().is_err());
        // The open content can still be saved completely.
        let saved =
            store.back_up(Some(&dir.path("saved.db")), "2026-11-25T12:00:00Z".parse().unwrap(), &mut |_, _| true);
        assert_eq!(records(&saved.unwrap().path).len(), 30, "{what}");
    }
}

#[test]
fn hard_linked_file_is_read_only() {
    let dir = TestDir::new();
    let path = upgraded(&dir, "a.db");
    let before = records(&path);
    let (mut store, _) = Store::open(&path, &std::sync::Arc::default(), &mut |_| Ok(())).unwrap();
    std::fs::hard_link(&path, dir.path("b.db")).unwrap();
    let id = store.ids(&[1]).unwrap().concat();
    let written = store.delete(std::slice::from_ref(&id), "2026-11-25T12:00:00.000Z");
    assert!(matches!(written, Err(StoreError::HardLinks { names: 2, .. })), "{written:?}");
    drop(store);
    for name in ["a.db", "b.db"] {
        let error = exit_code(&run(&dir.path(name), &["toggle", &id]), 2);
        assert!(error.contains("has 2 names (hard links)"), "{error}");
        exit_code(&run(&dir.path(name), &["--read-only", "list"]), 0);
    }
    let backup = dir.path("good.bak");
    exit_code(&run(&path, &["backup", backup.to_str().unwrap()]), 0);
    exit_code(&run(&path, &["restore", backup.to_str().unwrap()]), 2);
    assert_eq!(records(&path), before);
    std::fs::remove_file(dir.path("b.db")).unwrap();
    exit_code(&run(&path, &["toggle", &id]), 0);
    // A demo at schema 1 is not upgraded under two names either.
    let demo = dir.demo();
    std::fs::hard_link(&demo, dir.path("second.db")).unwrap();
    exit_code(&run(&demo, &["upgrade"]), 2);
    assert_eq!(Store::open_read_only(&demo, Reading::Shared).unwrap().schema_version().unwrap(), 1);
}

#[test]
fn own_push_lock_is_not_foreign() {
    let dir = TestDir::new();
    let path = upgraded(&dir, "a.db");
    exit_code(&run(&path, &["remote", "add", "prod", "http://127.0.0.1:1"]), 0);
    std::fs::write(dir.path("a.db-push"), "notes of mine").unwrap();
    run(&path, &["push", "--yes"]);
    assert_eq!(std::fs::read_to_string(dir.path("a.db-push")).unwrap(), "notes of mine");
}

#[test]
fn opening_a_file_never_lists_its_folder() {
    // Reading 20 thousand names would take some milliseconds each time; the test checks that none is read.
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("skipped: there is no strace");
        return;
    }
    let dir = TestDir::new();
    let path = upgraded(&dir, "a.db");
    let trace = dir.path("trace");
    let output = Command::new("strace")
        .args(["-f", "-e", "trace=getdents64,getdents", "-y", "-o"])
        .arg(&trace)
        .args([PROGRAM, "--file", path.to_str().unwrap(), "list"])
        .output()
        .unwrap();
    let text = std::fs::read_to_string(&trace).unwrap_or_default();
    if !output.status.success() || text.is_empty() && printed(&output).contains("ptrace") {
        eprintln!("skipped: strace is not allowed here");
        return;
    }
    assert!(!text.contains(&format!("<{}>", dir.folder.path().display())), "{text}");
}

#[test]
fn unwritable_folder_still_allows_reading() {
    let dir = TestDir::new();
    let path = upgraded(&dir, "a.db");
    std::fs::set_permissions(dir.folder.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let output = run(&path, &["--read-only", "list"]);
    std::fs::set_permissions(dir.folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    exit_code(&output, 0);
    execute(&path, "PRAGMA journal_mode = DELETE");
    exit_code(&run(&path, &["--read-only", "list"]), 0);
}
