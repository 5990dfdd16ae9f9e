//! The whole way: pull, toggle ten connectors, diff, push, status clean.

use serde_json::json;

use crate::env::{Env, basic};
use crate::support::rows;

#[test]
fn pull_toggle_diff_push_ends_in_sync() {
    let env = Env::new();
    for n in 0..12 {
        env.server.add(&format!("w{n:02}"), ".webhook", &basic(n));
    }
    env.server.add("log", ".server-log", &json!({}));
    env.server.add("fixed", ".slack", &json!({}));
    env.server.set("fixed", "is_preconfigured", json!(true));
    env.run(&["pull"]).exit_code(0).contains("13 new, 0 changed, 0 deleted").contains("1 managed by Kibana");
    env.run(&["status"]).exit_code(0).contains("Nothing to push").contains("preconfigured in kibana.yml");
    env.run(&["pull"]).exit_code(0).contains("0 new, 0 changed, 0 deleted");

    // Nine have secrets, which are entered; the tenth needs none.
    let ids: Vec<String> = (0..9).map(|n| format!("w{n:02}")).chain(["log".to_owned()]).collect();
    for id in ids.iter().filter(|id| id.starts_with('w')) {
        env.enter_secrets(id, &json!({"user": "me", "password": format!("hunter2-{id}")}));
    }
    let mut toggle = vec!["toggle"];
    toggle.extend(ids.iter().map(String::as_str));
    toggle.extend(["--to", "per-user"]);
    env.run(&toggle).exit_code(0);

    let diff = env
        .run(&["diff"])
        .exit_code(1)
        .contains("auth mode (changed locally)")
        .contains("10 connectors with differences");
    assert!(!diff.out.contains("hunter2"), "{}", diff.out);
    let plan = env.run(&["push", "--dry-run", "--json"]).exit_code(0).json();
    for entry in plan["connectors"].as_array().unwrap().iter().filter(|entry| entry["group"] == "to push") {
        assert_eq!(
            (&entry["auth_mode_after"], &entry["requests"][0]),
            (&json!("per-user"), &json!("import")),
            "{entry}"
        );
        assert!(entry["auth_mode_carried_by"].as_str().unwrap().contains("saved-object import"), "{entry}");
    }
    assert!(env.server.paths("POST").is_empty(), "a plan sends nothing");

    // Without a terminal and --yes nothing leaves either.
    env.run(&["push"]).exit_code(2).contains("nothing was sent");
    assert!(env.server.paths("POST").is_empty());
    env.run(&["push", "--yes"]).exit_code(0).contains("10 done, 0 not, 0 left").lacks("hunter2");
    env.run(&["status"]).exit_code(0).contains("13 in sync").contains("Nothing to push or pull");
    for id in &ids {
        let one = env.server.get(id);
        assert_eq!((&one["auth_mode"], &one["is_missing_secrets"]), (&json!("per-user"), &json!(false)), "{one}");
    }
    assert_eq!(env.server.state().secrets["w03"], json!({"user": "me", "password": "hunter2-w03"}));
    assert_eq!(env.server.get("w10")["auth_mode"], "shared");

    // The push is in the history but cannot be undone, and earlier steps still can.
    env.run(&["history"]).exit_code(0).contains("push");
    let step = rows(&env.file, "SELECT step FROM history WHERE kind = 'push'").concat();
    let step = step.trim_start_matches("Integer(").trim_end_matches(')');
    env.run(&["history", step]).exit_code(0).contains("import (auth mode): done; update (secrets): done");
    env.run(&["undo", step]).exit_code(2).contains("is a push, which changed Kibana, not the file");
    env.run(&["undo"]).exit_code(0);
    env.run(&["status"]).exit_code(1).contains("to push (10)");
    env.run(&["redo"]).exit_code(0);
    env.run(&["status"]).exit_code(0);
}

#[test]
fn local_creates_changes_and_deletes_are_pushed() {
    let env = Env::new();
    env.server.add("old", ".index", &json!({"index": "logs", "refresh": false, "executionTimeField": null}));
    env.server.add("gone", ".index", &json!({"index": "gone", "refresh": true, "executionTimeField": null}));
    env.server.set("gone", "referenced_by_count", json!(3));
    env.run(&["pull"]).exit_code(0);
    env.update("old", |body| {
        body["name"] = json!("Renamed");
        body["config"]["index"] = json!("other");
    });
    env.run(&["delete", "gone"]).exit_code(0);
    let create = json!({"connector_type_id": ".index", "name": "New", "config": {"index": "n"}});
    env.with_input(&["create", "--id", "new/one", "--from", "-"], &create.to_string()).exit_code(0);
    let fresh = json!({"connector_type_id": ".index", "name": "New", "config": {"index": "n"}});
    env.with_input(&["create", "--id", "new-one", "--from", "-"], &fresh.to_string()).exit_code(0);
    env.run(&["push", "--dry-run"])
        .exit_code(1)
        .contains("its id cannot be part of a URL")
        .contains("deletes in Kibana only with --delete")
        .contains("by the create, which infers it from the auth type");
    env.run(&["delete", "new/one"]).exit_code(0);
    env.run(&["push", "--delete", "--dry-run"]).exit_code(0).contains("3 rules or others use it in Kibana");
    env.run(&["push", "--delete", "--yes"])
        .exit_code(0)
        .contains("3 done, 0 not, 0 left")
        .contains("pulled into the file, for 1 connector");
    assert_eq!(env.server.get("old")["config"]["index"], "other");
    assert_eq!(env.server.get("new-one")["config"], json!({"index": "n", "refresh": false}));
    assert!(env.server.get("gone").is_null());
    env.run(&["status"]).exit_code(0).contains("2 in sync");
    // Values that Kibana added are in the file.
    assert_eq!(env.run(&["get", "new-one", "--json"]).json()["config"], json!({"index": "n", "refresh": false}));
}

#[test]
fn older_kibana_gets_no_mode_and_the_plan_notes_it() {
    let env = Env::new();
    {
        let mut state = env.server.state();
        (state.version, state.knows_modes) = ("8.19.3".to_owned(), false);
    }
    env.server.add("w", ".webhook", &basic(1));
    env.run(&["pull"]).exit_code(0);
    // Without modes they are connectors of before model version 2: the migration is due.
    let plan = env.run(&["migrate", "--dry-run", "--json"]).json();
    assert_eq!((&plan["backfill"], &plan["blocked"]), (&json!(1), &json!(0)), "{plan}");
    env.run(&["migrate", "--apply"]).exit_code(0);
    env.run(&["status"]).exit_code(0).contains("does not know auth modes");
    env.enter_secrets("w", &json!({"user": "me", "password": "hunter2"}));
    env.run(&["toggle", "w"]).exit_code(0);
    env.run(&["push", "--yes"])
        .exit_code(0)
        .contains("this Kibana does not know auth modes: per-user stays in the file only");
    assert_eq!(env.server.paths("PUT"), ["/api/actions/connector/w"]);
    env.run(&["status"]).exit_code(0);
}

#[test]
fn spaces_base_paths_and_unusual_ids_work() {
    let env = Env::new();
    env.server.state().prefix = "/base/s/team-1".to_owned();
    env.server.add("ä b?#%", ".server-log", &json!({}));
    let url = format!("{}/base/", env.server.url());
    env.run(&["remote", "add", "team", &url, "--space", "team-1"]).exit_code(0);
    env.with_input(&["remote", "login", "team"], "id:top-secret-key").exit_code(0);
    env.run(&["remote", "use", "team"]).exit_code(0);
    env.run(&["pull"]).exit_code(0).contains("1 new");
    env.update("ä b?#%", |body| body["name"] = json!("Renamed"));
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
    env.run(&["status"]).exit_code(0).contains("space team-1");
    env.run(&["status", "--remote", "prod"]).exit_code(2).contains("refused (404)");
}

#[test]
fn test_runs_only_after_confirmation() {
    let env = Env::new();
    for id in ["log", "broken", "jira"] {
        let type_id = if id == "jira" { ".jira" } else { ".server-log" };
        env.server.add(id, type_id, &json!({}));
    }
    env.run(&["pull"]).exit_code(0);
    env.run(&["test", "log"]).exit_code(2).contains("FOR REAL").contains("no terminal to confirm on");
    assert!(env.server.state().runs.is_empty());
    env.run(&["test", "log", "--yes"]).exit_code(0).contains("ok: it worked");
    env.run(&["test", "broken", "--yes"]).exit_code(1).contains("failed: it failed: no route");
    env.run(&["test", "jira", "--yes"]).exit_code(2).contains("give them as JSON");
    env.with_input(&["test", "jira", "--yes", "--params", "-"], r#"{"subAction":"getFields"}"#).exit_code(0);
    env.run(&["test", "nowhere", "--yes", "--params", "/dev/null"]).exit_code(2);
    let runs = env.server.state().runs.clone();
    assert_eq!(runs.last(), Some(&("jira".to_owned(), json!({"subAction": "getFields"}))));
    assert_eq!(runs.len(), 3);
}
