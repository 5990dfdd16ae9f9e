//! `toggle`.

use serde_json::{Value, json};

use super::{Access, Run};
use crate::cli::context::Session;
use crate::cli::filters::parse_filter_to_write;
use crate::cli::records::{in_order, refuse, unknown_ids};
use crate::cli::render::output::Output;
use crate::cli::value_enums::ModeArg;
use crate::cli::{DONE, NEEDS_ATTENTION};
use crate::clock;
use crate::store::{ModeChange, Sort, Store, Written};

const EXAMPLES: &str = "\
Examples:
  connector-admin toggle ops-webhook
  connector-admin toggle ops-webhook team-notion --to per-user
  connector-admin toggle --filter authtype:oauth --to per-user";

/// Set or toggle the auth mode of connectors
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Toggle {
    /// Ids of the connectors
    #[arg(required_unless_present = "filter")]
    ids: Vec<String>,
    /// All connectors that pass this filter
    #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true, conflicts_with = "ids", requires = "to")]
    filter: Option<String>,
    /// Auth mode to set [default: the other one of each connector]
    #[arg(long, value_enum)]
    to: Option<ModeArg>,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Toggle {
    fn access(&self) -> Access {
        Access::Write
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let Self { mut ids, filter, to, json } = self;
        let context = session.context()?;
        let filter = filter.as_deref().map(parse_filter_to_write).transpose()?;
        let mut store = context.open_existing(output)?;
        if let Some(filter) = filter {
            context.find_keys(&mut store, &filter)?;
            let order = in_order(&store, &filter, Sort::default())?;
            ids = store.ids(&order.window(0, usize::MAX))?;
            if ids.is_empty() {
                output.notice("no connector passes the filter");
            }
        }
        if let Some(error) = unknown_ids(&store, &ids)? {
            return refuse(&context.file, &error, json, output);
        }
        let change = to.map_or(ModeChange::Toggle, |mode| ModeChange::To(mode.into()));
        let written = store.set_auth_mode(&ids, change, &clock::now_iso())?;
        if json {
            print_json(&written, output)?;
        } else {
            print(&store, &written, output)?;
        }
        Ok(if written.refused.is_empty() { DONE } else { NEEDS_ATTENTION })
    }
}

fn print_json(written: &Written, output: &mut Output) -> anyhow::Result<()> {
    let refused: Vec<Value> = written.refused.iter().map(|(id, reason)| json!({"id": id, "reason": reason})).collect();
    Ok(output.json(&json!({"changed": written.changed, "unchanged": written.unchanged, "refused": refused}))?)
}

fn print(store: &Store, written: &Written, output: &mut Output) -> anyhow::Result<()> {
    for id in &written.changed {
        let mode = store.get(id)?.map(|connector| connector.effective_auth_mode().to_string());
        output.line(&format!("{id}: {}", mode.unwrap_or_default()))?;
    }
    for id in &written.unchanged {
        output.line(&format!("{id}: unchanged"))?;
    }
    for (id, reason) in &written.refused {
        output.line(&format!("{id}: skipped, {reason}"))?;
    }
    Ok(())
}
