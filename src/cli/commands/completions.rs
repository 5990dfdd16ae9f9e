//! `completions`.

use std::io::Write as _;

use clap_complete::Shell;

use super::{Access, Run};
use crate::cli::context::Session;
use crate::cli::render::output::{Output, OutputFailed};
use crate::cli::{DONE, help};

const EXAMPLES: &str = "\
Examples:
  bash: connector-admin completions bash > ~/.local/share/bash-completion/completions/connector-admin
  zsh:  connector-admin completions zsh > _connector-admin    (in a folder of $fpath)
  fish: connector-admin completions fish > ~/.config/fish/completions/connector-admin.fish";

/// Print shell completions (`completions --help` shows where to put them)
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Completions {
    /// Shell
    shell: Shell,
}

impl Run for Completions {
    fn access(&self) -> Access {
        Access::NoFile
    }

    fn run(self, _session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        // Not straight to standard output: a closed pipe is no reason to panic.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut help::command(), help::NAME, &mut script);
        output.raw().write_all(&script).map_err(OutputFailed::from)?;
        output.flush()?;
        Ok(DONE)
    }
}
