//! A server that is slow, cuts connections, refuses, sends on elsewhere, or is no Kibana at all.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::desk::{Desk, basic};
use crate::server::{Fault, Server};
use crate::support::records;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.server.add("a", ".server-log", &json!({}));
    desk
}

#[test]
fn what_only_reads_is_tried_again_and_not_without_end() {
    let desk = desk();
    for fault in [Fault::Status(503), Fault::Cut, Fault::RetryAfter(429, 1)] {
        desk.server.fault("GET", fault);
    }
    let begun = Instant::now();
    desk.run(&["pull"]).exits(0).says("1 new");
    assert!(begun.elapsed() >= Duration::from_secs(2), "it waits longer each time, and as long as it is told");
    for _ in 0..9 {
        desk.server.fault("GET", Fault::Status(504));
    }
    let asked = desk.server.state().came.len();
    desk.run(&["status"]).exits(2).says("refused (504)").says("try again later");
    assert_eq!(desk.server.state().came.len() - asked, 4);
}

#[test]
fn refusals_say_what_to_do() {
    let desk = desk();
    for (status, word) in [(401, "remote login"), (403, "Actions and Connectors"), (404, "refused (404)")] {
        desk.server.fault("GET", Fault::Status(200));
        desk.server.state().faults.clear();
        // The first question may be refused to people without the right to it.
        if status != 401 {
            desk.server.fault("GET", Fault::Slow(Duration::ZERO));
        }
        desk.server.fault("GET", Fault::Status(status));
        desk.run(&["pull"]).exits(2).says(word);
        desk.server.state().faults.clear();
    }
    assert_eq!(records(&desk.file), Vec::<String>::new());
    desk.run(&["remote", "logout"]).exits(0);
    desk.run(&["pull"]).exits(2).says("No credential was given");
}

#[test]
fn what_is_no_kibana_is_refused_whole() {
    let desk = desk();
    desk.run(&["pull"]).exits(0);
    let before = records(&desk.file);
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
            "told twice",
        ),
    ] {
        desk.server.fault("GET", Fault::Slow(Duration::ZERO));
        desk.server.fault("GET", Fault::Body(content_type, body.into_bytes()));
        desk.run(&["pull"]).exits(2).says(word).says_not("\u{1b}");
        desk.server.state().faults.clear();
    }
    for fault in [Fault::Body("application/json", vec![b'[', 0xff]), Fault::Endless] {
        desk.server.fault("GET", Fault::Slow(Duration::ZERO));
        desk.server.fault("GET", fault);
        desk.run(&["pull"]).exits(2);
    }
    for _ in 0..4 {
        desk.server.fault("GET", Fault::Short);
    }
    desk.run(&["pull"]).exits(2).says("was not reached");
    assert_eq!(records(&desk.file), before);
}

#[test]
fn a_redirect_is_not_followed_and_the_credential_goes_nowhere_else() {
    let (desk, other) = (desk(), Server::start());
    desk.server.fault("GET", Fault::Redirect(format!("http://localhost:{}/api/status", other.port)));
    desk.run(&["pull"]).exits(2).says("sends on to another host (localhost)").says("the credential was not sent there");
    desk.server.fault("GET", Fault::Redirect("/login?next=%2F".to_owned()));
    desk.run(&["pull"]).exits(2).says("a sign-in page");
    assert!(other.state().came.is_empty());
}

#[test]
fn time_runs_out_and_nothing_listens() {
    let desk = desk();
    desk.run(&["remote", "add", "slow", &desk.server.url(), "--timeout", "1"]).exits(0);
    desk.with_input(&["remote", "login", "slow"], crate::server::API_KEY).exits(0);
    for _ in 0..4 {
        desk.server.fault("GET", Fault::Slow(Duration::from_secs(3)));
    }
    desk.run(&["pull", "--remote", "slow"]).exits(2).says("did not answer in time");
    // A port that was just given back may be another test's by now; on this one nobody listens.
    desk.run(&["remote", "add", "nobody", "http://127.0.0.1:1"]).exits(0);
    desk.run(&["pull", "--remote", "nobody"]).exits(2).says("does not take connections");
    desk.run(&["remote", "add", "nowhere", "https://no-such-host.invalid"]).exits(0);
    desk.run(&["pull", "--remote", "nowhere"]).exits(2).says("was not reached");
}

#[test]
fn a_push_goes_on_after_a_refusal() {
    let desk = Desk::new();
    for n in 0..5 {
        desk.server.add(&format!("w{n}"), ".webhook", &basic(n));
    }
    desk.run(&["pull"]).exits(0);
    for n in 0..5 {
        desk.enter_secrets(&format!("w{n}"), &json!({"user": "me", "password": "hunter2"}));
    }
    // What a server repeats of the secrets is not repeated here.
    desk.server.fault("PUT", Fault::Echo);
    desk.server.fault("PUT", Fault::Status(403));
    desk.server.fault("PUT", Fault::Status(409));
    desk.server.fault("PUT", Fault::Status(500));
    desk.run(&["push", "--yes"])
        .exits(1)
        .says("refused: Name of w0 (w0)")
        .says("refused (403)")
        .says("refused (409)")
        .says("not known: Name of w3 (w3)")
        .says("1 done, 4 not, 0 left")
        .says_not("hunter2");
    desk.run(&["status"]).exits(1).says("was not done whole").says("sent and refused: update w1").says_not("hunter2");
    assert!(!String::from_utf8_lossy(&std::fs::read(&desk.file).unwrap()).contains("hunter2"));
    desk.run(&["push", "--yes"]).exits(0).says("4 done");
    desk.run(&["status"]).exits(0);
}

#[test]
fn a_push_stops_when_the_server_gives_up() {
    let desk = desk();
    desk.server.add("b", ".server-log", &json!({}));
    desk.run(&["pull"]).exits(0);
    for id in ["a", "b"] {
        desk.update(id, |body| body["name"] = json!("New"));
    }
    desk.server.fault("PUT", Fault::Status(503));
    desk.run(&["push", "--yes"]).exits(1).says("0 done, 1 not, 1 left").says("ended before its end");
    desk.run(&["push", "--yes", "b"]).exits(0).says("1 done, 0 not, 0 left");
    assert_eq!((&desk.server.get("a")["name"], &desk.server.get("b")["name"]), (&json!("Name of a"), &json!("New")));
}

#[test]
fn a_write_is_tried_again_only_where_it_was_not_taken() {
    let desk = desk();
    desk.run(&["pull"]).exits(0);
    desk.update("a", |body| body["name"] = json!("New"));
    desk.server.fault("PUT", Fault::RetryAfter(429, 0));
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
    assert_eq!(desk.server.paths("PUT").len(), 2);
    desk.update("a", |body| body["name"] = json!("Newer"));
    desk.server.fault("PUT", Fault::Status(503));
    desk.run(&["push", "--yes"]).exits(1).says("0 done");
    assert_eq!(desk.server.paths("PUT").len(), 3);
}

#[test]
fn no_credential_is_printed_stored_or_in_an_argument() {
    let desk = desk();
    desk.run(&["pull"]).exits(0);
    desk.server.fault("GET", Fault::Body("application/json", crate::server::API_KEY.into()));
    desk.run(&["pull"]).exits(2).says_not("top-secret").says_not(crate::server::API_KEY);
    for name in desk.place.names() {
        let bytes = std::fs::read(desk.place.path(&name)).unwrap();
        for planted in [crate::server::API_KEY, "top-secret-key"] {
            assert!(!bytes.windows(planted.len()).any(|part| part == planted.as_bytes()), "{name}");
        }
    }
    // The environment's counts before the sealed one, and is not kept.
    let mut command = desk.command(&["pull"]);
    let output = command.env("CONNECTOR_ADMIN_API_KEY", "id:another-key").output().unwrap();
    crate::desk::Said::from(output).exits(2).says("refused (401)").says_not("another-key");
    // Who changes the address in the file does not get the credential sent there.
    let other = Server::start();
    crate::support::execute(&desk.file, &format!("UPDATE remotes SET url = '{}'", other.url()));
    desk.run(&["pull"]).exits(2).says("another address").says("remote login prod");
    assert!(other.state().came.is_empty());
}

#[test]
fn a_config_that_is_nested_too_deep_stops_only_its_own_connector() {
    let desk = Desk::new();
    for id in ["a", "deep", "z"] {
        desk.server.add(id, ".server-log", &json!({}));
    }
    desk.run(&["pull"]).exits(0).says("3 new");
    desk.update("deep", |body| body["name"] = json!("Changed here"));
    let nested = (0..150).fold(json!(1), |inner, _| json!({"in": inner}));
    desk.server.set("deep", "config", nested.clone());
    desk.server.set("z", "name", json!("Changed there"));
    desk.run(&["pull"]).exits(1).says("1 changed").says("0 deleted");
    desk.run(&["status"]).exits(1).says("nested deeper than 100 levels");
    desk.run(&["push", "--yes"]).exits(1).says("nested deeper than 100 levels");
    assert!(desk.server.paths("PUT").is_empty());
    assert_eq!(desk.server.get("deep")["config"], nested);
    desk.run(&["get", "deep"]).exits(0).says("Changed here");
    // One that is new there does not come, and is named.
    desk.server.add("new", ".server-log", &nested);
    desk.run(&["pull"]).says("0 new");
    desk.run(&["status"]).exits(1).says("new");
}
