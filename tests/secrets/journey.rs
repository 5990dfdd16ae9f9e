//! No secret in the clear, anywhere: files, log, copies, history, exports, screen, messages, memory dumps.
//! Planted values are searched in everything the program leaves behind, also when it is killed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{TestDir, rows};
use crate::terminal::{PROGRAM, Terminal};

const ESC: &str = "\x1b";
const CTRL_S: &str = "\x13";
const DOWN: &str = "\x1b[B";

/// Values that occur nowhere else.
const TYPED: &str = "Pl4ntedTyped";
const PASTED: &str = "Pl4ntedPasted";
const IMPORTED: &str = "Pl4ntedImported";
const LATER: &str = "Pl4ntedLater";

fn all_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

/// Searches for the planted values, plain and in base64 or hex.
#[track_caller]
fn nothing_planted(what: &str, bytes: &[u8]) {
    use base64::Engine;
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    for value in [TYPED, PASTED, IMPORTED, LATER] {
        let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(value);
        // The last digit of base64 depends on the following bytes.
        for needle in [value, &hex(value), &encoded[..encoded.len() - 1]] {
            let is_present = bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
            assert!(!is_present, "{value} is in {what}");
        }
    }
}

#[track_caller]
fn nothing_planted_in(folder: &Path) {
    for path in all_files(folder) {
        nothing_planted(&path.display().to_string(), &std::fs::read(&path).unwrap());
    }
}

struct Story {
    dir: TestDir,
    home: PathBuf,
}

impl Story {
    fn environment(&self) -> [(&str, &str); 3] {
        let home = self.home.to_str().unwrap();
        [("HOME", home), ("XDG_CONFIG_HOME", home), ("TMPDIR", home)]
    }

    fn open(&self) -> Terminal {
        let file = self.dir.path("story.db");
        Terminal::start_in(self.dir.folder.path(), &[file.to_str().unwrap()], 100, 40, &self.environment())
    }

    fn run(&self, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new(PROGRAM)
            .args(["--file", self.dir.path("story.db").to_str().unwrap()])
            .args(arguments)
            .envs(self.environment())
            .output()
            .unwrap();
        [output.stdout, output.stderr].concat()
    }
}

/// A file at schema 1, so that an upgrade and its copy are part of the story.
fn story() -> Story {
    let dir = TestDir::new();
    std::fs::rename(dir.demo(), dir.path("story.db")).unwrap();
    let home = dir.path("home");
    std::fs::create_dir(&home).unwrap();
    Story { dir, home }
}

fn end(mut terminal: Terminal) {
    terminal.send(ESC).send(ESC).send("q");
    let (code, raw) = terminal.end_restored();
    assert_eq!(code, 0);
    nothing_planted("what the terminal was sent", raw.as_bytes());
}

#[test]
fn planted_secrets_are_nowhere_after_a_session() {
    let story = story();
    let mut terminal = story.open();
    terminal.expect("Migration review").send(ESC).expect("1 of 197");
    // Create, one secret typed, the other pasted.
    terminal.send("n").expect("Connector type").send(".webhook\r").expect("URL *");
    terminal.send("Planted").send(DOWN).send(DOWN).send("https://p.example").expect("https://p.example");
    for _ in 0..7 {
        terminal.send("\t");
    }
    terminal.expect("> Username *").send(TYPED).expect("(12 characters)");
    terminal.send("\t").send(&format!("\x1b[200~{PASTED}\x1b[201~")).expect("(13 characters)");
    terminal.send(CTRL_S).expect("Create this connector?").send("y").expect("Created Planted");
    // Replace, edit the config, undo, duplicate, view.
    terminal.send("e").expect("Edit Planted").send(DOWN).send(DOWN).send("/2").expect("p.example/2");
    terminal
        .send(CTRL_S)
        .send("y")
        .expect("Saved ")
        .send("u")
        .expect("Undid edit")
        .send("\r")
        .expect("set: password, user");
    terminal.send("c").expect("copied from the original").send(CTRL_S).send("y").expect("Created Planted (copy)");
    terminal.send(ESC).send("i").expect("Import: path");
    let line = format!(
        r#"{{"type":"action","id":"imported","references":[],"attributes":{{"actionTypeId":".slack_api","name":"In","config":{{}},"secrets":{{"token":"{IMPORTED}"}}}}}}"#
    );
    let export = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(export.path(), line).unwrap();
    terminal
        .send(&format!("{}\r", export.path().display()))
        .expect("all of them new")
        .send("y")
        .expect("1 connector imported")
        .send("\r");
    // An error about a secret never contains it, and discarded input is gone.
    terminal.send("/name:In\r").send(ESC).send("n").expect("Connector type").send(".teams\r").expect("Webhook URL");
    terminal.send("Bad\t\t").send(LATER).expect("(12 characters)").expect("is not an address");
    terminal.send(ESC).expect("Unsaved changes").send("\x1b[C\r").expect("of 200");
    end(terminal);
    nothing_planted_in(story.dir.folder.path());
    for arguments in [
        &["list", "--json"][..],
        &["export"],
        &["get", "imported"],
        &["get", "imported", "--json"],
        &["info"],
        &["rekey", "--json"],
        &["migrate", "--apply", "--json"],
        &["import", export.path().to_str().unwrap()],
        &["import", "/dev/null"],
    ] {
        nothing_planted(&format!("{arguments:?}"), &story.run(arguments));
    }
    nothing_planted_in(story.dir.folder.path());
    let ciphertexts = rows(&story.dir.path("story.db"), "SELECT secrets FROM connectors WHERE name LIKE 'Planted%'");
    assert!(ciphertexts.len() == 2 && ciphertexts.iter().all(|text| text.starts_with("\"ca1.k")), "{ciphertexts:?}");
}

#[test]
fn planted_secrets_are_nowhere_after_a_kill() {
    let story = story();
    for signal in ["KILL", "ABRT", "TERM"] {
        let mut terminal = story.open();
        terminal.wait("the list or the review", |screen| screen.contents().contains("189 to migrate"));
        terminal.send(ESC).expect("of 197").send("n").expect("Connector type").send(".slack_api\r");
        terminal.expect("Bot token").send("Killed\t\t\t").send(TYPED).expect("(12 characters)");
        terminal.send(CTRL_S).expect("Create this connector?");
        terminal.signal(signal);
        let (_, raw) = terminal.end();
        nothing_planted("what the terminal was sent", raw.as_bytes());
        nothing_planted_in(story.dir.folder.path());
    }
    assert!(all_files(story.dir.folder.path()).iter().all(|path| !path.ends_with("core")));
}

#[test]
fn external_editor_gets_the_keys_and_the_terminal_returns() {
    let story = story();
    // An editor with its own keys: the program must not read them.
    let script = story.dir.write("editor.sh", "printf 'EDITING\\r\\n'; read -r typed < /dev/tty; printf 'X-Typed: %s\\n' \"$typed\" > \"$2\"; ls -l \"$2\" > \"$1\"\n");
    let seen = story.dir.path("seen");
    let editor = format!("sh '{}' '{}'", script.display(), seen.display());
    let mut environment = story.environment().to_vec();
    environment.push(("EDITOR", &editor));
    environment.push(("VISUAL", ""));
    let file = story.dir.path("story.db");
    let mut terminal = Terminal::start_in(story.dir.folder.path(), &[file.to_str().unwrap()], 100, 40, &environment);
    terminal.expect("Migration review").send(ESC).expect("1 of 197").send("/Ticket webhook\r");
    terminal.send("e").expect("Edit Ticket").send("\t\t\t\t").expect("> HTTP headers");
    terminal.send("\x0f").expect("EDITING").send("by hand\r").expect("X-Typed: by hand");
    terminal.send(CTRL_S).expect("Save these changes?").expect("by hand").send("y").expect("Saved ");
    assert!(std::fs::read_to_string(&seen).unwrap().starts_with("-rw-------"));
    // A mistake comes back with its reason; an editor that fails changes nothing.
    std::fs::write(&script, "echo broken > \"$2\"\n").unwrap();
    terminal
        .send("e")
        .expect("Edit Ticket")
        .send("\t\t\t\t\x0f")
        .expect("line 1: must be name: value")
        .expect("broken");
    std::fs::write(&script, "exit 3\n").unwrap();
    terminal.send("\x0f").expect("the editor ended with exit status: 3").expect("broken");
    // The text the editor had is gone.
    assert!(all_files(&story.home).iter().all(|path| !path.to_string_lossy().contains("text.")));
    terminal.send(ESC).expect("Unsaved").send("\x1b[C\r").expect("1 of 1").send(ESC).expect("197");
    end(terminal);
}
