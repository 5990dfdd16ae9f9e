//! Waiting for the write lock while another program has it: told, stoppable, and not without end.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::connect::BUSY;
use super::error::StoreError;

/// For as long the lock is waited for; nobody's single transaction should take so long.
const LONGEST: Duration = Duration::from_secs(30);

/// After this, and then as often, is told that there is a wait, and looked whether it is to be stopped.
const STEP: Duration = Duration::from_millis(200);

/// Begins a transaction that has the write lock from the beginning: a deferred one could fail half-way instead of
/// waiting. Raising `cancel` meanwhile stops the wait; one raised before is about something else.
///
/// # Errors
/// [`StoreError::Busy`] when the lock is not given; [`StoreError::Cancelled`].
pub(super) fn begin<'a>(
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
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
