//! What a screen wants of the app.

use std::path::PathBuf;

use crate::text::plural;
use crate::tui::keymap::{Action, Key};
use crate::tui::overlays::dialog::Dialog;
use crate::tui::overlays::menu::Menu;
use crate::tui::overlays::prompt::Prompt;
use crate::worker::{Job, Query, Record};

/// A command of a screen or an overlay to the app.
#[derive(Clone, Debug)]
pub enum Command {
    /// A question for the reader thread.
    Read(Query),
    /// A job for the writer thread, with a word for its progress.
    Write(Job, &'static str),
    /// Stop the running job.
    CancelJob,
    /// Another screen.
    Route(Route),
    /// Put the form on what someone else saved, with or without the edits made in it.
    ReplaceFormBase(Box<Record>, bool),
    /// Edit a text in the user's editor; a message returns the result.
    EditText {
        /// The text.
        text: String,
        /// The text is JSON, which editors highlight.
        is_json: bool,
    },
    /// Close the file, restore a backup if one is given, and open it again.
    Reopen(Option<PathBuf>),
    /// Show a message.
    Notify(Severity, String),
    /// Open a dialog.
    OpenDialog(Box<Dialog>),
    /// A list to choose from.
    OpenMenu(Box<Menu>),
    /// Open a prompt.
    OpenPrompt(Box<Prompt>),
    /// An action of the place that has the focus.
    RunAction(Action),
    /// A key, as if it had been pressed.
    SendKey(Key),
    /// The first file is chosen.
    OpenFile(OpenTarget),
    /// Save or delete a view.
    KeepView(String, bool),
    /// Show this column, or leave it out.
    ToggleColumn(&'static str),
    /// Give this column so many cells more.
    WidenColumn(&'static str, i16),
    /// Turn the mouse on or off.
    Mouse(bool),
    /// This text for the clipboard.
    Copy(String),
    /// The list of connectors with this filter.
    Filter(String),
    /// Leave the program.
    Quit,
    /// Stop the running job, and quit after its current step.
    QuitAfterJob,
    /// Back to the shell for a while.
    Suspend,
    /// Redraws the whole screen: another program wrote on it.
    Redraw,
}

/// What to open if the file does not exist yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenTarget {
    /// With a new, empty file.
    New,
    /// With a new file, and an export to be named.
    Import,
    /// With the demo.
    Demo,
    /// With another file.
    File(PathBuf),
}

/// A destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
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
    /// The overview.
    Overview,
    /// The history.
    History,
    /// One step of the history, with a filter.
    Step(i64, &'static str),
    /// The backups of the file.
    Backups,
    /// The screen of a remote.
    Sync,
    /// The line to type the path of an export into.
    File(crate::tui::overlays::file_picker::Purpose),
    /// All keys.
    Help,
    /// The screen before.
    Back,
    /// The list of connectors.
    Home,
}

/// The severity of a message.
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
    /// Returns whether a message expires.
    pub fn expires(self) -> bool {
        matches!(self, Severity::Info | Severity::Success)
    }
}

impl Command {
    /// Has a thread run a job; the title is shown while it runs.
    pub fn write(job: impl Into<Job>, title: &'static str) -> Self {
        Command::Write(job.into(), title)
    }

    /// A line of information.
    pub fn info(text: impl Into<String>) -> Self {
        Command::Notify(Severity::Info, text.into())
    }

    /// Something was done.
    pub fn success(text: impl Into<String>) -> Self {
        Command::Notify(Severity::Success, text.into())
    }

    /// Something needs attention.
    pub fn warning(text: impl Into<String>) -> Self {
        Command::Notify(Severity::Warning, text.into())
    }

    /// Something failed.
    pub fn error(text: impl Into<String>) -> Self {
        Command::Notify(Severity::Error, text.into())
    }
}

/// Returns a number of connectors in words.
pub fn connectors(count: u64) -> String {
    plural(count, "connector")
}
