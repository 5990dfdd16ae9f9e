//! The vault: keys, and the sealing and opening of secrets. It knows records, not files of records.
//!
//! What opens is handed out only as what may be known of it ([`SecretsState`]); the text of a secret
//! stays inside, and is wiped when it has been used.

mod envelope;
mod key;
mod key_file;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::secret::{OpenSecrets, Secret, SecretEdits, SecretsState, associated_data};
use crate::domain::{Catalogue, Connector};
use envelope::Envelope;
use key::Key;

pub use key::{KeyId, Passphrase};

/// Where keys come from.
#[derive(Clone, Debug)]
pub struct KeyOptions {
    /// The key file; made when a secret is first sealed.
    pub key_file: PathBuf,
    /// Seal with this passphrase instead of the key file.
    pub passphrase: Option<Passphrase>,
}

/// Why nothing could be sealed. Says nothing of the secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file cannot be read or written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file or its folder.
        path: PathBuf,
        /// The system's word.
        cause: std::io::Error,
    },
    /// The key file is damaged.
    #[error("{}, line {line}: this is not a key. Take the file from a backup, or name another with --key-file", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// The passphrase is not the one that the file's secrets were sealed with.
    #[error(
        "the passphrase opens none of the secrets that were sealed with one; nothing is sealed with it. Start again with the right one"
    )]
    WrongPassphrase,
    /// The cipher or the system's random numbers failed.
    #[error("the secrets cannot be sealed: {0}")]
    Cipher(String),
}

impl VaultError {
    fn io(path: &Path, cause: std::io::Error) -> Self {
        VaultError::Io { path: path.to_owned(), cause }
    }
}

/// Why stored secrets cannot be opened; each is told to the person as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Sealed with a key of a key file that is not at hand.
    #[error("sealed with key {id}, which is not in the key file {}", file.display())]
    NoKey {
        /// The key's id.
        id: String,
        /// The key file in use.
        file: PathBuf,
    },
    /// The key file itself cannot be used.
    #[error("{0}")]
    KeyFile(String),
    /// Sealed with a passphrase, and none was given.
    #[error("sealed with a passphrase; start with --passphrase to give it")]
    NoPassphrase,
    /// Sealed with another passphrase than the one given.
    #[error("the passphrase given does not open it")]
    OtherPassphrase,
    /// The sealed value itself was changed.
    #[error("the stored value is damaged or was tampered with")]
    Damaged,
    /// The value was sealed for another record.
    #[error("the stored value belongs to the connector {0}, not to this one")]
    OfAnother(String),
    /// The record was changed without sealing the secrets anew.
    #[error(
        "the type, the config or the missing-secrets flag was changed outside of this program; putting that back opens it again"
    )]
    RecordChanged,
    /// Not in the form of this program; Kibana's own ciphertext, for example.
    #[error("sealed by another program, such as Kibana, whose key is not known here")]
    Foreign,
    /// Plain text.
    #[error("not sealed: it lies in the file as plain text; enter the secrets again to seal them")]
    NotSealed,
    /// In a later form of this program.
    #[error("sealed by a newer release of this program")]
    NewerForm,
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
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    passphrases: Vec<Passphrase>,
    by_id: HashMap<KeyId, Vec<Key>>,
    /// The key that seals; chosen when it is first needed.
    sealing: Option<(KeyId, Key)>,
    with_passphrase: bool,
    /// The passphrase opened none of the file's secrets.
    is_wrong: bool,
}

impl Vault {
    /// A vault; no file is read or made before a secret is about.
    pub fn new(options: KeyOptions) -> Self {
        let with_passphrase = options.passphrase.is_some();
        let keys = Keys { passphrases: options.passphrase.into_iter().collect(), with_passphrase, ..Keys::default() };
        Self { shared: Arc::new(Shared { key_file: options.key_file, keys: Mutex::new(keys) }) }
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

    /// Checks the passphrase on records that were sealed with one, so that a typing error seals nothing;
    /// the key that opens one of them seals from now on. Without such records any passphrase will do.
    ///
    /// # Errors
    /// [`VaultError::WrongPassphrase`] when it opens none of them.
    pub fn check_passphrase(&self, sealed: &[Connector]) -> Result<(), VaultError> {
        if sealed.is_empty() || !self.uses_passphrase() {
            return Ok(());
        }
        for connector in sealed {
            let Ok(envelope) = Envelope::parse(connector.secrets.as_deref().unwrap_or_default()) else { continue };
            if let Ok(key) = self.key_of(&envelope) {
                self.keys().sealing = Some((envelope.key_id, key));
                return Ok(());
            }
        }
        self.keys().is_wrong = true;
        Err(VaultError::WrongPassphrase)
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

    /// Opens a record's secrets; none are an empty object.
    ///
    /// # Errors
    /// Why they cannot be opened.
    pub fn open(&self, connector: &Connector) -> Result<OpenSecrets, Unreadable> {
        let Some(text) = &connector.secrets else {
            return Ok(OpenSecrets::empty());
        };
        let envelope = Envelope::parse(text)?;
        let key = self.key_of(&envelope)?;
        OpenSecrets::read(envelope.open(&key, connector)?).map_err(|_| Unreadable::Damaged)
    }

    /// The key that a value was sealed with.
    fn key_of(&self, envelope: &Envelope) -> Result<Key, Unreadable> {
        let id = &envelope.key_id;
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
        let candidates = keys.by_id.get(id).map(Vec::as_slice).unwrap_or_default();
        match (candidates, id.is_of_passphrase()) {
            ([], true) => Err(Unreadable::NoPassphrase),
            ([], false) => Err(Unreadable::NoKey { id: id.as_str().to_owned(), file: self.shared.key_file.clone() }),
            ([key], false) => Ok(key.clone()),
            (several, _) => {
                several.iter().find(|key| envelope.is_sealed_with(key)).cloned().ok_or_else(|| match keys.sealing {
                    // This very key is known to be right, so it is the value that is not.
                    Some((ref sealing, _)) if sealing == id => Unreadable::Damaged,
                    _ => Unreadable::OtherPassphrase,
                })
            }
        }
    }

    /// Takes the keys of the key file in; the newest one is given back for sealing.
    fn read_key_file(&self, keys: &mut Keys) -> Result<Vec<Key>, VaultError> {
        let found = key_file::read(&self.shared.key_file)?;
        let newest = found.last().map(|(_, key)| key.clone());
        for (id, key) in found {
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
        if let Some(sealing) = &keys.sealing {
            return Ok(sealing.clone());
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
        keys.sealing = Some(sealing.clone());
        Ok(sealing)
    }

    /// Seals the secrets of a record as it is.
    ///
    /// # Errors
    /// When there is no key and none can be made.
    pub fn seal(&self, connector: &Connector, secret: &Secret) -> Result<String, VaultError> {
        let (id, key) = self.sealing_key()?;
        Envelope::seal(&id, &key, connector, secret)
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
        let is_same_record = current.is_some_and(|current| associated_data(current) == associated_data(draft));
        if edits.is_empty() && (draft.secrets.is_none() || is_same_record) {
            return Ok(());
        }
        let open = match current.map(|current| self.open(current)) {
            Some(Ok(open)) => open,
            None => OpenSecrets::empty(),
            // Of its own record it may be opened again one day; a copy of it never could.
            Some(Err(_)) if edits.is_empty() => {
                if current.is_some_and(|current| current.id != draft.id) {
                    draft.secrets = None;
                    draft.is_missing_secrets = true;
                }
                return Ok(());
            }
            Some(Err(_)) => OpenSecrets::empty(),
        };
        let edited = open.edited(edits);
        if edited.is_empty() && !edits.is_empty() {
            let config = draft.config_object().unwrap_or_default();
            let is_missing =
                Catalogue::current().is_missing_secrets_after_export(&draft.connector_type_id, &config, true);
            draft.secrets = None;
            draft.is_missing_secrets = is_missing;
            return Ok(());
        }
        if !edits.is_empty() || current.is_some_and(|current| current.id != draft.id) {
            draft.is_missing_secrets = false;
        }
        draft.secrets = Some(self.seal(draft, edited.secret())?);
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
                keys.with_passphrase = true;
                (id, key)
            }
            None => {
                keys.with_passphrase = false;
                key_file::append(&self.shared.key_file)?
            }
        };
        keys.by_id.insert(id.clone(), vec![key.clone()]);
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

    /// Seals a record's secrets with the newest key, if an older one sealed them.
    ///
    /// # Errors
    /// When they cannot be sealed.
    pub fn reseal(&self, connector: &Connector) -> Result<Resealed, VaultError> {
        let (newest, _) = self.sealing_key()?;
        let envelope = Envelope::parse(connector.secrets.as_deref().unwrap_or_default());
        if envelope.is_ok_and(|envelope| envelope.key_id == newest) {
            return Ok(Resealed::Current);
        }
        match self.open(connector) {
            Ok(open) => Ok(Resealed::Anew(self.seal(connector, open.secret())?)),
            Err(reason) => Ok(Resealed::Unreadable(reason)),
        }
    }
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
mod tests {
    use super::*;
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    fn vault(folder: &tempfile::TempDir) -> Vault {
        Vault::new(KeyOptions { key_file: folder.path().join("keys"), passphrase: None })
    }

    fn passphrase(text: &str) -> Option<Passphrase> {
        Passphrase::new(Zeroizing::new(text.to_owned()))
    }

    fn with(passphrase_text: &str, folder: &tempfile::TempDir) -> Vault {
        Vault::new(KeyOptions { key_file: folder.path().join("keys"), passphrase: passphrase(passphrase_text) })
    }

    fn webhook(id: &str) -> Connector {
        let config = r#"{"url":"https://a.example","n":1.50}"#.to_owned();
        Connector { name: "n".into(), config, ..Connector::new(id, ".webhook") }
    }

    fn password(text: &str) -> SecretEdits {
        SecretEdits { by_name: [("password".to_owned(), Some(Secret::text(text)))].into(), whole: None }
    }

    fn sealed(vault: &Vault, id: &str) -> Connector {
        let mut connector = webhook(id);
        vault.carry(None, &mut connector, &password("hunter2")).expect("sealed");
        connector
    }

    #[track_caller]
    fn is_unreadable(vault: &Vault, connector: &Connector, reason: &str) {
        let state = vault.state(connector);
        assert!(matches!(&state, SecretsState::Unreadable(found) if found.contains(reason)), "{state:?}");
    }

    #[test]
    fn what_is_sealed_opens_and_each_way_it_does_not_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = vault(&folder);
        let connector = sealed(&vault, "one");
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
                "was changed outside of this program",
            ),
            (&|c| c.is_missing_secrets = true, "was changed outside of this program"),
            (&|c| c.connector_type_id = ".http".into(), "was changed outside of this program"),
            (&|c| c.id = "two".into(), "belongs to the connector one"),
            (&|c| c.secrets = c.secrets.clone().map(|text| text.replace(".k", ".k0")), "damaged or was tampered"),
            (&|c| c.secrets = Some("ca2.new".into()), "newer release"),
            (&|c| c.secrets = Some(r#"{"password":"clear"}"#.into()), "not sealed"),
            (&|c| c.secrets = Some("QUJDREVG".repeat(20)), "sealed by another program"),
            (&|c| c.secrets = Some(String::new()), "sealed by another program"),
        ] {
            is_unreadable(&vault, &changed(change), reason);
        }
        // A toggle, a backfill, another name: the sealed value stays valid.
        let toggled = changed(&|c| (c.auth_mode, c.model_version, c.name) = (None, 1, "other".into()));
        assert_eq!(vault.state(&toggled), vault.state(&connector));
        // Lost and wrong key file.
        let other = tempfile::tempdir().expect("a folder");
        is_unreadable(&self::vault(&other), &connector, "which is not in the key file");
        sealed(&self::vault(&other), "one");
        is_unreadable(&self::vault(&other), &connector, "which is not in the key file");
        std::fs::write(other.path().join("keys"), "k0123456789abcdef short\n").expect("written");
        is_unreadable(&self::vault(&other), &connector, "line 1: this is not a key");
    }

    #[test]
    fn carrying_seals_anew_only_what_must_be() {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = vault(&folder);
        let old = sealed(&vault, "one");
        let carried = |edits: &SecretEdits, change: &dyn Fn(&mut Connector)| {
            let mut draft = old.clone();
            change(&mut draft);
            vault.carry(Some(&old), &mut draft, edits).expect("carried");
            draft
        };
        let keep = SecretEdits::default();
        let renamed = carried(&keep, &|c| (c.name, c.auth_mode) = ("new".into(), None));
        assert_eq!(renamed.secrets, old.secrets);
        let respaced = carried(&keep, &|c| c.config = c.config.replace(',', " , "));
        assert_eq!(respaced.secrets, old.secrets);
        let moved = carried(&keep, &|c| c.config = r#"{"url":"https://b.example"}"#.into());
        assert_ne!(moved.secrets, old.secrets);
        assert!(vault.state(&moved).has("password"));
        let copied = carried(&keep, &|c| c.id = "copy".into());
        assert!(vault.state(&copied).has("password") && !copied.is_missing_secrets);
        let cleared = SecretEdits { by_name: [("password".to_owned(), None)].into(), whole: None };
        assert_eq!(carried(&cleared, &|_| {}).secrets, None);
        // What cannot be opened stays, and can be entered again.
        let lost = tempfile::tempdir().expect("a folder");
        let stranger = self::vault(&lost);
        let mut draft = Connector { config: "{}".into(), ..old.clone() };
        stranger.carry(Some(&old), &mut draft, &keep).expect("kept");
        assert_eq!(draft.secrets, old.secrets);
        stranger.carry(Some(&old), &mut draft, &password("again")).expect("sealed");
        assert!(stranger.state(&draft).has("password"));
        let mut copy = Connector { id: "copy".into(), ..old.clone() };
        stranger.carry(Some(&old), &mut copy, &keep).expect("copied without");
        assert!(copy.secrets.is_none() && copy.is_missing_secrets);
    }

    #[test]
    fn a_rotation_seals_anew_and_goes_on_where_it_stopped() {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = vault(&folder);
        let old = sealed(&vault, "one");
        assert_eq!(vault.reseal(&old).expect("looked at"), Resealed::Current);
        let new_id = vault.rotate(None).expect("rotated");
        let Resealed::Anew(text) = vault.reseal(&old).expect("sealed") else { panic!("not sealed anew") };
        assert_eq!(key_id_of(&text), Some(new_id));
        let new = Connector { secrets: Some(text), ..old.clone() };
        assert_eq!(vault.reseal(&new).expect("looked at"), Resealed::Current);
        let later = self::vault(&folder);
        assert!(later.state(&old).has("password") && later.state(&new).has("password"));
        assert_eq!(later.reseal(&new).expect("looked at"), Resealed::Current);
        // To a passphrase, with which alone it opens; and the last line of a key file cut off.
        later.rotate(passphrase("correct horse")).expect("rotated");
        let Resealed::Anew(text) = later.reseal(&new).expect("sealed") else { panic!("not sealed anew") };
        let under_passphrase = Connector { secrets: Some(text), ..old };
        let empty = tempfile::tempdir().expect("a folder");
        assert!(with("correct horse", &empty).state(&under_passphrase).has("password"));
        is_unreadable(&with("wrong", &empty), &under_passphrase, "the passphrase given does not open it");
        is_unreadable(&self::vault(&empty), &under_passphrase, "sealed with a passphrase");
        let wrong = with("wrong", &empty);
        assert!(matches!(
            wrong.check_passphrase(std::slice::from_ref(&under_passphrase)),
            Err(VaultError::WrongPassphrase)
        ));
        assert!(wrong.seal(&new, &Secret::text("x")).is_err());
        let right = with("correct horse", &empty);
        right.check_passphrase(std::slice::from_ref(&under_passphrase)).expect("right");
        assert_eq!(right.reseal(&under_passphrase).expect("looked at"), Resealed::Current);
    }

    #[test]
    fn a_key_that_was_cut_off_while_written_is_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let old = sealed(&vault(&folder), "one");
        let path = folder.path().join("keys");
        let whole = std::fs::read_to_string(&path).expect("the key file");
        std::fs::write(&path, format!("{whole}k0123456789abcdef c2hv")).expect("written");
        assert!(vault(&folder).state(&old).has("password"));
        assert_eq!(vault(&folder).reseal(&old).expect("looked at"), Resealed::Current);
        let newest = vault(&folder).rotate(None).expect("rotated");
        assert_eq!(vault(&folder).key_ids().expect("read").last(), Some(&newest));
        assert!(vault(&folder).state(&old).has("password"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_change_of_the_sealed_text_is_noticed(at in any::<prop::sample::Index>(), to in any::<char>()) {
            let folder = tempfile::tempdir().expect("a folder");
            let vault = vault(&folder);
            let mut connector = sealed(&vault, "one");
            let text = connector.secrets.clone().unwrap_or_default();
            let mut characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len());
            prop_assume!(characters[at] != to);
            characters[at] = to;
            connector.secrets = Some(characters.into_iter().collect());
            // The label beside the box may be damaged: what it tells is not needed as long as the box opens.
            let in_label = text[..at].matches('.').count() == 2;
            prop_assert!(in_label || matches!(vault.state(&connector), SecretsState::Unreadable(_)));
        }
    }
}
