//! Writing a saved-object export as Kibana does: keys sorted at every level, secrets stripped, lines
//! joined by `\n` without one at the end, a summary line last.

use std::io::Write;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::ndjson::{LONG_IDS, connectors};
use super::{TransferError, stamp};
use crate::domain::json::{self, RawObject, raw, raw_bool, raw_string};
use crate::domain::{Catalogue, Connector, is_plain_id};
use crate::parallel::with_mapper;
use crate::store::{Progress, Store, StoreError};

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
/// When the file cannot be read or `out` cannot be written, or `progress` asks to stop.
pub fn export(
    store: &Store,
    out: &mut dyn Write,
    name: &str,
    wanted: impl Fn(&Connector) -> bool,
    progress: Progress<'_>,
) -> Result<ExportReport, TransferError> {
    let mut report = ExportReport::default();
    let (mut read, total) = (0, store.count_rows()? as u64);
    let io = |cause| TransferError::Io { name: name.to_owned(), cause };
    // The lines are made while the next connectors are read.
    let line = |connector: Connector| {
        let line = line_of(&connector);
        (connector.id, line)
    };
    let mut write = |(id, line): (String, Result<(String, bool), String>)| match line {
        Ok((line, is_missing)) => {
            report.exported += 1;
            report.long_ids += u64::from(!is_plain_id(&id));
            report.missing_secrets += u64::from(is_missing);
            out.write_all(line.as_bytes()).and_then(|()| out.write_all(b"\n")).map_err(io)
        }
        Err(reason) => {
            report.excluded.push((id, reason));
            Ok(())
        }
    };
    with_mapper(line, |lines| {
        store.each::<TransferError>(|connector| {
            read += 1;
            if read % 500 == 0 && !progress(read, total) {
                return Err(StoreError::Cancelled.into());
            }
            if wanted(&connector) { lines.push(connector, &mut write) } else { Ok(()) }
        })?;
        lines.finish(&mut write)
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

/// One line of an export, and whether it says that secrets are missing. What is stored goes out as it stands; only
/// the order of keys is Kibana's.
///
/// # Errors
/// When config or extra is not JSON, for people.
pub(super) fn line_of(connector: &Connector) -> Result<(String, bool), String> {
    if let Some(column) = connector.not_utf8().first() {
        return Err(format!("its {column} is not UTF-8, which JSON cannot hold; repair it first"));
    }
    let broken = |what| move |error| format!("{what} cannot be written as JSON: {error}");
    let config = json::sorted(&connector.config).map_err(broken("config"))?;
    let extra = json::sorted(&connector.extra).map_err(broken("extra"))?;
    let mut document = RawObject::parse(&extra).map_err(|_| "extra is not a JSON object".to_owned())?;
    let is_missing = is_missing_secrets(connector);
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

/// What a saved object has beside its attributes.
fn set_envelope(document: &mut RawObject, connector: &Connector) {
    // The stamp of an old release says more than "1"; it stays until a migration has gone further.
    if stamp::model_version(document).ok().flatten() != Some(connector.model_version) {
        document.take("migrationVersion");
        document.set("typeMigrationVersion", raw_string(&stamp::of(connector.model_version)));
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
    // Never in an export: the space a record lived in says nothing about where it goes.
    document.take("namespaces");
    // No saved object has this; should a hand have put secrets there, they stay here.
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

fn is_missing_secrets(connector: &Connector) -> bool {
    // The rule asks the config for one key only.
    let config = match connector.config.contains("\"hasAuth\"") {
        true => connector.config_object().unwrap_or_default(),
        false => serde_json::Map::new(),
    };
    Catalogue::current().is_missing_secrets_after_export(
        &connector.connector_type_id,
        &config,
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
