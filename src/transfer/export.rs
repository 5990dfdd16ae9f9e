//! Writing a saved-object export as Kibana does: keys sorted at every level, secrets stripped, lines
//! joined by `\n` without one at the end, a summary line last.

use std::io::Write;

use serde_json::{Map, Value, json};

use super::ndjson::{LONG_IDS, connectors, is_plain_id};
use super::{TransferError, stamp};
use crate::domain::json::{self, sorted};
use crate::domain::{Catalogue, Connector};
use crate::store::Store;

/// What was exported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportReport {
    /// Connectors written.
    pub exported: u64,
    /// Connectors left out, with the reason: their JSON is broken, so no line can hold them.
    pub excluded: Vec<(String, String)>,
    /// Connectors with ids that newest Kibana releases do not take.
    pub long_ids: u64,
    /// Connectors that need secrets, which no export holds.
    pub missing_secrets: u64,
}

/// Writes the connectors that `wanted` accepts, by id.
///
/// # Errors
/// When the file cannot be read or `out` cannot be written.
pub fn export(
    store: &Store,
    out: &mut dyn Write,
    name: &str,
    wanted: impl Fn(&Connector) -> bool,
) -> Result<ExportReport, TransferError> {
    let mut report = ExportReport::default();
    let io = |cause| TransferError::Io { name: name.to_owned(), cause };
    store.each::<TransferError>(|connector| {
        if !wanted(&connector) {
            return Ok(());
        }
        match line_of(&connector) {
            Ok((line, is_missing)) => {
                report.exported += 1;
                report.long_ids += u64::from(!is_plain_id(&connector.id));
                report.missing_secrets += u64::from(is_missing);
                writeln!(out, "{line}").map_err(io)
            }
            Err(reason) => {
                report.excluded.push((connector.id, reason));
                Ok(())
            }
        }
    })?;
    let excluded: Vec<Value> =
        report.excluded.iter().map(|(id, reason)| json!({"id": id, "reason": reason, "type": "action"})).collect();
    let summary = json!({
        "excludedObjects": excluded,
        "excludedObjectsCount": report.excluded.len(),
        "exportedCount": report.exported,
        "missingRefCount": 0,
        "missingReferences": [],
    });
    write!(out, "{summary}").and_then(|()| out.flush()).map_err(io)?;
    Ok(report)
}

/// One line of an export, and whether it says that secrets are missing.
///
/// # Errors
/// When config or extra is not JSON, for people.
pub(super) fn line_of(connector: &Connector) -> Result<(String, bool), String> {
    let config: Value = json::read(&connector.config).map_err(|error| format!("config is not valid JSON: {error}"))?;
    let extra = json::read(&connector.extra).map_err(|error| format!("extra is not valid JSON: {error}"))?;
    let Value::Object(mut document) = extra else {
        return Err("extra is not a JSON object".to_owned());
    };
    let mut attributes = match document.remove("attributes") {
        Some(Value::Object(attributes)) => attributes,
        _ => Map::new(),
    };
    strip_keys(&mut attributes);
    attributes.insert("actionTypeId".to_owned(), json!(connector.connector_type_id));
    attributes.insert("name".to_owned(), json!(connector.name));
    let is_missing = is_missing_secrets(connector, &config);
    attributes.insert("isMissingSecrets".to_owned(), json!(is_missing));
    attributes.insert("config".to_owned(), config);
    attributes.insert("secrets".to_owned(), json!({}));
    if let Some(mode) = connector.auth_mode {
        attributes.insert("authMode".to_owned(), json!(mode.as_str()));
    }
    // The stamp of an old release says more than "1"; it stays until a migration has gone further.
    if stamp::model_version(&document).ok().flatten() != Some(connector.model_version) {
        document.remove("migrationVersion");
        document.insert("typeMigrationVersion".to_owned(), json!(stamp::of(connector.model_version)));
    }
    document.insert("attributes".to_owned(), Value::Object(attributes));
    document.insert("id".to_owned(), json!(connector.id));
    document.insert("type".to_owned(), json!("action"));
    for (key, value) in [("created_at", &connector.created_at), ("updated_at", &connector.updated_at)] {
        if let Some(text) = value {
            document.insert(key.to_owned(), json!(text));
        }
    }
    document.entry("references").or_insert_with(|| json!([]));
    // Never in an export: the space a record lived in says nothing about where it goes.
    document.remove("namespaces");
    // No saved object has this; should a hand have put secrets there, they stay here.
    document.remove("secrets");
    Ok((sorted(Value::Object(document)).to_string(), is_missing))
}

/// Keys of later model versions (3 and 4) that Kibana's export empties like the secrets.
fn strip_keys(attributes: &mut Map<String, Value>) {
    for key in ["apiKey", "uiamApiKey"] {
        if let Some(value) = attributes.get_mut(key) {
            *value = Value::Null;
        }
    }
    attributes.remove("uiamApiKeyExternal");
}

fn is_missing_secrets(connector: &Connector, config: &Value) -> bool {
    let empty = Map::new();
    Catalogue::current().is_missing_secrets_after_export(
        &connector.connector_type_id,
        config.as_object().unwrap_or(&empty),
        connector.is_missing_secrets || connector.secrets.is_some(),
    )
}

impl ExportReport {
    /// What to tell a person about what was left out, and what is to be done where it is imported.
    pub fn notices(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.excluded.iter().map(|(id, reason)| format!("left out {id}: {reason}")).collect();
        if self.long_ids > 0 {
            lines.push(format!("{} {LONG_IDS}", connectors(self.long_ids)));
        }
        if self.missing_secrets > 0 {
            lines.push(format!(
                "{} without secrets, which no export holds: they are to be entered where it is imported",
                connectors(self.missing_secrets)
            ));
        }
        lines
    }
}
