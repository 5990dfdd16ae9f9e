//! Connectors as rows: the one table of columns, reading, writing, deriving.

pub(super) mod columns;
pub(super) mod connectors;
pub(super) mod derive;
pub(super) mod patch;
pub(super) mod secrets;
