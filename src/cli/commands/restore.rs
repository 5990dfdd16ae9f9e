//! `restore`.

use std::path::PathBuf;

use anyhow::bail;
use serde_json::json;

use super::{Access, Run};
use crate::cli::DONE;
use crate::cli::context::Session;
use crate::cli::render::output::Output;
use crate::clock;
use crate::store::{self, Inspection, Reading};
use crate::text::plural;

const EXAMPLES: &str = "\
Examples:
  connector-admin backup --list
  connector-admin restore work.db.auto.bak";

/// Restore a backup (it is verified first, and the current file is kept)
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Restore {
    /// Backup to restore
    backup: PathBuf,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Restore {
    fn access(&self) -> Access {
        Access::Write
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        let (file, backup) = (&context.file, &self.backup);
        if store::inspect(backup, Reading::Shared)? == Inspection::Missing {
            bail!("{}: no such backup; `connector-admin backup --list` lists those next to the file", backup.display());
        }
        let progress = output.progress();
        let restored =
            store::restore(file, backup, clock::now(), |done, total| progress.bar("copied", done, total, "pages"));
        drop(progress);
        let restored = restored?;
        let kept = restored.kept.as_ref().map(|path| path.display().to_string());
        if self.json {
            output.json(&json!({
                "restored": restored.from.display().to_string(),
                "kept": kept,
                "connectors": restored.records,
                "schema": restored.schema,
            }))?;
            return Ok(DONE);
        }
        output.line(&format!(
            "Restored {} from {}: {}",
            file.display(),
            restored.from.display(),
            plural(restored.records, "connector")
        ))?;
        if let Some(kept) = kept {
            output.line(&format!("The previous file is kept: {kept}"))?;
        }
        Ok(DONE)
    }
}
