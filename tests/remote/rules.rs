//! Kibana's own rules, where breaking one would destroy something in Kibana.

use serde_json::{Value, json};

use crate::env::{Env, basic};
use crate::server::Fault;

fn oauth() -> Value {
    json!({"authType": "oauth_authorization_code"})
}

/// The addresses have defaults.
const OAUTH_SECRETS: &str = r#"{"authType":"oauth_authorization_code","clientId":"me","clientSecret":"hidden-7"}"#;

#[test]
fn per_user_to_shared_never_strips_secrets() {
    let env = Env::new();
    env.server.add("mine", ".gmail", &oauth());
    env.run(&["pull"]).exit_code(0);
    env.enter_secrets("mine", &serde_json::from_str(OAUTH_SECRETS).unwrap());
    env.run(&["push", "--yes"]).exit_code(0).contains("all its users are disconnected").contains("1 done");
    let (before, secrets) = (env.server.get("mine"), env.server.state().secrets.clone());
    env.run(&["toggle", "mine", "--to", "shared"]).exit_code(0);
    for arguments in [&["push", "--yes"][..], &["push", "--yes", "--allow-secret-loss"], &["push", "--dry-run"]] {
        env.run(arguments).exit_code(1).contains("refuses every update of a shared connector").lacks("1 done");
        assert_eq!((env.server.get("mine"), &env.server.state().secrets), (before.clone(), &secrets));
    }
    assert!(env.server.paths("POST").iter().all(|path| !path.contains("_import")));
    // After undo nothing is left to push.
    env.run(&["undo"]).exit_code(0);
    env.run(&["status"]).exit_code(0);
}

#[test]
fn shared_connector_with_user_auth_type_is_blocked() {
    let env = Env::new();
    env.server.add("old", ".gmail", &oauth());
    env.server.set("old", "auth_mode", json!("shared"));
    env.run(&["pull"]).exit_code(0);
    env.enter_secrets("old", &serde_json::from_str(OAUTH_SECRETS).unwrap());
    env.update("old", |body| body["name"] = json!("Other"));
    let puts = env.server.paths("PUT").len();
    env.run(&["push", "--yes"]).exit_code(1).contains("refuses every update of a shared connector");
    assert_eq!(env.server.paths("PUT").len(), puts);
    // Per-user it can be: by the import, and then the update.
    env.run(&["toggle", "old", "--to", "per-user"]).exit_code(0);
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
    assert_eq!(env.server.get("old")["auth_mode"], "per-user");
    assert_eq!(env.server.get("old")["is_missing_secrets"], false);
}

#[test]
fn id_that_kibana_drops_is_never_sent() {
    let env = Env::new();
    for id in ["Odd_Id", "plain-id"] {
        env.server.add(id, ".server-log", &json!({}));
    }
    env.run(&["pull"]).exit_code(0);
    env.run(&["toggle", "Odd_Id", "plain-id", "--to", "per-user"]).exit_code(0);
    env.run(&["push", "--yes"]).exit_code(1).contains("removes a connector on import").contains("1 done");
    assert_eq!(env.server.get("plain-id")["auth_mode"], "per-user");
    assert_eq!(env.server.get("Odd_Id")["auth_mode"], "shared", "it is still there");
    // Other changes of it can be pushed, and the next pull removes nothing.
    env.run(&["toggle", "Odd_Id", "--to", "shared"]).exit_code(0);
    env.update("Odd_Id", |body| body["name"] = json!("Renamed"));
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
    assert_eq!(env.server.get("Odd_Id")["name"], "Renamed");
    env.run(&["pull"]).exit_code(0).contains("0 deleted");
    let body = json!({"name": "New", "connector_type_id": ".server-log"}).to_string();
    env.with_input(&["create", "--id", "New_Id", "--from", "-"], &body).exit_code(0);
    let posts = env.server.paths("POST").len();
    env.run(&["push", "--yes"]).exit_code(1).contains("creates connectors only with ids of");
    assert_eq!(env.server.paths("POST").len(), posts);
}

#[test]
fn connector_removed_by_an_import_is_a_failure() {
    for message in [
        "Connector with ID [a] has an invalid ID and was removed. Connector IDs must contain only lowercase letters, numbers, and hyphens and be 36 characters or less.",
        "2 connectors have IDs of preconfigured connectors and were removed.",
    ] {
        let env = Env::new();
        env.server.add("a", ".server-log", &json!({}));
        env.run(&["pull"]).exit_code(0);
        env.run(&["toggle", "a", "--to", "per-user"]).exit_code(0);
        let answer = json!({"success": true, "successCount": 1, "successResults": [], "warnings": [{"type": "simple", "message": message}]});
        env.server.fault("POST", Fault::Body("application/json", answer.to_string().into()));
        env.run(&["push", "--yes"]).exit_code(1).contains("removed the connector").contains("removed.");
        env.server.state().connectors.remove("a");
        env.run(&["status"]).exit_code(1).lacks("deleted in Kibana");
        env.run(&["pull"]).lacks("1 deleted");
        env.run(&["get", "a"]).exit_code(0);
    }
}

#[test]
fn failed_update_after_import_is_repaired_by_the_next_push() {
    let env = Env::new();
    env.server.add("w", ".webhook", &basic(1));
    env.run(&["pull"]).exit_code(0);
    env.enter_secrets("w", &json!({"user": "me", "password": "hidden-7"}));
    env.run(&["push", "--yes"]).exit_code(0);
    env.run(&["toggle", "w", "--to", "per-user"]).exit_code(0);
    env.server.fault("PUT", Fault::Error(400, "error validating connector type secrets: no".to_owned()));
    env.run(&["push", "--yes"]).exit_code(1).contains("its secrets in Kibana are removed").contains("push again");
    env.run(&["status"]).exit_code(1).contains("secrets").contains("sent and refused: update w");
    assert_eq!(env.server.get("w")["is_missing_secrets"], true);
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
    assert_eq!(env.server.get("w")["is_missing_secrets"], false);
    assert_eq!(env.server.state().secrets["w"]["password"], "hidden-7");
}

#[test]
fn connector_created_without_secrets_can_be_renamed() {
    let env = Env::new();
    let body = json!({"name": "w", "connector_type_id": ".webhook", "config": {"hasAuth": false, "method": "post", "url": "https://hook.example"}});
    env.with_input(&["create", "--id", "w", "--from", "-"], &body.to_string()).exit_code(0);
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
    env.update("w", |body| body["name"] = json!("w2"));
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
    assert_eq!(env.server.get("w")["name"], "w2");
    // A connector that somebody else created may have secrets.
    env.server.add("theirs", ".webhook", &json!({"hasAuth": false, "method": "post", "url": "https://hook.example"}));
    env.run(&["pull"]).exit_code(0);
    env.update("theirs", |body| body["name"] = json!("Other"));
    env.run(&["push", "--yes"]).exit_code(1).contains("may have secrets in Kibana");
}

#[test]
fn disconnected_users_are_counted_before_a_push() {
    let env = Env::new();
    env.server.add("mine", ".gmail", &oauth());
    env.server.add("log", ".server-log", &json!({}));
    env.run(&["pull"]).exit_code(0);
    env.enter_secrets("mine", &serde_json::from_str(OAUTH_SECRETS).unwrap());
    env.update("log", |body| body["name"] = json!("Other"));
    let plan = env.run(&["push", "--dry-run", "--json"]).json();
    let entries = plan["connectors"].as_array().or(plan["entries"].as_array()).cloned().unwrap_or_default();
    let disconnected = entries.iter().filter(|entry| entry["disconnects_users"] == true).count();
    assert_eq!(disconnected, 1, "{plan}");
}

#[test]
fn path_like_id_is_in_no_request() {
    let env = Env::new();
    for id in [".", "..", " "] {
        let body = json!({"id": id, "name": "New", "connector_type_id": ".server-log"}).to_string();
        env.with_input(&["create", "--from", "-"], &body);
    }
    env.run(&["push", "--yes"]).exit_code(1).contains("cannot be part of a URL of Kibana's API");
    let params = env.dir.write("p.json", "{}");
    env.run(&["test", "..", "--yes", "--params", params.to_str().unwrap()])
        .exit_code(2)
        .contains("cannot be part of a URL");
    for method in ["GET", "POST", "PUT", "DELETE"] {
        assert!(env.server.paths(method).iter().all(|path| !path.contains("/actions/connector/")), "{method}");
    }
}
