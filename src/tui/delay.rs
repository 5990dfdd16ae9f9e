//! When something that takes time is worth showing.

use std::time::Duration;

use jiff::Timestamp;

/// The delay after which something that has not ended is shown.
pub const SLOW: Duration = Duration::from_millis(200);

/// Returns the time since a moment.
pub fn age(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

/// Returns how long it is until something that began at a moment is slow; `None` once it is.
pub fn until_slow(since: Timestamp, now: Timestamp) -> Option<Duration> {
    SLOW.checked_sub(age(since, now)).filter(|wait| !wait.is_zero())
}
