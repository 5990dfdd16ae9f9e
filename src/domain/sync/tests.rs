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

/// A config of a type whose users connect themselves.
const OAUTH: &str = r#"{"serverUrl":"https://a","authType":"oauth_authorization_code"}"#;

fn verdict(case: &Case<'_>) -> Verdict {
    let told = |record: Option<&Connector>| record.map(|record| Snapshot::as_told(record, case.knows_modes));
    let (base, there) = (told(case.base), told(case.there));
    let state = match case.held {
        Held::Some { .. } => SecretsState::Set { keys: vec!["user".into(), "password".into()], auth_type: None },
        _ => SecretsState::None,
    };
    let facts = Facts {
        id: case.here.map_or("a", |here| here.id.as_str()),
        held: case.held.clone(),
        state: &state,
        knows_modes: case.knows_modes,
        is_version_known: true,
        managed_by: None,
        referenced_by: 3,
        has_none_there: false,
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
    let Verdict::Send { calls, mode, notes, loses_secrets: true, .. } = verdict(&case(Held::None, lossy)) else {
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
    for (here, word) in [(&other_type, "type of a connector"), (&oauth, "no update of a shared connector")] {
        assert!(matches!(verdict(&case(Some(here))), Verdict::Blocked(reason) if reason.contains(word)), "{word}");
    }
    let missing = Connector { is_missing_secrets: true, ..basic.clone() };
    let create = Case { base: None, there: None, held: Held::None, ..case(Some(&missing)) };
    assert!(matches!(verdict(&create), Verdict::Blocked(reason) if reason.contains("does not create it without")));
}

/// What would leave a connector in Kibana that nobody can give secrets to, or remove it, is never sent.
#[test]
fn nothing_is_sent_that_could_not_be_put_back() {
    let of = |mode, id: &str, config: &str| Connector {
        connector_type_id: ".mcp".into(),
        ..Connector { id: id.into(), ..webhook(config, mode) }
    };
    let blocked = |base: Option<&Connector>, here: &Connector, held: Held, limits: Limits, word: &str| {
        let there = base;
        let case = Case { base, here: Some(here), there, held, knows_modes: true, limits };
        let found = verdict(&case);
        assert!(matches!(&found, Verdict::Blocked(reason) if reason.contains(word)), "{word}: {found:?}");
    };
    let (plain, lossy) = (Limits::default(), Limits { lose_secrets: true, delete: false });
    let (shared, per_user) = (of(AuthMode::Shared, "id", OAUTH), of(AuthMode::PerUser, "id", OAUTH));
    for (held, limits) in [(Held::Some { is_sent: true }, plain), (Held::None, lossy)] {
        // Toggled to shared: the import would take the secrets, and no update would bring any.
        blocked(Some(&per_user), &shared, held.clone(), limits, "after the import");
        blocked(None, &shared, held.clone(), limits, "");
    }
    // Shared already: no update at all, also of the name alone.
    let renamed = Connector { name: "other".into(), ..shared.clone() };
    blocked(Some(&shared), &renamed, Held::Some { is_sent: true }, plain, "no update of a shared connector");
    // An id that Kibana removes on import, or makes none of.
    let (odd, odd_toggled) = (of(AuthMode::Shared, "Odd_Id", "{}"), of(AuthMode::PerUser, "Odd_Id", "{}"));
    blocked(Some(&odd), &odd_toggled, Held::None, lossy, "removes a connector on import");
    blocked(None, &odd, Held::None, plain, "makes no connector whose id");
    let odd_log = Connector { connector_type_id: ".server-log".into(), ..odd };
    let renamed = Connector { name: "other".into(), ..odd_log.clone() };
    let case = Case {
        base: Some(&odd_log),
        here: Some(&renamed),
        there: Some(&odd_log),
        held: Held::None,
        knows_modes: true,
        limits: plain,
    };
    assert_eq!(calls(&verdict(&case)), [Call::Update], "updates stay possible");
}

#[test]
fn the_second_of_two_requests_is_looked_at_before_the_first_is_sent() {
    let (old, new) = (webhook(BASIC, AuthMode::Shared), webhook(BASIC, AuthMode::PerUser));
    let state = SecretsState::Set { keys: vec!["user".into()], auth_type: None };
    let told = Snapshot::as_told(&old, true);
    let facts = |state| Facts {
        id: "a",
        held: Held::Some { is_sent: true },
        state,
        knows_modes: true,
        is_version_known: true,
        managed_by: None,
        referenced_by: 0,
        has_none_there: false,
    };
    let sides = |here| Sides { base: Some(&told), here: Some(here), there: Some(&told) };
    let found = judge(sides(&new), &facts(&state), Limits::default()).0;
    assert!(matches!(&found, Verdict::Blocked(reason) if reason.contains("not complete (Password)")), "{found:?}");
    let whole = SecretsState::Set { keys: vec!["user".into(), "password".into()], auth_type: None };
    let wrong = Connector { config: new.config.replace("post", "shout"), ..new.clone() };
    let found = judge(sides(&wrong), &facts(&whole), Limits::default()).0;
    assert!(
        matches!(&found, Verdict::Blocked(reason) if reason.contains("would refuse its config.method")),
        "{found:?}"
    );
}

#[test]
fn an_update_of_a_per_user_connector_says_that_its_users_are_disconnected() {
    let old = webhook(BASIC, AuthMode::PerUser);
    let new = Connector { name: "other".into(), ..old.clone() };
    let case = Case {
        base: Some(&old),
        here: Some(&new),
        there: Some(&old),
        held: Held::Some { is_sent: true },
        knows_modes: true,
        limits: Limits::default(),
    };
    let Verdict::Send { notes, disconnects_users: true, .. } = verdict(&case) else { panic!("sent") };
    assert!(notes.iter().any(|note| note.contains("all its users are disconnected")), "{notes:?}");
}
