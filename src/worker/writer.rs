//! The writer: opens the file, then runs one job at a time.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::protocol::{Done, Job, Opened, Reply};
use super::reader::{Reader, overview};
use super::{OpenOptions, Reading};
use crate::clock;
use crate::store::{Store, StoreError};
use crate::transfer::{self, TransferError};

/// Changes the file.
pub struct Writer {
    store: Store,
    cancel: Arc<AtomicBool>,
}

/// Opens the file for both threads; `None` after telling why it cannot be.
pub(super) fn open(
    options: &OpenOptions,
    cancel: &Arc<AtomicBool>,
    reading: &Reading,
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
        let (store, upgraded) = if options.read_only {
            (Store::open_read_only(&options.path)?, None)
        } else {
            Store::open(&options.path, cancel, &mut |stage| {
                reply(Reply::Upgrading(stage));
                if cancel.load(Ordering::Relaxed) { Err(StoreError::Cancelled) } else { Ok(()) }
            })?
        };
        let reader = store.reader()?;
        reply(Reply::Opened(Box::new(Opened {
            schema: store.schema_version()?,
            read_only: store.is_read_only(),
            upgraded,
            overview: overview(&store)?,
        })));
        Ok((Self { store, cancel: cancel.clone() }, Reader::new(reader)))
    }

    /// Runs one job and tells how it ended.
    pub fn run(&mut self, job: Job, reply: &impl Fn(Reply)) {
        let done = self.do_job(job, &clock::now_iso(), reply);
        reply(done.map_or_else(|error| Reply::Failed(error.to_string()), Reply::Done));
    }

    fn do_job(&mut self, job: Job, now: &str, reply: &impl Fn(Reply)) -> Result<Done, TransferError> {
        let cancel = self.cancel.clone();
        let mut progress = |done, total| {
            reply(Reply::Progress { done, total });
            !cancel.load(Ordering::Relaxed)
        };
        Ok(match job {
            Job::Create(connector) => Done::Created(Box::new(self.store.create(&connector, now)?)),
            Job::Save(connector) => Done::Saved(self.store.save(&connector, now)?),
            Job::SetAuthMode { ids, change } => Done::AuthModeSet(self.store.set_auth_mode(&ids, change, now)?),
            Job::Delete { ids } => Done::Deleted(self.store.delete(&ids, now)?),
            Job::Import { path, on_conflict } => {
                let path = expand_home(path);
                let (outcome, notices) =
                    transfer::import(&mut self.store, &path, on_conflict, now, |done| progress(done, 0))?;
                Done::Imported { path, outcome, notices }
            }
            Job::Decide { ids, decision } => Done::Decided(self.store.decide(&ids, decision)?),
            Job::Apply => Done::Applied(self.store.apply(false, now, &mut progress)?),
            Job::Rollback => match self.store.last_run()? {
                Some(run) => Done::Reverted(self.store.revert(run.step, now, &mut progress)?),
                None => Done::Nothing("there is no migration run to roll back".to_owned()),
            },
            Job::Undo => match self.store.last_step()? {
                Some(step) => Done::Reverted(self.store.revert(step.step, now, &mut progress)?),
                None => Done::Nothing("there is nothing to undo".to_owned()),
            },
        })
    }
}

/// A path that a person typed may begin with `~/`, which no shell has seen.
fn expand_home(path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}
