//! What a file and a remote last agreed on: made by a pull, a decision, a push, or found by a look; and what becomes of
//! it when a step is taken back.

use rusqlite::{Connection, OptionalExtension, params};

use super::connectors::text;
use super::remotes::remote_state;
use crate::domain::Connector;
use crate::domain::sync::{Snapshot, merged, three_way};

/// What Kibana said last is what both sides agree on.
pub(super) fn agree(connection: &Connection, remote: &str, id: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE remote_connectors SET base = seen, found_by_look = 0, base_before = NULL, found_at = NULL
             WHERE remote = ?1 AND id = ?2",
        )?
        .execute([remote, id])?;
    forget_empty(connection, remote, id)
}

/// Nothing is agreed on: the connector counts as new on the side that has it.
pub(super) fn disagree(connection: &Connection, remote: &str, id: &str) -> rusqlite::Result<()> {
    set_base(connection, remote, id, None)
}

/// A look has found that both sides say the same, without a pull or a push. What they agreed on before is kept: should
/// the step that made them the same be taken back, they did not agree.
pub(super) fn found_the_same(
    connection: &Connection,
    remote: &str,
    id: &str,
    (base, here, there): (Option<&Snapshot>, Option<&Connector>, Option<&Snapshot>),
) -> rusqlite::Result<()> {
    let is_as_before = matches!((base, there), (Some(base), Some(there)) if three_way(None, base, there).is_empty());
    let sql = if is_as_before {
        // Only written another way.
        "UPDATE remote_connectors SET base = seen WHERE remote = ?1 AND id = ?2 AND ?3 IS ?3"
    } else {
        "UPDATE remote_connectors SET base_before = base, base = seen, found_by_look = 1, found_at = ?3
         WHERE remote = ?1 AND id = ?2"
    };
    connection.prepare_cached(sql)?.execute(params![remote, id, here.map(|here| here.revision)]).map(drop)
}

/// The step that made a record what it is now is taken back: what a look has found to be agreed on since is not.
pub(super) fn unfind(connection: &Connection, id: &str, current: Option<&Connector>) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE remote_connectors SET base = base_before, base_before = NULL, found_by_look = 0, found_at = NULL
             WHERE remote IN (SELECT name FROM remotes) AND id = ?1 AND found_by_look <> 0 AND found_at IS ?2",
        )?
        .execute(params![id, current.map(|current| current.revision)])
        .map(drop)
}

/// Notes what both sides agree on after a step took a connector in, and what they agreed on `before`.
pub(super) fn note(
    connection: &Connection,
    step: i64,
    remote: &str,
    (id, before): (&str, Option<&Snapshot>),
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO remote_bases (step, connector_id, remote, before, after)
             VALUES (?1, ?3, ?2, ?4, (SELECT base FROM remote_connectors WHERE remote = ?2 AND id = ?3))",
        )?
        .execute(params![step, remote, id, before.map(Snapshot::to_text)])
        .map(drop)
}

/// A pull or a decision is taken back, or brought again: so is what it made both sides agree on. What was pulled counts
/// as newer in Kibana again, never as changed or deleted here; what was changed here before counts as changed here.
/// What a later push or pull made them agree on stays. `is_there`: the record is in the file afterwards.
pub(super) fn follow(
    connection: &Connection,
    taking: i64,
    id: &str,
    (is_again, is_there): (bool, bool),
) -> rusqlite::Result<()> {
    let noted = connection
        .prepare_cached("SELECT remote, before, after FROM remote_bases WHERE step = ?1 AND connector_id = ?2")?
        .query_row(params![taking, id], |row| {
            let snapshot = |at| Ok::<_, rusqlite::Error>(text(row, at)?.as_deref().and_then(Snapshot::from_text));
            Ok((row.get::<_, String>(0)?, snapshot(1)?, snapshot(2)?))
        })
        .optional()?;
    let Some((remote, before, after)) = noted else { return Ok(()) };
    let (from, to, left) = if is_again { (before, after, "before") } else { (after, before, "after") };
    let current = remote_state(connection, &remote, id)?.base;
    // To be restored exactly, should the step be brought again.
    connection
        .prepare_cached(&format!("UPDATE remote_bases SET {left} = ?3 WHERE step = ?1 AND connector_id = ?2"))?
        .execute(params![taking, id, current.as_ref().map(Snapshot::to_text)])?;
    let base = match (current, to) {
        (Some(current), to) if is_there => moved(id, current, from.as_ref(), to),
        (None, Some(_)) if from.is_some() => None,
        (_, to) => to,
    };
    set_base(connection, &remote, id, base.as_ref())
}

/// An agreement with the fields in which `from` and `to` differ as `to` has them, unless it was moved on since.
fn moved(id: &str, current: Snapshot, from: Option<&Snapshot>, to: Option<Snapshot>) -> Option<Snapshot> {
    let Some(from) = from else { return Some(current) };
    let moved_on = three_way(None, &current, from);
    let Some(to) = to else { return (!moved_on.is_empty()).then_some(current) };
    let mut fields = three_way(Some(from), from, &to);
    fields.retain(|field| moved_on.iter().all(|moved| moved.field != field.field));
    let agreed = merged(&current.to_connector(id), &to, &fields);
    Some(Snapshot { auth_mode: current.auth_mode.and(agreed.auth_mode), ..Snapshot::of(&agreed) })
}

fn set_base(connection: &Connection, remote: &str, id: &str, base: Option<&Snapshot>) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO remote_connectors (remote, id, base) VALUES (?1, ?2, ?3)
             ON CONFLICT (remote, id) DO UPDATE
             SET base = ?3, found_by_look = 0, base_before = NULL, found_at = NULL",
        )?
        .execute(params![remote, id, base.map(Snapshot::to_text)])?;
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

/// Kibana does not have a connector any more. Gone on both sides, it is agreed on that it is.
pub(super) fn gone_there(
    connection: &Connection,
    remote: &str,
    id: &str,
    here: Option<&Connector>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE remote_connectors SET seen = NULL WHERE remote = ?1 AND id = ?2")?
        .execute([remote, id])?;
    let base = remote_state(connection, remote, id)?.base;
    if here.is_none() && base.is_some() {
        found_the_same(connection, remote, id, (base.as_ref(), None, None))?;
    }
    forget_empty(connection, remote, id)
}
