//! The effect of a push, case by case.

use super::classify::*;
use super::reason::{BlockReason, LostSecrets, PushNote};
use super::snapshot::Snapshot;
use crate::domain::{AuthMode, Catalogue, Connector, SecretsState};

fn webhook(config: &str, mode: AuthMode) -> Connector {
    Connector { name: "n".into(), config: config.into(), auth_mode: Some(mode), ..Connector::new("id", ".webhook") }
}

const OPEN: &str = r#"{"url":"https://a","method":"post","hasAuth":false,"authType":null}"#;
const BASIC: &str = r#"{"url":"https://a","method":"post","hasAuth":true,"authType":"webhook-authentication-basic"}"#;

struct Case<'a> {
    base: Option<&'a Connector>,
    local: Option<&'a Connector>,
    remote: Option<&'a Connector>,
    secrets: LocalSecrets,
    knows_modes: bool,
    options: PushOptions,
}

/// A config of a type whose users connect themselves.
const OAUTH: &str = r#"{"serverUrl":"https://a","authType":"oauth_authorization_code"}"#;

fn status(case: &Case<'_>) -> SyncStatus {
    let remote_of = |record: Option<&Connector>| record.map(|record| Snapshot::as_reported(record, case.knows_modes));
    let (base, remote) = (remote_of(case.base), remote_of(case.remote));
    let state = match case.secrets {
        LocalSecrets::Some { .. } => {
            SecretsState::Set { keys: vec!["user".into(), "password".into()], auth_type: None }
        }
        _ => SecretsState::None,
    };
    let facts = ClassifyContext {
        catalogue: Catalogue::built_in(),
        id: case.local.map_or("a", |local| local.id.as_str()),
        secrets: case.secrets.clone(),
        state: &state,
        knows_modes: case.knows_modes,
        is_version_known: true,
        managed_by: None,
        referenced_by: 3,
        lacks_remote: false,
    };
    classify(Sides { base: base.as_ref(), local: case.local, remote: remote.as_ref() }, &facts, case.options).0
}

fn no_update(auth_type: &str, is_after_import: bool) -> BlockReason {
    BlockReason::NoUpdateOfShared { auth_type: auth_type.to_owned(), is_after_import }
}

fn calls(status: &SyncStatus) -> &[ApiCall] {
    match status {
        SyncStatus::ToPush { calls, .. } => calls,
        other => panic!("{other:?}"),
    }
}

#[test]
fn mode_change_is_pushed_by_import_and_keeps_secrets() {
    let (old, new) = (webhook(BASIC, AuthMode::Shared), webhook(BASIC, AuthMode::PerUser));
    let case = |secrets, options| Case {
        base: Some(&old),
        local: Some(&new),
        remote: Some(&old),
        secrets,
        knows_modes: true,
        options,
    };
    let plain = PushOptions::default();
    assert_eq!(calls(&status(&case(LocalSecrets::Some { is_sent: true }, plain))), [ApiCall::Import, ApiCall::Update]);
    assert!(matches!(
        status(&case(LocalSecrets::None, plain)),
        SyncStatus::Blocked(BlockReason::ImportLosesSecrets(_))
    ));
    let lossy = PushOptions { lose_secrets: true, ..plain };
    let SyncStatus::ToPush { calls, mode, notes, loses_secrets: true, .. } = status(&case(LocalSecrets::None, lossy))
    else {
        panic!("sent")
    };
    assert_eq!((calls, mode), (vec![ApiCall::Import], ResultingMode::AsLocal(AuthMode::PerUser)));
    assert_eq!(notes, [PushNote::SecretsRemoved]);
    // Without secrets nothing can be lost; a server without auth modes is in sync.
    let log = |mode| Connector { connector_type_id: ".server-log".into(), ..webhook("{}", mode) };
    let (old, new) = (log(AuthMode::Shared), log(AuthMode::PerUser));
    let mut open = Case { base: Some(&old), local: Some(&new), remote: Some(&old), ..case(LocalSecrets::None, plain) };
    assert_eq!(self::calls(&status(&open)), [ApiCall::Import]);
    open.knows_modes = false;
    assert_eq!(status(&open), SyncStatus::InSync);
}

#[test]
fn update_keeps_secrets_that_only_kibana_has() {
    let (old, mut new) = (webhook(BASIC, AuthMode::Shared), webhook(BASIC, AuthMode::Shared));
    new.name = "other".into();
    let case = |secrets| Case {
        base: Some(&old),
        local: Some(&new),
        remote: Some(&old),
        secrets,
        knows_modes: true,
        options: PushOptions::default(),
    };
    assert!(matches!(
        status(&case(LocalSecrets::None)),
        SyncStatus::Blocked(BlockReason::UpdateNeedsSecrets(LostSecrets::OnlyInKibana))
    ));
    assert_eq!(calls(&status(&case(LocalSecrets::Some { is_sent: true }))), [ApiCall::Update]);
    assert!(matches!(status(&case(LocalSecrets::Unreadable("no key".into()))), SyncStatus::Blocked(_)));
}

#[test]
fn unsent_secrets_count_as_a_change() {
    let old = webhook(BASIC, AuthMode::Shared);
    let case = |is_sent| Case {
        base: Some(&old),
        local: Some(&old),
        remote: Some(&old),
        secrets: LocalSecrets::Some { is_sent },
        knows_modes: true,
        options: PushOptions::default(),
    };
    assert_eq!(calls(&status(&case(false))), [ApiCall::Update]);
    assert_eq!(status(&case(true)), SyncStatus::InSync);
}

#[test]
fn new_connector_is_created_and_delete_needs_permission() {
    let (open, per_user) = (webhook(OPEN, AuthMode::Shared), webhook(OPEN, AuthMode::PerUser));
    let case = |base, local, remote, options| Case {
        base,
        local,
        remote,
        secrets: LocalSecrets::None,
        knows_modes: true,
        options,
    };
    let plain = PushOptions::default();
    assert_eq!(calls(&status(&case(None, Some(&open), None, plain))), [ApiCall::Create]);
    assert_eq!(calls(&status(&case(None, Some(&per_user), None, plain))), [ApiCall::Import]);
    assert!(matches!(status(&case(Some(&open), None, Some(&open), plain)), SyncStatus::Blocked(_)));
    let delete = PushOptions { delete: true, ..plain };
    let SyncStatus::ToPush { calls, notes, .. } = status(&case(Some(&open), None, Some(&open), delete)) else {
        panic!()
    };
    assert_eq!((calls, notes.len()), (vec![ApiCall::Delete], 1));
    // Deleted on one side, changed on the other.
    let mut changed = open.clone();
    changed.name = "other".into();
    assert_eq!(status(&case(Some(&open), None, Some(&changed), delete)), SyncStatus::Conflict);
    assert_eq!(status(&case(Some(&open), Some(&changed), None, plain)), SyncStatus::Conflict);
    assert_eq!(status(&case(Some(&open), Some(&open), None, plain)), SyncStatus::ToPull);
    assert_eq!(status(&case(None, None, Some(&open), plain)), SyncStatus::ToPull);
}

#[test]
fn push_that_kibana_would_refuse_is_blocked() {
    let basic = webhook(BASIC, AuthMode::Shared);
    let other_type = Connector { connector_type_id: ".http".into(), ..basic.clone() };
    let oauth = webhook(&BASIC.replace("webhook-authentication-basic", "oauth_authorization_code"), AuthMode::Shared);
    let case = |local| Case {
        base: Some(&basic),
        local,
        remote: Some(&basic),
        secrets: LocalSecrets::Some { is_sent: true },
        knows_modes: true,
        options: PushOptions::default(),
    };
    assert_eq!(status(&case(Some(&other_type))), SyncStatus::Blocked(BlockReason::TypeChanged));
    assert_eq!(status(&case(Some(&oauth))), SyncStatus::Blocked(no_update("oauth_authorization_code", false)));
    let missing = Connector { is_missing_secrets: true, ..basic.clone() };
    let create = Case { base: None, remote: None, secrets: LocalSecrets::None, ..case(Some(&missing)) };
    assert_eq!(status(&create), SyncStatus::Blocked(BlockReason::SecretsMissing));
}

/// A push never leaves a connector in Kibana that cannot get its secrets back or be removed.
#[test]
fn push_that_cannot_be_restored_is_blocked() {
    let of = |mode, id: &str, config: &str| Connector {
        connector_type_id: ".mcp".into(),
        ..Connector { id: id.into(), ..webhook(config, mode) }
    };
    let blocked = |base: Option<&Connector>, local: &Connector, secrets: LocalSecrets, options: PushOptions| {
        let case = Case { base, local: Some(local), remote: base, secrets, knows_modes: true, options };
        match status(&case) {
            SyncStatus::Blocked(reason) => reason,
            found => panic!("{found:?}"),
        }
    };
    let (plain, lossy) = (PushOptions::default(), PushOptions { lose_secrets: true, delete: false });
    let (shared, per_user) = (of(AuthMode::Shared, "id", OAUTH), of(AuthMode::PerUser, "id", OAUTH));
    for (secrets, options) in [(LocalSecrets::Some { is_sent: true }, plain), (LocalSecrets::None, lossy)] {
        // After a toggle to shared, the import would remove the secrets and no update would restore them.
        let reason = blocked(Some(&per_user), &shared, secrets.clone(), options);
        assert_eq!(reason, no_update("oauth_authorization_code", true));
        blocked(None, &shared, secrets.clone(), options);
    }
    // Shared already: no update at all, also of the name alone.
    let renamed = Connector { name: "other".into(), ..shared.clone() };
    let reason = blocked(Some(&shared), &renamed, LocalSecrets::Some { is_sent: true }, plain);
    assert_eq!(reason, no_update("oauth_authorization_code", false));
    // An id that Kibana removes on import, or makes none of.
    let (unusual, unusual_toggled) = (of(AuthMode::Shared, "Odd_Id", "{}"), of(AuthMode::PerUser, "Odd_Id", "{}"));
    let reason = blocked(Some(&unusual), &unusual_toggled, LocalSecrets::None, lossy);
    assert_eq!(reason, BlockReason::IdRemovedOnImport);
    assert_eq!(blocked(None, &unusual, LocalSecrets::None, plain), BlockReason::IdNotAccepted);
    let unusual_log = Connector { connector_type_id: ".server-log".into(), ..unusual };
    let renamed = Connector { name: "other".into(), ..unusual_log.clone() };
    let case = Case {
        base: Some(&unusual_log),
        local: Some(&renamed),
        remote: Some(&unusual_log),
        secrets: LocalSecrets::None,
        knows_modes: true,
        options: plain,
    };
    assert_eq!(calls(&status(&case)), [ApiCall::Update], "updates stay possible");
}

#[test]
fn both_requests_are_checked_before_the_first() {
    let (old, new) = (webhook(BASIC, AuthMode::Shared), webhook(BASIC, AuthMode::PerUser));
    let state = SecretsState::Set { keys: vec!["user".into()], auth_type: None };
    let remote_of = Snapshot::as_reported(&old, true);
    let facts = |state| ClassifyContext {
        catalogue: Catalogue::built_in(),
        id: "a",
        secrets: LocalSecrets::Some { is_sent: true },
        state,
        knows_modes: true,
        is_version_known: true,
        managed_by: None,
        referenced_by: 0,
        lacks_remote: false,
    };
    let sides = |local| Sides { base: Some(&remote_of), local: Some(local), remote: Some(&remote_of) };
    let found = classify(sides(&new), &facts(&state), PushOptions::default()).0;
    assert_eq!(found, SyncStatus::Blocked(BlockReason::SecretsIncomplete(vec!["Password".to_owned()])));
    let whole = SecretsState::Set { keys: vec!["user".into(), "password".into()], auth_type: None };
    let wrong = Connector { config: new.config.replace("post", "shout"), ..new.clone() };
    let found = classify(sides(&wrong), &facts(&whole), PushOptions::default()).0;
    assert!(
        matches!(&found, SyncStatus::Blocked(BlockReason::InvalidValue { field, .. }) if field == "config.method"),
        "{found:?}"
    );
}

#[test]
fn update_of_per_user_connector_warns_of_disconnected_users() {
    let old = webhook(BASIC, AuthMode::PerUser);
    let new = Connector { name: "other".into(), ..old.clone() };
    let case = Case {
        base: Some(&old),
        local: Some(&new),
        remote: Some(&old),
        secrets: LocalSecrets::Some { is_sent: true },
        knows_modes: true,
        options: PushOptions::default(),
    };
    let SyncStatus::ToPush { notes, disconnects_users: true, .. } = status(&case) else { panic!("sent") };
    assert!(notes.iter().any(|note| matches!(note, PushNote::UsersDisconnected)), "{notes:?}");
}
