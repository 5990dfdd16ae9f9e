//! The writer: opens the file, then runs one job at a time.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::network::Network;
use super::reader::{Reader, overview};
use super::{FileJob, JobResult, Opened, Reply};
use super::{OpenOptions, ReaderControl};
use crate::clock;
use crate::domain::{Connector, Filter};
use crate::fs::paths::expand_home;
use crate::fs::write_atomically;
use crate::service::ServiceError;
use crate::service::bulk;
use crate::service::edit::{create, save};
use crate::service::export::{ExportReport, export};
use crate::service::import::{ImportRequest, import, preview};
use crate::service::keys::{KeyWarning, check_passphrase, find_unreadable_keys, other_keys};
use crate::service::output_file::check_target;
use crate::store::{self, OnConflict, Reading, Store, StoreError};
use crate::vault::Vault;

/// Changes the file.
pub struct Writer {
    store: Store,
    vault: Vault,
    cancel: Arc<AtomicBool>,
}

/// Opens the file for both threads; replies and returns `None` if that fails.
pub(super) fn open(
    options: &OpenOptions,
    cancel: &Arc<AtomicBool>,
    reading: &ReaderControl,
    reply: &impl Fn(Reply),
) -> Option<(Writer, Reader)> {
    match Writer::open(options, cancel, reply) {
        Ok((writer, reader)) => Some((writer, reader.interrupted_by(&reading.interrupt))),
        Err(error) => {
            reply(Reply::OpenFailed(error.to_string()));
            None
        }
    }
}

impl Writer {
    /// Upgrades and opens the file, and replies [`Reply::Opened`].
    ///
    /// # Errors
    /// If the file cannot be opened or upgraded.
    pub fn open(
        options: &OpenOptions,
        cancel: &Arc<AtomicBool>,
        reply: &impl Fn(Reply),
    ) -> Result<(Self, Reader), StoreError> {
        let restored = options.restore.as_ref().map(|backup| {
            let continues = |_, _| !cancel.load(Ordering::Relaxed);
            store::restore(&options.path, backup, clock::now(), continues).map_err(|error| error.to_string())
        });
        let (store, upgraded) = if options.read_only {
            (Store::open_read_only(&options.path, Reading::Untouched)?, None)
        } else {
            Store::open(&options.path, cancel, &mut |stage| {
                reply(Reply::Upgrading(stage));
                if cancel.load(Ordering::Relaxed) { Err(StoreError::Cancelled) } else { Ok(()) }
            })?
        };
        let mut store = store.with_catalogue(options.catalogue);
        let reader = store.reader()?;
        let vault = Vault::new(options.keys.clone());
        let wrong = check_passphrase(&vault, &store)?.err();
        let wrong = wrong.map(|error| KeyWarning::WrongPassphrase(error.to_string())).into_iter();
        let exposed = vault.exposure().map(KeyWarning::Exposed);
        find_unreadable_keys(&vault, &mut store)?;
        reply(Reply::Opened(Box::new(Opened {
            schema: store.schema_version()?,
            read_only: store.is_read_only(),
            // After an upgrade the counts decide which screen opens; otherwise the list does not wait for them.
            overview: upgraded.is_some().then(|| overview(&store)).transpose()?,
            upgraded,
            key_warnings: wrong.chain(exposed).collect(),
            restored,
        })));
        Ok((Self { store, vault: vault.clone(), cancel: cancel.clone() }, Reader::new(reader, vault)))
    }

    /// Returns the connection to Kibana for the same file.
    pub fn network(&self) -> Network {
        Network::new(&self.store, self.vault.clone())
    }

    /// Registers a callback that runs while a job waits for another program.
    pub(super) fn when_waiting(&mut self, on_wait: impl Fn() + Send + 'static) {
        self.store.when_waiting(on_wait);
    }

    /// Runs one job and replies with its result.
    pub fn run(&mut self, job: FileJob, reply: &impl Fn(Reply)) {
        let derived = self.store.derive().map_err(ServiceError::from);
        let done = derived.and_then(|()| self.do_job(job, &clock::now_iso(), reply));
        self.store.empty_log();
        reply(match done {
            Ok(done) => Reply::Done(done),
            // The user stopped it, so it is not a failure.
            Err(error @ ServiceError::Store(StoreError::Cancelled)) => {
                Reply::Done(JobResult::Nothing(error.to_string()))
            }
            Err(error) => Reply::Failed(error.to_string()),
        });
    }

    fn do_job(&mut self, job: FileJob, now: &str, reply: &impl Fn(Reply)) -> Result<JobResult, ServiceError> {
        let cancel = self.cancel.clone();
        let mut progress = |done, total| {
            reply(Reply::Progress { done, total });
            !cancel.load(Ordering::Relaxed)
        };
        Ok(match job {
            FileJob::Create { connector, secrets, duplicate_of } => {
                let created = create(&mut self.store, &self.vault, *connector, &secrets, duplicate_of.as_deref(), now)?;
                JobResult::Created(Box::new(created))
            }
            FileJob::Save { connector, secrets } => {
                let (outcome, secrets) = save(&mut self.store, &self.vault, &connector, &secrets, now)?;
                JobResult::Saved { outcome, secrets }
            }
            FileJob::SetAuthMode { ids, change } => {
                JobResult::AuthModeSet(self.store.set_auth_mode(&ids, change, now)?)
            }
            FileJob::Delete { ids } => JobResult::Deleted(self.store.delete(&ids, now)?),
            FileJob::BulkPreview { ids, filter, edit } => {
                self.find_keys(&filter)?;
                let ids = bulk::targets(&self.store, ids, &filter)?;
                let preview = bulk::preview(&self.store, &self.vault, &ids, &edit)?;
                JobResult::BulkPreviewed(Box::new(preview), Box::new(FileJob::Bulk { ids, filter, edit }))
            }
            FileJob::Bulk { ids, filter, edit } => {
                let ids = bulk::targets(&self.store, ids, &filter)?;
                JobResult::Bulked(bulk::apply(&mut self.store, &self.vault, &ids, &edit, now)?)
            }
            FileJob::Import { path, on_conflict } => {
                let path = expand_home(&path);
                let importing = ImportRequest { source: &path, on_conflict, create_automatic_backup: true };
                let (store, vault) = (&mut self.store, &self.vault);
                let (outcome, notices) = import(store, vault, importing, now, &mut |_, _| Ok(()), &mut progress)?;
                JobResult::Imported { path, outcome, notices }
            }
            FileJob::Preview { path } => {
                let path = expand_home(&path);
                let found = preview(
                    Some((&self.store, &self.vault)),
                    &path,
                    OnConflict::Report,
                    &mut progress,
                    self.store.catalogue(),
                )?;
                JobResult::Previewed { path, preview: Box::new(found) }
            }
            FileJob::Export { path, ids, filter, replace } => {
                let path = expand_home(&path);
                if !replace && path.exists() {
                    return Ok(JobResult::FileIsThere(Box::new(FileJob::Export { path, ids, filter, replace: true })));
                }
                self.find_keys(&filter)?;
                let report = self.export(&path, &ids, &filter, &mut progress)?;
                JobResult::Exported { path, report }
            }
            FileJob::Decide { ids, decision } => {
                JobResult::Decided(self.store.decide(&ids, decision, &mut progress)?)
            }
            FileJob::Apply => {
                reply(Reply::Phase("creating a backup"));
                self.store.create_automatic_backup(&mut progress)?;
                reply(Reply::Phase("migrating"));
                JobResult::Applied(self.store.apply(false, now, &mut progress)?)
            }
            FileJob::Rollback => match self.store.last_run()? {
                Some(run) => JobResult::Reverted(self.store.revert(run.step, now, &mut progress)?),
                None => JobResult::Nothing("no migration run to roll back".to_owned()),
            },
            FileJob::Undo => match self.store.last_step()? {
                Some(step) => JobResult::Reverted(self.store.revert(step.step, now, &mut progress)?),
                None => JobResult::Nothing("nothing to undo".to_owned()),
            },
            FileJob::Redo => match self.store.next_redo()? {
                Some(step) => JobResult::Reverted(self.store.revert(step.step, now, &mut progress)?),
                None => JobResult::Nothing("nothing to redo".to_owned()),
            },
            FileJob::UndoOnPage { id, step, is_redo } => {
                self.undo_on_page(id.as_deref(), step, is_redo, now, &mut progress)?
            }
            FileJob::Revert { step, only: None } => JobResult::Reverted(self.store.revert(step, now, &mut progress)?),
            FileJob::Revert { step, only: Some(ids) } => JobResult::Reverted(self.store.revert_some(step, &ids, now)?),
            FileJob::ForceRevert { step, id, seen } => {
                JobResult::Reverted(self.store.revert_over(step, &id, seen, now)?)
            }
            FileJob::SaveAs { path } => {
                let path = expand_home(&path);
                check_target(&path, self.store.path(), self.vault.key_file())?;
                JobResult::SavedAs(self.store.back_up(Some(&path), clock::now(), &mut progress)?.path)
            }
            FileJob::CreateBackup => JobResult::BackedUp(self.store.back_up(None, clock::now(), &mut progress)?),
        })
    }
}

impl Writer {
    /// Replies with warnings about the keys, and finds unreadable secrets.
    pub(super) fn check_keys(&self, reply: &impl Fn(Reply)) {
        // A file that cannot be read now is reported by the next query.
        if let Ok(Some(warning)) = other_keys(&self.vault, &self.store) {
            reply(Reply::KeyWarning(warning));
        }
    }

    /// Undoes or redoes the step of a page; if the last step concerns something else, replies with it for confirmation.
    fn undo_on_page(
        &mut self,
        id: Option<&str>,
        page: Option<i64>,
        is_redo: bool,
        now: &str,
        progress: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<JobResult, ServiceError> {
        let found = if is_redo { self.store.next_redo()? } else { self.store.last_step()? };
        let Some(step) = found else {
            return Ok(JobResult::Nothing(format!("nothing to {}", if is_redo { "redo" } else { "undo" })));
        };
        let is_page = match id {
            Some(id) => self.store.is_in_step(step.step, id)?,
            None => page == Some(step.step) || page.is_some() && page == step.origin.map(|(origin, _)| origin),
        };
        if is_page && step.records <= 1 {
            return Ok(JobResult::Reverted(self.store.revert(step.step, now, progress)?));
        }
        Ok(JobResult::UndoElsewhere { step: Box::new(step), is_elsewhere: !is_page, is_redo })
    }

    /// Finds the available keys, if a filter depends on them: another program may have added some.
    fn find_keys(&mut self, filter: &Filter) -> Result<(), StoreError> {
        if filter.reads_keys() { find_unreadable_keys(&self.vault, &mut self.store) } else { Ok(()) }
    }

    /// Writes an export of some connectors, or of those that pass a filter.
    fn export(
        &self,
        path: &Path,
        ids: &[String],
        filter: &Filter,
        progress: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<ExportReport, ServiceError> {
        check_target(path, self.store.path(), self.vault.key_file())?;
        let ids: HashSet<&str> = ids.iter().map(String::as_str).collect();
        let wanted = |connector: &Connector| {
            let is_named = ids.is_empty() || ids.contains(connector.id.as_str());
            is_named && (filter.is_empty() || filter.matches(&self.store.summary_of(connector), self.store.catalogue()))
        };
        write_atomically(path, |out| {
            export(&self.store, out, &path.display().to_string(), wanted, &mut |done, total| progress(done, total))
        })
    }

    /// Prunes the history, where the file asks for it. A failure only delays it.
    pub(super) fn forget_old_steps(&mut self) {
        if let (false, Ok(limits)) = (self.store.is_read_only(), self.store.history_limits()) {
            let cancel = self.cancel.clone();
            let _ = self.store.prune(limits, clock::now(), &mut |_, _| !cancel.load(Ordering::Relaxed));
        }
    }
}
