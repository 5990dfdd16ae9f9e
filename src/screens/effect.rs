//! What a screen asks for.

use std::path::PathBuf;

use super::dialog::Dialog;
use super::menu::Menu;
use super::prompt::Prompt;
use crate::keymap::{Action, Key};
use crate::memory::Memory;
use crate::worker::protocol::{Job, Record, Request};

/// Something to be done outside the screen that asks for it.
#[derive(Clone, Debug)]
pub enum Effect {
    /// A question for the reader thread.
    Read(Request),
    /// A job for the writer thread, with a word for its progress.
    Write(Job, &'static str),
    /// Stop the running job.
    CancelJob,
    /// Another screen.
    Go(Go),
    /// Put the form on what someone else saved, with or without the edits made in it.
    Rebase(Box<Record>, bool),
    /// A text for the person's own editor; what it becomes comes back as a message.
    EditText {
        /// The text.
        text: String,
        /// It is JSON, which editors show in colour.
        is_json: bool,
    },
    /// Close the file, put a copy of it back if there is to be one, and open it again.
    Reopen(Option<PathBuf>),
    /// A line for the person.
    Say(Severity, String),
    /// A question for the person.
    Ask(Box<Dialog>),
    /// A list to choose from.
    Offer(Box<Menu>),
    /// A line is asked for.
    Prompt(Box<Prompt>),
    /// An action of the place that has the focus.
    Act(Action),
    /// A key, as if it had been pressed.
    Press(Key),
    /// The first file is chosen.
    Start(Start),
    /// Keep this filter, or forget it.
    KeepFilter(String, bool),
    /// Show this column, or leave it out.
    ToggleColumn(&'static str),
    /// Give this column so many cells more.
    WidenColumn(&'static str, i16),
    /// What is remembered has changed.
    Remember(Box<Memory>),
    /// The mouse is wanted, or left to the terminal.
    Mouse(bool),
    /// This text for the clipboard.
    Copy(String),
    /// The list of connectors with this filter.
    Filter(String),
    /// Leave the program.
    Quit,
    /// Stop the running job, and leave the program once what it is at has ended.
    QuitAfterJob,
    /// Back to the shell for a while.
    Suspend,
    /// Redraws the whole screen: another program wrote on it.
    Redraw,
}

/// How the program begins when its file is not there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// With a new, empty file.
    New,
    /// With a new file, and an export to be named.
    Import,
    /// With the demo.
    Demo,
    /// With another file.
    File(PathBuf),
}

/// Where to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Go {
    /// The whole record.
    Detail(String),
    /// The form on a record.
    Edit(String),
    /// The form on a record, at its missing secrets.
    Fill(String),
    /// The form on the next record that misses its secrets.
    NextMissing,
    /// The list of the records that miss their secrets.
    Missing,
    /// The form on a copy of a record.
    Duplicate(String),
    /// The form on a new record.
    New,
    /// The review of the migration.
    Review,
    /// What is in the file, in numbers.
    Overview,
    /// The history.
    History,
    /// One step of the history, with a filter.
    Step(i64, &'static str),
    /// The copies of the file.
    Copies,
    /// What differs from Kibana.
    Sync,
    /// The line to type the path of an export into.
    File(super::files::Purpose),
    /// All keys.
    Help,
    /// The screen before.
    Back,
    /// The list of connectors.
    Home,
}

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Goes away by itself.
    Info,
    /// Something was done; goes away by itself.
    Success,
    /// Something needs attention; stays until a key is pressed.
    Warning,
    /// Something failed; stays until a key is pressed.
    Error,
}

impl Severity {
    /// Whether a message goes away by itself.
    pub fn expires(self) -> bool {
        matches!(self, Severity::Info | Severity::Success)
    }
}

impl Effect {
    /// A line of information.
    pub fn info(text: impl Into<String>) -> Self {
        Effect::Say(Severity::Info, text.into())
    }

    /// Something was done.
    pub fn success(text: impl Into<String>) -> Self {
        Effect::Say(Severity::Success, text.into())
    }

    /// Something needs attention.
    pub fn warning(text: impl Into<String>) -> Self {
        Effect::Say(Severity::Warning, text.into())
    }

    /// Something failed.
    pub fn error(text: impl Into<String>) -> Self {
        Effect::Say(Severity::Error, text.into())
    }
}

/// A number of connectors, for people.
pub fn connectors(count: u64) -> String {
    if count == 1 { "1 connector".to_owned() } else { format!("{count} connectors") }
}
