//! Model versions of the connector and the migration between them.
//!
//! Each version after the first is one module with a pure transform of a record; [`CHAIN`] lists them in order. A
//! record below the newest version runs through the missing steps and then carries the newest stamp. The preview, the
//! group and the written values all come from comparing the record before and after. To add version 3: write `v3.rs`,
//! add it to the list, give the secrets a registration ([`super::secrets`]) and raise [`super::derived::RULES`], so
//! that files derive their migration groups again.

#[cfg(test)]
mod tests;
mod v2;

use super::auth::{AuthMode, StoredAuthMode};
use super::connector::Connector;

/// A model version and its changes to a record of the version before.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The model version this step reaches.
    pub version: i64,
    /// The title in the UI.
    pub title: &'static str,
    /// The attributes of the saved object that the step may write. A migration does not decrypt secrets, so no
    /// encrypted or authenticated attribute can be one of them; a test guards that.
    pub writes: &'static [&'static str],
    transform: fn(&mut Connector) -> Result<&'static str, String>,
}

/// The steps of the migration, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct Chain(&'static [Step]);

/// The migration of this program.
pub const CHAIN: Chain = Chain(&[v2::STEP]);

/// The newest model version that this program knows.
pub const fn latest() -> i64 {
    CHAIN.latest()
}

/// [`Chain::plan`] of [`CHAIN`].
pub fn plan(connector: &Connector) -> Option<Plan> {
    CHAIN.plan(connector)
}

/// [`Chain::apply`] of [`CHAIN`].
pub fn apply(connector: &Connector, decision: Option<Decision>, all: bool) -> Option<Connector> {
    CHAIN.apply(connector, decision, all)
}

/// [`Chain::group`] of [`CHAIN`].
pub fn group(connector: &Connector) -> Option<Group> {
    CHAIN.group(connector)
}

/// The group of a record in the migration plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Gets an auth mode and the stamp.
    Backfill,
    /// Gets the stamp only.
    StampOnly,
    /// The record is not migrated until a user repairs it.
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

    /// Returns the display name.
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

/// A user's decision for one record of the plan.
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

/// The proposal of the plan for one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The group.
    pub group: Group,
    /// The reason: one for each step.
    pub reason: String,
    /// The record after applying without a decision; a blocked one as it is.
    pub after: Connector,
}

impl Chain {
    /// The steps, oldest first.
    pub const fn steps(self) -> &'static [Step] {
        self.0
    }

    /// The newest model version.
    pub const fn latest(self) -> i64 {
        self.0[self.0.len() - 1].version
    }

    /// The plan for one record; `None` when it needs no migration.
    pub fn plan(self, connector: &Connector) -> Option<Plan> {
        if connector.model_version == self.latest() {
            return None;
        }
        let run = if connector.model_version > self.latest() {
            Err(format!(
                "model version {} is newer than this program knows ({}); a newer connector-admin is needed",
                connector.model_version,
                self.latest()
            ))
        } else {
            self.run(connector)
        };
        Some(match run {
            Ok((after, reason)) if is_same_data(connector, &after) => Plan { group: Group::StampOnly, reason, after },
            Ok((after, reason)) => Plan { group: Group::Backfill, reason, after },
            Err(reason) => Plan { group: Group::Blocked, reason, after: connector.clone() },
        })
    }

    /// The group of one record, as [`Chain::plan`] has it.
    pub fn group(self, connector: &Connector) -> Option<Group> {
        if connector.model_version == self.latest() {
            return None;
        }
        if connector.model_version > self.latest() {
            return Some(Group::Blocked);
        }
        Some(match self.run(connector) {
            Ok((after, _)) if is_same_data(connector, &after) => Group::StampOnly,
            Ok(_) => Group::Backfill,
            Err(_) => Group::Blocked,
        })
    }

    /// Runs a record through the missing steps and returns the reasons.
    fn run(self, connector: &Connector) -> Result<(Connector, String), String> {
        let mut record = connector.clone();
        let mut reasons = Vec::new();
        for step in self.0.iter().filter(|step| step.version > connector.model_version) {
            reasons.push((step.transform)(&mut record)?);
            record.model_version = step.version;
        }
        Ok((record, reasons.join("; ")))
    }

    /// The record after applying the plan, given a decision; `None` when it stays as it is: nothing to do,
    /// blocked, or skipped. With `all`, a connector without any mode gets `shared` even where the plan would
    /// only stamp it (the rule of later Kibana releases).
    pub fn apply(self, connector: &Connector, decision: Option<Decision>, all: bool) -> Option<Connector> {
        let Plan { group, mut after, .. } = self.plan(connector)?;
        if group == Group::Blocked || decision == Some(Decision::Skip) {
            return None;
        }
        after.auth_mode = match (decision, after.stored_auth_mode()) {
            (Some(Decision::Set(mode)), _) | (_, StoredAuthMode::Known(mode)) => Some(mode),
            _ => all.then_some(AuthMode::Shared),
        };
        Some(after)
    }
}

/// Nothing but the version stamp (and the column an auth mode is kept in) differs.
fn is_same_data(before: &Connector, after: &Connector) -> bool {
    // Each field is named, so that a new field cannot be forgotten.
    let Connector {
        id,
        connector_type_id,
        name,
        config,
        secrets,
        is_missing_secrets,
        auth_mode: _,
        extra,
        model_version: _,
        created_at,
        updated_at,
        revision,
        key: _,
        raw,
    } = before;
    (id, connector_type_id, name, config) == (&after.id, &after.connector_type_id, &after.name, &after.config)
        && (secrets, is_missing_secrets, extra) == (&after.secrets, &after.is_missing_secrets, &after.extra)
        && (created_at, updated_at, revision, raw)
            == (&after.created_at, &after.updated_at, &after.revision, &after.raw)
        && before.stored_auth_mode() == after.stored_auth_mode()
}
