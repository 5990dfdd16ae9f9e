//! The terminal UI.

pub mod app;
pub mod keymap;
pub mod overlays;
pub mod run;
pub mod screens;
pub mod terminal;
pub mod ui;
pub mod ui_state;
pub mod widgets;
