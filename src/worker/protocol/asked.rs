//! Questions for the reader, and jobs for the writer and the network.

use crate::domain::bulk::BulkEdit;
use crate::domain::model_version::Decision;
use crate::domain::sync::Limits;
use crate::domain::{Connector, Filter, SecretEdits};
use crate::store::{ModeChange, OnConflict, Scope, Sort};
use crate::sync::{Planned, Side};
use std::path::PathBuf;

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
        /// It is the record of the selected row.
        is_preview: bool,
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
    /// Forget what was read of the file: everything is to be read again.
    Forget,
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
    pub(in crate::worker) fn slot(&self) -> Option<(u8, Option<Scope>)> {
        match self {
            Request::List(list) => Some((0, Some(list.scope))),
            Request::Rows { scope, .. } => Some((1, Some(*scope))),
            // The record of the selected row never takes the place of one that a page or a form waits for.
            Request::Record { is_preview, .. } => Some((if *is_preview { 2 } else { 13 }, None)),
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
            Request::Ids { .. } | Request::Forget => None,
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
    /// Undo or redo from the page of a connector or a step: only if the step is about that one. Else it is shown first.
    UndoOnPage {
        /// The connector of the page.
        id: Option<String>,
        /// The step of the page.
        step: Option<i64>,
        /// Redo.
        is_redo: bool,
    },
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
    /// Write what is open to a new file.
    SaveAs {
        /// The file, which is not there yet.
        path: PathBuf,
    },
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
