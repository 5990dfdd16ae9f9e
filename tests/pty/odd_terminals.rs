//! Terminals that vanish, change their size all the time, paste books, or are tmux; a panic in any thread.

#![allow(clippy::disallowed_methods, reason = "a test child prints to its own terminal")]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::terminal::{PROGRAM, Terminal, cells};
use crate::support::TestDir;

const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a test of this program in a child process, with `PLACE` in its environment.
fn child(test: &str, dir: &TestDir) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env("PLACE", dir.folder.path());
    command
}

fn dir_of_child() -> Option<PathBuf> {
    std::env::var_os("PLACE").map(PathBuf::from)
}

/// Not a test: holds the terminal of a program that does not listen to SIGHUP, until it is killed.
#[test]
fn owner() {
    let Some(dir) = dir_of_child() else { return };
    let file = dir.join("demo.db");
    let script = format!("trap '' HUP; exec {PROGRAM} {}", file.display());
    let mut terminal = Terminal::start_program("sh", &dir, &["-c", &script], 80, 24, &[]);
    terminal.expect("Migration review");
    println!("\npid {}", terminal.pid());
    std::io::stdout().flush().unwrap();
    terminal.wait("the end of this process", |_| false);
}

#[cfg(target_os = "linux")]
#[test]
fn lost_terminal_ends_the_program() {
    let dir = TestDir::new();
    dir.demo();
    let mut owner = child("odd_terminals::owner", &dir).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines().map_while(Result::ok);
    let pid: u32 = lines.filter_map(|line| line.strip_prefix("pid ")?.parse().ok()).next().unwrap();
    owner.kill().unwrap();
    owner.wait().unwrap();
    let status = PathBuf::from(format!("/proc/{pid}/status"));
    let until = Instant::now() + PATIENCE;
    let is_present = || std::fs::read_to_string(&status).is_ok_and(|text| !text.contains("State:\tZ"));
    while is_present() {
        assert!(Instant::now() < until, "the program is still there");
        std::thread::yield_now();
    }
    // The file was closed the normal way.
    assert!(dir.names().iter().all(|name| !name.ends_with("-wal")), "{:?}", dir.names());
}

#[test]
fn resize_storm_ends_in_a_complete_screen() {
    let dir = TestDir::new();
    let path = dir.demo();
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
fn megabyte_paste_is_text() {
    let dir = TestDir::new();
    let path = dir.demo();
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
    if dir_of_child().is_none() {
        return;
    }
    connector_admin::tui::terminal::session::restore_on_panic();
    let session = connector_admin::tui::terminal::session::Session::enter(true).unwrap();
    let ended = std::thread::spawn(|| panic!("words of a record")).join();
    // This thread has not given the terminal back: the hook of the panic has.
    std::mem::forget(session);
    std::process::exit(i32::from(ended.is_err()));
}

#[test]
fn panic_restores_the_terminal_and_leaks_no_record() {
    let dir = TestDir::new();
    let program = std::env::current_exe().unwrap();
    let folder = dir.folder.path().to_str().unwrap();
    let arguments = ["odd_terminals::panics", "--exact", "--nocapture", "--test-threads=1"];
    let terminal =
        Terminal::start_program(program.to_str().unwrap(), dir.folder.path(), &arguments, 80, 24, &[("PLACE", folder)]);
    let (code, raw) = terminal.end_restored();
    assert_eq!(code, 1, "{raw}");
    assert!(raw.contains("\u{1b}[?1049h") && raw.contains("an internal error ("), "{raw}");
    assert!(!raw.contains("words of a record"), "{raw}");
}

/// tmux translates output and input; both have to get through.
#[test]
fn works_in_tmux() {
    let dir = TestDir::new();
    let path = dir.demo();
    let socket = dir.path("tmux").display().to_string();
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

/// A truncated sequence is no key, and the following input is handled: keys, sizes, text.
#[test]
fn truncated_sequence_leaves_no_stale_screen() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut terminal = Terminal::start(&[path.to_str().unwrap()], 100, 30);
    terminal.expect("Migration review").send("\x1b").expect("1 of 197");
    for (begun, columns, rows) in [("\x1b[", 90, 28), ("\x1b[<0;3", 110, 33), ("\x1bO", 80, 24), ("\x1b[M ", 120, 40)] {
        terminal.send(begun).resize(columns, rows);
        terminal.wait("the last line at the new size", |screen| {
            let text = screen.contents_between(rows - 1, 0, rows - 1, columns);
            screen.size() == (cells(rows), cells(columns)) && text.contains("? help")
        });
    }
    terminal.send("\x1b[<0;0;0M").send("/Ticket webhook").expect("/Ticket webhook").send("\x03");
    assert_eq!(terminal.end_restored().0, 0);
}

/// Keys and sizes that arrive together are both handled.
#[test]
fn resize_with_every_key_ends_in_a_complete_screen() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut terminal = Terminal::start(&[path.to_str().unwrap()], 100, 30);
    terminal.expect("Migration review").send("\x1b").expect("1 of 197");
    for round in 0..40 {
        terminal.send("j").resize(80 + round, 24 + round % 9);
    }
    terminal.resize(97, 31).send("k");
    terminal.wait("the last size", |screen| screen.contents_between(30, 0, 30, 97).contains("? help"));
    terminal.send("\x03");
    assert_eq!(terminal.end_restored().0, 0);
}

/// The editor gets none of this program's variables, in a folder that is its owner's alone.
#[cfg(unix)]
/// An editor may leave anything: a file without end, a pipe, a text of gigabytes.
#[test]
fn editor_result_must_be_text_of_bounded_size() {
    use std::os::unix::fs::PermissionsExt as _;
    for (leaves, expected) in [
        ("rm \"$1\"; ln -s /dev/zero \"$1\"", "not a regular file any more"),
        ("rm \"$1\"; mkfifo \"$1\"", "not a regular file any more"),
        ("truncate -s 1500M \"$1\"", "kept in"),
        // Like a windowed editor that does not wait.
        (":", "The editor changed nothing"),
    ] {
        let dir = TestDir::new();
        let path = dir.demo();
        let editor = dir.write("editor.sh", &format!("#!/bin/sh\n{leaves}\n"));
        std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
        let scratch = dir.path("scratch");
        std::fs::create_dir(&scratch).unwrap();
        let environment = [("EDITOR", editor.to_str().unwrap()), ("TMPDIR", scratch.to_str().unwrap())];
        let mut terminal =
            Terminal::start_program(PROGRAM, dir.folder.path(), &[path.to_str().unwrap()], 120, 40, &environment);
        terminal.expect("Migration review").send("\x1b").expect("1 of 197").send("/Legacy import\r").send("e");
        terminal.expect("> Config (JSON)").send("\x0f").expect(expected);
        terminal.send("\x03");
    }
}

#[test]
fn editor_inherits_no_secret_and_its_folder_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = TestDir::new();
    let path = dir.demo();
    let (dump, mode) = (dir.path("dump"), dir.path("mode"));
    let script = format!(
        "#!/bin/sh\nenv > {}\nstat -c %a \"$(dirname \"$1\")\" > {}\nprintf 'a\\tb' > \"$1\"\n",
        dump.display(),
        mode.display()
    );
    let editor = dir.write("editor.sh", &script);
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let environment = [
        ("EDITOR", editor.to_str().unwrap()),
        ("CONNECTOR_ADMIN_API_KEY", "planted-key"),
        ("CONNECTOR_ADMIN_USERNAME", "planted-user"),
        ("CONNECTOR_ADMIN_PASSWORD", "planted-password"),
        ("CONNECTOR_ADMIN_PASSPHRASE", "planted-passphrase"),
    ];
    let keys = connector_admin::demo::keys_of(&path).key_file.display().to_string();
    let arguments = ["-c", "umask 000; exec \"$0\" \"$@\"", PROGRAM, "--key-file", &keys, path.to_str().unwrap()];
    let mut terminal = Terminal::start_program("sh", dir.folder.path(), &arguments, 100, 40, &environment);
    terminal.expect("Migration review").send("\x1b").expect("1 of 197").send("/Legacy import\r").send("e");
    terminal.expect("> Config (JSON)").send("\x0f");
    let until = Instant::now() + PATIENCE;
    while !mode.exists() || std::fs::read_to_string(&mode).unwrap().is_empty() {
        assert!(Instant::now() < until, "the editor was not run:\n{}", terminal.screen(|screen| screen.contents()));
        std::thread::yield_now();
    }
    terminal.expect("a␉b");
    assert_eq!(std::fs::read_to_string(&mode).unwrap().trim(), "700");
    let dumped = std::fs::read_to_string(&dump).unwrap();
    assert!(!dumped.contains("planted") && dumped.contains("PATH="), "{dumped}");
    terminal.send("\x03");
}

#[test]
fn redraw_works_on_every_screen_and_overlay() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut terminal = Terminal::start_in(dir.folder.path(), &[path.to_str().unwrap()], 100, 30, &[]);
    terminal.expect("Migration review");
    // The review, the list, a filter being typed, a form, a dialog, the help.
    for (keys, shows) in [
        ("", "Migration review"),
        ("\x1b", "1 of 197"),
        ("/abc", "abc"),
        ("\x1b\x1be", "> Name"),
        ("x\x1b", "Unsaved changes"),
        ("\x1b[C\r?", "Keyboard shortcuts"),
    ] {
        terminal.send(keys).expect(shows);
        terminal.scribble("\x1b[12;20HBroadcast message");
        assert!(terminal.screen(|screen| screen.contents().contains("Broadcast message")));
        terminal.send("\x0c").wait("it is redrawn", |screen| !screen.contents().contains("Broadcast message"));
        terminal.expect(shows);
    }
    terminal.send("\x03");
}
