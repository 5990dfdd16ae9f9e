//! The place of a file: whose files are touched there, logs without their database, files that move, other names.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use connector_admin::store::{Reading, Store, StoreError};

use super::program::{PROGRAM, exits, run, said};
use crate::support::{Place, SAMPLE, execute, records};

/// A file of the newest schema with some records, which nobody has open.
fn upgraded(place: &Place, name: &str) -> PathBuf {
    let path = place.path(name);
    exits(&run(&path, &["import", place.write("sample.ndjson", SAMPLE).to_str().unwrap()]), 0);
    path
}

/// A database and a log of it that was never written back, as after a kill.
fn with_log(place: &Place, name: &str) -> PathBuf {
    let path = upgraded(place, "source.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA wal_autocheckpoint = 0; UPDATE connectors SET name = 'in the log'").unwrap();
    let target = place.path(name);
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
fn files_of_others_whose_names_look_like_ours_are_never_removed() {
    let place = Place::new();
    let path = place.demo();
    let old = SystemTime::now() - Duration::from_secs(10 * 24 * 60 * 60);
    for name in [
        ".connector-admin-keys",
        ".connector-admin-prod.db",
        ".connector-admin-0123456789abcdef0123456789abcdef",
        "demo.db.upgrade-copy",
    ] {
        std::fs::File::create(place.path(name)).unwrap().set_modified(old).unwrap();
    }
    let names = place.names();
    for arguments in [&["list"][..], &["--read-only", "list"], &["export"], &["migrate", "--dry-run"], &["info"]] {
        assert_ne!(run(&path, arguments).status.code(), Some(2), "{arguments:?}");
        assert_eq!(place.names(), names, "{arguments:?}");
    }
    exits(&run(&path, &["upgrade"]), 0);
    run(&path, &["export", "--output", place.path("out.ndjson").to_str().unwrap()]);
    exits(&run(&path, &["backup"]), 0);
    assert!(place.path("out.ndjson").exists());
    assert!(names.iter().all(|name| place.names().contains(name)), "{:?}", place.names());
}

#[test]
fn what_a_killed_program_left_goes_with_the_next_one_that_writes() {
    let place = Place::new();
    let (path, other) = (upgraded(&place, "a.db"), upgraded(&place, "b.db"));
    let state = place.path("state");
    let with_state = |path: &Path, arguments: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.arg("--file").arg(path).args(arguments).env("XDG_STATE_HOME", &state);
        command
    };
    // Killed while it writes to a pipe that nobody reads to the end: its temporary file is there.
    let fifo = place.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut child = with_state(
        &path,
        &["import", fifo.to_str().unwrap(), "--create-new-copies", "--id-map", place.path("map").to_str().unwrap()],
    )
    .spawn()
    .unwrap();
    let mut writer = std::fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    std::io::Write::write_all(&mut writer, SAMPLE.lines().next().unwrap().as_bytes()).unwrap();
    let temporaries = || place.names().iter().filter(|name| name.starts_with(".connector-admin-")).count();
    while temporaries() == 0 {
        std::thread::yield_now();
    }
    // One that is at work is left alone.
    exits(&with_state(&other, &["history", "--keep-all"]).output().unwrap(), 0);
    assert_eq!(temporaries(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(writer);
    exits(&with_state(&other, &["--read-only", "list"]).output().unwrap(), 0);
    assert_eq!(temporaries(), 1);
    exits(&with_state(&other, &["history", "--keep-all"]).output().unwrap(), 0);
    assert_eq!(temporaries(), 0);
    assert_eq!(std::fs::read_dir(state.join("connector-admin/temporary")).unwrap().count(), 0);
}

#[test]
fn read_only_writes_nothing_at_all() {
    let place = Place::new();
    let upgraded = upgraded(&place, "new.db");
    let older = place.demo();
    let both = |path: &Path| {
        for arguments in [&["list"][..], &["info"], &["check"], &["export"], &["migrate", "--dry-run"], &["history"]] {
            let before = folder(place.folder.path());
            let changed = std::fs::metadata(place.folder.path()).unwrap().mtime_nsec();
            let output = run(path, &[&["--read-only"], arguments].concat());
            assert_ne!(output.status.code(), Some(2), "{}", said(&output));
            assert_eq!(folder(place.folder.path()), before, "{arguments:?}");
            assert_eq!(std::fs::metadata(place.folder.path()).unwrap().mtime_nsec(), changed, "{arguments:?}");
        }
    };
    both(&upgraded);
    both(&older);
    // Beside the file is no place for a copy then; one that is named is.
    let before = folder(place.folder.path());
    assert!(exits(&run(&upgraded, &["--read-only", "backup"]), 2).contains("name a file for the copy"));
    assert_eq!(folder(place.folder.path()), before);
    let elsewhere = Place::new();
    exits(&run(&upgraded, &["--read-only", "backup", elsewhere.path("b.db").to_str().unwrap()]), 0);
    assert_eq!(folder(place.folder.path()), before);
    // A log that a killed program left, with its index: what is in it is shown, and stays in it.
    let killed = with_log(&place, "killed.db");
    std::fs::copy(place.path("killed.db"), place.path("other.db")).unwrap();
    let other = rusqlite::Connection::open(&killed).unwrap();
    other.query_row("SELECT count(*) FROM connectors", [], |row| row.get::<_, i64>(0)).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let [from, to] = [&killed, &place.path("left.db")].map(|path| format!("{}{suffix}", path.display()));
        std::fs::copy(from, to).unwrap();
    }
    let before = folder(place.folder.path());
    assert!(exits(&run(&place.path("left.db"), &["--read-only", "list"]), 0).contains("in the log"));
    assert_eq!(folder(place.folder.path()), before);
}

#[test]
fn a_log_that_cannot_be_read_without_writing_is_named() {
    let place = Place::new();
    let path = with_log(&place, "lone.db");
    let before = folder(place.folder.path());
    let error = exits(&run(&path, &["--read-only", "list"]), 2);
    assert!(
        error.contains("lone.db-wal holds changes that belong into") && error.contains("without writing"),
        "{error}"
    );
    assert_eq!(folder(place.folder.path()), before);
    // Without --read-only the same file just opens.
    assert!(exits(&run(&path, &["list"]), 0).contains("in the log"));
}

#[test]
fn a_new_file_never_takes_the_log_of_another_one_for_its_own() {
    let place = Place::new();
    let other = upgraded(&place, "other.db");
    let export = place.write("sample.ndjson", SAMPLE);
    for suffix in ["-wal", "-journal"] {
        let path = place.path(&format!("new{suffix}.db"));
        let log = PathBuf::from(format!("{}{suffix}", path.display()));
        std::fs::write(&log, b"what another database committed").unwrap();
        let before = place.names();
        let target = path.to_str().unwrap();
        for output in [
            run(&path, &["import", export.to_str().unwrap()]),
            run(&path, &["remote", "add", "prod", "https://kibana.example"]),
            Command::new(PROGRAM).args(["demo", "--keep", target]).output().unwrap(),
            run(&other, &["backup", target]),
        ] {
            let error = exits(&output, 2);
            assert!(error.contains(&format!("db{suffix} holds changes of a database that is not there")), "{error}");
        }
        let after = place.names();
        assert!(!path.exists() && before.iter().all(|name| after.contains(name)), "{after:?}");
        assert_eq!(std::fs::read(&log).unwrap(), b"what another database committed");
    }
}

#[test]
fn a_restore_keeps_the_log_it_finds_and_holds_what_the_backup_holds() {
    let place = Place::new();
    let path = with_log(&place, "work.db");
    let backup = place.path("good.bak");
    exits(&run(&place.path("source.db"), &["backup", backup.to_str().unwrap()]), 0);
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
        std::fs::copy(place.path("source.db"), &path).unwrap();
        std::fs::write(&log, std::fs::read(place.path("source.db-wal")).unwrap_or_else(|_| b"log".to_vec())).unwrap();
        damage();
        let held = std::fs::read(&log).unwrap();
        exits(&run(&path, &["restore", backup.to_str().unwrap()]), 0);
        assert_eq!(records(&path), expected, "{what}");
        let kept = place.names().into_iter().filter(|name| name.starts_with("work.db.replaced-"));
        let kept: Vec<Vec<u8>> = kept.map(|name| std::fs::read(place.path(&name)).unwrap()).collect();
        assert!(kept.contains(&held), "{what}: the log is kept");
        assert_eq!(exits(&run(&path, &["check"]), 1).matches("the file is whole").count(), 1, "{what}");
    }
}

#[test]
fn the_advice_for_an_empty_file_is_a_backup() {
    let place = Place::new();
    let error = exits(&run(&place.write("zero.db", ""), &["list"]), 2);
    assert!(error.contains("restore BACKUP") && !error.contains("delete it"), "{error}");
}

#[test]
fn nothing_is_written_to_a_file_that_is_not_at_its_path_any_more() {
    for (what, happens) in [
        ("deleted", &(|path: &Path| std::fs::remove_file(path).unwrap()) as &dyn Fn(&Path)),
        ("moved", &|path| std::fs::rename(path, path.with_extension("moved")).unwrap()),
        ("replaced", &|path| {
            std::fs::copy(path, path.with_extension("copy")).unwrap();
            std::fs::rename(path.with_extension("copy"), path).unwrap();
        }),
    ] {
        let place = Place::new();
        let path = upgraded(&place, "a.db");
        let (mut store, _) = Store::open(&path, &std::sync::Arc::default(), &mut |_| Ok(())).unwrap();
        let id = store.ids(&[1]).unwrap().concat();
        happens(&path);
        let written = store.delete(&[id], "2026-11-25T12:00:00.000Z");
        match what {
            "replaced" => assert!(matches!(written, Err(StoreError::AnotherFile(_))), "{written:?}"),
            _ => assert!(matches!(written, Err(StoreError::Gone(_))), "{written:?}"),
        }
        assert!(store.check_place().is_err());
        // What is open can be saved all the same, whole.
        let saved =
            store.back_up(Some(&place.path("saved.db")), "2026-11-25T12:00:00Z".parse().unwrap(), &mut |_, _| true);
        assert_eq!(records(&saved.unwrap().path).len(), 30, "{what}");
    }
}

#[test]
fn a_file_with_a_second_name_is_read_and_not_written() {
    let place = Place::new();
    let path = upgraded(&place, "a.db");
    let before = records(&path);
    let (mut store, _) = Store::open(&path, &std::sync::Arc::default(), &mut |_| Ok(())).unwrap();
    std::fs::hard_link(&path, place.path("b.db")).unwrap();
    let id = store.ids(&[1]).unwrap().concat();
    let written = store.delete(std::slice::from_ref(&id), "2026-11-25T12:00:00.000Z");
    assert!(matches!(written, Err(StoreError::HardLinks { names: 2, .. })), "{written:?}");
    drop(store);
    for name in ["a.db", "b.db"] {
        let error = exits(&run(&place.path(name), &["toggle", &id]), 2);
        assert!(error.contains("has 2 names (hard links)"), "{error}");
        exits(&run(&place.path(name), &["--read-only", "list"]), 0);
    }
    let backup = place.path("good.bak");
    exits(&run(&path, &["backup", backup.to_str().unwrap()]), 0);
    exits(&run(&path, &["restore", backup.to_str().unwrap()]), 2);
    assert_eq!(records(&path), before);
    std::fs::remove_file(place.path("b.db")).unwrap();
    exits(&run(&path, &["toggle", &id]), 0);
    // A demo at schema 1 is not upgraded under two names either.
    let demo = place.demo();
    std::fs::hard_link(&demo, place.path("second.db")).unwrap();
    exits(&run(&demo, &["upgrade"]), 2);
    assert_eq!(Store::open_read_only(&demo, Reading::Shared).unwrap().schema_version().unwrap(), 1);
}

#[test]
fn a_lock_of_a_push_is_no_file_of_somebody_else() {
    let place = Place::new();
    let path = upgraded(&place, "a.db");
    exits(&run(&path, &["remote", "add", "prod", "http://127.0.0.1:1"]), 0);
    std::fs::write(place.path("a.db-push"), "notes of mine").unwrap();
    run(&path, &["push", "--yes"]);
    assert_eq!(std::fs::read_to_string(place.path("a.db-push")).unwrap(), "notes of mine");
}

#[test]
fn no_command_reads_a_folder_to_open_a_file() {
    // 20 thousand names would be read in some milliseconds each time; what is asked here is that none is.
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("skipped: there is no strace");
        return;
    }
    let place = Place::new();
    let path = upgraded(&place, "a.db");
    let trace = place.path("trace");
    let output = Command::new("strace")
        .args(["-f", "-e", "trace=getdents64,getdents", "-y", "-o"])
        .arg(&trace)
        .args([PROGRAM, "--file", path.to_str().unwrap(), "list"])
        .output()
        .unwrap();
    let text = std::fs::read_to_string(&trace).unwrap_or_default();
    if !output.status.success() || text.is_empty() && said(&output).contains("ptrace") {
        eprintln!("skipped: strace is not allowed here");
        return;
    }
    assert!(!text.contains(&format!("<{}>", place.folder.path().display())), "{text}");
}

#[test]
fn a_folder_whose_writes_fail_is_no_reason_to_refuse_reading() {
    let place = Place::new();
    let path = upgraded(&place, "a.db");
    std::fs::set_permissions(place.folder.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let output = run(&path, &["--read-only", "list"]);
    std::fs::set_permissions(place.folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    exits(&output, 0);
    execute(&path, "PRAGMA journal_mode = DELETE");
    exits(&run(&path, &["--read-only", "list"]), 0);
}
