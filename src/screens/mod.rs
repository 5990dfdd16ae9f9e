//! The screens. Each has its state, an update that turns an action into [`Effect`]s, and a view that
//! draws the state. They know the worker's words, never the worker.

pub mod connectors;
pub mod copies;
pub mod detail;
pub mod dialog;
pub mod effect;
pub mod files;
pub mod form;
pub mod help;
pub mod history;
mod listing;
pub mod menu;
pub mod overview;
mod panel;
pub mod picker;
pub mod prompt;
pub mod record;
pub mod review;
pub mod rows;
pub mod scroll;
pub mod step;
pub mod sync;
pub mod table;

pub use dialog::Dialog;
pub use effect::{Effect, Go, Severity, Start};
pub use menu::{Item, Menu};
