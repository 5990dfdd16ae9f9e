//! Widgets and text that know nothing of screens.

pub mod connector_details;
pub mod input;
pub mod json;
pub mod layout;
pub mod list;
pub(super) mod matcher;
pub mod pane;
pub mod preview;
pub mod scroll;
pub mod secret_input;
pub(super) mod split;
pub mod theme;
