//! Replies of the threads to the UI.

use super::{FileJob, UndoPage};
use crate::domain::{Connector, Remote, ReportedTypes, SecretsState, Summary};
use crate::fs::paths::Entry;
use crate::kibana::ExecutionResult;
use crate::kibana::saved_objects::ImportWarnings;
use crate::service::bulk::BulkPreview;
use crate::service::export::ExportReport;
use crate::service::import::Preview;
use crate::service::keys::KeyWarning;
use crate::service::remote::{PullReport, PushReport, Report, Side, Unresolvable};
use crate::store::{
    Applied, Backup, HistoryEntry, ImportOutcome, PlanCounts, RecordChange, RecordStep, Restored, Reverted,
    SaveOutcome, Scope, Stage, Statistics, UpgradeReport, Written,
};
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

/// The differences from a remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncView {
    /// The remote; none when the file has none.
    pub remote: Option<Remote>,
    /// The differences.
    pub report: Report,
}

/// The file is open.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Schema version on disk.
    pub schema: i64,
    /// Nothing can be written.
    pub read_only: bool,
    /// The result of the upgrade, if there was one.
    pub upgraded: Option<UpgradeReport>,
    /// The counts, where they are known already.
    pub overview: Option<Overview>,
    /// Warnings about the keys.
    pub key_warnings: Vec<KeyWarning>,
    /// The result of a restore that came first, if there was one.
    pub restored: Option<Result<Restored, String>>,
}

/// The counts of the header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// All connectors.
    pub total: u64,
    /// The number of connectors that are missing secrets.
    pub missing_secrets: u64,
    /// The number of connectors whose secrets cannot be decrypted because their key is missing.
    pub unreadable_secrets: u64,
    /// Names of connector types that the catalogue does not know.
    pub reported_types: ReportedTypes,
    /// The migration plan.
    pub plan: PlanCounts,
    /// The newest step that can be undone.
    pub last_step: Option<HistoryEntry>,
    /// The step that redo would revert.
    pub next_redo: Option<HistoryEntry>,
    /// The newest run that can be rolled back.
    pub last_run: Option<HistoryEntry>,
    /// A run that was interrupted, with nothing done after it.
    pub interrupted_run: Option<HistoryEntry>,
    /// The name of the remote that is meant where none is named.
    pub remote: Option<String>,
}

/// A reply of a thread to the UI.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The upgrade of the schema made progress.
    Upgrading(Stage),
    /// The file is open.
    Opened(Box<Opened>),
    /// Something else is wrong with the keys.
    KeyWarning(KeyWarning),
    /// The file cannot be opened; the program ends with this message.
    OpenFailed(String),
    /// The file is not at its path any more, so nothing can be saved to it.
    Displaced {
        /// The reason.
        reason: String,
        /// Another file is at the path.
        is_replaced: bool,
    },
    /// A search is done.
    Listed {
        /// The list.
        scope: Scope,
        /// The search.
        generation: u64,
        /// Rows in all.
        total: usize,
        /// The position of the cursor.
        cursor: usize,
        /// First row given.
        start: usize,
        /// Rows.
        rows: Vec<Option<Summary>>,
    },
    /// The number of rows of a list whose first page came before.
    Counted {
        /// The list.
        scope: Scope,
        /// The search.
        generation: u64,
        /// Rows in all.
        total: usize,
    },
    /// The rows of a window.
    Rows {
        /// The list.
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
        /// The list.
        scope: Scope,
        /// The ids.
        ids: Vec<String>,
    },
    /// One record, or that it is gone.
    Record {
        /// The id.
        id: String,
        /// The record.
        record: Option<Box<Record>>,
    },
    /// The record to fill in next, if any misses its secrets, and how many do.
    NextMissing {
        /// The id.
        id: Option<String>,
        /// The number of such connectors.
        total: u64,
    },
    /// The newest steps of the history.
    Steps(Vec<HistoryEntry>),
    /// One step of the history.
    Step(Box<HistoryEntry>),
    /// The change that a step made to a record; `None` if it made none.
    Change {
        /// The step.
        step: i64,
        /// The record.
        id: String,
        /// The change.
        change: Option<Box<RecordChange>>,
    },
    /// Two records with their titles; `None` if one of them does not exist.
    Compared(Option<Box<[(String, Connector); 2]>>),
    /// The number of connectors of each kind.
    Statistics(Statistics),
    /// The backups of the file.
    Backups(Vec<Backup>),
    /// The folders and exports of a folder, or why it cannot be read.
    Folder(PathBuf, Result<Vec<Entry>, String>),
    /// The differences from the remote.
    Synced(Box<SyncView>),
    /// The counts.
    Overview(Box<Overview>),
    /// Another program wrote to the file.
    ChangedOnDisk,
    /// A job has come to another part of its work.
    Phase(&'static str),
    /// A job made progress.
    Progress {
        /// Records done.
        done: u64,
        /// Of how many; 0 when unknown.
        total: u64,
    },
    /// The job waits for another program that writes to the file.
    Waiting,
    /// A job is done.
    Done(JobResult),
    /// A job failed; nothing was changed.
    Failed(String),
    /// Another program put a file of an older schema in place of this one.
    OlderSchema(i64),
    /// A question could not be answered.
    ReadFailed(String),
    /// A thread ended by a panic.
    Died,
}

/// The result of a job.
#[derive(Clone, Debug)]
pub enum JobResult {
    /// A connector was added.
    Created(Box<Connector>),
    /// A save ended.
    Saved {
        /// The change.
        outcome: SaveOutcome,
        /// The state of the secrets of the record that the outcome holds.
        secrets: SecretsState,
    },
    /// Auth modes were set.
    AuthModeSet(Written),
    /// Connectors were deleted.
    Deleted(Written),
    /// The preview of a bulk edit, and the job that applies it.
    BulkPreviewed(Box<BulkPreview>, Box<FileJob>),
    /// An edit of many was made.
    Bulked(Written),
    /// An import ended.
    Imported {
        /// The file.
        path: PathBuf,
        /// The result.
        outcome: ImportOutcome,
        /// The warnings.
        notices: ImportWarnings,
    },
    /// The preview of an import.
    Previewed {
        /// The file.
        path: PathBuf,
        /// The preview.
        preview: Box<Preview>,
    },
    /// The file of an export exists; the job that replaces it.
    FileIsThere(Box<FileJob>),
    /// An export was written.
    Exported {
        /// The file.
        path: PathBuf,
        /// The result.
        report: ExportReport,
    },
    /// Decisions were kept, for so many records.
    Decided(usize),
    /// A migration run ended.
    Applied(Applied),
    /// A step was reverted.
    Reverted(Reverted),
    /// The step that undo or redo would revert, if the page shows something else or not all of it.
    UndoElsewhere {
        /// The step.
        step: Box<HistoryEntry>,
        /// The subject of the page.
        page: UndoPage,
        /// The step concerns only other connectors, or another step.
        is_elsewhere: bool,
        /// Redo.
        is_redo: bool,
    },
    /// A copy was made.
    BackedUp(Backup),
    /// The open file was written to a new file.
    SavedAs(PathBuf),
    /// The connectors of the remote were fetched.
    Fetched,
    /// The changes of the remote were pulled.
    Pulled(PullReport),
    /// A push ended.
    Pushed(Box<PushReport>),
    /// Conflicts were decided.
    Resolved {
        /// The number.
        count: usize,
        /// For which side.
        side: Side,
        /// Why some were skipped.
        left: Option<Unresolvable>,
    },
    /// Kibana has run a connector.
    Ran(ExecutionResult),
    /// There was nothing to do.
    Nothing(String),
}
