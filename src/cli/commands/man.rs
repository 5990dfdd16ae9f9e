//! `man`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Command;
use clap_mangen::Man as Page;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Access, Run};
use crate::cli::context::Session;
use crate::cli::render::output::{Output, OutputFailed};
use crate::cli::{DONE, help};

const EXAMPLES: &str = "\
Examples:
  connector-admin man | man -l -
  connector-admin man --to ~/.local/share/man/man1";

/// Print the manual page
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Man {
    /// Write a page for the program and for each command into this folder
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

impl Run for Man {
    fn access(&self) -> Access {
        Access::NoFile
    }

    fn run(self, _session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let mut command = help::command().disable_help_subcommand(true);
        command.build();
        if let Some(folder) = &self.to {
            fs::create_dir_all(folder).with_context(|| format!("{} cannot be created", folder.display()))?;
            write_pages(&command, folder)
                .with_context(|| format!("the pages cannot be written into {}", folder.display()))?;
            return Ok(DONE);
        }
        let mut page = Vec::new();
        render(&command, true, &mut page).context("the page cannot be rendered")?;
        output.raw().write_all(&page).map_err(OutputFailed::from)?;
        output.flush()?;
        Ok(DONE)
    }
}

fn write_pages(command: &Command, folder: &Path) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let mut page = Vec::new();
    render(command, name == help::NAME, &mut page)?;
    fs::write(folder.join(format!("{name}.1")), page)?;
    command.get_subcommands().filter(|sub| !sub.is_hide_set()).try_for_each(|sub| write_pages(sub, folder))
}

/// Writes a page with the sections that administrators look for.
fn render(command: &Command, is_program: bool, out: &mut dyn Write) -> io::Result<()> {
    let page = Page::new(command.clone());
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    if command.has_subcommands() {
        page.render_subcommands_section(out)?;
    }
    if let Some(after) = command.get_after_help() {
        for section in after.to_string().split("\n\n") {
            let (title, text) = section.split_once('\n').unwrap_or(("Notes", section));
            literal_section(&title.trim_end_matches(':').to_uppercase(), text, out)?;
        }
    }
    if is_program {
        list_section("FILES", help::FILES, out)?;
        list_section("ENVIRONMENT", help::ENVIRONMENT, out)?;
        page.render_version_section(out)?;
    }
    Ok(())
}

fn literal_section(title: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut roff = Roff::default();
    roff.control("SH", [title]).control("nf", []);
    for line in text.lines() {
        roff.text([roman(line.trim_start())]);
    }
    roff.control("fi", []);
    roff.to_writer(out)
}

fn list_section(title: &str, entries: &[(&str, &str)], out: &mut dyn Write) -> io::Result<()> {
    let mut roff = Roff::default();
    roff.control("SH", [title]);
    for (name, text) in entries {
        roff.control("TP", []).text([bold(*name)]).text([roman(*text)]);
    }
    roff.to_writer(out)
}
