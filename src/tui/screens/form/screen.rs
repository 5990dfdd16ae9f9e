//! The screen of the form: it loads the record that the form is about, and reports what became of it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::Paragraph;

use super::{Form, keys, save, to_connector, view};
use crate::domain::{Connector, SecretsState};
use crate::store::SaveOutcome;
use crate::tui::command::{Command, connectors};
use crate::tui::context::Context;
use crate::tui::keymap::{Action, Key, KeyContext};
use crate::tui::screens::{Route, Screen, ScreenMessage};
use crate::tui::widgets::input::TooLong;
use crate::worker::{JobResult, Query, Record, Reply};

/// What the form is opened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormStart {
    /// A new connector.
    New,
    /// A connector.
    Edit(String),
    /// A connector, at its missing secrets.
    Fill(String),
    /// A copy of a connector.
    Duplicate(String),
}

/// The form, once its record is loaded.
#[derive(Debug)]
pub(in crate::tui::screens) struct FormScreen {
    start: FormStart,
    form: Option<Form>,
    /// Why the record cannot be edited.
    refusal: Option<&'static str>,
}

/// Returns the name and id after which the next connector that is missing secrets is searched: this one, or a place just
/// before it.
pub(in crate::tui::screens) fn start_of_search(name: &str, id: &str, includes_it: bool) -> (String, String) {
    // An id is never empty.
    let id = if includes_it { "" } else { id };
    (name.to_owned(), id.to_owned())
}

/// Opens the form on the next connector that is missing secrets, if there is one.
pub(in crate::tui::screens) fn fill_next(id: Option<&str>, total: u64, cx: &Context) -> Vec<Command> {
    let Some(id) = id else {
        return vec![Command::info("No connector is missing secrets")];
    };
    let save = cx.key(KeyContext::Form, Action::Save);
    let text = format!("{} without secrets; enter this one's, {save} saves", connectors(total));
    vec![Command::Open(Route::Form(FormStart::Fill(id.to_owned()))), Command::info(text)]
}

impl FormScreen {
    /// Returns the form, which is empty until its record is loaded.
    pub(in crate::tui::screens) fn new(start: FormStart, cx: &Context) -> Self {
        let form = (start == FormStart::New).then(|| {
            let template = to_connector::new_connector(&(cx.new_id)());
            Form::create(Record::new(template, SecretsState::None), None, cx.ui)
        });
        Self { start, form, refusal: None }
    }

    /// Returns the id of the record that is being loaded.
    fn awaited(&self) -> Option<&str> {
        match (&self.form, &self.start) {
            (None, FormStart::Edit(id) | FormStart::Fill(id) | FormStart::Duplicate(id)) => Some(id),
            (Some(_), _) | (None, FormStart::New) => None,
        }
    }

    fn is_filling(&self) -> bool {
        matches!(self.start, FormStart::Fill(_))
    }

    fn load(&mut self, record: Option<Record>, cx: &Context) -> Vec<Command> {
        let Some(record) = record else {
            return self.refuse("This connector has been deleted");
        };
        if record.connector.is_newer_than_known() {
            return self.refuse("Written by a newer Kibana than this program knows: it can be viewed, not edited");
        }
        let mut form = match &self.start {
            FormStart::Duplicate(_) => {
                let connector = to_connector::duplicate_of(&record.connector, &(cx.new_id)());
                let duplicate = Record::new(connector, record.secrets);
                Form::create(duplicate, Some(record.connector.id), cx.ui)
            }
            _ => Form::edit(record, cx.ui),
        };
        let mut commands = Vec::new();
        if self.is_filling() {
            form.go_to_secrets();
            commands.extend(form.shows_auth_type().then(|| choose_auth_type(cx)));
        }
        self.form = Some(form);
        commands
    }

    fn refuse(&mut self, reason: &'static str) -> Vec<Command> {
        self.refusal = Some(reason);
        vec![Command::Back, Command::warning(reason)]
    }

    fn saved(&self, outcome: &SaveOutcome, secrets: &SecretsState, cx: &Context) -> Vec<Command> {
        let Some(form) = &self.form else { return Vec::new() };
        match outcome {
            SaveOutcome::Saved(connector) => self.close(connector, "Saved", cx),
            SaveOutcome::Conflict(theirs) => {
                let theirs = Record::new(theirs.as_ref().clone(), secrets.clone());
                vec![Command::dialog(save::conflict(form, &theirs))]
            }
            SaveOutcome::Deleted => vec![Command::dialog(save::gone(form))],
        }
    }

    /// Leaves the form and reports what it did.
    fn close(&self, connector: &Connector, verb: &str, cx: &Context) -> Vec<Command> {
        let mut text = format!("{verb} {}", connector.name);
        if self.is_filling() && !connector.is_missing_secrets {
            let key = cx.key(KeyContext::Connectors, Action::NextMissing);
            text.push_str(&match cx.overview.missing_secrets.saturating_sub(1) {
                0 => "; no connector is missing secrets now".to_owned(),
                others => format!("; {} still without secrets, {key} for the next", connectors(others)),
            });
        }
        vec![Command::Back, Command::success(text)]
    }
}

fn choose_auth_type(cx: &Context) -> Command {
    let key = |action| cx.key(KeyContext::Form, action);
    Command::info(format!(
        "choose the auth type first ({}, {}); its secrets follow",
        key(Action::Right),
        key(Action::Left)
    ))
}

impl Screen for FormScreen {
    fn key_context(&self) -> KeyContext {
        self.form.as_ref().map_or(KeyContext::Form, Form::context)
    }

    fn title(&self) -> &'static str {
        "Form"
    }

    fn subject(&self) -> Option<String> {
        self.form.as_ref().map(|form| form.base.name.clone()).filter(|name| !name.is_empty())
    }

    fn queries(&mut self) -> Vec<Query> {
        self.awaited().map(|id| Query::Record { id: id.to_owned(), preview_of: None }).into_iter().collect()
    }

    fn is_waiting(&self) -> bool {
        self.form.is_none() && self.refusal.is_none()
    }

    fn is_dirty(&self) -> bool {
        self.form.as_ref().is_some_and(Form::is_dirty)
    }

    fn on_reply(&mut self, reply: &Reply, cx: &Context) -> Vec<Command> {
        match reply {
            Reply::Record { id, record } if self.awaited() == Some(id) => self.load(record.as_deref().cloned(), cx),
            Reply::Done(JobResult::Created(created)) => self.close(created, "Created", cx),
            Reply::Done(JobResult::Saved { outcome, secrets }) => self.saved(outcome, secrets, cx),
            _ => Vec::new(),
        }
    }

    fn on_key(&mut self, key: Key, action: Option<Action>, cx: &Context) -> Option<Vec<Command>> {
        let form = self.form.as_mut()?;
        if action == Some(Action::Help) {
            return Some(vec![Command::Open(Route::Help(KeyContext::Form))]);
        }
        Some(if cx.job.is_none() { keys::update(form, key) } else { Vec::new() })
    }

    fn on_action(&mut self, _action: Action, _cx: &Context) -> Option<Vec<Command>> {
        None
    }

    fn on_message(&mut self, message: ScreenMessage) -> Vec<Command> {
        let Some(form) = &mut self.form else { return Vec::new() };
        match message {
            // A windowed editor that returns at once has only just started: its text would come too late.
            ScreenMessage::Edited(text) => form.edited(&text).then(|| Command::info(UNCHANGED)).into_iter().collect(),
            ScreenMessage::ReplaceBase(theirs, keep_mine) => {
                form.rebase(*theirs, keep_mine);
                Vec::new()
            }
        }
    }

    fn on_paste(&mut self, text: &str) -> Option<Result<Vec<Command>, TooLong>> {
        Some(self.form.as_mut()?.paste(text).map(|()| Vec::new()))
    }

    fn shows(&self, action: Action) -> bool {
        let Some(form) = &self.form else { return true };
        match action {
            Action::OpenEditor => form.has_text(),
            Action::ClearField => form.can_be_cleared(),
            Action::Change => !form.is_typed(),
            _ => true,
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        match &self.form {
            Some(form) => view::view(form, frame, area, cx.ui.theme),
            None => {
                let text = self.refusal.unwrap_or("loading …");
                frame.render_widget(Paragraph::new(format!("  {text}")), area);
            }
        }
    }
}

/// The message after an editor without a change.
const UNCHANGED: &str =
    "The editor changed nothing; one that opens its window separately has to wait for it (EDITOR=\"code --wait\")";
