//! Whatever happens to a process or its disk: the file opens, it is whole, what was told as done is there, no
//! record is half-way, and the job can be gone on with.
//!
//! Each job runs in a child process (this program once more, see [`child`]) that tells what it has done. It is
//! killed at a random moment of the time that the whole job takes, or has a fault of another kind (see [`faults`]):
//! no file may grow beyond a random size, the disk is full at one, or a call of the system fails. The last two need
//! Linux, `unshare` and `strace`, and are skipped with a notice elsewhere. `CONNECTOR_ADMIN_MOMENTS` sets how many
//! kills each job is tried with, and three times as many as faults of each other kind; `--nocapture` shows the
//! figures.
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
mod faults;
mod jobs;
