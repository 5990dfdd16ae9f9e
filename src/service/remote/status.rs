//! Status: the differences between the file and a remote, and the effect of a push.

use super::{Side, SyncError};
use crate::domain::remote::{
    ApiCall, ClassifyContext, Drift, FieldDrift, LocalSecrets, PushOptions, Sides, SyncStatus, classify,
};
use crate::domain::secrets::SecretsState;
use crate::domain::{Catalogue, Connector, Remote};
use crate::store::{Progress, Push, RemoteState, RequestState, Store, StoreError, SyncPair};
use crate::vault::Vault;

/// One connector in which the two sides differ, or that is Kibana's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The id.
    pub id: String,
    /// The name; the local one if there is one.
    pub name: String,
    /// Connector type id.
    pub connector_type_id: String,
    /// The sync status.
    pub status: SyncStatus,
    /// The fields that differ; for a connector on one side only, the changes of that side.
    pub fields: Vec<FieldDrift>,
    /// The local secrets differ from those that Kibana received, or were never sent.
    pub has_new_secrets: bool,
    /// The request contains local secrets.
    pub sends_secrets: bool,
    /// The revision of the record, when it is in the file.
    pub revision: Option<i64>,
    /// Only Kibana can change it.
    pub is_managed: bool,
    /// The file has it.
    pub is_local: bool,
    /// Kibana has it.
    pub is_remote: bool,
    /// It has a merge base.
    pub has_base: bool,
}

/// Why a difference cannot be resolved for a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unresolvable {
    /// Kibana manages the connector.
    Managed,
    /// It is not a conflict.
    NoConflict,
    /// Its type was changed, which Kibana cannot do.
    TypeChanged,
    /// Kibana does not have it.
    NotInKibana,
    /// Both sides are equal.
    Equal,
}

/// The groups of entries, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SyncGroup {
    /// Both sides were changed.
    Conflict,
    /// A push sends it.
    ToPush,
    /// A push cannot.
    Blocked,
    /// A pull updates it.
    ToPull,
    /// Kibana's own.
    ReadOnly,
}

impl SyncGroup {
    /// All, in their order.
    pub const ALL: [SyncGroup; 5] =
        [SyncGroup::Conflict, SyncGroup::ToPush, SyncGroup::Blocked, SyncGroup::ToPull, SyncGroup::ReadOnly];

    /// Returns the word for the UI and for JSON.
    pub fn label(self) -> &'static str {
        match self {
            SyncGroup::Conflict => "conflict",
            SyncGroup::ToPush => "to push",
            SyncGroup::Blocked => "blocked",
            SyncGroup::ToPull => "to pull",
            SyncGroup::ReadOnly => "read-only",
        }
    }
}

impl Entry {
    /// The group it is shown under; `None` when both sides are in sync.
    pub fn group(&self) -> Option<SyncGroup> {
        Some(match self.status {
            SyncStatus::InSync => return None,
            SyncStatus::Conflict => SyncGroup::Conflict,
            SyncStatus::ToPush { .. } => SyncGroup::ToPush,
            SyncStatus::Blocked(_) => SyncGroup::Blocked,
            SyncStatus::ToPull => SyncGroup::ToPull,
            SyncStatus::ReadOnly(_) => SyncGroup::ReadOnly,
        })
    }

    /// Describes the change in a word or two: new, deleted, or the changed fields.
    pub fn change(&self) -> String {
        match (self.is_local, self.is_remote, self.has_base) {
            (true, false, false) => "new locally".to_owned(),
            (false, true, false) => "new in Kibana".to_owned(),
            (true, false, true) => "deleted in Kibana".to_owned(),
            (false, true, true) => "deleted locally".to_owned(),
            _ => self.changed(),
        }
    }

    /// The fields that differ, and the secrets.
    fn changed(&self) -> String {
        let mut names: Vec<&str> = self.fields.iter().map(|field| field.field.as_str()).collect();
        if self.has_new_secrets {
            names.push("secrets");
        }
        if names.is_empty() { "missing secrets".to_owned() } else { names.join(", ") }
    }

    /// Returns whether the differences can be resolved for a side.
    ///
    /// # Errors
    /// The reason why not.
    pub fn can_be_resolved(&self, side: Side) -> Result<(), Unresolvable> {
        let is_of_type = self.fields.iter().any(|field| field.field == "connector type");
        let has_newer = self.fields.iter().any(|field| field.drift == Drift::Remote);
        let is_newer_remotely = match self.status {
            SyncStatus::ToPull => self.is_local && (!self.is_remote || has_newer),
            // Each side changed another field.
            SyncStatus::Blocked(_) => self.is_local && has_newer,
            _ => false,
        };
        match side {
            _ if self.is_managed => Err(Unresolvable::Managed),
            Side::Local if self.status != SyncStatus::Conflict && !is_newer_remotely => Err(Unresolvable::NoConflict),
            Side::Local if is_of_type => Err(Unresolvable::TypeChanged),
            Side::Remote if !self.is_remote && !self.has_base => Err(Unresolvable::NotInKibana),
            Side::Remote if self.status == SyncStatus::InSync => Err(Unresolvable::Equal),
            _ => Ok(()),
        }
    }

    /// Returns whether the push removes secrets in Kibana.
    pub fn loses_secrets(&self) -> bool {
        matches!(self.status, SyncStatus::ToPush { loses_secrets: true, .. })
    }

    /// Returns whether the push disconnects all users of the connector.
    pub fn disconnects_users(&self) -> bool {
        matches!(self.status, SyncStatus::ToPush { disconnects_users: true, .. })
    }

    /// Returns a sign for the list of connectors: changed locally, remotely, or on both sides.
    pub fn sign(&self) -> Option<&'static str> {
        let has = |drift| self.fields.iter().any(|field| field.drift == drift);
        match self.group()? {
            SyncGroup::Conflict => Some("conflict"),
            SyncGroup::ToPull if !self.is_remote => Some("deleted in Kibana"),
            SyncGroup::ToPull => Some("changed in Kibana"),
            SyncGroup::Blocked if has(Drift::Remote) && has(Drift::Local) => Some("changed in Kibana"),
            SyncGroup::ToPush | SyncGroup::Blocked => Some("not pushed"),
            SyncGroup::ReadOnly => None,
        }
    }
}

/// Stored instead of a fingerprint: the last request had no secrets, so Kibana holds none.
pub(super) const NO_SECRETS: &str = "none";

/// More of a group are not shown to anybody.
const MAX_ENTRIES: u64 = 10_000;

/// All that differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// By group, then by id. Only the first entries that are not sent are kept; the counts are complete.
    pub entries: Vec<Entry>,
    /// The number of entries of each group, in the order of [`SyncGroup::ALL`].
    counts: [u64; SyncGroup::ALL.len()],
    /// The number of connectors that are equal on both sides.
    pub in_sync: u64,
    /// The newest push.
    pub last_push: Option<Push>,
}

impl Report {
    /// Returns the number of entries in a group.
    pub fn count(&self, group: SyncGroup) -> u64 {
        self.counts.get(group as usize).copied().unwrap_or_default()
    }

    /// Returns the entries that are not equal on both sides, without those that Kibana manages.
    pub fn differing(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.group() != Some(SyncGroup::ReadOnly))
    }

    fn add(&mut self, entry: Entry) {
        let Some(group) = entry.group() else {
            self.in_sync += 1;
            return;
        };
        if let Some(count) = self.counts.get_mut(group as usize) {
            *count += 1;
            if *count <= MAX_ENTRIES || group == SyncGroup::ToPush {
                self.entries.push(entry);
            }
        }
    }

    /// Returns whether a request of the last push was not carried out and its connector still differs.
    pub fn was_interrupted(&self) -> bool {
        let differs = |id: &str| self.entries.iter().any(|entry| entry.id == id);
        self.last_push.as_ref().is_some_and(|push| {
            push.is_open || push.requests.iter().any(|sent| sent.state != RequestState::Done && differs(&sent.id))
        })
    }

    /// Returns whether nothing is left to do; connectors that Kibana manages do not count.
    pub fn is_clean(&self) -> bool {
        SyncGroup::ALL.into_iter().all(|group| group == SyncGroup::ReadOnly || self.count(group) == 0)
    }
}

/// Compares connectors with the last fetched state.
///
/// # Errors
/// If the file cannot be read, or `progress` stops the comparison.
pub fn report(
    store: &Store,
    vault: &Vault,
    remote: &Remote,
    options: PushOptions,
    wanted: &dyn Fn(&SyncPair) -> bool,
    progress: Progress<'_>,
) -> Result<Report, SyncError> {
    let mut report = Report { last_push: store.last_push(&remote.name)?, ..Report::default() };
    let mut read = 0;
    store.each_of_both::<SyncError>(&remote.name, |both| {
        read += 1;
        if read % 500 == 0 && !progress(read, 0) {
            return Err(StoreError::Cancelled.into());
        }
        if !wanted(&both) {
            return Ok(());
        }
        report.add(entry_of(vault, remote, &both, options, store.catalogue()));
        Ok(())
    })?;
    report.entries.sort_by_key(Entry::group);
    Ok(report)
}

/// Judges one connector.
pub fn entry_of(vault: &Vault, remote: &Remote, both: &SyncPair, options: PushOptions, catalogue: &Catalogue) -> Entry {
    let (secrets, state) = secrets(vault, both.local.as_ref(), &both.state);
    let has_new_secrets = match &secrets {
        LocalSecrets::Some { is_sent } => {
            !is_sent || both.state.fetched.as_ref().is_some_and(|fetched| fetched.is_missing_secrets)
        }
        _ => false,
    };
    let holds_some = matches!(secrets, LocalSecrets::Some { .. });
    let context = ClassifyContext {
        catalogue,
        id: &both.state.id,
        secrets,
        state: &state,
        knows_modes: remote.knows_modes,
        is_version_known: remote.version.is_some(),
        managed_by: both.state.managed_by.as_deref(),
        referenced_by: both.state.referenced_by,
        lacks_remote: both.state.sent_secrets.as_deref() == Some(NO_SECRETS),
    };
    let RemoteState { base, fetched, .. } = &both.state;
    let sides = Sides { base: base.as_ref(), local: both.local.as_ref(), remote: fetched.as_ref() };
    let (status, fields) = classify(sides, &context, options);
    let named = |of_record: fn(&Connector) -> &String, of_fetched: fn(&crate::domain::remote::Snapshot) -> &String| {
        let local = both.local.as_ref().map(of_record);
        local.or_else(|| fetched.as_ref().or(base.as_ref()).map(of_fetched)).cloned().unwrap_or_default()
    };
    Entry {
        id: both.state.id.clone(),
        name: named(|record| &record.name, |fetched| &fetched.name),
        connector_type_id: named(|record| &record.connector_type_id, |fetched| &fetched.connector_type_id),
        sends_secrets: holds_some
            && matches!(&status, SyncStatus::ToPush { calls, .. } if calls.iter().any(|call| matches!(call, ApiCall::Create | ApiCall::Update))),
        status,
        fields,
        has_new_secrets,
        revision: both.local.as_ref().map(|local| local.revision),
        is_managed: both.state.managed_by.is_some(),
        is_local: both.local.is_some(),
        is_remote: fetched.is_some(),
        has_base: base.is_some(),
    }
}

/// Returns the state of the local secrets, and whether Kibana has them.
fn secrets(vault: &Vault, local: Option<&Connector>, state: &RemoteState) -> (LocalSecrets, SecretsState) {
    let Some(local) = local else { return (LocalSecrets::None, SecretsState::None) };
    if local.secrets.is_none() {
        return (LocalSecrets::None, vault.state(local));
    }
    match vault.open(local) {
        Ok(open) => {
            let sent = state.sent_secrets.as_deref();
            let is_sent = sent.is_some_and(|sent| vault.is_fingerprint(sent, &local.id, open.secret()));
            (LocalSecrets::Some { is_sent }, open.state())
        }
        Err(reason) => (LocalSecrets::Unreadable(reason.to_string()), SecretsState::Unreadable(reason.to_string())),
    }
}
