//! Steps one by one: what they are called, parts of them, both sides of a conflict, forgetting.

use connector_admin::domain::change::{ChangeState, changes};
use connector_admin::domain::{AuthMode, Connector};
use connector_admin::store::{Back, HistoryLimits, Kind, ModeChange, StepState, Store, StoreError};

use crate::model::open;
use crate::support::{Place, execute, records, rows};

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
fn every_step_says_what_it_was_about() {
    let place = Place::new();
    let mut store = open(&place.path("a.db"));
    add(&mut store, "a");
    add(&mut store, "b");
    rename(&mut store, "a", "renamed");
    store.set_auth_mode(&["a".to_owned(), "b".to_owned()], ModeChange::To(AuthMode::PerUser), NOW).unwrap();
    store.delete(&["b".to_owned()], NOW).unwrap();
    undo(&mut store);
    let redo = store.next_redo().unwrap().unwrap();
    store.revert(redo.step, NOW, &mut |_, _| true).unwrap();
    let told: Vec<String> =
        store.steps(None, 10).unwrap().iter().map(|step| format!("{} · {}", step.word(), step.about())).collect();
    assert_eq!(
        told,
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
    assert_eq!(rows(&place.path("a.db"), bytes), [format!("Integer({})", sizes.bytes)]);
}

#[test]
fn both_sides_of_an_old_change_are_known_whatever_came_after() {
    let place = Place::new();
    let mut store = open(&place.path("a.db"));
    let created = add(&mut store, "a");
    rename(&mut store, "a", "second");
    rename(&mut store, "a", "third");
    store.delete(&["a".to_owned()], NOW).unwrap();
    let first = store.change(1, "a").unwrap().unwrap();
    assert_eq!((first.before, first.after.unwrap().name, first.now), (None, created.name, None));
    assert_eq!(first.state, ChangeState::DeletedSince);
    let second = store.change(2, "a").unwrap().unwrap();
    let told: Vec<_> = changes(&second.before.unwrap(), &second.after.unwrap());
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].before.as_deref(), told[0].after.as_deref()), (Some("name of a"), Some("second")));
    let deleted = store.change(4, "a").unwrap().unwrap();
    assert_eq!(
        (deleted.before.unwrap().name.as_str(), deleted.after, deleted.state),
        ("third", None, ChangeState::InForce)
    );
    assert_eq!(store.change(4, "b").unwrap(), None);
}

#[test]
fn a_part_of_a_step_is_taken_back_and_then_the_rest() {
    let place = Place::new();
    let path = place.path("a.db");
    let mut store = open(&path);
    for id in ["a", "b", "c"] {
        add(&mut store, id);
    }
    let before = records(&path);
    let ids = ["a", "b", "c"].map(str::to_owned);
    let step = store.set_auth_mode(&ids, ModeChange::To(AuthMode::PerUser), NOW).unwrap().step.unwrap();
    let part = store.revert_some(step, &ids[1..2], NOW).unwrap();
    assert_eq!((part.restored, part.only), (1, Some(("b".to_owned(), "name of b".to_owned()))));
    assert_eq!(store.change(step, "b").unwrap().unwrap().state, ChangeState::TakenBack);
    assert_eq!(store.revert_some(step, &ids[1..2], NOW).unwrap().by, None, "twice equals once");
    assert_eq!(store.step(step).unwrap().unwrap().state, StepState::Done);
    // Undo does the rest and does not mistake the part for a conflict.
    let rest = store.revert(step, NOW, &mut |_, _| true).unwrap();
    assert_eq!((rest.restored, rest.conflicts.len()), (2, 0));
    assert_eq!(records(&path), before);
    assert_eq!(store.last_step().unwrap().unwrap().kind, Kind::Create);
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
fn the_rest_of_a_step_that_was_brought_again_is_the_last_step() {
    let place = Place::new();
    let path = place.path("a.db");
    let mut store = open(&path);
    let ids = ["a", "b", "c"].map(str::to_owned);
    ids.iter().for_each(|id| drop(add(&mut store, id)));
    let before = records(&path);
    let step = store.set_auth_mode(&ids, ModeChange::To(AuthMode::PerUser), NOW).unwrap().step.unwrap();
    store.revert_some(step, &ids[..1], NOW).unwrap();
    store.revert(step, NOW, &mut |_, _| true).unwrap();
    let redo = store.next_redo().unwrap().unwrap();
    store.revert(redo.step, NOW, &mut |_, _| true).unwrap();
    // Undo takes back what came again, and nothing older.
    assert_eq!(store.last_step().unwrap().unwrap().step, step);
    let again = store.revert(step, NOW, &mut |_, _| true).unwrap();
    assert_eq!((again.restored, again.conflicts.len()), (2, 0));
    assert_eq!(records(&path), before);
}

#[test]
fn taking_every_part_back_takes_the_step_back() {
    let place = Place::new();
    let mut store = open(&place.path("a.db"));
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
fn a_conflict_shows_both_sides_and_is_decided_one_by_one() {
    let place = Place::new();
    let path = place.path("a.db");
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
    assert_eq!(change.state, ChangeState::ChangedSince);
    let (was, now) = (change.before.unwrap(), change.now.unwrap());
    assert_eq!((was.name.as_str(), was.auth_mode), ("name of a", Some(AuthMode::Shared)));
    assert_eq!((now.name.as_str(), now.auth_mode), ("edited since", Some(AuthMode::PerUser)));
    // Changed once more after the person looked: refused, nothing lost.
    execute(&path, "UPDATE connectors SET name = 'theirs' WHERE id = 'a'");
    assert!(matches!(store.revert_over(step, "a", Some(now.revision), NOW), Err(StoreError::History(_))));
    let seen = store.get("a").unwrap().unwrap();
    assert_eq!(seen.name, "theirs");
    // Only what the step changed goes back; what came later in other columns stays.
    store.revert_over(step, "a", Some(seen.revision), NOW).unwrap();
    let back = store.get("a").unwrap().unwrap();
    assert_eq!((back.name.as_str(), back.auth_mode), ("theirs", Some(AuthMode::Shared)));
    // That is a step too: redo brings the other side again.
    let redo = store.next_redo().unwrap().unwrap();
    store.revert(redo.step, NOW, &mut |_, _| true).unwrap();
    let again = store.get("a").unwrap().unwrap();
    assert_eq!((again.name.as_str(), again.auth_mode), ("theirs", Some(AuthMode::PerUser)));
}

#[test]
fn secrets_go_back_with_the_config_they_are_sealed_with() {
    let place = Place::new();
    let mut store = open(&place.path("a.db"));
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
    // Step 3 replaced the secrets alone; what it replaced opens with the first config only.
    let seen = store.get("a").unwrap().unwrap().revision;
    store.revert_over(3, "a", Some(seen), NOW).unwrap();
    let back = store.get("a").unwrap().unwrap();
    assert_eq!(back.secrets.as_deref(), Some("sealed with the first config"));
    assert_eq!((back.config, back.name.as_str()), (first.config, "later"));
}

#[test]
fn what_another_program_deleted_comes_back_only_if_the_history_holds_all_of_it() {
    let place = Place::new();
    let path = place.path("a.db");
    let mut store = open(&path);
    for id in ["a", "b"] {
        add(&mut store, id);
    }
    let ids = ["a", "b"].map(str::to_owned);
    let step = store.set_auth_mode(&ids, ModeChange::To(AuthMode::PerUser), NOW).unwrap().step.unwrap();
    execute(&path, "DELETE FROM connectors WHERE id = 'a'");
    store.delete(&["b".to_owned()], NOW).unwrap();
    let (theirs, ours) = (store.change(step, "a").unwrap().unwrap(), store.change(step, "b").unwrap().unwrap());
    assert_eq!((theirs.back, theirs.state), (Back::Unknown, ChangeState::DeletedSince));
    assert_eq!(changes(&theirs.before.unwrap(), &theirs.after.unwrap()).len(), 1, "what changed is shown all the same");
    let refused = store.revert_over(step, "a", None, NOW).unwrap_err().to_string();
    assert!(refused.contains("holds only what step 3 changed of it"), "{refused}");
    assert_eq!(store.get("a").unwrap(), None);
    assert!(matches!(ours.back, Back::Record(_)));
    store.revert_over(step, "b", None, NOW).unwrap();
    let back = store.get("b").unwrap().unwrap();
    assert_eq!((back.name.as_str(), back.auth_mode), ("name of b", Some(AuthMode::Shared)));
}

#[test]
fn what_is_left_of_a_step_is_counted() {
    let place = Place::new();
    let mut store = open(&place.path("a.db"));
    for id in ["a", "b", "c"] {
        add(&mut store, id);
    }
    let ids = ["a", "b", "c"].map(str::to_owned);
    let step = store.set_auth_mode(&ids, ModeChange::To(AuthMode::PerUser), NOW).unwrap().step.unwrap();
    store.revert_some(step, &ids[..1], NOW).unwrap();
    let told = |store: &Store| store.step(step).unwrap().map(|step| (step.left(), step.progress())).unwrap();
    assert_eq!(told(&store), (2, "1 taken back".to_owned()));
    rename(&mut store, "b", "edited since");
    store.revert(step, NOW, &mut |_, _| true).unwrap();
    assert_eq!(told(&store), (1, "2 taken back".to_owned()));
}

#[test]
fn something_new_ends_what_can_be_brought_again() {
    let place = Place::new();
    let mut store = open(&place.path("a.db"));
    add(&mut store, "a");
    rename(&mut store, "a", "second");
    undo(&mut store);
    assert!(store.next_redo().unwrap().is_some());
    add(&mut store, "b");
    assert_eq!(store.next_redo().unwrap(), None);
    // The history still knows the step, and can bring it again all the same.
    let redone = store.revert(3, NOW, &mut |_, _| true).unwrap();
    assert_eq!(redone.restored, 1);
    assert_eq!(store.get("a").unwrap().unwrap().name, "second");
    // Taking the redo back is taking back what it brought again.
    let change = store.change(5, "a").unwrap().unwrap();
    assert_eq!(change.state, ChangeState::InForce);
    let undone = store.revert(5, NOW, &mut |_, _| true).unwrap();
    assert_eq!((undone.step.step, undone.restored), (2, 1));
    assert_eq!(store.get("a").unwrap().unwrap().name, "name of a");
    assert_eq!(store.change(5, "a").unwrap().unwrap().state, ChangeState::TakenBack);
}

#[test]
fn old_steps_are_forgotten_only_where_the_file_asks_for_it() {
    let place = Place::new();
    let path = place.path("a.db");
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
    // What is left can be taken back and brought again as before.
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
