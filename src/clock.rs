//! The time now, and times as records store them.

use std::time::SystemTime;

use jiff::Timestamp;

/// Returns the time now; the last one that can be written, should the system's clock be beyond it (the year 9999).
pub fn now() -> Timestamp {
    timestamp(SystemTime::now())
}

/// The nearest time that can be written.
fn timestamp(time: SystemTime) -> Timestamp {
    let nearest = if time < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::try_from(time).unwrap_or(nearest)
}

/// Now, as Kibana writes times: ISO 8601 with milliseconds, `Z`.
pub fn now_iso() -> String {
    iso(now())
}

/// A time as Kibana writes it.
pub fn iso(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn time_out_of_range_becomes_the_last_writable_time() {
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(400_000_000_000);
        assert_eq!(timestamp(far), Timestamp::MAX);
        assert_eq!(iso(timestamp(far)).get(..4), Some("9999"));
        assert_eq!(timestamp(SystemTime::UNIX_EPOCH), Timestamp::UNIX_EPOCH);
    }
}
