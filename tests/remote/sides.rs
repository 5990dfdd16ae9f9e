//! Two sides that both changed: what is merged, what is a conflict, and deciding it.

use serde_json::json;

use crate::desk::{Desk, basic};
use crate::support::records;

fn pulled() -> Desk {
    let desk = Desk::new();
    for id in ["a", "b", "c"] {
        desk.server.add(id, ".index", &json!({"index": "i", "refresh": false, "executionTimeField": null}));
    }
    desk.run(&["pull"]).exits(0);
    desk
}

#[test]
fn fields_that_one_side_changed_are_merged_and_pushed() {
    let desk = pulled();
    desk.update("a", |body| body["name"] = json!("Mine"));
    desk.server.set("a", "config", json!({"index": "theirs", "refresh": false}));
    desk.run(&["status"]).exits(1).says("Kibana has newer changes of it");
    desk.run(&["push", "--yes"]).exits(1).says("nothing to send");
    desk.run(&["pull"]).exits(0).says("1 changed");
    let one = desk.run(&["get", "a", "--json"]).json();
    assert_eq!((&one["name"], &one["config"]["index"]), (&json!("Mine"), &json!("theirs")));
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
    let there = desk.server.get("a");
    assert_eq!((&there["name"], &there["config"]["index"]), (&json!("Mine"), &json!("theirs")));
    desk.run(&["status"]).exits(0);
}

#[test]
fn a_conflict_is_shown_with_both_sides_and_overwritten_by_nobody() {
    let desk = pulled();
    for id in ["a", "b"] {
        desk.update(id, |body| body["config"]["index"] = json!("mine"));
        desk.server.set(id, "config", json!({"index": "theirs", "refresh": false}));
    }
    let diff = desk.run(&["diff", "--json"]).exits(1).json();
    let field = &diff["connectors"][0]["fields"][0];
    let expected = json!({"field": "config.index", "base": "i", "here": "mine", "there": "theirs", "changed": "both"});
    assert_eq!((field, &diff["connectors"][0]["group"]), (&expected, &json!("conflict")));
    desk.run(&["diff"]).exits(1).says("    base   i").says("    here   mine").says("    there  theirs");
    let before = records(&desk.file);
    desk.run(&["pull"]).exits(1).says("conflict, left alone: a");
    desk.run(&["push", "--yes"]).exits(1).says("conflicts, changed on both sides (2)");
    assert_eq!((records(&desk.file), desk.server.get("a")["config"]["index"].clone()), (before, json!("theirs")));

    desk.run(&["resolve", "c", "--take", "here"]).exits(1).says("c: left alone, it is no conflict");
    desk.run(&["resolve", "nowhere", "--take", "here"]).exits(2);
    desk.run(&["resolve", "a", "--take", "here"]).exits(0).says("a: as it is here");
    desk.run(&["resolve", "b", "--take", "there"]).exits(0);
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
    assert_eq!(desk.server.get("a")["config"]["index"], "mine");
    assert_eq!(desk.run(&["get", "b", "--json"]).json()["config"]["index"], "theirs");
    desk.run(&["status"]).exits(0);
}

#[test]
fn deleted_on_one_side_and_changed_on_the_other() {
    let desk = pulled();
    desk.run(&["delete", "a"]).exits(0);
    desk.server.set("a", "name", json!("Changed there"));
    desk.update("b", |body| body["name"] = json!("Changed here"));
    for id in ["b", "c"] {
        desk.server.state().connectors.remove(id);
    }
    desk.run(&["pull"]).exits(1).says("0 new, 0 changed, 1 deleted").says("conflict, left alone: a");
    desk.run(&["resolve", "a", "--take", "there"]).exits(0);
    desk.run(&["resolve", "b", "--take", "here"]).exits(0);
    assert_eq!(desk.run(&["get", "a", "--json"]).json()["name"], "Changed there");
    desk.run(&["push", "--yes"]).exits(0).says("create").says("1 done");
    assert_eq!(desk.server.get("b")["name"], "Changed here");
    desk.run(&["status"]).exits(0);
    // A pull is a step like others.
    desk.run(&["undo"]).exits(0);
}

#[test]
fn what_was_changed_there_after_the_plan_is_not_overwritten() {
    let desk = pulled();
    for id in ["a", "b"] {
        desk.update(id, |body| body["name"] = json!("Mine"));
    }
    // While the first is being sent, somebody changes the second.
    desk.server.state().delay = std::time::Duration::from_millis(300);
    let child = desk.command(&["push", "--yes"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    while desk.server.paths("PUT").is_empty() {
        std::thread::yield_now();
    }
    desk.server.set("b", "name", json!("Theirs"));
    let said = crate::desk::Said::from(child.wait_with_output().unwrap());
    said.exits(1)
        .says("not sent: Mine (b)")
        .says("changed in Kibana too since the plan was made")
        .says("1 done, 1 not");
    assert_eq!((&desk.server.get("a")["name"], &desk.server.get("b")["name"]), (&json!("Mine"), &json!("Theirs")));
}

#[test]
fn secrets_that_only_kibana_has_are_not_lost_unasked() {
    let desk = Desk::new();
    desk.server.add("w", ".webhook", &basic(1));
    desk.run(&["pull"]).exits(0);
    desk.run(&["toggle", "w"]).exits(0);
    desk.run(&["push", "--yes"]).exits(1).says("its secrets are in Kibana only").says("--lose-secrets");
    assert!(desk.server.paths("POST").is_empty());
    desk.run(&["push", "--yes", "--lose-secrets"]).exits(0).says("its secrets in Kibana are lost");
    let there = desk.server.get("w");
    assert_eq!((&there["auth_mode"], &there["is_missing_secrets"]), (&json!("per-user"), &json!(true)));
    desk.run(&["status"]).exits(0);
    assert_eq!(desk.run(&["get", "w", "--json"]).json()["is_missing_secrets"], true);
    // Entered later, they are sent by an update, once.
    desk.enter_secrets("w", &json!({"user": "me", "password": "hunter2"}));
    desk.run(&["push", "--yes"]).exits(0).says("update");
    assert_eq!(desk.server.get("w")["is_missing_secrets"], false);
    desk.run(&["status"]).exits(0);
    // Sealed with another key they are still the same, and so is the credential.
    desk.run(&["rekey"]).exits(0);
    desk.run(&["status"]).exits(0);
    let with = |arguments: &[&str], name, value| -> crate::desk::Said {
        desk.command(arguments).env(name, value).output().unwrap().into()
    };
    with(&["rekey", "--to", "passphrase"], "CONNECTOR_ADMIN_NEW_PASSPHRASE", "pass").exits(0);
    with(&["status"], "CONNECTOR_ADMIN_PASSPHRASE", "pass").exits(0);
    with(&["rekey", "--to", "key-file"], "CONNECTOR_ADMIN_PASSPHRASE", "pass").exits(0);
    desk.run(&["status"]).exits(0);
    desk.enter_secrets("w", &json!({"user": "me", "password": "another"}));
    desk.run(&["status"]).exits(1).says("secrets");
}

#[test]
fn remotes_are_listed_replaced_and_forgotten() {
    let desk = Desk::new();
    let listed = desk.run(&["remote", "list", "--json"]).exits(0).json();
    assert_eq!((&listed[0]["name"], &listed[0]["has_credential"]), (&json!("prod"), &json!(true)));
    desk.run(&["remote", "add", "prod", "https://other.example"]).exits(2).says("--replace");
    desk.run(&["remote", "add", "x", "http://kibana.example"]).exits(2).says("--allow-http");
    desk.run(&["remote", "add", "x", "https://u:hunter2@kibana.example"]).exits(2).says_not("hunter2");
    desk.run(&["remote", "add", "x", "https://k.example", "--proxy", "http://u:hunter2@p"])
        .exits(2)
        .says_not("hunter2");
    desk.run(&["remote", "add", "x", "https://k.example", "--ca", "/nowhere"]).exits(2).says("/nowhere");
    desk.run(&["remote", "add", "prod", "https://other.example", "--replace"]).exits(0);
    let listed = desk.run(&["remote", "list", "--json"]).json();
    assert_eq!((&listed[0]["url"], &listed[0]["has_credential"]), (&json!("https://other.example"), &json!(false)));
    desk.run(&["remote", "remove", "prod"]).exits(0);
    desk.run(&["status"]).exits(2).says("this file has no remote");
    desk.run(&["status", "--remote", "prod"]).exits(2).says("this file has no remote");
}

#[test]
fn a_read_only_file_is_compared_as_it_was_seen_last() {
    let desk = pulled();
    desk.update("a", |body| body["name"] = json!("Mine"));
    desk.run(&["status", "--offline"]).exits(1).says("to send (1)");
    let asked = desk.server.state().came.len();
    desk.run(&["--read-only", "status"]).exits(2).says("--read-only forbids it");
    desk.run(&["--read-only", "diff", "--offline"]).exits(1).says("here   Mine");
    assert_eq!(desk.server.state().came.len(), asked);
}

#[test]
fn what_was_changed_between_the_import_and_the_update_is_not_overwritten() {
    let desk = Desk::new();
    desk.server.add("w", ".webhook", &basic(1));
    desk.run(&["pull"]).exits(0);
    desk.enter_secrets("w", &json!({"user": "me", "password": "hunter2"}));
    desk.run(&["toggle", "w"]).exits(0);
    desk.server.state().delay = std::time::Duration::from_millis(200);
    let child = desk.command(&["push", "--yes"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    while !desk.server.paths("POST").iter().any(|path| path.contains("_import")) {
        std::thread::yield_now();
    }
    // The import has come; the look after it has not.
    while desk.server.get("w")["auth_mode"] != "per-user" {
        std::thread::yield_now();
    }
    desk.server.set("w", "name", json!("Theirs"));
    let said = crate::desk::Said::from(child.wait_with_output().unwrap());
    said.exits(1).says("changed in Kibana right after the import");
    assert!(desk.server.paths("PUT").is_empty());
    desk.server.state().delay = std::time::Duration::ZERO;
    desk.run(&["pull"]).exits(0);
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
    let there = desk.server.get("w");
    assert_eq!((&there["name"], &there["is_missing_secrets"]), (&json!("Theirs"), &json!(false)));
}

#[test]
fn a_mode_that_kibana_does_not_take_is_told_and_stays_to_be_sent() {
    let desk = Desk::new();
    desk.server.add("log", ".server-log", &json!({}));
    desk.server.state().drops_modes = true;
    desk.run(&["pull"]).exits(0);
    desk.run(&["toggle", "log"]).exits(0);
    desk.run(&["push", "--yes"]).exits(1).says("did not take the auth mode: it says shared, not per-user");
    desk.run(&["status"]).exits(1).says("to send (1)");
    assert_eq!(desk.run(&["get", "log", "--json"]).json()["auth_mode"], "per-user");
}

#[test]
fn secrets_that_go_along_are_said_and_only_what_was_shown_is_sent() {
    let desk = Desk::new();
    desk.server.add("w", ".webhook", &basic(1));
    desk.run(&["pull"]).exits(0);
    desk.enter_secrets("w", &json!({"user": "me", "password": "hunter2"}));
    desk.run(&["push", "--yes"]).exits(0);
    desk.update("w", |body| body["name"] = json!("Shown"));
    let plan = desk.run(&["push", "--dry-run", "--json"]).json();
    assert_eq!(plan["connectors"][0]["sends_secrets"], true, "{plan}");
    assert!(plan["connectors"][0]["notes"][0].as_str().unwrap().contains("replace those in Kibana"), "{plan}");
    // A plan that was shown is sent as it was shown, or not at all.
    let file = &desk.file;
    let (mut store, _) =
        connector_admin::store::Store::open(file, &std::sync::Arc::default(), &mut |_| Ok(())).unwrap();
    let vault = connector_admin::vault::Vault::new(connector_admin::vault::KeyOptions {
        key_file: desk.place.path("keys"),
        next_to_file: None,
        passphrase: None,
    });
    let mut remote = connector_admin::sync::remote_of(&store, None).unwrap();
    let kibana = connector_admin::sync::connect(&remote, &vault, None, &std::sync::Arc::default()).unwrap();
    let limits = connector_admin::domain::sync::Limits::default();
    let report = connector_admin::sync::report(&store, &vault, &remote, limits, &|_| true, &mut |_, _| true).unwrap();
    let planned = connector_admin::sync::Planned::of(&report.entries);
    desk.update("w", |body| body["name"] = json!("Sneaked in"));
    let sent =
        connector_admin::sync::push(&mut store, &vault, &mut remote, &kibana, (&planned, limits), &mut |_, _| true)
            .unwrap();
    assert_eq!((sent.done(), &desk.server.get("w")["name"]), (0, &json!("Name of w")));
}

#[test]
fn undoing_a_pull_makes_nothing_of_it_a_change_of_this_file() {
    let desk = pulled();
    desk.update("a", |body| body["name"] = json!("Mine"));
    desk.server.add("fresh", ".server-log", &json!({}));
    desk.server.set("a", "config", json!({"index": "theirs", "refresh": false}));
    desk.server.set("b", "name", json!("Theirs"));
    desk.server.state().connectors.remove("c");
    desk.run(&["pull"]).exits(0).says("1 new, 2 changed, 1 deleted");
    desk.run(&["undo"]).exits(0);
    let status = desk.run(&["status", "--json"]).exits(1).json();
    let groups: Vec<(String, String)> = status["connectors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["id"].as_str().unwrap().to_owned(), entry["group"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [("a", "blocked"), ("b", "to take"), ("c", "to take"), ("fresh", "to take")];
    assert_eq!(groups, expected.map(|(id, group)| (id.to_owned(), group.to_owned())), "{status:#}");
    desk.run(&["push", "--yes", "--delete"]).exits(1).says("nothing to send");
    assert_eq!(desk.server.get("fresh")["id"], "fresh");
    desk.run(&["redo"]).exits(0);
    desk.run(&["status"]).exits(1).says("to send (1)").says("Mine (a): name");
    desk.run(&["undo"]).exits(0);
    desk.run(&["pull"]).exits(0).says("1 new, 2 changed, 1 deleted");
}

/// The group of each connector that differs.
fn groups(desk: &Desk) -> Vec<(String, String)> {
    let status = desk.run(&["status", "--json"]).json();
    let text = |entry: &serde_json::Value, key: &str| entry[key].as_str().unwrap().to_owned();
    status["connectors"].as_array().unwrap().iter().map(|entry| (text(entry, "id"), text(entry, "group"))).collect()
}

#[test]
fn undoing_what_was_taken_over_an_own_change_makes_it_an_own_change_again() {
    let desk = pulled();
    desk.update("a", |body| body["name"] = json!("Mine"));
    desk.update("b", |body| body["name"] = json!("Mine"));
    desk.server.set("b", "name", json!("Theirs"));
    desk.update("c", |body| body["config"]["index"] = json!("mine"));
    desk.server.set("c", "name", json!("Theirs"));
    let before = groups(&desk);
    let expected = [("a", "to send"), ("b", "conflict"), ("c", "blocked")];
    let mut sorted = before.clone();
    sorted.sort();
    assert_eq!(sorted, expected.map(|(id, group)| (id.to_owned(), group.to_owned())));
    desk.run(&["resolve", "a", "b", "c", "--take", "there"]).exits(0);
    desk.run(&["status"]).exits(0);
    desk.run(&["undo"]).exits(0);
    assert_eq!(groups(&desk), before);
    desk.run(&["redo"]).exits(0);
    assert_eq!(groups(&desk), []);
    desk.run(&["undo"]).exits(0);
    assert_eq!(groups(&desk), before);
}

#[test]
fn deciding_for_this_file_takes_in_what_only_kibana_changed() {
    let desk = pulled();
    desk.update("a", |body| body["name"] = json!("Mine"));
    desk.server.set("a", "name", json!("Theirs"));
    desk.server.set("a", "config", json!({"index": "theirs", "refresh": false}));
    desk.run(&["status"]).exits(1).says("conflict");
    desk.run(&["resolve", "a", "--take", "here"]).exits(0);
    desk.run(&["status"]).exits(1).says("to send (1)");
    desk.run(&["undo"]).exits(0);
    assert_eq!(groups(&desk), [("a".to_owned(), "conflict".to_owned())]);
    desk.run(&["redo"]).exits(0);
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
    let there = desk.server.get("a");
    assert_eq!((&there["name"], &there["config"]["index"]), (&json!("Mine"), &json!("theirs")));
}

#[test]
fn a_list_that_lost_most_connectors_deletes_nothing_unasked() {
    let desk = Desk::new();
    for n in 0..6 {
        desk.server.add(&format!("c{n}"), ".server-log", &json!({}));
    }
    desk.run(&["pull"]).exits(0);
    desk.server.state().connectors.clear();
    let before = records(&desk.file);
    desk.run(&["pull"]).exits(1).says("6 connectors are gone in Kibana").says("0 deleted");
    assert_eq!(records(&desk.file), before);
    desk.run(&["pull", "--accept-deletes"]).exits(0).says("6 deleted");
}

#[test]
fn types_are_never_crossed() {
    let desk = Desk::new();
    let body = json!({"connector_type_id": ".index", "name": "Mine", "config": {"index": "i"}});
    desk.with_input(&["create", "--id", "n", "--from", "-"], &body.to_string()).exits(0);
    desk.server.add("n", ".server-log", &json!({}));
    desk.run(&["pull"]).exits(1).says("conflict, left alone: n");
    desk.run(&["resolve", "n", "--take", "here"]).exits(1).says("Kibana cannot change the type");
    desk.run(&["resolve", "n", "--take", "there"]).exits(0);
    assert_eq!(desk.run(&["get", "n", "--json"]).json()["connector_type_id"], ".server-log");
    // What is to be sent can be given up for Kibana's too.
    desk.update("n", |body| body["name"] = json!("Changed"));
    desk.run(&["resolve", "n", "--take", "there"]).exits(0);
    desk.run(&["status"]).exits(0);
}

#[test]
fn a_connector_that_is_new_here_takes_nobodys_place() {
    let desk = Desk::new();
    let body = json!({"connector_type_id": ".server-log", "name": "Mine", "config": {}, "auth_mode": "per-user"});
    desk.with_input(&["create", "--id", "n", "--from", "-"], &body.to_string()).exits(0);
    desk.server.state().delay = std::time::Duration::from_millis(150);
    let child = desk.command(&["push", "--yes"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    // The look has had its answer; the import takes its time.
    desk.server.wait_for_end("GET", "/n");
    desk.server.add("n", ".jira", &json!({}));
    let said = crate::desk::Said::from(child.wait_with_output().unwrap());
    said.exits(1).says("somebody has created a connector of this id meanwhile");
    assert_eq!(desk.server.get("n")["connector_type_id"], ".jira");
}

#[test]
fn a_decision_is_a_step_of_its_own() {
    let desk = pulled();
    for id in ["a", "b"] {
        desk.update(id, |body| body["name"] = json!("Mine"));
        desk.server.set(id, "name", json!("Theirs"));
    }
    desk.run(&["delete", "c"]).exits(0);
    desk.server.set("c", "name", json!("Theirs"));
    desk.run(&["status"]).exits(1);
    let before = groups(&desk);
    assert!(before.iter().all(|(_, group)| group == "conflict") && before.len() == 3, "{before:?}");
    let decided = desk.run(&["resolve", "a", "c", "--take", "here", "--json"]).exits(0).json();
    assert_eq!(decided["connectors"][1], json!({"id": "c", "is_decided": true, "reason": null}));
    desk.run(&["status"]).exits(1).says("to send (1)").says("deleted here");
    desk.run(&["history"]).exits(0).says("resolve");
    // The decision is taken back, not the edit before it.
    desk.run(&["undo"]).exits(0).says("undone: resolve");
    assert_eq!(groups(&desk), before);
    assert_eq!(desk.run(&["get", "a", "--json"]).json()["name"], "Mine");
    desk.run(&["redo"]).exits(0);
    desk.run(&["push", "--yes"]).exits(1).says("1 done");
    assert_eq!((&desk.server.get("a")["name"], &desk.server.get("b")["name"]), (&json!("Mine"), &json!("Theirs")));
}

#[test]
fn what_is_gone_or_newer_there_can_be_kept_as_it_is_here() {
    let desk = pulled();
    desk.server.state().connectors.remove("a");
    desk.server.set("b", "name", json!("Theirs"));
    desk.server.set("c", "name", json!("Theirs"));
    desk.update("c", |body| body["config"]["index"] = json!("mine"));
    desk.run(&["status"]).exits(1).says("Kibana has newer changes of it");
    desk.run(&["resolve", "a", "b", "c", "--take", "here"]).exits(0);
    desk.run(&["push", "--yes"]).exits(0).says("3 done");
    assert_eq!(desk.server.get("c")["name"], "Name of c");
    assert_eq!((&desk.server.get("a")["id"], &desk.server.get("b")["name"]), (&json!("a"), &json!("Name of b")));
    desk.run(&["status"]).exits(0);
}

#[test]
fn taking_kibanas_side_gives_up_secrets_that_were_not_sent() {
    let desk = Desk::new();
    for id in ["v", "w"] {
        desk.server.add(id, ".webhook", &basic(1));
    }
    desk.run(&["pull"]).exits(0);
    // A note only: they are in Kibana.
    desk.run(&["check"]).exits(0).says("not in this file: Username");
    desk.enter_secrets("v", &json!({"user": "me", "password": "hunter2"}));
    desk.enter_secrets("w", &json!({"user": "me", "password": "hunter2"}));
    desk.server.set("w", "name", json!("Theirs"));
    desk.run(&["status"]).exits(1);
    desk.run(&["resolve", "v", "w", "--take", "there"]).exits(0);
    desk.run(&["status"]).exits(0);
    assert!(desk.run(&["push", "--yes"]).exits(0).out.contains("nothing to send"));
    let secrets =
        |id: &str| desk.run(&["get", id]).out.lines().find(|line| line.starts_with("secrets")).map(str::to_owned);
    assert!(secrets("w").unwrap().ends_with("none in this file"), "{:?}", secrets("w"));
    desk.run(&["undo"]).exits(0);
    assert!(secrets("w").unwrap().contains("set: "), "{:?}", secrets("w"));
    desk.run(&["status"]).exits(1).says("Name of v (v): secrets");
}

#[test]
fn a_wrong_id_or_filter_is_no_good_news() {
    let desk = pulled();
    for arguments in [&["push", "nowhere", "--dry-run"][..], &["push", "a", "nowhere", "--yes"]] {
        desk.run(arguments).exits(2).says("\"nowhere\"");
    }
    desk.run(&["diff", "--filter", "zzz:1"]).exits(2).says("zzz");
    desk.run(&["check", "--filter", "zzz:1"]).exits(2).says("zzz");
    desk.run(&["--read-only", "status"]).exits(2).says("--offline");
}

#[test]
fn a_run_whose_answer_was_lost_may_have_been_one() {
    let desk = Desk::new();
    desk.server.add("log", ".server-log", &json!({}));
    desk.run(&["pull"]).exits(0);
    desk.server.fault("POST", crate::server::Fault::CutAfter);
    desk.run(&["test", "log", "--yes"]).exits(1).says("it may have run all the same").says_not("not reached");
    assert_eq!(desk.server.state().runs.len(), 1);
}
