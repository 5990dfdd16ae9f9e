//! Fixtures that must stay decryptable: secrets encrypted under each model version, after upgrade and migration.
//!
//! The fixtures were encrypted once with the keys next to them, at the schema and model version of their name. A new
//! model version adds a file; none is ever re-encrypted.

use std::path::PathBuf;
use std::sync::Arc;

use connector_admin::domain::migration;
use connector_admin::store::Store;
use connector_admin::vault::{KeyOptions, Vault};

use crate::support::{TestDir, execute, rows, untouched};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/secrets/fixtures").join(name)
}

/// Returns the secrets of each fixture, by id.
fn expected() -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(fixture("expected.json")).unwrap()).unwrap()
}

#[test]
fn secrets_of_every_model_version_open_after_upgrade_and_migration() {
    let vault = Vault::new(KeyOptions { key_file: fixture("keys"), next_to_file: None, passphrase: None });
    let expected = expected();
    for version in 1..=migration::latest() {
        let dir = TestDir::new();
        let path = dir.path("fixture.db");
        let sql = std::fs::read_to_string(fixture(&format!("model_version_{version}.sql")));
        let sql = sql.unwrap_or_else(|_| panic!("model version {version} needs a sealed fixture"));
        let tables = if version == 1 { "" } else { include_str!("../../assets/schema/2.sql") };
        execute(
            &path,
            &format!("{tables}\n{sql}; PRAGMA application_id = 1129270862; PRAGMA user_version = {version};"),
        );
        let ciphertexts = rows(&path, "SELECT id, secrets, config FROM connectors ORDER BY id");
        let before = untouched(&path);
        let (mut store, _) = Store::open(&path, &Arc::default(), &mut |_| Ok(())).unwrap();
        check(&store, &vault, &expected);
        store.apply(true, "2026-11-25T12:00:00.000Z", &mut |_, _| true).unwrap();
        check(&store, &vault, &expected);
        drop(store);
        assert_eq!(rows(&path, "SELECT id, secrets, config FROM connectors ORDER BY id"), ciphertexts);
        assert_eq!(untouched(&path), before);
        assert_eq!(
            rows(&path, "SELECT count(*) FROM connectors WHERE migration_group IS NOT NULL").concat(),
            "Integer(0)"
        );
    }
}

fn check(store: &Store, vault: &Vault, expected: &serde_json::Value) {
    let mut seen = 0;
    store
        .each::<connector_admin::store::StoreError>(|connector| {
            seen += 1;
            let open = vault.open(&connector).unwrap_or_else(|reason| panic!("{}: {reason}", connector.id));
            let found: serde_json::Value = serde_json::from_str(open.secret().expose()).unwrap();
            assert_eq!(found, expected[&connector.id], "{}", connector.id);
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, 3);
}
