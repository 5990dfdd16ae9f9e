//! Each job at many moments.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use connector_admin::domain::Connector;
use connector_admin::store::{ModeChange, StepState, Store, StoreError};

use crate::child::{Job, NOW, open, run_and_kill, time_of};
use crate::support::{Place, execute, records, rows, untouched};

/// Records of the files that are worked on.
const RECORDS: usize = 3000;

fn moments() -> u32 {
    std::env::var("CONNECTOR_ADMIN_MOMENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(30)
}

/// Pseudo-random delays over the time a job takes; the seed is told with every failure.
struct Delays {
    seed: u64,
    state: u64,
    longest: Duration,
}

impl Delays {
    fn over(longest: Duration) -> Self {
        let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let seed = std::env::var("CONNECTOR_ADMIN_SEED").ok().and_then(|text| text.parse().ok());
        let seed = seed.unwrap_or(u64::from(clock.subsec_nanos()) | 1);
        Self { seed, state: seed, longest }
    }

    fn next(&mut self) -> Duration {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.longest.mul_f64(f64::from(u32::try_from(self.state >> 33).unwrap()) / f64::from(u32::MAX >> 1))
    }
}

/// Runs the job on copies of `template`, killed at many moments, and looks at the file after each.
fn at_many_moments(job: Job, template: &Path, check: impl Fn(&Path, Option<u64>)) {
    let mut place = fresh(template);
    let mut delays = Delays::over(time_of(job, &place.path("file.db")));
    let mut killed = 0;
    for moment in 0..moments() {
        place = fresh(template);
        let path = place.path("file.db");
        let delay = delays.next();
        let told = run_and_kill(job, &path, Some(delay));
        killed += u32::from(told != Some(u64::MAX));
        println!("{job:?} moment {moment} seed {} after {delay:?}, told {told:?}", delays.seed);
        assert_eq!(rows(&path, "PRAGMA integrity_check"), ["\"ok\""]);
        check(&path, told);
    }
    println!("{job:?}: killed {killed} times before its end, of {}", moments());
    assert!(killed > 0, "no moment was early enough");
}

fn fresh(template: &Path) -> Place {
    let place = Place::new();
    for suffix in ["db", "copy"] {
        let from = template.with_extension(suffix);
        if from.exists() {
            std::fs::copy(&from, place.path("file").with_extension(suffix)).unwrap();
        }
    }
    place
}

/// A file of schema 1 with connectors of every group of the plan.
fn schema_1(place: &Place) -> PathBuf {
    let path = place.path("template.db");
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

fn upgraded(place: &Place) -> PathBuf {
    let path = schema_1(place);
    drop(open(&path));
    path
}

#[test]
fn upgrade() {
    let place = Place::new();
    let template = schema_1(&place);
    let before = untouched(&template);
    at_many_moments(Job::Upgrade, &template, |path, told| {
        let schema = rows(path, "PRAGMA user_version").concat();
        assert!(schema == "Integer(4)" || (schema == "Integer(1)" && told.is_none()), "{schema}");
        assert_eq!(untouched(path), before);
        let store = open(path);
        assert_eq!(store.plan_counts().unwrap().pending(), RECORDS as u64);
        assert_eq!(untouched(path), before);
    });
}

#[test]
fn run() {
    let place = Place::new();
    let template = upgraded(&place);
    let before = records(&template);
    at_many_moments(Job::Run, &template, |path, told| {
        let done = "SELECT count(*) FROM connectors WHERE model_version = 2";
        let done = number(path, done);
        assert!(done >= told.unwrap_or(0).min(RECORDS as u64 * 2 / 3), "{done} {told:?}");
        let half = "SELECT count(*) FROM connectors WHERE model_version = 2
            AND auth_mode IS NOT CASE WHEN config LIKE '%basic%' THEN 'shared' END";
        assert_eq!(number(path, half), 0);
        // The run goes on as the same one, and is taken back as one.
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
    let place = Place::new();
    let template = upgraded(&place);
    let before = records(&template);
    let mut store = open(&template);
    let run = store.apply(false, NOW, &mut |_, _| true).unwrap().run.unwrap();
    drop(store);
    let after = records(&template);
    at_many_moments(Job::Rollback, &template, |path, told| {
        for (now, (before, after)) in records(path).iter().zip(before.iter().zip(&after)) {
            assert!(now == before || now == after, "half-way: {now}");
        }
        let restored =
            number(path, "SELECT count(*) FROM connectors WHERE model_version = 1 AND config NOT LIKE '%7%'");
        assert!(restored >= told.unwrap_or(0).min(RECORDS as u64 * 2 / 3));
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
    let place = Place::new();
    let template = upgraded(&place);
    at_many_moments(Job::Import, &template, |path, told| {
        let count = number(path, "SELECT count(*) FROM connectors");
        let whole = RECORDS as u64 + 2500;
        assert!(count == whole || (count == RECORDS as u64 && told.is_none()), "{count}");
        assert_eq!(number(path, "SELECT count(*) FROM history WHERE state = 'running'"), 0);
        drop(open(path));
        only_whole_copies(path);
    });
}

#[test]
fn save() {
    let place = Place::new();
    let template = upgraded(&place);
    at_many_moments(Job::Save, &template, |path, told| {
        let name = open(path).get("c1").unwrap().unwrap().name;
        let saved: u64 = name.parse().unwrap_or(0);
        let told = told.unwrap_or(0).min(60);
        assert!(saved == told || saved == told + 1, "{name} {told}");
        assert_eq!(number(path, "SELECT count(*) FROM history WHERE state = 'done'"), saved);
    });
}

#[test]
fn undo() {
    let place = Place::new();
    let template = upgraded(&place);
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
    at_many_moments(Job::Undo, &template, |path, told| {
        let told = usize::try_from(told.unwrap_or(0).min(40)).unwrap();
        let now = records(path);
        let undone = [told, told + 1]
            .into_iter()
            .find(|undone| 40_usize.checked_sub(*undone).is_some_and(|at| states[at] == now));
        let undone = undone.unwrap_or_else(|| panic!("the file is in no state of the history after {told}"));
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
    let place = Place::new();
    let template = upgraded(&place);
    let before = records(&template);
    let store = open(&template);
    store.back_up(Some(&template.with_extension("copy")), jiff::Timestamp::now(), &mut |_, _| true).unwrap();
    drop(store);
    execute(&template, "UPDATE connectors SET name = 'since then'; DELETE FROM connectors WHERE id LIKE 'c1%'");
    let since = records(&template);
    at_many_moments(Job::Restore, &template, |path, told| {
        let now = records(path);
        assert!(now == before || (now == since && told.is_none()));
        drop(open(path));
        only_whole_copies(path);
    });
}

#[test]
fn copy() {
    let place = Place::new();
    let template = upgraded(&place);
    let before = records(&template);
    at_many_moments(Job::KeepCopy, &template, |path, told| {
        assert_eq!(records(path), before);
        let copies = only_whole_copies(path);
        assert!(copies == 1 || told.is_none());
    });
}

/// What bears the name of a copy is one.
fn only_whole_copies(path: &Path) -> usize {
    let copies = connector_admin::store::copies_of(path).unwrap();
    for copy in &copies {
        assert_eq!(rows(&copy.path, "PRAGMA integrity_check"), ["\"ok\""], "{}", copy.path.display());
        assert!(number(&copy.path, "SELECT count(*) FROM connectors") > 0);
    }
    copies.len()
}

fn number(path: &Path, sql: &str) -> u64 {
    rusqlite::Connection::open(path)
        .unwrap()
        .query_row(sql, [], |row| row.get::<_, i64>(0))
        .map(|number| u64::try_from(number).unwrap())
        .unwrap()
}
