//! Warnings about the keys.

use crate::service::keys::{EncryptsWith, KeyWarning};

/// Returns a warning with its advice.
pub fn warning(warning: &KeyWarning) -> String {
    match warning {
        KeyWarning::WrongPassphrase(error) => error.clone(),
        KeyWarning::Exposed(exposed) => {
            let path = exposed.path.display();
            format!("the key file {path} can be read by others (mode {:o}): chmod 600 {path}", exposed.mode)
        }
        KeyWarning::PassphraseNotGiven => "some of the file's secrets are encrypted with a passphrase, and none was \
            given: they cannot be decrypted, and new ones are encrypted with the key file. Start with --passphrase to \
            use it"
            .to_owned(),
        KeyWarning::KeyMissing(with) => {
            let with = match with {
                EncryptsWith::Passphrase => "the passphrase".to_owned(),
                EncryptsWith::KeyFile(path) => path.display().to_string(),
            };
            format!(
                "some of the file's secrets are encrypted with a missing key (unreadable:secrets lists them); new ones \
                 are encrypted with {with}. Restore the key file, or name it with --key-file"
            )
        }
    }
}
