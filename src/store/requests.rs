//! What a push sent: each request is written down before it leaves, and its answer with what follows from it. So a
//! program that was killed in between can tell afterwards, from what Kibana says then, what was sent and what not.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::agreement::gone_there;
use super::connectors::{get, text};
use super::error::StoreError;
use super::history::{Journal, Kind, StepState};
use super::open::Store;
use super::remotes::{RemoteState, remote_state, see};
use crate::domain::sync::{Call, Snapshot, Told, three_way};

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// It left, and no answer has come.
    Sending,
    /// Kibana has done it.
    Done,
    /// Kibana refused it.
    Refused,
    /// Kibana never had it.
    NotSent,
    /// What Kibana says fits neither: whether it was done cannot be told.
    Unknown,
}

impl RequestState {
    const ALL: [RequestState; 5] = [
        RequestState::Sending,
        RequestState::Done,
        RequestState::Refused,
        RequestState::NotSent,
        RequestState::Unknown,
    ];

    /// The word in the file, in JSON and for people.
    pub fn as_str(self) -> &'static str {
        match self {
            RequestState::Sending => "sending",
            RequestState::Done => "done",
            RequestState::Refused => "refused",
            RequestState::NotSent => "not sent",
            RequestState::Unknown => "unknown",
        }
    }

    fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.as_str() == text).unwrap_or(RequestState::Unknown)
    }
}

/// A request of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRequest {
    /// The connector.
    pub id: String,
    /// What it was.
    pub call: Call,
    /// How far it came.
    pub state: RequestState,
    /// What it was about, or why it was refused.
    pub detail: String,
}

/// A push: a step of the history with its requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The step.
    pub step: i64,
    /// ISO 8601.
    pub started_at: String,
    /// It was cut off, and nobody has settled it since.
    pub is_open: bool,
    /// Its requests.
    pub requests: Vec<SentRequest>,
}

/// A request that is about to leave.
#[derive(Clone, Copy, Debug)]
pub struct Leaving<'a> {
    /// The step of the push.
    pub step: i64,
    /// The remote.
    pub remote: &'a str,
    /// The connector.
    pub id: &'a str,
    /// What is asked.
    pub call: Call,
    /// What Kibana is to say of the connector afterwards; none for a delete.
    pub expected: Option<&'a Snapshot>,
    /// The fingerprint of the secrets it brings.
    pub secrets: Option<&'a str>,
    /// What it is about, for people.
    pub detail: &'a str,
}

const DOING: &str = "noting what is sent";

impl Store {
    /// Begins a push.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn begin_push(&mut self, remote: &str, now: &str) -> Result<i64, StoreError> {
        self.transaction(DOING, |connection| {
            Journal::begin(connection, Kind::Push, None, Some(remote), now)
                .map(|journal| journal.step())
                .map_err(StoreError::on(connection, DOING))
        })
    }

    /// Ends a push; one that sent nothing leaves no trace.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn end_push(&mut self, step: i64) -> Result<(), StoreError> {
        self.transaction(DOING, |connection| end_step(connection, step).map_err(StoreError::on(connection, DOING)))
    }

    /// Notes a request before it leaves; gives its number.
    ///
    /// # Errors
    /// When the file cannot be written: then it must not leave.
    pub fn request_leaves(&mut self, leaving: Leaving<'_>) -> Result<i64, StoreError> {
        self.transaction(DOING, |connection| {
            let work = || {
                let number: i64 = connection.query_row(
                    "SELECT count(*) FROM remote_requests WHERE step = ?1 AND connector_id = ?2",
                    params![leaving.step, leaving.id],
                    |row| row.get(0),
                )?;
                connection.execute(
                    "INSERT INTO remote_requests VALUES (?1, ?2, ?3, ?4, ?5, 'sending', ?6, ?7, ?8)",
                    params![
                        leaving.step,
                        leaving.id,
                        number,
                        leaving.remote,
                        leaving.call.as_str(),
                        leaving.expected.map(Snapshot::to_text),
                        leaving.secrets,
                        leaving.detail,
                    ],
                )?;
                // What was sent is in the history of the connector, whatever comes of it.
                let mut journal = Journal::resume(connection, leaving.step);
                if number == 0 {
                    journal.mention(leaving.id, get(connection, leaving.id)?.as_ref())?;
                    journal.pause()?;
                }
                Ok(number)
            };
            work().map_err(StoreError::on(connection, DOING))
        })
    }

    /// Notes that Kibana has done what was asked. `told` is what it says of the connector now.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn request_done(&mut self, leaving: Leaving<'_>, number: i64, told: Option<&Told>) -> Result<(), StoreError> {
        self.transaction(DOING, |connection| {
            let work = || {
                set_state(connection, leaving.step, leaving.id, number, RequestState::Done, None)?;
                let expected = leaving.expected.map(Snapshot::to_text);
                arrived(connection, leaving.remote, leaving.id, expected.as_deref(), leaving.secrets)?;
                told.map_or(Ok(()), |told| see(connection, leaving.remote, told))
            };
            work().map_err(StoreError::on(connection, DOING))
        })
    }

    /// Notes that a request was refused, or that nobody knows what came of it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn request_failed(
        &mut self,
        leaving: Leaving<'_>,
        number: i64,
        state: RequestState,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.transaction(DOING, |connection| {
            let work = || {
                set_state(connection, leaving.step, leaving.id, number, state, Some(reason))?;
                // It cannot arrive later either, so nothing is expected any more.
                connection.execute(
                    "UPDATE remote_requests SET expected = NULL WHERE step = ?1 AND connector_id = ?2 AND number = ?3",
                    params![leaving.step, leaving.id, number],
                )
            };
            work().map(drop).map_err(StoreError::on(connection, DOING))
        })
    }

    /// Keeps what Kibana says of one connector; none: it does not have it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn see(&mut self, remote: &str, id: &str, told: Option<&Told>) -> Result<(), StoreError> {
        self.bookkeeping("keeping what a remote said", |connection| {
            let work = || match told {
                Some(told) => see(connection, remote, told),
                None => gone_there(connection, remote, id, get(connection, id)?.as_ref()),
            };
            work().map_err(StoreError::on(connection, "keeping what a remote said"))
        })
    }

    /// Forgets what a remote had of a connector that it removed when it was to import it: the connector counts as new in
    /// the file, never as deleted by somebody in Kibana.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn removed_by_import(&mut self, remote: &str, id: &str) -> Result<(), StoreError> {
        self.transaction(DOING, |connection| {
            arrived(connection, remote, id, None, None).map_err(StoreError::on(connection, DOING))
        })
    }

    /// The newest push to a remote.
    ///
    /// # Errors
    /// When the file cannot be read.
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

/// What was sent about a connector in a step, in a sentence; none when nothing was.
pub(super) fn sent_text(connection: &Connection, step: i64, id: &str) -> rusqlite::Result<Option<String>> {
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
                call: Call::parse(&row.get::<_, String>(1)?).unwrap_or(Call::Update),
                state: RequestState::parse(&row.get::<_, String>(2)?),
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

/// Kibana has taken what was sent: both sides agree on it. `expected` is none after a delete.
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
            "INSERT INTO remote_connectors (remote, id, base, seen, sent_secrets) VALUES (?1, ?2, ?3, ?3, ?4)
             ON CONFLICT (remote, id) DO UPDATE SET base = ?3, seen = ?3, sent_secrets = coalesce(?4, sent_secrets),
               found_by_look = 0, base_before = NULL, found_after = NULL",
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
    Journal::resume(connection, step).mark(step, StepState::Done)
}

/// A request without an answer.
struct Open {
    step: i64,
    id: String,
    number: i64,
    call: Call,
    expected: Option<String>,
    secrets: Option<String>,
    is_first_look: bool,
}

/// For so long a request that Kibana did not have when it was asked may still arrive, in days as SQLite counts them.
const LATE: f64 = 1.0 / 24.0;

/// Finds out, from what Kibana says now, what came of requests whose answer nobody has seen. What Kibana did not have
/// when it was asked first may have come later, even after another push.
pub(super) fn settle(connection: &Connection, remote: &str, now: Option<&str>, told: &[Told]) -> rusqlite::Result<()> {
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
                call: Call::parse(&row.get::<_, String>(3)?).unwrap_or(Call::Update),
                expected: row.get(4)?,
                secrets: row.get(5)?,
                is_first_look: row.get(6)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let by_id: HashMap<&str, &Snapshot> = told.iter().map(|one| (one.id.as_str(), &one.snapshot)).collect();
    for request in open {
        let state = remote_state(connection, remote, &request.id)?;
        let now = by_id.get(request.id.as_str()).copied();
        let outcome = outcome(&request, &state, now);
        if !request.is_first_look && outcome != RequestState::Done {
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
            // A delete: it is there still, or not.
            (None, Some(_)) => RequestState::NotSent,
            (None, None) => RequestState::Done,
            // It was to be created, or someone deleted it meanwhile.
            (Some(_), _) if state.base.is_none() => RequestState::NotSent,
            (Some(_), _) => RequestState::Unknown,
        };
    };
    let is_same = |one: &Snapshot, other: &Snapshot| three_way(None, one, other).is_empty();
    let Some(base) = &state.base else {
        return if is_same(expected, now) { RequestState::Done } else { RequestState::Unknown };
    };
    let shows = !is_same(expected, base);
    // An update brings secrets: where they are missing still, it did not come.
    let misses_them = request.call == Call::Update && now.is_missing_secrets;
    let arrived = is_same(expected, now) && !misses_them;
    match (shows, arrived) {
        (false, _) if misses_them => RequestState::NotSent,
        (true, true) => RequestState::Done,
        (true, false) if is_same(base, now) => RequestState::NotSent,
        // Only secrets were sent, which nobody can look at: the next push sends them again.
        _ => RequestState::Unknown,
    }
}
