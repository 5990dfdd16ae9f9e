//! What a server reports: its version, or that it is another kind of server.

use serde_json::json;

use crate::env::Env;
use crate::server::Fault;
use crate::support::rows;

fn version(env: &Env) -> String {
    rows(&env.file, "SELECT version FROM remotes").concat()
}

#[test]
fn version_is_read_while_a_plugin_is_unavailable() {
    let env = Env::new();
    env.server.add("a", ".server-log", &json!({}));
    let printed = json!({"version": {"number": "9.5.1"}, "status": {"overall": {"level": "unavailable"}}});
    env.server.fault("GET", Fault::Whole(503, "application/json", printed.to_string()));
    env.run(&["pull"]).exit_code(0).contains("1 new");
    assert_eq!(version(&env), "\"9.5.1\"");
}

#[test]
fn hidden_version_is_detected_or_given() {
    let env = Env::new();
    env.server.state().version.clear();
    // An empty space shows nothing.
    let body = json!({"id": "new", "name": "New", "connector_type_id": ".server-log", "auth_mode": "per-user"});
    env.with_input(&["create", "--from", "-"], &body.to_string()).exit_code(0);
    env.run(&["status"]).contains("reports no version").contains("--kibana-version").lacks("does not know");
    env.run(&["push", "--yes"]).exit_code(1).contains("its version is not known");
    assert!(env.server.paths("POST").is_empty());
    // Given by the user, until the server reports another one.
    let url = env.server.url();
    let add = ["remote", "add", "prod", &url, "--replace", "--kibana-version"];
    env.run(&[&add[..], &["nine"]].concat()).exit_code(2).contains("a version such as 9.4.0");
    env.run(&[&add[..], &["9.4.0"]].concat()).exit_code(0);
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
    assert_eq!(env.server.get("new")["auth_mode"], "per-user");
    assert_eq!(version(&env), "\"9.4.0\"");
    // By the connectors of users: those with a mode and those without.
    for (knows, expected, word) in [(true, "9.4 or later", ""), (false, "before 9.4", "does not know auth modes")] {
        let env = Env::new();
        env.server.state().version.clear();
        env.server.state().knows_modes = knows;
        env.server.add("a", ".server-log", &json!({}));
        env.run(&["pull"]).exit_code(0);
        assert_eq!(version(&env), format!("{expected:?}"));
        env.run(&["status"]).exit_code(0).contains(word).contains(expected);
        // Reported later, and after an upgrade of the server too.
        env.server.state().knows_modes = true;
        env.run(&["status"]).contains("9.4 or later");
        env.server.state().version = "9.6.0".to_owned();
        env.run(&["status"]).exit_code(0).contains("9.6.0").lacks("does not know");
    }
}

#[test]
fn elasticsearch_address_is_recognized() {
    let missing = json!({"error": {"root_cause": [{"type": "security_exception", "reason": "missing credentials"}], "type": "security_exception", "reason": "missing credentials"}, "status": 401});
    let hello =
        json!({"name": "n", "cluster_name": "c", "version": {"number": "8.15.0"}, "tagline": "You Know, for Search"});
    for (status, body) in [(401, missing), (200, hello)] {
        let env = Env::new();
        env.server.fault("GET", Fault::Whole(status, "application/json", body.to_string()));
        env.run(&["pull"])
            .exit_code(2)
            .contains("it is an Elasticsearch, not a Kibana")
            .contains("port 5601")
            .lacks("login");
    }
}

#[test]
fn error_reason_is_read_from_every_format() {
    for (content_type, body, expected) in [
        (
            "application/json",
            r#"{"error":"no handler found for uri [/api/status]"}"#,
            "no handler found for uri [/api/status]",
        ),
        ("application/json", r#"{"error":{"reason":"too many clauses"}}"#, "too many clauses"),
        ("application/json", r#"{"statusCode":400,"error":"Bad Request","message":"the word"}"#, "the word"),
        ("text/plain", "Request Header Fields Too Large", "Request Header Fields Too Large"),
        ("text/html", "<html><body>nginx</body></html>", "no reason was given"),
        ("text/plain", "", "no reason was given"),
    ] {
        let env = Env::new();
        env.server.fault("GET", Fault::Whole(400, content_type, body.to_owned()));
        env.run(&["pull"]).exit_code(2).contains(expected);
    }
}
