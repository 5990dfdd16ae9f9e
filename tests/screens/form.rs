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
    app.press("n").type_text("webhook").press("Enter").type_text("Fresh hook");
    app.press("Ctrl-s").expect("URL: a value is needed").expect("! a value is needed");
    app.type_text("https://hooks.example/in").expect_not("! a value is needed");
    app.press("Ctrl-s").expect("Create this connector?").expect("Fresh hook of type Webhook").press("Enter");
    app.expect("created: Fresh hook").expect("of 198");
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
    app.press("R /").type_text("\"Ticket webhook\"").press("Enter e").type_text("!").press("Ctrl-s");
    app.expect("- Ticket webhook (9.4)").expect("+ Ticket webhook (9.4)!").press("Enter").expect("saved");
    let name = "FROM connectors WHERE name = 'Ticket webhook (9.4)!'";
    assert_eq!(
        one(&dir, &format!("SELECT config {name}")),
        r#"{ "n": 1.50, "url": "https://a.example","big":12345678901234567890 }"#
    );
    app.press("e Down Down End").type_text("/v2").press("Ctrl-s Enter").expect("saved");
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
    app.press("e Esc").expect("Connectors");
    app.press("e").type_text("x").press("Esc").expect("Unsaved changes").press("Enter").expect("Edit ");
    app.press("Esc Right Enter").expect("1 of 197");
    app.press("e").type_text("x").press("Ctrl-c").expect("Quit and drop").press("Esc");
    assert!(!app.is_quitting());
}

#[test]
fn auth_mode_toggle_explains_and_warns() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 30);
    app.press("/").type_text("\"Ticket webhook\"").press("Enter e Down").expect("(•) shared");
    app.press("Space").expect("(•) per-user").expect("each user is meant to use their own account");
    app.expect("* per-user needs OAuth with each user's consent");
    app.press("Ctrl-s").expect("auth mode").expect("- shared").expect("+ per-user").press("Enter").expect("saved");
    assert_eq!(one(&dir, "SELECT auth_mode FROM connectors WHERE name LIKE 'Ticket%'"), "per-user");
}

#[test]
fn new_connector_mode_follows_auth_type_until_chosen() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    app.press("n").type_text("notion").press("Enter").type_text("Team pages").expect("(•) per-user");
    app.press("Down Down Right").expect("< Bearer token (bearer) >").expect("(•) shared").expect("Bearer token *");
    app.press("Left").expect("(•) per-user").expect("Client secret *");
    // A chosen mode stays, with a note if it does not fit.
    app.press("Shift-Tab Space").expect("(•) shared").expect("Kibana makes new connectors with");
    app.press("Space Tab Right").expect("(•) per-user").expect("bearer has no such");
}

#[test]
fn save_detects_a_concurrent_edit() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    let path = dir.path("demo.db");
    app.press("/").type_text("\"Ticket webhook\"").press("Enter e").type_text(" mine");
    execute(&path, "UPDATE connectors SET auth_mode = 'per-user' WHERE name LIKE 'Ticket%'");
    app.press("Ctrl-s Enter").expect("Changed by someone else").expect("their changes:").expect("your changes:");
    assert_eq!(one(&dir, "SELECT name FROM connectors WHERE name LIKE 'Ticket%'"), "Ticket webhook (9.4)");
    app.press("Right Right Enter").expect("(•) per-user").expect("Ticket webhook (9.4) mine");
    app.press("Ctrl-s Enter").expect("saved");
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
    app.press("/").type_text("\"Ticket webhook\"").press("Enter e").type_text(" kept");
    execute(&path, "DELETE FROM connectors WHERE name LIKE 'Ticket%'");
    app.press("Ctrl-s Enter")
        .expect("Deleted by someone else")
        .press("Right Enter")
        .expect("created: Ticket webhook (9.4) kept");
}

#[test]
fn duplicate_of_unreadable_secrets_is_missing_them() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    app.press("/").type_text("\"Release webhook\"").press("Enter c").expect("Release webhook (9.4) (copy)");
    app.expect("encrypted by another program, such as Kibana");
    app.press("Ctrl-s")
        .expect("the duplicate is missing them")
        .press("Enter")
        .expect("created: Release webhook (9.4) (copy)");
    assert_eq!(one(&dir, "SELECT secrets FROM connectors WHERE id = 'new-connector-id'"), "NULL");
    let configs = "SELECT count(DISTINCT config) || '' FROM connectors WHERE name LIKE 'Release webhook%'";
    assert_eq!(one(&dir, configs), "1");
}

#[test]
fn damaged_config_is_shown_and_repaired() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    app.press("/").type_text("is:malformed").press("Enter").expect("1 of 1").press("e");
    app.expect("the config is malformed: repair it here").expect("! not right as JSON");
    // Another field can be saved without touching the damage.
    app.press("Up Up").type_text("?").press("Ctrl-s Enter").expect("saved");
    let broken = r#"{"url":"https://hooks.meridian.example/legacy","method":"po"#;
    assert_eq!(one(&dir, "SELECT config FROM connectors WHERE id = 'legacy-import-broken'"), broken);
    app.press("e End").type_text("st\"}").press("Ctrl-s").expect("config").press("Enter").expect("saved");
    assert_eq!(one(&dir, "SELECT config FROM connectors WHERE id = 'legacy-import-broken'"), format!("{broken}st\"}}"));
    app.press("Esc").expect("1 of 197");
}

#[test]
fn record_of_a_newer_kibana_is_read_only() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    app.press("/").type_text("newer").press("Enter e").expect("written by a newer Kibana");
    app.press("t").expect("its model version is newer than this program knows");
    assert_eq!(one(&dir, "SELECT auth_mode FROM connectors WHERE name LIKE 'Tines from%'"), "shared");
}

#[test]
fn unknown_config_keys_are_edited_as_json() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    app.press("/").type_text("\"SMS gateway\"").press("Enter e Down Down").expect("> Config (JSON)");
    app.press("End Enter").type_text("\"k\": 1,").press("Ctrl-s").expect("+ 1").press("Enter").expect("saved");
    let config = one(&dir, "SELECT config FROM connectors WHERE name LIKE 'SMS%'");
    assert!(config.starts_with(r#"{"k":1,"#), "{config}");
    app.press("e Down Down").type_text("x").press("Ctrl-s").expect("! not right as JSON");
}

#[test]
fn enter_moves_through_the_form_without_changes() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    app.press("/")
        .type_text("\"Ticket webhook\"")
        .press("Enter e Enter Enter Enter Enter Enter Enter")
        .expect_not("(changed)");
}

#[test]
fn changed_type_is_confirmed_and_reversible() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 40);
    app.press("/").type_text("\"Ticket webhook\"").press("Enter c Up Enter").type_text("server log").press("Enter");
    app.expect("Server log (.server-log)").expect("(changed)").press("Esc").expect("Unsaved changes").press("Enter");
    app.press("Up Enter").type_text(".webhook").press("Enter").expect("https://tickets.meridian.example/v2");
}
