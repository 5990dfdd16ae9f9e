//! Completions for shells and manual pages. Both are generated from the arguments, so they are never stale.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::DONE;
use crate::cli::args::Args;
use crate::cli::render::output::{Output, OutputFailed};

const NAME: &str = "connector-admin";

pub(in crate::cli) fn completions(shell: Shell, output: &mut Output) -> anyhow::Result<u8> {
    // Not straight to standard output: a reader that has gone is no reason to panic.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), NAME, &mut script);
    output.raw().write_all(&script).map_err(OutputFailed::from)?;
    output.flush()?;
    Ok(DONE)
}

pub(in crate::cli) fn manual(folder: Option<&Path>, output: &mut Output) -> anyhow::Result<u8> {
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
