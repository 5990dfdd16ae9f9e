//! A set of row ids: bits where they are dense, as they are in any file that grew by itself, else a hash set.

use std::collections::HashSet;

/// Row ids beyond this are kept one by one (8 MB of bits).
const DENSE: i64 = 1 << 26;

/// Row ids.
#[derive(Clone, Debug, Default)]
pub(super) struct RowSet {
    bits: Vec<u64>,
    others: HashSet<i64>,
}

impl RowSet {
    /// Adds a row.
    pub(super) fn insert(&mut self, row_id: i64) {
        match place(row_id) {
            Some((word, bit)) => {
                if word >= self.bits.len() {
                    self.bits.resize(word + 1, 0);
                }
                if let Some(word) = self.bits.get_mut(word) {
                    *word |= bit;
                }
            }
            None => {
                self.others.insert(row_id);
            }
        }
    }

    /// Adds the rows of another set.
    pub(super) fn union(&mut self, other: Self) {
        if other.bits.len() > self.bits.len() {
            self.bits.resize(other.bits.len(), 0);
        }
        self.bits.iter_mut().zip(other.bits).for_each(|(word, more)| *word |= more);
        self.others.extend(other.others);
    }

    /// Is the row in it?
    pub(super) fn contains(&self, row_id: i64) -> bool {
        match place(row_id) {
            Some((word, bit)) => self.bits.get(word).is_some_and(|word| word & bit != 0),
            None => self.others.contains(&row_id),
        }
    }
}

fn place(row_id: i64) -> Option<(usize, u64)> {
    let row_id = u64::try_from(row_id).ok().filter(|_| row_id < DENSE)?;
    Some((usize::try_from(row_id / 64).ok()?, 1 << (row_id % 64)))
}

impl FromIterator<i64> for RowSet {
    fn from_iter<I: IntoIterator<Item = i64>>(rows: I) -> Self {
        let mut set = Self::default();
        rows.into_iter().for_each(|row_id| set.insert(row_id));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn row_set_equals_a_btree_set(
            rows in proptest::collection::vec(prop_oneof![0..300_i64, any::<i64>()], 0..50),
            cut in 0..50_usize,
        ) {
            let (some, others) = rows.split_at(cut.min(rows.len()));
            let mut set: RowSet = some.iter().copied().collect();
            set.union(others.iter().copied().collect());
            for row_id in (-3..303).chain(rows.iter().flat_map(|row| [row.wrapping_sub(1), *row, row.wrapping_add(1)])) {
                prop_assert_eq!(set.contains(row_id), rows.contains(&row_id));
            }
        }
    }
}
