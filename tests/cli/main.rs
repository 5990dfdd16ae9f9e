//! The commands on real exports: output, files, exit codes.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "../support/mod.rs"]
mod support;

mod api;
mod bad_exports;
mod commands;
mod exchange;
mod exit_codes;
mod forms;
mod history;
mod lossless;
mod readme;
mod targets;
