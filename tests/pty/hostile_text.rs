//! Text of records, servers and arguments that a terminal would act on: none of it reaches one.

use std::path::PathBuf;

use crate::support::{TestDir, execute};
use crate::terminal::Terminal;

/// A control sequence, C1 controls, DEL, and characters that turn text around.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{9b}31m\u{7f}\u{202e}txt";

const HARMFUL: [char; 5] = ['\u{9b}', '\u{7f}', '\u{202e}', '\u{7}', '\u{90}'];

fn hostile_file(dir: &TestDir) -> PathBuf {
    let path = dir.demo();
    execute(
        &path,
        &format!(
            "UPDATE connectors SET name = 'A' || char(0x9b) || 'x' || char(0x7f) || char(0x202e) || 'y'; UPDATE connectors SET id = '{}' WHERE rowid = 1",
            HOSTILE.replace('\'', "''")
        ),
    );
    path
}

#[track_caller]
fn is_harmless(raw: &str) {
    for harmful in HARMFUL {
        assert!(!raw.contains(harmful), "{harmful:?} reached the terminal: {raw:?}");
    }
    assert!(!raw.contains("\u{1b}]0;"), "{raw:?}");
}

#[test]
fn export_to_a_terminal_is_escaped_json() {
    let dir = TestDir::new();
    let path = hostile_file(&dir);
    let (code, raw) = Terminal::start(&["--file", path.to_str().unwrap(), "export"], 120, 40).end();
    assert_eq!(code, 1, "one record of the demo cannot be exported");
    is_harmless(&raw);
    assert!(raw.contains("\\u009b") && raw.contains("\\u007f") && raw.contains("\\u202e"), "{raw}");
    for command in [&["list", "--json"][..], &["list"], &["check"], &["migrate", "--report", "-"], &["history"]] {
        let arguments = [&["--file", path.to_str().unwrap()], command].concat();
        is_harmless(&Terminal::start(&arguments, 120, 40).end().1);
    }
}

#[test]
fn credential_prompt_shows_the_address() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let file = path.to_str().unwrap();
    Terminal::start(&["--file", file, "remote", "add", "prod", "https://kibana.example"], 80, 24).end();
    execute(&path, &format!("UPDATE remotes SET url = 'https://evil.example{}'", HOSTILE.replace('\'', "''")));
    for arguments in [&["remote", "login"][..], &["remote", "login", "--basic"], &["pull"], &["remote", "list"]] {
        let mut terminal = Terminal::start(&[&["--file", file], arguments].concat(), 100, 24);
        terminal.wait("anything", |screen| screen.contents().contains("evil.example") || !screen.contents().is_empty());
        terminal.send("\x03");
        is_harmless(&terminal.end().1);
    }
}

#[test]
fn titles_and_lists_escape_control_characters() {
    let dir = TestDir::new();
    let path = hostile_file(&dir);
    let file = path.to_str().unwrap();
    Terminal::start(&["--file", file, "remote", "add", "prod", "https://kibana.example"], 80, 24).end();
    let mut terminal = Terminal::start(&[file], 100, 30);
    terminal.expect("1 of 197").send("!").expect("Have Kibana run");
    let title = terminal.screen(|screen| screen.contents());
    assert!(title.contains("\\u{9b}") || title.contains("\\u{202e}") || title.contains('…'), "{title}");
    terminal.send("\x1b").send("\r").send("\x1b").send("h").send("\x1b").send("\x03");
    let titles = terminal.titles();
    let (_, raw) = terminal.end_restored();
    is_harmless(&raw);
    assert_eq!(titles, Vec::<String>::new());
}

#[test]
fn row_of_uncertain_width_is_erased_before_redraw() {
    let dir = TestDir::new();
    let line = |id: &str, name: &str| {
        format!(
            "{{\"id\":\"{id}\",\"type\":\"action\",\"attributes\":{{\"name\":\"{name}\",\"actionTypeId\":\".server-log\",\
             \"config\":{{}},\"secrets\":{{}}}},\"references\":[],\"typeMigrationVersion\":\"10.1.0\"}}"
        )
    };
    let names = ["aa", "ab \u{1f1eb}\u{1f1f7} Lyon", "ac 2\u{fe0f}\u{20e3}", "ad Zu\u{308}rich", "ae"];
    let lines: Vec<String> = names.iter().enumerate().map(|(at, name)| line(&format!("c{at}"), name)).collect();
    let export = dir.write("export.ndjson", &lines.join("\n"));
    let file = dir.path("a.db");
    let file = file.to_str().unwrap();
    Terminal::start(&["--file", file, "import", export.to_str().unwrap()], 80, 24).end();
    let mut terminal = Terminal::start(&[file], 80, 24);
    terminal.expect("Lyon").send("/aa\r").wait("the rows to be gone", |screen| !screen.contents().contains("ae"));
    let shown = terminal.screen(|screen| screen.contents());
    for part in ['\u{1f1eb}', '\u{1f1f7}', '\u{20e3}', '\u{308}'] {
        assert!(!shown.contains(part), "{part:?} is still there: {shown}");
    }
    terminal.send("\x03");
    let raw = terminal.end_restored().1;
    // Every row that held such a name: the cursor goes to its beginning, and the row is erased.
    let erased = raw.matches(";1H\u{1b}[2K").count();
    assert!(erased >= 3, "{erased} rows were erased: {raw:?}");
}
