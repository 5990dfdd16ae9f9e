//! Secrets that were typed or pasted are gone from the program's memory once they are saved.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use crate::support::TestDir;
use crate::terminal::Terminal;

const TYPED: &str = "typed-5e11bd";
const PASTED: &str = "pasted-71c9ae-with-a-longer-tail";

/// Returns how often a text occurs in the memory of a process; `None` if it cannot be read.
fn found_in_index(pid: u32, text: &str) -> Option<usize> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut found = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (start, end) = line.split_once(' ')?.0.split_once('-')?;
        let (start, end) = (u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?);
        let mut bytes = vec![0; usize::try_from(end - start).ok()?];
        // Some parts are guard pages.
        if memory.read_exact_at(&mut bytes, start).is_ok() {
            found += bytes.windows(text.len()).filter(|part| *part == text.as_bytes()).count();
        }
    }
    Some(found)
}

#[test]
fn saved_secrets_are_wiped_from_memory() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut terminal =
        Terminal::start(&["--key-file", dir.path("keys").to_str().unwrap(), path.to_str().unwrap()], 100, 40);
    terminal.expect("Migration review").send("\x1b").expect("1 of 197");
    terminal.send("n").expect("Connector type").send(".webhook\r").expect("URL *");
    terminal.send("Memory").send("\x1b[B\x1b[B").send("https://m.example").expect("https://m.example");
    for _ in 0..7 {
        terminal.send("\t");
    }
    terminal.expect("> Username *").send(TYPED).expect(&format!("({} characters)", TYPED.len()));
    let Some(while_typed) = found_in_index(terminal.pid(), TYPED) else {
        eprintln!("skipped: the memory of another process may not be read here");
        return;
    };
    assert!(while_typed > 0, "the search finds what is there");
    terminal.send("\t").send(&format!("\x1b[200~{PASTED}\x1b[201~")).expect(&format!("({} characters)", PASTED.len()));
    terminal.send("\x13").expect("Create this connector?").send("y").expect("Created Memory");
    // Keys pass through the same buffers afterwards, as they do for a user.
    terminal.send("\x1b").send("j").expect("of 198");
    for text in [TYPED, PASTED, &PASTED[4..20]] {
        assert_eq!(found_in_index(terminal.pid(), text), Some(0), "{text}");
    }
    terminal.send("\x03");
    assert_eq!(terminal.end_restored().0, 0);
}
