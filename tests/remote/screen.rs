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
    app.expect("remote prod").press("K").expect("Not fetched yet");
    app.press("p").expect("pulled: 4 new").expect("read-only 1").expect("in sync 4");
    app.expect("preconfigured in kibana.yml");
    // Toggled in the list, shown on both screens, pushed after a confirmation.
    app.press("Esc Home Down t").expect("not pushed");
    app.press("K").expect("to push 1").expect("auth mode (changed locally)").expect("by the saved-object import");
    app.press("P").expect("Send 1 connector to").expect("which sets the auth mode").press("Right Enter");
    app.expect("pushed 1 connector").expect("in sync 4");
    let modes: Vec<_> = (0..3).map(|n| env.server.get(&format!("w{n}"))["auth_mode"].clone()).collect();
    assert_eq!(modes.iter().filter(|mode| *mode == "per-user").count(), 1, "{modes:?}");
    app.press("Esc")
        .expect_not("not pushed")
        .press("H")
        .expect("push")
        .press("Enter")
        .expect("import (auth mode): done")
        .press("U")
        .expect("sent to Kibana; the file did not change");
}

#[test]
fn losing_secrets_is_blocked_until_allowed() {
    let env = env();
    let mut app = App::open(&env.file, 100, 30);
    app.press("K p Esc / h o o k Enter t K").expect("blocked 1").expect("Kibana only, which never returns them");
    app.press("P").expect("nothing to push");
    app.press("L").expect("loss of secrets allowed").expect("to push 1");
    app.press("P").expect("The secrets of 1 connector are LOST in Kibana").press("Right Enter").expect("pushed 1");
    assert_eq!(env.server.get("hook")["is_missing_secrets"], true);
}

#[test]
fn conflict_is_resolved_with_both_sides_shown() {
    let env = env();
    let mut app = App::open(&env.file, 100, 30);
    app.press("K p Esc / w 0 Enter t");
    env.server.set("w0", "auth_mode", json!("per-user"));
    env.server.set("w0", "name", json!("Theirs"));
    // The same mode on both sides is no conflict; the name is to be pulled.
    app.press("K f").expect("to pull 1").press("p").expect("1 changed").expect("in sync 4");
    app.press("Esc t");
    env.server.set("w0", "auth_mode", json!("shared"));
    env.server.set("w1", "name", json!("Newer"));
    app.press("K f").expect("in sync 3").expect("to pull 1");
    app.press("p").expect("in sync 4");
    crate::support::execute(&env.file, "UPDATE connectors SET name = 'Mine' WHERE id = 'w2'");
    env.server.set("w2", "name", json!("Theirs too"));
    app.press("f Home").expect("conflict 1").expect("remote  Theirs too").expect("local   Mine");
    app.press("P").expect("nothing to push");
    app.press("t").expect("Take Kibana's").press("Right Enter").expect("replaced by Kibana's").expect("in sync 4");
}

#[test]
fn enter_shows_all_differences_at_any_size() {
    let env = env();
    let mut app = App::open(&env.file, 100, 30);
    app.press("K p");
    crate::support::execute(&env.file, "UPDATE connectors SET name = 'Mine' WHERE id = 'w2'");
    env.server.set("w2", "name", json!("Theirs"));
    app.press("f Home").expect("conflict 1");
    app.resize(40, 10).press("Enter").expect("name (changed on both sides)").expect("base    Name of w2");
    app.press("PgDn").expect("remote  Theirs").press("PgDn").expect("local   Mine");
    app.press("Enter").expect("P push").expect_not("Theirs");
    // Resolved for the local side, and undone.
    app.resize(100, 30).press("h").expect("u to undo").press("Right Enter").expect("to push 1");
    app.press("u").expect("Undid resolve").expect("conflict 1");
    app.press("t Right Enter").expect("in sync 4").press("u").expect("conflict 1");
    app.press("Home Enter").expect("The connector").press("Right Enter").expect("Mine").expect("server-log");
}

#[test]
fn unusual_counts_are_never_truncated() {
    let env = env();
    let mut app = App::open(&env.file, 80, 24);
    app.press("K p d L").expect("deletes allowed · loss of secrets allowed · prod: http");
    app.press("g").expect("only read-only (g)").expect("read-only 1, in sync 4");
}

#[test]
fn pull_that_deletes_most_needs_confirmation() {
    let env = env();
    for n in 3..6 {
        env.server.add(&format!("w{n}"), ".server-log", &json!({}));
    }
    let mut app = App::open(&env.file, 100, 30);
    app.press("K p").expect("in sync 7");
    env.server.state().connectors.retain(|id, _| id == "fixed" || id == "w0");
    app.press("p").expect("Most connectors are missing in Kibana").press("Enter").expect("to pull 6");
    // One can be kept or deleted alone.
    app.press("Home h").expect("Take this file's").press("Right Enter").expect("to pull 5").expect("1, to pull");
    app.press("End Up t").expect("is deleted in the file").press("Right Enter").expect("to pull 4");
    app.press("p Right Enter").expect("4 deleted");
}

#[test]
fn unreachable_server_is_reported_and_nothing_is_lost() {
    let env = env();
    let mut app = App::open(&env.file, 80, 24);
    for _ in 0..4 {
        env.server.fault("GET", crate::server::Fault::Status(403));
    }
    app.press("K p").expect("The privilege").press("Enter").expect("Not fetched yet");
}

#[test]
fn test_run_is_confirmed_twice() {
    let env = env();
    let mut app = App::open(&env.file, 80, 24);
    app.press("K p Esc Home / w 0 Enter !").expect("Have Kibana run").expect("This is a test");
    app.press("Enter").expect("FOR REAL").press("Enter");
    assert!(env.server.state().runs.is_empty());
    app.press("! Enter Right Enter").expect("It ran").expect("it worked");
    assert_eq!(env.server.state().runs.len(), 1);
}

#[test]
fn screen_without_remote_explains_how_to_add_one() {
    let dir = crate::support::TestDir::new();
    let mut app = App::open(&dir.demo(), 80, 24);
    app.press("Esc K").expect("connector-admin remote add").press("P").expect("this file has no remote");
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
    app.press("K p Esc").expect("Acme Pager \\u").expect("Webhook").expect_not("Another name");
    app.press("/").type_text("type:\"acme pager\"").press("Enter").expect("1 of 1").press("Enter");
    app.expect(".acme-pager, not in the catalogue").press("Esc Esc D").expect("Acme Pager");
    // Also available without Kibana, and without the privilege to read the types.
    drop(app);
    App::open(&env.file, 120, 40).expect("Acme Pager \\u");
    env.server.state().refuses_types = true;
    let mut app = App::open(&env.file, 120, 40);
    app.press("K f").expect("in sync 5").press("Esc").expect("Acme Pager \\u");
    assert_eq!(crate::support::rows(&env.file, "SELECT count(*) FROM remote_types").concat(), "Integer(3)");
}
