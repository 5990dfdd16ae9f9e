//! A file as the working copy of a space of a Kibana: `report` says what differs and what a push would do, `pull` takes
//! in what Kibana says, `push` sends what was changed here, one request after the other.
//!
//! All calls block; the UI reaches them through a worker thread only.

mod alone;
mod pull;
mod push;
mod report;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::clock;
use crate::domain::Remote;
use crate::domain::secret::OpenSecrets;
use crate::kibana::{Credential, Kibana, KibanaError};
use crate::store::{Store, StoreError};
use crate::transfer::TransferError;
use crate::vault::{Unreadable, Vault, VaultError};

pub use alone::{Alone, alone};
pub use pull::{PullReport, Pulling, Side, pull, resolve};
pub use push::{Planned, PushReport, STOPPED, Sent, SentOutcome, Watch, push};
pub use report::{Entry, Report, SyncGroup, entry_of, report};

/// Why something with a remote failed.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The server, or the way to it.
    #[error(transparent)]
    Kibana(#[from] KibanaError),
    /// The connectors file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Secrets cannot be opened or sealed.
    #[error("{0}")]
    Vault(VaultError),
    /// A connector cannot be written as a saved object.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// Another program is pushing.
    #[error("another program is pushing from {0}; wait for it to end")]
    Pushing(String),
    /// There is no such remote, or none at all.
    #[error("{0}")]
    NoRemote(String),
}

// Not the source of the error too: it would be told twice.
impl From<VaultError> for SyncError {
    fn from(error: VaultError) -> Self {
        SyncError::Vault(error)
    }
}

/// The remote of a name, else the default one.
///
/// # Errors
/// When there is none.
pub fn remote_of(store: &Store, name: Option<&str>) -> Result<Remote, SyncError> {
    let remotes = store.remotes()?;
    let found = remotes.iter().find(|remote| name.map_or(remote.is_default, |name| remote.name == name));
    found.cloned().ok_or_else(|| {
        let names: Vec<&str> = remotes.iter().map(|remote| remote.name.as_str()).collect();
        SyncError::NoRemote(match (name, names.is_empty()) {
            (_, true) => "this file has no remote; `connector-admin remote add NAME URL` names a Kibana".to_owned(),
            (Some(name), false) => format!("there is no remote {name:?}; there are: {}", names.join(", ")),
            (None, false) => format!("name a remote with --remote; there are: {}", names.join(", ")),
        })
    })
}

/// A connection to a remote. `given` is a credential of the moment; else the sealed one is used.
///
/// # Errors
/// When the sealed credential cannot be opened, or the remote's settings cannot be used.
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
            reason => format!("cannot be opened ({reason})"),
        })
    })?;
    Ok(Credential::from_secret(open.secret()).ok_or_else(|| cannot("is damaged".to_owned()))?)
}

/// Makes known which secrets this file has of a connector, before anything is asked about it: no answer may repeat them.
///
/// # Errors
/// When the file cannot be read.
pub fn make_secrets_known(store: &Store, vault: &Vault, kibana: &Kibana, id: &str) -> Result<(), SyncError> {
    if let Some(here) = store.get(id)?.filter(|here| here.secrets.is_some())
        && let Ok(secrets) = vault.open(&here)
    {
        kibana.remember(&here, &secrets);
    }
    Ok(())
}

/// Asks Kibana for its connectors and keeps the answer.
///
/// # Errors
/// As any call, and when the file cannot be written.
pub fn fetch(store: &mut Store, vault: &Vault, remote: &mut Remote, kibana: &Kibana) -> Result<(), SyncError> {
    let server = kibana.server()?.or_known(remote.version.as_deref());
    let space = kibana.connectors(&server)?;
    for told in &space.connectors {
        if let Some(here) = store.get(&told.id)?.filter(|here| here.secrets.is_some())
            && (here.name != told.snapshot.name || here.config != told.snapshot.config)
            && let Ok(secrets) = vault.open(&here)
        {
            kibana.check_told(told, &here, &secrets)?;
        }
    }
    remote.version = space.version;
    remote.knows_modes = space.knows_modes;
    remote.seen_at = Some(clock::now_iso());
    store.observe(remote, &space.connectors)?;
    // Only names: without them the list shows ids, so a server that does not give them is no reason to fail.
    match kibana.connector_types() {
        Ok(types) => Ok(store.put_reported_types(&remote.name, &types)?),
        Err(KibanaError::Cancelled) => Err(KibanaError::Cancelled.into()),
        Err(_) => Ok(()),
    }
}
