//! The terminal UI.

pub mod app;
pub mod command;
pub mod context;
pub mod delay;
mod header;
pub mod keymap;
mod outcomes;
pub mod overlays;
pub mod run;
pub mod running_job;
pub mod screens;
pub mod terminal;
pub mod ui;
pub mod ui_state;
pub mod widgets;
