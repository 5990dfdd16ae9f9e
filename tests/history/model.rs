//! Undo and redo against a model: a stack of states of the file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use connector_admin::domain::{AuthMode, Connector};
use connector_admin::store::{ImportOptions, ModeChange, OnConflict, Reverted, Store, StoreError};
use proptest::prelude::*;

use crate::support::{TestDir, execute, records, rows};

const NOW: &str = "2026-11-25T12:00:00.000Z";

pub fn open(path: &Path) -> Store {
    Store::open(path, &Arc::default(), &mut |_| Ok(())).expect("opens").0
}

#[derive(Clone, Debug)]
enum Op {
    Create(u8),
    Edit(u8, u8),
    SetMode(Vec<u8>, bool),
    Delete(Vec<u8>),
    Import(Vec<u8>, u8),
    Apply,
    Undo,
    Redo,
    /// Close the file and open it again.
    Restart,
    /// Another program, which does not know the history.
    Foreign(u8, u8),
}

fn ids() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0..6_u8, 1..4)
}

fn op(with_foreign: bool) -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (0..6_u8).prop_map(Op::Create),
        2 => (0..6_u8, 0..9_u8).prop_map(|(id, value)| Op::Edit(id, value)),
        2 => (ids(), any::<bool>()).prop_map(|(ids, mode)| Op::SetMode(ids, mode)),
        1 => ids().prop_map(Op::Delete),
        1 => (ids(), 0..9_u8).prop_map(|(ids, value)| Op::Import(ids, value)),
        1 => Just(Op::Apply),
        5 => Just(Op::Undo),
        3 => Just(Op::Redo),
        1 => Just(Op::Restart),
        if with_foreign { 2 } else { 0 } => (0..6_u8, 0..9_u8).prop_map(|(id, value)| Op::Foreign(id, value)),
    ]
}

fn id(number: u8) -> String {
    format!("c{number}")
}

fn names(numbers: &[u8]) -> Vec<String> {
    numbers.iter().map(|number| id(*number)).collect()
}

fn connector(number: u8, value: u8) -> Connector {
    Connector {
        name: format!("connector {value}"),
        config: format!("{{\"authType\":\"basic\",\"value\":{value}}}"),
        secrets: value.is_multiple_of(2).then(|| format!("sealed {value}")),
        auth_mode: None,
        model_version: 1,
        ..Connector::new(&id(number), ".webhook")
    }
}

/// Does something new; true when the history has a step of it.
fn forward(store: &mut Store, op: &Op, now: &str) -> bool {
    match op {
        Op::Create(number) => store.create(&connector(*number, *number), now).is_ok(),
        Op::Edit(number, value) => {
            let Some(current) = store.get(&id(*number)).unwrap() else { return false };
            let edited =
                Connector { revision: current.revision, updated_at: current.updated_at, ..connector(*number, *value) };
            store.save::<StoreError>(&edited, now, |_, _| Ok(())).unwrap();
            true
        }
        Op::SetMode(numbers, shared) => {
            let mode = if *shared { AuthMode::Shared } else { AuthMode::PerUser };
            store.set_auth_mode(&names(numbers), ModeChange::To(mode), now).unwrap().step.is_some()
        }
        Op::Delete(numbers) => store.delete(&names(numbers), now).unwrap().step.is_some(),
        Op::Import(numbers, value) => {
            let mut numbers = numbers.clone();
            numbers.sort_unstable();
            numbers.dedup();
            let mut incoming = numbers.iter().map(|number| Ok::<_, StoreError>(connector(*number, *value)));
            let options =
                ImportOptions { on_conflict: OnConflict::Overwrite, create_automatic_backup: true, source: "x.ndjson" };
            let outcome = store.import(&mut incoming, options, &mut |_, _| Ok(()), now, |_| true);
            outcome.unwrap().step.is_some()
        }
        Op::Apply => store.apply(false, now, &mut |_, _| true).unwrap().run.is_some(),
        Op::Undo | Op::Redo | Op::Restart | Op::Foreign(..) => false,
    }
}

fn back(store: &mut Store, op: &Op, now: &str) -> Option<Reverted> {
    let step = match op {
        Op::Undo => store.last_step(),
        _ => store.next_redo(),
    };
    step.unwrap().map(|step| store.revert(step.step, now, &mut |_, _| true).unwrap())
}

fn by_id(path: &Path) -> BTreeMap<String, String> {
    records(path).into_iter().map(|row| (row.split('|').next().unwrap().to_owned(), row)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn undo_and_redo_match_a_stack_model(ops in prop::collection::vec(op(false), 1..40)) {
        let dir = TestDir::new();
        let path = dir.path("model.db");
        let mut store = open(&path);
        let (mut undo, mut redo) = (Vec::new(), Vec::new());
        for (at, op) in ops.iter().enumerate() {
            let now = format!("2026-11-25T12:00:{at:02}.000Z");
            let before = records(&path);
            let (from, to) = match op {
                Op::Undo => (&mut undo, &mut redo),
                Op::Redo => (&mut redo, &mut undo),
                Op::Restart => {
                    drop(store);
                    store = open(&path);
                    continue;
                }
                op => {
                    if forward(&mut store, op, &now) {
                        undo.push(before);
                        redo.clear();
                    } else {
                        prop_assert_eq!(&records(&path), &before);
                    }
                    continue;
                }
            };
            match (from.pop(), back(&mut store, op, &now)) {
                (Some(expected), Some(reverted)) => {
                    prop_assert_eq!(records(&path), expected);
                    prop_assert_eq!(reverted.conflicts, Vec::<String>::new());
                    to.push(before);
                }
                (None, None) => prop_assert_eq!(records(&path), before),
                (expected, done) => panic!("{op:?}: the model has {}, the file {done:?}", expected.is_some()),
            }
        }
    }

    #[test]
    fn foreign_changes_are_listed_and_never_overwritten(ops in prop::collection::vec(op(true), 1..40)) {
        let dir = TestDir::new();
        let path = dir.path("company.db");
        let mut store = open(&path);
        for op in &ops {
            let before = by_id(&path);
            match op {
                Op::Restart => {}
                Op::Foreign(number, value) => {
                    execute(&path, &format!("UPDATE connectors SET name = 'theirs {value}' WHERE id = '{}'", id(*number)));
                    let foreign = "SELECT count(*) FROM connectors WHERE revision >= 0 AND name LIKE 'theirs%'
                        AND NOT EXISTS (SELECT 1 FROM history_changes AS c WHERE c.step = revision AND c.connector_id = id)";
                    prop_assert_eq!(rows(&path, foreign), ["Integer(0)"]);
                }
                Op::Undo | Op::Redo => {
                    let Some(reverted) = back(&mut store, op, NOW) else { continue };
                    let after = by_id(&path);
                    for conflict in &reverted.conflicts {
                        let key = format!("{conflict:?}");
                        prop_assert_eq!(before.get(&key), after.get(&key), "{} was overwritten", conflict);
                    }
                    let differing = before.keys().chain(after.keys()).collect::<std::collections::BTreeSet<_>>();
                    let changed = differing.into_iter().filter(|key| before.get(*key) != after.get(*key)).count();
                    prop_assert!(changed as u64 <= reverted.restored);
                }
                op => {
                    forward(&mut store, op, NOW);
                }
            }
        }
    }
}
