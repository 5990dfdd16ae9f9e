//! The whole way: pull, toggle ten connectors, diff, push, status clean.

use serde_json::json;

use crate::desk::{Desk, basic};
use crate::support::rows;

#[test]
fn pull_toggle_ten_diff_push_status_clean() {
    let desk = Desk::new();
    for n in 0..12 {
        desk.server.add(&format!("w{n:02}"), ".webhook", &basic(n));
    }
    desk.server.add("log", ".server-log", &json!({}));
    desk.server.add("fixed", ".slack", &json!({}));
    desk.server.set("fixed", "is_preconfigured", json!(true));
    desk.run(&["pull"]).exits(0).says("13 new, 0 changed, 0 deleted").says("1 of Kibana's own");
    desk.run(&["status"]).exits(0).says("nothing to send").says("preconfigured in kibana.yml");
    desk.run(&["pull"]).exits(0).says("0 new, 0 changed, 0 deleted");

    // Nine have secrets, which are entered here; the tenth needs none.
    let ids: Vec<String> = (0..9).map(|n| format!("w{n:02}")).chain(["log".to_owned()]).collect();
    for id in ids.iter().filter(|id| id.starts_with('w')) {
        desk.enter_secrets(id, &json!({"user": "me", "password": format!("hunter2-{id}")}));
    }
    let mut toggle = vec!["toggle"];
    toggle.extend(ids.iter().map(String::as_str));
    toggle.extend(["--to", "per-user"]);
    desk.run(&toggle).exits(0);

    let diff = desk.run(&["diff"]).exits(1).says("auth mode (changed here)").says("10 connectors with differences");
    assert!(!diff.out.contains("hunter2"), "{}", diff.out);
    let plan = desk.run(&["push", "--dry-run", "--json"]).exits(0).json();
    for entry in plan["connectors"].as_array().unwrap().iter().filter(|entry| entry["group"] == "to send") {
        assert_eq!(
            (&entry["auth_mode_after"], &entry["requests"][0]),
            (&json!("per-user"), &json!("import")),
            "{entry}"
        );
        assert!(entry["auth_mode_carried_by"].as_str().unwrap().contains("saved-object import"), "{entry}");
    }
    assert!(desk.server.paths("POST").is_empty(), "a plan sends nothing");

    // Without a terminal and --yes nothing leaves either.
    desk.run(&["push"]).exits(2).says("nothing was sent");
    assert!(desk.server.paths("POST").is_empty());
    desk.run(&["push", "--yes"]).exits(0).says("10 done, 0 not, 0 left").says_not("hunter2");
    desk.run(&["status"]).exits(0).says("13 in step").says("nothing to send, nothing to take");
    for id in &ids {
        let one = desk.server.get(id);
        assert_eq!((&one["auth_mode"], &one["is_missing_secrets"]), (&json!("per-user"), &json!(false)), "{one}");
    }
    assert_eq!(desk.server.state().secrets["w03"], json!({"user": "me", "password": "hunter2-w03"}));
    assert_eq!(desk.server.get("w10")["auth_mode"], "shared");

    // The push is in the history, is no step of undo, and what came before it can still be taken back here.
    desk.run(&["history"]).exits(0).says("push");
    let step = rows(&desk.file, "SELECT step FROM history WHERE kind = 'push'").concat();
    let step = step.trim_start_matches("Integer(").trim_end_matches(')');
    desk.run(&["history", step]).exits(0).says("import (auth mode): done; update (secrets): done");
    desk.run(&["undo", step]).exits(2).says("is a push, which changed Kibana and not the file");
    desk.run(&["undo"]).exits(0);
    desk.run(&["status"]).exits(1).says("to send (10)");
    desk.run(&["redo"]).exits(0);
    desk.run(&["status"]).exits(0);
}

#[test]
fn what_is_new_changed_and_deleted_here_goes_there() {
    let desk = Desk::new();
    desk.server.add("old", ".index", &json!({"index": "logs", "refresh": false, "executionTimeField": null}));
    desk.server.add("gone", ".index", &json!({"index": "gone", "refresh": true, "executionTimeField": null}));
    desk.server.set("gone", "referenced_by_count", json!(3));
    desk.run(&["pull"]).exits(0);
    desk.update("old", |body| {
        body["name"] = json!("Renamed");
        body["config"]["index"] = json!("other");
    });
    desk.run(&["delete", "gone"]).exits(0);
    let create = json!({"connector_type_id": ".index", "name": "New", "config": {"index": "n"}});
    desk.with_input(&["create", "--id", "new/one", "--from", "-"], &create.to_string()).exits(0);
    let fresh = json!({"connector_type_id": ".index", "name": "New", "config": {"index": "n"}});
    desk.with_input(&["create", "--id", "new-one", "--from", "-"], &fresh.to_string()).exits(0);
    desk.run(&["push", "--dry-run"])
        .exits(1)
        .says("its id cannot stand in an address")
        .says("deletes in Kibana only when asked to (--delete, or “allow deletes” on the screen)")
        .says("by the create, which infers it from the auth type");
    desk.run(&["delete", "new/one"]).exits(0);
    desk.run(&["push", "--delete", "--dry-run"]).exits(0).says("3 rules or others use it in Kibana");
    desk.run(&["push", "--delete", "--yes"])
        .exits(0)
        .says("3 done, 0 not, 0 left")
        .says("taken into the file, for 1 connector");
    assert_eq!(desk.server.get("old")["config"]["index"], "other");
    assert_eq!(desk.server.get("new-one")["config"], json!({"index": "n", "refresh": false}));
    assert!(desk.server.get("gone").is_null());
    desk.run(&["status"]).exits(0).says("2 in step");
    // What Kibana filled in is in the file.
    assert_eq!(desk.run(&["get", "new-one", "--json"]).json()["config"], json!({"index": "n", "refresh": false}));
}

#[test]
fn an_older_kibana_keeps_no_mode_and_the_plan_says_so() {
    let desk = Desk::new();
    {
        let mut state = desk.server.state();
        (state.version, state.knows_modes) = ("8.19.3".to_owned(), false);
    }
    desk.server.add("w", ".webhook", &basic(1));
    desk.run(&["pull"]).exits(0);
    // Without modes they are connectors of before model version 2: the migration is due.
    let plan = desk.run(&["migrate", "--dry-run", "--json"]).json();
    assert_eq!((&plan["backfill"], &plan["blocked"]), (&json!(1), &json!(0)), "{plan}");
    desk.run(&["migrate", "--apply"]).exits(0);
    desk.run(&["status"]).exits(0).says("does not know auth modes");
    desk.enter_secrets("w", &json!({"user": "me", "password": "hunter2"}));
    desk.run(&["toggle", "w"]).exits(0);
    desk.run(&["push", "--yes"]).exits(0).says("this Kibana does not know auth modes: per-user stays in the file only");
    assert_eq!(desk.server.paths("PUT"), ["/api/actions/connector/w"]);
    desk.run(&["status"]).exits(0);
}

#[test]
fn spaces_base_paths_and_odd_ids() {
    let desk = Desk::new();
    desk.server.state().prefix = "/base/s/team-1".to_owned();
    desk.server.add("ä b?#%", ".server-log", &json!({}));
    let url = format!("{}/base/", desk.server.url());
    desk.run(&["remote", "add", "team", &url, "--space", "team-1"]).exits(0);
    desk.with_input(&["remote", "login", "team"], "id:top-secret-key").exits(0);
    desk.run(&["remote", "use", "team"]).exits(0);
    desk.run(&["pull"]).exits(0).says("1 new");
    desk.update("ä b?#%", |body| body["name"] = json!("Renamed"));
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
    desk.run(&["status"]).exits(0).says("space team-1");
    desk.run(&["status", "--remote", "prod"]).exits(2).says("refused (404)");
}

#[test]
fn a_connector_is_run_for_real_only_when_that_is_wanted() {
    let desk = Desk::new();
    for id in ["log", "broken", "jira"] {
        let type_id = if id == "jira" { ".jira" } else { ".server-log" };
        desk.server.add(id, type_id, &json!({}));
    }
    desk.run(&["pull"]).exits(0);
    desk.run(&["test", "log"]).exits(2).says("FOR REAL").says("there is no terminal to ask on");
    assert!(desk.server.state().runs.is_empty());
    desk.run(&["test", "log", "--yes"]).exits(0).says("ok: it worked");
    desk.run(&["test", "broken", "--yes"]).exits(1).says("failed: it failed: no route");
    desk.run(&["test", "jira", "--yes"]).exits(2).says("give its params as JSON");
    desk.with_input(&["test", "jira", "--yes", "--params", "-"], r#"{"subAction":"getFields"}"#).exits(0);
    desk.run(&["test", "nowhere", "--yes", "--params", "/dev/null"]).exits(2);
    let runs = desk.server.state().runs.clone();
    assert_eq!(runs.last(), Some(&("jira".to_owned(), json!({"subAction": "getFields"}))));
    assert_eq!(runs.len(), 3);
}
