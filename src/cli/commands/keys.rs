//! `keys`.

use super::{Access, Run};
use crate::cli::DONE;
use crate::cli::context::Session;
use crate::cli::render::output::Output;

const EXAMPLES: &str = "\
Examples:
  connector-admin keys
  connector-admin --config my-keys.toml keys";

/// Show the keyboard shortcuts of the UI
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Keys {}

impl Run for Keys {
    fn access(&self) -> Access {
        Access::KeyMap
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let rows: Vec<Vec<String>> = session
            .config
            .keys
            .rows()
            .into_iter()
            .map(|row| vec![row.context.to_owned(), row.keys, row.name, row.help.to_owned()])
            .collect();
        output.table(&["WHERE", "KEYS", "ACTION", "WHAT"], &rows)?;
        Ok(DONE)
    }
}
