//! The events of the program.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::mouse::Mouse;
use crate::tui::keymap::Key;
use crate::worker::Reply;

/// Something happened.
#[derive(Clone, Debug)]
pub enum Message {
    /// A key was pressed.
    Key(Key),
    /// The mouse did something.
    Mouse(Mouse),
    /// Text was pasted.
    Paste(Zeroizing<String>),
    /// The external editor returned a text, or failed.
    Edited(Result<String, String>),
    /// This file is being opened in place of the one before, or why it cannot be.
    Switched(Result<PathBuf, String>),
    /// A text went to the clipboard, or why not.
    Copied(Result<(), String>),
    /// The terminal has this size now.
    Resize(u16, u16),
    /// A worker thread replied.
    Worker(Reply),
    /// Time has passed; only sent while something on the screen depends on it.
    Tick,
    /// The system requests the end of the program.
    Terminate,
}
