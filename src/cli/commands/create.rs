//! `create`.

use std::path::PathBuf;

use super::{Access, Run};
use crate::cli::context::Session;
use crate::cli::records::refuse;
use crate::cli::render::output::Output;
use crate::cli::request_body::{print_written, read_body, vault_of};
use crate::clock;
use crate::kibana::body::ApiError;
use crate::service::{ServiceError, edit};
use crate::store::StoreError;

const EXAMPLES: &str = "\
Examples:
  connector-admin create --from webhook.json
  connector-admin get ops-webhook --json | connector-admin create --id ops-webhook-2 --from -";

/// Create a connector from the request body of Kibana's API (POST /api/actions/connector)
///
/// The body has connector_type_id, name, config and secrets; `types ID` lists the fields of a type. auth_mode is
/// optional: without it the mode is inferred from the auth type, as in current Kibana. The output of `get --json`
/// is a valid body (without its secrets).
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Create {
    /// File with the body; - reads standard input
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Id of the new connector [default: the id in the body, else a new UUID]
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    id: Option<String>,
    /// Print Kibana's API object, or its error
    #[arg(long)]
    json: bool,
}

impl Run for Create {
    fn access(&self) -> Access {
        Access::Write
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let Self { from, id, json } = self;
        let context = session.context()?;
        let new_id = uuid::Uuid::new_v4().to_string();
        let (connector, secrets) =
            match read_body(&from).and_then(|body| body.with_id(id).create(&new_id, session.catalogue)) {
                Ok(made) => made,
                Err(error) => return refuse(&from, &error, json, output),
            };
        let (mut store, _) = context.open(output)?;
        let vault = vault_of(&context, &store, output)?;
        match edit::create(&mut store, &vault, connector, &secrets, None, &clock::now_iso()) {
            Ok(created) => print_written("Created", &created, json, output, session.catalogue),
            Err(ServiceError::Store(StoreError::IdInUse(id))) => {
                let error = ApiError::conflict(format!("a connector with id {id:?} already exists; update it instead"));
                refuse(&context.file, &error, json, output)
            }
            Err(error) => Err(error.into()),
        }
    }
}
