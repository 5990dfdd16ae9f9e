//! The form: a connector as fields the catalogue knows and JSON for the rest. Nothing is written before
//! the person has seen what will change, and what nobody touched stays byte for byte.

mod draft;
mod field;
mod secrets;
mod view;
mod widget;

use serde_json::Value;

use super::dialog::{Dialog, Tone, change_lines};
use super::effect::{Effect, Go};
use super::picker;
use crate::domain::change::changes;
use crate::domain::connector_type;
use crate::domain::secret::SecretEdits;
use crate::domain::{Catalogue, Connector, SecretsState, StoredAuthMode, validate};
use crate::keymap::{self, Action, Key, Place};
use crate::worker::protocol::{Job, Record};
use field::{Field, FieldId};
use widget::Widget;

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
    /// What is known of its secrets.
    secrets: SecretsState,
    /// The record whose secrets a new one starts with.
    copy_of: Option<String>,
    fields: Vec<Field>,
    focus: usize,
    picker: Option<picker::State>,
    /// As it was when the form opened.
    original: Connector,
    /// The person chose the mode; until then a new connector's mode follows its auth type.
    mode_chosen: bool,
}

impl State {
    /// A form on a record of the file.
    pub fn edit(record: Record) -> Self {
        Self::new(Purpose::Edit, record, None)
    }

    /// A form on a new record: empty, or a copy of another one, whose secrets are copied too if they open.
    pub fn create(record: Record, copy_of: Option<String>) -> Self {
        Self::new(Purpose::Create, record, copy_of)
    }

    fn new(purpose: Purpose, record: Record, copy_of: Option<String>) -> Self {
        let Record { connector: base, secrets } = record;
        let fields = field::fields_of(purpose, &base, &secrets);
        let (original, mode_chosen) = (base.clone(), purpose == Purpose::Edit);
        let mut state = Self { purpose, base, secrets, copy_of, fields, focus: 0, picker: None, original, mode_chosen };
        if purpose == Purpose::Edit {
            for at in state.shown_places() {
                let field = &mut state.fields[at];
                field.problem = field.check().err();
                field.had_problem = field.problem.is_some();
            }
        }
        // Where something is wrong, the form opens at it.
        let first = usize::from(!state.base.name.is_empty());
        state.focus = state.fields.iter().position(|field| field.had_problem).unwrap_or(first);
        if purpose == Purpose::Create && state.base.name.is_empty() {
            state.picker = Some(picker::State::default());
        }
        state
    }

    /// Puts the focus on the first secret that is missing.
    pub fn go_to_secrets(&mut self) {
        let is_wanted = |at: &usize| self.is_missed(&self.fields[*at]) || self.fields[*at].id == FieldId::WholeSecrets;
        let of_secrets = |at: &usize| matches!(self.fields[*at].id, FieldId::Secret(..));
        let places = self.shown_places();
        let found = places.iter().copied().find(is_wanted).or_else(|| places.iter().copied().find(of_secrets));
        self.focus = found.unwrap_or(self.focus);
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
        let Some(field) = self.focused() else { return };
        match &mut field.widget {
            Widget::Secret(input) => input.insert(text),
            widget => {
                if let Some(input) = widget.input() {
                    input.insert(text);
                }
            }
        }
        follow_auth_type(self);
    }

    /// The text of the focused field, for a person's editor.
    fn text_for_editor(&mut self) -> Option<String> {
        self.focused()?.widget.input().map(|input| input.text().to_owned())
    }

    /// The text comes back from the editor, right or wrong: what is wrong is told, and the text is kept.
    pub fn edited(&mut self, text: &str) {
        let Some(field) = self.focused() else { return };
        let has_lines = field.widget.has_lines();
        if let Some(input) = field.widget.input() {
            let text = if has_lines { text.trim_end_matches('\n') } else { text.trim_end() };
            input.replace(text);
            field.problem = field.check().err();
        }
        follow_auth_type(self);
    }

    /// Another program changed the record: takes over what it wrote, with or without the edits made here.
    pub fn rebase(&mut self, theirs: Record, keep_mine: bool) {
        let mine = std::mem::take(&mut self.fields);
        *self = State::new(self.purpose, theirs, self.copy_of.take());
        if keep_mine {
            self.take_over(mine);
        }
    }

    /// Puts changed fields of an earlier form into this one.
    fn take_over(&mut self, mine: Vec<Field>) {
        for changed in mine.into_iter().filter(|field| field.is_changed() && field.id != FieldId::Type) {
            if let Some(field) = self.fields.iter_mut().find(|field| field.id == changed.id) {
                field.widget = changed.widget;
                field.problem = field.check().err();
            }
        }
    }

    fn move_focus(&mut self, forward: bool) {
        if let Some(field) = self.focused() {
            field.problem = field.check().err();
        }
        let places = self.shown_places();
        let next = if forward {
            places.iter().find(|at| **at > self.focus).or(places.first())
        } else {
            places.iter().rev().find(|at| **at < self.focus).or(places.last())
        };
        self.focus = next.copied().unwrap_or(0);
    }
}

/// Which fields are asked for.
impl State {
    /// The value of a config field or the auth type, null when there is none.
    fn value_of(&self, key: &str) -> Value {
        let is_it = |field: &&Field| match &field.id {
            FieldId::AuthType => key == "authType",
            FieldId::Config(name) => name == key,
            _ => false,
        };
        self.fields.iter().find(is_it).and_then(|field| field.value().ok().flatten()).unwrap_or(Value::Null)
    }

    fn applies(&self, kind: &connector_type::Field) -> bool {
        kind.applies(|key| self.value_of(key))
    }

    fn controls_changed(&self, kind: &connector_type::Field) -> bool {
        let is_changed = |key: &str| {
            let mut named = self.fields.iter().filter(|field| match &field.id {
                FieldId::AuthType => key == "authType",
                FieldId::Config(name) => name == key,
                _ => false,
            });
            named.any(Field::is_changed)
        };
        kind.controls().any(is_changed)
    }

    /// A stored value that is not asked for is shown as long as nobody changed what it depends on.
    fn is_shown(&self, field: &Field) -> bool {
        match &field.kind {
            None => true,
            Some(kind) if self.applies(kind) => true,
            Some(kind) => matches!(field.id, FieldId::Config(_)) && field.is_stored && !self.controls_changed(kind),
        }
    }

    /// It belongs to a choice that the person took away, so it goes with it.
    fn is_left_behind(&self, field: &Field) -> bool {
        field.kind.as_ref().is_some_and(|kind| !self.applies(kind) && self.controls_changed(kind))
    }

    fn shown(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| self.is_shown(field))
    }

    fn shown_places(&self) -> Vec<usize> {
        (0..self.fields.len()).filter(|at| self.is_shown(&self.fields[*at])).collect()
    }

    /// What was typed for one choice and is asked for by another under the same name goes along.
    fn share_secrets(&mut self) {
        for at in self.shown_places() {
            let FieldId::Secret(name, _) = self.fields[at].id.clone() else { continue };
            if self.fields[at].is_changed() {
                continue;
            }
            let is_typed =
                |field: &Field| matches!(&field.id, FieldId::Secret(other, _) if *other == name) && field.is_changed();
            if let Some(typed) = self.fields.iter().position(is_typed)
                && !self.is_shown(&self.fields[typed])
            {
                let mine = self.fields[at].widget.clone();
                self.fields[at].widget = std::mem::replace(&mut self.fields[typed].widget, mine);
            }
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
        Some(Action::OpenEditor) => return open_editor(state),
        _ => {}
    }
    if !edit_text(state, key, action) {
        act(state, action);
    }
    follow_auth_type(state);
    Vec::new()
}

fn open_editor(state: &mut State) -> Vec<Effect> {
    let is_json = matches!(state.focused().map(|field| &field.widget), Some(Widget::Json(_)));
    match state.text_for_editor() {
        Some(text) => vec![Effect::EditText { text, is_json }],
        None => {
            vec![Effect::info("only texts are edited in an editor, and secrets never: it would write them to disk")]
        }
    }
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
    use ratatui::crossterm::event::KeyCode::{Down, Up};
    let Some(field) = state.focused() else {
        return false;
    };
    let several_lines = field.widget.has_lines();
    let taken = match (&mut field.widget, action) {
        (Widget::Secret(_), Some(Action::NextField | Action::PreviousField | Action::ClearSecret)) => return false,
        (Widget::Secret(input), Some(Action::Open)) if takes_lines(field.kind.as_ref()) && !input.text().is_empty() => {
            input.insert("\n");
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
                // In an empty field Enter goes on, so that it leads through the whole form.
                Some(Action::Open) if several_lines && !input.text().is_empty() => {
                    input.insert("\n");
                    true
                }
                Some(Action::Open) => return false,
                _ => input.key(key),
            }
        }
    };
    if taken && field.problem.is_some() {
        field.problem = field.check().err();
    }
    taken
}

/// A secret of several lines: Enter begins a new one.
fn takes_lines(kind: Option<&connector_type::Field>) -> bool {
    use connector_type::FieldKind::{LongText, Object, TextMap};
    kind.is_none_or(|kind| matches!(kind.kind, LongText | Object | TextMap))
}

fn act(state: &mut State, action: Option<Action>) {
    let is_new = state.purpose == Purpose::Create;
    match action {
        Some(Action::NextField) => state.move_focus(true),
        Some(Action::PreviousField) => state.move_focus(false),
        Some(Action::Open) => match state.focused().map(|field| &field.widget) {
            Some(Widget::Type(_)) if is_new => state.picker = Some(picker::State::default()),
            _ => state.move_focus(true),
        },
        Some(Action::Right | Action::Change) => state.change(1),
        Some(Action::Left) => state.change(-1),
        Some(Action::ClearSecret) => {
            let may_be_set = !matches!(state.secrets, SecretsState::None | SecretsState::Missing);
            if let Some(field) = state.focused() {
                let is_set = field.is_stored || (field.id == FieldId::WholeSecrets && may_be_set);
                match &mut field.widget {
                    Widget::Secret(input) => input.toggle_clear(is_set),
                    Widget::Toggle(on) if field.id.is_of_secrets() => *on = None,
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

impl State {
    fn change(&mut self, by: isize) {
        let Some(field) = self.focused() else { return };
        field.widget.step(by);
        field.problem = field.check().err();
        if field.id == FieldId::AuthMode {
            self.mode_chosen = true;
        }
        self.share_secrets();
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
        self.fields = field::fields_of(self.purpose, &self.base, &self.secrets);
        self.take_over(typed);
        for field in &mut self.fields {
            field.problem = None;
        }
    }

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
            .then(|| validate::auth_type_change_warning(mode, before, auth_type.as_deref()))
            .flatten();
        [validate::auth_mode_warning(mode, auth_type.as_deref()), change].into_iter().flatten().collect()
    }
}

/// The mode of a new connector follows its auth type, as Kibana infers it, until a person chooses.
fn follow_auth_type(state: &mut State) {
    if state.mode_chosen {
        return;
    }
    let inferred = Catalogue::current().inferred_auth_mode(state.auth_type().as_deref());
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
    let places = state.shown_places();
    let are_entered = state.secrets_are_entered();
    for &at in &places {
        let problem = state.fields[at].check().err();
        let is_missed = are_entered && state.is_missed(&state.fields[at]);
        state.fields[at].problem = problem.or_else(|| is_missed.then(|| "a value is needed".to_owned()));
    }
    let is_wrong = |at: &usize| {
        let field = &state.fields[*at];
        field.problem.is_some() && (state.purpose == Purpose::Create || field.is_changed() || !field.had_problem)
    };
    if let Some(at) = places.into_iter().find(is_wrong) {
        state.focus = at;
        let field = &state.fields[at];
        let reason = field.problem.clone().unwrap_or_default();
        return vec![Effect::bad(format!("{}: {reason}", field.label))];
    }
    let (draft, edits) = match (state.draft(), state.secret_edits()) {
        (Ok(draft), Ok(edits)) => (draft, edits),
        (Err(reason), _) | (_, Err(reason)) => return vec![Effect::bad(reason)],
    };
    if state.purpose == Purpose::Edit && !state.is_dirty() {
        return vec![Effect::info("nothing has changed")];
    }
    vec![Effect::Ask(Box::new(confirm(state, draft, edits)))]
}

fn confirm(state: &State, draft: Connector, edits: SecretEdits) -> Dialog {
    let mut found = changes(&state.base, &draft);
    found.extend(state.secret_changes(&edits));
    let title = match state.purpose {
        Purpose::Edit => "Save these changes?",
        Purpose::Create => "Create this connector?",
    };
    let mut dialog = Dialog::new(title, "Keep editing");
    dialog = match state.purpose {
        Purpose::Edit => dialog.lines(change_lines(&found)),
        Purpose::Create => dialog
            .line(format!("{} of type {}", draft.name, super::record::type_text(&draft.connector_type_id)))
            .line(format!("auth mode {}", draft.effective_auth_mode())),
    };
    for remark in remarks(state, &draft, &edits) {
        dialog = dialog.line(remark);
    }
    let connector = Box::new(draft);
    let (verb, job) = match state.purpose {
        Purpose::Edit => ("Save", Job::Save { connector, secrets: edits }),
        Purpose::Create => ("Create", Job::Create { connector, secrets: edits, copy_of: state.copy_of.clone() }),
    };
    dialog.choice(verb, vec![Effect::Write(job, "saving")]).default_to_last()
}

/// What saving means for the secrets, where that is not plain.
fn remarks(state: &State, draft: &Connector, edits: &SecretEdits) -> Vec<String> {
    let is_set = matches!(state.secrets, SecretsState::Set { .. });
    let is_unreadable = matches!(state.secrets, SecretsState::Unreadable(_));
    let is_create = state.purpose == Purpose::Create;
    let mut remarks = Vec::new();
    if is_create && !edits.is_empty() {
        remarks.push("Its secrets are sealed.".to_owned());
    } else if is_create && is_set && state.copy_of.is_some() {
        remarks.push("Its secrets are copied from the original.".to_owned());
    } else if is_create && is_unreadable {
        remarks.push("The secrets of the original cannot be opened, so the copy is marked as missing them.".to_owned());
    } else if is_create && draft.is_missing_secrets {
        remarks.push("It needs secrets, which are marked as missing.".to_owned());
    }
    if !is_create && is_unreadable && edits.is_empty() && draft.config != state.base.config {
        remarks.push(
            "Its secrets cannot be opened now. With another config they will not open even if the key comes back; \
             they stay in the file, and undo brings the old config back."
                .to_owned(),
        );
    }
    if is_unreadable && !edits.is_empty() {
        remarks.push("The secrets entered take the place of all those that cannot be opened.".to_owned());
    }
    remarks
}

/// Someone else saved the record first: both sides, and the ways on.
pub fn conflict(state: &State, theirs: &Record) -> Dialog {
    let mine = state.draft().unwrap_or_else(|_| state.base.clone());
    Dialog::new("Changed by someone else", "Keep editing")
        .line("This connector was changed in the file since you opened it. Nothing has been saved.")
        .lines([(Tone::Head, "their changes:".to_owned())])
        .lines(change_lines(&changes(&state.base, &theirs.connector)))
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
        Ok(connector) => {
            let secrets = state.secret_edits().unwrap_or_default();
            let job = Job::Create { connector: Box::new(connector), secrets, copy_of: None };
            dialog.choice("Create it anew", vec![Effect::Write(job, "saving")])
        }
        Err(_) => dialog,
    }
}

/// Does the record hold an auth mode that is neither of the two?
fn has_odd_mode(base: &Connector) -> bool {
    matches!(base.stored_auth_mode(), StoredAuthMode::Unknown(_))
}
