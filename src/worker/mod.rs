//! The threads that own the file, so that the UI never waits for a disk or a server.
//!
//! The writer thread opens (and upgrades) the file, then runs one job at a time. The reader thread has its own
//! connection and answers queries in the meantime; the network thread talks to Kibana. `query` and `job` are the
//! requests of the UI, `reply` is their answer.

mod job;
mod lists;
mod network;
mod query;
mod reader;
mod reply;
mod watch;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use crate::domain::Catalogue;
use crate::vault::KeyOptions;
pub use job::{FileJob, Job, RemoteJob, UndoPage};
pub use network::Network;
pub use query::{ListQuery, Query};
pub use reader::Reader;
pub use reply::{JobResult, Opened, Overview, Record, Reply, SyncView};
pub use writer::Writer;

/// How to open the file.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// The file.
    pub path: PathBuf,
    /// Write nothing.
    pub read_only: bool,
    /// The source of the keys.
    pub keys: KeyOptions,
    /// A backup to restore before the file is opened.
    pub restore: Option<PathBuf>,
    /// The connector types that the program knows.
    pub catalogue: &'static Catalogue,
}

/// The running threads.
pub struct Worker {
    requests: Option<Sender<Query>>,
    jobs: Option<Sender<FileJob>>,
    network: Option<Sender<RemoteJob>>,
    cancel: Arc<AtomicBool>,
    reading: Arc<ReaderControl>,
    writer: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts to open the file; the first replies report its progress.
    pub fn start(options: OpenOptions, reply: impl Fn(Reply) + Clone + Send + 'static) -> Self {
        let (requests, incoming_requests) = mpsc::channel();
        let (jobs, incoming_jobs) = mpsc::channel();
        let (network, incoming_of_network) = mpsc::channel();
        let cancel = Arc::new(AtomicBool::new(false));
        let flag = cancel.clone();
        let reading = Arc::new(ReaderControl::default());
        let shared = reading.clone();
        let for_watch = requests.clone();
        let writer = thread::spawn(move || {
            let _notifier = PanicNotifier(reply.clone());
            let Some((mut writer, reader)) = writer::open(&options, &flag, &shared, &reply) else {
                return;
            };
            watch::watch(&options.path, for_watch);
            let for_waits = reply.clone();
            writer.when_waiting(move || for_waits(Reply::Waiting));
            let for_reader = reply.clone();
            let reader = thread::spawn(move || {
                let _notifier = PanicNotifier(for_reader.clone());
                reader.run(&incoming_requests, &shared, &for_reader);
            });
            run_network(writer.network().cancelled_by(&flag), incoming_of_network, reply.clone());
            writer.check_keys(&reply);
            writer.forget_old_steps();
            for job in incoming_jobs {
                writer.run(job, &reply);
            }
            // The reader closes first, so that the writer's close can fold the log into the file.
            let _ = reader.join();
        });
        let (requests, jobs, network) = (Some(requests), Some(jobs), Some(network));
        Self { requests, jobs, network, cancel, reading, writer: Some(writer) }
    }

    /// Sends a query to the reader.
    pub fn request(&self, request: Query) {
        // A search that is running is stale now; its answer would be dropped.
        if matches!(request, Query::List(_)) {
            self.reading.interrupt.store(true, Ordering::Relaxed);
        }
        if let Some(requests) = &self.requests {
            let _ = requests.send(request);
        }
    }

    /// Gives the writer a job, or the network's thread.
    pub fn job(&self, job: Job) {
        // An earlier stop belongs to another job; a stop right after this belongs to the new one.
        self.cancel.store(false, Ordering::Relaxed);
        // A thread that has ended has reported why.
        match job {
            Job::File(job) => drop(self.jobs.as_ref().map(|jobs| jobs.send(job))),
            Job::Remote(job) => drop(self.network.as_ref().map(|jobs| jobs.send(job))),
        }
    }

    /// Stops the running job at the next record boundary, or the running upgrade.
    pub fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }

    /// Closes the file.
    pub fn stop(mut self) {
        self.cancel();
        self.reading.stopping.store(true, Ordering::Relaxed);
        self.reading.interrupt.store(true, Ordering::Relaxed);
        // The watch holds the other sender, so the reader is woken to notice the end.
        self.request(Query::CheckForChanges);
        drop(self.requests.take());
        drop(self.jobs.take());
        // It may wait for a server. Its requests are logged, so it is not joined.
        drop(self.network.take());
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// Runs jobs with Kibana on a separate thread until the channel closes.
fn run_network(mut network: Network, jobs: Receiver<RemoteJob>, reply: impl Fn(Reply) + Send + 'static) {
    thread::spawn(move || {
        let notifier = PanicNotifier(reply);
        for job in jobs {
            network.run(job, &notifier.0);
        }
    });
}

/// Signals of the UI thread to the reader that do not wait for its turn.
#[derive(Default)]
pub(super) struct ReaderControl {
    /// The result of the running statement is no longer needed.
    interrupt: Arc<AtomicBool>,
    /// The program ends.
    stopping: AtomicBool,
}

/// Notifies the UI when a thread panics.
struct PanicNotifier<R: Fn(Reply)>(R);

impl<R: Fn(Reply)> Drop for PanicNotifier<R> {
    fn drop(&mut self) {
        if thread::panicking() {
            (self.0)(Reply::Died);
        }
    }
}
