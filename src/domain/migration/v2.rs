//! Model version 2: the auth mode.
//!
//! This is the first form of Kibana's rule (elastic/kibana#252262): a connector with a `config.authType` and without an
//! `authMode` gets `shared`; every other connector gets the version stamp only.

use super::{Choice, MigrationStep};
use crate::domain::auth::{AuthMode, AuthType, StoredAuthMode};
use crate::domain::connector::{Connector, auth_type_of, kind_of};

/// The backfill of the auth mode.
pub(super) struct AuthModeBackfill;

impl MigrationStep for AuthModeBackfill {
    fn version(&self) -> i64 {
        2
    }

    fn title(&self) -> &'static str {
        "auth mode backfill"
    }

    fn writes(&self) -> &'static [&'static str] {
        &["authMode"]
    }

    fn choices(&self) -> &'static [Choice] {
        const MODES: &[Choice] = &[AuthMode::Shared.as_str(), AuthMode::PerUser.as_str()];
        MODES
    }

    fn plan(&self, record: &mut Connector) -> Result<&'static str, String> {
        let config = record.config_members(&["authType"])?;
        record.extra_members(&[])?;
        if config.count("authType") > 1 {
            return Err("config.authType occurs twice, and parsers disagree on which one counts".to_owned());
        }
        let auth_type = auth_type_of(config.get("authType"));
        if let AuthType::NotText(_) = auth_type {
            let kind = config.get("authType").map_or("missing", kind_of);
            return Err(format!("config.authType is {kind}, not a string"));
        }
        match (record.stored_auth_mode(), auth_type) {
            (StoredAuthMode::Unknown(value), _) => {
                Err(format!("authMode is {value}, which is neither \"shared\" nor \"per-user\""))
            }
            (StoredAuthMode::Known(_), _) => Ok("has an auth mode already, which is kept"),
            (StoredAuthMode::None, AuthType::Named(_)) => {
                record.auth_mode = Some(AuthMode::Shared);
                Ok("config.authType is set and the auth mode is not set")
            }
            (StoredAuthMode::None, _) => Ok("no config.authType, nothing to backfill"),
        }
    }

    /// With `all`, a connector without any mode gets `shared` even where the plan would only stamp it.
    fn apply(&self, record: &mut Connector, choice: Option<Choice>, all: bool) {
        record.auth_mode = match (choice.and_then(AuthMode::parse), record.stored_auth_mode()) {
            (Some(mode), _) | (_, StoredAuthMode::Known(mode)) => Some(mode),
            _ => all.then_some(AuthMode::Shared),
        };
    }
}
