//! A line on standard error that replaces itself while a command works, on a terminal only.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crossterm::terminal;

use super::output::progress_line;
use crate::text::terminal::fit;

/// Cells of a bar.
const BAR: usize = 20;
/// The interval between two updates.
const EVERY: Duration = Duration::from_millis(100);

/// The progress line; removed on drop.
pub(in crate::cli) struct Progress {
    is_shown: bool,
    started: Instant,
    last: Cell<Option<Instant>>,
}

impl Progress {
    pub(in crate::cli) fn new(is_shown: bool) -> Self {
        Self { is_shown, started: Instant::now(), last: Cell::new(None) }
    }

    /// Shows a text. Returns true: the work continues.
    pub(in crate::cli) fn text(&self, text: &str) -> bool {
        if self.is_due() {
            // The last cell stays free: a line that fills it would begin another one.
            let columns = terminal::size().map_or(80, |(columns, _)| usize::from(columns)).saturating_sub(1);
            progress_line(fit(text, columns).trim_end());
        }
        true
    }

    /// Shows the progress; a total of 0 is unknown. Returns true: the work continues.
    pub(in crate::cli) fn bar(&self, verb: &str, done: u64, total: u64, things: &str) -> bool {
        self.text(&bar(verb, (done, total), things, self.started.elapsed()))
    }

    fn is_due(&self) -> bool {
        let is_due = self.is_shown && self.last.get().is_none_or(|last| last.elapsed() >= EVERY);
        if is_due {
            self.last.set(Some(Instant::now()));
        }
        is_due
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.last.get().is_some() {
            progress_line("");
        }
    }
}

fn bar(verb: &str, (done, total): (u64, u64), things: &str, elapsed: Duration) -> String {
    let milliseconds = elapsed.as_millis().max(1);
    let rate = u64::try_from(u128::from(done) * 1000 / milliseconds).unwrap_or(u64::MAX);
    if total == 0 {
        return format!("{verb} {done} {things}, {rate}/s");
    }
    let part = |of: u64| u64::try_from(u128::from(done.min(total)) * u128::from(of) / u128::from(total)).unwrap_or(of);
    let filled = usize::try_from(part(BAR as u64)).unwrap_or(BAR);
    let left = match total.saturating_sub(done).checked_div(rate) {
        Some(seconds) if elapsed >= Duration::from_secs(2) => format!(", {}:{:02} left", seconds / 60, seconds % 60),
        _ => String::new(),
    };
    let bar = format!("{}{}", "━".repeat(filled), "╌".repeat(BAR - filled));
    format!("{bar} {:>3}% {verb} {done} {things}, {rate}/s{left}", part(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_line_shows_count_rate_and_time_left() {
        let after = Duration::from_secs(4);
        assert_eq!(
            bar("migrated", (250, 1000), "connectors", after),
            "━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌  25% migrated 250 connectors, 62/s, 0:12 left"
        );
        assert_eq!(bar("read", (250, 0), "connectors", after), "read 250 connectors, 62/s");
        assert!(bar("read", (7, 5), "pages", Duration::ZERO).contains("100% read 7 pages"));
    }
}
