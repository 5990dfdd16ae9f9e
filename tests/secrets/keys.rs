//! Keys on the command line: the key file, a passphrase, rotation that can be stopped, types of one's own.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::{TestDir, execute, rows};
use crate::terminal::PROGRAM;

const ONE: &str = r#"{"type":"action","id":"one","references":[],"attributes":{"actionTypeId":".slack_api","name":"One","config":{},"isMissingSecrets":true,"secrets":{"token":"planted-token"}}}"#;

/// Runs the program with a separate home.
fn command(place: &TestDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["--file", place.path("c.db").to_str().unwrap()]).args(arguments);
    for name in ["CONNECTOR_ADMIN_FILE", "CONNECTOR_ADMIN_KEY_FILE", "CONNECTOR_ADMIN_PASSPHRASE", "XDG_CONFIG_HOME"] {
        command.env_remove(name);
    }
    command.env("HOME", place.path("home")).stdin(Stdio::null());
    command
}

fn run(place: &TestDir, arguments: &[&str]) -> Output {
    command(place, arguments).output().unwrap()
}

#[track_caller]
fn ok(place: &TestDir, arguments: &[&str]) -> String {
    checked(&run(place, arguments), 0)
}

#[track_caller]
fn checked(output: &Output, code: i32) -> String {
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{printed}");
    assert!(!printed.contains("planted"), "{printed}");
    printed
}

/// Creates a file of some records, whose plain secrets are encrypted during the import.
fn imported(place: &TestDir, count: usize) {
    let lines: Vec<String> = (0..count).map(|n| ONE.replace("\"one\"", &format!("\"one{n:05}\""))).collect();
    let export = place.write("plain.ndjson", &lines.join("\n"));
    ok(place, &["import", export.to_str().unwrap()]);
    std::fs::remove_file(export).unwrap();
}

fn key_file(place: &TestDir) -> std::path::PathBuf {
    place.path("home/.config/connector-admin/keys")
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Returns the number of secrets of each key.
fn by_key(place: &TestDir) -> Vec<u64> {
    let counts: Value = serde_json::from_str(&ok(place, &["rekey", "--dry-run", "--json"])).unwrap();
    counts.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).collect()
}

#[test]
fn plain_secrets_in_an_import_are_encrypted_with_a_new_key() {
    let place = TestDir::new();
    let export = place.write("plain.ndjson", ONE);
    let script = format!("umask 000 && exec {PROGRAM} --file \"$1\" import \"$2\"");
    let output = Command::new("sh")
        .args(["-c", &script, "sh", place.path("c.db").to_str().unwrap(), export.to_str().unwrap()])
        .env("HOME", place.path("home"))
        .env_remove("XDG_CONFIG_HOME")
        .output()
        .unwrap();
    let printed = checked(&output, 0);
    assert!(printed.contains("1 new") && printed.contains("0 without secrets"), "{printed}");
    let stored = rows(&place.path("c.db"), "SELECT secrets, is_missing_secrets FROM connectors").concat();
    assert!(stored.starts_with("\"ca1.k") && stored.ends_with("|Integer(0)"), "{stored}");
    assert_eq!((mode(&place.path("c.db")), mode(&key_file(&place))), (0o600, 0o600));
    assert_eq!(mode(key_file(&place).parent().unwrap()), 0o700);
    assert!(ok(&place, &["get", "one"]).contains("set: token"));
    let info = ok(&place, &["info"]);
    assert!(info.contains("home/.config/connector-admin/keys") && !info.contains("warning"), "{info}");
    // Nothing of it leaves again.
    let export = ok(&place, &["export"]);
    assert!(export.contains(r#""secrets":{}"#) && !export.contains("ca1."), "{export}");
}

#[test]
fn readable_key_file_is_reported() {
    let place = TestDir::new();
    imported(&place, 1);
    std::fs::set_permissions(key_file(&place), PermissionsExt::from_mode(0o644)).unwrap();
    for arguments in [&["get", "one00000"][..], &["info"]] {
        let printed = ok(&place, arguments);
        assert!(printed.contains("can be read by others (mode 644): chmod 600"), "{printed}");
    }
}

#[test]
fn rotation_reencrypts_everything() {
    let place = TestDir::new();
    imported(&place, 3);
    execute(&place.path("c.db"), "UPDATE connectors SET secrets = 'S2liYW5h' WHERE id = 'one00002'");
    let revisions = rows(&place.path("c.db"), "SELECT revision FROM connectors");
    let printed = checked(&run(&place, &["rekey"]), 1);
    assert!(
        printed.contains("2 re-encrypted, 0 already") && printed.contains("skipped one00002: encrypted by another"),
        "{printed}"
    );
    assert_eq!(rows(&place.path("c.db"), "SELECT revision FROM connectors"), revisions);
    assert_eq!(
        std::fs::read_to_string(key_file(&place)).unwrap().lines().filter(|line| line.starts_with('k')).count(),
        2
    );
    assert!(ok(&place, &["get", "one00000"]).contains("set: token"));
    // As if a rotation had been stopped half-way: one value is of the new key, the other of an older one.
    let old = ok(&place, &["rekey", "--dry-run"]);
    let one =
        rows(&place.path("c.db"), "SELECT secrets FROM connectors WHERE id = 'one00000'").concat().replace('"', "");
    checked(&run(&place, &["rekey"]), 1);
    execute(&place.path("c.db"), &format!("UPDATE connectors SET secrets = '{one}' WHERE id = 'one00000'"));
    let printed = checked(&run(&place, &["rekey"]), 1);
    assert!(printed.contains("1 re-encrypted, 1 already"), "{old}{printed}");
    assert_eq!(
        std::fs::read_to_string(key_file(&place)).unwrap().lines().filter(|line| line.starts_with('k')).count(),
        3
    );
}

#[test]
fn rotation_killed_at_any_moment_loses_nothing() {
    let place = TestDir::new();
    imported(&place, 3000);
    for signal in ["-INT", "-KILL"] {
        let mut child = command(&place, &["rekey", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
        // Once the first batches are in, whatever the machine's speed.
        let newest = || std::fs::read_to_string(key_file(&place)).unwrap().lines().last().unwrap()[..17].to_owned();
        let first = newest();
        while child.try_wait().unwrap().is_none() {
            let sql = format!("SELECT count(*) FROM connectors WHERE secrets LIKE 'ca1.{}.%'", newest());
            let done = rows(&place.path("c.db"), &sql).concat();
            if newest() != first && done != "Integer(0)" {
                break;
            }
        }
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let _ = child.wait_with_output().unwrap();
        assert_eq!(rows(&place.path("c.db"), "PRAGMA integrity_check").concat(), "\"ok\"");
        assert_eq!(by_key(&place).iter().sum::<u64>(), 3000);
    }
    while by_key(&place).len() > 1 {
        ok(&place, &["rekey"]);
    }
    let opened = ok(&place, &["rekey", "--json"]);
    assert!(opened.contains(r#""unreadable": []"#) && opened.contains(r#""stopped": false"#), "{opened}");
}

#[test]
fn passphrase_works_without_a_key_file() {
    let place = TestDir::new();
    imported(&place, 2);
    let with = |passphrase: &str, new: &str, arguments: &[&str]| {
        let mut command = command(&place, arguments);
        for (variable, value) in [("CONNECTOR_ADMIN_PASSPHRASE", passphrase), ("CONNECTOR_ADMIN_NEW_PASSPHRASE", new)] {
            if !value.is_empty() {
                command.env(variable, value);
            }
        }
        command.output().unwrap()
    };
    assert!(checked(&with("", "correct horse", &["rekey", "--to", "passphrase"]), 0).contains("2 re-encrypted"));
    std::fs::remove_file(key_file(&place)).unwrap();
    assert!(checked(&with("correct horse", "", &["get", "one00000"]), 0).contains("set: token"));
    assert!(ok(&place, &["get", "one00000"]).contains(
        "unreadable: encrypted with a passphrase; start with \
                                                       --passphrase"
    ));
    assert!(checked(&with("wrong", "", &["get", "one00000"]), 0).contains("the passphrase given does not open it"));
    let before = rows(&place.path("c.db"), "SELECT secrets FROM connectors");
    assert!(checked(&with("wrong", "", &["rekey"]), 2).contains("decrypts none of the secrets"));
    assert_eq!(rows(&place.path("c.db"), "SELECT secrets FROM connectors"), before);
    assert!(checked(&with("correct horse", "new horse", &["rekey", "--to", "passphrase"]), 0).contains(
        "2 \
                                                                                                        re-encrypted"
    ));
    assert!(checked(&with("new horse", "", &["rekey", "--to", "key-file"]), 0).contains("2 re-encrypted"));
    assert!(ok(&place, &["get", "one00001"]).contains("set: token"));
    assert_eq!(mode(&key_file(&place)), 0o600);
    assert!(checked(&run(&place, &["rekey", "--to", "passphrase"]), 2).contains("CONNECTOR_ADMIN_NEW_PASSPHRASE"));
}

#[test]
fn the_types_are_listed_shown_and_added() {
    let place = TestDir::new();
    let all: Value = serde_json::from_str(&ok(&place, &["types", "--json"])).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 99);
    let shown = ok(&place, &["types", ".webhook"]);
    for text in ["config.url", "secrets.clientSecret", "authType is webhook-oauth2-client-credentials", "gold"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(checked(&run(&place, &["types", ".nope"]), 2).contains("no connector type"));
    // The output is valid input, under another name.
    let mut own: Value = serde_json::from_str(&ok(&place, &["types", "slack2", "--json"])).unwrap();
    own["id"] = ".acme".into();
    own["name"] = "Acme".into();
    let file = place.write("types.json", &format!("{{\"connector_types\": [\n{own}\n]}}"));
    let types = ["--types", file.to_str().unwrap(), "types"];
    assert!(ok(&place, &types).contains(".acme"));
    std::fs::write(&file, "{\"connector_types\": [\n{\"id\": \".acme\", \"name\": \"\"}\n]}").unwrap();
    let printed = checked(&run(&place, &types), 2);
    assert!(printed.contains("types.json, line 2: .acme: a name is needed. None of its types is used"), "{printed}");
}

#[test]
fn invalid_ciphertext_is_refused_with_its_line_and_not_echoed() {
    let place = TestDir::new();
    let line = |secrets: &str| {
        format!(
            "{{\"id\":\"a\",\"type\":\"action\",\"attributes\":{{\"actionTypeId\":\".webhook\",\"name\":\"n\",\"config\":{{}},\"secrets\":{secrets}}}}}\n"
        )
    };
    let export = place.write("in.ndjson", &line("\"PLANTSTR\""));
    let output = run(&place, &["import", export.to_str().unwrap()]);
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{printed}");
    assert!(
        printed.contains("line 1") && printed.contains("no ciphertext") && !printed.contains("PLANTSTR"),
        "{printed}"
    );
    // Kibana's own ciphertext is accepted as it is; missing plain secrets are reported.
    let export = place.write("in.ndjson", &line(&format!("\"{}\"", "QUFB".repeat(60))));
    assert!(ok(&place, &["import", export.to_str().unwrap()]).contains("imported 1 connector"));
    let partly = line("{\"user\":\"u\"}")
        .replace("\"config\":{}", "\"config\":{\"url\":\"https://a.example\",\"hasAuth\":true}");
    let export = place.write("in.ndjson", &partly.replace("\"id\":\"a\"", "\"id\":\"b\""));
    assert!(ok(&place, &["import", export.to_str().unwrap()]).contains("1 without secrets"));
    assert!(ok(&place, &["get", "b"]).contains("set: user; missing: Password"));
}

#[test]
fn stopped_passphrase_change_is_finished_or_refused() {
    let place = TestDir::new();
    imported(&place, 2);
    let rekey = |old: Option<&str>, new: &str| {
        let mut command = command(&place, &["rekey", "--to", "passphrase"]);
        if let Some(old) = old {
            command.env("CONNECTOR_ADMIN_PASSPHRASE", old);
        }
        command.env("CONNECTOR_ADMIN_NEW_PASSPHRASE", new).output().unwrap()
    };
    let before = rows(&place.path("c.db"), "SELECT secrets FROM connectors WHERE id LIKE '%0'").concat();
    assert_eq!(rekey(None, "first").status.code(), Some(0));
    // The state of a stopped rekey: one record still uses the key file.
    let restore = format!("UPDATE connectors SET secrets = {before} WHERE id LIKE '%0'").replace('"', "'");
    crate::support::execute(&place.path("c.db"), &restore);
    let refused = rekey(None, "second");
    let printed = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{printed}");
    assert!(printed.contains("another passphrase than the old and the new one"), "{printed}");
    assert_eq!(rekey(None, "first").status.code(), Some(0));
    assert_eq!(rekey(Some("first"), "second").status.code(), Some(0));
    assert_eq!(by_key(&place).len(), 1);
}

#[test]
fn no_key_is_created_without_need() {
    let place = TestDir::new();
    imported(&place, 1);
    crate::support::execute(&place.path("c.db"), "UPDATE connectors SET secrets = NULL");
    let keys = std::fs::read(key_file(&place)).unwrap();
    let output = run(&place, &["rekey"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no secrets to encrypt"));
    assert_eq!(std::fs::read(key_file(&place)).unwrap(), keys);
    let output = command(&place, &["list"]).env("CONNECTOR_ADMIN_PASSPHRASE", "").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "a command that needs no key");
    let output = command(&place, &["get", "one00000"]).env("CONNECTOR_ADMIN_PASSPHRASE", "").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("set but empty"), "{output:?}");
    let output = command(&place, &["rekey", "--to", "passphrase"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn sidecar_key_file_of_a_kept_demo_is_found() {
    let place = TestDir::new();
    std::fs::rename(place.demo(), place.path("c.db")).unwrap();
    std::fs::rename(place.path("demo.db.keys"), place.path("c.db.keys")).unwrap();
    let info = ok(&place, &["info"]);
    assert!(info.contains("c.db.keys"), "{info}");
    let listed: Value = serde_json::from_str(&ok(&place, &["list", "--json"])).unwrap();
    let id = |one: &Value| one["id"].as_str().unwrap().to_owned();
    let shown: Vec<String> =
        listed.as_array().unwrap().iter().map(|one| ok(&place, &["get", &id(one)])).take(40).collect();
    assert!(shown.iter().any(|shown| shown.contains("secrets         set: ")), "{shown:?}");
    // A named key file takes precedence.
    let named = place.write("named.keys", "");
    let info = ok(&place, &["--key-file", named.to_str().unwrap(), "info"]);
    assert!(info.contains("named.keys"), "{info}");
}

#[test]
fn unreadable_secrets_are_listed_and_filtered() {
    let place = TestDir::new();
    imported(&place, 3);
    std::fs::rename(key_file(&place), place.path("away")).unwrap();
    let listed = ok(&place, &["list"]);
    assert_eq!(listed.matches("unreadable").count(), 3, "{listed}");
    assert_eq!(ok(&place, &["list", "--csv"]).matches("unreadable").count(), 3);
    let count = |filter: &str| ok(&place, &["list", "--jsonl", "--filter", filter]).lines().count();
    assert_eq!((count("unreadable:secrets"), count("-unreadable:secrets")), (3, 0));
    std::fs::rename(place.path("away"), key_file(&place)).unwrap();
    assert_eq!((count("unreadable:secrets"), count("-unreadable:secrets")), (0, 3));
    assert!(!ok(&place, &["list"]).contains("unreadable"));
}

#[test]
fn restored_key_file_is_used_and_its_absence_reported() {
    let place = TestDir::new();
    std::fs::rename(place.demo(), place.path("c.db")).unwrap();
    let create = place
        .write("new.json", r#"{"name":"n","connector_type_id":".slack_api","config":{},"secrets":{"token":"xoxb-1"}}"#);
    ok(&place, &["upgrade"]);
    let created = run(&place, &["create", "--id", "new", "--from", create.to_str().unwrap()]);
    let printed = String::from_utf8_lossy(&created.stderr).into_owned();
    assert!(created.status.success() && printed.contains("encrypted with a missing key"), "{printed}");
    assert_ne!(ok(&place, &["list", "--jsonl", "--filter", "unreadable:secrets"]).lines().count(), 1);
    std::fs::rename(place.path("demo.db.keys"), place.path("c.db.keys")).unwrap();
    // The record encrypted in the meantime, with the usual key file, is the only one whose key is not in the sidecar
    // key file.
    let unreadable = ok(&place, &["list", "--filter", "unreadable:secrets"]);
    assert!(unreadable.contains("new"), "{unreadable}");
    let usual = key_file(&place);
    let both =
        ok(&place, &["--key-file", usual.to_str().unwrap(), "list", "--jsonl", "--filter", "unreadable:secrets"]);
    assert_eq!(both.lines().count(), 1, "only what Kibana encrypted: {both}");
}
