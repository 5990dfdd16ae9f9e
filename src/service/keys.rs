//! The keys of a file: which it needs, and which are available.

use std::path::PathBuf;

use crate::store::{Store, StoreError};
use crate::vault::{Exposed, PASSPHRASE_PREFIX, Vault, VaultError};

/// A problem with the keys that does not prevent work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyWarning {
    /// The passphrase decrypts none of the secrets.
    WrongPassphrase(String),
    /// Others can read the key file.
    Exposed(Exposed),
    /// Some secrets are encrypted with a passphrase, and none was given.
    PassphraseNotGiven,
    /// Some secrets are encrypted with a missing key; new ones are encrypted with this.
    KeyMissing(EncryptsWith),
}

/// What encrypts new secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncryptsWith {
    /// The passphrase.
    Passphrase,
    /// The newest key of this file.
    KeyFile(PathBuf),
}

/// Returns warnings about the keys.
///
/// # Errors
/// If the file cannot be read.
pub fn key_warnings(vault: &Vault, store: &Store) -> Result<Vec<KeyWarning>, StoreError> {
    let exposed = vault.exposure().map(KeyWarning::Exposed);
    Ok(exposed.into_iter().chain(other_keys(vault, store)?).collect())
}

/// Two kinds of keys in one file, or a new key while the old one is missing, are a risk of losing half of the secrets.
pub fn other_keys(vault: &Vault, store: &Store) -> Result<Option<KeyWarning>, StoreError> {
    if !vault.uses_passphrase() && !store.encrypted_with_prefix(PASSPHRASE_PREFIX)?.is_empty() {
        return Ok(Some(KeyWarning::PassphraseNotGiven));
    }
    let is_missing = |(key, value): &(String, String)| key.starts_with("ca1.k") && !vault.has_key_of(key, value);
    if !store.keys_in_use()?.iter().any(is_missing) {
        return Ok(None);
    }
    Ok(Some(KeyWarning::KeyMissing(match vault.uses_passphrase() {
        true => EncryptsWith::Passphrase,
        false => EncryptsWith::KeyFile(vault.key_file().to_owned()),
    })))
}

/// Finds the missing keys of encrypted secrets, so that lists and counts show them.
///
/// # Errors
/// If the file cannot be read.
pub fn find_unreadable_keys(vault: &Vault, store: &mut Store) -> Result<(), StoreError> {
    let keys = store.keys_in_use()?;
    let unreadable = keys.into_iter().filter(|(key, value)| !vault.has_key_of(key, value)).map(|(key, _)| key);
    store.set_unreadable_keys(unreadable.collect());
    Ok(())
}

/// Checks a passphrase against the stored values before it encrypts anything.
///
/// # Errors
/// If the file cannot be read; within, if another passphrase was used.
pub fn check_passphrase(vault: &Vault, store: &Store) -> Result<Result<(), VaultError>, StoreError> {
    if !vault.uses_passphrase() {
        return Ok(Ok(()));
    }
    Ok(vault.check_passphrase(&store.encrypted_with_prefix(PASSPHRASE_PREFIX)?))
}
