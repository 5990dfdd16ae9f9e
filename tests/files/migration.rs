//! The plan in the store equals the rule of the domain; plan, apply and roll back is the identity.

use std::sync::Arc;

use connector_admin::domain::migration;
use connector_admin::domain::migration::Decision;
use connector_admin::domain::{AuthMode, Connector};
use connector_admin::store::{ImportOptions, OnConflict, Store, StoreError};
use proptest::prelude::*;

use crate::support::{TestDir, execute, records, untouched};

const NOW: &str = "2026-11-25T12:00:00.000Z";

fn open(path: &std::path::Path) -> Store {
    Store::open(path, &Arc::default(), &mut |_| Ok(())).expect("opens").0
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::{Value, json};
    prop_oneof![
        Just(Value::Null),
        Just(json!("")),
        Just(json!("   ")),
        Just(json!("basic")),
        Just(json!("shared")),
        Just(json!("per-user")),
        Just(json!("per_user")),
        Just(json!("a\u{0}b")),
        Just(json!(0)),
        Just(json!(7.5)),
        Just(json!(true)),
        Just(json!({})),
        Just(json!([])),
        Just(json!({"authType": "x"})),
        "\\PC{0,8}".prop_map(Value::from),
    ]
}

fn text_of_json(key: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        4 => json_value().prop_map(move |value| serde_json::json!({key: value, "other": 1}).to_string()),
        2 => Just("{}".to_owned()),
        1 => json_value().prop_map(|value| value.to_string()),
        1 => Just("{\"a\":".to_owned()),
        1 => Just("{\"authType\":\"x\",\"a\":\"\\ud800\",\"authType\":null}".to_owned()),
        1 => Just("{\"authType\":\"\\ude00\"}".to_owned()),
        1 => Just("{\"authType\":\"x\"}\u{0}junk".to_owned()),
        1 => Just("{\"auth\\u0054ype\":\"x\"}".to_owned()),
        1 => Just("{\"attributes\":{\"authMode\":\"shared\",\"authMode\":\"per-user\"}}".to_owned()),
        1 => Just("{\"attributes\":{},\"attributes\":{\"authMode\":\"per-user\"}}".to_owned()),
        1 => Just(format!("{{\"authType\":\"x\",\"d\":{}{}}}", "[".repeat(150), "]".repeat(150))),
        1 => Just(String::new()),
    ]
}

prop_compose! {
    fn connector()(
        config in text_of_json("authType"),
        extra in prop_oneof![
            3 => json_value().prop_map(|mode| serde_json::json!({"attributes": {"authMode": mode}}).to_string()),
            1 => text_of_json("attributes"),
        ],
        auth_mode in prop_oneof![2 => Just(None), 1 => Just(Some(AuthMode::Shared)), 1 => Just(Some(AuthMode::PerUser))],
        model_version in prop_oneof![6 => Just(1i64), 1 => Just(0), 1 => Just(2), 1 => Just(3)],
    ) -> Connector {
        Connector { name: "n".into(), config, extra, auth_mode, model_version, secrets: Some("c2VjcmV0".into()), ..Connector::new("", ".webhook") }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn migration_is_planned_applied_and_rolled_back(
        connectors in proptest::collection::vec(connector(), 1..60),
        decisions in proptest::collection::vec(0usize..4, 60),
        stop_after in 0u64..80,
    ) {
        let dir = TestDir::new();
        let path = dir.path("c.db");
        let mut store = open(&path);
        for (at, connector) in connectors.iter().enumerate() {
            let connector = Connector { id: format!("c{at:03}"), ..connector.clone() };
            store.create(&connector, NOW).unwrap();
        }
        // SQL's groups are the domain's.
        let mut in_sql = std::collections::BTreeMap::new();
        let counts = store.plan_counts().unwrap();
        store.each_planned::<StoreError>(|row| {
            in_sql.insert(row.connector.id.clone(), row.plan.group);
            Ok(())
        }).unwrap();
        let mut by_group = [0u64; 3];
        for (at, connector) in connectors.iter().enumerate() {
            let plan = migration::plan(connector);
            prop_assert_eq!(in_sql.get(&format!("c{at:03}")).copied(), plan.as_ref().map(|plan| plan.group), "{:?}", connector);
            if let Some(plan) = plan {
                by_group[plan.group as usize] += 1;
            }
        }
        prop_assert_eq!(by_group, [counts.backfill, counts.stamp_only, counts.blocked]);

        for (at, decision) in decisions.iter().enumerate().take(connectors.len()) {
            let decision = [None, Some(Decision::Skip), Some(Decision::Choose("shared")), Some(Decision::Choose("per-user"))][*decision];
            store.decide(&[format!("c{at:03}")], decision, &mut |_, _| true).unwrap();
        }
        let (before, kept) = (records(&path), untouched(&path));
        let counts = store.plan_counts().unwrap();
        prop_assert_eq!(counts.to_apply(), counts.to_backfill() + counts.chosen("shared") + counts.chosen("per-user") + counts.to_stamp());
        let first = store.apply(false, NOW, &mut |done, _| done < stop_after).unwrap();
        let second = store.apply(false, NOW, &mut |_, _| true).unwrap();
        prop_assert_eq!(first.written() + second.written(), counts.to_apply());
        prop_assert_eq!(untouched(&path), kept);
        let after = records(&path);
        let third = store.apply(false, NOW, &mut |_, _| true).unwrap();
        prop_assert_eq!((third.run, third.written()), (None, 0));
        prop_assert_eq!(records(&path), after);
        // A resumed run is the same step.
        let runs: std::collections::BTreeSet<i64> = [second.run, first.run].into_iter().flatten().collect();
        prop_assert!(runs.len() <= 1 || !first.stopped);
        for run in runs.into_iter().rev() {
            let reverted = store.revert(run, NOW, &mut |_, _| true).unwrap();
            prop_assert_eq!(reverted.conflicts, Vec::<String>::new());
            prop_assert!(store.revert(run, NOW, &mut |_, _| true).is_err());
        }
        prop_assert_eq!(records(&path), before);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn outcome_is_independent_of_decision_order_and_stops(
        connectors in proptest::collection::vec(connector(), 1..30),
        decisions in proptest::collection::vec((0usize..1200, 0usize..4), 0..60),
    ) {
        let choices = [None, Some(Decision::Skip), Some(Decision::Choose("shared")), Some(Decision::Choose("per-user"))];
        let dir = TestDir::new();
        let make = |name: &str| {
            let path = dir.path(name);
            let mut store = open(&path);
            let mut all = (0..1200).map(|at| {
                let connector = &connectors[at % connectors.len()];
                Ok::<_, StoreError>(Connector { id: format!("c{at:04}"), ..connector.clone() })
            });
            let options = ImportOptions { on_conflict: OnConflict::Report, create_automatic_backup: false, source: "x" };
            store.import(&mut all, options, &mut |_, _| Ok(()), NOW, |_| true).unwrap();
            (path, store)
        };
        let (at_once, mut store) = make("at-once.db");
        for (at, choice) in &decisions {
            store.decide(&[format!("c{at:04}")], choices[*choice], &mut |_, _| true).unwrap();
        }
        store.apply(false, NOW, &mut |_, _| true).unwrap();
        // The last word on each record first, then the others, each after a change of mind; a stop after every batch.
        let (in_pieces, mut store) = make("in-pieces.db");
        let mut seen = std::collections::BTreeSet::new();
        for (at, choice) in decisions.iter().rev().filter(|(at, _)| seen.insert(*at)) {
            for choice in [choices[(*choice + 1) % 4], choices[*choice]] {
                store.decide(&[format!("c{at:04}")], choice, &mut |_, _| true).unwrap();
            }
        }
        loop {
            let applied = store.apply(false, NOW, &mut |done, _| done == 0).unwrap();
            drop(store);
            store = open(&in_pieces);
            if !applied.stopped {
                break;
            }
        }
        prop_assert_eq!(records(&in_pieces), records(&at_once));
    }
}

#[test]
fn stopped_run_leaves_whole_records_pending() {
    let dir = TestDir::new();
    let path = dir.path("many.db");
    let mut store = open(&path);
    drop(store);
    execute(&path, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
        INSERT INTO connectors (id, connector_type_id, name, config, model_version) SELECT 'c' || i, '.webhook', 'n', '{\"authType\":\"basic\"}', 1 FROM n");
    let before = records(&path);
    store = open(&path);
    let applied = store.apply(false, NOW, &mut |_, _| false).unwrap();
    assert!(applied.stopped && applied.written() > 0 && applied.written() < 2000);
    assert_eq!(store.plan_counts().unwrap().backfill, 2000 - applied.written());
    store.revert(applied.run.unwrap(), NOW, &mut |_, _| true).unwrap();
    assert_eq!(records(&path), before);
    // A stopped rollback keeps its work and is resumed.
    let run = store.apply(false, NOW, &mut |_, _| true).unwrap().run.unwrap();
    let reverted = store.revert(run, NOW, &mut |_, _| false).unwrap();
    assert!(reverted.stopped && reverted.restored > 0 && reverted.restored < 2000);
    let rest = store.revert(run, NOW, &mut |_, _| true).unwrap();
    assert_eq!((rest.restored, rest.by, rest.conflicts.len()), (2000 - reverted.restored, reverted.by, 0));
    assert_eq!(records(&path), before);
}

#[test]
fn migrate_all_sets_a_mode_on_every_planned_connector() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut store = open(&path);
    let applied = store.apply(true, NOW, &mut |_, _| true).unwrap();
    assert_eq!(applied.written(), 184);
    drop(store);
    assert_eq!(
        crate::support::rows(&path, "SELECT count(*) FROM connectors WHERE auth_mode IS NULL AND model_version = 2")
            .concat(),
        "Integer(0)"
    );
}

#[test]
fn rollback_keeps_concurrent_edits() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut store = open(&path);
    let run = store.apply(false, NOW, &mut |_, _| true).unwrap().run.unwrap();
    // A program that does not know revisions.
    execute(&path, "UPDATE connectors SET name = 'edited elsewhere' WHERE name = 'Aurora runbooks'");
    let reverted = store.revert(run, NOW, &mut |_, _| true).unwrap();
    assert_eq!((reverted.restored, reverted.conflicts.len()), (183, 1));
    assert_eq!(
        crate::support::rows(&path, "SELECT model_version FROM connectors WHERE name = 'edited elsewhere'").concat(),
        "Integer(2)"
    );
}
