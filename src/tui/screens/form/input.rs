//! Inputs by kind of value: text, number, toggle, choice, `name: value` lines, `id name` lines, JSON.

use serde_json::{Map, Value, json};

use crate::domain::catalogue::{Field as Kind, FieldKind};
use crate::domain::json::{self as stored};
use crate::domain::{AuthMode, StoredAuthMode};
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::secret_input::{Intent, SecretInput};

/// An input with its content.
#[derive(Clone, Debug)]
pub(super) enum Widget {
    /// The connector type, chosen in the picker or fixed.
    Type(String),
    /// One line.
    Text(TextInput),
    /// A number, as typed.
    Number(TextInput),
    /// Several lines of text.
    Lines(TextInput),
    /// An object of texts: a line `name: value` for each.
    Pairs(TextInput),
    /// A list of `{id, name}`: a line `id name` for each.
    Items(TextInput),
    /// JSON, over several lines.
    Json(TextInput),
    Toggle(Option<bool>),
    Choice {
        options: Vec<Option<String>>,
        at: usize,
    },
    /// The stored and the chosen mode.
    Mode(StoredAuthMode, Option<AuthMode>),
    Secret(SecretInput),
}

impl Widget {
    /// The widget of a field, holding a value; a value that does not fit its widget is shown as JSON.
    pub(super) fn of(kind: &Kind, value: Option<&Value>) -> Self {
        match (kind.kind, value.unwrap_or(&Value::Null)) {
            (kind, Value::Null) if kind.is_line() => Widget::Text(TextInput::default()),
            (kind, Value::String(text)) if kind.is_line() && !text.contains('\n') => Widget::Text(TextInput::new(text)),
            (FieldKind::LongText | FieldKind::JsonText, Value::Null) => Widget::Lines(TextInput::multiline("")),
            (kind, Value::String(text)) if kind.is_text() => Widget::Lines(TextInput::multiline(text)),
            (FieldKind::Number, Value::Null) => Widget::Number(TextInput::default()),
            (FieldKind::Number, Value::Number(number)) => Widget::Number(TextInput::new(&number.to_string())),
            (FieldKind::Toggle, Value::Null) => Widget::Toggle(None),
            (FieldKind::Toggle, Value::Bool(on)) => Widget::Toggle(Some(*on)),
            (FieldKind::Choice, Value::Null) => choice(&kind.choices, kind.is_required(), None),
            (FieldKind::Choice, Value::String(text)) => choice(&kind.choices, kind.is_required(), Some(text)),
            (FieldKind::TextMap, value) => match pairs_text(value) {
                Some(text) => Widget::Pairs(TextInput::multiline(&text)),
                None => json_widget(value),
            },
            (FieldKind::List, value) => match items_text(value) {
                Some(text) => Widget::Items(TextInput::multiline(&text)),
                None => json_widget(value),
            },
            (_, Value::Null) => Widget::Json(TextInput::multiline("")),
            (_, value) => json_widget(value),
        }
    }

    /// Takes the content of another input of the same name, if it fits.
    pub(super) fn take_content(&mut self, other: Widget) {
        match (&mut *self, other) {
            (Widget::Choice { options, at }, Widget::Choice { options: theirs, at: chosen }) => {
                let wanted = theirs.get(chosen);
                *at = options.iter().position(|option| Some(option) == wanted).unwrap_or(*at);
            }
            (mine, other) => *mine = other,
        }
    }

    /// The text being edited, if it is a text that may be read.
    pub(super) fn input(&mut self) -> Option<&mut TextInput> {
        match self {
            Widget::Text(input)
            | Widget::Number(input)
            | Widget::Lines(input)
            | Widget::Pairs(input)
            | Widget::Items(input)
            | Widget::Json(input) => Some(input),
            _ => None,
        }
    }

    /// Returns the content, if it is a readable text.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Widget::Text(input)
            | Widget::Number(input)
            | Widget::Lines(input)
            | Widget::Pairs(input)
            | Widget::Items(input)
            | Widget::Json(input) => Some(input.text()),
            _ => None,
        }
    }

    /// Enter begins a new line in it.
    pub(super) fn has_lines(&self) -> bool {
        matches!(self, Widget::Lines(_) | Widget::Pairs(_) | Widget::Items(_) | Widget::Json(_))
    }

    /// The next choice that begins with a typed letter; false when none does.
    pub(super) fn jump(&mut self, letter: char) -> bool {
        let begins =
            |text: &str| text.chars().next().is_some_and(|first| first.to_lowercase().eq(letter.to_lowercase()));
        match self {
            Widget::Choice { options, at } => {
                let count = options.len();
                let found =
                    (1..=count).map(|by| (*at + by) % count).find(|next| options[*next].as_deref().is_some_and(begins));
                *at = found.unwrap_or(*at);
                found.is_some()
            }
            Widget::Mode(_, chosen) => {
                let found = AuthMode::ALL.into_iter().find(|mode| begins(mode.as_str()));
                *chosen = found.or(*chosen);
                found.is_some()
            }
            _ => false,
        }
    }

    /// The next choice or the one before.
    pub(super) fn step(&mut self, by: isize) {
        match self {
            Widget::Toggle(value) => *value = Some(!value.unwrap_or(false)),
            Widget::Choice { options, at } => {
                let count = options.len().max(1);
                *at = (*at + count).saturating_add_signed(by) % count;
            }
            Widget::Mode(_, chosen) => *chosen = Some(chosen.unwrap_or(AuthMode::Shared).toggled()),
            _ => {}
        }
    }

    /// Returns the value; `None` for an absent one.
    ///
    /// # Errors
    /// If the typed text is invalid.
    pub(super) fn value(&self) -> Result<Option<Value>, String> {
        match self {
            Widget::Text(input) | Widget::Lines(input) if input.text().is_empty() => Ok(None),
            Widget::Text(input) | Widget::Lines(input) => Ok(Some(Value::String(input.text().to_owned()))),
            Widget::Number(input) if input.text().trim().is_empty() => Ok(None),
            Widget::Number(input) => match serde_json::from_str(input.text().trim()) {
                Ok(Value::Number(number)) => Ok(Some(Value::Number(number))),
                _ => Err("must be a number".to_owned()),
            },
            Widget::Pairs(input) => pairs(input.text()),
            Widget::Items(input) => items(input.text()),
            Widget::Json(input) if input.text().trim().is_empty() => Ok(None),
            Widget::Json(input) => stored::read(input.text()).map(Some).map_err(|error| json_reason(&error)),
            Widget::Toggle(value) => Ok(value.map(Value::Bool)),
            Widget::Choice { options, at } => Ok(options.get(*at).cloned().flatten().map(Value::String)),
            Widget::Mode(_, mode) => Ok(mode.map(|mode| Value::from(mode.as_str()))),
            Widget::Type(id) => Ok(Some(Value::String(id.clone()))),
            Widget::Secret(_) => Ok(None),
        }
    }

    /// Returns the content for comparison; for a secret only whether it changed.
    pub(super) fn content(&self) -> String {
        match self {
            Widget::Type(id) => id.clone(),
            Widget::Toggle(value) => format!("{value:?}"),
            Widget::Choice { options, at } => format!("{:?}", options.get(*at)),
            Widget::Mode(_, chosen) => format!("{chosen:?}"),
            Widget::Secret(input) => match input.intent() {
                Intent::Keep => String::new(),
                Intent::Replace => "replace".to_owned(),
                Intent::Clear => "clear".to_owned(),
            },
            widget => widget.text().unwrap_or_default().to_owned(),
        }
    }
}

fn json_widget(value: &Value) -> Widget {
    Widget::Json(TextInput::multiline(&format!("{value:#}")))
}

/// Returns the choices, with "none" if that is allowed, and with an unusual current value.
pub(super) fn choice(choices: &[Option<String>], required: bool, value: Option<&str>) -> Widget {
    let mut options: Vec<Option<String>> = choices.iter().filter(|choice| choice.is_some()).cloned().collect();
    if !required || value.is_none() {
        options.insert(0, None);
    }
    let wanted = value.map(str::to_owned);
    let at = options.iter().position(|option| *option == wanted).unwrap_or_else(|| {
        options.push(wanted);
        options.len() - 1
    });
    Widget::Choice { options, at }
}

pub(super) fn json_reason(error: &serde_json::Error) -> String {
    format!("malformed JSON: {error}")
}

/// Returns the lines of an object of texts; `None` if a name or a value does not fit in one line.
fn pairs_text(value: &Value) -> Option<String> {
    let lines: Option<Vec<String>> = match value {
        Value::Null => return Some(String::new()),
        Value::Object(map) => map.iter().map(|(name, value)| Some(format!("{name}: {}", value.as_str()?))).collect(),
        _ => None,
    };
    let text = lines?.join("\n");
    // Only a value that round-trips may be edited this way.
    (pairs(&text).ok()?.unwrap_or(json!({})) == *value).then_some(text)
}

/// An object of texts from lines `name: value`.
fn pairs(text: &str) -> Result<Option<Value>, String> {
    let mut map = Map::new();
    for (name, value) in pair_lines(text)? {
        if map.insert(name.to_owned(), Value::from(value)).is_some() {
            return Err(format!("{name:?} appears twice"));
        }
    }
    Ok((!map.is_empty()).then_some(Value::Object(map)))
}

/// Parses lines of `name: value`. Errors never contain the line.
pub(super) fn pair_lines(text: &str) -> Result<Vec<(&str, &str)>, String> {
    let lines = text.split('\n').enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| match line.split_once(':') {
            Some((name, value)) if !name.trim().is_empty() => Ok((name.trim(), value.trim())),
            _ => Err(format!("line {}: must be name: value", at + 1)),
        })
        .collect()
}

fn items_text(value: &Value) -> Option<String> {
    let line = |item: &Value| {
        let (id, name) = (item.get("id")?.as_str()?, item.get("name")?.as_str()?);
        Some(format!("{id} {name}"))
    };
    let lines: Option<Vec<String>> = match value {
        Value::Null => return Some(String::new()),
        Value::Array(list) => list.iter().map(line).collect(),
        _ => None,
    };
    let text = lines?.join("\n");
    (items(&text).ok()?.unwrap_or(json!([])) == *value).then_some(text)
}

/// A list of `{id, name}` from lines `id name`.
fn items(text: &str) -> Result<Option<Value>, String> {
    let mut list = Vec::new();
    for (at, line) in text.split('\n').enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match line.trim().split_once(char::is_whitespace) {
            Some((id, name)) => list.push(json!({"id": id, "name": name.trim()})),
            None => return Err(format!("line {}: must be an id and a name", at + 1)),
        }
    }
    Ok((!list.is_empty()).then_some(Value::Array(list)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kind(kind: FieldKind) -> Kind {
        let name = serde_json::to_value(kind).expect("a name");
        serde_json::from_value(json!({"name": "n", "type": name})).expect("a field")
    }

    #[test]
    fn lines_are_parsed_or_refused_by_number() {
        assert_eq!(pairs("A: b:c\n\n D : e "), Ok(Some(json!({"A": "b:c", "D": "e"}))));
        assert_eq!(pairs(" \n"), Ok(None));
        assert_eq!(pairs("A: b\nno"), Err("line 2: must be name: value".to_owned()));
        assert_eq!(pairs("A: b\nA: c"), Err("\"A\" appears twice".to_owned()));
        assert_eq!(items("C1 #a b\nC2 c"), Ok(Some(json!([{"id": "C1", "name": "#a b"}, {"id": "C2", "name": "c"}]))));
        assert_eq!(items("C1"), Err("line 1: must be an id and a name".to_owned()));
    }

    proptest! {
        #[test]
        fn input_returns_the_value_it_was_given(
            names in proptest::collection::btree_map("[a-z:\\n ]{0,4}", "[a-z:\\n ]{0,4}", 1..4),
        ) {
            let map = json!(names);
            let list = Value::Array(names.iter().map(|(id, name)| json!({"id": id, "name": name})).collect());
            for (field, value) in [(FieldKind::TextMap, map), (FieldKind::List, list)] {
                prop_assert_eq!(Widget::of(&kind(field), Some(&value)).value(), Ok(Some(value)));
            }
        }
    }
}
