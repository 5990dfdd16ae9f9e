//! Files that hold saved objects in other forms than an export of today, and files that hold none.

use serde_json::{Value, json};

use super::commands::{json as command_json, ok, run};
use crate::support::TestDir;

/// A connector as a line of an export.
fn line(id: &str) -> Value {
    json!({"attributes": {"actionTypeId": ".server-log", "config": {}, "isMissingSecrets": false, "name": format!("Name of {id}"), "secrets": {}},
        "id": id, "references": [], "type": "action", "typeMigrationVersion": "10.1.0"})
}

const SUMMARY: &str =
    r#"{"excludedObjects":[],"excludedObjectsCount":0,"exportedCount":1,"missingRefCount":0,"missingReferences":[]}"#;

/// Returns the imported ids and the messages.
fn imported(bytes: &[u8]) -> (Vec<String>, String) {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    std::fs::write(dir.path("in"), bytes).unwrap();
    let output = run(&path, &["import", dir.path("in").to_str().unwrap()]);
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    // Exit code 1 if something needs attention.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{printed}");
    let listed = command_json(&path, &["list", "--json"]);
    (listed.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect(), printed)
}

fn refused(bytes: &[u8]) -> String {
    let dir = TestDir::new();
    std::fs::write(dir.path("in"), bytes).unwrap();
    let output = run(&dir.path("a.db"), &["import", dir.path("in").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!dir.path("a.db").exists());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn security_rules_export_yields_its_connectors() {
    let rule = json!({"id": "r", "rule_id": "r-1", "name": "A rule", "type": "query", "actions": []});
    let list = json!({"list_id": "l", "type": "detection", "name": "Exceptions", "namespace_type": "single"});
    let item = json!({"list_id": "l", "item_id": "i", "type": "simple", "entries": []});
    let summary = json!({"exported_count": 4, "exported_rules_count": 1, "missing_rules": [], "exported_action_connector_count": 1});
    let text = [&rule, &list, &item, &line("one"), &summary].map(Value::to_string).join("\n");
    let (ids, printed) = imported(text.as_bytes());
    assert_eq!(ids, ["one"]);
    assert!(printed.contains("2 of type exception list, 1 of type security rule"), "{printed}");
    assert!(!printed.contains("promises"), "{printed}");
    // Fewer connectors than it promises; none at all, with the summary of older releases.
    let short = text.replace(r#""exported_action_connector_count":1"#, r#""exported_action_connector_count":3"#);
    assert!(imported(short.as_bytes()).1.contains("promises 3"));
    let none = format!("{rule}\n{}", json!({"exported_count": 1, "missing_rules": [], "missing_rules_count": 0}));
    let (ids, printed) = imported(none.as_bytes());
    assert!(ids.is_empty() && printed.contains("it holds no connectors"), "{printed}");
}

#[test]
fn saved_objects_are_read_from_every_format() {
    let (a, b) = (line("a"), line("b"));
    let source = json!({"type": "action", "action": a["attributes"], "references": [], "namespaces": ["default"], "typeMigrationVersion": "10.1.0"});
    let api = json!({"id": "a", "name": "log", "connector_type_id": ".server-log", "config": {}, "is_missing_secrets": false,
        "is_preconfigured": false, "is_deprecated": false, "is_system_action": false, "referenced_by_count": 0});
    let preconfigured = json!({"id": "pre", "name": "p", "connector_type_id": ".index", "is_preconfigured": true});
    let utf_16 = |big: bool| -> Vec<u8> {
        let text = format!("\u{feff}{a}\r\n{b}\r\n");
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    for (what, bytes, expected) in [
        ("pretty-printed", format!("{a:#}\n{b:#}\n").into_bytes(), &["a", "b"][..]),
        ("an array", json!([a, b]).to_string().into_bytes(), &["a", "b"]),
        ("an array, pretty-printed", format!("{:#}", json!([a, b])).into_bytes(), &["a", "b"]),
        (
            "an answer of _find",
            json!({"page": 1, "total": 2, "saved_objects": [a, b]}).to_string().into_bytes(),
            &["a", "b"],
        ),
        (
            "a search of the index",
            json!({"hits": {"hits": [{"_id": "action:a", "_source": source}]}}).to_string().into_bytes(),
            &["a"],
        ),
        (
            "a document of the index",
            json!({"_id": "space:action:a", "_source": source}).to_string().into_bytes(),
            &["a"],
        ),
        (
            "an archive",
            format!("{:#}", json!({"type": "doc", "value": {"id": "action:a", "index": ".kibana", "source": source}}))
                .into_bytes(),
            &["a"],
        ),
        ("the API's list", json!([api, preconfigured]).to_string().into_bytes(), &["a"]),
        ("one connector of the API", api.to_string().into_bytes(), &["a"]),
        ("UTF-16 of PowerShell", utf_16(false), &["a", "b"]),
        ("UTF-16, big-endian", utf_16(true), &["a", "b"]),
        ("joined without a line end", format!("{a}{b}").into_bytes(), &["a", "b"]),
    ] {
        let (ids, printed) = imported(&bytes);
        assert_eq!(ids, expected, "{what}: {printed}");
        assert!(!printed.contains("migrated on import"), "{what}: {printed}");
    }
    assert!(
        imported(json!([api, preconfigured]).to_string().as_bytes()).1.contains("1 of type preconfigured connector")
    );
}

#[test]
fn concatenated_exports_are_summed() {
    let (a, b) = (line("a"), line("b"));
    for text in [format!("{a}\n{SUMMARY}\n{b}\n{SUMMARY}"), format!("{a}\n{SUMMARY}{b}\n{SUMMARY}")] {
        let (ids, printed) = imported(text.as_bytes());
        assert!(ids == ["a", "b"] && !printed.contains("promises"), "{printed}");
    }
    let (_, printed) = imported(format!("{a}\n{SUMMARY}\n{SUMMARY}").as_bytes());
    assert!(printed.contains("promises 2"), "{printed}");
    assert!(!imported(format!("{a}\n{b}\n{SUMMARY}").as_bytes()).1.contains("promises"), "more is no loss");
}

#[test]
fn line_without_version_gets_all_migrations() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let mail = json!({"id": "mail", "type": "action", "references": [], "attributes": {"name": "m", "actionTypeId": ".email", "config": {"from": "a@b.example", "host": "h", "port": 25}}});
    ok(&path, &["import", dir.write("in", &mail.to_string()).to_str().unwrap()]);
    let config = command_json(&path, &["get", "mail", "--json"])["config"].clone();
    assert_eq!(config, json!({"from": "a@b.example", "host": "h", "port": 25, "hasAuth": false, "service": "other"}));
    let exported: Value = serde_json::from_str(ok(&path, &["export"]).lines().next().unwrap()).unwrap();
    assert_eq!(exported["typeMigrationVersion"], "8.3.0");
}

#[test]
fn other_formats_are_named_with_the_next_step() {
    let damaged = format!("{:#}", line("a")).replace("\"id\": \"a\",", "\"id\": \"a\"");
    for (bytes, expected) in [
        (&[0x1f, 0x8b, 8, 0][..], "gzip; decompress it first"),
        (b"HTTP/1.1 200 OK\ncontent-type: application/ndjson\n\n{}", "curl without -i"),
        (b"[metadata]\naction_connector_name = \"log\"\n\n[[action_connectors]]\n", "is TOML"),
        (b"[[action_connectors]]\nid = 'a'", "is TOML"),
        (b"xpack.actions.preconfigured:\n  hook:\n", "is YAML, such as kibana.yml"),
        (b"# my kibana\nserver.port: 5601\n", "is YAML"),
        (b"<!DOCTYPE html><html>Sign in</html>", "sign-in page"),
        (
            br#"{"statusCode":401,"error":"Unauthorized","message":"missing credentials"}"#,
            "an error response of Kibana (401: missing credentials)",
        ),
        (b"{\"a\": 1\n{\"type\":\"action\"}", "line 1: is not a JSON document"),
        (b"\n\n[1, 2]", "line 3: is not a JSON document"),
        (damaged.as_bytes(), "line 1: is not a JSON document"),
        (&[0xff, 0xfe, 0, 0xd8, 0, 0xd8], "UTF-16 and damaged"),
    ] {
        let printed = refused(bytes);
        assert!(printed.contains(expected) && printed.contains("Nothing was imported"), "{expected}: {printed}");
    }
}
