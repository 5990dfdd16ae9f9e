//! Exports: what is taken, what is refused, what comes back.

use std::process::Command;

use serde_json::{Value, json};

use super::commands::{PROGRAM, json as command_json, ok, run};
use crate::support::{Place, SAMPLE, records, rows};

fn objects(ndjson: &str) -> Vec<Value> {
    ndjson.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn export_import_export_gives_the_same_lines() {
    let place = Place::new();
    let (first, second) = (place.path("a.db"), place.path("b.db"));
    ok(&first, &["import", place.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    for (path, is_of_exports) in [(first, true), (place.demo(), false)] {
        let export = |path: &std::path::Path| String::from_utf8(run(path, &["export"]).stdout).unwrap();
        let again = |text: &str| {
            let _ = std::fs::remove_file(&second);
            ok(&second, &["import", place.write("again.ndjson", text).to_str().unwrap()]);
            export(&second)
        };
        // What was left out of the first export is not in the second file, so the summary may differ.
        let lines = |text: &str| {
            text.lines().map(str::to_owned).filter(|line| !line.contains("exportedCount")).collect::<Vec<_>>()
        };
        let text = export(&path);
        assert!(!text.ends_with('\n'));
        let once = again(&text);
        // Records of old releases that did not come by an import take their migrations with the first one.
        assert!(!is_of_exports || lines(&once) == lines(&text));
        assert_eq!(lines(&once).len(), lines(&text).len());
        assert_eq!(lines(&again(&once)), lines(&once));
    }
}

#[test]
fn the_sample_comes_back_as_kibana_wrote_it() {
    let place = Place::new();
    let path = place.path("a.db");
    ok(&path, &["import", place.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    let exported = ok(&path, &["export"]);
    let mut wanted: Vec<Value> = objects(SAMPLE);
    let summary = wanted.pop().unwrap();
    wanted.sort_by_key(|object| object["id"].as_str().unwrap().to_owned());
    for object in &mut wanted {
        // Before 8.5 an export left the key out; a line without any stamp gets the one of its record.
        object["attributes"].as_object_mut().unwrap().entry("secrets").or_insert(json!({}));
        if object["id"] == "minimal-connector" {
            object["typeMigrationVersion"] = json!("10.1.0");
        }
        // Lines of releases before 8.3 have taken the migrations of those.
        let release = object["migrationVersion"]["action"].as_str().unwrap_or("8.3.0").to_owned();
        if release.as_str() < "8.3.0" {
            object["migrationVersion"]["action"] = json!("8.3.0");
            if object["attributes"]["actionTypeId"].as_str().unwrap().starts_with(".servicenow") {
                object["attributes"]["config"]["isOAuth"] = json!(false);
            }
            if object["attributes"]["actionTypeId"] == ".email" && object["attributes"]["config"]["service"].is_null() {
                object["attributes"]["config"]["service"] = json!("other");
            }
        }
    }
    let mut found = objects(&exported);
    assert_eq!(found.pop().unwrap(), summary);
    for (found, wanted) in found.iter().zip(&wanted) {
        assert_eq!(found, wanted);
    }
    assert_eq!(found.len(), wanted.len());
    for line in exported.lines() {
        assert_sorted(&serde_json::from_str(line).unwrap());
    }
}

fn assert_sorted(value: &Value) {
    if let Value::Object(map) = value {
        assert!(map.keys().is_sorted(), "{:?}", map.keys().collect::<Vec<_>>());
        map.values().for_each(assert_sorted);
    }
}

#[test]
fn a_migrated_record_is_stamped_and_carries_its_mode() {
    let place = Place::new();
    let path = place.path("a.db");
    ok(&path, &["import", place.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    ok(&path, &["migrate", "--apply"]);
    let exported = objects(&ok(&path, &["export", "--filter", "\"Ticket webhook (basic)\""]));
    assert_eq!(exported.len(), 2);
    assert_eq!(
        (exported[0]["typeMigrationVersion"].as_str(), exported[0]["attributes"]["authMode"].as_str()),
        (Some("10.2.0"), Some("shared"))
    );
    let old = objects(&ok(&path, &["export", "--filter", "\"Mail relay\""]));
    assert_eq!((old[0]["typeMigrationVersion"].as_str(), old[0].get("migrationVersion")), (Some("10.2.0"), None));
}

#[test]
fn secrets_never_leave_and_are_marked_as_missing() {
    let place = Place::new();
    let path = place.demo();
    let exported = run(&path, &["export"]);
    assert_eq!(exported.status.code(), Some(1), "one record is left out");
    let text = String::from_utf8(exported.stdout).unwrap();
    for secret in rows(&path, "SELECT secrets FROM connectors WHERE secrets IS NOT NULL") {
        assert!(!text.contains(&secret));
    }
    let mut found = objects(&text);
    let summary = found.pop().unwrap();
    assert_eq!((summary["exportedCount"].as_u64(), summary["excludedObjectsCount"].as_u64()), (Some(196), Some(1)));
    assert!(found.iter().all(|object| object["attributes"]["secrets"] == json!({})));
    let missing = |kind: &str| {
        found.iter().find(|object| object["attributes"]["actionTypeId"] == kind).unwrap()["attributes"]["isMissingSecrets"].clone()
    };
    assert_eq!(
        (missing(".jira"), missing(".index"), missing(".xmatters"), missing(".servicenow")),
        (json!(true), json!(false), json!(false), json!(true))
    );
}

#[test]
fn what_has_no_column_is_kept() {
    let place = Place::new();
    let path = place.path("a.db");
    let line = r#"{"type":"action","id":"a","namespaces":["default"],"weird":{"z":1e400,"a":[1.10]},"originId":"o","attributes":{"actionTypeId":".x","name":"n","config":{"big":12345678901234567890.000,"z":1,"a":2},"isMissingSecrets":null,"future":{"k":"v"},"authMode":null},"references":[{"id":"r","name":"n","type":"t"}],"typeMigrationVersion":"10.9.0"}"#;
    ok(&path, &["import", place.write("one.ndjson", line).to_str().unwrap()]);
    let row = records(&path).concat();
    assert!(row.contains("Integer(9)"), "{row}");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let (config, extra): (String, String) =
        connection.query_row("SELECT config, extra FROM connectors", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(config, r#"{"big":12345678901234567890.000,"z":1,"a":2}"#);
    assert_eq!(
        extra,
        r#"{"namespaces":["default"],"weird":{"z":1e400,"a":[1.10]},"originId":"o","references":[{"id":"r","name":"n","type":"t"}],"typeMigrationVersion":"10.9.0","attributes":{"future":{"k":"v"},"authMode":null}}"#
    );
    drop(connection);
    assert_eq!(command_json(&path, &["migrate", "--json"])["blocked"], 1);
    let exported = ok(&path, &["export"]);
    assert!(
        exported.contains(r#""weird":{"a":[1.10],"z":1e400}"#)
            && exported.contains("10.9.0")
            && exported.contains("\"future\""),
        "{exported}"
    );
}

#[test]
fn other_types_are_counted_and_left_out() {
    let place = Place::new();
    let path = place.path("a.db");
    let text = format!(
        "\u{feff}{{\"type\":\"alert\",\"id\":\"r\",\"attributes\":{{}}}}\r\n\r\n{}\r\n{{\"type\":\"alert\",\"id\":\"s\",\"attributes\":{{}}}}\r\n",
        SAMPLE.lines().next().unwrap()
    );
    let output = run(&path, &["import", place.write("mixed.ndjson", &text).to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("left out objects that are not connectors: 2 of type alert")
    );
    assert_eq!(records(&path).len(), 1);
}

#[test]
fn a_bad_line_is_refused_with_its_number_and_nothing_is_imported() {
    let good = SAMPLE.lines().next().unwrap();
    let attributes =
        |text: &str| format!(r#"{{"type":"action","id":"x","attributes":{{"actionTypeId":".x","name":"n",{text}}}}}"#);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (br#"{"type":"action","id":"x""#.to_vec(), "is not a JSON document"),
        (b"\xff\xfe{}".to_vec(), "is not UTF-8"),
        (b"{\"type\":\"action\",\"id\":\"a\0b\"}".to_vec(), "is not a JSON document"),
        (b"[]".to_vec(), "is a JSON array"),
        (b"{}".to_vec(), "has no type"),
        (br#"{"type":"action","attributes":{}}"#.to_vec(), "has no id"),
        (br#"{"type":"action","id":""}"#.to_vec(), "has an empty id"),
        (br#"{"type":"action","id":7}"#.to_vec(), "id is not a string"),
        (br#"{"type":"action","id":"x"}"#.to_vec(), "has no attributes"),
        (br#"{"type":"action","id":"x","id":"y","attributes":{}}"#.to_vec(), "\"id\" appears twice"),
        (br#"{"type":"action","id":"x","attributes":{"name":"n"}}"#.to_vec(), "has no attributes.actionTypeId"),
        (br#"{"type":"action","id":"x","attributes":{"actionTypeId":".x"}}"#.to_vec(), "has no attributes.name"),
        (attributes(r#""isMissingSecrets":"no""#).into_bytes(), "isMissingSecrets is not a boolean"),
        (attributes(r#""secrets":["hunter2"]"#).into_bytes(), "secrets is not an object"),
        (attributes(r#""secrets":{"token":"hunter2}"#).into_bytes(), "is not a JSON document"),
        (attributes(r#""secrets":7"#).into_bytes(), "secrets is not an object"),
        (
            format!("{},\"typeMigrationVersion\":\"new\"}}", attributes(r#""config":{}"#).trim_end_matches('}'))
                .replace("{}\"", "{}}\"")
                .into_bytes(),
            "",
        ),
        (good.as_bytes().to_vec(), "stands on an earlier line too"),
    ];
    for (bad, reason) in cases {
        let place = Place::new();
        let path = place.demo();
        ok(&path, &["upgrade"]);
        let before = records(&path);
        let export = place.path("bad.ndjson");
        let text = [good.as_bytes(), b"\n\n", &bad, b"\n", good.replace("2b1d7c40", "3b1d7c40").as_bytes()].concat();
        std::fs::write(&export, text).unwrap();
        let output = run(&path, &["import", export.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("line 3") && said.contains(reason) && said.contains("Nothing was imported"), "{said}");
        assert!(!said.contains("hunter2"));
        assert_eq!(records(&path), before);
    }
}

#[test]
fn no_export_at_all_is_refused_and_leaves_no_file() {
    let place = Place::new();
    let path = place.path("new.db");
    let folder = place.path("folder");
    std::fs::create_dir(&folder).unwrap();
    for (source, says) in [(place.path("missing.ndjson"), "missing.ndjson"), (folder, "is a directory")] {
        let output = run(&path, &["import", source.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(says));
        assert!(!path.exists());
    }
    let output = run(&path, &["import", place.write("empty.ndjson", "\n\n").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("holds no saved object"));
}

#[test]
fn an_export_goes_to_a_file_whole() {
    let place = Place::new();
    let path = place.path("a.db");
    ok(&path, &["import", place.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    let target = place.path("out.ndjson");
    ok(&path, &["export", "--output", target.to_str().unwrap(), "--filter", "type:slack"]);
    assert_eq!(objects(&std::fs::read_to_string(&target).unwrap()).len(), 2);
    let refused = run(&path, &["export", "--output", path.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(records(&path).len(), 30);
}

#[cfg(unix)]
#[test]
fn an_export_goes_through_links_and_into_pipes() {
    let place = Place::new();
    let path = place.path("a.db");
    ok(&path, &["import", place.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    let target = place.write("target.ndjson", "old");
    let link = place.path("link.ndjson");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    ok(&path, &["export", "--output", link.to_str().unwrap()]);
    assert!(link.is_symlink());
    assert_eq!(objects(&std::fs::read_to_string(&target).unwrap()).len(), 31);
    let fifo = place.path("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || std::fs::read_to_string(fifo).unwrap()
    });
    ok(&path, &["export", "--output", fifo.to_str().unwrap()]);
    assert_eq!(objects(&reader.join().unwrap()).len(), 31);
}

#[test]
fn a_refused_import_makes_no_file() {
    let place = Place::new();
    let path = place.path("new/folder/c.db");
    let output = run(&path, &["import", place.write("bad.ndjson", "garbage").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(place.names(), ["bad.ndjson"]);
}

#[test]
fn secrets_in_odd_places_do_not_get_through() {
    let place = Place::new();
    let path = place.path("c.db");
    let line =
        r#"{"type":"action","id":"x","secrets":{"password":"hunter2"},"attributes":{"actionTypeId":".x","name":"n"}}"#;
    let output = run(&path, &["import", place.write("odd.ndjson", line).to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let path = place.demo();
    crate::support::execute(
        &path,
        r#"UPDATE connectors SET extra = '{"secrets":{"p":"hunter2"},"attributes":{"apiKey":"hunter3","secrets":"hunter4"}}'"#,
    );
    assert!(!String::from_utf8(run(&path, &["export"]).stdout).unwrap().contains("hunter"));
}

#[test]
fn nesting_beyond_the_limit_is_refused_with_its_line() {
    let place = Place::new();
    let nested = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let line = format!(
        r#"{{"type":"action","id":"x","attributes":{{"actionTypeId":".x","name":"n","config":{{"d":{nested}}}}}}}"#
    );
    let output = run(&place.path("c.db"), &["import", place.write("deep.ndjson", &line).to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("line 1: is nested deeper than 100 levels"), "{output:?}");
}

/// What an export or a map of ids must never take the place of.
#[test]
fn no_file_that_must_stay_is_written_over() {
    let place = Place::new();
    let (path, keys) = (place.path("a.db"), place.write("keys", "theirs"));
    let export = place.write("sample.ndjson", SAMPLE);
    ok(&path, &["import", export.to_str().unwrap()]);
    ok(&path, &["backup", place.path("copy.db").to_str().unwrap()]);
    std::fs::hard_link(&path, place.path("same.db")).unwrap();
    // Another program has it open, so its side files are there.
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE their_own (id); DROP TABLE their_own").unwrap();
    let before = records(&path);
    for (name, says) in [
        ("a.db", "the connectors file itself"),
        ("same.db", "the connectors file itself"),
        ("keys", "the key file"),
        ("a.db-wal", "kept beside the connectors file"),
        ("a.db-shm", "kept beside the connectors file"),
        ("a.db-journal", "kept beside the connectors file"),
        ("a.db.auto.bak", "kept beside the connectors file"),
        ("copy.db", "a connectors file or a copy of one"),
        ("sample.ndjson", ""),
    ] {
        let target = place.path(name);
        let (target, was) = (target.to_str().unwrap(), std::fs::read(&target).ok());
        let key_file = ["--key-file", keys.to_str().unwrap()];
        let map = ["import", export.to_str().unwrap(), "--create-new-copies", "--id-map", target];
        for arguments in [&["export", "--output", target][..], &map] {
            if name == "sample.ndjson" && arguments[0] == "export" {
                continue;
            }
            let output = run(&path, &[&key_file, arguments].concat());
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
            assert!(said.contains(says) && said.contains("name another file"), "{said}");
            assert_eq!(std::fs::read(target).ok(), was, "{name}");
        }
    }
    assert_eq!(records(&path), before);
    assert_eq!(std::fs::read_to_string(keys).unwrap(), "theirs");
}

#[cfg(target_os = "linux")]
#[test]
fn an_import_that_is_done_is_not_called_refused() {
    let place = Place::new();
    let path = place.path("a.db");
    let export = place.write("sample.ndjson", SAMPLE);
    let output = run(&path, &["import", "--create-new-copies", "--id-map", "/dev/full", export.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), records(&path).len()), (Some(1), 30), "{said}");
    assert!(said.contains("everything is imported, but") && said.contains("undo"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_could_not_be_said_is_1_where_something_was_written_and_2_where_not() {
    let place = Place::new();
    let path = place.path("a.db");
    ok(&path, &["import", place.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    for (arguments, code) in [(&["list"][..], 2), (&["export"], 2), (&["toggle", "minimal-connector"], 1)] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output =
            Command::new(PROGRAM).arg("--file").arg(&path).args(arguments).stdout(full).output().expect("runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains("standard output"), "{said}");
    }
    let mode = command_json(&path, &["get", "minimal-connector", "--json"])["auth_mode"].clone();
    assert_eq!(mode, "per-user");
}

#[test]
fn an_import_of_less_than_was_promised_needs_a_person() {
    let place = Place::new();
    let path = place.path("a.db");
    let line = r#"{"type":"action","id":"a","attributes":{"actionTypeId":".x","name":"n"}}"#;
    let foreign = r#"{"type":"dashboard","id":"d","attributes":{}}"#;
    for (text, code, says) in [
        (format!("{line}\n{{\"exportedCount\":2}}"), 1, "promises 2 objects"),
        (foreign.to_owned(), 1, "1 of type dashboard"),
        (format!("{}\n{foreign}", line.replace("\"a\"", "\"b\"")), 0, "1 of type dashboard"),
        ("{\"exportedCount\":0}".to_owned(), 0, ""),
    ] {
        let output = run(&path, &["import", place.write("short.ndjson", &text).to_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{text}: {said}");
        assert!(said.contains(says), "{said}");
    }
    assert_eq!(records(&path).len(), 2);
}

#[cfg(unix)]
#[test]
fn an_export_goes_where_a_link_leads_and_names_no_file_of_its_own() {
    let place = Place::new();
    let path = place.path("a.db");
    ok(&path, &["import", place.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    let (link, target) = (place.path("link.ndjson"), place.path("target.ndjson"));
    std::os::unix::fs::symlink("target.ndjson", &link).unwrap();
    ok(&path, &["export", "--output", link.to_str().unwrap()]);
    assert!(link.is_symlink() && target.is_file());
    let output = run(&path, &["export", "--output", place.path("no/such/folder/x.ndjson").to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("x.ndjson cannot be written") && !said.contains(".connector-admin-"), "{said}");
}

#[test]
fn standard_output_is_never_replaced() {
    let place = Place::new();
    let path = place.path("a.db");
    ok(&path, &["import", place.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    let wanted = ok(&path, &["export"]);
    for target in ["-", "/dev/stdout"] {
        let out = place.path("out");
        let mut file = std::fs::File::create(&out).unwrap();
        std::io::Write::write_all(&mut file, b"before\n").unwrap();
        let program = super::commands::PROGRAM;
        let status = std::process::Command::new(program)
            .args(["--file", path.to_str().unwrap(), "export", "--output", target])
            .current_dir(place.folder.path())
            .stdout(file)
            .status()
            .unwrap();
        assert!(status.success());
        assert_eq!(std::fs::read_to_string(&out).unwrap(), format!("before\n{wanted}"));
    }
    assert!(!place.path("-").exists());
}

#[test]
fn a_refused_import_never_takes_away_what_another_program_made() {
    use std::io::Write as _;
    let place = Place::new();
    let path = place.path("new/a.db");
    let line = r#"{"type":"action","id":"a","attributes":{"actionTypeId":".x","name":"n"}}"#;
    for end in ["bad", line.replace("\"a\"", "\"b\"").as_str()] {
        let _ = std::fs::remove_file(&path);
        let mut import = Command::new(PROGRAM);
        import.arg("--file").arg(&path).args(["import", "-"]).stdin(std::process::Stdio::piped());
        import.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
        let mut import = import.spawn().unwrap();
        let mut input = import.stdin.take().unwrap();
        // More than a pipe holds: when all of it is taken, the import has begun.
        for at in 0..2000 {
            writeln!(input, "{}", line.replace("\"a\"", &format!("\"c{at}\""))).unwrap();
        }
        let other = place.write("other.ndjson", &line.replace("\"a\"", "\"theirs\""));
        ok(&path, &["import", other.to_str().unwrap()]);
        writeln!(input, "{end}").unwrap();
        drop(input);
        let output = import.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(records(&path).len(), 1, "{output:?}");
        let names: Vec<_> = std::fs::read_dir(place.path("new")).unwrap().flatten().map(|it| it.file_name()).collect();
        assert_eq!(names, ["a.db"]);
    }
}

#[cfg(unix)]
#[test]
fn a_report_is_written_as_an_export_is() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let path = place.demo();
    let (link, target) = (place.path("link.md"), place.write("target.md", "before"));
    std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    ok(&path, &["migrate", "--report", link.to_str().unwrap(), "--quiet"]);
    assert!(link.is_symlink());
    assert!(std::fs::read_to_string(&target).unwrap().starts_with("# Migration plan"));
    assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
    let pipe = place.path("pipe.csv");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).unwrap()
    });
    ok(&path, &["migrate", "--report", pipe.to_str().unwrap(), "--quiet"]);
    assert!(reader.join().unwrap().starts_with("id,name,"));
    let refused = run(&path, &["migrate", "--report", place.path("no/folder/x.md").to_str().unwrap()]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("x.md cannot be written: No such file") && !said.contains(".connector-admin"), "{said}");
}

#[test]
fn the_exit_code_is_that_of_the_result_whoever_reads_it() {
    let place = Place::new();
    let path = place.demo();
    for command in ["check", "migrate --apply --no-copy"] {
        let script = format!("( {PROGRAM} --file {} {command}; echo $? >&2 ) | true", path.display());
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr).lines().last(), Some("1"), "{command}: {output:?}");
    }
}

#[test]
fn a_dash_is_standard_output_or_refused_and_never_a_file() {
    let place = Place::new();
    let path = place.demo();
    let output = run(&path, &["backup", "-"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(ok(&path, &["migrate", "--report", "-"]).starts_with("# Migration plan"));
}

#[test]
fn a_file_and_an_export_are_compared() {
    let place = Place::new();
    let path = place.path("a.db");
    let export = place.write("sample.ndjson", SAMPLE);
    let export = export.to_str().unwrap();
    ok(&path, &["import", export]);
    assert_eq!(ok(&path, &["diff", export]), "0 connectors differ, 0 only in the file, 0 only in the export\n");
    ok(&path, &["toggle", "minimal-connector", "--to", "per-user"]);
    let more =
        place.write("more.ndjson", r#"{"type":"action","id":"mine","attributes":{"actionTypeId":".x","name":"n"}}"#);
    ok(&path, &["import", more.to_str().unwrap()]);
    let output = run(&path, &["diff", export]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("differs: ") && text.contains("    - per-user\n    + (none)"), "{text}");
    assert!(text.contains("only in the file: n (mine)"), "{text}");
    let told = run(&path, &["diff", export, "--json", "--filter", "auth:per-user"]).stdout;
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!((&told["differing"], &told["only_in_file"]), (&json!(1), &json!(0)));
    assert_eq!(told["connectors"][0]["fields"][0]["field"], "auth mode");
}
