//! A Kibana and the program: the real binary against a server that keeps state, misbehaves on demand, or checks every
//! request by the API's description.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "../support/mod.rs"]
mod support;

mod contract;
mod desk;
mod journey;
mod killed;
mod misbehaving;
mod screen;
mod server;
mod sides;
mod tls;
