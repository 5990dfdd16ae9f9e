//! Single steps: their names, partial reverts, both sides of a conflict, pruning.

use connector_admin::domain::diff::{ChangeState, changes};
use connector_admin::domain::{AuthMode, Connector};
use connector_admin::messages::history::{about, progress};
use connector_admin::store::{HistoryLimits, ModeChange, OperationKind, RevertPreview, StepState, Store, StoreError};

use crate::model::open;
use crate::support::{TestDir, execute, records, rows};

const NOW: &str = "2026-11-25T12:00:00.000Z";

fn add(store: &mut Store, id: &str) -> Connector {
    let connector = Connector {
        name: format!("name of {id}"),
        config: r#"{"authType":"basic","url":"https://a.example"}"#.to_owned(),
        ..Connector::new(id, ".webhook")
    };
    store.create(&connector, NOW).unwrap()
}

fn rename(store: &mut Store, id: &str, name: &str) {
    let current = store.get(id).unwrap().unwrap();
    let edited = Connector { name: name.to_owned(), ..current };
    store.save::<StoreError>(&edited, NOW, |_, _| Ok(())).unwrap();
}

fn undo(store: &mut Store) {
    let step = store.last_step().unwrap().unwrap();
    store.revert(step.step, NOW, &mut |_, _| true).unwrap();
}

#[test]
fn history_entry_names_its_subject() {
    let dir = TestDir::new();
    let mut store = open(&dir.path("a.db"));
    add(&mut store, "a");
    add(&mut store, "b");
    rename(&mut store, "a", "renamed");
    store.set_auth_mode(&["a".to_owned(), "b".to_owned()], ModeChange::To(AuthMode::PerUser), NOW).unwrap();
    store.delete(&["b".to_owned()], NOW).unwrap();
    undo(&mut store);
    let redo = store.next_redo().unwrap().unwrap();
    store.revert(redo.step, NOW, &mut |_, _| true).unwrap();
    let message: Vec<String> =
        store.steps(None, 10).unwrap().iter().map(|step| format!("{} · {}", step.word(), about(step))).collect();
    assert_eq!(
        message,
        [
            "redo · delete of name of b (step 5)",
            "undo · delete of name of b (step 5)",
            "delete · name of b",
            "auth mode · 2 connectors",
            "edit · renamed",
            "create · name of b",
            "create · name of a"
        ]
    );
    let of_b: Vec<&str> = store.history_of("b", 10).unwrap().iter().map(|entry| entry.step.word()).collect();
    assert_eq!(of_b, ["redo", "undo", "delete", "auth mode", "create"]);
    let sizes = store.history_size().unwrap();
    assert_eq!((sizes.steps, sizes.changes), (7, 8));
    let bytes = "SELECT sum(coalesce(length(before), 0) + coalesce(length(after), 0)) FROM history_changes";
    assert_eq!(rows(&dir.path("a.db"), bytes), [format!("Integer({})", sizes.bytes)]);
}

#[test]
fn old_change_keeps_both_sides() {
    let dir = TestDir::new();
    let mut store = open(&dir.path("a.db"));
    let created = add(&mut store, "a");
    rename(&mut store, "a", "second");
    rename(&mut store, "a", "third");
    store.delete(&["a".to_owned()], NOW).unwrap();
    let first = store.change(1, "a").unwrap().unwrap();
    assert_eq!((first.before, first.after.unwrap().name, first.now), (None, created.name, None));
    assert_eq!(first.state, ChangeState::DeletedSince);
    let second = store.change(2, "a").unwrap().unwrap();
    let message: Vec<_> = changes(&second.before.unwrap(), &second.after.unwrap());
    assert_eq!(message.len(), 1);
    assert_eq!((message[0].before.as_deref(), message[0].after.as_deref()), (Some("name of a"), Some("second")));
    let deleted = store.change(4, "a").unwrap().unwrap();
    assert_eq!(
        (deleted.before.unwrap().name.as_str(), deleted.after, deleted.state),
        ("third", None, ChangeState::Applied)
    );
    assert_eq!(store.change(4, "b").unwrap(), None);
}

#[test]
fn partial_revert_then_the_rest() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let mut store = open(&path);
    for id in ["a", "b", "c"] {
        add(&mut store, id);
    }
    let before = records(&path);
    let ids = ["a", "b", "c"].map(str::to_owned);
    let step = store.set_auth_mode(&ids, ModeChange::To(AuthMode::PerUser), NOW).unwrap().step.unwrap();
    let part = store.revert_some(step, &ids[1..2], NOW).unwrap();
    assert_eq!((part.restored, part.only), (1, Some(("b".to_owned(), "name of b".to_owned()))));
    assert_eq!(store.change(step, "b").unwrap().unwrap().state, ChangeState::Undone);
    assert_eq!(store.revert_some(step, &ids[1..2], NOW).unwrap().by, None, "twice equals once");
    assert_eq!(store.step(step).unwrap().unwrap().state, StepState::Done);
    // Undo does the rest and does not mistake the part for a conflict.
    let rest = store.revert(step, NOW, &mut |_, _| true).unwrap();
    assert_eq!((rest.restored, rest.conflicts.len()), (2, 0));
    assert_eq!(records(&path), before);
    assert_eq!(store.last_step().unwrap().unwrap().kind, OperationKind::Create);
    // Both parts come again, the newest first.
    for modes in [2, 3] {
        let redo = store.next_redo().unwrap().unwrap();
        store.revert(redo.step, NOW, &mut |_, _| true).unwrap();
        let count = "SELECT count(*) FROM connectors WHERE auth_mode = 'per-user'";
        assert_eq!(rows(&path, count), [format!("Integer({modes})")]);
    }
    assert_eq!(store.last_step().unwrap().unwrap().step, step);
}

#[test]
fn rest_of_a_redone_step_is_the_last_step() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let mut store = open(&path);
    let ids = ["a", "b", "c"].map(str::to_owned);
    ids.iter().for_each(|id| drop(add(&mut store, id)));
    let before = records(&path);
    let step = store.set_auth_mode(&ids, ModeChange::To(AuthMode::PerUser), NOW).unwrap().step.unwrap();
    store.revert_some(step, &ids[..1], NOW).unwrap();
    store.revert(step, NOW, &mut |_, _| true).unwrap();
    let redo = store.next_redo().unwrap().unwrap();
    store.revert(redo.step, NOW, &mut |_, _| true).unwrap();
    // Undo reverts the redone step, and nothing older.
    assert_eq!(store.last_step().unwrap().unwrap().step, step);
    let again = store.revert(step, NOW, &mut |_, _| true).unwrap();
    assert_eq!((again.restored, again.conflicts.len()), (2, 0));
    assert_eq!(records(&path), before);
}

#[test]
fn reverting_every_part_reverts_the_step() {
    let dir = TestDir::new();
    let mut store = open(&dir.path("a.db"));
    for id in ["a", "b"] {
        add(&mut store, id);
    }
    let ids = ["a", "b"].map(str::to_owned);
    let step = store.set_auth_mode(&ids, ModeChange::To(AuthMode::PerUser), NOW).unwrap().step.unwrap();
    store.revert_some(step, &ids[..1], NOW).unwrap();
    store.revert_some(step, &ids[1..], NOW).unwrap();
    assert_eq!(store.step(step).unwrap().unwrap().state, StepState::Reverted);
    assert!(matches!(store.revert(step, NOW, &mut |_, _| true), Err(StoreError::History(_))));
}

#[test]
fn history_conflict_resolved_per_record() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let mut store = open(&path);
    for id in ["a", "b"] {
        add(&mut store, id);
    }
    let ids = ["a", "b"].map(str::to_owned);
    let step = store.set_auth_mode(&ids, ModeChange::To(AuthMode::PerUser), NOW).unwrap().step.unwrap();
    rename(&mut store, "a", "edited since");
    let reverted = store.revert(step, NOW, &mut |_, _| true).unwrap();
    assert_eq!((reverted.restored, reverted.conflicts), (1, vec!["a".to_owned()]));
    let change = store.change(step, "a").unwrap().unwrap();
    assert_eq!(change.state, ChangeState::ModifiedSince);
    let (was, now) = (change.before.unwrap(), change.now.unwrap());
    assert_eq!((was.name.as_str(), was.auth_mode), ("name of a", Some(AuthMode::Shared)));
    assert_eq!((now.name.as_str(), now.auth_mode), ("edited since", Some(AuthMode::PerUser)));
    // Changed again after it was shown: refused, nothing lost.
    execute(&path, "UPDATE connectors SET name = 'theirs' WHERE id = 'a'");
    assert!(matches!(store.revert_over(step, "a", Some(now.revision), NOW), Err(StoreError::History(_))));
    let seen = store.get("a").unwrap().unwrap();
    assert_eq!(seen.name, "theirs");
    // Only the columns of the step are reverted; later changes of others stay.
    store.revert_over(step, "a", Some(seen.revision), NOW).unwrap();
    let back = store.get("a").unwrap().unwrap();
    assert_eq!((back.name.as_str(), back.auth_mode), ("theirs", Some(AuthMode::Shared)));
    // That is a step too: redo restores the other side.
    let redo = store.next_redo().unwrap().unwrap();
    store.revert(redo.step, NOW, &mut |_, _| true).unwrap();
    let again = store.get("a").unwrap().unwrap();
    assert_eq!((again.name.as_str(), again.auth_mode), ("theirs", Some(AuthMode::PerUser)));
}

#[test]
fn revert_restores_secrets_with_their_config() {
    let dir = TestDir::new();
    let mut store = open(&dir.path("a.db"));
    let first = add(&mut store, "a");
    let save = |store: &mut Store, change: &dyn Fn(&mut Connector)| {
        let mut edited = store.get("a").unwrap().unwrap();
        change(&mut edited);
        store.save::<StoreError>(&edited, NOW, |_, _| Ok(())).unwrap();
    };
    save(&mut store, &|record| record.secrets = Some("sealed with the first config".to_owned()));
    save(&mut store, &|record| record.secrets = Some("replaced under the first config".to_owned()));
    save(&mut store, &|record| {
        record.config = r#"{"url":"https://b.example"}"#.to_owned();
        record.secrets = Some("sealed with the second config".to_owned());
        record.name = "later".to_owned();
    });
    // Step 3 replaced only the secrets; the replaced ones can be decrypted only with the first config.
    let seen = store.get("a").unwrap().unwrap().revision;
    store.revert_over(3, "a", Some(seen), NOW).unwrap();
    let back = store.get("a").unwrap().unwrap();
    assert_eq!(back.secrets.as_deref(), Some("sealed with the first config"));
    assert_eq!((back.config, back.name.as_str()), (first.config, "later"));
}

#[test]
fn foreign_delete_is_reverted_only_from_a_full_record() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let mut store = open(&path);
    for id in ["a", "b"] {
        add(&mut store, id);
    }
    let ids = ["a", "b"].map(str::to_owned);
    let step = store.set_auth_mode(&ids, ModeChange::To(AuthMode::PerUser), NOW).unwrap().step.unwrap();
    execute(&path, "DELETE FROM connectors WHERE id = 'a'");
    store.delete(&["b".to_owned()], NOW).unwrap();
    let (theirs, ours) = (store.change(step, "a").unwrap().unwrap(), store.change(step, "b").unwrap().unwrap());
    assert_eq!((theirs.back, theirs.state), (RevertPreview::Unknown, ChangeState::DeletedSince));
    assert_eq!(changes(&theirs.before.unwrap(), &theirs.after.unwrap()).len(), 1, "the changed column is shown");
    let refused = store.revert_over(step, "a", None, NOW).unwrap_err().to_string();
    assert!(refused.contains("holds only what step 3 changed of it"), "{refused}");
    assert_eq!(store.get("a").unwrap(), None);
    assert!(matches!(ours.back, RevertPreview::Record(_)));
    store.revert_over(step, "b", None, NOW).unwrap();
    let back = store.get("b").unwrap().unwrap();
    assert_eq!((back.name.as_str(), back.auth_mode), ("name of b", Some(AuthMode::Shared)));
}

#[test]
fn remaining_records_of_a_step_are_counted() {
    let dir = TestDir::new();
    let mut store = open(&dir.path("a.db"));
    for id in ["a", "b", "c"] {
        add(&mut store, id);
    }
    let ids = ["a", "b", "c"].map(str::to_owned);
    let step = store.set_auth_mode(&ids, ModeChange::To(AuthMode::PerUser), NOW).unwrap().step.unwrap();
    store.revert_some(step, &ids[..1], NOW).unwrap();
    let message = |store: &Store| store.step(step).unwrap().map(|step| (step.left(), progress(&step))).unwrap();
    assert_eq!(message(&store), (2, "1 undone".to_owned()));
    rename(&mut store, "b", "edited since");
    store.revert(step, NOW, &mut |_, _| true).unwrap();
    assert_eq!(message(&store), (1, "2 undone".to_owned()));
}

#[test]
fn new_step_clears_redo() {
    let dir = TestDir::new();
    let mut store = open(&dir.path("a.db"));
    add(&mut store, "a");
    rename(&mut store, "a", "second");
    undo(&mut store);
    assert!(store.next_redo().unwrap().is_some());
    add(&mut store, "b");
    assert_eq!(store.next_redo().unwrap(), None);
    // The history still has the step, and can redo it.
    let redone = store.revert(3, NOW, &mut |_, _| true).unwrap();
    assert_eq!(redone.restored, 1);
    assert_eq!(store.get("a").unwrap().unwrap().name, "second");
    // Undoing the redo reverts the redone step.
    let change = store.change(5, "a").unwrap().unwrap();
    assert_eq!(change.state, ChangeState::Applied);
    let undone = store.revert(5, NOW, &mut |_, _| true).unwrap();
    assert_eq!((undone.step.step, undone.restored), (2, 1));
    assert_eq!(store.get("a").unwrap().unwrap().name, "name of a");
    assert_eq!(store.change(5, "a").unwrap().unwrap().state, ChangeState::Undone);
}

#[test]
fn old_steps_are_pruned_only_on_request() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let mut store = open(&path);
    add(&mut store, "a");
    for number in 0..30 {
        rename(&mut store, "a", &format!("{number}{}", "x".repeat(100_000)));
    }
    undo(&mut store);
    let now: jiff::Timestamp = "2026-12-25T12:00:00Z".parse().unwrap();
    assert!(store.history_limits().unwrap().is_off());
    assert_eq!(store.prune(HistoryLimits::default(), now, &mut |_, _| true).unwrap().steps, 0);
    let limits = HistoryLimits { days: None, megabytes: Some(2) };
    store.set_history_limits(limits).unwrap();
    drop(store);
    store = open(&path);
    assert_eq!(store.history_limits().unwrap(), limits);
    let before = records(&path);
    let pruned = store.prune(limits, now, &mut |_, _| true).unwrap();
    assert!(pruned.steps > 10 && pruned.steps < 30, "{pruned:?}");
    assert!(store.history_size().unwrap().bytes <= 2_000_000);
    assert_eq!(records(&path), before);
    // The rest can be undone and redone as before.
    let redo = store.next_redo().unwrap().unwrap();
    store.revert(redo.step, NOW, &mut |_, _| true).unwrap();
    undo(&mut store);
    assert_eq!(records(&path), before);
    let by_age = HistoryLimits { days: Some(31), megabytes: None };
    assert_eq!(store.prune(by_age, now, &mut |_, _| true).unwrap().steps, 0);
    let by_age = HistoryLimits { days: Some(29), megabytes: None };
    store.prune(by_age, now, &mut |_, _| true).unwrap();
    assert_eq!(store.history_size().unwrap().steps, 0);
    assert_eq!(rows(&path, "SELECT count(*) FROM history_changes"), ["Integer(0)"]);
}
