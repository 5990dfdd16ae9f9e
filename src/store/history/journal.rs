//! The journal: every change of a record is written here, with its state before and after.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, params, params_from_iter};
use serde_json::json;

use super::{OperationKind, StepState};
use crate::domain::derived::Derived;
use crate::domain::{Connector, migration};
use crate::store::records::columns::{Column, DERIVED, DerivedColumn};
use crate::store::records::connectors::{Insert, insert, key_for};
use crate::store::records::patch;
use crate::store::records::patch::{ColumnPatch, differing, with_revision};

/// Writes records and their patches, within the caller's transaction.
pub(in crate::store) struct Journal<'a> {
    connection: &'a Connection,
    step: i64,
    records: i64,
    bytes: usize,
    is_new: bool,
    /// The name of the first record, which is the subject when it stays the only one.
    first: Option<String>,
    /// The columns that were written last, and the statement for them.
    update: Option<(Vec<&'static str>, String)>,
}

impl<'a> Journal<'a> {
    /// Begins a step. `reverts` is the step that it reverts; `subject` is the imported file; a step about one record
    /// gets its name.
    pub(in crate::store) fn begin(
        connection: &'a Connection,
        kind: OperationKind,
        reverts: Option<i64>,
        subject: Option<&str>,
        now: &str,
    ) -> rusqlite::Result<Self> {
        connection.execute(
            "INSERT INTO history (kind, state, started_at, reverts, subject) VALUES (?1, 'running', ?2, ?3, ?4)",
            params![kind.as_str(), now, reverts, subject],
        )?;
        Ok(Self {
            connection,
            step: connection.last_insert_rowid(),
            records: 0,
            bytes: 0,
            is_new: true,
            first: None,
            update: None,
        })
    }

    /// Resumes a step that an earlier transaction began.
    pub(in crate::store) fn resume(connection: &'a Connection, step: i64) -> Self {
        Self { connection, step, records: 0, bytes: 0, is_new: false, first: None, update: None }
    }

    pub(in crate::store) fn step(&self) -> i64 {
        self.step
    }

    /// Ends the step; one that changed nothing leaves no trace.
    pub(in crate::store) fn finish(self) -> rusqlite::Result<Option<i64>> {
        if self.records == 0 && self.is_new {
            self.connection.execute("DELETE FROM history WHERE step = ?1", [self.step])?;
            return Ok(None);
        }
        self.pause()?;
        let subject = self.first.filter(|_| self.records == 1 && self.is_new);
        self.connection.execute(
            "UPDATE history SET state = 'done', subject = coalesce(subject, ?2) WHERE step = ?1",
            params![self.step, subject],
        )?;
        Ok(Some(self.step))
    }

    /// Stores the counts of a step that continues in another transaction.
    pub(in crate::store) fn pause(&self) -> rusqlite::Result<()> {
        let bytes = i64::try_from(self.bytes).unwrap_or(i64::MAX);
        self.connection.execute(
            "UPDATE history SET records = records + ?2, bytes = bytes + ?3 WHERE step = ?1",
            params![self.step, self.records, bytes],
        )?;
        Ok(())
    }

    /// Adds a record.
    pub(in crate::store) fn insert(&mut self, connector: &mut Connector) -> rusqlite::Result<()> {
        self.put(connector, self.step)
    }

    /// Inserts a record whose derived values are known.
    pub(in crate::store) fn insert_derived(
        &mut self,
        connector: &mut Connector,
        derived: &Derived,
    ) -> rusqlite::Result<()> {
        connector.revision = self.step;
        connector.key = Insert::new(self.connection)?.insert(connector, derived)?;
        self.note(connector, None, Some(&ColumnPatch::new()), Some(self.step))
    }

    /// Adds a record at the revision it is to have.
    pub(super) fn put(&mut self, connector: &mut Connector, revision: i64) -> rusqlite::Result<()> {
        connector.revision = revision;
        connector.key = insert(self.connection, connector)?;
        self.note(connector, None, Some(&ColumnPatch::new()), Some(revision))
    }

    /// The connection that the step is written with.
    pub(in crate::store) fn connection(&self) -> &'a Connection {
        self.connection
    }

    /// Deletes a record.
    pub(in crate::store) fn delete(&mut self, current: &Connector) -> rusqlite::Result<()> {
        self.note(current, Some(&patch::whole(current)), None, None)?;
        self.connection.prepare_cached("DELETE FROM connectors WHERE key = ?1")?.execute([current.key])?;
        Ok(())
    }

    /// Writes the columns that differ; false when the id, read from text that is no UTF-8, finds no row.
    pub(in crate::store) fn update(&mut self, current: &Connector, edited: &mut Connector) -> rusqlite::Result<bool> {
        self.change(current, edited, self.step)
    }

    /// Writes the columns that differ, and the revision the record is to have.
    pub(super) fn change(
        &mut self,
        current: &Connector,
        edited: &mut Connector,
        revision: i64,
    ) -> rusqlite::Result<bool> {
        (edited.revision, edited.key) = (revision, current.key);
        let changed = differing(current, edited);
        // Undo clears a decision without a change of the record; a write that keeps the revision is another program's.
        if changed.is_empty() && revision == current.revision {
            return self.mention(&current.id, Some(current)).map(|()| true);
        }
        if !self.write_columns(edited, &changed)? {
            return Ok(false);
        }
        let before = with_revision(patch::image(current, &changed), current.revision);
        self.note(edited, Some(&before), Some(&patch::image(edited, &changed)), Some(revision))?;
        Ok(true)
    }

    /// Writes columns of a record, its revision, and its derived values.
    fn write_columns(&mut self, edited: &Connector, columns: &[&'static Column]) -> rusqlite::Result<bool> {
        let changes = |derived: &&DerivedColumn| {
            derived.from.iter().any(|from| columns.iter().any(|column| column.name == *from))
        };
        let follows: Vec<&DerivedColumn> = DERIVED.iter().filter(changes).collect();
        let derived = match follows.as_slice() {
            [] => Derived::default(),
            // A migration changes nothing else, and a record at the newest version needs no JSON parsing.
            [one] if one.name == "migration_group" => Derived { group: migration::group(edited), ..Derived::default() },
            _ => Derived::of(edited),
        };
        let values = columns.iter().map(|column| (column.get)(edited));
        let values = values.chain(follows.iter().map(|column| (column.get)(&derived)));
        let own = [ValueRef::Integer(edited.revision), ValueRef::Integer(edited.key)];
        let connection = self.connection;
        let sql = self.update_of(columns, &follows);
        let written =
            connection.prepare_cached(sql)?.execute(params_from_iter(values.chain(own).map(ToSqlOutput::Borrowed)))?;
        Ok(written > 0)
    }

    /// The statement that writes these columns; a job changes the same ones of record after record.
    fn update_of(&mut self, columns: &[&'static Column], follows: &[&DerivedColumn]) -> &str {
        let names = || columns.iter().map(|column| column.name).chain(follows.iter().map(|column| column.name));
        let is_known = self.update.as_ref().is_some_and(|(known, _)| known.iter().copied().eq(names()));
        if !is_known {
            let set: String = names().map(|name| format!("{name} = ?, ")).collect();
            self.update = Some((names().collect(), format!("UPDATE connectors SET {set}revision = ? WHERE key = ?")));
        }
        self.update.as_ref().map_or("", |(_, sql)| sql)
    }

    /// Notes that the step is about a record, or one that is not in the file, without changing it.
    pub(in crate::store) fn mention(&mut self, id: &str, record: Option<&Connector>) -> rusqlite::Result<()> {
        let key = record.map_or_else(|| key_for(self.connection, id), |record| Ok(record.key))?;
        let gone = Connector { key, ..Connector::new(id, "") };
        let before = record.map(|record| with_revision(ColumnPatch::new(), record.revision));
        let after = record.map(|_| ColumnPatch::new());
        let revision = record.map(|record| record.revision);
        self.note(record.unwrap_or(&gone), before.as_ref(), after.as_ref(), revision)
    }

    fn note(
        &mut self,
        record: &Connector,
        before: Option<&ColumnPatch>,
        after: Option<&ColumnPatch>,
        revision: Option<i64>,
    ) -> rusqlite::Result<()> {
        let text = |image: Option<&ColumnPatch>| image.map(|image| json!(image).to_string());
        let (before, after) = (text(before), text(after));
        self.bytes += [&before, &after].into_iter().flatten().map(String::len).sum::<usize>();
        self.connection
            .prepare_cached("INSERT INTO history_changes VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![self.step, record.key, record.id, before, after, revision])?;
        self.records += 1;
        if self.records == 1 {
            self.first = Some(record.name.clone());
        }
        Ok(())
    }
}

impl Journal<'_> {
    /// Returns whether no earlier transaction wrote this step.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// Sets the state of another step.
    pub(in crate::store) fn set_state(&self, step: i64, state: StepState) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("UPDATE history SET state = ?2 WHERE step = ?1")?
            .execute(params![step, state.as_str()])
            .map(|_| ())
    }
}
