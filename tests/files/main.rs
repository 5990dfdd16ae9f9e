//! The file: the schema upgrade and its refusals, damaged rows, two programs at once, SQL against domain.

#[path = "../support/mod.rs"]
mod support;

mod migration;
mod refusals;
mod upgrade;
