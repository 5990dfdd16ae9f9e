//! The keys of a file: which it needs, and which are available.

use crate::store::{Store, StoreError};
use crate::vault::{PASSPHRASE_PREFIX, Vault, VaultError};

/// Returns warnings about the keys; none of them prevents work.
///
/// # Errors
/// If the file cannot be read.
pub fn key_warnings(vault: &Vault, store: &Store) -> Result<Vec<String>, StoreError> {
    Ok(vault.exposure().into_iter().chain(other_keys(vault, store)?).collect())
}

/// Two kinds of keys in one file, or a new key while the old one is missing, are a risk of losing half of the secrets.
pub fn other_keys(vault: &Vault, store: &Store) -> Result<Option<String>, StoreError> {
    if !vault.uses_passphrase() && !store.encrypted_with_prefix(PASSPHRASE_PREFIX)?.is_empty() {
        let warning = "some of the file's secrets are encrypted with a passphrase, and none was given: they cannot \
                       be decrypted, and new ones are encrypted with the key file. Start with --passphrase to use it";
        return Ok(Some(warning.to_owned()));
    }
    let is_missing = |(key, value): &(String, String)| key.starts_with("ca1.k") && !vault.has_key_of(key, value);
    if !store.keys_in_use()?.iter().any(is_missing) {
        return Ok(None);
    }
    let with =
        if vault.uses_passphrase() { "the passphrase".to_owned() } else { vault.key_file().display().to_string() };
    Ok(Some(format!(
        "some of the file's secrets are encrypted with a missing key (unreadable:secrets lists them); new ones are \
         encrypted with {with}. Restore the key file, or name it with --key-file"
    )))
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
