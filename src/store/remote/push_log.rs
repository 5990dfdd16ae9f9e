//! The log of a push: each request is stored before it is sent, and its answer together with its effects. After a crash
//! the program compares the log with Kibana and reports which requests arrived.

use std::collections::HashMap;
use strum::{EnumString, IntoStaticStr};

use rusqlite::{Connection, OptionalExtension, params};

use super::merge_base::deleted_in_remote;
use super::state::{RemoteState, record_remote, remote_state};
use crate::domain::remote::{ApiCall, RemoteConnector, Snapshot, three_way};
use crate::store::error::StoreError;
use crate::store::file::open::Store;
use crate::store::history::{Journal, OperationKind, StepState};
use crate::store::records::connectors::{get, text};

/// The state of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum RequestState {
    /// The request was sent, and no answer arrived.
    Sending,
    /// Kibana has done it.
    Done,
    /// Kibana refused it.
    Refused,
    /// Kibana never had it.
    #[strum(serialize = "not sent")]
    NotSent,
    /// The state in Kibana matches neither; the outcome is unknown.
    Unknown,
}

impl RequestState {
    /// Returns the word for the file, for JSON and for the UI.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A request of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRequest {
    /// The connector.
    pub id: String,
    /// The API call.
    pub call: ApiCall,
    /// The state.
    pub state: RequestState,
    /// The subject, or the reason of a refusal.
    pub detail: String,
}

/// A push: a step of the history with its requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The step.
    pub step: i64,
    /// ISO 8601.
    pub started_at: String,
    /// The push was interrupted and has not been settled.
    pub is_open: bool,
    /// The requests.
    pub requests: Vec<SentRequest>,
}

/// A request that is about to leave.
#[derive(Clone, Copy, Debug)]
pub struct PushRequest<'a> {
    /// The step of the push.
    pub step: i64,
    /// The remote.
    pub remote: &'a str,
    /// The connector.
    pub id: &'a str,
    /// The API call.
    pub call: ApiCall,
    /// The expected state in Kibana; `None` for a delete.
    pub expected: Option<&'a Snapshot>,
    /// The fingerprint of the secrets in the request.
    pub secrets: Option<&'a str>,
    /// The subject for the UI.
    pub detail: &'a str,
}

const DOING: &str = "noting what is sent";

impl Store {
    /// Begins a push.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn begin_push(&mut self, remote: &str, now: &str) -> Result<i64, StoreError> {
        self.transaction(DOING, |connection| {
            Journal::begin(connection, OperationKind::Push, None, Some(remote), now)
                .map(|journal| journal.step())
                .map_err(StoreError::on(connection, DOING))
        })
    }

    /// Ends a push; a push without requests leaves no step.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn end_push(&mut self, step: i64) -> Result<(), StoreError> {
        self.transaction(DOING, |connection| end_step(connection, step).map_err(StoreError::on(connection, DOING)))
    }

    /// Logs a request before it is sent; returns its number.
    ///
    /// # Errors
    /// If the file cannot be written; the request must not be sent then.
    pub fn log_request(&mut self, request: PushRequest<'_>) -> Result<i64, StoreError> {
        self.transaction(DOING, |connection| {
            let work = || {
                let number: i64 = connection.query_row(
                    "SELECT count(*) FROM remote_requests WHERE step = ?1 AND connector_id = ?2",
                    params![request.step, request.id],
                    |row| row.get(0),
                )?;
                connection.execute(
                    "INSERT INTO remote_requests VALUES (?1, ?2, ?3, ?4, ?5, 'sending', ?6, ?7, ?8)",
                    params![
                        request.step,
                        request.id,
                        number,
                        request.remote,
                        request.call.as_str(),
                        request.expected.map(Snapshot::to_text),
                        request.secrets,
                        request.detail,
                    ],
                )?;
                // Every sent request is in the history of the connector, whatever its outcome.
                let mut journal = Journal::resume(connection, request.step);
                if number == 0 {
                    journal.mention(request.id, get(connection, request.id)?.as_ref())?;
                    journal.pause()?;
                }
                Ok(number)
            };
            work().map_err(StoreError::on(connection, DOING))
        })
    }

    /// Logs that Kibana carried out a request. `found` is the state in Kibana now.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn request_done(
        &mut self,
        request: PushRequest<'_>,
        number: i64,
        found: Option<&RemoteConnector>,
    ) -> Result<(), StoreError> {
        self.transaction(DOING, |connection| {
            let work = || {
                set_state(connection, request.step, request.id, number, RequestState::Done, None)?;
                let expected = request.expected.map(Snapshot::to_text);
                arrived(connection, request.remote, request.id, expected.as_deref(), request.secrets)?;
                found.map_or(Ok(()), |found| record_remote(connection, request.remote, found))
            };
            work().map_err(StoreError::on(connection, DOING))
        })
    }

    /// Logs that a request was refused or has an unknown outcome.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn request_failed(
        &mut self,
        request: PushRequest<'_>,
        number: i64,
        state: RequestState,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.transaction(DOING, |connection| {
            let work = || {
                set_state(connection, request.step, request.id, number, state, Some(reason))?;
                // It cannot arrive later either, so nothing is expected.
                connection.execute(
                    "UPDATE remote_requests SET expected = NULL WHERE step = ?1 AND connector_id = ?2 AND number = ?3",
                    params![request.step, request.id, number],
                )
            };
            work().map(drop).map_err(StoreError::on(connection, DOING))
        })
    }

    /// Stores the state of one connector in Kibana; `None` if Kibana does not have it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn record_remote(&mut self, remote: &str, id: &str, found: Option<&RemoteConnector>) -> Result<(), StoreError> {
        self.bookkeeping("saving the state of a remote", |connection| {
            let work = || match found {
                Some(found) => record_remote(connection, remote, found),
                None => deleted_in_remote(connection, remote, id, get(connection, id)?.as_ref()),
            };
            work().map_err(StoreError::on(connection, "saving the state of a remote"))
        })
    }

    /// Drops the remote state of a connector that Kibana removed during an import: it counts as new locally, never as
    /// deleted in Kibana.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn removed_by_import(&mut self, remote: &str, id: &str) -> Result<(), StoreError> {
        self.transaction(DOING, |connection| {
            arrived(connection, remote, id, None, None).map_err(StoreError::on(connection, DOING))
        })
    }

    /// Returns the newest push to a remote.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn last_push(&self, remote: &str) -> Result<Option<Push>, StoreError> {
        self.run("reading what was sent", |connection| {
            let found = connection
                .prepare_cached(
                    "SELECT step, started_at, state = 'running' FROM history WHERE kind = 'push' AND subject = ?1
                     ORDER BY step DESC LIMIT 1",
                )?
                .query_row([remote], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            let Some((step, started_at, is_open)) = found else { return Ok(None) };
            Ok(Some(Push { step, started_at, is_open, requests: requests(connection, step, None)? }))
        })
    }
}

/// Describes what a step sent about a connector; `None` if nothing was sent.
pub(in crate::store) fn sent_text(connection: &Connection, step: i64, id: &str) -> rusqlite::Result<Option<String>> {
    let all = requests(connection, step, Some(id))?;
    let texts: Vec<String> = all
        .iter()
        .map(|sent| match sent.detail.as_str() {
            "" => format!("{}: {}", sent.call.as_str(), sent.state.as_str()),
            detail => format!("{} ({detail}): {}", sent.call.as_str(), sent.state.as_str()),
        })
        .collect();
    Ok((!texts.is_empty()).then(|| texts.join("; ")))
}

fn requests(connection: &Connection, step: i64, id: Option<&str>) -> rusqlite::Result<Vec<SentRequest>> {
    connection
        .prepare_cached(
            "SELECT connector_id, call, state, detail FROM remote_requests
             WHERE step = ?1 AND (?2 IS NULL OR connector_id = ?2) ORDER BY connector_id, number",
        )?
        .query_map(params![step, id], |row| {
            Ok(SentRequest {
                id: row.get(0)?,
                call: row.get::<_, String>(1)?.parse().unwrap_or(ApiCall::Update),
                state: row.get::<_, String>(2)?.parse().unwrap_or(RequestState::Unknown),
                detail: text(row, 3)?.unwrap_or_default(),
            })
        })?
        .collect()
}

fn set_state(
    connection: &Connection,
    step: i64,
    id: &str,
    number: i64,
    state: RequestState,
    detail: Option<&str>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE remote_requests SET state = ?4, detail = coalesce(?5, detail)
             WHERE step = ?1 AND connector_id = ?2 AND number = ?3",
        )?
        .execute(params![step, id, number, state.as_str(), detail])
        .map(drop)
}

/// Makes the sent state the merge base. `expected` is `None` after a delete.
fn arrived(
    connection: &Connection,
    remote: &str,
    id: &str,
    expected: Option<&str>,
    secrets: Option<&str>,
) -> rusqlite::Result<()> {
    if expected.is_none() {
        return connection
            .execute("DELETE FROM remote_connectors WHERE remote = ?1 AND id = ?2", [remote, id])
            .map(drop);
    }
    connection
        .prepare_cached(
            "INSERT INTO remote_connectors (remote, id, base, fetched, sent_secrets) VALUES (?1, ?2, ?3, ?3, ?4)
             ON CONFLICT (remote, id) DO UPDATE SET base = ?3, fetched = ?3, sent_secrets = coalesce(?4, sent_secrets),
               is_detected = 0, base_before = NULL, detected_after = NULL",
        )?
        .execute(params![remote, id, expected, secrets])
        .map(drop)
}

fn end_step(connection: &Connection, step: i64) -> rusqlite::Result<()> {
    let is_empty: bool =
        connection
            .query_row("SELECT NOT EXISTS (SELECT 1 FROM remote_requests WHERE step = ?1)", [step], |row| row.get(0))?;
    if is_empty {
        return connection.execute("DELETE FROM history WHERE step = ?1", [step]).map(drop);
    }
    Journal::resume(connection, step).set_state(step, StepState::Done)
}

/// A request without an answer.
struct Open {
    step: i64,
    id: String,
    number: i64,
    call: ApiCall,
    expected: Option<String>,
    secrets: Option<String>,
    is_first_check: bool,
}

/// The time in which an unconfirmed request may still arrive, in days as SQLite counts them.
const LATE: f64 = 1.0 / 24.0;

/// Determines the outcome of unanswered requests from the state in Kibana. A request that had not arrived at the first
/// fetch may arrive later, even after another push.
pub(in crate::store) fn reconcile(
    connection: &Connection,
    remote: &str,
    now: Option<&str>,
    found: &[RemoteConnector],
) -> rusqlite::Result<()> {
    let open: Vec<Open> = connection
        .prepare_cached(
            "SELECT r.step, connector_id, number, call, expected, secrets, r.state = 'sending' FROM remote_requests AS r
             JOIN history AS h ON h.step = r.step
             WHERE r.remote = ?1 AND (r.state = 'sending'
               OR (r.state = 'not sent' AND (expected IS NOT NULL OR call = 'delete')
                   AND julianday(?2) - julianday(h.started_at) < ?3))",
        )?
        .query_map(params![remote, now, LATE], |row| {
            Ok(Open {
                step: row.get(0)?,
                id: row.get(1)?,
                number: row.get(2)?,
                call: row.get::<_, String>(3)?.parse().unwrap_or(ApiCall::Update),
                expected: row.get(4)?,
                secrets: row.get(5)?,
                is_first_check: row.get(6)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let by_id: HashMap<&str, &Snapshot> = found.iter().map(|one| (one.id.as_str(), &one.snapshot)).collect();
    for request in open {
        let state = remote_state(connection, remote, &request.id)?;
        let now = by_id.get(request.id.as_str()).copied();
        let outcome = outcome(&request, &state, now);
        if !request.is_first_check && outcome != RequestState::Done {
            continue;
        }
        set_state(connection, request.step, &request.id, request.number, outcome, None)?;
        if outcome == RequestState::Done {
            arrived(connection, remote, &request.id, request.expected.as_deref(), request.secrets.as_deref())?;
        }
    }
    let unfinished: Vec<i64> = connection
        .prepare_cached("SELECT step FROM history WHERE kind = 'push' AND state = 'running' AND subject = ?1")?
        .query_map([remote], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    unfinished.into_iter().try_for_each(|step| end_step(connection, step))
}

fn outcome(request: &Open, state: &RemoteState, now: Option<&Snapshot>) -> RequestState {
    let expected = request.expected.as_deref().and_then(Snapshot::from_text);
    let (Some(expected), Some(now)) = (&expected, now) else {
        return match (expected, now) {
            // A delete: the connector is still there, or not.
            (None, Some(_)) => RequestState::NotSent,
            (None, None) => RequestState::Done,
            // A create that did not arrive, or a delete by someone else.
            (Some(_), _) if state.base.is_none() => RequestState::NotSent,
            (Some(_), _) => RequestState::Unknown,
        };
    };
    let is_same = |one: &Snapshot, other: &Snapshot| three_way(None, one, other).is_empty();
    let Some(base) = &state.base else {
        return if is_same(expected, now) { RequestState::Done } else { RequestState::Unknown };
    };
    let shows = !is_same(expected, base);
    // An update sends secrets: if they are still missing, it did not arrive.
    let misses_them = request.call == ApiCall::Update && now.is_missing_secrets;
    let arrived = is_same(expected, now) && !misses_them;
    match (shows, arrived) {
        (false, _) if misses_them => RequestState::NotSent,
        (true, true) => RequestState::Done,
        (true, false) if is_same(base, now) => RequestState::NotSent,
        // Only secrets were sent, which cannot be read back: the next push sends them again.
        _ => RequestState::Unknown,
    }
}
