//! Secrets in the form: write-only, kept byte for byte or re-encrypted, and every way in which they cannot be
//! decrypted.

use std::path::Path;

use connector_admin::demo::keys_of;
use connector_admin::domain::secrets::Secret;
use connector_admin::domain::{Connector, SecretEdits, SecretsState};
use connector_admin::store::Store;
use connector_admin::vault::Vault;

use crate::support::{App, TestDir, execute, rows};
use connector_admin::domain::Catalogue;

fn add(path: &Path, id: &str, type_id: &str, name: &str, config: &str, secrets: &[(&str, &str)]) {
    let (mut store, _) = Store::open(path, &std::sync::Arc::default(), &mut |_| Ok(())).unwrap();
    let mut connector = Connector { name: name.into(), config: config.into(), ..Connector::new(id, type_id) };
    connector.is_missing_secrets = secrets.is_empty();
    let by_name = secrets.iter().map(|(name, value)| ((*name).to_owned(), Some(Secret::text(value)))).collect();
    Vault::new(keys_of(path))
        .prepare_secrets(None, &mut connector, &SecretEdits { by_name, whole: None }, Catalogue::built_in())
        .unwrap();
    store.create(&connector, "2026-11-25T12:00:00.000Z").unwrap();
}

const WEBHOOK: &str =
    r#"{"url":"https://a.example","method":"post","hasAuth":true,"authType":"webhook-authentication-basic"}"#;

fn file(dir: &TestDir) -> std::path::PathBuf {
    let path = dir.path("s.db");
    add(&path, "hook", ".webhook", "Hook", WEBHOOK, &[("user", "u"), ("password", "hunter2")]);
    path
}

fn stored(path: &Path, id: &str) -> String {
    rows(path, &format!("SELECT secrets FROM connectors WHERE id = '{id}'")).concat()
}

fn opened(path: &Path, id: &str) -> Result<String, String> {
    let connector =
        Store::open_read_only(path, connector_admin::store::Reading::Shared).unwrap().get(id).unwrap().unwrap();
    let open = Vault::new(keys_of(path)).open(&connector).map_err(|reason| reason.to_string())?;
    Ok(open.secret().expose().to_owned())
}

#[test]
fn only_config_edits_reencrypt() {
    let dir = TestDir::new();
    let path = file(&dir);
    let before = stored(&path, "hook");
    let mut app = App::open(&path, 110, 40);
    app.act("toggle-mode").expect("per-user now").act("edit").type_text("!").act("save yes").expect("Saved Hook!");
    assert_eq!(stored(&path, "hook"), before);
    app.act("edit").field("URL").append("/v2").act("save yes").expect("Saved ");
    assert_ne!(stored(&path, "hook"), before);
    let both = r#"{"password":"hunter2","user":"u"}"#;
    assert_eq!(opened(&path, "hook").as_deref(), Ok(both));
    // Undo restores the old config and the old ciphertext, which fit each other.
    app.act("undo").expect("Undid edit");
    assert_eq!(stored(&path, "hook"), before);
    assert_eq!(opened(&path, "hook").as_deref(), Ok(both));
    app.act("open").expect("set: password, user").expect_not("hunter2");
}

#[test]
fn secrets_are_kept_replaced_and_cleared() {
    let dir = TestDir::new();
    let path = file(&dir);
    let mut app = App::open(&path, 110, 40);
    app.act("edit").field("Username *").expect("•••••• set");
    app.field("Password").append("swordfish").expect("••••••••• (9 characters)").expect_not("swordfish");
    app.act("save").expect("secrets.password").expect("- set").expect("+ replaced").expect_not("swordfish");
    app.act("yes").expect("Saved Hook");
    assert_eq!(opened(&path, "hook").as_deref(), Ok(r#"{"password":"swordfish","user":"u"}"#));
    // Clearing a required one next to a new one is refused; clearing both leaves them missing.
    app.act("edit previous-field previous-field previous-field previous-field")
        .expect("> Password *")
        .act("clear-field")
        .expect("will be cleared");
    app.act("previous-field")
        .type_text("v")
        .act("save")
        .expect("Password: a value is needed")
        .act("previous-field")
        .press("Ctrl-u");
    app.act("clear-field save").expect("+ cleared").act("yes").expect("Saved Hook");
    assert_eq!(rows(&path, "SELECT secrets, is_missing_secrets FROM connectors").concat(), "Null|Integer(1)");
    app.act("undo").expect("Undid");
    assert!(opened(&path, "hook").is_ok());
}

#[test]
fn changed_auth_type_keeps_common_secrets() {
    let dir = TestDir::new();
    let path = file(&dir);
    let mut app = App::open(&path, 110, 40);
    app.act("edit").field("Authentication type").act("right").expect("Certificate type");
    app.expect_not("Username")
        .act("right")
        .expect("cleared on saving: password, user")
        .expect("Access token URL *")
        .expect("OAuth client secret *");
    app.field("Access token URL *").set("https://t.example");
    app.field("OAuth client ID").set("client");
    app.field("OAuth client secret *").append("deep");
    app.act("save").expect("secrets.password").expect("+ cleared").expect("secrets.clientSecret");
    app.act("yes").expect("Saved ");
    assert_eq!(opened(&path, "hook").as_deref(), Ok(r#"{"clientSecret":"deep"}"#));
    let config = rows(&path, "SELECT config FROM connectors").concat();
    assert!(config.contains("a.example") && config.contains("t.example"), "{config}");
    // And back: what belongs to OAuth goes with it.
    app.act("edit").field("Authentication type").act("right right").expect("Username *").act("save");
    app.expect("config.accessTokenUrl").expect("secrets.clientSecret").act("yes").expect("Saved ");
    let config = rows(&path, "SELECT config FROM connectors").concat();
    assert!(!config.contains("t.example") && !config.contains("client\\\""), "{config}");
}

#[test]
fn unreadable_secrets_are_explained_and_replaceable() {
    let dir = TestDir::new();
    let path = file(&dir);
    add(&path, "other", ".webhook", "Other", WEBHOOK, &[("user", "x"), ("password", "y")]);
    let original = stored(&path, "hook");
    let keys = std::fs::read(keys_of(&path).key_file).unwrap();
    let reset = || {
        execute(
            &path,
            &format!(
                "UPDATE connectors SET config = '{WEBHOOK}', secrets = '{}' WHERE id = 'hook'",
                original.replace('"', "")
            ),
        );
        std::fs::write(keys_of(&path).key_file, &keys).unwrap();
    };
    let cases: [(&str, &dyn Fn(), &str); 5] = [
        ("lost key", &|| std::fs::remove_file(keys_of(&path).key_file).unwrap(), "which is not in the key file"),
        (
            "wrong key",
            &|| std::fs::write(keys_of(&path).key_file, "# Keys of Connector Admin: none\n").unwrap(),
            "which is not in the key file",
        ),
        (
            "tampered",
            &|| execute(&path, "UPDATE connectors SET secrets = secrets || 'A' WHERE id = 'hook'"),
            "damaged or was tampered with",
        ),
        (
            "moved",
            &|| {
                execute(
                    &path,
                    "UPDATE connectors SET secrets = (SELECT secrets FROM connectors WHERE id = 'other') WHERE id = 'hook'",
                );
            },
            "belongs to the connector other",
        ),
        (
            "config",
            &|| execute(&path, "UPDATE connectors SET config = replace(config, 'post', 'put') WHERE id = 'hook'"),
            "was changed without re-encrypting",
        ),
    ];
    for (name, damage, reason) in cases {
        reset();
        damage();
        let damaged = stored(&path, "hook");
        let mut app = App::open(&path, 160, 40);
        app.act("filter").type_text("hook").act("confirm open").expect("unreadable").act("back");
        // The connector stays editable; the ciphertext stays as it is.
        app.act("edit").expect(reason).type_text("!").act("save yes").expect("Saved Hook");
        assert_eq!(stored(&path, "hook"), damaged, "{name}");
        app.act("edit next-field next-field")
            .press("End")
            .type_text("/x")
            .act("save")
            .expect("cannot be decrypted now")
            .act("yes");
        app.expect("Saved ");
        assert_eq!(stored(&path, "hook"), damaged, "{name}");
        app.act("undo").expect("Undid").act("undo").expect("Undid");
        // Entered again, all that are needed.
        app.act("edit previous-field previous-field previous-field previous-field")
            .type_text("new")
            .act("save")
            .expect("Username: a value is needed");
        app.type_text("again").act("save").expect("take the place of all").act("yes").expect("Saved ");
        assert_eq!(opened(&path, "hook").as_deref(), Ok(r#"{"password":"new","user":"again"}"#), "{name}");
    }
}

#[test]
fn duplicate_has_the_secrets_of_the_original() {
    let dir = TestDir::new();
    let path = file(&dir);
    let mut app = App::open(&path, 110, 40);
    app.act("duplicate")
        .expect("Secrets: set, copied from the original")
        .act("save")
        .expect("copied from the original");
    app.act("yes").expect("Created Hook (copy)");
    assert_eq!(opened(&path, "new-connector-id").as_deref(), Ok(r#"{"password":"hunter2","user":"u"}"#));
    assert_ne!(stored(&path, "new-connector-id"), stored(&path, "hook"));
}

#[test]
fn unknown_type_is_edited_as_json() {
    let dir = TestDir::new();
    let path = dir.path("s.db");
    let mut app = App::open(&path, 110, 40);
    app.act("new")
        .type_text(".acme")
        .act("confirm")
        .type_text("Acme")
        .act("next-field next-field")
        .expect("> Config (JSON)");
    app.act("next-field")
        .type_text("{\"pin\": ")
        .act("next-field previous-field")
        .expect("! not a JSON object (line 1, column 8)");
    app.type_text("\"1234\"}").act("save yes").expect("Created Acme");
    assert_eq!(opened(&path, "new-connector-id").as_deref(), Ok(r#"{"pin": "1234"}"#));
    app.act("edit").expect("Secrets: set; also set: pin").expect_not("1234");
}

#[test]
fn missing_secrets_are_filled_in_one_by_one() {
    let dir = TestDir::new();
    let path = file(&dir);
    let line = |id: &str, name: &str| {
        format!(
            r#"{{"type":"action","id":"{id}","references":[],"typeMigrationVersion":"10.1.0","attributes":{{"actionTypeId":".slack_api","name":"{name}","config":{{}},"isMissingSecrets":true,"secrets":{{}}}}}}"#
        )
    };
    let export = dir.write("e.ndjson", &[line("c", "Gamma"), line("a", "alpha"), line("b", "Beta")].join("\n"));
    let mut app = App::open(&path, 110, 40);
    app.act("import").type_text(export.to_str().unwrap()).act("confirm yes").expect("3 connectors need secrets");
    app.act("right confirm").expect("1 of 3").expect("/missing:secrets").act("back").expect("of 4");
    for (name, left) in
        [("alpha", "2 connectors still"), ("Beta", "1 connector still"), ("Gamma", "no connector is missing")]
    {
        app.act("next-missing").expect(&format!("Edit {name}")).expect("> Bot token *").expect("missing");
        app.type_text("xoxb-1").act("save yes").expect(&format!("Saved {name}")).expect(left);
    }
    app.act("next-missing").expect("No connector is missing secrets");
    assert_eq!(opened(&path, "b").as_deref(), Ok(r#"{"token":"xoxb-1"}"#));
    // Skipping one moves to the next, and from the last to the first.
    app.act("undo").expect("Undid").act("undo").expect("Undid").act("top");
    app.act("next-missing")
        .expect("Edit Beta")
        .act("back next-missing")
        .expect("Edit Gamma")
        .act("back next-missing")
        .expect("Edit Beta");
}

#[test]
fn editor_text_returns_valid_or_not() {
    let dir = TestDir::new();
    let path = file(&dir);
    let mut app = App::open(&path, 110, 40);
    app.act("edit next-field next-field next-field next-field").expect("> HTTP headers");
    app.editor = |_| Ok("X-One: 1\nX-Two: 2\n".to_owned());
    app.act("open-editor").expect("X-Two: 2").act("previous-field");
    app.editor = |text| Ok(format!("{text}\nbroken"));
    app.act("next-field open-editor").expect("! line 3: must be name: value").expect("broken");
    app.editor = |text| Ok(text.replace("broken", ""));
    app.act("open-editor").expect_not("! line 3").act("save").expect(r#"+ {"X-One":"1","X-Two":"2"}"#).act("back");
    app.editor = |_| Err("the editor ended with exit status: 1; the text is as before".to_owned());
    app.act("open-editor").expect("the text is as before").expect("X-Two: 2");
    app.field("Username").act("open-editor").expect("secrets never");
}

#[test]
fn concurrent_change_keeps_an_entered_secret() {
    let dir = TestDir::new();
    let path = file(&dir);
    let mut app = App::open(&path, 110, 40);
    app.act("edit previous-field previous-field previous-field previous-field")
        .expect("> Password *")
        .type_text("mine");
    execute(&path, "UPDATE connectors SET name = 'Theirs' WHERE id = 'hook'");
    app.act("save yes").expect("Changed by someone else").act("right right confirm").expect("Theirs");
    app.expect("•••• (4 characters)").act("save yes").expect("Saved Theirs");
    assert_eq!(opened(&path, "hook").as_deref(), Ok(r#"{"password":"mine","user":"u"}"#));
    assert_eq!(Vault::new(keys_of(&path)).state(&Connector::new("x", "y")), SecretsState::None);
}

#[test]
fn readable_key_file_is_reported_on_open() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TestDir::new();
    let path = file(&dir);
    std::fs::set_permissions(keys_of(&path).key_file, PermissionsExt::from_mode(0o640)).unwrap();
    let mut app = App::open(&path, 110, 40);
    app.expect("About the keys").expect("can be read by others (mode 640)").act("confirm").expect_not("About the keys");
}

#[test]
fn refused_auth_type_is_a_warning_and_can_be_saved() {
    let dir = TestDir::new();
    let path = dir.path("s.db");
    let config = r#"{"authType":"bearer"}"#;
    add(&path, "n", ".notion", "Pages", config, &[("authType", "bearer"), ("token", "t")]);
    let mut app = App::open(&path, 110, 40);
    app.act("edit next-field next-field")
        .expect("> Authentication type *")
        .expect("< Bearer token (bearer) >")
        .act("left");
    app.expect("* Kibana itself refuses to give a shared connector a per-user auth type");
    app.act("previous-field previous-field")
        .type_text("!")
        .act("save")
        .expect("+ oauth_authorization_code")
        .act("yes")
        .expect("Saved ");
    // The token of the other auth type went; the new ones are missing until they are entered.
    app.act("open").expect("missing: to be entered again").expect("OAuth 2.0 authorization code");
    assert_eq!(rows(&path, "SELECT secrets, is_missing_secrets FROM connectors").concat(), "Null|Integer(1)");
    app.act("next-missing")
        .expect("Edit Pages!")
        .expect("> Client ID *")
        .type_text("id")
        .act("next-field")
        .type_text("sec")
        .act("save yes");
    app.expect("Saved Pages!").expect("no connector is missing secrets now");
    let stored = opened(&path, "n").unwrap();
    assert!(stored.contains(r#""authType":"oauth_authorization_code""#) && !stored.contains("token\":"), "{stored}");
}

#[test]
fn secrets_of_one_type_never_go_to_another() {
    let dir = TestDir::new();
    let path = dir.path("s.db");
    add(&path, "slack", ".slack_api", "Slack", "{}", &[("token", "xoxb")]);
    let mut app = App::open(&path, 110, 40);
    app.act("duplicate")
        .expect("copied from the original")
        .act("previous-field open")
        .type_text(".torq")
        .act("confirm");
    app.expect("(.torq)")
        .expect("not set")
        .expect_not("Copied")
        .act("previous-field open")
        .type_text(".slack_api")
        .act("confirm");
    app.expect("copied from the original");
}

#[test]
fn mode_follows_the_type_chosen_last() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.path("s.db"), 110, 40);
    app.act("new back").expect("Connector type").act("next-field").type_text("Late").act("previous-field open");
    app.type_text(".slack2").act("confirm").expect("(•) per-user");
    app.act("previous-field open").type_text(".notion").act("confirm").expect("(oauth_authorization_code)");
}

#[test]
fn failed_search_for_missing_secrets_keeps_keys_working() {
    let dir = TestDir::new();
    let path = file(&dir);
    execute(
        &path,
        "INSERT INTO connectors (id, connector_type_id, name, is_missing_secrets) VALUES (CAST(x'ff41' AS TEXT), '.x', 'odd', 1)",
    );
    let mut app = App::open(&path, 110, 40);
    app.act("next-missing").expect("deleted").act("down quit");
    assert!(app.is_quitting());
}

#[test]
fn rotated_ciphertext_is_not_overwritten_by_a_save() {
    let dir = TestDir::new();
    let path = file(&dir);
    let mut app = App::open(&path, 110, 40);
    app.act("edit").type_text("!");
    let vault = Vault::new(keys_of(&path));
    vault.rotate(None).unwrap();
    let (mut store, _) = Store::open(&path, &std::sync::Arc::default(), &mut |_| Ok(())).unwrap();
    let reencrypt = |connector: &Connector| match vault.reencrypt(connector) {
        Ok(connector_admin::vault::Reencryption::Reencrypted(ciphertexts)) => Ok(Some(ciphertexts)),
        other => panic!("{other:?}"),
    };
    store.reencrypt::<connector_admin::store::StoreError>(reencrypt, &mut |_, _| true).unwrap();
    drop(store);
    let rotated = stored(&path, "hook");
    app.act("save yes").expect("Saved Hook!");
    assert_eq!(stored(&path, "hook"), rotated);
}

#[test]
fn keys_typed_after_next_missing_secrets_are_never_shown() {
    let dir = TestDir::new();
    let path = dir.path("s.db");
    // Without an auth type no secret is shown yet: the field that decides is focused.
    add(&path, "a", ".abuseipdb", "Lookups", "{}", &[]);
    let mut app = App::open(&path, 110, 40);
    app.act("next-missing").expect("> Authentication type *").type_text("XYZ123");
    assert!(!app.screen().contains("XYZ"), "{}", app.screen());
    app.act("change").expect("API key");
    app.act("save").expect("Secrets will be missing").act("back next-field").type_text("SECabc123");
    app.act("save yes").expect("Saved Lookups");
    assert!(opened(&path, "a").unwrap().contains("SECabc123"));
}

#[test]
fn save_preview_lists_secrets_first() {
    let dir = TestDir::new();
    let path = file(&dir);
    let mut app = App::open(&path, 80, 24);
    app.act("edit").press(&"Tab ".repeat(20));
    for _ in 0..20 {
        if app.act("next-field").screen().contains("> Password") {
            break;
        }
    }
    app.act("clear-field").expect("missing: Password").act("save").expect("Secrets will be missing: Password.");
    app.expect("- set").expect("+ cleared").act("yes").expect("Saved ");
    // The same message appears when the form is opened again.
    app.act("next-missing").expect("missing: Password").expect("> Password");
}

#[test]
fn list_toggle_warns_as_the_form_does() {
    let dir = TestDir::new();
    let path = file(&dir);
    let mut app = App::open(&path, 110, 24);
    app.act("toggle-mode").expect("Hook is per-user now").expect("per-user needs OAuth with each user's consent");
    app.act("toggle-mode").expect("Hook is shared now");
    assert!(!app.screen().contains("But:"));
}

#[test]
fn typed_type_id_is_chosen_by_enter() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.path("s.db"), 80, 24);
    app.act("new").type_text(".servicenow").act("confirm").expect("(.servicenow)");
}

#[test]
fn unreadable_secrets_are_flagged_counted_and_filtered() {
    let dir = TestDir::new();
    let path = file(&dir);
    add(&path, "open", ".slack_api", "Readable later", "{}", &[("token", "xoxb-one")]);
    add(&path, "log", ".server-log", "No secrets", "{}", &[]);
    let keys = keys_of(&path).key_file;
    let own = std::fs::read(&keys).unwrap();
    App::open(&path, 140, 30).expect_not("unreadable").act("overview").expect("unreadable").act("back");
    // The key file is lost, and a new one has been made since.
    std::fs::remove_file(&keys).unwrap();
    add(&path, "new", ".slack_api", "Sealed since", "{}", &[("token", "xoxb-two")]);
    let mut app = App::open(&path, 140, 30);
    app.expect("2 unreadable").act("filter").type_text("unreadable:secrets").act("confirm");
    app.expect("1 of 2").expect("Hook").expect("Readable later").expect("unreadable").expect_not("Sealed since");
    app.act("filter")
        .type_text("x")
        .act("back filter")
        .type_text("-unreadable:secrets")
        .act("confirm")
        .expect("1 of 2");
    app.expect("Sealed since").expect("No secrets").act("back");
    // A value of another program is as unreadable as one without its key; a restored key decrypts its values.
    execute(&path, "UPDATE connectors SET secrets = 'x9Fz/foreign==' WHERE id = 'new'");
    std::fs::write(&keys, own).unwrap();
    app.act("refresh").expect("1 unreadable").act("overview").expect("unreadable");
    app.act("back filter").type_text("unreadable:secrets").act("confirm").expect("1 of 1").expect("Sealed since");
}

#[test]
fn blanks_around_a_pasted_secret_are_kept_and_noted() {
    let dir = TestDir::new();
    let path = file(&dir);
    let mut app = App::open(&path, 110, 40);
    app.act("next-missing").expect("No connector is missing secrets").act("edit").expect_not("blanks at");
    while !app.screen().contains("> Password") {
        app.act("next-field");
    }
    app.paste(" hunter3\t").expect("blanks at its beginning or end are kept").expect_not("hunter3");
    app.act("save").expect_not("hunter3").act("yes").expect("Saved Hook");
    assert_eq!(opened(&path, "hook").as_deref(), Ok(r#"{"password":" hunter3\t","user":"u"}"#));
}

#[test]
fn missing_key_file_never_creates_a_new_key() {
    let dir = TestDir::new();
    let path = file(&dir);
    let keys = keys_of(&path).key_file;
    let mut app = App::open(&path, 120, 40);
    app.act("open").expect("set: password, user");
    std::fs::rename(&keys, dir.path("away")).unwrap();
    let before = stored(&path, "hook");
    app.act("edit");
    while !app.screen().contains("> Password") {
        app.act("next-field");
    }
    app.type_text("another one").act("save yes").expect("is gone").expect("Restore the key file").act("confirm");
    assert!(!keys.exists(), "no other key takes the place of the one that is gone");
    assert_eq!(stored(&path, "hook"), before);
    std::fs::rename(dir.path("away"), &keys).unwrap();
    app.act("save yes").expect("Saved Hook");
}
