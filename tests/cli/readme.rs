//! The examples of the README and of the docs print what they show.

use std::fmt::Write as _;
use std::process::Command;

use super::commands::PROGRAM;
use crate::support::{SAMPLE, TestDir};

/// A command and its output.
struct Example {
    command: String,
    output: String,
}

fn examples(page: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match (line, inside) {
            ("```console", _) => inside = true,
            ("```", _) => inside = false,
            (line, true) => match (line.strip_prefix("$ "), found.last_mut()) {
                (Some(command), _) => found.push(Example { command: command.to_owned(), output: String::new() }),
                (None, Some(last)) => writeln!(last.output, "{line}").unwrap(),
                (None, None) => panic!("output before any command: {line}"),
            },
            _ => {}
        }
    }
    found
}

/// These build the program, or open its screen.
fn is_interactive(command: &str) -> bool {
    command.starts_with("cargo ") || command == "connector-admin connectors.db"
}

/// `…` stands for any lines.
fn matches(found: &str, shown: &str) -> bool {
    match shown.split_once("…\n") {
        None => found == shown,
        Some((begin, end)) => found.starts_with(begin) && found.ends_with(end),
    }
}

#[test]
fn documented_examples_print_what_they_show() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.chain([root.join("README.md")]).filter(|path| path.extension().is_some_and(|end| end == "md"));
    let tried: usize = pages.map(|page| try_page(&std::fs::read_to_string(page).unwrap())).sum();
    assert!(tried > 12, "{tried}");
}

/// Runs the examples of a page; returns their number.
fn try_page(page: &str) -> usize {
    let dir = TestDir::new();
    dir.write("export.ndjson", SAMPLE);
    let home = dir.path("home");
    let folder = std::path::Path::new(PROGRAM).parent().unwrap().to_str().unwrap().to_owned();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    let wanted: Vec<Example> = examples(page).into_iter().filter(|example| !is_interactive(&example.command)).collect();
    if wanted.is_empty() {
        return 0;
    }
    // One shell for the whole page, as a reader has; a marker line ends each output.
    let mut script = String::new();
    for example in &wanted {
        writeln!(script, "{}\nprintf '\\n--- %s\\n' \"$?\"", example.command).unwrap();
    }
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(dir.folder.path())
        .env("PATH", path)
        .env("HOME", &home)
        .env_remove("CONNECTOR_ADMIN_FILE")
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut rest = printed.as_str();
    for example in &wanted {
        let (found, more) = rest.split_once("\n--- ").expect("the end of a command");
        let (code, more) = more.split_once('\n').unwrap();
        rest = more;
        let errors = String::from_utf8_lossy(&output.stderr);
        let has_output = !example.output.is_empty();
        assert!(!has_output || matches(found, &example.output), "$ {}\n{found}\n{errors}", example.command);
        let expected = if example.output.contains("statusCode") { "2" } else { "0" };
        assert_eq!(code, expected, "$ {}\n{errors}", example.command);
    }
    wanted.len()
}
