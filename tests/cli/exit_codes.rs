//! Exit code 2 means that nothing was changed: targets are checked before the work, and what fails half-way is 1.

use std::process::Command;

use super::commands::{PROGRAM, ok, run};
use crate::support::{SAMPLE, TestDir, execute, records};

fn printed(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Paths that nothing can be written to.
fn impossible(dir: &TestDir) -> Vec<String> {
    std::fs::create_dir_all(dir.path("folder")).unwrap();
    let text = dir.write("text", "no folder");
    [dir.path("no/such/folder/r.json"), dir.path("folder"), text.join("r.json")]
        .map(|path| path.display().to_string())
        .to_vec()
}

#[test]
fn unwritable_target_is_refused_before_the_work() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let export = dir.write("sample.ndjson", SAMPLE);
    ok(&path, &["import", export.to_str().unwrap()]);
    let before = records(&path);
    for target in impossible(&dir) {
        for arguments in [
            &["migrate", "--apply", "--report", &target][..],
            &["migrate", "--report", &target],
            &["import", export.to_str().unwrap(), "--create-new-copies", "--id-map", &target],
            &["export", "--output", &target],
        ] {
            let output = run(&path, arguments);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", printed(&output));
            assert!(printed(&output).contains("cannot be written"), "{}", printed(&output));
            assert_eq!(records(&path), before, "{arguments:?}");
        }
    }
    ok(&path, &["migrate", "--apply"]);
    let migrated = records(&path);
    for target in impossible(&dir) {
        assert_eq!(run(&path, &["migrate", "--rollback", "--report", &target]).status.code(), Some(2));
    }
    assert_eq!(records(&path), migrated);
}

#[cfg(target_os = "linux")]
#[test]
fn report_failing_after_the_work_exits_with_1() {
    let dir = TestDir::new();
    let path = dir.demo();
    ok(&path, &["upgrade"]);
    let before = records(&path);
    let output = run(&path, &["migrate", "--apply", "--no-backup", "--report", "/dev/full"]);
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    assert!(printed(&output).contains("What was written before that stays"), "{}", printed(&output));
    assert_ne!(records(&path), before);
    let output = run(&path, &["migrate", "--rollback", "--report", "/dev/full"]);
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    assert_eq!(records(&path), before);
}

/// The disk fills up in the middle of a run: some batches are written, and the message says so.
#[cfg(target_os = "linux")]
#[test]
fn full_disk_during_output_exits_with_1() {
    let dir = TestDir::new();
    let path = dir.demo();
    ok(&path, &["upgrade"]);
    execute(
        &path,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
         INSERT INTO connectors (id, connector_type_id, name, config, extra, model_version)
         SELECT 'many-' || i, '.webhook', 'Many ' || i, '{\"authType\":\"basic\",\"p\":\"' || hex(zeroblob(500)) || '\"}', '{}', 1 FROM n;
         PRAGMA wal_checkpoint(TRUNCATE)",
    );
    let before = records(&path).len();
    let mut codes = Vec::new();
    for blocks in [200, 800, 2400, 8000] {
        let backup = dir.path(&format!("copy-{blocks}.db"));
        std::fs::copy(&path, &backup).unwrap();
        // The log may not grow beyond this; a batch that does not fit fails.
        let script =
            format!("ulimit -f {blocks}; exec {PROGRAM} --file {} migrate --apply --no-backup", backup.display());
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        let done = migrated(&backup);
        codes.push((output.status.code(), done > 0));
        assert_eq!(records(&backup).len(), before);
        match output.status.code() {
            Some(2) => assert_eq!(done, 0, "{}", printed(&output)),
            Some(1) => assert!(done > 0, "{}", printed(&output)),
            other => panic!("{other:?}: {}", printed(&output)),
        }
    }
    assert!(codes.contains(&(Some(1), true)), "{codes:?}");
}

fn migrated(path: &std::path::Path) -> usize {
    crate::support::rows(path, "SELECT id FROM connectors WHERE id LIKE 'many-%' AND model_version = 2").len()
}

#[test]
fn refused_import_into_a_new_file_changes_nothing() {
    let dir = TestDir::new();
    let path = dir.path("new.db");
    let export = dir.write("bad.ndjson", &format!("{}\n{{\"type\":\"action\"}}", SAMPLE.lines().next().unwrap()));
    let output = run(&path, &["import", export.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", printed(&output));
    assert!(!path.exists());
}
