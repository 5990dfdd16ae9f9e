//! One field of the form: its widget, its value, its check.

use serde_json::{Map, Value};

use super::Purpose;
use crate::domain::connector_type::{self, FieldKind};
use crate::domain::json::{self, RawObject};
use crate::domain::{AuthMode, Catalogue, Connector, StoredAuthMode, validate};
use crate::ui::input::TextInput;

/// What a field is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FieldId {
    Type,
    Name,
    AuthMode,
    /// A config key the catalogue knows.
    Config(String),
    /// The config keys the catalogue does not know, as one object.
    OtherConfig,
    /// The whole config: unknown type, or damaged.
    WholeConfig,
    /// The other attributes, only when damaged.
    Extra,
}

/// How a field is edited.
#[derive(Clone, Debug)]
pub(super) enum Widget {
    /// The connector type, chosen in the picker or fixed.
    Type(String),
    Text(TextInput),
    /// JSON, over several lines.
    Json(TextInput),
    Toggle(Option<bool>),
    Choice {
        options: Vec<Option<String>>,
        at: usize,
    },
    /// What is stored, and what is chosen.
    Mode(StoredAuthMode, Option<AuthMode>),
}

/// A field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) id: FieldId,
    pub(super) label: String,
    pub(super) help: String,
    pub(super) required: bool,
    pub(super) widget: Widget,
    /// What is wrong with it now.
    pub(super) problem: Option<String>,
    /// It was wrong in the file.
    pub(super) had_problem: bool,
    initial: String,
    kind: Option<connector_type::Field>,
}

impl Field {
    fn new(id: FieldId, label: &str, help: &str, widget: Widget) -> Self {
        let initial = content(&widget);
        Self {
            id,
            label: label.to_owned(),
            help: help.to_owned(),
            required: false,
            widget,
            problem: None,
            had_problem: false,
            initial,
            kind: None,
        }
    }

    /// The person changed it.
    pub(super) fn is_changed(&self) -> bool {
        content(&self.widget) != self.initial
    }

    /// The next choice or the one before.
    pub(super) fn step(&mut self, by: isize) {
        match &mut self.widget {
            Widget::Toggle(value) => *value = Some(!value.unwrap_or(false)),
            Widget::Choice { options, at } => {
                let count = options.len().max(1);
                *at = (*at + count).saturating_add_signed(by) % count;
            }
            Widget::Mode(_, chosen) => *chosen = Some(chosen.unwrap_or(AuthMode::Shared).toggled()),
            Widget::Type(_) | Widget::Text(_) | Widget::Json(_) => {}
        }
    }

    /// The value for the config; `None` when there is to be none.
    pub(super) fn value(&self) -> Result<Option<Value>, String> {
        match &self.widget {
            Widget::Text(input) if input.text().is_empty() => Ok(None),
            Widget::Text(input) if self.kind.as_ref().is_some_and(|kind| kind.kind == FieldKind::Number) => {
                match serde_json::from_str(input.text().trim()) {
                    Ok(Value::Number(number)) => Ok(Some(Value::Number(number))),
                    _ => Err("must be a number".to_owned()),
                }
            }
            Widget::Text(input) => Ok(Some(Value::String(input.text().to_owned()))),
            Widget::Json(input) if input.text().trim().is_empty() => Ok(None),
            Widget::Json(input) => json::read(input.text()).map(Some).map_err(|error| json_reason(&error)),
            Widget::Toggle(value) => Ok(value.map(Value::Bool)),
            Widget::Choice { options, at } => Ok(options.get(*at).cloned().flatten().map(Value::String)),
            Widget::Mode(_, mode) => Ok(mode.map(|mode| Value::from(mode.as_str()))),
            Widget::Type(id) => Ok(Some(Value::String(id.clone()))),
        }
    }

    /// What is wrong with the value, if anything.
    pub(super) fn check(&self) -> Result<(), String> {
        let value = self.value()?;
        match (&self.id, &self.widget) {
            (FieldId::Name, Widget::Text(input)) if input.text().trim().is_empty() => {
                Err("a name is needed".to_owned())
            }
            (FieldId::Type, Widget::Type(id)) if id.is_empty() => Err("choose a connector type (Enter)".to_owned()),
            (FieldId::AuthMode, Widget::Mode(StoredAuthMode::Unknown(odd), None)) => {
                Err(format!("{odd} is not a mode; choose one (Space)"))
            }
            (FieldId::OtherConfig | FieldId::WholeConfig | FieldId::Extra, Widget::Json(input)) => {
                object_problem(input.text(), self.id == FieldId::OtherConfig)
            }
            (FieldId::Config(_), _) => match &self.kind {
                Some(kind) => validate::field_problem(kind, value.as_ref()).map_or(Ok(()), Err),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

fn object_problem(text: &str, may_be_empty: bool) -> Result<(), String> {
    if may_be_empty && text.trim().is_empty() {
        return Ok(());
    }
    RawObject::parse(text).map(|_| ()).map_err(|error| json_reason(&error))
}

fn json_reason(error: &serde_json::Error) -> String {
    format!("not a JSON value that fits: {error}")
}

/// What a widget holds, to tell whether it was changed.
fn content(widget: &Widget) -> String {
    match widget {
        Widget::Type(id) => id.clone(),
        Widget::Text(input) | Widget::Json(input) => input.text().to_owned(),
        Widget::Toggle(value) => format!("{value:?}"),
        Widget::Choice { options, at } => format!("{:?}", options.get(*at)),
        Widget::Mode(_, chosen) => format!("{chosen:?}"),
    }
}

/// The fields of a record, in the order of the form.
pub(super) fn fields_of(purpose: Purpose, base: &Connector) -> Vec<Field> {
    let type_help = match purpose {
        Purpose::Edit => "never changes after creation",
        Purpose::Create => "Enter opens the list of types",
    };
    let known = Catalogue::current().get(&base.connector_type_id);
    let name_help = known.map_or("the name people see", |known| known.description.as_str());
    let mut fields = vec![
        required(Field::new(FieldId::Type, "Connector type", type_help, Widget::Type(base.connector_type_id.clone()))),
        required(Field::new(FieldId::Name, "Name", name_help, Widget::Text(TextInput::new(&base.name)))),
        mode_field(base),
    ];
    match (RawObject::parse(&base.config), known) {
        (Ok(_), Some(known)) => {
            let config = base.config_object().unwrap_or_default();
            fields.extend(known.config.iter().map(|kind| config_field(kind, config.get(&kind.name))));
            fields.push(other_config(&config, known));
        }
        (Ok(_), None) if base.connector_type_id.is_empty() => {}
        (parsed, _) => {
            let help = if parsed.is_ok() {
                "this type is not in the catalogue"
            } else {
                "the config is damaged: repair it here"
            };
            let text = json::look(&base.config).map_or_else(|_| base.config.clone(), |config| format!("{config:#}"));
            fields.push(Field::new(
                FieldId::WholeConfig,
                "Config (JSON)",
                help,
                Widget::Json(TextInput::multiline(&text)),
            ));
        }
    }
    if base.extra_object().is_err() {
        let help = "what the saved object holds besides; damaged: repair it here";
        let input = TextInput::multiline(&base.extra);
        fields.push(Field::new(FieldId::Extra, "Extra (JSON)", help, Widget::Json(input)));
    }
    fields
}

fn required(mut field: Field) -> Field {
    field.required = true;
    field
}

fn mode_field(base: &Connector) -> Field {
    let stored = base.stored_auth_mode();
    let chosen = match stored {
        StoredAuthMode::Known(mode) => Some(mode),
        StoredAuthMode::None | StoredAuthMode::Unknown(_) => None,
    };
    Field::new(
        FieldId::AuthMode,
        "Auth mode",
        "whose credentials the connector uses; Space toggles",
        Widget::Mode(stored, chosen),
    )
}

fn config_field(kind: &connector_type::Field, value: Option<&Value>) -> Field {
    let mut help = kind.help.clone().unwrap_or_default();
    if help.is_empty() {
        help = format!("config.{}", kind.name);
    }
    let mut field = Field::new(FieldId::Config(kind.name.clone()), &kind.label, &help, widget_of(kind, value));
    field.required = kind.required;
    field.kind = Some(kind.clone());
    field
}

fn widget_of(kind: &connector_type::Field, value: Option<&Value>) -> Widget {
    match (kind.kind, value.unwrap_or(&Value::Null)) {
        (FieldKind::Text | FieldKind::Url | FieldKind::Number, Value::Null) => Widget::Text(TextInput::default()),
        (FieldKind::Text | FieldKind::Url, Value::String(text)) if !text.contains('\n') => {
            Widget::Text(TextInput::new(text))
        }
        (FieldKind::Number, Value::Number(number)) => Widget::Text(TextInput::new(&number.to_string())),
        (FieldKind::Toggle, Value::Null) => Widget::Toggle(None),
        (FieldKind::Toggle, Value::Bool(on)) => Widget::Toggle(Some(*on)),
        (FieldKind::Choice, Value::Null) => choice(kind, None),
        (FieldKind::Choice, Value::String(text)) => choice(kind, Some(text)),
        (_, Value::Null) => Widget::Json(TextInput::multiline("")),
        // Anything that does not fit its widget is shown as it is.
        (_, value) => Widget::Json(TextInput::multiline(&format!("{value:#}"))),
    }
}

/// The catalogue's choices, "none" where the field may be absent, and the value itself if it is odd.
fn choice(kind: &connector_type::Field, value: Option<&str>) -> Widget {
    let mut options: Vec<Option<String>> = kind.choices.iter().filter(|choice| choice.is_some()).cloned().collect();
    if !kind.required || value.is_none() {
        options.insert(0, None);
    }
    let wanted = value.map(str::to_owned);
    let at = options.iter().position(|option| *option == wanted).unwrap_or_else(|| {
        options.push(wanted);
        options.len() - 1
    });
    Widget::Choice { options, at }
}

fn other_config(config: &Map<String, Value>, known: &crate::domain::ConnectorType) -> Field {
    let other: Map<String, Value> = config
        .iter()
        .filter(|(key, _)| !known.config.iter().any(|field| field.name == **key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let text = if other.is_empty() { String::new() } else { format!("{:#}", Value::Object(other)) };
    let help = "config keys that the catalogue does not know, as a JSON object";
    Field::new(FieldId::OtherConfig, "Other config (JSON)", help, Widget::Json(TextInput::multiline(&text)))
}
