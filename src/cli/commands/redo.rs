//! `redo`.

use anyhow::bail;

use super::undo::revert;
use super::{Access, Run};
use crate::cli::context::Session;
use crate::cli::render::output::Output;

const EXAMPLES: &str = "\
Examples:
  connector-admin redo";

/// Redo the last undone step
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Redo {
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Redo {
    fn access(&self) -> Access {
        Access::Write
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        let mut store = context.open_existing(output)?;
        let Some(step) = store.next_redo()? else {
            bail!("{}: nothing to redo", context.file.display());
        };
        revert(&mut store, step.step, self.json, output)
    }
}
