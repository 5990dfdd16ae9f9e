//! What can happen.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::mouse::Mouse;
use crate::keymap::Key;
use crate::worker::protocol::Reply;

/// Something happened.
#[derive(Clone, Debug)]
pub enum Message {
    /// A key was pressed.
    Key(Key),
    /// The mouse did something.
    Mouse(Mouse),
    /// Text was pasted.
    Paste(Zeroizing<String>),
    /// A person's editor gives a text back, or why it does not.
    Edited(Result<String, String>),
    /// This file is being opened in place of the one before, or why it cannot be.
    Switched(Result<PathBuf, String>),
    /// A text went to the clipboard, or why not.
    Copied(Result<(), String>),
    /// The terminal has this size now.
    Resize(u16, u16),
    /// The worker threads say something.
    Worker(Reply),
    /// Time has passed; only sent while something on the screen depends on it.
    Tick,
    /// The system asks the program to end.
    Terminate,
}
