//! The screens, driven by keys, without threads or a terminal.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "../support/mod.rs"]
mod support;

mod displaced;
mod form;
mod habits;
mod history;
mod journey;
mod list;
mod menus;
mod pictures;
mod robustness;
mod snapshots;
