//! `test`.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::{Access, Run};
use crate::cli::context::Session;
use crate::cli::remote_link::{Which, confirm, connect};
use crate::cli::render::output::Output;
use crate::cli::{DONE, NEEDS_ATTENTION};
use crate::domain::{Remote, json as text_of, test_params};
use crate::service::remote;
use crate::store::Store;

const EXAMPLES: &str = "\
Examples:
  connector-admin test ops-webhook
  echo '{\"message\": \"hello\"}' | connector-admin test team-slack --params - --yes";

/// Run a connector in Kibana, for real: a message is sent, a ticket opened
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Test {
    /// Id of the connector
    id: String,
    /// File with the params as JSON; - reads standard input [default: a short message, for a few types]
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    which: Which,
    /// Print the response of Kibana as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Test {
    fn access(&self) -> Access {
        Access::Read
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let id = &self.id;
        let context = session.context()?;
        let store = context.read()?;
        let remote = remote::remote_of(&store, self.which.remote.as_deref())?;
        let params = self.params(&store, &remote)?;
        output.notice(&format!(
            "{} runs the connector {id} FOR REAL: a message is sent, a ticket opened, a document written. It uses \
             Kibana's version, not the changes in the file. Params: {params}",
            remote.place()
        ));
        if !self.yes && !confirm("Run it?", "--yes")? {
            bail!("nothing was run");
        }
        let vault = context.vault(&store)?;
        let kibana = connect(&remote, &vault)?;
        remote::make_secrets_known(&store, &vault, &kibana, id)?;
        let ran = match kibana.execute(id, &params) {
            Err(error) if error.may_have_arrived() => {
                output.notice(&format!("unknown: it may still have run. {error}"));
                return Ok(NEEDS_ATTENTION);
            }
            ran => ran?,
        };
        if self.json {
            output.json_text(&ran.answer)?;
        } else {
            output.line(&format!("{}: {}", if ran.is_ok { "ok" } else { "failed" }, ran.message))?;
        }
        Ok(if ran.is_ok { DONE } else { NEEDS_ATTENTION })
    }
}

impl Test {
    fn params(&self, store: &Store, remote: &Remote) -> anyhow::Result<Value> {
        if let Some(path) = &self.params {
            return read_params(path);
        }
        let local = store.get(&self.id)?.map(|local| local.connector_type_id);
        let fetched = store.remote_state(&remote.name, &self.id)?.fetched.map(|fetched| fetched.connector_type_id);
        let Some(type_id) = local.or(fetched) else {
            bail!("no connector {:?}, neither in the file nor in {}", self.id, remote.name);
        };
        test_params::of(&type_id).with_context(|| {
            format!("no test params are known for {type_id}; give them as JSON with --params FILE (or -)")
        })
    }
}

fn read_params(path: &Path) -> anyhow::Result<Value> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let text = if is_stdin { io::read_to_string(io::stdin()) } else { std::fs::read_to_string(path) };
    let text = text.with_context(|| format!("{name} cannot be read"))?;
    text_of::read(&text).with_context(|| format!("{name} is not JSON"))
}
