//! The network thread: it has its own connection to the file, opened on first need, and runs one job at a time, so that
//! nothing else waits for a server.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{JobResult, RemoteJob, Reply};
use crate::clock;
use crate::domain::{Catalogue, Remote};
use crate::kibana::{Credential, Kibana, KibanaError};
use crate::service::remote;
use crate::service::remote::{Pulling, SyncError};
use crate::store::{FileId, Store, StoreError};
use crate::vault::Vault;

/// Speaks with Kibana for the UI.
pub struct Network {
    path: PathBuf,
    file: Option<FileId>,
    vault: Vault,
    cancel: Arc<AtomicBool>,
    store: Option<Store>,
    catalogue: &'static Catalogue,
}

impl Network {
    pub(super) fn new(store: &Store, vault: Vault) -> Self {
        let (path, file) = (store.path().to_owned(), store.file_id());
        Self { path, file, vault, cancel: Arc::default(), store: None, catalogue: store.catalogue() }
    }

    /// Stopped by this flag.
    #[must_use]
    pub fn cancelled_by(mut self, cancel: &Arc<AtomicBool>) -> Self {
        self.cancel = cancel.clone();
        self
    }

    /// Runs one job and replies with its result.
    pub fn run(&mut self, job: RemoteJob, reply: &impl Fn(Reply)) {
        let done = self.do_job(job, reply);
        if let Some(store) = &self.store {
            store.empty_log();
        }
        reply(match done {
            Ok(done) => Reply::Done(done),
            // The user stopped it, so it is not a failure.
            Err(SyncError::Kibana(KibanaError::Cancelled) | SyncError::Store(StoreError::Cancelled)) => {
                Reply::Done(JobResult::Nothing("stopped".to_owned()))
            }
            Err(error) => Reply::Failed(error.to_string()),
        });
    }

    fn do_job(&mut self, job: RemoteJob, reply: &impl Fn(Reply)) -> Result<JobResult, SyncError> {
        let (vault, cancel) = (self.vault.clone(), self.cancel.clone());
        let store = match &mut self.store {
            Some(store) => store,
            // Not stopped by the same flag: an answer of Kibana is stored in any case.
            none => {
                none.insert(Store::join_same(&self.path, self.file, &Arc::default())?.with_catalogue(self.catalogue))
            }
        };
        let mut remote = remote::remote_of(store, None)?;
        let now = clock::now_iso();
        let connect = |remote: &Remote| -> Result<Kibana, SyncError> {
            let given = Credential::from_environment().map_err(KibanaError::Settings)?;
            remote::connect(remote, &vault, given, &cancel)
        };
        Ok(match job {
            RemoteJob::Fetch => {
                let kibana = connect(&remote)?;
                remote::fetch(store, &vault, &mut remote, &kibana)?;
                JobResult::Fetched
            }
            RemoteJob::Pull { deletes_most } => {
                let kibana = connect(&remote)?;
                remote::fetch(store, &vault, &mut remote, &kibana)?;
                JobResult::Pulled(remote::pull(store, &vault, &remote, Pulling { only: None, deletes_most }, &now)?)
            }
            RemoteJob::Push { plan, options } => {
                let kibana = connect(&remote)?;
                let _lock = remote::lock_for_push(&self.path)?;
                let mut done = 0;
                reply(Reply::Progress { done, total: plan.len() as u64 });
                let report = remote::push(store, &vault, &mut remote, &kibana, (&plan, options), &mut |_, total| {
                    done += 1;
                    reply(Reply::Progress { done, total: total as u64 });
                    !cancel.load(Ordering::Relaxed)
                })?;
                JobResult::Pushed(Box::new(report))
            }
            RemoteJob::Resolve { ids, side } => {
                let (_, left) = remote::resolve(store, &vault, &remote, &ids, side, &now)?;
                JobResult::Resolved {
                    count: ids.len() - left.len(),
                    side,
                    left: left.into_iter().next().map(|(_, why)| why),
                }
            }
            RemoteJob::Execute { id, params } => {
                let kibana = connect(&remote)?;
                remote::make_secrets_known(store, &vault, &kibana, &id)?;
                JobResult::Ran(kibana.execute(&id, &params)?)
            }
        })
    }
}
