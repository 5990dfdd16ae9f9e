//! The history of one record: the changes of a step, and their current state.

use rusqlite::{Connection, OptionalExtension, params};

use super::{HistoryEntry, STEP, step_of};
use crate::domain::diff::{ChangeInStep, ChangeState, changes};
use crate::domain::{Catalogue, Connector, Summary};
use crate::store::records::connectors::{get, get_by_key, key_of};
use crate::store::records::patch;
use crate::store::records::patch::{ColumnPatch, with_columns};
use crate::store::remote::push_log::sent_text;
use crate::store::{Store, StoreError};

/// The change that a step made to one record.
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
    /// The record after a revert.
    pub back: RevertPreview,
    /// The current state of the change.
    pub state: ChangeState,
    /// For a push: the request and its outcome.
    pub sent: Option<String>,
}

/// The effect of a revert on a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevertPreview {
    /// This.
    Record(Box<Connector>),
    /// The record is deleted.
    Deleted,
    /// Another program deleted the record, and the history holds only the changed columns.
    Unknown,
}

/// Of a decision between the file and Kibana.
const NOTHING: &str = "the record stayed as it was";

impl RecordChange {
    /// Returns the record of the side that has it: after, else before, else now.
    pub fn record(&self) -> Option<&Connector> {
        self.after.as_ref().or(self.before.as_ref()).or(self.now.as_ref())
    }

    /// Returns the name; the id if the history does not hold the name.
    pub fn name(&self) -> &str {
        let named = self.record().map(|record| record.name.as_str()).filter(|name| !name.is_empty());
        named.unwrap_or(&self.id)
    }

    /// For filters, whether the record is in the file or not.
    pub fn summary(&self, catalogue: &'static Catalogue) -> Summary {
        let name = self.name().to_owned();
        // A push and a decision may concern records that are not in the file.
        let record = self.record().cloned().unwrap_or_else(|| Connector::new(&self.id, ""));
        Summary { name, change: Some(self.in_step()), ..Summary::of(&record, catalogue) }
    }

    /// For the row of a list.
    pub fn in_step(&self) -> ChangeInStep {
        let text = match (&self.before, &self.after) {
            _ if self.sent.is_some() => self.sent.clone().unwrap_or_default(),
            (None, None) => NOTHING.to_owned(),
            (None, _) => "created".to_owned(),
            (_, None) => "deleted".to_owned(),
            (Some(before), Some(after)) => {
                let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
                let text = |change: &crate::domain::diff::Change| {
                    format!("{}: {} → {}", change.field, value(&change.before), value(&change.after))
                };
                let all = changes(before, after).iter().map(text).collect::<Vec<_>>().join(", ");
                if all.is_empty() { NOTHING.to_owned() } else { all }
            }
        };
        ChangeInStep { state: self.state, text }
    }
}

/// A step as one record's history shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordStep {
    /// The step.
    pub step: HistoryEntry,
    /// The fields it changed, by the names of the columns; none when it added or deleted the record.
    pub columns: Vec<String>,
}

/// An entry of the journal.
pub(super) struct Entry {
    pub(super) key: i64,
    pub(super) id: String,
    pub(super) before: Option<ColumnPatch>,
    pub(super) after: Option<ColumnPatch>,
    /// The record's revision after the change; none when it was deleted.
    pub(super) revision: Option<i64>,
}

impl Store {
    /// Returns the change that a step made to a record; `None` if it made none.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn change(&self, step: i64, id: &str) -> Result<Option<RecordChange>, StoreError> {
        self.run("reading the history", |connection| {
            let Some(entry) = entry_of_id(connection, step, id)? else {
                return Ok(None);
            };
            let now = current(connection, &entry)?;
            let state = state_of(connection, step, &entry, now.as_ref().map(|record| record.revision))?;
            let after = match entry.after.as_ref() {
                None => None,
                // If the record is otherwise unknown, at least the changed columns are shown.
                Some(image) => Some(with_columns(
                    state_after(connection, step, entry.key, now.clone())?.unwrap_or_else(|| Connector::new(id, "")),
                    image,
                )),
            };
            let before = match (&entry.before, &after) {
                (Some(image), Some(after)) => Some(with_columns(after.clone(), image)),
                _ => before_change(&entry, None),
            };
            let back = back_of(connection, step, &entry, now.as_ref())?;
            let sent = sent_text(connection, step, id)?;
            Ok(Some(RecordChange { step, id: id.to_owned(), before, after, now, back, state, sent }))
        })
    }

    /// Returns whether a step concerns a record.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn is_in_step(&self, step: i64, id: &str) -> Result<bool, StoreError> {
        self.run("reading the history", |connection| {
            let Some(key) = key_of(connection, id)? else { return Ok(false) };
            Ok(entry(connection, step, key)?.is_some())
        })
    }

    /// Calls `each` with every change of a step, in the order of the table.
    ///
    /// # Errors
    /// If the file cannot be read, or the error of `each`.
    pub fn each_change<E: From<StoreError>>(
        &self,
        step: i64,
        mut each: impl FnMut(RecordChange) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut after = i64::MIN;
        loop {
            let ids: Vec<(i64, String)> = self.run("reading the history", |connection| {
                connection
                    .prepare_cached(
                        "SELECT key, connector_id FROM history_changes WHERE step = ?1 AND key > ?2 ORDER BY key LIMIT 500",
                    )?
                    .query_map(params![step, after], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect()
            })?;
            let Some((last, _)) = ids.last() else { return Ok(()) };
            after = *last;
            for (_, id) in ids {
                if let Some(change) = self.change(step, &id)? {
                    each(change)?;
                }
            }
        }
    }

    /// Returns the state of the change that a step made to a record.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn change_state(&self, step: i64, id: &str) -> Result<Option<ChangeState>, StoreError> {
        self.run("reading the history", |connection| {
            let Some(entry) = entry_of_id(connection, step, id)? else { return Ok(None) };
            let revision = current(connection, &entry)?.map(|record| record.revision);
            state_of(connection, step, &entry, revision).map(Some)
        })
    }

    /// Returns the ids of a step's records that no longer exist, in order.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn deleted_since(&self, step: i64) -> Result<Vec<String>, StoreError> {
        self.run("reading the history", |connection| {
            connection
                .prepare_cached(
                    "SELECT connector_id FROM history_changes AS c WHERE step = ?1
                     AND NOT EXISTS (SELECT 1 FROM connectors WHERE key = c.key) ORDER BY connector_id",
                )?
                .query_map([step], |row| row.get(0))?
                .collect()
        })
    }

    /// Returns the newest steps that changed a record, the newest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn history_of(&self, id: &str, limit: usize) -> Result<Vec<RecordStep>, StoreError> {
        self.run("reading the history", |connection| {
            let Some(key) = key_of(connection, id)? else { return Ok(Vec::new()) };
            // CROSS keeps the order of the join: each step looks the record up by primary key, without an index by
            // record.
            let sql = format!(
                "SELECT {STEP}, c.after FROM history AS h
                 CROSS JOIN history_changes AS c ON c.step = h.step AND c.key = ?1
                 ORDER BY h.step DESC LIMIT ?2"
            );
            connection
                .prepare_cached(&sql)?
                .query_map(params![key, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                    let columns = patch::parse(row.get(12)?).unwrap_or_default().keys().cloned().collect();
                    Ok(RecordStep { step: step_of(row)?, columns })
                })?
                .collect()
        })
    }
}

/// Returns a step's entry of a key.
pub(super) fn entry(connection: &Connection, step: i64, key: i64) -> rusqlite::Result<Option<Entry>> {
    connection
        .prepare_cached(&format!("SELECT {ENTRY} FROM history_changes AS c WHERE step = ?1 AND key = ?2"))?
        .query_row(params![step, key], entry_of)
        .optional()
}

/// Returns the entry of a step by id. Another program may have replaced the record, so its key is unknown: the step is
/// scanned.
pub(super) fn entry_of_id(connection: &Connection, step: i64, id: &str) -> rusqlite::Result<Option<Entry>> {
    let key = key_of(connection, id)?;
    if let Some(found) = key.map(|key| entry(connection, step, key)).transpose()?.flatten() {
        return Ok(Some(found));
    }
    connection
        .prepare_cached(&format!("SELECT {ENTRY} FROM history_changes AS c WHERE step = ?1 AND connector_id = ?2"))?
        .query_row(params![step, id], entry_of)
        .optional()
}

/// Returns the current record of an entry: by its key, else by its id.
pub(super) fn current(connection: &Connection, entry: &Entry) -> rusqlite::Result<Option<Connector>> {
    match get_by_key(connection, entry.key)? {
        None => get(connection, &entry.id),
        found => Ok(found),
    }
}

/// The columns of an entry, of the table `c`.
pub(super) const ENTRY: &str = "c.key, c.connector_id, c.before, c.after, c.revision";

/// The number of columns of [`ENTRY`].
pub(super) const ENTRY_WIDTH: usize = 5;

/// Reads a row that begins with [`ENTRY`].
pub(super) fn entry_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        key: row.get(0)?,
        id: row.get(1)?,
        before: patch::parse(row.get(2)?),
        after: patch::parse(row.get(3)?),
        revision: row.get(4)?,
    })
}

/// Returns the record before a change, given its state right after it; `None` if it did not exist or is unknown.
pub(super) fn before_change(entry: &Entry, after: Option<&Connector>) -> Option<Connector> {
    let image = entry.before.as_ref()?;
    let base = match after {
        Some(after) => after.clone(),
        None if patch::is_complete(image) => Connector { key: entry.key, ..Connector::new(&entry.id, "") },
        None => return None,
    };
    Some(Connector { revision: patch::revision_of(image), ..with_columns(base, image) })
}

/// Returns the effect of a revert on the current record. Later changes of other columns stay.
pub(super) fn back_of(
    connection: &Connection,
    step: i64,
    entry: &Entry,
    now: Option<&Connector>,
) -> rusqlite::Result<RevertPreview> {
    let Some(image) = &entry.before else { return Ok(RevertPreview::Deleted) };
    let after = state_after(connection, step, entry.key, now.cloned())?;
    let before = before_change(entry, after.as_ref());
    Ok(match (now, before) {
        (Some(now), Some(before)) => RevertPreview::Record(Box::new(patch::merge_patch(now.clone(), image, &before))),
        (None, Some(before)) => RevertPreview::Record(Box::new(before)),
        (_, None) => RevertPreview::Unknown,
    })
}

/// Returns the record right after a step: the current one with every later change removed in turn.
pub(super) fn state_after(
    connection: &Connection,
    step: i64,
    key: i64,
    now: Option<Connector>,
) -> rusqlite::Result<Option<Connector>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ENTRY} FROM history AS h CROSS JOIN history_changes AS c ON c.step = h.step AND c.key = ?1
         WHERE h.step > ?2 ORDER BY h.step DESC"
    ))?;
    let mut rows = statement.query(params![key, step])?;
    let mut state = now;
    while let Some(row) = rows.next()? {
        state = before_change(&entry_of(row)?, state.as_ref());
    }
    Ok(state)
}

/// Returns the state of the change that a step made to an existing record.
pub(in crate::store) fn change_state(
    connection: &Connection,
    step: i64,
    (key, revision): (i64, i64),
) -> rusqlite::Result<Option<ChangeState>> {
    let Some(entry) = entry(connection, step, key)? else { return Ok(None) };
    state_of(connection, step, &entry, Some(revision)).map(Some)
}

pub(super) fn state_of(
    connection: &Connection,
    step: i64,
    entry: &Entry,
    now: Option<i64>,
) -> rusqlite::Result<ChangeState> {
    if is_undone(connection, step, entry.key)? {
        return Ok(ChangeState::Undone);
    }
    Ok(match (now, entry.revision) {
        (None, None) => ChangeState::Applied,
        (Some(now), Some(revision)) if now == revision => ChangeState::Applied,
        (None, Some(_)) => ChangeState::DeletedSince,
        (Some(_), _) => ChangeState::ModifiedSince,
    })
}

/// Returns whether an applied step reverted this change; a redone step counts as its original.
pub(super) fn is_undone(connection: &Connection, step: i64, key: i64) -> rusqlite::Result<bool> {
    let step = redo_of(connection, step)?.unwrap_or(step);
    connection
        .prepare_cached(
            "SELECT EXISTS (
               SELECT 1 FROM history AS h
               CROSS JOIN history_changes AS c ON c.step = h.step AND c.key = ?2
               WHERE h.reverts = ?1 AND h.state <> 'reverted')",
        )?
        .query_row(params![step, key], |row| row.get(0))
}

/// Returns the step that a redo redid.
pub(super) fn redo_of(connection: &Connection, step: i64) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached(
            "SELECT undone.reverts FROM history AS h JOIN history AS undone ON undone.step = h.reverts
             WHERE h.step = ?1 AND h.kind IN ('undo', 'rollback') AND undone.kind IN ('undo', 'rollback')",
        )?
        .query_row([step], |row| row.get(0))
        .optional()
        .map(Option::flatten)
}
