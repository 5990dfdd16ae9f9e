//! A connector in the shape of Kibana's connector API (`GET /api/actions/connector/{id}`).

use serde_json::{Value, json};

use crate::domain::{Catalogue, Connector, json as stored};

/// The API object. A config that is not JSON is given as null.
pub fn connector(connector: &Connector) -> Value {
    let config: Value = stored::look(&connector.config).unwrap_or(Value::Null);
    let is_type_deprecated =
        Catalogue::current().get(&connector.connector_type_id).is_some_and(|known| known.is_deprecated);
    json!({
        "id": connector.id,
        "name": connector.name,
        "connector_type_id": connector.connector_type_id,
        "config": config,
        "is_missing_secrets": connector.is_missing_secrets,
        "is_preconfigured": false,
        "is_system_action": false,
        "is_deprecated": connector.is_deprecated(),
        "is_connector_type_deprecated": is_type_deprecated,
        "auth_mode": connector.effective_auth_mode().as_str(),
    })
}
