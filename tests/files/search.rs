//! The indexed search equals the domain's filter for each record.

use connector_admin::domain::{AuthMode, Connector, Filter};
use connector_admin::store::{Lists, RowIds, Scope, Sort, SortColumn, Store, StoreError};
use proptest::prelude::*;

use crate::support::{TestDir, execute};

const NOW: &str = "2026-11-25T12:00:00.000Z";

fn open(path: &std::path::Path) -> Store {
    Store::open(path, &std::sync::Arc::default(), &mut |_| Ok(())).expect("opens").0
}

fn connector() -> impl Strategy<Value = Connector> {
    let config = prop_oneof![
        Just("{}".to_owned()),
        Just(r#"{"authType":"basic"}"#.to_owned()),
        Just(r#"{"authType":"OAuth2"}"#.to_owned()),
        Just(r#"{"authType":""}"#.to_owned()),
        Just(r#"{"authType":7}"#.to_owned()),
        Just(r#"{"usesTableApi":true}"#.to_owned()),
        Just("{broken".to_owned()),
        Just("[]".to_owned()),
        Just(r#"{"authType":"a","authType":"b"}"#.to_owned()),
        Just(r#"{"auth\u0054ype":"basic"}"#.to_owned()),
        Just("{\"authType\":\"x\"}\u{0}".to_owned()),
    ];
    let extra = prop_oneof![
        4 => Just("{}".to_owned()),
        1 => Just(r#"{"attributes":{"authMode":"per-user"}}"#.to_owned()),
        1 => Just(r#"{"attributes":{"authMode":"mine"}}"#.to_owned()),
        1 => Just("{".to_owned()),
    ];
    let type_id = prop_oneof![
        Just(".webhook"),
        Just(".jira"),
        Just(".servicenow"),
        Just(".servicenow-sir"),
        Just(".acme-pager"),
        Just(".slack"),
        Just("")
    ];
    let name =
        prop_oneof!["[a-cA-C ÄäÉéßСс日本]{0,6}", Just("prod Jira".to_owned()), Just("\u{130}stanbul".to_owned())];
    let mode = prop_oneof![2 => Just(None), 1 => Just(Some(AuthMode::Shared)), 1 => Just(Some(AuthMode::PerUser))];
    (config, extra, type_id, name, mode, prop_oneof![3 => Just(1_i64), 2 => Just(2), 1 => Just(3)], any::<bool>())
        .prop_map(|(config, extra, type_id, name, auth_mode, model_version, is_missing_secrets)| Connector {
            config,
            extra,
            name,
            auth_mode,
            model_version,
            is_missing_secrets,
            updated_at: Some(NOW.to_owned()),
            ..Connector::new("", type_id)
        })
}

fn term() -> impl Strategy<Value = String> {
    let test = prop_oneof![
        "[a-cä日éß]{1,2}",
        "[Cc]0[0-9]",
        Just("\"d j\"".to_owned()),
        Just(".web".to_owned()),
        Just("type:service".to_owned()),
        Just("type:jira".to_owned()),
        Just("auth:shared".to_owned()),
        Just("auth:per-user".to_owned()),
        Just("auth:none".to_owned()),
        Just("authtype:oauth".to_owned()),
        Just("authtype:none".to_owned()),
        Just("authtype:b".to_owned()),
        Just("needs:migration".to_owned()),
        Just("missing:secrets".to_owned()),
        Just("is:backfill".to_owned()),
        Just("is:stamp-only".to_owned()),
        Just("is:blocked".to_owned()),
        Just("is:deprecated".to_owned()),
        Just("is:unknown".to_owned()),
        Just("is:malformed".to_owned()),
    ];
    (any::<bool>(), test).prop_map(|(negated, test)| if negated { format!("-{test}") } else { test })
}

fn put(store: &mut Store, connectors: &[Connector]) {
    for (at, connector) in connectors.iter().enumerate() {
        let connector = Connector { id: format!("c{at:02}"), ..connector.clone() };
        store.create(&connector, NOW).unwrap();
    }
}

fn edit(store: &mut Store, id: &str, name: &str, what: i32) {
    match (what, store.get(id).unwrap()) {
        (0, Some(_)) => drop(store.delete(&[id.to_owned()], NOW).unwrap()),
        (1, _) => {
            if let Some(step) = store.last_step().unwrap() {
                store.revert(step.step, NOW, &mut |_, _| true).unwrap();
            }
        }
        (_, Some(current)) => {
            let edited = Connector { name: name.to_owned(), ..current };
            drop(store.save::<StoreError>(&edited, NOW, |_, _| Ok(())).unwrap());
        }
        (_, None) => {
            let new =
                Connector { name: name.to_owned(), updated_at: Some(NOW.to_owned()), ..Connector::new(id, ".jira") };
            store.create(&new, NOW).unwrap();
        }
    }
}

fn all(order: Result<RowIds, StoreError>) -> Vec<i64> {
    order.unwrap().iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn indexed_list_equals_the_domain_filter(
        connectors in proptest::collection::vec(connector(), 1..25),
        filters in proptest::collection::vec(proptest::collection::vec(term(), 0..4), 1..8),
        columns in proptest::collection::vec((0..SortColumn::ALL.len(), any::<bool>()), 1..4),
        ahead in 0..3,
        edits in proptest::collection::vec((0..25_usize, "[a-cA-C Éé日]{0,4}", 0..4), 0..12),
    ) {
        let dir = TestDir::new();
        let mut store = open(&dir.path("s.db"));
        put(&mut store, &connectors);
        let mut lists = Lists::default();
        for _ in 0..ahead {
            lists.read_more(&store).unwrap();
        }
        let mut state = store.text_state().unwrap();
        let mut edits = edits.iter();
        for (at, terms) in filters.iter().enumerate() {
            // Changes between two queries are included.
            for (number, name, what) in edits.by_ref().take(2) {
                edit(&mut store, &format!("c{number:02}"), name, *what);
            }
            let now = store.text_state().unwrap();
            lists.forget(&store, &store.text_changes(&state, &now).unwrap()).unwrap();
            state = now;
            let text = terms.join(" ");
            let filter = Filter::parse(&text).unwrap();
            let (column, descending) = columns[at % columns.len()];
            let sort = Sort { column: SortColumn::ALL[column], descending };
            let printed = all(store.order(Scope::Connectors, &filter, sort));
            prop_assert_eq!(all(lists.order(&store, Scope::Connectors, &filter, sort)), printed, "{}", text);
            let printed = all(store.order(Scope::Review, &filter, sort));
            prop_assert_eq!(all(lists.order(&store, Scope::Review, &filter, sort)), printed, "{}", text);
            let whole = all(lists.order(&store, Scope::Connectors, &Filter::default(), sort));
            prop_assert_eq!(store.count_rows().unwrap(), whole.len());
            if let Some(first) = store.first_rows(Scope::Connectors, sort, 5).unwrap() {
                prop_assert_eq!(first.as_slice(), &whole[..whole.len().min(5)]);
            }
        }
    }
}

#[test]
fn text_index_notices_every_change() {
    let dir = TestDir::new();
    let path = dir.path("s.db");
    let mut store = open(&path);
    let mut state = store.text_state().unwrap();
    let mut changed = |store: &Store| {
        let now = store.text_state().unwrap();
        let is_other = now != state;
        state = now;
        is_other
    };
    put(
        &mut store,
        &[Connector {
            config: r#"{"authType":"basic"}"#.to_owned(),
            model_version: 1,
            auth_mode: None,
            ..Connector::new("", ".webhook")
        }],
    );
    assert!(changed(&store));
    let run = store.apply(false, NOW, &mut |_, _| true).unwrap().run.unwrap();
    store.set_auth_mode(&["c00".to_owned()], connector_admin::store::ModeChange::Toggle, NOW).unwrap();
    assert!(!changed(&store), "auth modes and model versions are no texts");
    store.revert(run, NOW, &mut |_, _| true).unwrap();
    assert!(!changed(&store));
    let current = store.get("c00").unwrap().unwrap();
    let edited = Connector { name: "b".to_owned(), ..current };
    store.save::<StoreError>(&edited, NOW, |_, _| Ok(())).unwrap();
    assert!(changed(&store));
    for sql in [
        "UPDATE connectors SET name = 'theirs'",
        "INSERT INTO connectors (id, connector_type_id, name) VALUES ('d', '.webhook', 'theirs')",
        "DELETE FROM connectors WHERE id = 'd'",
    ] {
        execute(&path, sql);
        assert!(changed(&store), "{sql}");
    }
}
