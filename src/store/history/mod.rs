//! The history: every change with its state before and after, and revert.
//!
//! A step is one action of a user (an edit, an import, a migration run). `journal` writes it, with `patch` as its
//! format; `record` shows the changes of one record; `revert` undoes and redoes steps, record by record, as long as the
//! revision shows that the record was not changed since; `prune` drops old steps where the file asks for that.
//!
//! A step that reverts another one names it in `reverts`. A step that reverts such a step is a redo: the first one is
//! applied again.

mod journal;
mod prune;
mod record;
mod revert;

use rusqlite::{Connection, OptionalExtension, Row};
use strum::{EnumString, IntoStaticStr};

use super::error::StoreError;
use super::file::open::Store;

pub(super) use journal::Journal;
pub use prune::{HistoryLimits, HistorySize, Pruned};
pub(super) use record::change_state;
pub use record::{RecordChange, RecordStep, RevertPreview};
pub use revert::Reverted;

/// The kind of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum OperationKind {
    /// A connector was added.
    Create,
    /// A connector was edited.
    Edit,
    /// Auth modes were set.
    #[strum(serialize = "auth mode")]
    AuthMode,
    /// Connectors were deleted.
    Delete,
    /// An export was imported.
    Import,
    /// A migration run.
    Migration,
    /// A migration run was rolled back.
    Rollback,
    /// Another step was undone.
    Undo,
    /// Changes of Kibana were pulled.
    Pull,
    /// Connectors were sent to Kibana; the file did not change.
    Push,
    /// The user chose a side where the file and Kibana differ.
    Resolve,
}

impl OperationKind {
    /// Returns the word for the file, for JSON and for the UI.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns whether the step reverts another one.
    pub fn is_inverse(self) -> bool {
        matches!(self, OperationKind::Rollback | OperationKind::Undo)
    }
}

/// The state of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum StepState {
    /// The step is running, or was interrupted.
    Running,
    /// The step is applied.
    Done,
    /// The step was reverted.
    Reverted,
}

impl StepState {
    /// Returns the word for the file and for JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One step of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The number.
    pub step: i64,
    /// The kind.
    pub kind: OperationKind,
    /// The state.
    pub state: StepState,
    /// ISO 8601.
    pub started_at: String,
    /// Records it changed.
    pub records: u64,
    /// The name of its only connector, or the file that was imported.
    pub subject: Option<String>,
    /// The size of its changes in the file, in bytes.
    pub bytes: u64,
    /// The step that it reverts.
    pub reverts: Option<i64>,
    /// The number of its records that other steps reverted.
    pub undone: u64,
    /// The kind of the step that it reverts.
    pub reverts_kind: Option<OperationKind>,
    /// The original step that it undoes or redoes, with its kind.
    pub origin: Option<(i64, OperationKind)>,
}

impl HistoryEntry {
    /// Returns whether the step is a redo.
    pub fn is_redo(&self) -> bool {
        self.reverts_kind.is_some_and(OperationKind::is_inverse)
    }

    /// Returns the number of records that a revert would concern.
    pub fn left(&self) -> u64 {
        self.records.saturating_sub(self.undone)
    }

    /// Returns the display name: a step that reverts an undo is a redo.
    pub fn word(&self) -> &'static str {
        if self.is_redo() { "redo" } else { self.kind.as_str() }
    }
}

const STEP: &str = "h.step, h.kind, h.state, h.started_at, h.records, h.subject, h.bytes, h.reverts, \
     (SELECT kind FROM history AS other WHERE other.step = h.reverts), \
     (SELECT reverts FROM history AS other WHERE other.step = h.reverts), \
     (SELECT first.kind FROM history AS other JOIN history AS first ON first.step = other.reverts \
      WHERE other.step = h.reverts), \
     (SELECT coalesce(sum(records), 0) FROM history AS other WHERE other.reverts = h.step AND other.state <> 'reverted')";

/// Reads a row as [`STEP`] names it.
fn step_of(row: &Row<'_>) -> rusqlite::Result<HistoryEntry> {
    let kind = |text: String| text.parse::<OperationKind>().ok();
    let number = |at: usize| row.get::<_, i64>(at).map(|number| u64::try_from(number).unwrap_or(0));
    let (reverts, reverts_kind): (Option<i64>, _) = (row.get(7)?, row.get::<_, Option<String>>(8)?.and_then(kind));
    let undone = reverts.zip(reverts_kind);
    let origin = match (undone, row.get::<_, Option<i64>>(9)?, row.get::<_, Option<String>>(10)?.and_then(kind)) {
        (Some((_, undone)), Some(first), Some(kind)) if undone.is_inverse() => Some((first, kind)),
        (undone, ..) => undone,
    };
    Ok(HistoryEntry {
        step: row.get(0)?,
        // The table's own check leaves no other kind; a newer program's would be an edit to this one.
        kind: kind(row.get(1)?).unwrap_or(OperationKind::Edit),
        state: row.get::<_, String>(2)?.parse().unwrap_or(StepState::Done),
        started_at: row.get(3)?,
        records: number(4)?,
        subject: row.get(5)?,
        bytes: number(6)?,
        reverts,
        undone: number(11)?,
        reverts_kind,
        origin,
    })
}

/// A step that is in force, or was begun.
const ACTIVE: &str = "h.state <> 'reverted'";
/// Steps that are neither undo nor redo nor push.
const FORWARD: &str = "h.kind NOT IN ('undo', 'rollback', 'push')";

impl Store {
    /// Returns the newest steps, or those before one; the newest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn steps(&self, before: Option<i64>, limit: usize) -> Result<Vec<HistoryEntry>, StoreError> {
        self.run("reading the history", |connection| {
            connection
                .prepare_cached(&format!(
                    "SELECT {STEP} FROM history AS h WHERE h.step < ?1 ORDER BY h.step DESC LIMIT ?2"
                ))?
                .query_map((before.unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX)), step_of)?
                .collect()
        })
    }

    /// Returns a step by its number.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn step(&self, step: i64) -> Result<Option<HistoryEntry>, StoreError> {
        self.find_step(&format!("h.step = {step}"))
    }

    /// Returns the step that undo reverts: the newest one that is applied.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn last_step(&self) -> Result<Option<HistoryEntry>, StoreError> {
        self.find_step(&format!("{ACTIVE} AND {FORWARD}"))
    }

    /// Returns the newest migration run that was not rolled back.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn last_run(&self) -> Result<Option<HistoryEntry>, StoreError> {
        self.find_step(&format!("{ACTIVE} AND h.kind = 'migration'"))
    }

    /// Returns an interrupted migration run with no step after it.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn interrupted_run(&self) -> Result<Option<HistoryEntry>, StoreError> {
        let is_last = "h.step = (SELECT max(step) FROM history)";
        self.find_step(&format!("h.kind = 'migration' AND h.state = 'running' AND {is_last}"))
    }

    /// Returns the step that redo reverts: the newest applied undo, unless a new step follows it.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn next_redo(&self) -> Result<Option<HistoryEntry>, StoreError> {
        let is_undo = "(SELECT kind FROM history AS other WHERE other.step = h.reverts) NOT IN ('undo', 'rollback')";
        let nothing_new = format!(
            "NOT EXISTS (SELECT 1 FROM history AS h2 WHERE h2.step > h.step AND {})",
            FORWARD.replace("h.", "h2.")
        );
        self.find_step(&format!("{ACTIVE} AND NOT ({FORWARD}) AND {is_undo} AND {nothing_new}"))
    }

    fn find_step(&self, condition: &str) -> Result<Option<HistoryEntry>, StoreError> {
        self.run("reading the history", |connection| find_step(connection, condition))
    }
}

/// Fails if a step that spans several transactions was replaced by a restore in between.
pub(super) fn ensure_it_is(
    connection: &Connection,
    step: i64,
    is_it: impl Fn(&HistoryEntry) -> bool,
    path: &std::path::Path,
) -> Result<(), StoreError> {
    let found = find_step(connection, &format!("h.step = {step}"))
        .map_err(StoreError::on(connection, "reading the history"))?;
    if found.is_some_and(|found| is_it(&found)) { Ok(()) } else { Err(StoreError::Replaced(path.to_owned())) }
}

/// The newest step for which a condition on `h` holds.
pub(super) fn find_step(connection: &Connection, condition: &str) -> rusqlite::Result<Option<HistoryEntry>> {
    let sql = format!("SELECT {STEP} FROM history AS h WHERE {condition} ORDER BY h.step DESC LIMIT 1");
    connection.prepare_cached(&sql)?.query_row([], step_of).optional()
}
