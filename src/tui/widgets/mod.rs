//! Widgets and text that know nothing of connectors.

pub mod connector_details;
pub mod input;
pub mod json;
pub mod layout;
pub(super) mod list_state;
pub(super) mod matcher;
pub mod paged_list;
pub mod scroll;
pub mod secret_input;
pub(super) mod split;
pub mod table;
pub mod theme;
