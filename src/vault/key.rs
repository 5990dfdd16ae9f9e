//! Keys: ids, derivation, and the cipher.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use blake2::Blake2bMac512;
use blake2::digest::Mac;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::VaultError;

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;
/// Bytes of a nonce; random ones of this length never meet.
const NONCE_BYTES: usize = 24;
/// Bytes of the salt of a passphrase.
const SALT_BYTES: usize = 16;
/// Bytes of a fingerprint.
const FINGERPRINT_BYTES: usize = 32;
/// Argon2id as RFC 9106 recommends where memory is scarce: 64 MiB, three passes, four lanes.
const ARGON2: (u32, u32, u32) = (64 * 1024, 3, 4);

/// A passphrase; wiped when dropped, printed by nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Returns the passphrase that a user typed, or `None` if it is empty.
    pub fn new(text: Zeroizing<String>) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// The id of a key, as encrypted values name it: `k` and 16 hex digits for a key of a key file, `p` and the salt in hex
/// for a key derived from a passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    pub(super) fn of_key_file() -> Result<Self, VaultError> {
        Ok(Self(format!("k{}", hex(&random::<8>()?))))
    }

    pub(super) fn of_passphrase() -> Result<Self, VaultError> {
        Ok(Self(format!("p{}", hex(&random::<SALT_BYTES>()?))))
    }

    /// Reads an id.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = match text.as_bytes().first()? {
            b'k' => 16,
            b'p' => SALT_BYTES * 2,
            _ => return None,
        };
        let is_hex = text.bytes().skip(1).all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        (is_hex && text.len() == digits + 1).then(|| Self(text.to_owned()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Derived from a passphrase.
    pub fn is_of_passphrase(&self) -> bool {
        self.0.starts_with('p')
    }
}

/// A key; wiped when dropped.
#[derive(Clone)]
pub(super) struct Key(Zeroizing<[u8; KEY_BYTES]>);

impl Key {
    pub(super) fn random() -> Result<Self, VaultError> {
        Ok(Self(Zeroizing::new(random()?)))
    }

    pub(super) fn from_base64(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(BASE64.decode(text).ok()?);
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            return None;
        }
        key.copy_from_slice(&bytes);
        Some(Self(key))
    }

    pub(super) fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64.encode(self.0.as_slice()))
    }

    /// Argon2id of a passphrase; slow by intent.
    pub(super) fn derive(passphrase: &Passphrase, id: &KeyId) -> Result<Self, VaultError> {
        let (memory, passes, lanes) = ARGON2;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        Params::new(memory, passes, lanes, Some(KEY_BYTES))
            .and_then(|params| {
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
                    passphrase.0.as_bytes(),
                    id.0.as_bytes(),
                    key.as_mut_slice(),
                )
            })
            .map_err(|error| VaultError::Cipher(error.to_string()))?;
        Ok(Self(key))
    }

    /// Nonce and ciphertext of a text, bound to `associated`.
    pub(super) fn encrypt(&self, text: &[u8], associated: &[u8]) -> Result<Vec<u8>, VaultError> {
        let nonce: [u8; NONCE_BYTES] = random()?;
        let payload = Payload { msg: text, aad: associated };
        let ciphertext = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| VaultError::Cipher("the value is too long to be encrypted".to_owned()))?;
        Ok([nonce.as_slice(), &ciphertext].concat())
    }

    /// The text, if it is untouched and bound to `associated`.
    pub(super) fn decrypt(&self, bytes: &[u8], associated: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE_BYTES)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
        let payload = Payload { msg: ciphertext, aad: associated };
        self.cipher().decrypt(&XNonce::from(nonce), payload).ok().map(Zeroizing::new)
    }

    /// Returns a keyed fingerprint of a text. Equal texts have equal fingerprints; without the key a fingerprint
    /// reveals nothing. Its key is derived from this one.
    pub(super) fn fingerprint(&self, text: &[u8]) -> Option<String> {
        let mac = |key: &[u8], text: &[u8]| {
            let mut mac = Blake2bMac512::new_from_slice(key).ok()?;
            mac.update(text);
            Some(mac.finalize().into_bytes())
        };
        let own = mac(self.0.as_slice(), b"connector-admin fingerprint")?;
        let fingerprint = mac(own.as_slice(), text)?;
        Some(BASE64.encode(fingerprint.get(..FINGERPRINT_BYTES)?))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.0).into())
    }
}

fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| VaultError::Cipher(error.to_string()))?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
