//! The journal: every change with what was before and after, and taking a step back.
//!
//! A step is one action of a person (an edit, an import, a migration run). `journal` writes it, with `image`
//! as the form of what was; `record` tells what happened to one record; `revert` takes steps back and brings
//! them again, record by record as long as the record has not been changed since, which its revision tells;
//! `prune` forgets old steps where the file asks for that.
//!
//! A step that takes another one back names it in `reverts`. One that takes such a step back is a redo: then
//! the first one is in force again.

mod image;
mod journal;
mod prune;
mod record;
mod revert;

use rusqlite::{Connection, OptionalExtension, Row};

use super::error::StoreError;
use super::open::Store;

pub(super) use journal::Journal;
pub use prune::{HistoryLimits, HistorySize, Pruned};
pub(super) use record::change_state;
pub use record::{Back, RecordChange, RecordStep};
pub use revert::Reverted;

/// What a step was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A connector was added.
    Create,
    /// A connector was edited.
    Edit,
    /// Auth modes were set.
    AuthMode,
    /// Connectors were deleted.
    Delete,
    /// An export was imported.
    Import,
    /// A migration run.
    Migration,
    /// A migration run was taken back.
    Rollback,
    /// Another step was taken back.
    Undo,
    /// What Kibana says was taken in.
    Pull,
    /// Connectors were sent to Kibana; the file did not change.
    Push,
    /// It was decided which side counts where the file and Kibana differ.
    Resolve,
}

impl Kind {
    const ALL: [Kind; 11] = [
        Kind::Create,
        Kind::Edit,
        Kind::AuthMode,
        Kind::Delete,
        Kind::Import,
        Kind::Migration,
        Kind::Rollback,
        Kind::Undo,
        Kind::Pull,
        Kind::Push,
        Kind::Resolve,
    ];

    /// The word used in the file, in JSON and for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Create => "create",
            Kind::Edit => "edit",
            Kind::AuthMode => "auth mode",
            Kind::Delete => "delete",
            Kind::Import => "import",
            Kind::Migration => "migration",
            Kind::Rollback => "rollback",
            Kind::Undo => "undo",
            Kind::Pull => "pull",
            Kind::Push => "push",
            Kind::Resolve => "resolve",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// It takes another step back.
    pub fn is_inverse(self) -> bool {
        matches!(self, Kind::Rollback | Kind::Undo)
    }
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// It runs, or was interrupted.
    Running,
    /// It is in force.
    Done,
    /// It was taken back.
    Reverted,
}

impl StepState {
    /// The word used in the file and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            StepState::Running => "running",
            StepState::Done => "done",
            StepState::Reverted => "reverted",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "running" => StepState::Running,
            "reverted" => StepState::Reverted,
            _ => StepState::Done,
        }
    }
}

/// One step of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub step: i64,
    /// What it was.
    pub kind: Kind,
    /// How far it is.
    pub state: StepState,
    /// ISO 8601.
    pub started_at: String,
    /// Records it changed.
    pub records: u64,
    /// The name of its only connector, or the file that was imported.
    pub subject: Option<String>,
    /// Room its changes take in the file.
    pub bytes: u64,
    /// The step it takes back.
    pub reverts: Option<i64>,
    /// Records of it that other steps took back.
    pub taken_back: u64,
    /// What that one was.
    pub reverts_kind: Option<Kind>,
    /// The step that did something new, which this one takes back or brings again, and what it was.
    pub origin: Option<(i64, Kind)>,
}

impl Step {
    /// It brings a step again that was taken back.
    pub fn is_redo(&self) -> bool {
        self.reverts_kind.is_some_and(Kind::is_inverse)
    }

    /// Records that taking it back is about.
    pub fn left(&self) -> u64 {
        self.records.saturating_sub(self.taken_back)
    }

    /// How far it is, for people.
    pub fn progress(&self) -> String {
        match (self.state, self.taken_back) {
            (StepState::Running, _) => "unfinished".to_owned(),
            (StepState::Reverted, taken) if taken < self.records => format!("{taken} taken back"),
            (StepState::Reverted, _) => "taken back".to_owned(),
            (StepState::Done, 0) => String::new(),
            (StepState::Done, taken) => format!("{taken} taken back"),
        }
    }

    /// The word for people: a step that takes an undo back is a redo.
    pub fn word(&self) -> &'static str {
        if self.is_redo() { "redo" } else { self.kind.as_str() }
    }

    /// What it is about, for people: a name, a number of connectors, or another step.
    pub fn about(&self) -> String {
        let subject = self.subject();
        match self.origin {
            Some((step, kind)) => format!("{} of {subject} (step {step})", kind.as_str()),
            None => subject,
        }
    }

    fn subject(&self) -> String {
        let count = match self.records {
            1 => "1 connector".to_owned(),
            records => format!("{records} connectors"),
        };
        match (&self.subject, self.records) {
            (Some(subject), 1) => subject.clone(),
            (Some(subject), _) => format!("{subject} ({count})"),
            (None, _) => count,
        }
    }
}

const STEP: &str = "h.step, h.kind, h.state, h.started_at, h.records, h.subject, h.bytes, h.reverts, \
     (SELECT kind FROM history AS other WHERE other.step = h.reverts), \
     (SELECT reverts FROM history AS other WHERE other.step = h.reverts), \
     (SELECT first.kind FROM history AS other JOIN history AS first ON first.step = other.reverts \
      WHERE other.step = h.reverts), \
     (SELECT coalesce(sum(records), 0) FROM history AS other WHERE other.reverts = h.step AND other.state <> 'reverted')";

/// Reads a row as [`STEP`] names it.
fn step_of(row: &Row<'_>) -> rusqlite::Result<Step> {
    let kind = |text: String| Kind::parse(&text);
    let number = |at: usize| row.get::<_, i64>(at).map(|number| u64::try_from(number).unwrap_or(0));
    let (reverts, reverts_kind): (Option<i64>, _) = (row.get(7)?, row.get::<_, Option<String>>(8)?.and_then(kind));
    let undone = reverts.zip(reverts_kind);
    let origin = match (undone, row.get::<_, Option<i64>>(9)?, row.get::<_, Option<String>>(10)?.and_then(kind)) {
        (Some((_, undone)), Some(first), Some(kind)) if undone.is_inverse() => Some((first, kind)),
        (undone, ..) => undone,
    };
    Ok(Step {
        step: row.get(0)?,
        // The table's own check leaves no other kind; a newer program's would be an edit to this one.
        kind: kind(row.get(1)?).unwrap_or(Kind::Edit),
        state: StepState::parse(&row.get::<_, String>(2)?),
        started_at: row.get(3)?,
        records: number(4)?,
        subject: row.get(5)?,
        bytes: number(6)?,
        reverts,
        taken_back: number(11)?,
        reverts_kind,
        origin,
    })
}

/// A step that is in force, or was begun.
const ACTIVE: &str = "h.state <> 'reverted'";
/// A step that does something new to the file; the others take steps back and bring them again, or send something.
const FORWARD: &str = "h.kind NOT IN ('undo', 'rollback', 'push')";

impl Store {
    /// The newest steps, or those before one; the newest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn steps(&self, before: Option<i64>, limit: usize) -> Result<Vec<Step>, StoreError> {
        self.run("reading the history", |connection| {
            connection
                .prepare_cached(&format!(
                    "SELECT {STEP} FROM history AS h WHERE h.step < ?1 ORDER BY h.step DESC LIMIT ?2"
                ))?
                .query_map((before.unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX)), step_of)?
                .collect()
        })
    }

    /// One step by its number.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn step(&self, step: i64) -> Result<Option<Step>, StoreError> {
        self.find_step(&format!("h.step = {step}"))
    }

    /// The step that undo takes back: the newest one in force.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_step(&self) -> Result<Option<Step>, StoreError> {
        self.find_step(&format!("{ACTIVE} AND {FORWARD}"))
    }

    /// The newest migration run that has not been rolled back.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_run(&self) -> Result<Option<Step>, StoreError> {
        self.find_step(&format!("{ACTIVE} AND h.kind = 'migration'"))
    }

    /// A migration run that was interrupted, with nothing done after it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn interrupted_run(&self) -> Result<Option<Step>, StoreError> {
        let is_last = "h.step = (SELECT max(step) FROM history)";
        self.find_step(&format!("h.kind = 'migration' AND h.state = 'running' AND {is_last}"))
    }

    /// The step that redo takes back: the newest undo in force, unless something new was done after it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next_redo(&self) -> Result<Option<Step>, StoreError> {
        let is_undo = "(SELECT kind FROM history AS other WHERE other.step = h.reverts) NOT IN ('undo', 'rollback')";
        let nothing_new = format!(
            "NOT EXISTS (SELECT 1 FROM history AS h2 WHERE h2.step > h.step AND {})",
            FORWARD.replace("h.", "h2.")
        );
        self.find_step(&format!("{ACTIVE} AND NOT ({FORWARD}) AND {is_undo} AND {nothing_new}"))
    }

    fn find_step(&self, condition: &str) -> Result<Option<Step>, StoreError> {
        self.run("reading the history", |connection| find_step(connection, condition))
    }
}

/// A step that goes on over several transactions is still what it was. It is not after another program put a copy
/// of the file back in between.
pub(super) fn ensure_it_is(
    connection: &Connection,
    step: i64,
    is_it: impl Fn(&Step) -> bool,
    path: &std::path::Path,
) -> Result<(), StoreError> {
    let found = find_step(connection, &format!("h.step = {step}"))
        .map_err(StoreError::on(connection, "reading the history"))?;
    if found.is_some_and(|found| is_it(&found)) { Ok(()) } else { Err(StoreError::Replaced(path.to_owned())) }
}

/// The newest step for which a condition on `h` holds.
pub(super) fn find_step(connection: &Connection, condition: &str) -> rusqlite::Result<Option<Step>> {
    let sql = format!("SELECT {STEP} FROM history AS h WHERE {condition} ORDER BY h.step DESC LIMIT 1");
    connection.prepare_cached(&sql)?.query_row([], step_of).optional()
}
