//! Values that are derived from a record and stored in columns, so that no list has to parse JSON.

use serde_json::Value;

use super::auth::StoredAuthMode;
use super::catalogue::Catalogue;
use super::connector::Connector;
use super::migration;
use super::migration::Group;

/// The version of the rules below. A change makes every file derive its values again. The newest model version is part
/// of it, because the migration groups depend on it.
pub fn rules() -> i64 {
    migration::latest() * 100 + 1
}

/// The values derived from a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Derived {
    /// `config.authType` when it is a non-empty string.
    pub auth_type: Option<String>,
    /// The group in the migration plan; `None` if no migration is pending.
    pub group: Option<Group>,
    /// Config or extra is not a JSON object.
    pub is_malformed: bool,
    /// The type is used in a deprecated way.
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
            group: migration::group(connector),
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
