//! What follows from a record and is kept next to it, so that no list has to read JSON.

use serde_json::Value;

use super::auth::StoredAuthMode;
use super::connector::Connector;
use super::connector_type::Catalogue;
use super::model_version::{self, Group};

/// Changes with every change of a rule below: what was derived by other rules is derived again. The newest model version
/// is part of it, since the groups of the migration follow from that.
pub const RULES: i64 = model_version::latest() * 100 + 1;

/// What follows from a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Derived {
    /// `config.authType` when it is a non-empty string.
    pub auth_type: Option<String>,
    /// Where the migration plan puts it; `None` when it needs no migration.
    pub group: Option<Group>,
    /// Config or extra is not a JSON object.
    pub is_malformed: bool,
    /// The type is deprecated in the way in which it is used.
    pub is_deprecated_use: bool,
    /// The key that encrypted the secrets, up to the end of its id; empty for a value of another program.
    pub key_id: Option<String>,
}

impl Derived {
    /// Derives from a record.
    pub fn of(connector: &Connector) -> Self {
        let config = connector.config_members(&["authType", "usesTableApi"]);
        let auth_type = config.as_ref().ok().and_then(|config| {
            let text = config.get("authType")?.as_str()?;
            (!text.is_empty()).then(|| text.to_owned())
        });
        Self {
            auth_type,
            group: model_version::group(connector),
            is_malformed: config.is_err() || connector.extra_members(&[]).is_err(),
            is_deprecated_use: config.is_ok_and(|config| {
                let uses_table_api = config.get("usesTableApi") == Some(&Value::Bool(true));
                Catalogue::is_deprecated_use(&connector.connector_type_id, uses_table_api)
            }),
            key_id: connector.secrets.as_deref().map(key_of).map(str::to_owned),
        }
    }
}

/// The auth mode that a record carries in `extra`, where its own column has none.
pub fn carried_auth_mode(connector: &Connector) -> Option<super::AuthMode> {
    match connector.stored_auth_mode() {
        StoredAuthMode::Known(mode) => Some(mode),
        StoredAuthMode::None | StoredAuthMode::Unknown(_) => None,
    }
}

/// The beginning of an encrypted value of this program up to the end of its key id (`ca1.<key id>`); empty for a value of
/// another program.
pub fn key_of(secrets: &str) -> &str {
    let Some(rest) = secrets.strip_prefix("ca1.") else { return "" };
    let end = rest.find('.').map_or("ca1".len(), |end| "ca1.".len() + end);
    secrets.get(..end).unwrap_or_default()
}
