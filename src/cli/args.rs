//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::remote_args::{PushArgs, RemoteCommand, SideArg, Which};
use super::value_enums::{KeyKind, ModeArg, SortArg};

/// Review, migrate and edit the Kibana connectors of a SQLite file.
///
/// Without a command the terminal UI opens on FILE. Try `connector-admin demo` first.
#[derive(Parser)]
#[command(version, about, long_about, max_term_width = 100, after_help = AFTER_HELP)]
pub(super) struct Args {
    /// Open the terminal UI on this file; create it if it does not exist
    #[arg(value_name = "FILE")]
    pub(super) positional: Option<PathBuf>,
    /// Connectors file [default: $CONNECTOR_ADMIN_FILE, else the platform's data directory]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) file: Option<PathBuf>,
    /// Key file that encrypts secrets [default: $CONNECTOR_ADMIN_KEY_FILE, else FILE.keys if it exists, else the
    /// platform's configuration directory]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) key_file: Option<PathBuf>,
    /// Encrypt secrets with a passphrase instead, from $CONNECTOR_ADMIN_PASSPHRASE or a prompt
    #[arg(long, global = true)]
    pub(super) passphrase: bool,
    /// Additional connector types, in the form of `types ID --json` [default: $CONNECTOR_ADMIN_TYPES, else
    /// connector_types.json in the platform's configuration directory]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) types: Option<PathBuf>,
    /// Configuration of theme, mouse and keys [default: $CONNECTOR_ADMIN_CONFIG, else config.toml in the platform's
    /// configuration directory]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) config: Option<PathBuf>,
    /// Print no notices and no progress on standard error
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) ui: UiArgs,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

const AFTER_HELP: &str = "Exit codes: 0 done; 1 completed, needs attention (records stay pending or blocked, a \
                          conflict was reported, there are differences); 2 refused, nothing changed.";

#[derive(clap::Args)]
pub(super) struct UiArgs {
    /// Do not write to the connectors file: no schema upgrade, no edits
    #[arg(long)]
    pub(super) read_only: bool,
    /// Apply the whole migration plan when the UI opens, as Kibana does
    #[arg(long, conflicts_with = "read_only")]
    pub(super) apply_migration: bool,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Try everything on a throw-away file of about 200 connectors
    Demo {
        /// Create the demo file at this path and keep it
        #[arg(long, value_name = "PATH")]
        keep: Option<PathBuf>,
    },
    /// List connectors
    List {
        /// Only connectors that pass this filter, for example 'type:webhook needs:migration'
        #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true)]
        filter: Option<String>,
        /// Sort by this column
        #[arg(long, value_enum, default_value_t = SortArg::Name)]
        sort: SortArg,
        /// Sort in descending order
        #[arg(long)]
        descending: bool,
        /// Print a JSON array of Kibana's API objects
        #[arg(long)]
        json: bool,
        /// Print Kibana's API objects, one per line
        #[arg(long, conflicts_with = "json")]
        jsonl: bool,
        /// Print CSV; cells that a spreadsheet would run as a formula begin with '
        #[arg(long, conflicts_with_all = ["json", "jsonl"])]
        csv: bool,
    },
    /// Show one connector
    Get {
        /// Id of the connector
        id: String,
        /// Print Kibana's API object
        #[arg(long)]
        json: bool,
    },
    /// Create a connector from the request body of Kibana's API (POST /api/actions/connector)
    ///
    /// The body has connector_type_id, name, config and secrets; `types ID` lists the fields of a type. auth_mode is
    /// optional: without it the mode is inferred from the auth type, as in current Kibana. The output of `get --json`
    /// is a valid body (without its secrets).
    Create {
        /// File with the body; - reads standard input
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// Id of the new connector [default: the id in the body, else a new UUID]
        #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
        id: Option<String>,
        /// Print Kibana's API object, or its error
        #[arg(long)]
        json: bool,
    },
    /// Update a connector from the request body of Kibana's API (PUT /api/actions/connector/ID)
    ///
    /// As in Kibana, the config is replaced, and id and connector_type_id cannot be changed. Unlike in Kibana, the output
    /// of `get --json` is a valid body, auth_mode can be changed, and secrets are kept when the body has none.
    Update {
        /// Id of the connector
        id: String,
        /// File with the body; - reads standard input
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// Print Kibana's API object, or its error
        #[arg(long)]
        json: bool,
    },
    /// Delete connectors (one step, can be undone)
    Delete {
        /// Ids of the connectors
        #[arg(required = true)]
        ids: Vec<String>,
        /// Print the outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Set or toggle the auth mode of connectors
    Toggle {
        /// Ids of the connectors
        #[arg(required_unless_present = "filter")]
        ids: Vec<String>,
        /// All connectors that pass this filter
        #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true, conflicts_with = "ids", requires = "to")]
        filter: Option<String>,
        /// Auth mode to set [default: the other one of each connector]
        #[arg(long, value_enum)]
        to: Option<ModeArg>,
        /// Print the outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Import a saved-object export of Kibana (all or nothing)
    Import {
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
    },
    /// Write a saved-object export that Kibana can import (NDJSON, without secrets)
    Export {
        /// Only connectors that pass this filter
        #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true)]
        filter: Option<String>,
        /// Write to this file instead of standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Print the summary on standard error as JSON
        #[arg(long)]
        json: bool,
    },
    /// Compare the file with a remote or an export, field by field (exit code 1 if they differ)
    ///
    /// With a remote the comparison is three-way: merge base, file and Kibana. An export is compared without secrets
    /// and timestamps.
    Diff {
        /// Export file; - reads standard input [default: compare with the remote]
        export: Option<PathBuf>,
        #[command(flatten)]
        which: Which,
        /// Use the state of the last fetch
        #[arg(long, conflicts_with = "export")]
        offline: bool,
        /// Only connectors that pass this filter
        #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true)]
        filter: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the migration plan, apply it, or roll a run back
    Migrate {
        /// Show the plan, change nothing (default)
        #[arg(long, conflicts_with_all = ["apply", "rollback"])]
        dry_run: bool,
        /// Apply the whole plan, with the decisions made in the UI
        #[arg(long, conflicts_with = "rollback")]
        apply: bool,
        /// Also set `shared` on connectors without an auth type, as current Kibana does
        #[arg(long, conflicts_with = "rollback")]
        all: bool,
        /// Roll back the last run, or the run with this number
        #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "0")]
        rollback: Option<i64>,
        /// Write a report of the plan or the run to this file: .json, .csv, else Markdown; - writes Markdown to
        /// standard output
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// Skip the automatic backup before the run (<file>.auto.bak)
        #[arg(long)]
        no_backup: bool,
        /// Print the plan or the outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Manage the Kibana remotes of this file
    Remote {
        #[command(subcommand)]
        command: RemoteCommand,
    },
    /// Pull changes from the remote (one step, can be undone)
    ///
    /// Local changes are kept; conflicts are left alone and listed (exit code 1).
    Pull {
        #[command(flatten)]
        which: Which,
        /// Delete in the file also when most connectors are missing in Kibana (may be a wrong space or a missing privilege)
        #[arg(long)]
        accept_deletes: bool,
        /// Print the outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show changes to push and pull (exit code 1 if there are any)
    Status {
        #[command(flatten)]
        which: Which,
        /// Use the state of the last fetch
        #[arg(long)]
        offline: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Push local changes to the remote, after you confirm the plan
    ///
    /// Connectors are sent one by one. Ctrl-C stops after the current one; push again to resume. Changes made in Kibana
    /// since the last fetch are never overwritten. The plan shows the resulting auth mode of each connector.
    Push(PushArgs),
    /// Resolve conflicts by keeping one side
    Resolve {
        /// Ids of the connectors
        #[arg(required = true)]
        ids: Vec<String>,
        /// Side to keep
        #[arg(long, value_enum)]
        keep: SideArg,
        #[command(flatten)]
        which: Which,
        /// Print the outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Run a connector in Kibana, for real: a message is sent, a ticket opened
    Test {
        /// Id of the connector
        id: String,
        /// File with the params as JSON; - reads standard input [default: a short message, for a few types]
        #[arg(long, value_name = "FILE")]
        params: Option<PathBuf>,
        /// Do not ask for confirmation
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        which: Which,
        /// Print the response of Kibana as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the history: all steps, one step, or those of a connector
    History {
        /// Number of a step: show its connectors with before and after
        #[arg(conflicts_with = "id")]
        step: Option<i64>,
        /// Only steps that changed this connector
        #[arg(long)]
        id: Option<String>,
        /// Number of steps to show, newest first
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: usize,
        /// Only connectors of the step that pass this filter
        #[arg(long, short, value_name = "FILTER", requires = "step", allow_hyphen_values = true)]
        filter: Option<String>,
        /// Keep steps for this many days, from now on
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
        keep_days: Option<u32>,
        /// Keep at most this many megabytes of steps, from now on
        #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..))]
        keep_megabytes: Option<u32>,
        /// Keep all steps, from now on (default)
        #[arg(long, conflicts_with_all = ["keep_days", "keep_megabytes"])]
        keep_all: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Undo the last step, or the given one
    Undo {
        /// Number of the step
        step: Option<i64>,
        /// Only connectors that pass this filter
        #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true)]
        filter: Option<String>,
        /// Print the outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Redo the last undone step
    Redo {
        /// Print the outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Create a verified backup (safe while the file is open)
    Backup {
        /// Path of the backup [default: <file>.backup-<UTC time>.bak]
        target: Option<PathBuf>,
        /// List the backups of the file
        #[arg(long, conflicts_with = "target")]
        list: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Restore a backup (it is verified first, and the current file is kept)
    Restore {
        /// Backup to restore
        backup: PathBuf,
        /// Print the outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Check the file and every connector (exit code 1 if there are problems)
    Check {
        /// Only connectors that pass this filter
        #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true)]
        filter: Option<String>,
        /// Show problems only, no notes
        #[arg(long)]
        problems: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Upgrade the file to the newest schema (every command that writes does this first)
    Upgrade {
        /// Print the outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show facts about the file and every path the program uses
    Info {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List connector types, or show the fields, secrets and auth types of one
    Types {
        /// Connector type id, for example .webhook
        id: Option<String>,
        /// Print the form that --types reads
        #[arg(long)]
        json: bool,
    },
    /// Re-encrypt all secrets with a new key (resumable)
    Rekey {
        /// Switch to this kind of key; a new passphrase comes from $CONNECTOR_ADMIN_NEW_PASSPHRASE or a prompt
        #[arg(long, value_enum)]
        to: Option<KeyKind>,
        /// Show how many secrets each key encrypts, change nothing
        #[arg(long, conflicts_with = "to")]
        dry_run: bool,
        /// Print the outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the keyboard shortcuts of the UI
    Keys,
    /// Print shell completions (`completions --help` shows where to put them)
    ///
    /// bash: connector-admin completions bash > ~/.local/share/bash-completion/completions/connector-admin
    /// zsh: connector-admin completions zsh > _connector-admin in a folder of $fpath
    /// fish: connector-admin completions fish > ~/.config/fish/completions/connector-admin.fish
    #[command(verbatim_doc_comment)]
    Completions {
        /// Shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (`connector-admin man | man -l -`)
    Man {
        /// Write a page for the program and for each command into this folder
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
    },
}

impl Command {
    /// Returns its name on the command line.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Command::Demo { .. } => "demo",
            Command::List { .. } => "list",
            Command::Get { .. } => "get",
            Command::Create { .. } => "create",
            Command::Update { .. } => "update",
            Command::Delete { .. } => "delete",
            Command::Toggle { .. } => "toggle",
            Command::Import { .. } => "import",
            Command::Diff { .. } => "diff",
            Command::Export { .. } => "export",
            Command::Remote { .. } => "remote",
            Command::Pull { .. } => "pull",
            Command::Status { .. } => "status",
            Command::Push(_) => "push",
            Command::Resolve { .. } => "resolve",
            Command::Test { .. } => "test",
            Command::Migrate { .. } => "migrate",
            Command::History { .. } => "history",
            Command::Undo { .. } => "undo",
            Command::Redo { .. } => "redo",
            Command::Backup { .. } => "backup",
            Command::Restore { .. } => "restore",
            Command::Check { .. } => "check",
            Command::Upgrade { .. } => "upgrade",
            Command::Info { .. } => "info",
            Command::Types { .. } => "types",
            Command::Rekey { .. } => "rekey",
            Command::Keys => "keys",
            Command::Completions { .. } => "completions",
            Command::Man { .. } => "man",
        }
    }

    /// Returns whether the command may clean up after a killed program: it writes files itself.
    pub(super) fn may_tidy(&self) -> bool {
        self.writes() || matches!(self, Command::Demo { .. } | Command::Backup { .. } | Command::Export { .. })
    }

    /// Returns whether the command changes the connectors file (the demo has its own).
    pub(super) fn writes(&self) -> bool {
        match self {
            Command::Create { .. } | Command::Update { .. } | Command::Delete { .. } => true,
            Command::Toggle { .. } | Command::Import { .. } | Command::Upgrade { .. } => true,
            Command::Undo { .. } | Command::Redo { .. } | Command::Restore { .. } => true,
            Command::History { keep_days, keep_megabytes, keep_all, .. } => {
                keep_days.is_some() || keep_megabytes.is_some() || *keep_all
            }
            Command::Remote { command } => !matches!(command, RemoteCommand::List { .. }),
            Command::Pull { .. } | Command::Push(_) | Command::Resolve { .. } => true,
            // The fetched state is stored in the file.
            Command::Status { offline, .. } => !offline,
            Command::Diff { export, offline, .. } => export.is_none() && !offline,
            Command::Test { .. } => false,
            Command::Backup { .. } | Command::Check { .. } => false,
            Command::Migrate { apply, rollback, .. } => *apply || rollback.is_some(),
            Command::Rekey { dry_run, .. } => !dry_run,
            Command::Types { .. } | Command::Completions { .. } | Command::Man { .. } => false,
            Command::Demo { .. } | Command::List { .. } | Command::Get { .. } => false,
            Command::Export { .. } | Command::Info { .. } | Command::Keys => false,
        }
    }
}
