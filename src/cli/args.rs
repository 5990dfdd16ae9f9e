//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::choices::{KeyKind, ModeArg, SortArg};
use super::remote_args::{PushArgs, RemoteCommand, SideArg, Which};

/// Review, migrate and edit the Kibana connectors of a SQLite file.
///
/// Without a command the terminal UI opens on FILE. Try `connector-admin demo` first.
#[derive(Parser)]
#[command(version, about, long_about, max_term_width = 100, after_help = AFTER_HELP)]
pub(super) struct Args {
    /// Open the terminal UI on this file; a missing file is made
    #[arg(value_name = "FILE")]
    pub(super) positional: Option<PathBuf>,
    /// The connectors file [default: $CONNECTOR_ADMIN_FILE, else the platform's data directory]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) file: Option<PathBuf>,
    /// The key file that seals secrets [default: $CONNECTOR_ADMIN_KEY_FILE, else FILE.keys if it is
    /// there, else the platform's configuration directory]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) key_file: Option<PathBuf>,
    /// Ask for a passphrase that seals secrets instead ($CONNECTOR_ADMIN_PASSPHRASE gives it without asking)
    #[arg(long, global = true)]
    pub(super) passphrase: bool,
    /// Connector types of your own, in the form of `types ID --json` [default: $CONNECTOR_ADMIN_TYPES, else
    /// connector_types.json in the platform's configuration directory]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) types: Option<PathBuf>,
    /// Theme, mouse and keys of your own [default: $CONNECTOR_ADMIN_CONFIG, else config.toml in the platform's
    /// configuration directory]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) config: Option<PathBuf>,
    /// No notices and no progress on standard error
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) ui: UiArgs,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

const AFTER_HELP: &str = "Exit codes: 0 done; 1 done, but something needs a person (records stay pending or \
                          blocked, a conflict was reported); 2 refused, nothing changed.";

#[derive(clap::Args)]
pub(super) struct UiArgs {
    /// Write nothing to the connectors file: no schema upgrade, no edits
    #[arg(long)]
    pub(super) read_only: bool,
    /// Accept the whole migration plan when the UI opens, as Kibana does
    #[arg(long, conflicts_with = "read_only")]
    pub(super) apply_migration: bool,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Play the whole story on a throw-away file of about 200 connectors
    Demo {
        /// Make the demo file here and keep it
        #[arg(long, value_name = "PATH")]
        keep: Option<PathBuf>,
    },
    /// List connectors
    List {
        /// Only these; the same language as in the UI, for example 'type:webhook needs:migration'
        #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true)]
        filter: Option<String>,
        /// Order
        #[arg(long, value_enum, default_value_t = SortArg::Name)]
        sort: SortArg,
        /// From the end of the order
        #[arg(long)]
        descending: bool,
        /// An array of Kibana's API objects
        #[arg(long)]
        json: bool,
        /// Kibana's API objects, one a line
        #[arg(long, conflicts_with = "json")]
        jsonl: bool,
        /// A table for spreadsheets; texts that one could take for a formula begin with '
        #[arg(long, conflicts_with_all = ["json", "jsonl"])]
        csv: bool,
    },
    /// Show one connector
    Get {
        /// Its id
        id: String,
        /// Kibana's API object
        #[arg(long)]
        json: bool,
    },
    /// Create a connector from the request body of Kibana's API (POST /api/actions/connector)
    ///
    /// The body names connector_type_id, name, config and secrets; `types ID` tells what a type takes. auth_mode may
    /// stand there too: Kibana's create had it in its first form and later infers it from the auth type, as it is
    /// inferred here when it is left out. The output of `get --json` is a body too (without its secrets).
    Create {
        /// The body; - reads standard input
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// The new connector's id [default: the body's, else a new UUID]
        #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
        id: Option<String>,
        /// Kibana's API object, or its error
        #[arg(long)]
        json: bool,
    },
    /// Update a connector from the request body of Kibana's API (PUT /api/actions/connector/ID)
    ///
    /// As in Kibana the config is replaced by that of the body, and id and connector_type_id cannot be changed. Other
    /// than in Kibana the output of `get --json` is taken as a body, auth_mode can be changed, and secrets that are
    /// left out are kept; secrets that are given replace all.
    Update {
        /// Its id
        id: String,
        /// The body; - reads standard input
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// Kibana's API object, or its error
        #[arg(long)]
        json: bool,
    },
    /// Delete connectors, as one step that can be undone
    Delete {
        /// Their ids
        #[arg(required = true)]
        ids: Vec<String>,
        /// The outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Set the auth mode of connectors, or flip it
    Toggle {
        /// Their ids
        #[arg(required_unless_present = "filter")]
        ids: Vec<String>,
        /// Of all connectors that pass this filter instead; the same language as in the UI
        #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true, conflicts_with = "ids", requires = "to")]
        filter: Option<String>,
        /// The mode; without it each gets the one it does not have
        #[arg(long, value_enum)]
        to: Option<ModeArg>,
        /// The outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Import a saved-object export of Kibana (NDJSON), all or nothing
    Import {
        /// The export; - reads standard input
        source: PathBuf,
        /// Replace connectors whose id exists (their stored secrets stay where they still fit)
        #[arg(long, conflicts_with = "create_new_copies")]
        overwrite: bool,
        /// Give every imported connector a new id
        #[arg(long)]
        create_new_copies: bool,
        /// Write the new id of each old one to this file, a JSON object a line
        #[arg(long, value_name = "FILE", requires = "create_new_copies", conflicts_with = "dry_run")]
        id_map: Option<PathBuf>,
        /// Say what would happen, change nothing
        #[arg(long)]
        dry_run: bool,
        /// Keep no copy of the file before a large import (<file>.auto.bak)
        #[arg(long)]
        no_copy: bool,
        /// The outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Write a saved-object export (NDJSON, secrets stripped) that Kibana can import
    Export {
        /// Only these; the same language as in the UI
        #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true)]
        filter: Option<String>,
        /// Write here instead of standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Report on standard error as JSON (the export itself is JSON lines)
        #[arg(long)]
        json: bool,
    },
    /// Say what differs between the file and a remote, field by field, or between the file and an export; exit code 1
    /// when something does
    ///
    /// With a remote there are three sides: what both last agreed on, the file, and Kibana. Of an export only what it
    /// holds is compared, without secrets and times.
    Diff {
        /// The export; - is standard input [default: the remote]
        export: Option<PathBuf>,
        #[command(flatten)]
        which: Which,
        /// By what Kibana said last, without asking it
        #[arg(long, conflicts_with = "export")]
        offline: bool,
        /// Only these
        #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true)]
        filter: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the migration plan of the records, apply it, or roll a run back
    Migrate {
        /// Show the plan, write nothing (the default)
        #[arg(long, conflicts_with_all = ["apply", "rollback"])]
        dry_run: bool,
        /// Accept the whole plan, with the decisions made in the UI
        #[arg(long, conflicts_with = "rollback")]
        apply: bool,
        /// Also set `shared` where the plan would only stamp (the rule of later Kibana releases)
        #[arg(long, conflicts_with = "rollback")]
        all: bool,
        /// Take the last run back, or the run of this number
        #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "0")]
        rollback: Option<i64>,
        /// Write a report of the plan, or of what was done, to this file: JSON when its name ends in .json, a
        /// table for spreadsheets in .csv, else Markdown; - writes Markdown to standard output
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// Keep no copy of the file before the run (<file>.auto.bak)
        #[arg(long)]
        no_copy: bool,
        /// The plan or the outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Name a Kibana that the file is a working copy of
    Remote {
        #[command(subcommand)]
        command: RemoteCommand,
    },
    /// Take in what the remote says: new connectors, changed fields, deletions, as one step that can be undone
    ///
    /// What was changed here stays; what both sides changed is left alone and listed (exit code 1).
    Pull {
        #[command(flatten)]
        which: Which,
        /// Delete here also when most connectors are gone in Kibana (a wrong space, or a missing right, looks like that)
        #[arg(long)]
        accept_deletes: bool,
        /// The outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what is to be sent to the remote and what to be taken from it; exit code 1 when there is something
    Status {
        #[command(flatten)]
        which: Which,
        /// By what Kibana said last, without asking it
        #[arg(long)]
        offline: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Send what was changed here to the remote, one connector after the other, after the plan was confirmed
    ///
    /// Ctrl-C stops after the connector that is being sent; another push goes on. What was changed in Kibana since is
    /// never overwritten. The plan says for each connector which auth mode Kibana ends up with, and what carries it.
    Push(PushArgs),
    /// Decide for one side: conflicts, what is newer in Kibana, or Kibana's side of anything that differs
    Resolve {
        /// The connectors
        #[arg(required = true)]
        ids: Vec<String>,
        /// Which side counts
        #[arg(long, value_enum)]
        take: SideArg,
        #[command(flatten)]
        which: Which,
        /// What was decided as JSON
        #[arg(long)]
        json: bool,
    },
    /// Have Kibana run a connector, for real: a message is sent, a ticket opened
    Test {
        /// Its id
        id: String,
        /// What it is to do, as JSON: the params of its type; - reads standard input [default: for a few types, a short
        /// message]
        #[arg(long, value_name = "FILE")]
        params: Option<PathBuf>,
        /// Run without a question
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        which: Which,
        /// Kibana's answer
        #[arg(long)]
        json: bool,
    },
    /// Show what was changed in the file: all steps, one of them, or those of a connector
    History {
        /// A step's number: shows its connectors with before and after
        #[arg(conflicts_with = "id")]
        step: Option<i64>,
        /// Only the steps that changed this connector
        #[arg(long)]
        id: Option<String>,
        /// No more steps than this, the newest first
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: usize,
        /// Only connectors of the step that pass this filter; the same language as in the UI
        #[arg(long, short, value_name = "FILTER", requires = "step", allow_hyphen_values = true)]
        filter: Option<String>,
        /// From now on forget steps that are older than so many days
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
        keep_days: Option<u32>,
        /// From now on forget the oldest steps when all take more than so many megabytes
        #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..))]
        keep_megabytes: Option<u32>,
        /// Forget nothing any more (the default of a file)
        #[arg(long, conflicts_with_all = ["keep_days", "keep_megabytes"])]
        keep_all: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Take the last step of the history back, or another one
    Undo {
        /// The step's number
        step: Option<i64>,
        /// Only for connectors that pass this filter; the same language as in the UI
        #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true)]
        filter: Option<String>,
        /// The outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Bring the step again that was taken back last
    Redo {
        /// The outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a copy of the file, checked and whole, also while it is in use
    Backup {
        /// Where; without it beside the file, as <file>.backup-<UTC time>.bak
        target: Option<PathBuf>,
        /// List the copies of the file instead
        #[arg(long, conflicts_with = "target")]
        list: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Put a copy back in place of the file; the copy is checked first, and the file as it was is kept
    Restore {
        /// The copy
        copy: PathBuf,
        /// The outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Check the file and every connector, and say what to repair (exit code 1 when there is something)
    Check {
        /// Only these connectors; the same language as in the UI
        #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true)]
        filter: Option<String>,
        /// Problems only, no notes
        #[arg(long)]
        problems: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Bring the file to the newest schema (any command that writes does this first)
    Upgrade {
        /// The outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what the file is and every path the program uses
    Info {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List the connector types, or show one: its fields, secrets and auth types
    Types {
        /// A connector type id, for example .webhook
        id: Option<String>,
        /// In the form that --types takes
        #[arg(long)]
        json: bool,
    },
    /// Seal all secrets anew with a new key; run again after a stop, it goes on
    Rekey {
        /// Change to the other kind of key (or to a new passphrase, asked for or in
        /// $CONNECTOR_ADMIN_NEW_PASSPHRASE)
        #[arg(long, value_enum)]
        to: Option<KeyKind>,
        /// Show how many secrets each key sealed, write nothing
        #[arg(long, conflicts_with = "to")]
        dry_run: bool,
        /// The outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the keys of the UI
    Keys,
    /// Print completions for a shell; `connector-admin completions --help` says where they go
    ///
    /// bash: connector-admin completions bash > ~/.local/share/bash-completion/completions/connector-admin
    /// zsh: connector-admin completions zsh > a folder of $fpath, as _connector-admin
    /// fish: connector-admin completions fish > ~/.config/fish/completions/connector-admin.fish
    #[command(verbatim_doc_comment)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page; `connector-admin man | man -l -` shows it
    Man {
        /// Write a page for the program and each command into this folder instead
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
    },
}

impl Command {
    /// Its word on the command line.
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

    /// The command may remove what a killed program left: it writes files itself.
    pub(super) fn may_tidy(&self) -> bool {
        self.writes() || matches!(self, Command::Demo { .. } | Command::Backup { .. } | Command::Export { .. })
    }

    /// It changes the connectors file (the demo's own file is another matter).
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
            // What a remote says is kept in the file.
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
