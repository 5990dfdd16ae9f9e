//! The commands: records, exchange, migration, file, types, rekey.

mod check;
mod copies;
mod exchange;
mod file;
mod history;
mod migration;
mod records;
mod rekey;
mod report;
mod types;

use std::path::Path;
use std::sync::Arc;

use anyhow::bail;
use jiff::Timestamp;

use super::DONE;
use super::args::Command;
use super::context::Context;
use super::output::Output;
use crate::domain::Filter;
use crate::keymap;
use crate::store::{self, HistoryLimits, Inspection, ModeChange, OnConflict, Store, UpgradeReport};

pub(super) use types::types;

pub(super) fn run(command: Command, context: &Context, output: &mut Output) -> anyhow::Result<u8> {
    let file = context.file.as_path();
    match command {
        Command::List { filter, sort, descending, json } => {
            records::list(file, filter.as_deref(), sort.sort(descending), json, output)
        }
        Command::Get { id, json } => records::get(context, &id, json, output),
        Command::Toggle { ids, to, json } => {
            let change = to.map_or(ModeChange::Toggle, |mode| ModeChange::To(mode.into()));
            records::toggle(file, &ids, change, json, output)
        }
        Command::Import { source, overwrite, create_new_copies, dry_run, no_copy, json } => {
            let on_conflict = match (overwrite, create_new_copies) {
                (true, _) => OnConflict::Overwrite,
                (_, true) => OnConflict::CreateNewCopies,
                _ => OnConflict::Report,
            };
            exchange::import(context, &source, &exchange::Import { on_conflict, dry_run, no_copy, json }, output)
        }
        Command::Export { filter, output: target, json } => {
            exchange::export(file, filter.as_deref(), target.as_deref(), json, output)
        }
        Command::Migrate { apply, all, rollback, report, no_copy, json, .. } => {
            if let Some(target) = &report {
                report::check_target(target, &context.key_file()?)?;
            }
            let asked = migration::Asked { all, keep_copy: !no_copy, report: report.as_deref(), json };
            match (apply, rollback) {
                (true, _) => migration::apply(file, &asked, output),
                (_, Some(run)) => migration::rollback(file, run, &asked, output),
                _ => migration::plan(file, &asked, output),
            }
        }
        Command::History { step, id, limit, filter, keep_days, keep_megabytes, keep_all, json } => {
            let limits = HistoryLimits { days: keep_days, megabytes: keep_megabytes };
            if keep_all || !limits.is_off() {
                return history::keep(file, limits, json, output);
            }
            match (step, id) {
                (Some(step), _) => history::step(file, step, filter.as_deref(), json, output),
                (None, Some(id)) => history::of_connector(file, &id, limit, json, output),
                (None, None) => history::list(file, limit, json, output),
            }
        }
        Command::Undo { step, filter, json } => history::undo(file, step, filter.as_deref(), json, output),
        Command::Redo { json } => history::redo(file, json, output),
        Command::Backup { list: true, json, .. } => copies::list(file, json, output),
        Command::Backup { target, json, .. } => copies::make(file, target.as_deref(), json, output),
        Command::Restore { copy, json } => copies::restore(file, &copy, json, output),
        Command::Check { filter, problems, json } => check::check(context, filter.as_deref(), problems, json, output),
        Command::Upgrade { json } => file::upgrade(file, json, output),
        Command::Info { json } => file::info(context, json, output),
        Command::Rekey { to, dry_run, json } => rekey::rekey(context, to, dry_run, json, output),
        Command::Demo { .. } | Command::Keys | Command::Types { .. } => bail!("this command takes no file"),
    }
}

/// Opens an existing file for writing, upgrading it first.
fn open(file: &Path, output: &Output) -> anyhow::Result<(Store, Option<UpgradeReport>)> {
    let opened = Store::open(file, &Arc::default(), &mut |stage| {
        output.progress(&stage.to_string());
        Ok(())
    });
    output.end_progress();
    let (mut store, upgraded) = opened?;
    let limits = store.history_limits()?;
    store.prune(limits, Timestamp::now(), &mut |_, _| true)?;
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

pub(super) fn keys(output: &mut Output) -> anyhow::Result<u8> {
    let rows: Vec<Vec<String>> =
        keymap::rows().into_iter().map(|row| vec![row.place.to_owned(), row.keys, row.help.to_owned()]).collect();
    output.table(&["WHERE", "KEYS", "WHAT"], &rows)?;
    Ok(DONE)
}
