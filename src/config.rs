//! The user's configuration: theme, mouse, keys. A TOML file in the platform's configuration directory.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use crate::tui::keymap::{KeyChange, KeyMap};
use crate::tui::widgets::theme::Scheme;

/// The configuration; missing values have their defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The file, which need not exist; none on a system without a folder for it.
    pub path: Option<std::path::PathBuf>,
    /// Colours.
    pub scheme: Option<Scheme>,
    /// The mouse is left to the terminal.
    pub is_without_mouse: bool,
    /// The key map with the user's changes.
    pub keys: KeyMap,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    theme: Option<Spanned<String>>,
    mouse: Option<bool>,
    #[serde(default)]
    keys: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<Keys>>>,
}

/// One key or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Keys {
    One(String),
    Several(Vec<String>),
}

impl Config {
    /// Parses the file.
    ///
    /// # Errors
    /// Returns the line and the reason, as `line 7: …`.
    pub fn read(text: &str) -> Result<Self, String> {
        let at = |span: Range<usize>| text.get(..span.start).unwrap_or(text).matches('\n').count() + 1;
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, at);
            format!("line {line}: {}", error.message().lines().collect::<Vec<_>>().join(" "))
        })?;
        let scheme = file.theme.map(|theme| {
            Scheme::parse(theme.get_ref())
                .ok_or_else(|| format!("line {}: the theme is one of {}", at(theme.span()), Scheme::names()))
        });
        let mut changes = Vec::new();
        for (context, actions) in file.keys {
            for (action, wanted) in actions {
                let line = at(action.span());
                let wanted = match wanted.into_inner() {
                    Keys::One(key) => vec![key],
                    Keys::Several(keys) => keys,
                };
                let change = KeyChange::new(line, context.get_ref(), action.get_ref(), &wanted)
                    .map_err(|reason| format!("line {line}: {reason}"))?;
                changes.push(change);
            }
        }
        let keys = KeyMap::with(&changes).map_err(|(line, reason)| format!("line {line}: {reason}"))?;
        Ok(Self { path: None, scheme: scheme.transpose()?, is_without_mouse: file.mouse == Some(false), keys })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keymap::{Action, KeyContext};

    #[test]
    fn mistake_is_reported_with_its_line() {
        for (text, expected) in [
            ("theme = \"pink\"", "line 1: the theme is one of"),
            ("\n\ncolour = 1", "line 3: unknown field"),
            ("mouse = \"yes\"", "line 1: "),
            ("[keys.kitchen]\nedit = \"e\"", "line 2: \"kitchen\" is not a key context"),
            ("[keys.connectors]\n\ncook = \"c\"", "line 3: \"cook\" is not an action"),
            ("[keys.connectors]\nedit = \"Hyper-e\"", "line 2: \"Hyper-e\" is not a key"),
            ("[keys.one-connector]\nback = []", "line 2: "),
            ("[keys.question]\nconfirm = []", "line 2: \"confirm\" needs a key"),
            ("[keys.connectors]\nedit = \"t\"", "line 2: t is in use in connectors"),
            ("[keys.connectors]\nquit-now = \"x\"", "line 2: Ctrl-c cannot be changed"),
            ("[keys.review]\nedit = \"F2\"\nnew = \"F3\"", "line 3: \"new\" is not an action of review"),
            ("theme = ", "line 1: "),
        ] {
            let reason = Config::read(text).expect_err(text);
            assert!(reason.starts_with(expected), "{text}: {reason}");
        }
    }

    #[test]
    fn settings_are_read() {
        let text =
            "theme = \"light\"\nmouse = false\n[keys.connectors]\ntoggle-mode = [\"t\", \"F5\"]\nedit = \"F2\"\n";
        let config = Config::read(text).expect("a config");
        assert_eq!(
            (config.scheme, config.is_without_mouse, config.keys.key_of(KeyContext::Connectors, Action::Edit)),
            (Some(Scheme::Light), true, "F2".to_owned())
        );
        assert_eq!(Config::read("").expect("nothing"), Config::default());
    }

    #[test]
    fn action_can_have_no_key() {
        let config = Config::read("[keys.connectors]\nundo = []").expect("a config");
        assert_eq!(config.keys.key_of(KeyContext::Connectors, Action::Undo), "“undo” (no key)");
    }

    #[test]
    fn two_actions_can_swap_their_keys() {
        assert!(Config::read("[keys.connectors]\nedit = \"t\"\ntoggle-mode = \"e\"").is_ok());
    }
}
