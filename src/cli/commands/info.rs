//! `info`.

use serde_json::{Value, json};

use super::{Access, Run};
use crate::cli::DONE;
use crate::cli::context::{Context, Session, config_file, state_file, types_file};
use crate::cli::render::history::limits_text;
use crate::cli::render::output::Output;
use crate::domain::migration;
use crate::messages;
use crate::service::keys::KeyWarning;
use crate::store::{self, Inspection, LATEST_SCHEMA};
use crate::vault::{KeyOptions, Vault};

const EXAMPLES: &str = "\
Examples:
  connector-admin info
  connector-admin --file work.db info --json";

/// Show facts about the file and every path the program uses
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Info {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A fact with its name in JSON.
type Fact = (&'static str, Value);

impl Run for Info {
    fn access(&self) -> Access {
        Access::Read
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        let mut facts: Vec<Fact> =
            vec![("version", json!(env!("CARGO_PKG_VERSION"))), ("file", json!(context.file.display().to_string()))];
        if context.inspect()? == Inspection::Missing {
            facts.push(("exists", json!(false)));
        } else {
            facts.extend(file_facts(&context)?);
        }
        facts.extend(key_facts(&context)?);
        facts.extend(path_facts());
        if self.json {
            let members = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            output.json(&Value::Object(members))?;
            return Ok(DONE);
        }
        for (name, value) in facts {
            output.line(&format!("{:<21} {}", name.replace('_', " "), text_of(value)))?;
        }
        Ok(DONE)
    }
}

fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn file_facts(context: &Context) -> anyhow::Result<Vec<Fact>> {
    let file = context.file.as_path();
    let size = std::fs::metadata(file).map(|metadata| metadata.len()).unwrap_or(0);
    let store = context.read()?;
    let (total, missing) = store.totals()?;
    let plan = store.plan_counts()?;
    let (history, limits) = (store.history_size()?, store.history_limits()?);
    let backups: Vec<String> =
        store::backups_of(file)?.into_iter().map(|backup| backup.path.display().to_string()).collect();
    Ok(vec![
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
        ("backups", json!(backups)),
        ("history_steps", json!(history.steps)),
        ("history_bytes", json!(history.bytes)),
        ("history_kept", json!(limits_text(limits))),
    ])
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
    let exposed = vault.exposure().map(|exposed| messages::keys::warning(&KeyWarning::Exposed(exposed)));
    facts.extend(exposed.map(|warning| ("key_file_warning", json!(warning))));
    Ok(facts)
}

/// Returns the paths of the user's files. Without a home there are no default paths; the file can still be named.
fn path_facts() -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Ok(path) = types_file() {
        facts.push(("types_file", json!(path.display().to_string())));
        facts.push(("types_file_exists", json!(path.exists())));
    }
    facts.extend(state_file().map(|path| ("state_file", json!(path.display().to_string()))));
    if let Ok(path) = config_file() {
        facts.push(("config_file", json!(path.display().to_string())));
        facts.push(("config_file_exists", json!(path.exists())));
    }
    facts
}
