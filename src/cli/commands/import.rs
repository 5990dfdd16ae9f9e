//! `import`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::bail;
use serde_json::{Value, json};

use super::{Access, Run};
use crate::cli::context::{Context, Session};
use crate::cli::new_file::NewFile;
use crate::cli::render::output::{Output, eprint_error};
use crate::cli::{DONE, NEEDS_ATTENTION, REFUSED};
use crate::clock;
use crate::fs::paths::is_same;
use crate::fs::{FileError, write_atomically};
use crate::kibana::saved_objects::{ExportReader, ImportWarnings};
use crate::messages;
use crate::messages::transfer::import_notes;
use crate::service::import::{self, ImportRequest};
use crate::service::keys::key_warnings;
use crate::service::output_file::check_target;
use crate::store::{ImportOutcome, Inspection, OnConflict, PlanCounts};
use crate::text::{grouped, plural};
use crate::vault::Vault;

const EXAMPLES: &str = "\
Examples:
  connector-admin import export.ndjson --dry-run
  connector-admin import export.ndjson --overwrite
  connector-admin --file new.db import export.ndjson";

/// Import a saved-object export of Kibana (all or nothing)
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Import {
    /// Export file; - reads standard input
    source: PathBuf,
    /// Replace connectors that exist; their stored secrets are kept where they still fit
    #[arg(long, conflicts_with = "create_new_copies")]
    overwrite: bool,
    /// Import every connector under a new id
    #[arg(long)]
    create_new_copies: bool,
    /// Write old and new ids to this file, one JSON object per line
    #[arg(long, value_name = "FILE", requires = "create_new_copies", conflicts_with = "dry_run")]
    id_map: Option<PathBuf>,
    /// Show what would happen, change nothing
    #[arg(long)]
    dry_run: bool,
    /// Skip the automatic backup before a large import (<file>.auto.bak)
    #[arg(long)]
    no_backup: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

/// The result of an import or of its preview.
struct Imported {
    outcome: ImportOutcome,
    warnings: ImportWarnings,
    /// The migration of the connectors, in a preview.
    plan: Option<PlanCounts>,
}

impl Run for Import {
    fn access(&self) -> Access {
        Access::Write
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        let imported = match &self.id_map {
            _ if self.dry_run => self.preview(&context, output)?,
            Some(target) => match self.import_with_map(&context, target, output)? {
                Ok(imported) => imported,
                Err(code) => return Ok(code),
            },
            None => self.import(&context, None, output)?,
        };
        imported.print_notes(output);
        self.report(&context, &imported, output)?;
        let conflicts = &imported.outcome.conflicts;
        if !conflicts.is_empty() {
            output.notice(&format!(
                "{} already exist; nothing was imported. Use --overwrite to replace them, or --create-new-copies to \
                 import all under new ids",
                plural(conflicts.count, "connector")
            ));
        }
        Ok(match (conflicts.is_empty(), imported.is_complete()) {
            (false, _) => REFUSED,
            (true, false) => NEEDS_ATTENTION,
            (true, true) => DONE,
        })
    }
}

impl Imported {
    fn is_complete(&self) -> bool {
        let Self { outcome, warnings, .. } = self;
        outcome.conflicts.is_empty()
            && outcome.lost_secrets == 0
            && warnings.promised.is_none()
            && (outcome.added + outcome.replaced > 0 || warnings.other_types.is_empty())
    }

    fn print_notes(&self, output: &Output) {
        for line in import_notes(&self.warnings) {
            output.notice(&line);
        }
        for (count, text) in [
            (self.outcome.kept_secrets, "kept the secrets stored in the file, since the export holds none"),
            (
                self.outcome.lost_secrets,
                "lost the secrets stored in the file: they do not fit the new type or config, or cannot be decrypted",
            ),
        ] {
            if count > 0 {
                output.notice(&format!("{} {text}", plural(count, "replaced connector")));
            }
        }
    }
}

impl Import {
    fn on_conflict(&self) -> OnConflict {
        match (self.overwrite, self.create_new_copies) {
            (true, _) => OnConflict::Overwrite,
            (_, true) => OnConflict::CreateNewCopies,
            _ => OnConflict::Report,
        }
    }

    fn preview(&self, context: &Context, output: &Output) -> anyhow::Result<Imported> {
        let exists = context.inspect()? != Inspection::Missing;
        let store = exists.then(|| context.read()).transpose()?;
        let vault = Vault::new(context.keys()?);
        let progress = output.progress();
        let preview = import::preview(
            store.as_ref().map(|store| (store, &vault)),
            &self.source,
            self.on_conflict(),
            &mut |done, total| progress.bar("read", done, total, "connectors"),
            context.catalogue,
        );
        drop(progress);
        let preview = preview?;
        if preview.same_names > 0 {
            let same = plural(preview.same_names, "connector");
            output.notice(&format!("{same} with a name that another connector of the file has"));
        }
        Ok(Imported { outcome: preview.outcome, warnings: preview.notices, plan: Some(preview.plan) })
    }

    /// Imports and writes the map of ids; within, the exit code if the connectors were imported without their map.
    fn import_with_map(
        &self,
        context: &Context,
        target: &Path,
        output: &Output,
    ) -> anyhow::Result<Result<Imported, u8>> {
        check_target(target, &context.file, &context.key_file()?)?;
        if is_same(target, &self.source) {
            bail!("{} is the export itself; name another file for the ids", target.display());
        }
        let mut done = None;
        let mapped = write_atomically(target, |out| {
            done = Some(self.import(context, Some(out), output)?);
            anyhow::Ok(())
        });
        match (done, mapped) {
            (Some(done), Ok(())) => Ok(Ok(done)),
            (Some(_), Err(error)) => {
                eprint_error(&format!(
                    "everything is imported, but {error:#}; `connector-admin undo` undoes the import"
                ));
                Ok(Err(NEEDS_ATTENTION))
            }
            (None, mapped) => mapped.map(|()| Err(DONE)),
        }
    }

    fn import(
        &self,
        context: &Context,
        mut id_map: Option<&mut dyn Write>,
        output: &Output,
    ) -> anyhow::Result<Imported> {
        // A missing or refused export must not leave a new file behind. A pipe is opened once: its writer would take
        // a second opening for the end.
        if fs::metadata(&self.source).map_or(true, |metadata| metadata.is_file() || metadata.is_dir()) {
            drop(ExportReader::open(&self.source)?);
        }
        let new_file = match context.inspect()? {
            Inspection::Missing => Some(NewFile::for_target(&context.file)?),
            Inspection::Connectors { .. } => None,
        };
        let file = new_file.as_ref().map_or(context.file.as_path(), NewFile::path);
        let done = self.import_into(file, context, &mut id_map, output);
        let Some(new_file) = new_file else { return done };
        let placed = done.map_err(|error| new_file.rename_in(&error)).and_then(|done| new_file.finish().map(|()| done));
        if placed.is_err() {
            // The written rows went with their file.
            output.commit_flag().store(false, Ordering::Relaxed);
        }
        placed
    }

    fn import_into(
        &self,
        file: &Path,
        context: &Context,
        id_map: &mut Option<&mut dyn Write>,
        output: &Output,
    ) -> anyhow::Result<Imported> {
        let (mut store, _) = context.open_at(file, output)?;
        let vault = context.vault(&store)?;
        for warning in key_warnings(&vault, &store)? {
            output.notice(&messages::keys::warning(&warning));
        }
        let request = ImportRequest {
            source: &self.source,
            on_conflict: self.on_conflict(),
            create_automatic_backup: !self.no_backup,
        };
        let mut renamed = |old: &str, new: &str| {
            let Some(out) = id_map else { return Ok(()) };
            let line = json!({"id": old, "destinationId": new});
            writeln!(out, "{line}").map_err(|cause| FileError { name: "the map of ids".to_owned(), cause }.into())
        };
        let progress = output.progress();
        let mut progress = |done, total| progress.bar("read", done, total, "connectors");
        let now = clock::now_iso();
        let (outcome, warnings) = import::import(&mut store, &vault, request, &now, &mut renamed, &mut progress)?;
        Ok(Imported { outcome, warnings, plan: None })
    }

    fn report(&self, context: &Context, imported: &Imported, output: &mut Output) -> anyhow::Result<()> {
        let Imported { outcome, plan, .. } = imported;
        let is_refused = !outcome.conflicts.is_empty();
        let missing = (outcome.missing_secrets > 0 && !is_refused).then(|| missing_secrets(outcome.missing_secrets));
        if self.json {
            return Ok(output.json(&self.report_json(imported, missing))?);
        }
        if let Some(message) = missing {
            output.notice(&message);
        }
        if is_refused {
            return list_conflicts(context, outcome, output);
        }
        if let Some(plan) = plan.as_ref().filter(|plan| plan.pending() > 0) {
            output.line(&format!(
                "To migrate: {} backfill, {} stamp only, {} blocked",
                grouped(plan.backfill),
                grouped(plan.stamp_only),
                grouped(plan.blocked)
            ))?;
        }
        let verb = if self.dry_run { "Would import" } else { "Imported" };
        Ok(output.line(&format!(
            "{verb} {} ({} new, {} replaced); {} without secrets",
            plural(outcome.added + outcome.replaced, "connector"),
            grouped(outcome.added),
            grouped(outcome.replaced),
            grouped(outcome.missing_secrets)
        ))?)
    }

    fn report_json(&self, imported: &Imported, missing: Option<String>) -> Value {
        let Imported { outcome, warnings, plan } = imported;
        let is_refused = !outcome.conflicts.is_empty();
        let (added, replaced) = if is_refused { (0, 0) } else { (outcome.added, outcome.replaced) };
        let simple = import_notes(warnings).into_iter().map(|message| json!({"type": "simple", "message": message}));
        let messages: Vec<Value> =
            simple.chain(missing.map(|message| json!({"type": "action_required", "message": message}))).collect();
        json!({
            "success": !is_refused,
            "added": added,
            "replaced": replaced,
            "missing_secrets": outcome.missing_secrets,
            "kept_secrets": outcome.kept_secrets,
            "lost_secrets": outcome.lost_secrets,
            "conflicts": outcome.conflicts.ids,
            "conflict_count": outcome.conflicts.count,
            "other_types": warnings.other_types,
            "promised_objects": warnings.promised,
            "migrated_from_old_releases": warnings.migrated,
            "warnings": messages,
            "dry_run": self.dry_run,
            "migration": plan.as_ref().map(|plan| json!({
                "backfill": plan.backfill, "stamp_only": plan.stamp_only, "blocked": plan.blocked,
            })),
        })
    }
}

/// Kibana shows the same warning after an import, with a button that leads to its connectors.
fn missing_secrets(count: u64) -> String {
    let need = if count == 1 { "needs" } else { "need" };
    format!("{} {need} secrets, which an export never contains; enter them in the UI", plural(count, "connector"))
}

fn list_conflicts(context: &Context, outcome: &ImportOutcome, output: &mut Output) -> anyhow::Result<()> {
    let store = context.read()?;
    for id in outcome.conflicts.ids.iter().take(LISTED) {
        let name = store.get(id)?.map(|connector| connector.name).unwrap_or_default();
        output.line(&format!("already exists: {id} ({name})"))?;
    }
    let listed = LISTED as u64;
    if outcome.conflicts.count > listed {
        output.line(&format!("and {} more", grouped(outcome.conflicts.count - listed)))?;
    }
    Ok(())
}

/// The number of conflicts to list.
const LISTED: usize = 100;
