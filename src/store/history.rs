//! The journal: every change with what was before and after, and taking a step back.
//!
//! A step is one action of a person (an edit, an import, a migration run). It can be taken back record
//! by record as long as the record has not been changed since, which its revision tells.

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use serde_json::{Map, Value, json};

use super::Progress;
use super::connectors::{get, insert};
use super::error::StoreError;
use super::open::Store;
use crate::domain::model_version::Outcome;
use crate::domain::{AuthMode, Connector};

/// What a step was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    Edit,
    AuthMode,
    Delete,
    Import,
    Migration,
    Rollback,
    Undo,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Kind::Create => "create",
            Kind::Edit => "edit",
            Kind::AuthMode => "auth mode",
            Kind::Delete => "delete",
            Kind::Import => "import",
            Kind::Migration => "migration",
            Kind::Rollback => "rollback",
            Kind::Undo => "undo",
        }
    }
}

/// One step of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub step: i64,
    /// `create`, `edit`, `auth mode`, `delete`, `import`, `migration`, `rollback` or `undo`.
    pub kind: String,
    /// `running` (or interrupted), `done` or `reverted`.
    pub state: String,
    /// ISO 8601.
    pub started_at: String,
    /// Records it changed.
    pub records: i64,
}

/// What taking a step back did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reverted {
    /// The step that was taken back.
    pub step: Step,
    /// Records that are as before.
    pub restored: u64,
    /// Its id and name, when it was one that is there.
    pub only: Option<(String, String)>,
    /// Ids that were changed since, and were left alone.
    pub conflicts: Vec<String>,
}

/// Writes records and what they were, within the caller's transaction.
pub(super) struct Journal<'a> {
    connection: &'a Connection,
    step: i64,
    records: i64,
    is_new: bool,
}

impl<'a> Journal<'a> {
    pub(super) fn begin(
        connection: &'a Connection,
        kind: Kind,
        reverts: Option<i64>,
        now: &str,
    ) -> rusqlite::Result<Self> {
        connection.execute(
            "INSERT INTO history (kind, state, started_at, reverts) VALUES (?1, 'running', ?2, ?3)",
            params![kind.as_str(), now, reverts],
        )?;
        Ok(Self { connection, step: connection.last_insert_rowid(), records: 0, is_new: true })
    }

    /// Goes on with a step that an earlier transaction began.
    pub(super) fn resume(connection: &'a Connection, step: i64) -> Self {
        Self { connection, step, records: 0, is_new: false }
    }

    pub(super) fn step(&self) -> i64 {
        self.step
    }

    /// Ends the step; one that changed nothing leaves no trace.
    pub(super) fn finish(self) -> rusqlite::Result<Option<i64>> {
        if self.records == 0 && self.is_new {
            self.connection.execute("DELETE FROM history WHERE step = ?1", [self.step])?;
            return Ok(None);
        }
        self.pause()?;
        self.connection.execute("UPDATE history SET state = 'done' WHERE step = ?1", [self.step])?;
        Ok(Some(self.step))
    }

    /// Keeps the count of a step that goes on in another transaction.
    pub(super) fn pause(&self) -> rusqlite::Result<()> {
        self.connection
            .execute("UPDATE history SET records = records + ?2 WHERE step = ?1", params![self.step, self.records])?;
        Ok(())
    }

    /// Adds a record.
    pub(super) fn insert(&mut self, connector: &mut Connector) -> rusqlite::Result<()> {
        self.put(connector, self.step)
    }

    fn put(&mut self, connector: &mut Connector, revision: i64) -> rusqlite::Result<()> {
        connector.revision = revision;
        insert(self.connection, connector)?;
        self.note(&connector.id, None, Some(&Map::new()), Some(revision))
    }

    pub(super) fn delete(&mut self, current: &Connector) -> rusqlite::Result<()> {
        self.note(&current.id, Some(&with_revision(columns(current), current.revision)), None, None)?;
        self.connection.prepare_cached("DELETE FROM connectors WHERE id = ?1")?.execute([&current.id])?;
        Ok(())
    }

    /// Writes the columns that differ.
    pub(super) fn update(&mut self, current: &Connector, edited: &mut Connector) -> rusqlite::Result<()> {
        self.change(current, edited, self.step)
    }

    fn change(&mut self, current: &Connector, edited: &mut Connector, revision: i64) -> rusqlite::Result<()> {
        edited.revision = revision;
        let (old, new) = (columns(current), columns(edited));
        let changed: Vec<&String> = new.keys().filter(|key| old.get(*key) != new.get(*key)).collect();
        let part = |of: &Map<String, Value>| {
            changed.iter().filter_map(|key| Some(((*key).clone(), of.get(*key)?.clone()))).collect::<Map<_, _>>()
        };
        let after = part(&new);
        self.write_columns(&current.id, &after, revision)?;
        self.note(&current.id, Some(&with_revision(part(&old), current.revision)), Some(&after), Some(revision))
    }

    /// The two columns a migration writes; false when the id, read from text that is no UTF-8, finds no row.
    pub(super) fn migrate(&mut self, current: &Connector, outcome: Outcome) -> rusqlite::Result<bool> {
        let image = |mode: Option<AuthMode>, version: i64| {
            let mut image = Map::new();
            image.insert("auth_mode".to_owned(), json!(mode.map(AuthMode::as_str)));
            image.insert("model_version".to_owned(), json!(version));
            image
        };
        let written = self
            .connection
            .prepare_cached("UPDATE connectors SET auth_mode = ?2, model_version = ?3, revision = ?4 WHERE id = ?1")?
            .execute(params![current.id, outcome.auth_mode.map(AuthMode::as_str), outcome.model_version, self.step])?;
        let before = with_revision(image(current.auth_mode, current.model_version), current.revision);
        let after = image(outcome.auth_mode, outcome.model_version);
        if written > 0 {
            self.note(&current.id, Some(&before), Some(&after), Some(self.step))?;
        }
        Ok(written > 0)
    }

    fn write_columns(&self, id: &str, new: &Map<String, Value>, revision: i64) -> rusqlite::Result<()> {
        let names: String = new.keys().map(|name| format!("{name} = ?, ")).collect();
        let values = new.values().map(sql_value).chain([Sql::from(revision), Sql::from(id.to_owned())]);
        self.connection
            .prepare_cached(&format!("UPDATE connectors SET {names}revision = ? WHERE id = ?"))?
            .execute(params_from_iter(values))?;
        Ok(())
    }

    fn note(
        &mut self,
        id: &str,
        before: Option<&Map<String, Value>>,
        after: Option<&Map<String, Value>>,
        revision: Option<i64>,
    ) -> rusqlite::Result<()> {
        let text = |image: Option<&Map<String, Value>>| image.map(|image| json!(image).to_string());
        self.connection.prepare_cached("INSERT INTO history_changes VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
            self.step,
            id,
            text(before),
            text(after),
            revision
        ])?;
        self.records += 1;
        Ok(())
    }
}

fn with_revision(mut image: Map<String, Value>, revision: i64) -> Map<String, Value> {
    image.insert("revision".to_owned(), json!(revision));
    // What a hand wrote into the file in the clear does not get a second place to lie in.
    if image.get("secrets").and_then(Value::as_str).is_some_and(|text| text.trim_start().starts_with('{')) {
        image.remove("secrets");
    }
    image
}

/// A record's columns but its id and revision.
fn columns(connector: &Connector) -> Map<String, Value> {
    let Value::Object(map) = json!({
        "connector_type_id": connector.connector_type_id,
        "name": connector.name,
        "config": connector.config,
        "secrets": connector.secrets,
        "is_missing_secrets": i64::from(connector.is_missing_secrets),
        "extra": connector.extra,
        "model_version": connector.model_version,
        "created_at": connector.created_at,
        "updated_at": connector.updated_at,
        "auth_mode": connector.auth_mode.map(AuthMode::as_str),
    }) else {
        return Map::new();
    };
    map
}

fn sql_value(value: &Value) -> Sql {
    match value {
        Value::String(text) => Sql::Text(text.clone()),
        Value::Number(number) => number.as_i64().map_or(Sql::Null, Sql::Integer),
        _ => Sql::Null,
    }
}

/// A record with the columns of `image` in place of its own.
fn with_columns(mut connector: Connector, image: &Map<String, Value>) -> Connector {
    for (name, value) in image {
        let text = value.as_str().map(str::to_owned);
        match name.as_str() {
            "connector_type_id" => connector.connector_type_id = text.unwrap_or_default(),
            "name" => connector.name = text.unwrap_or_default(),
            "config" => connector.config = text.unwrap_or_default(),
            "secrets" => connector.secrets = text,
            "is_missing_secrets" => connector.is_missing_secrets = value.as_i64() == Some(1),
            "extra" => connector.extra = text.unwrap_or_default(),
            "model_version" => connector.model_version = value.as_i64().unwrap_or(1),
            "created_at" => connector.created_at = text,
            "updated_at" => connector.updated_at = text,
            "auth_mode" => connector.auth_mode = text.as_deref().and_then(AuthMode::parse),
            _ => {}
        }
    }
    connector
}

struct Entry {
    id: String,
    before: Option<Map<String, Value>>,
    revision: Option<i64>,
}

impl Store {
    /// The newest step that can be taken back with undo.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_step(&self) -> Result<Option<Step>, StoreError> {
        self.find_step("state <> 'reverted' AND kind NOT IN ('undo', 'rollback')")
    }

    /// The newest migration run that has not been rolled back.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_run(&self) -> Result<Option<Step>, StoreError> {
        self.find_step("state <> 'reverted' AND kind = 'migration'")
    }

    /// One step by its number.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn step(&self, step: i64) -> Result<Option<Step>, StoreError> {
        self.find_step(&format!("step = {step}"))
    }

    fn find_step(&self, condition: &str) -> Result<Option<Step>, StoreError> {
        self.run("reading the history", |connection| find_step(connection, condition))
    }

    /// Takes a step back, in one transaction: each record goes back exactly, unless it was changed since.
    ///
    /// # Errors
    /// [`StoreError::History`] when there is no such step or it was taken back already; when the file
    /// cannot be written or the job was stopped (nothing is changed then).
    pub fn revert(&mut self, step: i64, now: &str, progress: Progress<'_>) -> Result<Reverted, StoreError> {
        let path = self.path.clone();
        let wrap = |error| StoreError::of_sqlite(&path, "taking a step back", error);
        self.transaction("taking a step back", |connection| {
            // Looked up under the write lock: another program may be taking the same step back.
            let found = find_step(connection, &format!("step = {step}")).map_err(wrap)?;
            let Some(found) = found else {
                return Err(StoreError::History(format!("there is no step {step} in the history")));
            };
            if found.state == "reverted" {
                return Err(StoreError::History(format!("step {step} ({}) was taken back already", found.kind)));
            }
            let kind = if found.kind == "migration" { Kind::Rollback } else { Kind::Undo };
            let mut journal = Journal::begin(connection, kind, Some(step), now).map_err(wrap)?;
            let mut conflicts = Vec::new();
            let (mut restored, mut done, mut only) = (0, 0, None);
            let mut after = String::new();
            loop {
                let entries = entries(connection, step, &after).map_err(wrap)?;
                let Some(last) = entries.last() else { break };
                after = last.id.clone();
                for entry in entries {
                    if restore(&mut journal, connection, &entry).map_err(wrap)? {
                        restored += 1;
                        only = (restored == 1).then_some(entry.id);
                    } else {
                        conflicts.push(entry.id);
                    }
                    done += 1;
                }
                if !progress(done, u64::try_from(found.records).unwrap_or(0)) {
                    return Err(StoreError::Cancelled);
                }
            }
            if restored > 0 {
                connection.execute("UPDATE history SET state = 'reverted' WHERE step = ?1", [step]).map_err(wrap)?;
            }
            journal.finish().map_err(wrap)?;
            let only = only.and_then(|id: String| get(connection, &id).transpose()).transpose().map_err(wrap)?;
            let only = only.map(|connector| (connector.id, connector.name));
            Ok(Reverted { step: found, restored, only, conflicts })
        })
    }
}

fn find_step(connection: &Connection, condition: &str) -> rusqlite::Result<Option<Step>> {
    let sql = format!(
        "SELECT step, kind, state, started_at, records FROM history WHERE {condition} ORDER BY step DESC LIMIT 1"
    );
    connection
        .query_row(&sql, [], |row| {
            Ok(Step {
                step: row.get(0)?,
                kind: row.get(1)?,
                state: row.get(2)?,
                started_at: row.get(3)?,
                records: row.get(4)?,
            })
        })
        .optional()
}

fn entries(connection: &Connection, step: i64, after: &str) -> rusqlite::Result<Vec<Entry>> {
    connection
        .prepare_cached(
            "SELECT connector_id, before, revision FROM history_changes
             WHERE step = ?1 AND connector_id > ?2 ORDER BY connector_id LIMIT 500",
        )?
        .query_map(params![step, after], |row| {
            let before: Option<String> = row.get(1)?;
            Ok(Entry {
                id: row.get(0)?,
                before: before.and_then(|text| serde_json::from_str(&text).ok()),
                revision: row.get(2)?,
            })
        })?
        .collect()
}

/// Puts one record back, its revision too: what an earlier step wrote is there again, and can be taken
/// back in its turn. False when it was changed since.
fn restore(journal: &mut Journal<'_>, connection: &Connection, entry: &Entry) -> rusqlite::Result<bool> {
    let current = get(connection, &entry.id)?;
    let was = |before: &Map<String, Value>| before.get("revision").and_then(Value::as_i64).unwrap_or(0);
    match (current, entry.revision, &entry.before) {
        (Some(current), Some(revision), Some(before)) if current.revision == revision => {
            let mut edited = with_columns(current.clone(), before);
            journal.change(&current, &mut edited, was(before))?;
            Ok(true)
        }
        (Some(current), Some(revision), None) if current.revision == revision => {
            journal.delete(&current)?;
            Ok(true)
        }
        (None, None, Some(before)) => {
            let mut deleted = with_columns(Connector::new(&entry.id, ""), before);
            journal.put(&mut deleted, was(before))?;
            Ok(true)
        }
        _ => Ok(false),
    }
}
