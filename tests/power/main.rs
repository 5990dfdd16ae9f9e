//! A process that is killed at any moment: the file opens, it is whole, what was told as done is there, no
//! record is half-way, and the job can be gone on with.
//!
//! Each job runs in a child process (this program once more, see [`child`]) that tells what it has done and is
//! killed with SIGKILL at a random moment of the time that the whole job takes. `CONNECTOR_ADMIN_MOMENTS` sets
//! how many moments each job is tried at.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "test code"
)]

#[path = "../support/mod.rs"]
mod support;

mod child;
mod jobs;
