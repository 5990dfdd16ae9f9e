//! `pull`.

use serde_json::json;

use super::{Access, Run};
use crate::cli::context::Session;
use crate::cli::remote_link::{Linked, Which, link};
use crate::cli::render::output::Output;
use crate::cli::{DONE, NEEDS_ATTENTION};
use crate::clock;
use crate::service::remote;
use crate::service::remote::{PullReport, Pulling};
use crate::text::plural;

const EXAMPLES: &str = "\
Examples:
  connector-admin pull
  connector-admin pull --remote prod --json";

/// Pull changes from the remote (one step, can be undone)
///
/// Local changes are kept; conflicts are skipped and listed (exit code 1).
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Pull {
    #[command(flatten)]
    which: Which,
    /// Delete in the file also when most connectors are missing in Kibana (may be a wrong space or a missing privilege)
    #[arg(long)]
    accept_deletes: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Pull {
    fn access(&self) -> Access {
        Access::Write
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let mut linked = link(&session.context()?, &self.which, output)?;
        linked.fetch(output)?;
        let Linked { store, vault, remote, .. } = &mut linked;
        let pulling = Pulling { only: None, deletes_most: self.accept_deletes };
        let report = remote::pull(store, vault, remote, pulling, &clock::now_iso())?;
        if self.json {
            let pulled = &report.pulled;
            output.json(&json!({
                "remote": remote.name, "added": pulled.added, "changed": pulled.changed, "deleted": pulled.deleted,
                "conflicts": report.conflicts, "nested": report.nested, "read_only": report.read_only,
                "held_back": report.held_back, "step": pulled.step,
            }))?;
        } else {
            print(&remote.name, &report, output)?;
        }
        print_notes(&report, output);
        let is_complete = report.conflicts.is_empty() && report.nested.is_empty() && report.held_back == 0;
        Ok(if is_complete { DONE } else { NEEDS_ATTENTION })
    }
}

fn print(remote: &str, report: &PullReport, output: &mut Output) -> anyhow::Result<()> {
    let pulled = &report.pulled;
    let (added, changed, deleted) = (pulled.added.len(), pulled.changed.len(), pulled.deleted.len());
    output.line(&format!("Pulled from {remote}: {added} new, {changed} changed, {deleted} deleted"))?;
    if report.read_only > 0 {
        output.line(&format!("{} managed by Kibana were skipped; `status` shows them", report.read_only))?;
    }
    for id in &report.conflicts {
        output.line(&format!("conflict, skipped: {id}"))?;
    }
    for id in &report.nested {
        output.line(&format!("skipped, its config is nested deeper than 100 levels: {id}"))?;
    }
    Ok(())
}

fn print_notes(report: &PullReport, output: &Output) {
    if !report.conflicts.is_empty() {
        output.notice(
            "`connector-admin diff` shows both sides of a conflict, `resolve ID --keep local|remote` resolves it",
        );
    }
    if report.held_back > 0 {
        output.notice(&format!(
            "{} are missing in Kibana, which is most of them: they stay in the file. A wrong space or a missing \
             privilege looks like that; --accept-deletes deletes them in the file too",
            plural(report.held_back as u64, "connector")
        ));
    }
}
