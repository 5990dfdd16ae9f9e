//! A killed push: afterwards the program reports exactly which requests arrived.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::env::Env;
use crate::server::Fault;

const COUNT: usize = 8;

fn changed() -> Env {
    let env = Env::new();
    for n in 0..COUNT {
        env.server.add(
            &format!("c{n}"),
            ".index",
            &json!({"index": "i", "refresh": false, "executionTimeField": null}),
        );
    }
    env.run(&["pull"]).exit_code(0);
    for n in 0..COUNT {
        env.update(&format!("c{n}"), |body| body["name"] = json!(format!("Changed {n}")));
    }
    env
}

/// The connectors whose change Kibana has.
fn arrived(env: &Env) -> BTreeSet<String> {
    let state = env.server.state();
    let is_changed = |one: &&Value| one["name"].as_str().unwrap().starts_with("Changed");
    state.connectors.values().filter(is_changed).map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn to_send(status: &Value) -> BTreeSet<String> {
    let entries = status["connectors"].as_array().unwrap().iter().filter(|entry| entry["group"] == "to push");
    entries.map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn killed_push_is_explained_and_resumed() {
    for moment in [0, 1, 3, 7] {
        for is_done_there in [false, true] {
            let env = changed();
            env.server.state().delay = Duration::from_millis(5);
            let mut child =
                env.command(&["push", "--yes"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            while env.server.paths("PUT").len() < moment + 1 {
                std::thread::yield_now();
                // The current request arrives when the program dies, or does not.
                if env.server.paths("PUT").len() == moment {
                    let fault = if is_done_there { Fault::CutAfter } else { Fault::Slow(Duration::from_millis(200)) };
                    if env.server.state().faults.is_empty() {
                        env.server.fault("PUT", fault);
                    }
                }
            }
            child.kill().unwrap();
            child.wait().unwrap();
            env.server.state().faults.clear();
            // The current request ends, one way or the other.
            env.server.wait_until_idle();

            let arrived = arrived(&env);
            let status = env.run(&["status", "--json"]).json();
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
            env.run(&["push", "--yes"]).exit_code(0).contains(&format!("{} done, 0 not", left.len()));
            env.run(&["status"]).exit_code(0);
        }
    }
}

#[test]
fn lost_answer_is_reconciled() {
    let env = changed();
    env.server.fault("PUT", Fault::CutAfter);
    env.run(&["push", "--yes"]).exit_code(0).contains("not known: Changed 0").contains("8 done, 0 not, 0 left");
    env.run(&["status"]).exit_code(0);
}

/// A proxy before Kibana gave up waiting; Kibana did not.
#[test]
fn late_request_is_seen_by_the_next_fetch() {
    let env = Env::new();
    env.server.add("w", ".webhook", &crate::env::basic(1));
    env.run(&["pull"]).exit_code(0);
    env.enter_secrets("w", &json!({"user": "me", "password": "hunter2"}));
    env.update("w", |body| body["name"] = json!("Late"));
    env.server.fault("PUT", Fault::Cut);
    env.run(&["push", "--yes"]).exit_code(1).contains("not known").contains(
        "the state of unknown requests was \
                                                                             fetched",
    );
    env.run(&["status"]).exit_code(1).contains("not sent, or not accepted: update w");
    env.server.set("w", "name", json!("Late"));
    env.run(&["status"]).exit_code(0);
}

#[test]
fn mode_import_without_secrets_is_resumed() {
    let env = Env::new();
    env.server.add("w", ".webhook", &crate::env::basic(1));
    env.run(&["pull"]).exit_code(0);
    env.enter_secrets("w", &json!({"user": "me", "password": "hunter2"}));
    env.run(&["toggle", "w"]).exit_code(0);
    env.server.fault("PUT", Fault::Cut);
    env.run(&["push", "--yes"]).exit_code(1).contains("its secrets in Kibana are removed and it cannot run");
    assert_eq!(env.server.get("w")["is_missing_secrets"], true);
    // The import has arrived, the update with the secrets has not.
    env.run(&["status"])
        .exit_code(1)
        .contains("sent and accepted: import w")
        .contains("not sent, or not accepted: update w")
        .contains("Kibana has no secrets for it and cannot run it")
        .contains("update; auth mode");
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
    let remote = env.server.get("w");
    assert_eq!((&remote["auth_mode"], &remote["is_missing_secrets"]), (&json!("per-user"), &json!(false)));
    env.run(&["status"]).exit_code(0);
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_between_connectors() {
    let env = changed();
    env.server.state().delay = Duration::from_millis(50);
    let child = env.command(&["push", "--yes"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while env.server.paths("PUT").len() < 2 {
        std::thread::yield_now();
    }
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let printed = crate::env::CommandOutput::from(child.wait_with_output().unwrap());
    printed.exit_code(1).contains("ended before its end: stopped").lacks("not known");
    let arrived = arrived(&env).len();
    assert!((2..COUNT).contains(&arrived), "{arrived}");
    env.run(&["status"]).exit_code(1).contains(&format!("to push ({})", COUNT - arrived));
}

/// Somebody else entered secrets in the meantime: their presence does not show whose they are.
#[test]
fn unconfirmed_secrets_are_not_counted_as_sent() {
    let env = Env::new();
    env.server.add("w", ".webhook", &crate::env::basic(1));
    env.run(&["pull"]).exit_code(0);
    env.enter_secrets("w", &json!({"user": "me", "password": "hunter2"}));
    env.run(&["toggle", "w"]).exit_code(0);
    env.server.fault("PUT", Fault::Slow(Duration::from_secs(20)));
    let mut child = env.command(&["push", "--yes"]).stdout(Stdio::null()).spawn().unwrap();
    while env.server.paths("PUT").is_empty() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    env.server.set("w", "is_missing_secrets", json!(false));
    env.run(&["status"]).exit_code(1).contains("unknown (the next push").contains("to push (1)").contains("secrets");
}

#[test]
fn second_push_is_refused_while_one_runs() {
    let env = changed();
    env.server.state().delay = Duration::from_millis(200);
    let mut child = env.command(&["push", "--yes"]).stdout(Stdio::null()).spawn().unwrap();
    while env.server.paths("PUT").is_empty() {
        std::thread::yield_now();
    }
    env.run(&["push", "--yes"]).exit_code(2).contains("another program is pushing");
    child.kill().unwrap();
    child.wait().unwrap();
    env.server.state().delay = Duration::ZERO;
    env.server.wait_until_idle();
    env.run(&["push", "--yes"]).exit_code(0);
    assert!(!env.dir.names().iter().any(|name| name.ends_with("-push")), "{:?}", env.dir.names());
}
