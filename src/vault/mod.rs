//! The vault: keys, and the sealing and opening of secrets. It knows records, not files of records.
//!
//! What opens is handed out only as what may be known of it ([`SecretsState`]); the text of a secret
//! stays inside, and is wiped when it has been used.

mod envelope;
mod error;
mod key;
mod key_file;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use crate::domain::secret::{OpenSecrets, Sealed, Secret, SecretEdits, SecretsState};
use crate::domain::{Catalogue, Connector};
use envelope::Envelope;
use key::Key;

pub use error::{Unreadable, VaultError};
pub use key::{KeyId, Passphrase};
pub use key_file::is_key_file;

/// Where keys come from.
#[derive(Clone, Debug)]
pub struct KeyOptions {
    /// The key file; made when a secret is first sealed.
    pub key_file: PathBuf,
    /// Another key file, whose keys decrypt too: that next to the file, which may come later.
    pub next_to_file: Option<PathBuf>,
    /// Seal with this passphrase instead of the key file.
    pub passphrase: Option<Passphrase>,
}

/// What became of a record in a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resealed {
    /// It was sealed with the newest key already.
    Current,
    /// The new sealed value.
    Anew(String),
    /// It cannot be opened, and stays as it is.
    Unreadable(Unreadable),
}

/// Seals and opens. Clones share the keys.
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
    /// The key that seals; chosen when it is first needed.
    sealing: Option<(KeyId, Key)>,
    /// How the key file was when that key was read: another program may add a newer one.
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

    /// Seals with a passphrase.
    pub fn uses_passphrase(&self) -> bool {
        self.keys().with_passphrase
    }

    /// What is wrong with the key file's permissions, if anything.
    pub fn exposure(&self) -> Option<String> {
        key_file::exposure(&self.shared.key_file)
    }

    /// Checks the passphrase on values that were sealed with one, so that a typing error seals nothing;
    /// the key that opens one of them seals from now on. Without such values any passphrase will do.
    ///
    /// # Errors
    /// [`VaultError::WrongPassphrase`] when it opens none of them.
    pub fn check_passphrase(&self, sealed: &[String]) -> Result<(), VaultError> {
        if sealed.is_empty() || !self.uses_passphrase() {
            return Ok(());
        }
        for value in sealed {
            let Ok(envelope) = Envelope::parse(value) else { continue };
            if let Ok(key) = self.key_of(&envelope) {
                self.keys().sealing = Some((envelope.key_id, key));
                return Ok(());
            }
        }
        self.keys().is_wrong = true;
        Err(VaultError::WrongPassphrase)
    }

    /// Whether a value was sealed with a passphrase that is not at hand.
    pub fn is_of_another_passphrase(&self, sealed: &str) -> bool {
        let key = Envelope::parse(sealed).and_then(|envelope| self.key_of(&envelope));
        matches!(key, Err(Unreadable::OtherPassphrase))
    }

    /// Whether the key is at hand that encrypted a value, of which `key` is the beginning up to the end of the key id.
    /// The value itself may be damaged all the same: only decrypting it tells.
    pub fn has_key_of(&self, key: &str, value: &str) -> bool {
        let Some(id) = envelope::key_id(key) else { return false };
        match Envelope::parse(value) {
            // Of a passphrase nobody knows before it is tried.
            Ok(envelope) if id.is_of_passphrase() => {
                !matches!(self.key_of(&envelope), Err(reason) if reason.is_about_key())
            }
            _ => self.candidates(&id).is_ok_and(|keys| !keys.is_empty()),
        }
    }

    /// What may be known of a record's secrets.
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

    /// Opens a connector's secrets or a remote's credential; none are an empty object.
    ///
    /// # Errors
    /// Why they cannot be opened.
    pub fn open(&self, holder: &impl Sealed) -> Result<OpenSecrets, Unreadable> {
        let Some(text) = holder.sealed() else {
            return Ok(OpenSecrets::empty());
        };
        let envelope = Envelope::parse(text)?;
        let key = self.key_of(&envelope)?;
        OpenSecrets::read(envelope.open(&key, holder)?).map_err(|_| Unreadable::Damaged)
    }

    /// The keys that an id may mean: of the passphrases at hand nobody knows before one is tried.
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

    /// The key that a value was sealed with.
    fn key_of(&self, envelope: &Envelope) -> Result<Key, Unreadable> {
        let id = &envelope.key_id;
        let candidates = self.candidates(id)?;
        match (candidates.as_slice(), id.is_of_passphrase()) {
            ([], true) => Err(Unreadable::NoPassphrase),
            ([], false) => Err(Unreadable::NoKey { id: id.as_str().to_owned(), file: self.shared.key_file.clone() }),
            ([key], false) => Ok(key.clone()),
            (several, _) => {
                several.iter().find(|key| envelope.is_sealed_with(key)).cloned().ok_or_else(|| {
                    match self.keys().sealing {
                        // This very key is known to be right, so it is the value that is not.
                        Some((ref sealing, _)) if sealing == id => Unreadable::Damaged,
                        _ => Unreadable::OtherPassphrase,
                    }
                })
            }
        }
    }

    /// Takes the keys of the key file in; the newest one is given back for sealing.
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

    /// The key that seals; made on first need.
    fn sealing_key(&self) -> Result<(KeyId, Key), VaultError> {
        let mut keys = self.keys();
        if keys.is_wrong {
            return Err(VaultError::WrongPassphrase);
        }
        let stamp = key_file::stamp(&self.shared.key_file);
        if let Some(sealing) = keys.sealing.as_ref().filter(|_| keys.with_passphrase || keys.stamp == stamp) {
            return Ok(sealing.clone());
        }
        // A key that is only in memory any more would be lost with what it seals.
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

    /// A fingerprint of a record's secrets that only the key can make or check.
    ///
    /// # Errors
    /// When there is no key and none can be made.
    pub fn fingerprint(&self, id: &str, secret: &Secret) -> Result<String, VaultError> {
        let (key_id, key) = self.sealing_key()?;
        Ok(format!("{}.{}", key_id.as_str(), key.fingerprint(&fingerprinted(id, secret)).unwrap_or_default()))
    }

    /// Is it the fingerprint of these secrets? Without its key nobody can tell, and then it is not.
    pub fn is_fingerprint(&self, fingerprint: &str, id: &str, secret: &Secret) -> bool {
        let Some((key_id, expected)) = fingerprint.split_once('.') else { return false };
        let Some(key_id) = KeyId::parse(key_id) else { return false };
        let text = fingerprinted(id, secret);
        let keys = self.candidates(&key_id).unwrap_or_default();
        keys.iter().any(|key| key.fingerprint(&text).is_some_and(|made| made == expected))
    }

    /// Seals the secrets of a connector, or the credential of a remote, as it is.
    ///
    /// # Errors
    /// When there is no key and none can be made.
    pub fn seal(&self, holder: &impl Sealed, secret: &Secret) -> Result<String, VaultError> {
        let (id, key) = self.sealing_key()?;
        Envelope::seal(&id, &key, holder, secret)
    }

    /// Gives a record that is about to be saved its secrets. `current` is what they are taken from: the
    /// record in the file, or the one it is copied from. They are sealed anew when they or what
    /// authenticates them changed, and stay byte for byte when not. What cannot be opened is kept as it
    /// is, unless secrets are entered in its place.
    ///
    /// # Errors
    /// When they cannot be sealed; the draft is not to be saved then.
    pub fn carry(
        &self,
        current: Option<&Connector>,
        draft: &mut Connector,
        edits: &SecretEdits,
    ) -> Result<(), VaultError> {
        draft.secrets = current.and_then(|current| current.secrets.clone());
        let is_same_record = current.is_some_and(|current| current.associated_data() == draft.associated_data());
        if edits.is_empty() && is_same_record {
            return Ok(());
        }
        let open = match current.map_or_else(|| Ok(OpenSecrets::empty()), |current| self.open(current)) {
            Ok(open) => open,
            // Of its own record it may be opened again one day; a copy of it never could.
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
        let is_missed = |connector: &Connector, secrets: &OpenSecrets| {
            Catalogue::current().misses_secrets(connector, &secrets.state())
        };
        // An edit that has nothing to do with the secrets does not change what was known of them.
        let was_missed = current.map(|current| is_missed(current, &open));
        if was_missed != Some(is_missed(draft, &edited)) || !edits.is_empty() {
            draft.is_missing_secrets = is_missed(draft, &edited);
        }
        draft.secrets = None;
        // An auth type that asks for nothing else is all there is to seal.
        let is_auth_type_enough = edited.state().auth_type().is_some() && !is_missed(draft, &edited);
        if !edited.is_empty()
            || is_auth_type_enough
            || (edits.is_empty() && current.is_some_and(|current| current.secrets.is_some()))
        {
            draft.secrets = Some(self.seal(draft, edited.secret())?);
        }
        Ok(())
    }

    /// Makes the newest key one that no secret was sealed with yet: of the key file, or of a passphrase.
    /// Keys from before still open what they sealed.
    ///
    /// # Errors
    /// When the key file cannot be written.
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
                // What an earlier, unfinished change sealed with this passphrase is to open too.
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

    /// Seals with the key file from now on, though a passphrase was given to open with.
    pub fn seal_with_key_file(&self) {
        let mut keys = self.keys();
        keys.with_passphrase = false;
        keys.sealing = None;
    }

    /// The id of the key that seals.
    ///
    /// # Errors
    /// When there is none and none can be made.
    pub fn sealing_key_id(&self) -> Result<KeyId, VaultError> {
        self.sealing_key().map(|(id, _)| id)
    }

    /// The ids in the key file, the oldest first; the last one seals.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn key_ids(&self) -> Result<Vec<KeyId>, VaultError> {
        Ok(key_file::read(&self.shared.key_file)?.into_iter().map(|(id, _)| id).collect())
    }

    /// Seals what it holds with the newest key, if an older one sealed it.
    ///
    /// # Errors
    /// When it cannot be sealed.
    pub fn reseal(&self, holder: &impl Sealed) -> Result<Resealed, VaultError> {
        let (newest, _) = self.sealing_key()?;
        let envelope = Envelope::parse(holder.sealed().unwrap_or_default());
        if envelope.is_ok_and(|envelope| envelope.key_id == newest) {
            return Ok(Resealed::Current);
        }
        let open = match self.open(holder) {
            Err(Unreadable::NotSealed) => plain(holder).ok_or(Unreadable::NotSealed),
            open => open,
        };
        match open {
            Ok(open) => Ok(Resealed::Anew(self.seal(holder, open.secret())?)),
            Err(reason) => Ok(Resealed::Unreadable(reason)),
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

/// Secrets that a hand wrote into the file as plain text.
fn plain(holder: &impl Sealed) -> Option<OpenSecrets> {
    OpenSecrets::read(Secret::json(Zeroizing::new(holder.sealed()?.to_owned()))).ok()
}

fn derive_all(passphrases: &[Passphrase], id: &KeyId) -> Result<Vec<Key>, VaultError> {
    passphrases.iter().map(|passphrase| Key::derive(passphrase, id)).collect()
}

/// How every value begins that was sealed with a passphrase.
pub const PASSPHRASE_PREFIX: &str = "ca1.p";

/// The id of the key that a stored value names; none when it is not in this program's form.
pub fn key_id_of(stored: &str) -> Option<KeyId> {
    Envelope::parse(stored).ok().map(|envelope| envelope.key_id)
}

#[cfg(test)]
mod tests;
