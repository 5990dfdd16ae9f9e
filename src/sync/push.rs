//! Sending what was changed here: one connector after the other, each request written down before it leaves.
//!
//! Before a connector is sent, Kibana is asked for it once more: what was changed there since the plan was made is not
//! overwritten. Between that look and the request a moment is left, since the API has no condition to send along.

use super::report::{Entry, NO_SECRETS, entry_of};
use super::{Pulling, SyncError, fetch, make_secrets_known, pull};
use crate::clock;
use crate::domain::secret::OpenSecrets;
use crate::domain::sync::{Call, Limits, Snapshot, Told, Verdict, three_way};
use crate::domain::{Connector, Remote};
use crate::kibana::{Kibana, KibanaError};
use crate::store::{BothSides, Leaving, Pulled, RequestState, SentRequest, Store};
use crate::transfer;
use crate::vault::Vault;

/// A connector of the plan that a person has confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its id.
    pub id: String,
    /// The requests that were shown.
    pub calls: Vec<Call>,
    /// The revision of the record that was shown.
    pub revision: Option<i64>,
    /// All its users are disconnected.
    pub disconnects_users: bool,
}

impl Planned {
    /// Those of the entries that a push sends.
    pub fn of(entries: &[Entry]) -> Vec<Self> {
        let planned = |entry: &Entry| match &entry.verdict {
            Verdict::Send { calls, .. } => {
                let disconnects_users = entry.disconnects_users();
                Some(Self { id: entry.id.clone(), calls: calls.clone(), revision: entry.revision, disconnects_users })
            }
            _ => None,
        };
        entries.iter().filter_map(planned).collect()
    }
}

/// Why a push ended that was asked to.
pub const STOPPED: &str = "stopped";

/// What became of one connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SentOutcome {
    /// Kibana has taken it.
    Done,
    /// Kibana says the same already: there was nothing to send any more.
    InStep,
    /// Kibana refused it.
    Refused(String),
    /// It was not sent: it is not any more as the plan showed it.
    Skipped(String),
    /// Nobody knows what came of it; the next `status` finds out.
    Unknown(String),
}

/// One connector of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What was to be sent.
    pub calls: Vec<Call>,
    /// How many of these Kibana is known to have taken.
    pub taken: usize,
    /// What became of it.
    pub outcome: SentOutcome,
}

impl Sent {
    /// What is to be known when only the first of its requests was taken.
    pub fn half_done(&self) -> Option<&'static str> {
        let is_half = self.taken > 0 && self.taken < self.calls.len();
        is_half.then_some(
            "the import was taken, so its secrets in Kibana are gone and it cannot run there until the update brings \
             them: another push goes on",
        )
    }
}

/// What a push did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushReport {
    /// The connectors, in the order in which they were sent.
    pub sent: Vec<Sent>,
    /// Connectors of the plan that were not tried: it was stopped, or the server gave up.
    pub left: usize,
    /// Why it ended before its end, if it did.
    pub ended_by: Option<String>,
    /// Kibana was asked what came of requests whose answer was not seen.
    pub asked_again: bool,
    /// What Kibana made of what was sent, taken into the file.
    pub filled_in: Pulled,
}

impl PushReport {
    /// Connectors in which Kibana says what the file says now.
    pub fn done(&self) -> usize {
        let is_done = |sent: &&Sent| matches!(sent.outcome, SentOutcome::Done | SentOutcome::InStep);
        self.sent.iter().filter(is_done).count()
    }

    /// All of the plan was done.
    pub fn is_whole(&self) -> bool {
        self.left == 0 && self.ended_by.is_none() && self.done() == self.sent.len()
    }
}

/// Told after each connector, with how many there are; false stops before the next one.
pub type Watch<'a> = &'a mut dyn FnMut(&Sent, usize) -> bool;

/// Sends a plan.
///
/// # Errors
/// When the file cannot be written: what is not noted is not sent. Everything else is in the report.
pub fn push(
    store: &mut Store,
    vault: &Vault,
    remote: &mut Remote,
    kibana: &Kibana,
    (plan, limits): (&[Planned], Limits),
    watch: Watch<'_>,
) -> Result<PushReport, SyncError> {
    let now = clock::now_iso();
    let step = store.begin_push(&remote.name, &now)?;
    let mut report = PushReport::default();
    for (at, planned) in plan.iter().enumerate() {
        let mut one = One { store, vault, remote, kibana, step, limits };
        let (sent, ended_by) = one.send(planned)?;
        let goes_on = watch(&sent, plan.len());
        report.sent.push(sent);
        report.left = plan.len() - at - 1;
        if ended_by.is_some() || !goes_on {
            report.ended_by = ended_by.or_else(|| (report.left > 0).then(|| STOPPED.to_owned()));
            break;
        }
    }
    if report.sent.iter().any(|sent| matches!(sent.outcome, SentOutcome::Unknown(_))) {
        // If Kibana answers, it is known at once what came of them.
        if fetch(store, vault, remote, kibana).is_ok()
            && let Some(found) = store.last_push(&remote.name)?.filter(|found| found.step == step)
        {
            report.asked_again = true;
            find_out(&mut report.sent, &found.requests);
        }
    } else {
        store.end_push(step)?;
    }
    let ids: Vec<String> = report.sent.iter().map(|sent| sent.id.clone()).collect();
    report.filled_in = pull(store, vault, remote, Pulling { only: Some(&ids), deletes_most: true }, &now)?.pulled;
    Ok(report)
}

/// What came of requests whose answer nobody saw.
fn find_out(all: &mut [Sent], requests: &[SentRequest]) {
    for sent in all.iter_mut().filter(|sent| matches!(sent.outcome, SentOutcome::Unknown(_))) {
        let done = requests.iter().filter(|found| found.id == sent.id && found.state == RequestState::Done).count();
        sent.taken = done;
        if done == sent.calls.len() {
            sent.outcome = SentOutcome::Done;
        }
    }
}

struct One<'a> {
    store: &'a mut Store,
    vault: &'a Vault,
    remote: &'a Remote,
    kibana: &'a Kibana,
    step: i64,
    limits: Limits,
}

/// One request: what is sent, and what Kibana is to say afterwards.
struct Parcel<'a> {
    call: Call,
    record: &'a Connector,
    secrets: &'a OpenSecrets,
    expected: Option<Snapshot>,
    fingerprint: Option<String>,
    detail: String,
    /// Kibana does not have it yet.
    is_new: bool,
}

impl One<'_> {
    /// Sends one connector; with it, why the push ends here, if it does.
    fn send(&mut self, planned: &Planned) -> Result<(Sent, Option<String>), SyncError> {
        let mut sent = Sent {
            id: planned.id.clone(),
            name: planned.id.clone(),
            calls: planned.calls.clone(),
            taken: 0,
            outcome: SentOutcome::Done,
        };
        let (both, entry) = match self.look_again(&planned.id)? {
            Ok(found) => found,
            Err(error) => {
                let reason = error.to_string();
                let here = self.store.get(&planned.id)?;
                sent.name = here.map_or(sent.name, |here| here.name);
                sent.outcome = SentOutcome::Skipped(reason.clone());
                return Ok((sent, error.is_about_the_server().then_some(reason)));
            }
        };
        sent.name.clone_from(&entry.name);
        let is_as_shown = matches!(&entry.verdict, Verdict::Send { calls, .. } if *calls == planned.calls);
        if !is_as_shown || entry.revision != planned.revision {
            sent.outcome = skipped(&entry);
            return Ok((sent, None));
        }
        for call in &planned.calls {
            if let Some((outcome, ended_by)) = self.request(*call, &both, &entry)? {
                sent.outcome = outcome;
                return Ok((sent, ended_by));
            }
            sent.taken += 1;
        }
        Ok((sent, None))
    }

    /// What Kibana says of it now, and what that makes of the plan.
    fn look_again(&mut self, id: &str) -> Result<Result<(BothSides, Entry), KibanaError>, SyncError> {
        make_secrets_known(self.store, self.vault, self.kibana, id)?;
        let told = match self.kibana.connector(id, self.remote.knows_modes) {
            Ok(told) => told,
            Err(error) => return Ok(Err(error)),
        };
        let before = self.store.remote_state(&self.remote.name, id)?;
        // Only the list says how many use it.
        let told = told.map(|told| Told { referenced_by: before.referenced_by, ..told });
        self.store.see(&self.remote.name, id, told.as_ref())?;
        let state = self.store.remote_state(&self.remote.name, id)?;
        let both = BothSides { here: self.store.get(id)?, state };
        let entry = entry_of(self.vault, self.remote, &both, self.limits);
        Ok(Ok((both, entry)))
    }

    /// Sends one request; the outcome when it was not done.
    fn request(
        &mut self,
        call: Call,
        both: &BothSides,
        entry: &Entry,
    ) -> Result<Option<(SentOutcome, Option<String>)>, SyncError> {
        let id = both.state.id.as_str();
        let gone = Connector::new(id, &entry.connector_type_id);
        let record = both.here.as_ref().unwrap_or(&gone);
        let secrets = self.vault.open(record).unwrap_or_else(|_| OpenSecrets::empty());
        let parcel = self.parcel(call, record, &secrets, both, entry)?;
        let leaving = Leaving {
            step: self.step,
            remote: &self.remote.name,
            id,
            call,
            expected: parcel.expected.as_ref(),
            secrets: parcel.fingerprint.as_deref(),
            detail: &parcel.detail,
        };
        let number = self.store.request_leaves(leaving)?;
        let error = match self.ask(&parcel) {
            Ok(told) => return answered(self.store, leaving, number, told.as_ref()),
            Err(error) => error,
        };
        let reason = error.to_string();
        let ended_by = error.ends_a_push().then(|| reason.clone());
        if error.may_have_arrived() {
            // It stays noted as sent without an answer, until Kibana is asked.
            return Ok(Some((SentOutcome::Unknown(reason), ended_by)));
        }
        let state = if error.is_refusal() { RequestState::Refused } else { RequestState::NotSent };
        self.store.request_failed(leaving, number, state, &reason)?;
        if matches!(error, KibanaError::Removed { .. }) {
            // It is not "deleted in Kibana", which a pull would take in: nobody wanted that.
            self.store.removed_by_import(&self.remote.name, id)?;
        }
        let outcome = match state {
            RequestState::Refused => SentOutcome::Refused(reason),
            _ => SentOutcome::Skipped(reason),
        };
        Ok(Some((outcome, ended_by)))
    }

    fn parcel<'a>(
        &self,
        call: Call,
        record: &'a Connector,
        secrets: &'a OpenSecrets,
        both: &BothSides,
        entry: &Entry,
    ) -> Result<Parcel<'a>, SyncError> {
        let knows_modes = self.remote.knows_modes;
        let all = Snapshot::as_told(record, knows_modes);
        let sends_secrets = matches!(call, Call::Create | Call::Update) && record.secrets.is_some();
        let fingerprint = match call {
            Call::Create | Call::Update if sends_secrets => Some(self.vault.fingerprint(&record.id, secrets.secret())?),
            Call::Create | Call::Update | Call::Import => Some(NO_SECRETS.to_owned()),
            Call::Delete => None,
        };
        let is_alone = matches!(&entry.verdict, Verdict::Send { calls, .. } if calls.len() == 1);
        let stored = both.state.seen.as_ref().filter(|_| is_alone).and_then(|seen| seen.auth_mode);
        let expected = match call {
            Call::Delete => None,
            Call::Import => Some(Snapshot { is_missing_secrets: self.loses_secrets(record)?, ..all }),
            // An update carries the stored mode over.
            Call::Update => Some(Snapshot { auth_mode: stored.or(all.auth_mode), is_missing_secrets: false, ..all }),
            Call::Create => Some(Snapshot { is_missing_secrets: false, ..all }),
        };
        let detail = match call {
            Call::Update if !is_alone => "secrets".to_owned(),
            // An import brings no secrets.
            Call::Import => Entry { has_new_secrets: false, ..entry.clone() }.what(),
            _ => entry.what(),
        };
        Ok(Parcel { call, record, secrets, expected, fingerprint, detail, is_new: both.state.seen.is_none() })
    }

    fn loses_secrets(&self, record: &Connector) -> Result<bool, SyncError> {
        Ok(transfer::as_line(record).map_err(KibanaError::Settings)?.1)
    }

    fn ask(&self, parcel: &Parcel<'_>) -> Result<Option<Told>, KibanaError> {
        let (record, knows_modes) = (parcel.record, self.remote.knows_modes);
        match parcel.call {
            Call::Create => self.kibana.create(record, parcel.secrets, knows_modes).map(Some),
            Call::Update => self.kibana.update(record, parcel.secrets, knows_modes).map(Some),
            Call::Delete => self.kibana.delete(&record.id).map(|()| None),
            Call::Import => {
                let (line, _) = transfer::as_line(record).map_err(KibanaError::Settings)?;
                let imported = self.kibana.import(&line, !parcel.is_new)?;
                if let Some(other) = imported.destination.filter(|other| *other != record.id) {
                    return Err(KibanaError::Settings(format!(
                        "Kibana has a connector of this id in another space, and imported this one as {other}; give it \
                         another id here, or delete {other} there"
                    )));
                }
                // The answer of an import does not tell the connector. Should this look fail, what is expected stands.
                Ok(self.kibana.connector(&record.id, knows_modes).ok().flatten())
            }
        }
    }
}

/// Why a connector of the plan was not sent after all.
fn skipped(entry: &Entry) -> SentOutcome {
    let reason = match &entry.verdict {
        Verdict::InStep => return SentOutcome::InStep,
        Verdict::Conflict => "it was changed in Kibana too since the plan was made; look at both sides".to_owned(),
        Verdict::Blocked(reason) => reason.clone(),
        Verdict::Take => "it was changed in Kibana since the plan was made; a pull takes that in".to_owned(),
        Verdict::Send { .. } => "what is to be sent is not any more what the plan showed; look at it again".to_owned(),
        Verdict::ReadOnly(why) => format!("it is {why}"),
    };
    SentOutcome::Skipped(reason)
}

/// Kibana has done what was asked, or says so: what it tells of the connector now shows it.
fn answered(
    store: &mut Store,
    leaving: Leaving<'_>,
    number: i64,
    told: Option<&Told>,
) -> Result<Option<(SentOutcome, Option<String>)>, SyncError> {
    let (Some(expected), Some(told)) = (leaving.expected, told) else {
        store.request_done(leaving, number, told)?;
        return Ok(None);
    };
    let modes = (expected.auth_mode, told.snapshot.auth_mode);
    if let (Some(wanted), Some(found)) = modes
        && wanted != found
    {
        let reason = format!("Kibana did not take the auth mode: it says {found}, not {wanted}");
        store.request_failed(leaving, number, RequestState::Refused, &reason)?;
        store.see(leaving.remote, leaving.id, Some(told))?;
        return Ok(Some((SentOutcome::Refused(reason), None)));
    }
    store.request_done(leaving, number, Some(told))?;
    // The update that follows an import would replace what somebody has changed meanwhile.
    if leaving.call == Call::Import && !three_way(None, expected, &told.snapshot).is_empty() {
        let reason = "it was changed in Kibana right after the import; its secrets are still to be sent";
        return Ok(Some((SentOutcome::Skipped(reason.to_owned()), None)));
    }
    Ok(None)
}
