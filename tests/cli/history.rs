//! History, undo, redo, copies, check and reports on the command line.

use serde_json::Value;

use crate::commands::{json, ok, run};
use crate::support::{TestDir, execute, records, rows};

fn printed(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

#[test]
fn history_lists_undoes_and_redoes() {
    let dir = TestDir::new();
    let path = dir.demo();
    assert_eq!(ok(&path, &["upgrade"]).lines().count(), 1);
    let before = records(&path);
    assert_eq!(run(&path, &["migrate", "--apply"]).status.code(), Some(1));
    let after = records(&path);
    let steps = json(&path, &["history", "--json"]);
    assert_eq!(
        (&steps[0]["kind"], &steps[0]["connectors"], &steps[0]["state"]),
        (&"migration".into(), &184.into(), &"done".into())
    );
    let step = json(&path, &["history", "1", "--filter", "type:jira change:applied", "--json"]);
    let jira = step["changes"].as_array().unwrap().len();
    assert!(jira > 1 && jira < 30);
    assert_eq!(step["changes"][0]["fields"].as_array().unwrap().last().unwrap()["field"], "model version");
    // Only Jira, then the rest, then all of it again.
    assert!(
        ok(&path, &["undo", "1", "--filter", "type:jira"]).contains(&format!("Undid migration of {jira} connectors"))
    );
    assert_eq!(run(&path, &["undo", "1", "--filter", "type:nowhere"]).status.code(), Some(2));
    ok(&path, &["undo"]);
    assert_eq!(records(&path), before);
    ok(&path, &["redo"]);
    ok(&path, &["redo"]);
    assert_eq!(records(&path), after);
    assert_eq!(run(&path, &["redo"]).status.code(), Some(2));
    let of_one = json(&path, &["history", "--id", "legacy-import-broken", "--json"]);
    assert_eq!(of_one.as_array().unwrap().len(), 0);
    assert_eq!(run(&path, &["history", "--id", "nobody"]).status.code(), Some(2));
    assert_eq!(run(&path, &["history", "99"]).status.code(), Some(2));
}

#[test]
fn partial_conflict_exits_with_1_and_full_conflict_with_2() {
    let dir = TestDir::new();
    let path = dir.demo();
    run(&path, &["migrate", "--apply"]);
    execute(&path, "UPDATE connectors SET name = 'edited' WHERE name = 'Aurora runbooks'");
    let output = run(&path, &["undo"]);
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    assert!(printed(&output).contains("Modified since, not changed: "));
    let id = rows(&path, "SELECT id FROM connectors WHERE name = 'edited'").concat().replace('"', "");
    let id = id.as_str();
    ok(&path, &["toggle", id]);
    execute(&path, "UPDATE connectors SET name = 'again' WHERE name = 'edited'");
    let output = run(&path, &["undo"]);
    assert_eq!(output.status.code(), Some(2), "{}", printed(&output));
}

#[test]
fn backups_are_created_listed_and_restored() {
    let dir = TestDir::new();
    let path = dir.demo();
    ok(&path, &["upgrade"]);
    let before = records(&path);
    let made = json(&path, &["backup", "--json"]);
    let made = made["path"].as_str().unwrap();
    run(&path, &["migrate", "--apply"]);
    let kinds: Vec<String> = json(&path, &["backup", "--list", "--json"])
        .as_array()
        .unwrap()
        .iter()
        .map(|backup| backup["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    for kind in ["backup", "before a run or import", "before an upgrade"] {
        assert!(kinds.iter().any(|found| found == kind), "{kind}");
    }
    let restored = json(&path, &["restore", made, "--json"]);
    assert_eq!(restored["connectors"], 197);
    assert_eq!(records(&path), before);
    // The replaced file can be restored in its turn.
    ok(&path, &["restore", restored["kept"].as_str().unwrap()]);
    assert_ne!(records(&path), before);
    // A file that has gone, and one that is damaged, come back too.
    std::fs::remove_file(&path).unwrap();
    ok(&path, &["restore", made]);
    assert_eq!(records(&path), before);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 3]).unwrap();
    ok(&path, &["restore", made]);
    assert_eq!(records(&path), before);
}

#[test]
fn restore_refuses_what_is_not_a_backup() {
    let dir = TestDir::new();
    let path = dir.demo();
    ok(&path, &["upgrade"]);
    let before = std::fs::read(&path).unwrap();
    let text = dir.write("text.bak", "no database");
    let other = dir.path("other.db");
    execute(&other, "PRAGMA application_id = 7; CREATE TABLE t (a)");
    let torn = dir.path("torn.bak");
    ok(&path, &["backup", torn.to_str().unwrap()]);
    let bytes = std::fs::read(&torn).unwrap();
    std::fs::write(&torn, &bytes[..bytes.len() - 8192]).unwrap();
    for (backup, reason) in [
        (text.to_str().unwrap(), "is not a SQLite file"),
        (other.to_str().unwrap(), "another program"),
        (torn.to_str().unwrap(), "is damaged"),
        (path.to_str().unwrap(), "is the file itself"),
        ("/nowhere/a.bak", "no such backup"),
    ] {
        let output = run(&path, &["restore", backup]);
        assert_eq!(output.status.code(), Some(2), "{backup}");
        assert!(printed(&output).contains(reason), "{backup}: {}", printed(&output));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    let output = run(&path, &["backup", torn.to_str().unwrap()]);
    assert!(output.status.code() == Some(2) && printed(&output).contains("already exists"));
}

#[test]
fn large_import_creates_a_backup() {
    let dir = TestDir::new();
    let path = dir.demo();
    let lines: String = (0..1500)
        .map(|at| {
            format!("{{\"id\":\"n{at}\",\"type\":\"action\",\"attributes\":{{\"actionTypeId\":\".index\",\"name\":\"n\",\"config\":{{}}}}}}\n")
        })
        .collect();
    let export = dir.write("many.ndjson", &lines);
    ok(&path, &["import", export.to_str().unwrap()]);
    let backup = dir.path("demo.db.auto.bak");
    assert_eq!(rows(&backup, "SELECT count(*) FROM connectors"), ["Integer(197)"]);
    assert_eq!(rows(&path, "SELECT count(*) FROM connectors"), ["Integer(1697)"]);
    assert_eq!(json(&path, &["history", "--json"])[0]["subject"], "many.ndjson");
    ok(&path, &["undo"]);
    std::fs::remove_file(&backup).unwrap();
    ok(&path, &["import", export.to_str().unwrap(), "--no-backup"]);
    assert!(!backup.exists());
}

#[test]
fn check_reports_each_problem_with_its_repair() {
    let dir = TestDir::new();
    let path = dir.demo();
    let output = run(&path, &["check", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found["checked"], found["file"].as_array().unwrap().len()), (&197.into(), 0));
    let findings = found["connectors"].as_array().unwrap();
    assert!(findings.iter().all(|finding| !finding["repair"].as_str().unwrap().is_empty()));
    let of = |id: &str| -> Vec<String> {
        let mine = findings.iter().filter(|finding| finding["id"] == id);
        mine.map(|finding| format!("{} {}", finding["severity"], finding["field"]).replace('"', "")).collect()
    };
    assert!(of("legacy-import-broken").contains(&"problem config".to_owned()), "{:?}", of("legacy-import-broken"));
    // A whole file without problems.
    let clean = dir.path("clean.db");
    let export = dir.write(
        "clean.ndjson",
        "{\"id\":\"a\",\"type\":\"action\",\"attributes\":{\"actionTypeId\":\".server-log\",\"name\":\"n\",\"config\":{}},\"typeMigrationVersion\":\"10.2.0\"}\n",
    );
    ok(&clean, &["import", export.to_str().unwrap()]);
    assert!(ok(&clean, &["check"]).contains("1 connector checked: 0 problems, 0 notes; the file is not damaged"));
    // Damage of the file itself.
    execute(
        &clean,
        "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(sql, '(auth_mode)', '(name)')
        WHERE name = 'connectors_by_auth_mode'",
    );
    let output = run(&clean, &["check"]);
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    assert!(printed(&output).contains("the file is damaged"), "{}", printed(&output));
}

#[test]
fn migration_report_covers_plan_and_run() {
    let dir = TestDir::new();
    let path = dir.demo();
    let (plan, done) = (dir.path("plan.json"), dir.path("done.md"));
    ok(&path, &["migrate", "--report", plan.to_str().unwrap()]);
    let plan: Value = serde_json::from_str(&std::fs::read_to_string(plan).unwrap()).unwrap();
    assert_eq!((&plan["backfill"], plan["records"].as_array().unwrap().len()), (&73.into(), 189));
    let of_backfill =
        plan["records"].as_array().unwrap().iter().find(|record| record["outcome"] == "backfill").unwrap();
    assert_eq!(of_backfill["changes"][0]["after"], "shared");
    run(&path, &["migrate", "--apply", "--report", done.to_str().unwrap()]);
    let done = std::fs::read_to_string(done).unwrap();
    assert_eq!(done.lines().filter(|line| line.contains("| migrated |")).count(), 184);
    assert_eq!(done.lines().filter(|line| line.contains("| pending: blocked |")).count(), 5);
    assert!(done.contains("auth mode: (none) → shared<br>model version: 1 → 2"));
    let sheet = dir.path("back.csv");
    ok(&path, &["migrate", "--rollback", "--report", sheet.to_str().unwrap()]);
    let sheet = std::fs::read_to_string(sheet).unwrap();
    assert!(sheet.starts_with("id,name,connector_type_id,outcome,reason,changes\n"), "{sheet}");
    assert_eq!(sheet.lines().filter(|line| line.contains(",rolled back,")).count(), 184);
    run(&path, &["migrate", "--apply"]);
    // In Markdown on standard output, with nothing else.
    let back = ok(&path, &["migrate", "--rollback", "--report", "-"]);
    assert!(back.starts_with("# Migration run: rolled back\n"), "{back}");
    assert!(!back.contains("connectors are as before"));
}

#[test]
fn report_never_overwrites_database_or_keys() {
    let dir = TestDir::new();
    let path = dir.demo();
    let keys = dir.path("demo.db.keys");
    ok(&path, &["upgrade"]);
    let backup = json(&path, &["backup", "--json"])["path"].as_str().unwrap().to_owned();
    let before = [std::fs::read(&path).unwrap(), std::fs::read(&backup).unwrap(), std::fs::read(&keys).unwrap()];
    for target in [path.to_str().unwrap(), backup.as_str(), keys.to_str().unwrap()] {
        for what in ["--dry-run", "--apply"] {
            let output = run(&path, &["--key-file", keys.to_str().unwrap(), "migrate", what, "--report", target]);
            assert_eq!(output.status.code(), Some(2), "{target} {}", printed(&output));
            assert!(printed(&output).contains("name another file"));
        }
    }
    let after = [std::fs::read(&path).unwrap(), std::fs::read(&backup).unwrap(), std::fs::read(&keys).unwrap()];
    assert_eq!(before, after);
}

#[test]
fn history_retention_follows_the_file() {
    let dir = TestDir::new();
    let path = dir.demo();
    run(&path, &["migrate", "--apply"]);
    assert_eq!(json(&path, &["info", "--json"])["history_kept"], "the whole history is kept");
    execute(&path, "UPDATE history SET started_at = '2020-01-01T00:00:00.000Z'");
    assert!(ok(&path, &["history", "--keep-days", "30", "--keep-megabytes", "5"]).contains("removed now: 1 step"));
    let info = json(&path, &["info", "--json"]);
    assert_eq!(
        (&info["history_kept"], &info["history_steps"]),
        (&"the history is kept for 30 days and up to 5 MB".into(), &0.into())
    );
    // The next opening for writing prunes old steps.
    let id = rows(&path, "SELECT id FROM connectors WHERE name = 'Aurora runbooks'").concat().replace('"', "");
    ok(&path, &["toggle", &id]);
    execute(&path, "UPDATE history SET started_at = '2020-01-01T00:00:00.000Z'");
    ok(&path, &["upgrade"]);
    assert_eq!(rows(&path, "SELECT count(*) FROM history"), ["Integer(0)"]);
    assert!(ok(&path, &["history", "--keep-all"]).contains("whole history"));
    assert_eq!(run(&path, &["history", "--keep-megabytes", "0"]).status.code(), Some(2));
}

/// Whether the file is damaged or only seems to be: it stays until the backup is complete.
#[cfg(target_os = "linux")]
#[test]
fn damaged_file_stays_until_the_backup_is_verified() {
    let dir = TestDir::new();
    let path = dir.demo();
    let made = json(&path, &["backup", "--json"])["path"].as_str().unwrap().to_owned();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096..40960].fill(0xa5);
    std::fs::write(&path, &bytes).unwrap();
    // No file may grow beyond 16 blocks of a kilobyte, so no copy can be made.
    let script = format!("ulimit -f 16; exec {} --file {} restore {made}", super::commands::PROGRAM, path.display());
    let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", printed(&output));
    assert!(printed(&output).contains("could not be"), "{}", printed(&output));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    let restored = json(&path, &["restore", &made, "--json"]);
    assert_eq!(restored["connectors"], 197);
    assert_eq!(std::fs::read(restored["kept"].as_str().unwrap()).unwrap(), bytes);
}
