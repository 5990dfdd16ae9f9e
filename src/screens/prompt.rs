//! A line that is asked for, with a word on how to write it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use serde_json::Value;

use super::dialog::Dialog;
use super::effect::Effect;
use crate::domain::bulk::BulkEdit;
use crate::domain::{Filter, json};
use crate::keymap::{Action, Key, Place, key_of};
use crate::ui::input::{TextInput, TooLong};
use crate::ui::layout::centered;
use crate::ui::text::clip;
use crate::ui::theme::Theme;
use crate::worker::protocol::Job;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// How connectors are renamed.
    Rename,
    /// A field of the config and its value.
    Field,
    /// What Kibana is to have a connector do.
    Run,
}

/// The line.
#[derive(Clone, Debug)]
pub struct Prompt {
    ask: Ask,
    /// What it is about, for people.
    what: String,
    ids: Vec<String>,
    filter: Filter,
    input: TextInput,
    problem: Option<String>,
}

impl Prompt {
    /// Asks about some connectors; without ids those of the filter.
    pub fn new(ask: Ask, what: String, ids: Vec<String>, filter: Filter) -> Self {
        Self { ask, what, ids, filter, input: TextInput::default(), problem: None }
    }

    /// Asks what Kibana is to have a connector do, with a proposal where there is one.
    pub fn run(id: String, name: String, params: Option<Value>) -> Self {
        let text = params.map_or_else(|| "{}".to_owned(), |params| params.to_string());
        Self { input: TextInput::new(&text), ..Self::new(Ask::Run, name, vec![id], Filter::default()) }
    }

    /// The warning before a run.
    fn warn(&self, params: Value) -> Effect {
        let id = self.ids.first().cloned().unwrap_or_default();
        let dialog = Dialog::new("Run it for real?", "Cancel")
            .line(format!(
                "Kibana runs “{}” FOR REAL: a message is sent, a ticket opened, a document written. It uses what Kibana \
                 has, not what is changed here.",
                self.what
            ))
            .line(format!("Params: {params}"))
            .choice("Run it", vec![Effect::Write(Job::Execute { id, params }, "running the connector")]);
        Effect::Ask(Box::new(dialog))
    }

    /// Takes a key that is not about leaving.
    pub fn key(&mut self, key: Key) {
        self.input.key(key);
        self.problem = None;
    }

    /// Takes pasted text.
    ///
    /// # Errors
    /// [`TooLong`]; nothing is taken then.
    pub fn paste(&mut self, text: &str) -> Result<(), TooLong> {
        self.problem = None;
        self.input.insert(text)
    }

    /// Enter: what is to be done, if the line can be read.
    pub fn confirm(&mut self) -> Option<Effect> {
        let read = match self.ask {
            Ask::Run => match json::read(self.input.text()) {
                Ok(params @ Value::Object(_)) => return Some(self.warn(params)),
                _ => Err("the params are no JSON object".to_owned()),
            },
            Ask::Rename => BulkEdit::rename(self.input.text()),
            Ask::Field => BulkEdit::field(self.input.text()),
        };
        match read {
            Ok(edit) => {
                let (ids, filter) = (self.ids.clone(), self.filter.clone());
                Some(Effect::Write(Job::BulkPreview { ids, filter, edit }, "looking"))
            }
            Err(reason) => {
                self.problem = Some(reason);
                None
            }
        }
    }

    /// Draws it in the middle of `area`.
    pub fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: Theme) {
        let what = clip(&self.what, 40);
        let (title, hint) = match self.ask {
            Ask::Rename => (format!(" Rename {what} "), "find => replace, for example: staging => production"),
            Ask::Run => (format!(" Have Kibana run {what} "), "the params of its type, as a JSON object"),
            Ask::Field => (
                format!(" Set a field of the config of {what} "),
                "field = value, for example: url = https://a.example (a value may be JSON)",
            ),
        };
        let place = centered(area, 80, 5);
        let block = Block::bordered().border_style(theme.border()).title(Span::styled(title, theme.title()));
        let inside = block.inner(place);
        frame.render_widget(Clear, place);
        frame.render_widget(block, place);
        let cells = usize::from(inside.width);
        let mut lines = self.input.view(cells, 1, true, theme);
        lines.push(Line::styled(clip(hint, cells), theme.muted()));
        lines.push(match &self.problem {
            Some(problem) => Line::styled(clip(problem, cells), theme.bad()),
            None => {
                let what = if self.ask == Ask::Run { "asks once more" } else { "shows what would change" };
                let key = |action| key_of(Place::Input, action);
                let hint = format!("{} {what}; {} closes", key(Action::Confirm), key(Action::Back));
                Line::styled(clip(&hint, cells), theme.muted())
            }
        });
        frame.render_widget(Paragraph::new(lines), inside);
    }
}
