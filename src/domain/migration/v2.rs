//! Model version 2: the auth mode.
//!
//! This is the first form of Kibana's rule (elastic/kibana#252262): a connector with a `config.authType` and without an
//! `authMode` gets `shared`; every other connector gets the version stamp only.

use super::Step;
use crate::domain::auth::{AuthMode, AuthType, StoredAuthMode};
use crate::domain::connector::{Connector, auth_type_of, kind_of};

pub(super) const STEP: Step = Step { version: 2, title: "auth mode backfill", writes: &["authMode"], transform };

fn transform(connector: &mut Connector) -> Result<&'static str, String> {
    let config = connector.config_members(&["authType"])?;
    connector.extra_members(&[])?;
    if config.count("authType") > 1 {
        return Err("config.authType appears twice, and readers do not agree on which one counts".to_owned());
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
            Ok("config.authType is set and the auth mode is not set")
        }
        (StoredAuthMode::None, _) => Ok("no config.authType, nothing to backfill"),
    }
}
