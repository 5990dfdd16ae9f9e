//! Keys on the command line: the key file, a passphrase, rotation that can be stopped, types of one's own.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::{TestDir, execute, rows};
use crate::terminal::PROGRAM;

const ONE: &str = r#"{"type":"action","id":"one","references":[],"attributes":{"actionTypeId":".slack_api","name":"One","config":{},"isMissingSecrets":true,"secrets":{"token":"planted-token"}}}"#;

/// Runs the program with a separate home.
fn command(dir: &TestDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["--file", dir.path("c.db").to_str().unwrap()]).args(arguments);
    for name in ["CONNECTOR_ADMIN_FILE", "CONNECTOR_ADMIN_KEY_FILE", "CONNECTOR_ADMIN_PASSPHRASE", "XDG_CONFIG_HOME"] {
        command.env_remove(name);
    }
    command.env("HOME", dir.path("home")).stdin(Stdio::null());
    command
}

fn run(dir: &TestDir, arguments: &[&str]) -> Output {
    command(dir, arguments).output().unwrap()
}

#[track_caller]
fn ok(dir: &TestDir, arguments: &[&str]) -> String {
    checked(&run(dir, arguments), 0)
}

#[track_caller]
fn checked(output: &Output, code: i32) -> String {
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{printed}");
    assert!(!printed.contains("planted"), "{printed}");
    printed
}

/// Creates a file of some records, whose plain secrets are encrypted during the import.
fn imported(dir: &TestDir, count: usize) {
    let lines: Vec<String> = (0..count).map(|n| ONE.replace("\"one\"", &format!("\"one{n:05}\""))).collect();
    let export = dir.write("plain.ndjson", &lines.join("\n"));
    ok(dir, &["import", export.to_str().unwrap()]);
    std::fs::remove_file(export).unwrap();
}

fn key_file(dir: &TestDir) -> std::path::PathBuf {
    dir.path("home/.config/connector-admin/keys")
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Returns the number of secrets of each key.
fn by_key(dir: &TestDir) -> Vec<u64> {
    let counts: Value = serde_json::from_str(&ok(dir, &["rekey", "--dry-run", "--json"])).unwrap();
    counts.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).collect()
}

#[test]
fn plain_secrets_in_an_import_are_encrypted_with_a_new_key() {
    let dir = TestDir::new();
    let export = dir.write("plain.ndjson", ONE);
    let script = format!("umask 000 && exec {PROGRAM} --file \"$1\" import \"$2\"");
    let output = Command::new("sh")
        .args(["-c", &script, "sh", dir.path("c.db").to_str().unwrap(), export.to_str().unwrap()])
        .env("HOME", dir.path("home"))
        .env_remove("XDG_CONFIG_HOME")
        .output()
        .unwrap();
    let printed = checked(&output, 0);
    assert!(printed.contains("1 new") && printed.contains("0 without secrets"), "{printed}");
    let stored = rows(&dir.path("c.db"), "SELECT secrets, is_missing_secrets FROM connectors").concat();
    assert!(stored.starts_with("\"ca1.k") && stored.ends_with("|Integer(0)"), "{stored}");
    assert_eq!((mode(&dir.path("c.db")), mode(&key_file(&dir))), (0o600, 0o600));
    assert_eq!(mode(key_file(&dir).parent().unwrap()), 0o700);
    assert!(ok(&dir, &["get", "one"]).contains("set: token"));
    let info = ok(&dir, &["info"]);
    assert!(info.contains("home/.config/connector-admin/keys") && !info.contains("warning"), "{info}");
    // Nothing of it leaves again.
    let export = ok(&dir, &["export"]);
    assert!(export.contains(r#""secrets":{}"#) && !export.contains("ca1."), "{export}");
}

#[test]
fn readable_key_file_is_reported() {
    let dir = TestDir::new();
    imported(&dir, 1);
    std::fs::set_permissions(key_file(&dir), PermissionsExt::from_mode(0o644)).unwrap();
    for arguments in [&["get", "one00000"][..], &["info"]] {
        let printed = ok(&dir, arguments);
        assert!(printed.contains("can be read by others (mode 644): chmod 600"), "{printed}");
    }
}

#[test]
fn rotation_names_the_key_file_and_creates_no_useless_key() {
    let dir = TestDir::new();
    imported(&dir, 2);
    let printed = ok(&dir, &["rekey"]);
    assert!(printed.contains(&format!("the key is in {}; keep a copy of it", key_file(&dir).display())), "{printed}");
    std::fs::rename(key_file(&dir), dir.path("lost")).unwrap();
    let printed = checked(&run(&dir, &["rekey"]), 2);
    assert!(printed.contains("no available key decrypts the secrets, so no key was created"), "{printed}");
    assert!(!key_file(&dir).exists());
}

#[test]
fn rotation_reencrypts_everything() {
    let dir = TestDir::new();
    imported(&dir, 3);
    execute(&dir.path("c.db"), "UPDATE connectors SET secrets = 'S2liYW5h' WHERE id = 'one00002'");
    let revisions = rows(&dir.path("c.db"), "SELECT revision FROM connectors");
    let printed = checked(&run(&dir, &["rekey"]), 1);
    assert!(
        printed.contains("2 re-encrypted, 0 already") && printed.contains("skipped one00002: encrypted by another"),
        "{printed}"
    );
    assert_eq!(rows(&dir.path("c.db"), "SELECT revision FROM connectors"), revisions);
    assert_eq!(
        std::fs::read_to_string(key_file(&dir)).unwrap().lines().filter(|line| line.starts_with('k')).count(),
        2
    );
    assert!(ok(&dir, &["get", "one00000"]).contains("set: token"));
    // As if a rotation had been stopped half-way: one value is of the new key, the other of an older one.
    let old = ok(&dir, &["rekey", "--dry-run"]);
    let one = rows(&dir.path("c.db"), "SELECT secrets FROM connectors WHERE id = 'one00000'").concat().replace('"', "");
    checked(&run(&dir, &["rekey"]), 1);
    execute(&dir.path("c.db"), &format!("UPDATE connectors SET secrets = '{one}' WHERE id = 'one00000'"));
    let printed = checked(&run(&dir, &["rekey"]), 1);
    assert!(printed.contains("1 re-encrypted, 1 already"), "{old}{printed}");
    assert_eq!(
        std::fs::read_to_string(key_file(&dir)).unwrap().lines().filter(|line| line.starts_with('k')).count(),
        3
    );
}

#[test]
fn rotation_killed_at_any_moment_loses_nothing() {
    let dir = TestDir::new();
    imported(&dir, 3000);
    for signal in ["-INT", "-KILL"] {
        let mut child = command(&dir, &["rekey", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
        // Once the first batches are in, whatever the machine's speed.
        let newest = || std::fs::read_to_string(key_file(&dir)).unwrap().lines().last().unwrap()[..17].to_owned();
        let first = newest();
        while child.try_wait().unwrap().is_none() {
            let sql = format!("SELECT count(*) FROM connectors WHERE secrets LIKE 'ca1.{}.%'", newest());
            let done = rows(&dir.path("c.db"), &sql).concat();
            if newest() != first && done != "Integer(0)" {
                break;
            }
        }
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let _ = child.wait_with_output().unwrap();
        assert_eq!(rows(&dir.path("c.db"), "PRAGMA integrity_check").concat(), "\"ok\"");
        assert_eq!(by_key(&dir).iter().sum::<u64>(), 3000);
    }
    while by_key(&dir).len() > 1 {
        ok(&dir, &["rekey"]);
    }
    let opened = ok(&dir, &["rekey", "--json"]);
    assert!(opened.contains(r#""unreadable": []"#) && opened.contains(r#""stopped": false"#), "{opened}");
}

#[test]
fn passphrase_works_without_a_key_file() {
    let dir = TestDir::new();
    imported(&dir, 2);
    let with = |passphrase: &str, new: &str, arguments: &[&str]| {
        let mut command = command(&dir, arguments);
        for (variable, value) in [("CONNECTOR_ADMIN_PASSPHRASE", passphrase), ("CONNECTOR_ADMIN_NEW_PASSPHRASE", new)] {
            if !value.is_empty() {
                command.env(variable, value);
            }
        }
        command.output().unwrap()
    };
    assert!(checked(&with("", "correct horse", &["rekey", "--to", "passphrase"]), 0).contains("2 re-encrypted"));
    std::fs::remove_file(key_file(&dir)).unwrap();
    assert!(checked(&with("correct horse", "", &["get", "one00000"]), 0).contains("set: token"));
    assert!(ok(&dir, &["get", "one00000"]).contains(
        "unreadable: encrypted with a passphrase; start with \
                                                       --passphrase"
    ));
    assert!(checked(&with("wrong", "", &["get", "one00000"]), 0).contains("the passphrase does not decrypt it"));
    let before = rows(&dir.path("c.db"), "SELECT secrets FROM connectors");
    assert!(checked(&with("wrong", "", &["rekey"]), 2).contains("decrypts none of the secrets"));
    assert_eq!(rows(&dir.path("c.db"), "SELECT secrets FROM connectors"), before);
    assert!(checked(&with("correct horse", "new horse", &["rekey", "--to", "passphrase"]), 0).contains(
        "2 \
                                                                                                        re-encrypted"
    ));
    assert!(checked(&with("new horse", "", &["rekey", "--to", "key-file"]), 0).contains("2 re-encrypted"));
    assert!(ok(&dir, &["get", "one00001"]).contains("set: token"));
    assert_eq!(mode(&key_file(&dir)), 0o600);
    assert!(checked(&run(&dir, &["rekey", "--to", "passphrase"]), 2).contains("CONNECTOR_ADMIN_NEW_PASSPHRASE"));
}

#[test]
fn the_types_are_listed_shown_and_added() {
    let dir = TestDir::new();
    let all: Value = serde_json::from_str(&ok(&dir, &["types", "--json"])).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 99);
    let shown = ok(&dir, &["types", ".webhook"]);
    for text in ["config.url", "secrets.clientSecret", "authType is webhook-oauth2-client-credentials", "gold"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(checked(&run(&dir, &["types", ".nope"]), 2).contains("is not known"));
    // The output is valid input, under another name.
    let mut own: Value = serde_json::from_str(&ok(&dir, &["types", "slack2", "--json"])).unwrap();
    own["id"] = ".acme".into();
    own["name"] = "Acme".into();
    let file = dir.write("types.json", &format!("{{\"connector_types\": [\n{own}\n]}}"));
    let types = ["--types", file.to_str().unwrap(), "types"];
    assert!(ok(&dir, &types).contains(".acme"));
    std::fs::write(&file, "{\"connector_types\": [\n{\"id\": \".acme\", \"name\": \"\"}\n]}").unwrap();
    let printed = checked(&run(&dir, &types), 2);
    assert!(printed.contains("types.json, line 2: .acme: a name is needed. None of its types is used"), "{printed}");
}

#[test]
fn invalid_ciphertext_is_refused_with_its_line_and_not_echoed() {
    let dir = TestDir::new();
    let line = |secrets: &str| {
        format!(
            "{{\"id\":\"a\",\"type\":\"action\",\"attributes\":{{\"actionTypeId\":\".webhook\",\"name\":\"n\",\"config\":{{}},\"secrets\":{secrets}}}}}\n"
        )
    };
    let export = dir.write("in.ndjson", &line("\"PLANTSTR\""));
    let output = run(&dir, &["import", export.to_str().unwrap()]);
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{printed}");
    assert!(
        printed.contains("line 1") && printed.contains("not ciphertext") && !printed.contains("PLANTSTR"),
        "{printed}"
    );
    // Kibana's own ciphertext is accepted as it is; missing plain secrets are reported.
    let export = dir.write("in.ndjson", &line(&format!("\"{}\"", "QUFB".repeat(60))));
    assert!(ok(&dir, &["import", export.to_str().unwrap()]).contains("Imported 1 connector"));
    let partly = line("{\"user\":\"u\"}")
        .replace("\"config\":{}", "\"config\":{\"url\":\"https://a.example\",\"hasAuth\":true}");
    let export = dir.write("in.ndjson", &partly.replace("\"id\":\"a\"", "\"id\":\"b\""));
    assert!(ok(&dir, &["import", export.to_str().unwrap()]).contains("1 without secrets"));
    assert!(ok(&dir, &["get", "b"]).contains("set: user; missing: Password"));
}

#[test]
fn stopped_passphrase_change_is_finished_or_refused() {
    let dir = TestDir::new();
    imported(&dir, 2);
    let rekey = |old: Option<&str>, new: &str| {
        let mut command = command(&dir, &["rekey", "--to", "passphrase"]);
        if let Some(old) = old {
            command.env("CONNECTOR_ADMIN_PASSPHRASE", old);
        }
        command.env("CONNECTOR_ADMIN_NEW_PASSPHRASE", new).output().unwrap()
    };
    let before = rows(&dir.path("c.db"), "SELECT secrets FROM connectors WHERE id LIKE '%0'").concat();
    assert_eq!(rekey(None, "first").status.code(), Some(0));
    // The state of a stopped rekey: one record still uses the key file.
    let restore = format!("UPDATE connectors SET secrets = {before} WHERE id LIKE '%0'").replace('"', "'");
    crate::support::execute(&dir.path("c.db"), &restore);
    let refused = rekey(None, "second");
    let printed = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{printed}");
    assert!(printed.contains("another passphrase than the old and the new one"), "{printed}");
    assert_eq!(rekey(None, "first").status.code(), Some(0));
    assert_eq!(rekey(Some("first"), "second").status.code(), Some(0));
    assert_eq!(by_key(&dir).len(), 1);
}

#[test]
fn no_key_is_created_without_need() {
    let dir = TestDir::new();
    imported(&dir, 1);
    crate::support::execute(&dir.path("c.db"), "UPDATE connectors SET secrets = NULL");
    let keys = std::fs::read(key_file(&dir)).unwrap();
    let output = run(&dir, &["rekey"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no secrets to encrypt"));
    assert_eq!(std::fs::read(key_file(&dir)).unwrap(), keys);
    let output = command(&dir, &["list"]).env("CONNECTOR_ADMIN_PASSPHRASE", "").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "a command that needs no key");
    let output = command(&dir, &["get", "one00000"]).env("CONNECTOR_ADMIN_PASSPHRASE", "").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("set but empty"), "{output:?}");
    let output = command(&dir, &["rekey", "--to", "passphrase"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn sidecar_key_file_of_a_kept_demo_is_found() {
    let dir = TestDir::new();
    std::fs::rename(dir.demo(), dir.path("c.db")).unwrap();
    std::fs::rename(dir.path("demo.db.keys"), dir.path("c.db.keys")).unwrap();
    let info = ok(&dir, &["info"]);
    assert!(info.contains("c.db.keys"), "{info}");
    let listed: Value = serde_json::from_str(&ok(&dir, &["list", "--json"])).unwrap();
    let id = |one: &Value| one["id"].as_str().unwrap().to_owned();
    let shown: Vec<String> =
        listed.as_array().unwrap().iter().map(|one| ok(&dir, &["get", &id(one)])).take(40).collect();
    assert!(shown.iter().any(|shown| shown.contains("secrets         set: ")), "{shown:?}");
    // A named key file takes precedence.
    let named = dir.write("named.keys", "");
    let info = ok(&dir, &["--key-file", named.to_str().unwrap(), "info"]);
    assert!(info.contains("named.keys"), "{info}");
}

#[test]
fn unreadable_secrets_are_listed_and_filtered() {
    let dir = TestDir::new();
    imported(&dir, 3);
    std::fs::rename(key_file(&dir), dir.path("away")).unwrap();
    let listed = ok(&dir, &["list"]);
    assert_eq!(listed.matches("unreadable").count(), 3, "{listed}");
    assert_eq!(ok(&dir, &["list", "--csv"]).matches("unreadable").count(), 3);
    let count = |filter: &str| ok(&dir, &["list", "--jsonl", "--filter", filter]).lines().count();
    assert_eq!((count("unreadable:secrets"), count("-unreadable:secrets")), (3, 0));
    std::fs::rename(dir.path("away"), key_file(&dir)).unwrap();
    assert_eq!((count("unreadable:secrets"), count("-unreadable:secrets")), (0, 3));
    assert!(!ok(&dir, &["list"]).contains("unreadable"));
}

#[test]
fn restored_key_file_is_used_and_its_absence_reported() {
    let dir = TestDir::new();
    std::fs::rename(dir.demo(), dir.path("c.db")).unwrap();
    let create = dir
        .write("new.json", r#"{"name":"n","connector_type_id":".slack_api","config":{},"secrets":{"token":"xoxb-1"}}"#);
    ok(&dir, &["upgrade"]);
    let created = run(&dir, &["create", "--id", "new", "--from", create.to_str().unwrap()]);
    let printed = String::from_utf8_lossy(&created.stderr).into_owned();
    assert!(created.status.success() && printed.contains("encrypted with a missing key"), "{printed}");
    assert_ne!(ok(&dir, &["list", "--jsonl", "--filter", "unreadable:secrets"]).lines().count(), 1);
    std::fs::rename(dir.path("demo.db.keys"), dir.path("c.db.keys")).unwrap();
    // The record encrypted in the meantime, with the usual key file, is the only one whose key is not in the sidecar
    // key file.
    let unreadable = ok(&dir, &["list", "--filter", "unreadable:secrets"]);
    assert!(unreadable.contains("new"), "{unreadable}");
    let usual = key_file(&dir);
    let both = ok(&dir, &["--key-file", usual.to_str().unwrap(), "list", "--jsonl", "--filter", "unreadable:secrets"]);
    assert_eq!(both.lines().count(), 1, "only what Kibana encrypted: {both}");
}
