//! The commands on real exports: what they print, what they write, how they exit.

#[path = "../support/mod.rs"]
mod support;

mod commands;
mod exchange;
