//! The ids of all rows. Most are UUIDs, which take 16 bytes and contain only 17 different letters.

use memchr::memmem::Finder;
use uuid::Uuid;

use super::column::{Column, END};
use super::row_set::RowSet;

/// Letters of a UUID as Kibana writes it, with hyphens.
const LETTERS: usize = 36;

/// UUIDs that are spelled out at once to be searched.
const CHUNK: usize = 512;

/// The ids, folded.
#[derive(Debug, Default)]
pub(super) struct Ids {
    uuids: Vec<[u8; 16]>,
    rows_of_uuids: Vec<u32>,
    others: Column,
}

impl Ids {
    /// Adds an id, which is folded.
    pub(super) fn push(&mut self, row_id: u32, id: &str) {
        match uuid(id) {
            Some(uuid) => {
                self.uuids.push(uuid);
                self.rows_of_uuids.push(row_id);
            }
            None => self.others.push(row_id, id),
        }
    }

    /// Makes room for so many at once: growing step by step would leave holes as large as all of them.
    pub(super) fn reserve(&mut self, rows: usize) {
        self.uuids.reserve_exact(rows);
        self.rows_of_uuids.reserve_exact(rows);
    }

    /// Removes the id of a row.
    pub(super) fn remove(&mut self, row_id: u32) {
        if let Some(place) = self.rows_of_uuids.iter().position(|found| *found == row_id) {
            self.uuids.remove(place);
            self.rows_of_uuids.remove(place);
        }
        self.others.remove(row_id);
    }

    /// The rows whose id, which is folded, is this one.
    pub(super) fn exactly(&self, id: &str) -> Vec<u32> {
        let Some(wanted) = uuid(id) else { return self.others.exactly(id) };
        self.uuids.iter().zip(&self.rows_of_uuids).filter(|(uuid, _)| **uuid == wanted).map(|(_, row)| *row).collect()
    }

    /// Adds the rows whose id contains the text.
    pub(super) fn find(&self, wanted: &str, found: &mut RowSet) {
        let finder = Finder::new(wanted);
        self.others.find(&finder, found);
        if wanted.len() > LETTERS || !wanted.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-')) {
            return;
        }
        if let [digit] = wanted.as_bytes() {
            return self.find_digit(char::from(*digit), found);
        }
        let mut spelled = [END; CHUNK * (LETTERS + 1)];
        for (uuids, rows) in self.uuids.chunks(CHUNK).zip(self.rows_of_uuids.chunks(CHUNK)) {
            let (places, _) = spelled.as_chunks_mut::<{ LETTERS + 1 }>();
            for (uuid, place) in uuids.iter().zip(places) {
                Uuid::from_bytes(*uuid).as_hyphenated().encode_lower(place);
            }
            let mut from = 0;
            while let Some(at) = spelled.get(from..uuids.len() * (LETTERS + 1)).and_then(|rest| finder.find(rest)) {
                let place = (from + at) / (LETTERS + 1);
                rows.get(place).into_iter().for_each(|row_id| found.insert(i64::from(*row_id)));
                from = (place + 1) * (LETTERS + 1);
            }
        }
    }

    /// As [`Ids::find`], without spelling the UUIDs out: one digit is in most of them, a hyphen in all.
    fn find_digit(&self, digit: char, found: &mut RowSet) {
        let digit = digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let holds = |uuid: &[u8; 16]| {
            digit.is_none_or(|digit| {
                uuid.iter().fold(false, |any, byte| any | (byte >> 4 == digit) | (byte & 15 == digit))
            })
        };
        let rows = self.uuids.iter().zip(&self.rows_of_uuids).filter(|(uuid, _)| holds(uuid));
        rows.for_each(|(_, row_id)| found.insert(i64::from(*row_id)));
    }

    /// The room for more is given back.
    pub(super) fn shrink(&mut self) {
        self.uuids.shrink_to_fit();
        self.rows_of_uuids.shrink_to_fit();
        self.others.shrink();
    }
}

/// A UUID that is spelled in the one way that is spelled out again when it is searched.
fn uuid(id: &str) -> Option<[u8; 16]> {
    let uuid = (id.len() == LETTERS).then(|| Uuid::try_parse(id).ok()).flatten()?;
    (uuid.as_hyphenated().encode_lower(&mut [0; LETTERS]) == id).then(|| uuid.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => any::<[u8; 16]>().prop_map(|bytes| Uuid::from_bytes(bytes).to_string()),
            1 => any::<[u8; 16]>().prop_map(|bytes| Uuid::from_bytes(bytes).simple().to_string()),
            1 => "[a-f0-9é-]{34,37}",
            1 => "[a-z-]{0,9}",
        ]
    }

    proptest! {
        #[test]
        fn id_index_equals_a_linear_scan(
            ids in proptest::collection::vec(id(), 0..1200),
            gone in proptest::collection::vec(0..1200_u32, 0..3),
            wanted in "[a-f0-9z-]{1,3}",
            one in any::<proptest::sample::Index>(),
        ) {
            let mut kept = Ids::default();
            (0..).zip(&ids).for_each(|(row_id, id)| kept.push(row_id, id));
            gone.iter().for_each(|row_id| kept.remove(*row_id));
            let expected: Vec<(u32, &String)> =
                (0..).zip(&ids).filter(|(row_id, _)| !gone.contains(row_id)).collect();
            let part = ids.get(one.index(ids.len().max(1))).and_then(|id| id.get(5..30)).unwrap_or("-a");
            for wanted in [wanted.as_str(), part] {
                let mut found = RowSet::default();
                kept.find(wanted, &mut found);
                for (row_id, id) in &expected {
                    prop_assert_eq!(found.contains(i64::from(*row_id)), id.contains(wanted), "{} in {}", wanted, id);
                }
            }
            for (row_id, id) in expected.iter().take(20) {
                prop_assert!(kept.exactly(id).contains(row_id));
                prop_assert!(kept.exactly(id).iter().all(|row| ids[*row as usize] == **id));
            }
        }
    }
}
