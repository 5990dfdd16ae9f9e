//! The names and ids of all records in memory, folded to lower case: a search of any text in any script is
//! one pass over a few megabytes. Their order is the list's first order, so that costs nothing more.

use memchr::memmem::Finder;
use rusqlite::{Connection, OptionalExtension};

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

    fn place_of(&self, row_id: u32) -> Option<usize> {
        self.row_ids.iter().position(|found| *found == row_id)
    }

    fn start_of(&self, place: usize) -> usize {
        place.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize)
    }

    fn remove(&mut self, row_id: u32) {
        let Some(place) = self.place_of(row_id) else { return };
        let (start, end) = (self.start_of(place), self.start_of(place + 1));
        self.bytes.drain(start..end);
        self.row_ids.remove(place);
        self.ends.remove(place);
        let shorter = u32::try_from(end - start).unwrap_or_default();
        self.ends.iter_mut().skip(place).for_each(|later| *later -= shorter);
    }

    /// False when there is no room for it.
    fn insert(&mut self, place: usize, row_id: u32, text: &str) -> bool {
        let start = self.start_of(place);
        let text = fold(text).into_bytes().into_iter().chain([END]);
        let before = self.bytes.len();
        self.bytes.splice(start..start, text);
        let Ok(longer) = u32::try_from(self.bytes.len() - before) else { return false };
        let (Ok(_), Ok(start)) = (u32::try_from(self.bytes.len()), u32::try_from(start)) else { return false };
        self.row_ids.insert(place, row_id);
        self.ends.insert(place, start);
        self.ends.iter_mut().skip(place).for_each(|later| *later += longer);
        true
    }

    /// The rows whose text is this one.
    fn exactly(&self, text: &str) -> Vec<u32> {
        let mut wanted = fold(text).into_bytes();
        wanted.push(END);
        let (finder, mut from, mut found) = (Finder::new(&wanted), 0, Vec::new());
        while let Some(at) = self.bytes.get(from..).and_then(|rest| finder.find(rest)) {
            let at = from + at;
            from = at + 1;
            let is_start = at.checked_sub(1).is_none_or(|before| self.bytes.get(before) == Some(&END));
            if is_start {
                found.extend(self.row_ids.get(self.ends.partition_point(|end| *end as usize <= at)));
            }
        }
        found
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

    /// Takes changes of a few records over; false when that cannot be done and everything is to be read again.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn patch(&mut self, store: &Store, ids: &[String]) -> Result<bool, StoreError> {
        if !(self.names_done && self.ids_done) || self.is_unusable {
            return Ok(false);
        }
        for id in ids {
            match self.ids.exactly(id).as_slice() {
                [] => {}
                [row_id] => {
                    self.names.remove(*row_id);
                    self.ids.remove(*row_id);
                }
                // Ids that differ in the case of letters only.
                _ => return Ok(false),
            }
        }
        for id in ids {
            let found = store.run("reading the names", |connection| named(connection, "id = ?1", id))?;
            let Some((name, row_id)) = found else { continue };
            let Ok(small) = u32::try_from(row_id) else { return Ok(false) };
            let Some(place) = self.place_by_name(store, &name, row_id)? else { return Ok(false) };
            if !self.names.insert(place, small, &name) || !self.ids.push(row_id, id) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Where a name belongs, found by asking for the names on the way there; none when one of them is gone.
    fn place_by_name(&self, store: &Store, name: &str, row_id: i64) -> Result<Option<usize>, StoreError> {
        let (mut low, mut high) = (0, self.names.row_ids.len());
        while low < high {
            let middle = low.midpoint(high);
            let Some(other) = self.names.row_ids.get(middle) else { return Ok(None) };
            let found = store.run("reading the names", |connection| named(connection, "rowid = ?1", other))?;
            let Some((other, other_id)) = found.filter(|(other, _)| !other.contains('\0')) else { return Ok(None) };
            match no_case(&other).cmp(no_case(name)).then(other_id.cmp(&row_id)) {
                std::cmp::Ordering::Less => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok((!name.contains('\0')).then_some(low))
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

/// How SQLite's NOCASE sees a text.
fn no_case(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().map(|byte| byte.to_ascii_lowercase())
}

fn named(
    connection: &Connection,
    condition: &str,
    value: impl rusqlite::ToSql,
) -> rusqlite::Result<Option<(String, i64)>> {
    connection
        .prepare_cached(&format!("SELECT name, rowid FROM connectors WHERE {condition}"))?
        .query_row([value], |row| Ok((text(row, 0)?.unwrap_or_default(), row.get(1)?)))
        .optional()
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
