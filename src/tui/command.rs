//! What screens and overlays want of the app.

use std::path::PathBuf;

use ratatui::style::Style;

use crate::text::plural;
use crate::tui::keymap::{Action, Key};
use crate::tui::overlays::{Dialog, Menu, Overlay};
use crate::tui::screens::{Route, ScreenMessage};
use crate::tui::ui_state::UiStateChange;
use crate::tui::widgets::theme::Theme;
use crate::worker::{Job, Query};

/// A command of a screen or an overlay to the app.
#[derive(Debug)]
pub enum Command {
    /// Sends a query to the reader thread.
    Read(Query),
    /// Has a thread run a job; the word describes it while it runs.
    Write(Job, &'static str),
    /// Stops the running job.
    CancelJob,
    /// Opens a screen.
    Open(Route),
    /// Goes back to the screen before.
    Back,
    /// Goes back to the list of connectors.
    Home,
    /// Shows the list of connectors with this filter.
    Filter(String),
    /// Opens an overlay.
    OpenOverlay(Box<dyn Overlay>),
    /// Shows a message.
    Notify(Severity, String),
    /// Runs an action of the focused screen.
    RunAction(Action),
    /// Handles a key as if it had been pressed.
    SendKey(Key),
    /// Sends a message to the focused screen.
    Send(ScreenMessage),
    /// Edits a text in the user's editor; [`ScreenMessage::Edited`] returns the result.
    EditText {
        /// The text.
        text: String,
        /// The text is JSON, which editors highlight.
        is_json: bool,
    },
    /// Opens another file, or the first one.
    OpenFile(OpenTarget),
    /// Closes the file, restores a backup if one is given, and opens it again.
    Reopen(Option<PathBuf>),
    /// Changes the UI state and saves it.
    ChangeUiState(UiStateChange),
    /// Turns the mouse on or off.
    Mouse(bool),
    /// Copies a text to the clipboard.
    Copy(String),
    /// Quits.
    Quit,
    /// Stops the running job, and quits after its current step.
    QuitAfterJob,
    /// Suspends the program to the shell.
    Suspend,
    /// Redraws the whole screen: another program wrote on it.
    Redraw,
}

/// A file to open, instead of the one that does not exist yet or of the open one.
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
    /// Returns the sign before a message, which says the same as its colour.
    pub fn sign(self) -> &'static str {
        match self {
            Severity::Info => "",
            Severity::Success => "✓ ",
            Severity::Warning => "! ",
            Severity::Error => "✗ ",
        }
    }

    /// Returns the style of a message.
    pub fn style(self, theme: Theme) -> Style {
        match self {
            Severity::Info => theme.accent(),
            Severity::Success => theme.good(),
            Severity::Warning => theme.warning(),
            Severity::Error => theme.bad(),
        }
    }

    /// Returns whether a message expires.
    pub fn expires(self) -> bool {
        matches!(self, Severity::Info | Severity::Success)
    }
}

impl Command {
    /// Opens a dialog.
    pub fn dialog(dialog: Dialog) -> Self {
        Command::OpenOverlay(Box::new(dialog))
    }

    /// Opens a menu.
    pub fn menu(menu: Menu) -> Self {
        Command::OpenOverlay(Box::new(menu))
    }

    /// Sends queries to the reader thread.
    pub fn reads(queries: impl IntoIterator<Item = Query>) -> Vec<Self> {
        queries.into_iter().map(Command::Read).collect()
    }

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
