//! The palette, and what else offers things to choose from.

use connector_admin::tui::app::Mouse;

use crate::support::{App, TestDir};

fn opened(dir: &TestDir) -> App {
    let mut app = App::open(&dir.demo(), 100, 30);
    app.press("Esc");
    app
}

#[test]
fn palette_finds_and_runs_a_command() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.press(":").expect("Everything").expect("edit the connector in the form");
    app.type_text("migration review").expect("review the migration of the records").expect_not("edit the connector");
    app.press("Enter").expect("Migration review").expect("AFTER");
    // A command of another screen is run from the list.
    app.press(":").type_text("create a connector").press("Enter").expect("Connector type");
}

#[test]
fn unavailable_command_shows_its_reason() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.press(":").type_text("undo the last change").expect("nothing to undo");
    app.press("Enter").expect("nothing to undo").expect_not("Everything");
    let path = dir.path("demo.db");
    let mut app = App::start(&path, 100, 30, true, true);
    app.press("Esc :").type_text("delete").expect("read-only");
}

#[test]
fn esc_closes_a_menu_without_effect() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.press(":").type_text("quit").press("Esc").expect_not("Everything");
    assert!(!app.is_quitting());
    app.press(":").type_text("zzz").expect("No match").press("Enter").expect("No match");
}

#[test]
fn parts_of_a_connector_are_copied_and_never_secrets() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.press("/").type_text("Ticket webhook").press("Enter y").expect("Copy").press("Enter").expect("copied");
    assert!(app.copied.len() == 36, "{}", app.copied);
    app.press("y Down Enter");
    assert_eq!(app.copied, "Ticket webhook (9.4)");
    app.press("Enter y").type_text("api").press("Enter");
    let copied: serde_json::Value = serde_json::from_str(&app.copied).expect("JSON");
    assert_eq!(copied["name"], "Ticket webhook (9.4)");
    assert!(copied.get("secrets").is_none());
}

#[test]
fn overview_bars_open_their_connectors() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.press("D").expect("Overview").expect("Auth mode").expect("Connector types").expect("Migration");
    app.expect("backfill").press("Down Down Down Enter");
    app.expect("/is:backfill").expect("of 73");
    app.press("Esc t D").expect("auth mode of").press("Down Down Down Down Down Down Down Down Enter").expect("Step 1");
    app.press("q").expect("Overview").press("Home Down Enter").expect("/auth:per-user");
}

#[test]
fn theme_changes_at_once() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.press("T").expect("theme dark").press("T").expect("theme light").press("T T").expect("theme none");
    assert!(!crate::support::styles_of(&app.buffer()).contains('c'));
    app.press("T").expect("theme auto");
}

#[test]
fn mouse_selects_opens_sorts_toggles_and_confirms() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.click("Aurora ass").expect("> Aurora ass").click("Aurora ass").expect("connector type").click("Esc back");
    app.expect("197 connectors").click("TYPE").expect("TYPE ▲").click("TYPE").expect("TYPE ▼").click("NAME");
    app.mouse(Mouse::WheelDown).expect("8 of 197").mouse(Mouse::WheelUp).expect("5 of 197");
    let line = |app: &mut App| app.screen().lines().find(|line| line.starts_with("> ")).unwrap().to_owned();
    let before = line(&mut app);
    app.click(&before).expect("Connector").press("Esc");
    let (y, x) = {
        let screen = app.screen();
        let (y, text) = screen.lines().enumerate().find(|(_, line)| line.starts_with("> ")).unwrap();
        (y, text[..text.find("not set").unwrap()].chars().count())
    };
    app.mouse(Mouse::Click(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())).expect("is per-user now");
    app.press("d")
        .click("Cancel")
        .expect_not("Undo brings it back")
        .press("d")
        .click("Delete  ")
        .expect_not("Delete the");
    app.press(":").click("create a connector").expect("Connector type");
}

#[test]
fn views_are_saved_and_columns_hidden() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.press("F").expect("No saved views").press("Esc /").type_text("type:jira auth:none").press("Enter F");
    app.expect("Save view: type:jira auth:none").press("Enter").expect("View saved").press("Esc").expect("of 197");
    app.press("F Enter").expect("/type:jira auth:none").press("F").expect("Delete view").press("Down Enter");
    app.expect("View deleted").press("F").expect("Save view").press("Esc Esc");
    app.expect("FLAGS").press("C").type_text("hide flags").press("Enter Esc").expect_not("FLAGS").press("C");
    // The menu stays until Esc, so that several can be chosen.
    app.type_text("show flags").press("Enter Esc").expect("FLAGS").expect("Jira                 -");
    app.press("C").type_text("wider type").press("Enter Esc").expect("Jira                     -");
    app.press("Ctrl-o").expect("No recent files");
}

fn count(dir: &TestDir, condition: &str) -> String {
    crate::support::rows(&dir.path("demo.db"), &format!("SELECT count(*) FROM connectors WHERE {condition}")).concat()
}

#[test]
fn bulk_edit_is_previewed_and_one_step() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    let before = crate::support::records(&dir.path("demo.db"));
    app.press("/").type_text("type:jira").press("Enter E").expect("Edit the ").expect("Find and replace in names");
    app.type_text("replace").press("Enter").expect("find => replace").type_text("Aurora").press("Enter");
    app.expect("write it as: what to find").type_text(" => Borealis").press("Enter");
    app.expect("rename: “Aurora” becomes “Borealis”").expect("would change").expect("- Aurora");
    assert_eq!(crate::support::records(&dir.path("demo.db")), before, "a preview writes nothing");
    app.press("Right Enter").expect("changed (u to undo)");
    assert_eq!(count(&dir, "name LIKE 'Borealis%' AND connector_type_id LIKE '.jira%'"), "Integer(1)");
    app.press("u").expect("Undid");
    assert_eq!(crate::support::records(&dir.path("demo.db")), before);
}

#[test]
fn bulk_edit_of_config_reencrypts_secrets() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.press("/").type_text("type:webhook").press("Enter E").type_text("field").press("Enter");
    app.type_text("url = https://new.example/hook")
        .press("Enter")
        .expect("would change")
        .expect("https://new.example/hook");
    // Another program encrypted one of them: with another config it could never be decrypted again.
    app.expect("its secrets cannot be decrypted now").press("Right Enter").expect("changed (u to undo)");
    assert_ne!(count(&dir, "config LIKE '%https://new.example/hook%'"), "Integer(0)");
    let path = dir.path("demo.db");
    let vault = connector_admin::vault::Vault::new(connector_admin::demo::keys_of(&path));
    let store = connector_admin::store::Store::open_read_only(&path, connector_admin::store::Reading::Shared).unwrap();
    let mut opened = 0;
    store
        .each::<connector_admin::store::StoreError>(|record| {
            if record.config.contains("https://new.example/hook") && record.secrets.is_some() {
                vault.open(&record).unwrap();
                opened += 1;
            }
            Ok(())
        })
        .unwrap();
    assert!(opened > 0);
}

#[test]
fn bulk_delete_and_mode_are_confirmed() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.press("Space Space E")
        .expect("Edit the 2 selected")
        .type_text("delete")
        .press("Enter")
        .expect("2 connectors would go");
    app.press("Esc").expect("197 connectors").press("E").type_text("per-user").press("Down Enter").expect("Change 2");
    app.press("Left Enter").expect("2 connectors changed");
    assert_eq!(count(&dir, "auth_mode = 'per-user' AND revision > 0"), "Integer(2)");
    app.press("Space Space Space E")
        .type_text("delete")
        .press("Enter Right Enter")
        .expect("194 connectors")
        .press("u Right Enter");
    app.expect("197 connectors");
}

#[test]
fn two_connectors_and_two_states_of_one_are_compared() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.press("=")
        .expect("select two connectors")
        .press("Space Space =")
        .expect("Compare")
        .expect("- Acme pager")
        .expect("name");
    // Two encrypted values always differ, which means nothing.
    app.expect_not("stored, replaced");
    app.press("Enter Esc /").type_text("Ticket webhook").press("Enter Enter =").expect("knows of no change");
    app.press("t").expect("per-user now").press("=").expect("before step 1").press("Enter");
    app.expect("Compare").expect("auth mode").expect("+ per-user").press("Enter Esc").expect("/Ticket webhook");
}

#[test]
fn bulk_per_user_warns_and_can_skip() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.press("/").type_text("type:.webhook").press("Enter E").type_text("per-user").press("Down Enter");
    app.expect("has no such step").expect("Only where it makes sense").press("Right Enter");
    app.expect("where it makes sense").expect("cannot be");
    app.press("Esc :").type_text("per-user where").expect("many at once").press("Enter").expect("where it makes sense");
}

#[test]
fn unknown_filter_key_is_reported() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.press("/").type_text("-name:desk").expect("name: is not a filter key").press("Enter");
    app.expect("name: is not a filter key").press("Esc").expect_not("is not a filter key");
    app.press("/").type_text("basic webhook").expect("No connectors match").expect("authtype:basic");
}

#[test]
fn undo_of_the_rest_of_a_step_is_named() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    app.press("A Right Enter Enter Esc H Enter /").type_text("type:jira").press("Enter * U Right Enter");
    app.press("Esc Esc Esc u").expect("Undo the rest of the last step").expect("undone already");
}

#[test]
fn next_missing_secrets_names_a_missing_auth_type() {
    let dir = TestDir::new();
    let path = dir.path("s.db");
    let export = dir.write("sample.ndjson", crate::support::SAMPLE);
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_connector-admin"))
        .arg("--file")
        .arg(&path)
        .args(["import", export.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    let mut app = App::open(&path, 100, 30);
    app.press("Esc /").type_text("abuseipdb").press("Enter N").expect("choose the auth type first");
    app.type_text("%").expect("text cannot be typed here");
}
