//! Model versions of the connector and the migration between them.
//!
//! Each version after the first is one module with a pure transform; [`STEPS`] lists them in order. A
//! record below the newest version runs through the steps it lacks and then carries the newest stamp.
//! To add version 3: write `v3.rs`, add it to the list, and give the store's plan column a schema step.

mod v2;

use super::auth::AuthMode;
use super::connector::Connector;

/// One model version: what it changes in a record of the version before.
pub struct Step {
    /// The model version this step reaches.
    pub version: i64,
    /// What it does, for people.
    pub title: &'static str,
    transform: fn(&Connector) -> Result<Transformed, String>,
}

/// What a step does to a record, apart from the stamp.
struct Transformed {
    backfill: Option<AuthMode>,
    reason: &'static str,
}

/// All steps, oldest first.
pub const STEPS: &[Step] = &[v2::STEP];

/// The newest model version this program knows.
pub const fn latest() -> i64 {
    STEPS[STEPS.len() - 1].version
}

/// Where the migration plan puts a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Gets an auth mode and the stamp.
    Backfill,
    /// Gets the stamp only.
    StampOnly,
    /// Is not touched until a person repairs it.
    Blocked,
}

impl Group {
    /// The groups in the order of the plan.
    pub const ALL: [Group; 3] = [Group::Backfill, Group::StampOnly, Group::Blocked];

    /// The word used in the file and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Group::Backfill => "backfill",
            Group::StampOnly => "stamp_only",
            Group::Blocked => "blocked",
        }
    }

    /// The word for people.
    pub fn label(self) -> &'static str {
        match self {
            Group::Backfill => "backfill",
            Group::StampOnly => "stamp only",
            Group::Blocked => "blocked",
        }
    }

    /// Reads [`Group::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == text)
    }
}

/// What a person decided for one record of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Set this mode.
    Set(AuthMode),
    /// Leave the record pending.
    Skip,
}

impl Decision {
    /// The word used in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Set(mode) => mode.as_str(),
            Decision::Skip => "skip",
        }
    }

    /// Reads [`Decision::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        if text == "skip" { Some(Decision::Skip) } else { AuthMode::parse(text).map(Decision::Set) }
    }
}

/// What the plan proposes for one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its group.
    pub group: Group,
    /// Why it is there, for people.
    pub reason: String,
    /// The auth mode after applying without a decision.
    pub auth_mode: Option<AuthMode>,
    /// The mode is written by the migration (false: it was there, or there is none).
    pub writes_mode: bool,
}

/// What applying does to the two attributes a migration may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The auth mode's column afterwards.
    pub auth_mode: Option<AuthMode>,
    /// The model version afterwards.
    pub model_version: i64,
}

/// The plan for one record; `None` when it needs no migration.
pub fn plan(connector: &Connector) -> Option<Plan> {
    if connector.model_version == latest() {
        return None;
    }
    if connector.model_version > latest() {
        let reason = format!(
            "model version {} is newer than this program knows ({}); a newer connector-admin is needed",
            connector.model_version,
            latest()
        );
        return Some(Plan { group: Group::Blocked, reason, auth_mode: connector.auth_mode, writes_mode: false });
    }
    Some(run_chain(connector))
}

fn run_chain(connector: &Connector) -> Plan {
    let mut record = connector.clone();
    let mut plan =
        Plan { group: Group::StampOnly, reason: String::new(), auth_mode: record.auth_mode, writes_mode: false };
    for step in STEPS.iter().filter(|step| step.version > connector.model_version) {
        match (step.transform)(&record) {
            Ok(transformed) => {
                plan.reason = transformed.reason.to_owned();
                if let Some(mode) = transformed.backfill {
                    record.auth_mode = Some(mode);
                    plan.group = Group::Backfill;
                    plan.writes_mode = true;
                }
                plan.auth_mode = record.auth_mode;
            }
            Err(reason) => {
                return Plan { group: Group::Blocked, reason, auth_mode: connector.auth_mode, writes_mode: false };
            }
        }
    }
    plan
}

/// What applying the plan does to a record, given a decision; `None` when it stays as it is: nothing to
/// do, blocked, or skipped. With `all`, a connector without any mode gets `shared` even where the plan
/// would only stamp it (the rule of later Kibana releases).
pub fn apply(connector: &Connector, decision: Option<Decision>, all: bool) -> Option<Outcome> {
    let plan = plan(connector)?;
    if plan.group == Group::Blocked || decision == Some(Decision::Skip) {
        return None;
    }
    let kept = match connector.stored_auth_mode() {
        super::StoredAuthMode::Known(mode) => Some(mode),
        _ => None,
    };
    let proposed = plan.auth_mode.or(kept).or(all.then_some(AuthMode::Shared));
    let auth_mode = match decision {
        Some(Decision::Set(mode)) => Some(mode),
        _ => proposed,
    };
    Some(Outcome { auth_mode, model_version: latest() })
}
