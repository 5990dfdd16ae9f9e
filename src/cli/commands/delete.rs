//! `delete`.

use serde_json::json;

use super::{Access, Run};
use crate::cli::DONE;
use crate::cli::context::Session;
use crate::cli::records::{refuse, unknown_ids};
use crate::cli::render::output::Output;
use crate::clock;
use crate::text::plural;

const EXAMPLES: &str = "\
Examples:
  connector-admin delete ops-webhook
  connector-admin delete ops-webhook team-notion && connector-admin undo";

/// Delete connectors (one step, can be undone)
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Delete {
    /// Ids of the connectors
    #[arg(required = true)]
    ids: Vec<String>,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Delete {
    fn access(&self) -> Access {
        Access::Write
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        let mut store = context.open_existing(output)?;
        if let Some(error) = unknown_ids(&store, &self.ids)? {
            return refuse(&context.file, &error, self.json, output);
        }
        let deleted = store.delete(&self.ids, &clock::now_iso())?;
        if self.json {
            output.json(&json!({"deleted": deleted.changed, "step": deleted.step}))?;
        } else {
            let count = plural(deleted.changed.len() as u64, "connector");
            let them = if deleted.changed.len() == 1 { "it" } else { "them" };
            output.line(&format!("Deleted {count}; `connector-admin undo` restores {them}"))?;
        }
        Ok(DONE)
    }
}
