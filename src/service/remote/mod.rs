//! A file as the working copy of a Kibana space: `status` compares both sides, `pull` merges Kibana's changes, `push`
//! sends local changes, one request after the other.
//!
//! All calls block; the UI reaches them through a worker thread only.

mod pull;
mod push;
mod push_lock;
mod status;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::clock;
use crate::domain::Remote;
use crate::domain::secrets::OpenSecrets;
use crate::kibana::{Credential, Kibana, KibanaError};
use crate::service::ServiceError;
use crate::store::{Store, StoreError};
use crate::vault::{Unreadable, Vault, VaultError};

pub use pull::{PullReport, Pulling, Side, pull, resolve};
pub use push::{Planned, PushReport, STOPPED, Sent, SentOutcome, SkipReason, Watch, push};
pub use push_lock::{PushLock, lock_for_push};
pub use status::{Entry, Report, SyncGroup, Unresolvable, entry_of, report};

/// Why an operation with a remote failed.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The server, or the way to it.
    #[error(transparent)]
    Kibana(#[from] KibanaError),
    /// The connectors file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Secrets cannot be decrypted or encrypted.
    #[error("{0}")]
    Vault(VaultError),
    /// A connector cannot be written as a saved object.
    #[error(transparent)]
    Transfer(#[from] ServiceError),
    /// Another program is pushing.
    #[error("another program is pushing from {0}; wait for it to end")]
    Pushing(String),
    /// There is no such remote, or none at all.
    #[error("{0}")]
    NoRemote(String),
}

// Not the source too: it would be printed twice.
impl From<VaultError> for SyncError {
    fn from(error: VaultError) -> Self {
        SyncError::Vault(error)
    }
}

/// Returns the remote of a name, else the default one.
///
/// # Errors
/// If the file has none.
pub fn remote_of(store: &Store, name: Option<&str>) -> Result<Remote, SyncError> {
    let remotes = store.remotes()?;
    let found = remotes.iter().find(|remote| name.map_or(remote.is_default, |name| remote.name == name));
    found.cloned().ok_or_else(|| {
        let names: Vec<&str> = remotes.iter().map(|remote| remote.name.as_str()).collect();
        SyncError::NoRemote(match (name, names.is_empty()) {
            (_, true) => "this file has no remote; add one with `connector-admin remote add NAME URL`".to_owned(),
            (Some(name), false) => format!("no remote {name:?}; the remotes are: {}", names.join(", ")),
            (None, false) => format!("name a remote with --remote; the remotes are: {}", names.join(", ")),
        })
    })
}

/// Connects to a remote. `given` is a credential for this connection; else the stored one is used.
///
/// # Errors
/// If the stored credential cannot be decrypted, or the settings of the remote cannot be used.
pub fn connect(
    remote: &Remote,
    vault: &Vault,
    given: Option<Credential>,
    cancel: &Arc<AtomicBool>,
) -> Result<Kibana, SyncError> {
    let credential = match (given, &remote.credential) {
        (Some(given), _) => Some(given),
        (None, Some(_)) => Some(sealed_credential(remote, vault)?),
        (None, None) => None,
    };
    Ok(Kibana::new(remote, credential.as_ref(), cancel)?)
}

fn sealed_credential(remote: &Remote, vault: &Vault) -> Result<Credential, SyncError> {
    let login = format!("`connector-admin remote login {}` gives it again", remote.name);
    let cannot = |reason: String| KibanaError::Settings(format!("the credential of {} {reason}; {login}", remote.name));
    let open: OpenSecrets = vault.open(remote).map_err(|reason| {
        cannot(match reason {
            Unreadable::RecordChanged => {
                "was given for another address, space, proxy or authority than the file names now; look at what \
                 `connector-admin remote list --json` shows before you give it again"
                    .to_owned()
            }
            reason => format!("cannot be decrypted ({reason})"),
        })
    })?;
    Ok(Credential::from_secret(open.secret()).ok_or_else(|| cannot("is damaged".to_owned()))?)
}

/// Registers the stored secrets of a connector before any request about it: no answer may repeat them.
///
/// # Errors
/// If the file cannot be read.
pub fn make_secrets_known(store: &Store, vault: &Vault, kibana: &Kibana, id: &str) -> Result<(), SyncError> {
    if let Some(local) = store.get(id)?.filter(|local| local.secrets.is_some())
        && let Ok(secrets) = vault.open(&local)
    {
        kibana.register(&local, &secrets);
    }
    Ok(())
}

/// Fetches the connectors of Kibana and stores their state.
///
/// # Errors
/// As for any request, and if the file cannot be written.
pub fn fetch(store: &mut Store, vault: &Vault, remote: &mut Remote, kibana: &Kibana) -> Result<(), SyncError> {
    let server = kibana.server()?.or_known(remote.version.as_deref());
    let space = kibana.connectors(&server)?;
    for found in &space.connectors {
        if let Some(local) = store.get(&found.id)?.filter(|local| local.secrets.is_some())
            && (local.name != found.snapshot.name || local.config != found.snapshot.config)
            && let Ok(secrets) = vault.open(&local)
        {
            kibana.check_description(found, &local, &secrets)?;
        }
    }
    remote.version = space.version;
    remote.knows_modes = space.knows_modes;
    remote.fetched_at = Some(clock::now_iso());
    store.record_snapshot(remote, &space.connectors)?;
    // Only names: without them the list shows ids, so a server that does not give them is no reason to fail.
    match kibana.connector_types() {
        Ok(types) => Ok(store.put_reported_types(&remote.name, &types)?),
        Err(KibanaError::Cancelled) => Err(KibanaError::Cancelled.into()),
        Err(_) => Ok(()),
    }
}
