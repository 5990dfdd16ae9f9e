//! The report of a migration plan or run: Markdown, JSON or CSV, written record by record.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::history::field_json;
use super::output::Output;
use super::stream::sheet_row;
use crate::domain::Connector;
use crate::domain::diff::{Change, changes};
use crate::fs::write_atomically;
use crate::text::terminal::safe;

/// A report that is being written.
pub(in crate::cli) struct Report<'a> {
    out: &'a mut dyn Write,
    form: Form,
    records: u64,
}

#[derive(Clone, Copy)]
enum Form {
    Markdown,
    Json,
    Csv,
}

impl Form {
    /// By the end of the file's name.
    fn of(target: &Path) -> Self {
        match target.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase).as_deref() {
            Some("json") => Form::Json,
            Some("csv") => Form::Csv,
            _ => Form::Markdown,
        }
    }
}

/// The columns of a report that is a table.
const COLUMNS: [&str; 6] = ["id", "name", "connector_type_id", "outcome", "reason", "changes"];

/// One record of a report.
pub(in crate::cli) struct Line<'a> {
    /// The record.
    pub(in crate::cli) record: &'a Connector,
    /// The outcome in the plan or the run: `backfill`, `blocked`, `rolled back` …
    pub(in crate::cli) outcome: &'a str,
    /// The reason.
    pub(in crate::cli) reason: &'a str,
    /// The record after; none when it stays as it is.
    pub(in crate::cli) after: Option<&'a Connector>,
}

/// Writes a report to `target`, `-` for standard output. `facts` are its header, `fill` adds the records. A file is
/// written atomically.
pub(in crate::cli) fn write(
    target: &Path,
    title: &str,
    facts: &[(&str, Value)],
    output: &mut Output,
    fill: impl FnOnce(&mut Report<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let write = |out: &mut dyn Write| {
        let mut report = Report { out, form: Form::of(target), records: 0 };
        report.head(title, facts)?;
        fill(&mut report)?;
        Ok(report.end()?)
    };
    if target == Path::new("-") { write(&mut output.raw()) } else { write_atomically(target, write) }
}

impl Report<'_> {
    fn head(&mut self, title: &str, facts: &[(&str, Value)]) -> io::Result<()> {
        match self.form {
            Form::Json => return self.json_head(title, facts),
            // A table has no room for facts about the whole.
            Form::Csv => return self.out.write_all(sheet_row(&COLUMNS)?.as_bytes()),
            Form::Markdown => {}
        }
        writeln!(self.out, "# {}\n", markdown(title))?;
        for (name, value) in facts {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            writeln!(self.out, "- {}: {}", name.replace('_', " "), markdown(&text))?;
        }
        writeln!(self.out, "\n| connector | type | outcome | changes | reason |\n| --- | --- | --- | --- | --- |")
    }

    fn json_head(&mut self, title: &str, facts: &[(&str, Value)]) -> io::Result<()> {
        write!(self.out, "{{\"title\": {}", json!(title))?;
        for (name, value) in facts {
            write!(self.out, ", {}: {value}", json!(name))?;
        }
        write!(self.out, ", \"records\": [")
    }

    /// Adds a record.
    pub(in crate::cli) fn add(&mut self, line: &Line<'_>) -> anyhow::Result<()> {
        let fields = line.after.map_or_else(Vec::new, |after| changes(line.record, after));
        let written = match self.form {
            Form::Json => self.add_json(line, &fields),
            Form::Csv => self.add_cells(line, &fields),
            Form::Markdown => self.add_row(line, &fields),
        };
        self.records += 1;
        Ok(written?)
    }

    fn add_json(&mut self, line: &Line<'_>, fields: &[Change]) -> io::Result<()> {
        let record = json!({
            "id": line.record.id, "name": line.record.name, "connector_type_id": line.record.connector_type_id,
            "outcome": line.outcome, "reason": line.reason,
            "changes": fields.iter().map(field_json).collect::<Vec<_>>(),
        });
        write!(self.out, "{}\n  {record}", if self.records == 0 { "" } else { "," })
    }

    fn add_cells(&mut self, line: &Line<'_>, fields: &[Change]) -> io::Result<()> {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
        let change =
            |change: &Change| format!("{}: {} → {}", change.field, value(&change.before), value(&change.after));
        let record = line.record;
        let changes = fields.iter().map(change).collect::<Vec<_>>().join("; ");
        let cells = [&record.id, &record.name, &record.connector_type_id, line.outcome, line.reason, &changes];
        self.out.write_all(sheet_row(&cells)?.as_bytes())
    }

    fn add_row(&mut self, line: &Line<'_>, fields: &[Change]) -> io::Result<()> {
        let value = |value: &Option<String>| markdown(value.as_deref().unwrap_or("(none)"));
        let shown: Vec<String> = fields
            .iter()
            .map(|change| format!("{}: {} → {}", markdown(&change.field), value(&change.before), value(&change.after)))
            .collect();
        writeln!(
            self.out,
            "| {} ({}) | {} | {} | {} | {} |",
            markdown(&line.record.name),
            markdown(&line.record.id),
            markdown(&line.record.connector_type_id),
            line.outcome,
            if shown.is_empty() { "none".to_owned() } else { shown.join("<br>") },
            markdown(line.reason)
        )
    }

    fn end(self) -> io::Result<()> {
        if matches!(self.form, Form::Json) {
            writeln!(self.out, "\n]}}")?;
        }
        self.out.flush()
    }
}

/// Text as a cell of a Markdown table shows it: nothing of it is markup, and nothing is hidden.
fn markdown(text: &str) -> String {
    let mut shown = String::new();
    for character in safe(text).chars() {
        match character {
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '!' => shown.extend(['\\', character]),
            character => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::markdown;

    #[test]
    fn names_are_escaped_in_markdown() {
        let hostile = "a|b <img src=x> [x](http://e) `c` *d* \u{1b}[31m";
        assert_eq!(markdown(hostile), "a\\|b &lt;img src=x&gt; \\[x\\](http://e) \\`c\\` \\*d\\* ␛\\[31m");
    }
}
