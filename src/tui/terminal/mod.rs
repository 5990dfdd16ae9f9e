//! The terminal: entering and restoring it on every exit, keys, signals, the clipboard, the user's editor.

pub mod clipboard;
mod decoder;
pub mod editor;
pub mod input;
pub mod session;
pub mod signals;
mod whole_rows;

pub use session::Session;
