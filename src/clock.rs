//! Time as records store it, and as people read it; and sizes.

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

/// How long ago a stored time was, in at most four cells: `3m`, `5d`, `2y`. Text that is no time is `?`.
pub fn age(stored: Option<&str>, now: Timestamp) -> String {
    let Some(stored) = stored else {
        return "-".to_owned();
    };
    let Ok(time) = stored.parse::<Timestamp>() else {
        return "?".to_owned();
    };
    age_of(time, now)
}

/// How long ago a time was, in at most four cells.
pub fn age_of(time: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(time).as_secs().max(0);
    let (value, unit) = match seconds {
        0..60 => (seconds, "s"),
        60..3_600 => (seconds / 60, "m"),
        3_600..86_400 => (seconds / 3_600, "h"),
        86_400..31_536_000 => (seconds / 86_400, "d"),
        _ => (seconds / 31_536_000, "y"),
    };
    format!("{value}{unit}")
}

/// A stored time for people: to the minute, with its age.
pub fn readable(stored: Option<&str>, now: Timestamp) -> String {
    let Some(text) = stored else {
        return "not recorded".to_owned();
    };
    match text.parse::<Timestamp>() {
        Ok(time) => {
            format!("{} UTC ({} ago)", time.strftime("%Y-%m-%d %H:%M"), age(stored, now))
        }
        Err(_) => format!("{text} (not a time)"),
    }
}

/// A duration in words, for progress.
pub fn seconds_left(seconds: u64) -> String {
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {} s", seconds / 60, seconds % 60) }
}

/// A size for people: `512 B`, `1.4 MB`.
pub fn bytes_text(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.into_iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!("{}.{} {unit}", bytes / size, bytes % size * 10 / size),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_beyond_what_can_be_written_gives_the_last_time() {
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(400_000_000_000);
        assert_eq!(timestamp(far), Timestamp::MAX);
        assert_eq!(iso(timestamp(far)).get(..4), Some("9999"));
        assert_eq!(timestamp(SystemTime::UNIX_EPOCH), Timestamp::UNIX_EPOCH);
        assert_eq!(age_of(Timestamp::MIN, timestamp(far)).len(), 6, "no panic over the longest time there is");
    }
}
