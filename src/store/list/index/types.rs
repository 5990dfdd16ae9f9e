//! The connector type of each row, as a number: a file has few types, and many rows of each.

use super::row_set::RowSet;

/// Types by row id.
#[derive(Debug, Default)]
pub(super) struct Types {
    ids: Vec<String>,
    /// By row id, from 1; 0 for a missing row.
    of_rows: Vec<u16>,
}

impl Types {
    /// Sets the type of a row; false if there are too many types.
    pub(super) fn set(&mut self, row_id: u32, type_id: &str) -> bool {
        let known = self.ids.iter().rposition(|id| id == type_id);
        let at = known.unwrap_or_else(|| {
            self.ids.push(type_id.to_owned());
            self.ids.len() - 1
        });
        let (Ok(number), row_id) = (u16::try_from(at + 1), row_id as usize) else { return false };
        if row_id >= self.of_rows.len() {
            self.of_rows.resize(row_id + 1, 0);
        }
        if let Some(place) = self.of_rows.get_mut(row_id) {
            *place = number;
        }
        true
    }

    /// Removes a row.
    pub(super) fn remove(&mut self, row_id: u32) {
        self.of_rows.get_mut(row_id as usize).into_iter().for_each(|number| *number = 0);
    }

    /// Makes room for so many rows at once.
    pub(super) fn reserve(&mut self, rows: usize) {
        self.of_rows.reserve_exact(rows + 1);
    }

    /// Adds the rows of the types for which something holds.
    pub(super) fn find(&self, holds: impl Fn(&str) -> bool, found: &mut RowSet) {
        let wanted: Vec<bool> = [false].into_iter().chain(self.ids.iter().map(|id| holds(id))).collect();
        if !wanted.contains(&true) {
            return;
        }
        for (row_id, number) in (0..).zip(&self.of_rows) {
            if wanted.get(usize::from(*number)) == Some(&true) {
                found.insert(row_id);
            }
        }
    }
}
