//! Secrets, end to end: every connector type in the form, nothing in the clear anywhere, keys and their
//! rotation, and what every model version must keep able to open.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "../support/mod.rs"]
mod support;
#[allow(dead_code, reason = "not every test program uses all of it")]
#[path = "../pty/terminal.rs"]
mod terminal;

mod guard;
mod journey;
mod keys;
mod memory;
mod states;
mod types;
