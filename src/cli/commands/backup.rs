//! `backup`.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::bail;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Access, Run};
use crate::cli::DONE;
use crate::cli::context::{Context, Session};
use crate::cli::render::output::Output;
use crate::clock;
use crate::clock::iso;
use crate::service::output_file::check_target;
use crate::store::{self, Reading};
use crate::text::size::bytes_text;
use crate::text::time::age_of;

const EXAMPLES: &str = "\
Examples:
  connector-admin backup
  connector-admin backup /mnt/backups/work.bak
  connector-admin backup --list";

/// Create a verified backup (safe while the file is open)
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Backup {
    /// Path of the backup [default: <file>.backup-<UTC time>.bak]
    target: Option<PathBuf>,
    /// List the backups of the file
    #[arg(long, conflicts_with = "target")]
    list: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Run for Backup {
    fn access(&self) -> Access {
        Access::ReadAndCreate
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        if self.list { self.list(&context.file, output) } else { self.create(&context, output) }
    }
}

impl Backup {
    fn create(&self, context: &Context, output: &mut Output) -> anyhow::Result<u8> {
        let target = self.target.as_deref();
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
        let created =
            store.back_up(target, clock::now(), &mut |done, total| progress.bar("copied", done, total, "pages"));
        drop(progress);
        let created = created?;
        // The backup exists, whether its message can be printed or not.
        output.commit_flag().store(true, Ordering::Relaxed);
        if self.json {
            output.json(&backup_json(&created))?;
        } else {
            output.line(&format!("{} ({})", created.path.display(), bytes_text(created.bytes)))?;
        }
        Ok(DONE)
    }

    fn list(&self, file: &Path, output: &mut Output) -> anyhow::Result<u8> {
        let backups = store::backups_of(file)?;
        if self.json {
            output.json(&Value::Array(backups.iter().map(backup_json).collect()))?;
            return Ok(DONE);
        }
        if backups.is_empty() {
            output.line(&format!("{} has no backups", file.display()))?;
            return Ok(DONE);
        }
        let now = clock::now();
        let row = |backup: &store::Backup| {
            let age = made_at(backup).map_or_else(|| "?".to_owned(), |time| age_of(time, now));
            vec![age, bytes_text(backup.bytes), backup.kind.label().to_owned(), backup.path.display().to_string()]
        };
        let rows: Vec<Vec<String>> = backups.iter().map(row).collect();
        output.table(&["AGE", "SIZE", "KIND", "FILE"], &rows)?;
        Ok(DONE)
    }
}

fn made_at(backup: &store::Backup) -> Option<Timestamp> {
    Timestamp::try_from(backup.made_at?).ok()
}

fn backup_json(backup: &store::Backup) -> Value {
    json!({
        "path": backup.path.display().to_string(),
        "kind": backup.kind.label(),
        "bytes": backup.bytes,
        "made_at": made_at(backup).map(iso),
    })
}
