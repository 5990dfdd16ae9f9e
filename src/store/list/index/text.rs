//! The names and ids of all records in memory, folded to lower case: a search of any text in any script is
//! one pass over a few megabytes. Their order is the list's first order, so that costs nothing more.

use std::sync::Arc;

use memchr::memmem::Finder;
use rusqlite::{Connection, OptionalExtension, params};

use super::column::Column;
use super::ids::Ids;
use super::row_set::RowSet;
use super::types::Types;
use crate::domain::filter::fold;
use crate::store::error::StoreError;
use crate::store::file::open::Store;
use crate::store::records::connectors::text;

/// The number of rows read at once; queries are answered in between.
const CHUNK: u32 = 2_000;

/// The last text read and its row id.
type Read = (String, i64);

/// The texts of a file, as far as they have been read.
#[derive(Debug, Default)]
pub(super) struct TextIndex {
    names: Column,
    ids: Ids,
    types: Types,
    last_name: Option<Read>,
    last_id: Option<Read>,
    last_type: Option<Read>,
    names_done: bool,
    ids_done: bool,
    types_done: bool,
    is_unusable: bool,
}

impl TextIndex {
    /// The row ids by name, once all names have been read: the order of the list when it opens.
    pub(super) fn by_name(&self) -> Option<&Arc<Vec<u32>>> {
        (self.names_done && !self.is_unusable).then_some(self.names.row_ids())
    }

    /// Returns whether the file has row ids or texts beyond the limits of this index, which is empty then.
    pub(super) fn is_unusable(&self) -> bool {
        self.is_unusable
    }

    fn give_up(&mut self) {
        *self = Self { is_unusable: true, names_done: true, ids_done: true, types_done: true, ..Self::default() };
    }

    /// Loads more of the file; false when everything is loaded.
    ///
    /// # Errors
    /// If the file cannot be read, or the query was interrupted; loaded texts are kept.
    pub(super) fn read_more(&mut self, store: &Store) -> Result<bool, StoreError> {
        let is_usable = match (self.names_done, self.ids_done, self.types_done) {
            (true, true, true) => return Ok(false),
            (false, ..) => self.read_names(store)?,
            (_, false, _) => self.read_ids(store)?,
            _ => self.read_types(store)?,
        };
        if !is_usable {
            self.give_up();
        }
        Ok(is_usable)
    }

    /// Loads names; false if a row id is beyond the limit, which halves the memory.
    fn read_names(&mut self, store: &Store) -> Result<bool, StoreError> {
        if self.last_name.is_none() {
            self.names.reserve(store.count_rows()?);
        }
        let (names, last) = (&mut self.names, &mut self.last_name);
        let read = store.run("reading the names", |connection| {
            next_texts(connection, ("name", "name COLLATE NOCASE"), last, |name, row_id| {
                names.push(row_id, &fold(name));
                true
            })
        })?;
        let Some(read) = read else { return Ok(false) };
        self.names_done = read < CHUNK;
        if self.names_done {
            self.names.shrink();
            self.ids.reserve(self.names.row_ids().len());
            self.types.reserve(self.names.row_ids().len());
        }
        Ok(true)
    }

    /// As [`TextIndex::read_names`].
    fn read_ids(&mut self, store: &Store) -> Result<bool, StoreError> {
        let (ids, last) = (&mut self.ids, &mut self.last_id);
        let read = store.run("reading the ids", |connection| {
            next_texts(connection, ("id", "id"), last, |id, row_id| {
                ids.push(row_id, &fold(id));
                true
            })
        })?;
        let Some(read) = read else { return Ok(false) };
        self.ids_done = read < CHUNK;
        if self.ids_done {
            self.ids.shrink();
        }
        Ok(true)
    }

    /// Like [`TextIndex::read_names`], for types; false also if there are too many types.
    fn read_types(&mut self, store: &Store) -> Result<bool, StoreError> {
        let (types, last) = (&mut self.types, &mut self.last_type);
        let read = store.run("reading the types", |connection| {
            let column = ("connector_type_id", "connector_type_id");
            next_texts(connection, column, last, |type_id, row_id| types.set(row_id, type_id))
        })?;
        let Some(read) = read else { return Ok(false) };
        self.types_done = read < CHUNK;
        Ok(true)
    }

    /// Updates a few records; false if that is not possible and everything has to be loaded again.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) fn patch(&mut self, store: &Store, ids: &[String]) -> Result<bool, StoreError> {
        if !(self.names_done && self.ids_done && self.types_done) || self.is_unusable {
            return Ok(false);
        }
        for id in ids {
            match self.ids.exactly(&fold(id)).as_slice() {
                [] => {}
                [row_id] => {
                    self.names.remove(*row_id);
                    self.ids.remove(*row_id);
                    self.types.remove(*row_id);
                }
                // Ids that differ in the case of letters only.
                _ => return Ok(false),
            }
        }
        for id in ids {
            let found = store.run("reading the names", |connection| named(connection, "id = ?1", id))?;
            let Some((name, row_id, type_id)) = found else { continue };
            let Ok(small) = u32::try_from(row_id) else { return Ok(false) };
            let Some(place) = self.position_by_name(store, &name, row_id)? else { return Ok(false) };
            self.names.insert(place, small, &fold(&name));
            self.ids.push(small, &fold(id));
            if !self.types.set(small, &type_id) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Finds the position of a name by binary search, reading the names on the way; `None` if one of them is missing.
    fn position_by_name(&self, store: &Store, name: &str, row_id: i64) -> Result<Option<usize>, StoreError> {
        let (mut low, mut high) = (0, self.names.row_ids().len());
        while low < high {
            let middle = low.midpoint(high);
            let Some(other) = self.names.row_ids().get(middle) else { return Ok(None) };
            let found = store.run("reading the names", |connection| named(connection, "key = ?1", other))?;
            let Some((other, other_id, _)) = found.filter(|(other, ..)| !other.contains('\0')) else { return Ok(None) };
            match no_case(&other).cmp(no_case(name)).then(other_id.cmp(&row_id)) {
                std::cmp::Ordering::Less => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok((!name.contains('\0')).then_some(low))
    }

    /// The rows of the types for which something holds; none while the types have not been read.
    pub(super) fn find_types(&self, holds: impl Fn(&str) -> bool) -> Option<RowSet> {
        if !self.types_done || self.is_unusable {
            return None;
        }
        let mut found = RowSet::default();
        self.types.find(holds, &mut found);
        Some(found)
    }

    /// The rows whose name, id or type holds a text, which is folded already.
    pub(super) fn find(&self, wanted: &str) -> RowSet {
        let mut found = RowSet::default();
        self.names.find(&Finder::new(wanted), &mut found);
        self.ids.find(wanted, &mut found);
        self.types.find(|id| fold(id).contains(wanted), &mut found);
        found
    }
}

/// Folds a text as SQLite's NOCASE does.
fn no_case(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().map(|byte| byte.to_ascii_lowercase())
}

fn named(
    connection: &Connection,
    condition: &str,
    value: impl rusqlite::ToSql,
) -> rusqlite::Result<Option<(String, i64, String)>> {
    connection
        .prepare_cached(&format!("SELECT name, key, connector_type_id FROM connectors WHERE {condition}"))?
        .query_row([value], |row| {
            Ok((text(row, 0)?.unwrap_or_default(), row.get(1)?, text(row, 2)?.unwrap_or_default()))
        })
        .optional()
}

/// Reads the next texts of a column and their row ids, in the order of column and row id, and remembers the last, so
/// that the next call continues from it, even after an interruption. Returns the number of texts read, or `None` if a
/// row id is too large or `each` returns false.
///
/// Two statements: SQLite seeks to a pair of values only by the first of them, and would scan all equal texts each
/// time.
fn next_texts(
    connection: &Connection,
    (column, order): (&str, &str),
    last: &mut Option<Read>,
    mut each: impl FnMut(&str, u32) -> bool,
) -> rusqlite::Result<Option<u32>> {
    let select = format!("SELECT {column}, key FROM connectors");
    let Some((text, row_id)) = last.clone() else {
        return each_text(connection, &format!("{select} ORDER BY {order}, key LIMIT ?1"), params![CHUNK], last, each);
    };
    let equal = format!("{select} WHERE {order} = ?1 AND key > ?2 ORDER BY key LIMIT ?3");
    let Some(read) = each_text(connection, &equal, params![text, row_id, CHUNK], last, &mut each)? else {
        return Ok(None);
    };
    let greater = format!("{select} WHERE {order} > ?1 ORDER BY {order}, key LIMIT ?2");
    let more = each_text(connection, &greater, params![text, CHUNK - read], last, each)?;
    Ok(more.map(|more| read + more))
}

/// Calls `each` with the text and the row id of each row, and keeps the last.
fn each_text(
    connection: &Connection,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
    last: &mut Option<Read>,
    mut each: impl FnMut(&str, u32) -> bool,
) -> rusqlite::Result<Option<u32>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut read = 0;
    while let Some(row) = rows.next()? {
        let row_id = row.get(1)?;
        let Ok(small) = u32::try_from(row_id) else { return Ok(None) };
        let text = text(row, 0)?.unwrap_or_default();
        if !each(&text, small) {
            return Ok(None);
        }
        *last = Some((text, row_id));
        read += 1;
    }
    Ok(Some(read))
}
