//! Changes on both sides: merges, conflicts, and resolve.

use serde_json::json;

use crate::env::{Env, basic};
use crate::support::records;

fn pulled() -> Env {
    let env = Env::new();
    for id in ["a", "b", "c"] {
        env.server.add(id, ".index", &json!({"index": "i", "refresh": false, "executionTimeField": null}));
    }
    env.run(&["pull"]).exit_code(0);
    env
}

#[test]
fn one_sided_changes_are_merged_and_pushed() {
    let env = pulled();
    env.update("a", |body| body["name"] = json!("Mine"));
    env.server.set("a", "config", json!({"index": "theirs", "refresh": false}));
    env.run(&["status"]).exit_code(1).contains("Kibana has newer changes of it");
    env.run(&["push", "--yes"]).exit_code(1).contains("Nothing to push");
    env.run(&["pull"]).exit_code(0).contains("1 changed");
    let one = env.run(&["get", "a", "--json"]).json();
    assert_eq!((&one["name"], &one["config"]["index"]), (&json!("Mine"), &json!("theirs")));
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
    let remote = env.server.get("a");
    assert_eq!((&remote["name"], &remote["config"]["index"]), (&json!("Mine"), &json!("theirs")));
    env.run(&["status"]).exit_code(0);
}

#[test]
fn conflict_shows_both_sides_and_is_never_overwritten() {
    let env = pulled();
    for id in ["a", "b"] {
        env.update(id, |body| body["config"]["index"] = json!("mine"));
        env.server.set(id, "config", json!({"index": "theirs", "refresh": false}));
    }
    let diff = env.run(&["diff", "--json"]).exit_code(1).json();
    let field = &diff["connectors"][0]["fields"][0];
    let expected =
        json!({"field": "config.index", "base": "i", "local": "mine", "remote": "theirs", "changed": "both"});
    assert_eq!((field, &diff["connectors"][0]["group"]), (&expected, &json!("conflict")));
    env.run(&["diff"])
        .exit_code(1)
        .contains("    base    i")
        .contains("    local   mine")
        .contains("    remote  theirs");
    let before = records(&env.file);
    env.run(&["pull"]).exit_code(1).contains("conflict, skipped: a");
    env.run(&["push", "--yes"]).exit_code(1).contains("conflicts, changed on both sides (2)");
    assert_eq!((records(&env.file), env.server.get("a")["config"]["index"].clone()), (before, json!("theirs")));

    env.run(&["resolve", "c", "--keep", "local"]).exit_code(1).contains("c: skipped, it is not a conflict");
    env.run(&["resolve", "nowhere", "--keep", "local"]).exit_code(2);
    env.run(&["resolve", "a", "--keep", "local"]).exit_code(0).contains("a: kept local");
    env.run(&["resolve", "b", "--keep", "remote"]).exit_code(0);
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
    assert_eq!(env.server.get("a")["config"]["index"], "mine");
    assert_eq!(env.run(&["get", "b", "--json"]).json()["config"]["index"], "theirs");
    env.run(&["status"]).exit_code(0);
}

#[test]
fn delete_against_change_is_a_conflict() {
    let env = pulled();
    env.run(&["delete", "a"]).exit_code(0);
    env.server.set("a", "name", json!("Changed there"));
    env.update("b", |body| body["name"] = json!("Changed here"));
    for id in ["b", "c"] {
        env.server.state().connectors.remove(id);
    }
    env.run(&["pull"]).exit_code(1).contains("0 new, 0 changed, 1 deleted").contains("conflict, skipped: a");
    env.run(&["resolve", "a", "--keep", "remote"]).exit_code(0);
    env.run(&["resolve", "b", "--keep", "local"]).exit_code(0);
    assert_eq!(env.run(&["get", "a", "--json"]).json()["name"], "Changed there");
    env.run(&["push", "--yes"]).exit_code(0).contains("create").contains("1 done");
    assert_eq!(env.server.get("b")["name"], "Changed here");
    env.run(&["status"]).exit_code(0);
    // A pull is a step like others.
    env.run(&["undo"]).exit_code(0);
}

#[test]
fn remote_change_after_the_plan_is_not_overwritten() {
    let env = pulled();
    for id in ["a", "b"] {
        env.update(id, |body| body["name"] = json!("Mine"));
    }
    // While the first is being sent, somebody changes the second.
    env.server.state().delay = std::time::Duration::from_millis(300);
    let child = env.command(&["push", "--yes"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    while env.server.paths("PUT").is_empty() {
        std::thread::yield_now();
    }
    env.server.set("b", "name", json!("Theirs"));
    let printed = crate::env::CommandOutput::from(child.wait_with_output().unwrap());
    printed
        .exit_code(1)
        .contains("not sent: Mine (b)")
        .contains("changed in Kibana too since the plan was made")
        .contains("1 done, 1 not");
    assert_eq!((&env.server.get("a")["name"], &env.server.get("b")["name"]), (&json!("Mine"), &json!("Theirs")));
}

#[test]
fn remote_only_secrets_need_permission_to_lose() {
    let env = Env::new();
    env.server.add("w", ".webhook", &basic(1));
    env.run(&["pull"]).exit_code(0);
    env.run(&["toggle", "w"]).exit_code(0);
    env.run(&["push", "--yes"]).exit_code(1).contains("its secrets are in Kibana only").contains("--allow-secret-loss");
    assert!(env.server.paths("POST").is_empty());
    env.run(&["push", "--yes", "--allow-secret-loss"]).exit_code(0).contains("its secrets in Kibana are lost");
    let remote = env.server.get("w");
    assert_eq!((&remote["auth_mode"], &remote["is_missing_secrets"]), (&json!("per-user"), &json!(true)));
    env.run(&["status"]).exit_code(0);
    assert_eq!(env.run(&["get", "w", "--json"]).json()["is_missing_secrets"], true);
    // Entered later, they are sent by an update, once.
    env.enter_secrets("w", &json!({"user": "me", "password": "hunter2"}));
    env.run(&["push", "--yes"]).exit_code(0).contains("update");
    assert_eq!(env.server.get("w")["is_missing_secrets"], false);
    env.run(&["status"]).exit_code(0);
    // Re-encrypted they are still the same, and so is the credential.
    env.run(&["rekey"]).exit_code(0);
    env.run(&["status"]).exit_code(0);
    let with = |arguments: &[&str], name, value| -> crate::env::CommandOutput {
        env.command(arguments).env(name, value).output().unwrap().into()
    };
    with(&["rekey", "--to", "passphrase"], "CONNECTOR_ADMIN_NEW_PASSPHRASE", "pass").exit_code(0);
    with(&["status"], "CONNECTOR_ADMIN_PASSPHRASE", "pass").exit_code(0);
    with(&["rekey", "--to", "key-file"], "CONNECTOR_ADMIN_PASSPHRASE", "pass").exit_code(0);
    env.run(&["status"]).exit_code(0);
    env.enter_secrets("w", &json!({"user": "me", "password": "another"}));
    env.run(&["status"]).exit_code(1).contains("secrets");
}

#[test]
fn remotes_are_listed_replaced_and_removed() {
    let env = Env::new();
    let listed = env.run(&["remote", "list", "--json"]).exit_code(0).json();
    assert_eq!((&listed[0]["name"], &listed[0]["has_credential"]), (&json!("prod"), &json!(true)));
    env.run(&["remote", "add", "prod", "https://other.example"]).exit_code(2).contains("--replace");
    env.run(&["remote", "add", "x", "http://kibana.example"]).exit_code(2).contains("--allow-http");
    env.run(&["remote", "add", "x", "https://u:hunter2@kibana.example"]).exit_code(2).lacks("hunter2");
    env.run(&["remote", "add", "x", "https://k.example", "--proxy", "http://u:hunter2@p"])
        .exit_code(2)
        .lacks("hunter2");
    env.run(&["remote", "add", "x", "https://k.example", "--ca", "/nowhere"]).exit_code(2).contains("/nowhere");
    env.run(&["remote", "add", "prod", "https://other.example", "--replace"]).exit_code(0);
    let listed = env.run(&["remote", "list", "--json"]).json();
    assert_eq!((&listed[0]["url"], &listed[0]["has_credential"]), (&json!("https://other.example"), &json!(false)));
    env.run(&["remote", "remove", "prod"]).exit_code(0);
    env.run(&["status"]).exit_code(2).contains("this file has no remote");
    env.run(&["status", "--remote", "prod"]).exit_code(2).contains("this file has no remote");
}

#[test]
fn read_only_file_uses_the_last_fetch() {
    let env = pulled();
    env.update("a", |body| body["name"] = json!("Mine"));
    env.run(&["status", "--offline"]).exit_code(1).contains("to push (1)");
    let before = env.server.state().came.len();
    env.run(&["--read-only", "status"]).exit_code(2).contains("--read-only forbids it");
    env.run(&["--read-only", "diff", "--offline"]).exit_code(1).contains("local   Mine");
    assert_eq!(env.server.state().came.len(), before);
}

#[test]
fn remote_change_between_import_and_update_is_not_overwritten() {
    let env = Env::new();
    env.server.add("w", ".webhook", &basic(1));
    env.run(&["pull"]).exit_code(0);
    env.enter_secrets("w", &json!({"user": "me", "password": "hunter2"}));
    env.run(&["toggle", "w"]).exit_code(0);
    env.server.state().delay = std::time::Duration::from_millis(200);
    let child = env.command(&["push", "--yes"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    while !env.server.paths("POST").iter().any(|path| path.contains("_import")) {
        std::thread::yield_now();
    }
    // The import has arrived; the fetch after it has not.
    while env.server.get("w")["auth_mode"] != "per-user" {
        std::thread::yield_now();
    }
    env.server.set("w", "name", json!("Theirs"));
    let printed = crate::env::CommandOutput::from(child.wait_with_output().unwrap());
    printed.exit_code(1).contains("changed in Kibana right after the import");
    assert!(env.server.paths("PUT").is_empty());
    env.server.state().delay = std::time::Duration::ZERO;
    env.run(&["pull"]).exit_code(0);
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
    let remote = env.server.get("w");
    assert_eq!((&remote["name"], &remote["is_missing_secrets"]), (&json!("Theirs"), &json!(false)));
}

#[test]
fn rejected_mode_is_reported_and_stays_to_push() {
    let env = Env::new();
    env.server.add("log", ".server-log", &json!({}));
    env.server.state().drops_modes = true;
    env.run(&["pull"]).exit_code(0);
    env.run(&["toggle", "log"]).exit_code(0);
    env.run(&["push", "--yes"]).exit_code(1).contains("did not accept the auth mode: it has shared, not per-user");
    env.run(&["status"]).exit_code(1).contains("to push (1)");
    assert_eq!(env.run(&["get", "log", "--json"]).json()["auth_mode"], "per-user");
}

#[test]
fn push_sends_only_the_confirmed_secrets() {
    let env = Env::new();
    env.server.add("w", ".webhook", &basic(1));
    env.run(&["pull"]).exit_code(0);
    env.enter_secrets("w", &json!({"user": "me", "password": "hunter2"}));
    env.run(&["push", "--yes"]).exit_code(0);
    env.update("w", |body| body["name"] = json!("Shown"));
    let plan = env.run(&["push", "--dry-run", "--json"]).json();
    assert_eq!(plan["connectors"][0]["sends_secrets"], true, "{plan}");
    assert!(plan["connectors"][0]["notes"][0].as_str().unwrap().contains("replace those in Kibana"), "{plan}");
    // A plan that was shown is sent as it was shown, or not at all.
    let file = &env.file;
    let (mut store, _) =
        connector_admin::store::Store::open(file, &std::sync::Arc::default(), &mut |_| Ok(())).unwrap();
    let vault = connector_admin::vault::Vault::new(connector_admin::vault::KeyOptions {
        key_file: env.dir.path("keys"),
        next_to_file: None,
        passphrase: None,
    });
    let mut remote = connector_admin::service::remote::remote_of(&store, None).unwrap();
    let kibana = connector_admin::service::remote::connect(&remote, &vault, None, &std::sync::Arc::default()).unwrap();
    let limits = connector_admin::domain::remote::PushOptions::default();
    let report =
        connector_admin::service::remote::report(&store, &vault, &remote, limits, &|_| true, &mut |_, _| true).unwrap();
    let planned = connector_admin::service::remote::Planned::of(&report.entries);
    env.update("w", |body| body["name"] = json!("Sneaked in"));
    let sent = connector_admin::service::remote::push(
        &mut store,
        &vault,
        &mut remote,
        &kibana,
        (&planned, limits),
        &mut |_, _| true,
    )
    .unwrap();
    assert_eq!((sent.done(), &env.server.get("w")["name"]), (0, &json!("Name of w")));
}

#[test]
fn undone_pull_leaves_no_local_change() {
    let env = pulled();
    env.update("a", |body| body["name"] = json!("Mine"));
    env.server.add("fresh", ".server-log", &json!({}));
    env.server.set("a", "config", json!({"index": "theirs", "refresh": false}));
    env.server.set("b", "name", json!("Theirs"));
    env.server.state().connectors.remove("c");
    env.run(&["pull"]).exit_code(0).contains("1 new, 2 changed, 1 deleted");
    env.run(&["undo"]).exit_code(0);
    let status = env.run(&["status", "--json"]).exit_code(1).json();
    let groups: Vec<(String, String)> = status["connectors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["id"].as_str().unwrap().to_owned(), entry["group"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [("a", "blocked"), ("b", "to pull"), ("c", "to pull"), ("fresh", "to pull")];
    assert_eq!(groups, expected.map(|(id, group)| (id.to_owned(), group.to_owned())), "{status:#}");
    env.run(&["push", "--yes", "--delete"]).exit_code(1).contains("Nothing to push");
    assert_eq!(env.server.get("fresh")["id"], "fresh");
    env.run(&["redo"]).exit_code(0);
    env.run(&["status"]).exit_code(1).contains("to push (1)").contains("Mine (a): name");
    env.run(&["undo"]).exit_code(0);
    env.run(&["pull"]).exit_code(0).contains("1 new, 2 changed, 1 deleted");
}

/// The group of each connector that differs.
fn groups(env: &Env) -> Vec<(String, String)> {
    let status = env.run(&["status", "--json"]).json();
    let text = |entry: &serde_json::Value, key: &str| entry[key].as_str().unwrap().to_owned();
    status["connectors"].as_array().unwrap().iter().map(|entry| (text(entry, "id"), text(entry, "group"))).collect()
}

#[test]
fn undone_use_remote_restores_the_local_change() {
    let env = pulled();
    env.update("a", |body| body["name"] = json!("Mine"));
    env.update("b", |body| body["name"] = json!("Mine"));
    env.server.set("b", "name", json!("Theirs"));
    env.update("c", |body| body["config"]["index"] = json!("mine"));
    env.server.set("c", "name", json!("Theirs"));
    let before = groups(&env);
    let expected = [("a", "to push"), ("b", "conflict"), ("c", "blocked")];
    let mut sorted = before.clone();
    sorted.sort();
    assert_eq!(sorted, expected.map(|(id, group)| (id.to_owned(), group.to_owned())));
    env.run(&["resolve", "a", "b", "c", "--keep", "remote"]).exit_code(0);
    env.run(&["status"]).exit_code(0);
    env.run(&["undo"]).exit_code(0);
    assert_eq!(groups(&env), before);
    env.run(&["redo"]).exit_code(0);
    assert_eq!(groups(&env), []);
    env.run(&["undo"]).exit_code(0);
    assert_eq!(groups(&env), before);
}

#[test]
fn keep_local_still_merges_remote_only_changes() {
    let env = pulled();
    env.update("a", |body| body["name"] = json!("Mine"));
    env.server.set("a", "name", json!("Theirs"));
    env.server.set("a", "config", json!({"index": "theirs", "refresh": false}));
    env.run(&["status"]).exit_code(1).contains("conflict");
    env.run(&["resolve", "a", "--keep", "local"]).exit_code(0);
    env.run(&["status"]).exit_code(1).contains("to push (1)");
    env.run(&["undo"]).exit_code(0);
    assert_eq!(groups(&env), [("a".to_owned(), "conflict".to_owned())]);
    env.run(&["redo"]).exit_code(0);
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
    let remote = env.server.get("a");
    assert_eq!((&remote["name"], &remote["config"]["index"]), (&json!("Mine"), &json!("theirs")));
}

#[test]
fn mass_remote_deletes_need_permission() {
    let env = Env::new();
    for n in 0..6 {
        env.server.add(&format!("c{n}"), ".server-log", &json!({}));
    }
    env.run(&["pull"]).exit_code(0);
    env.server.state().connectors.clear();
    let before = records(&env.file);
    env.run(&["pull"]).exit_code(1).contains("6 connectors are missing in Kibana").contains("0 deleted");
    assert_eq!(records(&env.file), before);
    env.run(&["pull", "--accept-deletes"]).exit_code(0).contains("6 deleted");
}

#[test]
fn connector_type_change_is_never_merged() {
    let env = Env::new();
    let body = json!({"connector_type_id": ".index", "name": "Mine", "config": {"index": "i"}});
    env.with_input(&["create", "--id", "n", "--from", "-"], &body.to_string()).exit_code(0);
    env.server.add("n", ".server-log", &json!({}));
    env.run(&["pull"]).exit_code(1).contains("conflict, skipped: n");
    env.run(&["resolve", "n", "--keep", "local"]).exit_code(1).contains("Kibana cannot change the type");
    env.run(&["resolve", "n", "--keep", "remote"]).exit_code(0);
    assert_eq!(env.run(&["get", "n", "--json"]).json()["connector_type_id"], ".server-log");
    // Local changes to push can be dropped in favour of Kibana's side too.
    env.update("n", |body| body["name"] = json!("Changed"));
    env.run(&["resolve", "n", "--keep", "remote"]).exit_code(0);
    env.run(&["status"]).exit_code(0);
}

#[test]
fn new_local_id_never_overwrites_a_remote_one() {
    let env = Env::new();
    let body = json!({"connector_type_id": ".server-log", "name": "Mine", "config": {}, "auth_mode": "per-user"});
    env.with_input(&["create", "--id", "n", "--from", "-"], &body.to_string()).exit_code(0);
    env.server.state().delay = std::time::Duration::from_millis(150);
    let child = env.command(&["push", "--yes"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    // The fetch was answered; the import is slow.
    env.server.wait_for_end("GET", "/n");
    env.server.add("n", ".jira", &json!({}));
    let printed = crate::env::CommandOutput::from(child.wait_with_output().unwrap());
    printed.exit_code(1).contains("somebody has created a connector of this id meanwhile");
    assert_eq!(env.server.get("n")["connector_type_id"], ".jira");
}

#[test]
fn resolve_is_one_step() {
    let env = pulled();
    for id in ["a", "b"] {
        env.update(id, |body| body["name"] = json!("Mine"));
        env.server.set(id, "name", json!("Theirs"));
    }
    env.run(&["delete", "c"]).exit_code(0);
    env.server.set("c", "name", json!("Theirs"));
    env.run(&["status"]).exit_code(1);
    let before = groups(&env);
    assert!(before.iter().all(|(_, group)| group == "conflict") && before.len() == 3, "{before:?}");
    let decided = env.run(&["resolve", "a", "c", "--keep", "local", "--json"]).exit_code(0).json();
    assert_eq!(decided["connectors"][1], json!({"id": "c", "resolved": true, "reason": null}));
    env.run(&["status"]).exit_code(1).contains("to push (1)").contains("deleted locally");
    env.run(&["history"]).exit_code(0).contains("resolve");
    // The decision is undone, not the edit before it.
    env.run(&["undo"]).exit_code(0).contains("Undid resolve");
    assert_eq!(groups(&env), before);
    assert_eq!(env.run(&["get", "a", "--json"]).json()["name"], "Mine");
    env.run(&["redo"]).exit_code(0);
    env.run(&["push", "--yes"]).exit_code(1).contains("1 done");
    assert_eq!((&env.server.get("a")["name"], &env.server.get("b")["name"]), (&json!("Mine"), &json!("Theirs")));
}

#[test]
fn keep_local_works_for_deleted_and_newer_remotes() {
    let env = pulled();
    env.server.state().connectors.remove("a");
    env.server.set("b", "name", json!("Theirs"));
    env.server.set("c", "name", json!("Theirs"));
    env.update("c", |body| body["config"]["index"] = json!("mine"));
    env.run(&["status"]).exit_code(1).contains("Kibana has newer changes of it");
    env.run(&["resolve", "a", "b", "c", "--keep", "local"]).exit_code(0);
    env.run(&["push", "--yes"]).exit_code(0).contains("3 done");
    assert_eq!(env.server.get("c")["name"], "Name of c");
    assert_eq!((&env.server.get("a")["id"], &env.server.get("b")["name"]), (&json!("a"), &json!("Name of b")));
    env.run(&["status"]).exit_code(0);
}

#[test]
fn use_remote_drops_unsent_secrets() {
    let env = Env::new();
    for id in ["v", "w"] {
        env.server.add(id, ".webhook", &basic(1));
    }
    env.run(&["pull"]).exit_code(0);
    // A note only: they are in Kibana.
    env.run(&["check"]).exit_code(0).contains("not in this file: Username");
    env.enter_secrets("v", &json!({"user": "me", "password": "hunter2"}));
    env.enter_secrets("w", &json!({"user": "me", "password": "hunter2"}));
    env.server.set("w", "name", json!("Theirs"));
    env.run(&["status"]).exit_code(1);
    env.run(&["resolve", "v", "w", "--keep", "remote"]).exit_code(0);
    env.run(&["status"]).exit_code(0);
    assert!(env.run(&["push", "--yes"]).exit_code(0).out.contains("Nothing to push"));
    let secrets =
        |id: &str| env.run(&["get", id]).out.lines().find(|line| line.starts_with("secrets")).map(str::to_owned);
    assert!(secrets("w").unwrap().ends_with("none in this file"), "{:?}", secrets("w"));
    env.run(&["undo"]).exit_code(0);
    assert!(secrets("w").unwrap().contains("set: "), "{:?}", secrets("w"));
    env.run(&["status"]).exit_code(1).contains("Name of v (v): secrets");
}

#[test]
fn unknown_id_or_filter_is_an_error() {
    let env = pulled();
    for arguments in [&["push", "nowhere", "--dry-run"][..], &["push", "a", "nowhere", "--yes"]] {
        env.run(arguments).exit_code(2).contains("\"nowhere\"");
    }
    env.run(&["diff", "--filter", "zzz:1"]).exit_code(2).contains("zzz");
    env.run(&["check", "--filter", "zzz:1"]).exit_code(2).contains("zzz");
    env.run(&["--read-only", "status"]).exit_code(2).contains("--offline");
}

#[test]
fn lost_test_answer_is_reported_as_possibly_run() {
    let env = Env::new();
    env.server.add("log", ".server-log", &json!({}));
    env.run(&["pull"]).exit_code(0);
    env.server.fault("POST", crate::server::Fault::CutAfter);
    env.run(&["test", "log", "--yes"]).exit_code(1).contains("it may still have run").lacks("not reached");
    assert_eq!(env.server.state().runs.len(), 1);
}
