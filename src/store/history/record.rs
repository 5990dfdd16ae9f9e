//! One record's part in the history: what a step did to it, and what became of that.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::connectors::get;
use super::image::{self, Image, with_columns};
use super::{STEP, Step, step_of};
use crate::domain::Connector;
use crate::store::{Store, StoreError};

/// What has become of a step's change of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeState {
    /// The record is as the step left it.
    InForce,
    /// It was taken back.
    TakenBack,
    /// The record was changed since.
    ChangedSince,
    /// The record was deleted since.
    DeletedSince,
}

impl ChangeState {
    /// The word for people and in JSON.
    pub fn label(self) -> &'static str {
        match self {
            ChangeState::InForce => "in force",
            ChangeState::TakenBack => "taken back",
            ChangeState::ChangedSince => "changed since",
            ChangeState::DeletedSince => "deleted since",
        }
    }
}

/// What a step did to one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordChange {
    /// The step.
    pub step: i64,
    /// The record's id.
    pub id: String,
    /// The record before; none when the step added it.
    pub before: Option<Connector>,
    /// The record after; none when the step deleted it.
    pub after: Option<Connector>,
    /// The record as it is now; none when it is not in the file.
    pub now: Option<Connector>,
    /// What has become of it.
    pub state: ChangeState,
}

/// A step as one record's history shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordStep {
    /// The step.
    pub step: Step,
    /// The fields it changed, by the names of the columns; none when it added or deleted the record.
    pub columns: Vec<String>,
}

/// What the journal holds of one change.
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) before: Option<Image>,
    pub(super) after: Option<Image>,
    /// The record's revision after the change; none when it was deleted.
    pub(super) revision: Option<i64>,
}

impl Store {
    /// What a step did to a record; none when it did nothing to it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn change(&self, step: i64, id: &str) -> Result<Option<RecordChange>, StoreError> {
        self.run("reading the history", |connection| {
            let Some(entry) = entry(connection, step, id)? else {
                return Ok(None);
            };
            let now = get(connection, id)?;
            let state = state_of(connection, step, &entry, now.as_ref())?;
            let after = state_after(connection, step, id, now.clone())?;
            let after = entry.after.as_ref().and_then(|image| after.map(|record| with_columns(record, image)));
            let before = before_change(&entry, after.as_ref());
            Ok(Some(RecordChange { step, id: id.to_owned(), before, after, now, state }))
        })
    }

    /// The newest steps that changed a record, the newest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn history_of(&self, id: &str, limit: usize) -> Result<Vec<RecordStep>, StoreError> {
        self.run("reading the history", |connection| {
            // CROSS keeps the order of the join: every step is asked for this record by the primary key, which
            // needs no index by record.
            let sql = format!(
                "SELECT {STEP}, c.after FROM history AS h
                 CROSS JOIN history_changes AS c ON c.step = h.step AND c.connector_id = ?1
                 ORDER BY h.step DESC LIMIT ?2"
            );
            connection
                .prepare_cached(&sql)?
                .query_map(params![id, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                    let columns = image::parse(row.get(9)?).unwrap_or_default().keys().cloned().collect();
                    Ok(RecordStep { step: step_of(row)?, columns })
                })?
                .collect()
        })
    }

    /// The ids of a step's records, in order, from after one on.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn changed_ids(&self, step: i64, after: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        self.run("reading the history", |connection| {
            connection
                .prepare_cached(
                    "SELECT connector_id FROM history_changes
                     WHERE step = ?1 AND connector_id > ?2 ORDER BY connector_id LIMIT ?3",
                )?
                .query_map(params![step, after, i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get(0))?
                .collect()
        })
    }
}

pub(super) fn entry(connection: &Connection, step: i64, id: &str) -> rusqlite::Result<Option<Entry>> {
    connection
        .prepare_cached(
            "SELECT connector_id, before, after, revision FROM history_changes WHERE step = ?1 AND connector_id = ?2",
        )?
        .query_row(params![step, id], entry_of)
        .optional()
}

/// Reads a row of id, before, after and revision.
pub(super) fn entry_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        id: row.get(0)?,
        before: image::parse(row.get(1)?),
        after: image::parse(row.get(2)?),
        revision: row.get(3)?,
    })
}

/// The record before a change, given what it was right after it.
pub(super) fn before_change(entry: &Entry, after: Option<&Connector>) -> Option<Connector> {
    let image = entry.before.as_ref()?;
    // A deleted record was kept whole.
    let base = after.cloned().unwrap_or_else(|| Connector::new(&entry.id, ""));
    Some(Connector { revision: image::revision_of(image), ..with_columns(base, image) })
}

/// The record right after a step: what it is now, with every later change taken off in turn.
pub(super) fn state_after(
    connection: &Connection,
    step: i64,
    id: &str,
    now: Option<Connector>,
) -> rusqlite::Result<Option<Connector>> {
    let mut statement = connection.prepare_cached(
        "SELECT c.connector_id, c.before, c.after, c.revision FROM history AS h
         CROSS JOIN history_changes AS c ON c.step = h.step AND c.connector_id = ?1
         WHERE h.step > ?2 ORDER BY h.step DESC",
    )?;
    let mut rows = statement.query(params![id, step])?;
    let mut state = now;
    while let Some(row) = rows.next()? {
        state = before_change(&entry_of(row)?, state.as_ref());
    }
    Ok(state)
}

pub(super) fn state_of(
    connection: &Connection,
    step: i64,
    entry: &Entry,
    now: Option<&Connector>,
) -> rusqlite::Result<ChangeState> {
    if is_taken_back(connection, step, &entry.id)? {
        return Ok(ChangeState::TakenBack);
    }
    Ok(match (now, entry.revision) {
        (None, None) => ChangeState::InForce,
        (Some(now), Some(revision)) if now.revision == revision => ChangeState::InForce,
        (None, Some(_)) => ChangeState::DeletedSince,
        (Some(_), _) => ChangeState::ChangedSince,
    })
}

/// A step that is in force took this change back.
pub(super) fn is_taken_back(connection: &Connection, step: i64, id: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT EXISTS (
               SELECT 1 FROM history AS h
               CROSS JOIN history_changes AS c ON c.step = h.step AND c.connector_id = ?2
               WHERE h.reverts = ?1 AND h.state <> 'reverted')",
        )?
        .query_row(params![step, id], |row| row.get(0))
}
