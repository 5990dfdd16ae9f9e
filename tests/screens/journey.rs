//! The main job from beginning to end.

use crate::support::{App, TestDir, records, rows, untouched};

fn count(path: &std::path::Path, condition: &str) -> String {
    rows(path, &format!("SELECT count(*) FROM connectors WHERE {condition}")).concat()
}

#[test]
fn upgraded_file_opens_in_the_review_and_names_the_backup() {
    let dir = TestDir::new();
    let path = dir.demo();
    App::open(&path, 120, 40)
        .expect("Migration review")
        .expect("Schema upgraded 1 to 2")
        .expect("Backup: demo.db.schema1-")
        .expect("189 pending: backfill 73, stamp only 111, blocked 5");
    // The next start upgrades nothing and opens the list, which still shows the pending count.
    App::open(&path, 120, 40).expect("Connectors").expect("189 connectors to migrate: m reviews that");
}

#[test]
fn review_decide_apply_and_roll_back() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut app = App::open(&path, 80, 24);
    let before = (records(&path), untouched(&path));
    app.act("choose-second").expect("per-user (you)");
    app.act("skip").expect("skipped").expect("you: 1 per-user, 1 skip");
    app.act("apply")
        .expect("183 connectors to model version 2")
        .expect("71 backfill: shared")
        .expect("1 per-user, as you decided");
    // The safe answer has the focus.
    app.act("confirm");
    assert_eq!(records(&path), before.0);
    app.act("apply right confirm")
        .expect("Migration applied")
        .expect("71 backfilled as planned")
        .expect("1 per-user, as you decided")
        .expect("111 stamp only");
    app.expect("1 skipped by you");
    assert_eq!(untouched(&path), before.1);
    assert_eq!(count(&path, "model_version = 2 AND auth_mode = 'shared'"), rows(&path, "SELECT 71 + 3").concat());
    app.act("confirm").expect("Legacy import (cut off)").expect("skipped");
    app.act("rollback right confirm").expect("Rolled back 183 connectors");
    assert_eq!(records(&path), before.0);
    // The decisions are still there: applying again gives the same result.
    app.expect("189 pending").expect("1 per-user, 1 skip");
}

#[test]
fn decisions_apply_to_the_selection_and_can_be_reset() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 120, 40);
    app.act("select select select choose-second").expect("Decision saved for 3 connectors").expect("you: 3 per-user");
    app.act("top reset-decision").expect("you: 2 per-user");
    app.act("next-group next-group next-group")
        .expect("1 of 5")
        .act("choose-first")
        .expect("This record is blocked: repair it first");
}

#[test]
fn stamp_only_records_can_be_given_a_mode() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut app = App::open(&path, 120, 40);
    app.act("next-group next-group")
        .expect("1 of 111")
        .act("down choose-first choose-second apply right confirm")
        .expect("Migration applied");
    assert_eq!(count(&path, "auth_mode = 'per-user' AND model_version = 2"), rows(&path, "SELECT 6 + 1").concat());
}

#[test]
fn edited_records_are_listed_and_not_rolled_back() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut app = App::open(&path, 120, 40);
    app.act("apply right confirm confirm back");
    app.act("filter").type_text("\"Aurora runbooks\"").act("confirm toggle-mode").expect("u to undo");
    app.act("review rollback right confirm")
        .expect("Partly rolled back")
        .expect("1 connector changed since and skipped");
    assert_eq!(count(&path, "name = 'Aurora runbooks' AND auth_mode = 'per-user' AND model_version = 2"), "Integer(1)");
}

#[test]
fn blocked_record_is_repaired_and_migrated() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut app = App::open(&path, 120, 40);
    app.act("filter").type_text("\"numeric auth\"").act("confirm").expect("blocked: config.authType is a number");
    app.act("edit").expect("> Authentication type").press("Ctrl-k").type_text("\"webhook-authentication-basic\"");
    app.act("save").expect("config.authType").act("yes").expect("Saved Webhook, numeric auth type");
    app.act("back").expect("blocked 4").expect("backfill 74");
}

#[test]
fn applying_twice_equals_applying_once() {
    let dir = TestDir::new();
    let path = dir.demo();
    let before = {
        App::open(&path, 80, 24);
        untouched(&path)
    };
    let mut store = connector_admin::store::Store::open(&path, &std::sync::Arc::default(), &mut |_| Ok(())).unwrap().0;
    let applied = store.apply(false, "2026-11-25T00:00:00.000Z", &mut |_, _| true).unwrap();
    assert_eq!((applied.backfilled, applied.stamped, applied.blocked), (73, 111, 5));
    let again = store.apply(false, "2026-11-25T00:00:00.000Z", &mut |_, _| true).unwrap();
    assert_eq!((again.run, again.written()), (None, 0));
    assert_eq!(untouched(&path), before);
}
