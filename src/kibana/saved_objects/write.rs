//! Writing a saved-object export as Kibana does: keys sorted at every level, secrets stripped, lines
//! joined by `\n` without one at the end, a summary line last.

use std::io::Write;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::model_version;
use crate::domain::json::{self, RawObject, raw, raw_bool, raw_string};
use crate::domain::{Catalogue, Connector};

/// Writes the summary line of an export, without a line break. `excluded` lists ids with reasons.
///
/// # Errors
/// Those of `out`.
pub fn write_summary(out: &mut dyn Write, exported: u64, excluded: &[(String, String)]) -> std::io::Result<()> {
    let objects: Vec<Value> =
        excluded.iter().map(|(id, reason)| json!({"id": id, "reason": reason, "type": "action"})).collect();
    let summary = json!({
        "excludedObjects": objects,
        "excludedObjectsCount": excluded.len(),
        "exportedCount": exported,
        "missingRefCount": 0,
        "missingReferences": [],
    });
    write!(out, "{summary}").and_then(|()| out.flush())
}

/// Returns a line of an export, and whether it flags missing secrets. Texts stay as stored; only the order of keys is
/// Kibana's.
///
/// # Errors
/// If config or extra is not JSON.
pub fn to_line(connector: &Connector, catalogue: &Catalogue) -> Result<(String, bool), String> {
    if let Some(column) = connector.not_utf8().first() {
        return Err(format!("its {column} is not UTF-8, which JSON cannot hold; repair it first"));
    }
    let broken = |what| move |error| format!("{what} cannot be written as JSON: {error}");
    let config = json::sorted(&connector.config).map_err(broken("config"))?;
    let extra = json::sorted(&connector.extra).map_err(broken("extra"))?;
    let mut document = RawObject::parse(&extra).map_err(|_| "extra is not a JSON object".to_owned())?;
    let is_missing = is_missing_secrets(connector, catalogue);
    let mut attributes =
        document.take("attributes").and_then(|raw| RawObject::parse(raw.get()).ok()).unwrap_or_default();
    strip_keys(&mut attributes);
    attributes.set("actionTypeId", raw_string(&connector.connector_type_id));
    attributes.set("name", raw_string(&connector.name));
    attributes.set("isMissingSecrets", raw_bool(is_missing));
    attributes.set("config", raw(config).map_err(broken("config"))?);
    attributes.set("secrets", raw("{}").map_err(broken("secrets"))?);
    if let Some(mode) = connector.auth_mode {
        attributes.set("authMode", raw_string(mode.as_str()));
    }
    attributes.sort();
    document.set("attributes", raw(attributes.to_text()).map_err(broken("extra"))?);
    set_envelope(&mut document, connector);
    document.sort();
    Ok((document.to_text(), is_missing))
}

/// Sets the fields of a saved object besides its attributes.
fn set_envelope(document: &mut RawObject, connector: &Connector) {
    // The stamp of an old release is more precise than "1"; it stays until a migration goes further.
    if model_version::model_version(document).ok().flatten() != Some(connector.model_version) {
        document.take("migrationVersion");
        document.set("typeMigrationVersion", raw_string(&model_version::of(connector.model_version)));
    }
    document.set("id", raw_string(&connector.id));
    document.set("type", raw_string("action"));
    for (key, value) in [("created_at", &connector.created_at), ("updated_at", &connector.updated_at)] {
        if let Some(text) = value {
            document.set(key, raw_string(text));
        }
    }
    if let (None, Ok(none)) = (document.get("references"), raw("[]")) {
        document.set("references", none);
    }
    // Never exported: the space of a record does not say where it will be imported.
    document.take("namespaces");
    // No saved object has this field; secrets that were put there by hand stay in the file.
    document.take("secrets");
}

/// Keys of later model versions (3 and 4) that Kibana's export empties like the secrets.
fn strip_keys(attributes: &mut RawObject) {
    for key in ["apiKey", "uiamApiKey"] {
        if attributes.get(key).is_some() {
            attributes.set(key, RawValue::NULL.to_owned());
        }
    }
    attributes.take("uiamApiKeyExternal");
}

fn is_missing_secrets(connector: &Connector, catalogue: &Catalogue) -> bool {
    // The rule reads one key of the config.
    let config = match connector.config.contains("\"hasAuth\"") {
        true => connector.config_object().unwrap_or_default(),
        false => serde_json::Map::new(),
    };
    catalogue.is_missing_secrets_after_export(
        &connector.connector_type_id,
        &config,
        connector.is_missing_secrets || connector.secrets.is_some(),
    )
}
