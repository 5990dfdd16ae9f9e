//! Exports in and out.

use std::fs;
use std::io;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::{open, parse_filter};
use crate::cli::context::Context;
use crate::cli::render::output::{Output, eprint_error};
use crate::cli::{DONE, NEEDS_ATTENTION};
use crate::clock;
use crate::domain::Connector;
use crate::fs::paths::is_same;
use crate::fs::{FileError, TemporaryFolder, folder_of, write_atomically};
use crate::kibana::saved_objects::{ExportReader, ImportWarnings};
use crate::service::export;
use crate::service::import::{self, ImportRequest};
use crate::service::keys::key_warnings;
use crate::service::output_file::check_target;
use crate::store::{self, ImportOutcome, Inspection, OnConflict, PlanCounts};
use crate::text::plural;
use crate::vault::Vault;

/// The options of an import.
pub(super) struct ImportOptions<'a> {
    pub(super) on_conflict: OnConflict,
    pub(super) dry_run: bool,
    pub(super) no_backup: bool,
    /// The file for the map from old to new ids.
    pub(super) id_map: Option<&'a Path>,
    pub(super) json: bool,
}

pub(super) fn import(
    context: &Context,
    source: &Path,
    options: &ImportOptions<'_>,
    output: &mut Output,
) -> anyhow::Result<u8> {
    let file = context.file.as_path();
    let mut plan = None;
    let (outcome, notices) = if options.dry_run {
        let exists = context.inspect()? != Inspection::Missing;
        let store = exists.then(|| context.read()).transpose()?;
        let vault = Vault::new(context.keys()?);
        let progress = output.progress();
        let preview = import::preview(
            store.as_ref().map(|store| (store, &vault)),
            source,
            options.on_conflict,
            &mut |done, total| progress.bar("read", done, total, "connectors"),
        );
        drop(progress);
        let preview = preview?;
        if preview.same_names > 0 {
            let same = plural(preview.same_names, "connector");
            output.notice(&format!("{same} with the name of one that is in the file already, under another id"));
        }
        plan = Some(preview.plan);
        (preview.outcome, preview.notices)
    } else if let Some(target) = options.id_map {
        check_target(target, file, &context.key_file()?)?;
        if is_same(target, source) {
            bail!("{} is the export itself; name another file for the ids", target.display());
        }
        let mut done = None;
        let mapped = write_atomically(target, |out| {
            done = Some(run_import(context, source, options, Some(out), output)?);
            anyhow::Ok(())
        });
        match (done, mapped) {
            (Some(done), Ok(())) => done,
            (Some(_), Err(error)) => {
                eprint_error(&format!(
                    "everything is imported, but {error:#}; `connector-admin undo` undoes the import"
                ));
                return Ok(NEEDS_ATTENTION);
            }
            (None, mapped) => return mapped.map(|()| DONE),
        }
    } else {
        run_import(context, source, options, None, output)?
    };
    for line in notices.lines() {
        output.notice(&line);
    }
    for (count, what) in [
        (outcome.kept_secrets, "kept the secrets stored in the file, since the export holds none"),
        (
            outcome.lost_secrets,
            "lost the secrets stored in the file: they do not fit the new type or config, or do not open",
        ),
    ] {
        if count > 0 {
            output.notice(&format!("{} {what}", plural(count, "replaced connector")));
        }
    }
    report_import(context, (&outcome, &notices, plan), options, output)?;
    if !outcome.conflicts.is_empty() {
        output.notice(&format!(
            "{} of the connectors already exist; nothing was imported. Use --overwrite to replace those connectors, \
             or --create-new-copies to import all under new ids",
            outcome.conflicts.count
        ));
        return Ok(NEEDS_ATTENTION);
    }
    let is_all = outcome.lost_secrets == 0
        && notices.promised.is_none()
        && (outcome.added + outcome.replaced > 0 || notices.other_types.is_empty());
    Ok(if is_all { DONE } else { NEEDS_ATTENTION })
}

fn run_import(
    context: &Context,
    source: &Path,
    options: &ImportOptions<'_>,
    mut id_map: Option<&mut dyn Write>,
    output: &Output,
) -> anyhow::Result<(ImportOutcome, ImportWarnings)> {
    // A missing or refused export must not leave a new file behind. A pipe is opened once: its writer would take a
    // second opening for the end.
    if fs::metadata(source).map_or(true, |metadata| metadata.is_file() || metadata.is_dir()) {
        drop(ExportReader::open(source)?);
    }
    let new_file = match context.inspect()? {
        Inspection::Missing => Some(NewFile::for_place(&context.file)?),
        Inspection::Connectors { .. } => None,
    };
    let file = new_file.as_ref().map_or(context.file.as_path(), |new_file| &new_file.work);
    let mut work = || {
        let (mut store, _) = open(file, output)?;
        let vault = context.vault(&store)?;
        for warning in key_warnings(&vault, &store)? {
            output.notice(&warning);
        }
        let importing =
            ImportRequest { source, on_conflict: options.on_conflict, create_automatic_backup: !options.no_backup };
        let mut renamed = |old: &str, new: &str| {
            let Some(out) = &mut id_map else { return Ok(()) };
            let line = json!({"id": old, "destinationId": new});
            writeln!(out, "{line}").map_err(|cause| FileError { name: "the map of ids".to_owned(), cause }.into())
        };
        let progress = output.progress();
        let mut progress = |done, total| progress.bar("read", done, total, "connectors");
        Ok(import::import(&mut store, &vault, importing, &clock::now_iso(), &mut renamed, &mut progress)?)
    };
    let done = work();
    let Some(new_file) = new_file else { return done };
    // The temporary name means nothing to the user.
    let built = new_file.work.display().to_string();
    let done = done
        .map_err(|error| anyhow::Error::msg(format!("{error:#}").replace(&built, &context.file.display().to_string())));
    let placed = done.and_then(|done| new_file.finish().map(|()| done));
    if placed.is_err() {
        // The written rows went with their file.
        output.commit_flag().store(false, Ordering::Relaxed);
    }
    placed
}

fn report_import(
    context: &Context,
    (outcome, notices, plan): (&ImportOutcome, &ImportWarnings, Option<PlanCounts>),
    options: &ImportOptions<'_>,
    output: &mut Output,
) -> anyhow::Result<()> {
    let refused = !outcome.conflicts.is_empty();
    let (added, replaced) = if refused { (0, 0) } else { (outcome.added, outcome.replaced) };
    let missing = (outcome.missing_secrets > 0 && !refused).then(|| missing_secrets(outcome.missing_secrets));
    if options.json {
        let simple = notices.lines().into_iter().map(|message| json!({"type": "simple", "message": message}));
        let warnings: Vec<Value> =
            simple.chain(missing.map(|message| json!({"type": "action_required", "message": message}))).collect();
        return Ok(output.json(&json!({
            "success": !refused,
            "added": added,
            "replaced": replaced,
            "missing_secrets": outcome.missing_secrets,
            "kept_secrets": outcome.kept_secrets,
            "lost_secrets": outcome.lost_secrets,
            "conflicts": outcome.conflicts.ids,
            "conflict_count": outcome.conflicts.count,
            "other_types": notices.other_types,
            "promised_objects": notices.promised,
            "migrated_from_old_releases": notices.migrated,
            "warnings": warnings,
            "dry_run": options.dry_run,
            "migration": plan.map(|plan| json!({
                "backfill": plan.backfill, "stamp_only": plan.stamp_only, "blocked": plan.blocked,
            })),
        }))?);
    }
    if let Some(message) = missing {
        output.notice(&message);
    }
    if refused {
        return list_conflicts(context, outcome, output);
    }
    if let Some(plan) = plan.filter(|plan| plan.pending() > 0) {
        output.line(&format!(
            "of them to migrate: backfill {}, stamp only {}, blocked {}",
            plan.backfill, plan.stamp_only, plan.blocked
        ))?;
    }
    let verb = if options.dry_run { "would import" } else { "imported" };
    Ok(output.line(&format!(
        "{verb} {} ({added} new, {replaced} replaced); {} without secrets",
        plural(added + replaced, "connector"),
        outcome.missing_secrets
    ))?)
}

/// Kibana warns of the same after an import, with a button that leads to its connectors.
fn missing_secrets(count: u64) -> String {
    let need = if count == 1 { "needs" } else { "need" };
    format!(
        "{} {need} secrets that an export does not hold; the UI leads from one to the next",
        plural(count, "connector")
    )
}

fn list_conflicts(context: &Context, outcome: &ImportOutcome, output: &mut Output) -> anyhow::Result<()> {
    let store = context.read()?;
    for id in outcome.conflicts.ids.iter().take(LISTED) {
        let name = store.get(id)?.map(|connector| connector.name).unwrap_or_default();
        output.line(&format!("exists already: {id} ({name})"))?;
    }
    let listed = LISTED as u64;
    if outcome.conflicts.count > listed {
        output.line(&format!("and {} more", outcome.conflicts.count - listed))?;
    }
    Ok(())
}

/// The number of conflicts to list.
const LISTED: usize = 100;

pub(super) fn export(
    context: &Context,
    filter: Option<&str>,
    target: Option<&Path>,
    json: bool,
    output: &mut Output,
) -> anyhow::Result<u8> {
    let filter = parse_filter(filter, output)?;
    let store = context.read_for(&filter)?;
    let is_wanted = |connector: &Connector| filter.is_empty() || filter.matches(&store.summary_of(connector));
    let progress = output.progress();
    // On a terminal the lines themselves show how far it is.
    let is_shown = target.is_some() || !output.is_terminal();
    let mut shown = |done, total| !is_shown || progress.bar("read", done, total, "connectors");
    let report = match target {
        None => export::export(&store, &mut output.raw(), "standard output", is_wanted, &mut shown)?,
        Some(target) => write_atomically(target, |out| {
            export::export(&store, out, &target.display().to_string(), is_wanted, &mut shown)
        })?,
    };
    drop(progress);
    for line in report.notices() {
        output.notice(&line);
    }
    if json {
        output.notice(&json!({"exported": report.exported, "excluded": report.excluded.len()}).to_string());
    } else if target.is_some() {
        output.notice(&format!("Exported {}", plural(report.exported, "connector")));
    }
    Ok(if report.excluded.is_empty() { DONE } else { NEEDS_ATTENTION })
}

/// The file that an import creates: built in a temporary folder next to its path and moved there when the import is
/// done. A refused import leaves nothing behind, and never removes a file that another program created in the meantime.
struct NewFile<'a> {
    target: &'a Path,
    work: PathBuf,
    /// Removed before the folders that were made for it.
    folder: Option<TemporaryFolder>,
    made_folders: Vec<PathBuf>,
}

impl<'a> NewFile<'a> {
    fn for_place(target: &'a Path) -> anyhow::Result<Self> {
        store::check_no_stray_log(target)?;
        let folder = folder_of(target);
        let made_folders = folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        let made_folders = made_folders.map(Path::to_owned).collect();
        let cannot = || format!("{} cannot be made", target.display());
        fs::create_dir_all(folder).with_context(cannot)?;
        let folder = TemporaryFolder::new_in(folder).with_context(cannot)?;
        let work = folder.path().join(target.file_name().unwrap_or_default());
        Ok(Self { target, work, folder: Some(folder), made_folders })
    }

    fn finish(self) -> anyhow::Result<()> {
        store::check_no_stray_log(self.target)?;
        let work = tempfile::TempPath::try_from_path(&self.work)?;
        match work.persist_noclobber(self.target) {
            Ok(()) => Ok(()),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => bail!(
                "{} was made by another program meanwhile; nothing was imported into it. Run the command again",
                self.target.display()
            ),
            Err(error) => Err(error.error).with_context(|| format!("{} cannot be made", self.target.display())),
        }
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        drop(self.folder.take());
        for folder in &self.made_folders {
            // A file with content belongs to somebody.
            let _ = fs::remove_dir(folder);
        }
    }
}
