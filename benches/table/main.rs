//! Each job beside raw SQLite doing the same work on a file of the same records, in the same run: what counts is the
//! ratio, since machines differ and are noisy.
//!
//! `cargo bench` takes 100 thousand records, `CONNECTOR_ADMIN_RECORDS=1000000 cargo bench` a million. `cargo test`
//! runs the same on a few hundred, to see that it works.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

mod data;
mod raw;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use connector_admin::domain::{Connector, Filter};
use connector_admin::store::{
    self, ImportOptions, Lists, ModeChange, OnConflict, Scope, Sort, Store, StoreError, TextChanges, upgrade,
};

const NOW: &str = "2026-11-25T12:00:00.000Z";

fn main() {
    // Test runners ask what there is before they run it.
    if std::env::args().any(|argument| argument == "--list") {
        if !std::env::args().any(|argument| argument == "--ignored") {
            println!("every_job_on_a_few_records: test");
        }
        return;
    }
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let asked = std::env::var("CONNECTOR_ADMIN_RECORDS").ok().and_then(|text| text.parse().ok());
    let records = asked.unwrap_or(if is_bench { 100_000 } else { 300 });
    println!("{records} records of about 1 kB; seconds, the best of a few, and how many times raw SQLite's");
    println!("{:<44} {:>10} {:>10} {:>7}", "", "ours", "raw", "ratio");
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), records);
}

fn run(folder: &Path, records: usize) {
    let old = folder.join("schema-1.db");
    data::schema_1(&old, records);
    let new = folder.join("schema-3.db");
    bench_upgrade(folder, &old, &new);
    bench_start(&new);
    bench_filters(&new);
    bench_plan(&new);
    bench_copy(folder, &new);
    bench_run(folder, &new);
    bench_import(folder, records);
    bench_save(folder, &new);
}

/// The best time of a few.
fn best<T>(times: usize, mut work: impl FnMut() -> T) -> Duration {
    (0..times)
        .map(|_| {
            let start = Instant::now();
            let value = work();
            let time = start.elapsed();
            drop(value);
            time
        })
        .min()
        .unwrap_or_default()
}

fn row(name: &str, ours: Duration, raw: Duration) {
    let ratio = ours.as_secs_f64() / raw.as_secs_f64().max(1e-9);
    println!("{name:<44} {:>10.5} {:>10.5} {ratio:>7.2}", ours.as_secs_f64(), raw.as_secs_f64());
}

fn open(path: &Path) -> Store {
    Store::open(path, &Arc::default(), &mut |_| Ok(())).unwrap().0
}

/// A copy of a file to work on, without what belongs to the first one.
fn fresh(folder: &Path, from: &Path, name: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    std::fs::copy(from, &path).unwrap();
    path
}

fn bench_upgrade(folder: &Path, old: &Path, new: &Path) {
    std::fs::copy(old, new).unwrap();
    let ours = best(1, || upgrade(new, &Arc::default(), &mut |_| Ok(())).unwrap());
    let by_hand = fresh(folder, old, "raw.db");
    let raw = best(1, || {
        raw::backup(&by_hand, &folder.join("raw-copy.db"));
        raw::upgrade(&by_hand);
    });
    row("upgrade of the schema, with its copy", ours, raw);
}

fn bench_start(path: &Path) {
    let page = 76;
    let ours = best(5, || {
        let store = open(path);
        let rows = store.first_rows(Scope::Connectors, Sort::default(), page).unwrap().unwrap_or_default();
        store.summaries(&rows).unwrap()
    });
    let raw = best(5, || raw::first_page(path, page));
    row("open, first page", ours, raw);
}

fn bench_filters(path: &Path) {
    let store = open(path);
    let mut lists = Lists::default();
    while lists.read_more(&store).unwrap() {}
    for (text, condition) in [
        ("prod", "(name LIKE '%prod%' OR id LIKE '%prod%' OR connector_type_id LIKE '%prod%')"),
        ("日", "(name LIKE '%日%' OR id LIKE '%日%' OR connector_type_id LIKE '%日%')"),
        ("type:jira", "connector_type_id IN ('.jira')"),
        ("auth:per-user", "auth_mode = 'per-user'"),
        ("authtype:oauth", "auth_type LIKE '%oauth%'"),
        ("is:blocked", "migration_group = 'blocked'"),
    ] {
        let filter = Filter::parse(text).unwrap();
        let ours = best(3, || {
            let rows = lists.order(&store, Scope::Connectors, &filter, Sort::default()).unwrap();
            lists.forget(&store, &TextChanges::None).unwrap();
            store.summaries(&rows.window(0, 76)).unwrap()
        });
        let raw = best(3, || raw::filtered(path, condition));
        row(&format!("filter {text}: all matches, first page"), ours, raw);
    }
}

fn bench_plan(path: &Path) {
    let store = open(path);
    let ours = best(5, || store.plan_counts().unwrap());
    let raw = best(5, || raw::plan_counts(path));
    row("counts of the migration plan", ours, raw);
}

fn bench_copy(folder: &Path, path: &Path) {
    let store = open(path);
    let ours = best(1, || {
        let target = folder.join("copy.bak");
        store.back_up(Some(&target), jiff::Timestamp::now(), &mut |_, _| true).unwrap();
        std::fs::remove_file(target).unwrap();
    });
    let raw = best(1, || raw::backup(path, &folder.join("raw-copy.db")));
    row("copy of the file, checked", ours, raw);
}

fn bench_run(folder: &Path, new: &Path) {
    let path = fresh(folder, new, "ours.db");
    let mut store = open(&path);
    let ours = best(1, || store.apply(false, NOW, &mut |_, _| true).unwrap());
    let by_hand = fresh(folder, new, "raw.db");
    let raw = best(1, || raw::migrate(&by_hand, 500));
    row("applying the migration, journal included", ours, raw);
    let run = store.last_run().unwrap().unwrap().step;
    let ours = best(1, || store.revert(run, NOW, &mut |_, _| true).unwrap());
    let raw = best(1, || raw::roll_back(&by_hand, 500));
    row("rolling it back", ours, raw);
}

fn bench_import(folder: &Path, records: usize) {
    let connectors = data::connectors(records);
    let path = folder.join("import.db");
    let ours = best(1, || {
        let mut store = open(&path);
        let mut incoming = connectors.iter().cloned().map(Ok::<_, StoreError>);
        let options = ImportOptions { on_conflict: OnConflict::Report, keep_copy: false, source: "bench" };
        store.import(&mut incoming, options, &mut |_, _| Ok(()), NOW, |_| true).unwrap()
    });
    let by_hand = folder.join("raw-import.db");
    drop(open(&by_hand));
    let raw = best(1, || raw::insert(&by_hand, &connectors));
    row("import, journal included", ours, raw);
}

fn bench_save(folder: &Path, new: &Path) {
    let path = fresh(folder, new, "save.db");
    let mut store = open(&path);
    let ids =
        store.ids(&store.first_rows(Scope::Connectors, Sort::default(), 20).unwrap().unwrap_or_default()).unwrap();
    let mut turn = 0_usize;
    let ours = best(20, || {
        turn += 1;
        let current = store.get(&ids[turn % ids.len()]).unwrap().unwrap();
        let edited = Connector { name: format!("{} x", current.name), ..current };
        store.save::<StoreError>(&edited, NOW, |_, _| Ok(())).unwrap()
    });
    let raw = best(20, || raw::save(&path, &ids[0]));
    row("one save", ours, raw);
    let ours = best(20, || store.set_auth_mode(&ids[..1], ModeChange::Toggle, NOW).unwrap());
    row("one toggle", ours, raw);
    drop(store);
    let store = store::Store::open_read_only(&path, store::Reading::Shared).unwrap();
    drop(store);
}
