//! The history: undo and redo against a model, partial reverts, conflicts, messages, pruning.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "../support/mod.rs"]
mod support;

mod concurrency;
mod model;
mod steps;
