//! The write lock: waiting for another program with a callback, a cancel and a limit.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::inspect::BUSY;
use crate::store::error::StoreError;

/// The limit of the wait; a single transaction should not take longer.
const LONGEST: Duration = Duration::from_secs(30);

/// The interval of the callback and of the check for a cancel.
const STEP: Duration = Duration::from_millis(200);

/// Begins a transaction that has the write lock from the start: a deferred one could fail half-way. Raising `cancel`
/// stops the wait; a flag raised before belongs to something else.
///
/// # Errors
/// [`StoreError::Busy`] if the lock is not granted; [`StoreError::Cancelled`].
pub(in crate::store) fn begin<'a>(
    connection: &'a Connection,
    (path, doing): (&Path, &'static str),
    cancel: &AtomicBool,
    waiting: &dyn Fn(),
) -> Result<Transaction<'a>, StoreError> {
    let wrap = |error| StoreError::of_sqlite(path, doing, error);
    let was_cancelled = cancel.load(Ordering::Relaxed);
    let until = Instant::now() + LONGEST;
    connection.busy_timeout(STEP).map_err(wrap)?;
    let begun = loop {
        match Transaction::new_unchecked(connection, TransactionBehavior::Immediate) {
            Err(error) if is_busy(&error) && Instant::now() < until => {
                if !was_cancelled && cancel.load(Ordering::Relaxed) {
                    break Err(StoreError::Cancelled);
                }
                waiting();
            }
            begun => break begun.map_err(wrap),
        }
    };
    connection.busy_timeout(BUSY).map_err(wrap)?;
    begun
}

/// Another connection has what this one needs.
pub(in crate::store) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
