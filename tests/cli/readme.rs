//! The README's examples do what it says they do.

use std::fmt::Write as _;
use std::process::Command;

use super::commands::PROGRAM;
use crate::support::{Place, SAMPLE};

const README: &str = include_str!("../../README.md");

/// A command and what it prints.
struct Example {
    command: String,
    output: String,
}

fn examples() -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut inside = false;
    for line in README.lines() {
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

/// They build the program, or open its screen.
fn is_for_a_person(command: &str) -> bool {
    command.starts_with("cargo ") || command == "connector-admin connectors.db"
}

/// `…` stands for any lines.
fn matches(found: &str, told: &str) -> bool {
    match told.split_once("…\n") {
        None => found == told,
        Some((begin, end)) => found.starts_with(begin) && found.ends_with(end),
    }
}

#[test]
fn every_example_prints_what_it_says() {
    let place = Place::new();
    place.write("export.ndjson", SAMPLE);
    let home = place.path("home");
    let folder = std::path::Path::new(PROGRAM).parent().unwrap().to_str().unwrap().to_owned();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    let wanted: Vec<Example> = examples().into_iter().filter(|example| !is_for_a_person(&example.command)).collect();
    assert!(wanted.len() > 12);
    // One shell for all, as a reader has one; each command's output ends with a line of its own.
    let mut script = String::new();
    for example in &wanted {
        writeln!(script, "{}\nprintf '\\n--- %s\\n' \"$?\"", example.command).unwrap();
    }
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(place.folder.path())
        .env("PATH", path)
        .env("HOME", &home)
        .env_remove("CONNECTOR_ADMIN_FILE")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let mut rest = said.as_str();
    for example in &wanted {
        let (found, more) = rest.split_once("\n--- ").expect("the end of a command");
        let (code, more) = more.split_once('\n').unwrap();
        rest = more;
        let errors = String::from_utf8_lossy(&output.stderr);
        let is_told = !example.output.is_empty();
        assert!(!is_told || matches(found, &example.output), "$ {}\n{found}\n{errors}", example.command);
        let expected = if example.output.contains("statusCode") { "2" } else { "0" };
        assert_eq!(code, expected, "$ {}\n{errors}", example.command);
    }
}
