//! The command line: arguments in, text or JSON out, an exit code for scripts.
//!
//! Exit codes: 0 done; 1 completed, needs attention; 2 refused, nothing changed.

mod args;
mod commands;
mod context;
mod remote_args;
mod render;
mod value_enums;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;

use crate::config::Config;
use crate::store::Reading;
use crate::tui::run;
use crate::worker::OpenOptions;
use crate::{demo, fs};
use args::{Args, Command};
use context::Context;
use render::output::Output;

/// Done.
const DONE: u8 = 0;
/// Completed, needs attention.
const NEEDS_ATTENTION: u8 = 1;
/// Refused; nothing changed.
const REFUSED: u8 = 2;

/// Runs the program; its error messages are safe to print.
pub fn main() -> ExitCode {
    no_core_dumps();
    no_end_at_the_limit_of_file_sizes();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            if error.use_stderr() {
                // The message repeats arguments, which may contain text of a file.
                error.render().to_string().lines().for_each(render::output::eprint_note);
            } else {
                // Help and version; a closed pipe is no reason to panic.
                let _ = error.print();
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(REFUSED));
        }
    };
    let writes = args.command.as_ref().is_some_and(Command::writes);
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
    if let (Some(word), true) = (&args.positional, args.command.is_some()) {
        anyhow::bail!(
            "{} must come after the command; name the file with --file {} instead",
            word.display(),
            word.display()
        );
    }
    if args.ui.apply_migration && !matches!(args.command, None | Some(Command::Demo { .. })) {
        anyhow::bail!("--apply-migration is for the UI; the command is `connector-admin migrate --apply`");
    }
    if let Some(command) = args.command.as_ref().filter(|command| args.ui.read_only && command.writes()) {
        let way = match command {
            Command::Status { .. } | Command::Diff { .. } => "; --offline compares with what was read last",
            _ => "",
        };
        anyhow::bail!("{} would write, and --read-only forbids it{way}", command.name());
    }
    let continues =
        args.command.as_ref().is_some_and(|command| command.writes() || matches!(command, Command::Check { .. }));
    let mut output = Output::new(args.quiet, continues, committed);
    context::install_types(args.types)?;
    // Only keys and colours are affected; a mistake there does not stop a script.
    let config = match args.command {
        None | Some(Command::Demo { .. } | Command::Keys) => context::install_config(args.config)?,
        Some(_) => Config::default(),
    };
    let positional = args.positional;
    if let Some(word) = positional.as_ref().filter(|word| looks_mistyped(word)) {
        anyhow::bail!(
            "{0} is neither a command nor a file; see --help, or write ./{0} to make a new file of that name",
            word.display()
        );
    }
    let reading = if args.ui.read_only { Reading::Untouched } else { Reading::Shared };
    if reading == Reading::Shared && args.command.as_ref().is_none_or(Command::may_tidy) {
        fs::temporary::remove_abandoned();
    }
    let context = || Context::new(positional.or(args.file), reading, args.key_file, args.passphrase);
    match args.command {
        None => {
            let context = context()?;
            let keys = context.keys()?;
            let path = context.file;
            let open = OpenOptions { path, read_only: args.ui.read_only, keys, restore: None };
            open_ui(open, args.ui.apply_migration, config)
        }
        Some(Command::Demo { keep }) => demo(keep.as_deref(), &args.ui, config),
        Some(Command::Completions { shell }) => commands::completions(shell, &mut output),
        Some(Command::Man { to }) => commands::manual(to.as_deref(), &mut output),
        Some(Command::Keys) => commands::keys(&mut output),
        Some(Command::Types { id, json }) => commands::types(id.as_deref(), json, &mut output),
        Some(command) => commands::run(command, &context()?, &mut output),
    }
}

fn open_ui(open: OpenOptions, apply_migration: bool, config: Config) -> anyhow::Result<u8> {
    let signal =
        run::run(run::Options { open, apply_migration, is_demo: false, config, ui_state_file: context::state_file() })?;
    Ok(exit_code(signal))
}

/// As a shell has it: 128 and the number of the signal that ended the program.
fn exit_code(signal: Option<i32>) -> u8 {
    signal.map_or(DONE, |signal| u8::try_from(128 + signal).unwrap_or(NEEDS_ATTENTION))
}

/// A bare word that is no file: more likely a command with a typing error than a name for a new file.
fn looks_mistyped(word: &Path) -> bool {
    !word.exists() && word.components().count() == 1 && word.extension().is_none() && !word.starts_with(".")
}

fn demo(keep: Option<&Path>, ui: &args::UiArgs, config: Config) -> anyhow::Result<u8> {
    let demo = demo::Demo::create(keep)?;
    let open = OpenOptions {
        path: demo.path().to_owned(),
        read_only: ui.read_only,
        keys: demo::keys_of(demo.path()),
        restore: None,
    };
    // A file that is kept is as good as any other: how its list is shown is kept too.
    let ui_state_file = keep.and_then(|_| context::state_file());
    let is_demo = keep.is_none();
    let signal = run::run(run::Options { open, apply_migration: ui.apply_migration, is_demo, config, ui_state_file })?;
    if let Some(kept) = demo.finish() {
        render::output::eprint_note(&format!(
            "the demo file was kept: {0}; open it with connector-admin {0}; its keys are in {1}",
            kept.display(),
            demo::keys_of(&kept).key_file.display()
        ));
    }
    Ok(exit_code(signal))
}
