//! The screen of a remote: push, pull, conflicts, and test runs.

use serde_json::json;

use crate::env::{Env, basic};
use crate::server::API_KEY;
use crate::support::App;

/// A env whose file is opened on the screen: its keys lie where the screen's tests have them.
fn env() -> Env {
    let env = Env::new();
    let keys = connector_admin::demo::keys_of(&env.file).key_file;
    std::fs::remove_file(env.dir.path("keys")).unwrap();
    std::fs::create_dir_all(keys.parent().unwrap()).unwrap();
    let login = |env: &Env| {
        let mut command = env.command(&["remote", "login"]);
        command.env("CONNECTOR_ADMIN_KEY_FILE", &keys).stdin(std::process::Stdio::piped());
        let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), API_KEY.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    };
    login(&env);
    for n in 0..3 {
        env.server.add(&format!("w{n}"), ".server-log", &json!({}));
    }
    env.server.add("hook", ".webhook", &basic(1));
    env.server.add("fixed", ".slack", &json!({}));
    env.server.set("fixed", "is_preconfigured", json!(true));
    env
}

#[test]
fn pull_toggle_push_from_the_keyboard() {
    let env = env();
    let mut app = App::open(&env.file, 120, 40);
    app.expect("remote prod").act("sync").expect("Not fetched yet");
    app.act("pull").expect("Pulled: 4 new").expect("read-only 1").expect("in sync 4");
    app.expect("preconfigured in kibana.yml");
    // Toggled in the list, shown on both screens, pushed after a confirmation.
    app.act("back top down toggle-mode").expect("not pushed");
    app.act("sync").expect("to push 1").expect("auth mode (changed locally)").expect("by the saved-object import");
    app.act("push").expect("Send 1 connector to").expect("which sets the auth mode").act("right confirm");
    app.expect("Pushed 1 connector").expect("in sync 4");
    let modes: Vec<_> = (0..3).map(|n| env.server.get(&format!("w{n}"))["auth_mode"].clone()).collect();
    assert_eq!(modes.iter().filter(|mode| *mode == "per-user").count(), 1, "{modes:?}");
    app.act("back")
        .expect_not("not pushed")
        .act("history")
        .expect("push")
        .act("open")
        .expect("import (auth mode): done")
        .act("revert")
        .expect("sent to Kibana; the file did not change");
}

#[test]
fn losing_secrets_is_blocked_until_allowed() {
    let env = env();
    let mut app = App::open(&env.file, 100, 30);
    app.act("sync pull back filter")
        .type_text("hook")
        .act("confirm toggle-mode sync")
        .expect("blocked 1")
        .expect("which never returns them");
    app.act("push").expect("Nothing to push");
    app.act("allow-loss").expect("loss of secrets allowed").expect("to push 1");
    app.act("push").expect("The secrets of 1 connector are LOST in Kibana").act("right confirm").expect("Pushed 1");
    assert_eq!(env.server.get("hook")["is_missing_secrets"], true);
}

#[test]
fn conflict_is_resolved_with_both_sides_shown() {
    let env = env();
    let mut app = App::open(&env.file, 100, 30);
    app.act("sync pull back filter").type_text("w0").act("confirm toggle-mode");
    env.server.set("w0", "auth_mode", json!("per-user"));
    env.server.set("w0", "name", json!("Theirs"));
    // The same mode on both sides is no conflict; the name is to be pulled.
    app.act("sync fetch").expect("to pull 1").act("pull").expect("1 changed").expect("in sync 4");
    app.act("back toggle-mode");
    env.server.set("w0", "auth_mode", json!("shared"));
    env.server.set("w1", "name", json!("Newer"));
    app.act("sync fetch").expect("in sync 3").expect("to pull 1");
    app.act("pull").expect("in sync 4");
    crate::support::execute(&env.file, "UPDATE connectors SET name = 'Mine' WHERE id = 'w2'");
    env.server.set("w2", "name", json!("Theirs too"));
    app.act("fetch top").expect("conflict 1").expect("remote  Theirs too").expect("local   Mine");
    app.act("push").expect("Nothing to push");
    app.act("use-remote").expect("Use remote").act("right confirm").expect("replaced by Kibana's").expect("in sync 4");
}

#[test]
fn enter_shows_all_differences_at_any_size() {
    let env = env();
    let mut app = App::open(&env.file, 100, 30);
    app.act("sync pull");
    crate::support::execute(&env.file, "UPDATE connectors SET name = 'Mine' WHERE id = 'w2'");
    env.server.set("w2", "name", json!("Theirs"));
    app.act("fetch top").expect("conflict 1");
    app.resize(40, 10).act("open").expect("name (changed on both sides)").expect("base    Name of w2");
    app.act("page-down").expect("remote  Theirs").act("page-down").expect("local   Mine");
    app.act("confirm").expect("P push").expect_not("Theirs");
    // Resolved for the local side, and undone.
    app.resize(100, 30).act("keep-local").expect("u to undo").act("right confirm").expect("to push 1");
    app.act("undo").expect("Undid resolve").expect("conflict 1");
    app.act("use-remote right confirm").expect("in sync 4").act("undo").expect("conflict 1");
    app.act("top open").expect("The connector").act("right confirm").expect("Mine").expect("server-log");
}

#[test]
fn unusual_counts_are_never_truncated() {
    let env = env();
    let mut app = App::open(&env.file, 80, 24);
    app.act("sync pull allow-delete allow-loss").expect("deletes allowed · loss of secrets allowed · prod: http");
    app.act("next-group").expect("only read-only (g)").expect("read-only 1, in sync 4");
}

#[test]
fn pull_that_deletes_most_needs_confirmation() {
    let env = env();
    for n in 3..6 {
        env.server.add(&format!("w{n}"), ".server-log", &json!({}));
    }
    let mut app = App::open(&env.file, 100, 30);
    app.act("sync pull").expect("in sync 7");
    env.server.state().connectors.retain(|id, _| id == "fixed" || id == "w0");
    app.act("pull").expect("Most connectors are missing in Kibana").act("confirm").expect("to pull 6");
    // One can be kept or deleted alone.
    app.act("top keep-local").expect("Keep local").act("right confirm").expect("to pull 5").expect("1, to pull");
    app.act("bottom up use-remote").expect("is deleted in the file").act("right confirm").expect("to pull 4");
    app.act("pull right confirm").expect("4 deleted");
}

#[test]
fn unreachable_server_is_reported_and_nothing_is_lost() {
    let env = env();
    let mut app = App::open(&env.file, 80, 24);
    for _ in 0..4 {
        env.server.fault("GET", crate::server::Fault::Status(403));
    }
    app.act("sync pull").expect("The privilege").act("confirm").expect("Not fetched yet");
}

#[test]
fn test_run_is_confirmed_twice() {
    let env = env();
    let mut app = App::open(&env.file, 80, 24);
    app.act("sync pull back top filter")
        .type_text("w0")
        .act("confirm execute")
        .expect("Have Kibana run")
        .expect("This is a test");
    app.act("confirm").expect("FOR REAL").act("confirm");
    assert!(env.server.state().runs.is_empty());
    app.act("execute confirm right confirm").expect("It ran").expect("it worked");
    assert_eq!(env.server.state().runs.len(), 1);
}

#[test]
fn screen_without_remote_explains_how_to_add_one() {
    let dir = crate::support::TestDir::new();
    let mut app = App::open(&dir.demo(), 80, 24);
    app.act("back sync").expect("connector-admin remote add").act("push").expect("This file has no remote");
    for (width, height) in [(40, 10), (120, 40), (30, 8)] {
        app.resize(width, height).screen();
    }
}

#[test]
fn reported_type_is_shown_by_its_name() {
    let env = env();
    env.server.add("pager", ".acme-pager", &json!({"room": "ops"}));
    env.server.state().types = vec![
        (".acme-pager", "Acme Pager \u{202e}Pro"),
        (".webhook", "Another name for webhooks"),
        (".unused", "Not used"),
    ];
    let mut app = App::open(&env.file, 120, 40);
    app.act("sync pull back").expect("Acme Pager \\u").expect("Webhook").expect_not("Another name");
    app.act("filter").type_text("type:\"acme pager\"").act("confirm").expect("1 of 1").act("open");
    app.expect(".acme-pager, not in the catalogue").act("back back overview").expect("Acme Pager");
    // Also available without Kibana, and without the privilege to read the types.
    drop(app);
    App::open(&env.file, 120, 40).expect("Acme Pager \\u");
    env.server.state().refuses_types = true;
    let mut app = App::open(&env.file, 120, 40);
    app.act("sync fetch").expect("in sync 5").act("back").expect("Acme Pager \\u");
    assert_eq!(crate::support::rows(&env.file, "SELECT count(*) FROM remote_types").concat(), "Integer(3)");
}
