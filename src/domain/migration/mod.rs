//! Model versions of the connector and the migration between them.
//!
//! Each version after the first is one [`MigrationStep`] in a file; [`CHAIN`] lists them in order. A record below the
//! newest version runs through the missing steps and then carries the newest stamp. The preview, the group, the
//! choices and the written values all come from the steps. To add version 3: write `v3.rs`, add it to the list, and
//! give the secrets a registration ([`super::secrets`]). Files derive their migration groups again by themselves.

mod chain;
mod step;
#[cfg(test)]
mod tests;
mod v2;

pub use chain::{Chain, current};
pub use step::{Choice, MigrationStep};

use strum::{EnumString, IntoStaticStr, VariantArray};

use super::connector::Connector;

/// The migration of this program. A new model version is one more step.
pub const CHAIN: Chain = Chain(&[&v2::AuthModeBackfill]);

/// Returns the newest model version that this program knows.
pub fn latest() -> i64 {
    current().latest()
}

/// [`Chain::plan`] of the chain in use.
pub fn plan(connector: &Connector) -> Option<Plan> {
    current().plan(connector)
}

/// [`Chain::apply`] of the chain in use.
pub fn apply(connector: &Connector, decision: Option<Decision>, all: bool) -> Option<Connector> {
    current().apply(connector, decision, all)
}

/// [`Chain::group`] of the chain in use.
pub fn group(connector: &Connector) -> Option<Group> {
    current().group(connector)
}

/// Returns whether a migration changes more of a record than its version stamp.
pub fn is_backfilled(before: &Connector, after: &Connector) -> bool {
    !chain::is_same_data(before, after)
}

/// The group of a record in the migration plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Group {
    /// Gets new values and the stamp.
    Backfill,
    /// Gets the stamp only.
    StampOnly,
    /// The record is not migrated until a user repairs it.
    Blocked,
}

impl Group {
    /// The groups in the order of the plan.
    pub const ALL: &[Group] = Self::VARIANTS;

    /// Returns the word for the file and for JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns the display name.
    pub fn label(self) -> &'static str {
        match self {
            Group::StampOnly => "stamp only",
            _ => self.into(),
        }
    }

    /// Parses [`Group::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// A user's decision for one record of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Apply this choice of a step instead of the plan.
    Choose(Choice),
    /// Leave the record pending.
    Skip,
}

impl Decision {
    /// The word used in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Choose(choice) => choice,
            Decision::Skip => "skip",
        }
    }

    /// Reads [`Decision::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        if text == "skip" { Some(Decision::Skip) } else { current().choice(text).map(Decision::Choose) }
    }

    /// Returns the choice, if it is one.
    pub fn choice(self) -> Option<Choice> {
        match self {
            Decision::Choose(choice) => Some(choice),
            Decision::Skip => None,
        }
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
