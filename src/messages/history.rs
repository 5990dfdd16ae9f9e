//! The history in words.

use crate::store::{HistoryEntry, StepState};
use crate::text::{grouped, plural};

/// Returns the subject of a step: a name, a number of connectors, or another step.
pub fn about(step: &HistoryEntry) -> String {
    let subject = subject(step);
    match step.origin {
        Some((origin, kind)) => format!("{} of {subject} (step {origin})", kind.as_str()),
        None => subject,
    }
}

fn subject(step: &HistoryEntry) -> String {
    let count = plural(step.records, "connector");
    match (&step.subject, step.records) {
        (Some(subject), 1) => subject.clone(),
        (Some(subject), _) => format!("{subject} ({count})"),
        (None, _) => count,
    }
}

/// Returns the state of a step: empty while it is applied, else how much of it was undone.
pub fn progress(step: &HistoryEntry) -> String {
    match (step.state, step.undone) {
        (StepState::Running, _) => "unfinished".to_owned(),
        (StepState::Reverted, undone) if undone < step.records => format!("{} undone", grouped(undone)),
        (StepState::Reverted, _) => "undone".to_owned(),
        (StepState::Done, 0) => String::new(),
        (StepState::Done, undone) => format!("{} undone", grouped(undone)),
    }
}
