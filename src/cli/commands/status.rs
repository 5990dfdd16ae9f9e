//! `status`.

use super::{Access, Run};
use crate::cli::context::Session;
use crate::cli::remote_link::{Which, compared};
use crate::cli::render::output::Output;
use crate::cli::render::remote::{print_group, print_header, push_json, report_json};
use crate::cli::{DONE, NEEDS_ATTENTION};
use crate::domain::Filter;
use crate::service::remote::SyncGroup;

const EXAMPLES: &str = "\
Examples:
  connector-admin status
  connector-admin status --offline --json";

/// Show changes to push and pull (exit code 1 if there are any)
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Status {
    #[command(flatten)]
    which: Which,
    /// Use the state of the last fetch
    #[arg(long)]
    offline: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Run for Status {
    fn access(&self) -> Access {
        // The fetched state is stored in the file.
        if self.offline { Access::Read } else { Access::Fetch }
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        let (remote, report) = compared(&context, &self.which, self.offline, &Filter::default(), output)?;
        if self.json {
            let mut value = report_json(&remote, &report);
            if let Some(push) = &report.last_push {
                value["last_push"] = push_json(push);
            }
            output.json(&value)?;
        } else {
            print_header(&remote, &report, output)?;
            for group in SyncGroup::ALL {
                print_group(&report, group, output)?;
            }
            if report.is_clean() {
                output.line("Nothing to push or pull")?;
            }
        }
        Ok(if report.is_clean() && !report.was_interrupted() { DONE } else { NEEDS_ATTENTION })
    }
}
