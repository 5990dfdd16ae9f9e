//! `demo`.

use std::path::PathBuf;

use super::{Access, Run};
use crate::cli::context::{Session, state_file};
use crate::cli::render::output::{Output, eprint_note};
use crate::cli::signal_exit_code;
use crate::demo;
use crate::tui::run;
use crate::worker::OpenOptions;

const EXAMPLES: &str = "\
Examples:
  connector-admin demo
  connector-admin demo --keep demo.db";

/// Try everything on a throw-away file of about 200 connectors
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Demo {
    /// Create the demo file at this path and keep it
    #[arg(long, value_name = "PATH")]
    keep: Option<PathBuf>,
}

impl Run for Demo {
    fn access(&self) -> Access {
        Access::Ui
    }

    fn run(self, session: &Session, _output: &mut Output) -> anyhow::Result<u8> {
        let demo = demo::Demo::create(self.keep.as_deref(), session.catalogue)?;
        let open = OpenOptions {
            path: demo.path().to_owned(),
            read_only: session.ui.read_only,
            keys: demo::keys_of(demo.path()),
            restore: None,
            catalogue: session.catalogue,
        };
        let signal = run::run(run::Options {
            open,
            apply_migration: session.ui.apply_migration,
            is_demo: self.keep.is_none(),
            config: session.config.clone(),
            // A kept file is like any other: its UI state is kept too.
            ui_state_file: self.keep.as_ref().and_then(|_| state_file()),
        })?;
        if let Some(kept) = demo.finish() {
            eprint_note(&format!(
                "The demo file is kept: {0}; open it with `connector-admin {0}`; its keys are in {1}",
                kept.display(),
                demo::keys_of(&kept).key_file.display()
            ));
        }
        Ok(signal_exit_code(signal))
    }
}
