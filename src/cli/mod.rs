//! The command line: arguments in, text or JSON out, an exit code for scripts.
//!
//! Exit codes: 0 done; 1 completed, needs attention; 2 refused, nothing changed.

mod args;
mod commands;
mod context;
mod filters;
mod help;
mod new_file;
mod records;
mod remote_link;
mod render;
mod request_body;
mod value_enums;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::FromArgMatches as _;

use crate::config::Config;
use crate::domain::similar::closest;
use crate::fs;
use crate::store::Reading;
use crate::tui::run;
use crate::worker::OpenOptions;
use args::Args;
use commands::{Access, Command, GROUPS};
use context::Session;
use render::output::Output;

/// Done.
const DONE: u8 = 0;
/// Completed, needs attention.
const NEEDS_ATTENTION: u8 = 1;
/// Refused; nothing changed.
const REFUSED: u8 = 2;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    no_core_dumps();
    no_end_at_the_limit_of_file_sizes();
    run_with(std::env::args_os())
}

/// Runs the program with these arguments, of which the first is its name. Error messages are safe to print.
pub fn run_with(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed = help::command().try_get_matches_from(arguments).and_then(|matches| Args::from_arg_matches(&matches));
    let args = match parsed {
        Ok(args) => args,
        Err(error) => return refuse_arguments(&error),
    };
    let writes = args.command.as_ref().is_some_and(|command| command.access().writes());
    let committed = Arc::default();
    match dispatch(args, &committed) {
        Ok(code) => ExitCode::from(code),
        Err(error) if render::output::is_broken_pipe(&error) => ExitCode::from(DONE),
        Err(error) if writes && error.is::<render::output::OutputFailed>() => {
            render::output::eprint_error(&format!("the command is done, but {error:#}"));
            ExitCode::from(NEEDS_ATTENTION)
        }
        Err(error) if committed.load(Ordering::Relaxed) => {
            render::output::eprint_error(&format!(
                "{error:#}. What was written before that stays; `connector-admin history` shows it"
            ));
            ExitCode::from(NEEDS_ATTENTION)
        }
        Err(error) => {
            render::output::eprint_error(&format!("{error:#}"));
            ExitCode::from(REFUSED)
        }
    }
}

/// Prints help, version or a refusal.
fn refuse_arguments(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        // The message repeats arguments, which may contain text of a file.
        error.render().to_string().lines().for_each(render::output::eprint_note);
    } else {
        // A closed pipe is no reason to panic.
        let _ = error.print();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(REFUSED))
}

/// A core dump would write secrets that are being entered, and keys, to the disk.
fn no_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // If the limit cannot be set, nothing else can be done.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// Reports a file size limit as an error of the file; its signal would end the program before that.
fn no_end_at_the_limit_of_file_sizes() {
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

fn dispatch(args: Args, committed: &Arc<AtomicBool>) -> anyhow::Result<u8> {
    refuse_contradictions(&args)?;
    let access = args.command.as_ref().map_or(Access::Ui, Command::access);
    let mut output = Output::new(args.quiet, access.continues(), committed);
    let catalogue = context::load_catalogue(args.types)?;
    // Only keys and colours are affected; a mistake there does not stop a script.
    let config = if access.uses_config() { context::load_config(args.config)? } else { Config::default() };
    if let Some(word) = args.positional.as_ref().filter(|word| looks_mistyped(word)) {
        anyhow::bail!("{}", unknown_command(&word.display().to_string()));
    }
    let reading = if args.ui.read_only { Reading::Untouched } else { Reading::Shared };
    if reading == Reading::Shared && access.may_tidy() {
        fs::temporary::remove_abandoned();
    }
    let session = Session {
        file: args.positional.or(args.file),
        reading,
        key_file: args.key_file,
        prompt_passphrase: args.passphrase,
        ui: args.ui,
        config,
        catalogue,
    };
    match args.command {
        None => open_ui(&session),
        Some(command) => command.run(&session, &mut output),
    }
}

/// Refuses arguments that exclude each other beyond the rules of the parser.
fn refuse_contradictions(args: &Args) -> anyhow::Result<()> {
    let Some(command) = &args.command else { return Ok(()) };
    if let Some(word) = &args.positional {
        anyhow::bail!("{0} must come after the command; name the file with --file {0} instead", word.display());
    }
    let access = command.access();
    if args.ui.apply_migration && access != Access::Ui {
        anyhow::bail!("--apply-migration is for the UI; the command is `connector-admin migrate --apply`");
    }
    if args.ui.read_only && access.writes() {
        let advice = if access == Access::Fetch { "; --offline compares with the last fetch" } else { "" };
        anyhow::bail!("{} would write, and --read-only forbids it{advice}", command.name());
    }
    Ok(())
}

fn open_ui(session: &Session) -> anyhow::Result<u8> {
    let context = session.context()?;
    let keys = context.keys()?;
    let open = OpenOptions {
        path: context.file,
        read_only: session.ui.read_only,
        keys,
        restore: None,
        catalogue: session.catalogue,
    };
    let signal = run::run(run::Options {
        open,
        apply_migration: session.ui.apply_migration,
        is_demo: false,
        config: session.config.clone(),
        ui_state_file: context::state_file(),
    })?;
    Ok(signal_exit_code(signal))
}

/// Returns the exit code of a shell: 128 plus the number of the signal that ended the program.
fn signal_exit_code(signal: Option<i32>) -> u8 {
    signal.map_or(DONE, |signal| u8::try_from(128 + signal).unwrap_or(NEEDS_ATTENTION))
}

/// Returns whether a bare word is more likely a mistyped command than the name of a new file.
fn looks_mistyped(word: &Path) -> bool {
    !word.exists() && word.components().count() == 1 && word.extension().is_none() && !word.starts_with(".")
}

fn unknown_command(word: &str) -> String {
    let names = GROUPS.iter().flat_map(|(_, names)| names.iter().copied());
    let advice = match closest(word, names) {
        Some(name) => format!("; did you mean `connector-admin {name}`?"),
        None => "; see --help.".to_owned(),
    };
    format!("{word} is neither a command nor a file{advice} Write ./{word} to create a file of that name")
}
