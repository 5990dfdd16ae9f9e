//! The history: undo and redo against a model, parts of steps, conflicts, what people are told, forgetting.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "../support/mod.rs"]
mod support;

mod company;
mod model;
mod steps;
