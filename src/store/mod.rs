//! The SQLite file: the only room that contains SQL.
//!
//! `file` inspects, opens, upgrades, locks, backs up and verifies; `records` reads and writes connectors through the
//! one table of columns and derives the rest; `list` answers the lists, from indexes and from the names and ids in
//! memory; `history` journals every change and undoes it; `remote` stores the state of each Kibana, applies pulls and
//! logs pushes; `migration` plans and applies; `import` adds many connectors. All calls block: the UI reaches them
//! through the worker threads only.

mod error;
mod file;
mod history;
mod import;
mod list;
mod migration;
mod records;
mod remote;
mod temp_id_set;

pub use error::StoreError;
pub use file::backup::{Backup, BackupKind, COPY_FROM, Restored, backups_of, restore};
pub use file::inspect::{Inspection, Reading, inspect};
pub use file::location::{
    FileId, check_no_stray_log, is_damaged_database, is_database, is_log, is_sidecar_of_a_database,
};
pub use file::open::Store;
pub use file::schema::{APPLICATION_ID, LATEST as LATEST_SCHEMA, SCHEMA_1};
pub use file::upgrade::{Stage, UpgradeReport, upgrade};
pub use history::{
    HistoryEntry, HistoryLimits, HistorySize, OperationKind, Pruned, RecordChange, RecordStep, RevertPreview, Reverted,
    StepState,
};
pub use import::{Conflicts, ImportOptions, ImportOutcome, Keeping, NewConnector, OnConflict};
pub use list::index::{Lists, RowIds, TextChanges, TextState};
pub use list::query::{Scope, Sort, SortColumn};
pub use list::statistics::Statistics;
pub use migration::{Applied, PlanCounts, PlanRow};
pub use records::connectors::{ModeChange, SaveOutcome, Written};
pub use remote::apply_pull::{PullAction, PullOutcome};
pub use remote::push_log::{Push, PushRequest, RequestState, SentRequest};
pub use remote::state::{RemoteState, SyncPair};
pub use temp_id_set::TempIdSet;

/// Called after each part of a long job with the finished and the total number of records. Returning false stops the
/// job at that record boundary.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64) -> bool;

/// Records in the first transaction of a job that goes along the table; the first progress comes soon.
const FIRST_BATCH: usize = 500;

/// Records in its later transactions: fewer and larger ones write each page of an index less often.
const LARGEST_BATCH: usize = 20_000;

/// Records of a transaction that are in memory at once.
const CHUNK: usize = 2_000;

/// The size of the batch after one.
const fn next_batch(batch: usize) -> usize {
    if batch * 2 < LARGEST_BATCH { batch * 2 } else { LARGEST_BATCH }
}
