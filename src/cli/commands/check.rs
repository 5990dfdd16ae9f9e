//! Checking the file and every connector.

use serde_json::{Value, json};

use super::parse_checked_filter;
use crate::cli::context::Context;
use crate::cli::render::output::Output;
use crate::cli::render::stream::{List, Table};
use crate::cli::{DONE, NEEDS_ATTENTION};
use crate::domain::Connector;
use crate::domain::findings::{Finding, Severity, findings};
use crate::text::plural;
use crate::vault::Vault;

/// The repair of a damaged file.
const REPAIR_FILE: &str =
    "restore a backup (`backup --list`, `restore BACKUP`), or save what can be read with `sqlite3 FILE .recover`";

/// The repair of a value of the wrong kind.
const CORRECT_VALUE: &str = "correct that row with `sqlite3 FILE`";

pub(super) fn check(
    context: &Context,
    filter: Option<&str>,
    problems_only: bool,
    json: bool,
    output: &mut Output,
) -> anyhow::Result<u8> {
    let filter = parse_checked_filter(filter)?;
    let vault = Vault::new(context.keys()?);
    let store = context.read_for(&filter)?;
    let progress = output.progress();
    progress.text("checking the file");
    let damage = store.damage()?;
    // In a damaged file the values are meaningless.
    let wrong = if damage.is_empty() { store.wrong_values()? } else { Vec::new() };
    let of_file: Vec<(&str, &str)> = damage
        .iter()
        .map(|reason| (reason.as_str(), REPAIR_FILE))
        .chain(wrong.iter().map(|reason| (reason.as_str(), CORRECT_VALUE)))
        .collect();
    let (total, _) = store.totals()?;
    let mut printed = Printed::begin(&of_file, json, output)?;
    let (mut checked, mut problems, mut notes) = (0_u64, of_file.len() as u64, 0_u64);
    let read = store.each::<anyhow::Error>(|connector| {
        if !filter.matches(&store.summary_of(&connector)) {
            return Ok(());
        }
        checked += 1;
        if checked.is_multiple_of(1000) {
            progress.bar("checked", checked, total, "connectors");
        }
        for finding in findings(&connector, &vault.state(&connector)) {
            let is_problem = finding.severity == Severity::Problem;
            *(if is_problem { &mut problems } else { &mut notes }) += 1;
            if is_problem || !problems_only {
                printed.add(&connector, &finding, output)?;
            }
        }
        Ok(())
    });
    drop(progress);
    // A damaged file may end before its records do; that has been reported.
    if damage.is_empty() {
        read?;
    }
    let counts = [("checked", json!(checked)), ("problems", json!(problems)), ("notes", json!(notes))];
    printed.end(&counts, output)?;
    if !json {
        let file = if damage.is_empty() { "the file is whole" } else { "the file is damaged" };
        let checked = plural(checked, "connector");
        output.line(&format!(
            "{checked} checked, {}, {}; {file}",
            plural(problems, "problem"),
            plural(notes, "note")
        ))?;
    }
    Ok(if problems == 0 { DONE } else { NEEDS_ATTENTION })
}

/// The findings as they come.
enum Printed {
    Table(Table),
    List(List),
}

impl Printed {
    fn begin(of_file: &[(&str, &str)], json: bool, output: &mut Output) -> anyhow::Result<Self> {
        if json {
            let file: Vec<Value> =
                of_file.iter().map(|(reason, repair)| json!({"reason": reason, "repair": repair})).collect();
            return Ok(Printed::List(List::object(&[("file", Value::Array(file))], "connectors", output)?));
        }
        for (reason, repair) in of_file {
            let what = if *repair == REPAIR_FILE { "the file is damaged: " } else { "the file has " };
            output.line(&format!("{what}{reason}; {repair}"))?;
        }
        Ok(Printed::Table(Table::new(&["CONNECTOR", "LEVEL", "WHERE", "WHAT", "REPAIR"])))
    }

    fn add(&mut self, connector: &Connector, finding: &Finding, output: &mut Output) -> anyhow::Result<()> {
        match self {
            Printed::Table(table) => table.push(row(&connector.id, finding), output)?,
            Printed::List(list) => list.push(&finding_json(connector, finding), output)?,
        }
        Ok(())
    }

    fn end(self, members: &[(&str, Value)], output: &mut Output) -> anyhow::Result<()> {
        match self {
            Printed::Table(table) => table.end(false, output)?,
            Printed::List(list) => list.end(members, output)?,
        }
        Ok(())
    }
}

fn row(id: &str, finding: &Finding) -> Vec<String> {
    vec![
        id.to_owned(),
        finding.severity.as_str().to_owned(),
        finding.field.clone(),
        finding.reason.clone(),
        finding.repair.to_owned(),
    ]
}

fn finding_json(connector: &Connector, finding: &Finding) -> Value {
    json!({
        "id": connector.id, "name": connector.name, "severity": finding.severity.as_str(), "field": finding.field,
        "reason": finding.reason, "repair": finding.repair,
    })
}
