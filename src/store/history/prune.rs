//! Pruning of old steps; off until a user sets a limit.

use rusqlite::{Connection, OptionalExtension, params};

use crate::store::Progress;
use crate::store::records::connectors::count;
use crate::store::{Store, StoreError};

/// The limits of the history; none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryLimits {
    /// Steps older than this number of days are pruned.
    pub days: Option<u32>,
    /// The oldest steps are pruned until the rest takes at most this number of megabytes.
    pub megabytes: Option<u32>,
}

/// The size of the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistorySize {
    /// Steps.
    pub steps: u64,
    /// Changes of records in them.
    pub changes: u64,
    /// The size in bytes.
    pub bytes: u64,
}

/// The result of a prune.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Steps.
    pub steps: u64,
    /// The freed size in bytes; the file keeps it for later use.
    pub bytes: u64,
}

impl HistoryLimits {
    /// Returns whether there is no limit.
    pub fn is_off(self) -> bool {
        self == Self::default()
    }
}

const DAYS: &str = "history_days";
const MEGABYTES: &str = "history_megabytes";

impl Store {
    /// Returns the limits of this file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn history_limits(&self) -> Result<HistoryLimits, StoreError> {
        self.run("reading the settings", |connection| {
            Ok(HistoryLimits { days: setting(connection, DAYS)?, megabytes: setting(connection, MEGABYTES)? })
        })
    }

    /// Sets the limits of this file, without pruning.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn set_history_limits(&mut self, limits: HistoryLimits) -> Result<(), StoreError> {
        self.transaction("keeping the settings", |connection| {
            let set = |name, value| set_setting(connection, name, value);
            set(DAYS, limits.days)
                .and_then(|()| set(MEGABYTES, limits.megabytes))
                .map_err(StoreError::on(connection, "keeping the settings"))
        })
    }

    /// Returns the size of the history.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn history_size(&self) -> Result<HistorySize, StoreError> {
        self.run("reading the history", |connection| {
            connection.query_row(
                "SELECT count(*), coalesce(sum(records), 0), coalesce(sum(bytes), 0) FROM history",
                [],
                |row| Ok(HistorySize { steps: count(row, 0)?, changes: count(row, 1)?, bytes: count(row, 2)? }),
            )
        })
    }

    /// Prunes steps beyond the limits, the oldest first, each in one transaction. An interrupted step, and one that is
    /// being reverted, is kept.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn prune(
        &mut self,
        limits: HistoryLimits,
        now: jiff::Timestamp,
        progress: Progress<'_>,
    ) -> Result<Pruned, StoreError> {
        let mut pruned = Pruned::default();
        if limits.is_off() {
            return Ok(pruned);
        }
        loop {
            let forgotten = self.bookkeeping("forgetting old steps", |connection| {
                forget_one(connection, limits, now).map_err(StoreError::on(connection, "forgetting old steps"))
            })?;
            let Some(bytes) = forgotten else { return Ok(pruned) };
            pruned.steps += 1;
            pruned.bytes += bytes;
            if !progress(pruned.steps, 0) {
                return Ok(pruned);
            }
        }
    }
}

/// Prunes the oldest step if it is beyond the limits; returns its size.
fn forget_one(connection: &Connection, limits: HistoryLimits, now: jiff::Timestamp) -> rusqlite::Result<Option<u64>> {
    let oldest: Option<(i64, String, u64, bool)> = connection
        .prepare_cached(
            "SELECT step, started_at, bytes, state = 'running' OR EXISTS (
               SELECT 1 FROM history AS other WHERE other.reverts = h.step AND other.state = 'running')
             FROM history AS h ORDER BY step LIMIT 1",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, count(row, 2)?, row.get(3)?)))
        .optional()?;
    let Some((step, started_at, bytes, is_needed)) = oldest else {
        return Ok(None);
    };
    if is_needed || !(is_too_old(&started_at, limits, now) || is_too_much(connection, limits)?) {
        return Ok(None);
    }
    connection.execute("UPDATE history SET reverts = NULL WHERE reverts = ?1", [step])?;
    connection.execute("DELETE FROM history WHERE step = ?1", [step])?;
    Ok(Some(bytes))
}

fn is_too_old(started_at: &str, limits: HistoryLimits, now: jiff::Timestamp) -> bool {
    let (Some(days), Ok(started)) = (limits.days, started_at.parse::<jiff::Timestamp>()) else {
        return false;
    };
    now.duration_since(started).as_secs() > i64::from(days) * 86_400
}

fn is_too_much(connection: &Connection, limits: HistoryLimits) -> rusqlite::Result<bool> {
    let Some(megabytes) = limits.megabytes else { return Ok(false) };
    let bytes = connection.query_row("SELECT coalesce(sum(bytes), 0) FROM history", [], |row| count(row, 0))?;
    Ok(bytes > u64::from(megabytes) * 1_000_000)
}

fn setting(connection: &Connection, name: &str) -> rusqlite::Result<Option<u32>> {
    let found: Option<String> =
        connection.query_row("SELECT value FROM settings WHERE name = ?1", [name], |row| row.get(0)).optional()?;
    Ok(found.and_then(|text| text.parse().ok()))
}

fn set_setting(connection: &Connection, name: &str, value: Option<u32>) -> rusqlite::Result<()> {
    match value {
        None => connection.execute("DELETE FROM settings WHERE name = ?1", [name])?,
        Some(value) => connection.execute(
            "INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)",
            params![name, value.to_string()],
        )?,
    };
    Ok(())
}
