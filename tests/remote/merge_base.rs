//! The merge base through undo and redo: a fetch never turns a change in Kibana into a local one, and a later merge
//! base stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::env::Env;
use crate::server::Fault;

fn pulled() -> Env {
    let env = Env::new();
    for id in ["a", "b"] {
        env.server.add(id, ".index", &json!({"index": "i", "refresh": false, "executionTimeField": null}));
    }
    env.run(&["pull"]).exit_code(0);
    env
}

fn rename(env: &Env, name: &str) {
    env.update("a", |body| body["name"] = json!(name));
}

fn renamed_remotely(env: &Env, name: &str) {
    env.server.set("a", "name", json!(name));
}

/// Returns the differences: ids, groups, and base of the first field.
fn differing(env: &Env) -> Vec<(String, String, Value)> {
    let status = env.run(&["status", "--json"]).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entries = status["connectors"].as_array().unwrap().iter();
    entries.map(|one| (text(&one["id"]), text(&one["group"]), one["fields"][0]["base"].clone())).collect()
}

fn one(id: &str, group: &str, base: Value) -> Vec<(String, String, Value)> {
    vec![(id.to_owned(), group.to_owned(), base)]
}

#[test]
fn fetch_does_not_change_the_undo_target() {
    // The same change on both sides.
    let env = pulled();
    renamed_remotely(&env, "There");
    rename(&env, "There");
    assert_eq!(differing(&env), []);
    env.run(&["undo"]).exit_code(0);
    assert_eq!(differing(&env), one("a", "to pull", json!("Name of a")));
    env.run(&["redo"]).exit_code(0);
    assert_eq!(differing(&env), []);
    // The same connector created on both sides.
    let env = pulled();
    let body = json!({"connector_type_id": ".server-log", "name": "Name of new", "config": {}});
    env.server.add("new", ".server-log", &json!({}));
    env.with_input(&["create", "--id", "new", "--from", "-"], &body.to_string()).exit_code(0);
    assert_eq!(differing(&env), []);
    env.run(&["undo"]).exit_code(0);
    assert_eq!(differing(&env), one("new", "to pull", Value::Null));
    env.run(&["push", "--yes", "--delete"]).exit_code(0).contains("Nothing to push");
    // Deleted on both sides.
    let env = pulled();
    env.run(&["delete", "a"]).exit_code(0);
    env.server.state().connectors.remove("a");
    env.run(&["status"]).exit_code(0).contains("1 in sync");
    env.run(&["undo"]).exit_code(0);
    assert_eq!(differing(&env), one("a", "to pull", Value::Null));
    env.run(&["push", "--yes"]).exit_code(0).contains("Nothing to push");
}

#[test]
fn pull_is_reverted_after_remotes_are_renamed() {
    for other in ["prod", "second"] {
        let env = pulled();
        if other == "prod" {
            env.run(&["remote", "remove", "prod"]).exit_code(0);
        }
        env.run(&["remote", "add", other, &env.server.url()]).exit_code(0);
        env.with_input(&["remote", "login", other], crate::server::API_KEY).exit_code(0);
        env.run(&["status", "--remote", other]).exit_code(0).contains("2 in sync");
        env.run(&["undo"]).exit_code(0);
        let status = env.run(&["status", "--remote", other, "--json"]).json();
        assert_eq!(status["counts"]["to pull"], 2, "{status:#}");
    }
}

#[test]
fn pushed_merge_base_survives_an_older_revert() {
    let env = pulled();
    rename(&env, "Mine");
    renamed_remotely(&env, "Theirs");
    env.run(&["status"]).exit_code(1);
    env.run(&["resolve", "a", "--keep", "local"]).exit_code(0).contains("with the state of");
    env.run(&["push", "--yes"]).exit_code(0);
    for theirs in ["Name of a", "Theirs"] {
        renamed_remotely(&env, theirs);
        assert_eq!(differing(&env), one("a", "to pull", json!("Mine")));
        env.run(&["undo"]).exit_code(0);
        assert_eq!(differing(&env), one("a", "to pull", json!("Mine")));
        env.run(&["redo"]).exit_code(0);
        assert_eq!(differing(&env), one("a", "to pull", json!("Mine")));
    }
}

#[test]
fn undo_then_redo_of_a_pull_is_neutral() {
    let env = pulled();
    rename(&env, "Mine");
    env.run(&["push", "--yes"]).exit_code(0);
    renamed_remotely(&env, "Theirs");
    let before = differing(&env);
    assert_eq!(before, one("a", "to pull", json!("Mine")));
    env.run(&["undo"]).exit_code(0);
    assert_eq!(differing(&env), one("a", "conflict", json!("Mine")));
    env.run(&["undo"]).exit_code(0);
    // All of the pull is new in Kibana again.
    assert_eq!(differing(&env).iter().filter(|(_, group, _)| group == "to pull").count(), 2);
    env.run(&["redo"]).exit_code(0);
    assert_eq!(differing(&env), one("a", "conflict", json!("Mine")));
    env.run(&["redo"]).exit_code(0);
    assert_eq!(differing(&env), before);
}

#[test]
fn late_own_request_is_recognized() {
    let env = pulled();
    let is_free = Arc::new(AtomicBool::new(false));
    rename(&env, "One");
    // The program gives up waiting for the answer, and the request is still on its way.
    env.run(&["remote", "add", "prod", &env.server.url(), "--timeout", "4", "--replace"]).exit_code(0);
    env.server.fault("PUT", Fault::Held(is_free.clone()));
    env.run(&["push", "--yes"]).exit_code(1).contains("not known");
    env.run(&["remote", "add", "prod", &env.server.url(), "--replace"]).exit_code(0);
    rename(&env, "Two");
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
    is_free.store(true, Ordering::Relaxed);
    while env.server.get("a")["name"] != "One" {
        std::thread::yield_now();
    }
    assert_eq!(differing(&env), one("a", "to push", json!("One")));
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
    assert_eq!(env.server.get("a")["name"], "Two");
}
