//! `diff`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Access, Run};
use crate::cli::context::{Context, Session};
use crate::cli::filters::parse_checked_filter;
use crate::cli::remote_link::{Which, compared};
use crate::cli::render::history::field_json;
use crate::cli::render::output::Output;
use crate::cli::render::remote::{print_differences, report_json};
use crate::cli::render::stream::List;
use crate::cli::{DONE, NEEDS_ATTENTION};
use crate::domain::diff::{Change, changes};
use crate::domain::{Catalogue, Connector, Filter};
use crate::kibana::saved_objects::{ExportReader, as_exported};
use crate::store::TempIdSet;
use crate::text::{grouped, plural};

const EXAMPLES: &str = "\
Examples:
  connector-admin diff
  connector-admin diff --offline --filter type:webhook
  connector-admin diff export.ndjson --json";

/// Compare the file with a remote or an export, field by field (exit code 1 if they differ)
///
/// With a remote the comparison is three-way: merge base, file and Kibana. An export is compared without secrets
/// and timestamps.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Diff {
    /// Export file; - reads standard input [default: compare with the remote]
    export: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// Use the state of the last fetch
    #[arg(long, conflicts_with = "export")]
    offline: bool,
    /// Only connectors that pass this filter; `list --help` shows its keys
    #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true)]
    filter: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Run for Diff {
    fn access(&self) -> Access {
        // The fetched state is stored in the file.
        if self.export.is_none() && !self.offline { Access::Fetch } else { Access::Read }
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        let filter = parse_checked_filter(self.filter.as_deref())?;
        if let Some(export) = &self.export {
            return diff_export(&context, export, &filter, self.json, output);
        }
        let (remote, report) = compared(&context, &self.which, self.offline, &filter, output)?;
        let is_same = report.differing().next().is_none();
        if self.json {
            output.json(&report_json(&remote, &report))?;
        } else {
            print_differences(&report, output)?;
        }
        Ok(if is_same { DONE } else { NEEDS_ATTENTION })
    }
}

/// Prints differences as they are found, so that memory is constant.
struct DiffSink<'a> {
    list: Option<List>,
    output: &'a mut Output,
    differing: u64,
    only_in_file: u64,
    only_in_export: u64,
}

impl DiffSink<'_> {
    fn print(&mut self, record: &Connector, what: &str, fields: &[Change]) -> anyhow::Result<()> {
        if let Some(list) = &mut self.list {
            let fields: Vec<Value> = fields.iter().map(field_json).collect();
            let item = json!({"id": record.id, "name": record.name, "difference": what, "fields": fields});
            return Ok(list.push(&item, self.output)?);
        }
        self.output.line(&format!("{what}: {} ({})", record.name, record.id))?;
        for field in fields {
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
            self.output.line(&format!("  {}", field.field))?;
            self.output.line(&format!("    file    {}", value(&field.before)))?;
            self.output.line(&format!("    export  {}", value(&field.after)))?;
        }
        Ok(())
    }
}

fn diff_export(
    context: &Context,
    export: &Path,
    filter: &Filter,
    json: bool,
    output: &mut Output,
) -> anyhow::Result<u8> {
    let store = context.read_for(filter)?;
    let is_wanted =
        |record: &Connector| filter.is_empty() || filter.matches(&store.summary_of(record), context.catalogue);
    let exported = TempIdSet::new()?;
    let list = json.then(|| List::object(&[], "connectors", output)).transpose()?;
    let mut sink = DiffSink { list, output, differing: 0, only_in_file: 0, only_in_export: 0 };
    for incoming in ExportReader::open(export)? {
        let theirs = incoming?.connector;
        exported.insert(&theirs.id)?;
        match store.get(&theirs.id)? {
            None if is_wanted(&theirs) => {
                sink.only_in_export += 1;
                sink.print(&theirs, "only in the export", &[])?;
            }
            Some(ours) if is_wanted(&ours) || is_wanted(&theirs) => {
                let fields = differences(&ours, &theirs, context.catalogue);
                if !fields.is_empty() {
                    sink.differing += 1;
                    sink.print(&ours, "differs", &fields)?;
                }
            }
            _ => {}
        }
    }
    store.each::<anyhow::Error>(|ours| {
        if is_wanted(&ours) && exported.insert(&ours.id)? {
            sink.only_in_file += 1;
            sink.print(&ours, "only in the file", &[])?;
        }
        Ok(())
    })?;
    sink.end()
}

/// Returns the differences in what an export holds: no secrets, and its own times.
fn differences(ours: &Connector, theirs: &Connector, catalogue: &Catalogue) -> Vec<Change> {
    let (ours, theirs) = (as_exported(ours, catalogue), as_exported(theirs, catalogue));
    changes(&ours, &Connector { is_missing_secrets: ours.is_missing_secrets, ..theirs })
}

impl DiffSink<'_> {
    fn end(self) -> anyhow::Result<u8> {
        let Self { list, output, differing, only_in_file, only_in_export } = self;
        match list {
            Some(list) => list.end(
                &[
                    ("differing", json!(differing)),
                    ("only_in_file", json!(only_in_file)),
                    ("only_in_export", json!(only_in_export)),
                ],
                output,
            )?,
            None => output.line(&format!(
                "{} differ, {} only in the file, {} only in the export",
                plural(differing, "connector"),
                grouped(only_in_file),
                grouped(only_in_export)
            ))?,
        }
        Ok(if differing + only_in_file + only_in_export == 0 { DONE } else { NEEDS_ATTENTION })
    }
}
