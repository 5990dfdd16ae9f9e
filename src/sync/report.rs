//! What differs between the file and a remote, and what a push would do about it.

use super::{Side, SyncError};
use crate::domain::secret::SecretsState;
use crate::domain::sync::{Call, Drift, Facts, FieldDrift, Held, Limits, ModeAfter, Sides, Verdict, judge};
use crate::domain::{Connector, Remote};
use crate::store::{BothSides, Progress, Push, RemoteState, RequestState, Store, StoreError};
use crate::vault::Vault;

/// One connector in which the two sides differ, or that is Kibana's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// Its name, here if it is here.
    pub name: String,
    /// Connector type id.
    pub connector_type_id: String,
    /// What is to be done about it.
    pub verdict: Verdict,
    /// What differs; of what is on one side only, what that side has changed.
    pub fields: Vec<FieldDrift>,
    /// The secrets of the file are other ones than Kibana took from here, or none were ever sent.
    pub has_new_secrets: bool,
    /// Secrets of the file go along with what is sent.
    pub sends_secrets: bool,
    /// The revision of the record, when it is in the file.
    pub revision: Option<i64>,
    /// Nobody but Kibana can change it there.
    pub is_managed: bool,
    /// It is in the file.
    pub is_here: bool,
    /// Kibana has it.
    pub is_there: bool,
    /// Both sides once agreed on it.
    pub has_base: bool,
}

/// What entries are shown under, the most pressing first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SyncGroup {
    /// Both sides were changed.
    Conflict,
    /// A push sends it.
    Send,
    /// A push cannot.
    Blocked,
    /// A pull takes it.
    Take,
    /// Kibana's own.
    ReadOnly,
}

impl SyncGroup {
    /// All, in their order.
    pub const ALL: [SyncGroup; 5] =
        [SyncGroup::Conflict, SyncGroup::Send, SyncGroup::Blocked, SyncGroup::Take, SyncGroup::ReadOnly];

    /// For people and in JSON.
    pub fn label(self) -> &'static str {
        match self {
            SyncGroup::Conflict => "conflict",
            SyncGroup::Send => "to send",
            SyncGroup::Blocked => "blocked",
            SyncGroup::Take => "to take",
            SyncGroup::ReadOnly => "read-only",
        }
    }
}

impl Entry {
    /// The group it is shown under; none when both sides are in step.
    pub fn group(&self) -> Option<SyncGroup> {
        Some(match self.verdict {
            Verdict::InStep => return None,
            Verdict::Conflict => SyncGroup::Conflict,
            Verdict::Send { .. } => SyncGroup::Send,
            Verdict::Blocked(_) => SyncGroup::Blocked,
            Verdict::Take => SyncGroup::Take,
            Verdict::ReadOnly(_) => SyncGroup::ReadOnly,
        })
    }

    /// What happened to it, in a word or two for a list.
    pub fn what(&self) -> String {
        if let Verdict::ReadOnly(why) = self.verdict {
            return why.to_owned();
        }
        match (self.is_here, self.is_there, self.has_base) {
            (true, false, false) => "new here".to_owned(),
            (false, true, false) => "new in Kibana".to_owned(),
            (true, false, true) => "deleted in Kibana".to_owned(),
            (false, true, true) => "deleted here".to_owned(),
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

    /// Can one side be taken of what differs? If not, why.
    ///
    /// # Errors
    /// The reason, for people.
    pub fn can_be_decided(&self, side: Side) -> Result<(), &'static str> {
        let is_of_type = self.fields.iter().any(|field| field.field == "connector type");
        let has_newer = self.fields.iter().any(|field| field.drift == Drift::There);
        let is_newer_there = match self.verdict {
            Verdict::Take => self.is_here && (!self.is_there || has_newer),
            // Each side has changed a field of its own.
            Verdict::Blocked(_) => self.is_here && has_newer,
            _ => false,
        };
        match side {
            _ if self.is_managed => Err("it is Kibana's own"),
            Side::Here if self.verdict != Verdict::Conflict && !is_newer_there => Err("it is no conflict"),
            Side::Here if is_of_type => {
                Err("Kibana cannot change the type of a connector; take Kibana's side, or delete one of the two")
            }
            Side::There if !self.is_there && !self.has_base => Err("Kibana does not have it"),
            Side::There if self.verdict == Verdict::InStep => Err("both sides say the same"),
            _ => Ok(()),
        }
    }

    /// Kibana loses secrets by what is sent.
    pub fn loses_secrets(&self) -> bool {
        matches!(self.verdict, Verdict::Send { loses_secrets: true, .. })
    }

    /// All its users are disconnected by what is sent.
    pub fn disconnects_users(&self) -> bool {
        matches!(self.verdict, Verdict::Send { disconnects_users: true, .. })
    }

    /// What carries the auth mode to Kibana, for people; none where nothing is sent.
    pub fn carrier(&self) -> Option<&'static str> {
        let Verdict::Send { calls, mode, .. } = &self.verdict else { return None };
        Some(match (mode, calls.as_slice()) {
            (ModeAfter::Unknown, _) => "nothing: this Kibana does not know auth modes",
            (ModeAfter::Gone, _) => "nothing: the connector is deleted",
            (_, [Call::Import, ..]) => "the saved-object import",
            (_, [Call::Create, ..]) => "the create, which infers it from the auth type",
            _ => "the update, which keeps the one that Kibana has",
        })
    }

    /// What is to be known before it is sent, or why it is not, line by line.
    pub fn explained(&self) -> Vec<String> {
        match &self.verdict {
            Verdict::Send { calls, mode, notes, .. } => {
                let calls: Vec<&str> = calls.iter().map(|call| call.as_str()).collect();
                let carrier = self.carrier().unwrap_or_default();
                let mode = match mode {
                    ModeAfter::AsHere(mode) => format!("auth mode in Kibana afterwards: {mode}, by {carrier}"),
                    ModeAfter::Unknown => format!("the auth mode is carried by {carrier}"),
                    ModeAfter::Gone => String::new(),
                };
                let first = [calls.join(" then "), mode].into_iter().filter(|part| !part.is_empty());
                let first = first.collect::<Vec<_>>().join("; ");
                std::iter::once(first).chain(notes.iter().cloned()).collect()
            }
            Verdict::Blocked(reason) => vec![reason.clone()],
            Verdict::ReadOnly(_) => vec!["nobody can change it in Kibana, so it is not in the file".to_owned()],
            Verdict::Conflict if !self.is_there => vec!["changed here, deleted in Kibana".to_owned()],
            Verdict::Conflict if !self.is_here => vec!["deleted here, changed in Kibana".to_owned()],
            Verdict::InStep | Verdict::Conflict | Verdict::Take => Vec::new(),
        }
    }

    /// A sign for the list of connectors: changed here, there, or on both sides.
    pub fn sign(&self) -> Option<&'static str> {
        let has = |drift| self.fields.iter().any(|field| field.drift == drift);
        match self.group()? {
            SyncGroup::Conflict => Some("conflict"),
            SyncGroup::Take if !self.is_there => Some("gone there"),
            SyncGroup::Take => Some("newer there"),
            SyncGroup::Blocked if has(Drift::There) && has(Drift::Here) => Some("newer there"),
            SyncGroup::Send | SyncGroup::Blocked => Some("not pushed"),
            SyncGroup::ReadOnly => None,
        }
    }
}

/// In the place of a fingerprint: what was sent last had no secrets, so Kibana holds none.
pub(super) const NO_SECRETS: &str = "none";

/// More of a group are not shown to anybody.
const KEPT: u64 = 10_000;

/// All that differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// By group, then in the order of ids. Of what is not sent only the first ones are kept; the counts are whole.
    pub entries: Vec<Entry>,
    /// How many are in each group, in the order of [`SyncGroup::ALL`].
    counts: [u64; SyncGroup::ALL.len()],
    /// Connectors in which both sides say the same.
    pub in_step: u64,
    /// The newest push.
    pub last_push: Option<Push>,
}

impl Report {
    /// How many are in a group.
    pub fn count(&self, group: SyncGroup) -> u64 {
        self.counts.get(group as usize).copied().unwrap_or_default()
    }

    fn add(&mut self, entry: Entry) {
        let Some(group) = entry.group() else {
            self.in_step += 1;
            return;
        };
        if let Some(count) = self.counts.get_mut(group as usize) {
            *count += 1;
            if *count <= KEPT || group == SyncGroup::Send {
                self.entries.push(entry);
            }
        }
    }

    /// Some request of the last push was not done, and what it was about still differs.
    pub fn was_cut_off(&self) -> bool {
        let differs = |id: &str| self.entries.iter().any(|entry| entry.id == id);
        self.last_push.as_ref().is_some_and(|push| {
            push.is_open || push.requests.iter().any(|sent| sent.state != RequestState::Done && differs(&sent.id))
        })
    }

    /// Nothing is to be done; what is Kibana's own does not count.
    pub fn is_clean(&self) -> bool {
        SyncGroup::ALL.into_iter().all(|group| group == SyncGroup::ReadOnly || self.count(group) == 0)
    }
}

/// Compares all connectors that are wanted, by what Kibana said last.
///
/// # Errors
/// When the file cannot be read, or `progress` asks to stop.
pub fn report(
    store: &Store,
    vault: &Vault,
    remote: &Remote,
    limits: Limits,
    wanted: &dyn Fn(&BothSides) -> bool,
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
        report.add(entry_of(vault, remote, &both, limits));
        Ok(())
    })?;
    report.entries.sort_by_key(Entry::group);
    Ok(report)
}

/// Judges one connector.
pub fn entry_of(vault: &Vault, remote: &Remote, both: &BothSides, limits: Limits) -> Entry {
    let (held, state) = held(vault, both.here.as_ref(), &both.state);
    let has_new_secrets = match &held {
        Held::Some { is_sent } => !is_sent || both.state.seen.as_ref().is_some_and(|seen| seen.is_missing_secrets),
        _ => false,
    };
    let holds_some = matches!(held, Held::Some { .. });
    let facts = Facts {
        id: &both.state.id,
        held,
        state: &state,
        knows_modes: remote.knows_modes,
        is_version_known: remote.version.is_some(),
        managed_by: both.state.managed_by.as_deref(),
        referenced_by: both.state.referenced_by,
        has_none_there: both.state.sent_secrets.as_deref() == Some(NO_SECRETS),
    };
    let RemoteState { base, seen, .. } = &both.state;
    let sides = Sides { base: base.as_ref(), here: both.here.as_ref(), there: seen.as_ref() };
    let (verdict, fields) = judge(sides, &facts, limits);
    let named = |of_record: fn(&Connector) -> &String, of_seen: fn(&crate::domain::sync::Snapshot) -> &String| {
        let here = both.here.as_ref().map(of_record);
        here.or_else(|| seen.as_ref().or(base.as_ref()).map(of_seen)).cloned().unwrap_or_default()
    };
    Entry {
        id: both.state.id.clone(),
        name: named(|record| &record.name, |seen| &seen.name),
        connector_type_id: named(|record| &record.connector_type_id, |seen| &seen.connector_type_id),
        sends_secrets: holds_some
            && matches!(&verdict, Verdict::Send { calls, .. } if calls.iter().any(|call| matches!(call, Call::Create | Call::Update))),
        verdict,
        fields,
        has_new_secrets,
        revision: both.here.as_ref().map(|here| here.revision),
        is_managed: both.state.managed_by.is_some(),
        is_here: both.here.is_some(),
        is_there: seen.is_some(),
        has_base: base.is_some(),
    }
}

/// What is known of the secrets in the file, and whether Kibana has them.
fn held(vault: &Vault, here: Option<&Connector>, state: &RemoteState) -> (Held, SecretsState) {
    let Some(here) = here else { return (Held::None, SecretsState::None) };
    if here.secrets.is_none() {
        return (Held::None, vault.state(here));
    }
    match vault.open(here) {
        Ok(open) => {
            let sent = state.sent_secrets.as_deref();
            let is_sent = sent.is_some_and(|sent| vault.is_fingerprint(sent, &here.id, open.secret()));
            (Held::Some { is_sent }, open.state())
        }
        Err(reason) => (Held::Unreadable(reason.to_string()), SecretsState::Unreadable(reason.to_string())),
    }
}
