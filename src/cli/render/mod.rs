//! Output of commands: tables, JSON, progress.

pub(super) mod history;
pub(super) mod output;
pub(super) mod progress;
pub(super) mod remote;
pub(super) mod report;
pub(super) mod stream;
