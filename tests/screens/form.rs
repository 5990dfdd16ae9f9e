//! The form: create, edit, duplicate, validation, conflicts.

use crate::support::{App, TestDir, execute, rows};

fn opened(dir: &TestDir, width: u16, height: u16) -> App {
    let path = dir.demo();
    drop(App::open(&path, width, height));
    App::open(&path, width, height)
}

fn one(dir: &TestDir, sql: &str) -> String {
    let connection = rusqlite::Connection::open(dir.path("demo.db")).unwrap();
    connection.query_row(sql, [], |row| row.get::<_, Option<String>>(0)).unwrap().unwrap_or("NULL".to_owned())
}

#[test]
fn connector_is_created_with_its_type_defaults() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 80, 24);
    app.act("new").type_text("webhook").act("confirm").type_text("Fresh hook");
    app.act("save").expect("URL: a value is needed").expect("! a value is needed");
    app.type_text("https://hooks.example/in").expect_not("! a value is needed");
    app.act("save").expect("Create this connector?").expect("Fresh hook of type Webhook").act("yes");
    app.expect("Created Fresh hook").expect("of 198");
    assert_eq!(
        one(&dir, "SELECT config FROM connectors WHERE id = 'new-connector-id'"),
        r#"{"method":"post","hasAuth":true,"authType":"webhook-authentication-basic","url":"https://hooks.example/in"}"#
    );
    assert_eq!(
        one(&dir, "SELECT auth_mode || ' ' || model_version FROM connectors WHERE id = 'new-connector-id'"),
        "shared 2"
    );
}

#[test]
fn edit_writes_only_changed_fields() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    let path = dir.path("demo.db");
    let id = "(SELECT id FROM connectors WHERE name = 'Ticket webhook (9.4)')";
    // Spacing and numbers that a parser would normalize.
    execute(
        &path,
        &format!(
            "UPDATE connectors SET config = '{{ \"n\": 1.50, \"url\": \"https://a.example\",\"big\":12345678901234567890 }}' WHERE id = {id}"
        ),
    );
    let others = format!("SELECT * FROM connectors WHERE id <> {id}");
    let before = rows(&path, &others);
    app.act("refresh filter").type_text("\"Ticket webhook\"").act("confirm edit").type_text("!").act("save");
    app.expect("- Ticket webhook (9.4)").expect("+ Ticket webhook (9.4)!").act("yes").expect("Saved ");
    let name = "FROM connectors WHERE name = 'Ticket webhook (9.4)!'";
    assert_eq!(
        one(&dir, &format!("SELECT config {name}")),
        r#"{ "n": 1.50, "url": "https://a.example","big":12345678901234567890 }"#
    );
    app.act("edit").field("URL").append("/v2").act("save yes").expect("Saved ");
    assert_eq!(
        one(&dir, &format!("SELECT config {name}")),
        r#"{"n":1.50,"url":"https://a.example/v2","big":12345678901234567890}"#
    );
    assert_eq!(rows(&path, &others.replace("= 'Ticket webhook (9.4)'", "= 'Ticket webhook (9.4)!'")), before);
}

#[test]
fn esc_confirms_before_discarding_changes() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 80, 24);
    app.act("edit back").expect("Connectors");
    app.act("edit").type_text("x").act("back").expect("Unsaved changes").act("confirm").expect("Edit ");
    app.act("back right confirm").expect("1 of 197");
    app.act("edit").type_text("x").act("quit-now").expect("Quit and drop").act("back");
    assert!(!app.is_quitting());
}

#[test]
fn auth_mode_toggle_explains_and_warns() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 30);
    app.act("filter").type_text("\"Ticket webhook\"").act("confirm edit next-field").expect("(•) shared");
    app.act("change").expect("(•) per-user").expect("each user is meant to use their own account");
    app.expect("* per-user needs OAuth with each user's consent");
    app.act("save").expect("auth mode").expect("- shared").expect("+ per-user").act("yes").expect("Saved ");
    assert_eq!(one(&dir, "SELECT auth_mode FROM connectors WHERE name LIKE 'Ticket%'"), "per-user");
}

#[test]
fn new_connector_mode_follows_auth_type_until_chosen() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    app.act("new").type_text("notion").act("confirm").type_text("Team pages").expect("(•) per-user");
    app.act("next-field next-field right")
        .expect("< Bearer token (bearer) >")
        .expect("(•) shared")
        .expect("Bearer token *");
    app.act("left").expect("(•) per-user").expect("Client secret *");
    // A chosen mode stays, with a note if it does not fit.
    app.act("previous-field change").expect("(•) shared").expect("Kibana makes new connectors with");
    app.act("change next-field right").expect("(•) per-user").expect("bearer has no such");
}

#[test]
fn save_detects_a_concurrent_edit() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    let path = dir.path("demo.db");
    app.act("filter").type_text("\"Ticket webhook\"").act("confirm edit").type_text(" mine");
    execute(&path, "UPDATE connectors SET auth_mode = 'per-user' WHERE name LIKE 'Ticket%'");
    app.act("save yes").expect("Changed by someone else").expect("Their changes:").expect("Your changes:");
    assert_eq!(one(&dir, "SELECT name FROM connectors WHERE name LIKE 'Ticket%'"), "Ticket webhook (9.4)");
    app.act("right right confirm").expect("(•) per-user").expect("Ticket webhook (9.4) mine");
    app.act("save yes").expect("Saved ");
    assert_eq!(
        one(&dir, "SELECT name || ' ' || auth_mode FROM connectors WHERE name LIKE 'Ticket%'"),
        "Ticket webhook (9.4) mine per-user"
    );
}

#[test]
fn save_detects_a_concurrent_delete() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    let path = dir.path("demo.db");
    app.act("filter").type_text("\"Ticket webhook\"").act("confirm edit").type_text(" kept");
    execute(&path, "DELETE FROM connectors WHERE name LIKE 'Ticket%'");
    app.act("save yes")
        .expect("Deleted by someone else")
        .act("right confirm")
        .expect("Created Ticket webhook (9.4) kept");
}

#[test]
fn duplicate_of_unreadable_secrets_is_missing_them() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    app.act("filter").type_text("\"Release webhook\"").act("confirm duplicate").expect("Release webhook (9.4) (copy)");
    app.expect("encrypted by another program, such as Kibana");
    app.act("save").expect("the duplicate is missing them").act("yes").expect("Created Release webhook (9.4) (copy)");
    assert_eq!(one(&dir, "SELECT secrets FROM connectors WHERE id = 'new-connector-id'"), "NULL");
    let configs = "SELECT count(DISTINCT config) || '' FROM connectors WHERE name LIKE 'Release webhook%'";
    assert_eq!(one(&dir, configs), "1");
}

#[test]
fn damaged_config_is_shown_and_repaired() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    app.act("filter").type_text("is:malformed").act("confirm").expect("1 of 1").act("edit");
    app.expect("the config is malformed: repair it here").expect("! malformed JSON");
    // Another field can be saved without touching the damage.
    app.act("previous-field previous-field").type_text("?").act("save yes").expect("Saved ");
    let broken = r#"{"url":"https://hooks.meridian.example/legacy","method":"po"#;
    assert_eq!(one(&dir, "SELECT config FROM connectors WHERE id = 'legacy-import-broken'"), broken);
    app.act("edit").press("End").type_text("st\"}").act("save").expect("config").act("yes").expect("Saved ");
    assert_eq!(one(&dir, "SELECT config FROM connectors WHERE id = 'legacy-import-broken'"), format!("{broken}st\"}}"));
    app.act("back").expect("1 of 197");
}

#[test]
fn record_of_a_newer_kibana_is_read_only() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    app.act("filter").type_text("newer").act("confirm edit").expect("Written by a newer Kibana");
    app.act("toggle-mode").expect("its model version is newer than this program knows");
    assert_eq!(one(&dir, "SELECT auth_mode FROM connectors WHERE name LIKE 'Tines from%'"), "shared");
}

#[test]
fn unknown_config_keys_are_edited_as_json() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    app.act("filter").type_text("\"SMS gateway\"").act("confirm edit").field("Config (JSON)").append("");
    app.act("open").type_text("\"k\": 1,").act("save").expect("+ 1").act("yes").expect("Saved ");
    let config = one(&dir, "SELECT config FROM connectors WHERE name LIKE 'SMS%'");
    assert!(config.starts_with(r#"{"k":1,"#), "{config}");
    app.act("edit").field("Config (JSON)").append("x").act("save").expect("! malformed JSON");
}

#[test]
fn enter_moves_through_the_form_without_changes() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    app.act("filter")
        .type_text("\"Ticket webhook\"")
        .act("confirm edit open open open open open open")
        .expect_not("● changed");
}

#[test]
fn changed_type_is_confirmed_and_reversible() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    app.act("filter")
        .type_text("\"Ticket webhook\"")
        .act("confirm duplicate previous-field open")
        .type_text("server log")
        .act("confirm");
    app.expect("Server log (.server-log)").expect("● changed").act("back").expect("Unsaved changes").act("confirm");
    app.act("previous-field open").type_text(".webhook").act("confirm").expect("https://tickets.meridian.example/v2");
}
