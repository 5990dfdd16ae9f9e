//! A prompt for one line, with its format.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use serde_json::Value;

use super::{Dialog, Flow, Overlay};
use crate::domain::bulk::BulkEdit;
use crate::domain::{Filter, json};
use crate::text::terminal::clip;
use crate::tui::command::Command;
use crate::tui::context::Context;
use crate::tui::keymap::{Action, Key, KeyContext};
use crate::tui::ui::Ui;
use crate::tui::widgets::input::{TextInput, TooLong};
use crate::tui::widgets::layout::centered;
use crate::tui::widgets::pane::floating;
use crate::worker::{FileJob, RemoteJob};

/// The purpose of the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptKind {
    /// Find and replace in names.
    Rename,
    /// A field of the config and its value.
    Field,
    /// The parameters of a test run.
    Run,
}

/// The line.
#[derive(Debug)]
pub struct Prompt {
    title: String,
    kind: PromptKind,
    /// A description of the connectors.
    what: String,
    ids: Vec<String>,
    filter: Filter,
    input: TextInput,
    problem: Option<String>,
}

impl Prompt {
    /// Creates a prompt about some connectors; without ids about those of the filter.
    pub fn new(kind: PromptKind, what: String, ids: Vec<String>, filter: Filter) -> Self {
        let shown = clip(&what, 40);
        let title = match kind {
            PromptKind::Rename => format!("Rename {shown}"),
            PromptKind::Run => format!("Have Kibana run {shown}"),
            PromptKind::Field => format!("Set a field of the config of {shown}"),
        };
        Self { title, kind, what, ids, filter, input: TextInput::default(), problem: None }
    }

    /// Creates a prompt for the parameters of a test run, with a proposal if there is one.
    pub fn run(id: String, name: String, params: Option<Value>) -> Self {
        let text = params.map_or_else(|| "{}".to_owned(), |params| params.to_string());
        Self { input: TextInput::new(&text), ..Self::new(PromptKind::Run, name, vec![id], Filter::default()) }
    }

    /// The warning before a run.
    fn warn(&self, params: Value) -> Command {
        let id = self.ids.first().cloned().unwrap_or_default();
        let dialog = Dialog::new("Run it for real?", "Cancel")
            .line(format!(
                "Kibana runs “{}” FOR REAL: a message is sent, a ticket opened, a document written. It uses \
                 Kibana's version, not the changes in the file.",
                self.what
            ))
            .line(format!("Params: {params}"))
            .choice("Run it", vec![Command::write(RemoteJob::Execute { id, params }, "running the connector")]);
        Command::dialog(dialog)
    }

    /// Returns the command, if the line is valid.
    fn confirm(&mut self) -> Option<Command> {
        let read = match self.kind {
            PromptKind::Run => match json::read(self.input.text()) {
                Ok(params @ Value::Object(_)) => return Some(self.warn(params)),
                _ => Err("the params are not a JSON object".to_owned()),
            },
            PromptKind::Rename => BulkEdit::rename(self.input.text()),
            PromptKind::Field => BulkEdit::field(self.input.text()),
        };
        match read {
            Ok(edit) => {
                let (ids, filter) = (self.ids.clone(), self.filter.clone());
                Some(Command::write(FileJob::BulkPreview { ids, filter, edit }, "previewing"))
            }
            Err(reason) => {
                self.problem = Some(reason);
                None
            }
        }
    }
}

impl Overlay for Prompt {
    fn title(&self) -> &str {
        &self.title
    }

    fn key_context(&self) -> KeyContext {
        KeyContext::Input
    }

    fn on_key(&mut self, key: Key, action: Option<Action>, _cx: &Context) -> Flow {
        match action {
            Some(Action::Back) => return Flow::close(),
            Some(Action::Confirm) => {
                return self.confirm().map_or_else(Flow::stay, |command| Flow::Close(vec![command]));
            }
            _ => {}
        }
        self.input.key(key);
        self.problem = None;
        Flow::stay()
    }

    fn on_paste(&mut self, text: &str) -> Result<Flow, TooLong> {
        self.problem = None;
        self.input.insert(text)?;
        Ok(Flow::stay())
    }

    /// Draws it in the middle of `area`.
    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        let Ui { theme, keys, .. } = cx.ui;
        let hint = match self.kind {
            PromptKind::Rename => "find => replace, for example: staging => production",
            PromptKind::Run => "the params of its type, as a JSON object",
            PromptKind::Field => "field = value, for example: url = https://a.example (a value may be JSON)",
        };
        let title = format!(" {} ", self.title);
        let place = centered(area, 80, 5);
        let inside = floating(&title, frame, place, theme);
        let cells = usize::from(inside.width);
        let mut lines = self.input.view(cells, 1, true, theme);
        lines.push(Line::styled(clip(hint, cells), theme.muted()));
        lines.push(match &self.problem {
            Some(problem) => Line::styled(clip(problem, cells), theme.bad()),
            None => {
                let what = if self.kind == PromptKind::Run { "asks for confirmation" } else { "previews the changes" };
                let key = |action| keys.key_of(KeyContext::Input, action);
                let hint = format!("{} {what}; {} closes", key(Action::Confirm), key(Action::Back));
                Line::styled(clip(&hint, cells), theme.muted())
            }
        });
        frame.render_widget(Paragraph::new(lines), inside);
    }
}
