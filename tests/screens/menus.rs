//! The palette, and what else offers things to choose from.

use connector_admin::tui::app::Mouse;

use crate::support::{App, TestDir};

fn opened(dir: &TestDir) -> App {
    let mut app = App::open(&dir.demo(), 100, 30);
    app.act("back");
    app
}

#[test]
fn palette_finds_and_runs_a_command() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("palette").expect("Commands").expect("edit the connector in the form");
    app.type_text("migration review").expect("review the migration of the records").expect_not("edit the connector");
    app.act("confirm").expect("Migration review").expect("AFTER");
    // A command of another screen is run from the list.
    app.act("palette").type_text("create a connector").act("confirm").expect("Connector type");
}

#[test]
fn unavailable_command_shows_its_reason() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("palette").type_text("undo the last change").expect("nothing to undo");
    app.act("confirm").expect("Nothing to undo").expect_not("Commands");
    let path = dir.path("demo.db");
    let mut app = App::start(&path, 100, 30, true, true);
    app.act("back palette").type_text("delete").expect("read-only");
}

#[test]
fn esc_closes_a_menu_without_effect() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("palette").type_text("quit").act("back").expect_not("Commands");
    assert!(!app.is_quitting());
    app.act("palette").type_text("zzz").expect("No match").act("confirm").expect("No match");
}

#[test]
fn parts_of_a_connector_are_copied_and_never_secrets() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("filter")
        .type_text("Ticket webhook")
        .act("confirm copy-text")
        .expect("Copy")
        .act("confirm")
        .expect("Copied");
    assert!(app.copied.len() == 36, "{}", app.copied);
    app.act("copy-text down confirm");
    assert_eq!(app.copied, "Ticket webhook (9.4)");
    app.act("open copy-text").type_text("api").act("confirm");
    let copied: serde_json::Value = serde_json::from_str(&app.copied).expect("JSON");
    assert_eq!(copied["name"], "Ticket webhook (9.4)");
    assert!(copied.get("secrets").is_none());
}

#[test]
fn overview_bars_open_their_connectors() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("overview").expect("Overview").expect("Auth mode").expect("Connector types").expect("Migration");
    app.expect("backfill").act("down down down open");
    app.expect("/is:backfill").expect("of 73");
    app.act("back toggle-mode overview")
        .expect("auth mode of")
        .act("down down down down down down down down open")
        .expect("Step 1");
    app.act("quit").expect("Overview").act("top down open").expect("/auth:per-user");
}

#[test]
fn theme_changes_at_once() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("theme").expect("Theme dark").act("theme").expect("Theme light").act("theme theme").expect("Theme none");
    assert!(!crate::support::styles_of(&app.buffer()).contains('c'));
    app.act("theme").expect("Theme auto");
}

#[test]
fn mouse_selects_opens_sorts_toggles_and_confirms() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.click("Aurora ass").expect("> Aurora ass").click("Aurora ass").expect("connector type").click("Esc back");
    app.expect("of 197").click("TYPE").expect("TYPE ▲").click("TYPE").expect("TYPE ▼").click("NAME");
    app.mouse(Mouse::WheelDown).expect("8 of 197").mouse(Mouse::WheelUp).expect("5 of 197");
    let line = |app: &mut App| app.screen().lines().find(|line| line.starts_with("│> ")).unwrap().to_owned();
    let before = line(&mut app);
    app.click(&before).expect("Connector").act("back");
    let (y, x) = {
        let screen = app.screen();
        let (y, text) = screen.lines().enumerate().find(|(_, line)| line.starts_with("│> ")).unwrap();
        (y, text[..text.find("not set").unwrap()].chars().count())
    };
    app.mouse(Mouse::Click(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())).expect("is per-user now");
    app.act("delete")
        .click("Cancel")
        .expect_not("Undo brings it back")
        .act("delete")
        .click("Delete  ")
        .expect_not("Delete the");
    app.act("palette").click("create a connector").expect("Connector type");
}

#[test]
fn views_are_saved_and_columns_hidden() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("saved-views")
        .expect("No saved views")
        .act("back filter")
        .type_text("type:jira auth:none")
        .act("confirm saved-views");
    app.expect("Save view: type:jira auth:none").act("confirm").expect("View saved").act("back").expect("of 197");
    app.act("saved-views confirm")
        .expect("/type:jira auth:none")
        .act("saved-views")
        .expect("Delete view")
        .act("down confirm");
    app.expect("View deleted").act("saved-views").expect("Save view").act("back back");
    app.expect("FLAGS").act("columns").type_text("hide flags").act("confirm back").expect_not("FLAGS").act("columns");
    // The menu stays until Esc, so that several can be chosen.
    app.type_text("show flags").act("confirm back").expect("FLAGS").expect("Jira                -");
    app.act("columns").type_text("wider type").act("confirm back").expect("Jira                    -");
    app.act("open-file").expect("No recent files");
}

fn count(dir: &TestDir, condition: &str) -> String {
    crate::support::rows(&dir.path("demo.db"), &format!("SELECT count(*) FROM connectors WHERE {condition}")).concat()
}

#[test]
fn bulk_edit_is_previewed_and_one_step() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    let before = crate::support::records(&dir.path("demo.db"));
    app.act("filter")
        .type_text("type:jira")
        .act("confirm bulk-edit")
        .expect("Edit the ")
        .expect("find and replace in names");
    app.type_text("replace").act("confirm").expect("find => replace").type_text("Aurora").act("confirm");
    app.expect("write it as: what to find").type_text(" => Borealis").act("confirm");
    app.expect("Rename: “Aurora” becomes “Borealis”").expect("would be changed").expect("- Aurora");
    assert_eq!(crate::support::records(&dir.path("demo.db")), before, "a preview writes nothing");
    app.act("right confirm").expect("changed (u to undo)");
    assert_eq!(count(&dir, "name LIKE 'Borealis%' AND connector_type_id LIKE '.jira%'"), "Integer(1)");
    app.act("undo").expect("Undid");
    assert_eq!(crate::support::records(&dir.path("demo.db")), before);
}

#[test]
fn bulk_edit_of_config_reencrypts_secrets() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("filter").type_text("type:webhook").act("confirm bulk-edit").type_text("field").act("confirm");
    app.type_text("url = https://new.example/hook")
        .act("confirm")
        .expect("would be changed")
        .expect("https://new.example/hook");
    // Another program encrypted one of them: with another config it could never be decrypted again.
    app.expect("its secrets cannot be decrypted now").act("right confirm").expect("changed (u to undo)");
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
    app.act("select select bulk-edit")
        .expect("Edit the 2 selected")
        .type_text("delete")
        .act("confirm")
        .expect("2 connectors would be deleted");
    app.act("back").expect("of 197").act("bulk-edit").type_text("per-user").act("down confirm").expect("Change 2");
    app.act("left confirm").expect("2 connectors changed");
    assert_eq!(count(&dir, "auth_mode = 'per-user' AND revision > 0"), "Integer(2)");
    app.act("select select select bulk-edit")
        .type_text("delete")
        .act("confirm right confirm")
        .expect("of 194")
        .act("undo right confirm");
    app.expect("of 197");
}

#[test]
fn two_connectors_and_two_states_of_one_are_compared() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("compare")
        .expect("Select two connectors")
        .act("select select compare")
        .expect("Compare")
        .expect("- Acme pager")
        .expect("name");
    // Two encrypted values always differ, which means nothing.
    app.expect_not("stored, replaced");
    app.act("confirm back filter")
        .type_text("Ticket webhook")
        .act("confirm open compare")
        .expect("has no change of this");
    app.act("toggle-mode").expect("per-user now").act("compare").expect("before step 1").act("confirm");
    app.expect("Compare").expect("auth mode").expect("+ per-user").act("confirm back").expect("/Ticket webhook");
}

#[test]
fn bulk_per_user_warns_and_can_skip() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("filter").type_text("type:.webhook").act("confirm bulk-edit").type_text("per-user").act("down confirm");
    app.expect("has no such step").expect("Only where it makes sense").act("right confirm");
    app.expect("where it makes sense").expect("skipped");
    app.act("back palette")
        .type_text("per-user where")
        .expect("bulk edit")
        .act("confirm")
        .expect("where it makes sense");
}

#[test]
fn unknown_filter_key_is_reported() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("filter").type_text("-name:desk").expect("name: is not a filter key").act("confirm");
    app.expect("name: is not a filter key").act("back").expect_not("is not a filter key");
    app.act("filter").type_text("basic webhook").expect("No connectors match").expect("authtype:basic");
}

#[test]
fn undo_of_the_rest_of_a_step_is_named() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    app.act("apply right confirm confirm back history open filter")
        .type_text("type:jira")
        .act("confirm select-all revert right confirm");
    app.act("back back back undo").expect("Undo the rest of the last step").expect("undone already");
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
    app.act("back filter").type_text("abuseipdb").act("confirm next-missing").expect("choose the auth type first");
    app.type_text("%").expect("Text cannot be typed here");
}

#[test]
fn mouse_moves_and_opens_in_every_list() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    app.act("back toggle-mode down toggle-mode history").expect("> 2");
    app.click("auth mode Acme pager (")
        .expect("> 1")
        .click("auth mode Acme pager (")
        .expect("One step")
        .act("back back");
    app.act("history backups create-backup create-backup").expect("Created ");
    let is_row = |line: &&str| line.starts_with("│  ") && line.contains(".bak");
    let screen = app.screen();
    let second = screen.lines().find(is_row).expect("a second row").trim_matches(['│', ' ', '┃']);
    app.click(second).expect(&format!("> {second}")).click(second).expect("Restore a backup");
}
