//! `upgrade`.

use serde_json::json;

use super::{Access, Run};
use crate::cli::DONE;
use crate::cli::context::{Session, no_such_file};
use crate::cli::render::output::Output;
use crate::store::{self, Inspection, LATEST_SCHEMA, Reading};

const EXAMPLES: &str = "\
Examples:
  connector-admin --file work.db upgrade";

/// Upgrade the file to the newest schema (every command that writes does this first)
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Upgrade {
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Upgrade {
    fn access(&self) -> Access {
        Access::Write
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        let file = &context.file;
        if store::inspect(file, Reading::Shared)? == Inspection::Missing {
            return Err(no_such_file(file));
        }
        let (store, report) = context.open(output)?;
        let from = report.as_ref().map_or(LATEST_SCHEMA, |report| report.from);
        if self.json {
            let backup = report.as_ref().map(|report| report.backup.display().to_string());
            output.json(&json!({"from": from, "to": store.schema_version()?, "backup": backup}))?;
        } else if report.is_none() {
            output.line(&format!("{} has the newest schema ({LATEST_SCHEMA}) already", file.display()))?;
        } else {
            output.line(&format!("{} has schema {LATEST_SCHEMA} now", file.display()))?;
        }
        Ok(DONE)
    }
}
