//! The real program in a pseudo-terminal, as a user has it.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "../support/mod.rs"]
mod support;

mod first_minute;
mod hostile_text;
mod journey;
mod life_cycle;
mod odd_terminals;
mod terminal;
