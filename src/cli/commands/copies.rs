//! Copies of the file: making one, listing them, putting one back.

use std::path::Path;
use std::sync::atomic::Ordering;

use anyhow::bail;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::DONE;
use crate::cli::context::Context;
use crate::cli::render::output::Output;
use crate::clock;
use crate::clock::iso;
use crate::service::output_file::check_target;
use crate::store::{self, Backup, Inspection, Reading};
use crate::text::plural;
use crate::text::size::bytes_text;
use crate::text::time::age_of;

pub(super) fn make(context: &Context, target: Option<&Path>, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    if target == Some(Path::new("-")) {
        bail!("a backup cannot go to standard output; name a file for it");
    }
    if target.is_none() && context.reading == Reading::Untouched {
        bail!("--read-only writes nothing next to the file; name a file for the backup");
    }
    if let Some(target) = target.filter(|target| !target.exists()) {
        check_target(target, &context.file, &context.key_file()?)?;
    }
    let store = context.read()?;
    let progress = output.progress();
    let copied = store.back_up(target, clock::now(), &mut |done, total| progress.bar("copied", done, total, "pages"));
    drop(progress);
    let copied = copied?;
    // The backup exists, whether its message can be printed or not.
    output.commit_flag().store(true, Ordering::Relaxed);
    if json {
        output.json(&copy_json(&copied))?;
    } else {
        output.line(&format!("{} ({})", copied.path.display(), bytes_text(copied.bytes)))?;
    }
    Ok(DONE)
}

pub(super) fn list(file: &Path, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let copies = store::backups_of(file)?;
    if json {
        output.json(&Value::Array(copies.iter().map(copy_json).collect()))?;
        return Ok(DONE);
    }
    if copies.is_empty() {
        output.line(&format!("{} has no backups", file.display()))?;
        return Ok(DONE);
    }
    let now = clock::now();
    let rows: Vec<Vec<String>> = copies
        .iter()
        .map(|copy| {
            let age = made_at(copy).map_or_else(|| "?".to_owned(), |time| age_of(time, now));
            vec![age, bytes_text(copy.bytes), copy.kind.label().to_owned(), copy.path.display().to_string()]
        })
        .collect();
    output.table(&["AGE", "SIZE", "MADE", "FILE"], &rows)?;
    Ok(DONE)
}

pub(super) fn restore(file: &Path, copy: &Path, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    if store::inspect(copy, Reading::Shared)? == Inspection::Missing {
        bail!("{}: no such backup; `connector-admin backup --list` lists those next to the file", copy.display());
    }
    let progress = output.progress();
    let restored = store::restore(file, copy, clock::now(), |done, total| progress.bar("copied", done, total, "pages"));
    drop(progress);
    let restored = restored?;
    let kept = restored.kept.as_ref().map(|path| path.display().to_string());
    if json {
        output.json(&json!({
            "restored": restored.from.display().to_string(),
            "kept": kept,
            "connectors": restored.records,
            "schema": restored.schema,
        }))?;
        return Ok(DONE);
    }
    output.line(&format!(
        "{} holds what {} holds: {}",
        file.display(),
        restored.from.display(),
        plural(restored.records, "connector")
    ))?;
    if let Some(kept) = kept {
        output.line(&format!("what it was before is kept: {kept}"))?;
    }
    Ok(DONE)
}

fn made_at(copy: &Backup) -> Option<Timestamp> {
    Timestamp::try_from(copy.made_at?).ok()
}

fn copy_json(copy: &Backup) -> Value {
    json!({
        "path": copy.path.display().to_string(),
        "kind": copy.kind.label(),
        "bytes": copy.bytes,
        "made_at": made_at(copy).map(iso),
    })
}
