//! `undo`.

use anyhow::bail;

use super::{Access, Run};
use crate::cli::context::Session;
use crate::cli::filters::{parse_change_filter, refuse_doubtful};
use crate::cli::render::history::report_revert;
use crate::cli::render::output::Output;
use crate::clock;
use crate::domain::Filter;
use crate::store::{Store, StoreError};

const EXAMPLES: &str = "\
Examples:
  connector-admin undo
  connector-admin undo 3
  connector-admin undo 3 --filter type:jira";

/// Undo the last step, or the given one
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Undo {
    /// Number of the step
    step: Option<i64>,
    /// Only connectors that pass this filter; `list --help` shows its keys
    #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true)]
    filter: Option<String>,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Undo {
    fn access(&self) -> Access {
        Access::Write
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        self.filter.as_deref().map_or(Ok(()), refuse_doubtful)?;
        let filter = parse_change_filter(self.filter.as_deref(), output)?;
        let mut store = context.open_existing(output)?;
        let step = match (self.step, store.last_step()?) {
            (Some(step), _) => step,
            (None, Some(last)) => last.step,
            (None, None) => bail!("{}: nothing to undo", context.file.display()),
        };
        if filter.is_empty() {
            return revert(&mut store, step, self.json, output);
        }
        let ids = matching_ids(&store, step, &filter)?;
        if ids.is_empty() {
            bail!("{}: no connector of step {step} passes the filter; nothing was changed", context.file.display());
        }
        let reverted = store.revert_some(step, &ids, &clock::now_iso())?;
        report_revert(&reverted, self.json, output)
    }
}

fn matching_ids(store: &Store, step: i64, filter: &Filter) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    store.each_change::<StoreError>(step, |change| {
        if filter.matches(&change.summary(store.catalogue()), store.catalogue()) {
            ids.push(change.id);
        }
        Ok(())
    })?;
    Ok(ids)
}

/// Reverts a step and reports it.
pub(super) fn revert(store: &mut Store, step: i64, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let progress = output.progress();
    let reverted = store
        .revert(step, &clock::now_iso(), &mut |done, total| progress.bar("reverting", done, total, "connectors"))?;
    drop(progress);
    report_revert(&reverted, json, output)
}
