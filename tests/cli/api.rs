//! create, update, get, list and delete with the bodies of Kibana's API.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use super::commands::{PROGRAM, json as command_json, ok, run};
use crate::support::{SAMPLE, TestDir, records, rows};

/// Runs a command with a body on standard input; what `--json` prints and the exit code.
fn send(path: &Path, arguments: &[&str], body: &Value) -> (Value, i32) {
    let output = send_text(path, arguments, &body.to_string());
    (serde_json::from_slice(&output.stdout).unwrap_or(Value::Null), output.status.code().unwrap())
}

fn send_text(path: &Path, arguments: &[&str], body: &str) -> Output {
    send_with(path, &path.with_extension("keys"), arguments, body)
}

fn send_with(path: &Path, keys: &Path, arguments: &[&str], body: &str) -> Output {
    let mut child = Command::new(PROGRAM)
        .arg("--file")
        .arg(path)
        .arg("--key-file")
        .arg(keys)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses before it reads closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(body.as_bytes());
    child.wait_with_output().unwrap()
}

fn webhook() -> Value {
    json!({
        "name": "Hook",
        "connector_type_id": ".webhook",
        "config": {"url": "https://a.example", "hasAuth": true, "authType": "webhook-authentication-basic"},
        "secrets": {"user": "u", "password": "hunter2"},
    })
}

#[test]
fn connector_is_created_read_updated_and_deleted() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let (created, code) = send(&path, &["create", "--from", "-", "--id", "hook", "--json"], &webhook());
    assert_eq!(code, 0);
    let expected = json!({
        "id": "hook", "name": "Hook", "connector_type_id": ".webhook", "config": webhook()["config"],
        "is_missing_secrets": false, "is_preconfigured": false, "is_system_action": false, "is_deprecated": false,
        "is_connector_type_deprecated": false, "auth_mode": "shared",
    });
    assert_eq!(created, expected);
    assert_eq!(command_json(&path, &["get", "hook", "--json"]), expected);
    assert!(!std::fs::read(&path).unwrap().windows(7).any(|bytes| bytes == b"hunter2"));

    // The output of `get` can be sent back, changed or not, and the secrets stay byte for byte.
    let secrets = || rows(&path, "SELECT secrets FROM connectors");
    let (before, ciphertexts) = (records(&path), secrets());
    assert_eq!(send(&path, &["update", "hook", "--from", "-", "--json"], &created), (expected, 0));
    assert_eq!((records(&path), rows(&path, "SELECT count(*) FROM history")), (before, vec!["Integer(1)".into()]));
    let mut edited = created;
    edited["name"] = json!("Other");
    edited["auth_mode"] = json!("per-user");
    assert_eq!(send(&path, &["update", "hook", "--from", "-", "--json"], &edited), (edited.clone(), 0));
    assert_eq!(secrets(), ciphertexts);

    // Another config re-encrypts them; they are still readable.
    edited["config"]["url"] = json!("https://b.example");
    assert_eq!(send(&path, &["update", "hook", "--from", "-", "--json"], &edited), (edited, 0));
    assert_ne!(secrets(), ciphertexts);
    let printed = send_text(&path, &["get", "hook"], "");
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(printed.contains("set: password, user") && !printed.contains("hunter2"), "{printed}");

    // Secrets that are given replace all.
    let body = json!({"name": "Hook", "config": webhook()["config"], "secrets": {"user": "v"}});
    assert_eq!(send(&path, &["update", "hook", "--from", "-", "--json"], &body).0["is_missing_secrets"], true);

    assert_eq!(command_json(&path, &["delete", "hook", "--json"])["deleted"], json!(["hook"]));
    assert!(records(&path).is_empty());
    ok(&path, &["undo"]);
    assert_eq!(records(&path).len(), 1);
}

#[test]
fn new_connector_mode_is_inferred_unless_given() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    for (auth_type, given, mode) in [
        ("oauth_authorization_code", None, "per-user"),
        ("oauth_authorization_code", Some("shared"), "shared"),
        ("bearer", None, "shared"),
        ("bearer", Some("per-user"), "per-user"),
    ] {
        let mut body =
            json!({"name": "n", "connector_type_id": ".slack2", "config": {}, "secrets": {"authType": auth_type}});
        if let Some(mode) = given {
            body["auth_mode"] = json!(mode);
        }
        let (created, code) = send(&path, &["create", "--from", "-", "--json"], &body);
        assert_eq!((created["auth_mode"].as_str(), code), (Some(mode), 0), "{created}");
        assert_eq!(created["config"]["authType"], auth_type, "Kibana copies it from the secrets");
    }
}

#[test]
fn invalid_body_is_refused_in_kibanas_terms() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    send(&path, &["create", "--from", "-", "--id", "hook"], &webhook());
    let per_user = json!({"name": "S", "connector_type_id": ".slack2", "config": {}, "secrets": {"authType": "oauth_authorization_code"}});
    assert_eq!(send(&path, &["create", "--from", "-", "--id", "s", "--json"], &per_user).1, 0);
    let before = records(&path);
    let (create, update) = (&["create", "--from", "-", "--json"][..], &["update", "hook", "--from", "-", "--json"][..]);
    let with = |key: &str, value: Value| {
        let mut body = webhook();
        body[key] = value;
        body
    };
    let cases: Vec<(&[&str], Value, u64, &str)> = vec![
        (create, json!([]), 400, "[request body]: is not a JSON object"),
        (create, json!({"connector_type_id": ".webhook"}), 400, "[request body.name]: is missing"),
        (create, with("name", json!("  ")), 400, "[request body.name]: a name is needed"),
        (create, with("name", json!(7)), 400, "[request body.name]: must be a string"),
        (create, json!({"name": "n"}), 400, "[request body.connector_type_id]: is missing"),
        (create, with("connector_type_id", json!(".nope")), 400, "\".nope\" is not known"),
        (
            create,
            with("auth_mode", json!("personal")),
            400,
            "[request body.auth_mode]: must be \"shared\" or \"per-user\"",
        ),
        (create, with("colour", json!("red")), 400, "[request body.colour]: is not a key of a connector"),
        (create, with("config", json!({})), 400, "error validating connector type config: [url]: a value is needed"),
        (create, with("config", json!([])), 400, "error validating connector type config: must be an object"),
        (create, with("config", json!({"url": "https://a", "method": " "})), 400, "[method]: must be one of"),
        (create, with("secrets", json!("hunter2")), 400, "[request body.secrets]: must be an object"),
        (
            create,
            with("secrets", json!({"user": 7})),
            400,
            "error validating connector type secrets: [user]: must be a string",
        ),
        (create, with("secrets", json!({"hunter": "2"})), 400, "[hunter]: is not a secret of this connector type"),
        (&["create", "--from", "-", "--id", "hook", "--json"], webhook(), 409, "already exists"),
        (update, with("id", json!("other")), 400, "[request body.id]: cannot be changed"),
        (update, with("connector_type_id", json!(".jira")), 400, "[request body.connector_type_id]: cannot be changed"),
        (update, json!({"name": "n"}), 400, "[url]: a value is needed"),
        (
            &["update", "s", "--from", "-", "--json"],
            json!({"name": "n", "config": {"authType": "bearer"}}),
            400,
            "per-user",
        ),
        (&["update", "nope", "--from", "-", "--json"], webhook(), 404, "no connector with id \"nope\""),
        (&["delete", "hook", "nope", "--json"], Value::Null, 404, "\"nope\""),
        (&["get", "nope", "--json"], Value::Null, 404, "\"nope\""),
    ];
    for (arguments, body, status, expected) in cases {
        let output = send_text(&path, arguments, &body.to_string());
        let error: Value = serde_json::from_slice(&output.stdout).expect("an error as JSON");
        let message = error["message"].as_str().unwrap();
        assert_eq!((error["statusCode"].as_u64(), output.status.code()), (Some(status), Some(2)), "{body}: {message}");
        assert!(message.contains(expected), "{message:?} does not say {expected:?}");
        assert!(!message.contains("hunter2"));
        assert!(String::from_utf8_lossy(&output.stderr).contains(message), "standard error has it too");
    }
    assert_eq!(records(&path), before);
}

#[test]
fn unreadable_body_is_an_api_error() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let (missing, folder) = (dir.path("none.json"), dir.path(""));
    for (from, expected) in [(missing.as_path(), "cannot be read"), (&folder, "is a directory")] {
        let output = run(&path, &["create", "--from", from.to_str().unwrap(), "--json"]);
        assert_eq!(output.status.code(), Some(2));
        let error: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(error["statusCode"], 400);
        assert!(error["message"].as_str().unwrap().contains(expected), "{error}");
    }
    assert!(!path.exists());
}

#[test]
fn list_prints_every_format() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    ok(&path, &["import", dir.write("sample.ndjson", SAMPLE).to_str().unwrap()]);
    let array = command_json(&path, &["list", "--json"]);
    let lines: Vec<Value> =
        ok(&path, &["list", "--jsonl"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(array.as_array().unwrap(), &lines);
    let mut sheet = csv_rows(&ok(&path, &["list", "--csv"]));
    assert_eq!(sheet.remove(0)[..3], ["id", "name", "connector_type_id"]);
    let ids = |rows: &[Vec<String>]| rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    let expected: Vec<String> = lines.iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids(&sheet), expected);
}

#[test]
fn csv_cells_run_no_formula_and_break_no_line() {
    let dir = TestDir::new();
    let path = dir.demo();
    for name in [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "  =1",
        "\t=1",
        "\u{ff1d}1",
        "a\",\"b",
        "two\nlines",
        "\u{1b}[31mred",
        "a;=1",
        "a; +1",
    ] {
        crate::support::execute(
            &path,
            &format!(
                "UPDATE connectors SET name = '{}' WHERE rowid = 1; UPDATE connectors SET name = 'x' WHERE rowid > 1",
                name.replace('\'', "''")
            ),
        );
        let text = ok(&path, &["list", "--csv"]);
        assert!(!text.contains('\u{1b}'), "{text}");
        let rows = csv_rows(&text);
        assert!(rows.iter().all(|row| row.len() == 9), "{name:?}");
        assert_eq!(rows.len(), 198);
        // A spreadsheet may split a cell at a semicolon.
        let begins = |part: &str| part.starts_with(['=', '+', '-', '@', '\u{ff1d}', '\t', ' ']);
        assert!(!rows.iter().any(|row| row[1].split(';').any(begins)), "{name:?}");
    }
}

/// An independent parser: quotes, doubled quotes, line breaks.
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn toggle_by_filter_is_one_step() {
    let dir = TestDir::new();
    let path = dir.demo();
    ok(&path, &["upgrade"]);
    let outcome = command_json(&path, &["toggle", "--filter", "type:jira", "--to", "per-user", "--json"]);
    let jira = command_json(&path, &["list", "--filter", "type:jira", "--json"]);
    assert!(jira.as_array().unwrap().iter().all(|connector| connector["auth_mode"] == "per-user"));
    assert!(!outcome["changed"].as_array().unwrap().is_empty());
    assert_eq!(rows(&path, "SELECT count(*) FROM history"), ["Integer(1)"]);
    for wrong in
        [&["toggle"][..], &["toggle", "--filter", "type:jira"], &["toggle", "x", "--filter", "y", "--to", "shared"]]
    {
        assert_eq!(run(&path, wrong).status.code(), Some(2), "{wrong:?}");
    }
}

/// Unusual but valid: every part round-trips.
#[test]
fn get_then_update_changes_nothing() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let config = r#"{"z":"\\ud800","a":[1e400,1E5,-0,0.10],"b":{"x":1,"x":2}}"#;
    let line =
        format!(r#"{{"type":"action","id":"odd","attributes":{{"actionTypeId":".x","name":"n","config":{config}}}}}"#);
    ok(&path, &["import", dir.write("odd.ndjson", &line).to_str().unwrap()]);
    let before = crate::support::records(&path);
    let got = ok(&path, &["get", "odd", "--json"]);
    assert!(ok(&path, &["list", "--jsonl"]).contains(config));
    let sent = send_text(&path, &["update", "odd", "--from", "-"], &got);
    assert_eq!(sent.status.code(), Some(0), "{sent:?}");
    assert!(String::from_utf8_lossy(&sent.stdout).starts_with("Unchanged"), "{sent:?}");
    assert_eq!(crate::support::records(&path), before);
    assert!(ok(&path, &["check"]).contains("it has a duplicate key"));
    // A new config must be unambiguous.
    let sent = send_text(&path, &["update", "odd", "--from", "-", "--json"], r#"{"name":"n","config":{"x":1,"x":2}}"#);
    assert_eq!(sent.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&sent.stdout).contains("names a key twice"), "{sent:?}");
}

#[test]
fn unreadable_secrets_keep_their_associated_data() {
    let dir = TestDir::new();
    let path = dir.path("a.db");
    let run_with = |name: &str, arguments: &[&str], body: &str| send_with(&path, &dir.path(name), arguments, body);
    let url = |host: &str, more: &str| {
        format!(
            r#"{{"name":"h","config":{{"method":"post","hasAuth":true,"authType":"webhook-authentication-basic","url":"https://{host}.example"}}{more}}}"#
        )
    };
    let body = url("a", r#","connector_type_id":".webhook","secrets":{"user":"u","password":"p"}"#);
    let made = run_with("keys", &["create", "--id", "h", "--from", "-"], &body);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let before = crate::support::records(&path);
    let refused = run_with("none", &["update", "h", "--from", "-"], &url("b", ""));
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("cannot be decrypted"), "{refused:?}");
    assert_eq!(crate::support::records(&path), before);
    for (name, body) in [("keys", url("c", "")), ("none", url("d", r#","secrets":{"user":"v","password":"q"}"#))] {
        let done = run_with(name, &["update", "h", "--from", "-"], &body);
        assert_eq!(done.status.code(), Some(0), "{done:?}");
    }
}

#[test]
fn doubtful_filter_changes_nothing() {
    let dir = TestDir::new();
    let path = dir.demo();
    ok(&path, &["upgrade"]);
    let before = crate::support::records(&path);
    for filter in ["", "  ", "-authype:oauth", "type:", "-", "\"\""] {
        for command in [&["toggle", "--to", "per-user", "--filter", filter][..], &["undo", "--filter", filter]] {
            let output = run(&path, command);
            assert_eq!(output.status.code(), Some(2), "{command:?} {output:?}");
        }
    }
    assert_eq!(crate::support::records(&path), before);
    let output = run(&path, &["list", "--filter", "-authype:oauth"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("authype: is not a filter key; did you mean authtype:?"),
        "{output:?}"
    );
}
