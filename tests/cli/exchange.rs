//! Exports: what is accepted, refused, and round-trips.

use serde_json::{Value, json};

use super::commands::{json as command_json, ok, run};
use crate::support::{SAMPLE, TestDir, records, rows};

pub fn objects(ndjson: &str) -> Vec<Value> {
    ndjson.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn export_import_export_round_trips() {
    let dir = TestDir::new();
    let (first, second) = (dir.path("a.db"), dir.path("b.db"));
    ok(&first, &["import", dir.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    for (path, is_of_exports) in [(first, true), (dir.demo(), false)] {
        let export = |path: &std::path::Path| String::from_utf8(run(path, &["export"]).stdout).unwrap();
        let again = |text: &str| {
            let _ = std::fs::remove_file(&second);
            ok(&second, &["import", dir.write("again.ndjson", text).to_str().unwrap()]);
            export(&second)
        };
        // The second file lacks the objects that the first import skipped, so the summary may differ.
        let lines = |text: &str| {
            text.lines().map(str::to_owned).filter(|line| !line.contains("exportedCount")).collect::<Vec<_>>()
        };
        let text = export(&path);
        assert!(!text.ends_with('\n'));
        let once = again(&text);
        // Records of old releases that were not imported are migrated by the first import.
        assert!(!is_of_exports || lines(&once) == lines(&text));
        assert_eq!(lines(&once).len(), lines(&text).len());
        assert_eq!(lines(&again(&once)), lines(&once));
    }
}

#[test]
fn sample_export_round_trips_byte_for_byte() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    ok(&path, &["import", dir.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    let exported = ok(&path, &["export"]);
    let mut wanted: Vec<Value> = objects(SAMPLE);
    let summary = wanted.pop().unwrap();
    wanted.sort_by_key(|object| object["id"].as_str().unwrap().to_owned());
    for object in &mut wanted {
        // Before 8.5 an export omitted the key; a line without a stamp is the oldest and gets all migrations.
        object["attributes"].as_object_mut().unwrap().entry("secrets").or_insert(json!({}));
        if object["id"] == "minimal-connector" {
            object["typeMigrationVersion"] = json!("8.3.0");
        }
        // Lines of releases before 8.3 have been migrated.
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
fn migrated_record_exports_its_mode_and_stamp() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    ok(&path, &["import", dir.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
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
fn export_drops_secrets_and_flags_them_missing() {
    let dir = TestDir::new();
    let path = dir.demo();
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
fn unknown_attributes_are_kept() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let line = r#"{"type":"action","id":"a","namespaces":["default"],"weird":{"z":1e400,"a":[1.10]},"originId":"o","attributes":{"actionTypeId":".x","name":"n","config":{"big":12345678901234567890.000,"z":1,"a":2},"isMissingSecrets":null,"future":{"k":"v"},"authMode":null},"references":[{"id":"r","name":"n","type":"t"}],"typeMigrationVersion":"10.9.0"}"#;
    ok(&path, &["import", dir.write("one.ndjson", line).to_str().unwrap()]);
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
fn other_object_types_are_counted_and_skipped() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let text = format!(
        "\u{feff}{{\"type\":\"alert\",\"id\":\"r\",\"attributes\":{{}}}}\r\n\r\n{}\r\n{{\"type\":\"alert\",\"id\":\"s\",\"attributes\":{{}}}}\r\n",
        SAMPLE.lines().next().unwrap()
    );
    let output = run(&path, &["import", dir.write("mixed.ndjson", &text).to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("skipped objects that are not connectors: 2 of type alert")
    );
    assert_eq!(records(&path).len(), 1);
}

#[test]
fn bad_line_refuses_the_import_with_its_number() {
    let good = SAMPLE.lines().next().unwrap();
    let attributes =
        |text: &str| format!(r#"{{"type":"action","id":"x","attributes":{{"actionTypeId":".x","name":"n",{text}}}}}"#);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (br#"{"type":"action","id":"x""#.to_vec(), "is not a JSON document"),
        (b"\xff\xfe{}".to_vec(), "is not UTF-8"),
        (b"{\"type\":\"action\",\"id\":\"a\0b\"}".to_vec(), "is not a JSON document"),
        (b"[7]".to_vec(), "is not a JSON document"),
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
        (good.as_bytes().to_vec(), "is on an earlier line too"),
    ];
    for (bad, reason) in cases {
        let dir = TestDir::new();
        let path = dir.demo();
        ok(&path, &["upgrade"]);
        let before = records(&path);
        let export = dir.path("bad.ndjson");
        let text = [good.as_bytes(), b"\n\n", &bad, b"\n", good.replace("2b1d7c40", "3b1d7c40").as_bytes()].concat();
        std::fs::write(&export, text).unwrap();
        let output = run(&path, &["import", export.to_str().unwrap()]);
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{printed}");
        assert!(
            printed.contains("line 3") && printed.contains(reason) && printed.contains("Nothing was imported"),
            "{printed}"
        );
        assert!(!printed.contains("hunter2"));
        assert_eq!(records(&path), before);
    }
}

#[test]
fn input_without_connectors_is_refused_and_makes_no_file() {
    let dir = TestDir::new();
    let path = dir.path("new.db");
    let folder = dir.path("folder");
    std::fs::create_dir(&folder).unwrap();
    for (source, expected) in [(dir.path("missing.ndjson"), "missing.ndjson"), (folder, "is a directory")] {
        let output = run(&path, &["import", source.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(expected));
        assert!(!path.exists());
    }
    let output = run(&path, &["import", dir.write("empty.ndjson", "\n\n").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("holds no saved object"));
}

#[test]
fn misplaced_secrets_are_not_stored_in_the_clear() {
    let dir = TestDir::new();
    let path = dir.path("c.db");
    let line =
        r#"{"type":"action","id":"x","secrets":{"password":"hunter2"},"attributes":{"actionTypeId":".x","name":"n"}}"#;
    let output = run(&path, &["import", dir.write("odd.ndjson", line).to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let path = dir.demo();
    crate::support::execute(
        &path,
        r#"UPDATE connectors SET extra = '{"secrets":{"p":"hunter2"},"attributes":{"apiKey":"hunter3","secrets":"hunter4"}}'"#,
    );
    assert!(!String::from_utf8(run(&path, &["export"]).stdout).unwrap().contains("hunter"));
}

#[test]
fn too_deep_line_is_refused_with_its_number() {
    let dir = TestDir::new();
    let nested = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let line = format!(
        r#"{{"type":"action","id":"x","attributes":{{"actionTypeId":".x","name":"n","config":{{"d":{nested}}}}}}}"#
    );
    let output = run(&dir.path("c.db"), &["import", dir.write("deep.ndjson", &line).to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("line 1: is nested deeper than 100 levels"), "{output:?}");
}

#[test]
fn incomplete_export_needs_attention() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let line = r#"{"type":"action","id":"a","attributes":{"actionTypeId":".x","name":"n"}}"#;
    let foreign = r#"{"type":"dashboard","id":"d","attributes":{}}"#;
    for (text, code, expected) in [
        (format!("{line}\n{{\"exportedCount\":2}}"), 1, "promises 2 objects"),
        (foreign.to_owned(), 1, "1 of type dashboard"),
        (format!("{}\n{foreign}", line.replace("\"a\"", "\"b\"")), 0, "1 of type dashboard"),
        ("{\"exportedCount\":0}".to_owned(), 0, ""),
    ] {
        let output = run(&path, &["import", dir.write("short.ndjson", &text).to_str().unwrap()]);
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{text}: {printed}");
        assert!(printed.contains(expected), "{printed}");
    }
    assert_eq!(records(&path).len(), 2);
}

#[test]
fn diff_compares_file_and_export() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let export = dir.write("sample.ndjson", SAMPLE);
    let export = export.to_str().unwrap();
    ok(&path, &["import", export]);
    assert_eq!(ok(&path, &["diff", export]), "0 connectors differ, 0 only in the file, 0 only in the export\n");
    ok(&path, &["toggle", "minimal-connector", "--to", "per-user"]);
    let more =
        dir.write("more.ndjson", r#"{"type":"action","id":"mine","attributes":{"actionTypeId":".x","name":"n"}}"#);
    ok(&path, &["import", more.to_str().unwrap()]);
    let output = run(&path, &["diff", export]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("differs: ") && text.contains("    file    per-user\n    export  (none)"), "{text}");
    assert!(text.contains("only in the file: n (mine)"), "{text}");
    let message = run(&path, &["diff", export, "--json", "--filter", "auth:per-user"]).stdout;
    let message: Value = serde_json::from_slice(&message).unwrap();
    assert_eq!((&message["differing"], &message["only_in_file"]), (&json!(1), &json!(0)));
    assert_eq!(message["connectors"][0]["fields"][0]["field"], "auth mode");
}

/// An export holds no secrets, so an import must not remove stored ones.
#[test]
fn overwriting_import_keeps_fitting_secrets_and_counts_lost_ones() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let bodies = [
        json!({"id": "chat", "name": "Chat", "connector_type_id": ".slack", "secrets": {"webhookUrl": "https://hooks.example/x"}}),
        json!({"id": "hook", "name": "Hook", "connector_type_id": ".webhook", "config": {"url": "https://a.example", "method": "post", "hasAuth": true, "authType": "webhook-authentication-basic"}, "secrets": {"user": "u", "password": "p"}}),
        json!({"id": "mail", "name": "Mail", "connector_type_id": ".gmail", "config": {"authType": "oauth_authorization_code"}, "secrets": {"authType": "oauth_authorization_code", "clientId": "c", "clientSecret": "s"}}),
    ];
    for body in &bodies {
        ok(&path, &["create", "--from", dir.write("b.json", &body.to_string()).to_str().unwrap()]);
    }
    let export = ok(&path, &["export"]);
    let import = |text: &str, more: &[&str]| {
        let file = dir.write("in.ndjson", text);
        run(&path, &[&["import", "--overwrite", file.to_str().unwrap()], more].concat())
    };
    let secrets =
        |id: &str| ok(&path, &["get", id]).lines().find(|line| line.starts_with("secrets")).unwrap().to_owned();
    let ciphertexts = || crate::support::rows(&path, "SELECT secrets, is_missing_secrets FROM connectors ORDER BY id");
    let before = ciphertexts();
    for more in [&["--dry-run"][..], &[]] {
        let output = import(&export, more);
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{printed}");
        assert!(printed.contains("3 replaced connectors kept the secrets"), "{printed}");
        assert_eq!(ciphertexts(), before, "byte for byte");
    }
    // Another config with the same auth type: re-encrypted. Another auth type, or another connector type: lost, and
    // reported.
    let moved = export.replace("https://a.example", "https://b.example");
    assert_eq!(import(&moved, &[]).status.code(), Some(0));
    assert!(secrets("hook").contains("password"));
    for (from, to, id) in [
        ("webhook-authentication-basic", "webhook-oauth2-client-credentials", "hook"),
        ("\"actionTypeId\":\".slack\"", "\"actionTypeId\":\".teams\"", "chat"),
        ("oauth_authorization_code", "bearer", "mail"),
    ] {
        let other = export.replace(from, to);
        assert_ne!(other, export);
        let rows = crate::support::records(&path);
        for more in [&["--dry-run"][..], &[]] {
            let output = import(&other, more);
            let printed = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{printed}");
            assert!(
                printed.contains("1 replaced connector lost the secrets")
                    && printed.contains("2 replaced connectors kept"),
                "{printed}"
            );
        }
        assert!(secrets(id).contains("missing"), "{}", secrets(id));
        ok(&path, &["undo"]);
        assert_eq!(crate::support::records(&path), rows);
    }
}
