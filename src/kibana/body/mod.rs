//! Connectors in the shape of Kibana's connector API: answers (`GET /api/actions/connector/{id}`), request bodies
//! ([`Body`]) and errors.

mod request;

pub use request::Body;

use serde_json::{Value, json};

use crate::domain::{Catalogue, Connector, json as stored};

/// Returns the text of the API object. The config is the stored text, digit for digit; a config that is not JSON
/// becomes null.
pub fn connector(connector: &Connector, catalogue: &Catalogue) -> String {
    let config = stored::compact(&connector.config).unwrap_or_else(|_| "null".to_owned());
    let is_type_deprecated = catalogue.get(&connector.connector_type_id).is_some_and(|known| known.is_deprecated);
    let before = json!({
        "id": connector.id,
        "name": connector.name,
        "connector_type_id": connector.connector_type_id,
    });
    let after = json!({
        "is_missing_secrets": connector.is_missing_secrets,
        "is_preconfigured": false,
        "is_system_action": false,
        "is_deprecated": connector.is_deprecated(catalogue),
        "is_connector_type_deprecated": is_type_deprecated,
        "auth_mode": connector.effective_auth_mode().as_str(),
    });
    let (before, after) = (before.to_string(), after.to_string());
    format!("{},\"config\":{config},{}", before.trim_end_matches('}'), after.trim_start_matches('{'))
}

/// A refusal as Kibana's API words it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// 400, 404 or 409.
    pub status: u16,
    /// The message for the user.
    pub message: String,
}

impl ApiError {
    /// The request is not right.
    pub fn bad(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into() }
    }

    /// The config does not fit its connector type.
    fn config(reason: &str) -> Self {
        Self::bad(format!("error validating connector type config: {reason}"))
    }

    /// No connector has this id.
    pub fn not_found(ids: &[&str]) -> Self {
        let noun = if ids.len() == 1 { "connector with id" } else { "connectors with the ids" };
        let ids: Vec<String> = ids.iter().map(|id| format!("{id:?}")).collect();
        Self { status: 404, message: format!("no {noun} {}", ids.join(", ")) }
    }

    /// The id is in use, or someone else was faster.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self { status: 409, message: message.into() }
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        let error = match self.status {
            404 => "Not Found",
            409 => "Conflict",
            _ => "Bad Request",
        };
        json!({"statusCode": self.status, "error": error, "message": self.message})
    }
}
