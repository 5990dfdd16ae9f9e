//! A new user, and a returning one.

use super::terminal::Terminal;
use crate::support::TestDir;

const DOWN: &str = "\x1b[B";

fn started(dir: &TestDir, name: &str) -> Terminal {
    let state = dir.path("state/state.json").display().to_string();
    let path = dir.path(name);
    let environment = [("CONNECTOR_ADMIN_STATE", state.as_str())];
    Terminal::start_in(dir.folder.path(), &[path.to_str().unwrap()], 100, 30, &environment)
}

#[test]
fn missing_file_offers_how_to_begin() {
    let dir = TestDir::new();
    let mut terminal = started(&dir, "new.db");
    terminal.expect("Get started").expect("open the demo").expect("does not exist yet").send("\x1b");
    assert_eq!(terminal.end_restored().0, 0);
    assert!(!dir.path("new.db").exists(), "nothing is created before the choice");
    let mut terminal = started(&dir, "new.db");
    terminal.expect("Get started").send("\r").expect("Migration review").send("\x03");
    assert_eq!(terminal.end_restored().0, 0);
    assert!(!dir.path("new.db").exists());
    let mut terminal = started(&dir, "new.db");
    terminal.expect("Get started").send(DOWN).send("\r").expect("Import: path of an export").send("\x1b");
    terminal.expect("No connectors yet").expect("import an export of Kibana").send("q");
    assert_eq!(terminal.end_restored().0, 0);
    assert!(dir.path("new.db").exists());
}

#[test]
fn ui_state_is_restored_on_start() {
    let dir = TestDir::new();
    dir.demo();
    let mut terminal = started(&dir, "demo.db");
    terminal.expect("Migration review").send("\x1b").expect("1 of 197").send("/type:jira\r").expect("/type:jira");
    terminal.send("so").expect("by auth type").send("\x03");
    assert_eq!(terminal.end_restored().0, 0);
    let mut terminal = started(&dir, "demo.db");
    terminal.expect("/type:jira").expect("by auth type").send("q");
    assert_eq!(terminal.end_restored().0, 0);
    // And it can be gone back to from another place.
    let mut terminal = started(&dir, "other.db");
    terminal
        .expect("Get started")
        .expect("recent")
        .send("demo.db")
        .send(DOWN)
        .send("\r")
        .expect("/type:jira")
        .send("q");
    assert_eq!(terminal.end_restored().0, 0);
}

#[test]
fn open_recent_switches_files_or_reports_why_not() {
    let dir = TestDir::new();
    dir.demo();
    std::fs::copy(dir.path("demo.db"), dir.path("second.db")).unwrap();
    for name in ["second.db", "demo.db"] {
        let mut terminal = started(&dir, name);
        terminal.expect("Migration review").send("\x1b").expect("1 of 197").send("q");
        assert_eq!(terminal.end_restored().0, 0);
    }
    let mut terminal = started(&dir, "demo.db");
    terminal
        .expect("1 of 197")
        .send("\x0f")
        .expect("Open another file")
        .send("\r")
        .expect("second.db ›")
        .expect("1 of 197");
    std::fs::remove_file(dir.path("demo.db")).unwrap();
    terminal.send("\x0f").expect("Open another file").send("\r").expect("no such file").expect("second.db ›");
    terminal.send("q");
    assert_eq!(terminal.end_restored().0, 0);
}

#[test]
fn read_only_applies_to_every_opened_file() {
    let dir = TestDir::new();
    dir.demo();
    std::fs::copy(dir.path("demo.db"), dir.path("second.db")).unwrap();
    let mut terminal = started(&dir, "second.db");
    terminal.expect("Migration review").send("\x03");
    assert_eq!(terminal.end_restored().0, 0);
    let before = std::fs::read(dir.path("second.db")).unwrap();
    let state = dir.path("state/state.json").display().to_string();
    let path = dir.path("demo.db").display().to_string();
    let environment = [("CONNECTOR_ADMIN_STATE", state.as_str())];
    let arguments = ["--read-only", path.as_str()];
    let mut terminal = Terminal::start_in(dir.folder.path(), &arguments, 100, 30, &environment);
    terminal
        .expect("READ-ONLY")
        .send("\x0f")
        .expect("Open another file")
        .send("\r")
        .expect("second.db ›")
        .expect("READ-ONLY");
    terminal.send("\x03");
    assert_eq!(terminal.end_restored().0, 0);
    assert_eq!(std::fs::read(dir.path("second.db")).unwrap(), before);
}

/// The demo deletes its keys: values encrypted with them in another file would be lost.
#[test]
fn demo_keys_never_reach_another_file() {
    let dir = TestDir::new();
    let path = dir.demo();
    let state = dir.path("state/state.json").display().to_string();
    let environment = [("CONNECTOR_ADMIN_STATE", state.as_str())];
    let keys = connector_admin::demo::keys_of(&path).key_file.display().to_string();
    let new = dir.path("new.db").display().to_string();
    for file in [path.to_str().unwrap(), new.as_str()] {
        let arguments = ["--key-file", &keys, file];
        let mut terminal = Terminal::start_in(dir.folder.path(), &arguments, 100, 30, &environment);
        if file == new {
            terminal.expect("Get started").send("\r").expect("Migration review").send("\x1b").expect("1 of 197");
            terminal.send("\x0f").expect("Open another file").send("\r").expect("demo.db ›").expect("1 of 197");
            terminal
                .send("/Ticket webhook\r")
                .expect("1 of 1")
                .send("\r")
                .expect("connector type")
                .expect("set: password, user");
        } else {
            terminal.expect("Migration review").send("\x1b").expect("1 of 197");
        }
        terminal.send("\x03");
        assert_eq!(terminal.end_restored().0, 0);
    }
}

#[test]
fn mouse_clicks_work_until_turned_off() {
    let dir = TestDir::new();
    dir.demo();
    let mut terminal = started(&dir, "demo.db");
    terminal
        .expect("Migration review")
        .send("\x1b")
        .expect("1 of 197")
        .send("\x1b[<0;5;8M\x1b[<0;5;8m")
        .expect("5 of 197");
    terminal.send("\x1b[<65;5;8M").expect("8 of 197").send("M").expect("Mouse off").send("\x03");
    let (code, raw) = terminal.end_restored();
    assert_eq!(code, 0);
    assert!(raw.contains("\x1b[?1000h") && raw.rfind("\x1b[?1000l") > raw.rfind("\x1b[?1000h"));
}

#[test]
fn kept_demo_restores_its_ui_state() {
    let dir = TestDir::new();
    let state = dir.path("state/state.json").display().to_string();
    let environment = [("CONNECTOR_ADMIN_STATE", state.as_str())];
    let path = dir.path("kept.db");
    let path = path.to_str().unwrap();
    let mut terminal = Terminal::start_in(dir.folder.path(), &["demo", "--keep", path], 100, 30, &environment);
    terminal.expect("Migration review").send("\x1b").expect("1 of 197").expect("TYPE").send("C").expect("[x] TYPE");
    terminal.send("hide updated\r").expect("[ ] UPDATED").send("\x1b");
    terminal.wait("no UPDATED", |screen| !screen.contents().contains("UPDATED"));
    terminal.send("/type:jira\r").expect("/type:jira").send("\x03");
    let (_, raw) = terminal.end_restored();
    assert!(raw.contains("open it with `connector-admin") && !raw.contains("--key-file"), "{raw}");
    let mut terminal = Terminal::start_in(dir.folder.path(), &[path], 100, 30, &environment);
    terminal.expect("/type:jira").wait("no UPDATED", |screen| !screen.contents().contains("UPDATED")).send("\x03");
    terminal.end_restored();
}

#[test]
fn messages_use_the_active_key_map() {
    let dir = TestDir::new();
    let demo = dir.demo();
    let keys = "[keys.connectors]\nundo = \"F7\"\nreview = []\nnext-missing = \"F8\"\nback = \"F9\"\n\
                [keys.form]\nsave = \"F10\"\nclear-field = \"F6\"\n";
    let config = dir.write("config.toml", keys).display().to_string();
    let environment = [("CONNECTOR_ADMIN_CONFIG", config.as_str())];
    let mut terminal = Terminal::start_in(dir.folder.path(), &[demo.to_str().unwrap()], 120, 40, &environment);
    terminal.expect("Migration review").send("\x1b").expect("1 of 197");
    terminal.send("t").expect("F7 to undo").send("/nothing like it\r").expect("F9 clears the filter");
    terminal.send("\x1b[20~").expect("1 of 197").send("\x1b[19~").expect("F10 saves").send("\x03");
    terminal.end_restored();
    // An action without a key says so, and is still in the command palette.
    let mut terminal = Terminal::start_in(dir.folder.path(), &[demo.to_str().unwrap()], 120, 40, &environment);
    terminal.expect("“review” (no key) reviews that").send("?").expect("(no key)").send("\x1b").send(":review");
    terminal.expect("review the migration of the records").send("\r").expect("Migration review").send("\x03");
    terminal.end_restored();
}
