//! Keys of the form.

use super::field::{self, FieldId};
use super::input::Widget;
use super::save::{close, save};
use super::to_connector;
use super::{Form, Purpose, TypePicker, follow_auth_type};
use crate::domain::{SecretsState, catalogue};
use crate::tui::command::Command;
use crate::tui::keymap::{Action, Key, KeyContext};

/// Handles a key.
pub(super) fn update(state: &mut Form, key: Key) -> Vec<Command> {
    if state.picker.is_some() {
        pick(state, key);
        follow_auth_type(state);
        return Vec::new();
    }
    let action = state.keys.action(KeyContext::Form, key);
    match action {
        Some(Action::Save) => return save(state),
        Some(Action::Back) => return close(state),
        Some(Action::OpenEditor) => return open_editor(state),
        _ => {}
    }
    let is_taken = edit_text(state, key, action) || jump(state, key, action);
    if !is_taken {
        act(state, action);
    }
    follow_auth_type(state);
    // Keys typed without looking may be meant for another field, and be a secret.
    match (is_taken, key.typed(), action) {
        (false, Some(_), None) => {
            let key = |action| state.keys.key_of(KeyContext::Form, action);
            vec![Command::info(format!(
                "Text cannot be typed here: {} and {} choose, {} continues",
                key(Action::Left),
                key(Action::Right),
                key(Action::NextField)
            ))]
        }
        _ => Vec::new(),
    }
}

fn open_editor(state: &mut Form) -> Vec<Command> {
    let is_json = matches!(state.focused().map(|field| &field.widget), Some(Widget::Json(_)));
    match state.text_for_editor() {
        Some(text) => vec![Command::EditText { text, is_json }],
        None => {
            vec![Command::info("Only texts are edited in an editor, and secrets never: it would write them to disk")]
        }
    }
}

fn pick(state: &mut Form, key: Key) {
    let Some(picker) = &mut state.picker else {
        return;
    };
    match state.keys.action(KeyContext::Picker, key) {
        Some(Action::Back) => state.picker = None,
        Some(action) => {
            if let Some(id) = picker.act(action) {
                state.picker = None;
                state.change_type(&id);
                state.focus = 1;
            }
        }
        None => picker.key(key),
    }
}

/// A key inside a text; false when it is meant for the form.
fn edit_text(state: &mut Form, key: Key, action: Option<Action>) -> bool {
    let keys = state.keys;
    use crossterm::event::KeyCode::{Down, Up};
    let Some(field) = state.focused() else {
        return false;
    };
    let several_lines = field.widget.has_lines();
    let handled = match (&mut field.widget, action) {
        (_, Some(Action::ClearField)) | (Widget::Secret(_), Some(Action::NextField | Action::PreviousField)) => {
            return false;
        }
        (Widget::Secret(input), Some(Action::Open)) if takes_lines(field.kind.as_ref()) && !input.text().is_empty() => {
            let _ = input.insert("\n");
            true
        }
        (Widget::Secret(_), Some(Action::Open)) => return false,
        (Widget::Secret(input), _) => input.key(key),
        (widget, action) => {
            let Some(input) = widget.input() else { return false };
            match action {
                Some(Action::NextField | Action::PreviousField) => {
                    return matches!(key.code, Up | Down) && input.move_line(action == Some(Action::NextField));
                }
                // In an empty field Enter moves to the next one, so that it leads through the whole form.
                Some(Action::Open) if several_lines && !input.text().is_empty() => {
                    let _ = input.insert("\n");
                    true
                }
                Some(Action::Open) => return false,
                _ => input.key(key),
            }
        }
    };
    if handled && field.problem.is_some() {
        field.problem = field.check(keys).err();
    }
    handled
}

/// A secret of several lines: Enter begins a new one.
fn takes_lines(kind: Option<&catalogue::Field>) -> bool {
    use catalogue::FieldKind::{JsonText, LongText, Object, TextMap};
    kind.is_none_or(|kind| matches!(kind.kind, LongText | JsonText | Object | TextMap))
}

/// A letter typed on a choice goes to the next one that begins with it.
fn jump(state: &mut Form, key: Key, action: Option<Action>) -> bool {
    let (Some(letter), None) = (key.typed(), action) else { return false };
    let is_jumped = state.focused().is_some_and(|field| field.widget.jump(letter));
    if is_jumped {
        state.changed();
    }
    is_jumped
}

fn act(state: &mut Form, action: Option<Action>) {
    let is_new = state.purpose == Purpose::Create;
    let keys = state.keys;
    match action {
        Some(Action::NextField) => state.move_focus(true),
        Some(Action::PreviousField) => state.move_focus(false),
        Some(Action::Open) => match state.focused().map(|field| &field.widget) {
            Some(Widget::Type(_)) if is_new => state.picker = Some(TypePicker::new(state.catalogue)),
            _ => state.move_focus(true),
        },
        Some(Action::Right | Action::Change) => state.change(1),
        Some(Action::Left) => state.change(-1),
        Some(Action::ClearField) => {
            let may_be_set = !matches!(state.secrets, SecretsState::None | SecretsState::Missing);
            if let Some(field) = state.focused() {
                let is_set = field.is_stored || (field.id == FieldId::WholeSecrets && may_be_set);
                match &mut field.widget {
                    Widget::Secret(input) => input.toggle_clear(is_set),
                    Widget::Toggle(on) if field.id.is_of_secrets() => *on = None,
                    _ => field.clear_or_restore(keys),
                }
            }
        }
        _ => {}
    }
}

impl Form {
    fn move_focus(&mut self, forward: bool) {
        let keys = self.keys;
        if let Some(field) = self.focused() {
            field.problem = field.check(keys).err();
        }
        let places = self.shown_places();
        let next = if forward {
            places.iter().find(|at| **at > self.focus).or(places.first())
        } else {
            places.iter().rev().find(|at| **at < self.focus).or(places.last())
        };
        self.focus = next.copied().unwrap_or(0);
    }

    fn change(&mut self, by: isize) {
        let Some(field) = self.focused() else { return };
        field.widget.step(by);
        self.changed();
    }

    /// The focused choice is another one.
    fn changed(&mut self) {
        let keys = self.keys;
        let Some(field) = self.focused() else { return };
        field.problem = field.check(keys).err();
        if field.id == FieldId::AuthMode {
            self.mode_chosen = true;
        }
        self.share_secrets();
    }

    fn change_type(&mut self, id: &str) {
        if self.purpose == Purpose::Edit {
            return;
        }
        // Fields of both types keep the typed values.
        let typed = std::mem::take(&mut self.fields);
        if id == self.original.connector_type_id {
            self.base = self.original.clone();
            (self.secrets, self.duplicate_of) = self.original_secrets.clone();
        } else {
            (self.secrets, self.duplicate_of) = (SecretsState::None, None);
            self.base.connector_type_id = id.to_owned();
            self.base.config = to_connector::default_config(id, self.catalogue);
        }
        self.fields = field::fields_of(self.purpose, &self.base, &self.secrets, self.keys, self.catalogue);
        self.take_content(typed);
        for field in &mut self.fields {
            field.problem = None;
        }
    }
}
