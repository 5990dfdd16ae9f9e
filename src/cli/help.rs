//! The help of the program: commands in groups, and the lists of files and variables of the manual.

use std::fmt::Write as _;

use clap::CommandFactory as _;

use super::args::Args;
use super::commands::GROUPS;
use crate::domain::filter::TERMS;

/// The name of the program.
pub(super) const NAME: &str = "connector-admin";

/// The files of the program.
pub(super) const FILES: &[(&str, &str)] = &[
    ("<data>/connector-admin/connectors.db", "The default connectors file, below ~/.local/share or $XDG_DATA_HOME."),
    ("FILE.keys", "The key file next to a connectors file, if it exists."),
    ("<config>/connector-admin/keys", "The default key file, below ~/.config or $XDG_CONFIG_HOME."),
    ("<config>/connector-admin/config.toml", "The configuration: theme, mouse, keys."),
    ("<config>/connector-admin/connector_types.json", "Additional connector types."),
    ("<state>/connector-admin/state.json", "The UI state, below ~/.local/state or $XDG_STATE_HOME."),
    (
        "FILE.schema1-TIME.bak, FILE.auto.bak, FILE.backup-TIME.bak, FILE.replaced-TIME.bak",
        "Backups next to a connectors file.",
    ),
];

/// The environment variables of the program.
pub(super) const ENVIRONMENT: &[(&str, &str)] = &[
    ("CONNECTOR_ADMIN_FILE", "The connectors file, unless --file names one."),
    ("CONNECTOR_ADMIN_KEY_FILE", "The key file, unless --key-file names one."),
    ("CONNECTOR_ADMIN_PASSPHRASE", "The passphrase that encrypts the secrets."),
    ("CONNECTOR_ADMIN_NEW_PASSPHRASE", "The new passphrase of `rekey --to passphrase`."),
    ("CONNECTOR_ADMIN_TYPES", "The file of additional connector types."),
    ("CONNECTOR_ADMIN_CONFIG", "The configuration file."),
    ("CONNECTOR_ADMIN_STATE", "The file of the UI state; empty keeps none."),
    ("CONNECTOR_ADMIN_API_KEY", "The API key for Kibana; takes precedence over a stored credential."),
    ("CONNECTOR_ADMIN_USERNAME, CONNECTOR_ADMIN_PASSWORD", "User and password for Kibana."),
    ("HTTPS_PROXY, ALL_PROXY, NO_PROXY", "The proxy for https connections."),
    ("VISUAL, EDITOR", "The editor for texts of the form."),
    ("NO_COLOR", "If set, no colour is used."),
];

/// Returns the command line with its help.
pub(super) fn command() -> clap::Command {
    let command = Args::command();
    let groups = groups(&command);
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{groups}{HEADING}Arguments:{RESET}\n{{positionals}}\n\n\
         {HEADING}Options:{RESET}\n{{options}}{{after-help}}"
    ))
}

/// The style of a heading, as clap writes its own.
const HEADING: &str = "\u{1b}[1m\u{1b}[4m";
const NAME_STYLE: &str = "\u{1b}[1m";
const RESET: &str = "\u{1b}[0m";

fn groups(command: &clap::Command) -> String {
    let mut text = String::new();
    for (group, names) in GROUPS {
        let _ = writeln!(text, "{HEADING}{group}:{RESET}");
        for name in *names {
            let about = command.find_subcommand(name).and_then(clap::Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {NAME_STYLE}{name:<12}{RESET} {about}");
        }
        text.push('\n');
    }
    text
}

/// Returns the examples of a command with the keys of the filter below them.
pub(super) fn with_filter_keys(examples: &str) -> String {
    let rows = TERMS.iter().map(|(key, values)| format!("\n  {key:<12} {values}"));
    format!("{examples}\n\nFilter keys:{}", rows.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        grouped.sort_unstable();
        let command = command();
        let mut names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        names.sort_unstable();
        assert_eq!(grouped, names);
    }

    #[test]
    #[allow(clippy::expect_used)]
    fn examples_of_every_command_are_accepted() {
        for sub in command().get_subcommands() {
            let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples: Vec<&str> = help.lines().filter(|line| line.contains("connector-admin ")).collect();
            assert!(!examples.is_empty(), "{} has no example", sub.get_name());
            for example in examples {
                let start = example.find("connector-admin ").unwrap_or_default();
                let words = shell_words::split(&example[start..]).expect("an example a shell can read");
                let words = words.into_iter().take_while(|word| !["|", ">", "&&"].contains(&word.as_str()));
                let parsed = command().try_get_matches_from(words);
                assert!(parsed.is_ok(), "{example}: {parsed:?}");
            }
        }
    }

    #[test]
    fn help_lists_every_command_with_its_text() {
        let text = command().render_help().to_string();
        for (group, names) in GROUPS {
            assert!(text.contains(&format!("{group}:\n")), "{text}");
            for name in *names {
                let line = text.lines().find(|line| line.trim_start().starts_with(&format!("{name} ")));
                assert!(line.is_some_and(|line| line.trim().len() > name.len() + 10), "{name}: {text}");
            }
        }
    }
}
