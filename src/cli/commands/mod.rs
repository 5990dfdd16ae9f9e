//! The commands, one file each: its arguments, its help, its access to the file, and its run.
//!
//! A new command is a file with a type that implements [`Run`], and its row in the table below.

mod backup;
mod check;
mod completions;
mod create;
mod delete;
mod demo;
mod diff;
mod export;
mod fetch;
mod get;
mod history;
mod import;
mod info;
mod keys;
mod list;
mod man;
mod migrate;
mod pull;
mod push;
mod redo;
mod rekey;
mod remote;
mod resolve;
mod restore;
mod status;
mod test;
mod toggle;
mod types;
mod undo;
mod update;
mod upgrade;

use clap::Subcommand;

use super::context::Session;
use super::render::output::Output;

/// What a command does to the connectors file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// It uses no file.
    NoFile,
    /// It uses no file, but the user's configuration.
    KeyMap,
    /// It opens the UI on its own file.
    Ui,
    /// It reads the file.
    Read,
    /// It reads the whole file, and its exit code is the result even if nobody reads its output.
    ReadAll,
    /// It reads the file and creates another one.
    ReadAndCreate,
    /// It stores the fetched state of a remote, which `--offline` avoids.
    Fetch,
    /// It writes to the file.
    Write,
}

impl Access {
    /// Returns whether the command changes the connectors file.
    pub(super) fn writes(self) -> bool {
        matches!(self, Access::Write | Access::Fetch)
    }

    /// Returns whether the command may clean up after a killed program: it creates files itself.
    pub(super) fn may_tidy(self) -> bool {
        self.writes() || matches!(self, Access::ReadAndCreate | Access::Ui)
    }

    /// Returns whether the command completes even if the reader of its output is gone.
    pub(super) fn continues(self) -> bool {
        self.writes() || self == Access::ReadAll
    }

    /// Returns whether the command needs the user's configuration.
    pub(super) fn uses_config(self) -> bool {
        matches!(self, Access::KeyMap | Access::Ui)
    }
}

/// A command with its parsed arguments.
pub(super) trait Run: clap::Args {
    /// Returns what the command does to the connectors file.
    fn access(&self) -> Access;

    /// Runs the command and returns its exit code.
    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8>;
}

/// Declares the commands with their groups in the help.
macro_rules! commands {
    ($($group:literal { $($module:ident::$name:ident),* $(,)? })*) => {
        #[derive(Subcommand)]
        pub(super) enum Command {
            $($(
                #[command(name = stringify!($module))]
                $name($module::$name),
            )*)*
        }

        impl Command {
            /// Returns its name on the command line.
            pub(super) fn name(&self) -> &'static str {
                match self { $($(Command::$name(_) => stringify!($module),)*)* }
            }

            /// Returns what it does to the connectors file.
            pub(super) fn access(&self) -> Access {
                match self { $($(Command::$name(command) => command.access(),)*)* }
            }

            /// Runs it and returns its exit code.
            pub(super) fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
                match self { $($(Command::$name(command) => command.run(session, output),)*)* }
            }
        }

        /// The groups of the help with the names of their commands.
        pub(super) const GROUPS: &[(&str, &[&str])] = &[$(($group, &[$(stringify!($module)),*])),*];
    };
}

commands! {
    "Connectors" { list::List, get::Get, create::Create, update::Update, delete::Delete, toggle::Toggle,
        import::Import, export::Export }
    "Migration" { migrate::Migrate }
    "Kibana" { remote::Remotes, fetch::Fetch, status::Status, diff::Diff, pull::Pull, push::Push, resolve::Resolve,
        test::Test }
    "History" { history::History, undo::Undo, redo::Redo }
    "File" { info::Info, check::Check, backup::Backup, restore::Restore, upgrade::Upgrade, rekey::Rekey }
    "Setup" { demo::Demo, types::Types, keys::Keys, completions::Completions, man::Man }
}
