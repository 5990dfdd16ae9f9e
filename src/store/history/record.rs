//! One record's part in the history: what a step did to it, and what became of that.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::connectors::get;
use super::image::{self, Image, with_columns};
use super::revert::later_than;
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
            let state = state_of(connection, step, &entry, now.as_ref().map(|record| record.revision))?;
            let after = match entry.after.as_ref() {
                None => None,
                // Where nothing else is known of the record, at least what changed is shown.
                Some(image) => Some(with_columns(
                    state_after(connection, step, id, now.clone())?.unwrap_or_else(|| Connector::new(id, "")),
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
        self.run("reading the history", |connection| Ok(entry(connection, step, id)?.is_some()))
    }

    /// Calls `each` with every change of a step, by id.
    ///
    /// # Errors
    /// When the file cannot be read, or what `each` returns.
    pub fn each_change<E: From<StoreError>>(
        &self,
        step: i64,
        mut each: impl FnMut(RecordChange) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut after: Option<String> = None;
        loop {
            let ids: Vec<String> = self.run("reading the history", |connection| {
                connection
                    .prepare_cached(&format!(
                        "SELECT connector_id FROM history_changes
                         WHERE step = ?1 AND connector_id {} ?2 ORDER BY connector_id LIMIT 500",
                        later_than(after.as_deref())
                    ))?
                    .query_map(params![step, after.as_deref().unwrap_or_default()], |row| row.get(0))?
                    .collect()
            })?;
            let Some(last) = ids.last() else { return Ok(()) };
            after = Some(last.clone());
            for id in ids {
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
        self.run("reading the history", |connection| change_state(connection, step, id))
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
                     AND NOT EXISTS (SELECT 1 FROM connectors WHERE id = c.connector_id) ORDER BY connector_id",
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
                    let columns = image::parse(row.get(12)?).unwrap_or_default().keys().cloned().collect();
                    Ok(RecordStep { step: step_of(row)?, columns })
                })?
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

/// The record before a change, given what it was right after it; none when it was not there, or when nobody
/// knows what it was.
pub(super) fn before_change(entry: &Entry, after: Option<&Connector>) -> Option<Connector> {
    let image = entry.before.as_ref()?;
    let base = match after {
        Some(after) => after.clone(),
        None if image::is_whole(image) => Connector::new(&entry.id, ""),
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
    let after = state_after(connection, step, &entry.id, now.cloned())?;
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

pub(in crate::store) fn change_state(
    connection: &Connection,
    step: i64,
    id: &str,
) -> rusqlite::Result<Option<ChangeState>> {
    let Some(entry) = entry(connection, step, id)? else { return Ok(None) };
    let revision = connection
        .prepare_cached("SELECT revision FROM connectors WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    state_of(connection, step, &entry, revision).map(Some)
}

pub(super) fn state_of(
    connection: &Connection,
    step: i64,
    entry: &Entry,
    now: Option<i64>,
) -> rusqlite::Result<ChangeState> {
    if is_taken_back(connection, step, &entry.id)? {
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
pub(super) fn is_taken_back(connection: &Connection, step: i64, id: &str) -> rusqlite::Result<bool> {
    let step = brought_again(connection, step)?.unwrap_or(step);
    connection
        .prepare_cached(
            "SELECT EXISTS (
               SELECT 1 FROM history AS h
               CROSS JOIN history_changes AS c ON c.step = h.step AND c.connector_id = ?2
               WHERE h.reverts = ?1 AND h.state <> 'reverted')",
        )?
        .query_row(params![step, id], |row| row.get(0))
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
