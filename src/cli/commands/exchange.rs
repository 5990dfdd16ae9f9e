//! Exports in and out.

use std::fs;
use std::io;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::super::context::Context;
use super::super::output::{Output, complain, counted};
use super::super::{DONE, NEEDS_A_PERSON};
use super::{open, parse_filter};
use crate::clock;
use crate::domain::Connector;
use crate::fs::{TemporaryFolder, folder_of};
use crate::store::{self, ImportOutcome, Inspection, OnConflict, PlanCounts};
use crate::transfer::files::{check_target, is_same, write_whole};
use crate::transfer::{self, Importing, Notices, TransferError};
use crate::vault::Vault;
use crate::worker::key_warnings;

/// How an import is asked for.
pub(super) struct Asked<'a> {
    pub(super) on_conflict: OnConflict,
    pub(super) dry_run: bool,
    pub(super) no_copy: bool,
    /// Where the new id of each old one goes.
    pub(super) id_map: Option<&'a Path>,
    pub(super) json: bool,
}

pub(super) fn import(context: &Context, source: &Path, asked: &Asked<'_>, output: &mut Output) -> anyhow::Result<u8> {
    let file = context.file.as_path();
    let mut plan = None;
    let (outcome, notices) = if asked.dry_run {
        let exists = context.inspect()? != Inspection::Missing;
        let store = exists.then(|| context.read()).transpose()?;
        let vault = Vault::new(context.keys()?);
        let progress = output.progress();
        let preview = transfer::preview(
            store.as_ref().map(|store| (store, &vault)),
            source,
            asked.on_conflict,
            &mut |done, total| progress.bar("read", done, total, "connectors"),
        );
        drop(progress);
        let preview = preview?;
        if preview.same_names > 0 {
            let same = counted(preview.same_names, "connector");
            output.notice(&format!("{same} with the name of one that is in the file already, under another id"));
        }
        plan = Some(preview.plan);
        (preview.outcome, preview.notices)
    } else if let Some(target) = asked.id_map {
        check_target(target, file, &context.key_file()?)?;
        if is_same(target, source) {
            bail!("{} is the export itself; name another file for the ids", target.display());
        }
        let mut done = None;
        let mapped = write_whole(target, |out| {
            done = Some(take_in(context, source, asked, Some(out), output)?);
            anyhow::Ok(())
        });
        match (done, mapped) {
            (Some(done), Ok(())) => done,
            (Some(_), Err(error)) => {
                complain(&format!(
                    "everything is imported, but {error:#}; `connector-admin undo` takes the import back"
                ));
                return Ok(NEEDS_A_PERSON);
            }
            (None, mapped) => return mapped.map(|()| DONE),
        }
    } else {
        take_in(context, source, asked, None, output)?
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
            output.notice(&format!("{} {what}", counted(count, "replaced connector")));
        }
    }
    report_import(context, (&outcome, &notices, plan), asked, output)?;
    if !outcome.conflicts.is_empty() {
        output.notice(&format!(
            "{} of the ids exist already; nothing was imported. Use --overwrite to replace those connectors, or \
             --create-new-copies to import all under new ids",
            outcome.conflicts.count
        ));
        return Ok(NEEDS_A_PERSON);
    }
    let is_all = outcome.lost_secrets == 0
        && notices.promised.is_none()
        && (outcome.added + outcome.replaced > 0 || notices.other_types.is_empty());
    Ok(if is_all { DONE } else { NEEDS_A_PERSON })
}

fn take_in(
    context: &Context,
    source: &Path,
    asked: &Asked<'_>,
    mut id_map: Option<&mut dyn Write>,
    output: &Output,
) -> anyhow::Result<(ImportOutcome, Notices)> {
    // An export that cannot be opened must not leave a new file behind, nor one that is refused.
    // A pipe is opened once: who writes into it would take a second time for the end.
    if fs::metadata(source).map_or(true, |metadata| metadata.is_file() || metadata.is_dir()) {
        drop(transfer::Export::open(source)?);
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
        let importing = Importing { source, on_conflict: asked.on_conflict, keep_copy: !asked.no_copy };
        let mut renamed = |old: &str, new: &str| {
            let Some(out) = &mut id_map else { return Ok(()) };
            let line = json!({"id": old, "destinationId": new});
            writeln!(out, "{line}").map_err(|cause| TransferError::Io { name: "the map of ids".to_owned(), cause })
        };
        let progress = output.progress();
        let mut progress = |done, total| progress.bar("read", done, total, "connectors");
        Ok(transfer::import(&mut store, &vault, importing, &clock::now_iso(), &mut renamed, &mut progress)?)
    };
    let done = work();
    let Some(new_file) = new_file else { return done };
    // Nobody has heard of the name under which it was built.
    let built = new_file.work.display().to_string();
    let done = done
        .map_err(|error| anyhow::Error::msg(format!("{error:#}").replace(&built, &context.file.display().to_string())));
    let placed = done.and_then(|done| new_file.finish().map(|()| done));
    if placed.is_err() {
        // What was written went with the file that it was written to.
        output.commit_flag().store(false, Ordering::Relaxed);
    }
    placed
}

fn report_import(
    context: &Context,
    (outcome, notices, plan): (&ImportOutcome, &Notices, Option<PlanCounts>),
    asked: &Asked<'_>,
    output: &mut Output,
) -> anyhow::Result<()> {
    let refused = !outcome.conflicts.is_empty();
    let (added, replaced) = if refused { (0, 0) } else { (outcome.added, outcome.replaced) };
    let missing = (outcome.missing_secrets > 0 && !refused).then(|| missing_secrets(outcome.missing_secrets));
    if asked.json {
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
            "dry_run": asked.dry_run,
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
    let verb = if asked.dry_run { "would import" } else { "imported" };
    Ok(output.line(&format!(
        "{verb} {} ({added} new, {replaced} replaced); {} without secrets",
        counted(added + replaced, "connector"),
        outcome.missing_secrets
    ))?)
}

/// Kibana warns of the same after an import, with a button that leads to its connectors.
fn missing_secrets(count: u64) -> String {
    let need = if count == 1 { "needs" } else { "need" };
    format!(
        "{} {need} secrets that an export does not hold; the UI leads from one to the next",
        counted(count, "connector")
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

/// Conflicts listed for people.
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
        None => transfer::export(&store, &mut output.raw(), "standard output", is_wanted, &mut shown)?,
        Some(target) => write_whole(target, |out| {
            transfer::export(&store, out, &target.display().to_string(), is_wanted, &mut shown)
        })?,
    };
    drop(progress);
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

/// The file that an import makes: built in a temporary folder next to its place, which it takes when the import is done.
/// So a refused import leaves nothing behind, and never takes away what another program made there meanwhile.
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
            // One that is not empty is somebody's.
            let _ = fs::remove_dir(folder);
        }
    }
}
