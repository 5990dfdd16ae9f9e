//! Model version 2: the auth mode.
//!
//! Kibana's first form of the rule (elastic/kibana#252262): a connector whose `config.authType` is set
//! and that has no `authMode` yet gets `shared`; every other connector takes the version stamp only.

use super::{Step, Transformed};
use crate::domain::auth::{AuthMode, AuthType, StoredAuthMode};
use crate::domain::connector::{Connector, auth_type_in, kind_of};
use crate::domain::json;

pub(super) const STEP: Step = Step { version: 2, title: "auth mode backfill", transform };

fn transform(connector: &Connector) -> Result<Transformed, String> {
    let config = connector.config_object()?;
    connector.extra_object()?;
    if json::count_of_key(&connector.config, "authType") > 1 {
        return Err("config.authType stands there twice, and readers do not agree on which one counts".to_owned());
    }
    let auth_type = auth_type_in(&config);
    if let AuthType::NotText(_) = auth_type {
        let kind = config.get("authType").map_or("missing", kind_of);
        return Err(format!("config.authType is {kind}, not a string"));
    }
    match (connector.stored_auth_mode(), auth_type) {
        (StoredAuthMode::Unknown(value), _) => {
            Err(format!("authMode is {value}, which is neither \"shared\" nor \"per-user\""))
        }
        (StoredAuthMode::Known(_), _) => {
            Ok(Transformed { backfill: None, reason: "has an auth mode already, which is kept" })
        }
        (StoredAuthMode::None, AuthType::Named(_)) => Ok(Transformed {
            backfill: Some(AuthMode::Shared),
            reason: "config.authType is set and there is no auth mode yet",
        }),
        (StoredAuthMode::None, _) => {
            Ok(Transformed { backfill: None, reason: "no config.authType, nothing to backfill" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Decision, Group, apply, plan};
    use super::*;

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
    fn every_case_of_the_rule() {
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
            assert_eq!(plan.writes_mode, group == Group::Backfill);
        }
    }

    #[test]
    fn twice_equals_once_and_an_existing_mode_is_kept() {
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
    fn decisions_change_the_outcome_but_never_unblock() {
        let backfill = record(r#"{"authType":"basic"}"#, "{}");
        let per_user = Some(Decision::Set(AuthMode::PerUser));
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
}
