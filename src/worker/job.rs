//! Jobs for the writer and the network.

use crate::domain::bulk::BulkEdit;
use crate::domain::migration::Decision;
use crate::domain::remote::PushOptions;
use crate::domain::{Connector, Filter, SecretEdits};
use crate::service::remote::{Planned, Side};
use crate::store::{ModeChange, OnConflict};
use std::path::PathBuf;

/// Work on the file, for the writer thread.
#[derive(Clone, Debug)]
pub enum FileJob {
    /// Add a connector.
    Create {
        /// The new record, without secrets.
        connector: Box<Connector>,
        /// The edits of the secrets.
        secrets: SecretEdits,
        /// The record whose secrets it starts with.
        duplicate_of: Option<String>,
    },
    /// Replace a connector.
    Save {
        /// The record as it is to be.
        connector: Box<Connector>,
        /// The edits of the secrets.
        secrets: SecretEdits,
    },
    /// Set auth modes.
    SetAuthMode {
        /// Of which connectors.
        ids: Vec<String>,
        /// The change.
        change: ModeChange,
    },
    /// Delete connectors.
    Delete {
        /// The ids.
        ids: Vec<String>,
    },
    /// Preview a bulk edit.
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
    /// Preview an import.
    Preview {
        /// The file.
        path: PathBuf,
    },
    /// Write an export.
    Export {
        /// The target, which is replaced.
        path: PathBuf,
        /// These connectors; empty: all that pass the filter.
        ids: Vec<String>,
        /// The filter.
        filter: Filter,
        /// Replace an existing file; otherwise the job ends with a request to confirm.
        replace: bool,
    },
    /// Keep a decision of the review.
    Decide {
        /// About which connectors.
        ids: Vec<String>,
        /// `None` clears an earlier decision.
        decision: Option<Decision>,
    },
    /// Apply the migration plan.
    Apply,
    /// Roll the last migration run back.
    Rollback,
    /// Undo the last step.
    Undo,
    /// Redo the last undone step.
    Redo,
    /// Undo or redo from the page of a connector or a step: only if the step is about that one. Else it is shown first.
    UndoOnPage {
        /// The subject of the page.
        page: UndoPage,
        /// Redo.
        is_redo: bool,
    },
    /// Revert a step.
    Revert {
        /// The step.
        step: i64,
        /// Only these records of it; none: all.
        only: Option<Vec<String>>,
    },
    /// Restore a record to its state before a step, whatever changed since.
    ForceRevert {
        /// The step.
        step: i64,
        /// The record.
        id: String,
        /// The revision that the user saw; `None` if the record did not exist.
        seen: Option<i64>,
    },
    /// Make a copy of the file.
    CreateBackup,
    /// Write the open file to a new one.
    SaveAs {
        /// The path, which must be free.
        path: PathBuf,
    },
}

/// The subject of a page on which a step is undone or redone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UndoPage {
    /// A connector.
    Connector(String),
    /// A step.
    Step(i64),
}

/// Work with Kibana, for the network thread.
#[derive(Clone, Debug)]
pub enum RemoteJob {
    /// Fetch the connectors of the remote.
    Fetch,
    /// Fetch, and merge the changes.
    Pull {
        /// Delete locally even if most connectors are gone in Kibana.
        deletes_most: bool,
    },
    /// Send to the remote.
    Push {
        /// The confirmed plan.
        plan: Vec<Planned>,
        /// What the user permits.
        options: PushOptions,
    },
    /// Decide conflicts for one side.
    Resolve {
        /// The ids.
        ids: Vec<String>,
        /// The side to keep.
        side: Side,
    },
    /// Have Kibana run a connector.
    Execute {
        /// The id.
        id: String,
        /// The parameters of the run.
        params: serde_json::Value,
    },
}

/// Work for one of the two threads that write.
#[derive(Clone, Debug)]
pub enum Job {
    /// For the writer thread.
    File(FileJob),
    /// For the network thread.
    Remote(RemoteJob),
}

impl From<FileJob> for Job {
    fn from(job: FileJob) -> Self {
        Job::File(job)
    }
}

impl From<RemoteJob> for Job {
    fn from(job: RemoteJob) -> Self {
        Job::Remote(job)
    }
}
