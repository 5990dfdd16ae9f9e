//! A Kibana and the program: the real binary against a server that keeps state, misbehaves on demand, or checks every
//! request by the API's description.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "../support/mod.rs"]
mod support;

mod contract;
mod crash;
mod credentials;
mod env;
mod journey;
mod merge;
mod merge_base;
mod misbehaving;
mod rules;
mod screen;
mod sequences;
mod server;
#[allow(dead_code, reason = "shared with the tests of terminals, which use all of it")]
#[path = "../pty/terminal.rs"]
mod terminal;
mod threads;
mod tls;
mod versions;
