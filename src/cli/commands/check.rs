//! `check`.

use serde_json::{Value, json};

use super::{Access, Run};
use crate::cli::context::Session;
use crate::cli::filters::parse_checked_filter;
use crate::cli::render::output::Output;
use crate::cli::render::stream::{List, Table};
use crate::cli::{DONE, NEEDS_ATTENTION};
use crate::domain::Connector;
use crate::domain::findings::{Finding, Severity, findings};
use crate::store::Store;
use crate::text::plural;
use crate::vault::Vault;

const EXAMPLES: &str = "\
Examples:
  connector-admin check
  connector-admin check --problems --filter type:webhook
  connector-admin check --json";

/// The repair of a damaged file.
const REPAIR_FILE: &str =
    "restore a backup (`backup --list`, `restore BACKUP`), or save what can be read with `sqlite3 FILE .recover`";

/// The repair of a value of the wrong kind.
const CORRECT_VALUE: &str = "correct that row with `sqlite3 FILE`";

/// Check the file and every connector (exit code 1 if there are problems)
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Check {
    /// Only connectors that pass this filter; `list --help` shows its keys
    #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true)]
    filter: Option<String>,
    /// Show problems only, no notes
    #[arg(long)]
    problems: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Default)]
struct Counts {
    checked: u64,
    problems: u64,
    notes: u64,
}

impl Run for Check {
    fn access(&self) -> Access {
        Access::ReadAll
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        let filter = parse_checked_filter(self.filter.as_deref())?;
        let vault = Vault::new(context.keys()?);
        let store = context.read_for(&filter)?;
        let progress = output.progress();
        progress.text("checking the file");
        let damage = store.damage()?;
        let of_file = file_findings(&store, &damage)?;
        let (total, _) = store.totals()?;
        let mut printed = Printed::begin(&of_file, self.json, output)?;
        let mut counts = Counts { problems: of_file.len() as u64, ..Counts::default() };
        let read = store.each::<anyhow::Error>(|connector| {
            if !filter.matches(&store.summary_of(&connector), session.catalogue) {
                return Ok(());
            }
            counts.checked += 1;
            if counts.checked.is_multiple_of(1000) {
                progress.bar("checked", counts.checked, total, "connectors");
            }
            for finding in findings(&connector, &vault.state(&connector), session.catalogue) {
                let is_problem = finding.severity == Severity::Problem;
                *(if is_problem { &mut counts.problems } else { &mut counts.notes }) += 1;
                if is_problem || !self.problems {
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
        printed.end(&counts, output)?;
        if !self.json {
            print_counts(&counts, damage.is_empty(), output)?;
        }
        Ok(if counts.problems == 0 { DONE } else { NEEDS_ATTENTION })
    }
}

/// Returns the problems of the file itself, each with its repair.
fn file_findings(store: &Store, damage: &[String]) -> anyhow::Result<Vec<(String, &'static str)>> {
    // In a damaged file the values are meaningless.
    let wrong = if damage.is_empty() { store.wrong_values()? } else { Vec::new() };
    let damage = damage.iter().map(|reason| (reason.clone(), REPAIR_FILE));
    Ok(damage.chain(wrong.into_iter().map(|reason| (reason, CORRECT_VALUE))).collect())
}

fn print_counts(counts: &Counts, is_sound: bool, output: &mut Output) -> anyhow::Result<()> {
    let file = if is_sound { "the file is not damaged" } else { "the file is damaged" };
    Ok(output.line(&format!(
        "{} checked: {}, {}; {file}",
        plural(counts.checked, "connector"),
        plural(counts.problems, "problem"),
        plural(counts.notes, "note")
    ))?)
}

/// The findings as they come.
enum Printed {
    Table(Table),
    List(List),
}

impl Printed {
    fn begin(of_file: &[(String, &str)], json: bool, output: &mut Output) -> anyhow::Result<Self> {
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

    fn end(self, counts: &Counts, output: &mut Output) -> anyhow::Result<()> {
        let members =
            [("checked", json!(counts.checked)), ("problems", json!(counts.problems)), ("notes", json!(counts.notes))];
        match self {
            Printed::Table(table) => table.end(false, output)?,
            Printed::List(list) => list.end(&members, output)?,
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
