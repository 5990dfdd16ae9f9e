//! Any typed or read input is accepted or refused with a reason, and never ends the program.
//!
//! Each target mutates the texts of its corpus (`corpus/`, one per line; for the key file and the types file one per
//! paragraph) and passes them to the code that parses them. `CONNECTOR_ADMIN_INPUTS` sets the number of inputs per
//! target; `--nocapture` shows the figures. An input that failed belongs in the corpus.
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
