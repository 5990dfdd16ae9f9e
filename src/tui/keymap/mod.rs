//! The key map: one table of actions decides what a key does, and the footer, the help, the `keys` command and the docs
//! are generated from it.

mod action;
mod aliases;
mod bindings;
mod key;
mod user_keys;

pub use action::{Action, KeyContext};
pub use bindings::{Binding, TABLE};
pub use key::Key;
pub use user_keys::{KeyChange, name};

/// The keys in use: the built-in bindings with the user's changes. It is made once, at the start, and lives as long as the
/// program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyMap {
    bindings: &'static [Binding],
}

impl Default for KeyMap {
    fn default() -> Self {
        Self { bindings: TABLE }
    }
}

impl KeyMap {
    /// Returns the built-in key map with the user's changes.
    ///
    /// # Errors
    /// The line and the reason, when a key would do two things in one context.
    pub fn with(changes: &[KeyChange]) -> Result<Self, (usize, String)> {
        Ok(Self { bindings: Box::leak(user_keys::changed(changes)?.into_boxed_slice()) })
    }

    /// Returns the action of a key in a context: its own bindings first, then the global ones.
    pub fn action(self, context: KeyContext, key: Key) -> Option<Action> {
        self.bindings(context)
            .find(|binding| binding.keys().any(|bound| bound == Some(key)))
            .map(|binding| binding.action)
    }

    /// Returns the bindings of a context, its own first.
    pub fn bindings(self, context: KeyContext) -> impl Iterator<Item = &'static Binding> {
        self.bindings.iter().filter(move |binding| binding.contexts.contains(&context))
    }

    /// Returns the key of an action for a message: in this context, else in another one, else `(no key)`.
    pub fn key_of(self, context: KeyContext, action: Action) -> String {
        let mut all = self.bindings(context).chain(self.bindings);
        let binding = all.find(|binding| binding.action == action);
        match binding.and_then(|binding| binding.keys.first()) {
            Some(key) => (*key).to_owned(),
            None => format!("“{}” (no key)", name(action).replace('-', " ")),
        }
    }

    /// Returns all bindings as rows, context by context.
    pub fn rows(self) -> Vec<KeyRow> {
        let rows = |context: KeyContext| self.bindings(context).map(move |binding| KeyRow::new(context, binding));
        KeyContext::ALL.iter().copied().flat_map(rows).collect()
    }

    /// Returns the bindings as the table of docs/keys.md: those of most contexts once, then the others by context.
    pub fn markdown(self) -> String {
        let mut text = String::from("| where | keys | what |\n| --- | --- | --- |\n");
        let mut push = |place: &str, row: &KeyRow| {
            let keys: Vec<String> = row.keys.split(", ").map(|key| format!("`{key}`")).collect();
            text.push_str(&format!("| {place} | {} | {} |\n", keys.join(" "), row.help));
        };
        let (common, others): (Vec<&Binding>, Vec<&Binding>) = self.bindings.iter().partition(|it| it.is_common());
        let mut last = String::new();
        for binding in common {
            let place = binding.place();
            push(if place == last { "" } else { &place }, &KeyRow::new(binding.contexts[0], binding));
            last = place;
        }
        for context in KeyContext::ALL.iter().copied() {
            let of_context = others.iter().filter(|binding| binding.contexts.contains(&context));
            for (at, binding) in of_context.enumerate() {
                push(if at == 0 { context.label() } else { "" }, &KeyRow::new(context, binding));
            }
        }
        text
    }
}

/// One row of the table of keys.
pub struct KeyRow {
    /// The key context.
    pub context: &'static str,
    /// The keys.
    pub keys: String,
    /// The description.
    pub help: &'static str,
    /// The action's name in the configuration.
    pub name: String,
}

impl KeyRow {
    fn new(context: KeyContext, binding: &Binding) -> Self {
        Self {
            context: context.label(),
            keys: if binding.keys.is_empty() { "no key".to_owned() } else { binding.keys.join(", ") },
            help: binding.help,
            name: name(binding.action),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn every_bound_key_parses() {
        for binding in TABLE {
            for (text, key) in binding.keys.iter().zip(binding.keys()) {
                assert!(key.is_some(), "{text}");
                assert_eq!(key.map(|key| key.to_string()).as_deref(), Some(*text));
            }
        }
    }

    #[test]
    fn no_key_is_bound_twice_in_a_context() {
        for context in KeyContext::ALL.iter().copied() {
            let mut seen: HashMap<Key, Action> = HashMap::new();
            for binding in KeyMap::default().bindings(context) {
                for key in binding.keys().flatten() {
                    let earlier = seen.insert(key, binding.action);
                    assert_eq!(earlier, None, "{key} in {}", context.label());
                }
            }
        }
    }

    #[test]
    fn every_action_is_reachable() {
        for context in KeyContext::ALL.iter().copied() {
            for binding in KeyMap::default().bindings(context) {
                let key = binding.keys().flatten().next().expect("a key");
                assert_eq!(KeyMap::default().action(context, key), Some(binding.action));
            }
        }
    }
}
