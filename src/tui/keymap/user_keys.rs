//! The user's own keys.

use std::collections::HashMap;

use super::action::{Action, KeyContext};
use super::bindings::{Binding, TABLE};
use super::key::Key;

/// Other keys for an action in a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// The line in the configuration.
    line: usize,
    context: KeyContext,
    action: Action,
    keys: Vec<String>,
}

impl KeyChange {
    /// Parses a change: context and action by name (`toggle-mode`), keys as the help shows them.
    ///
    /// # Errors
    /// Names the unknown part.
    pub fn new(line: usize, context: &str, action: &str, keys: &[String]) -> Result<Self, String> {
        let is_context = |known: &KeyContext| known.label() == context || name_of_label(known.label()) == context;
        let Some(context) = KeyContext::ALL.iter().copied().find(is_context) else {
            let names: Vec<String> =
                KeyContext::ALL.iter().copied().map(|known| name_of_label(known.label())).collect();
            return Err(format!("{context:?} is not a key context; use one of {}", names.join(", ")));
        };
        let mut bindings = TABLE.iter().filter(|binding| binding.contexts.contains(&context));
        let Some(binding) = bindings.find(|binding| name(binding.action) == action) else {
            let names = TABLE.iter().filter(|binding| binding.contexts.contains(&context)).map(|it| name(it.action));
            let names: Vec<String> = names.collect();
            return Err(format!("{action:?} is not an action of {}; use one of {}", context.label(), names.join(", ")));
        };
        if binding.action == Action::QuitNow {
            return Err("Ctrl-c cannot be changed, so that the program can always be left".to_owned());
        }
        if keys.is_empty() && ALWAYS.contains(&binding.action) {
            return Err(format!("{action:?} needs a key: without it the screen cannot be left"));
        }
        if let Some(wrong) = keys.iter().find(|key| Key::parse(key).is_none()) {
            return Err(format!("{wrong:?} is not a key; keys are named as in the help: t, Ctrl-t, F2, PgDn"));
        }
        Ok(Self { line, context, action: binding.action, keys: keys.to_vec() })
    }
}

/// Actions that are always bound to a key: without them a screen or a dialog could not be left, and no other action found.
const ALWAYS: [Action; 4] = [Action::Back, Action::Confirm, Action::Palette, Action::Help];

/// An action's name in the file: `toggle-mode`.
pub fn name(action: Action) -> String {
    let mut name = String::new();
    for letter in format!("{action:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

fn name_of_label(label: &str) -> String {
    label.replace(' ', "-")
}

/// Returns the built-in bindings with the changes.
///
/// # Errors
/// The line and the reason, when a key would do two things in one context.
pub(super) fn changed(changes: &[KeyChange]) -> Result<Vec<Binding>, (usize, String)> {
    let mut bindings: Vec<Binding> = TABLE.to_vec();
    for change in changes {
        let Some(at) = bindings
            .iter()
            .position(|binding| binding.action == change.action && binding.contexts.contains(&change.context))
        else {
            continue;
        };
        let old = bindings[at].clone();
        let contexts: Vec<KeyContext> =
            old.contexts.iter().copied().filter(|context| *context != change.context).collect();
        let keys: Vec<&'static str> = change.keys.iter().map(|key| &*Box::leak(key.clone().into_boxed_str())).collect();
        let own = Binding { keys: keys.leak(), contexts: vec![change.context].leak(), ..old.clone() };
        bindings.splice(at..=at, [own, Binding { contexts: contexts.leak(), ..old }]);
    }
    bindings.retain(|binding| !binding.contexts.is_empty());
    match changes.iter().find_map(|change| conflict(&bindings, change).map(|reason| (change.line, reason))) {
        Some(found) => Err(found),
        None => Ok(bindings),
    }
}

/// A key of the change that another action has in the same context.
fn conflict(bindings: &[Binding], change: &KeyChange) -> Option<String> {
    let mut bound: HashMap<Key, &Binding> = HashMap::new();
    for binding in bindings.iter().filter(|binding| binding.contexts.contains(&change.context)) {
        for key in binding.keys().flatten() {
            let other = bound.insert(key, binding).filter(|other| other.action != binding.action);
            let is_of_change = change.keys.iter().any(|own| Key::parse(own) == Some(key));
            if let (Some(other), true) = (other, is_of_change) {
                let by = if other.action == change.action { binding } else { other };
                let context = change.context.label();
                return Some(format!("{key} is in use in {context}: {} ({})", by.help, name(by.action)));
            }
        }
    }
    None
}
