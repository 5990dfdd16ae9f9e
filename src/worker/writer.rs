//! The writer: opens the file, then runs one job at a time.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::network::Network;
use super::reader::{Reader, overview};
use super::{FileJob, JobResult, Opened, Reply, UndoPage};
use super::{OpenOptions, ReaderControl};
use crate::clock;
use crate::domain::bulk::BulkEdit;
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
use crate::store::{self, HistoryEntry, OnConflict, Progress, Reading, Store, StoreError};
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
        match job {
            FileJob::Create { connector, secrets, duplicate_of } => {
                let created = create(&mut self.store, &self.vault, *connector, &secrets, duplicate_of.as_deref(), now)?;
                Ok(JobResult::Created(Box::new(created)))
            }
            FileJob::Save { connector, secrets } => {
                let (outcome, secrets) = save(&mut self.store, &self.vault, &connector, &secrets, now)?;
                Ok(JobResult::Saved { outcome, secrets })
            }
            FileJob::SetAuthMode { ids, change } => {
                Ok(JobResult::AuthModeSet(self.store.set_auth_mode(&ids, change, now)?))
            }
            FileJob::Delete { ids } => Ok(JobResult::Deleted(self.store.delete(&ids, now)?)),
            FileJob::BulkPreview { ids, filter, edit } => self.preview_bulk(ids, filter, edit),
            FileJob::Bulk { ids, filter, edit } => {
                let ids = bulk::targets(&self.store, ids, &filter)?;
                Ok(JobResult::Bulked(bulk::apply(&mut self.store, &self.vault, &ids, &edit, now)?))
            }
            FileJob::Import { path, on_conflict } => self.import(&path, on_conflict, now, &mut progress),
            FileJob::Preview { path } => self.preview_import(&path, &mut progress),
            FileJob::Export { path, ids, filter, replace } => {
                self.export_to(&path, ids, filter, replace, &mut progress)
            }
            FileJob::Decide { ids, decision } => {
                Ok(JobResult::Decided(self.store.decide(&ids, decision, &mut progress)?))
            }
            FileJob::Apply => {
                reply(Reply::Phase("creating a backup"));
                self.store.create_automatic_backup(&mut progress)?;
                reply(Reply::Phase("migrating"));
                Ok(JobResult::Applied(self.store.apply(false, now, &mut progress)?))
            }
            FileJob::Rollback => {
                self.revert_found(self.store.last_run()?, "no migration run to roll back", now, &mut progress)
            }
            FileJob::Undo => self.revert_found(self.store.last_step()?, "nothing to undo", now, &mut progress),
            FileJob::Redo => self.revert_found(self.store.next_redo()?, "nothing to redo", now, &mut progress),
            FileJob::UndoOnPage { page, is_redo } => self.undo_on_page(page, is_redo, now, &mut progress),
            FileJob::Revert { step, only } => Ok(JobResult::Reverted(match only {
                None => self.store.revert(step, now, &mut progress)?,
                Some(ids) => self.store.revert_some(step, &ids, now)?,
            })),
            FileJob::ForceRevert { step, id, seen } => {
                Ok(JobResult::Reverted(self.store.revert_over(step, &id, seen, now)?))
            }
            FileJob::SaveAs { path } => self.save_as(&path, &mut progress),
            FileJob::CreateBackup => Ok(JobResult::BackedUp(self.store.back_up(None, clock::now(), &mut progress)?)),
        }
    }

    fn preview_bulk(&mut self, ids: Vec<String>, filter: Filter, edit: BulkEdit) -> Result<JobResult, ServiceError> {
        self.find_keys(&filter)?;
        let ids = bulk::targets(&self.store, ids, &filter)?;
        let preview = bulk::preview(&self.store, &self.vault, &ids, &edit)?;
        Ok(JobResult::BulkPreviewed(Box::new(preview), Box::new(FileJob::Bulk { ids, filter, edit })))
    }

    fn import(
        &mut self,
        path: &Path,
        on_conflict: OnConflict,
        now: &str,
        progress: Progress<'_>,
    ) -> Result<JobResult, ServiceError> {
        let path = expand_home(path);
        let request = ImportRequest { source: &path, on_conflict, create_automatic_backup: true };
        let (outcome, notices) = import(&mut self.store, &self.vault, request, now, &mut |_, _| Ok(()), progress)?;
        Ok(JobResult::Imported { path, outcome, notices })
    }

    fn preview_import(&self, path: &Path, progress: Progress<'_>) -> Result<JobResult, ServiceError> {
        let path = expand_home(path);
        let file = Some((&self.store, &self.vault));
        let preview = preview(file, &path, OnConflict::Report, progress, self.store.catalogue())?;
        Ok(JobResult::Previewed { path, preview: Box::new(preview) })
    }

    fn export_to(
        &mut self,
        path: &Path,
        ids: Vec<String>,
        filter: Filter,
        replace: bool,
        progress: Progress<'_>,
    ) -> Result<JobResult, ServiceError> {
        let path = expand_home(path);
        if !replace && path.exists() {
            return Ok(JobResult::FileIsThere(Box::new(FileJob::Export { path, ids, filter, replace: true })));
        }
        self.find_keys(&filter)?;
        let report = self.export(&path, &ids, &filter, progress)?;
        Ok(JobResult::Exported { path, report })
    }

    /// Reverts a step, if there is one.
    fn revert_found(
        &mut self,
        found: Option<HistoryEntry>,
        nothing: &str,
        now: &str,
        progress: Progress<'_>,
    ) -> Result<JobResult, ServiceError> {
        match found {
            Some(step) => Ok(JobResult::Reverted(self.store.revert(step.step, now, progress)?)),
            None => Ok(JobResult::Nothing(nothing.to_owned())),
        }
    }

    fn save_as(&mut self, path: &Path, progress: Progress<'_>) -> Result<JobResult, ServiceError> {
        let path = expand_home(path);
        check_target(&path, self.store.path(), self.vault.key_file())?;
        Ok(JobResult::SavedAs(self.store.back_up(Some(&path), clock::now(), progress)?.path))
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
        page: UndoPage,
        is_redo: bool,
        now: &str,
        progress: Progress<'_>,
    ) -> Result<JobResult, ServiceError> {
        let found = if is_redo { self.store.next_redo()? } else { self.store.last_step()? };
        let Some(step) = found else {
            return Ok(JobResult::Nothing(format!("nothing to {}", if is_redo { "redo" } else { "undo" })));
        };
        let is_page = match &page {
            UndoPage::Connector(id) => self.store.is_in_step(step.step, id)?,
            UndoPage::Step(page) => *page == step.step || step.origin.is_some_and(|(origin, _)| origin == *page),
        };
        if is_page && step.records <= 1 {
            return Ok(JobResult::Reverted(self.store.revert(step.step, now, progress)?));
        }
        Ok(JobResult::UndoElsewhere { step: Box::new(step), page, is_elsewhere: !is_page, is_redo })
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
        progress: Progress<'_>,
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
