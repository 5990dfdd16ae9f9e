//! Times as users read them.

use jiff::Timestamp;

/// Formats the age of a stored time in at most four columns: `3m`, `5d`, `2y`. Invalid text is `?`.
pub fn age(stored: Option<&str>, now: Timestamp) -> String {
    let Some(stored) = stored else {
        return "-".to_owned();
    };
    let Ok(time) = stored.parse::<Timestamp>() else {
        return "?".to_owned();
    };
    age_of(time, now)
}

/// Formats the age of a time in at most four columns.
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

/// Formats a stored time to the minute, with its age.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_age_is_formatted() {
        assert_eq!(age_of(Timestamp::MIN, Timestamp::MAX).len(), 6);
    }
}
