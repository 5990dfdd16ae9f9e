//! Why secrets cannot be encrypted or decrypted, with advice.

use std::path::{Path, PathBuf};

/// Why nothing was encrypted. The message never contains the secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file cannot be read or written.
    #[error("the key file {} cannot be used: {cause}. Name another with --key-file", path.display())]
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
    /// The key file existed at the start and is missing now.
    #[error("the key file {} is gone; nothing is encrypted with a key that would be lost. Restore the key file", .0.display())]
    KeyFileGone(PathBuf),
    /// The passphrase is not the one that encrypted the file's secrets.
    #[error(
        "the passphrase decrypts none of the secrets; nothing is encrypted with it. Start again with the right one"
    )]
    WrongPassphrase,
    /// The cipher or the system's random numbers failed.
    #[error("the secrets cannot be encrypted: {0}")]
    Cipher(String),
}

impl VaultError {
    pub(super) fn io(path: &Path, cause: std::io::Error) -> Self {
        VaultError::Io { path: path.to_owned(), cause }
    }
}

/// Why stored secrets cannot be decrypted. Each message is shown to the user as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A key of a key file is missing.
    #[error("encrypted with key {id}, which is not in the key file {}", file.display())]
    NoKey {
        /// The key's id.
        id: String,
        /// The key file in use.
        file: PathBuf,
    },
    /// The key file itself cannot be used.
    #[error("{0}")]
    KeyFile(String),
    /// A passphrase encrypted the value, and none was given.
    #[error("encrypted with a passphrase; start with --passphrase to give it")]
    NoPassphrase,
    /// Another passphrase encrypted the value.
    #[error("the passphrase does not decrypt it")]
    OtherPassphrase,
    /// The encrypted value itself was changed.
    #[error("the stored value is damaged or was tampered with")]
    Damaged,
    /// The value was encrypted for another record.
    #[error("the stored value belongs to the connector {0}, not to this one")]
    OfAnother(String),
    /// The record was changed without re-encryption.
    #[error(
        "the type, the config or the missing-secrets flag was changed without re-encrypting them, by another \
         program or while they could not be decrypted; restoring those values makes them readable again"
    )]
    RecordChanged,
    /// Not in the form of this program; Kibana's own ciphertext, for example.
    #[error("encrypted by another program, such as Kibana, whose key is not available")]
    Foreign,
    /// Plain text.
    #[error("not encrypted: it is in the file as plain text; rekey encrypts it")]
    NotSealed,
    /// In a later form of this program.
    #[error("encrypted by a newer release of this program")]
    NewerForm,
}

impl Unreadable {
    /// Returns whether no value of the same key can be decrypted, rather than only this one.
    pub(super) fn concerns_key(&self) -> bool {
        matches!(
            self,
            Unreadable::NoKey { .. } | Unreadable::KeyFile(_) | Unreadable::NoPassphrase | Unreadable::OtherPassphrase
        )
    }
}
