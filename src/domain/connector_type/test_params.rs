//! What a connector is asked to do when it is tried: the params of a run that does the least harm, by connector type.

use serde_json::{Value, json};

/// The text that a test brings.
const TEXT: &str = "This is a test from connector-admin.";

/// Params that a run of this type takes; none where they depend on what the connector is for.
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
