//! A catalogue of bad files: each is accepted or refused as documented, with line and reason, and never imported in
//! part.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::commands::{PROGRAM, ok, run};
use crate::support::{TestDir, records};

fn line(id: &str, more: &str) -> String {
    format!(r#"{{"type":"action","id":"{id}","attributes":{{"actionTypeId":".x","name":"n"{more}}}}}"#)
}

fn good() -> String {
    line("good", "")
}

/// Refused: the message, exit code 2, and the unchanged file.
#[track_caller]
fn refused(text: &[u8], at: u64, expected: &str) {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    ok(&path, &["import", dir.write("first.ndjson", &line("first", "")).to_str().unwrap()]);
    let before = records(&path);
    let export = dir.path("bad.ndjson");
    std::fs::write(&export, text).unwrap();
    let output = run(&path, &["import", export.to_str().unwrap()]);
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{printed}");
    assert!(printed.contains(&format!("line {at}: ")) && printed.contains(expected), "{printed}");
    assert!(printed.contains("Nothing was imported"), "{printed}");
    assert_eq!(records(&path), before);
    assert_eq!(run(&path, &["import", "--dry-run", export.to_str().unwrap()]).status.code(), Some(2));
}

#[track_caller]
fn taken(text: &[u8], count: usize) -> Vec<String> {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let export = dir.path("odd.ndjson");
    std::fs::write(&export, text).unwrap();
    ok(&path, &["import", export.to_str().unwrap()]);
    let found = records(&path);
    assert_eq!(found.len(), count);
    found
}

#[test]
fn blank_lines_bom_and_crlf_are_accepted() {
    taken(format!("\u{feff}{}", good()).as_bytes(), 1);
    taken(format!("{}\r\n\r\n{}\r\n", good(), line("b", "")).as_bytes(), 2);
    taken(format!("\n  \n {} \n\t\n", good()).as_bytes(), 1);
    taken(good().as_bytes(), 1);
}

#[test]
fn numbers_keep_their_spelling() {
    let config = r#"{"a":9007199254740993,"b":123456789012345678901234567890,"c":0.10,"d":1E400,"e":-0}"#;
    let found = taken(line("n", &format!(r#","config":{config}"#)).as_bytes(), 1);
    assert!(found[0].contains(&config.replace('"', "\\\"")), "{found:?}");
}

#[test]
fn broken_json_is_refused() {
    let cut = &good()[..40];
    refused(format!("{}\n{cut}", line("a", "")).as_bytes(), 2, "is not a JSON document");
    refused(&[good().as_bytes(), b"\n{\"type\":\"action\0\"}"].concat(), 2, "is not a JSON document");
    refused(&[good().as_bytes(), b"\n\0"].concat(), 2, "is not a JSON document");
    refused(&[good().as_bytes(), b"\n\"\xc3\x28\""].concat(), 2, "is not UTF-8 (at byte 2)");
    refused(&[good().as_bytes(), b"\n\xff\xfe"].concat(), 2, "is not UTF-8 (at byte 1)");
    refused(format!("{} {}", good(), good()).as_bytes(), 1, "is on an earlier line too");
    refused(format!("[{}", good()).as_bytes(), 1, "is a JSON array that cannot be read");
    refused(format!("{}\n\n{{\"a\":1}}", good()).as_bytes(), 3, "has no type");
    refused(b"SQLite format 3\0", 1, "is a SQLite file");
}

#[test]
fn duplicate_member_is_refused() {
    refused(format!("{}\n\n{}", good(), good()).as_bytes(), 3, "\"good\" is on an earlier line too");
    for twice in [
        r#"{"type":"action","id":"x","id":"y","attributes":{"actionTypeId":".x","name":"n"}}"#,
        r#"{"type":"action","id":"x","attributes":{"actionTypeId":".x","name":"n","name":"m"}}"#,
        r#"{"type":"action","id":"x","attributes":{"actionTypeId":".x","name":"n"},"attributes":{}}"#,
    ] {
        refused(twice.as_bytes(), 1, "appears twice");
    }
}

#[test]
fn lone_surrogate_is_refused_where_it_cannot_be_stored() {
    refused(line("x", r#","config":{"\ud800":1}"#).as_bytes(), 1, "holds half of a surrogate pair in a key");
    let name = good().replace(r#""n""#, r#""\udc00""#);
    refused(name.as_bytes(), 1, "attributes.name holds half of a surrogate pair");
    taken(line("x", r#","config":{"a":"\ud800"}"#).as_bytes(), 1);
}

#[test]
fn wrong_attribute_type_is_refused() {
    let documents = [
        (r#"{"type":7}"#, "type is not a string"),
        (r#"{"type":"action","id":7,"attributes":{}}"#, "id is not a string"),
        (r#"{"type":"action","id":"x","attributes":[]}"#, "attributes are malformed"),
        (
            r#"{"type":"action","id":"x","attributes":{"actionTypeId":1,"name":"n"}}"#,
            "attributes.actionTypeId is not a string",
        ),
        (
            r#"{"type":"action","id":"x","attributes":{"actionTypeId":".x","name":["n"]}}"#,
            "attributes.name is not a string",
        ),
        (
            r#"{"type":"action","id":"x","attributes":{"actionTypeId":".x","name":"n"},"created_at":1}"#,
            "created_at is not a string",
        ),
        (
            r#"{"type":"action","id":"x","attributes":{"actionTypeId":".x","name":"n"},"updated_at":{}}"#,
            "updated_at is not a string",
        ),
        (
            r#"{"type":"action","id":"x","attributes":{"actionTypeId":".x","name":"n"},"typeMigrationVersion":2}"#,
            "typeMigrationVersion is not a string",
        ),
        (
            r#"{"type":"action","id":"x","attributes":{"actionTypeId":".x","name":"n"},"migrationVersion":"8"}"#,
            "migrationVersion is not an object",
        ),
    ];
    for (text, expected) in documents {
        refused(format!("{}\n{text}", good()).as_bytes(), 2, expected);
    }
    for (more, expected) in [
        (r#","isMissingSecrets":"yes""#, "attributes.isMissingSecrets is not a boolean"),
        (r#","secrets":7"#, "attributes.secrets is not an object"),
        (r#","secrets":"not base64 at all""#, "is a string but not ciphertext"),
    ] {
        refused(line("x", more).as_bytes(), 1, expected);
    }
    // A config of any kind is kept, shown and blocked: it can be repaired.
    for config in ["null", "[]", "7", "\"text\""] {
        taken(line("x", &format!(r#","config":{config}"#)).as_bytes(), 1);
    }
}

#[test]
fn deep_nesting_is_refused() {
    for depth in [101, 5_000, 200_000] {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        refused(line("x", &format!(r#","config":{{"d":{nested}}}"#)).as_bytes(), 1, "");
    }
    let fine = format!("{}{}", "[".repeat(90), "]".repeat(90));
    taken(line("x", &format!(r#","config":{{"d":{fine}}}"#)).as_bytes(), 1);
}

#[test]
fn endless_line_is_refused() {
    let mut text = good().into_bytes();
    text.extend_from_slice(b"\n{\"type\":\"action\",\"id\":\"");
    text.resize(100 << 20, b'x');
    refused(&text, 2, "is longer than 64 MiB");
}

#[test]
fn non_text_input_is_refused() {
    let dir = TestDir::new();
    let path = dir.path("new.db");
    let empty = dir.write("empty.ndjson", "");
    let script = dir.write("script.sh", "#!/bin/sh\ncurl https://kibana.example\n");
    for (source, expected) in [
        (dir.folder.path().to_owned(), "is a directory"),
        (dir.path("nowhere.ndjson"), "no such file"),
        (empty, "holds no saved object"),
        (dir.demo(), "is a SQLite file"),
        (script, "is a script"),
    ] {
        let output = run(&path, &["import", source.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(expected), "{output:?}");
        assert!(!path.exists(), "a refused import makes no file");
    }
    // An export of nothing is an export.
    let summary = r#"{"excludedObjects":[],"excludedObjectsCount":0,"exportedCount":0,"missingRefCount":0,"missingReferences":[]}"#;
    taken(summary.as_bytes(), 0);
}

#[cfg(unix)]
#[test]
fn pipe_is_read_to_its_end() {
    let dir = TestDir::new();
    let (path, fifo) = (dir.path("a.db"), dir.path("fifo"));
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let writer = std::thread::spawn({
        let fifo = fifo.clone();
        move || {
            let mut pipe = std::fs::OpenOptions::new().write(true).open(fifo).unwrap();
            pipe.write_all(format!("{}\n{}", good(), line("b", "")).as_bytes()).unwrap();
        }
    });
    ok(&path, &["import", fifo.to_str().unwrap()]);
    writer.join().unwrap();
    assert_eq!(records(&path).len(), 2);
}

/// Runs with only the given environment.
fn bare(path: &Path, arguments: &[&str], stdin: Stdio) -> std::process::Output {
    Command::new(PROGRAM).env_clear().arg("--file").arg(path).args(arguments).stdin(stdin).output().unwrap()
}

#[test]
fn missing_home_and_input_are_explained() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let export = dir.write("good.ndjson", &good());
    let key_file = dir.path("keys");
    let named = ["--key-file", key_file.to_str().unwrap(), "import", export.to_str().unwrap()];
    assert_eq!(bare(&path, &named, Stdio::null()).status.code(), Some(0));
    for arguments in [&["list"][..], &["export"], &["migrate", "--apply"]] {
        let output = bare(&path, arguments, Stdio::null());
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{output:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    }
    let closed = bare(&path, &["--key-file", key_file.to_str().unwrap(), "import", "-"], Stdio::null());
    assert_eq!(closed.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&closed.stderr).contains("standard input holds no saved object"), "{closed:?}");
    let closed = bare(&path, &["--key-file", key_file.to_str().unwrap(), "create", "--from", "-"], Stdio::null());
    assert_eq!(closed.status.code(), Some(2), "{closed:?}");
}

/// The reader of the output goes after one line.
#[cfg(unix)]
#[test]
fn closed_pipe_is_not_a_failure() {
    let dir = TestDir::new();
    let path = dir.demo();
    ok(&path, &["upgrade"]);
    for command in [
        "list",
        "list --json",
        "list --jsonl",
        "list --csv",
        "export",
        "migrate",
        "keys",
        "types",
        "man",
        "completions bash",
        "history",
    ] {
        let script = format!(
            "'{PROGRAM}' --file '{}' {command} 2>'{}' | head -1; exit ${{PIPESTATUS[0]}}",
            path.display(),
            dir.path("err").display()
        );
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        let error = std::fs::read_to_string(dir.path("err")).unwrap();
        assert!(!error.contains("panicked") && !error.contains("Broken pipe"), "{command}: {error}");
        assert!(matches!(output.status.code(), Some(0 | 1)), "{command}: {output:?} {error}");
    }
}

#[cfg(unix)]
#[test]
fn unwritable_folder_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TestDir::new();
    let folder = dir.path("closed");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    let is_root = std::fs::write(folder.join("probe"), "").is_ok();
    let _ = std::fs::remove_file(folder.join("probe"));
    // Root can write everywhere, so the path leads through a file.
    let path = if is_root { Path::new("/proc/none/a.db").to_owned() } else { folder.join("a.db") };
    let output = run(&path, &["import", dir.write("good.ndjson", &good()).to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!printed.contains("panicked") && printed.starts_with("connector-admin: /"), "{printed}");
}
