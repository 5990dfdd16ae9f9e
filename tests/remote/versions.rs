//! What a server tells of itself: its version, or that it is another kind of server.

use serde_json::json;

use crate::desk::Desk;
use crate::server::Fault;
use crate::support::rows;

fn version(desk: &Desk) -> String {
    rows(&desk.file, "SELECT version FROM remotes").concat()
}

#[test]
fn a_kibana_of_which_a_plugin_is_unavailable_tells_its_version_all_the_same() {
    let desk = Desk::new();
    desk.server.add("a", ".server-log", &json!({}));
    let said = json!({"version": {"number": "9.5.1"}, "status": {"overall": {"level": "unavailable"}}});
    desk.server.fault("GET", Fault::Whole(503, "application/json", said.to_string()));
    desk.run(&["pull"]).exits(0).says("1 new");
    assert_eq!(version(&desk), "\"9.5.1\"");
}

#[test]
fn a_version_that_is_not_told_is_found_out_or_given_and_never_taken_for_an_old_one() {
    let desk = Desk::new();
    desk.server.state().version.clear();
    // An empty space shows nothing.
    let body = json!({"id": "new", "name": "New", "connector_type_id": ".server-log", "auth_mode": "per-user"});
    desk.with_input(&["create", "--from", "-"], &body.to_string()).exits(0);
    desk.run(&["status"]).says("tells no version").says("--kibana-version").says_not("does not know");
    desk.run(&["push", "--yes"]).exits(1).says("its version is not known");
    assert!(desk.server.paths("POST").is_empty());
    // Given by the user, until the server tells another one.
    let url = desk.server.url();
    let add = ["remote", "add", "prod", &url, "--replace", "--kibana-version"];
    desk.run(&[&add[..], &["nine"]].concat()).exits(2).says("a version such as 9.4.0");
    desk.run(&[&add[..], &["9.4.0"]].concat()).exits(0);
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
    assert_eq!(desk.server.get("new")["auth_mode"], "per-user");
    assert_eq!(version(&desk), "\"9.4.0\"");
    // By the connectors of users: those with a mode and those without.
    for (knows, expected, word) in [(true, "9.4 or later", ""), (false, "before 9.4", "does not know auth modes")] {
        let desk = Desk::new();
        desk.server.state().version.clear();
        desk.server.state().knows_modes = knows;
        desk.server.add("a", ".server-log", &json!({}));
        desk.run(&["pull"]).exits(0);
        assert_eq!(version(&desk), format!("{expected:?}"));
        desk.run(&["status"]).exits(0).says(word).says(expected);
        // It is told later, after an upgrade of the server too.
        desk.server.state().knows_modes = true;
        desk.run(&["status"]).says("9.4 or later");
        desk.server.state().version = "9.6.0".to_owned();
        desk.run(&["status"]).exits(0).says("9.6.0").says_not("does not know");
    }
}

#[test]
fn an_elasticsearch_is_told_from_a_kibana() {
    let missing = json!({"error": {"root_cause": [{"type": "security_exception", "reason": "missing credentials"}], "type": "security_exception", "reason": "missing credentials"}, "status": 401});
    let hello =
        json!({"name": "n", "cluster_name": "c", "version": {"number": "8.15.0"}, "tagline": "You Know, for Search"});
    for (status, body) in [(401, missing), (200, hello)] {
        let desk = Desk::new();
        desk.server.fault("GET", Fault::Whole(status, "application/json", body.to_string()));
        desk.run(&["pull"]).exits(2).says("it is an Elasticsearch, not a Kibana").says("port 5601").says_not("login");
    }
}

#[test]
fn the_reason_of_an_error_is_said_in_whatever_form_it_comes() {
    for (content_type, body, says) in [
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
        let desk = Desk::new();
        desk.server.fault("GET", Fault::Whole(400, content_type, body.to_owned()));
        desk.run(&["pull"]).exits(2).says(says);
    }
}
