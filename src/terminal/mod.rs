//! The terminal: entering and leaving it on every way out, keys, signals, the clipboard, a person's own editor.

pub mod clipboard;
mod decoder;
pub mod editor;
pub mod input;
pub mod session;
pub mod signals;
mod whole_rows;

pub use session::Session;
