use super::*;
use crate::domain::auth::AuthMode;
use crate::domain::diff::changes;
use crate::domain::secrets::REGISTRATIONS;
use trimmed_names::TrimmedNames;

#[path = "../../../tests/support/trimmed_names.rs"]
mod trimmed_names;

fn record(config: &str, extra: &str) -> Connector {
    Connector {
        config: config.to_owned(),
        extra: extra.to_owned(),
        auth_mode: None,
        model_version: 1,
        ..Connector::new("id", ".webhook")
    }
}

#[test]
fn every_case_of_the_backfill_rule() {
    let cases = [
        (r#"{"authType":"basic"}"#, "{}", Group::Backfill),
        (r#"{"authType":"   "}"#, "{}", Group::Backfill),
        (r#"{"authType":"basic"}"#, r#"{"attributes":{"authMode":null}}"#, Group::Backfill),
        (r#"{"authType":"basic"}"#, r#"{"attributes":{"authMode":""}}"#, Group::Backfill),
        (r#"{"authType":"basic"}"#, r#"{"attributes":{"authMode":"per-user"}}"#, Group::StampOnly),
        (r#"{"authType":""}"#, "{}", Group::StampOnly),
        (r#"{"authType":null}"#, "{}", Group::StampOnly),
        ("{}", "{}", Group::StampOnly),
        ("{}", r#"{"attributes":{"authMode":"per_user"}}"#, Group::Blocked),
        ("{}", r#"{"attributes":{"authMode":7}}"#, Group::Blocked),
        (r#"{"authType":7}"#, "{}", Group::Blocked),
        (r#"{"authType":false}"#, "{}", Group::Blocked),
        (r#"{"authType":"a","authType":"b"}"#, "{}", Group::Blocked),
        (r#"{"authType":"a","x":"\ud800"}"#, "{}", Group::Backfill),
        (r#"{"authType":"a"}"#, r#"{"attributes":{"authMode":"shared","authMode":"shared"}}"#, Group::Blocked),
        (r#"{"authType":"a"}"#, r#"{"attributes":{},"attributes":{"authMode":"shared"}}"#, Group::Blocked),
        ("null", "{}", Group::Blocked),
        ("[]", "{}", Group::Blocked),
        ("{broken", "{}", Group::Blocked),
        ("{}", "{broken", Group::Blocked),
    ];
    for (config, extra, group) in cases {
        let plan = plan(&record(config, extra)).expect("version 1 needs migration");
        assert_eq!(plan.group, group, "{config} {extra}");
        assert_eq!(plan.after.auth_mode.is_some(), group == Group::Backfill, "{config} {extra}");
    }
}

#[test]
fn migration_is_idempotent_and_keeps_existing_mode() {
    for (mode, expected) in [
        (None, AuthMode::Shared),
        (Some(AuthMode::PerUser), AuthMode::PerUser),
        (Some(AuthMode::Shared), AuthMode::Shared),
    ] {
        let mut connector = record(r#"{"authType":"basic"}"#, "{}");
        connector.auth_mode = mode;
        let outcome = apply(&connector, None, false).expect("pending");
        assert_eq!((outcome.auth_mode, outcome.model_version), (Some(expected), 2));
        connector.auth_mode = outcome.auth_mode;
        connector.model_version = outcome.model_version;
        assert_eq!(apply(&connector, None, false), None);
    }
}

#[test]
fn decision_never_unblocks_a_record() {
    let backfill = record(r#"{"authType":"basic"}"#, "{}");
    let per_user = Some(Decision::Choose("per-user"));
    assert_eq!(apply(&backfill, per_user, false).expect("set").auth_mode, Some(AuthMode::PerUser));
    assert_eq!(apply(&backfill, Some(Decision::Skip), false), None);
    let stamp = record("{}", "{}");
    assert_eq!(apply(&stamp, None, false).expect("stamp").auth_mode, None);
    assert_eq!(apply(&stamp, None, true).expect("all").auth_mode, Some(AuthMode::Shared));
    assert_eq!(apply(&record("null", "{}"), per_user, true), None);
    let newer = Connector { model_version: 3, ..backfill };
    assert_eq!(plan(&newer).expect("blocked").group, Group::Blocked);
    assert_eq!(apply(&newer, per_user, true), None);
}

const LONGER: Chain = Chain(&[&v2::AuthModeBackfill, &TrimmedNames]);

fn named(name: &str, model_version: i64, config: &str) -> Connector {
    Connector { name: name.to_owned(), model_version, ..record(config, "{}") }
}

#[test]
fn third_version_is_one_more_step() {
    let basic = r#"{"authType":"basic"}"#;
    let cases = [
        (named(" a ", 1, basic), Group::Backfill, "a", Some(AuthMode::Shared)),
        (named("a", 1, basic), Group::Backfill, "a", Some(AuthMode::Shared)),
        (named(" a ", 1, "{}"), Group::Backfill, "a", None),
        (named(" a ", 2, basic), Group::Backfill, "a", None),
        (named("a", 2, basic), Group::StampOnly, "a", None),
        (named("a", 1, "{}"), Group::StampOnly, "a", None),
    ];
    for (before, group, name, mode) in cases {
        let plan = LONGER.plan(&before).expect("below version 3");
        let after = LONGER.apply(&before, None, false).expect("not blocked");
        assert_eq!((plan.group, &plan.after), (group, &after), "{before:?}");
        assert_eq!((after.name.as_str(), after.auth_mode, after.model_version), (name, mode, 3));
        assert_eq!((&after.config, &after.secrets, &after.extra), (&before.config, &before.secrets, &before.extra));
        assert_eq!(LONGER.plan(&after), None, "twice equals once");
        assert_eq!(LONGER.apply(&after, None, true), None);
    }
    // The preview shows the reasons and the changes of both steps.
    let both = LONGER.plan(&named(" a ", 1, basic)).expect("below version 3");
    assert_eq!(both.reason, "config.authType is set and the auth mode is not set; names carry no blanks around them");
    let fields: Vec<String> =
        changes(&named(" a ", 1, basic), &both.after).into_iter().map(|change| change.field).collect();
    assert_eq!(fields, ["name", "auth mode", "model version"]);
}

#[test]
fn blocked_step_blocks_the_whole_chain() {
    for blocked in [named(" ", 1, r#"{"authType":"basic"}"#), named("a", 1, "null"), named("a", 4, "{}")] {
        let plan = LONGER.plan(&blocked).expect("not at version 3");
        assert_eq!((plan.group, &plan.after), (Group::Blocked, &blocked));
        assert_eq!(LONGER.apply(&blocked, Some(Decision::Choose("shared")), true), None);
    }
    let skipped = LONGER.apply(&named("a", 2, "{}"), Some(Decision::Skip), true);
    assert_eq!(skipped, None);
}

/// Returns a step that would write an authenticated attribute, and the attribute.
fn breaking_step(chain: Chain) -> Option<(i64, &'static str)> {
    chain.steps().find_map(|step| {
        let registrations =
            REGISTRATIONS.iter().filter(|known| [step.version() - 1, step.version()].contains(&known.model_version));
        let encrypted: Vec<&str> =
            registrations.flat_map(|known| known.encrypted.iter().chain(known.authenticated)).copied().collect();
        step.writes().iter().find(|name| encrypted.contains(name)).map(|name| (step.version(), *name))
    })
}

struct RenamedHost;

impl MigrationStep for RenamedHost {
    fn version(&self) -> i64 {
        3
    }

    fn title(&self) -> &'static str {
        ""
    }

    fn writes(&self) -> &'static [&'static str] {
        &["name", "config"]
    }

    fn choices(&self) -> &'static [Choice] {
        &[]
    }

    fn plan(&self, _record: &mut Connector) -> Result<&'static str, String> {
        Ok("")
    }

    fn apply(&self, _record: &mut Connector, _choice: Option<Choice>, _all: bool) {}
}

#[test]
fn no_step_writes_encrypted_or_authenticated_attributes() {
    assert_eq!(breaking_step(CHAIN), None);
    assert_eq!(breaking_step(LONGER), None);
    assert_eq!(breaking_step(Chain(&[&v2::AuthModeBackfill, &RenamedHost])), Some((3, "config")));
}

#[test]
fn versions_are_consecutive_and_registered() {
    let versions: Vec<i64> = CHAIN.steps().map(|step| step.version()).collect();
    assert_eq!(versions, (2..=latest()).collect::<Vec<_>>());
    let registered: Vec<i64> = REGISTRATIONS.iter().map(|known| known.model_version).collect();
    assert_eq!(registered, (1..=latest()).collect::<Vec<_>>());
}

#[test]
fn step_writes_only_its_declared_columns() {
    let configs = [r#"{"authType":"basic"}"#, r#"{"authType":""}"#, "{}", r#"{"authType":"oauth2","url":"x"}"#];
    for chain in [CHAIN, LONGER] {
        for config in configs {
            let before = named(" a ", 1, config);
            let after = chain.apply(&before, None, false).expect("not blocked");
            let known = [("name", "name"), ("authMode", "auth mode")];
            let writes: Vec<&str> = chain.steps().flat_map(|step| step.writes()).copied().collect();
            for change in changes(&before, &after).iter().filter(|change| change.field != "model version") {
                let named = known.iter().find(|(_, field)| *field == change.field).map(|(name, _)| *name);
                assert!(named.is_some_and(|name| writes.contains(&name)), "{}", change.field);
            }
        }
    }
}
