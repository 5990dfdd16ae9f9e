//! A server that is slow, cuts connections, refuses, sends on elsewhere, or is no Kibana at all.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::env::{Env, basic};
use crate::server::{Fault, Server};
use crate::support::records;

fn env() -> Env {
    let env = Env::new();
    env.server.add("a", ".server-log", &json!({}));
    env
}

#[test]
fn reads_are_retried_a_limited_number_of_times() {
    let env = env();
    for fault in [Fault::Status(503), Fault::Cut, Fault::RetryAfter(429, 1)] {
        env.server.fault("GET", fault);
    }
    let begun = Instant::now();
    env.run(&["pull"]).exit_code(0).contains("1 new");
    assert!(begun.elapsed() >= Duration::from_secs(2), "each wait is longer, and as long as Retry-After");
    for _ in 0..9 {
        env.server.fault("GET", Fault::Status(504));
    }
    let before = env.server.state().came.len();
    env.run(&["status"]).exit_code(2).contains("refused (504)").contains("try again later");
    assert_eq!(env.server.state().came.len() - before, 4);
}

#[test]
fn refusals_include_advice() {
    let env = env();
    for (status, word) in [(401, "remote login"), (403, "Actions and Connectors"), (404, "refused (404)")] {
        env.server.fault("GET", Fault::Status(200));
        env.server.state().faults.clear();
        // The first request may be refused to users without the privilege.
        if status != 401 {
            env.server.fault("GET", Fault::Slow(Duration::ZERO));
        }
        env.server.fault("GET", Fault::Status(status));
        env.run(&["pull"]).exit_code(2).contains(word);
        env.server.state().faults.clear();
    }
    assert_eq!(records(&env.file), Vec::<String>::new());
    env.run(&["remote", "logout"]).exit_code(0);
    env.run(&["pull"]).exit_code(2).contains("No credential was given");
}

#[test]
fn non_kibana_answer_is_refused() {
    let env = env();
    env.run(&["pull"]).exit_code(0);
    let before = records(&env.file);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let one = |config: &str| format!(r#"[{{"id":"a","name":"n","connector_type_id":".x","config":{config}}}]"#);
    for (content_type, body, word) in [
        ("text/html", "<html>sign in</html>".to_owned(), "not JSON"),
        ("application/json", "{".to_owned(), "cannot be read"),
        ("application/json", "{}".to_owned(), "cannot be read"),
        ("application/json", r#"[{"id":7}]"#.to_owned(), "cannot be read"),
        ("application/json", deep, "cannot be read"),
        ("application/json", "[\"\u{1b}[31m\"]".to_owned(), "cannot be read"),
        (
            "application/json",
            one("{}").replace("}]", "},{\"id\":\"a\",\"name\":\"n\",\"connector_type_id\":\".x\"}]"),
            "appears twice",
        ),
    ] {
        env.server.fault("GET", Fault::Slow(Duration::ZERO));
        env.server.fault("GET", Fault::Body(content_type, body.into_bytes()));
        env.run(&["pull"]).exit_code(2).contains(word).lacks("\u{1b}");
        env.server.state().faults.clear();
    }
    for fault in [Fault::Body("application/json", vec![b'[', 0xff]), Fault::Endless] {
        env.server.fault("GET", Fault::Slow(Duration::ZERO));
        env.server.fault("GET", fault);
        env.run(&["pull"]).exit_code(2);
    }
    for _ in 0..4 {
        env.server.fault("GET", Fault::Short);
    }
    env.run(&["pull"]).exit_code(2).contains("was not reached");
    assert_eq!(records(&env.file), before);
}

#[test]
fn redirect_is_not_followed() {
    let (env, other) = (env(), Server::start());
    env.server.fault("GET", Fault::Redirect(format!("http://localhost:{}/api/status", other.port)));
    env.run(&["pull"])
        .exit_code(2)
        .contains("redirects to another host (localhost)")
        .contains("the credential was not sent to it");
    env.server.fault("GET", Fault::Redirect("/login?next=%2F".to_owned()));
    env.run(&["pull"]).exit_code(2).contains("a sign-in page");
    assert!(other.state().came.is_empty());
}

#[test]
fn timeout_and_refused_connection_are_reported() {
    let env = env();
    env.run(&["remote", "add", "slow", &env.server.url(), "--timeout", "1"]).exit_code(0);
    env.with_input(&["remote", "login", "slow"], crate::server::API_KEY).exit_code(0);
    for _ in 0..4 {
        env.server.fault("GET", Fault::Slow(Duration::from_secs(3)));
    }
    env.run(&["pull", "--remote", "slow"]).exit_code(2).contains("did not answer in time");
    // A released port may belong to another test; nothing listens on this one.
    env.run(&["remote", "add", "nobody", "http://127.0.0.1:1"]).exit_code(0);
    env.run(&["pull", "--remote", "nobody"]).exit_code(2).contains("does not take connections");
    env.run(&["remote", "add", "nowhere", "https://no-such-host.invalid"]).exit_code(0);
    env.run(&["pull", "--remote", "nowhere"]).exit_code(2).contains("was not reached");
}

#[test]
fn push_continues_after_a_refusal() {
    let env = Env::new();
    for n in 0..5 {
        env.server.add(&format!("w{n}"), ".webhook", &basic(n));
    }
    env.run(&["pull"]).exit_code(0);
    for n in 0..5 {
        env.enter_secrets(&format!("w{n}"), &json!({"user": "me", "password": "hunter2"}));
    }
    // A secret that a server repeats is not printed.
    env.server.fault("PUT", Fault::Echo);
    env.server.fault("PUT", Fault::Status(403));
    env.server.fault("PUT", Fault::Status(409));
    env.server.fault("PUT", Fault::Status(500));
    env.run(&["push", "--yes"])
        .exit_code(1)
        .contains("refused: Name of w0 (w0)")
        .contains("refused (403)")
        .contains("refused (409)")
        .contains("not known: Name of w3 (w3)")
        .contains("1 done, 4 not, 0 left")
        .lacks("hunter2");
    env.run(&["status"])
        .exit_code(1)
        .contains("is incomplete")
        .contains("sent and refused: update w1")
        .lacks("hunter2");
    assert!(!String::from_utf8_lossy(&std::fs::read(&env.file).unwrap()).contains("hunter2"));
    env.run(&["push", "--yes"]).exit_code(0).contains("4 done");
    env.run(&["status"]).exit_code(0);
}

#[test]
fn push_stops_when_the_server_is_down() {
    let env = env();
    env.server.add("b", ".server-log", &json!({}));
    env.run(&["pull"]).exit_code(0);
    for id in ["a", "b"] {
        env.update(id, |body| body["name"] = json!("New"));
    }
    env.server.fault("PUT", Fault::Status(503));
    env.run(&["push", "--yes"]).exit_code(1).contains("0 done, 1 not, 1 left").contains("ended before its end");
    env.run(&["push", "--yes", "b"]).exit_code(0).contains("1 done, 0 not, 0 left");
    assert_eq!((&env.server.get("a")["name"], &env.server.get("b")["name"]), (&json!("Name of a"), &json!("New")));
}

#[test]
fn write_is_retried_only_after_429() {
    let env = env();
    env.run(&["pull"]).exit_code(0);
    env.update("a", |body| body["name"] = json!("New"));
    env.server.fault("PUT", Fault::RetryAfter(429, 0));
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
    assert_eq!(env.server.paths("PUT").len(), 2);
    env.update("a", |body| body["name"] = json!("Newer"));
    env.server.fault("PUT", Fault::Status(503));
    env.run(&["push", "--yes"]).exit_code(1).contains("0 done");
    assert_eq!(env.server.paths("PUT").len(), 3);
}

#[test]
fn credential_is_never_printed_stored_plain_or_in_arguments() {
    let env = env();
    env.run(&["pull"]).exit_code(0);
    env.server.fault("GET", Fault::Body("application/json", crate::server::API_KEY.into()));
    env.run(&["pull"]).exit_code(2).lacks("top-secret").lacks(crate::server::API_KEY);
    for name in env.dir.names() {
        let bytes = std::fs::read(env.dir.path(&name)).unwrap();
        for planted in [crate::server::API_KEY, "top-secret-key"] {
            assert!(!bytes.windows(planted.len()).any(|part| part == planted.as_bytes()), "{name}");
        }
    }
    // The credential of the environment takes precedence over the stored one, and is not stored.
    let mut command = env.command(&["pull"]);
    let output = command.env("CONNECTOR_ADMIN_API_KEY", "id:another-key").output().unwrap();
    crate::env::CommandOutput::from(output).exit_code(2).contains("refused (401)").lacks("another-key");
    // Changing the address in the file does not redirect the credential.
    let other = Server::start();
    crate::support::execute(&env.file, &format!("UPDATE remotes SET url = '{}'", other.url()));
    env.run(&["pull"]).exit_code(2).contains("another address").contains("remote login prod");
    assert!(other.state().came.is_empty());
}

#[test]
fn too_deep_config_skips_only_its_connector() {
    let env = Env::new();
    for id in ["a", "deep", "z"] {
        env.server.add(id, ".server-log", &json!({}));
    }
    env.run(&["pull"]).exit_code(0).contains("3 new");
    env.update("deep", |body| body["name"] = json!("Changed here"));
    let nested = (0..150).fold(json!(1), |inner, _| json!({"in": inner}));
    env.server.set("deep", "config", nested.clone());
    env.server.set("z", "name", json!("Changed there"));
    env.run(&["pull"]).exit_code(1).contains("1 changed").contains("0 deleted");
    env.run(&["status"]).exit_code(1).contains("nested deeper than 100 levels");
    env.run(&["push", "--yes"]).exit_code(1).contains("nested deeper than 100 levels");
    assert!(env.server.paths("PUT").is_empty());
    assert_eq!(env.server.get("deep")["config"], nested);
    env.run(&["get", "deep"]).exit_code(0).contains("Changed here");
    // A new connector there is not pulled, and is named.
    env.server.add("new", ".server-log", &nested);
    env.run(&["pull"]).contains("0 new");
    env.run(&["status"]).exit_code(1).contains("new");
}
