//! Taking a step back, and bringing it again: in batches, so that a step of any size can be taken back in
//! flat memory, stopped at a record boundary, and gone on with after a stop or a kill.

use rusqlite::{Connection, params};

use super::super::connectors::{count, get};
use super::journal::Journal;
use super::record::{
    Back, ENTRY, ENTRY_WIDTH, Entry, back_of, before_change, brought_again, current, entry_of, entry_of_id,
    is_taken_back,
};
use super::{Kind, Step, StepState, ensure_it_is, find_step};
use crate::domain::Connector;
use crate::store::agreement::{self, Reverting};
use crate::store::columns::{read_from, select};
use crate::store::{CHUNK, FIRST_BATCH, Progress, Store, StoreError, next_batch};

/// What taking a step back did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reverted {
    /// The step that was taken back.
    pub step: Step,
    /// The step that does so; none when nothing was written.
    pub by: Option<i64>,
    /// Records that are as before.
    pub restored: u64,
    /// Its id and name, when it was one that is there.
    pub only: Option<(String, String)>,
    /// Ids that were changed since, and were left alone.
    pub conflicts: Vec<String>,
    /// It was stopped before its end; taking the step back again goes on.
    pub stopped: bool,
}

impl Store {
    /// Takes a step back: each record goes back exactly, unless it was changed since. Of a step that was
    /// interrupted on the way back the rest is done.
    ///
    /// # Errors
    /// [`StoreError::History`] when there is no such step or it was taken back already; when the file
    /// cannot be written. What was done before an error stays done.
    pub fn revert(&mut self, step: i64, now: &str, progress: Progress<'_>) -> Result<Reverted, StoreError> {
        let found = self.step(step)?;
        // A small step is one transaction. Of a large one only the last transaction is synced to the disk, and
        // with it all before: after a power cut it may be shorter, never torn.
        let is_large = found.is_some_and(|found| found.records >= FIRST_BATCH as u64);
        if !is_large {
            return self.revert_batches(step, true, now, progress);
        }
        let mut reverted = self.in_batches(|store| store.revert_batches(step, false, now, progress))?;
        reverted.only = None;
        let path = self.path.clone();
        self.transaction("taking a step back", |connection| {
            if let Some(by) = reverted.by {
                ensure_it_is(connection, by, |by| by.reverts == Some(reverted.step.step), &path)?;
            }
            if reverted.stopped { Ok(()) } else { end(connection, &reverted) }.map_err(failed(connection))
        })?;
        Ok(reverted)
    }

    fn revert_batches(
        &mut self,
        step: i64,
        is_one: bool,
        now: &str,
        progress: Progress<'_>,
    ) -> Result<Reverted, StoreError> {
        let path = self.path.clone();
        let (mut walk, mut done) = (Walk { after: i64::MIN, batch: FIRST_BATCH, is_resumed: false }, 0);
        let mut so_far: Option<Reverted> = None;
        loop {
            let batch = self.transaction("taking a step back", |connection| {
                // Looked up under the write lock: another program may be taking the same step back.
                let found = revertible(connection, step)?;
                if so_far.as_ref().is_some_and(|so_far| so_far.step.started_at != found.started_at) {
                    return Err(StoreError::Replaced(path.clone()));
                }
                let so_far = so_far.clone().unwrap_or_else(|| nothing_yet(found));
                if let Some(by) = so_far.by {
                    ensure_it_is(connection, by, |by| by.reverts == Some(so_far.step.step), &path)?;
                }
                let (mut reverted, last) =
                    revert_batch(connection, so_far, &mut walk, now).map_err(failed(connection))?;
                if is_one {
                    end(connection, &reverted).map_err(failed(connection))?;
                    name_the_only_one(connection, &mut reverted).map_err(failed(connection))?;
                }
                Ok::<_, StoreError>((reverted, last))
            });
            let (reverted, last) = match (batch, so_far.take()) {
                // Stopped within a batch, or while it waited for another program: those before it stay.
                (Err(StoreError::Cancelled), Some(so_far)) => return Ok(Reverted { stopped: true, ..so_far }),
                (batch, _) => batch?,
            };
            match last {
                Some((last, seen)) if !is_one => {
                    walk.after = last;
                    walk.batch = next_batch(walk.batch);
                    done += seen;
                }
                _ => return Ok(reverted),
            }
            // What is told as done is in the file.
            if !progress(done, reverted.step.records) {
                return Ok(Reverted { stopped: true, ..reverted });
            }
            so_far = Some(reverted);
        }
    }

    /// Takes some records of a step back, those that were not changed since, in one transaction.
    ///
    /// # Errors
    /// As [`Store::revert`].
    pub fn revert_some(&mut self, step: i64, ids: &[String], now: &str) -> Result<Reverted, StoreError> {
        self.transaction("taking a step back", |connection| {
            let mut reverted = nothing_yet(known(connection, step)?);
            let mut work = || {
                let mut journal = begin(connection, &reverted.step, now)?;
                let around = Around { has_remotes: has_remotes(connection)?, may_be_back: true };
                for id in ids {
                    if let Some(entry) = entry_of_id(connection, reverted.step.step, id)? {
                        let current = current(connection, &entry)?;
                        take_back(&mut journal, (entry, current), around, &mut reverted)?;
                    }
                }
                reverted.by = journal.finish()?;
                end_part(connection, &mut reverted)
            };
            work().map_err(failed(connection))?;
            Ok(reverted)
        })
    }

    /// Takes a step's change of one record back although the record was changed since: the person has seen both
    /// sides. What the later changes did to other columns stays. `seen` is the revision they saw, none when the record was not there.
    ///
    /// # Errors
    /// As [`Store::revert`]; [`StoreError::History`] when the record was changed since it was seen.
    pub fn revert_over(&mut self, step: i64, id: &str, seen: Option<i64>, now: &str) -> Result<Reverted, StoreError> {
        self.transaction("taking a step back", |connection| {
            let mut reverted = nothing_yet(known(connection, step)?);
            let step = reverted.step.step;
            let Some(entry) = entry_of_id(connection, step, id).map_err(failed(connection))? else {
                return Err(StoreError::History(format!("step {step} did not change {id:?}")));
            };
            let current = current(connection, &entry).map_err(failed(connection))?;
            if current.as_ref().map(|record| record.revision) != seen {
                return Err(StoreError::History(format!("{id:?} was changed again meanwhile; look at it once more")));
            }
            let back = back_of(connection, step, &entry, current.as_ref()).map_err(failed(connection))?;
            if back == Back::Unknown {
                return Err(StoreError::History(format!(
                    "another program deleted {id:?}, and the history holds only what step {step} changed of it; nothing \
                     was put back. A copy of the file may have it (`backup --list`)"
                )));
            }
            let mut work = || {
                let mut journal = begin(connection, &reverted.step, now)?;
                let is_there = matches!(back, Back::Record(_));
                follow_back(connection, &reverted.step, id, is_there)?;
                put_over(&mut journal, current.as_ref(), back.clone())?;
                reverted.restored = 1;
                reverted.only = Some((id.to_owned(), String::new()));
                reverted.by = journal.finish()?;
                end_part(connection, &mut reverted)
            };
            work().map_err(failed(connection))?;
            Ok(reverted)
        })
    }
}

fn failed(connection: &Connection) -> impl Fn(rusqlite::Error) -> StoreError {
    StoreError::on(connection, "taking a step back")
}

/// Ends the step that took another one back.
fn end(connection: &Connection, reverted: &Reverted) -> rusqlite::Result<()> {
    let Some(by) = reverted.by else { return Ok(()) };
    let journal = Journal::resume(connection, by);
    journal.mark(reverted.step.step, StepState::Reverted)?;
    bring_again(connection, &journal, &reverted.step)?;
    journal.finish().map(|_| ())
}

/// The name of the record that is back, when it was only one and is there.
fn name_the_only_one(connection: &Connection, reverted: &mut Reverted) -> rusqlite::Result<()> {
    let only = reverted.only.take().filter(|_| reverted.restored == 1);
    let found = only.map(|(id, _)| get(connection, &id)).transpose()?.flatten();
    reverted.only = found.map(|record| (record.id, record.name));
    Ok(())
}

/// A step that took another one back was taken back itself: the first one is in force again, unless further steps took
/// all of it back.
fn bring_again(connection: &Connection, journal: &Journal<'_>, undone: &Step) -> rusqlite::Result<()> {
    let Some(first) = undone.reverts else { return Ok(()) };
    let is_taken_back: bool = connection.query_row(
        "SELECT (SELECT coalesce(sum(records), 0) FROM history WHERE reverts = ?1 AND state <> 'reverted') >= records
         FROM history WHERE step = ?1",
        [first],
        |row| row.get(0),
    )?;
    if is_taken_back { Ok(()) } else { journal.mark(first, StepState::Done) }
}

/// After a part of a step was taken back: it is taken back itself when no part is left.
fn end_part(connection: &Connection, reverted: &mut Reverted) -> rusqlite::Result<()> {
    let step = reverted.step.step;
    let taken = connection.query_row(
        "SELECT coalesce(sum(records), 0) FROM history WHERE reverts = ?1 AND state <> 'reverted'",
        [step],
        |row| count(row, 0),
    )?;
    if reverted.by.is_some() && taken >= reverted.step.records {
        end(connection, reverted)?;
    }
    name_the_only_one(connection, reverted)
}

fn nothing_yet(step: Step) -> Reverted {
    Reverted { step, by: None, restored: 0, only: None, conflicts: Vec::new(), stopped: false }
}

/// A step that can be taken back in part. What brought another one again stands for that one.
fn known(connection: &Connection, step: i64) -> Result<Step, StoreError> {
    let origin = brought_again(connection, step).map_err(failed(connection))?.unwrap_or(step);
    let found = find_step(connection, &format!("h.step = {origin}"))
        .map_err(failed(connection))?
        .ok_or_else(|| StoreError::History(format!("there is no step {origin} in the history")))?;
    if found.kind == Kind::Push {
        return Err(StoreError::History(format!(
            "step {origin} is a push, which changed Kibana and not the file; change it here and push again"
        )));
    }
    Ok(found)
}

/// A step that can be taken back whole.
fn revertible(connection: &Connection, step: i64) -> Result<Step, StoreError> {
    let found = known(connection, step)?;
    if found.state == StepState::Reverted {
        return Err(StoreError::History(format!("step {step} ({}) was taken back already", found.word())));
    }
    Ok(found)
}

/// Begins the step that takes `step` back.
fn begin<'a>(connection: &'a Connection, step: &Step, now: &str) -> rusqlite::Result<Journal<'a>> {
    let kind = if step.kind == Kind::Migration { Kind::Rollback } else { Kind::Undo };
    Journal::begin(connection, kind, Some(step.step), step.subject.as_deref(), now)
}

/// How far the walk along a step's entries is.
struct Walk {
    /// The last key.
    after: i64,
    /// Entries of the next batch.
    batch: usize,
    /// An earlier program began it.
    is_resumed: bool,
}

/// What is the same for all entries of a batch.
#[derive(Clone, Copy)]
struct Around {
    /// Something may be agreed on with a remote.
    has_remotes: bool,
    /// Some of the entries may have been taken back already.
    may_be_back: bool,
}

/// Whether steps other than the one that is being written took a part of this step back.
fn has_other_takers(connection: &Connection, reverted: &Reverted) -> rusqlite::Result<bool> {
    let step = reverted.step.step;
    let origin = brought_again(connection, step)?.unwrap_or(step);
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM history WHERE reverts = ?1 AND state <> 'reverted' AND step IS NOT ?2)",
        )?
        .query_row(params![origin, reverted.by], |row| row.get(0))
}

/// Does one batch; with it, the last key and how many records it had, none at the end.
fn revert_batch(
    connection: &Connection,
    mut reverted: Reverted,
    walk: &mut Walk,
    now: &str,
) -> rusqlite::Result<(Reverted, Option<(i64, u64)>)> {
    let step = reverted.step.step;
    let mut rows = entries(connection, step, walk.after, walk.batch.min(CHUNK))?;
    let interrupted = if reverted.by.is_none() { interrupted(connection, step)? } else { None };
    walk.is_resumed |= interrupted.is_some();
    let may_be_back = walk.is_resumed || has_other_takers(connection, &reverted)?;
    let mut journal = match reverted.by.or(interrupted) {
        Some(by) => Journal::resume(connection, by),
        None => begin(connection, &reverted.step, now)?,
    };
    let restored = reverted.restored;
    let around = Around { has_remotes: has_remotes(connection)?, may_be_back };
    let (mut last, mut seen) = (None, 0);
    while let Some((newest, _)) = rows.last() {
        let key = newest.key;
        seen += rows.len();
        last = Some((key, seen as u64));
        for (entry, current) in rows {
            take_back(&mut journal, (entry, current), around, &mut reverted)?;
        }
        if seen >= walk.batch {
            break;
        }
        rows = entries(connection, step, key, CHUNK.min(walk.batch - seen))?;
    }
    if journal.is_new() && reverted.restored == restored {
        journal.finish()?;
    } else {
        journal.pause()?;
        reverted.by = Some(journal.step());
    }
    Ok((reverted, last))
}

/// A step that began to take this one back and did not come to its end.
fn interrupted(connection: &Connection, step: i64) -> rusqlite::Result<Option<i64>> {
    Ok(find_step(connection, &format!("h.reverts = {step} AND h.state = 'running'"))?.map(|found| found.step))
}

/// The next entries of a step, each with what is in the file now.
fn entries(
    connection: &Connection,
    step: i64,
    after: i64,
    len: usize,
) -> rusqlite::Result<Vec<(Entry, Option<Connector>)>> {
    let sql = format!(
        "SELECT {ENTRY}, {} FROM history_changes AS c LEFT JOIN connectors AS r ON r.key = c.key
         WHERE c.step = ?1 AND c.key > ?2 ORDER BY c.key LIMIT ?3",
        select("r.")
    );
    let both = |row: &rusqlite::Row<'_>| {
        let entry = entry_of(row)?;
        let found = read_from(row, ENTRY_WIDTH)?;
        // Another program may have put another record of the id in its place.
        let current = if found.key == entry.key { Some(found) } else { get(connection, &entry.id)? };
        Ok((entry, current))
    };
    connection
        .prepare_cached(&sql)?
        .query_map(params![step, after, i64::try_from(len).unwrap_or(i64::MAX)], both)?
        .collect()
}

/// Takes one change back and counts it; one that was taken back already is passed over.
fn take_back(
    journal: &mut Journal<'_>,
    (entry, current): (Entry, Option<Connector>),
    around: Around,
    reverted: &mut Reverted,
) -> rusqlite::Result<()> {
    let connection = journal.connection();
    let is_in_force = current.as_ref().map(|record| record.revision) == entry.revision;
    // What was taken back has another revision; only a record that is not there has none to tell.
    let may_be_back = around.may_be_back && (!is_in_force || entry.revision.is_none());
    if may_be_back && is_taken_back(connection, reverted.step.step, entry.key)? {
        return Ok(());
    }
    if !is_in_force {
        reverted.conflicts.push(entry.id);
        return Ok(());
    }
    let before = before_change(&entry, current.as_ref());
    if around.has_remotes {
        follow_back(connection, &reverted.step, &entry.id, before.is_some())?;
    }
    put_back(journal, &entry.id, current, before)?;
    reverted.restored += 1;
    reverted.only = Some((entry.id, String::new()));
    Ok(())
}

/// Without a remote nothing is agreed on with one.
fn has_remotes(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM remotes)", [], |row| row.get(0))
}

/// What the file and a remote agree on goes back with a change.
fn follow_back(connection: &Connection, step: &Step, id: &str, is_there: bool) -> rusqlite::Result<()> {
    let is_again = step.kind.is_inverse();
    let origin = step.origin.filter(|_| is_again).map_or(step.step, |(origin, _)| origin);
    agreement::follow(connection, Reverting { reverted: step.step, origin, is_again, id, is_there })
}

/// Writes what taking a change back over later ones makes of a record. That content has not been there before,
/// so its revision is a new one.
fn put_over(journal: &mut Journal<'_>, current: Option<&Connector>, back: Back) -> rusqlite::Result<()> {
    match (current, back) {
        (Some(current), Back::Record(mut back)) => journal.update(current, &mut back).map(|_| ()),
        (None, Back::Record(mut back)) => journal.insert(&mut back),
        (Some(current), Back::Gone) => journal.delete(current),
        (_, Back::Gone | Back::Unknown) => Ok(()),
    }
}

/// Makes a record what it was, its revision too: what an earlier step wrote is there again, and can be taken
/// back in its turn.
fn put_back(
    journal: &mut Journal<'_>,
    id: &str,
    current: Option<Connector>,
    before: Option<Connector>,
) -> rusqlite::Result<()> {
    match (current, before) {
        (Some(current), Some(mut before)) => {
            let revision = before.revision;
            journal.change(&current, &mut before, revision).map(|_| ())
        }
        (Some(current), None) => journal.delete(&current),
        (None, Some(mut before)) => {
            let revision = before.revision;
            journal.put(&mut before, revision)
        }
        (None, None) => journal.mention(id, None),
    }
}
