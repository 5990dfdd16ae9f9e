//! Each job next to a simpler one on the same records, in the same run: reads next to raw SQL on the same file, writes
//! next to a floor (`floor`) on a separate file and, where Python is installed, next to the script that a user would
//! write. The ratio counts, since machines differ and are noisy.
//!
//! `cargo bench` uses 100 thousand records, `CONNECTOR_ADMIN_RECORDS=1000000 cargo bench` a million. `cargo test` runs
//! the same on a few hundred, to check that it works.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

mod data;
mod floor;
mod raw;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use connector_admin::domain::{Connector, Filter};
use connector_admin::service;
use connector_admin::service::import::{ImportRequest, import};
use connector_admin::store;
use connector_admin::store::upgrade;
use connector_admin::store::{Lists, ModeChange, OnConflict, Scope, Sort, Store, StoreError, TextChanges};
use connector_admin::vault::{KeyOptions, Vault};

const NOW: &str = "2026-11-25T12:00:00.000Z";

fn main() {
    // Test runners list the tests before they run them.
    if std::env::args().any(|argument| argument == "--list") {
        if !std::env::args().any(|argument| argument == "--ignored") {
            println!("every_job_on_a_few_records: test");
        }
        return;
    }
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let requested = std::env::var("CONNECTOR_ADMIN_RECORDS").ok().and_then(|text| text.parse().ok());
    let records = requested.unwrap_or(if is_bench { 100_000 } else { 300 });
    println!("{records} records of about 1 kB; seconds, and how many times the other's");
    println!("{:<44} {:>10} {:>10} {:>7}", "", "ours", "other", "ratio");
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), records);
}

fn run(folder: &Path, records: usize) {
    let old = folder.join("schema-1.db");
    data::schema_1(&old, records);
    let new = folder.join("schema-2.db");
    bench_upgrade(folder, &old, &new);
    bench_start(&new);
    bench_filters(&new);
    bench_plan(&new);
    bench_copy(folder, &new);
    bench_run(folder, &old, &new);
    bench_transfer(folder, &new);
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

fn row(name: &str, ours: Duration, other: Duration) {
    let ratio = ours.as_secs_f64() / other.as_secs_f64().max(1e-9);
    println!("{name:<44} {:>10.5} {:>10.5} {ratio:>7.2}", ours.as_secs_f64(), other.as_secs_f64());
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
    let by_hand = fresh(folder, old, "floor.db");
    let floor = best(1, || floor::upgrade(&by_hand));
    row("upgrade of the schema, with its copy", ours, floor);
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

fn bench_run(folder: &Path, old: &Path, new: &Path) {
    let path = fresh(folder, new, "ours.db");
    let mut store = open(&path);
    let by_hand = folder.join("floor-run.db");
    floor::file_of(old, &by_hand);
    let ours = best(1, || store.apply(false, NOW, &mut |_, _| true).unwrap());
    row("applying the migration", ours, best(1, || floor::apply(&by_hand)));
    let run = store.last_run().unwrap().unwrap().step;
    let ours = best(1, || store.revert(run, NOW, &mut |_, _| true).unwrap());
    row("rolling it back", ours, best(1, || floor::roll_back(&by_hand)));
}

fn bench_transfer(folder: &Path, new: &Path) {
    let (source, again) = (folder.join("export.ndjson"), folder.join("again.ndjson"));
    let (ours_file, floor_file, script_file) =
        (folder.join("in.db"), folder.join("floor-in.db"), folder.join("script-in.db"));
    write_export(new, &source);
    let vault = Vault::new(KeyOptions { key_file: folder.join("keys"), next_to_file: None, passphrase: None });
    let importing = ImportRequest { source: &source, on_conflict: OnConflict::Report, create_automatic_backup: false };
    let mut store = open(&ours_file);
    let ours = best(1, || import(&mut store, &vault, importing, NOW, &mut |_, _| Ok(()), &mut |_, _| true).unwrap());
    row("import into a new file", ours, best(1, || floor::import(&source, &floor_file)));
    script_row("  the same with a Python script", ours, "import", &source, &script_file);
    let ours = best(1, || write_export(&ours_file, &again));
    row("export", ours, best(1, || floor::export(&ours_file, &folder.join("floor.ndjson"))));
    script_row("  the same with a Python script", ours, "export", &script_file, &folder.join("script.ndjson"));
    let step = store.last_step().unwrap().unwrap().step;
    let ours = best(1, || store.revert(step, NOW, &mut |_, _| true).unwrap());
    row("undo of the import", ours, best(1, || floor::undo_import(&floor_file)));
    let step = store.next_redo().unwrap().unwrap().step;
    let ours = best(1, || store.revert(step, NOW, &mut |_, _| true).unwrap());
    row("redo of the import", ours, best(1, || floor::redo_import(&floor_file)));
}

fn write_export(path: &Path, target: &Path) {
    let store = Store::open_read_only(path, store::Reading::Shared).unwrap();
    let mut out = std::io::BufWriter::new(std::fs::File::create(target).unwrap());
    service::export::export(&store, &mut out, "the export", |_| true, &mut |_, _| true).unwrap();
}

/// Runs the script where Python is installed.
fn script_row(name: &str, ours: Duration, job: &str, source: &Path, target: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/table/script.py");
    let start = Instant::now();
    let status = std::process::Command::new("python3").arg(script).arg(job).args([source, target]).status();
    if status.is_ok_and(|status| status.success()) {
        row(name, ours, start.elapsed());
    }
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
