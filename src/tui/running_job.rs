//! The running job, and its progress in words.

use std::time::Duration;

use jiff::Timestamp;

use crate::store::HistoryEntry;
use crate::text::{grouped, time};
use crate::tui::delay::{SLOW, age, until_slow};
use crate::worker::{FileJob, Job, Overview, RemoteJob};

/// From this number of connectors on, a quick job takes long.
const MANY: usize = 1000;

/// Cells of the bar.
const BAR: u64 = 16;

/// A job of a thread that writes.
#[derive(Clone, Debug)]
pub struct RunningJob {
    /// What it does.
    pub title: &'static str,
    /// The job may take long, and the UI stays usable.
    pub is_long: bool,
    /// Another program is writing to the file.
    pub is_waiting: bool,
    /// A cancel was requested.
    pub is_stopping: bool,
    /// Records done.
    pub done: u64,
    /// Of how many; 0 when unknown.
    pub total: u64,
    started: Timestamp,
}

impl RunningJob {
    /// Returns the state of a job that begins; `None` if it is too quick to be worth a word.
    pub fn start(job: &Job, title: &'static str, overview: &Overview, now: Timestamp) -> Option<Self> {
        if matches!(job, Job::File(FileJob::Decide { ids, .. }) if ids.len() < MANY) {
            return None;
        }
        let is_long = is_long(job, overview);
        Some(Self { title, is_long, is_waiting: false, is_stopping: false, done: 0, total: 0, started: now })
    }

    /// Begins another part of the work.
    pub fn begin_phase(&mut self, title: &'static str, now: Timestamp) {
        (self.title, self.done, self.total, self.started) = (title, 0, 0, now);
    }

    /// Returns whether the job is worth showing: it has reported progress, or takes its time.
    pub fn is_shown(&self, now: Timestamp) -> bool {
        self.done > 0 || self.is_waiting || self.is_stopping || age(self.started, now) >= SLOW
    }

    /// Returns when a job without progress is shown.
    pub fn next_tick(&self, now: Timestamp) -> Option<Duration> {
        let is_silent = self.done == 0 && !self.is_waiting;
        until_slow(self.started, now).filter(|_| is_silent)
    }

    /// Returns the progress in words.
    pub fn progress(&self, now: Timestamp) -> String {
        let title = self.title;
        if self.is_stopping {
            return format!("{title}: stopping after the current step …");
        }
        if self.is_waiting {
            return format!("{title}: waiting for another program that is writing to the file");
        }
        if self.done == 0 {
            return format!("{title} …");
        }
        if self.total == 0 {
            return format!("{title}: {}", self.done);
        }
        let rate = u128::from(self.done) * 1000 / age(self.started, now).as_millis().max(1);
        let percent = self.done * 100 / self.total;
        let filled = usize::try_from(self.done * BAR / self.total).unwrap_or(0).min(BAR as usize);
        let bar = format!("{}{}", "▓".repeat(filled), "░".repeat(BAR as usize - filled));
        let mut text =
            format!("{title} {bar} {percent}% ({} of {}, {rate}/s)", grouped(self.done), grouped(self.total));
        if let Some(left) = u128::from(self.total.saturating_sub(self.done)).checked_div(rate)
            && left > 0
        {
            text.push_str(&format!(", about {} left", time::seconds_left(u64::try_from(left).unwrap_or(u64::MAX))));
        }
        text
    }
}

/// Returns whether a job takes so long that the user can continue in the meantime.
fn is_long(job: &Job, overview: &Overview) -> bool {
    let is_bulk = |step: &Option<HistoryEntry>| step.as_ref().is_some_and(|step| step.records >= MANY as u64);
    match job {
        Job::Remote(job) => !matches!(job, RemoteJob::Resolve { .. }),
        Job::File(
            FileJob::Apply
            | FileJob::Rollback
            | FileJob::Import { .. }
            | FileJob::Preview { .. }
            | FileJob::BulkPreview { .. }
            | FileJob::Bulk { .. }
            | FileJob::Export { .. }
            | FileJob::CreateBackup
            | FileJob::Decide { .. }
            | FileJob::Revert { only: None, .. },
        ) => true,
        Job::File(FileJob::Undo) => is_bulk(&overview.last_step),
        Job::File(FileJob::Redo) => is_bulk(&overview.next_redo),
        Job::File(_) => false,
    }
}
