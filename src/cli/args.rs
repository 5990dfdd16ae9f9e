//! The command line as a whole.

use std::path::PathBuf;

use clap::Parser;

use super::commands::Command;

/// The heading of the options that every command has.
const GLOBAL: &str = "Global options";

/// Review, migrate and edit the Kibana connectors of a SQLite file.
///
/// Without a command the terminal UI opens on FILE. Try `connector-admin demo` first.
#[derive(Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Args {
    /// Open the terminal UI on this file; create it if it does not exist
    #[arg(value_name = "FILE")]
    pub(super) positional: Option<PathBuf>,
    /// Connectors file
    ///
    /// [default: $CONNECTOR_ADMIN_FILE, else connectors.db in the platform's data directory]
    #[arg(long, value_name = "FILE", global = true, help_heading = GLOBAL)]
    pub(super) file: Option<PathBuf>,
    /// Key file that encrypts secrets
    ///
    /// [default: $CONNECTOR_ADMIN_KEY_FILE, else FILE.keys if it exists, else keys in the platform's configuration
    /// directory]
    #[arg(long, value_name = "FILE", global = true, help_heading = GLOBAL)]
    pub(super) key_file: Option<PathBuf>,
    /// Encrypt secrets with a passphrase, from $CONNECTOR_ADMIN_PASSPHRASE or a prompt
    ///
    /// The prompt needs a terminal.
    #[arg(long, global = true, help_heading = GLOBAL, hide_short_help = true)]
    pub(super) passphrase: bool,
    /// Additional connector types, in the form of `types ID --json`
    ///
    /// [default: $CONNECTOR_ADMIN_TYPES, else connector_types.json in the platform's configuration directory]
    #[arg(long, value_name = "FILE", global = true, help_heading = GLOBAL, hide_short_help = true)]
    pub(super) types: Option<PathBuf>,
    /// Configuration of theme, mouse and keys
    ///
    /// [default: $CONNECTOR_ADMIN_CONFIG, else config.toml in the platform's configuration directory]
    #[arg(long, value_name = "FILE", global = true, help_heading = GLOBAL, hide_short_help = true)]
    pub(super) config: Option<PathBuf>,
    /// Print no notes and no progress on standard error
    #[arg(long, short, global = true, help_heading = GLOBAL)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) ui: UiArgs,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  completed, needs attention: records stay pending or blocked, a conflict, differences
  2  refused, nothing changed";

#[derive(clap::Args)]
pub(in crate::cli) struct UiArgs {
    /// Do not write to the connectors file: no schema upgrade, no edits
    #[arg(long)]
    pub(super) read_only: bool,
    /// Apply the whole migration plan when the UI opens, as Kibana does
    #[arg(long, conflicts_with = "read_only")]
    pub(super) apply_migration: bool,
}
