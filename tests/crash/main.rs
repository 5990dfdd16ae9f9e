//! After any fault of a process or its disk the file opens and is consistent, everything reported as done is there, no
//! record is partial, and the job can be resumed.
//!
//! Each job runs in a child process (this program again, see [`child`]) that reports its progress. It is killed at a
//! random moment of the job's duration, or has another fault (see [`faults`]): no file may grow beyond a random size,
//! the disk is full, or a system call fails. The last two need Linux, `unshare` and `strace`, and are skipped with a
//! notice elsewhere. `CONNECTOR_ADMIN_MOMENTS` sets the number of kills per job, and a third as many of each other
//! fault; `--nocapture` shows the figures.
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
