//! Commands: exit codes, output for users and for scripts.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::{SAMPLE, TestDir, execute, records, untouched};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_connector-admin");

pub fn run(path: &Path, arguments: &[&str]) -> Output {
    Command::new(PROGRAM).arg("--file").arg(path).args(arguments).env("COLUMNS", "100").output().expect("runs")
}

#[track_caller]
pub fn ok(path: &Path, arguments: &[&str]) -> String {
    let output = run(path, arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[track_caller]
pub fn json(path: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&ok(path, arguments)).expect("JSON")
}

fn imported(dir: &TestDir) -> std::path::PathBuf {
    let path = dir.path("c.db");
    let export = dir.write("export.ndjson", SAMPLE);
    let printed = ok(&path, &["import", export.to_str().unwrap()]);
    assert_eq!(printed, "Imported 30 connectors (30 new, 0 replaced); 22 without secrets\n");
    path
}

#[test]
fn sample_export_is_listed_reviewed_migrated_and_exported() {
    let dir = TestDir::new();
    let path = imported(&dir);
    let kept = untouched(&path);
    let list = json(&path, &["list", "--json"]);
    assert_eq!(list.as_array().unwrap().len(), 30);
    let plan = json(&path, &["migrate", "--dry-run", "--json"]);
    assert_eq!((&plan["backfill"], &plan["stamp_only"], &plan["blocked"]), (&4.into(), &19.into(), &0.into()));
    let record =
        plan["records"].as_array().unwrap().iter().find(|record| record["id"] == "hand-edited-connector").unwrap();
    assert_eq!((record["group"].as_str(), record["auth_mode_after"].as_str()), (Some("stamp_only"), Some("per-user")));
    let before = records(&path);
    let applied = json(&path, &["migrate", "--apply", "--json"]);
    assert_eq!((&applied["applied"], &applied["backfilled"], &applied["pending"]), (&23.into(), &4.into(), &0.into()));
    assert_eq!(untouched(&path), kept);
    assert_eq!(json(&path, &["migrate", "--apply", "--json"])["applied"], 0);
    assert_eq!(json(&path, &["migrate", "--rollback", "--json"])["restored"], 23);
    assert_eq!(records(&path), before);
    assert_eq!(run(&path, &["migrate", "--rollback"]).status.code(), Some(2), "there is no run left");
    assert_eq!(json(&path, &["migrate", "--apply", "--all", "--json"])["backfilled"], 22);
}

#[test]
fn dry_run_names_skipped_records() {
    let dir = TestDir::new();
    let path = imported(&dir);
    let plan = json(&path, &["migrate", "--dry-run", "--json"]);
    assert_eq!(plan["skipped"], 0);
    let of_group = |group: &str| plan["records"].as_array().unwrap().iter().find(|one| one["group"] == group).unwrap();
    for record in [of_group("backfill"), of_group("stamp_only")] {
        execute(
            &path,
            &format!(
                "INSERT INTO migration_decisions SELECT key, 'skip' FROM connectors WHERE id = '{}'",
                record["id"].as_str().unwrap()
            ),
        );
    }
    let plan = json(&path, &["migrate", "--dry-run", "--json"]);
    assert_eq!((&plan["skipped"], &plan["backfill"]), (&2.into(), &4.into()));
    let skipped = plan["records"].as_array().unwrap().iter().filter(|one| one["decision"] == "skip").count();
    assert_eq!(skipped, 2);
    let text = ok(&path, &["migrate", "--dry-run"]);
    assert_eq!(text.matches("unchanged (skipped)").count(), 2, "{text}");
    assert!(text.contains("23 connectors pending: 4 backfill, 19 stamp only, 0 blocked; 2 of them skipped"), "{text}");
}

#[test]
fn get_prints_kibanas_api_object() {
    let dir = TestDir::new();
    let path = imported(&dir);
    let connector = json(&path, &["get", "hand-edited-connector", "--json"]);
    let keys: Vec<&String> = connector.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "id",
            "name",
            "connector_type_id",
            "config",
            "is_missing_secrets",
            "is_preconfigured",
            "is_system_action",
            "is_deprecated",
            "is_connector_type_deprecated",
            "auth_mode"
        ]
    );
    assert_eq!(
        (connector["auth_mode"].as_str(), connector["config"]["hasAuth"].as_bool()),
        (Some("per-user"), Some(true))
    );
    assert!(ok(&path, &["get", "hand-edited-connector"]).contains("auth mode       per-user"));
    let none = run(&path, &["get", "nobody"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&none.stderr).contains("no connector with id \"nobody\""));
}

#[test]
fn list_filters_and_sorts() {
    let dir = TestDir::new();
    let path = imported(&dir);
    let table = ok(&path, &["list", "--filter", "type:webhook -type:cases authtype:oauth"]);
    assert_eq!(table.lines().count(), 2, "{table}");
    assert!(table.contains("OAuth webhook"));
    let table = ok(&path, &["list", "--sort", "updated", "--descending"]);
    assert!(table.lines().nth(1).unwrap().starts_with("Drive (personal sign-in)"), "{table}");
    assert_eq!(run(&path, &["list", "--filter", "is:coffee"]).status.code(), Some(2));
}

#[test]
fn toggle_sets_or_flips_the_mode() {
    let dir = TestDir::new();
    let path = imported(&dir);
    assert_eq!(ok(&path, &["toggle", "minimal-connector"]), "minimal-connector: per-user\n");
    assert_eq!(ok(&path, &["toggle", "minimal-connector", "--to", "per-user"]), "minimal-connector: unchanged\n");
    let before = records(&path);
    assert_eq!(run(&path, &["toggle", "minimal-connector", "nobody"]).status.code(), Some(2));
    assert_eq!(records(&path), before, "one unknown id, and nothing is changed");
    assert_eq!(ok(&path, &["toggle", "minimal-connector", "minimal-connector"]), "minimal-connector: shared\n");
}

#[test]
fn pending_records_exit_with_1() {
    let dir = TestDir::new();
    let path = dir.demo();
    let output = run(&path, &["migrate", "--apply"]);
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("Migrated 184 connectors: 73 backfilled, 111 stamp only"), "{printed}");
    assert!(printed.contains("5 connectors still pending"), "{printed}");
    let note = String::from_utf8_lossy(&output.stderr);
    assert!(note.contains("from schema 1 to 2; backup:"), "{note}");
}

#[test]
fn dry_run_writes_nothing_at_schema_1() {
    let dir = TestDir::new();
    let path = dir.demo();
    let bytes = std::fs::read(&path).unwrap();
    let plan = json(&path, &["migrate", "--json"]);
    assert_eq!((&plan["backfill"], &plan["stamp_only"], &plan["blocked"]), (&73.into(), &111.into(), &5.into()));
    assert!(plan["records"].as_array().unwrap().iter().all(|record| !record["reason"].as_str().unwrap().is_empty()));
    ok(&path, &["list"]);
    ok(&path, &["info"]);
    let bytes_of_export = dir.write("export.ndjson", SAMPLE);
    assert_eq!(json(&path, &["import", bytes_of_export.to_str().unwrap(), "--dry-run", "--json"])["added"], 30);
    std::fs::remove_file(bytes_of_export).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_eq!(dir.names(), ["demo.db", "demo.db.keys"]);
    let upgraded = json(&path, &["upgrade", "--json"]);
    assert_eq!((&upgraded["from"], &upgraded["to"]), (&1.into(), &2.into()));
    assert_eq!(json(&path, &["upgrade", "--json"])["backup"], Value::Null);
    assert_eq!(json(&path, &["info", "--json"])["backups"].as_array().unwrap().len(), 1);
}

#[test]
fn existing_ids_are_reported_and_change_nothing_by_default() {
    let dir = TestDir::new();
    let path = imported(&dir);
    let export = dir.path("export.ndjson");
    let export = export.to_str().unwrap();
    ok(&path, &["toggle", "minimal-connector"]);
    let before = records(&path);
    let output = run(&path, &["import", export]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 30);
    assert!(String::from_utf8_lossy(&output.stderr).contains("--overwrite"));
    assert_eq!(records(&path), before);
    assert_eq!(json(&path, &["import", export, "--overwrite", "--dry-run", "--json"])["replaced"], 30);
    assert_eq!(records(&path), before);
    assert_eq!(json(&path, &["import", export, "--overwrite", "--json"])["replaced"], 30);
    assert_ne!(records(&path), before);
    assert_eq!(json(&path, &["import", export, "--create-new-copies", "--json"])["added"], 30);
    assert_eq!(json(&path, &["list", "--json"]).as_array().unwrap().len(), 60);
    assert_eq!(run(&path, &["import", export, "--overwrite", "--create-new-copies"]).status.code(), Some(2));
}

#[test]
fn standard_input_and_a_closed_pipe() {
    let dir = TestDir::new();
    let path = dir.path("c.db");
    let mut import = Command::new(PROGRAM)
        .arg("--file")
        .arg(&path)
        .args(["import", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    import.stdin.take().unwrap().write_all(SAMPLE.as_bytes()).unwrap();
    assert!(import.wait_with_output().unwrap().status.success());
    for arguments in [&["export"][..], &["list", "--json"], &["list"], &["keys"]] {
        let mut child = Command::new(PROGRAM)
            .arg("--file")
            .arg(&path)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn ui_without_terminal_is_refused() {
    let dir = TestDir::new();
    let output = Command::new(PROGRAM).arg(dir.path("c.db")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("this is not a terminal"));
    assert!(dir.names().is_empty());
    let output = Command::new(PROGRAM).arg("lst").current_dir(dir.folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("neither a command nor a file"));
}

#[test]
fn table_escapes_control_characters() {
    let dir = TestDir::new();
    let path = dir.path("c.db");
    let line = serde_json::json!({"type": "action", "id": "\u{1b}[2Jid", "references": [],
        "attributes": {"actionTypeId": "\u{9b}31m", "name": "\u{1b}]0;owned\u{7}\r\n\u{202e}", "config": {"authType": "\u{7f}"}}});
    ok(&path, &["import", dir.write("hostile.ndjson", &line.to_string()).to_str().unwrap()]);
    for arguments in [&["list"][..], &["migrate"], &["get", "\u{1b}[2Jid"], &["migrate", "--json"]] {
        let printed = ok(&path, arguments);
        assert!(!printed.chars().any(|c| c.is_control() && c != '\n' && c != '\u{7f}' && c != '\u{9b}'), "{printed:?}");
    }
    let printed = ok(&path, &["list"]);
    assert!(printed.contains("␛]0;owned␇") && !printed.contains('\u{9b}'), "{printed}");
    let error = run(&path, &["get", "\u{1b}[31m"]);
    assert!(!error.stderr.contains(&0x1b));
}

/// File names, option values and the environment may contain text of a hostile file.
#[test]
fn arguments_are_escaped_in_errors() {
    let dir = TestDir::new();
    let path = dir.demo();
    let hostile = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}5;5H\u{202e}x";
    let file = path.to_str().unwrap();
    let cases: &[&[&str]] = &[
        &[hostile],
        &["--file", hostile, "list"],
        &["--file", file, "get", hostile],
        &["--file", file, "get", hostile, "--json"],
        &["--file", file, "delete", hostile],
        &["--file", file, "toggle", hostile],
        &["--file", file, "list", "--filter", hostile],
        &["--file", file, "list", "--filter", &format!("is:{hostile}")],
        &["--file", file, "list", "--sort", hostile],
        &["--file", file, hostile],
        &["--file", file, "import", hostile],
        &["--file", file, "export", "--output", &format!("/no/{hostile}")],
        &["--file", file, "create", "--from", hostile],
        &["--file", file, "restore", hostile],
        &["--file", file, "history", "--id", hostile],
        &["--file", file, "types", hostile],
        &["--types", hostile, "--file", file, "list"],
        &["--key-file", hostile, "--file", file, "info"],
        &[&format!("--{hostile}")],
    ];
    for arguments in cases {
        let output = Command::new(PROGRAM).args(*arguments).env("CONNECTOR_ADMIN_FILE", hostile).output().unwrap();
        for text in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(text);
            let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.contains(acts), "{arguments:?}: {text:?}");
        }
    }
}

#[test]
fn errors_name_their_file_and_the_next_step() {
    let dir = TestDir::new();
    let path = imported(&dir);
    let refused = |path: &Path, arguments: &[&str]| {
        let output = run(path, arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    let missing = dir.path("nowhere.db");
    for arguments in [&["list"][..], &["check"], &["undo"], &["export"], &["upgrade"], &["remote", "list"]] {
        let message = refused(&missing, arguments);
        assert!(message.contains("no such file; import an export to create it"), "{arguments:?}: {message}");
    }
    let body = dir.path("body.json");
    let message = refused(&path, &["create", "--from", body.to_str().unwrap()]);
    assert!(message.contains("body.json: [request body]: cannot be read: no such file"), "{message}");
    assert!(!message.contains("c.db") && !message.contains("os error"), "{message}");
    let message = refused(&path, &["delete", "nope", "minimal-connector", "nada"]);
    assert!(message.contains(r#"no connectors with the ids "nope", "nada""#), "{message}");
}

#[test]
fn closed_pipe_ends_a_report_without_an_error() {
    let dir = TestDir::new();
    let path = imported(&dir);
    let mut child = Command::new(PROGRAM)
        .args(["--file", path.to_str().unwrap(), "migrate", "--report", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
