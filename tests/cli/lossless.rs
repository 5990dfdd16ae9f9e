//! Round trips: exports of any connectors, of any release.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::commands::{json as command_json, ok, run};
use crate::support::{TestDir, records};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-zA-Z0-9 .:/_-]{0,12}", 1 => "\\PC{0,8}", 1 => any::<String>().prop_map(|text| text.chars().take(6).collect())]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[1-9][0-9]{0,30}(\\.[0-9]{1,20})?".prop_map(|number| serde_json::from_str(&number).unwrap()),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(text(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::btree_map("[a-z]{1,6}", value(), 0..5).prop_map(|map| map.into_iter().collect())
}

/// A line as Kibana exports it: keys sorted, no secrets.
fn line() -> impl Strategy<Value = Value> {
    let stamps = prop_oneof![
        Just(("typeMigrationVersion", json!("10.1.0"))),
        Just(("typeMigrationVersion", json!("10.2.0"))),
        Just(("typeMigrationVersion", json!("10.7.0"))),
        Just(("typeMigrationVersion", json!("8.3.0"))),
        Just(("migrationVersion", json!({"action": "8.3.0"}))),
    ];
    let parts = (text(), object(), object(), object(), prop_oneof![Just(".a-plugin"), Just(".jira"), Just(".index")]);
    (parts, stamps, any::<bool>(), prop_oneof![Just(None), Just(Some("shared")), Just(Some("per-user"))]).prop_map(
        |((name, config, unknown, mut line, type_id), (key, stamp), missing, mode)| {
            let mut attributes = unknown;
            attributes.insert("actionTypeId".into(), json!(type_id));
            attributes.insert("name".into(), json!(name));
            attributes.insert("config".into(), Value::Object(config));
            attributes.insert("isMissingSecrets".into(), json!(missing));
            attributes.insert("secrets".into(), json!({}));
            if let Some(mode) = mode {
                attributes.insert("authMode".into(), json!(mode));
            }
            line.insert("attributes".into(), Value::Object(attributes));
            line.insert("type".into(), json!("action"));
            line.insert("references".into(), json!([]));
            line.insert(key.into(), stamp);
            Value::Object(line)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn export_then_import_preserves_records(lines in proptest::collection::vec(line(), 1..6)) {
        let dir = TestDir::new();
        let lines: Vec<String> = lines
            .into_iter()
            .enumerate()
            .map(|(at, mut line)| {
                line["id"] = json!(format!("c{at}"));
                connector_admin::domain::json::sorted(&line.to_string()).unwrap()
            })
            .collect();
        let (first, second) = (dir.path("1.db"), dir.path("2.db"));
        ok(&first, &["import", dir.write("1.ndjson", &lines.join("\n")).to_str().unwrap()]);
        let exported = String::from_utf8(run(&first, &["export"]).stdout).unwrap();
        ok(&second, &["import", dir.write("2.ndjson", &exported).to_str().unwrap()]);
        // The export decides again which secrets are missing; everything else is equal to the byte and the key.
        let known = |record: &String| {
            let mut parts: Vec<&str> = record.split('|').collect();
            parts.retain(|part| !part.starts_with("Integer(0)") && !part.starts_with("Integer(1)"));
            parts.join("|")
        };
        let of = |path| records(path).iter().map(known).collect::<Vec<_>>();
        prop_assert_eq!(of(&first), of(&second));
        let again = String::from_utf8(run(&second, &["export"]).stdout).unwrap();
        prop_assert_eq!(again, exported);
    }
}

#[test]
fn old_lines_are_migrated_on_import() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let line = |id: &str, kind: &str, stamp: &str, config: &str| {
        format!(
            r#"{{"attributes":{{"actionTypeId":"{kind}","config":{config},"isMissingSecrets":false,"name":"{id}"}},"id":"{id}","migrationVersion":{{"action":"{stamp}"}},"references":[],"type":"action"}}"#
        )
    };
    let text = [
        line("now", ".servicenow", "7.14.0", r#"{"apiUrl":"https://a.example"}"#),
        line("mail", ".email", "7.15.0", r#"{"from":"a@b.example","hasAuth":true}"#),
        line("new", ".servicenow", "8.3.0", r#"{"apiUrl":"https://a.example","isOAuth":true}"#),
    ]
    .join("\n");
    let output = run(&path, &["import", dir.write("old.ndjson", &text).to_str().unwrap()]);
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("2 connectors from before 8.3, migrated on import"),
        "{output:?}"
    );
    let config = |id: &str| command_json(&path, &["get", id, "--json"])["config"].clone();
    assert_eq!(config("now"), json!({"apiUrl": "https://a.example", "usesTableApi": true, "isOAuth": false}));
    assert_eq!(config("mail"), json!({"from": "a@b.example", "hasAuth": true, "service": "other"}));
    assert_eq!(config("new"), json!({"apiUrl": "https://a.example", "isOAuth": true}));
    let exported = ok(&path, &["export"]);
    assert_eq!(exported.matches(r#""migrationVersion":{"action":"8.3.0"}"#).count(), 3, "{exported}");
    // The second import does not migrate again: an edit in between is kept.
    let edited = exported.replace(r#""usesTableApi":true"#, r#""usesTableApi":false"#);
    ok(&path, &["import", "--overwrite", dir.write("again.ndjson", &edited).to_str().unwrap()]);
    assert_eq!(config("now")["usesTableApi"], json!(false));
}

#[test]
fn duplicates_are_listed_with_new_ids() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let export = dir.write("sample.ndjson", crate::support::SAMPLE);
    ok(&path, &["import", export.to_str().unwrap()]);
    let map = dir.path("ids.jsonl");
    ok(&path, &["import", "--create-new-copies", "--id-map", map.to_str().unwrap(), export.to_str().unwrap()]);
    let lines: Vec<Value> =
        std::fs::read_to_string(map).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 30);
    for line in lines {
        let name = |id: &Value| command_json(&path, &["get", id.as_str().unwrap(), "--json"])["name"].clone();
        assert_eq!(name(&line["id"]), name(&line["destinationId"]));
    }
    let refused = run(&path, &["import", export.to_str().unwrap(), "--json"]);
    assert_eq!(refused.status.code(), Some(2));
    let outcome: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!((&outcome["success"], outcome["conflicts"].as_array().unwrap().len()), (&json!(false), 30));
    let printed = String::from_utf8(run(&path, &["import", export.to_str().unwrap()]).stdout).unwrap();
    assert!(printed.contains("already exists: minimal-connector ("), "{printed}");
}

#[test]
fn import_warns_as_kibana_does() {
    let dir = TestDir::new();
    let export = dir.write("sample.ndjson", crate::support::SAMPLE);
    let outcome = command_json(&dir.path("a.db"), &["import", "--json", export.to_str().unwrap()]);
    let warnings = outcome["warnings"].as_array().unwrap();
    let of = |kind: &str| warnings.iter().filter(|warning| warning["type"] == kind).count();
    assert_eq!((of("action_required"), of("simple") > 0), (1, true), "{warnings:?}");
    assert_eq!(outcome["success"], json!(true));
}

#[test]
fn dry_run_prints_the_plan_and_writes_nothing() {
    let dir = TestDir::new();
    let export = dir.write("sample.ndjson", crate::support::SAMPLE);
    let path = dir.path("a.db");
    let outcome = command_json(&path, &["import", "--dry-run", "--json", export.to_str().unwrap()]);
    assert_eq!(outcome["migration"], json!({"backfill": 4, "stamp_only": 19, "blocked": 0}));
    assert_eq!((&outcome["added"], outcome["dry_run"].as_bool()), (&json!(30), Some(true)));
    let printed = ok(&path, &["import", "--dry-run", export.to_str().unwrap()]);
    assert!(printed.contains("To migrate: 4 backfill, 19 stamp only, 0 blocked"), "{printed}");
    assert!(!path.exists());
}

#[test]
fn ambiguous_json_is_exported_unchanged() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let config = r#"{"a":"\ud800 x","b":1e400,"c":-0,"d":[0.10,1E5],"e":9007199254740993}"#;
    let line = format!(
        r#"{{"attributes":{{"actionTypeId":".x","config":{config},"isMissingSecrets":false,"name":"n","secrets":{{}}}},"id":"x","references":[],"type":"action","typeMigrationVersion":"10.1.0"}}"#
    );
    ok(&path, &["import", dir.write("odd.ndjson", &line).to_str().unwrap()]);
    assert_eq!(ok(&path, &["export"]).lines().next(), Some(line.as_str()));
}

/// Returns the peak memory of an import of this many lines of two kilobytes.
#[cfg(target_os = "linux")]
fn peak_of_import(lines: usize) -> u64 {
    use std::io::Write as _;
    let dir = TestDir::new();
    let mut child = std::process::Command::new(super::commands::PROGRAM)
        .arg("--file")
        .arg(dir.path("a.db"))
        .args(["import", "-", "--create-new-copies", "--quiet"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let padding = "x".repeat(2000);
    for at in 0..lines {
        writeln!(
            input,
            r#"{{"type":"action","id":"c{at}","attributes":{{"actionTypeId":".index","name":"n","config":{{"index":"{padding}"}}}}}}"#
        )
        .unwrap();
    }
    // Everything but the content of the pipe is read, and the program waits for more.
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    drop(input);
    assert!(child.wait().unwrap().success());
    peak.unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn import_memory_is_bounded() {
    let lines = std::env::var("CONNECTOR_ADMIN_LINES").map_or(20_000, |lines| lines.parse().unwrap());
    let peak = peak_of_import(lines);
    // The cache and the read-ahead are constant for any length.
    assert!(peak < 128 * 1024, "{peak} kB for {lines} lines");
}
