//! The writer: opens the file, then runs one job at a time.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::network::Network;
use super::protocol::{Done, Job, Opened, Reply};
use super::reader::{Reader, overview};
use super::{OpenOptions, ReaderControl, bulk};
use crate::clock;
use crate::domain::{Connector, Filter, SecretEdits, SecretsState};
use crate::store::{self, OnConflict, Reading, SaveOutcome, Store, StoreError};
use crate::transfer::files::{check_target, expand_home, write_whole};
use crate::transfer::{self, ExportReport, Importing, TransferError};
use crate::vault::{PASSPHRASE_PREFIX, Vault, VaultError};

/// Changes the file.
pub struct Writer {
    store: Store,
    vault: Vault,
    cancel: Arc<AtomicBool>,
}

/// Opens the file for both threads; `None` after telling why it cannot be.
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
    /// Opens the file, upgrading it first, and tells [`Reply::Opened`].
    ///
    /// # Errors
    /// When the file cannot be opened or upgraded.
    pub fn open(
        options: &OpenOptions,
        cancel: &Arc<AtomicBool>,
        reply: &impl Fn(Reply),
    ) -> Result<(Self, Reader), StoreError> {
        let restored = options.restore.as_ref().map(|copy| {
            let goes_on = |_, _| !cancel.load(Ordering::Relaxed);
            store::restore(&options.path, copy, clock::now(), goes_on).map_err(|error| error.to_string())
        });
        let (mut store, upgraded) = if options.read_only {
            (Store::open_read_only(&options.path, Reading::Untouched)?, None)
        } else {
            Store::open(&options.path, cancel, &mut |stage| {
                reply(Reply::Upgrading(stage));
                if cancel.load(Ordering::Relaxed) { Err(StoreError::Cancelled) } else { Ok(()) }
            })?
        };
        let reader = store.reader()?;
        let vault = Vault::new(options.keys.clone());
        let wrong = check_passphrase(&vault, &store)?.err();
        find_unreadable_keys(&vault, &mut store)?;
        reply(Reply::Opened(Box::new(Opened {
            schema: store.schema_version()?,
            read_only: store.is_read_only(),
            // After an upgrade the counts decide what is shown; else the list need not wait for them.
            overview: upgraded.is_some().then(|| overview(&store)).transpose()?,
            upgraded,
            key_warnings: wrong.map(|error| error.to_string()).into_iter().chain(vault.exposure()).collect(),
            restored,
        })));
        Ok((Self { store, vault: vault.clone(), cancel: cancel.clone() }, Reader::new(reader, vault)))
    }

    /// What speaks with Kibana about the same file.
    pub fn network(&self) -> Network {
        Network::new(&self.store, self.vault.clone())
    }

    /// Has it told when a job waits for another program.
    pub(super) fn when_waiting(&mut self, tell: impl Fn() + Send + 'static) {
        self.store.when_waiting(tell);
    }

    /// Runs one job and tells how it ended.
    pub fn run(&mut self, job: Job, reply: &impl Fn(Reply)) {
        let derived = self.store.derive().map_err(TransferError::from);
        let done = derived.and_then(|()| self.do_job(job, &clock::now_iso(), reply));
        self.store.empty_log();
        reply(match done {
            Ok(done) => Reply::Done(done),
            // Asked for, so it is no failure.
            Err(error @ TransferError::Store(StoreError::Cancelled)) => Reply::Done(Done::Nothing(error.to_string())),
            Err(error) => Reply::Failed(error.to_string()),
        });
    }

    fn do_job(&mut self, job: Job, now: &str, reply: &impl Fn(Reply)) -> Result<Done, TransferError> {
        let cancel = self.cancel.clone();
        let mut progress = |done, total| {
            reply(Reply::Progress { done, total });
            !cancel.load(Ordering::Relaxed)
        };
        Ok(match job {
            Job::Create { connector, secrets, copy_of } => {
                let created = create(&mut self.store, &self.vault, *connector, &secrets, copy_of.as_deref(), now)?;
                Done::Created(Box::new(created))
            }
            Job::Save { connector, secrets } => {
                let (outcome, secrets) = save(&mut self.store, &self.vault, &connector, &secrets, now)?;
                Done::Saved { outcome, secrets }
            }
            Job::SetAuthMode { ids, change } => Done::AuthModeSet(self.store.set_auth_mode(&ids, change, now)?),
            Job::Delete { ids } => Done::Deleted(self.store.delete(&ids, now)?),
            Job::BulkPreview { ids, filter, edit } => {
                self.find_keys(&filter)?;
                let ids = bulk::targets(&self.store, ids, &filter)?;
                let preview = bulk::preview(&self.store, &self.vault, &ids, &edit)?;
                Done::BulkPreviewed(Box::new(preview), Box::new(Job::Bulk { ids, filter, edit }))
            }
            Job::Bulk { ids, filter, edit } => {
                let ids = bulk::targets(&self.store, ids, &filter)?;
                Done::Bulked(bulk::apply(&mut self.store, &self.vault, &ids, &edit, now)?)
            }
            Job::Import { path, on_conflict } => {
                let path = expand_home(&path);
                let importing = Importing { source: &path, on_conflict, keep_copy: true };
                let (store, vault) = (&mut self.store, &self.vault);
                let (outcome, notices) =
                    transfer::import(store, vault, importing, now, &mut |_, _| Ok(()), &mut progress)?;
                Done::Imported { path, outcome, notices }
            }
            Job::Preview { path } => {
                let path = expand_home(&path);
                let preview =
                    transfer::preview(Some((&self.store, &self.vault)), &path, OnConflict::Report, &mut progress)?;
                Done::Previewed { path, preview: Box::new(preview) }
            }
            Job::Export { path, ids, filter, replace } => {
                let path = expand_home(&path);
                if !replace && path.exists() {
                    return Ok(Done::FileIsThere(Box::new(Job::Export { path, ids, filter, replace: true })));
                }
                self.find_keys(&filter)?;
                let report = self.export(&path, &ids, &filter, &mut progress)?;
                Done::Exported { path, report }
            }
            Job::Decide { ids, decision } => Done::Decided(self.store.decide(&ids, decision, &mut progress)?),
            Job::Apply => {
                reply(Reply::Phase("keeping a copy of the file"));
                self.store.keep_copy(&mut progress)?;
                reply(Reply::Phase("migrating"));
                Done::Applied(self.store.apply(false, now, &mut progress)?)
            }
            Job::Rollback => match self.store.last_run()? {
                Some(run) => Done::Reverted(self.store.revert(run.step, now, &mut progress)?),
                None => Done::Nothing("there is no migration run to roll back".to_owned()),
            },
            Job::Undo => match self.store.last_step()? {
                Some(step) => Done::Reverted(self.store.revert(step.step, now, &mut progress)?),
                None => Done::Nothing("there is nothing to undo".to_owned()),
            },
            Job::Redo => match self.store.next_redo()? {
                Some(step) => Done::Reverted(self.store.revert(step.step, now, &mut progress)?),
                None => Done::Nothing("there is nothing to redo".to_owned()),
            },
            Job::UndoOnPage { id, step, is_redo } => {
                self.undo_on_page(id.as_deref(), step, is_redo, now, &mut progress)?
            }
            Job::TakeBack { step, only: None } => Done::Reverted(self.store.revert(step, now, &mut progress)?),
            Job::TakeBack { step, only: Some(ids) } => Done::Reverted(self.store.revert_some(step, &ids, now)?),
            Job::TakeBackOver { step, id, seen } => Done::Reverted(self.store.revert_over(step, &id, seen, now)?),
            Job::Fetch | Job::Pull { .. } | Job::Push { .. } | Job::Resolve { .. } | Job::Execute { .. } => {
                Done::Nothing("this is a job of the network".to_owned())
            }
            Job::SaveAs { path } => {
                let path = expand_home(&path);
                check_target(&path, self.store.path(), self.vault.key_file())?;
                Done::SavedAs(self.store.back_up(Some(&path), clock::now(), &mut progress)?.path)
            }
            Job::BackUp => Done::BackedUp(self.store.back_up(None, clock::now(), &mut progress)?),
        })
    }
}

impl Writer {
    /// Tells what is wrong with the keys and takes a look at every record to be found.
    pub(super) fn look_at_keys(&self, reply: &impl Fn(Reply)) {
        // What cannot be read now is told when it is asked for.
        if let Ok(Some(warning)) = other_keys(&self.vault, &self.store) {
            reply(Reply::KeyWarning(warning));
        }
    }

    /// Undoes or redoes what a page is about; what else the last step is about is given back, to be shown first.
    fn undo_on_page(
        &mut self,
        id: Option<&str>,
        page: Option<i64>,
        is_redo: bool,
        now: &str,
        progress: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<Done, TransferError> {
        let found = if is_redo { self.store.next_redo()? } else { self.store.last_step()? };
        let Some(step) = found else {
            return Ok(Done::Nothing(format!("there is nothing to {}", if is_redo { "redo" } else { "undo" })));
        };
        let is_page = match id {
            Some(id) => self.store.is_in_step(step.step, id)?,
            None => page == Some(step.step) || page.is_some() && page == step.origin.map(|(origin, _)| origin),
        };
        if is_page && step.records <= 1 {
            return Ok(Done::Reverted(self.store.revert(step.step, now, progress)?));
        }
        Ok(Done::UndoElsewhere { step: Box::new(step), is_elsewhere: !is_page, is_redo })
    }

    /// Finds which keys are at hand, where a filter asks for them: other programs may have brought others.
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
    ) -> Result<ExportReport, TransferError> {
        check_target(path, self.store.path(), self.vault.key_file())?;
        let ids: HashSet<&str> = ids.iter().map(String::as_str).collect();
        let wanted = |connector: &Connector| {
            let is_named = ids.is_empty() || ids.contains(connector.id.as_str());
            is_named && (filter.is_empty() || filter.matches(&self.store.summary_of(connector)))
        };
        write_whole(path, |out| {
            transfer::export(&self.store, out, &path.display().to_string(), wanted, &mut |done, total| {
                progress(done, total)
            })
        })
    }

    /// Forgets old steps of the history, where the file asks for it. A failure only keeps them for longer.
    pub(super) fn forget_old_steps(&mut self) {
        if let (false, Ok(limits)) = (self.store.is_read_only(), self.store.history_limits()) {
            let cancel = self.cancel.clone();
            let _ = self.store.prune(limits, clock::now(), &mut |_, _| !cancel.load(Ordering::Relaxed));
        }
    }
}

/// Adds a connector with its secrets sealed: those of the one it is copied from, with the edits made.
///
/// # Errors
/// When the original is gone, the id is taken, the secrets cannot be sealed, or the file cannot be written.
pub fn create(
    store: &mut Store,
    vault: &Vault,
    mut connector: Connector,
    secrets: &SecretEdits,
    copy_of: Option<&str>,
    now: &str,
) -> Result<Connector, TransferError> {
    let original = copy_of.map(|id| store.get(id)).transpose()?.flatten();
    if copy_of.is_some() && original.is_none() {
        return Err(TransferError::OriginalGone);
    }
    vault.carry(original.as_ref(), &mut connector, secrets)?;
    Ok(store.create(&connector, now)?)
}

/// Replaces a connector, if it is still at the revision it was read at. The secrets are taken from the record as
/// the file has it now, not as it was once read.
///
/// # Errors
/// When the secrets cannot be sealed or the file cannot be written.
pub fn save(
    store: &mut Store,
    vault: &Vault,
    connector: &Connector,
    secrets: &SecretEdits,
    now: &str,
) -> Result<(SaveOutcome, SecretsState), TransferError> {
    let outcome = store
        .save::<TransferError>(connector, now, |current, saved| Ok(vault.carry(Some(current), saved, secrets)?))?;
    let state = match &outcome {
        SaveOutcome::Saved(found) | SaveOutcome::Conflict(found) => vault.state(found),
        SaveOutcome::Gone => SecretsState::None,
    };
    Ok((outcome, state))
}

/// What is wrong with the keys, for people: nothing stands in the way of going on.
///
/// # Errors
/// When the file cannot be read.
pub fn key_warnings(vault: &Vault, store: &Store) -> Result<Vec<String>, StoreError> {
    Ok(vault.exposure().into_iter().chain(other_keys(vault, store)?).collect())
}

/// Two kinds of keys in one file, or a new key where the old one is not at hand, are a way to lose half of the secrets.
fn other_keys(vault: &Vault, store: &Store) -> Result<Option<String>, StoreError> {
    if !vault.uses_passphrase() && !store.sealed_like(PASSPHRASE_PREFIX)?.is_empty() {
        let warning = "some of the file's secrets are sealed with a passphrase, and none was given: they cannot be opened, \
                       and new ones are sealed with the key file. Start with --passphrase to go on with it";
        return Ok(Some(warning.to_owned()));
    }
    let is_missing = |(key, value): &(String, String)| key.starts_with("ca1.k") && !vault.has_key_of(key, value);
    if !store.keys_in_use()?.iter().any(is_missing) {
        return Ok(None);
    }
    let with =
        if vault.uses_passphrase() { "the passphrase".to_owned() } else { vault.key_file().display().to_string() };
    Ok(Some(format!(
        "some of the file's secrets are encrypted with a key that is not at hand (unreadable:secrets lists them); new ones \
         are encrypted with {with}. Put the key file back, or name it with --key-file"
    )))
}

/// Finds the keys that encrypted secrets of the file and are not at hand, so that lists and counts show them.
///
/// # Errors
/// When the file cannot be read.
pub fn find_unreadable_keys(vault: &Vault, store: &mut Store) -> Result<(), StoreError> {
    let keys = store.keys_in_use()?;
    let unreadable = keys.into_iter().filter(|(key, value)| !vault.has_key_of(key, value)).map(|(key, _)| key);
    store.set_unreadable_keys(unreadable.collect());
    Ok(())
}

/// Checks a passphrase on what the file has, before anything is sealed with it.
///
/// # Errors
/// When the file cannot be read; within, that the passphrase is another one.
pub fn check_passphrase(vault: &Vault, store: &Store) -> Result<Result<(), VaultError>, StoreError> {
    if !vault.uses_passphrase() {
        return Ok(Ok(()));
    }
    Ok(vault.check_passphrase(&store.sealed_like(PASSPHRASE_PREFIX)?))
}
