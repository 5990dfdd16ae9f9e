//! The process that is killed: it does one job on one file, and tells after each part what is done.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use connector_admin::domain::Connector;
use connector_admin::store::{self, ImportOptions, OnConflict, Store, StoreError};

pub const NOW: &str = "2026-11-25T12:00:00.000Z";

/// What a child does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    Upgrade,
    Run,
    Rollback,
    Import,
    Save,
    Undo,
    Restore,
    KeepCopy,
}

const JOBS: [Job; 8] =
    [Job::Upgrade, Job::Run, Job::Rollback, Job::Import, Job::Save, Job::Undo, Job::Restore, Job::KeepCopy];

pub fn open(path: &Path) -> Store {
    Store::open(path, &Arc::default(), &mut |_| Ok(())).expect("opens").0
}

/// Does the job in a process of its own, killed after `delay` if it is still at it. Returns the last number
/// that it told as done.
pub fn run_and_kill(job: Job, path: &Path, delay: Option<Duration>) -> Option<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child::child", "--exact", "--nocapture", "--test-threads=1"])
        .env("CHILD_JOB", format!("{job:?}"))
        .env("CHILD_FILE", path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let begun = lines.by_ref().map(Result::unwrap).any(|line| line.ends_with("begin"));
    assert!(begun, "the child did not begin");
    if let Some(delay) = delay {
        std::thread::sleep(delay);
        // It may have come to its end by itself.
        let _ = child.kill();
    }
    let told = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("done ")?.parse().ok()).last();
    child.wait().unwrap();
    told
}

/// How long the whole job takes.
pub fn time_of(job: Job, path: &Path) -> Duration {
    let start = Instant::now();
    run_and_kill(job, path, None);
    start.elapsed()
}

fn tell(done: u64) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "done {done}").and_then(|()| out.flush()).unwrap();
}

/// Not a test: the process that is killed.
#[test]
fn child() {
    let Ok(job) = std::env::var("CHILD_JOB") else { return };
    let job = JOBS.into_iter().find(|known| format!("{known:?}") == job).unwrap();
    let path = PathBuf::from(std::env::var_os("CHILD_FILE").unwrap());
    println!("\nbegin");
    std::io::stdout().flush().unwrap();
    match job {
        Job::Upgrade => drop(open(&path)),
        Job::Restore => {
            let copy = path.with_extension("copy");
            store::restore(&path, &copy, jiff::Timestamp::now(), |_, _| true).unwrap();
        }
        _ => on_open_file(job, &mut open(&path)),
    }
    tell(u64::MAX);
}

fn on_open_file(job: Job, store: &mut Store) {
    let mut telling = |done, _| {
        tell(done);
        true
    };
    match job {
        Job::Run => drop(store.apply(false, NOW, &mut telling).unwrap()),
        Job::Rollback => {
            let run = store.last_run().unwrap().unwrap().step;
            store.revert(run, NOW, &mut telling).unwrap();
        }
        Job::Import => {
            let mut incoming = (0..2500).map(|at| Ok::<_, StoreError>(imported(at)));
            let options = ImportOptions { on_conflict: OnConflict::Report, keep_copy: true, source: "x" };
            store.import(&mut incoming, options, NOW, |_| true).unwrap();
        }
        Job::Save => {
            for number in 1..=60_u64 {
                let current = store.get("c1").unwrap().unwrap();
                let edited = Connector { name: number.to_string(), ..current };
                store.save::<StoreError>(&edited, NOW, |_, _| Ok(())).unwrap();
                tell(number);
            }
        }
        Job::Undo => {
            for number in 1..=40_u64 {
                let last = store.last_step().unwrap().unwrap().step;
                store.revert(last, NOW, &mut |_, _| true).unwrap();
                tell(number);
            }
        }
        Job::KeepCopy => drop(store.keep_copy(&mut |_, _| true).unwrap()),
        Job::Upgrade | Job::Restore => {}
    }
}

fn imported(at: usize) -> Connector {
    Connector { name: format!("imported {at}"), ..Connector::new(&format!("i{at}"), ".webhook") }
}
