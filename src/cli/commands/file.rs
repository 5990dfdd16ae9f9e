//! Commands for the file itself: `upgrade`, `info`.

use std::path::Path;

use anyhow::bail;
use serde_json::{Value, json};

use super::history::limits_text;
use super::open;
use crate::cli::DONE;
use crate::cli::context::{Context, config_file, state_file, types_file};
use crate::cli::render::output::Output;
use crate::domain::migration;
use crate::store::{self, Inspection, LATEST_SCHEMA, Reading};
use crate::vault::{KeyOptions, Vault};

pub(super) fn upgrade(file: &Path, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    if store::inspect(file, Reading::Shared)? == Inspection::Missing {
        bail!("{}: no such file", file.display());
    }
    let (store, report) = open(file, output)?;
    let from = report.as_ref().map_or(LATEST_SCHEMA, |report| report.from);
    if json {
        let copy = report.as_ref().map(|report| report.copy.display().to_string());
        output.json(&json!({"from": from, "to": store.schema_version()?, "backup": copy}))?;
    } else if report.is_none() {
        output.line(&format!("{} has the newest schema ({LATEST_SCHEMA}) already", file.display()))?;
    } else {
        output.line(&format!("{} has schema {LATEST_SCHEMA} now", file.display()))?;
    }
    Ok(DONE)
}

pub(super) fn info(context: &Context, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let file = context.file.as_path();
    let mut facts: Vec<(&str, Value)> =
        vec![("version", json!(env!("CARGO_PKG_VERSION"))), ("file", json!(file.display().to_string()))];
    if context.inspect()? == Inspection::Missing {
        facts.push(("exists", json!(false)));
    } else {
        let size = std::fs::metadata(file).map(|metadata| metadata.len()).unwrap_or(0);
        let store = context.read()?;
        let (total, missing) = store.totals()?;
        let plan = store.plan_counts()?;
        let (history, limits) = (store.history_size()?, store.history_limits()?);
        let copies: Vec<String> =
            store::backups_of(file)?.into_iter().map(|copy| copy.path.display().to_string()).collect();
        facts.extend([
            ("exists", json!(true)),
            ("bytes", json!(size)),
            ("schema", json!(store.schema_version()?)),
            ("newest_schema", json!(LATEST_SCHEMA)),
            ("newest_model_version", json!(migration::latest())),
            ("connectors", json!(total)),
            ("missing_secrets", json!(missing)),
            ("backfill", json!(plan.backfill)),
            ("stamp_only", json!(plan.stamp_only)),
            ("blocked", json!(plan.blocked)),
            ("backups", json!(copies)),
            ("history_steps", json!(history.steps)),
            ("history_bytes", json!(history.bytes)),
            ("history_kept", json!(limits_text(limits))),
        ]);
    }
    facts.extend(key_facts(context)?);
    // Without a home there is no default path; the file can still be named.
    if let Ok(path) = types_file() {
        facts.push(("types_file", json!(path.display().to_string())));
        facts.push(("types_file_exists", json!(path.exists())));
    }
    facts.extend(state_file().map(|path| ("state_file", json!(path.display().to_string()))));
    if let Ok(path) = config_file() {
        facts.push(("config_file", json!(path.display().to_string())));
        facts.push(("config_file_exists", json!(path.exists())));
    }
    if json {
        output.json(&Value::Object(facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))?;
    } else {
        for (name, value) in facts {
            let text = match value {
                Value::String(text) => text,
                Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
                other => other.to_string(),
            };
            output.line(&format!("{:<21} {text}", name.replace('_', " ")))?;
        }
    }
    Ok(DONE)
}

/// Returns facts about the keys, never the keys.
fn key_facts(context: &Context) -> anyhow::Result<Vec<(&'static str, Value)>> {
    let vault = Vault::new(KeyOptions { key_file: context.key_file()?, next_to_file: None, passphrase: None });
    let keys = vault.key_ids().map(|ids| ids.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>());
    let mut facts = vec![
        ("key_file", json!(vault.key_file().display().to_string())),
        ("key_file_exists", json!(vault.key_file().exists())),
        ("keys", keys.map_or_else(|error| json!(error.to_string()), |ids| json!(ids))),
    ];
    facts.extend(vault.exposure().map(|warning| ("key_file_warning", json!(warning))));
    Ok(facts)
}
