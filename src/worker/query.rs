//! Questions for the reader.

use crate::domain::Filter;
use crate::domain::remote::PushOptions;
use crate::store::{Scope, Sort};
use std::mem::discriminant;
use std::path::PathBuf;

/// A question for the reader.
#[derive(Clone, Debug)]
pub enum Query {
    /// Search and sort a list, and return its first window.
    List(ListQuery),
    /// The rows of another window of the same list.
    Rows {
        /// The list.
        scope: Scope,
        /// The search it belongs to.
        generation: u64,
        /// First row.
        start: usize,
        /// Number of rows.
        len: usize,
    },
    /// The ids of a range of rows, for a selection.
    Ids {
        /// The list.
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
        /// The id.
        id: String,
        /// The list of whose current row it is the preview; none if a screen or a form waits for it.
        preview_of: Option<Scope>,
    },
    /// The next record by name that misses its secrets, after a name and id.
    NextMissing {
        /// After which one.
        after: Option<(String, String)>,
    },
    /// The newest steps of the history.
    Steps,
    /// One step of the history.
    Step(i64),
    /// The change that a step made to a record.
    Change {
        /// The step.
        step: i64,
        /// The record.
        id: String,
    },
    /// The backups of the file.
    Backups,
    /// The number of connectors of each kind.
    Statistics,
    /// Two records side by side.
    Compare {
        /// The one.
        one: String,
        /// The other.
        other: String,
    },
    /// A record and its state before a step.
    CompareBefore {
        /// The step.
        step: i64,
        /// The record.
        id: String,
    },
    /// The differences from the default remote, by the last fetch.
    Sync(PushOptions),
    /// The folders and exports of a folder.
    Folder(PathBuf),
    /// Someone wrote to the file: was it another program?
    CheckForChanges,
    /// Drop everything that was read of the file.
    Forget,
    /// The counts of the header.
    Overview,
}

/// A search.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// The list.
    pub scope: Scope,
    /// Number of this search; replies to an older one are dropped.
    pub generation: u64,
    /// The filter.
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

impl Query {
    /// Returns true if the answer to this query makes the answer to an earlier one useless, so that the earlier one need
    /// not run.
    pub fn supersedes(&self, earlier: &Query) -> bool {
        match (self, earlier) {
            (Query::Ids { .. } | Query::Forget, _) => false,
            (Query::List(list), Query::List(earlier)) => list.scope == earlier.scope,
            (Query::Rows { scope, .. }, Query::Rows { scope: earlier, .. }) => scope == earlier,
            (Query::Step(step), Query::Step(earlier)) => step == earlier,
            // A list shows one preview; each screen and form waits for its own record.
            (Query::Record { id, preview_of }, Query::Record { id: earlier, preview_of: of }) => {
                preview_of == of && (preview_of.is_some() || id == earlier)
            }
            // Both are shown on the same page.
            (
                Query::Compare { .. } | Query::CompareBefore { .. },
                Query::Compare { .. } | Query::CompareBefore { .. },
            ) => true,
            _ => discriminant(self) == discriminant(earlier),
        }
    }
}
