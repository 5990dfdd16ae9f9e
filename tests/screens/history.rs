//! The history on the screen: steps, both sides of a change, ways back and again, copies.

use connector_admin::worker::Reply;

use crate::support::{App, TestDir, execute, records, rows, untouched};

fn applied(dir: &TestDir) -> App {
    let mut app = App::open(&dir.demo(), 100, 30);
    app.press("A Right Enter Enter Esc");
    app
}

#[test]
fn run_is_rolled_back_for_selected_connectors() {
    let dir = TestDir::new();
    let mut app = applied(&dir);
    let path = dir.path("demo.db");
    app.press("H").expect("u undoes the migration of 184 connectors").press("Enter").expect("1 of 184");
    app.press("/").type_text("type:jira").press("Enter").expect("applied");
    let jira = "connector_type_id LIKE '.jira%'";
    let at = |version: i64, condition: &str| {
        rows(&path, &format!("SELECT count(*) FROM connectors WHERE model_version = {version} AND {condition}"))
            .concat()
    };
    let (of_jira, others) = (at(2, jira), at(2, &format!("NOT ({jira})")));
    app.press("* U").expect("Revert what step 1 changed in the selected").press("Right Enter").expect("Rolled back");
    assert_eq!((at(2, jira), at(1, jira)), ("Integer(0)".to_owned(), of_jira));
    assert_eq!(at(2, &format!("NOT ({jira})")), others);
    app.expect("undone");
    // The rest can still be undone as one step, and all of it redone.
    app.press("Esc Esc Esc H").expect("Ctrl-r redoes: migration of").press("Home Down U Right Enter");
    assert_eq!(at(2, "migration_group IS NULL AND connector_type_id = '.slack'"), "Integer(0)");
    app.press("Ctrl-r Right Enter Ctrl-r Right Enter").expect("Redid migration");
    assert_eq!(at(2, &format!("NOT ({jira})")), others);
}

#[test]
fn history_conflict_shows_both_sides() {
    let dir = TestDir::new();
    let mut app = applied(&dir);
    let path = dir.path("demo.db");
    app.press("/").type_text("\"Aurora runbooks\"").press("Enter t Esc");
    app.press("m U Right Enter").expect("Partly rolled back").expect("[ Show both sides ]").press("Enter");
    app.expect("1 of 1").expect("Aurora runbooks").expect("modified since").press("U");
    app.expect("was changed after step 1").expect("- per-user").expect("[ Cancel ]").press("Enter");
    let mode = "SELECT auth_mode, model_version FROM connectors WHERE name = 'Aurora runbooks'";
    assert_eq!(rows(&path, mode).concat(), "\"per-user\"|Integer(2)");
    // A concurrent change: the shown state is stale.
    app.press("U Right");
    execute(&path, "UPDATE connectors SET name = 'Aurora runbooks!' WHERE name = 'Aurora runbooks'");
    app.press("Enter").expect("changed again meanwhile");
    app.press("Enter R U")
        .expect("Aurora runbooks!")
        .press("Right Enter")
        .expect("Rolled back migration of Aurora runbooks");
    assert_eq!(
        rows(&path, "SELECT model_version FROM connectors WHERE name LIKE 'Aurora runbooks%'").concat(),
        "Integer(1)"
    );
    app.press("Ctrl-r").expect("Redid");
    assert_eq!(
        rows(&path, "SELECT name FROM connectors WHERE name LIKE 'Aurora runbooks%'").concat(),
        "\"Aurora runbooks!\""
    );
}

#[test]
fn history_entry_lists_created_and_deleted_records() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    let path = dir.path("demo.db");
    let before = records(&path);
    app.press("Esc Space Space d Right Enter").expect("deleted 2 connectors");
    app.press("H Enter").expect("1 of 2").expect("deleted").expect("applied");
    app.press("U").expect("is not in the file; reverting step 1").press("Enter");
    assert_eq!(rows(&path, "SELECT count(*) FROM connectors").concat(), "Integer(196)");
    app.expect("undone").press("Esc").expect("delete of Acme pager (plugin type) (step 1)").press("Down U Right Enter");
    assert_eq!(records(&path), before);
    // A created one: reverting that deletes it.
    app.press("Esc c Ctrl-s Enter").expect("created");
    app.press("H Enter U").expect("reverting it deletes the connector").press("Enter").expect("undone");
    assert_eq!(records(&path), before);
}

#[test]
fn details_show_the_connectors_history() {
    let dir = TestDir::new();
    let mut app = applied(&dir);
    app.press("End t u Enter").expect("history").expect("migration: model version").expect("undo: auth mode");
    app.expect("auth mode: auth mode (undone)");
}

#[test]
fn interrupted_run_is_reported_and_resumed() {
    let dir = TestDir::new();
    drop(applied(&dir));
    let path = dir.path("demo.db");
    // As a kill leaves it: begun, not ended, some records not reached.
    execute(
        &path,
        "UPDATE history SET state = 'running'; UPDATE connectors SET model_version = 1, revision = 0,
        auth_mode = NULL, is_derived = 0 WHERE id IN (SELECT connector_id FROM history_changes LIMIT 10);
        DELETE FROM history_changes WHERE connector_id IN (SELECT id FROM connectors WHERE revision = 0);
        UPDATE history SET records = 174",
    );
    let mut app = App::open(&path, 100, 30);
    app.expect("a migration run was interrupted after 174 connectors");
    app.press("m A Right Enter").expect("10 connectors migrated").press("Enter Esc H");
    app.expect("migration 184 connectors").expect_not("interrupted");
    app.press("u Right Enter").expect("Rolled back 184 connectors");
}

#[test]
fn backup_is_created_and_restored_from_the_ui() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    let path = dir.path("demo.db");
    app.press("Esc H").expect("Nothing has been changed in this file yet").press("b").expect("before an upgrade");
    app.press("b").expect("✓ copied to demo.db.backup-");
    let before = records(&path);
    app.press("Esc Esc m A Right Enter Enter Esc");
    assert_ne!(records(&path), before);
    app.press("H b").expect("before a run or import").press("End Up Enter").expect("Restore demo.db.backup-");
    app.press("Right Enter").expect("The backup is restored").expect("is kept as demo.db.replaced-");
    assert_eq!(records(&path), before);
    app.press("Enter").expect("1 of 197").press("m").expect("189 pending");
    // One of an older schema is upgraded as it is opened.
    app.press("Esc H b End Enter Right Enter").expect("The backup is restored").press("Enter").expect("to migrate");
    assert_eq!(records(&path), before);
}

#[test]
fn replaced_file_of_schema_1_is_reopened() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    let path = dir.path("demo.db");
    app.press("Esc").expect("1 of 197");
    let old = dir.names().into_iter().find(|name| name.contains(".schema1-")).unwrap();
    connector_admin::store::restore(&path, &dir.path(&old), jiff::Timestamp::now(), |_, _| true).unwrap();
    app.press("R").expect("The file was replaced").expect("of schema 1");
    app.press("Enter").expect("Migration review").expect("189 pending").press("Esc").expect("1 of 197");
}

#[test]
fn damaged_backup_is_not_restored() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    let path = dir.path("demo.db");
    app.press("Esc H b b");
    let backup = dir.names().into_iter().find(|name| name.contains(".backup-")).unwrap();
    let bytes = std::fs::read(dir.path(&backup)).unwrap();
    std::fs::write(dir.path(&backup), &bytes[..bytes.len() / 2]).unwrap();
    let before = untouched(&path);
    app.press("Home Enter Right Enter")
        .expect("The backup was not restored")
        .expect("is damaged")
        .expect("The file is as it was");
    assert_eq!(untouched(&path), before);
    app.press("Enter").expect("1 of 197");
}

#[test]
fn undo_on_another_connectors_page_is_confirmed() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut app = App::open(&path, 100, 30);
    app.press("Esc Home Down t").expect("to undo");
    let modes =
        "SELECT group_concat(coalesce(auth_mode, '-'), ',') FROM (SELECT auth_mode FROM connectors ORDER BY id)";
    let toggled = rows(&path, modes);
    // On its own page nothing is confirmed; on another page it is.
    app.press("Down Enter u").expect("Undo the last step: auth mode of").expect("not part of it");
    app.expect("[ Cancel ]").press("Enter");
    assert_eq!(rows(&path, modes), toggled);
    app.press("u Right Enter").expect("Undid auth mode of");
    assert_ne!(rows(&path, modes), toggled);
    app.press("Ctrl-r").expect("Redo the auth mode of").expect("not part of it").press("Right Enter");
    assert_eq!(rows(&path, modes), toggled);
    app.press("Esc Enter u").expect("Undid auth mode of").expect_not("not part of it");
}

#[test]
fn undo_on_another_entrys_page_is_confirmed() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    app.press("Esc Home t Down t H Down Enter").expect("1 of 1").press("u");
    app.expect("Undo the last step: auth mode of").expect("It is not the step on this page").press("Esc");
    app.press("Esc Home Enter u").expect("Undid auth mode of");
}

#[test]
fn undo_on_a_deleted_connectors_page_is_confirmed() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut app = App::open(&path, 100, 30);
    app.press("Esc Home Down Down Enter").expect("Audit webhook");
    execute(&path, "DELETE FROM connectors WHERE name LIKE 'Audit webhook%'");
    App::open(&path, 100, 30).press("Esc Home t");
    app.deliver(Reply::ChangedOnDisk).press("Down").expect("This connector has been deleted");
    app.press("u").expect("Undo the last step: auth mode of").expect("not part of it").press("Esc");
    app.expect("This connector has been deleted");
}

#[test]
fn own_steps_are_undone_on_the_page_without_confirmation() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    app.press("Esc Home Enter");
    for _ in 0..12 {
        app.press("t");
    }
    for _ in 0..12 {
        app.press("u").expect("Undid auth mode of").expect_not("not part of it");
    }
}
