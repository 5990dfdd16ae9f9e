//! One table of actions: it decides what a key does, and the footer, the help, the `keys` command and
//! the README are written from it, so none of them can be wrong.

mod custom;
mod key;
mod table;

pub use custom::{KeyChange, changed, install, name};
pub use key::Key;
pub use table::{Action, Binding, Place, TABLE};

/// What a key does in a place: the place's own bindings first, then those that hold everywhere.
pub fn action(place: Place, key: Key) -> Option<Action> {
    bindings(place).find(|binding| binding.keys().any(|bound| bound == Some(key))).map(|binding| binding.action)
}

/// The bindings of a place, its own first.
pub fn bindings(place: Place) -> impl Iterator<Item = &'static Binding> {
    custom::table().iter().filter(move |binding| binding.places.contains(&place))
}

/// The key of an action in a place, for messages; elsewhere, where the place does not have it. An action without a key
/// says so.
pub fn key_of(place: Place, action: Action) -> String {
    let mut all = bindings(place).chain(custom::table());
    let binding = all.find(|binding| binding.action == action);
    match binding.and_then(|binding| binding.keys.first()) {
        Some(key) => (*key).to_owned(),
        None => format!("“{}” (no key)", name(action).replace('-', " ")),
    }
}

/// One row of the table of keys.
pub struct KeyRow {
    /// Where the keys hold.
    pub place: &'static str,
    /// The keys, for people.
    pub keys: String,
    /// What they do.
    pub help: &'static str,
    /// The action's name in the file of a person's own keys.
    pub name: String,
}

/// The whole table for people, place by place.
pub fn rows() -> Vec<KeyRow> {
    Place::ALL
        .into_iter()
        .flat_map(|place| {
            bindings(place).map(move |binding| KeyRow {
                place: place.label(),
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
    let mut place = "";
    for row in rows() {
        let shown = if row.place == place { "" } else { row.place };
        place = row.place;
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
    fn every_key_of_the_table_is_a_key() {
        for binding in TABLE {
            for (text, key) in binding.keys.iter().zip(binding.keys()) {
                assert!(key.is_some(), "{text}");
                assert_eq!(key.map(|key| key.to_string()).as_deref(), Some(*text));
            }
        }
    }

    #[test]
    fn no_key_does_two_things_in_one_place() {
        for place in Place::ALL {
            let mut seen: HashMap<Key, Action> = HashMap::new();
            for binding in bindings(place) {
                for key in binding.keys().flatten() {
                    let earlier = seen.insert(key, binding.action);
                    assert_eq!(earlier, None, "{key} in {}", place.label());
                }
            }
        }
    }

    #[test]
    fn every_action_can_be_reached() {
        for place in Place::ALL {
            for binding in bindings(place) {
                let key = binding.keys().flatten().next().expect("a key");
                assert_eq!(action(place, key), Some(binding.action));
            }
        }
    }
}
