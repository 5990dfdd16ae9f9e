//! The key map: one table of actions decides what a key does, and the footer, the help, the `keys` command and the docs
//! are generated from it.

mod bindings;
mod key;
mod user_keys;

pub use bindings::{Action, Binding, KeyContext, TABLE};
pub use key::Key;
pub use user_keys::{KeyChange, changed, install, name};

/// Returns the action of a key in a context: its own bindings first, then the global ones.
pub fn action(context: KeyContext, key: Key) -> Option<Action> {
    bindings(context).find(|binding| binding.keys().any(|bound| bound == Some(key))).map(|binding| binding.action)
}

/// The bindings of a place, its own first.
pub fn bindings(context: KeyContext) -> impl Iterator<Item = &'static Binding> {
    user_keys::table().iter().filter(move |binding| binding.contexts.contains(&context))
}

/// Returns the key of an action for a message: in this context, else in another one, else `(no key)`.
pub fn key_of(context: KeyContext, action: Action) -> String {
    let mut all = bindings(context).chain(user_keys::table());
    let binding = all.find(|binding| binding.action == action);
    match binding.and_then(|binding| binding.keys.first()) {
        Some(key) => (*key).to_owned(),
        None => format!("“{}” (no key)", name(action).replace('-', " ")),
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

/// Returns all rows, context by context.
pub fn rows() -> Vec<KeyRow> {
    KeyContext::ALL
        .into_iter()
        .flat_map(|context| {
            bindings(context).map(move |binding| KeyRow {
                context: context.label(),
                keys: if binding.keys.is_empty() { "no key".to_owned() } else { binding.keys.join(", ") },
                help: binding.help,
                name: name(binding.action),
            })
        })
        .collect()
}

/// The table of keys as the README shows it.
pub fn markdown() -> String {
    let mut text = String::from("| where | keys | what |\n| --- | --- | --- |\n");
    let mut context = "";
    for row in rows() {
        let shown = if row.context == context { "" } else { row.context };
        context = row.context;
        let keys: Vec<String> = row.keys.split(", ").map(|key| format!("`{key}`")).collect();
        text.push_str(&format!("| {shown} | {} | {} |\n", keys.join(" "), row.help));
    }
    text
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
        for context in KeyContext::ALL {
            let mut seen: HashMap<Key, Action> = HashMap::new();
            for binding in bindings(context) {
                for key in binding.keys().flatten() {
                    let earlier = seen.insert(key, binding.action);
                    assert_eq!(earlier, None, "{key} in {}", context.label());
                }
            }
        }
    }

    #[test]
    fn every_action_is_reachable() {
        for context in KeyContext::ALL {
            for binding in bindings(context) {
                let key = binding.keys().flatten().next().expect("a key");
                assert_eq!(action(context, key), Some(binding.action));
            }
        }
    }
}
