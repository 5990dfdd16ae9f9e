//! `history`.

use anyhow::bail;
use serde_json::{Value, json};

use super::{Access, Run};
use crate::cli::DONE;
use crate::cli::context::{Context, Session};
use crate::cli::filters::parse_change_filter;
use crate::cli::render::history::{change_json, limits_text, print_change, step_json, step_row};
use crate::cli::render::output::Output;
use crate::cli::render::stream::List;
use crate::clock;
use crate::messages;
use crate::store::{HistoryEntry, HistoryLimits, RecordStep};
use crate::text::plural;
use crate::text::size::bytes_text;

const EXAMPLES: &str = "\
Examples:
  connector-admin history
  connector-admin history 3 --filter change:modified-since
  connector-admin history --id ops-webhook
  connector-admin history --keep-days 90";

/// Show the history: all steps, one step, or those of a connector
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct History {
    /// Number of a step: show its connectors with before and after
    #[arg(conflicts_with = "id")]
    step: Option<i64>,
    /// Only steps that changed this connector
    #[arg(long)]
    id: Option<String>,
    /// Number of steps to show, newest first
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
    /// Only connectors of the step that pass this filter
    #[arg(long, short, value_name = "FILTER", requires = "step", allow_hyphen_values = true)]
    filter: Option<String>,
    /// Keep steps for this many days, from now on
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    keep_days: Option<u32>,
    /// Keep at most this many megabytes of steps, from now on
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..))]
    keep_megabytes: Option<u32>,
    /// Keep all steps, from now on (default)
    #[arg(long, conflicts_with_all = ["keep_days", "keep_megabytes"])]
    keep_all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Run for History {
    fn access(&self) -> Access {
        if self.new_limits().is_some() { Access::Write } else { Access::Read }
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        match (self.new_limits(), self.step, &self.id) {
            (Some(limits), ..) => self.keep(&context, limits, output),
            (_, Some(step), _) => self.show_step(&context, step, output),
            (_, _, Some(id)) => self.show_connector(&context, id, output),
            _ => self.list(&context, output),
        }
    }
}

impl History {
    fn new_limits(&self) -> Option<HistoryLimits> {
        let limits = HistoryLimits { days: self.keep_days, megabytes: self.keep_megabytes };
        (self.keep_all || !limits.is_off()).then_some(limits)
    }

    fn list(&self, context: &Context, output: &mut Output) -> anyhow::Result<u8> {
        let store = context.read()?;
        let steps = store.steps(None, self.limit)?;
        if self.json {
            output.json(&Value::Array(steps.iter().map(step_json).collect()))?;
            return Ok(DONE);
        }
        let rows: Vec<Vec<String>> = steps.iter().map(step_row).collect();
        if !rows.is_empty() {
            output.table(&["STEP", "AGE", "WHAT", "ABOUT", "STATE", "SIZE"], &rows)?;
        }
        let size = store.history_size()?;
        output.line(&format!("{}, {}", plural(size.steps, "step"), bytes_text(size.bytes)))?;
        Ok(DONE)
    }

    fn show_connector(&self, context: &Context, id: &str, output: &mut Output) -> anyhow::Result<u8> {
        let store = context.read()?;
        let steps = store.history_of(id, self.limit)?;
        if steps.is_empty() && store.get(id)?.is_none() {
            bail!("{}: no connector with id {id:?}, neither in the file nor in its history", context.file.display());
        }
        if self.json {
            output.json(&Value::Array(steps.iter().map(record_step_json).collect()))?;
            return Ok(DONE);
        }
        let row = |entry: &RecordStep| {
            let mut row = step_row(&entry.step);
            row.truncate(5);
            row.push(entry.columns.join(", "));
            row
        };
        let rows: Vec<Vec<String>> = steps.iter().map(row).collect();
        output.table(&["STEP", "AGE", "WHAT", "ABOUT", "STATE", "CHANGED"], &rows)?;
        Ok(DONE)
    }

    fn show_step(&self, context: &Context, step: i64, output: &mut Output) -> anyhow::Result<u8> {
        let filter = parse_change_filter(self.filter.as_deref(), output)?;
        let store = context.read()?;
        let Some(found) = store.step(step)? else {
            bail!("{}: no step {step} in the history", context.file.display());
        };
        let mut list = if self.json { Some(begin_list(&found, output)?) } else { None };
        let mut shown = 0;
        store.each_change::<anyhow::Error>(step, |change| {
            if !filter.matches(&change.summary(context.catalogue), context.catalogue) {
                return Ok(());
            }
            shown += 1;
            match &mut list {
                Some(list) => Ok(list.push(&change_json(&change), output)?),
                None => print_change(&change, output),
            }
        })?;
        match list {
            Some(list) => list.end(&[], output)?,
            None => output.line(&format!(
                "step {step}: {} of {}, {shown} shown",
                found.word(),
                messages::history::about(&found)
            ))?,
        }
        Ok(DONE)
    }

    /// Sets the retention of the history, and prunes it at once.
    fn keep(&self, context: &Context, limits: HistoryLimits, output: &mut Output) -> anyhow::Result<u8> {
        let mut store = context.open_existing(output)?;
        store.set_history_limits(limits)?;
        let pruned = store.prune(limits, clock::now(), &mut |_, _| true)?;
        if self.json {
            output.json(&json!({
                "keep_days": limits.days, "keep_megabytes": limits.megabytes,
                "pruned_steps": pruned.steps, "pruned_bytes": pruned.bytes,
            }))?;
            return Ok(DONE);
        }
        output.line(&format!("{}; removed now: {}", limits_text(limits), plural(pruned.steps, "step")))?;
        Ok(DONE)
    }
}

/// Begins a JSON object of a step, whose changes follow.
fn begin_list(step: &HistoryEntry, output: &mut Output) -> anyhow::Result<List> {
    let members = match step_json(step) {
        Value::Object(members) => members,
        _ => serde_json::Map::new(),
    };
    let members: Vec<(&str, Value)> = members.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    Ok(List::object(&members, "changes", output)?)
}

fn record_step_json(entry: &RecordStep) -> Value {
    let mut step = step_json(&entry.step);
    if let Value::Object(step) = &mut step {
        step.insert("columns".to_owned(), json!(entry.columns));
    }
    step
}
