//! Output of commands: tables, JSON, progress.

pub(super) mod output;
pub(super) mod progress;
pub(super) mod stream;
