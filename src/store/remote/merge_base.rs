//! The merge base of a file and a remote: set by a pull, a decision or a push, or detected by a fetch; and its history
//! when steps are reverted.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::state::remote_state;
use crate::domain::Connector;
use crate::domain::remote::{Snapshot, merged, three_way};
use crate::store::records::connectors::text;

/// Makes the last state in Kibana the merge base.
pub(in crate::store) fn set_base(connection: &Connection, remote: &str, id: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE remote_connectors SET base = seen, found_by_look = 0, base_before = NULL, found_after = NULL
             WHERE remote = ?1 AND id = ?2",
        )?
        .execute([remote, id])?;
    forget_empty(connection, remote, id)
}

/// Nothing is agreed on: the connector counts as new on the side that has it.
pub(in crate::store) fn clear_base(connection: &Connection, remote: &str, id: &str) -> rusqlite::Result<()> {
    put(connection, remote, id, &Agreement::default())
}

/// Records that a fetch found both sides equal, without a pull or a push. The base before is kept: if the step that
/// made them equal is undone, it applies again.
pub(in crate::store) fn set_detected_base(
    connection: &Connection,
    remote: &str,
    id: &str,
    (base, there): (Option<&Snapshot>, Option<&Snapshot>),
) -> rusqlite::Result<()> {
    let is_as_before = matches!((base, there), (Some(base), Some(there)) if three_way(None, base, there).is_empty());
    let sql = if is_as_before {
        // Only written another way.
        "UPDATE remote_connectors SET base = seen WHERE remote = ?1 AND id = ?2"
    } else {
        "UPDATE remote_connectors
         SET base_before = base, base = seen, found_by_look = 1, found_after = (SELECT max(step) FROM history)
         WHERE remote = ?1 AND id = ?2"
    };
    connection.prepare_cached(sql)?.execute([remote, id]).map(drop)
}

/// The merge base of a connector. Snapshots are kept as text.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Agreement {
    base: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<Found>,
}

/// The base was detected by a fetch.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Found {
    /// The base before.
    before: Option<String>,
    /// The newest step then.
    after: i64,
}

impl Agreement {
    fn base(&self) -> Option<Snapshot> {
        self.base.as_deref().and_then(Snapshot::from_text)
    }

    fn on(base: Option<&Snapshot>) -> Self {
        Self { base: base.map(Snapshot::to_text), found: None }
    }

    fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn from_text(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// Returns the state without bases detected after a step.
    fn without_fetch_since(&self, step: i64) -> Self {
        match &self.found {
            Some(found) if found.after >= step => Self { base: found.before.clone(), found: None },
            _ => self.clone(),
        }
    }
}

/// Records the bases before and after a step.
pub(in crate::store) fn note(
    connection: &Connection,
    step: i64,
    remote: &str,
    (id, before): (&str, Option<&Snapshot>),
) -> rusqlite::Result<()> {
    let after = Agreement::on(remote_state(connection, remote, id)?.base.as_ref());
    put_note(connection, (step, id, remote), &Agreement::on(before), &after)
}

fn put_note(
    connection: &Connection,
    (step, id, remote): (i64, &str, &str),
    before: &Agreement,
    after: &Agreement,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO remote_bases (step, connector_id, remote, before, after) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (step, connector_id, remote) DO UPDATE SET before = ?4, after = ?5",
        )?
        .execute(params![step, id, remote, before.to_text(), after.to_text()])
        .map(drop)
}

/// A change of a record that is undone or redone.
#[derive(Clone, Copy)]
pub(in crate::store) struct Reverting<'a> {
    /// The step that is reverted.
    pub(in crate::store) reverted: i64,
    /// The original step: this one, or the one that is redone.
    pub(in crate::store) origin: i64,
    /// The change is redone.
    pub(in crate::store) is_again: bool,
    /// The record.
    pub(in crate::store) id: &'a str,
    /// The record exists afterwards.
    pub(in crate::store) exists: bool,
}

/// Reverts the merge bases together with a change. A pulled value counts as newer in Kibana again, never as a local
/// change; an earlier local change counts as one again; a base detected by a fetch is ignored. The base of a later push
/// or pull stays.
pub(in crate::store) fn revert_bases(connection: &Connection, reverting: Reverting<'_>) -> rusqlite::Result<()> {
    for (remote, was, noted) in matters(connection, reverting)? {
        let current = was.without_fetch_since(reverting.reverted);
        let next = match noted {
            None if current == was => continue,
            None => current,
            Some((before, after)) => {
                let (from, to) = if reverting.is_again { (before, after) } else { (after, before) };
                turned(reverting, current, &from, to)
            }
        };
        // Reverted in its turn, it leads back exactly.
        let (before, after) = if reverting.is_again { (&was, &next) } else { (&next, &was) };
        put_note(connection, (reverting.origin, reverting.id, &remote), before, after)?;
        put(connection, &remote, reverting.id, &next)?;
    }
    Ok(())
}

/// A remote, its merge base, and the bases before and after the original step.
type Matter = (String, Agreement, Option<(Agreement, Agreement)>);

/// Called for each record of a step that may have a million: by key, one remote after the other.
fn matters(connection: &Connection, reverting: Reverting<'_>) -> rusqlite::Result<Vec<Matter>> {
    let names: Vec<String> = connection
        .prepare_cached("SELECT name FROM remotes")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    for name in names {
        let base = base(connection, &name, reverting.id)?;
        let noted = noted(connection, (reverting.origin, reverting.id, &name))?;
        if base.is_some() || noted.is_some() {
            found.push((name, base.unwrap_or_default(), noted));
        }
    }
    Ok(found)
}

fn base(connection: &Connection, remote: &str, id: &str) -> rusqlite::Result<Option<Agreement>> {
    connection
        .prepare_cached(
            "SELECT base, found_by_look, base_before, found_after FROM remote_connectors WHERE remote = ?1 AND id = ?2",
        )?
        .query_row([remote, id], |row| {
            let is_found: bool = row.get(1)?;
            let found = Found { before: text(row, 2)?, after: row.get::<_, Option<i64>>(3)?.unwrap_or(0) };
            Ok(Agreement { base: text(row, 0)?, found: is_found.then_some(found) })
        })
        .optional()
}

fn noted(
    connection: &Connection,
    (step, id, remote): (i64, &str, &str),
) -> rusqlite::Result<Option<(Agreement, Agreement)>> {
    connection
        .prepare_cached("SELECT before, after FROM remote_bases WHERE step = ?1 AND connector_id = ?2 AND remote = ?3")?
        .query_row(params![step, id, remote], |row| {
            let side = |at| row.get::<_, String>(at).map(|text| Agreement::from_text(&text));
            Ok((side(0)?, side(1)?))
        })
        .optional()
}

/// Returns the merge base after a change from one base to another is reverted.
fn turned(reverting: Reverting<'_>, current: Agreement, from: &Agreement, to: Agreement) -> Agreement {
    if current == *from {
        return to;
    }
    match (current.base(), to.base()) {
        (Some(base), to) if reverting.exists => {
            Agreement::on(moved(reverting.id, base, from.base().as_ref(), to).as_ref())
        }
        // Without an earlier base there is none now.
        (None, Some(_)) if from.base.is_some() => current,
        _ => to,
    }
}

/// An agreement with the fields in which `from` and `to` differ as `to` has them, unless it was moved on since.
fn moved(id: &str, current: Snapshot, from: Option<&Snapshot>, to: Option<Snapshot>) -> Option<Snapshot> {
    let Some(from) = from else { return Some(current) };
    let moved_on = three_way(None, &current, from);
    let Some(to) = to else { return (!moved_on.is_empty()).then_some(current) };
    let mut fields = three_way(Some(from), from, &to);
    fields.retain(|field| moved_on.iter().all(|moved| moved.field != field.field));
    let base = merged(&current.to_connector(id), &to, &fields);
    Some(Snapshot { auth_mode: current.auth_mode.and(base.auth_mode), ..Snapshot::of(&base) })
}

fn put(connection: &Connection, remote: &str, id: &str, agreement: &Agreement) -> rusqlite::Result<()> {
    let Agreement { base, found } = agreement;
    let (is_found, before, after) = match found {
        Some(found) => (true, found.before.as_deref(), Some(found.after)),
        None => (false, None, None),
    };
    connection
        .prepare_cached(
            "INSERT INTO remote_connectors (remote, id, base, found_by_look, base_before, found_after)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (remote, id) DO UPDATE SET base = ?3, found_by_look = ?4, base_before = ?5, found_after = ?6",
        )?
        .execute(params![remote, id, base, is_found, before, after])?;
    forget_empty(connection, remote, id)
}

/// A connector of which nothing is known any more is no row.
fn forget_empty(connection: &Connection, remote: &str, id: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM remote_connectors
             WHERE remote = ?1 AND id = ?2 AND base IS NULL AND seen IS NULL AND found_by_look = 0",
        )?
        .execute([remote, id])
        .map(drop)
}

/// Records that Kibana deleted a connector. If both sides deleted it, that is the merge base.
pub(in crate::store) fn deleted_in_remote(
    connection: &Connection,
    remote: &str,
    id: &str,
    local: Option<&Connector>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE remote_connectors SET seen = NULL WHERE remote = ?1 AND id = ?2")?
        .execute([remote, id])?;
    let base = remote_state(connection, remote, id)?.base;
    if local.is_none() && base.is_some() {
        set_detected_base(connection, remote, id, (base.as_ref(), None))?;
    }
    forget_empty(connection, remote, id)
}
