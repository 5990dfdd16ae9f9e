//! A report of a migration plan or run, for people (Markdown) or programs (JSON), written record by record.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::history::field_json;
use crate::domain::Connector;
use crate::domain::change::{Change, changes};
use crate::ui::text::safe;

/// A report that is being written. A file gets its name when the report is whole.
pub(super) struct Report {
    out: Box<dyn Write>,
    file: Option<(tempfile::NamedTempFile, PathBuf)>,
    as_json: bool,
    records: u64,
}

/// One record of a report.
pub(super) struct Line<'a> {
    /// The record.
    pub(super) record: &'a Connector,
    /// What the plan or the run made of it: `backfill`, `blocked`, `rolled back` …
    pub(super) outcome: &'a str,
    /// Why.
    pub(super) reason: &'a str,
    /// The record after; none when it stays as it is.
    pub(super) after: Option<&'a Connector>,
}

impl Report {
    /// Begins a report at `target`, `-` for standard output. `facts` stand at its head.
    pub(super) fn begin(target: &Path, title: &str, facts: &[(&str, Value)]) -> anyhow::Result<Self> {
        let as_json = target.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let (out, file): (Box<dyn Write>, _) = if target == Path::new("-") {
            (Box::new(io::stdout()), None)
        } else {
            let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let file = tempfile::Builder::new().prefix(".connector-admin-report-").tempfile_in(folder);
            let file = file.with_context(|| format!("{}: the report cannot be written", target.display()))?;
            let handle: File = file.as_file().try_clone().context("the report cannot be written")?;
            (Box::new(BufWriter::new(handle)), Some((file, target.to_owned())))
        };
        let mut report = Self { out, file, as_json, records: 0 };
        report.head(title, facts).context("the report cannot be written")?;
        Ok(report)
    }

    fn head(&mut self, title: &str, facts: &[(&str, Value)]) -> io::Result<()> {
        if self.as_json {
            write!(self.out, "{{\"title\": {}", json!(title))?;
            for (name, value) in facts {
                write!(self.out, ", {}: {value}", json!(name))?;
            }
            return write!(self.out, ", \"records\": [");
        }
        writeln!(self.out, "# {}\n", markdown(title))?;
        for (name, value) in facts {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            writeln!(self.out, "- {}: {}", name.replace('_', " "), markdown(&text))?;
        }
        writeln!(self.out, "\n| connector | type | outcome | changes | reason |\n| --- | --- | --- | --- | --- |")
    }

    /// Adds a record.
    pub(super) fn add(&mut self, line: &Line<'_>) -> anyhow::Result<()> {
        let fields = line.after.map_or_else(Vec::new, |after| changes(line.record, after));
        let written = if self.as_json { self.add_json(line, &fields) } else { self.add_row(line, &fields) };
        self.records += 1;
        written.context("the report cannot be written")
    }

    fn add_json(&mut self, line: &Line<'_>, fields: &[Change]) -> io::Result<()> {
        let record = json!({
            "id": line.record.id, "name": line.record.name, "connector_type_id": line.record.connector_type_id,
            "outcome": line.outcome, "reason": line.reason,
            "changes": fields.iter().map(field_json).collect::<Vec<_>>(),
        });
        write!(self.out, "{}\n  {record}", if self.records == 0 { "" } else { "," })
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

    /// Ends the report; a file has its name then.
    pub(super) fn end(mut self) -> anyhow::Result<()> {
        if self.as_json {
            writeln!(self.out, "\n]}}").context("the report cannot be written")?;
        }
        self.out.flush().context("the report cannot be written")?;
        drop(self.out);
        if let Some((file, target)) = self.file {
            file.as_file().sync_all().context("the report cannot be written")?;
            file.persist(&target).with_context(|| format!("{}: the report cannot be written", target.display()))?;
        }
        Ok(())
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
    fn names_are_no_markup() {
        let hostile = "a|b <img src=x> [x](http://e) `c` *d* \u{1b}[31m";
        assert_eq!(markdown(hostile), "a\\|b &lt;img src=x&gt; \\[x\\](http://e) \\`c\\` \\*d\\* ␛\\[31m");
    }
}
