//! Why secrets cannot be sealed or opened, in words that say what to do.

use std::path::{Path, PathBuf};

/// Why nothing could be sealed. Says nothing of the secret.
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
    /// The key file was there and is not any more.
    #[error("the key file {} has gone; nothing is sealed with a key that is lost with this program. Put it back", .0.display())]
    KeyFileGone(PathBuf),
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
    pub(super) fn io(path: &Path, cause: std::io::Error) -> Self {
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
        "the type, the config or the missing-secrets flag was changed without sealing them anew, by hand or while they could not be opened; putting that back opens them again"
    )]
    RecordChanged,
    /// Not in the form of this program; Kibana's own ciphertext, for example.
    #[error("sealed by another program, such as Kibana, whose key is not known here")]
    Foreign,
    /// Plain text.
    #[error("not sealed: it lies in the file as plain text; rekey seals it")]
    NotSealed,
    /// In a later form of this program.
    #[error("sealed by a newer release of this program")]
    NewerForm,
}

impl Unreadable {
    /// Whether no value of the same key can be decrypted, and not only this one.
    pub(super) fn is_about_key(&self) -> bool {
        matches!(
            self,
            Unreadable::NoKey { .. } | Unreadable::KeyFile(_) | Unreadable::NoPassphrase | Unreadable::OtherPassphrase
        )
    }
}
