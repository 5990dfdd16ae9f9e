//! A push that is killed: afterwards the program tells exactly what was sent and what was not.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::server::Fault;

const COUNT: usize = 8;

fn changed() -> Desk {
    let desk = Desk::new();
    for n in 0..COUNT {
        desk.server.add(
            &format!("c{n}"),
            ".index",
            &json!({"index": "i", "refresh": false, "executionTimeField": null}),
        );
    }
    desk.run(&["pull"]).exits(0);
    for n in 0..COUNT {
        desk.update(&format!("c{n}"), |body| body["name"] = json!(format!("Changed {n}")));
    }
    desk
}

/// The connectors whose change Kibana has.
fn arrived(desk: &Desk) -> BTreeSet<String> {
    let state = desk.server.state();
    let is_changed = |one: &&Value| one["name"].as_str().unwrap().starts_with("Changed");
    state.connectors.values().filter(is_changed).map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn to_send(status: &Value) -> BTreeSet<String> {
    let entries = status["connectors"].as_array().unwrap().iter().filter(|entry| entry["group"] == "to send");
    entries.map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn killed_in_the_middle_the_rest_is_known_and_can_be_pushed() {
    for moment in [0, 1, 3, 7] {
        for is_done_there in [false, true] {
            let desk = changed();
            desk.server.state().delay = Duration::from_millis(5);
            let mut child =
                desk.command(&["push", "--yes"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            while desk.server.paths("PUT").len() < moment + 1 {
                std::thread::yield_now();
                // The one that is under way when the program dies arrives there, or does not.
                if desk.server.paths("PUT").len() == moment {
                    let fault = if is_done_there { Fault::CutAfter } else { Fault::Slow(Duration::from_millis(200)) };
                    if desk.server.state().faults.is_empty() {
                        desk.server.fault("PUT", fault);
                    }
                }
            }
            child.kill().unwrap();
            child.wait().unwrap();
            desk.server.state().faults.clear();
            // What was under way ends, on either way.
            desk.server.wait_until_idle();

            let arrived = arrived(&desk);
            let status = desk.run(&["status", "--json"]).json();
            let left: BTreeSet<String> =
                (0..COUNT).map(|n| format!("c{n}")).filter(|id| !arrived.contains(id)).collect();
            assert_eq!(to_send(&status), left, "killed at {moment}: {status:#}");
            for request in status["last_push"]["requests"].as_array().unwrap() {
                let id = request["id"].as_str().unwrap();
                let expected = if arrived.contains(id) { "done" } else { "not sent" };
                assert_eq!(request["state"], expected, "{id}: {status:#}");
            }
            if left.is_empty() {
                continue;
            }
            desk.run(&["push", "--yes"]).exits(0).says(&format!("{} done, 0 not", left.len()));
            desk.run(&["status"]).exits(0);
        }
    }
}

#[test]
fn an_answer_that_never_came_is_found_out_at_once() {
    let desk = changed();
    desk.server.fault("PUT", Fault::CutAfter);
    desk.run(&["push", "--yes"]).exits(0).says("not known: Changed 0").says("8 done, 0 not, 0 left");
    desk.run(&["status"]).exits(0);
}

/// A proxy before Kibana gave up waiting; Kibana did not.
#[test]
fn what_arrives_after_the_first_look_is_seen_by_the_next_one() {
    let desk = Desk::new();
    desk.server.add("w", ".webhook", &crate::desk::basic(1));
    desk.run(&["pull"]).exits(0);
    desk.enter_secrets("w", &json!({"user": "me", "password": "hunter2"}));
    desk.update("w", |body| body["name"] = json!("Late"));
    desk.server.fault("PUT", Fault::Cut);
    desk.run(&["push", "--yes"]).exits(1).says("not known").says("Kibana was asked what came of those");
    desk.run(&["status"]).exits(1).says("not sent, or not taken: update w");
    desk.server.set("w", "name", json!("Late"));
    desk.run(&["status"]).exits(0);
}

#[test]
fn a_mode_that_was_set_without_its_secrets_is_gone_on_with() {
    let desk = Desk::new();
    desk.server.add("w", ".webhook", &crate::desk::basic(1));
    desk.run(&["pull"]).exits(0);
    desk.enter_secrets("w", &json!({"user": "me", "password": "hunter2"}));
    desk.run(&["toggle", "w"]).exits(0);
    desk.server.fault("PUT", Fault::Cut);
    desk.run(&["push", "--yes"]).exits(1).says("its secrets in Kibana are gone and it cannot run there");
    assert_eq!(desk.server.get("w")["is_missing_secrets"], true);
    // The import has arrived, the update with the secrets has not.
    desk.run(&["status"])
        .exits(1)
        .says("sent and taken: import w")
        .says("not sent, or not taken: update w")
        .says("Kibana has no secrets of it and cannot run it")
        .says("update; auth mode");
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
    let there = desk.server.get("w");
    assert_eq!((&there["auth_mode"], &there["is_missing_secrets"]), (&json!("per-user"), &json!(false)));
    desk.run(&["status"]).exits(0);
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_between_two_connectors() {
    let desk = changed();
    desk.server.state().delay = Duration::from_millis(50);
    let child = desk.command(&["push", "--yes"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while desk.server.paths("PUT").len() < 2 {
        std::thread::yield_now();
    }
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let said = crate::desk::Said::from(child.wait_with_output().unwrap());
    said.exits(1).says("ended before its end: stopped").says_not("not known");
    let arrived = arrived(&desk).len();
    assert!((2..COUNT).contains(&arrived), "{arrived}");
    desk.run(&["status"]).exits(1).says(&format!("to send ({})", COUNT - arrived));
}

/// Somebody else entered secrets meanwhile: that they are there does not tell whose they are.
#[test]
fn secrets_whose_arrival_nobody_saw_are_not_taken_for_sent() {
    let desk = Desk::new();
    desk.server.add("w", ".webhook", &crate::desk::basic(1));
    desk.run(&["pull"]).exits(0);
    desk.enter_secrets("w", &json!({"user": "me", "password": "hunter2"}));
    desk.run(&["toggle", "w"]).exits(0);
    desk.server.fault("PUT", Fault::Slow(Duration::from_secs(20)));
    let mut child = desk.command(&["push", "--yes"]).stdout(Stdio::null()).spawn().unwrap();
    while desk.server.paths("PUT").is_empty() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    desk.server.set("w", "is_missing_secrets", json!(false));
    desk.run(&["status"]).exits(1).says("cannot be told").says("to send (1)").says("secrets");
}

#[test]
fn one_push_at_a_time() {
    let desk = changed();
    desk.server.state().delay = Duration::from_millis(200);
    let mut child = desk.command(&["push", "--yes"]).stdout(Stdio::null()).spawn().unwrap();
    while desk.server.paths("PUT").is_empty() {
        std::thread::yield_now();
    }
    desk.run(&["push", "--yes"]).exits(2).says("another program is pushing");
    child.kill().unwrap();
    child.wait().unwrap();
    desk.server.state().delay = Duration::ZERO;
    desk.server.wait_until_idle();
    desk.run(&["push", "--yes"]).exits(0);
    assert!(!desk.place.names().iter().any(|name| name.ends_with("-push")), "{:?}", desk.place.names());
}
