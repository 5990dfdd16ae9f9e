//! Model version 2: the auth mode.
//!
//! Kibana's first form of the rule (elastic/kibana#252262): a connector whose `config.authType` is set
//! and that has no `authMode` yet gets `shared`; every other connector takes the version stamp only.

use super::Step;
use crate::domain::auth::{AuthMode, AuthType, StoredAuthMode};
use crate::domain::connector::{Connector, auth_type_in, kind_of};
use crate::domain::json;

pub(super) const STEP: Step = Step { version: 2, title: "auth mode backfill", writes: &["authMode"], transform };

fn transform(connector: &mut Connector) -> Result<&'static str, String> {
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
        (StoredAuthMode::Known(_), _) => Ok("has an auth mode already, which is kept"),
        (StoredAuthMode::None, AuthType::Named(_)) => {
            connector.auth_mode = Some(AuthMode::Shared);
            Ok("config.authType is set and there is no auth mode yet")
        }
        (StoredAuthMode::None, _) => Ok("no config.authType, nothing to backfill"),
    }
}
