//! Push: sends local changes, one connector after the other; each request is logged before it is sent.
//!
//! Before a connector is sent it is fetched once more, and changes in Kibana since the plan are not overwritten. A
//! short time remains between that fetch and the request, because the API has no conditional requests.

use super::status::{Entry, NO_SECRETS, entry_of};
use super::{Pulling, SyncError, fetch, make_secrets_known, pull};
use crate::clock;
use crate::domain::remote::{ApiCall, PushOptions, RemoteConnector, Snapshot, SyncStatus, three_way};
use crate::domain::secrets::OpenSecrets;
use crate::domain::{Connector, Remote};
use crate::kibana::saved_objects;
use crate::kibana::{Kibana, KibanaError};
use crate::store::{PullOutcome, PushRequest, RequestState, SentRequest, Store, SyncPair};
use crate::vault::Vault;

/// A confirmed connector of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The id.
    pub id: String,
    /// The requests that were shown.
    pub calls: Vec<ApiCall>,
    /// The revision of the record that was shown.
    pub revision: Option<i64>,
    /// All its users are disconnected.
    pub disconnects_users: bool,
}

impl Planned {
    /// Returns the entries that a push sends.
    pub fn of(entries: &[Entry]) -> Vec<Self> {
        let planned = |entry: &Entry| match &entry.status {
            SyncStatus::ToPush { calls, .. } => {
                let disconnects_users = entry.disconnects_users();
                Some(Self { id: entry.id.clone(), calls: calls.clone(), revision: entry.revision, disconnects_users })
            }
            _ => None,
        };
        entries.iter().filter_map(planned).collect()
    }
}

/// Why a push ended after a stop.
pub const STOPPED: &str = "stopped";

/// The outcome for one connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SentOutcome {
    /// Kibana accepted it.
    Done,
    /// Kibana has the same state already: nothing was left to send.
    InStep,
    /// Kibana refused it.
    Refused(String),
    /// It was not sent.
    Skipped(SkipReason),
    /// The outcome is unknown; the next `status` determines it.
    Unknown(String),
}

/// Why a connector of the plan was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// It no longer matches the plan.
    Status(SyncStatus),
    /// Kibana changed it between the import and the update.
    ChangedAfterImport,
    /// An error came before the request.
    Error(String),
}

/// One connector of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The planned requests.
    pub calls: Vec<ApiCall>,
    /// The number of requests that Kibana is known to have accepted.
    pub done: usize,
    /// The outcome.
    pub outcome: SentOutcome,
}

impl Sent {
    /// Returns whether only the first of its requests was accepted.
    pub fn is_half_done(&self) -> bool {
        self.done > 0 && self.done < self.calls.len()
    }
}

/// The result of a push.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushReport {
    /// The connectors, in the order in which they were sent.
    pub sent: Vec<Sent>,
    /// Connectors of the plan that were not tried: it was stopped, or the server gave up.
    pub left: usize,
    /// Why the push ended early, if it did.
    pub ended_by: Option<String>,
    /// The outcome of unanswered requests was fetched.
    pub refetched: bool,
    /// Values that Kibana added, pulled into the file.
    pub filled_in: PullOutcome,
}

impl PushReport {
    /// Returns the number of connectors that are now equal in Kibana.
    pub fn done(&self) -> usize {
        let is_done = |sent: &&Sent| matches!(sent.outcome, SentOutcome::Done | SentOutcome::InStep);
        self.sent.iter().filter(is_done).count()
    }

    /// All of the plan was done.
    pub fn is_complete(&self) -> bool {
        self.left == 0 && self.ended_by.is_none() && self.done() == self.sent.len()
    }
}

/// Called after each connector with the number of planned ones; false stops before the next one.
pub type Watch<'a> = &'a mut dyn FnMut(&Sent, usize) -> bool;

/// Sends a plan.
///
/// # Errors
/// If the file cannot be written: a request that cannot be logged is not sent. Everything else is in the report.
pub fn push(
    store: &mut Store,
    vault: &Vault,
    remote: &mut Remote,
    kibana: &Kibana,
    (plan, options): (&[Planned], PushOptions),
    watch: Watch<'_>,
) -> Result<PushReport, SyncError> {
    let now = clock::now_iso();
    let step = store.begin_push(&remote.name, &now)?;
    let mut report = PushReport::default();
    for (at, planned) in plan.iter().enumerate() {
        let mut run = PushRun { store, vault, remote, kibana, step, options };
        let (sent, ended_by) = run.push_one(planned)?;
        let continues = watch(&sent, plan.len());
        report.sent.push(sent);
        report.left = plan.len() - at - 1;
        if ended_by.is_some() || !continues {
            report.ended_by = ended_by.or_else(|| (report.left > 0).then(|| STOPPED.to_owned()));
            break;
        }
    }
    if report.sent.iter().any(|sent| matches!(sent.outcome, SentOutcome::Unknown(_))) {
        // If Kibana answers, it is known at once what came of them.
        if fetch(store, vault, remote, kibana).is_ok()
            && let Some(found) = store.last_push(&remote.name)?.filter(|found| found.step == step)
        {
            report.refetched = true;
            find_out(&mut report.sent, &found.requests);
        }
    } else {
        store.end_push(step)?;
    }
    let ids: Vec<String> = report.sent.iter().map(|sent| sent.id.clone()).collect();
    report.filled_in = pull(store, vault, remote, Pulling { only: Some(&ids), deletes_most: true }, &now)?.pulled;
    Ok(report)
}

/// Determines the outcome of unanswered requests.
fn find_out(all: &mut [Sent], requests: &[SentRequest]) {
    for sent in all.iter_mut().filter(|sent| matches!(sent.outcome, SentOutcome::Unknown(_))) {
        let done = requests.iter().filter(|found| found.id == sent.id && found.state == RequestState::Done).count();
        sent.done = done;
        if done == sent.calls.len() {
            sent.outcome = SentOutcome::Done;
        }
    }
}

struct PushRun<'a> {
    store: &'a mut Store,
    vault: &'a Vault,
    remote: &'a Remote,
    kibana: &'a Kibana,
    step: i64,
    options: PushOptions,
}

/// A request with the expected state in Kibana.
struct PreparedRequest<'a> {
    call: ApiCall,
    record: &'a Connector,
    secrets: &'a OpenSecrets,
    expected: Option<Snapshot>,
    fingerprint: Option<String>,
    detail: String,
    /// Kibana does not have it yet.
    is_new: bool,
}

impl PushRun<'_> {
    /// Sends one connector. Returns its outcome, with the reason if the push ends here.
    fn push_one(&mut self, planned: &Planned) -> Result<(Sent, Option<String>), SyncError> {
        let mut sent = Sent {
            id: planned.id.clone(),
            name: planned.id.clone(),
            calls: planned.calls.clone(),
            done: 0,
            outcome: SentOutcome::Done,
        };
        let (both, entry) = match self.refetch(&planned.id)? {
            Ok(found) => found,
            Err(error) => {
                let reason = error.to_string();
                let local = self.store.get(&planned.id)?;
                sent.name = local.map_or(sent.name, |local| local.name);
                sent.outcome = SentOutcome::Skipped(SkipReason::Error(reason.clone()));
                return Ok((sent, error.concerns_server().then_some(reason)));
            }
        };
        sent.name.clone_from(&entry.name);
        let is_as_shown = matches!(&entry.status, SyncStatus::ToPush { calls, .. } if *calls == planned.calls);
        if !is_as_shown || entry.revision != planned.revision {
            sent.outcome = skipped(entry);
            return Ok((sent, None));
        }
        for call in &planned.calls {
            if let Some((outcome, ended_by)) = self.run_call(*call, &both, &entry)? {
                sent.outcome = outcome;
                return Ok((sent, ended_by));
            }
            sent.done += 1;
        }
        Ok((sent, None))
    }

    /// Fetches the connector again and classifies it.
    fn refetch(&mut self, id: &str) -> Result<Result<(SyncPair, Entry), KibanaError>, SyncError> {
        make_secrets_known(self.store, self.vault, self.kibana, id)?;
        let found = match self.kibana.connector(id, self.remote.knows_modes) {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        let before = self.store.remote_state(&self.remote.name, id)?;
        // Only the list reports how many rules use it.
        let found = found.map(|found| RemoteConnector { referenced_by: before.referenced_by, ..found });
        self.store.record_remote(&self.remote.name, id, found.as_ref())?;
        let state = self.store.remote_state(&self.remote.name, id)?;
        let both = SyncPair { local: self.store.get(id)?, state };
        let entry = entry_of(self.vault, self.remote, &both, self.options, self.store.catalogue());
        Ok(Ok((both, entry)))
    }

    /// Logs and sends one request. Returns the outcome if it did not succeed, with the reason if it ends the push.
    fn run_call(
        &mut self,
        call: ApiCall,
        both: &SyncPair,
        entry: &Entry,
    ) -> Result<Option<(SentOutcome, Option<String>)>, SyncError> {
        let id = both.state.id.as_str();
        let gone = Connector::new(id, &entry.connector_type_id);
        let record = both.local.as_ref().unwrap_or(&gone);
        let secrets = self.vault.open(record).unwrap_or_else(|_| OpenSecrets::empty());
        let request = self.prepare(call, record, &secrets, both, entry)?;
        let logged = PushRequest {
            step: self.step,
            remote: &self.remote.name,
            id,
            call,
            expected: request.expected.as_ref(),
            secrets: request.fingerprint.as_deref(),
            detail: &request.detail,
        };
        let number = self.store.log_request(logged)?;
        let error = match self.execute(&request) {
            Ok(found) => return answered(self.store, logged, number, found.as_ref()),
            Err(error) => error,
        };
        let reason = error.to_string();
        let ended_by = error.ends_a_push().then(|| reason.clone());
        if error.may_have_arrived() {
            // It stays logged as unanswered until the next fetch.
            return Ok(Some((SentOutcome::Unknown(reason), ended_by)));
        }
        let state = if error.is_refusal() { RequestState::Refused } else { RequestState::NotSent };
        self.store.request_failed(logged, number, state, &reason)?;
        if matches!(error, KibanaError::Removed { .. }) {
            // Not recorded as "deleted in Kibana", which a pull would apply: no user wanted that.
            self.store.removed_by_import(&self.remote.name, id)?;
        }
        let outcome = match state {
            RequestState::Refused => SentOutcome::Refused(reason),
            _ => SentOutcome::Skipped(SkipReason::Error(reason)),
        };
        Ok(Some((outcome, ended_by)))
    }

    fn prepare<'a>(
        &self,
        call: ApiCall,
        record: &'a Connector,
        secrets: &'a OpenSecrets,
        both: &SyncPair,
        entry: &Entry,
    ) -> Result<PreparedRequest<'a>, SyncError> {
        let knows_modes = self.remote.knows_modes;
        let all = Snapshot::as_reported(record, knows_modes);
        let sends_secrets = matches!(call, ApiCall::Create | ApiCall::Update) && record.secrets.is_some();
        let fingerprint = match call {
            ApiCall::Create | ApiCall::Update if sends_secrets => {
                Some(self.vault.fingerprint(&record.id, secrets.secret())?)
            }
            ApiCall::Create | ApiCall::Update | ApiCall::Import => Some(NO_SECRETS.to_owned()),
            ApiCall::Delete => None,
        };
        let is_exclusive = matches!(&entry.status, SyncStatus::ToPush { calls, .. } if calls.len() == 1);
        let stored = both.state.fetched.as_ref().filter(|_| is_exclusive).and_then(|fetched| fetched.auth_mode);
        let expected = match call {
            ApiCall::Delete => None,
            ApiCall::Import => Some(Snapshot { is_missing_secrets: self.loses_secrets(record)?, ..all }),
            // An update carries the stored mode over.
            ApiCall::Update => Some(Snapshot { auth_mode: stored.or(all.auth_mode), is_missing_secrets: false, ..all }),
            ApiCall::Create => Some(Snapshot { is_missing_secrets: false, ..all }),
        };
        let detail = match call {
            ApiCall::Update if !is_exclusive => "secrets".to_owned(),
            // An import contains no secrets.
            ApiCall::Import => Entry { has_new_secrets: false, ..entry.clone() }.change(),
            _ => entry.change(),
        };
        Ok(PreparedRequest {
            call,
            record,
            secrets,
            expected,
            fingerprint,
            detail,
            is_new: both.state.fetched.is_none(),
        })
    }

    fn loses_secrets(&self, record: &Connector) -> Result<bool, SyncError> {
        Ok(saved_objects::to_line(record, self.store.catalogue()).map_err(KibanaError::Settings)?.1)
    }

    fn execute(&self, request: &PreparedRequest<'_>) -> Result<Option<RemoteConnector>, KibanaError> {
        let (record, knows_modes) = (request.record, self.remote.knows_modes);
        match request.call {
            ApiCall::Create => self.kibana.create(record, request.secrets, knows_modes).map(Some),
            ApiCall::Update => self.kibana.update(record, request.secrets, knows_modes).map(Some),
            ApiCall::Delete => self.kibana.delete(&record.id).map(|()| None),
            ApiCall::Import => {
                let (line, _) =
                    saved_objects::to_line(record, self.store.catalogue()).map_err(KibanaError::Settings)?;
                let imported = self.kibana.import(&line, !request.is_new)?;
                if let Some(other) = imported.destination.filter(|other| *other != record.id) {
                    return Err(KibanaError::Settings(format!(
                        "Kibana has a connector of this id in another space, and imported this one as {other}; give \
                         it another id in the file, or delete {other} in Kibana"
                    )));
                }
                // The answer of an import does not contain the connector. If this fetch fails, the expected state
                // applies.
                Ok(self.kibana.connector(&record.id, knows_modes).ok().flatten())
            }
        }
    }
}

/// Returns the outcome of a connector that no longer matches the plan.
fn skipped(entry: Entry) -> SentOutcome {
    match entry.status {
        SyncStatus::InSync => SentOutcome::InStep,
        status => SentOutcome::Skipped(SkipReason::Status(status)),
    }
}

/// Stores the answer of a request: its state of the connector shows whether it took effect.
fn answered(
    store: &mut Store,
    logged: PushRequest<'_>,
    number: i64,
    found: Option<&RemoteConnector>,
) -> Result<Option<(SentOutcome, Option<String>)>, SyncError> {
    let (Some(expected), Some(found)) = (logged.expected, found) else {
        store.request_done(logged, number, found)?;
        return Ok(None);
    };
    let modes = (expected.auth_mode, found.snapshot.auth_mode);
    if let (Some(wanted), Some(actual)) = modes
        && wanted != actual
    {
        let reason = format!("Kibana did not accept the auth mode: it has {actual}, not {wanted}");
        store.request_failed(logged, number, RequestState::Refused, &reason)?;
        store.record_remote(logged.remote, logged.id, Some(found))?;
        return Ok(Some((SentOutcome::Refused(reason), None)));
    }
    store.request_done(logged, number, Some(found))?;
    // The update after an import would overwrite a change that somebody made in between.
    if logged.call == ApiCall::Import && !three_way(None, expected, &found.snapshot).is_empty() {
        return Ok(Some((SentOutcome::Skipped(SkipReason::ChangedAfterImport), None)));
    }
    Ok(None)
}
