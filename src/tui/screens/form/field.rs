//! One field of the form: its widget, its value, its check.

use serde_json::{Map, Value};

use super::input::{Widget, choice, json_reason};
use super::{Purpose, secrets};
use crate::domain::catalogue;
use crate::domain::catalogue::ConnectorType;
use crate::domain::connector::kind_of;
use crate::domain::json::{self, RawObject};
use crate::domain::{Catalogue, Connector, SecretsState, StoredAuthMode, validate};
use crate::tui::keymap::{Action, KeyContext, KeyMap};
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::secret_input::SecretInput;

/// The subject of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FieldId {
    Type,
    Name,
    AuthMode,
    /// A config key of the catalogue.
    Config(String),
    /// The auth type that a spec type keeps with its secrets.
    AuthType,
    /// A secret of the catalogue: its name and its position, because several auth types may have a secret of the same
    /// name.
    Secret(String, usize),
    /// All secrets of an unknown type, as one object.
    WholeSecrets,
    /// The config keys the catalogue does not know, as one object.
    OtherConfig,
    /// The whole config: unknown type, or damaged.
    WholeConfig,
    /// The other attributes, only when damaged.
    Extra,
}

impl FieldId {
    /// Returns whether the field belongs to the secrets.
    pub(super) fn is_of_secrets(&self) -> bool {
        matches!(self, FieldId::AuthType | FieldId::Secret(..) | FieldId::WholeSecrets)
    }
}

/// A field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) id: FieldId,
    pub(super) label: String,
    pub(super) help: String,
    pub(super) required: bool,
    pub(super) widget: Widget,
    /// The current problem.
    pub(super) problem: Option<String>,
    /// The stored value had a problem.
    pub(super) had_problem: bool,
    /// The record holds a value of it.
    pub(super) is_stored: bool,
    pub(super) kind: Option<catalogue::Field>,
    initial: String,
}

impl Field {
    pub(super) fn new(id: FieldId, label: &str, help: &str, widget: Widget) -> Self {
        let initial = widget.content();
        Self {
            id,
            label: label.to_owned(),
            help: help.to_owned(),
            required: false,
            widget,
            problem: None,
            had_problem: false,
            is_stored: false,
            kind: None,
            initial,
        }
    }

    /// Creates a field of the catalogue.
    pub(super) fn of(id: FieldId, kind: &catalogue::Field, help: &str, widget: Widget) -> Self {
        let mut field = Self::new(id, &kind.label, help, widget);
        field.required = kind.is_required();
        field.kind = Some(kind.clone());
        field
    }

    /// Returns whether the user changed it.
    pub(super) fn is_changed(&self) -> bool {
        self.widget.content() != self.initial
    }

    /// Clears the value, or restores the initial one.
    pub(super) fn clear_or_restore(&mut self, keys: KeyMap) {
        let initial = self.initial.clone();
        let Some(input) = self.widget.input() else { return };
        let text = if input.text().is_empty() { initial } else { String::new() };
        input.replace(&text);
        self.problem = self.check(keys).err();
    }

    /// Returns a note about an unusual but valid value; for a secret, without its value.
    pub(super) fn note(&self, type_id: &str, catalogue: &'static Catalogue) -> Option<String> {
        match (&self.id, &self.widget) {
            (_, Widget::Secret(input)) => secrets::note(input, self.kind.as_ref()),
            (FieldId::Config(_), _) => {
                let value = self.value().ok().flatten()?;
                validate::text_note(self.kind.as_ref()?.kind, value.as_str()?)
            }
            (FieldId::OtherConfig, widget) => {
                let other = Connector { config: widget.text()?.to_owned(), ..Connector::new("", type_id) };
                let names: Vec<String> =
                    validate::notes(&other, catalogue).into_iter().map(|note| note.field).collect();
                let names = names.iter().filter_map(|name| name.strip_prefix("config.")).collect::<Vec<_>>();
                (!names.is_empty())
                    .then(|| format!("Kibana refuses keys that are not of this connector type: {}", names.join(", ")))
            }
            _ => None,
        }
    }

    /// Returns the value; `None` for an absent one.
    pub(super) fn value(&self) -> Result<Option<Value>, String> {
        self.widget.value()
    }

    /// Returns the problem with the value, if any.
    pub(super) fn check(&self, keys: KeyMap) -> Result<(), String> {
        if let Widget::Secret(input) = &self.widget {
            return secrets::check(input, self.kind.as_ref());
        }
        let value = self.value()?;
        match (&self.id, &self.widget) {
            (FieldId::Name, Widget::Text(input)) if input.text().trim().is_empty() => {
                Err("a name is needed".to_owned())
            }
            (FieldId::Type, Widget::Type(id)) if id.is_empty() => {
                Err(format!("choose a connector type ({})", keys.key_of(KeyContext::Form, Action::Open)))
            }
            (FieldId::AuthMode, Widget::Mode(StoredAuthMode::Unknown(unrecognized), None)) => Err(format!(
                "{unrecognized} is not a mode; choose one ({})",
                keys.key_of(KeyContext::Form, Action::Change)
            )),
            (FieldId::AuthType, _) if value.is_none() => Err(format!(
                "choose how it authenticates ({}): that decides which secrets it needs",
                keys.key_of(KeyContext::Form, Action::Change)
            )),
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
    match json::parse_lossy(text) {
        Ok(value) if !value.is_object() => Err(format!("must be a JSON object {{…}}, not {}", kind_of(&value))),
        _ => RawObject::parse(text).map(|_| ()).map_err(|error| json_reason(&error)),
    }
}

/// The fields of a record, in the order of the form.
pub(super) fn fields_of(
    purpose: Purpose,
    base: &Connector,
    state: &SecretsState,
    keys: KeyMap,
    catalogue: &'static Catalogue,
) -> Vec<Field> {
    let type_help = match purpose {
        Purpose::Edit => "never changes after creation".to_owned(),
        Purpose::Create => format!("{} opens the list of types", keys.key_of(KeyContext::Form, Action::Open)),
    };
    let known = catalogue.get(&base.connector_type_id);
    let name_help = known.map_or("the name that users see", |known| known.description.as_str());
    let mut fields = vec![
        required(Field::new(FieldId::Type, "Connector type", &type_help, Widget::Type(base.connector_type_id.clone()))),
        required(Field::new(FieldId::Name, "Name", name_help, Widget::Text(TextInput::new(&base.name)))),
        mode_field(base, keys),
    ];
    match (RawObject::parse(&base.config), known) {
        (Ok(_), Some(known)) => {
            let config = base.config_object().unwrap_or_default();
            fields.extend(known.config.iter().map(|kind| config_field(kind, config.get(&kind.name))));
            fields.extend(secret_fields(purpose, known, &config, state, keys, catalogue));
            fields.push(other_config(&config, known));
        }
        (Ok(_), None) if base.connector_type_id.is_empty() => {}
        (parsed, known) => {
            fields.push(whole_config(base, parsed.is_ok()));
            match known {
                Some(known) => fields.extend(secret_fields(purpose, known, &Map::new(), state, keys, catalogue)),
                None => fields.push(whole_secrets()),
            }
        }
    }
    if base.extra_object().is_err() {
        let help = "what else the saved object holds; malformed: repair it here";
        let input = TextInput::multiline(&base.extra);
        fields.push(Field::new(FieldId::Extra, "Extra (JSON)", help, Widget::Json(input)));
    }
    fields
}

fn required(mut field: Field) -> Field {
    field.required = true;
    field
}

fn mode_field(base: &Connector, keys: KeyMap) -> Field {
    let stored = base.stored_auth_mode();
    let chosen = match stored {
        StoredAuthMode::Known(mode) => Some(mode),
        StoredAuthMode::None | StoredAuthMode::Unknown(_) => None,
    };
    let key = keys.key_of(KeyContext::Form, Action::Change);
    let help = format!("whose credentials the connector uses; {key} toggles");
    Field::new(FieldId::AuthMode, "Auth mode", &help, Widget::Mode(stored, chosen))
}

fn config_field(kind: &catalogue::Field, value: Option<&Value>) -> Field {
    let id = FieldId::Config(kind.name.clone());
    let widget = Widget::of(kind, value);
    let form = match widget {
        Widget::Pairs(_) => "one on each line, as name: value",
        Widget::Items(_) => "one on each line: the id, a blank, the name",
        Widget::Json(_) => "JSON",
        _ => "",
    };
    let help = kind.help.clone().unwrap_or_else(|| format!("config.{}", kind.name));
    let help = if form.is_empty() { help } else { format!("{help}; {form}") };
    let mut field = Field::of(id, kind, &help, widget);
    field.is_stored = value.is_some_and(|value| !value.is_null());
    field
}

/// Returns the auth type where it is kept with the secrets, and a write-only field for each secret.
fn secret_fields(
    purpose: Purpose,
    known: &ConnectorType,
    config: &Map<String, Value>,
    state: &SecretsState,
    keys: KeyMap,
    catalogue: &'static Catalogue,
) -> Vec<Field> {
    let mut fields = Vec::new();
    if known.keeps_auth_type_in_secrets() {
        fields.push(auth_type_field(purpose, known, config, state, catalogue));
    }
    for (at, kind) in known.secrets.iter().enumerate() {
        let widget = match kind.kind {
            catalogue::FieldKind::Toggle => Widget::Toggle(None),
            catalogue::FieldKind::Choice => choice(&kind.choices, false, None),
            _ => Widget::Secret(SecretInput::default()),
        };
        let help = secrets::help(kind, keys);
        let mut field = Field::of(FieldId::Secret(kind.name.clone(), at), kind, &help, widget);
        field.is_stored = state.has(&kind.name);
        fields.push(field);
    }
    fields
}

fn auth_type_field(
    purpose: Purpose,
    known: &ConnectorType,
    config: &Map<String, Value>,
    state: &SecretsState,
    catalogue: &'static Catalogue,
) -> Field {
    let is_choosable = |id: &&String| catalogue.auth_type(id).is_none_or(|info| !info.is_chosen_by_kibana);
    let choices: Vec<Option<String>> = known.auth_types.iter().filter(is_choosable).cloned().map(Some).collect();
    let stored = state.auth_type().or_else(|| config.get("authType").and_then(Value::as_str));
    let first = choices.first().cloned().flatten().filter(|_| purpose == Purpose::Create);
    let widget = choice(&choices, true, stored.or(first.as_deref()));
    let help = "how the connector authenticates; decides which secrets it needs";
    required(Field::new(FieldId::AuthType, "Authentication type", help, widget))
}

fn whole_config(base: &Connector, is_json: bool) -> Field {
    let help = if is_json { "this type is not in the catalogue" } else { "the config is malformed: repair it here" };
    let text = json::parse_lossy(&base.config).map_or_else(|_| base.config.clone(), |config| format!("{config:#}"));
    Field::new(FieldId::WholeConfig, "Config (JSON)", help, Widget::Json(TextInput::multiline(&text)))
}

fn whole_secrets() -> Field {
    let help = "this type is not in the catalogue: all its secrets as one JSON object, typed or pasted unseen";
    Field::new(FieldId::WholeSecrets, "Secrets (JSON)", help, Widget::Secret(SecretInput::default()))
}

fn other_config(config: &Map<String, Value>, known: &ConnectorType) -> Field {
    let other: Map<String, Value> = config
        .iter()
        .filter(|(key, value)| !has_field(known, key, value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let text = if other.is_empty() { String::new() } else { format!("{:#}", Value::Object(other)) };
    let help = "config keys that the catalogue does not know, as a JSON object";
    Field::new(FieldId::OtherConfig, "Other config (JSON)", help, Widget::Json(TextInput::multiline(&text)))
}

/// Returns whether a config key has its own field.
pub(super) fn has_field(known: &ConnectorType, key: &str, value: &Value) -> bool {
    known.config.iter().any(|field| field.name == key)
        || (key == "authType" && known.keeps_auth_type_in_secrets() && (value.is_string() || value.is_null()))
}
