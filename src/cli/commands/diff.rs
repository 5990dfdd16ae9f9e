//! `diff` with an export: the differences, connector by connector.

use std::path::Path;

use serde_json::{Value, json};

use super::history::field_json;
use super::parse_checked_filter;
use crate::cli::context::Context;
use crate::cli::render::output::Output;
use crate::cli::render::stream::List;
use crate::cli::{DONE, NEEDS_ATTENTION};
use crate::domain::Connector;
use crate::domain::diff::{Change, changes};
use crate::kibana::saved_objects::{ExportReader, as_exported};
use crate::store::TempIdSet;
use crate::text::plural;

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
            self.output.line(&format!("    - {}", value(&field.before)))?;
            self.output.line(&format!("    + {}", value(&field.after)))?;
        }
        Ok(())
    }
}

pub(super) fn diff(
    context: &Context,
    export: &Path,
    filter: Option<&str>,
    json: bool,
    output: &mut Output,
) -> anyhow::Result<u8> {
    let filter = parse_checked_filter(filter)?;
    let store = context.read_for(&filter)?;
    let is_wanted = |record: &Connector| filter.is_empty() || filter.matches(&store.summary_of(record));
    let seen = TempIdSet::new()?;
    let list = json.then(|| List::object(&[], "connectors", output)).transpose()?;
    let mut sink = DiffSink { list, output, differing: 0, only_in_file: 0, only_in_export: 0 };
    for incoming in ExportReader::open(export)? {
        let theirs = incoming?.connector;
        seen.insert(&theirs.id)?;
        match store.get(&theirs.id)? {
            None if is_wanted(&theirs) => {
                sink.only_in_export += 1;
                sink.print(&theirs, "only in the export", &[])?;
            }
            Some(ours) if is_wanted(&ours) || is_wanted(&theirs) => {
                let fields = differences(&ours, &theirs);
                if !fields.is_empty() {
                    sink.differing += 1;
                    sink.print(&ours, "differs", &fields)?;
                }
            }
            _ => {}
        }
    }
    store.each::<anyhow::Error>(|ours| {
        if is_wanted(&ours) && seen.insert(&ours.id)? {
            sink.only_in_file += 1;
            sink.print(&ours, "only in the file", &[])?;
        }
        Ok(())
    })?;
    end(sink)
}

/// Returns the differences in what an export holds: no secrets, and its own times.
fn differences(ours: &Connector, theirs: &Connector) -> Vec<Change> {
    let (ours, theirs) = (as_exported(ours), as_exported(theirs));
    changes(&ours, &Connector { is_missing_secrets: ours.is_missing_secrets, ..theirs })
}

fn end(sink: DiffSink<'_>) -> anyhow::Result<u8> {
    let DiffSink { list, output, differing, only_in_file, only_in_export } = sink;
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
            "{} differ, {only_in_file} only in the file, {only_in_export} only in the export",
            plural(differing, "connector")
        ))?,
    }
    Ok(if differing + only_in_file + only_in_export == 0 { DONE } else { NEEDS_ATTENTION })
}
