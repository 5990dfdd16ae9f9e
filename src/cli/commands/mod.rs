//! The commands: records, exchange, migration, file, types, rekey; remotes, the two sides, push.

mod check;
mod copies;
mod diff;
mod edit;
mod exchange;
mod file;
mod history;
mod manual;
mod migration;
mod push;
mod records;
mod rekey;
mod remote;
mod report;
mod sync;
mod types;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;

use super::DONE;
use super::args::Command;
use super::context::Context;
use super::render::output::Output;
use crate::clock;
use crate::domain::{Filter, filter};
use crate::service::output_file::check_target;
use crate::store::{self, HistoryLimits, Inspection, ModeChange, OnConflict, Reading, Store, UpgradeReport};
use crate::tui::keymap;

pub(super) use manual::{completions, manual};
pub(super) use types::types;

pub(super) fn run(command: Command, context: &Context, output: &mut Output) -> anyhow::Result<u8> {
    let file = context.file.as_path();
    match command {
        Command::List { filter, sort, descending, json, jsonl, csv } => {
            let form = match (json, jsonl, csv) {
                (true, ..) => records::Form::Json,
                (_, true, _) => records::Form::JsonLines,
                (.., true) => records::Form::Csv,
                _ => records::Form::Table,
            };
            records::list(context, filter.as_deref(), sort.sort(descending), form, output)
        }
        Command::Get { id, json } => records::get(context, &id, json, output),
        Command::Create { from, id, json } => edit::create(context, id, &from, json, output),
        Command::Update { id, from, json } => edit::update(context, &id, &from, json, output),
        Command::Delete { ids, json } => edit::delete(file, &ids, json, output),
        Command::Toggle { ids, filter, to, json } => {
            let change = to.map_or(ModeChange::Toggle, |mode| ModeChange::To(mode.into()));
            records::toggle(context, ids, filter.as_deref(), change, json, output)
        }
        Command::Import { source, overwrite, create_new_copies, id_map, dry_run, no_backup, json } => {
            let on_conflict = match (overwrite, create_new_copies) {
                (true, _) => OnConflict::Overwrite,
                (_, true) => OnConflict::CreateNewCopies,
                _ => OnConflict::Report,
            };
            let options = exchange::ImportOptions { on_conflict, dry_run, no_backup, id_map: id_map.as_deref(), json };
            exchange::import(context, &source, &options, output)
        }
        Command::Export { filter, output: target, json } => {
            // As for input, - is the standard one; a file behind it is not to be replaced.
            let is_standard = |target: &PathBuf| target == Path::new("-") || target == Path::new("/dev/stdout");
            let target = target.filter(|target| !is_standard(target));
            if let Some(target) = &target {
                check_target(target, file, &context.key_file()?)?;
            }
            exchange::export(context, filter.as_deref(), target.as_deref(), json, output)
        }
        Command::Diff { export: Some(export), filter, json, .. } => {
            diff::diff(context, &export, filter.as_deref(), json, output)
        }
        Command::Diff { export: None, which, offline, filter, json } => {
            sync::diff(context, &which, offline, filter.as_deref(), json, output)
        }
        Command::Remote { command } => remote::remote(command, context, output),
        Command::Pull { which, accept_deletes, json } => sync::pull(context, &which, accept_deletes, json, output),
        Command::Status { which, offline, json } => sync::status(context, &which, offline, json, output),
        Command::Push(args) => push::push(context, &args, output),
        Command::Resolve { ids, keep, which, json } => {
            sync::resolve(context, &which, (&ids, keep.into()), json, output)
        }
        Command::Test { id, params, yes, which, json } => {
            push::test(context, &which, &id, (params.as_deref(), yes, json), output)
        }
        Command::Migrate { apply, all, rollback, report, no_backup, json, .. } => {
            if let Some(target) = &report {
                check_target(target, file, &context.key_file()?)?;
            }
            let options =
                migration::MigrateOptions { all, create_automatic_backup: !no_backup, report: report.as_deref(), json };
            match (apply, rollback) {
                (true, _) => migration::apply(file, &options, output),
                (_, Some(run)) => migration::rollback(file, run, &options, output),
                _ => migration::plan(context, &options, output),
            }
        }
        Command::History { step, id, limit, filter, keep_days, keep_megabytes, keep_all, json } => {
            let limits = HistoryLimits { days: keep_days, megabytes: keep_megabytes };
            if keep_all || !limits.is_off() {
                return history::keep(file, limits, json, output);
            }
            match (step, id) {
                (Some(step), _) => history::step(context, step, filter.as_deref(), json, output),
                (None, Some(id)) => history::of_connector(context, &id, limit, json, output),
                (None, None) => history::list(context, limit, json, output),
            }
        }
        Command::Undo { step, filter, json } => history::undo(file, step, filter.as_deref(), json, output),
        Command::Redo { json } => history::redo(file, json, output),
        Command::Backup { list: true, json, .. } => copies::list(file, json, output),
        Command::Backup { target, json, .. } => copies::make(context, target.as_deref(), json, output),
        Command::Restore { backup, json } => copies::restore(file, &backup, json, output),
        Command::Check { filter, problems, json } => check::check(context, filter.as_deref(), problems, json, output),
        Command::Upgrade { json } => file::upgrade(file, json, output),
        Command::Info { json } => file::info(context, json, output),
        Command::Rekey { to, dry_run, json } => rekey::rekey(context, to, dry_run, json, output),
        Command::Demo { .. } | Command::Keys | Command::Types { .. } => bail!("this command takes no file"),
        Command::Completions { .. } | Command::Man { .. } => bail!("this command takes no file"),
    }
}

/// Opens an existing file for writing, upgrading it first.
fn open(file: &Path, output: &Output) -> anyhow::Result<(Store, Option<UpgradeReport>)> {
    let progress = output.progress();
    let opened = Store::open(file, &Arc::default(), &mut |stage| {
        progress.text(&stage.to_string());
        Ok(())
    });
    drop(progress);
    let (mut store, upgraded) = opened?;
    let progress = output.progress();
    store.when_waiting(move || {
        progress.text("waiting for another program that is writing to the file");
    });
    let limits = store.history_limits()?;
    store.prune(limits, clock::now(), &mut |_, _| true)?;
    let store = store.with_commit_flag(output.commit_flag());
    if let Some(report) = &upgraded {
        output.notice(&format!(
            "upgraded {} from schema {} to {}; backup: {}",
            file.display(),
            report.from,
            report.to,
            report.copy.display()
        ));
    }
    Ok((store, upgraded))
}

fn open_existing(file: &Path, output: &Output) -> anyhow::Result<Store> {
    if store::inspect(file, Reading::Shared)? == Inspection::Missing {
        bail!("{}: no such file; import an export to make it, or name another with --file", file.display());
    }
    Ok(open(file, output)?.0)
}

/// Parses a filter of a reading command; possible mistakes are notes.
fn parse_filter(filter: Option<&str>, output: &Output) -> anyhow::Result<Filter> {
    let filter = filter.unwrap_or_default();
    for warning in filter::warnings(filter) {
        output.notice(&warning);
    }
    Filter::parse(filter).and_then(Filter::of_connectors).map_err(anyhow::Error::msg)
}

/// A filter of connectors that are judged: with a mistake in it nothing would be found, and that is no good news.
fn parse_checked_filter(filter: Option<&str>) -> anyhow::Result<Filter> {
    let filter = filter.unwrap_or_default();
    if let Some(warning) = filter::warnings(filter).first() {
        bail!("{warning}");
    }
    Filter::parse(filter).and_then(Filter::of_connectors).map_err(anyhow::Error::msg)
}

/// A filter of connectors that are changed; a mistake in it could change all of them.
fn parse_filter_to_write(filter: &str) -> anyhow::Result<Filter> {
    certain(filter)?;
    Filter::parse(filter).and_then(Filter::of_connectors).map_err(anyhow::Error::msg)
}

fn certain(filter: &str) -> anyhow::Result<()> {
    if filter.trim().is_empty() {
        bail!("the filter is empty, which would be all connectors; nothing was changed");
    }
    match filter::warnings(filter).first() {
        Some(warning) => bail!("{warning}; nothing was changed"),
        None => Ok(()),
    }
}

pub(super) fn keys(output: &mut Output) -> anyhow::Result<u8> {
    let rows: Vec<Vec<String>> = keymap::rows()
        .into_iter()
        .map(|row| vec![row.place.to_owned(), row.keys, row.name, row.help.to_owned()])
        .collect();
    output.table(&["WHERE", "KEYS", "ACTION", "WHAT"], &rows)?;
    Ok(DONE)
}
