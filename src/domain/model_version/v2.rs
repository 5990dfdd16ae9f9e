//! Model version 2: the auth mode.
//!
//! Kibana's first form of the rule (elastic/kibana#252262): a connector whose `config.authType` is set
//! and that has no `authMode` yet gets `shared`; every other connector takes the version stamp only.

use super::Step;
use crate::domain::auth::{AuthMode, AuthType, StoredAuthMode};
use crate::domain::connector::{Connector, auth_type_of, kind_of};

pub(super) const STEP: Step = Step { version: 2, title: "auth mode backfill", writes: &["authMode"], transform };

fn transform(connector: &mut Connector) -> Result<&'static str, String> {
    let config = connector.config_members(&["authType"])?;
    connector.extra_members(&[])?;
    if config.count("authType") > 1 {
        return Err("config.authType stands there twice, and readers do not agree on which one counts".to_owned());
    }
    let auth_type = auth_type_of(config.get("authType"));
    if let AuthType::NotText(_) = auth_type {
        let kind = config.get("authType").map_or("missing", kind_of);
        return Err(format!("config.authType is {kind}, not a string"));
    }
    match (connector.stored_auth_mode(), auth_type) {
        (StoredAuthMode::Unknown(value), _) => {
            Err(format!("authMode is {value}, which is neither \"shared\" nor \"per-user\""))
        }
        (StoredAuthMode::Known(_), _) => Ok("has an auth mode already, which is kept"),
        (StoredAuthMode::None, AuthType::Named(_)) => {
            connector.auth_mode = Some(AuthMode::Shared);
            Ok("config.authType is set and there is no auth mode yet")
        }
        (StoredAuthMode::None, _) => Ok("no config.authType, nothing to backfill"),
    }
}
