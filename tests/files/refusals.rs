//! Refused files: a clear message, exit code 2, and the file unchanged.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::{TestDir, execute};

const PROGRAM: &str = env!("CARGO_BIN_EXE_connector-admin");

fn run(path: &Path, arguments: &[&str]) -> Output {
    Command::new(PROGRAM).arg("--file").arg(path).args(arguments).output().expect("runs")
}

/// Every way in refuses: commands that read, that write, and the UI.
#[track_caller]
fn refused(dir: &TestDir, path: &Path, expected: &str) {
    let before = std::fs::read(path).ok();
    let names = dir.names();
    let opened = Command::new(PROGRAM).arg(path).output().expect("runs");
    let mut outputs = vec![opened];
    for arguments in
        [&["list"][..], &["info"], &["upgrade"], &["migrate", "--apply"], &["export"], &["get", "x"], &["toggle", "x"]]
    {
        outputs.push(run(path, arguments));
    }
    for output in outputs {
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(expected), "{error:?} does not say {expected:?}");
        assert!(output.stdout.is_empty());
    }
    assert_eq!(std::fs::read(path).ok(), before);
    assert_eq!(dir.names(), names);
}

#[test]
fn newer_schema_is_refused() {
    let dir = TestDir::new();
    let path = dir.demo();
    execute(&path, "PRAGMA user_version = 99");
    refused(&dir, &path, "has schema 99, and this connector-admin knows schemas up to 2");
}

#[test]
fn foreign_sqlite_file_is_refused() {
    let dir = TestDir::new();
    let path = dir.path("other.db");
    execute(&path, "CREATE TABLE birds (name TEXT)");
    refused(&dir, &path, "another program (it has no table of connectors)");
    execute(&path, "PRAGMA application_id = 7");
    refused(&dir, &path, "its application id is 7");
    let path = dir.path("similar.db");
    execute(&path, "CREATE TABLE connectors (id TEXT); PRAGMA user_version = 1");
    refused(&dir, &path, "has no column connector_type_id");
}

#[test]
fn text_export_empty_file_and_folder_are_refused() {
    let dir = TestDir::new();
    refused(
        &dir,
        &dir.write(
            "notes.txt",
            "hello, this is a longer text than a header of SQLite would be, and no database at all; really not.",
        ),
        "is not a SQLite file",
    );
    refused(&dir, &dir.write("export.ndjson", "{\"type\":\"action\"}"), "connector-admin import");
    refused(&dir, &dir.write("zero.db", ""), "is empty (0 bytes)");
    let folder = dir.path("folder");
    std::fs::create_dir(&folder).unwrap();
    refused(&dir, &folder, "is a directory");
}

#[test]
fn damaged_file_is_refused() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut bytes = std::fs::read(&path).unwrap();
    for byte in &mut bytes[100..8192] {
        *byte = 0xa5;
    }
    std::fs::write(&path, bytes).unwrap();
    refused(&dir, &path, "damaged");
    let cut = dir.write("cut.db", "");
    std::fs::write(&cut, b"SQLite format 3\0 and then nothing").unwrap();
    refused(&dir, &cut, "cut.db");
}

#[test]
fn deep_damage_stops_the_upgrade() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xa5);
    std::fs::write(&path, &bytes).unwrap();
    let output = run(&path, &["upgrade"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("The file is as it was"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn reading_command_never_creates_the_file() {
    let dir = TestDir::new();
    let path = dir.path("none.db");
    for arguments in [
        &["list"][..],
        &["get", "x"],
        &["export"],
        &["upgrade"],
        &["toggle", "x"],
        &["migrate", "--apply"],
        &["migrate"],
    ] {
        let output = run(&path, arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("no such file"), "{output:?}");
    }
    assert!(run(&path, &["info"]).status.success());
    assert!(dir.names().is_empty());
}

/// Root can read and write everything, so the program runs as nobody.
#[cfg(unix)]
#[test]
fn unreadable_file_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TestDir::new();
    let path = dir.demo();
    let program = dir.path("program");
    std::fs::copy(PROGRAM, &program).unwrap();
    let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(dir.folder.path(), 0o755);
    mode(&program, 0o755);
    let bytes = std::fs::read(&path).unwrap();
    let is_root = std::fs::read_to_string("/proc/self/status").unwrap_or_default().contains("Uid:\t0");
    let run_on = |path: &Path, arguments: &[&str]| {
        let mut command = if is_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
            command
        } else {
            Command::new(&program)
        };
        command.arg("--file").arg(path).args(arguments).output()
    };
    let run = |arguments: &[&str]| run_on(&path, arguments);
    let Ok(probe) = run(&["--version"]) else { return eprintln!("skipped: setpriv is not installed") };
    assert!(probe.status.success(), "{probe:?}");

    mode(&path, 0o000);
    for arguments in [&["list"][..], &["upgrade"], &["migrate", "--apply"]] {
        let output = run(arguments).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("permission denied"), "{output:?}");
    }
    // A file of this schema in a folder that cannot be written: reading needs no side files.
    let newer = dir.path("newer.db");
    std::fs::copy(&path, &newer).unwrap();
    mode(&newer, 0o644);
    drop(connector_admin::store::Store::open(&newer, &std::sync::Arc::default(), &mut |_| Ok(())).unwrap());
    mode(dir.folder.path(), 0o555);
    let listed = run_on(&newer, &["list"]).unwrap();
    assert!(listed.status.success(), "{listed:?}");
    mode(dir.folder.path(), 0o755);
    // Read-only: what reads works and shows the plan, what writes is refused.
    mode(&path, 0o444);
    mode(dir.folder.path(), 0o555);
    let plan = run(&["migrate", "--dry-run", "--json"]).unwrap();
    assert!(plan.status.success(), "{plan:?}");
    assert!(String::from_utf8_lossy(&plan.stdout).contains("\"backfill\": 73"));
    let output = run(&["upgrade"]).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--read-only"), "{output:?}");
    mode(dir.folder.path(), 0o755);
    mode(&path, 0o644);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn mismatched_schema_is_refused() {
    let dir = TestDir::new();
    let path = dir.demo();
    execute(&path, "PRAGMA user_version = 2");
    refused(&dir, &path, "its schema version is 2, but its table of connectors has no column key");
}

#[test]
fn read_only_applies_to_commands() {
    let dir = TestDir::new();
    let path = dir.demo();
    let bytes = std::fs::read(&path).unwrap();
    for arguments in [&["toggle", "x"][..], &["upgrade"], &["migrate", "--apply"], &["import", "x"]] {
        let output =
            Command::new(PROGRAM).arg("--read-only").arg("--file").arg(&path).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("--read-only forbids it"), "{output:?}");
    }
    let output = Command::new(PROGRAM).args(["--read-only", "--file"]).arg(&path).arg("migrate").output().unwrap();
    assert!(output.status.success());
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}
