//! The steps of a migration in order, and what they make of a record.

use std::sync::OnceLock;

use super::{CHAIN, Choice, Decision, Group, MigrationStep, Plan};
use crate::domain::connector::Connector;

/// The steps of the migration, oldest first.
#[derive(Clone, Copy)]
pub struct Chain(pub &'static [&'static dyn MigrationStep]);

static CURRENT: OnceLock<Chain> = OnceLock::new();

/// Returns the chain in use.
pub fn current() -> Chain {
    *CURRENT.get_or_init(|| CHAIN)
}

impl Chain {
    /// Makes this chain the one in use, so that tests can try a future model version on the whole program. Only the
    /// first call before any other use has an effect.
    pub fn install(self) {
        let _ = CURRENT.set(self);
    }

    /// Returns the steps, oldest first.
    pub fn steps(self) -> impl Iterator<Item = &'static dyn MigrationStep> {
        self.0.iter().copied()
    }

    /// Returns the newest model version.
    pub fn latest(self) -> i64 {
        self.0.last().map_or(1, |step| step.version())
    }

    /// Returns the choices of the newest step, which the review offers.
    pub fn choices(self) -> &'static [Choice] {
        self.0.last().map_or(&[], |step| step.choices())
    }

    /// Returns the choice with this word, of any step.
    pub fn choice(self, word: &str) -> Option<Choice> {
        self.steps().flat_map(|step| step.choices()).copied().find(|choice| *choice == word)
    }

    /// Returns the plan for one record; `None` if no migration is pending.
    pub fn plan(self, connector: &Connector) -> Option<Plan> {
        if connector.model_version == self.latest() {
            return None;
        }
        Some(match self.run(connector) {
            Ok((after, reason)) if is_same_data(connector, &after) => Plan { group: Group::StampOnly, reason, after },
            Ok((after, reason)) => Plan { group: Group::Backfill, reason, after },
            Err(reason) => Plan { group: Group::Blocked, reason, after: connector.clone() },
        })
    }

    /// Returns the group of one record, as [`Chain::plan`] does.
    pub fn group(self, connector: &Connector) -> Option<Group> {
        self.plan(connector).map(|plan| plan.group)
    }

    /// Runs a record through the missing steps and returns the reasons.
    fn run(self, connector: &Connector) -> Result<(Connector, String), String> {
        if connector.model_version > self.latest() {
            return Err(format!(
                "model version {} is newer than this program knows ({}); a newer connector-admin is needed",
                connector.model_version,
                self.latest()
            ));
        }
        let mut record = connector.clone();
        let mut reasons = Vec::new();
        for step in self.missing(connector) {
            reasons.push(step.plan(&mut record)?);
            record.model_version = step.version();
        }
        Ok((record, reasons.join("; ")))
    }

    /// Returns the record after applying the plan with a decision; `None` if it does not change: no migration is
    /// pending, or the record is blocked or skipped. `all` is passed to the steps.
    pub fn apply(self, connector: &Connector, decision: Option<Decision>, all: bool) -> Option<Connector> {
        let Plan { group, mut after, .. } = self.plan(connector)?;
        if group == Group::Blocked || decision == Some(Decision::Skip) {
            return None;
        }
        let choice = decision.and_then(Decision::choice);
        for step in self.missing(connector) {
            step.apply(&mut after, choice.filter(|choice| step.choices().contains(choice)), all);
        }
        Some(after)
    }

    fn missing(self, connector: &Connector) -> impl Iterator<Item = &'static dyn MigrationStep> {
        let version = connector.model_version;
        self.steps().filter(move |step| step.version() > version)
    }
}

/// Returns whether nothing but the version stamp (and the column of the auth mode) differs.
pub(super) fn is_same_data(before: &Connector, after: &Connector) -> bool {
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
