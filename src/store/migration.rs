//! The migration of records: its plan, the decisions about it, and applying it in batches.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension, params};

use super::error::StoreError;
use super::file::open::Store;
use super::history::{HistoryEntry, Journal, OperationKind, ensure_it_is, find_step};
use super::list::query::PLAN_ORDER;
use super::records::columns::{WIDTH, read, select};
use super::records::connectors::{count, get};
use super::{CHUNK, FIRST_BATCH, Progress, next_batch};
use crate::domain::Connector;
use crate::domain::migration;
use crate::domain::migration::{Choice, Decision, Group, Plan};

/// The size of each group of the plan, and the decisions in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanCounts {
    /// Records that get new values.
    pub backfill: u64,
    /// Records that get only the stamp.
    pub stamp_only: u64,
    /// Records that are not migrated.
    pub blocked: u64,
    decided: Vec<(Group, Decision, u64)>,
}

impl PlanCounts {
    /// Returns the number of records that are not at the newest model version.
    pub fn pending(&self) -> u64 {
        self.backfill + self.stamp_only + self.blocked
    }

    /// Returns the number of records that applying would write.
    pub fn to_apply(&self) -> u64 {
        (self.backfill + self.stamp_only).saturating_sub(self.skipped())
    }

    /// Returns the number of records that are skipped by decision.
    pub fn skipped(&self) -> u64 {
        self.sum(|_, decision| decision == Decision::Skip)
    }

    /// Returns the number of records for which the user chose this instead of the plan.
    pub fn chosen(&self, choice: Choice) -> u64 {
        self.sum(|_, decision| decision == Decision::Choose(choice))
    }

    /// Returns the number of records that are backfilled as planned.
    pub fn to_backfill(&self) -> u64 {
        self.backfill.saturating_sub(self.sum(|group, _| group == Group::Backfill))
    }

    /// Returns the number of records that get only the stamp, as planned.
    pub fn to_stamp(&self) -> u64 {
        self.stamp_only.saturating_sub(self.sum(|group, _| group == Group::StampOnly))
    }

    fn sum(&self, is_counted: impl Fn(Group, Decision) -> bool) -> u64 {
        let counted = self.decided.iter().filter(|(group, decision, _)| is_counted(*group, *decision));
        counted.map(|(.., count)| count).sum()
    }
}

/// One record of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    /// The record.
    pub connector: Connector,
    /// The plan.
    pub plan: Plan,
    /// The user's decision.
    pub decision: Option<Decision>,
}

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The history step, by which the run can be rolled back; none when nothing was written.
    pub run: Option<i64>,
    /// Records that got new values.
    pub backfilled: u64,
    /// Of these: records by the user's choice.
    pub chosen: BTreeMap<Choice, u64>,
    /// Records that got the stamp only.
    pub stamped: u64,
    /// Records skipped by decision.
    pub skipped: u64,
    /// Records blocked.
    pub blocked: u64,
    /// The run was stopped; its records stay migrated and can be rolled back.
    pub stopped: bool,
    /// Records that the whole run wrote, also before an earlier stop.
    pub of_run: u64,
}

impl Applied {
    /// Records written.
    pub fn written(&self) -> u64 {
        self.backfilled + self.stamped
    }
}

impl Store {
    /// Returns the sizes of the groups, from an index.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn plan_counts(&self) -> Result<PlanCounts, StoreError> {
        self.run("counting the plan", |connection| {
            let mut counts = PlanCounts::default();
            let mut statement = connection.prepare_cached(
                "SELECT migration_group, count(*) FROM connectors WHERE migration_group IS NOT NULL GROUP BY 1",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let count = count(row, 1)?;
                match Group::parse(&row.get::<_, String>(0)?) {
                    Some(Group::Backfill) => counts.backfill = count,
                    Some(Group::StampOnly) => counts.stamp_only = count,
                    Some(Group::Blocked) => counts.blocked = count,
                    None => {}
                }
            }
            count_decisions(connection, &mut counts)?;
            Ok(counts)
        })
    }

    /// Calls `each` with every record of the plan, group by group.
    ///
    /// # Errors
    /// If the file cannot be read, or the error of `each`.
    pub fn each_planned<E: From<StoreError>>(&self, mut each: impl FnMut(PlanRow) -> Result<(), E>) -> Result<(), E> {
        let wrap = |error| StoreError::of_sqlite(&self.path, "reading the plan", error);
        let decisions = self.run("reading the plan", decisions)?;
        let sql = format!(
            "SELECT {} FROM connectors WHERE migration_group IS NOT NULL
             ORDER BY {PLAN_ORDER}, name COLLATE NOCASE, id",
            select("")
        );
        let mut statement = self.connection.prepare(&sql).map_err(wrap)?;
        let mut rows = statement.query([]).map_err(wrap)?;
        while let Some(row) = rows.next().map_err(wrap)? {
            let connector = read(row).map_err(wrap)?;
            let Some(plan) = migration::plan(&connector) else {
                continue;
            };
            let decision = decisions.get(&connector.key).copied();
            each(PlanRow { connector, plan, decision })?;
        }
        Ok(())
    }

    /// Returns the user's decision for one record.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn decision(&self, id: &str) -> Result<Option<Decision>, StoreError> {
        self.run("reading the plan", |connection| {
            let found: Option<String> = connection
                .prepare_cached(
                    "SELECT decision FROM migration_decisions WHERE key = (SELECT key FROM connectors WHERE id = ?1)",
                )?
                .query_row([id], |row| row.get(0))
                .optional()?;
            Ok(found.as_deref().and_then(Decision::parse))
        })
    }

    /// Stores or clears a decision for some records of the plan, in batches; blocked records accept none. Returns the
    /// number of changed records, after a stop those so far.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn decide(
        &mut self,
        ids: &[String],
        decision: Option<Decision>,
        progress: Progress<'_>,
    ) -> Result<usize, StoreError> {
        let (mut changed, mut done) = (0, 0);
        for batch in ids.chunks(FIRST_BATCH) {
            changed += self.transaction("keeping a decision", |connection| {
                let kept = batch.iter().map(|id| keep_decision(connection, id, decision).map(usize::from));
                kept.sum::<rusqlite::Result<usize>>().map_err(StoreError::on(connection, "keeping a decision"))
            })?;
            done += batch.len() as u64;
            if !progress(done, ids.len() as u64) {
                break;
            }
        }
        Ok(changed)
    }

    /// Applies the plan with its decisions, in batches; with `all`, every connector without a mode gets `shared`. A
    /// stopped or killed run keeps the migrated records, and the others stay pending. The next run resumes it if no
    /// other step came in between, so that both are rolled back as one.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn apply(&mut self, all: bool, now: &str, progress: Progress<'_>) -> Result<Applied, StoreError> {
        let counts = self.plan_counts()?;
        let total = counts.to_apply();
        let interrupted = self.interrupted_run()?;
        let began = interrupted.as_ref().map_or(now, |run| &run.started_at).to_owned();
        let run = interrupted.map(|run| run.step);
        let mut applied = Applied { run, blocked: counts.blocked, ..Applied::default() };
        // Within a run the log is not synced for every batch: after a power cut a run may be shorter, never torn. The
        // last transaction syncs, and only then is the run reported as done.
        self.in_batches(|store| store.apply_batches(all, &began, total, &mut applied, progress))?;
        if let Some(run) = applied.run {
            let path = self.path.clone();
            applied.of_run = self.transaction("ending the run", |connection| {
                ensure_it_is(connection, run, |step| is_run(step, &began), &path)?;
                let journal = Journal::resume(connection, run);
                // A stopped run stays open: the next one resumes it, and both are rolled back as one.
                let ended = if applied.stopped { journal.pause() } else { journal.finish().map(|_| ()) };
                ended.map_err(StoreError::on(connection, "ending the run"))?;
                find_step(connection, &format!("h.step = {run}"))
                    .map(|step| step.map_or(0, |step| step.records))
                    .map_err(StoreError::on(connection, "ending the run"))
            })?;
        }
        Ok(applied)
    }

    fn apply_batches(
        &mut self,
        all: bool,
        now: &str,
        total: u64,
        applied: &mut Applied,
        progress: Progress<'_>,
    ) -> Result<(), StoreError> {
        let (mut first, mut size) = (Some(i64::MIN), FIRST_BATCH);
        while let Some(from) = first {
            match self.apply_batch((from, size), all, now, applied) {
                Ok(Some(last)) => (first, size) = (last.checked_add(1), next_batch(size)),
                Ok(None) => break,
                // Stopped within a batch, or while it waited for another program: those before it stay.
                Err(StoreError::Cancelled) if applied.run.is_some() => {
                    applied.stopped = true;
                    break;
                }
                Err(error) => return Err(error),
            }
            // Progress reports only what is in the file.
            if !progress(applied.written(), total) {
                applied.stopped = true;
                break;
            }
        }
        Ok(())
    }

    fn apply_batch(
        &mut self,
        (first, size): (i64, usize),
        all: bool,
        now: &str,
        applied: &mut Applied,
    ) -> Result<Option<i64>, StoreError> {
        let path = self.path.clone();
        let wrap = |error| StoreError::of_sqlite(&path, "applying the migration", error);
        let mut counted = applied.clone();
        let last = self.transaction("applying the migration", |connection| {
            let mut rows = batch(connection, first, size.min(CHUNK)).map_err(wrap)?;
            if let Some(run) = counted.run {
                ensure_it_is(connection, run, |step| is_run(step, now), &path)?;
            }
            if rows.is_empty() {
                return Ok(None);
            }
            let mut journal = match counted.run {
                Some(run) => Journal::resume(connection, run),
                None => Journal::begin(connection, OperationKind::Migration, None, None, now).map_err(wrap)?,
            };
            let (mut last, mut seen) = (first, 0);
            while let Some((newest, _)) = rows.last() {
                last = newest.key;
                seen += rows.len();
                for (connector, decision) in &rows {
                    migrate(&mut journal, connector, *decision, all, &mut counted).map_err(wrap)?;
                }
                let Some(next) = last.checked_add(1).filter(|_| seen < size) else { break };
                rows = batch(connection, next, CHUNK.min(size - seen)).map_err(wrap)?;
            }
            if counted.written() > 0 {
                journal.pause().map_err(wrap)?;
                counted.run = Some(journal.step());
            } else if counted.run.is_none() {
                journal.finish().map_err(wrap)?;
            }
            Ok(Some(last))
        })?;
        *applied = counted;
        Ok(last)
    }
}

/// The run that these batches are of.
fn is_run(step: &HistoryEntry, began: &str) -> bool {
    step.kind == OperationKind::Migration && step.started_at == began
}

fn migrate(
    journal: &mut Journal<'_>,
    connector: &Connector,
    decision: Option<Decision>,
    all: bool,
    applied: &mut Applied,
) -> rusqlite::Result<()> {
    let Some(mut after) = migration::apply(connector, decision, all) else {
        applied.skipped += u64::from(decision == Some(Decision::Skip));
        return Ok(());
    };
    let is_backfilled = migration::is_backfilled(connector, &after);
    if !journal.update(connector, &mut after)? {
        return Ok(());
    }
    if is_backfilled {
        applied.backfilled += 1;
        if let Some(choice) = decision.and_then(Decision::choice) {
            *applied.chosen.entry(choice).or_default() += 1;
        }
    } else {
        applied.stamped += 1;
    }
    Ok(())
}

type Pending = (Connector, Option<Decision>);

/// Returns pending records from a row id on. `NOT INDEXED`: the plan's index has another order, and sorting it for
/// every batch would make a run quadratic.
fn batch(connection: &Connection, first: i64, size: usize) -> rusqlite::Result<Vec<Pending>> {
    let sql = format!(
        "SELECT {}, d.decision
         FROM connectors AS c NOT INDEXED LEFT JOIN migration_decisions AS d ON d.key = c.key
         WHERE c.key >= ?1 AND c.model_version < ?2 AND c.migration_group <> 'blocked'
         ORDER BY c.key LIMIT ?3",
        select("c.")
    );
    connection
        .prepare_cached(&sql)?
        .query_map(params![first, migration::latest(), i64::try_from(size).unwrap_or(i64::MAX)], |row| {
            let decision: Option<String> = row.get(WIDTH)?;
            Ok((read(row)?, decision.as_deref().and_then(Decision::parse)))
        })?
        .collect()
}

fn decisions(connection: &Connection) -> rusqlite::Result<HashMap<i64, Decision>> {
    let mut statement = connection.prepare("SELECT key, decision FROM migration_decisions")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    rows.filter_map(|row| row.map(|(key, text)| Decision::parse(&text).map(|decision| (key, decision))).transpose())
        .collect()
}

fn count_decisions(connection: &Connection, counts: &mut PlanCounts) -> rusqlite::Result<()> {
    // CROSS keeps the order of the join: decisions are few, connectors are many.
    let mut statement = connection.prepare_cached(
        "SELECT d.decision, c.migration_group, count(*)
         FROM migration_decisions AS d CROSS JOIN connectors AS c ON c.key = d.key
         WHERE c.migration_group IN ('backfill', 'stamp_only') GROUP BY 1, 2",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let group = Group::parse(&row.get::<_, String>(1)?);
        let decision = Decision::parse(&row.get::<_, String>(0)?);
        if let (Some(group), Some(decision)) = (group, decision) {
            counts.decided.push((group, decision, count(row, 2)?));
        }
    }
    Ok(())
}

/// Stores or clears a decision; false for blocked and migrated records, which accept none.
fn keep_decision(connection: &Connection, id: &str, decision: Option<Decision>) -> rusqlite::Result<bool> {
    let Some(record) = get(connection, id)? else { return Ok(false) };
    let Some(decision) = decision else { return forget_decision(connection, record.key) };
    if migration::plan(&record).is_none_or(|plan| plan.group == Group::Blocked) {
        return Ok(false);
    }
    connection
        .prepare_cached("INSERT OR REPLACE INTO migration_decisions (key, decision) VALUES (?1, ?2)")?
        .execute(params![record.key, decision.as_str()])?;
    Ok(true)
}

/// Clears the decision of a record; false if there was none.
pub(super) fn forget_decision(connection: &Connection, key: i64) -> rusqlite::Result<bool> {
    let deleted = connection.prepare_cached("DELETE FROM migration_decisions WHERE key = ?1")?.execute([key])?;
    Ok(deleted > 0)
}
