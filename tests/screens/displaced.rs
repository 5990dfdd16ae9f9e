//! A file that is deleted, moved, replaced or restored while it is on the screen.

use std::path::Path;

use connector_admin::store;

use crate::support::{App, TestDir, execute, records};

fn opened(dir: &TestDir) -> App {
    let mut app = App::open(&dir.demo(), 100, 30);
    app.act("back").expect("1 of 197");
    app
}

#[test]
fn edit_of_a_deleted_file_is_not_reported_as_saved() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    let before = records(&dir.path("demo.db"));
    std::fs::remove_file(dir.path("demo.db")).unwrap();
    app.act("toggle-mode").expect("was deleted or moved away").expect("Save to a new file").expect("FILE GONE");
    app.expect_not("is per-user now");
    app.act("right confirm").expect("Save what is open to a new file");
    app.type_text(dir.path("rescued.db").to_str().unwrap()).act("confirm").expect("Saved to a new file");
    assert_eq!(records(&dir.path("rescued.db")), before);
}

#[test]
fn displaced_file_is_noticed_without_an_edit() {
    for (what, happens, expected) in [
        (
            "deleted",
            &(|path: &Path| std::fs::remove_file(path).unwrap()) as &dyn Fn(&Path),
            "The file does not exist any more",
        ),
        (
            "moved",
            &|path| std::fs::rename(path, path.with_extension("moved")).unwrap(),
            "The file does not exist any more",
        ),
        (
            "replaced",
            &|path| {
                std::fs::copy(path, path.with_extension("copy")).unwrap();
                std::fs::rename(path.with_extension("copy"), path).unwrap();
            },
            "Another file is in its place",
        ),
    ] {
        let dir = TestDir::new();
        let mut app = opened(&dir);
        happens(&dir.path("demo.db"));
        app.act("open").expect(expected).act("confirm").expect("FILE GONE");
        // It is reported once.
        app.act("back down").expect_not(expected);
        assert!(what != "replaced" || dir.path("demo.db").exists());
    }
}

/// Finished changes are in the file, not in a log that the next file at this path would apply.
#[test]
fn replaced_file_gets_no_write_and_moved_file_is_complete() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    let path = dir.path("demo.db");
    std::fs::copy(&path, dir.path("other.db")).unwrap();
    let other = records(&dir.path("other.db"));
    app.act("toggle-mode").expect("per-user").act("down toggle-mode");
    let edited = records(&path);
    assert_ne!(edited, other);
    let log = dir.path("demo.db-wal");
    assert_eq!(std::fs::metadata(&log).map_or(0, |log| log.len()), 0, "the log is empty after each edit");
    std::fs::rename(&path, dir.path("moved.db")).unwrap();
    std::fs::rename(dir.path("other.db"), &path).unwrap();
    // After a kill or not: each of the two files is complete.
    assert_eq!(records(&path), other);
    assert_eq!(records(&dir.path("moved.db")), edited);
    drop(app);
    assert_eq!(records(&path), other);
    assert_eq!(records(&dir.path("moved.db")), edited);
}

#[test]
fn failed_save_keeps_the_form() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("edit").expect("> Name").type_text(" typed");
    std::fs::rename(dir.path("demo.db"), dir.path("away.db")).unwrap();
    app.act("save yes").expect("was deleted or moved away").act("confirm");
    app.expect(" typed").act("save yes").expect("Save to a new file");
}

/// A backup is restored by another program, which then edits up to the same step: the names are those of the file.
#[test]
fn restore_with_equal_step_count_reloads_names() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut app = App::open(&path, 100, 30);
    app.act("back").expect("1 of 197");
    let backup = dir.path("b.bak");
    std::fs::copy(&path, &backup).unwrap();
    let rename = |app: &mut App, name: &str| {
        app.press("g").act("edit").expect("> Name").press("Ctrl-u").type_text(name).act("save yes").expect("Saved ");
    };
    rename(&mut app, "AA first edit");
    app.act("filter").type_text("first").expect("AA first edit").act("back");
    // Another program, with SQLite's own way to restore.
    execute(&path, "PRAGMA wal_checkpoint(TRUNCATE)");
    {
        let source = rusqlite::Connection::open(&backup).unwrap();
        let mut live = rusqlite::Connection::open(&path).unwrap();
        let copying = rusqlite::backup::Backup::new(&source, &mut live).unwrap();
        copying.run_to_completion(1000, std::time::Duration::ZERO, None).unwrap();
    }
    let mut other = App::open(&path, 100, 30);
    other.act("back");
    rename(&mut other, "AA second edit");
    app.act("down up").act("filter").type_text("first").expect("No connectors match").act("back");
    app.act("filter").type_text("second").expect("AA second edit");
}

/// A record that was read before a restore is not the one that has its revision afterwards.
#[test]
fn form_opened_before_a_restore_is_a_conflict() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut app = App::open(&path, 100, 30);
    app.act("back").expect("1 of 197");
    let backup = dir.path("b.bak");
    std::fs::copy(&path, &backup).unwrap();
    app.press("g").act("edit").expect("> Name").press("Ctrl-u").type_text("AA one").act("save yes").expect("Saved ");
    app.act("edit").expect("> Name").type_text(" typed");
    store::restore(&path, &backup, "2026-11-25T12:00:00Z".parse().unwrap(), |_, _| true).unwrap();
    let mut other = App::open(&path, 100, 30);
    other
        .act("back")
        .press("g")
        .act("edit")
        .expect("> Name")
        .press("Ctrl-u")
        .type_text("AA two")
        .act("save yes")
        .expect("Saved ");
    app.act("save yes").expect("changed");
    assert!(records(&path).iter().any(|row| row.contains("AA two")));
}

#[test]
fn reload_rereads_the_file() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("refresh").expect("Read again").expect("1 of 197");
    app.act("filter").type_text("Ticket").expect("Ticket webhook");
}
