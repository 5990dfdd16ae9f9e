//! Overlays: dialogs, menus, prompts, the file picker.

pub mod dialog;
pub mod file_picker;
pub mod menu;
pub mod prompt;
