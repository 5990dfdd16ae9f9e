//! `migrate`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::{Access, Run};
use crate::cli::context::{Context, Session};
use crate::cli::render::output::Output;
use crate::cli::render::report::{self, Line};
use crate::cli::render::stream::{List, Table};
use crate::cli::{DONE, NEEDS_ATTENTION, REFUSED};
use crate::clock;
use crate::domain::migration;
use crate::domain::migration::Decision;
use crate::service::output_file::check_target;
use crate::store::{Applied, OperationKind, PlanCounts, PlanRow, Store};
use crate::text::{grouped, plural};

const EXAMPLES: &str = "\
Examples:
  connector-admin migrate
  connector-admin migrate --apply --report run.md
  connector-admin migrate --rollback";

/// Show the migration plan, apply it, or roll a run back
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Migrate {
    /// Show the plan, change nothing (default)
    #[arg(long, conflicts_with_all = ["apply", "rollback"])]
    dry_run: bool,
    /// Apply the whole plan, with the decisions made in the UI
    #[arg(long, conflicts_with = "rollback")]
    apply: bool,
    /// Also set `shared` on connectors without an auth type, as current Kibana does
    #[arg(long, conflicts_with = "rollback")]
    all: bool,
    /// Roll back the last run, or the run with this number
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "0")]
    rollback: Option<i64>,
    /// Write a report of the plan or the run to this file: .json, .csv, else Markdown; - writes Markdown to
    /// standard output
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Skip the automatic backup before the run (<file>.auto.bak)
    #[arg(long)]
    no_backup: bool,
    /// Print the plan or the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Migrate {
    fn access(&self) -> Access {
        if self.apply || self.rollback.is_some() { Access::Write } else { Access::Read }
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        if let Some(target) = &self.report {
            check_target(target, &context.file, &context.key_file()?)?;
        }
        match self.rollback {
            _ if self.apply => self.apply(&context, output),
            Some(run) => self.roll_back(run, &context, output),
            None => self.plan(&context, output),
        }
    }
}

impl Migrate {
    /// Returns whether standard output is the report.
    fn prints_report(&self) -> bool {
        self.report.as_deref() == Some(Path::new("-"))
    }

    fn plan(&self, context: &Context, output: &mut Output) -> anyhow::Result<u8> {
        let store = context.read()?;
        let counts = store.plan_counts()?;
        let facts = [
            ("backfill", json!(counts.backfill)),
            ("stamp_only", json!(counts.stamp_only)),
            ("blocked", json!(counts.blocked)),
            ("skipped", json!(counts.skipped())),
        ];
        if let Some(target) = &self.report {
            let facts = [&[("file", file_name(&context.file))], &facts[..]].concat();
            self.report_plan(&store, target, &facts, output)?;
        }
        if self.prints_report() {
            return Ok(DONE);
        }
        if self.json {
            let mut list = List::object(&facts, "records", output)?;
            store.each_planned::<anyhow::Error>(|row| Ok(list.push(&plan_json(&row, self.all), output)?))?;
            list.end(&[], output)?;
        } else {
            self.print_plan(&store, &counts, output)?;
        }
        Ok(DONE)
    }

    fn print_plan(&self, store: &Store, counts: &PlanCounts, output: &mut Output) -> anyhow::Result<()> {
        let mut table = Table::new(&["GROUP", "NAME", "ID", "AUTH MODE AFTER", "REASON"]);
        store.each_planned::<anyhow::Error>(|row| {
            let after = after_text(&row, self.all);
            let group = row.plan.group.label().to_owned();
            Ok(table.push(vec![group, row.connector.name, row.connector.id, after, row.plan.reason], output)?)
        })?;
        table.end(false, output)?;
        let skipped = match counts.skipped() {
            0 => String::new(),
            skipped => format!("; {} of them skipped by decision", grouped(skipped)),
        };
        Ok(output.line(&format!(
            "{} pending: {} backfill, {} stamp only, {} blocked{skipped}",
            plural(counts.pending(), "connector"),
            grouped(counts.backfill),
            grouped(counts.stamp_only),
            grouped(counts.blocked)
        ))?)
    }

    fn report_plan(
        &self,
        store: &Store,
        target: &Path,
        facts: &[(&str, Value)],
        output: &mut Output,
    ) -> anyhow::Result<()> {
        report::write(target, "Migration plan", facts, output, |report| {
            store.each_planned::<anyhow::Error>(|row| {
                let after = migration::apply(&row.connector, row.decision, self.all);
                let outcome = if row.decision == Some(Decision::Skip) { "skipped" } else { row.plan.group.label() };
                report.add(&Line { record: &row.connector, outcome, reason: &row.plan.reason, after: after.as_ref() })
            })
        })
    }

    fn apply(&self, context: &Context, output: &mut Output) -> anyhow::Result<u8> {
        let mut store = context.open_existing(output)?;
        if !self.no_backup && store.plan_counts()?.to_apply() > 0 {
            let progress = output.progress();
            let kept = store.create_automatic_backup(&mut |done, total| progress.bar("copied", done, total, "pages"));
            drop(progress);
            kept.context("no backup could be made before the run, so it was not started; --no-backup skips it")?;
        }
        let progress = output.progress();
        let applied = store
            .apply(self.all, &clock::now_iso(), &mut |done, total| progress.bar("migrated", done, total, "connectors"));
        drop(progress);
        let applied = applied?;
        let pending = store.plan_counts()?;
        if let Some(target) = &self.report {
            report_run(&store, &context.file, target, (applied.run, "migrated"), output)?;
        }
        if self.json && !self.prints_report() {
            output.json(&applied_json(&applied, &pending))?;
        } else if !self.prints_report() {
            print_applied(&applied, &pending, output)?;
        }
        Ok(if pending.pending() > 0 { NEEDS_ATTENTION } else { DONE })
    }

    fn roll_back(&self, run: i64, context: &Context, output: &mut Output) -> anyhow::Result<u8> {
        let file = &context.file;
        let mut store = context.open_existing(output)?;
        let run = match (run, store.last_run()?) {
            (0, Some(last)) => last.step,
            (0, None) => bail!("{}: no migration run to roll back", file.display()),
            (run, _) => run,
        };
        match store.step(run)? {
            Some(step) if step.kind == OperationKind::Migration => {}
            Some(step) => bail!("step {run} is not a migration run but {:?}; nothing was changed", step.kind.as_str()),
            None => bail!("{}: no run {run}; nothing was changed", file.display()),
        }
        let progress = output.progress();
        let reverted = store
            .revert(run, &clock::now_iso(), &mut |done, total| progress.bar("rolled back", done, total, "connectors"));
        drop(progress);
        let reverted = reverted?;
        if let Some(target) = &self.report {
            report_run(&store, file, target, (reverted.by, "rolled back"), output)?;
        }
        if self.json {
            output.json(&json!({"run": run, "restored": reverted.restored, "conflicts": reverted.conflicts}))?;
        } else if !self.prints_report() {
            output.line(&format!("Rolled back run {run}: {}", plural(reverted.restored, "connector")))?;
            for id in &reverted.conflicts {
                output.line(&format!("modified since, skipped: {id}"))?;
            }
            if !reverted.conflicts.is_empty() {
                output.line(&format!(
                    "`connector-admin history {run} --filter change:modified-since` shows both sides"
                ))?;
            }
        }
        Ok(match (reverted.conflicts.is_empty(), reverted.restored) {
            (true, _) => DONE,
            (false, 0) => REFUSED,
            (false, _) => NEEDS_ATTENTION,
        })
    }
}

fn plan_json(row: &PlanRow, all: bool) -> Value {
    let after = migration::apply(&row.connector, row.decision, all);
    let version_after = after.as_ref().map_or(row.connector.model_version, |after| after.model_version);
    json!({
        "id": row.connector.id,
        "name": row.connector.name,
        "connector_type_id": row.connector.connector_type_id,
        "group": row.plan.group.as_str(),
        "reason": row.plan.reason,
        "decision": row.decision.map(Decision::as_str),
        "auth_mode_before": row.connector.auth_mode.map(|mode| mode.as_str()),
        "auth_mode_after": after.and_then(|after| after.auth_mode).map(|mode| mode.as_str()),
        "model_version_before": row.connector.model_version,
        "model_version_after": version_after,
    })
}

fn after_text(row: &PlanRow, all: bool) -> String {
    match migration::apply(&row.connector, row.decision, all) {
        Some(outcome) => outcome.auth_mode.map_or("not set", |mode| mode.as_str()).to_owned(),
        None if row.decision == Some(Decision::Skip) => "unchanged (skipped)".to_owned(),
        None => "unchanged".to_owned(),
    }
}

fn applied_json(applied: &Applied, pending: &PlanCounts) -> Value {
    json!({
        "run": applied.run,
        "applied": applied.written(),
        "backfilled": applied.backfilled,
        "chosen": applied.chosen,
        "stamped": applied.stamped,
        "skipped": applied.skipped,
        "blocked": pending.blocked,
        "pending": pending.pending(),
    })
}

fn print_applied(applied: &Applied, pending: &PlanCounts, output: &mut Output) -> anyhow::Result<()> {
    let undo =
        applied.run.map_or(String::new(), |run| format!("; undo with `connector-admin migrate --rollback {run}`"));
    output.line(&format!(
        "Migrated {}: {} backfilled, {} stamp only{undo}",
        plural(applied.written(), "connector"),
        grouped(applied.backfilled),
        grouped(applied.stamped)
    ))?;
    if pending.pending() > 0 {
        output.line(&format!(
            "{} still pending: {} skipped by decision, {} blocked; `connector-admin migrate` shows why",
            plural(pending.pending(), "connector"),
            grouped(applied.skipped),
            grouped(pending.blocked)
        ))?;
    }
    Ok(())
}

/// Reports the changes of a step record by record, and after an apply the pending records with reasons.
fn report_run(
    store: &Store,
    file: &Path,
    target: &Path,
    (step, outcome): (Option<i64>, &str),
    output: &mut Output,
) -> anyhow::Result<()> {
    let pending = store.plan_counts()?;
    let facts = [
        ("file", file_name(file)),
        ("step", json!(step)),
        ("at", json!(clock::now_iso())),
        ("still_pending", json!(pending.pending())),
    ];
    report::write(target, &format!("Migration run: {outcome}"), &facts, output, |report| {
        if let Some(step) = step {
            store.each_change::<anyhow::Error>(step, |change| {
                if let (Some(before), Some(after)) = (&change.before, &change.after) {
                    report.add(&Line { record: before, outcome, reason: "", after: Some(after) })?;
                }
                Ok(())
            })?;
        }
        store.each_planned::<anyhow::Error>(|row| {
            let outcome = if row.decision == Some(Decision::Skip) { "skipped" } else { row.plan.group.label() };
            let outcome = format!("pending: {outcome}");
            report.add(&Line { record: &row.connector, outcome: &outcome, reason: &row.plan.reason, after: None })
        })
    })
}

fn file_name(file: &Path) -> Value {
    json!(file.display().to_string())
}
