//! `fetch`.

use serde_json::json;

use super::{Access, Run};
use crate::cli::DONE;
use crate::cli::context::Session;
use crate::cli::remote_link::{Which, link};
use crate::cli::render::output::Output;

const EXAMPLES: &str = "\
Examples:
  connector-admin fetch
  connector-admin fetch --remote prod && connector-admin diff --offline";

/// Fetch the state of the remote; no connector changes
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Fetch {
    #[command(flatten)]
    which: Which,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Fetch {
    fn access(&self) -> Access {
        Access::Write
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let mut linked = link(&session.context()?, &self.which, output)?;
        linked.fetch(output)?;
        let remote = &linked.remote;
        if self.json {
            output.json(&json!({
                "remote": remote.name, "version": remote.version, "fetched_at": remote.fetched_at,
                "knows_auth_modes": remote.knows_modes,
            }))?;
        } else {
            output.line(&format!("Fetched from {} ({})", remote.name, remote.place()))?;
        }
        Ok(DONE)
    }
}
