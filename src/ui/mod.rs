//! Widgets and text that know nothing of connectors.

pub mod input;
pub mod json;
pub mod layout;
pub mod secret_input;
pub mod text;
pub mod theme;
