//! The history on the screen: steps, both sides of a change, ways back and again, copies.

use connector_admin::worker::protocol::Reply;

use crate::support::{App, Place, execute, records, rows, untouched};

fn applied(place: &Place) -> App {
    let mut app = App::open(&place.demo(), 100, 30);
    app.press("A Right Enter Enter Esc");
    app
}

#[test]
fn a_run_is_taken_back_for_some_connectors_only() {
    let place = Place::new();
    let mut app = applied(&place);
    let path = place.path("demo.db");
    app.press("H").expect("u undoes the migration of 184 connectors").press("Enter").expect("1 of 184");
    app.press("/").type_text("type:jira").press("Enter").expect("In force".to_lowercase().as_str());
    let jira = "connector_type_id LIKE '.jira%'";
    let at = |version: i64, condition: &str| {
        rows(&path, &format!("SELECT count(*) FROM connectors WHERE model_version = {version} AND {condition}"))
            .concat()
    };
    let (of_jira, others) = (at(2, jira), at(2, &format!("NOT ({jira})")));
    app.press("* U").expect("Take back what step 1 did to the marked").press("Right Enter").expect("rolled back");
    assert_eq!((at(2, jira), at(1, jira)), ("Integer(0)".to_owned(), of_jira));
    assert_eq!(at(2, &format!("NOT ({jira})")), others);
    app.expect("taken back");
    // The rest can still be taken back as one, and all of it comes again.
    app.press("Esc Esc Esc H").expect("Ctrl-r brings again: migration of").press("Home Down U Right Enter");
    assert_eq!(at(2, "migration_group IS NULL AND connector_type_id = '.slack'"), "Integer(0)");
    app.press("Ctrl-r Right Enter Ctrl-r Right Enter").expect("brought again: migration");
    assert_eq!(at(2, &format!("NOT ({jira})")), others);
}

#[test]
fn a_conflict_is_shown_with_both_sides_and_decided_alone() {
    let place = Place::new();
    let mut app = applied(&place);
    let path = place.path("demo.db");
    app.press("/").type_text("\"Aurora runbooks\"").press("Enter t Esc");
    app.press("m U Right Enter").expect("Partly rolled back").expect("[ Show both sides ]").press("Enter");
    app.expect("1 of 1").expect("Aurora runbooks").expect("changed since").press("U");
    app.expect("was changed after step 1").expect("- per-user").expect("[ Cancel ]").press("Enter");
    let mode = "SELECT auth_mode, model_version FROM connectors WHERE name = 'Aurora runbooks'";
    assert_eq!(rows(&path, mode).concat(), "\"per-user\"|Integer(2)");
    // Someone is faster: what the person saw is not what is there any more.
    app.press("U Right");
    execute(&path, "UPDATE connectors SET name = 'Aurora runbooks!' WHERE name = 'Aurora runbooks'");
    app.press("Enter").expect("changed again meanwhile");
    app.press("Enter R U")
        .expect("Aurora runbooks!")
        .press("Right Enter")
        .expect("rolled back: migration of Aurora runbooks");
    assert_eq!(
        rows(&path, "SELECT model_version FROM connectors WHERE name LIKE 'Aurora runbooks%'").concat(),
        "Integer(1)"
    );
    app.press("Ctrl-r").expect("brought again");
    assert_eq!(
        rows(&path, "SELECT name FROM connectors WHERE name LIKE 'Aurora runbooks%'").concat(),
        "\"Aurora runbooks!\""
    );
}

#[test]
fn deleted_and_created_records_stand_in_their_steps() {
    let place = Place::new();
    let mut app = App::open(&place.demo(), 100, 30);
    let path = place.path("demo.db");
    let before = records(&path);
    app.press("Esc Space Space d Right Enter").expect("deleted 2 connectors");
    app.press("H Enter").expect("1 of 2").expect("deleted").expect("in force");
    app.press("U").expect("is not in the file now; taking step 1 back").press("Enter");
    assert_eq!(rows(&path, "SELECT count(*) FROM connectors").concat(), "Integer(196)");
    app.expect("taken back")
        .press("Esc")
        .expect("delete of Acme pager (plugin type) (step 1)")
        .press("Down U Right Enter");
    assert_eq!(records(&path), before);
    // A created one: taking that back deletes it.
    app.press("Esc c Ctrl-s Enter").expect("created");
    app.press("H Enter U").expect("taking that back deletes it").press("Enter").expect("undone");
    assert_eq!(records(&path), before);
}

#[test]
fn one_connectors_own_history_is_shown_with_it() {
    let place = Place::new();
    let mut app = applied(&place);
    app.press("End t u Enter").expect("history").expect("migration: model version").expect("undo: auth mode");
    app.expect("auth mode: auth mode (taken back)");
}

#[test]
fn an_interrupted_run_is_told_and_gone_on_with() {
    let place = Place::new();
    drop(applied(&place));
    let path = place.path("demo.db");
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
    app.press("u Right Enter").expect("rolled back: 184 connectors as before");
}

#[test]
fn a_copy_is_made_and_put_back_from_the_screen() {
    let place = Place::new();
    let mut app = App::open(&place.demo(), 100, 30);
    let path = place.path("demo.db");
    app.press("Esc H").expect("Nothing has been changed in this file yet").press("b").expect("before an upgrade");
    app.press("b").expect("✓ copied to demo.db.backup-");
    let before = records(&path);
    app.press("Esc Esc m A Right Enter Enter Esc");
    assert_ne!(records(&path), before);
    app.press("H b").expect("before a run or import").press("End Up Enter").expect("Put demo.db.backup-");
    app.press("Right Enter").expect("The copy is back").expect("is kept as demo.db.replaced-");
    assert_eq!(records(&path), before);
    app.press("Enter").expect("1 of 197").press("m").expect("189 pending");
    // One of an older schema is upgraded as it is opened.
    app.press("Esc H b End Enter Right Enter").expect("The copy is back").press("Enter").expect("to migrate");
    assert_eq!(records(&path), before);
}

#[test]
fn a_file_of_an_older_schema_put_in_place_by_another_program_is_opened_again() {
    let place = Place::new();
    let mut app = App::open(&place.demo(), 100, 30);
    let path = place.path("demo.db");
    app.press("Esc").expect("1 of 197");
    let old = place.names().into_iter().find(|name| name.contains(".schema1-")).unwrap();
    connector_admin::store::restore(&path, &place.path(&old), jiff::Timestamp::now(), |_, _| true).unwrap();
    app.press("R").expect("The file was replaced").expect("of schema 1");
    app.press("Enter").expect("Migration review").expect("189 pending").press("Esc").expect("1 of 197");
}

#[test]
fn a_damaged_copy_is_not_put_back() {
    let place = Place::new();
    let mut app = App::open(&place.demo(), 100, 30);
    let path = place.path("demo.db");
    app.press("Esc H b b");
    let copy = place.names().into_iter().find(|name| name.contains(".backup-")).unwrap();
    let bytes = std::fs::read(place.path(&copy)).unwrap();
    std::fs::write(place.path(&copy), &bytes[..bytes.len() / 2]).unwrap();
    let before = untouched(&path);
    app.press("Home Enter Right Enter")
        .expect("The copy was not put back")
        .expect("is damaged")
        .expect("The file is as it was");
    assert_eq!(untouched(&path), before);
    app.press("Enter").expect("1 of 197");
}

#[test]
fn undo_on_the_page_of_another_connector_names_it_and_asks() {
    let place = Place::new();
    let path = place.demo();
    let mut app = App::open(&path, 100, 30);
    app.press("Esc Home Down t").expect("takes it back");
    let modes =
        "SELECT group_concat(coalesce(auth_mode, '-'), ',') FROM (SELECT auth_mode FROM connectors ORDER BY id)";
    let toggled = rows(&path, modes);
    // On its own page there is nothing to ask; on another one there is.
    app.press("Down Enter u").expect("Take the last step back: auth mode of").expect("not part of it");
    app.expect("[ Cancel ]").press("Enter");
    assert_eq!(rows(&path, modes), toggled);
    app.press("u Right Enter").expect("undone: auth mode of");
    assert_ne!(rows(&path, modes), toggled);
    app.press("Ctrl-r").expect("Bring the auth mode of").expect("not part of it").press("Right Enter");
    assert_eq!(rows(&path, modes), toggled);
    app.press("Esc Enter u").expect("undone: auth mode of").expect_not("not part of it");
}

#[test]
fn undo_on_the_page_of_another_step_names_it_and_asks() {
    let place = Place::new();
    let mut app = App::open(&place.demo(), 100, 30);
    app.press("Esc Home t Down t H Down Enter").expect("1 of 1").press("u");
    app.expect("Take the last step back: auth mode of").expect("It is not the step on this page").press("Esc");
    app.press("Esc Home Enter u").expect("undone: auth mode of");
}

#[test]
fn undo_on_the_page_of_a_connector_that_was_deleted_elsewhere_asks() {
    let place = Place::new();
    let path = place.demo();
    let mut app = App::open(&path, 100, 30);
    app.press("Esc Home Down Down Enter").expect("Audit webhook");
    execute(&path, "DELETE FROM connectors WHERE name LIKE 'Audit webhook%'");
    App::open(&path, 100, 30).press("Esc Home t");
    app.told(Reply::ChangedOnDisk).press("Down").expect("This connector has been deleted");
    app.press("u").expect("Take the last step back: auth mode of").expect("not part of it").press("Esc");
    app.expect("This connector has been deleted");
}

#[test]
fn twelve_steps_of_one_connector_are_undone_on_its_page_without_a_question() {
    let place = Place::new();
    let mut app = App::open(&place.demo(), 100, 30);
    app.press("Esc Home Enter");
    for _ in 0..12 {
        app.press("t");
    }
    for _ in 0..12 {
        app.press("u").expect("undone: auth mode of").expect_not("not part of it");
    }
}
