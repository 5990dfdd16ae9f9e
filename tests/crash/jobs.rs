//! Each job with many faults.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use connector_admin::domain::Connector;
use connector_admin::domain::secrets::Secret;
use connector_admin::store::{ModeChange, StepState, Store, StoreError};

use crate::child::{Job, NOW, open, run, time_of, vault_of};
use crate::faults::{ERRORS, Fault, calls_of, has_calls, has_disks};
use crate::support::{TestDir, execute, records, rows, untouched};

/// Records of the files that are worked on.
const RECORDS: usize = 3000;

/// The number of kills per job; a third of it for each other fault.
fn moments() -> u32 {
    std::env::var("CONNECTOR_ADMIN_MOMENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(15)
}

/// Pseudo-random numbers; every failure prints the seed.
struct Chance {
    seed: u64,
    state: u64,
}

impl Chance {
    fn new() -> Self {
        let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let seed = std::env::var("CONNECTOR_ADMIN_SEED").ok().and_then(|text| text.parse().ok());
        let seed = seed.unwrap_or(u64::from(clock.subsec_nanos()) | 1);
        Self { seed, state: seed }
    }

    /// A number from 0 to 1.
    fn part(&mut self) -> f64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.state >> 33).unwrap()) / f64::from(u32::MAX >> 1)
    }

    /// A number from the first to the last.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small")]
    fn number(&mut self, first: u64, last: u64) -> u64 {
        first + ((last - first) as f64 * self.part()).round() as u64
    }
}

/// The faults that a job is tried with.
struct Faults {
    chance: Chance,
    longest: Duration,
    /// Bytes of the largest file, and of all files, before the job and after it.
    largest: (u64, u64),
    all: (u64, u64),
    calls: Vec<(String, (usize, usize))>,
}

impl Faults {
    fn of(job: Job, template: &Path) -> Self {
        let dir = fresh(template);
        let before = sizes(&dir);
        let longest = time_of(job, &dir.path("file.db"));
        let after = sizes(&dir);
        let calls =
            if has_calls() { calls_of(&format!("{job:?}"), &fresh(template).path("file.db")) } else { BTreeMap::new() };
        let largest = |sizes: &[u64]| sizes.iter().copied().max().unwrap_or(0);
        Self {
            chance: Chance::new(),
            longest,
            largest: (largest(&before), largest(&after)),
            all: (before.iter().sum(), after.iter().sum()),
            calls: calls.into_iter().collect(),
        }
    }

    /// The kinds of faults that this machine can make.
    fn kinds(&mut self) -> Vec<(&'static str, Vec<Fault>)> {
        let few = moments().div_ceil(3);
        let mut kinds = vec![
            ("killed", (0..moments()).map(|_| Fault::Kill(self.longest.mul_f64(self.chance.part()))).collect()),
            ("file may not grow", (0..few).map(|_| Fault::FileSize(self.chance.number(0, self.largest.1))).collect()),
        ];
        if has_disks() {
            // A write-ahead log and a backup come and go in between.
            let (least, most) = (self.all.0 + 64 * 1024, 2 * self.all.0 + self.all.1);
            kinds.push(("full disk", (0..few).map(|_| Fault::Disk(self.chance.number(least, most))).collect()));
        }
        if !self.calls.is_empty() {
            kinds.push(("failing call", (0..few).map(|_| self.failing_call()).collect()));
        }
        kinds
    }

    fn failing_call(&mut self) -> Fault {
        let which = usize::try_from(self.chance.number(0, self.calls.len() as u64 - 1)).unwrap();
        let (name, (first, last)) = self.calls[which].clone();
        let error = ERRORS[usize::try_from(self.chance.number(0, ERRORS.len() as u64 - 1)).unwrap()];
        let number = usize::try_from(self.chance.number(first as u64, last as u64)).unwrap();
        Fault::Call { name, error, number, is_lasting: self.chance.part() < 0.5 }
    }
}

/// The sizes of the files of a place.
fn sizes(dir: &TestDir) -> Vec<u64> {
    dir.names().iter().map(|name| std::fs::metadata(dir.path(name)).unwrap().len()).collect()
}

/// Runs the job on copies of `template` with many faults, and checks the file after each.
fn with_many_faults(job: Job, template: &Path, check: impl Fn(&Path, Option<u64>)) {
    let mut faults = Faults::of(job, template);
    let mut all_cut_short = 0;
    for (kind, tried) in faults.kinds() {
        let mut cut_short = 0;
        for fault in &tried {
            let dir = fresh(template);
            let path = dir.path("file.db");
            let outcome = run(job, &path, fault);
            cut_short += u32::from(outcome.reported != Some(u64::MAX));
            println!("{job:?} seed {}: {fault:?}, {outcome:?}", faults.chance.seed);
            assert_eq!(rows(&path, "PRAGMA integrity_check"), ["\"ok\""]);
            check(&path, outcome.reported);
        }
        println!("FIGURE {job:?}, {kind}: {} tried, {cut_short} cut short, {0} opened, 0 changes lost", tried.len());
        all_cut_short += cut_short;
    }
    // Chance may let a few of one kind come too late, never all of all kinds.
    assert!(all_cut_short > 0, "no fault came early enough");
}

fn fresh(template: &Path) -> TestDir {
    let dir = TestDir::new();
    for suffix in ["db", "copy", "keys", "ndjson"] {
        let from = template.with_extension(suffix);
        if from.exists() {
            std::fs::copy(&from, dir.path("file").with_extension(suffix)).unwrap();
        }
    }
    dir
}

/// A file of schema 1 with connectors of every group of the plan.
fn schema_1(dir: &TestDir) -> PathBuf {
    let path = dir.path("template.db");
    let connectors: Vec<Connector> = (0..RECORDS)
        .map(|at| Connector {
            name: format!("connector {at}"),
            config: [r#"{"authType":"basic"}"#, "{}", r#"{"authType":7}"#][at % 3].to_owned(),
            secrets: at.is_multiple_of(2).then(|| format!("sealed {at}")),
            auth_mode: None,
            model_version: 1,
            ..Connector::new(&format!("c{at}"), ".webhook")
        })
        .collect();
    std::fs::write(&path, "").unwrap();
    Store::write_schema_1(&path, &connectors).unwrap();
    path
}

fn upgraded(dir: &TestDir) -> PathBuf {
    let path = schema_1(dir);
    drop(open(&path));
    path
}

#[test]
fn upgrade() {
    let dir = TestDir::new();
    let template = schema_1(&dir);
    let before = untouched(&template);
    with_many_faults(Job::Upgrade, &template, |path, reported| {
        let schema = rows(path, "PRAGMA user_version").concat();
        assert!(schema == "Integer(2)" || (schema == "Integer(1)" && reported.is_none()), "{schema}");
        assert_eq!(untouched(path), before);
        let store = open(path);
        assert_eq!(store.plan_counts().unwrap().pending(), RECORDS as u64);
        assert_eq!(untouched(path), before);
    });
}

#[test]
fn migration_run() {
    let dir = TestDir::new();
    let template = upgraded(&dir);
    let before = records(&template);
    with_many_faults(Job::Run, &template, |path, reported| {
        let done = "SELECT count(*) FROM connectors WHERE model_version = 2";
        let done = number(path, done);
        assert!(done >= reported.unwrap_or(0).min(RECORDS as u64 * 2 / 3), "{done} {reported:?}");
        let half = "SELECT count(*) FROM connectors WHERE model_version = 2
            AND auth_mode IS NOT CASE WHEN config LIKE '%basic%' THEN 'shared' END";
        assert_eq!(number(path, half), 0);
        // The run is resumed as the same step and rolled back as one.
        let mut store = open(path);
        let interrupted = store.interrupted_run().unwrap();
        let applied = store.apply(false, NOW, &mut |_, _| true).unwrap();
        assert_eq!(done + applied.written(), RECORDS as u64 * 2 / 3);
        if let Some(run) = interrupted {
            assert_eq!(applied.run, Some(run.step));
        }
        let run = store.last_run().unwrap().unwrap();
        assert_eq!((run.records, run.state), (RECORDS as u64 * 2 / 3, StepState::Done));
        store.revert(run.step, NOW, &mut |_, _| true).unwrap();
        drop(store);
        assert_eq!(records(path), before);
    });
}

#[test]
fn rollback() {
    let dir = TestDir::new();
    let template = upgraded(&dir);
    let before = records(&template);
    let mut store = open(&template);
    let run = store.apply(false, NOW, &mut |_, _| true).unwrap().run.unwrap();
    drop(store);
    let after = records(&template);
    with_many_faults(Job::Rollback, &template, |path, reported| {
        for (now, (before, after)) in records(path).iter().zip(before.iter().zip(&after)) {
            assert!(now == before || now == after, "half-way: {now}");
        }
        let restored =
            number(path, "SELECT count(*) FROM connectors WHERE model_version = 1 AND config NOT LIKE '%7%'");
        assert!(restored >= reported.unwrap_or(0).min(RECORDS as u64 * 2 / 3));
        let mut store = open(path);
        if store.step(run).unwrap().unwrap().state != StepState::Reverted {
            let rest = store.revert(run, NOW, &mut |_, _| true).unwrap();
            assert_eq!((rest.conflicts.len(), restored + rest.restored), (0, RECORDS as u64 * 2 / 3));
        }
        assert_eq!(records(path), before);
        // And the other way again.
        let redo = store.next_redo().unwrap().unwrap();
        store.revert(redo.step, NOW, &mut |_, _| true).unwrap();
        drop(store);
        assert_eq!(records(path), after);
    });
}

#[test]
fn import() {
    let dir = TestDir::new();
    let template = upgraded(&dir);
    with_many_faults(Job::Import, &template, |path, reported| {
        let count = number(path, "SELECT count(*) FROM connectors");
        let whole = RECORDS as u64 + 2500;
        assert!(count == whole || (count == RECORDS as u64 && reported.is_none()), "{count}");
        assert_eq!(number(path, "SELECT count(*) FROM history WHERE state = 'running'"), 0);
        drop(open(path));
        count_backups(path);
    });
}

#[test]
fn save() {
    let dir = TestDir::new();
    let template = upgraded(&dir);
    with_many_faults(Job::Save, &template, |path, reported| {
        let name = open(path).get("c1").unwrap().unwrap().name;
        let saved: u64 = name.parse().unwrap_or(0);
        let reported = reported.unwrap_or(0).min(60);
        assert!(saved == reported || saved == reported + 1, "{name} {reported}");
        assert_eq!(number(path, "SELECT count(*) FROM history WHERE state = 'done'"), saved);
    });
}

#[test]
fn undo() {
    let dir = TestDir::new();
    let template = upgraded(&dir);
    let mut store = open(&template);
    let ids: Vec<String> = (0..3).map(|at| format!("c{at}")).collect();
    let mut states = vec![records(&template)];
    for number in 0..20_u64 {
        let current = store.get("c1").unwrap().unwrap();
        let edited = Connector { name: number.to_string(), ..current };
        store.save::<StoreError>(&edited, NOW, |_, _| Ok(())).unwrap();
        states.push(records(&template));
        store.set_auth_mode(&ids, ModeChange::Toggle, NOW).unwrap();
        states.push(records(&template));
    }
    drop(store);
    with_many_faults(Job::Undo, &template, |path, reported| {
        let reported = usize::try_from(reported.unwrap_or(0).min(40)).unwrap();
        let now = records(path);
        let undone = [reported, reported + 1]
            .into_iter()
            .find(|undone| 40_usize.checked_sub(*undone).is_some_and(|at| states[at] == now));
        let undone = undone.unwrap_or_else(|| panic!("the file is in no state of the history after {reported}"));
        // All of it comes again.
        let mut store = open(path);
        for _ in 0..undone {
            let redo = store.next_redo().unwrap().unwrap();
            store.revert(redo.step, NOW, &mut |_, _| true).unwrap();
        }
        drop(store);
        assert_eq!(records(path), states[40]);
    });
}

#[test]
fn restore() {
    let dir = TestDir::new();
    let template = upgraded(&dir);
    let before = records(&template);
    let store = open(&template);
    store.back_up(Some(&template.with_extension("copy")), jiff::Timestamp::now(), &mut |_, _| true).unwrap();
    drop(store);
    execute(&template, "UPDATE connectors SET name = 'since then'; DELETE FROM connectors WHERE id LIKE 'c1%'");
    let since = records(&template);
    with_many_faults(Job::Restore, &template, |path, reported| {
        let now = records(path);
        assert!(now == before || (now == since && reported.is_none()));
        drop(open(path));
        count_backups(path);
    });
}

#[test]
fn copy() {
    let dir = TestDir::new();
    let template = upgraded(&dir);
    let before = records(&template);
    with_many_faults(Job::KeepCopy, &template, |path, reported| {
        assert_eq!(records(path), before);
        let backups = count_backups(path);
        assert!(backups == 1 || reported.is_none());
    });
}

#[test]
fn rekey() {
    let dir = TestDir::new();
    let template = upgraded(&dir);
    let vault = vault_of(&template);
    let mut store = open(&template);
    let sealed = store.reencrypt::<StoreError>(
        |connector| {
            let secret = Secret::json(format!(r#"{{"password":"of {}"}}"#, connector.id).into());
            Ok(Some(vault.encrypt(connector, &secret).unwrap()))
        },
        &mut |_, _| true,
    );
    assert!(sealed.unwrap());
    drop(store);
    with_many_faults(Job::Rekey, &template, |path, reported| {
        let (vault, store) = (vault_of(path), open(path));
        let mut opened = 0;
        store
            .each::<StoreError>(|connector| {
                if connector.secrets.is_some() {
                    let secrets = vault.open(&connector).unwrap();
                    assert!(secrets.secret().expose().contains(&format!("of {}\"", connector.id)));
                    opened += 1;
                }
                Ok(())
            })
            .unwrap();
        assert_eq!(opened, RECORDS / 2, "{reported:?}");
    });
}

#[test]
fn export() {
    let dir = TestDir::new();
    let template = upgraded(&dir);
    std::fs::write(template.with_extension("ndjson"), "an earlier one").unwrap();
    with_many_faults(Job::Export, &template, |path, reported| {
        let text = std::fs::read_to_string(path.with_extension("ndjson")).unwrap();
        let is_complete = text.lines().count() == RECORDS + 1 && text.ends_with('}');
        assert!(is_complete || (text == "an earlier one" && reported.is_none()));
    });
}

/// Every file with the name of a backup is complete.
fn count_backups(path: &Path) -> usize {
    let backups = connector_admin::store::backups_of(path).unwrap();
    for backup in &backups {
        assert_eq!(rows(&backup.path, "PRAGMA integrity_check"), ["\"ok\""], "{}", backup.path.display());
        assert!(number(&backup.path, "SELECT count(*) FROM connectors") > 0);
    }
    backups.len()
}

fn number(path: &Path, sql: &str) -> u64 {
    rusqlite::Connection::open(path)
        .unwrap()
        .query_row(sql, [], |row| row.get::<_, i64>(0))
        .map(|number| u64::try_from(number).unwrap())
        .unwrap()
}
