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
            "UPDATE remote_connectors SET base = fetched, is_detected = 0, base_before = NULL, detected_after = NULL
             WHERE remote = ?1 AND id = ?2",
        )?
        .execute([remote, id])?;
    forget_empty(connection, remote, id)
}

/// Removes the base: the connector counts as new on the side that has it.
pub(in crate::store) fn clear_base(connection: &Connection, remote: &str, id: &str) -> rusqlite::Result<()> {
    put(connection, remote, id, &MergeBase::default())
}

/// Records that a fetch found both sides equal, without a pull or a push. The base before is kept: if the step that
/// made them equal is undone, it applies again.
pub(in crate::store) fn set_detected_base(
    connection: &Connection,
    remote: &str,
    id: &str,
    (base, fetched): (Option<&Snapshot>, Option<&Snapshot>),
) -> rusqlite::Result<()> {
    let is_as_before =
        matches!((base, fetched), (Some(base), Some(fetched)) if three_way(None, base, fetched).is_empty());
    let sql = if is_as_before {
        // Only written another way.
        "UPDATE remote_connectors SET base = fetched WHERE remote = ?1 AND id = ?2"
    } else {
        "UPDATE remote_connectors
         SET base_before = base, base = fetched, is_detected = 1, detected_after = (SELECT max(step) FROM history)
         WHERE remote = ?1 AND id = ?2"
    };
    connection.prepare_cached(sql)?.execute([remote, id]).map(drop)
}

/// The merge base of a connector. Snapshots are kept as text.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct MergeBase {
    base: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detected: Option<Detected>,
}

/// The base was detected by a fetch.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Detected {
    /// The base before.
    before: Option<String>,
    /// The newest step then.
    after: i64,
}

impl MergeBase {
    fn base(&self) -> Option<Snapshot> {
        self.base.as_deref().and_then(Snapshot::from_text)
    }

    fn on(base: Option<&Snapshot>) -> Self {
        Self { base: base.map(Snapshot::to_text), detected: None }
    }

    fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn from_text(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// Returns the state without bases detected after a step.
    fn without_fetch_since(&self, step: i64) -> Self {
        match &self.detected {
            Some(detected) if detected.after >= step => Self { base: detected.before.clone(), detected: None },
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
    let after = MergeBase::on(remote_state(connection, remote, id)?.base.as_ref());
    put_note(connection, (step, id, remote), &MergeBase::on(before), &after)
}

fn put_note(
    connection: &Connection,
    (step, id, remote): (i64, &str, &str),
    before: &MergeBase,
    after: &MergeBase,
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
    pub(in crate::store) is_redo: bool,
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
                let (from, to) = if reverting.is_redo { (before, after) } else { (after, before) };
                reverted_base(reverting, current, &from, to)
            }
        };
        // Reverted in its turn, it leads back exactly.
        let (before, after) = if reverting.is_redo { (&was, &next) } else { (&next, &was) };
        put_note(connection, (reverting.origin, reverting.id, &remote), before, after)?;
        put(connection, &remote, reverting.id, &next)?;
    }
    Ok(())
}

/// A remote, its merge base, and the bases before and after the original step.
type Matter = (String, MergeBase, Option<(MergeBase, MergeBase)>);

/// Called for each record of a step that may have a million: by key, one remote after the other.
fn matters(connection: &Connection, reverting: Reverting<'_>) -> rusqlite::Result<Vec<Matter>> {
    let names: Vec<String> = connection
        .prepare_cached("SELECT name FROM remotes")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut detected = Vec::new();
    for name in names {
        let base = base(connection, &name, reverting.id)?;
        let noted = noted(connection, (reverting.origin, reverting.id, &name))?;
        if base.is_some() || noted.is_some() {
            detected.push((name, base.unwrap_or_default(), noted));
        }
    }
    Ok(detected)
}

fn base(connection: &Connection, remote: &str, id: &str) -> rusqlite::Result<Option<MergeBase>> {
    connection
        .prepare_cached(
            "SELECT base, is_detected, base_before, detected_after FROM remote_connectors WHERE remote = ?1 AND id = ?2",
        )?
        .query_row([remote, id], |row| {
            let is_found: bool = row.get(1)?;
            let detected = Detected { before: text(row, 2)?, after: row.get::<_, Option<i64>>(3)?.unwrap_or(0) };
            Ok(MergeBase { base: text(row, 0)?, detected: is_found.then_some(detected) })
        })
        .optional()
}

fn noted(
    connection: &Connection,
    (step, id, remote): (i64, &str, &str),
) -> rusqlite::Result<Option<(MergeBase, MergeBase)>> {
    connection
        .prepare_cached("SELECT before, after FROM remote_bases WHERE step = ?1 AND connector_id = ?2 AND remote = ?3")?
        .query_row(params![step, id, remote], |row| {
            let side = |at| row.get::<_, String>(at).map(|text| MergeBase::from_text(&text));
            Ok((side(0)?, side(1)?))
        })
        .optional()
}

/// Returns the merge base after a change from one base to another is reverted.
fn reverted_base(reverting: Reverting<'_>, current: MergeBase, from: &MergeBase, to: MergeBase) -> MergeBase {
    if current == *from {
        return to;
    }
    match (current.base(), to.base()) {
        (Some(base), to) if reverting.exists => {
            MergeBase::on(moved(reverting.id, base, from.base().as_ref(), to).as_ref())
        }
        // Without an earlier base no base is left.
        (None, Some(_)) if from.base.is_some() => current,
        _ => to,
    }
}

/// Returns the base with the values of `to` in the fields in which `from` and `to` differ, except those that changed
/// since `from`.
fn moved(id: &str, current: Snapshot, from: Option<&Snapshot>, to: Option<Snapshot>) -> Option<Snapshot> {
    let Some(from) = from else { return Some(current) };
    let moved_on = three_way(None, &current, from);
    let Some(to) = to else { return (!moved_on.is_empty()).then_some(current) };
    let mut fields = three_way(Some(from), from, &to);
    fields.retain(|field| moved_on.iter().all(|moved| moved.field != field.field));
    let base = merged(&current.to_connector(id), &to, &fields);
    Some(Snapshot { auth_mode: current.auth_mode.and(base.auth_mode), ..Snapshot::of(&base) })
}

fn put(connection: &Connection, remote: &str, id: &str, merge_base: &MergeBase) -> rusqlite::Result<()> {
    let MergeBase { base, detected } = merge_base;
    let (is_found, before, after) = match detected {
        Some(detected) => (true, detected.before.as_deref(), Some(detected.after)),
        None => (false, None, None),
    };
    connection
        .prepare_cached(
            "INSERT INTO remote_connectors (remote, id, base, is_detected, base_before, detected_after)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (remote, id) DO UPDATE SET base = ?3, is_detected = ?4, base_before = ?5, detected_after = ?6",
        )?
        .execute(params![remote, id, base, is_found, before, after])?;
    forget_empty(connection, remote, id)
}

/// A connector of which nothing is known any more is no row.
fn forget_empty(connection: &Connection, remote: &str, id: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM remote_connectors
             WHERE remote = ?1 AND id = ?2 AND base IS NULL AND fetched IS NULL AND is_detected = 0",
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
        .prepare_cached("UPDATE remote_connectors SET fetched = NULL WHERE remote = ?1 AND id = ?2")?
        .execute([remote, id])?;
    let base = remote_state(connection, remote, id)?.base;
    if local.is_none() && base.is_some() {
        set_detected_base(connection, remote, id, (base.as_ref(), None))?;
    }
    forget_empty(connection, remote, id)
}
