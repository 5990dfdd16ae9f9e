//! Targets of output: files, links, pipes, standard output; and protected files.

use std::process::Command;

use super::commands::{PROGRAM, json as command_json, ok, run};
use super::exchange::objects;
use crate::support::{SAMPLE, TestDir, records};

#[test]
fn export_file_is_written_atomically() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    ok(&path, &["import", dir.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    let target = dir.path("out.ndjson");
    ok(&path, &["export", "--output", target.to_str().unwrap(), "--filter", "type:slack"]);
    assert_eq!(objects(&std::fs::read_to_string(&target).unwrap()).len(), 2);
    let refused = run(&path, &["export", "--output", path.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(records(&path).len(), 30);
}

#[cfg(unix)]
#[test]
fn export_follows_links_and_writes_to_pipes() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    ok(&path, &["import", dir.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    let target = dir.write("target.ndjson", "old");
    let link = dir.path("link.ndjson");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    ok(&path, &["export", "--output", link.to_str().unwrap()]);
    assert!(link.is_symlink());
    assert_eq!(objects(&std::fs::read_to_string(&target).unwrap()).len(), 31);
    let fifo = dir.path("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || std::fs::read_to_string(fifo).unwrap()
    });
    ok(&path, &["export", "--output", fifo.to_str().unwrap()]);
    assert_eq!(objects(&reader.join().unwrap()).len(), 31);
}

/// The files that an export or a map of ids must never replace.
#[test]
fn protected_files_are_never_overwritten() {
    let dir = TestDir::new();
    let (path, keys) = (dir.path("a.db"), dir.write("keys", "theirs"));
    let export = dir.write("sample.ndjson", SAMPLE);
    ok(&path, &["import", export.to_str().unwrap()]);
    ok(&path, &["backup", dir.path("copy.db").to_str().unwrap()]);
    std::fs::hard_link(&path, dir.path("same.db")).unwrap();
    // Another program has it open, so its sidecar files exist.
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE their_own (id); DROP TABLE their_own").unwrap();
    let before = records(&path);
    for (name, expected) in [
        ("a.db", "the connectors file itself"),
        ("same.db", "the connectors file itself"),
        ("keys", "the key file"),
        ("a.db-wal", "kept next to the connectors file"),
        ("a.db-shm", "kept next to the connectors file"),
        ("a.db-journal", "kept next to the connectors file"),
        ("a.db.auto.bak", "kept next to the connectors file"),
        ("copy.db", "a connectors file, a backup of one"),
        ("sample.ndjson", ""),
    ] {
        let target = dir.path(name);
        let (target, was) = (target.to_str().unwrap(), std::fs::read(&target).ok());
        let key_file = ["--key-file", keys.to_str().unwrap()];
        let map = ["import", export.to_str().unwrap(), "--create-new-copies", "--id-map", target];
        for arguments in [&["export", "--output", target][..], &map] {
            if name == "sample.ndjson" && arguments[0] == "export" {
                continue;
            }
            let output = run(&path, &[&key_file, arguments].concat());
            let printed = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {printed}");
            assert!(printed.contains(expected) && printed.contains("name another file"), "{printed}");
            assert_eq!(std::fs::read(target).ok(), was, "{name}");
        }
    }
    assert_eq!(records(&path), before);
    assert_eq!(std::fs::read_to_string(keys).unwrap(), "theirs");
}

#[cfg(target_os = "linux")]
#[test]
fn completed_import_is_never_reported_as_refused() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let export = dir.write("sample.ndjson", SAMPLE);
    let output = run(&path, &["import", "--create-new-copies", "--id-map", "/dev/full", export.to_str().unwrap()]);
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), records(&path).len()), (Some(1), 30), "{printed}");
    assert!(printed.contains("everything is imported, but") && printed.contains("undo"), "{printed}");
}

#[cfg(target_os = "linux")]
#[test]
fn failed_output_exits_with_1_after_a_write_else_2() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    ok(&path, &["import", dir.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    for (arguments, code) in
        [(&["list"][..], 2), (&["export"], 2), (&["toggle", "minimal-connector"], 1), (&["backup"], 1)]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output =
            Command::new(PROGRAM).arg("--file").arg(&path).args(arguments).stdout(full).output().expect("runs");
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {printed}");
        assert!(printed.contains("standard output"), "{printed}");
    }
    let mode = command_json(&path, &["get", "minimal-connector", "--json"])["auth_mode"].clone();
    assert_eq!(mode, "per-user");
}

#[cfg(unix)]
#[test]
fn export_follows_a_link_and_hides_its_temporary_file() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    ok(&path, &["import", dir.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    let (link, target) = (dir.path("link.ndjson"), dir.path("target.ndjson"));
    std::os::unix::fs::symlink("target.ndjson", &link).unwrap();
    ok(&path, &["export", "--output", link.to_str().unwrap()]);
    assert!(link.is_symlink() && target.is_file());
    let output = run(&path, &["export", "--output", dir.path("no/such/folder/x.ndjson").to_str().unwrap()]);
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{printed}");
    assert!(printed.contains("x.ndjson cannot be written") && !printed.contains(".connector-admin-"), "{printed}");
}

#[test]
fn dev_stdout_is_never_replaced() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    ok(&path, &["import", dir.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    let wanted = ok(&path, &["export"]);
    for target in ["-", "/dev/stdout"] {
        let out = dir.path("out");
        let mut file = std::fs::File::create(&out).unwrap();
        std::io::Write::write_all(&mut file, b"before\n").unwrap();
        let program = super::commands::PROGRAM;
        let status = std::process::Command::new(program)
            .args(["--file", path.to_str().unwrap(), "export", "--output", target])
            .current_dir(dir.folder.path())
            .stdout(file)
            .status()
            .unwrap();
        assert!(status.success());
        assert_eq!(std::fs::read_to_string(&out).unwrap(), format!("before\n{wanted}"));
    }
    assert!(!dir.path("-").exists());
}

#[cfg(unix)]
#[test]
fn report_is_written_atomically() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = TestDir::new();
    let path = dir.demo();
    let (link, target) = (dir.path("link.md"), dir.write("target.md", "before"));
    std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    ok(&path, &["migrate", "--report", link.to_str().unwrap(), "--quiet"]);
    assert!(link.is_symlink());
    assert!(std::fs::read_to_string(&target).unwrap().starts_with("# Migration plan"));
    assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
    let pipe = dir.path("pipe.csv");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).unwrap()
    });
    ok(&path, &["migrate", "--report", pipe.to_str().unwrap(), "--quiet"]);
    assert!(reader.join().unwrap().starts_with("id,name,"));
    let refused = run(&path, &["migrate", "--report", dir.path("no/folder/x.md").to_str().unwrap()]);
    let printed = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        printed.contains("x.md cannot be written: no folder") && !printed.contains(".connector-admin"),
        "{printed}"
    );
}

#[test]
fn exit_code_ignores_who_reads_the_output() {
    let dir = TestDir::new();
    let path = dir.demo();
    for command in ["check", "migrate --apply --no-backup"] {
        let script = format!("( {PROGRAM} --file {} {command}; echo $? >&2 ) | true", path.display());
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr).lines().last(), Some("1"), "{command}: {output:?}");
    }
}

#[test]
fn dash_is_standard_output_or_refused() {
    let dir = TestDir::new();
    let path = dir.demo();
    let output = run(&path, &["backup", "-"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(ok(&path, &["migrate", "--report", "-"]).starts_with("# Migration plan"));
}

#[test]
fn refused_import_keeps_files_of_other_programs() {
    use std::io::Write as _;
    let dir = TestDir::new();
    let path = dir.path("new/a.db");
    let line = r#"{"type":"action","id":"a","attributes":{"actionTypeId":".x","name":"n"}}"#;
    for end in ["bad", line.replace("\"a\"", "\"b\"").as_str()] {
        let _ = std::fs::remove_file(&path);
        let mut import = Command::new(PROGRAM);
        import.arg("--file").arg(&path).args(["import", "-"]).stdin(std::process::Stdio::piped());
        import.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
        let mut import = import.spawn().unwrap();
        let mut input = import.stdin.take().unwrap();
        // More than a pipe holds: when all of it is read, the import has begun.
        for at in 0..2000 {
            writeln!(input, "{}", line.replace("\"a\"", &format!("\"c{at}\""))).unwrap();
        }
        let other = dir.write("other.ndjson", &line.replace("\"a\"", "\"theirs\""));
        ok(&path, &["import", other.to_str().unwrap()]);
        writeln!(input, "{end}").unwrap();
        drop(input);
        let output = import.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(records(&path).len(), 1, "{output:?}");
        let names: Vec<_> = std::fs::read_dir(dir.path("new")).unwrap().flatten().map(|it| it.file_name()).collect();
        assert_eq!(names, ["a.db"]);
    }
}

#[test]
fn refused_import_creates_no_file() {
    let dir = TestDir::new();
    let path = dir.path("new/folder/c.db");
    let output = run(&path, &["import", dir.write("bad.ndjson", "garbage").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(dir.names(), ["bad.ndjson"]);
}

#[cfg(target_os = "linux")]
#[test]
fn unwritable_new_file_is_named_and_removed() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let export = dir.write("sample.ndjson", SAMPLE);
    let script = format!("ulimit -f 40; exec {PROGRAM} --file {} import {}", path.display(), export.display());
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{printed}");
    assert!(printed.contains("a.db could not be") && !printed.contains(".connector-admin-"), "{printed}");
    assert_eq!(dir.names(), ["sample.ndjson"]);
}

/// Databases, logs and key files that this program does not know, in use or not.
#[test]
fn database_log_and_key_files_are_never_overwritten() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    ok(&path, &["import", dir.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    let theirs = dir.path("theirs.sqlite");
    let open = rusqlite::Connection::open(&theirs).unwrap();
    open.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE birds (name); INSERT INTO birds VALUES ('wren')")
        .unwrap();
    for suffix in ["-wal", "-shm"] {
        std::fs::copy(dir.path(&format!("theirs.sqlite{suffix}")), dir.path(&format!("moved{suffix}"))).unwrap();
    }
    std::fs::write(dir.path("journal"), [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7, 0, 0]).unwrap();
    ok(&path, &["--key-file", dir.path("other.keys").to_str().unwrap(), "create", "--from", &webhook(&dir)]);
    let bare = std::fs::read_to_string(dir.path("other.keys")).unwrap();
    dir.write("bare.keys", bare.lines().last().unwrap());
    dir.write("commented.keys", &format!("{}{}", "# a comment\n".repeat(5000), bare.lines().last().unwrap()));
    // Its first bytes are damaged; `restore` could replace it.
    std::fs::copy(&path, dir.path("damaged.db")).unwrap();
    let mut bytes = std::fs::read(dir.path("damaged.db")).unwrap();
    bytes[..16].fill(0);
    std::fs::write(dir.path("damaged.db"), bytes).unwrap();
    // The database is missing, but its sidecar files are still protected.
    std::fs::copy(dir.path("theirs.sqlite-wal"), dir.path("gone.db-wal")).unwrap();
    for name in ["empty.db-wal", "notes.db-shm"] {
        dir.write(name, if name.starts_with("empty") { "" } else { "notes" });
    }
    for name in [
        "commented.keys",
        "damaged.db",
        "gone.db",
        "gone.db-wal",
        "empty.db-wal",
        "notes.db-shm",
        "notes.db",
        "theirs.sqlite",
        "theirs.sqlite-wal",
        "theirs.sqlite-shm",
        "theirs.sqlite-journal",
        "moved-wal",
        "moved-shm",
        "journal",
        "other.keys",
        "bare.keys",
    ] {
        let target = dir.path(name);
        let was = std::fs::read(&target).ok();
        let target = target.to_str().unwrap();
        for arguments in [
            &["export", "--output", target][..],
            &["migrate", "--report", target],
            &["import", dir.path("sample.ndjson").to_str().unwrap(), "--create-new-copies", "--id-map", target],
            &["backup", target],
        ] {
            let output = run(&path, arguments);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(std::fs::read(target).ok(), was, "{arguments:?}");
        }
    }
    for arguments in [&["remote", "add", "p", "https://h.example"][..], &["create", "--from", &webhook(&dir)]] {
        assert_eq!(run(&dir.path("notes.db"), arguments).status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(std::fs::read_to_string(dir.path("notes.db-shm")).unwrap(), "notes");
    drop(open);
}

fn webhook(dir: &TestDir) -> String {
    let body = r#"{"id":"hook","name":"Hook","connector_type_id":".webhook","config":{"url":"https://a.example","method":"post","hasAuth":true,"authType":"webhook-authentication-basic"},"secrets":{"user":"u","password":"p"}}"#;
    dir.write("hook.json", body).display().to_string()
}

/// A key is appended to key files only, and read from regular files only.
#[cfg(unix)]
#[test]
fn key_file_is_recognized_and_protected() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let body = webhook(&dir);
    let fifo = dir.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let notes = dir.write("notes", "a note without an end of line");
    let heading = dir.write("heading.md", "# A heading\n");
    std::fs::write(dir.path("other.db"), b"SQLite format 3\0 and more").unwrap();
    for (key_file, word) in [
        (fifo, "not a regular file"),
        ("/dev/zero".into(), "not a regular file"),
        (notes, "this is not a key"),
        (heading, "this is not a key"),
        (dir.path("other.db"), "cannot be used"),
    ] {
        let was = key_file.is_file().then(|| std::fs::read(&key_file).unwrap());
        let output = run(&path, &["--key-file", key_file.to_str().unwrap(), "create", "--from", &body]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(word) || error.contains("this is not a key"), "{error}");
        assert_eq!(key_file.is_file().then(|| std::fs::read(&key_file).unwrap()), was);
    }
    // An empty file is a key file without a key.
    ok(&path, &["--key-file", dir.write("empty", "").to_str().unwrap(), "create", "--from", &body]);
}

#[test]
fn api_key_in_an_import_is_dropped_with_a_note() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let line = r#"{"id":"a","type":"action","attributes":{"actionTypeId":".webhook","name":"A","config":{},"secrets":{},"isMissingSecrets":true,"apiKey":"planted-key","uiamApiKey":"planted-too","other":1},"references":[],"typeMigrationVersion":"10.3.0"}"#;
    let export = dir.write("one.ndjson", line);
    let output = run(&path, &["import", export.to_str().unwrap()]);
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{printed}");
    assert!(printed.contains("1 connector with an API key"), "{printed}");
    for name in dir.names().into_iter().filter(|name| name.starts_with("a.db")) {
        let bytes = std::fs::read(dir.path(&name)).unwrap();
        assert!(!bytes.windows(8).any(|part| part == b"planted-"), "{name}");
    }
    let exported = ok(&path, &["export"]);
    assert!(exported.contains(r#""apiKey":null"#) && exported.contains(r#""other":1"#), "{exported}");
}
