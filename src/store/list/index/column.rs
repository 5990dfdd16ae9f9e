//! The texts of many rows, one after the other in memory, to be searched in one pass.

use std::sync::Arc;

use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter, memchr2_iter};

use super::row_set::RowSet;

/// The byte after each text; no UTF-8 text contains it.
pub(super) const END: u8 = 0xff;

/// Texts that lie together: growing or changing them moves no others, and places within are counted.
const SEGMENT: usize = 1024;

/// The initial capacity per text; the rest is released.
const ROOM: usize = 32;

/// One text of every row.
#[derive(Debug, Default)]
pub(super) struct Column {
    row_ids: Arc<Vec<u32>>,
    segments: Vec<Segment>,
}

#[derive(Debug, Default)]
struct Segment {
    texts: usize,
    bytes: Vec<u8>,
}

impl Column {
    /// The rows in the order of the texts.
    pub(super) fn row_ids(&self) -> &Arc<Vec<u32>> {
        &self.row_ids
    }

    /// Adds a text, which is folded, after the others.
    pub(super) fn push(&mut self, row_id: u32, text: &str) {
        if self.segments.last().is_none_or(|last| last.texts >= SEGMENT) {
            self.shrink();
            self.segments.push(Segment { texts: 0, bytes: Vec::with_capacity(SEGMENT * ROOM) });
        }
        if let Some(last) = self.segments.last_mut() {
            last.insert(last.texts, text);
        }
        Arc::make_mut(&mut self.row_ids).push(row_id);
    }

    /// Removes the text of a row.
    pub(super) fn remove(&mut self, row_id: u32) {
        let Some(place) = self.row_ids.iter().position(|found| *found == row_id) else { return };
        Arc::make_mut(&mut self.row_ids).remove(place);
        if let Some((segment, place)) = self.segment_of(place) {
            segment.remove(place);
        }
    }

    /// Puts a text, which is folded, at a place.
    pub(super) fn insert(&mut self, place: usize, row_id: u32, text: &str) {
        match self.segment_of(place) {
            Some((segment, within)) => {
                segment.insert(within, text);
                Arc::make_mut(&mut self.row_ids).insert(place, row_id);
            }
            None => self.push(row_id, text),
        }
    }

    /// Makes room for the row ids of so many at once.
    pub(super) fn reserve(&mut self, rows: usize) {
        Arc::make_mut(&mut self.row_ids).reserve_exact(rows);
    }

    /// Releases spare capacity. The texts move; the next segment fits into the freed memory.
    pub(super) fn shrink(&mut self) {
        if let Some(last) = self.segments.last_mut() {
            last.bytes = last.bytes.as_slice().to_vec();
        }
    }

    /// The segment that holds a place, and the place within.
    fn segment_of(&mut self, mut place: usize) -> Option<(&mut Segment, usize)> {
        for segment in &mut self.segments {
            if place < segment.texts {
                return Some((segment, place));
            }
            place -= segment.texts;
        }
        None
    }

    /// The rows whose text, which is folded, is this one.
    pub(super) fn exactly(&self, text: &str) -> Vec<u32> {
        let mut wanted = text.as_bytes().to_vec();
        wanted.push(END);
        let mut found = Vec::new();
        self.each_match(&Finder::new(&wanted), |row_id, before| {
            found.extend(before.is_none_or(|before| before == END).then_some(row_id));
        });
        found
    }

    /// Adds the rows whose text contains the pattern.
    pub(super) fn find(&self, wanted: &Finder<'_>, found: &mut RowSet) {
        match wanted.needle() {
            [byte] => self.find_byte(*byte, found),
            _ => self.each_match(wanted, |row_id, _| found.insert(i64::from(row_id))),
        }
    }

    /// As [`Column::find`]; one letter is in most of the texts, so they are gone through one after the other.
    fn find_byte(&self, wanted: u8, found: &mut RowSet) {
        let mut rows = self.row_ids.iter();
        for segment in &self.segments {
            let mut is_in_it = false;
            for at in memchr2_iter(wanted, END, &segment.bytes) {
                if segment.bytes.get(at) != Some(&END) {
                    is_in_it = true;
                } else if let Some(row_id) = rows.next()
                    && std::mem::take(&mut is_in_it)
                {
                    found.insert(i64::from(*row_id));
                }
            }
        }
    }

    /// Calls the function with the row of each matching text and the byte before its first match.
    fn each_match(&self, wanted: &Finder<'_>, mut call: impl FnMut(u32, Option<u8>)) {
        let mut before = 0;
        for segment in &self.segments {
            segment.each_match(wanted, |place, byte| {
                self.row_ids.get(before + place).into_iter().for_each(|row_id| call(*row_id, byte));
            });
            before += segment.texts;
        }
    }
}

impl Segment {
    fn start_of(&self, place: usize) -> usize {
        let Some(before) = place.checked_sub(1) else { return 0 };
        memchr_iter(END, &self.bytes).nth(before).map_or(self.bytes.len(), |end| end + 1)
    }

    fn insert(&mut self, place: usize, text: &str) {
        let start = if place == self.texts { self.bytes.len() } else { self.start_of(place) };
        self.bytes.splice(start..start, text.bytes().chain([END]));
        self.texts += 1;
    }

    fn remove(&mut self, place: usize) {
        self.bytes.drain(self.start_of(place)..self.start_of(place + 1));
        self.texts -= 1;
    }

    /// Calls with the place of each text that has a match, once, and with the byte before its first match.
    fn each_match(&self, wanted: &Finder<'_>, mut call: impl FnMut(usize, Option<u8>)) {
        let (mut place, mut from) = (0, 0);
        while let Some(found) = self.bytes.get(from..).and_then(|rest| wanted.find(rest)) {
            let at = from + found;
            place += memchr_iter(END, self.bytes.get(from..at).unwrap_or_default()).count();
            call(place, at.checked_sub(1).and_then(|before| self.bytes.get(before)).copied());
            // On to the next text.
            let Some(end) = self.bytes.get(at..).and_then(|rest| memchr(END, rest)) else { return };
            (place, from) = (place + 1, at + end + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = String> {
        "[abé日-]{0,6}"
    }

    proptest! {
        #[test]
        fn text_index_equals_a_linear_scan(
            texts in proptest::collection::vec(text(), 0..3000),
            edits in proptest::collection::vec((any::<proptest::sample::Index>(), proptest::option::of(text())), 0..40),
            wanted in "[abé日-]{0,3}",
        ) {
            let mut expected: Vec<(u32, String)> = (1..).zip(texts).collect();
            let mut column = Column::default();
            expected.iter().for_each(|(row_id, text)| column.push(*row_id, text));
            for (number, (place, text)) in (10_000..).zip(edits) {
                if let Some(text) = text {
                    let place = place.index(expected.len() + 1);
                    column.insert(place, number, &text);
                    expected.insert(place, (number, text));
                } else if !expected.is_empty() {
                    let (row_id, _) = expected.remove(place.index(expected.len()));
                    column.remove(row_id);
                }
            }
            column.push(9000, "last");
            expected.push((9000, "last".to_owned()));
            let rows = |holds: &dyn Fn(&str) -> bool| -> Vec<u32> {
                expected.iter().filter(|(_, text)| holds(text)).map(|(row_id, _)| *row_id).collect()
            };
            prop_assert_eq!(column.row_ids().to_vec(), rows(&|_| true));
            prop_assert_eq!(column.exactly(&wanted), rows(&|text| text == wanted));
            let mut found = RowSet::default();
            if !wanted.is_empty() {
                column.find(&Finder::new(&wanted), &mut found);
                let holding = rows(&|text| text.contains(&wanted));
                for (row_id, _) in &expected {
                    prop_assert_eq!(found.contains(i64::from(*row_id)), holding.contains(row_id));
                }
            }
        }
    }
}
