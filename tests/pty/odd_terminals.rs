//! Terminals that vanish, change their size all the time, paste books, or are tmux; a panic in any thread.

#![allow(clippy::disallowed_methods, reason = "a test child prints to its own terminal")]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::terminal::{PROGRAM, Terminal};
use crate::support::Place;

const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a test of this program as a process of its own, with `PLACE` in its environment.
fn child(test: &str, place: &Place) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env("PLACE", place.folder.path());
    command
}

fn place_of_child() -> Option<PathBuf> {
    std::env::var_os("PLACE").map(PathBuf::from)
}

/// Not a test: holds the terminal of a program that does not listen to SIGHUP, until it is killed.
#[test]
fn owner() {
    let Some(place) = place_of_child() else { return };
    let file = place.join("demo.db");
    let script = format!("trap '' HUP; exec {PROGRAM} {}", file.display());
    let mut terminal = Terminal::start_program("sh", &place, &["-c", &script], 80, 24, &[]);
    terminal.expect("Migration review");
    println!("\npid {}", terminal.pid());
    std::io::stdout().flush().unwrap();
    terminal.wait("the end of this process", |_| false);
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_whose_terminal_has_vanished_ends_and_does_not_spin() {
    let place = Place::new();
    place.demo();
    let mut owner = child("odd_terminals::owner", &place).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines().map_while(Result::ok);
    let pid: u32 = lines.filter_map(|line| line.strip_prefix("pid ")?.parse().ok()).next().unwrap();
    owner.kill().unwrap();
    owner.wait().unwrap();
    let status = PathBuf::from(format!("/proc/{pid}/status"));
    let until = Instant::now() + PATIENCE;
    let is_there = || std::fs::read_to_string(&status).is_ok_and(|text| !text.contains("State:\tZ"));
    while is_there() {
        assert!(Instant::now() < until, "the program is still there");
        std::thread::yield_now();
    }
    // The file was closed the normal way.
    assert!(place.names().iter().all(|name| !name.ends_with("-wal")), "{:?}", place.names());
}

#[test]
fn a_storm_of_sizes_ends_in_a_whole_screen() {
    let place = Place::new();
    let path = place.demo();
    let mut terminal = Terminal::start(&[path.to_str().unwrap()], 80, 24);
    terminal.expect("Migration review");
    let mut state = 7_u32;
    let mut next = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u16::try_from((state >> 8) % below).unwrap() + 1
    };
    for _ in 0..300 {
        terminal.resize(next(200), next(70));
        terminal.send("\x1b[B");
    }
    for (columns, rows) in [(1, 1), (2, 50), (200, 1), (40, 10)] {
        terminal.resize(columns, rows);
    }
    terminal.resize(100, 30).expect("189 pending: backfill 73, stamp only 111, blocked 5").send("\x03");
    assert_eq!(terminal.end_restored().0, 0);
}

#[test]
fn a_paste_of_a_megabyte_is_taken_as_text() {
    let place = Place::new();
    let path = place.demo();
    let mut terminal = Terminal::start(&[path.to_str().unwrap()], 80, 24);
    terminal.expect("Migration review").send("\x1b").expect("1 of 197").send("/").expect("Enter done");
    let book = "Some words of a book, and a line.\r\n".repeat((1 << 20) / 35);
    terminal.send("\x1b[200~").send(&book).send("END\x1b[201~").expect("0 of 0");
    terminal.send("\x15").expect("1 of 197").send("\x03");
    assert_eq!(terminal.end_restored().0, 0);
}

/// Not a test: has the terminal, and panics in another thread.
#[test]
fn panics() {
    if place_of_child().is_none() {
        return;
    }
    connector_admin::terminal::session::restore_on_panic();
    let session = connector_admin::terminal::session::Session::enter(true).unwrap();
    let ended = std::thread::spawn(|| panic!("words of a record")).join();
    // This thread has not given the terminal back: the hook of the panic has.
    std::mem::forget(session);
    std::process::exit(i32::from(ended.is_err()));
}

#[test]
fn a_panic_in_any_thread_gives_the_terminal_back_and_tells_no_record() {
    let place = Place::new();
    let program = std::env::current_exe().unwrap();
    let folder = place.folder.path().to_str().unwrap();
    let arguments = ["odd_terminals::panics", "--exact", "--nocapture", "--test-threads=1"];
    let terminal = Terminal::start_program(
        program.to_str().unwrap(),
        place.folder.path(),
        &arguments,
        80,
        24,
        &[("PLACE", folder)],
    );
    let (code, raw) = terminal.end_restored();
    assert_eq!(code, 1, "{raw}");
    assert!(raw.contains("\u{1b}[?1049h") && raw.contains("an internal error ("), "{raw}");
    assert!(!raw.contains("words of a record"), "{raw}");
}

/// tmux translates what a program writes and what is typed; both have to come through.
#[test]
fn it_works_in_tmux() {
    let place = Place::new();
    let path = place.demo();
    let socket = place.path("tmux").display().to_string();
    let tmux =
        |arguments: &[&str]| Command::new("tmux").args(["-S", &socket, "-f", "/dev/null"]).args(arguments).output();
    let command = format!("{PROGRAM} {}; echo ended with $?; read line", path.display());
    let Ok(started) = tmux(&["new-session", "-d", "-x", "100", "-y", "30", &command]) else {
        println!("skipped: there is no tmux here");
        return;
    };
    assert!(started.status.success(), "{started:?}");
    let shows = |text: &str| {
        let until = Instant::now() + PATIENCE;
        loop {
            let screen = String::from_utf8(tmux(&["capture-pane", "-p"]).unwrap().stdout).unwrap();
            if screen.contains(text) {
                return;
            }
            assert!(Instant::now() < until, "waited for {text:?}; the screen:\n{screen}");
        }
    };
    let press = |key: &str| drop(tmux(&["send-keys", key]).unwrap());
    shows("Migration review");
    press("Escape");
    shows("1 of 197");
    press("End");
    shows("197 of 197");
    press("q");
    shows("ended with 0");
    tmux(&["kill-server"]).unwrap();
}
