//! `get`.

use super::{Access, Run};
use crate::cli::DONE;
use crate::cli::context::Session;
use crate::cli::records::{refuse, warn_of_replaced};
use crate::cli::render::output::Output;
use crate::domain::{Catalogue, Connector, SecretsState, StoredAuthMode, json, migration, validate};
use crate::kibana::body;
use crate::kibana::body::ApiError;
use crate::messages;
use crate::service::keys::KeyWarning;
use crate::vault::Vault;

const EXAMPLES: &str = "\
Examples:
  connector-admin get ops-webhook
  connector-admin get ops-webhook --json > ops-webhook.json";

/// Show one connector
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Get {
    /// Id of the connector
    id: String,
    /// Print Kibana's API object
    #[arg(long)]
    json: bool,
}

impl Run for Get {
    fn access(&self) -> Access {
        Access::Read
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        let vault = Vault::new(context.keys()?);
        let store = context.read()?;
        let Some(connector) = store.get(&self.id)? else {
            return refuse(&context.file, &ApiError::not_found(&[&self.id]), self.json, output);
        };
        if self.json {
            output.json_text(&json::pretty(&body::connector(&connector, session.catalogue)))?;
            return Ok(warn_of_replaced(u64::from(!connector.not_utf8().is_empty()), output));
        }
        if let Some(warning) = vault.exposure() {
            output.notice(&messages::keys::warning(&KeyWarning::Exposed(warning)));
        }
        print(&connector, &vault.state(&connector), output, session.catalogue)?;
        Ok(DONE)
    }
}

fn print(
    connector: &Connector,
    secrets: &SecretsState,
    output: &mut Output,
    catalogue: &Catalogue,
) -> anyhow::Result<()> {
    let mode = match connector.stored_auth_mode() {
        StoredAuthMode::None => "not set (behaves as shared)".to_owned(),
        StoredAuthMode::Known(mode) => mode.to_string(),
        StoredAuthMode::Unknown(value) => format!("{value} (not a mode; behaves as shared)"),
    };
    let time = |time: &Option<String>| time.clone().unwrap_or_else(|| "not recorded".to_owned());
    for (label, value) in [
        ("name", connector.name.clone()),
        ("id", connector.id.clone()),
        ("connector type", connector.connector_type_id.clone()),
        ("auth type", connector.auth_type().name().unwrap_or("none").to_owned()),
        ("auth mode", mode),
        ("secrets", catalogue.describe_secrets(connector, secrets)),
        ("model version", connector.model_version.to_string()),
        ("created", time(&connector.created_at)),
        ("updated", time(&connector.updated_at)),
        ("config", connector.config.clone()),
    ] {
        output.line(&format!("{label:<15} {value}"))?;
    }
    if let Some(plan) = migration::plan(connector) {
        output.line(&format!("{:<15} {}: {}", "migration", plan.group.label(), plan.reason))?;
    }
    for problem in validate::problems(connector, catalogue) {
        output.line(&format!("{:<15} {}: {}", "problem", problem.field, problem.reason))?;
    }
    for note in validate::notes(connector, catalogue) {
        output.line(&format!("{:<15} {}: {}", "note", note.field, note.reason))?;
    }
    Ok(())
}
