//! One record's part in the history: what a step did to it, and what became of that.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::connectors::{get, get_by_key, key_of};
use super::image::{self, Image, with_columns};
use super::{STEP, Step, step_of};
use crate::domain::change::{ChangeInStep, ChangeState, changes};
use crate::domain::{Connector, Summary};
use crate::store::requests::sent_text;
use crate::store::{Store, StoreError};

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
    /// What taking the change back would make of the record now.
    pub back: Back,
    /// What has become of it.
    pub state: ChangeState,
    /// Of a push: what was sent, and what came of it.
    pub sent: Option<String>,
}

/// What taking a change back makes of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Back {
    /// This.
    Record(Box<Connector>),
    /// It is deleted.
    Gone,
    /// Another program deleted the record, and the history holds only what the change was about.
    Unknown,
}

/// Of a decision between the file and Kibana.
const NOTHING: &str = "the record stayed as it was";

impl RecordChange {
    /// The record on the side where it is there: after, else before, else now.
    pub fn record(&self) -> Option<&Connector> {
        self.after.as_ref().or(self.before.as_ref()).or(self.now.as_ref())
    }

    /// Its name; the id where the history does not hold the name.
    pub fn name(&self) -> &str {
        let named = self.record().map(|record| record.name.as_str()).filter(|name| !name.is_empty());
        named.unwrap_or(&self.id)
    }

    /// For filters, whether the record is in the file or not.
    pub fn summary(&self) -> Summary {
        let name = self.name().to_owned();
        // A push and a decision are also about what is not in the file.
        let record = self.record().cloned().unwrap_or_else(|| Connector::new(&self.id, ""));
        Summary { name, change: Some(self.in_step()), ..Summary::of(&record) }
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
                let text = |change: &crate::domain::change::Change| {
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
    pub step: Step,
    /// The fields it changed, by the names of the columns; none when it added or deleted the record.
    pub columns: Vec<String>,
}

/// What the journal holds of one change.
pub(super) struct Entry {
    pub(super) key: i64,
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
            let Some(entry) = entry_of_id(connection, step, id)? else {
                return Ok(None);
            };
            let now = current(connection, &entry)?;
            let state = state_of(connection, step, &entry, now.as_ref().map(|record| record.revision))?;
            let after = match entry.after.as_ref() {
                None => None,
                // Where nothing else is known of the record, at least what changed is shown.
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

    /// Whether a step is about a record.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn is_in_step(&self, step: i64, id: &str) -> Result<bool, StoreError> {
        self.run("reading the history", |connection| {
            let Some(key) = key_of(connection, id)? else { return Ok(false) };
            Ok(entry(connection, step, key)?.is_some())
        })
    }

    /// Calls `each` with every change of a step, in the order of the table.
    ///
    /// # Errors
    /// When the file cannot be read, or what `each` returns.
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

    /// What has become of a step's change of a record, which it did change.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn change_state(&self, step: i64, id: &str) -> Result<Option<ChangeState>, StoreError> {
        self.run("reading the history", |connection| {
            let Some(entry) = entry_of_id(connection, step, id)? else { return Ok(None) };
            let revision = current(connection, &entry)?.map(|record| record.revision);
            state_of(connection, step, &entry, revision).map(Some)
        })
    }

    /// The ids of a step's records that are not in the file, in order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn gone_since(&self, step: i64) -> Result<Vec<String>, StoreError> {
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

    /// The newest steps that changed a record, the newest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn history_of(&self, id: &str, limit: usize) -> Result<Vec<RecordStep>, StoreError> {
        self.run("reading the history", |connection| {
            let Some(key) = key_of(connection, id)? else { return Ok(Vec::new()) };
            // CROSS keeps the order of the join: every step is asked for this record by the primary key, which
            // needs no index by record.
            let sql = format!(
                "SELECT {STEP}, c.after FROM history AS h
                 CROSS JOIN history_changes AS c ON c.step = h.step AND c.key = ?1
                 ORDER BY h.step DESC LIMIT ?2"
            );
            connection
                .prepare_cached(&sql)?
                .query_map(params![key, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                    let columns = image::parse(row.get(12)?).unwrap_or_default().keys().cloned().collect();
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

/// Returns a step's entry of an id. Another program may have put another record in the place of the one of then, whose key
/// nobody knows: the step is gone through.
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

/// Returns what is in the file now of the record of an entry: under its key, else under its id.
pub(super) fn current(connection: &Connection, entry: &Entry) -> rusqlite::Result<Option<Connector>> {
    match get_by_key(connection, entry.key)? {
        None => get(connection, &entry.id),
        found => Ok(found),
    }
}

/// The columns of an entry, of the table `c`.
pub(super) const ENTRY: &str = "c.key, c.connector_id, c.before, c.after, c.revision";

/// How many columns [`ENTRY`] names.
pub(super) const ENTRY_WIDTH: usize = 5;

/// Reads a row that begins with [`ENTRY`].
pub(super) fn entry_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        key: row.get(0)?,
        id: row.get(1)?,
        before: image::parse(row.get(2)?),
        after: image::parse(row.get(3)?),
        revision: row.get(4)?,
    })
}

/// The record before a change, given what it was right after it; none when it was not there, or when nobody
/// knows what it was.
pub(super) fn before_change(entry: &Entry, after: Option<&Connector>) -> Option<Connector> {
    let image = entry.before.as_ref()?;
    let base = match after {
        Some(after) => after.clone(),
        None if image::is_whole(image) => Connector { key: entry.key, ..Connector::new(&entry.id, "") },
        None => return None,
    };
    Some(Connector { revision: image::revision_of(image), ..with_columns(base, image) })
}

/// What taking a change back makes of the record as it is now. What was changed since stays, but for the columns
/// that the change was about.
pub(super) fn back_of(
    connection: &Connection,
    step: i64,
    entry: &Entry,
    now: Option<&Connector>,
) -> rusqlite::Result<Back> {
    let Some(image) = &entry.before else { return Ok(Back::Gone) };
    let after = state_after(connection, step, entry.key, now.cloned())?;
    let before = before_change(entry, after.as_ref());
    Ok(match (now, before) {
        (Some(now), Some(before)) => Back::Record(Box::new(image::put_over(now.clone(), image, &before))),
        (None, Some(before)) => Back::Record(Box::new(before)),
        (_, None) => Back::Unknown,
    })
}

/// The record right after a step: what it is now, with every later change taken off in turn.
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

/// What has become of a step's change of a record that is in the file.
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
    if is_taken_back(connection, step, entry.key)? {
        return Ok(ChangeState::TakenBack);
    }
    Ok(match (now, entry.revision) {
        (None, None) => ChangeState::InForce,
        (Some(now), Some(revision)) if now == revision => ChangeState::InForce,
        (None, Some(_)) => ChangeState::DeletedSince,
        (Some(_), _) => ChangeState::ChangedSince,
    })
}

/// A step that is in force took this change back; what was brought again is taken back where it came from.
pub(super) fn is_taken_back(connection: &Connection, step: i64, key: i64) -> rusqlite::Result<bool> {
    let step = brought_again(connection, step)?.unwrap_or(step);
    connection
        .prepare_cached(
            "SELECT EXISTS (
               SELECT 1 FROM history AS h
               CROSS JOIN history_changes AS c ON c.step = h.step AND c.key = ?2
               WHERE h.reverts = ?1 AND h.state <> 'reverted')",
        )?
        .query_row(params![step, key], |row| row.get(0))
}

/// Of a step that brought another one again: that one.
pub(super) fn brought_again(connection: &Connection, step: i64) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached(
            "SELECT undone.reverts FROM history AS h JOIN history AS undone ON undone.step = h.reverts
             WHERE h.step = ?1 AND h.kind IN ('undo', 'rollback') AND undone.kind IN ('undo', 'rollback')",
        )?
        .query_row([step], |row| row.get(0))
        .optional()
        .map(Option::flatten)
}
