//! Row ids in an order: four bytes each where they fit, as they do in any file that grew by itself.

use std::sync::Arc;

/// Row ids in the order of a list; a copy shares them.
#[derive(Clone, Debug)]
pub struct RowIds(Rows);

#[derive(Clone, Debug)]
enum Rows {
    Small(Arc<Vec<u32>>),
    Large(Arc<Vec<i64>>),
}

impl RowIds {
    /// Returns the number of row ids.
    pub fn len(&self) -> usize {
        match &self.0 {
            Rows::Small(rows) => rows.len(),
            Rows::Large(rows) => rows.len(),
        }
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row id at a place.
    pub fn get(&self, place: usize) -> Option<i64> {
        match &self.0 {
            Rows::Small(rows) => rows.get(place).copied().map(i64::from),
            Rows::Large(rows) => rows.get(place).copied(),
        }
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = i64> {
        (0..self.len()).filter_map(|place| self.get(place))
    }

    /// Some of them: at most `len` from a place on.
    pub fn window(&self, start: usize, len: usize) -> Vec<i64> {
        let end = start.saturating_add(len).min(self.len());
        (start..end).filter_map(|place| self.get(place)).collect()
    }

    /// All of them, `len` at a time.
    pub fn windows(&self, len: usize) -> impl Iterator<Item = Vec<i64>> {
        (0..self.len()).step_by(len.max(1)).map(move |start| self.window(start, len.max(1)))
    }

    /// Returns the position of a row id.
    pub fn position(&self, row_id: i64) -> Option<usize> {
        self.iter().position(|found| found == row_id)
    }
}

impl Default for RowIds {
    fn default() -> Self {
        Self::from(Arc::default())
    }
}

impl From<Arc<Vec<u32>>> for RowIds {
    fn from(rows: Arc<Vec<u32>>) -> Self {
        Self(Rows::Small(rows))
    }
}

impl FromIterator<i64> for RowIds {
    fn from_iter<I: IntoIterator<Item = i64>>(rows: I) -> Self {
        let (mut small, mut rows) = (Vec::new(), rows.into_iter());
        while let Some(row_id) = rows.next() {
            let Ok(fits) = u32::try_from(row_id) else {
                let large = small.into_iter().map(i64::from).chain([row_id]).chain(rows).collect();
                return Self(Rows::Large(Arc::new(large)));
            };
            small.push(fits);
        }
        small.shrink_to_fit();
        Self::from(Arc::new(small))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn row_ids_round_trip(
            rows in proptest::collection::vec(prop_oneof![4 => 0..300_i64, 1 => any::<i64>()], 0..50),
            start in 0..60_usize,
            len in 0..60_usize,
        ) {
            let ids: RowIds = rows.iter().copied().collect();
            prop_assert_eq!(ids.len(), rows.len());
            prop_assert_eq!(ids.iter().collect::<Vec<_>>(), rows.as_slice());
            let window: Vec<i64> = rows.iter().copied().skip(start).take(len).collect();
            prop_assert_eq!(ids.window(start, len), window);
            prop_assert_eq!(ids.windows(len).flatten().collect::<Vec<_>>(), rows.as_slice());
            if let Some(row_id) = rows.get(start) {
                prop_assert_eq!(ids.position(*row_id), rows.iter().position(|row| row == row_id));
            }
        }
    }
}
