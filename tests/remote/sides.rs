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

    desk.run(&["resolve", "c", "--take", "here"]).exits(1).says("c: is no conflict");
    desk.run(&["resolve", "nowhere", "--take", "here"]).exits(2);
    desk.run(&["resolve", "a", "--take", "here"]).exits(0).says("the next push sends it");
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
    desk.enter_secrets("w", &json!({"user": "me", "password": "another"}));
    desk.run(&["status"]).exits(1).says("secrets");
}

#[test]
fn remotes_are_listed_replaced_and_forgotten() {
    let desk = Desk::new();
    let listed = desk.run(&["remote", "list", "--json"]).exits(0).json();
    assert_eq!((&listed[0]["name"], &listed[0]["has_credential"]), (&json!("prod"), &json!(true)));
    desk.run(&["remote", "add", "prod", "https://other.example"]).exits(2).says("--replace");
    desk.run(&["remote", "add", "x", "http://kibana.example"]).exits(2).says("--in-the-clear");
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
