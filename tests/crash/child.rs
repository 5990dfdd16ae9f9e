//! The child process with the fault: it runs one job on one file, and reports each finished part.

#![allow(clippy::disallowed_methods, reason = "the output of a test child is read by its parent")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use connector_admin::domain::Connector;
use connector_admin::fs::write_atomically;
use connector_admin::service::{ServiceError, export as service_export};
use connector_admin::store::{self, ImportOptions, OnConflict, Store, StoreError};
use connector_admin::vault::{KeyOptions, Reencryption, Vault};

use crate::faults::{self, Fault};

pub const NOW: &str = "2026-11-25T12:00:00.000Z";

/// The job of a child.
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
    Rekey,
    Export,
}

const JOBS: [Job; 10] = [
    Job::Upgrade,
    Job::Run,
    Job::Rollback,
    Job::Import,
    Job::Save,
    Job::Undo,
    Job::Restore,
    Job::KeepCopy,
    Job::Rekey,
    Job::Export,
];

/// The vault of a file's secrets.
pub fn vault_of(path: &Path) -> Vault {
    Vault::new(KeyOptions { key_file: path.with_extension("keys"), next_to_file: None, passphrase: None })
}

pub fn open(path: &Path) -> Store {
    Store::open(path, &Arc::default(), &mut |_| Ok(())).expect("opens").0
}

/// The outcome of a child.
#[derive(Debug)]
pub struct Outcome {
    /// The last number reported as done; `u64::MAX` for the whole job.
    pub reported: Option<u64>,
    /// The error, in the words of the product.
    pub refused: Option<String>,
}

/// Runs the job in a child process with the fault.
pub fn run(job: Job, path: &Path, fault: &Fault) -> Outcome {
    let mut child = faults::command(path, fault)
        .env("CHILD_JOB", format!("{job:?}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let begun = lines.by_ref().map(Result::unwrap).any(|line| line.ends_with("begin"));
    assert!(begun, "the child did not begin");
    if let Fault::Kill(delay) = fault {
        std::thread::sleep(*delay);
        // It may have ended by itself.
        let _ = child.kill();
    }
    let mut outcome = Outcome { reported: None, refused: None };
    for line in lines.map_while(Result::ok) {
        match (line.strip_prefix("done "), line.strip_prefix("refused ")) {
            (Some(number), _) => outcome.reported = number.parse().ok().or(outcome.reported),
            (_, Some(reason)) => outcome.refused = Some(reason.to_owned()),
            _ => {}
        }
    }
    let status = child.wait().unwrap();
    assert!(status.success() || matches!(fault, Fault::Kill(_)), "{job:?} {fault:?}: the child died: {status}");
    outcome
}

/// Returns the time of the whole job.
pub fn time_of(job: Job, path: &Path) -> Duration {
    let start = Instant::now();
    run(job, path, &Fault::None);
    start.elapsed()
}

fn report(done: u64) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "done {done}").and_then(|()| out.flush()).unwrap();
}

/// Not a test: the process that has the fault.
#[test]
fn child() {
    let Ok(job) = std::env::var("CHILD_JOB") else { return };
    let job = JOBS.into_iter().find(|known| format!("{known:?}") == job).unwrap();
    let path = PathBuf::from(std::env::var_os("CHILD_FILE").unwrap());
    faults::limit_file_size();
    println!("\nbegin");
    std::io::stdout().flush().unwrap();
    match do_job(job, &path) {
        Ok(()) => report(u64::MAX),
        Err(reason) => println!("refused {reason}"),
    }
}

fn do_job(job: Job, path: &Path) -> Result<(), String> {
    let reported = |error: StoreError| error.to_string();
    match job {
        Job::Upgrade => Store::open(path, &Arc::default(), &mut |_| Ok(())).map(drop).map_err(reported),
        Job::Restore => {
            let backup = path.with_extension("copy");
            store::restore(path, &backup, jiff::Timestamp::now(), |_, _| true).map(drop).map_err(reported)
        }
        Job::Rekey => rekey(path).map_err(|error| error.to_string()),
        Job::Export => export(path).map_err(|error| error.to_string()),
        _ => Store::open(path, &Arc::default(), &mut |_| Ok(()))
            .and_then(|(mut store, _)| on_open_file(job, &mut store))
            .map_err(reported),
    }
}

fn rekey(path: &Path) -> Result<(), ServiceError> {
    let vault = vault_of(path);
    let mut store = Store::open(path, &Arc::default(), &mut |_| Ok(()))?.0;
    vault.rotate(None)?;
    store.reencrypt::<ServiceError>(
        |connector| match vault.reencrypt(connector)? {
            Reencryption::Reencrypted(sealed) => Ok(Some(sealed)),
            _ => Ok(None),
        },
        &mut |done, _| {
            report(done);
            true
        },
    )?;
    Ok(())
}

fn export(path: &Path) -> Result<(), ServiceError> {
    let store = Store::open_read_only(path, connector_admin::store::Reading::Shared)?;
    let target = path.with_extension("ndjson");
    write_atomically(&target, |out| service_export::export(&store, out, "an export", |_| true, &mut |_, _| true))
        .map(drop)
}

fn on_open_file(job: Job, store: &mut Store) -> Result<(), StoreError> {
    let mut reporting = |done, _| {
        report(done);
        true
    };
    match job {
        Job::Run => {
            store.apply(false, NOW, &mut reporting)?;
        }
        Job::Rollback => {
            let run = store.last_run()?.unwrap().step;
            store.revert(run, NOW, &mut reporting)?;
        }
        Job::Import => {
            let mut incoming = (0..2500).map(|at| Ok::<_, StoreError>(imported(at)));
            let options = ImportOptions { on_conflict: OnConflict::Report, create_automatic_backup: true, source: "x" };
            store.import(&mut incoming, options, &mut |_, _| Ok(()), NOW, |_| true)?;
        }
        Job::Save => {
            for number in 1..=60_u64 {
                let current = store.get("c1")?.unwrap();
                let edited = Connector { name: number.to_string(), ..current };
                store.save::<StoreError>(&edited, NOW, |_, _| Ok(()))?;
                report(number);
            }
        }
        Job::Undo => {
            for number in 1..=40_u64 {
                let last = store.last_step()?.unwrap().step;
                store.revert(last, NOW, &mut |_, _| true)?;
                report(number);
            }
        }
        Job::KeepCopy => {
            store.create_automatic_backup(&mut |_, _| true)?;
        }
        Job::Upgrade | Job::Restore | Job::Rekey | Job::Export => {}
    }
    Ok(())
}

fn imported(at: usize) -> Connector {
    Connector { name: format!("imported {at}"), ..Connector::new(&format!("i{at}"), ".webhook") }
}
