use super::*;
use proptest::prelude::*;
use zeroize::Zeroizing;

fn vault(folder: &tempfile::TempDir) -> Vault {
    Vault::new(KeyOptions { key_file: folder.path().join("keys"), next_to_file: None, passphrase: None })
}

fn passphrase(text: &str) -> Option<Passphrase> {
    Passphrase::new(Zeroizing::new(text.to_owned()))
}

fn with(passphrase_text: &str, folder: &tempfile::TempDir) -> Vault {
    Vault::new(KeyOptions {
        key_file: folder.path().join("keys"),
        next_to_file: None,
        passphrase: passphrase(passphrase_text),
    })
}

fn webhook(id: &str) -> Connector {
    let config = r#"{"url":"https://a.example","n":1.50,"hasAuth":false}"#.to_owned();
    Connector { name: "n".into(), config, ..Connector::new(id, ".webhook") }
}

fn password(text: &str) -> SecretEdits {
    SecretEdits { by_name: [("password".to_owned(), Some(Secret::text(text)))].into(), whole: None }
}

fn encrypted(vault: &Vault, id: &str) -> Connector {
    let mut connector = webhook(id);
    vault.prepare_secrets(None, &mut connector, &password("hunter2"), Catalogue::built_in()).expect("encrypted");
    connector
}

#[track_caller]
fn is_unreadable(vault: &Vault, connector: &Connector, reason: &str) {
    let state = vault.state(connector);
    assert!(matches!(&state, SecretsState::Unreadable(found) if found.contains(reason)), "{state:?}");
}

#[test]
fn sealed_value_opens_and_each_failure_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = vault(&folder);
    let connector = encrypted(&vault, "one");
    assert_eq!(vault.state(&connector), SecretsState::Set { keys: vec!["password".into()], auth_type: None });
    assert!(!format!("{connector:?}").contains("hunter2"));
    let changed = |change: &dyn Fn(&mut Connector)| {
        let mut changed = connector.clone();
        change(&mut changed);
        changed
    };
    for (change, reason) in [
        (
            &(|c: &mut Connector| c.config = "{}".into()) as &dyn Fn(&mut Connector),
            "was changed without \
                                                                                    re-encrypting",
        ),
        (&|c| c.is_missing_secrets = true, "was changed without re-encrypting"),
        (&|c| c.connector_type_id = ".http".into(), "was changed without re-encrypting"),
        (&|c| c.id = "two".into(), "belongs to the connector one"),
        (&|c| c.secrets = c.secrets.clone().map(|text| text.replace(".k", ".k0")), "damaged or was tampered"),
        (&|c| c.secrets = Some("ca2.new".into()), "newer release"),
        (&|c| c.secrets = Some(r#"{"password":"clear"}"#.into()), "not encrypted"),
        (&|c| c.secrets = Some("QUJDREVG".repeat(20)), "encrypted by another program"),
        (&|c| c.secrets = Some(String::new()), "encrypted by another program"),
    ] {
        is_unreadable(&vault, &changed(change), reason);
    }
    // A toggle, a backfill and a new name keep the encrypted value valid.
    let toggled = changed(&|c| (c.auth_mode, c.model_version, c.name) = (None, 1, "other".into()));
    assert_eq!(vault.state(&toggled), vault.state(&connector));
    // Lost and wrong key file.
    let other = tempfile::tempdir().expect("a folder");
    is_unreadable(&self::vault(&other), &connector, "which is not in the key file");
    encrypted(&self::vault(&other), "one");
    is_unreadable(&self::vault(&other), &connector, "which is not in the key file");
    std::fs::write(other.path().join("keys"), "k0123456789abcdef short\n").expect("written");
    is_unreadable(&self::vault(&other), &connector, "line 1: this is not a key");
}

#[test]
fn prepare_secrets_reencrypts_only_when_needed() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = vault(&folder);
    let old = encrypted(&vault, "one");
    let carried = |edits: &SecretEdits, change: &dyn Fn(&mut Connector)| {
        let mut draft = old.clone();
        change(&mut draft);
        vault.prepare_secrets(Some(&old), &mut draft, edits, Catalogue::built_in()).expect("carried");
        draft
    };
    let keep = SecretEdits::default();
    let renamed = carried(&keep, &|c| (c.name, c.auth_mode) = ("new".into(), None));
    assert_eq!(renamed.secrets, old.secrets);
    let respaced = carried(&keep, &|c| c.config = c.config.replace(',', " , "));
    assert_eq!(respaced.secrets, old.secrets);
    let moved = carried(&keep, &|c| c.config = r#"{"url":"https://b.example","hasAuth":false}"#.into());
    assert_ne!(moved.secrets, old.secrets);
    assert!(vault.state(&moved).has("password"));
    let copied = carried(&keep, &|c| c.id = "copy".into());
    assert!(vault.state(&copied).has("password") && !copied.is_missing_secrets);
    let cleared = SecretEdits { by_name: [("password".to_owned(), None)].into(), whole: None };
    assert_eq!(carried(&cleared, &|_| {}).secrets, None);
    // Unreadable secrets are kept and can be replaced.
    let lost = tempfile::tempdir().expect("a folder");
    let stranger = self::vault(&lost);
    let mut draft = Connector { config: "{}".into(), ..old.clone() };
    stranger.prepare_secrets(Some(&old), &mut draft, &keep, Catalogue::built_in()).expect("kept");
    assert_eq!(draft.secrets, old.secrets);
    stranger.prepare_secrets(Some(&old), &mut draft, &password("again"), Catalogue::built_in()).expect("encrypted");
    assert!(stranger.state(&draft).has("password"));
    let mut duplicate = Connector { id: "copy".into(), ..old.clone() };
    stranger.prepare_secrets(Some(&old), &mut duplicate, &keep, Catalogue::built_in()).expect("copied without");
    assert!(duplicate.secrets.is_none() && duplicate.is_missing_secrets);
}

#[test]
fn rotation_reencrypts_and_resumes() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = vault(&folder);
    let old = encrypted(&vault, "one");
    assert_eq!(vault.reencrypt(&old).expect("looked at"), Reencryption::Current);
    let new_id = vault.rotate(None).expect("rotated");
    let Reencryption::Reencrypted(text) = vault.reencrypt(&old).expect("encrypted") else { panic!("not re-encrypted") };
    assert_eq!(key_id_of(&text), Some(new_id));
    let new = Connector { secrets: Some(text), ..old.clone() };
    assert_eq!(vault.reencrypt(&new).expect("looked at"), Reencryption::Current);
    let later = self::vault(&folder);
    assert!(later.state(&old).has("password") && later.state(&new).has("password"));
    assert_eq!(later.reencrypt(&new).expect("looked at"), Reencryption::Current);
    // To a passphrase, with which alone it opens; and the last line of a key file cut off.
    later.rotate(passphrase("correct horse")).expect("rotated");
    let Reencryption::Reencrypted(text) = later.reencrypt(&new).expect("encrypted") else { panic!("not re-encrypted") };
    let under_passphrase = Connector { secrets: Some(text), ..old };
    let empty = tempfile::tempdir().expect("a folder");
    assert!(with("correct horse", &empty).state(&under_passphrase).has("password"));
    is_unreadable(&with("wrong", &empty), &under_passphrase, "the passphrase does not decrypt it");
    is_unreadable(&self::vault(&empty), &under_passphrase, "encrypted with a passphrase");
    let wrong = with("wrong", &empty);
    assert!(matches!(wrong.check_passphrase(under_passphrase.secrets.as_slice()), Err(VaultError::WrongPassphrase)));
    assert!(wrong.encrypt(&new, &Secret::text("x")).is_err());
    let right = with("correct horse", &empty);
    right.check_passphrase(under_passphrase.secrets.as_slice()).expect("right");
    assert_eq!(right.reencrypt(&under_passphrase).expect("looked at"), Reencryption::Current);
}

#[test]
fn truncated_key_is_skipped() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = encrypted(&vault(&folder), "one");
    let path = folder.path().join("keys");
    let whole = std::fs::read_to_string(&path).expect("the key file");
    std::fs::write(&path, format!("{whole}k0123456789abcdef c2hv")).expect("written");
    assert!(vault(&folder).state(&old).has("password"));
    assert_eq!(vault(&folder).reencrypt(&old).expect("looked at"), Reencryption::Current);
    // A line that only lacks its end is a key like the others, also after the next one.
    std::fs::write(&path, whole.trim_end()).expect("written");
    vault(&folder).rotate(None).expect("rotated");
    assert!(vault(&folder).state(&old).has("password"));
    std::fs::write(&path, format!("{whole}k0123456789abcdef c2hv")).expect("written");
    let newest = vault(&folder).rotate(None).expect("rotated");
    assert_eq!(vault(&folder).key_ids().expect("read").last(), Some(&newest));
    assert!(vault(&folder).state(&old).has("password"));
}

#[test]
fn newest_key_of_the_file_encrypts() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = vault(&folder);
    encrypted(&open, "one");
    let newest = vault(&folder).rotate(None).expect("rotated by another program");
    let later = encrypted(&open, "two");
    assert_eq!(key_id_of(later.secrets.as_deref().unwrap_or_default()), Some(newest));
    std::fs::remove_file(folder.path().join("keys")).expect("removed");
    assert!(matches!(open.encrypt(&later, &Secret::text("x")), Err(VaultError::KeyFileGone(_))));
}

#[test]
fn missing_secrets_are_the_required_ones_not_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = vault(&folder);
    let keep = SecretEdits::default();
    let with = |config: &str, missing: bool| Connector {
        config: config.into(),
        is_missing_secrets: missing,
        ..Connector::new("mail", ".email")
    };
    let cases = [
        // Authentication switched off: nothing is missed any more; and on again.
        (with(r#"{"hasAuth":true}"#, true), r#"{"hasAuth":false}"#, false),
        (with(r#"{"hasAuth":false}"#, false), r#"{"hasAuth":true}"#, true),
        // An unrelated edit keeps the known state.
        (with(r#"{"hasAuth":true}"#, false), r#"{"hasAuth":true,"from":"a@b"}"#, false),
    ];
    for (current, config, expected) in cases {
        let mut draft = Connector { config: config.into(), ..current.clone() };
        vault.prepare_secrets(Some(&current), &mut draft, &keep, Catalogue::built_in()).expect("carried");
        assert_eq!(draft.is_missing_secrets, expected, "{} to {config}", current.config);
    }
    let mut half = Connector { config: "{}".into(), ..webhook("half") };
    vault.prepare_secrets(None, &mut half, &password("p"), Catalogue::built_in()).expect("encrypted");
    assert!(half.is_missing_secrets && vault.state(&half).has("password"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_change_of_the_ciphertext_is_detected(at in any::<prop::sample::Index>(), to in any::<char>()) {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = vault(&folder);
        let mut connector = encrypted(&vault, "one");
        let text = connector.secrets.clone().unwrap_or_default();
        let mut characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len());
        prop_assume!(characters[at] != to);
        characters[at] = to;
        connector.secrets = Some(characters.into_iter().collect());
        // The label next to the box may be damaged; it is not needed while the box can be decrypted.
        let in_label = text[..at].matches('.').count() == 2;
        prop_assert!(in_label || matches!(vault.state(&connector), SecretsState::Unreadable(_)));
    }
}
