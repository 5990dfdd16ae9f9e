//! What the threads tell the UI.

use super::asked::Job;
use crate::domain::{Connector, Remote, ReportedTypes, SecretsState, Summary};
use crate::kibana::Executed;
use crate::store::{
    Applied, Census, FileCopy, ImportOutcome, PlanCounts, RecordChange, RecordStep, Restored, Reverted, SaveOutcome,
    Scope, Stage, Step, UpgradeReport, Written,
};
use crate::sync::{PullReport, PushReport, Report, Side};
use crate::transfer::files::Entry;
use crate::transfer::{ExportReport, Notices, Preview};
use crate::worker::bulk::BulkPreview;
use std::path::PathBuf;

/// A whole record, and what may be known of its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The record.
    pub connector: Connector,
    /// The name that Kibana reports for its type, where the catalogue does not know that.
    pub reported_type: Option<String>,
    /// The state of its secrets.
    pub secrets: SecretsState,
    /// The newest steps that changed it.
    pub history: Vec<RecordStep>,
}

impl Record {
    /// A record that is not in the file, or whose history does not matter.
    pub fn new(connector: Connector, secrets: SecretsState) -> Self {
        Self { connector, reported_type: None, secrets, history: Vec::new() }
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
    /// Those whose secrets cannot be decrypted for want of their key.
    pub unreadable_secrets: u64,
    /// Names of connector types that the catalogue does not know.
    pub reported_types: ReportedTypes,
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
    /// The file is not at its path any more, so nothing can be saved to it.
    Displaced {
        /// What happened.
        reason: String,
        /// Another file is at the path.
        is_replaced: bool,
    },
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
    /// The step that an undo or a redo would be about, which is not what the page shows, or not only.
    UndoElsewhere {
        /// The step.
        step: Box<Step>,
        /// It is about other connectors, or another step, alone.
        is_elsewhere: bool,
        /// Redo.
        is_redo: bool,
    },
    /// A copy was made.
    BackedUp(FileCopy),
    /// What is open was written to a new file.
    SavedAs(PathBuf),
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
