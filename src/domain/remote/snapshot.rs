//! A file and a Kibana as two sides of the same connectors: their differences ([`three_way`](super::three_way())) and the effect of a push
//! ([`classify`](super::classify())). The merge base is the last common state, as with branches in git.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::auth::AuthMode;
use crate::domain::connector::Connector;
use crate::domain::json;

/// The part of a connector that both sides have: the fields of Kibana's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The display name.
    pub name: String,
    /// Connector type id.
    pub connector_type_id: String,
    /// JSON text as it was given.
    pub config: String,
    /// None: a server that does not know auth modes.
    pub auth_mode: Option<AuthMode>,
    /// The connector needs secrets that it does not have.
    pub is_missing_secrets: bool,
}

/// A connector as Kibana reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteConnector {
    /// The id.
    pub id: String,
    /// The common fields.
    pub snapshot: Snapshot,
    /// Who else manages the connector: `configuration` or `kibana`; `None` for users. `nested` is a config that is too
    /// deep for this program.
    pub managed_by: Option<&'static str>,
    /// Rules and others that use it.
    pub referenced_by: u64,
}

/// As it is kept in the file.
#[derive(Deserialize, Serialize)]
struct Kept {
    name: String,
    connector_type_id: String,
    config: Box<RawValue>,
    auth_mode: Option<String>,
    is_missing_secrets: bool,
}

impl Snapshot {
    /// Of a record of the file. A config that is no JSON is kept as a JSON string of its text.
    pub fn of(connector: &Connector) -> Self {
        Self {
            name: connector.name.clone(),
            connector_type_id: connector.connector_type_id.clone(),
            config: connector.config.clone(),
            auth_mode: Some(connector.effective_auth_mode()),
            is_missing_secrets: connector.is_missing_secrets,
        }
    }

    /// Returns the snapshot of a record as a server would report it that may not support auth modes.
    pub fn as_reported(connector: &Connector, knows_modes: bool) -> Self {
        let all = Self::of(connector);
        Self { auth_mode: all.auth_mode.filter(|_| knows_modes), ..all }
    }

    /// The text that the file keeps.
    pub fn to_text(&self) -> String {
        let config = json::raw(self.config.clone()).unwrap_or_else(|_| json::raw_string(&self.config));
        let kept = Kept {
            name: self.name.clone(),
            connector_type_id: self.connector_type_id.clone(),
            config,
            auth_mode: self.auth_mode.map(|mode| mode.as_str().to_owned()),
            is_missing_secrets: self.is_missing_secrets,
        };
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// Reads what [`Snapshot::to_text`] wrote; none when it is something else.
    pub fn from_text(text: &str) -> Option<Self> {
        let kept: Kept = serde_json::from_str(text).ok()?;
        Some(Self {
            name: kept.name,
            connector_type_id: kept.connector_type_id,
            config: kept.config.get().to_owned(),
            auth_mode: kept.auth_mode.as_deref().and_then(AuthMode::parse),
            is_missing_secrets: kept.is_missing_secrets,
        })
    }

    /// Returns a record with these values. Without an auth mode the record is below model version 2 and pending.
    pub fn to_connector(&self, id: &str) -> Connector {
        let fresh = Connector::new(id, &self.connector_type_id);
        Connector {
            name: self.name.clone(),
            config: self.config.clone(),
            is_missing_secrets: self.is_missing_secrets,
            auth_mode: self.auth_mode,
            model_version: if self.auth_mode.is_some() { fresh.model_version } else { 1 },
            ..fresh
        }
    }

    /// `config.authType`, when it is a non-empty string.
    pub fn auth_type(&self) -> Option<String> {
        let record = Connector { config: self.config.clone(), ..Connector::new("", &self.connector_type_id) };
        record.auth_type().name().map(str::to_owned)
    }
}
