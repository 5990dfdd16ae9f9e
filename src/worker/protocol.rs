//! What the UI asks of the worker threads, and what they answer.

use std::path::PathBuf;

use super::bulk::BulkPreview;
use crate::domain::bulk::BulkEdit;
use crate::domain::model_version::Decision;
use crate::domain::sync::Limits;
use crate::domain::{Connector, Filter, Remote, SecretEdits, SecretsState, Summary};
use crate::kibana::Executed;
use crate::store::{
    Applied, Census, FileCopy, ImportOutcome, ModeChange, OnConflict, PlanCounts, RecordChange, RecordStep, Restored,
    Reverted, SaveOutcome, Scope, Sort, Stage, Step, UpgradeReport, Written,
};
use crate::sync::{Planned, PullReport, PushReport, Report, Side};
use crate::transfer::files::Entry;
use crate::transfer::{ExportReport, Notices, Preview};

/// A whole record, and what may be known of its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The record.
    pub connector: Connector,
    /// The state of its secrets.
    pub secrets: SecretsState,
    /// The newest steps that changed it.
    pub history: Vec<RecordStep>,
}

impl Record {
    /// A record that is not in the file, or whose history does not matter.
    pub fn new(connector: Connector, secrets: SecretsState) -> Self {
        Self { connector, secrets, history: Vec::new() }
    }
}

/// A question for the reader.
#[derive(Clone, Debug)]
pub enum Request {
    /// Search and sort a list anew, and give its first window.
    List(ListRequest),
    /// The rows of another window of the same list.
    Rows {
        /// Which list.
        scope: Scope,
        /// The search it belongs to.
        generation: u64,
        /// First row.
        start: usize,
        /// Number of rows.
        len: usize,
    },
    /// The ids of a range of rows, to mark them.
    Ids {
        /// Which list.
        scope: Scope,
        /// The search it belongs to.
        generation: u64,
        /// First row.
        start: usize,
        /// Number of rows.
        len: usize,
    },
    /// One whole record.
    Record {
        /// Its id.
        id: String,
    },
    /// The next record by name that misses its secrets, after a name and id.
    NextMissing {
        /// After which one.
        after: Option<(String, String)>,
    },
    /// The newest steps of the history.
    Steps,
    /// What a step did to a record.
    Change {
        /// The step.
        step: i64,
        /// The record.
        id: String,
    },
    /// The copies of the file.
    Copies,
    /// How many connectors there are of each kind.
    Census,
    /// Two records side by side.
    Compare {
        /// The one.
        one: String,
        /// The other.
        other: String,
    },
    /// A record beside what it was before a step.
    CompareBefore {
        /// The step.
        step: i64,
        /// The record.
        id: String,
    },
    /// What differs from the default remote, by what that said last.
    Sync(Limits),
    /// The folders and exports of a folder.
    Folder(PathBuf),
    /// Someone wrote to the file: was it another program?
    Look,
    /// The counts of the header.
    Overview,
}

/// A search.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// Which list.
    pub scope: Scope,
    /// Number of this search; replies to an older one are dropped.
    pub generation: u64,
    /// Which records.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// The record that the cursor should stay on.
    pub keep: Option<String>,
    /// The row the cursor is on, should that record be gone.
    pub cursor: usize,
    /// Rows to give with the answer.
    pub window: usize,
}

impl Request {
    /// Of two requests in the same slot, only the newer one matters.
    pub(super) fn slot(&self) -> Option<(u8, Option<Scope>)> {
        match self {
            Request::List(list) => Some((0, Some(list.scope))),
            Request::Rows { scope, .. } => Some((1, Some(*scope))),
            Request::Record { .. } => Some((2, None)),
            Request::Overview => Some((3, None)),
            Request::NextMissing { .. } => Some((4, None)),
            Request::Steps => Some((5, None)),
            Request::Change { .. } => Some((6, None)),
            Request::Copies => Some((7, None)),
            Request::Look => Some((8, None)),
            Request::Folder(_) => Some((9, None)),
            Request::Census => Some((10, None)),
            Request::Compare { .. } | Request::CompareBefore { .. } => Some((11, None)),
            Request::Sync(_) => Some((12, None)),
            Request::Ids { .. } => None,
        }
    }
}

/// Work for the writer.
#[derive(Clone, Debug)]
pub enum Job {
    /// Add a connector.
    Create {
        /// The new record, without secrets.
        connector: Box<Connector>,
        /// Its secrets.
        secrets: SecretEdits,
        /// The record whose secrets it starts with.
        copy_of: Option<String>,
    },
    /// Replace a connector.
    Save {
        /// The record as it is to be.
        connector: Box<Connector>,
        /// What is to be done to its secrets.
        secrets: SecretEdits,
    },
    /// Set auth modes.
    SetAuthMode {
        /// Of which connectors.
        ids: Vec<String>,
        /// How.
        change: ModeChange,
    },
    /// Delete connectors.
    Delete {
        /// Which.
        ids: Vec<String>,
    },
    /// Say what an edit of many would do.
    BulkPreview {
        /// Of these connectors; empty: of all that pass the filter.
        ids: Vec<String>,
        /// The filter.
        filter: Filter,
        /// The edit.
        edit: BulkEdit,
    },
    /// Make it.
    Bulk {
        /// Of these connectors; empty: of all that pass the filter.
        ids: Vec<String>,
        /// The filter.
        filter: Filter,
        /// The edit.
        edit: BulkEdit,
    },
    /// Import an export.
    Import {
        /// The file.
        path: PathBuf,
        /// About existing ids.
        on_conflict: OnConflict,
    },
    /// Say what an import would do.
    Preview {
        /// The file.
        path: PathBuf,
    },
    /// Write an export.
    Export {
        /// To this file, in place of what it is.
        path: PathBuf,
        /// These connectors; empty: all that pass the filter.
        ids: Vec<String>,
        /// The filter.
        filter: Filter,
        /// Take the place of a file that is there; else nothing is written and it is asked.
        replace: bool,
    },
    /// Keep a decision of the review.
    Decide {
        /// About which connectors.
        ids: Vec<String>,
        /// None takes an earlier one back.
        decision: Option<Decision>,
    },
    /// Apply the migration plan.
    Apply,
    /// Roll the last migration run back.
    Rollback,
    /// Take the last step back.
    Undo,
    /// Bring the step again that was taken back last.
    Redo,
    /// Take a step back.
    TakeBack {
        /// Which.
        step: i64,
        /// Only these records of it; none: all.
        only: Option<Vec<String>>,
    },
    /// Put a record back to what it was before a step, whatever was changed since.
    TakeBackOver {
        /// The step.
        step: i64,
        /// The record.
        id: String,
        /// The revision of the record that the person saw; none when it was not there.
        seen: Option<i64>,
    },
    /// Make a copy of the file.
    BackUp,
    /// Ask the remote for its connectors.
    Fetch,
    /// Ask the remote, and take in what it says.
    Pull {
        /// Delete here also when most of the connectors are gone there.
        deletes_most: bool,
    },
    /// Send to the remote.
    Push {
        /// What was shown and confirmed.
        plan: Vec<Planned>,
        /// What the person allows.
        limits: Limits,
    },
    /// Decide conflicts for one side.
    Resolve {
        /// Which connectors.
        ids: Vec<String>,
        /// Which side counts.
        side: Side,
    },
    /// Have Kibana run a connector.
    Execute {
        /// Which.
        id: String,
        /// What it is to do.
        params: serde_json::Value,
    },
}

impl Job {
    /// It is one for the network's thread.
    pub fn is_of_network(&self) -> bool {
        matches!(self, Job::Fetch | Job::Pull { .. } | Job::Push { .. } | Job::Resolve { .. } | Job::Execute { .. })
    }
}

/// What differs from a remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncView {
    /// The remote; none when the file has none.
    pub remote: Option<Remote>,
    /// What differs.
    pub report: Report,
}

/// The file is open.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Schema version on disk.
    pub schema: i64,
    /// Nothing can be written.
    pub read_only: bool,
    /// What the upgrade did, if there was one.
    pub upgraded: Option<UpgradeReport>,
    /// The counts, where they are known already.
    pub overview: Option<Overview>,
    /// What is wrong with the keys, for people.
    pub key_warnings: Vec<String>,
    /// A copy was to be put back first: what came of it.
    pub restored: Option<Result<Restored, String>>,
}

/// The counts of the header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// All connectors.
    pub total: u64,
    /// Those that miss their secrets.
    pub missing_secrets: u64,
    /// The migration plan.
    pub plan: PlanCounts,
    /// The newest step that can be undone.
    pub last_step: Option<Step>,
    /// The step that redo would bring again.
    pub next_redo: Option<Step>,
    /// The newest run that can be rolled back.
    pub last_run: Option<Step>,
    /// A run that was interrupted, with nothing done after it.
    pub interrupted_run: Option<Step>,
    /// The name of the remote that is meant where none is named.
    pub remote: Option<String>,
}

/// What the threads tell the UI.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The upgrade of the schema goes on.
    Upgrading(Stage),
    /// The file is open.
    Opened(Box<Opened>),
    /// Something else is wrong with the keys.
    KeyWarning(String),
    /// The file cannot be opened; the program ends with this message.
    OpenFailed(String),
    /// A search is done.
    Listed {
        /// Which list.
        scope: Scope,
        /// The search.
        generation: u64,
        /// Rows in all.
        total: usize,
        /// Where the cursor should be.
        cursor: usize,
        /// First row given.
        start: usize,
        /// Rows.
        rows: Vec<Option<Summary>>,
    },
    /// How many rows a list has, of which the first page was given before.
    Counted {
        /// Which list.
        scope: Scope,
        /// The search.
        generation: u64,
        /// Rows in all.
        total: usize,
    },
    /// The rows of a window.
    Rows {
        /// Which list.
        scope: Scope,
        /// The search.
        generation: u64,
        /// First row given.
        start: usize,
        /// Rows.
        rows: Vec<Option<Summary>>,
    },
    /// The ids of a range.
    Ids {
        /// Which list.
        scope: Scope,
        /// The ids.
        ids: Vec<String>,
    },
    /// One record, or that it is gone.
    Record {
        /// Its id.
        id: String,
        /// The record.
        record: Option<Box<Record>>,
    },
    /// The record to fill in next, if any misses its secrets, and how many do.
    NextMissing {
        /// Its id.
        id: Option<String>,
        /// How many there are.
        total: u64,
    },
    /// The newest steps of the history.
    Steps(Vec<Step>),
    /// What a step did to a record; none when it did nothing to it.
    Change {
        /// The step.
        step: i64,
        /// The record.
        id: String,
        /// The change.
        change: Option<Box<RecordChange>>,
    },
    /// Two records side by side, each with a word on what it is; none when one of them is not there.
    Compared(Option<Box<[(String, Connector); 2]>>),
    /// How many connectors there are of each kind.
    Census(Census),
    /// The copies of the file.
    Copies(Vec<FileCopy>),
    /// The folders and exports of a folder, or why it cannot be read.
    Folder(PathBuf, Result<Vec<Entry>, String>),
    /// What differs from the remote.
    Synced(Box<SyncView>),
    /// The counts.
    Overview(Box<Overview>),
    /// Another program wrote to the file.
    ChangedOnDisk,
    /// A job has come to another part of its work.
    Phase(&'static str),
    /// A job goes on.
    Progress {
        /// Records done.
        done: u64,
        /// Of how many; 0 when unknown.
        total: u64,
    },
    /// The job waits for another program that writes to the file.
    Waiting,
    /// A job is done.
    Done(Done),
    /// A job failed; nothing was changed.
    Failed(String),
    /// Another program put a file of an older schema in place of this one.
    OlderSchema(i64),
    /// A question could not be answered.
    ReadFailed(String),
    /// A thread ended by a panic.
    Died,
}

/// What a job did.
#[derive(Clone, Debug)]
pub enum Done {
    /// A connector was added.
    Created(Box<Connector>),
    /// A save ended.
    Saved {
        /// How.
        outcome: SaveOutcome,
        /// The state of the secrets of the record that the outcome holds.
        secrets: SecretsState,
    },
    /// Auth modes were set.
    AuthModeSet(Written),
    /// Connectors were deleted.
    Deleted(Written),
    /// What an edit of many would do; the job that makes it.
    BulkPreviewed(Box<BulkPreview>, Box<Job>),
    /// An edit of many was made.
    Bulked(Written),
    /// An import ended.
    Imported {
        /// The file.
        path: PathBuf,
        /// What happened.
        outcome: ImportOutcome,
        /// What else there was.
        notices: Notices,
    },
    /// What an import would do.
    Previewed {
        /// The file.
        path: PathBuf,
        /// What would happen.
        preview: Box<Preview>,
    },
    /// The file of an export is there already; the job that takes its place.
    FileIsThere(Box<Job>),
    /// An export was written.
    Exported {
        /// The file.
        path: PathBuf,
        /// What is in it.
        report: ExportReport,
    },
    /// Decisions were kept, for so many records.
    Decided(usize),
    /// A migration run ended.
    Applied(Applied),
    /// A step was taken back.
    Reverted(Reverted),
    /// A copy was made.
    BackedUp(FileCopy),
    /// The remote has told its connectors.
    Fetched,
    /// What the remote says was taken in.
    Pulled(PullReport),
    /// A push ended.
    Pushed(Box<PushReport>),
    /// Conflicts were decided.
    Resolved {
        /// How many.
        count: usize,
        /// For which side.
        side: Side,
        /// Why some were left alone.
        left: Option<String>,
    },
    /// Kibana has run a connector.
    Ran(Executed),
    /// There was nothing to do.
    Nothing(String),
}
