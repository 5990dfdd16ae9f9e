//! The threads that own the file, so that nothing the UI does ever waits for a disk.
//!
//! The writer thread opens the file (and upgrades it), then runs one job at a time. The reader thread
//! has a connection of its own and answers the lists meanwhile; the network thread speaks with Kibana. Both speak the words of [`protocol`].

pub mod bulk;
mod network;
pub mod protocol;
mod reader;
mod watch;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use crate::vault::KeyOptions;
pub use network::Network;
use protocol::{Job, Reply, Request};
pub use reader::Reader;
pub use writer::{Writer, check_passphrase, create, find_unreadable_keys, key_warnings, save};

/// How to open the file.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// The file.
    pub path: PathBuf,
    /// Write nothing.
    pub read_only: bool,
    /// Where the keys of secrets come from.
    pub keys: KeyOptions,
    /// A copy to be put back in place of the file before it is opened.
    pub restore: Option<PathBuf>,
}

/// The running threads.
pub struct Worker {
    requests: Option<Sender<Request>>,
    jobs: Option<Sender<Job>>,
    network: Option<Sender<Job>>,
    cancel: Arc<AtomicBool>,
    reading: Arc<ReaderControl>,
    writer: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts opening the file; the first replies tell how that goes.
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
            let _alarm = Alarm(reply.clone());
            let Some((mut writer, reader)) = writer::open(&options, &flag, &shared, &reply) else {
                return;
            };
            watch::watch(&options.path, for_watch);
            let for_waits = reply.clone();
            writer.when_waiting(move || for_waits(Reply::Waiting));
            let for_reader = reply.clone();
            let reader = thread::spawn(move || {
                let _alarm = Alarm(for_reader.clone());
                reader.run(&incoming_requests, &shared, &for_reader);
            });
            speak(writer.network().cancelled_by(&flag), incoming_of_network, reply.clone());
            writer.look_at_keys(&reply);
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

    /// Asks the reader.
    pub fn request(&self, request: Request) {
        // A search that is running is stale now; its answer would be dropped.
        if matches!(request, Request::List(_)) {
            self.reading.interrupt.store(true, Ordering::Relaxed);
        }
        if let Some(requests) = &self.requests {
            let _ = requests.send(request);
        }
    }

    /// Gives the writer a job, or the network's thread.
    pub fn job(&self, job: Job) {
        // What was stopped before was another one. A stop that comes right after this is about the new one.
        self.cancel.store(false, Ordering::Relaxed);
        let thread = if job.is_of_network() { &self.network } else { &self.jobs };
        if let Some(jobs) = thread {
            let _ = jobs.send(job);
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
        // The watch holds the other end of the questions too, so the reader is woken to see that it is over.
        self.request(Request::Look);
        drop(self.requests.take());
        drop(self.jobs.take());
        // It may wait for a server. What it has sent is written down, so it is not waited for.
        drop(self.network.take());
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// Speaks with Kibana on a thread of its own, until nobody asks any more.
fn speak(mut network: Network, jobs: Receiver<Job>, reply: impl Fn(Reply) + Send + 'static) {
    thread::spawn(move || {
        let alarm = Alarm(reply);
        for job in jobs {
            network.run(job, &alarm.0);
        }
    });
}

/// What the UI's thread tells the reader without waiting for its turn.
#[derive(Default)]
pub(super) struct ReaderControl {
    /// The running statement is not wanted any more.
    interrupt: Arc<AtomicBool>,
    /// The program ends.
    stopping: AtomicBool,
}

/// Tells the UI when a thread ends by a panic.
struct Alarm<R: Fn(Reply)>(R);

impl<R: Fn(Reply)> Drop for Alarm<R> {
    fn drop(&mut self) {
        if thread::panicking() {
            (self.0)(Reply::Died);
        }
    }
}
