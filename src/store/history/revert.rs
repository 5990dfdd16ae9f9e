//! Undo and redo, in batches: a step of any size is reverted in flat memory, can be stopped at a record boundary, and
//! is resumed after a stop or a kill.

use rusqlite::{Connection, params};

use super::journal::Journal;
use super::record::{
    ENTRY, ENTRY_WIDTH, Entry, RevertPreview, back_of, before_change, current, entry_of, entry_of_id, is_undone,
    redo_of,
};
use super::{HistoryEntry, OperationKind, StepState, ensure_it_is, find_step};
use crate::domain::Connector;
use crate::store::records::columns::{read_from, select};
use crate::store::records::connectors::{count, get};
use crate::store::remote::merge_base;
use crate::store::remote::merge_base::Reverting;
use crate::store::{CHUNK, FIRST_BATCH, Progress, Store, StoreError, next_batch};

/// The result of a revert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reverted {
    /// The reverted step.
    pub step: HistoryEntry,
    /// The step that does so; none when nothing was written.
    pub by: Option<i64>,
    /// Records that are as before.
    pub restored: u64,
    /// The id and name of the only record, if it exists.
    pub only: Option<(String, String)>,
    /// Ids that were changed since, and were skipped.
    pub conflicts: Vec<String>,
    /// The revert was stopped; another revert of the step resumes it.
    pub stopped: bool,
}

impl Store {
    /// Reverts a step: each record is restored exactly, unless it was modified since. An interrupted revert is resumed.
    ///
    /// # Errors
    /// [`StoreError::History`] if there is no such step or it was reverted already; if the file cannot be written.
    /// Finished batches are kept after an error.
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
        self.transaction("reverting a step", |connection| {
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
            let batch = self.transaction("reverting a step", |connection| {
                // Looked up under the write lock: another program may be reverting the same step.
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
            // Progress reports only what is in the file.
            if !progress(done, reverted.step.records) {
                return Ok(Reverted { stopped: true, ..reverted });
            }
            so_far = Some(reverted);
        }
    }

    /// Reverts some records of a step, if they were not modified since, in one transaction.
    ///
    /// # Errors
    /// As for [`Store::revert`].
    pub fn revert_some(&mut self, step: i64, ids: &[String], now: &str) -> Result<Reverted, StoreError> {
        self.transaction("reverting a step", |connection| {
            let mut reverted = nothing_yet(known(connection, step)?);
            let mut work = || {
                let mut journal = begin(connection, &reverted.step, now)?;
                let around = Around { has_remotes: has_remotes(connection)?, may_be_reverted: true };
                for id in ids {
                    if let Some(entry) = entry_of_id(connection, reverted.step.step, id)? {
                        let current = current(connection, &entry)?;
                        revert(&mut journal, (entry, current), around, &mut reverted)?;
                    }
                }
                reverted.by = journal.finish()?;
                end_part(connection, &mut reverted)
            };
            work().map_err(failed(connection))?;
            Ok(reverted)
        })
    }

    /// Reverts a step's change of one record although it was modified since: the user has seen both sides. Later
    /// changes of other columns stay. `seen` is the revision that the user saw, `None` if the record did not exist.
    ///
    /// # Errors
    /// As for [`Store::revert`]; [`StoreError::History`] if the record was changed since it was shown.
    pub fn revert_over(&mut self, step: i64, id: &str, seen: Option<i64>, now: &str) -> Result<Reverted, StoreError> {
        self.transaction("reverting a step", |connection| {
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
            if back == RevertPreview::Unknown {
                return Err(StoreError::History(format!(
                    "another program deleted {id:?}, and the history holds only what step {step} changed of it; \
                     nothing was restored. A backup may have it (`backup --list`)"
                )));
            }
            let mut work = || {
                let mut journal = begin(connection, &reverted.step, now)?;
                let exists = matches!(back, RevertPreview::Record(_));
                follow_back(connection, &reverted.step, id, exists)?;
                merge_patch(&mut journal, current.as_ref(), back.clone())?;
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
    StoreError::on(connection, "reverting a step")
}

/// Ends the step that reverted another one.
fn end(connection: &Connection, reverted: &Reverted) -> rusqlite::Result<()> {
    let Some(by) = reverted.by else { return Ok(()) };
    let journal = Journal::resume(connection, by);
    journal.set_state(reverted.step.step, StepState::Reverted)?;
    redo(connection, &journal, &reverted.step)?;
    journal.finish().map(|_| ())
}

/// Sets the name of the restored record, if it was only one and exists.
fn name_the_only_one(connection: &Connection, reverted: &mut Reverted) -> rusqlite::Result<()> {
    let only = reverted.only.take().filter(|_| reverted.restored == 1);
    let found = only.map(|(id, _)| get(connection, &id)).transpose()?.flatten();
    reverted.only = found.map(|record| (record.id, record.name));
    Ok(())
}

/// Reverts an undo: the original step is applied again, unless other steps reverted all of it.
fn redo(connection: &Connection, journal: &Journal<'_>, undone: &HistoryEntry) -> rusqlite::Result<()> {
    let Some(first) = undone.reverts else { return Ok(()) };
    let is_undone: bool = connection.query_row(
        "SELECT (SELECT coalesce(sum(records), 0) FROM history WHERE reverts = ?1 AND state <> 'reverted') >= records
         FROM history WHERE step = ?1",
        [first],
        |row| row.get(0),
    )?;
    if is_undone { Ok(()) } else { journal.set_state(first, StepState::Done) }
}

/// After a partial revert: marks the step as reverted when no record is left.
fn end_part(connection: &Connection, reverted: &mut Reverted) -> rusqlite::Result<()> {
    let step = reverted.step.step;
    let reverted_records = connection.query_row(
        "SELECT coalesce(sum(records), 0) FROM history WHERE reverts = ?1 AND state <> 'reverted'",
        [step],
        |row| count(row, 0),
    )?;
    if reverted.by.is_some() && reverted_records >= reverted.step.records {
        end(connection, reverted)?;
    }
    name_the_only_one(connection, reverted)
}

fn nothing_yet(step: HistoryEntry) -> Reverted {
    Reverted { step, by: None, restored: 0, only: None, conflicts: Vec::new(), stopped: false }
}

/// Returns a step that can be reverted in part; a redo stands for its original.
fn known(connection: &Connection, step: i64) -> Result<HistoryEntry, StoreError> {
    let origin = redo_of(connection, step).map_err(failed(connection))?.unwrap_or(step);
    let found = find_step(connection, &format!("h.step = {origin}"))
        .map_err(failed(connection))?
        .ok_or_else(|| StoreError::History(format!("no step {origin} in the history")))?;
    if found.kind == OperationKind::Push {
        return Err(StoreError::History(format!(
            "step {origin} is a push, which changed Kibana, not the file; change the connector and push again"
        )));
    }
    Ok(found)
}

/// Returns a step that can be reverted as a whole.
fn revertible(connection: &Connection, step: i64) -> Result<HistoryEntry, StoreError> {
    let found = known(connection, step)?;
    if found.state == StepState::Reverted {
        return Err(StoreError::History(format!("step {step} ({}) was undone already", found.word())));
    }
    Ok(found)
}

/// Begins the step that reverts `step`.
fn begin<'a>(connection: &'a Connection, step: &HistoryEntry, now: &str) -> rusqlite::Result<Journal<'a>> {
    let kind = if step.kind == OperationKind::Migration { OperationKind::Rollback } else { OperationKind::Undo };
    Journal::begin(connection, kind, Some(step.step), step.subject.as_deref(), now)
}

/// The position of a walk along the entries of a step.
struct Walk {
    /// The last key.
    after: i64,
    /// Entries of the next batch.
    batch: usize,
    /// An earlier program began it.
    is_resumed: bool,
}

/// The common values of all entries of a batch.
#[derive(Clone, Copy)]
struct Around {
    /// The file may have merge bases.
    has_remotes: bool,
    /// Some of the entries may have been reverted already.
    may_be_reverted: bool,
}

/// Returns whether other steps than the current one reverted a part of this step.
fn has_other_reverts(connection: &Connection, reverted: &Reverted) -> rusqlite::Result<bool> {
    let step = reverted.step.step;
    let origin = redo_of(connection, step)?.unwrap_or(step);
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
    let may_be_reverted = walk.is_resumed || has_other_reverts(connection, &reverted)?;
    let mut journal = match reverted.by.or(interrupted) {
        Some(by) => Journal::resume(connection, by),
        None => begin(connection, &reverted.step, now)?,
    };
    let restored = reverted.restored;
    let around = Around { has_remotes: has_remotes(connection)?, may_be_reverted };
    let (mut last, mut seen) = (None, 0);
    while let Some((newest, _)) = rows.last() {
        let key = newest.key;
        seen += rows.len();
        last = Some((key, seen as u64));
        for (entry, current) in rows {
            revert(&mut journal, (entry, current), around, &mut reverted)?;
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

/// Returns a step that began to revert this one and was interrupted.
fn interrupted(connection: &Connection, step: i64) -> rusqlite::Result<Option<i64>> {
    Ok(find_step(connection, &format!("h.reverts = {step} AND h.state = 'running'"))?.map(|found| found.step))
}

/// Returns the next entries of a step, each with the current record.
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

/// Reverts one change and counts it; a change that was reverted already is skipped.
fn revert(
    journal: &mut Journal<'_>,
    (entry, current): (Entry, Option<Connector>),
    around: Around,
    reverted: &mut Reverted,
) -> rusqlite::Result<()> {
    let connection = journal.connection();
    let is_applied = current.as_ref().map(|record| record.revision) == entry.revision;
    // A reverted change has another revision; only a missing record has none.
    let may_be_reverted = around.may_be_reverted && (!is_applied || entry.revision.is_none());
    if may_be_reverted && is_undone(connection, reverted.step.step, entry.key)? {
        return Ok(());
    }
    if !is_applied {
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

/// Without a remote there is no merge base.
fn has_remotes(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM remotes)", [], |row| row.get(0))
}

/// Reverts the merge base together with a change.
fn follow_back(connection: &Connection, step: &HistoryEntry, id: &str, exists: bool) -> rusqlite::Result<()> {
    let is_redo = step.kind.is_inverse();
    let origin = step.origin.filter(|_| is_redo).map_or(step.step, |(origin, _)| origin);
    merge_base::revert_bases(connection, Reverting { reverted: step.step, origin, is_redo, id, exists })
}

/// Writes the record after a revert over later changes. That content is new, so its revision is new.
fn merge_patch(journal: &mut Journal<'_>, current: Option<&Connector>, back: RevertPreview) -> rusqlite::Result<()> {
    match (current, back) {
        (Some(current), RevertPreview::Record(mut back)) => journal.update(current, &mut back).map(|_| ()),
        (None, RevertPreview::Record(mut back)) => journal.insert(&mut back),
        (Some(current), RevertPreview::Deleted) => journal.delete(current),
        (_, RevertPreview::Deleted | RevertPreview::Unknown) => Ok(()),
    }
}

/// Restores a record with its revision, so that the content of an earlier step can be reverted in its turn.
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
