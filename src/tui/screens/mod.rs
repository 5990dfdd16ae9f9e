//! The screens. Each has its state, an update that turns an action into [`Command`]s, and a view that
//! draws the state. They know the worker's words, never the worker.

pub mod backups;
pub mod command;
pub mod connectors;
pub mod detail;
pub mod form;
pub mod help;
pub mod history;
pub mod history_entry;
pub mod overview;
pub mod review;
pub mod sync;

pub use crate::tui::overlays::dialog::Dialog;
pub use crate::tui::overlays::menu::{Item, Menu};
pub use command::{Command, OpenTarget, Route, Severity};
