//! The terminal is given back on every way out, and the program lives through what terminals do.

use super::terminal::{PROGRAM, Terminal};
use crate::support::{TestDir, execute};

#[test]
fn signals_end_the_program_cleanly() {
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129), ("QUIT", 131)] {
        let dir = TestDir::new();
        let path = dir.demo();
        let mut terminal = Terminal::start(&[path.to_str().unwrap()], 80, 24);
        terminal.expect("Migration review").signal(signal);
        assert_eq!(terminal.end_restored().0, code, "{signal}");
        assert!(dir.names().iter().all(|name| !name.ends_with("-wal")), "{:?}", dir.names());
    }
}

#[test]
fn suspend_restores_the_terminal_and_resume_redraws() {
    let dir = TestDir::new();
    dir.demo();
    let mut terminal = Terminal::start_program("sh", dir.folder.path(), &["-i"], 80, 24, &[("ENV", "")]);
    terminal.send(&format!("{PROGRAM} demo.db\r")).expect("Migration review").send("\x1a");
    terminal.wait("the shell", |screen| !screen.alternate_screen() && screen.contents().contains("Stopped"));
    terminal
        .send("fg\r")
        .wait("the review", |screen| screen.alternate_screen() && screen.contents().contains("Migration review"));
    terminal.send("\x1b").expect("1 of 197").send("q");
    terminal
        .wait("the prompt", |screen| !screen.alternate_screen() && screen.contents().trim_end().ends_with(['#', '$']));
    terminal.send("exit\r");
    terminal.end();
}

/// Without a shell that could wake it up again, a stopped program would be lost.
#[test]
fn suspend_without_a_shell_continues() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut terminal = Terminal::start(&[path.to_str().unwrap()], 80, 24);
    terminal.expect("Migration review").send("\x1a").send("\x1b").expect("1 of 197").send("q");
    assert_eq!(terminal.end_restored().0, 0);
}

#[test]
fn refused_file_never_touches_the_screen() {
    let dir = TestDir::new();
    let path = dir.demo();
    execute(&path, "PRAGMA user_version = 99");
    let terminal = Terminal::start(&[path.to_str().unwrap()], 80, 24);
    let (code, raw) = terminal.end_restored();
    assert_eq!(code, 2);
    assert!(raw.contains("has schema 99") && !raw.contains("\u{1b}[?1049h"), "{raw}");
}

#[test]
fn failed_upgrade_is_reported_on_the_restored_screen() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xa5);
    std::fs::write(&path, &bytes).unwrap();
    let (code, raw) = Terminal::start(&[path.to_str().unwrap()], 80, 24).end_restored();
    assert_eq!(code, 2);
    assert!(raw.contains("The file is as it was"), "{raw}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn resize_redraws_and_tiny_terminal_is_reported() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut terminal = Terminal::start(&[path.to_str().unwrap()], 120, 40);
    terminal.expect("Migration review").resize(40, 10).expect("AFTER").resize(20, 4).expect("30x8 needed");
    terminal.resize(80, 24).expect("189 pending: backfill 73, stamp only 111, blocked 5").send("\x03");
    assert_eq!(terminal.end_restored().0, 0);
}

#[test]
fn selection_is_visible_without_color() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut terminal = Terminal::start_in(dir.folder.path(), &[path.to_str().unwrap()], 80, 24, &[("NO_COLOR", "1")]);
    terminal.expect("Migration review").wait("a selected row", |screen| {
        (0..24).any(|row| screen.cell(row, 1).is_some_and(|cell| cell.contents() == ">" && cell.inverse()))
    });
    let coloured = terminal.screen(|screen| {
        (0..24).any(|row| {
            (0..80).any(|column| screen.cell(row, column).is_some_and(|cell| cell.fgcolor() != vt100::Color::Default))
        })
    });
    assert!(!coloured);
    terminal.send("\x03");
    let (_, raw) = terminal.end_restored();
    assert!(!raw.contains("\u{1b}[;m") && !raw.contains("\u{1b}[38"), "no colour command is written");
}

#[test]
fn paste_is_never_keys() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut terminal = Terminal::start(&[path.to_str().unwrap()], 80, 24);
    terminal.expect("Migration review").send("\x1b").expect("1 of 197");
    terminal.send("\x1b[200~qdq\x1b[201~").expect("Text cannot be pasted here");
    terminal.send("/").expect("Enter done").send("\x1b[200~Ticket\nwebhook\x1b[201~").expect("/Ticket webhook");
    terminal.send("\x03");
    assert_eq!(terminal.end_restored().0, 0);
}

#[test]
fn dumb_terminal_is_refused() {
    let dir = TestDir::new();
    let path = dir.demo();
    let terminal = Terminal::start_in(dir.folder.path(), &[path.to_str().unwrap()], 80, 24, &[("TERM", "dumb")]);
    let (code, raw) = terminal.end_restored();
    assert_eq!(code, 2);
    assert!(raw.contains("TERM=dumb"), "{raw}");
}

#[test]
fn two_programs_see_each_others_changes() {
    let dir = TestDir::new();
    let path = dir.demo();
    let path = path.to_str().unwrap();
    let mut first = Terminal::start(&[path], 100, 30);
    first.expect("Migration review").send("\x1b").expect("1 of 197");
    let mut second = Terminal::start(&[path], 100, 30);
    second.expect("1 of 197").send("/Ticket webhook\rt").expect("is per-user now");
    first.send("/Ticket webhook\r").expect("per-user");
    // On Linux even without a key: the system reports writes to the file.
    #[cfg(target_os = "linux")]
    {
        first
            .send("e")
            .expect("> Name")
            .send(" !")
            .send("\x13")
            .expect("Save these changes?")
            .send("y")
            .expect("Saved ");
        second.expect("Ticket webhook (9.4) !");
        first
            .send("e")
            .expect("> Name")
            .send("!")
            .send("\x13")
            .expect("Save these changes?")
            .send("y")
            .expect("Saved ");
        second.expect("Ticket webhook (9.4) !!");
    }
    for mut terminal in [first, second] {
        terminal.send("\x03");
        assert_eq!(terminal.end_restored().0, 0);
    }
}

#[test]
fn job_waits_for_another_writer_and_can_be_cancelled() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut terminal = Terminal::start(&[path.to_str().unwrap()], 100, 30);
    terminal.expect("Migration review").send("\x1b").expect("1 of 197").send("/Ticket webhook\r").expect("1 of 1");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; UPDATE connectors SET name = 'theirs' WHERE name LIKE 'Ops%'").unwrap();
    terminal.send("t").expect("waiting for another program");
    terminal.send("\x1b").expect("Stopped; nothing was changed").send("/\x15theirs\r").expect("0 of 0");
    terminal.send("/\x15Ticket webhook\r").expect("1 of 1").send("t").expect("waiting for another program");
    other.execute_batch("COMMIT").unwrap();
    terminal.expect("is per-user now").send("/\x15theirs\r").expect("theirs");
    terminal.send("\x03");
    assert_eq!(terminal.end_restored().0, 0);
}

#[test]
fn command_waits_for_another_writer() {
    let dir = TestDir::new();
    let path = dir.demo();
    drop(connector_admin::store::Store::open(&path, &std::sync::Arc::default(), &mut |_| Ok(())).unwrap());
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; UPDATE connectors SET name = 'theirs' WHERE name LIKE 'Ops%'").unwrap();
    let mut terminal =
        Terminal::start(&["--file", path.to_str().unwrap(), "migrate", "--apply", "--no-backup"], 100, 30);
    terminal.expect("waiting for another program that is writing to the file");
    other.execute_batch("COMMIT").unwrap();
    let (code, raw) = terminal.end();
    assert_eq!(code, 1, "blocked records stay: {raw}");
    assert!(raw.contains("Migrated 184 connectors"), "{raw}");
}
