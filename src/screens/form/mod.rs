//! The form: a connector as fields the catalogue knows and JSON for the rest. Nothing is written before
//! the person has seen what will change, and what nobody touched stays byte for byte.

mod draft;
mod field;
mod view;

use super::dialog::{Dialog, Tone, change_lines};
use super::effect::{Effect, Go};
use super::picker;
use crate::domain::change::changes;
use crate::domain::{Connector, StoredAuthMode, validate};
use crate::keymap::{self, Action, Key, Place};
use crate::worker::protocol::Job;
use field::{Field, FieldId, Widget};

pub use draft::{duplicate_of, new_connector};
pub use view::view;

/// What the form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A record that is in the file.
    Edit,
    /// A record that is not in the file yet.
    Create,
}

/// The form.
#[derive(Debug)]
pub struct State {
    purpose: Purpose,
    /// What the file has, or the template of a new record.
    base: Connector,
    fields: Vec<Field>,
    focus: usize,
    picker: Option<picker::State>,
    /// As it was when the form opened.
    original: Connector,
    /// The person chose the mode; until then a new connector's mode follows its auth type.
    mode_chosen: bool,
}

impl State {
    /// A form on a record.
    pub fn new(purpose: Purpose, base: Connector) -> Self {
        let mut fields = field::fields_of(purpose, &base);
        if purpose == Purpose::Edit {
            for field in &mut fields {
                field.problem = field.check().err();
                field.had_problem = field.problem.is_some();
            }
        }
        // Where something is wrong, the form opens at it.
        let focus =
            fields.iter().position(|field| field.had_problem).unwrap_or_else(|| usize::from(!base.name.is_empty()));
        let original = base.clone();
        let mode_chosen = purpose == Purpose::Edit;
        let mut state = Self { purpose, base, fields, focus, picker: None, original, mode_chosen };
        if purpose == Purpose::Create && state.base.name.is_empty() {
            state.picker = Some(picker::State::default());
        }
        state
    }

    /// The record's id.
    pub fn id(&self) -> &str {
        &self.base.id
    }

    /// What has the focus.
    pub fn place(&self) -> Place {
        if self.picker.is_some() { Place::Picker } else { Place::Form }
    }

    /// Something differs from the file.
    pub fn is_dirty(&self) -> bool {
        self.base.connector_type_id != self.original.connector_type_id || self.fields.iter().any(Field::is_changed)
    }

    fn focused(&mut self) -> Option<&mut Field> {
        self.fields.get_mut(self.focus)
    }

    /// Takes pasted text into the focused field.
    pub fn paste(&mut self, text: &str) {
        if let Some(Widget::Text(input) | Widget::Json(input)) = self.focused().map(|field| &mut field.widget) {
            input.insert(text);
        }
    }

    /// Another program changed the record: takes over what it wrote, with or without the edits made here.
    pub fn rebase(&mut self, theirs: Connector, keep_mine: bool) {
        let mine = std::mem::take(&mut self.fields);
        *self = State::new(self.purpose, theirs);
        if keep_mine {
            for changed in mine.into_iter().filter(Field::is_changed) {
                if let Some(field) = self.fields.iter_mut().find(|field| field.id == changed.id) {
                    field.widget = changed.widget;
                    field.problem = field.check().err();
                }
            }
        }
    }

    fn move_focus(&mut self, by: isize) {
        if let Some(field) = self.focused() {
            field.problem = field.check().err();
        }
        let count = self.fields.len().max(1);
        self.focus = self.focus.saturating_add_signed(by) % count;
        if by < 0 && self.focus >= count {
            self.focus = count - 1;
        }
    }
}

/// Takes a key.
pub fn update(state: &mut State, key: Key) -> Vec<Effect> {
    if state.picker.is_some() {
        pick(state, key);
        return Vec::new();
    }
    let action = keymap::action(Place::Form, key);
    match action {
        Some(Action::Save) => return save(state),
        Some(Action::Back) => return close(state),
        _ => {}
    }
    if !edit_text(state, key, action) {
        act(state, action);
    }
    follow_auth_type(state);
    Vec::new()
}

fn pick(state: &mut State, key: Key) {
    let Some(picker) = &mut state.picker else {
        return;
    };
    match keymap::action(Place::Picker, key) {
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
fn edit_text(state: &mut State, key: Key, action: Option<Action>) -> bool {
    let Some(field) = state.focused() else {
        return false;
    };
    let (input, several_lines) = match &mut field.widget {
        Widget::Text(input) => (input, false),
        Widget::Json(input) => (input, true),
        _ => return false,
    };
    match action {
        Some(Action::NextField | Action::PreviousField) => {
            let by_line =
                matches!(key.code, ratatui::crossterm::event::KeyCode::Up | ratatui::crossterm::event::KeyCode::Down);
            by_line && input.move_line(action == Some(Action::NextField))
        }
        // In an empty field Enter goes on, so that it leads through the whole form.
        Some(Action::Open) if several_lines && !input.text().is_empty() => {
            input.insert("\n");
            true
        }
        Some(Action::Open) => false,
        _ => {
            let taken = input.key(key);
            if taken && field.problem.is_some() {
                field.problem = field.check().err();
            }
            taken
        }
    }
}

fn act(state: &mut State, action: Option<Action>) {
    match action {
        Some(Action::NextField) => state.move_focus(1),
        Some(Action::PreviousField) => state.previous_field(),
        Some(Action::Open) => match state.focused().map(|field| &field.widget) {
            Some(Widget::Type(_)) => state.picker = Some(picker::State::default()),
            _ => state.move_focus(1),
        },
        Some(Action::Right | Action::Change) => state.change(1),
        Some(Action::Left) => state.change(-1),
        _ => {}
    }
}

impl State {
    fn previous_field(&mut self) {
        if self.focus == 0 {
            self.move_focus(0);
            self.focus = self.fields.len().saturating_sub(1);
        } else {
            self.move_focus(-1);
        }
    }

    fn change(&mut self, by: isize) {
        let Some(field) = self.focused() else { return };
        field.step(by);
        field.problem = field.check().err();
        if field.id == FieldId::AuthMode {
            self.mode_chosen = true;
        }
    }

    fn change_type(&mut self, id: &str) {
        if self.purpose == Purpose::Edit {
            return;
        }
        // What the two types have in common stays as typed.
        let typed = std::mem::take(&mut self.fields);
        if id == self.original.connector_type_id {
            self.base = self.original.clone();
        } else {
            self.base.connector_type_id = id.to_owned();
            self.base.config = draft::default_config(id);
        }
        self.fields = field::fields_of(self.purpose, &self.base);
        for old in typed.into_iter().filter(|field| field.is_changed() && field.id != FieldId::Type) {
            if let Some(field) = self.fields.iter_mut().find(|field| field.id == old.id) {
                field.widget = old.widget;
            }
        }
    }

    /// The auth type as the form has it, in a field of its own or in JSON.
    fn auth_type(&self) -> Option<String> {
        let draft = self.draft().ok()?;
        draft.auth_type().name().map(str::to_owned)
    }

    fn warning(&self) -> Option<String> {
        let mode = self.fields.iter().find_map(|field| match &field.widget {
            Widget::Mode(_, chosen) => *chosen,
            _ => None,
        })?;
        validate::auth_mode_warning(mode, self.auth_type().as_deref())
    }
}

/// The mode of a new connector follows its auth type, as Kibana infers it, until a person chooses.
fn follow_auth_type(state: &mut State) {
    if state.mode_chosen {
        return;
    }
    let inferred = crate::domain::Catalogue::current().inferred_auth_mode(state.auth_type().as_deref());
    for field in &mut state.fields {
        if let Widget::Mode(_, chosen) = &mut field.widget {
            *chosen = Some(inferred);
        }
    }
}

fn close(state: &State) -> Vec<Effect> {
    if !state.is_dirty() {
        return vec![Effect::Go(Go::Back)];
    }
    vec![Effect::Ask(Box::new(
        Dialog::new("Unsaved changes", "Keep editing")
            .line("Drop what you changed in this form?")
            .choice("Drop the changes", vec![Effect::Go(Go::Back)]),
    ))]
}

/// Checks everything; the first field that is wrong gets the focus. What was wrong in the file already
/// and was not touched does not stand in the way of another edit.
fn save(state: &mut State) -> Vec<Effect> {
    for field in &mut state.fields {
        field.problem = field.check().err();
    }
    let wrong = state.fields.iter().position(|field| {
        field.problem.is_some() && (state.purpose == Purpose::Create || field.is_changed() || !field.had_problem)
    });
    if let Some(at) = wrong {
        state.focus = at;
        let field = &state.fields[at];
        let reason = field.problem.clone().unwrap_or_default();
        return vec![Effect::bad(format!("{}: {reason}", field.label))];
    }
    let draft = match state.draft() {
        Ok(draft) => draft,
        Err(reason) => return vec![Effect::bad(reason)],
    };
    if state.purpose == Purpose::Edit && !state.is_dirty() {
        return vec![Effect::info("nothing has changed")];
    }
    vec![Effect::Ask(Box::new(confirm(state, &draft)))]
}

fn confirm(state: &State, draft: &Connector) -> Dialog {
    let found = changes(&state.base, draft);
    let (title, job) = match state.purpose {
        Purpose::Edit => ("Save these changes?", Job::Save(Box::new(draft.clone()))),
        Purpose::Create => ("Create this connector?", Job::Create(Box::new(draft.clone()))),
    };
    let mut dialog = Dialog::new(title, "Keep editing");
    dialog = match state.purpose {
        Purpose::Edit => dialog.lines(change_lines(&found)),
        Purpose::Create => dialog
            .line(format!("{} of type {}", draft.name, super::record::type_text(&draft.connector_type_id)))
            .line(format!("auth mode {}", draft.effective_auth_mode())),
    };
    if draft.is_missing_secrets && state.purpose == Purpose::Create {
        dialog = dialog.line("It needs secrets, which are marked as missing.");
    }
    dialog
        .choice(if state.purpose == Purpose::Edit { "Save" } else { "Create" }, vec![Effect::Write(job, "saving")])
        .default_to_last()
}

/// Someone else saved the record first: both sides, and the ways on.
pub fn conflict(state: &State, theirs: &Connector) -> Dialog {
    let mine = state.draft().unwrap_or_else(|_| state.base.clone());
    Dialog::new("Changed by someone else", "Keep editing")
        .line("This connector was changed in the file since you opened it. Nothing has been saved.")
        .lines([(Tone::Head, "their changes:".to_owned())])
        .lines(change_lines(&changes(&state.base, theirs)))
        .lines([(Tone::Head, "your changes:".to_owned())])
        .lines(change_lines(&changes(&state.base, &mine)))
        .choice("Take theirs, drop mine", vec![Effect::Rebase(Box::new(theirs.clone()), false)])
        .choice("Take theirs, put mine on top", vec![Effect::Rebase(Box::new(theirs.clone()), true)])
}

/// Someone else deleted the record: what was typed can be kept as a new one.
pub fn gone(state: &State) -> Dialog {
    let dialog = Dialog::new("Deleted by someone else", "Keep editing")
        .line("This connector was deleted from the file since you opened it. Nothing has been saved.");
    match state.draft() {
        Ok(draft) => dialog.choice("Create it anew", vec![Effect::Write(Job::Create(Box::new(draft)), "saving")]),
        Err(_) => dialog,
    }
}

/// Does the record hold an auth mode that is neither of the two?
fn has_odd_mode(base: &Connector) -> bool {
    matches!(base.stored_auth_mode(), StoredAuthMode::Unknown(_))
}
