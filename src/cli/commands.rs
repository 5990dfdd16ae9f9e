//! One function a command.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::args::Command;
use super::output::Output;
use super::{DONE, NEEDS_A_PERSON, REFUSED};
use crate::clock;
use crate::domain::model_version::{self, Group};
use crate::domain::{Connector, Filter, StoredAuthMode, validate};
use crate::keymap;
use crate::store::{
    self, ImportOptions, Inspection, LATEST_SCHEMA, ModeChange, OnConflict, PlanRow, Scope, Sort, Store, UpgradeReport,
};
use crate::transfer::{self, api};

pub(super) fn run(command: Command, file: &Path, output: &mut Output) -> anyhow::Result<u8> {
    match command {
        Command::List { filter, sort, descending, json } => {
            list(file, filter.as_deref(), sort.sort(descending), json, output)
        }
        Command::Get { id, json } => get(file, &id, json, output),
        Command::Toggle { ids, to, json } => {
            let change = to.map_or(ModeChange::Toggle, |mode| ModeChange::To(mode.into()));
            toggle(file, &ids, change, json, output)
        }
        Command::Import { source, overwrite, create_new_copies, dry_run, json } => {
            let on_conflict = match (overwrite, create_new_copies) {
                (true, _) => OnConflict::Overwrite,
                (_, true) => OnConflict::CreateNewCopies,
                _ => OnConflict::Report,
            };
            import(file, &source, ImportOptions { on_conflict, dry_run }, json, output)
        }
        Command::Export { filter, output: target, json } => {
            export(file, filter.as_deref(), target.as_deref(), json, output)
        }
        Command::Migrate { apply: true, all, json, .. } => apply(file, all, json, output),
        Command::Migrate { rollback: Some(run), json, .. } => rollback(file, run, json, output),
        Command::Migrate { all, json, .. } => plan(file, all, json, output),
        Command::Upgrade { json } => upgrade(file, json, output),
        Command::Info { json } => info(file, json, output),
        Command::Demo { .. } | Command::Keys => bail!("this command takes no file"),
    }
}

/// Opens an existing file for writing, upgrading it first.
fn open(file: &Path, output: &Output) -> anyhow::Result<(Store, Option<UpgradeReport>)> {
    let opened = Store::open(file, &Arc::default(), &mut |stage| {
        output.progress(&stage.to_string());
        Ok(())
    });
    output.end_progress();
    let (store, upgraded) = opened?;
    if let Some(report) = &upgraded {
        output.notice(&format!(
            "upgraded {} from schema {} to {}; a copy of the file as it was: {}",
            file.display(),
            report.from,
            report.to,
            report.copy.display()
        ));
    }
    Ok((store, upgraded))
}

fn open_existing(file: &Path, output: &Output) -> anyhow::Result<Store> {
    if store::inspect(file)? == Inspection::Missing {
        bail!("{}: there is no such file; import an export to make it, or name another with --file", file.display());
    }
    Ok(open(file, output)?.0)
}

fn parse_filter(filter: Option<&str>) -> anyhow::Result<Filter> {
    Filter::parse(filter.unwrap_or_default()).map_err(anyhow::Error::msg)
}

fn list(file: &Path, filter: Option<&str>, sort: Sort, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let filter = parse_filter(filter)?;
    let store = Store::open_read_only(file)?;
    let order = store.order(Scope::Connectors, &filter, sort)?;
    if json {
        let mut connectors = Vec::with_capacity(order.len());
        for id in store.ids(&order)? {
            connectors.extend(store.get(&id)?.as_ref().map(api::connector));
        }
        output.json(&Value::Array(connectors))?;
        return Ok(DONE);
    }
    let rows: Vec<Vec<String>> = store
        .summaries(&order)?
        .into_iter()
        .flatten()
        .map(|row| {
            let mode = row.auth_mode.map_or("(shared)", |mode| mode.as_str()).to_owned();
            let flags = row.flags().join(", ");
            vec![row.name, row.id, row.connector_type_id, row.auth_type.unwrap_or_else(|| "-".to_owned()), mode, flags]
        })
        .collect();
    output.table(&["NAME", "ID", "TYPE", "AUTH TYPE", "AUTH MODE", "FLAGS"], &rows)?;
    Ok(DONE)
}

fn get(file: &Path, id: &str, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let store = Store::open_read_only(file)?;
    let Some(connector) = store.get(id)? else {
        bail!("{}: there is no connector with id {id:?}", file.display());
    };
    if json {
        output.json(&api::connector(&connector))?;
        return Ok(DONE);
    }
    let mode = match connector.stored_auth_mode() {
        StoredAuthMode::None => "none (behaves as shared)".to_owned(),
        StoredAuthMode::Known(mode) => mode.to_string(),
        StoredAuthMode::Unknown(value) => format!("{value} (not a mode; behaves as shared)"),
    };
    for (label, value) in [
        ("name", connector.name.clone()),
        ("id", connector.id.clone()),
        ("connector type", connector.connector_type_id.clone()),
        ("auth type", connector.auth_type().name().unwrap_or("none").to_owned()),
        ("auth mode", mode),
        ("secrets", secrets_state(&connector).to_owned()),
        ("model version", connector.model_version.to_string()),
        ("created", connector.created_at.clone().unwrap_or_else(|| "not recorded".to_owned())),
        ("updated", connector.updated_at.clone().unwrap_or_else(|| "not recorded".to_owned())),
        ("config", connector.config.clone()),
    ] {
        output.line(&format!("{label:<15} {value}"))?;
    }
    if let Some(plan) = model_version::plan(&connector) {
        output.line(&format!("{:<15} {}: {}", "migration", plan.group.label(), plan.reason))?;
    }
    for problem in validate::problems(&connector) {
        output.line(&format!("{:<15} {}: {}", "problem", problem.field, problem.reason))?;
    }
    Ok(DONE)
}

fn secrets_state(connector: &Connector) -> &'static str {
    match (&connector.secrets, connector.is_missing_secrets) {
        (_, true) => "missing",
        (Some(_), false) => "stored",
        (None, false) => "none",
    }
}

fn toggle(file: &Path, ids: &[String], change: ModeChange, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let mut store = open_existing(file, output)?;
    let missing: Vec<&String> = {
        let mut missing = Vec::new();
        for id in ids {
            if store.get(id)?.is_none() {
                missing.push(id);
            }
        }
        missing
    };
    if let Some(id) = missing.first() {
        bail!("{}: there is no connector with id {id:?}; nothing was changed", file.display());
    }
    let written = store.set_auth_mode(ids, change, &clock::now_iso())?;
    if json {
        let refused: Vec<Value> =
            written.refused.iter().map(|(id, reason)| json!({"id": id, "reason": reason})).collect();
        output.json(&json!({"changed": written.changed, "unchanged": written.unchanged, "refused": refused}))?;
    } else {
        for id in &written.changed {
            let mode = store.get(id)?.map(|connector| connector.effective_auth_mode().to_string());
            output.line(&format!("{id}: {}", mode.unwrap_or_default()))?;
        }
        for id in &written.unchanged {
            output.line(&format!("{id}: unchanged"))?;
        }
        for (id, reason) in &written.refused {
            output.line(&format!("{id}: left alone, {reason}"))?;
        }
    }
    Ok(if written.refused.is_empty() { DONE } else { NEEDS_A_PERSON })
}

fn import(file: &Path, source: &Path, options: ImportOptions, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    if options.dry_run && store::inspect(file)? == Inspection::Missing {
        bail!("{}: there is no such file yet, and a dry run makes none", file.display());
    }
    // An export that cannot be opened must not leave a new file behind.
    drop(transfer::Export::open(source)?);
    let (mut store, _) = open(file, output)?;
    let done = transfer::import(&mut store, source, options, &clock::now_iso(), |done| {
        output.progress(&format!("read {done} connectors"));
        true
    });
    output.end_progress();
    let (outcome, notices) = done?;
    for line in notices.lines() {
        output.notice(&line);
    }
    let refused = !outcome.conflicts.is_empty();
    if json {
        output.json(&json!({
            "added": if refused { 0 } else { outcome.added },
            "replaced": if refused { 0 } else { outcome.replaced },
            "missing_secrets": outcome.missing_secrets,
            "conflicts": outcome.conflicts,
            "other_types": notices.other_types,
            "dry_run": options.dry_run,
        }))?;
    } else if refused {
        for id in &outcome.conflicts {
            output.line(&format!("exists already: {id}"))?;
        }
    } else {
        let verb = if options.dry_run { "would import" } else { "imported" };
        output.line(&format!(
            "{verb} {} connectors ({} new, {} replaced); {} miss their secrets",
            outcome.added + outcome.replaced,
            outcome.added,
            outcome.replaced,
            outcome.missing_secrets
        ))?;
    }
    if refused {
        output.notice(&format!(
            "{} of the ids exist already; nothing was imported. Use --overwrite to replace those connectors, or \
             --create-new-copies to import all under new ids",
            outcome.conflicts.len()
        ));
        return Ok(NEEDS_A_PERSON);
    }
    Ok(DONE)
}

fn export(
    file: &Path,
    filter: Option<&str>,
    target: Option<&Path>,
    json: bool,
    output: &mut Output,
) -> anyhow::Result<u8> {
    let filter = parse_filter(filter)?;
    let store = Store::open_read_only(file)?;
    let wanted: Option<std::collections::HashSet<String>> = if filter.is_empty() {
        None
    } else {
        let order = store.order(Scope::Connectors, &filter, Sort::default())?;
        Some(store.ids(&order)?.into_iter().collect())
    };
    let is_wanted = |connector: &Connector| wanted.as_ref().is_none_or(|wanted| wanted.contains(&connector.id));
    let report = match target {
        None => transfer::export(&store, output.raw(), "standard output", is_wanted)?,
        Some(target) => {
            if target.exists() && file.exists() && same_file(target, file) {
                bail!("{} is the connectors file itself; name another file", target.display());
            }
            write_whole(target, |out| transfer::export(&store, out, &target.display().to_string(), is_wanted))?
        }
    };
    for line in report.notices() {
        output.notice(&line);
    }
    if json {
        output.notice(&json!({"exported": report.exported, "excluded": report.excluded.len()}).to_string());
    } else if target.is_some() {
        output.notice(&format!("exported {} connectors", report.exported));
    }
    Ok(if report.excluded.is_empty() { DONE } else { NEEDS_A_PERSON })
}

fn same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Writes a file beside its place and moves it there when it is whole.
fn write_whole<T, E: std::error::Error + Send + Sync + 'static>(
    target: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<T, E>,
) -> anyhow::Result<T> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot = || format!("{} cannot be written", target.display());
    let partial = tempfile::Builder::new().prefix(".connector-admin-").tempfile_in(folder).with_context(cannot)?;
    let mut out: BufWriter<&File> = BufWriter::new(partial.as_file());
    let value = write(&mut out)?;
    out.flush().with_context(cannot)?;
    drop(out);
    partial.as_file().sync_all().with_context(cannot)?;
    partial.persist(target).with_context(cannot)?;
    Ok(value)
}

fn plan(file: &Path, all: bool, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let store = Store::open_read_only(file)?;
    let mut rows = Vec::new();
    store.each_planned::<store::StoreError>(|row| {
        rows.push(row);
        Ok(())
    })?;
    let count = |group| rows.iter().filter(|row| row.plan.group == group).count();
    let (backfill, stamp_only, blocked) = (count(Group::Backfill), count(Group::StampOnly), count(Group::Blocked));
    if json {
        let records: Vec<Value> = rows.iter().map(|row| plan_json(row, all)).collect();
        output.json(&json!({
            "backfill": backfill, "stamp_only": stamp_only, "blocked": blocked, "records": records,
        }))?;
        return Ok(DONE);
    }
    let table: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                row.plan.group.label().to_owned(),
                row.connector.name.clone(),
                row.connector.id.clone(),
                after_text(row, all),
                row.plan.reason.clone(),
            ]
        })
        .collect();
    if !table.is_empty() {
        output.table(&["GROUP", "NAME", "ID", "AUTH MODE AFTER", "REASON"], &table)?;
    }
    output.line(&format!(
        "{} connectors need migration: {backfill} backfill, {stamp_only} stamp only, {blocked} blocked",
        rows.len()
    ))?;
    Ok(DONE)
}

fn plan_json(row: &PlanRow, all: bool) -> Value {
    let after = model_version::apply(&row.connector, row.decision, all);
    json!({
        "id": row.connector.id,
        "name": row.connector.name,
        "connector_type_id": row.connector.connector_type_id,
        "group": row.plan.group.as_str(),
        "reason": row.plan.reason,
        "decision": row.decision.map(model_version::Decision::as_str),
        "auth_mode_before": row.connector.auth_mode.map(|mode| mode.as_str()),
        "auth_mode_after": after.and_then(|after| after.auth_mode).map(|mode| mode.as_str()),
        "model_version_before": row.connector.model_version,
        "model_version_after": after.map_or(row.connector.model_version, |after| after.model_version),
    })
}

fn after_text(row: &PlanRow, all: bool) -> String {
    match model_version::apply(&row.connector, row.decision, all) {
        Some(outcome) => outcome.auth_mode.map_or("none (shared)", |mode| mode.as_str()).to_owned(),
        None => "unchanged".to_owned(),
    }
}

fn apply(file: &Path, all: bool, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let mut store = open_existing(file, output)?;
    let applied = store.apply(all, &clock::now_iso(), &mut |done, total| {
        output.progress(&format!("migrated {done} of {total} connectors"));
        true
    });
    output.end_progress();
    let applied = applied?;
    let pending = store.plan_counts()?;
    if json {
        output.json(&json!({
            "run": applied.run,
            "applied": applied.written(),
            "backfilled": applied.backfilled,
            "stamped": applied.stamped,
            "skipped": applied.skipped,
            "blocked": pending.blocked,
            "pending": pending.pending(),
        }))?;
    } else {
        let run = applied
            .run
            .map_or(String::new(), |run| format!("; take it back with `connector-admin migrate --rollback {run}`"));
        output.line(&format!(
            "migrated {} connectors: {} got an auth mode, {} the version stamp only{run}",
            applied.written(),
            applied.backfilled,
            applied.stamped
        ))?;
        if pending.pending() > 0 {
            output.line(&format!(
                "{} connectors stay pending: {} skipped by decision, {} blocked; `connector-admin migrate` says why",
                pending.pending(),
                applied.skipped,
                pending.blocked
            ))?;
        }
    }
    Ok(if pending.pending() > 0 { NEEDS_A_PERSON } else { DONE })
}

fn rollback(file: &Path, run: i64, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let mut store = open_existing(file, output)?;
    let run = match (run, store.last_run()?) {
        (0, Some(last)) => last.step,
        (0, None) => bail!("{}: there is no migration run to roll back", file.display()),
        (run, _) => run,
    };
    match store.step(run)? {
        Some(step) if step.kind == "migration" => {}
        Some(step) => bail!("step {run} is no migration run but \"{}\"; nothing was changed", step.kind),
        None => bail!("{}: there is no run {run}; nothing was changed", file.display()),
    }
    let reverted = store.revert(run, &clock::now_iso(), &mut |done, total| {
        output.progress(&format!("rolled back {done} of {total} connectors"));
        true
    });
    output.end_progress();
    let reverted = reverted?;
    if json {
        output.json(&json!({"run": run, "restored": reverted.restored, "conflicts": reverted.conflicts}))?;
    } else {
        output.line(&format!("rolled back run {run}: {} connectors are as before", reverted.restored))?;
        for id in &reverted.conflicts {
            output.line(&format!("edited since, left alone: {id}"))?;
        }
    }
    Ok(match (reverted.conflicts.is_empty(), reverted.restored) {
        (true, _) => DONE,
        (false, 0) => REFUSED,
        (false, _) => NEEDS_A_PERSON,
    })
}

fn upgrade(file: &Path, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    if store::inspect(file)? == Inspection::Missing {
        bail!("{}: there is no such file", file.display());
    }
    let (store, report) = open(file, output)?;
    let from = report.as_ref().map_or(LATEST_SCHEMA, |report| report.from);
    if json {
        let copy = report.as_ref().map(|report| report.copy.display().to_string());
        output.json(&json!({"from": from, "to": store.schema_version()?, "copy": copy}))?;
    } else if report.is_none() {
        output.line(&format!("{} has the newest schema ({LATEST_SCHEMA}) already", file.display()))?;
    } else {
        output.line(&format!("{} has schema {LATEST_SCHEMA} now", file.display()))?;
    }
    Ok(DONE)
}

fn info(file: &Path, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let mut facts: Vec<(&str, Value)> =
        vec![("version", json!(env!("CARGO_PKG_VERSION"))), ("file", json!(file.display().to_string()))];
    if store::inspect(file)? == Inspection::Missing {
        facts.push(("exists", json!(false)));
    } else {
        let size = std::fs::metadata(file).map(|metadata| metadata.len()).unwrap_or(0);
        let store = Store::open_read_only(file)?;
        let (total, missing) = store.totals()?;
        let plan = store.plan_counts()?;
        facts.extend([
            ("exists", json!(true)),
            ("bytes", json!(size)),
            ("schema", json!(store.schema_version()?)),
            ("newest_schema", json!(LATEST_SCHEMA)),
            ("newest_model_version", json!(model_version::latest())),
            ("connectors", json!(total)),
            ("missing_secrets", json!(missing)),
            ("backfill", json!(plan.backfill)),
            ("stamp_only", json!(plan.stamp_only)),
            ("blocked", json!(plan.blocked)),
            ("copies", json!(copies(file))),
        ]);
    }
    if json {
        output.json(&Value::Object(facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))?;
    } else {
        for (name, value) in facts {
            let text = match value {
                Value::String(text) => text,
                Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
                other => other.to_string(),
            };
            output.line(&format!("{:<21} {text}", name.replace('_', " ")))?;
        }
    }
    Ok(DONE)
}

/// The copies that upgrades left beside the file.
fn copies(file: &Path) -> Vec<String> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let prefix = format!("{}.schema", file.file_name().unwrap_or_default().to_string_lossy());
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<String> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(&prefix) && name.ends_with(".bak")
        })
        .map(|entry| entry.path().display().to_string())
        .collect();
    found.sort();
    found
}

pub(super) fn keys(output: &mut Output) -> anyhow::Result<u8> {
    let rows: Vec<Vec<String>> =
        keymap::rows().into_iter().map(|row| vec![row.place.to_owned(), row.keys, row.help.to_owned()]).collect();
    output.table(&["WHERE", "KEYS", "WHAT"], &rows)?;
    Ok(DONE)
}
