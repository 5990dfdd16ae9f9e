//! The stored state of each remote.

pub(super) mod apply_pull;
pub(super) mod merge_base;
pub(super) mod push_log;
pub(super) mod state;
