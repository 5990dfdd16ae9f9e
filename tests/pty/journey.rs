//! Open the demo, filter, toggle, save, review, apply, undo the run, quit.

use super::terminal::Terminal;
use crate::support::{TestDir, records, rows, untouched};

const UP: &str = "\x1b[A";
const RIGHT: &str = "\x1b[C";
const DOWN: &str = "\x1b[B";
const ESC: &str = "\x1b";
const CTRL_S: &str = "\x13";

const CTRL_R: &str = "\x12";

/// A new user who reads only the footer: review, two per-user, one skipped, apply, roll back, redo.
#[test]
fn footer_guides_through_migration_and_rollback() {
    let dir = TestDir::new();
    let path = dir.path("story.db");
    let mut terminal = Terminal::start(&["demo", "--keep", path.to_str().unwrap()], 80, 24);
    terminal.expect("189 pending: backfill 73, stamp only 111, blocked 5");
    let (original, before) = (untouched(&path), records(&path));
    terminal.expect_footer("p per-user").send("p").expect("you: 1 per-user");
    terminal.expect_footer("p per-user").send("p").expect("you: 2 per-user");
    terminal.expect_footer("s skip").send("s").expect("you: 2 per-user, 1 skip");
    terminal.expect_footer("A apply").send("A").expect("2 per-user, as you decided");
    terminal.expect_footer("Right other answer").send(RIGHT).expect("[ Apply to 183 ]");
    terminal.expect_footer("Enter choose").send("\r").expect("183 connectors migrated");
    terminal.expect_footer("Enter choose").send("\r").expect("6 pending");
    let after = records(&path);
    assert_eq!(count(&path, "auth_mode = 'per-user' AND model_version = 2"), "Integer(8)");
    terminal.expect_footer("U roll back").send("U").expect("Roll the migration run of 183 connectors back");
    terminal.send(RIGHT).expect("[ Roll back ]").send("\r").expect("Rolled back 183 connectors");
    assert_eq!(records(&path), before);
    // Any key removes the message; the decisions are still there.
    terminal.expect("Ctrl-r to redo").send(UP).expect("you: 2 per-user, 1 skip");
    terminal
        .expect_footer("A apply")
        .expect_footer("Ctrl-r redo")
        .send(CTRL_R)
        .expect("Redo the migration of 183 connectors (step 1)?");
    terminal.send(RIGHT).expect("[ Redo ]").send("\r").expect("Redid migration of 183 connectors");
    assert_eq!(records(&path), after);
    assert_eq!(untouched(&path), original);
    terminal.send(UP).expect_footer("Esc back").send("q").expect("1 of 197").expect_footer("q quit").send("q");
    let (code, _) = terminal.end_restored();
    assert_eq!(code, 0);
}

fn count(path: &std::path::Path, condition: &str) -> String {
    rows(path, &format!("SELECT count(*) FROM connectors WHERE {condition}")).concat()
}

#[test]
fn full_session_matches_the_file() {
    let dir = TestDir::new();
    let path = dir.path("story.db");
    let mut terminal = Terminal::start(&["demo", "--keep", path.to_str().unwrap()], 100, 30);
    terminal.expect("Migration review").expect("189 pending: backfill 73, stamp only 111, blocked 5");
    let original = untouched(&path);

    // Filter and toggle in the list.
    terminal.send(ESC).expect("1 of 197").send("/Ticket webhook\rt").expect("u to undo");
    assert_eq!(count(&path, "name = 'Ticket webhook (9.4)' AND auth_mode = 'per-user'"), "Integer(1)");

    // Save an edit.
    terminal.send("e").expect("> Name").send(" X").expect("Ticket webhook (9.4) X");
    terminal.send(CTRL_S).expect("Save these changes?").send("y").expect("Saved Ticket webhook (9.4) X");
    assert_eq!(count(&path, "name = 'Ticket webhook (9.4) X'"), "Integer(1)");
    terminal.send("u").expect("Undid edit");
    terminal.send("u").expect("Undid auth mode");
    assert_eq!(untouched(&path), original);

    // Review: two per-user, one skipped, apply.
    terminal.send("m").expect("189 pending").send("p").expect("you: 1 per-user").send("p").expect("you: 2 per-user");
    terminal.send("s").expect("2 per-user, 1 skip");
    terminal.send("A").expect("183 connectors to model version 2").send(RIGHT).send("\r").expect("Migration applied");
    terminal.expect("70 backfilled as planned").expect("2 per-user, as you decided").expect("111 stamp only");
    assert_eq!(untouched(&path), original);
    assert_eq!(count(&path, "migration_group IS NULL"), "Integer(191)");
    terminal.send("\r").expect("6 pending");

    // Roll the run back, and quit.
    terminal.send("U").expect("Roll the migration run").send(RIGHT).send("\r").expect("Rolled back 183 connectors");
    assert_eq!(count(&path, "migration_group IS NULL"), "Integer(8)");
    assert_eq!(untouched(&path), original);
    terminal.send(UP).send(DOWN).send("q").expect("1 of 1").send("q");
    let (code, raw) = terminal.end_restored();
    assert_eq!(code, 0);
    assert!(raw.contains("The demo file is kept"), "{raw}");
    // One file, the backups before the upgrade and the run, and its keys; the log was checkpointed.
    assert_eq!(dir.names().len(), 4, "{:?}", dir.names());
    assert_eq!(rows(&path, "PRAGMA integrity_check").concat(), "\"ok\"");
}

#[test]
fn burst_of_keys_is_processed_completely() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut terminal = Terminal::start(&[path.to_str().unwrap()], 100, 30);
    terminal.expect("Migration review").send(ESC).expect("1 of 197");
    terminal.send(&format!("t{DOWN}t{DOWN}t{DOWN}t{DOWN}")).expect("5 of 197");
    terminal.send("uuuuu").expect("Nothing to undo").send("q");
    assert_eq!(terminal.end_restored().0, 0);
    assert_eq!(count(&path, "auth_mode = 'per-user'"), "Integer(6)");
    assert_eq!(rows(&path, "SELECT count(*) FROM history WHERE kind = 'auth mode'").concat(), "Integer(4)");
}

#[test]
fn demo_cleans_up_its_files() {
    let dir = TestDir::new();
    let folder = dir.folder.path();
    let mut terminal = Terminal::start_in(folder, &["demo"], 80, 24, &[("TMPDIR", folder.to_str().unwrap())]);
    terminal.expect("Migration review");
    assert_eq!(dir.names().len(), 1);
    terminal.send("\x03");
    assert_eq!(terminal.end_restored().0, 0);
    assert!(dir.names().is_empty(), "{:?}", dir.names());
}

#[test]
fn plan_is_applied_unattended() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut terminal = Terminal::start(&[path.to_str().unwrap(), "--apply-migration"], 80, 24);
    terminal.expect("Migration applied").expect("5 connectors still pending").send("\r").send("qq");
    assert_eq!(terminal.end_restored().0, 0);
    assert_eq!(count(&path, "model_version = 2"), "Integer(192)");
}

#[test]
fn record_text_cannot_control_the_terminal() {
    let dir = TestDir::new();
    let path = dir.demo();
    let hostile =
        "\u{1b}]0;owned\u{7}\u{1b}]52;c;b3duZWQ=\u{7}\u{1b}[2J\u{1b}[1;1H\u{1b}[31m\u{9b}5;5H\r\n\u{202e}name";
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute(
            "UPDATE connectors SET name = ?1, connector_type_id = ?1, config = json_object('authType', ?1)",
            [hostile],
        )
        .unwrap();
    drop(connection);
    let mut terminal = Terminal::start(&[path.to_str().unwrap()], 100, 30);
    terminal.expect("Migration review").expect("␛]0;owned␇");
    for keys in ["\x1b", "\r", "\x1b", "e", "\x1b", "d", "\x1b", "?", "\x1b"] {
        terminal.send(keys).wait("a header", |screen| screen.contents().starts_with(" "));
    }
    terminal.expect("1 of 197");
    assert_eq!(terminal.titles(), Vec::<String>::new());
    terminal.send("\x03");
    let (code, raw) = terminal.end_restored();
    assert_eq!(code, 0);
    assert!(!raw.contains("\u{1b}[2J\u{1b}[1;1H\u{1b}[31m") && !raw.contains('\u{202e}') && !raw.contains("\u{1b}]"));
}

/// Keys that arrive in one read act as if each had been pressed after the answer to the one before.
#[test]
fn keys_sent_at_once_act_on_the_row_under_the_cursor() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut terminal = Terminal::start(&[path.to_str().unwrap()], 100, 30);
    terminal.expect("Migration review").send(ESC).expect("1 of 197");
    terminal.send(&format!("{DOWN}{DOWN}y")).expect("Copy: type to search");
    terminal.wait("the name of the row", |screen| {
        screen.contents().lines().any(|line| line.contains("name") && line.contains("Audit webhook"))
    });
    // The page of a connector: its record is there before the key that needs it.
    terminal.send(ESC).expect_footer("open").send("\ry").expect("Copy: type to search").send(ESC);
    terminal.expect("Connector").send("\x03");
    assert_eq!(terminal.end_restored().0, 0);
}
