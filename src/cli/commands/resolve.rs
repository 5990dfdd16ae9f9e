//! `resolve`.

use anyhow::bail;
use serde_json::{Value, json};

use super::{Access, Run};
use crate::cli::context::Session;
use crate::cli::remote_link::Which;
use crate::cli::render::output::Output;
use crate::cli::value_enums::SideArg;
use crate::cli::{DONE, NEEDS_ATTENTION};
use crate::clock;
use crate::messages::sync::unresolvable;
use crate::service::remote;
use crate::service::remote::Side;

const EXAMPLES: &str = "\
Examples:
  connector-admin resolve ops-webhook --keep local
  connector-admin resolve ops-webhook team-notion --keep remote";

/// Resolve conflicts by keeping one side
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Resolve {
    /// Ids of the connectors
    #[arg(required = true)]
    ids: Vec<String>,
    /// Side to keep
    #[arg(long, value_enum)]
    keep: SideArg,
    #[command(flatten)]
    which: Which,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Resolve {
    fn access(&self) -> Access {
        Access::Write
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let Self { ids, keep, which, json } = self;
        let context = session.context()?;
        let mut store = context.open_existing(output)?;
        let remote = remote::remote_of(&store, which.remote.as_deref())?;
        let vault = context.vault(&store)?;
        for id in &ids {
            let state = store.remote_state(&remote.name, id)?;
            if state.fetched.is_none() && state.base.is_none() {
                bail!("{} has no connector {id:?}; nothing was changed", remote.name);
            }
        }
        let side = keep.into();
        let (pulled, skipped) = remote::resolve(&mut store, &vault, &remote, &ids, side, &clock::now_iso())?;
        let fetched_at = remote.fetched_at.as_deref().unwrap_or("never");
        let reason =
            |id: &String| skipped.iter().find(|(found, _)| found == id).map(|(_, reason)| unresolvable(*reason));
        if json {
            let all: Vec<Value> = ids
                .iter()
                .map(|id| json!({"id": id, "resolved": reason(id).is_none(), "reason": reason(id)}))
                .collect();
            output.json(
                &json!({"remote": remote.name, "fetched_at": fetched_at, "connectors": all, "step": pulled.step}),
            )?;
        } else {
            for id in &ids {
                output.line(&resolved_text(id, reason(id), side))?;
            }
            output.notice(&format!(
                "resolved with the state of {fetched_at}; `connector-admin status` fetches the current one"
            ));
        }
        Ok(if skipped.is_empty() { DONE } else { NEEDS_ATTENTION })
    }
}

fn resolved_text(id: &str, skipped: Option<&str>, side: Side) -> String {
    match (skipped, side) {
        (Some(reason), _) => format!("{id}: skipped, {reason}"),
        (None, Side::Local) => format!("{id}: kept local; `push --dry-run` shows what a push can do with it"),
        (None, Side::Remote) => format!("{id}: replaced by Kibana's version"),
    }
}
