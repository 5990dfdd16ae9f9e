//! The SQLite file: the only module that speaks SQL.
//!
//! `connect` decides what a path is, `place` whether the open file is still there, `suitability` whether a file made by hand can be worked with, `open` opens it, `lock` waits for its write lock; `upgrade` brings a file to the newest schema;
//! `columns` is the one table of the columns of a record, and `derive` makes those that follow from the others;
//! `connectors` reads and writes records; `import` takes many in, `seen` keeps ids that came before; `page` answers the lists record by record, `census` counts by kind,
//! `search` the same from indexes and from the names and ids in memory; `migration` plans,
//! applies and keeps decisions; `history` journals every change, takes steps back and brings them again;
//! `remotes` keeps what a Kibana said, `taking` takes it in, `agreement` knows what both sides agree on, and `requests`
//! what was sent to it;
//! `copy` makes copies of the file and puts them back; `secrets` finds and rotates sealed values; `integrity`
//! looks for damage. All calls block: the UI reaches them through the worker threads only.

mod agreement;
mod census;
mod columns;
mod connect;
mod connectors;
mod copy;
mod derive;
mod error;
mod history;
mod import;
mod integrity;
mod lock;
mod migration;
mod open;
mod page;
mod place;
mod remotes;
mod requests;
mod schema;
mod search;
mod secrets;
mod seen;
mod suitability;
mod taking;
mod upgrade;

pub use census::Census;
pub use connect::{Inspection, Reading, inspect};
pub use connectors::{ModeChange, SaveOutcome, Written};
pub use copy::{COPY_FROM, CopyKind, FileCopy, Restored, copies_of, restore};
pub use error::StoreError;
pub use history::{
    Back, HistoryLimits, HistorySize, Kind, Pruned, RecordChange, RecordStep, Reverted, Step, StepState,
};
pub use import::{Conflicts, ImportOptions, ImportOutcome, Keeping, NewConnector, OnConflict};
pub use migration::{Applied, Decided, PlanCounts, PlanRow};
pub use open::Store;
pub use page::{Scope, Sort, SortColumn};
pub use place::{FileId, check_no_stray_log, is_damaged_database, is_database, is_log, is_sidecar_of_a_database};
pub use remotes::{BothSides, RemoteState};
pub use requests::{Leaving, Push, RequestState, SentRequest};
pub use schema::{APPLICATION_ID, LATEST as LATEST_SCHEMA, SCHEMA_1};
pub use search::{Lists, RowIds, TextChanges, TextState};
pub use seen::SeenIds;
pub use taking::{Pulled, Taking};
pub use upgrade::{Stage, UpgradeReport, upgrade};

/// Told after each part of a long job: how many records are done, of how many. Returning false stops
/// the job at that record boundary.
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
