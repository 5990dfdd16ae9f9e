//! Another program edits the file while a run, a rollback or an undo is on its way: nothing of it is lost.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use connector_admin::domain::{AuthMode, Connector};
use connector_admin::store::{ModeChange, SaveOutcome, StepState, Store, StoreError};

use crate::model::open;
use crate::support::{TestDir, records, rows};

const NOW: &str = "2026-11-25T12:00:00.000Z";
const RECORDS: usize = 3000;

fn file(dir: &TestDir) -> PathBuf {
    let path = dir.path("a.db");
    std::fs::write(&path, "").unwrap();
    let connectors: Vec<Connector> = (0..RECORDS)
        .map(|at| Connector {
            name: format!("connector {at}"),
            config: r#"{"authType":"basic"}"#.to_owned(),
            auth_mode: None,
            model_version: 1,
            ..Connector::new(&format!("c{at:04}"), ".webhook")
        })
        .collect();
    Store::write_schema_1(&path, &connectors).unwrap();
    path
}

/// Renames connectors all over the file until `stop` is set; returns the saved ones.
fn rename_until(path: &Path, stop: &AtomicBool) -> Vec<(String, String)> {
    let mut store = open(path);
    let mut saved = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) && number > 20 {
            break;
        }
        let id = format!("c{:04}", number * 997 % RECORDS);
        let current = store.get(&id).unwrap().unwrap();
        let edited = Connector { name: format!("theirs {number}"), ..current };
        if let SaveOutcome::Saved(connector) = store.save::<StoreError>(&edited, NOW, |_, _| Ok(())).unwrap() {
            saved.retain(|(other, _)| *other != id);
            saved.push((id, connector.name));
        }
    }
    saved
}

fn meanwhile<T>(path: &Path, work: impl FnOnce(&mut Store) -> T) -> (T, Vec<(String, String)>) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let other = scope.spawn(|| rename_until(path, &stop));
        let done = work(&mut open(path));
        stop.store(true, Ordering::Relaxed);
        (done, other.join().unwrap())
    })
}

#[test]
fn edits_during_a_run_and_its_rollback_survive() {
    let dir = TestDir::new();
    let path = file(&dir);
    drop(open(&path));
    let (applied, saved) = meanwhile(&path, |store| store.apply(false, NOW, &mut |_, _| true).unwrap());
    assert_eq!(applied.written(), RECORDS as u64);
    let mut store = open(&path);
    for (id, name) in &saved {
        let record = store.get(id).unwrap().unwrap();
        assert_eq!((&record.name, record.auth_mode, record.model_version), (name, Some(AuthMode::Shared), 2));
    }
    // Edited after it was migrated: a conflict. Edited before: rolled back, the edit stays.
    let (reverted, later) =
        meanwhile(&path, |store| store.revert(applied.run.unwrap(), NOW, &mut |_, _| true).unwrap());
    assert_eq!(reverted.restored + reverted.conflicts.len() as u64, RECORDS as u64);
    for (id, name) in saved.iter().filter(|(id, _)| !later.iter().any(|(other, _)| other == id)).chain(&later) {
        let record = store.get(id).unwrap().unwrap();
        assert_eq!(&record.name, name, "lost");
        if reverted.conflicts.contains(id) {
            assert_eq!(record.model_version, 2);
        }
    }
    // The skipped ones can be shown and reverted one by one.
    let run = applied.run.unwrap();
    // On a slow machine the other one gets to every record before.
    let state = if reverted.restored > 0 { StepState::Reverted } else { StepState::Done };
    assert_eq!(store.step(run).unwrap().unwrap().state, state);
    for id in &reverted.conflicts {
        let seen = store.get(id).unwrap().map(|record| record.revision);
        store.revert_over(run, id, seen, NOW).unwrap();
        let record = store.get(id).unwrap().unwrap();
        assert_eq!((record.model_version, record.auth_mode), (1, None));
    }
    assert_eq!(rows(&path, "PRAGMA integrity_check"), ["\"ok\""]);
    assert_eq!(rows(&path, "SELECT count(*) FROM connectors WHERE model_version = 2"), ["Integer(0)"]);
}

#[test]
fn restore_during_a_job_stops_it_without_a_write() {
    let dir = TestDir::new();
    let path = file(&dir);
    let mut store = open(&path);
    let backup = dir.path("copy.bak");
    let now = jiff::Timestamp::now();
    store.back_up(Some(&backup), now, &mut |_, _| true).unwrap();
    let before = records(&path);
    // Step 1 of the backup's history is another step than step 1 of the file.
    store.set_auth_mode(&["c0001".to_owned()], ModeChange::Toggle, NOW).unwrap();
    let put_back = || {
        connector_admin::store::restore(&path, &backup, now, |_, _| true).unwrap();
        open(&path).set_auth_mode(&["c0002".to_owned()], ModeChange::Toggle, NOW).unwrap();
        open(&path).set_auth_mode(&["c0002".to_owned()], ModeChange::Toggle, NOW).unwrap();
    };
    let mut is_first = true;
    let run = store.apply(false, "2026-11-25T13:00:00.000Z", &mut |_, _| {
        if std::mem::take(&mut is_first) {
            put_back();
        }
        true
    });
    assert!(matches!(run, Err(StoreError::Replaced(_))), "{run:?}");
    let changed = records(&path).iter().zip(&before).filter(|(one, other)| one != other).count();
    assert_eq!(changed, 1, "only the toggled one");
    assert_eq!(
        rows(&path, "SELECT kind, records FROM history"),
        ["\"auth mode\"|Integer(1)", "\"auth mode\"|Integer(1)"]
    );
    // The same for a rollback.
    let run = store.apply(false, NOW, &mut |_, _| true).unwrap().run.unwrap();
    let mut is_first = true;
    let reverted = store.revert(run, NOW, &mut |_, _| {
        if std::mem::take(&mut is_first) {
            put_back();
        }
        true
    });
    assert!(matches!(reverted, Err(StoreError::Replaced(_) | StoreError::History(_))), "{reverted:?}");
    assert_eq!(rows(&path, "PRAGMA integrity_check"), ["\"ok\""]);
}

#[test]
fn concurrent_reverts_of_a_step_happen_once() {
    let dir = TestDir::new();
    let path = file(&dir);
    drop(open(&path));
    let before = records(&path);
    let run = open(&path).apply(false, NOW, &mut |_, _| true).unwrap().run.unwrap();
    let revert = || open(&path).revert(run, NOW, &mut |_, _| true);
    let (one, other) = thread::scope(|scope| {
        let other = scope.spawn(revert);
        (revert(), other.join().unwrap())
    });
    let restored: u64 = [&one, &other].into_iter().flatten().map(|reverted| reverted.restored).sum();
    assert_eq!(restored, RECORDS as u64, "{one:?} {other:?}");
    assert_eq!(records(&path), before);
    assert!([&one, &other].into_iter().flatten().all(|reverted| reverted.conflicts.is_empty()));
    assert_eq!(rows(&path, "SELECT state FROM history ORDER BY step"), ["\"reverted\"", "\"done\""]);
}
