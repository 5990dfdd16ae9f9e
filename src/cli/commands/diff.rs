//! What differs between the file and an export, connector by connector.

use std::path::Path;

use serde_json::{Value, json};

use super::super::context::Context;
use super::super::output::{Output, counted};
use super::super::stream::List;
use super::super::{DONE, NEEDS_A_PERSON};
use super::history::field_json;
use super::parse_filter_to_judge;
use crate::domain::Connector;
use crate::domain::change::{Change, changes};
use crate::store::SeenIds;
use crate::transfer::{Export, as_exported};

/// Told as it is found, so that files of any size take the same memory.
struct Told<'a> {
    list: Option<List>,
    output: &'a mut Output,
    differing: u64,
    only_in_file: u64,
    only_in_export: u64,
}

impl Told<'_> {
    fn tell(&mut self, record: &Connector, what: &str, fields: &[Change]) -> anyhow::Result<()> {
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
    let filter = parse_filter_to_judge(filter)?;
    let store = context.read_for(&filter)?;
    let is_wanted = |record: &Connector| filter.is_empty() || filter.matches(&store.summary_of(record));
    let seen = SeenIds::new()?;
    let list = json.then(|| List::object(&[], "connectors", output)).transpose()?;
    let mut told = Told { list, output, differing: 0, only_in_file: 0, only_in_export: 0 };
    for incoming in Export::open(export)?.with_memory_of_ids()? {
        let theirs = incoming?.connector;
        seen.insert(&theirs.id)?;
        match store.get(&theirs.id)? {
            None if is_wanted(&theirs) => {
                told.only_in_export += 1;
                told.tell(&theirs, "only in the export", &[])?;
            }
            Some(ours) if is_wanted(&ours) || is_wanted(&theirs) => {
                let fields = differences(&ours, &theirs);
                if !fields.is_empty() {
                    told.differing += 1;
                    told.tell(&ours, "differs", &fields)?;
                }
            }
            _ => {}
        }
    }
    store.each::<anyhow::Error>(|ours| {
        if is_wanted(&ours) && seen.insert(&ours.id)? {
            told.only_in_file += 1;
            told.tell(&ours, "only in the file", &[])?;
        }
        Ok(())
    })?;
    end(told)
}

/// What an export says of a connector: no secrets, and its own times.
fn differences(ours: &Connector, theirs: &Connector) -> Vec<Change> {
    let (ours, theirs) = (as_exported(ours), as_exported(theirs));
    changes(&ours, &Connector { is_missing_secrets: ours.is_missing_secrets, ..theirs })
}

fn end(told: Told<'_>) -> anyhow::Result<u8> {
    let Told { list, output, differing, only_in_file, only_in_export } = told;
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
            counted(differing, "connector")
        ))?,
    }
    Ok(if differing + only_in_file + only_in_export == 0 { DONE } else { NEEDS_A_PERSON })
}
