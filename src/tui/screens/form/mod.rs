//! The form: a connector as fields of the catalogue, and JSON for the rest. Nothing is saved before the user has seen
//! the changes, and unedited parts stay byte for byte.

mod field;
mod input;
mod keys;
mod save;
mod screen;
mod secrets;
mod to_connector;
mod type_picker;
mod view;
mod visibility;

use crate::domain::{Catalogue, Connector, SecretsState, StoredAuthMode, validate};
use crate::tui::keymap::KeyContext;
use crate::tui::keymap::KeyMap;
use crate::tui::ui::Ui;
use crate::tui::widgets::input::TooLong;
use crate::worker::Record;
use field::{Field, FieldId};
use input::Widget;

pub use screen::FormStart;
pub(super) use screen::{FormScreen, fill_next, start_of_search};
use type_picker::TypePicker;

/// The purpose of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// A record that is in the file.
    Edit,
    /// A record that is not in the file yet.
    Create,
}

/// The form.
#[derive(Debug)]
struct Form {
    purpose: Purpose,
    /// The stored record, or the template of a new one.
    base: Connector,
    /// The state of its secrets.
    secrets: SecretsState,
    /// The record whose secrets a new one starts with.
    duplicate_of: Option<String>,
    fields: Vec<Field>,
    focus: usize,
    picker: Option<TypePicker>,
    /// As it was when the form opened.
    original: Connector,
    /// The secrets then, and whose they are copied from: they belong to that connector type alone.
    original_secrets: (SecretsState, Option<String>),
    /// The user chose the mode; until then the mode of a new connector follows its auth type.
    mode_chosen: bool,
    /// The key map, for problems and hints that name a key.
    keys: KeyMap,
    /// The connector types that the program knows.
    catalogue: &'static Catalogue,
}

impl Form {
    /// A form on a record of the file.
    fn edit(record: Record, ui: Ui) -> Self {
        Self::new(Purpose::Edit, record, None, ui.keys, ui.catalogue)
    }

    /// A form on a new record: empty, or a copy of another one, whose secrets are copied too if they open.
    fn create(record: Record, duplicate_of: Option<String>, ui: Ui) -> Self {
        Self::new(Purpose::Create, record, duplicate_of, ui.keys, ui.catalogue)
    }

    fn new(
        purpose: Purpose,
        record: Record,
        duplicate_of: Option<String>,
        keys: KeyMap,
        catalogue: &'static Catalogue,
    ) -> Self {
        let Record { connector: base, secrets, .. } = record;
        let fields = field::fields_of(purpose, &base, &secrets, keys, catalogue);
        let (original, mode_chosen) = (base.clone(), purpose == Purpose::Edit);
        let original_secrets = (secrets.clone(), duplicate_of.clone());
        let mut state = Self {
            purpose,
            base,
            secrets,
            duplicate_of,
            fields,
            focus: 0,
            picker: None,
            original,
            original_secrets,
            mode_chosen,
            keys,
            catalogue,
        };
        if purpose == Purpose::Edit {
            for at in state.shown_places() {
                let field = &mut state.fields[at];
                field.problem = field.check(keys).err();
                field.had_problem = field.problem.is_some();
            }
        }
        // The form opens at the first problem.
        let first = usize::from(!state.base.name.is_empty());
        state.focus = state.fields.iter().position(|field| field.had_problem).unwrap_or(first);
        if purpose == Purpose::Create && state.base.name.is_empty() {
            state.picker = Some(TypePicker::new(catalogue));
        }
        state
    }

    /// Focuses the first missing secret, or the field that decides which secrets there are. Never a visible text: the
    /// user is about to type a secret.
    fn go_to_secrets(&mut self) {
        let is_unknown = |field: &Field| field.id == FieldId::AuthType && field.check(self.keys).is_err();
        let is_wanted = |field: &Field| self.is_missed(field) || is_unknown(field);
        let wanted: [&dyn Fn(&Field) -> bool; 3] =
            [&is_wanted, &|field| field.id.is_of_secrets(), &|field| field.id == FieldId::AuthMode];
        let places = self.shown_places();
        let find = |holds: &&dyn Fn(&Field) -> bool| places.iter().copied().find(|at| holds(&self.fields[*at]));
        self.focus = wanted.iter().find_map(find).unwrap_or(self.focus);
    }

    /// Returns whether the user has to choose an auth type before the secrets can be shown.
    fn shows_auth_type(&self) -> bool {
        self.fields.get(self.focus).is_some_and(|field| field.id == FieldId::AuthType)
    }

    /// Returns the key context.
    fn context(&self) -> KeyContext {
        if self.picker.is_some() { KeyContext::Picker } else { KeyContext::Form }
    }

    /// Something differs from the file.
    fn is_dirty(&self) -> bool {
        self.base.connector_type_id != self.original.connector_type_id || self.fields.iter().any(Field::is_changed)
    }

    /// The focused field is a text that an editor could edit.
    fn has_text(&self) -> bool {
        self.fields.get(self.focus).is_some_and(|field| field.widget.text().is_some())
    }

    /// The focused field is typed into: a text or a secret.
    fn is_typed(&self) -> bool {
        self.has_text() || self.fields.get(self.focus).is_some_and(|field| matches!(field.widget, Widget::Secret(_)))
    }

    /// The focused field holds something that can be cleared.
    fn can_be_cleared(&self) -> bool {
        self.fields.get(self.focus).is_some_and(|field| match &field.widget {
            Widget::Secret(input) => field.is_stored || !input.text().is_empty(),
            widget => widget.text().is_some_and(|text| !text.is_empty()),
        })
    }

    fn focused(&mut self) -> Option<&mut Field> {
        self.fields.get_mut(self.focus)
    }

    /// Inserts pasted text into the focused field.
    ///
    /// # Errors
    /// [`TooLong`]; nothing is inserted then.
    fn paste(&mut self, text: &str) -> Result<(), TooLong> {
        let Some(field) = self.focused() else { return Ok(()) };
        match &mut field.widget {
            Widget::Secret(input) => input.insert(text)?,
            widget => {
                if let Some(input) = widget.input() {
                    input.insert(text)?;
                }
            }
        }
        follow_auth_type(self);
        Ok(())
    }

    /// Returns the text of the focused field, for the user's editor.
    fn text_for_editor(&mut self) -> Option<String> {
        self.focused()?.widget.input().map(|input| input.text().to_owned())
    }

    /// Handles the text of the editor, valid or not: a problem is shown, and the text is kept. Returns whether the
    /// editor changed nothing.
    fn edited(&mut self, text: &str) -> bool {
        let keys = self.keys;
        let Some(field) = self.focused() else { return true };
        let before = field.widget.content();
        let has_lines = field.widget.has_lines();
        if let Some(input) = field.widget.input() {
            match has_lines {
                true => input.replace(text.trim_end_matches('\n')),
                false => input.replace(&text.trim_end().replace("\r\n", " ").replace('\n', " ")),
            }
            field.problem = field.check(keys).err();
        }
        let is_same = field.widget.content() == before;
        follow_auth_type(self);
        is_same
    }

    /// Handles a concurrent change: takes the stored record, with or without the edits of this form.
    fn rebase(&mut self, theirs: Record, keep_mine: bool) {
        let mine = std::mem::take(&mut self.fields);
        *self = Form::new(self.purpose, theirs, self.duplicate_of.take(), self.keys, self.catalogue);
        if keep_mine {
            self.take_content(mine);
        }
    }

    /// Puts changed fields of an earlier form into this one.
    fn take_content(&mut self, mine: Vec<Field>) {
        for changed in mine.into_iter().filter(|field| field.is_changed() && field.id != FieldId::Type) {
            if let Some(field) = self.fields.iter_mut().find(|field| field.id == changed.id) {
                field.widget.take_content(changed.widget);
                field.problem = field.check(self.keys).err();
            }
        }
    }
}

impl Form {
    /// The auth type as Kibana finds it: among the secrets, else in the config.
    fn auth_type(&self) -> Option<String> {
        self.chosen_auth_type().or_else(|| self.draft().ok()?.auth_type().name().map(str::to_owned))
    }

    fn warnings(&self) -> Vec<String> {
        let chosen = self.fields.iter().find_map(|field| match &field.widget {
            Widget::Mode(_, chosen) => *chosen,
            _ => None,
        });
        let Some(mode) = chosen else { return Vec::new() };
        let auth_type = self.auth_type();
        let stored = self.original.auth_type();
        let before = self.secrets.auth_type().or(stored.name());
        let change = (self.purpose == Purpose::Edit)
            .then(|| validate::auth_type_change_warning(mode, before, auth_type.as_deref(), self.catalogue))
            .flatten();
        [validate::auth_mode_warning(mode, auth_type.as_deref(), self.catalogue), change]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// The mode of a new connector follows its auth type, as Kibana infers it, until the user chooses.
fn follow_auth_type(state: &mut Form) {
    if state.mode_chosen {
        return;
    }
    let inferred = state.catalogue.inferred_auth_mode(state.auth_type().as_deref());
    for field in &mut state.fields {
        if let Widget::Mode(_, chosen) = &mut field.widget {
            *chosen = Some(inferred);
        }
    }
}

/// Does the record hold an auth mode that is neither of the two?
fn has_unrecognized_mode(base: &Connector) -> bool {
    matches!(base.stored_auth_mode(), StoredAuthMode::Unknown(_))
}
