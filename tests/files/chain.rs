//! A future model version on the whole program: the plan, the review, the command line, apply and rollback.
//!
//! The program has one chain of migration steps for the whole process, so each test runs in a child process.

use std::path::Path;
use std::process::{Command, ExitCode};

use connector_admin::cli;
use connector_admin::domain::Connector;
use connector_admin::domain::migration::{CHAIN, Chain, Choice, MigrationStep};
use serde_json::Value;

use crate::support::{App, TestDir, execute, rows};
use trimmed_names::TrimmedNames;

#[path = "../support/trimmed_names.rs"]
mod trimmed_names;

fn install() {
    let steps: Vec<&'static dyn MigrationStep> = CHAIN.steps().chain([&TrimmedNames as &dyn MigrationStep]).collect();
    Chain(Box::leak(steps.into_boxed_slice())).install();
}

/// Runs a test of this file in a child process, with the file in its environment; returns its standard output.
fn child(test: &str, path: &Path, arguments: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .envs([("CHAIN_FILE", path.to_str().unwrap()), ("CHAIN_ARGUMENTS", arguments)])
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The command line with version 3: a child process of the test below.
#[test]
fn command_line() {
    let (Ok(path), Ok(arguments)) = (std::env::var("CHAIN_FILE"), std::env::var("CHAIN_ARGUMENTS")) else { return };
    install();
    let arguments = ["connector-admin", "--file", &path].into_iter().chain(arguments.split(' ')).map(Into::into);
    let code = cli::run_with(arguments);
    assert!(code == ExitCode::SUCCESS || code == ExitCode::from(1), "{code:?}");
}

/// The UI with version 3: a child process of the test below.
#[test]
fn review() {
    let Ok(path) = std::env::var("CHAIN_FILE") else { return };
    install();
    let mut app = App::open(Path::new(&path), 120, 40);
    app.act("review").expect("11 pending: backfill 11").expect("trimmed");
    app.expect("names carry no blanks").expect("a trimmed  p capitals").act("choose-second").expect("capitals (you)");
    app.act("down skip").expect("you: 1 capitals, 1 skip").act("apply").expect("backfill: trimmed");
    app.expect("capitals, as you decided").act("right confirm").expect("Migration applied");
    app.expect("1 skipped by you").act("confirm");
}

/// A file of the newest schema with 12 records at model version 2, each with blanks around its name.
fn migrated_file(dir: &TestDir) -> std::path::PathBuf {
    let path = dir.demo();
    let upgraded = Command::new(env!("CARGO_BIN_EXE_connector-admin"))
        .args(["--file", path.to_str().unwrap(), "migrate", "--apply", "--json"])
        .output()
        .unwrap();
    assert_eq!(upgraded.status.code(), Some(1), "{upgraded:?}");
    execute(&path, "DELETE FROM connectors WHERE model_version <> 2 OR connector_type_id NOT LIKE '.jira%'");
    execute(&path, "UPDATE connectors SET name = '  ' || name");
    path
}

fn names(path: &Path) -> Vec<String> {
    rows(path, "SELECT name, model_version FROM connectors ORDER BY id")
}

fn last_json(output: &str) -> Value {
    let start = output.find('{').unwrap();
    let end = output.rfind('}').unwrap();
    serde_json::from_str(&output[start..=end]).unwrap()
}

#[test]
fn third_version_is_planned_applied_and_rolled_back_on_the_command_line() {
    let dir = TestDir::new();
    let path = migrated_file(&dir);
    let before = names(&path);
    let plan = last_json(&child("chain::command_line", &path, "migrate --json"));
    let count = before.len() as u64;
    assert_eq!((&plan["backfill"], &plan["stamp_only"], &plan["blocked"]), (&count.into(), &0.into(), &0.into()));
    let record = &plan["records"][0];
    assert_eq!(record["reason"], "names carry no blanks around them");
    assert_eq!((&record["model_version_before"], &record["model_version_after"]), (&2.into(), &3.into()));

    let applied = last_json(&child("chain::command_line", &path, "migrate --apply --json"));
    assert_eq!(
        (&applied["applied"], &applied["backfilled"], &applied["pending"]),
        (&count.into(), &count.into(), &0.into())
    );
    let after = names(&path);
    assert!(
        after.iter().all(|row| row.starts_with("\"") && !row.starts_with("\" ") && row.ends_with("Integer(3)")),
        "{after:?}"
    );

    let reverted = last_json(&child("chain::command_line", &path, "migrate --rollback --json"));
    assert_eq!(reverted["restored"], count);
    assert_eq!(names(&path), before);
}

#[test]
fn third_version_is_reviewed_with_its_own_choices() {
    let dir = TestDir::new();
    let path = migrated_file(&dir);
    let before = names(&path);
    child("chain::review", &path, "");
    let after = names(&path);
    let changed: Vec<&String> = after.iter().filter(|row| row.ends_with("Integer(3)")).collect();
    assert_eq!(changed.len(), before.len() - 1, "{after:?}");
    let capitals = changed.iter().filter(|row| row.split('|').next().is_some_and(|name| name.to_uppercase() == name));
    assert_eq!(capitals.count(), 1, "{after:?}");
    child("chain::command_line", &path, "migrate --rollback --json");
    assert_eq!(names(&path), before);
}
