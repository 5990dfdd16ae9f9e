//! The migration of records: its plan, applying it, rolling a run back.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::open_existing;
use super::report::{self, Line};
use crate::cli::context::Context;
use crate::cli::render::output::Output;
use crate::cli::render::stream::{List, Table};
use crate::cli::{DONE, NEEDS_ATTENTION, REFUSED};
use crate::clock;
use crate::domain::migration;
use crate::domain::migration::Decision;
use crate::store::{OperationKind, PlanRow, Store};
use crate::text::plural;

/// The options of a migration.
pub(super) struct MigrateOptions<'a> {
    pub(super) all: bool,
    pub(super) create_automatic_backup: bool,
    pub(super) report: Option<&'a Path>,
    pub(super) json: bool,
}

pub(super) fn plan(context: &Context, options: &MigrateOptions<'_>, output: &mut Output) -> anyhow::Result<u8> {
    let file = context.file.as_path();
    let (all, json) = (options.all, options.json);
    let store = context.read()?;
    let counts = store.plan_counts()?;
    let facts = [
        ("backfill", json!(counts.backfill)),
        ("stamp_only", json!(counts.stamp_only)),
        ("blocked", json!(counts.blocked)),
        ("skipped", json!(counts.skipped())),
    ];
    if let Some(target) = options.report {
        report_plan(&store, file, target, all, &facts, output)?;
        if target == Path::new("-") {
            return Ok(DONE);
        }
    }
    if json {
        let mut list = List::object(&facts, "records", output)?;
        store.each_planned::<anyhow::Error>(|row| Ok(list.push(&plan_json(&row, all), output)?))?;
        list.end(&[], output)?;
        return Ok(DONE);
    }
    let mut table = Table::new(&["GROUP", "NAME", "ID", "AUTH MODE AFTER", "REASON"]);
    store.each_planned::<anyhow::Error>(|row| {
        let after = after_text(&row, all);
        let group = row.plan.group.label().to_owned();
        Ok(table.push(vec![group, row.connector.name, row.connector.id, after, row.plan.reason], output)?)
    })?;
    table.end(false, output)?;
    output.line(&format!(
        "{} pending: {} backfill, {} version stamp only, {} blocked{}",
        plural(counts.pending(), "connector"),
        counts.backfill,
        counts.stamp_only,
        counts.blocked,
        match counts.skipped() {
            0 => String::new(),
            skipped => format!("; {skipped} of them skipped by decision"),
        }
    ))?;
    Ok(DONE)
}

fn report_plan(
    store: &Store,
    file: &Path,
    target: &Path,
    all: bool,
    counts: &[(&str, Value)],
    output: &mut Output,
) -> anyhow::Result<()> {
    let facts = [&[("file", file_name(file))], counts].concat();
    report::write(target, "Migration plan", &facts, output, |report| {
        store.each_planned::<anyhow::Error>(|row| {
            let after = migration::apply(&row.connector, row.decision, all);
            let outcome = if row.decision == Some(Decision::Skip) { "skipped" } else { row.plan.group.label() };
            report.add(&Line { record: &row.connector, outcome, reason: &row.plan.reason, after: after.as_ref() })
        })
    })
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

pub(super) fn apply(file: &Path, options: &MigrateOptions<'_>, output: &mut Output) -> anyhow::Result<u8> {
    let json = options.json;
    let mut store = open_existing(file, output)?;
    if options.create_automatic_backup && store.plan_counts()?.to_apply() > 0 {
        let progress = output.progress();
        let kept = store.create_automatic_backup(&mut |done, total| progress.bar("copied", done, total, "pages"));
        drop(progress);
        kept.context("no backup could be made before the run, so it was not started; --no-backup skips it")?;
    }
    let progress = output.progress();
    let applied = store
        .apply(options.all, &clock::now_iso(), &mut |done, total| progress.bar("migrated", done, total, "connectors"));
    drop(progress);
    let applied = applied?;
    let pending = store.plan_counts()?;
    if let Some(target) = options.report {
        report_run(&store, file, target, (applied.run, "migrated"), output)?;
        if target == Path::new("-") {
            return Ok(if pending.pending() > 0 { NEEDS_ATTENTION } else { DONE });
        }
    }
    if json {
        output.json(&json!({
            "run": applied.run,
            "applied": applied.written(),
            "backfilled": applied.backfilled,
            "per_user": applied.per_user,
            "stamped": applied.stamped,
            "skipped": applied.skipped,
            "blocked": pending.blocked,
            "pending": pending.pending(),
        }))?;
    } else {
        let run =
            applied.run.map_or(String::new(), |run| format!("; undo with `connector-admin migrate --rollback {run}`"));
        output.line(&format!(
            "Migrated {}: {} with an auth mode, {} with the version stamp only{run}",
            plural(applied.written(), "connector"),
            applied.backfilled,
            applied.stamped
        ))?;
        if pending.pending() > 0 {
            output.line(&format!(
                "{} still pending: {} skipped by decision, {} blocked; `connector-admin migrate` shows why",
                plural(pending.pending(), "connector"),
                applied.skipped,
                pending.blocked
            ))?;
        }
    }
    Ok(if pending.pending() > 0 { NEEDS_ATTENTION } else { DONE })
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

pub(super) fn rollback(file: &Path, run: i64, options: &MigrateOptions<'_>, output: &mut Output) -> anyhow::Result<u8> {
    let mut store = open_existing(file, output)?;
    let run = match (run, store.last_run()?) {
        (0, Some(last)) => last.step,
        (0, None) => bail!("{}: no migration run to roll back", file.display()),
        (run, _) => run,
    };
    match store.step(run)? {
        Some(step) if step.kind == OperationKind::Migration => {}
        Some(step) => bail!("step {run} is no migration run but \"{}\"; nothing was changed", step.kind.as_str()),
        None => bail!("{}: no run {run}; nothing was changed", file.display()),
    }
    let progress = output.progress();
    let reverted =
        store.revert(run, &clock::now_iso(), &mut |done, total| progress.bar("rolled back", done, total, "connectors"));
    drop(progress);
    let reverted = reverted?;
    if let Some(target) = options.report {
        report_run(&store, file, target, (reverted.by, "rolled back"), output)?;
    }
    if options.json {
        output.json(&json!({"run": run, "restored": reverted.restored, "conflicts": reverted.conflicts}))?;
    } else if options.report != Some(Path::new("-")) {
        output.line(&format!("Rolled back run {run}: {}", plural(reverted.restored, "connector")))?;
        for id in &reverted.conflicts {
            output.line(&format!("modified since, skipped: {id}"))?;
        }
        if !reverted.conflicts.is_empty() {
            output.line(&format!("`connector-admin history {run} --filter change:modified-since` shows both sides"))?;
        }
    }
    Ok(match (reverted.conflicts.is_empty(), reverted.restored) {
        (true, _) => DONE,
        (false, 0) => REFUSED,
        (false, _) => NEEDS_ATTENTION,
    })
}
