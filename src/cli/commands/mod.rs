//! The commands: records, exchange, migration, file, types, rekey.

mod exchange;
mod file;
mod migration;
mod records;
mod rekey;
mod types;

use std::path::Path;
use std::sync::Arc;

use anyhow::bail;

use super::DONE;
use super::args::Command;
use super::context::Context;
use super::output::Output;
use crate::domain::Filter;
use crate::keymap;
use crate::store::{self, Inspection, ModeChange, OnConflict, Store, UpgradeReport};

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
        Command::Import { source, overwrite, create_new_copies, dry_run, json } => {
            let on_conflict = match (overwrite, create_new_copies) {
                (true, _) => OnConflict::Overwrite,
                (_, true) => OnConflict::CreateNewCopies,
                _ => OnConflict::Report,
            };
            exchange::import(context, &source, &exchange::Import { on_conflict, dry_run, json }, output)
        }
        Command::Export { filter, output: target, json } => {
            exchange::export(file, filter.as_deref(), target.as_deref(), json, output)
        }
        Command::Migrate { apply: true, all, json, .. } => migration::apply(file, all, json, output),
        Command::Migrate { rollback: Some(run), json, .. } => migration::rollback(file, run, json, output),
        Command::Migrate { all, json, .. } => migration::plan(file, all, json, output),
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

pub(super) fn keys(output: &mut Output) -> anyhow::Result<u8> {
    let rows: Vec<Vec<String>> =
        keymap::rows().into_iter().map(|row| vec![row.place.to_owned(), row.keys, row.help.to_owned()]).collect();
    output.table(&["WHERE", "KEYS", "WHAT"], &rows)?;
    Ok(DONE)
}
