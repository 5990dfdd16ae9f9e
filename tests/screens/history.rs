//! The history on the screen: steps, both sides of a change, undo, redo, backups.

use connector_admin::worker::Reply;

use crate::support::{App, TestDir, execute, records, rows, untouched};

fn applied(dir: &TestDir) -> App {
    let mut app = App::open(&dir.demo(), 100, 30);
    app.act("apply right confirm confirm back");
    app
}

#[test]
fn run_is_rolled_back_for_selected_connectors() {
    let dir = TestDir::new();
    let mut app = applied(&dir);
    let path = dir.path("demo.db");
    app.act("history").expect("u undoes the migration of 184 connectors").act("open").expect("1 of 184");
    app.act("filter").type_text("type:jira").act("confirm").expect("applied");
    let jira = "connector_type_id LIKE '.jira%'";
    let at = |version: i64, condition: &str| {
        rows(&path, &format!("SELECT count(*) FROM connectors WHERE model_version = {version} AND {condition}"))
            .concat()
    };
    let (of_jira, others) = (at(2, jira), at(2, &format!("NOT ({jira})")));
    app.act("select-all revert")
        .expect("Revert what step 1 changed in the selected")
        .act("right confirm")
        .expect("Rolled back");
    assert_eq!((at(2, jira), at(1, jira)), ("Integer(0)".to_owned(), of_jira));
    assert_eq!(at(2, &format!("NOT ({jira})")), others);
    app.expect("undone");
    // The rest can still be undone as one step, and all of it redone.
    app.act("back back back").press("H").expect("Ctrl-r redoes: migration of").act("top down revert right confirm");
    assert_eq!(at(2, "migration_group IS NULL AND connector_type_id = '.slack'"), "Integer(0)");
    app.act("redo right confirm redo right confirm").expect("Redid migration");
    assert_eq!(at(2, &format!("NOT ({jira})")), others);
}

#[test]
fn history_conflict_shows_both_sides() {
    let dir = TestDir::new();
    let mut app = applied(&dir);
    let path = dir.path("demo.db");
    app.act("filter").type_text("\"Aurora runbooks\"").act("confirm toggle-mode back");
    app.act("review rollback right confirm").expect("Partly rolled back").expect("  Show both sides  ").act("yes");
    app.expect("1 of 1").expect("Aurora runbooks").expect("modified since").act("revert");
    app.expect("was changed after step 1").expect("- per-user").expect("[ Cancel ]").act("confirm");
    let mode = "SELECT auth_mode, model_version FROM connectors WHERE name = 'Aurora runbooks'";
    assert_eq!(rows(&path, mode).concat(), "\"per-user\"|Integer(2)");
    // A concurrent change: the shown state is stale.
    app.act("revert right");
    execute(&path, "UPDATE connectors SET name = 'Aurora runbooks!' WHERE name = 'Aurora runbooks'");
    app.act("confirm").expect("changed again meanwhile");
    app.act("confirm refresh revert")
        .expect("Aurora runbooks!")
        .act("right confirm")
        .expect("Rolled back migration of Aurora runbooks");
    assert_eq!(
        rows(&path, "SELECT model_version FROM connectors WHERE name LIKE 'Aurora runbooks%'").concat(),
        "Integer(1)"
    );
    app.act("redo").expect("Redid");
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
    app.act("back select select delete right confirm").expect("Deleted 2 connectors");
    app.act("history open").expect("1 of 2").expect("deleted").expect("applied");
    app.act("revert").expect("is not in the file; reverting step 1").act("yes");
    assert_eq!(rows(&path, "SELECT count(*) FROM connectors").concat(), "Integer(196)");
    app.expect("undone")
        .act("back")
        .expect("delete of Acme pager (plugin type) (step 1)")
        .act("down revert right confirm");
    assert_eq!(records(&path), before);
    // A created one: reverting that deletes it.
    app.act("back duplicate save yes").expect("Created ");
    app.act("history open revert").expect("reverting it deletes the connector").act("yes").expect("undone");
    assert_eq!(records(&path), before);
}

#[test]
fn details_show_the_connectors_history() {
    let dir = TestDir::new();
    let mut app = applied(&dir);
    app.act("bottom toggle-mode undo open")
        .expect("history")
        .expect("migration: model version")
        .expect("undo: auth mode");
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
    app.act("review apply right confirm").expect("10 connectors migrated").act("confirm back history");
    app.expect("migration 184 connectors").expect_not("interrupted");
    app.act("undo right confirm").expect("Rolled back 184 connectors");
}

#[test]
fn backup_is_created_and_restored_from_the_ui() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    let path = dir.path("demo.db");
    app.act("back history")
        .expect("Nothing has been changed in this file yet")
        .act("backups")
        .expect("before an upgrade");
    app.act("create-backup").expect("✓ Created demo.db.backup-");
    let before = records(&path);
    app.act("back back review apply right confirm confirm back");
    assert_ne!(records(&path), before);
    app.act("history backups")
        .expect("before a run or import")
        .act("bottom up restore")
        .expect("Restore demo.db.backup-");
    app.act("right confirm").expect("The backup is restored").expect("is kept as demo.db.replaced-");
    assert_eq!(records(&path), before);
    app.act("confirm").expect("1 of 197").act("review").expect("189 pending");
    // One of an older schema is upgraded as it is opened.
    app.act("back history backups bottom restore right confirm")
        .expect("The backup is restored")
        .act("confirm")
        .expect("to migrate");
    assert_eq!(records(&path), before);
}

#[test]
fn replaced_file_of_schema_1_is_reopened() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    let path = dir.path("demo.db");
    app.act("back").expect("1 of 197");
    let old = dir.names().into_iter().find(|name| name.contains(".schema1-")).unwrap();
    connector_admin::store::restore(&path, &dir.path(&old), jiff::Timestamp::now(), |_, _| true).unwrap();
    app.act("refresh").expect("The file was replaced").expect("of schema 1");
    app.act("yes").expect("Migration review").expect("189 pending").act("back").expect("1 of 197");
}

#[test]
fn damaged_backup_is_not_restored() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    let path = dir.path("demo.db");
    app.act("back history backups create-backup");
    let backup = dir.names().into_iter().find(|name| name.contains(".backup-")).unwrap();
    let bytes = std::fs::read(dir.path(&backup)).unwrap();
    std::fs::write(dir.path(&backup), &bytes[..bytes.len() / 2]).unwrap();
    let before = untouched(&path);
    app.act("top restore right confirm")
        .expect("The backup was not restored")
        .expect("is damaged")
        .expect("The file is as it was");
    assert_eq!(untouched(&path), before);
    app.act("confirm").expect("1 of 197");
}

#[test]
fn undo_on_another_connectors_page_is_confirmed() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut app = App::open(&path, 100, 30);
    app.act("back top down toggle-mode").expect("to undo");
    let modes =
        "SELECT group_concat(coalesce(auth_mode, '-'), ',') FROM (SELECT auth_mode FROM connectors ORDER BY id)";
    let toggled = rows(&path, modes);
    // On its own page nothing is confirmed; on another page it is.
    app.act("down open undo").expect("Undo the last step: auth mode of").expect("not part of it");
    app.expect("[ Cancel ]").act("confirm");
    assert_eq!(rows(&path, modes), toggled);
    app.act("undo right confirm").expect("Undid auth mode of");
    assert_ne!(rows(&path, modes), toggled);
    app.act("redo").expect("Redo the auth mode of").expect("not part of it").act("right confirm");
    assert_eq!(rows(&path, modes), toggled);
    app.act("back open undo").expect("Undid auth mode of").expect_not("not part of it");
}

#[test]
fn undo_on_another_entrys_page_is_confirmed() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    app.act("back top toggle-mode down toggle-mode history down open").expect("1 of 1").act("undo");
    app.expect("Undo the last step: auth mode of").expect("It is not the step on this page").act("back");
    app.act("back top open undo").expect("Undid auth mode of");
}

#[test]
fn undo_on_a_deleted_connectors_page_is_confirmed() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut app = App::open(&path, 100, 30);
    app.act("back top down down open").expect("Audit webhook");
    execute(&path, "DELETE FROM connectors WHERE name LIKE 'Audit webhook%'");
    App::open(&path, 100, 30).act("back top toggle-mode");
    app.deliver(Reply::ChangedOnDisk).act("down").expect("This connector has been deleted");
    app.act("undo").expect("Undo the last step: auth mode of").expect("not part of it").act("back");
    app.expect("This connector has been deleted");
}

#[test]
fn own_steps_are_undone_on_the_page_without_confirmation() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    app.act("back top open");
    for _ in 0..12 {
        app.act("toggle-mode");
    }
    for _ in 0..12 {
        app.act("undo").expect("Undid auth mode of").expect_not("not part of it");
    }
}

#[test]
fn page_of_a_step_opened_again_keeps_its_selection() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    app.act("back select select delete right confirm").expect("Deleted 2 connectors").act("undo right confirm");
    app.act("history down open").expect("One step").act("select").expect("1 selected").act("open").expect("Connector");
    app.act("history down open").expect("One step").expect("1 selected");
    app.act("back back back").expect("Connector").act("back").expect("STEP");
}

#[test]
fn nothing_to_undo_is_offered_when_nothing_was_changed() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut app = App::open(&path, 100, 30);
    app.act("back top open").expect("Acme pager");
    execute(&path, "DELETE FROM connectors WHERE name LIKE 'Acme pager (%'");
    app.act("toggle-mode").expect("Nothing changed: deleted by another program").expect_not("to undo");
}
