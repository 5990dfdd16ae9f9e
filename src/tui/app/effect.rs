//! What the runtime does for the app.

use std::path::PathBuf;

use crate::tui::command::OpenTarget;
use crate::tui::ui_state::UiState;
use crate::worker::{Job, Query};

/// An effect on the world outside: threads, terminal, files.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Sends a query to the reader thread.
    Read(Query),
    /// Sends a job to a thread that writes.
    Write(Job),
    /// Stops the running job.
    CancelJob,
    /// Edits a text in the user's editor; a message returns the result.
    EditText {
        /// The text.
        text: String,
        /// The text is JSON, which editors highlight.
        is_json: bool,
    },
    /// Closes the file, restores a backup if one is given, and opens it again.
    Reopen(Option<PathBuf>),
    /// Opens a file.
    OpenFile(OpenTarget),
    /// Saves the UI state.
    SaveUiState(Box<UiState>),
    /// Turns the mouse on or off.
    Mouse(bool),
    /// Copies a text to the clipboard.
    Copy(String),
    /// Suspends the program to the shell.
    Suspend,
    /// Redraws the whole screen: another program wrote on it.
    Redraw,
}
