//! Whatever is typed or read from a file is taken or refused with a reason, and never ends the program.
//!
//! Each target takes texts of its corpus (`corpus/`, one a line; for the key file and the types file one a paragraph),
//! changes them at random and gives them to the code that reads such texts. `CONNECTOR_ADMIN_INPUTS` sets how many
//! inputs each target is given; `--nocapture` shows the figures. An input that failed belongs into the corpus.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "test code"
)]

mod change;
mod targets;
