//! Checking the file and every connector.

use serde_json::{Value, json};

use super::super::context::Context;
use super::super::output::{Output, counted};
use super::super::{DONE, NEEDS_A_PERSON};
use super::parse_filter;
use crate::domain::Summary;
use crate::domain::check::{Finding, Severity, findings};
use crate::store::{Store, StoreError};
use crate::vault::Vault;

/// What is wrong with the file itself is repaired by one of these.
const REPAIR_FILE: &str =
    "put a copy back (`backup --list`, `restore COPY`), or save what can be read with `sqlite3 FILE .recover`";

pub(super) fn check(
    context: &Context,
    filter: Option<&str>,
    problems_only: bool,
    json: bool,
    output: &mut Output,
) -> anyhow::Result<u8> {
    let filter = parse_filter(filter)?;
    let vault = Vault::new(context.keys()?);
    let store = Store::open_read_only(&context.file)?;
    output.progress("checking the file");
    let damage = store.damage()?;
    let (total, _) = store.totals()?;
    let mut found: Vec<(String, String, Finding)> = Vec::new();
    let mut checked = 0_u64;
    let read = store.each::<StoreError>(|connector| {
        if !filter.matches(&Summary::of(&connector)) {
            return Ok(());
        }
        checked += 1;
        if checked.is_multiple_of(1000) {
            output.progress(&format!("checked {checked} of {total} connectors"));
        }
        let wanted = |finding: &Finding| !problems_only || finding.severity == Severity::Problem;
        let findings = findings(&connector, &vault.state(&connector));
        found.extend(
            findings.into_iter().filter(wanted).map(|finding| (connector.id.clone(), connector.name.clone(), finding)),
        );
        Ok(())
    });
    output.end_progress();
    if damage.is_empty() {
        read?;
    }
    let problems = found.iter().filter(|(_, _, finding)| finding.severity == Severity::Problem).count();
    let code = if damage.is_empty() && problems == 0 { DONE } else { NEEDS_A_PERSON };
    if json {
        let records: Vec<Value> = found.iter().map(|(id, name, finding)| finding_json(id, name, finding)).collect();
        let file: Vec<Value> = damage.iter().map(|reason| json!({"reason": reason, "repair": REPAIR_FILE})).collect();
        output.json(&json!({
            "checked": checked, "problems": problems + damage.len(), "notes": found.len() - problems,
            "file": file, "connectors": records,
        }))?;
        return Ok(code);
    }
    for reason in &damage {
        output.line(&format!("the file is damaged: {reason}; {REPAIR_FILE}"))?;
    }
    if !found.is_empty() {
        let rows: Vec<Vec<String>> = found.iter().map(|(id, _, finding)| row(id, finding)).collect();
        output.table(&["CONNECTOR", "LEVEL", "WHERE", "WHAT", "REPAIR"], &rows)?;
    }
    let file = if damage.is_empty() { "the file is whole" } else { "the file is damaged" };
    output.line(&format!(
        "{} checked, {}, {}; {file}",
        counted(checked, "connector"),
        counted(problems as u64, "problem"),
        counted((found.len() - problems) as u64, "note")
    ))?;
    Ok(code)
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

fn finding_json(id: &str, name: &str, finding: &Finding) -> Value {
    json!({
        "id": id, "name": name, "severity": finding.severity.as_str(), "field": finding.field,
        "reason": finding.reason, "repair": finding.repair,
    })
}
