//! Kibana's own rules, where breaking one would destroy something in Kibana.

use serde_json::{Value, json};

use crate::desk::{Desk, basic};
use crate::server::Fault;

fn oauth() -> Value {
    json!({"authType": "oauth_authorization_code"})
}

/// The addresses have defaults.
const OAUTH_SECRETS: &str = r#"{"authType":"oauth_authorization_code","clientId":"me","clientSecret":"hidden-7"}"#;

#[test]
fn a_user_connector_that_is_made_shared_is_never_stripped_of_its_secrets() {
    let desk = Desk::new();
    desk.server.add("mine", ".gmail", &oauth());
    desk.run(&["pull"]).exits(0);
    desk.enter_secrets("mine", &serde_json::from_str(OAUTH_SECRETS).unwrap());
    desk.run(&["push", "--yes"]).exits(0).says("all its users are disconnected").says("1 done");
    let (before, secrets) = (desk.server.get("mine"), desk.server.state().secrets.clone());
    desk.run(&["toggle", "mine", "--to", "shared"]).exits(0);
    for arguments in [&["push", "--yes"][..], &["push", "--yes", "--lose-secrets"], &["push", "--dry-run"]] {
        desk.run(arguments).exits(1).says("takes no update of a shared connector").says_not("1 done");
        assert_eq!((desk.server.get("mine"), &desk.server.state().secrets), (before.clone(), &secrets));
    }
    assert!(desk.server.paths("POST").iter().all(|path| !path.contains("_import")));
    // Taken back, nothing is left to be sent.
    desk.run(&["undo"]).exits(0);
    desk.run(&["status"]).exits(0);
}

#[test]
fn a_shared_connector_with_an_auth_type_of_users_is_not_updated_in_vain() {
    let desk = Desk::new();
    desk.server.add("old", ".gmail", &oauth());
    desk.server.set("old", "auth_mode", json!("shared"));
    desk.run(&["pull"]).exits(0);
    desk.enter_secrets("old", &serde_json::from_str(OAUTH_SECRETS).unwrap());
    desk.update("old", |body| body["name"] = json!("Other"));
    let puts = desk.server.paths("PUT").len();
    desk.run(&["push", "--yes"]).exits(1).says("takes no update of a shared connector");
    assert_eq!(desk.server.paths("PUT").len(), puts);
    // Per-user it can be: by the import, and then the update.
    desk.run(&["toggle", "old", "--to", "per-user"]).exits(0);
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
    assert_eq!(desk.server.get("old")["auth_mode"], "per-user");
    assert_eq!(desk.server.get("old")["is_missing_secrets"], false);
}

#[test]
fn an_id_that_kibana_removes_on_import_is_never_imported_or_created() {
    let desk = Desk::new();
    for id in ["Odd_Id", "plain-id"] {
        desk.server.add(id, ".server-log", &json!({}));
    }
    desk.run(&["pull"]).exits(0);
    desk.run(&["toggle", "Odd_Id", "plain-id", "--to", "per-user"]).exits(0);
    desk.run(&["push", "--yes"]).exits(1).says("removes a connector on import").says("1 done");
    assert_eq!(desk.server.get("plain-id")["auth_mode"], "per-user");
    assert_eq!(desk.server.get("Odd_Id")["auth_mode"], "shared", "it is still there");
    // Other changes of it can be pushed, and the next pull takes nothing away here.
    desk.run(&["toggle", "Odd_Id", "--to", "shared"]).exits(0);
    desk.update("Odd_Id", |body| body["name"] = json!("Renamed"));
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
    assert_eq!(desk.server.get("Odd_Id")["name"], "Renamed");
    desk.run(&["pull"]).exits(0).says("0 deleted");
    let body = json!({"name": "New", "connector_type_id": ".server-log"}).to_string();
    desk.with_input(&["create", "--id", "New_Id", "--from", "-"], &body).exits(0);
    let posts = desk.server.paths("POST").len();
    desk.run(&["push", "--yes"]).exits(1).says("makes no connector whose id");
    assert_eq!(desk.server.paths("POST").len(), posts);
}

#[test]
fn a_removal_by_an_import_is_a_failure_and_nothing_to_be_pulled() {
    for message in [
        "Connector with ID [a] has an invalid ID and was removed. Connector IDs must contain only lowercase letters, numbers, and hyphens and be 36 characters or less.",
        "2 connectors have IDs of preconfigured connectors and were removed.",
    ] {
        let desk = Desk::new();
        desk.server.add("a", ".server-log", &json!({}));
        desk.run(&["pull"]).exits(0);
        desk.run(&["toggle", "a", "--to", "per-user"]).exits(0);
        let answer = json!({"success": true, "successCount": 1, "successResults": [], "warnings": [{"type": "simple", "message": message}]});
        desk.server.fault("POST", Fault::Body("application/json", answer.to_string().into()));
        desk.run(&["push", "--yes"]).exits(1).says("removed the connector").says("removed.");
        desk.server.state().connectors.remove("a");
        desk.run(&["status"]).exits(1).says_not("deleted in Kibana");
        desk.run(&["pull"]).says_not("1 deleted");
        desk.run(&["get", "a"]).exits(0);
    }
}

#[test]
fn an_import_whose_update_fails_says_what_is_missing_and_another_push_repairs_it() {
    let desk = Desk::new();
    desk.server.add("w", ".webhook", &basic(1));
    desk.run(&["pull"]).exits(0);
    desk.enter_secrets("w", &json!({"user": "me", "password": "hidden-7"}));
    desk.run(&["push", "--yes"]).exits(0);
    desk.run(&["toggle", "w", "--to", "per-user"]).exits(0);
    desk.server.fault("PUT", Fault::Error(400, "error validating connector type secrets: no".to_owned()));
    desk.run(&["push", "--yes"]).exits(1).says("its secrets in Kibana are gone").says("another push");
    desk.run(&["status"]).exits(1).says("secrets").says("sent and refused: update w");
    assert_eq!(desk.server.get("w")["is_missing_secrets"], true);
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
    assert_eq!(desk.server.get("w")["is_missing_secrets"], false);
    assert_eq!(desk.server.state().secrets["w"]["password"], "hidden-7");
}

#[test]
fn a_connector_that_this_file_made_without_secrets_can_be_renamed() {
    let desk = Desk::new();
    let body = json!({"name": "w", "connector_type_id": ".webhook", "config": {"hasAuth": false, "method": "post", "url": "https://hook.example"}});
    desk.with_input(&["create", "--id", "w", "--from", "-"], &body.to_string()).exits(0);
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
    desk.update("w", |body| body["name"] = json!("w2"));
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
    assert_eq!(desk.server.get("w")["name"], "w2");
    // One that somebody else made may have some, and nobody knows.
    desk.server.add("theirs", ".webhook", &json!({"hasAuth": false, "method": "post", "url": "https://hook.example"}));
    desk.run(&["pull"]).exits(0);
    desk.update("theirs", |body| body["name"] = json!("Other"));
    desk.run(&["push", "--yes"]).exits(1).says("may have secrets in Kibana");
}

#[test]
fn disconnected_users_are_counted_apart_before_a_push() {
    let desk = Desk::new();
    desk.server.add("mine", ".gmail", &oauth());
    desk.server.add("log", ".server-log", &json!({}));
    desk.run(&["pull"]).exits(0);
    desk.enter_secrets("mine", &serde_json::from_str(OAUTH_SECRETS).unwrap());
    desk.update("log", |body| body["name"] = json!("Other"));
    let plan = desk.run(&["push", "--dry-run", "--json"]).json();
    let entries = plan["connectors"].as_array().or(plan["entries"].as_array()).cloned().unwrap_or_default();
    let disconnected = entries.iter().filter(|entry| entry["disconnects_users"] == true).count();
    assert_eq!(disconnected, 1, "{plan}");
}

#[test]
fn an_id_that_leads_to_another_address_is_in_no_request() {
    let desk = Desk::new();
    for id in [".", "..", " "] {
        let body = json!({"id": id, "name": "New", "connector_type_id": ".server-log"}).to_string();
        desk.with_input(&["create", "--from", "-"], &body);
    }
    desk.run(&["push", "--yes"]).exits(1).says("cannot stand in an address of Kibana's API");
    let params = desk.place.write("p.json", "{}");
    desk.run(&["test", "..", "--yes", "--params", params.to_str().unwrap()])
        .exits(2)
        .says("cannot stand in an address");
    for method in ["GET", "POST", "PUT", "DELETE"] {
        assert!(desk.server.paths(method).iter().all(|path| !path.contains("/actions/connector/")), "{method}");
    }
}
