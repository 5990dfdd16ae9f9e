//! The Sync screen: what is to be sent, sending it, what newer Kibana has, conflicts, and running a connector.

use serde_json::json;

use crate::desk::{Desk, basic};
use crate::server::API_KEY;
use crate::support::App;

/// A desk whose file is opened on the screen: its keys lie where the screen's tests have them.
fn desk() -> Desk {
    let desk = Desk::new();
    let keys = connector_admin::demo::keys_of(&desk.file).key_file;
    std::fs::remove_file(desk.place.path("keys")).unwrap();
    std::fs::create_dir_all(keys.parent().unwrap()).unwrap();
    let login = |desk: &Desk| {
        let mut command = desk.command(&["remote", "login"]);
        command.env("CONNECTOR_ADMIN_KEY_FILE", &keys).stdin(std::process::Stdio::piped());
        let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), API_KEY.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    };
    login(&desk);
    for n in 0..3 {
        desk.server.add(&format!("w{n}"), ".server-log", &json!({}));
    }
    desk.server.add("hook", ".webhook", &basic(1));
    desk.server.add("fixed", ".slack", &json!({}));
    desk.server.set("fixed", "is_preconfigured", json!(true));
    desk
}

#[test]
fn pull_toggle_push_from_the_keyboard() {
    let desk = desk();
    let mut app = App::open(&desk.file, 120, 40);
    app.expect("remote prod").press("K").expect("was not asked yet");
    app.press("p").expect("pulled: 4 new").expect("read-only 1").expect("in step 4");
    app.expect("preconfigured in kibana.yml");
    // Toggled in the list, seen there and here, sent after a question.
    app.press("Esc Home Down t").expect("not pushed");
    app.press("K").expect("to send 1").expect("auth mode (changed here)").expect("by the saved-object import");
    app.press("P").expect("Send 1 connector to").expect("which sets the auth mode").press("Right Enter");
    app.expect("pushed 1 connector").expect("in step 4");
    let modes: Vec<_> = (0..3).map(|n| desk.server.get(&format!("w{n}"))["auth_mode"].clone()).collect();
    assert_eq!(modes.iter().filter(|mode| *mode == "per-user").count(), 1, "{modes:?}");
    app.press("Esc")
        .expect_not("not pushed")
        .press("H")
        .expect("push")
        .press("Enter")
        .expect("import (auth mode): done")
        .press("U")
        .expect("a push changed Kibana and not the file");
}

#[test]
fn what_would_lose_secrets_is_blocked_until_it_is_allowed() {
    let desk = desk();
    let mut app = App::open(&desk.file, 100, 30);
    app.press("K p Esc / h o o k Enter t K").expect("blocked 1").expect("Kibana only, which never tells them");
    app.press("P").expect("there is nothing to send");
    app.press("L").expect("loss of secrets allowed").expect("to send 1");
    app.press("P").expect("The secrets of 1 connector are LOST in Kibana").press("Right Enter").expect("pushed 1");
    assert_eq!(desk.server.get("hook")["is_missing_secrets"], true);
}

#[test]
fn a_conflict_is_decided_with_both_sides_in_view() {
    let desk = desk();
    let mut app = App::open(&desk.file, 100, 30);
    app.press("K p Esc / w 0 Enter t");
    desk.server.set("w0", "auth_mode", json!("per-user"));
    desk.server.set("w0", "name", json!("Theirs"));
    // Both to the same mode is no conflict; the name is to be taken.
    app.press("K f").expect("to take 1").press("p").expect("1 changed").expect("in step 4");
    app.press("Esc t");
    desk.server.set("w0", "auth_mode", json!("shared"));
    desk.server.set("w1", "name", json!("Newer"));
    app.press("K f").expect("in step 3").expect("to take 1");
    app.press("p").expect("in step 4");
    crate::support::execute(&desk.file, "UPDATE connectors SET name = 'Mine' WHERE id = 'w2'");
    desk.server.set("w2", "name", json!("Theirs too"));
    app.press("f Home").expect("conflict 1").expect("there  Theirs too").expect("here   Mine");
    app.press("P").expect("there is nothing to send");
    app.press("t").expect("Take Kibana's").press("Right Enter").expect("as in Kibana").expect("in step 4");
}

#[test]
fn all_that_differs_is_behind_enter_at_any_size() {
    let desk = desk();
    let mut app = App::open(&desk.file, 100, 30);
    app.press("K p");
    crate::support::execute(&desk.file, "UPDATE connectors SET name = 'Mine' WHERE id = 'w2'");
    desk.server.set("w2", "name", json!("Theirs"));
    app.press("f Home").expect("conflict 1");
    app.resize(40, 10).press("Enter").expect("name (changed on both sides)").expect("base   Name of w2");
    app.press("PgDn").expect("there  Theirs").press("PgDn").expect("here   Mine");
    app.press("Enter").expect("P push").expect_not("Theirs");
    // Decided for this file, and taken back.
    app.resize(100, 30).press("h").expect("u takes it back").press("Right Enter").expect("to send 1");
    app.press("u").expect("undone: resolve").expect("conflict 1");
    app.press("t Right Enter").expect("in step 4").press("u").expect("conflict 1");
    app.press("Home Enter").expect("The connector").press("Right Enter").expect("Mine").expect("server-log");
}

#[test]
fn what_is_out_of_the_ordinary_is_never_cut() {
    let desk = desk();
    let mut app = App::open(&desk.file, 80, 24);
    app.press("K p d L").expect("deletes allowed · loss of secrets allowed · prod: http");
    app.press("g").expect("only read-only (g)").expect("read-only 1, in step 4");
}

#[test]
fn a_pull_that_would_delete_most_asks() {
    let desk = desk();
    for n in 3..6 {
        desk.server.add(&format!("w{n}"), ".server-log", &json!({}));
    }
    let mut app = App::open(&desk.file, 100, 30);
    app.press("K p").expect("in step 7");
    desk.server.state().connectors.retain(|id, _| id == "fixed" || id == "w0");
    app.press("p").expect("Most connectors are gone in Kibana").press("Enter").expect("to take 6");
    // One can be kept, or taken away, by itself.
    app.press("Home h").expect("Take this file's").press("Right Enter").expect("to take 5").expect("1, to take");
    app.press("End Up t").expect("is deleted here").press("Right Enter").expect("to take 4");
    app.press("p Right Enter").expect("4 deleted");
}

#[test]
fn a_server_that_does_not_answer_is_told_and_nothing_is_lost() {
    let desk = desk();
    let mut app = App::open(&desk.file, 80, 24);
    for _ in 0..4 {
        desk.server.fault("GET", crate::server::Fault::Status(403));
    }
    app.press("K p").expect("The privilege").press("Enter").expect("was not asked yet");
}

#[test]
fn a_run_is_warned_of_twice() {
    let desk = desk();
    let mut app = App::open(&desk.file, 80, 24);
    app.press("K p Esc Home / w 0 Enter !").expect("Have Kibana run").expect("This is a test");
    app.press("Enter").expect("FOR REAL").press("Enter");
    assert!(desk.server.state().runs.is_empty());
    app.press("! Enter Right Enter").expect("It ran").expect("it worked");
    assert_eq!(desk.server.state().runs.len(), 1);
}

#[test]
fn without_a_remote_the_screen_says_how_to_name_one() {
    let place = crate::support::Place::new();
    let mut app = App::open(&place.demo(), 80, 24);
    app.press("Esc K").expect("connector-admin remote add").press("P").expect("this file has no remote");
    for (width, height) in [(40, 10), (120, 40), (30, 8)] {
        app.resize(width, height).screen();
    }
}

#[test]
fn a_type_that_only_kibana_knows_is_shown_by_the_name_it_reports() {
    let desk = desk();
    desk.server.add("pager", ".acme-pager", &json!({"room": "ops"}));
    desk.server.state().types = vec![
        (".acme-pager", "Acme Pager \u{202e}Pro"),
        (".webhook", "Another name for webhooks"),
        (".unused", "Not used"),
    ];
    let mut app = App::open(&desk.file, 120, 40);
    app.press("K p Esc").expect("Acme Pager \\u").expect("Webhook").expect_not("Another name");
    app.press("/").type_text("type:\"acme pager\"").press("Enter").expect("1 of 1").press("Enter");
    app.expect(".acme-pager, not in the catalogue").press("Esc Esc D").expect("Acme Pager");
    // Without Kibana it is there too, and without the right to see the types.
    drop(app);
    App::open(&desk.file, 120, 40).expect("Acme Pager \\u");
    desk.server.state().refuses_types = true;
    let mut app = App::open(&desk.file, 120, 40);
    app.press("K f").expect("in step 5").press("Esc").expect("Acme Pager \\u");
    assert_eq!(crate::support::rows(&desk.file, "SELECT count(*) FROM remote_types").concat(), "Integer(3)");
}
