//! The vault: keys, and the encryption and decryption of secrets. It knows records, but not where they are stored.
//!
//! Callers only get the state of decrypted secrets ([`SecretsState`]). The text of a secret stays inside and is wiped
//! after use.

mod envelope;
mod error;
mod key;
mod key_file;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use crate::domain::secrets::{OpenSecrets, Secret, SecretEdits, SecretHolder, SecretsState};
use crate::domain::{Catalogue, Connector};
use envelope::Envelope;
use key::Key;

pub use error::{Unreadable, VaultError};
pub use key::{KeyId, Passphrase};
pub use key_file::{Exposed, is_key_file};

/// The source of the keys.
#[derive(Clone, Debug)]
pub struct KeyOptions {
    /// The key file; created when a secret is encrypted for the first time.
    pub key_file: PathBuf,
    /// Another key file, whose keys decrypt too: that next to the file, which may come later.
    pub next_to_file: Option<PathBuf>,
    /// The passphrase that encrypts instead of the key file.
    pub passphrase: Option<Passphrase>,
}

/// The outcome of a rotation for one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reencryption {
    /// The newest key encrypted it already.
    Current,
    /// The new encrypted value.
    Reencrypted(String),
    /// It cannot be decrypted and is kept as it is.
    Unreadable(Unreadable),
}

/// Encrypts and decrypts. Clones share the keys.
#[derive(Clone)]
pub struct Vault {
    shared: Arc<Shared>,
}

struct Shared {
    key_file: PathBuf,
    next_to_file: Option<PathBuf>,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    passphrases: Vec<Passphrase>,
    by_id: HashMap<KeyId, Vec<Key>>,
    /// The key that encrypts; chosen on first need.
    sealing: Option<(KeyId, Key)>,
    /// The state of the key file when that key was read: another program may append a newer key.
    stamp: Option<key_file::Stamp>,
    with_passphrase: bool,
    /// The key file had a key when it was read.
    had_file: bool,
    /// The passphrase opened none of the file's secrets.
    is_wrong: bool,
}

impl Vault {
    /// A vault; no file is read or made before a secret is about.
    pub fn new(options: KeyOptions) -> Self {
        let with_passphrase = options.passphrase.is_some();
        let keys = Keys { passphrases: options.passphrase.into_iter().collect(), with_passphrase, ..Keys::default() };
        let (key_file, next_to_file) = (options.key_file, options.next_to_file);
        Self { shared: Arc::new(Shared { key_file, next_to_file, keys: Mutex::new(keys) }) }
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        // A panic while the lock was held cannot have left a key half made: each is inserted whole.
        self.shared.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key file, made or not.
    pub fn key_file(&self) -> &Path {
        &self.shared.key_file
    }

    /// Returns whether a passphrase encrypts.
    pub fn uses_passphrase(&self) -> bool {
        self.keys().with_passphrase
    }

    /// Returns the problem with the key file's permissions, if any.
    pub fn exposure(&self) -> Option<Exposed> {
        key_file::exposure(&self.shared.key_file)
    }

    /// Checks the passphrase with stored values, so that a typing error encrypts nothing. The derived key that decrypts
    /// one of them encrypts from then on. Without such values every passphrase is accepted.
    ///
    /// # Errors
    /// [`VaultError::WrongPassphrase`] if it decrypts none of them.
    pub fn check_passphrase(&self, encrypted: &[String]) -> Result<(), VaultError> {
        if encrypted.is_empty() || !self.uses_passphrase() {
            return Ok(());
        }
        for value in encrypted {
            let Ok(envelope) = Envelope::parse(value) else { continue };
            if let Ok(key) = self.key_of(&envelope) {
                self.keys().sealing = Some((envelope.key_id, key));
                return Ok(());
            }
        }
        self.keys().is_wrong = true;
        Err(VaultError::WrongPassphrase)
    }

    /// Returns whether a missing passphrase encrypted a value.
    pub fn is_of_another_passphrase(&self, encrypted: &str) -> bool {
        let key = Envelope::parse(encrypted).and_then(|envelope| self.key_of(&envelope));
        matches!(key, Err(Unreadable::OtherPassphrase))
    }

    /// Returns whether the key of a value is available; `key` is the value up to the end of its key id. The value may
    /// still be damaged, which only decryption shows.
    pub fn has_key_of(&self, key: &str, value: &str) -> bool {
        let Some(id) = envelope::key_id(key) else { return false };
        match Envelope::parse(value) {
            // A passphrase is unknown until it is tried.
            Ok(envelope) if id.is_of_passphrase() => {
                !matches!(self.key_of(&envelope), Err(reason) if reason.concerns_key())
            }
            _ => self.candidates(&id).is_ok_and(|keys| !keys.is_empty()),
        }
    }

    /// Returns the state of a record's secrets.
    pub fn state(&self, connector: &Connector) -> SecretsState {
        match &connector.secrets {
            None if connector.is_missing_secrets => SecretsState::Missing,
            None => SecretsState::None,
            Some(_) => match self.open(connector) {
                Ok(open) => open.state(),
                Err(reason) => SecretsState::Unreadable(reason.to_string()),
            },
        }
    }

    /// Decrypts a connector's secrets or a remote's credential; a holder without secrets has an empty object.
    ///
    /// # Errors
    /// Explains why they cannot be decrypted.
    pub fn open(&self, holder: &impl SecretHolder) -> Result<OpenSecrets, Unreadable> {
        let Some(text) = holder.ciphertext() else {
            return Ok(OpenSecrets::empty());
        };
        let envelope = Envelope::parse(text)?;
        let key = self.key_of(&envelope)?;
        OpenSecrets::read(envelope.open(&key, holder)?).map_err(|_| Unreadable::Damaged)
    }

    /// Returns the keys that an id may mean; for a passphrase that is only known after a try.
    fn candidates(&self, id: &KeyId) -> Result<Vec<Key>, Unreadable> {
        let mut keys = self.keys();
        if !keys.by_id.contains_key(id) {
            let found =
                if id.is_of_passphrase() { derive_all(&keys.passphrases, id) } else { self.read_key_file(&mut keys) };
            match found {
                Ok(derived) if id.is_of_passphrase() => {
                    keys.by_id.insert(id.clone(), derived);
                }
                Ok(_) => {}
                Err(error) => return Err(Unreadable::KeyFile(error.to_string())),
            }
        }
        Ok(keys.by_id.get(id).cloned().unwrap_or_default())
    }

    /// Returns the key that encrypted a value.
    fn key_of(&self, envelope: &Envelope) -> Result<Key, Unreadable> {
        let id = &envelope.key_id;
        let candidates = self.candidates(id)?;
        match (candidates.as_slice(), id.is_of_passphrase()) {
            ([], true) => Err(Unreadable::NoPassphrase),
            ([], false) => Err(Unreadable::NoKey { id: id.as_str().to_owned(), file: self.shared.key_file.clone() }),
            ([key], false) => Ok(key.clone()),
            (several, _) => {
                several.iter().find(|key| envelope.was_sealed_by(key)).cloned().ok_or_else(|| {
                    match self.keys().sealing {
                        // This very key is known to be right, so it is the value that is not.
                        Some((ref sealing, _)) if sealing == id => Unreadable::Damaged,
                        _ => Unreadable::OtherPassphrase,
                    }
                })
            }
        }
    }

    /// Loads the keys of the key file and returns the newest for encryption.
    fn read_key_file(&self, keys: &mut Keys) -> Result<Vec<Key>, VaultError> {
        let found = key_file::read(&self.shared.key_file)?;
        let newest = found.last().map(|(_, key)| key.clone());
        keys.had_file |= newest.is_some();
        let others = self.shared.next_to_file.as_deref().map(key_file::read).transpose()?.unwrap_or_default();
        for (id, key) in found.into_iter().chain(others) {
            keys.by_id.insert(id, vec![key]);
        }
        Ok(newest.into_iter().collect())
    }

    /// Returns the key that encrypts; creates it on first need.
    fn sealing_key(&self) -> Result<(KeyId, Key), VaultError> {
        let mut keys = self.keys();
        if keys.is_wrong {
            return Err(VaultError::WrongPassphrase);
        }
        let stamp = key_file::stamp(&self.shared.key_file);
        if let Some(sealing) = keys.sealing.as_ref().filter(|_| keys.with_passphrase || keys.stamp == stamp) {
            return Ok(sealing.clone());
        }
        // A key that exists only in memory would be lost with everything it encrypts.
        if (keys.sealing.is_some() || keys.had_file) && stamp.is_none() && !keys.with_passphrase {
            return Err(VaultError::KeyFileGone(self.shared.key_file.clone()));
        }
        let sealing = match keys.passphrases.last() {
            Some(passphrase) if keys.with_passphrase => {
                let id = KeyId::of_passphrase()?;
                let key = Key::derive(passphrase, &id)?;
                (id, key)
            }
            _ => match key_file::read(&self.shared.key_file)?.pop() {
                Some(newest) => newest,
                None => key_file::append(&self.shared.key_file)?,
            },
        };
        keys.by_id.insert(sealing.0.clone(), vec![sealing.1.clone()]);
        keys.stamp = key_file::stamp(&self.shared.key_file);
        keys.sealing = Some(sealing.clone());
        Ok(sealing)
    }

    /// Returns a fingerprint of a record's secrets that only the key can create or verify.
    ///
    /// # Errors
    /// If there is no key and none can be created.
    pub fn fingerprint(&self, id: &str, secret: &Secret) -> Result<String, VaultError> {
        let (key_id, key) = self.sealing_key()?;
        Ok(format!("{}.{}", key_id.as_str(), key.fingerprint(&fingerprinted(id, secret)).unwrap_or_default()))
    }

    /// Returns whether the fingerprint belongs to these secrets; false without its key.
    pub fn is_fingerprint(&self, fingerprint: &str, id: &str, secret: &Secret) -> bool {
        let Some((key_id, expected)) = fingerprint.split_once('.') else { return false };
        let Some(key_id) = KeyId::parse(key_id) else { return false };
        let text = fingerprinted(id, secret);
        let keys = self.candidates(&key_id).unwrap_or_default();
        keys.iter().any(|key| key.fingerprint(&text).is_some_and(|made| made == expected))
    }

    /// Encrypts the secrets of a connector or the credential of a remote.
    ///
    /// # Errors
    /// If there is no key and none can be created.
    pub fn encrypt(&self, holder: &impl SecretHolder, secret: &Secret) -> Result<String, VaultError> {
        let (id, key) = self.sealing_key()?;
        Envelope::seal(&id, &key, holder, secret)
    }

    /// Sets the secrets of a record that is about to be saved. `current` is their source: the stored record, or the
    /// original of a duplicate. They are re-encrypted if they or their associated data changed, and stay byte for byte
    /// otherwise. Unreadable secrets are kept unless new ones are entered.
    ///
    /// # Errors
    /// If they cannot be encrypted; the draft must not be saved then.
    pub fn prepare_secrets(
        &self,
        current: Option<&Connector>,
        draft: &mut Connector,
        edits: &SecretEdits,
        catalogue: &Catalogue,
    ) -> Result<(), VaultError> {
        draft.secrets = current.and_then(|current| current.secrets.clone());
        let is_same_record = current.is_some_and(|current| current.associated_data() == draft.associated_data());
        if edits.is_empty() && is_same_record {
            return Ok(());
        }
        let open = match current.map_or_else(|| Ok(OpenSecrets::empty()), |current| self.open(current)) {
            Ok(open) => open,
            // A record may become readable again; a duplicate with the same ciphertext never could.
            Err(_) if edits.is_empty() => {
                if current.is_some_and(|current| current.id != draft.id) {
                    draft.secrets = None;
                    draft.is_missing_secrets = true;
                }
                return Ok(());
            }
            Err(_) => OpenSecrets::empty(),
        };
        let edited = open.edited(edits);
        let is_missed =
            |connector: &Connector, secrets: &OpenSecrets| catalogue.misses_secrets(connector, &secrets.state());
        // An edit that does not concern the secrets keeps their known state.
        let was_missed = current.map(|current| is_missed(current, &open));
        if was_missed != Some(is_missed(draft, &edited)) || !edits.is_empty() {
            draft.is_missing_secrets = is_missed(draft, &edited);
        }
        draft.secrets = None;
        // An auth type without secrets is all there is to encrypt.
        let is_auth_type_enough = edited.state().auth_type().is_some() && !is_missed(draft, &edited);
        if !edited.is_empty()
            || is_auth_type_enough
            || (edits.is_empty() && current.is_some_and(|current| current.secrets.is_some()))
        {
            draft.secrets = Some(self.encrypt(draft, edited.secret())?);
        }
        Ok(())
    }

    /// Makes the newest key a key that has encrypted nothing yet: of the key file or of a passphrase. Earlier keys
    /// still decrypt.
    ///
    /// # Errors
    /// If the key file cannot be written.
    pub fn rotate(&self, new_passphrase: Option<Passphrase>) -> Result<KeyId, VaultError> {
        let mut keys = self.keys();
        if keys.is_wrong {
            return Err(VaultError::WrongPassphrase);
        }
        let (id, key) = match new_passphrase {
            Some(passphrase) => {
                let id = KeyId::of_passphrase()?;
                let key = Key::derive(&passphrase, &id)?;
                keys.passphrases.push(passphrase);
                // Values that an earlier, unfinished change encrypted with this passphrase must be readable too.
                keys.by_id.retain(|id, _| !id.is_of_passphrase());
                keys.with_passphrase = true;
                (id, key)
            }
            None => {
                keys.with_passphrase = false;
                key_file::append(&self.shared.key_file)?
            }
        };
        keys.by_id.insert(id.clone(), vec![key.clone()]);
        keys.stamp = key_file::stamp(&self.shared.key_file);
        keys.sealing = Some((id.clone(), key));
        Ok(id)
    }

    /// Encrypts with the key file from now on, although a passphrase was given to decrypt.
    pub fn encrypt_with_key_file(&self) {
        let mut keys = self.keys();
        keys.with_passphrase = false;
        keys.sealing = None;
    }

    /// Returns the id of the key that encrypts.
    ///
    /// # Errors
    /// If no key exists and none can be created.
    pub fn sealing_key_id(&self) -> Result<KeyId, VaultError> {
        self.sealing_key().map(|(id, _)| id)
    }

    /// Returns the ids in the key file, the oldest first; the last one encrypts.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn key_ids(&self) -> Result<Vec<KeyId>, VaultError> {
        Ok(key_file::read(&self.shared.key_file)?.into_iter().map(|(id, _)| id).collect())
    }

    /// Re-encrypts the value of a holder with the newest key, if an older one encrypted it.
    ///
    /// # Errors
    /// If it cannot be encrypted.
    pub fn reencrypt(&self, holder: &impl SecretHolder) -> Result<Reencryption, VaultError> {
        let (newest, _) = self.sealing_key()?;
        let envelope = Envelope::parse(holder.ciphertext().unwrap_or_default());
        if envelope.is_ok_and(|envelope| envelope.key_id == newest) {
            return Ok(Reencryption::Current);
        }
        let open = match self.open(holder) {
            Err(Unreadable::NotSealed) => plain(holder).ok_or(Unreadable::NotSealed),
            open => open,
        };
        match open {
            Ok(open) => Ok(Reencryption::Reencrypted(self.encrypt(holder, open.secret())?)),
            Err(reason) => Ok(Reencryption::Unreadable(reason)),
        }
    }
}

/// The same secrets of two connectors have two fingerprints.
fn fingerprinted(id: &str, secret: &Secret) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(id.len() + 1 + secret.expose().len()));
    text.extend_from_slice(id.as_bytes());
    text.push(0);
    text.extend_from_slice(secret.expose().as_bytes());
    text
}

/// Returns secrets that were written into the file as plain text.
fn plain(holder: &impl SecretHolder) -> Option<OpenSecrets> {
    OpenSecrets::read(Secret::json(Zeroizing::new(holder.ciphertext()?.to_owned()))).ok()
}

fn derive_all(passphrases: &[Passphrase], id: &KeyId) -> Result<Vec<Key>, VaultError> {
    passphrases.iter().map(|passphrase| Key::derive(passphrase, id)).collect()
}

/// The prefix of every value that a passphrase encrypted.
pub const PASSPHRASE_PREFIX: &str = "ca1.p";

/// The id of the key that a stored value names; none when it is not in this program's form.
pub fn key_id_of(stored: &str) -> Option<KeyId> {
    Envelope::parse(stored).ok().map(|envelope| envelope.key_id)
}

#[cfg(test)]
mod tests;
