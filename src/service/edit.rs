//! Creating and saving one connector with its secrets.

use super::ServiceError;
use crate::domain::{Connector, SecretEdits, SecretsState};
use crate::store::{SaveOutcome, Store};
use crate::vault::Vault;

/// Adds a connector with its secrets encrypted; a duplicate gets those of its original, with the edits applied.
///
/// # Errors
/// If the original no longer exists, the id is in use, the secrets cannot be encrypted, or the file cannot be written.
pub fn create(
    store: &mut Store,
    vault: &Vault,
    mut connector: Connector,
    secrets: &SecretEdits,
    duplicate_of: Option<&str>,
    now: &str,
) -> Result<Connector, ServiceError> {
    let original = duplicate_of.map(|id| store.get(id)).transpose()?.flatten();
    if duplicate_of.is_some() && original.is_none() {
        return Err(ServiceError::OriginalGone);
    }
    vault.prepare_secrets(original.as_ref(), &mut connector, secrets, store.catalogue())?;
    Ok(store.create(&connector, now)?)
}

/// Replaces a connector, if it is still at the revision that the caller read. The secrets come from the stored record.
///
/// # Errors
/// If the secrets cannot be encrypted or the file cannot be written.
pub fn save(
    store: &mut Store,
    vault: &Vault,
    connector: &Connector,
    secrets: &SecretEdits,
    now: &str,
) -> Result<(SaveOutcome, SecretsState), ServiceError> {
    let catalogue = store.catalogue();
    let outcome = store.save::<ServiceError>(connector, now, |current, saved| {
        Ok(vault.prepare_secrets(Some(current), saved, secrets, catalogue)?)
    })?;
    let state = match &outcome {
        SaveOutcome::Saved(found) | SaveOutcome::Conflict(found) => vault.state(found),
        SaveOutcome::Deleted => SecretsState::None,
    };
    Ok((outcome, state))
}
