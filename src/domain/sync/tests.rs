//! What a push would do, case by case.

use super::Snapshot;
use super::plan::*;
use crate::domain::{AuthMode, Connector, SecretsState};

fn webhook(config: &str, mode: AuthMode) -> Connector {
    Connector { name: "n".into(), config: config.into(), auth_mode: Some(mode), ..Connector::new("id", ".webhook") }
}

const OPEN: &str = r#"{"url":"https://a","method":"post","hasAuth":false,"authType":null}"#;
const BASIC: &str = r#"{"url":"https://a","method":"post","hasAuth":true,"authType":"webhook-authentication-basic"}"#;

struct Case<'a> {
    base: Option<&'a Connector>,
    here: Option<&'a Connector>,
    there: Option<&'a Connector>,
    held: Held,
    knows_modes: bool,
    limits: Limits,
}

fn verdict(case: &Case<'_>) -> Verdict {
    let told = |record: Option<&Connector>| record.map(|record| Snapshot::as_told(record, case.knows_modes));
    let (base, there) = (told(case.base), told(case.there));
    let state = match case.held {
        Held::Some { .. } => SecretsState::Set { keys: vec!["user".into(), "password".into()], auth_type: None },
        _ => SecretsState::None,
    };
    let facts = Facts {
        held: case.held.clone(),
        state: &state,
        knows_modes: case.knows_modes,
        managed_by: None,
        referenced_by: 3,
    };
    judge(Sides { base: base.as_ref(), here: case.here, there: there.as_ref() }, &facts, case.limits).0
}

fn calls(verdict: &Verdict) -> &[Call] {
    match verdict {
        Verdict::Send { calls, .. } => calls,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_toggled_mode_goes_by_import_and_never_loses_secrets_unasked() {
    let (old, new) = (webhook(BASIC, AuthMode::Shared), webhook(BASIC, AuthMode::PerUser));
    let case =
        |held, limits| Case { base: Some(&old), here: Some(&new), there: Some(&old), held, knows_modes: true, limits };
    let plain = Limits::default();
    assert_eq!(calls(&verdict(&case(Held::Some { is_sent: true }, plain))), [Call::Import, Call::Update]);
    assert!(matches!(verdict(&case(Held::None, plain)), Verdict::Blocked(reason) if reason.contains("--lose-secrets")));
    let lossy = Limits { lose_secrets: true, ..plain };
    let Verdict::Send { calls, mode, notes, loses_secrets: true } = verdict(&case(Held::None, lossy)) else {
        panic!("sent")
    };
    assert_eq!((calls, mode), (vec![Call::Import], ModeAfter::AsHere(AuthMode::PerUser)));
    assert!(notes[0].contains("lost"));
    // Where there are none to lose it is sent as it is; a server that knows no modes is in step.
    let log = |mode| Connector { connector_type_id: ".server-log".into(), ..webhook("{}", mode) };
    let (old, new) = (log(AuthMode::Shared), log(AuthMode::PerUser));
    let mut open = Case { base: Some(&old), here: Some(&new), there: Some(&old), ..case(Held::None, plain) };
    assert_eq!(self::calls(&verdict(&open)), [Call::Import]);
    open.knows_modes = false;
    assert_eq!(verdict(&open), Verdict::InStep);
}

#[test]
fn an_update_never_wipes_secrets_that_only_kibana_has() {
    let (old, mut new) = (webhook(BASIC, AuthMode::Shared), webhook(BASIC, AuthMode::Shared));
    new.name = "other".into();
    let case = |held| Case {
        base: Some(&old),
        here: Some(&new),
        there: Some(&old),
        held,
        knows_modes: true,
        limits: Limits::default(),
    };
    assert!(matches!(verdict(&case(Held::None)), Verdict::Blocked(reason) if reason.contains("in Kibana only")));
    assert_eq!(calls(&verdict(&case(Held::Some { is_sent: true }))), [Call::Update]);
    assert!(matches!(verdict(&case(Held::Unreadable("no key".into()))), Verdict::Blocked(_)));
}

#[test]
fn secrets_alone_are_a_change_until_they_were_sent() {
    let old = webhook(BASIC, AuthMode::Shared);
    let case = |is_sent| Case {
        base: Some(&old),
        here: Some(&old),
        there: Some(&old),
        held: Held::Some { is_sent },
        knows_modes: true,
        limits: Limits::default(),
    };
    assert_eq!(calls(&verdict(&case(false))), [Call::Update]);
    assert_eq!(verdict(&case(true)), Verdict::InStep);
}

#[test]
fn what_is_new_is_created_and_what_is_gone_only_when_asked() {
    let (open, per_user) = (webhook(OPEN, AuthMode::Shared), webhook(OPEN, AuthMode::PerUser));
    let case = |base, here, there, limits| Case { base, here, there, held: Held::None, knows_modes: true, limits };
    let plain = Limits::default();
    assert_eq!(calls(&verdict(&case(None, Some(&open), None, plain))), [Call::Create]);
    assert_eq!(calls(&verdict(&case(None, Some(&per_user), None, plain))), [Call::Import]);
    assert!(matches!(verdict(&case(Some(&open), None, Some(&open), plain)), Verdict::Blocked(_)));
    let delete = Limits { delete: true, ..plain };
    let Verdict::Send { calls, notes, .. } = verdict(&case(Some(&open), None, Some(&open), delete)) else { panic!() };
    assert_eq!((calls, notes.len()), (vec![Call::Delete], 1));
    // Deleted on one side, changed on the other.
    let mut changed = open.clone();
    changed.name = "other".into();
    assert_eq!(verdict(&case(Some(&open), None, Some(&changed), delete)), Verdict::Conflict);
    assert_eq!(verdict(&case(Some(&open), Some(&changed), None, plain)), Verdict::Conflict);
    assert_eq!(verdict(&case(Some(&open), Some(&open), None, plain)), Verdict::Take);
    assert_eq!(verdict(&case(None, None, Some(&open), plain)), Verdict::Take);
}

#[test]
fn what_kibana_refuses_is_said_before_it_is_sent() {
    let basic = webhook(BASIC, AuthMode::Shared);
    let other_type = Connector { connector_type_id: ".http".into(), ..basic.clone() };
    let oauth = webhook(&BASIC.replace("webhook-authentication-basic", "oauth_authorization_code"), AuthMode::Shared);
    let case = |here| Case {
        base: Some(&basic),
        here,
        there: Some(&basic),
        held: Held::Some { is_sent: true },
        knows_modes: true,
        limits: Limits::default(),
    };
    for (here, word) in [(&other_type, "type of a connector"), (&oauth, "auth type of users")] {
        assert!(matches!(verdict(&case(Some(here))), Verdict::Blocked(reason) if reason.contains(word)), "{word}");
    }
    let missing = Connector { is_missing_secrets: true, ..basic.clone() };
    let create = Case { base: None, there: None, held: Held::None, ..case(Some(&missing)) };
    assert!(matches!(verdict(&create), Verdict::Blocked(reason) if reason.contains("does not create it without")));
}
