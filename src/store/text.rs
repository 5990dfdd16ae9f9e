//! The names and ids of all records in memory, folded to lower case: a search of any text in any script is
//! one pass over a few megabytes. Their order is the list's first order, so that costs nothing more.

use memchr::memmem::Finder;
use rusqlite::Connection;

use super::connectors::text;
use super::error::StoreError;
use super::open::Store;
use super::row_set::RowSet;
use crate::domain::filter::fold;

/// Rows read at once; what is asked meanwhile is answered in between.
const CHUNK: usize = 20_000;

/// Stands between two texts; no UTF-8 text holds this byte.
const END: u8 = 0xff;

/// One text of every record, one after the other.
#[derive(Debug, Default)]
struct Column {
    /// Half the room of what SQLite has; a file with larger row ids is searched without the texts.
    row_ids: Vec<u32>,
    /// Where each text ends.
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

/// The texts of a file, as far as they have been read.
#[derive(Debug, Default)]
pub(super) struct TextIndex {
    names: Column,
    ids: Column,
    /// The name and row id, and the id, read last.
    after: (Option<(String, i64)>, Option<String>),
    names_done: bool,
    ids_done: bool,
    is_unusable: bool,
}

impl Column {
    /// False when the texts have become too many to be kept.
    fn push(&mut self, row_id: i64, text: &str) -> bool {
        self.bytes.extend_from_slice(fold(text).as_bytes());
        self.bytes.push(END);
        let (Ok(end), Ok(row_id)) = (u32::try_from(self.bytes.len()), u32::try_from(row_id)) else { return false };
        self.row_ids.push(row_id);
        self.ends.push(end);
        true
    }

    /// Everything is in it: the room for more is given back.
    fn shrink(&mut self) {
        self.row_ids.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.bytes.shrink_to_fit();
    }

    /// Adds the rows whose text holds the wanted one.
    fn find(&self, wanted: &Finder<'_>, found: &mut RowSet) {
        let mut from = 0;
        while let Some(at) = self.bytes.get(from..).and_then(|rest| wanted.find(rest)) {
            let at = from + at;
            let place = self.ends.partition_point(|end| *end as usize <= at);
            let (Some(row_id), Some(end)) = (self.row_ids.get(place), self.ends.get(place)) else { return };
            found.insert(i64::from(*row_id));
            from = *end as usize;
        }
    }
}

impl TextIndex {
    /// The row ids by name, once all names have been read: the order of the list when it opens.
    pub(super) fn by_name(&self) -> Option<&[u32]> {
        (self.names_done && !self.is_unusable).then_some(self.names.row_ids.as_slice())
    }

    /// The file has row ids or texts beyond what is kept here; nothing is.
    pub(super) fn is_unusable(&self) -> bool {
        self.is_unusable
    }

    fn give_up(&mut self) {
        *self = Self { is_unusable: true, names_done: true, ids_done: true, ..Self::default() };
    }

    /// Reads some more of the file; false when there was nothing left to read.
    ///
    /// # Errors
    /// When the file cannot be read, or the reading was interrupted; what was read before is kept.
    pub(super) fn read_more(&mut self, store: &Store) -> Result<bool, StoreError> {
        if !self.names_done {
            let rows = store.run("reading the names", |connection| names(connection, self.after.0.as_ref()))?;
            self.names_done = rows.len() < CHUNK;
            self.after.0 = rows.last().cloned();
            for (name, row_id) in &rows {
                if !self.names.push(*row_id, name) {
                    self.give_up();
                    return Ok(false);
                }
            }
            if self.names_done {
                self.names.shrink();
            }
            return Ok(true);
        }
        if !self.ids_done {
            let rows = store.run("reading the ids", |connection| ids(connection, self.after.1.as_deref()))?;
            self.ids_done = rows.len() < CHUNK;
            self.after.1 = rows.last().map(|(id, _)| id.clone());
            for (id, row_id) in &rows {
                if !self.ids.push(*row_id, id) {
                    self.give_up();
                    return Ok(false);
                }
            }
            if self.ids_done {
                self.ids.shrink();
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// The rows whose name or id holds a text, which is folded already.
    pub(super) fn find(&self, wanted: &str) -> RowSet {
        let finder = Finder::new(wanted);
        let mut found = RowSet::default();
        self.names.find(&finder, &mut found);
        self.ids.find(&finder, &mut found);
        found
    }
}

fn names(connection: &Connection, after: Option<&(String, i64)>) -> rusqlite::Result<Vec<(String, i64)>> {
    let condition = if after.is_some() { "WHERE (name COLLATE NOCASE, rowid) > (?1 COLLATE NOCASE, ?2)" } else { "" };
    let sql =
        format!("SELECT name, rowid FROM connectors {condition} ORDER BY name COLLATE NOCASE, rowid LIMIT {CHUNK}");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = match after {
        Some((name, row_id)) => statement.query((name, row_id))?,
        None => statement.query([])?,
    };
    let mut found = Vec::with_capacity(CHUNK);
    while let Some(row) = rows.next()? {
        found.push((text(row, 0)?.unwrap_or_default(), row.get(1)?));
    }
    Ok(found)
}

fn ids(connection: &Connection, after: Option<&str>) -> rusqlite::Result<Vec<(String, i64)>> {
    let condition = if after.is_some() { "WHERE id > ?1" } else { "" };
    let sql = format!("SELECT id, rowid FROM connectors {condition} ORDER BY id LIMIT {CHUNK}");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = match after {
        Some(id) => statement.query([id])?,
        None => statement.query([])?,
    };
    let mut found = Vec::with_capacity(CHUNK);
    while let Some(row) = rows.next()? {
        found.push((text(row, 0)?.unwrap_or_default(), row.get(1)?));
    }
    Ok(found)
}
