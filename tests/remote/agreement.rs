//! What both sides agreed on last, through undo and redo: a look at Kibana never makes of Kibana's change one of the file,
//! and what was agreed on later stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::server::Fault;

fn pulled() -> Desk {
    let desk = Desk::new();
    for id in ["a", "b"] {
        desk.server.add(id, ".index", &json!({"index": "i", "refresh": false, "executionTimeField": null}));
    }
    desk.run(&["pull"]).exits(0);
    desk
}

fn rename(desk: &Desk, name: &str) {
    desk.update("a", |body| body["name"] = json!(name));
}

fn renamed_there(desk: &Desk, name: &str) {
    desk.server.set("a", "name", json!(name));
}

/// What differs: ids, groups, and base of the first field.
fn differing(desk: &Desk) -> Vec<(String, String, Value)> {
    let status = desk.run(&["status", "--json"]).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entries = status["connectors"].as_array().unwrap().iter();
    entries.map(|one| (text(&one["id"]), text(&one["group"]), one["fields"][0]["base"].clone())).collect()
}

fn one(id: &str, group: &str, base: Value) -> Vec<(String, String, Value)> {
    vec![(id.to_owned(), group.to_owned(), base)]
}

#[test]
fn a_look_at_kibana_does_not_change_what_an_undo_leads_to() {
    // The same change on both sides.
    let desk = pulled();
    renamed_there(&desk, "There");
    rename(&desk, "There");
    assert_eq!(differing(&desk), []);
    desk.run(&["undo"]).exits(0);
    assert_eq!(differing(&desk), one("a", "to take", json!("Name of a")));
    desk.run(&["redo"]).exits(0);
    assert_eq!(differing(&desk), []);
    // The same connector created on both sides.
    let desk = pulled();
    let body = json!({"connector_type_id": ".server-log", "name": "Name of new", "config": {}});
    desk.server.add("new", ".server-log", &json!({}));
    desk.with_input(&["create", "--id", "new", "--from", "-"], &body.to_string()).exits(0);
    assert_eq!(differing(&desk), []);
    desk.run(&["undo"]).exits(0);
    assert_eq!(differing(&desk), one("new", "to take", Value::Null));
    desk.run(&["push", "--yes", "--delete"]).exits(0).says("nothing to send");
    // Deleted on both sides.
    let desk = pulled();
    desk.run(&["delete", "a"]).exits(0);
    desk.server.state().connectors.remove("a");
    desk.run(&["status"]).exits(0).says("1 in step");
    desk.run(&["undo"]).exits(0);
    assert_eq!(differing(&desk), one("a", "to take", Value::Null));
    desk.run(&["push", "--yes"]).exits(0).says("nothing to send");
}

#[test]
fn a_pull_is_taken_back_for_other_remotes_and_named_anew_too() {
    for other in ["prod", "second"] {
        let desk = pulled();
        if other == "prod" {
            desk.run(&["remote", "remove", "prod"]).exits(0);
        }
        desk.run(&["remote", "add", other, &desk.server.url()]).exits(0);
        desk.with_input(&["remote", "login", other], crate::server::API_KEY).exits(0);
        desk.run(&["status", "--remote", other]).exits(0).says("2 in step");
        desk.run(&["undo"]).exits(0);
        let status = desk.run(&["status", "--remote", other, "--json"]).json();
        assert_eq!(status["counts"]["to take"], 2, "{status:#}");
    }
}

#[test]
fn what_a_push_made_both_agree_on_stays_when_an_older_decision_is_taken_back() {
    let desk = pulled();
    rename(&desk, "Mine");
    renamed_there(&desk, "Theirs");
    desk.run(&["status"]).exits(1);
    desk.run(&["resolve", "a", "--take", "here"]).exits(0).says("as Kibana was at");
    desk.run(&["push", "--yes"]).exits(0);
    for theirs in ["Name of a", "Theirs"] {
        renamed_there(&desk, theirs);
        assert_eq!(differing(&desk), one("a", "to take", json!("Mine")));
        desk.run(&["undo"]).exits(0);
        assert_eq!(differing(&desk), one("a", "to take", json!("Mine")));
        desk.run(&["redo"]).exits(0);
        assert_eq!(differing(&desk), one("a", "to take", json!("Mine")));
    }
}

#[test]
fn a_pull_that_is_taken_back_and_brought_again_changes_nothing() {
    let desk = pulled();
    rename(&desk, "Mine");
    desk.run(&["push", "--yes"]).exits(0);
    renamed_there(&desk, "Theirs");
    let before = differing(&desk);
    assert_eq!(before, one("a", "to take", json!("Mine")));
    desk.run(&["undo"]).exits(0);
    assert_eq!(differing(&desk), one("a", "conflict", json!("Mine")));
    desk.run(&["undo"]).exits(0);
    // All of the pull is new in Kibana again.
    assert_eq!(differing(&desk).iter().filter(|(_, group, _)| group == "to take").count(), 2);
    desk.run(&["redo"]).exits(0);
    assert_eq!(differing(&desk), one("a", "conflict", json!("Mine")));
    desk.run(&["redo"]).exits(0);
    assert_eq!(differing(&desk), before);
}

#[test]
fn a_request_that_arrives_after_a_later_push_is_known_as_the_own_one() {
    let desk = pulled();
    let is_free = Arc::new(AtomicBool::new(false));
    rename(&desk, "One");
    // The program gives up waiting for the answer, and the request is still on its way.
    desk.run(&["remote", "add", "prod", &desk.server.url(), "--timeout", "4", "--replace"]).exits(0);
    desk.server.fault("PUT", Fault::Held(is_free.clone()));
    desk.run(&["push", "--yes"]).exits(1).says("not known");
    desk.run(&["remote", "add", "prod", &desk.server.url(), "--replace"]).exits(0);
    rename(&desk, "Two");
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
    is_free.store(true, Ordering::Relaxed);
    while desk.server.get("a")["name"] != "One" {
        std::thread::yield_now();
    }
    assert_eq!(differing(&desk), one("a", "to send", json!("One")));
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
    assert_eq!(desk.server.get("a")["name"], "Two");
}
