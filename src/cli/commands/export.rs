//! `export`.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Access, Run};
use crate::cli::context::Session;
use crate::cli::filters::parse_filter;
use crate::cli::render::output::Output;
use crate::cli::{DONE, NEEDS_ATTENTION};
use crate::domain::Connector;
use crate::fs::write_atomically;
use crate::messages::transfer::export_notes;
use crate::service::export;
use crate::service::output_file::check_target;
use crate::text::plural;

const EXAMPLES: &str = "\
Examples:
  connector-admin export --output for-kibana.ndjson
  connector-admin export --filter type:slack > slack.ndjson";

/// Write a saved-object export that Kibana can import (NDJSON, without secrets)
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Export {
    /// Only connectors that pass this filter; `list --help` shows its keys
    #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true)]
    filter: Option<String>,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the summary on standard error as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Export {
    fn access(&self) -> Access {
        Access::ReadAndCreate
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        // As for input, - is the standard stream; a file behind it must not be replaced.
        let is_standard = |target: &PathBuf| target == Path::new("-") || target == Path::new("/dev/stdout");
        let target = self.output.filter(|target| !is_standard(target));
        if let Some(target) = &target {
            check_target(target, &context.file, &context.key_file()?)?;
        }
        let filter = parse_filter(self.filter.as_deref(), output)?;
        let store = context.read_for(&filter)?;
        let is_wanted = |connector: &Connector| {
            filter.is_empty() || filter.matches(&store.summary_of(connector), session.catalogue)
        };
        let progress = output.progress();
        // On a terminal the lines themselves show the progress.
        let is_shown = target.is_some() || !output.is_terminal();
        let mut shown = |done, total| !is_shown || progress.bar("read", done, total, "connectors");
        let report = match &target {
            None => export::export(&store, &mut output.raw(), "standard output", is_wanted, &mut shown)?,
            Some(target) => write_atomically(target, |out| {
                export::export(&store, out, &target.display().to_string(), is_wanted, &mut shown)
            })?,
        };
        drop(progress);
        for line in export_notes(&report) {
            output.notice(&line);
        }
        if self.json {
            output.notice(&json!({"exported": report.exported, "excluded": report.excluded.len()}).to_string());
        } else if target.is_some() {
            output.notice(&format!("Exported {}", plural(report.exported, "connector")));
        }
        Ok(if report.excluded.is_empty() { DONE } else { NEEDS_ATTENTION })
    }
}
