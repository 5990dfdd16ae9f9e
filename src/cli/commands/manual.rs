//! What a system wants to know of the program: completions for shells, manual pages. Both are made from the
//! arguments themselves, so they cannot go stale.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use super::super::DONE;
use super::super::args::Args;
use super::super::output::{Output, OutputFailed};

const NAME: &str = "connector-admin";

pub(in super::super) fn completions(shell: Shell, output: &mut Output) -> anyhow::Result<u8> {
    // Not straight to standard output: a reader that has gone is no reason to panic.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), NAME, &mut script);
    output.raw().write_all(&script).map_err(OutputFailed::from)?;
    output.flush()?;
    Ok(DONE)
}

pub(in super::super) fn manual(folder: Option<&Path>, output: &mut Output) -> anyhow::Result<u8> {
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        clap_mangen::generate_to(Args::command(), folder)
            .with_context(|| format!("the pages cannot be written into {}", folder.display()))?;
        return Ok(DONE);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Args::command()).render(&mut page).context("the page cannot be made")?;
    output.raw().write_all(&page).map_err(OutputFailed::from)?;
    output.flush()?;
    Ok(DONE)
}
