//! `update`.

use std::path::PathBuf;

use super::{Access, Run};
use crate::cli::context::Session;
use crate::cli::records::refuse;
use crate::cli::render::output::Output;
use crate::cli::request_body::{print_written, read_body, vault_of};
use crate::clock;
use crate::domain::{Connector, SecretEdits, SecretsState};
use crate::kibana::body::{ApiError, Body};
use crate::service::edit;
use crate::store::{SaveOutcome, Store};
use crate::vault::Vault;

const EXAMPLES: &str = "\
Examples:
  connector-admin update ops-webhook --from ops-webhook.json
  connector-admin get ops-webhook --json | sed 's/old.example/new.example/' |
    connector-admin update ops-webhook --from -";

/// Update a connector from the request body of Kibana's API (PUT /api/actions/connector/ID)
///
/// As in Kibana, the config is replaced, and id and connector_type_id cannot be changed. Unlike in Kibana, the output
/// of `get --json` is a valid body, auth_mode can be changed, and secrets are kept when the body has none.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Update {
    /// Id of the connector
    id: String,
    /// File with the body; - reads standard input
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Print Kibana's API object, or its error
    #[arg(long)]
    json: bool,
}

impl Run for Update {
    fn access(&self) -> Access {
        Access::Write
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let Self { id, from, json } = self;
        let context = session.context()?;
        let body = match read_body(&from) {
            Ok(body) => body,
            Err(error) => return refuse(&from, &error, json, output),
        };
        let mut store = context.open_existing(output)?;
        let vault = vault_of(&context, &store, output)?;
        match update_in(&mut store, &vault, &id, body)? {
            Ok((updated, true)) => print_written("Updated", &updated, json, output, session.catalogue),
            Ok((unchanged, false)) => print_written("Unchanged:", &unchanged, json, output, session.catalogue),
            Err(error) => refuse(&context.file, &error, json, output),
        }
    }
}

/// Returns the updated connector, and whether anything had to be written.
fn update_in(
    store: &mut Store,
    vault: &Vault,
    id: &str,
    body: Body,
) -> anyhow::Result<Result<(Connector, bool), ApiError>> {
    let Some(current) = store.get(id)? else { return Ok(Err(ApiError::not_found(&[id]))) };
    let has_secrets = body.has_secrets();
    let (connector, secrets) = match body.update(&current, store.catalogue()) {
        Ok(updated) => updated,
        Err(error) => return Ok(Err(error)),
    };
    if connector == current && secrets == SecretEdits::default() {
        return Ok(Ok((current, false)));
    }
    if let (true, false, SecretsState::Unreadable(reason)) =
        (connector.config != current.config, has_secrets, vault.state(&current))
    {
        return Ok(Err(ApiError::bad(format!(
            "the secrets of connector {id:?} cannot be decrypted ({reason}), and with another config they would not \
             open even if the key came back; give the key, or name the secrets in the body (\"secrets\": {{}} drops \
             them)"
        ))));
    }
    let (outcome, _) = edit::save(store, vault, &connector, &secrets, &clock::now_iso())?;
    Ok(match outcome {
        SaveOutcome::Saved(saved) => Ok((*saved, true)),
        SaveOutcome::Conflict(_) => {
            Err(ApiError::conflict(format!("connector {id:?} was changed meanwhile; try again")))
        }
        SaveOutcome::Deleted => Err(ApiError::not_found(&[id])),
    })
}
