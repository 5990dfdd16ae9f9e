//! The file: the schema upgrade and its refusals, damaged rows, two programs at once, SQL against domain.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "../support/mod.rs"]
mod support;

mod chain;
mod derived;
mod location;
mod made_by_hand;
mod migration;
mod program;
mod refusals;
mod search;
mod upgrade;
