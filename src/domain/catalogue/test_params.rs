//! The parameters of a test run that do the least harm, by connector type.

use serde_json::{Value, json};

/// The text of a test message.
const TEXT: &str = "This is a test from connector-admin.";

/// Returns parameters for a test run; `None` if they depend on the purpose of the connector.
pub fn of(connector_type_id: &str) -> Option<Value> {
    Some(match connector_type_id {
        ".server-log" => json!({"message": TEXT, "level": "info"}),
        ".slack" | ".teams" => json!({ "message": TEXT }),
        ".webhook" => json!({"body": json!({ "text": TEXT }).to_string()}),
        ".index" => json!({"documents": [{ "message": TEXT }]}),
        ".pagerduty" => {
            json!({"eventAction": "trigger", "severity": "info", "summary": TEXT, "dedupKey": "connector-admin"})
        }
        _ => return None,
    })
}
