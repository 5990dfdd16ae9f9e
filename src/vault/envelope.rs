//! The format of an encrypted value: `ca1.<key id>.<label>.<box>`, label and box in URL-safe base64.
//!
//! The box holds the secrets, bound to the record by the associated data. The label holds the record's id, bound to the
//! box. If the box cannot be decrypted, the label shows whether the value was damaged, belongs to another record, or
//! the record was changed without re-encryption.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use zeroize::Zeroizing;

use super::key::{Key, KeyId};
use super::{Unreadable, VaultError};
use crate::domain::secrets::{Secret, SecretHolder};

/// Names the form and its algorithms: XChaCha20-Poly1305, Argon2id for passphrases.
const VERSION: &str = "ca1";

/// The parts of an encrypted value.
pub(super) struct Envelope {
    pub(super) key_id: KeyId,
    label: Vec<u8>,
    boxed: Vec<u8>,
}

impl Envelope {
    /// Parses a stored value.
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        let parts: Vec<&str> = text.split('.').collect();
        match parts.as_slice() {
            [VERSION, key_id, label, boxed] => {
                let parsed = (KeyId::parse(key_id), BASE64.decode(label), BASE64.decode(boxed));
                match parsed {
                    (Some(key_id), Ok(label), Ok(boxed)) => Ok(Self { key_id, label, boxed }),
                    _ => Err(Unreadable::Damaged),
                }
            }
            [VERSION, ..] => Err(Unreadable::Damaged),
            [other, _, ..] if is_newer(other) => Err(Unreadable::NewerForm),
            _ if text.trim_start().starts_with('{') => Err(Unreadable::NotSealed),
            _ => Err(Unreadable::Foreign),
        }
    }

    /// Seals a value for its holder.
    pub(super) fn seal(
        key_id: &KeyId,
        key: &Key,
        holder: &impl SecretHolder,
        secret: &Secret,
    ) -> Result<String, VaultError> {
        let boxed = key.encrypt(secret.expose().as_bytes(), holder.associated_data().as_bytes())?;
        let label = key.encrypt(holder.label().as_bytes(), &label_data(&boxed))?;
        Ok(format!("{VERSION}.{}.{}.{}", key_id.as_str(), BASE64.encode(label), BASE64.encode(boxed)))
    }

    /// Returns whether this key encrypted the value, and the value is undamaged.
    pub(super) fn was_sealed_by(&self, key: &Key) -> bool {
        key.decrypt(&self.label, &label_data(&self.boxed)).is_some()
    }

    /// Opens the value of what holds it.
    pub(super) fn open(&self, key: &Key, holder: &impl SecretHolder) -> Result<Secret, Unreadable> {
        if let Some(bytes) = key.decrypt(&self.boxed, holder.associated_data().as_bytes()) {
            return match str::from_utf8(&bytes) {
                Ok(text) => Ok(Secret::json(Zeroizing::new(text.to_owned()))),
                Err(_) => Err(Unreadable::Damaged),
            };
        }
        match key.decrypt(&self.label, &label_data(&self.boxed)) {
            None => Err(Unreadable::Damaged),
            Some(label) if label.as_slice() == holder.label().as_bytes() => Err(Unreadable::RecordChanged),
            Some(label) => Err(Unreadable::OfAnother(String::from_utf8_lossy(&label).into_owned())),
        }
    }
}

/// The key id in the beginning of a value, `ca1.<key id>`.
pub(super) fn key_id(key: &str) -> Option<KeyId> {
    let (version, id) = key.split_once('.')?;
    if version == VERSION { KeyId::parse(id) } else { None }
}

/// Returns the associated data of a label; it differs from every associated data of a box.
fn label_data(boxed: &[u8]) -> Vec<u8> {
    [b"label:", boxed].concat()
}

fn is_newer(version: &str) -> bool {
    version
        .strip_prefix("ca")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}
