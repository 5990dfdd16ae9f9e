//! The program on one file: output and exit code.

use std::path::Path;
use std::process::{Command, Output};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_connector-admin");

pub fn run(path: &Path, arguments: &[&str]) -> Output {
    Command::new(PROGRAM).arg("--file").arg(path).args(arguments).output().expect("runs")
}

/// Everything that was printed.
pub fn printed(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

#[track_caller]
pub fn exit_code(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}", printed(output));
    printed(output)
}
