//! A list of which only a window is in memory: cursor, marks, filter and sort. The review and the list
//! of connectors are both one of these.

use std::collections::BTreeSet;

use crate::domain::{Filter, Summary, filter};
use crate::keymap::{Action, Key, Place};
use crate::memory::ColumnChoice;
use crate::store::{Scope, Sort, SortColumn};
use crate::ui::input::{TextInput, TooLong};
use crate::worker::protocol::{ListRequest, Request};

/// The state of a list.
#[derive(Debug)]
pub struct Rows {
    scope: Scope,
    /// The filter as typed.
    pub filter_text: TextInput,
    /// Why the filter as typed cannot be used; the list keeps the last one that could.
    pub filter_error: Option<String>,
    /// What in the filter may be a mistake.
    pub filter_doubt: Option<String>,
    /// The filter line has the focus.
    pub typing: bool,
    /// The order.
    pub sort: Sort,
    /// A condition beside the filter, in the filter's own language.
    pub condition: &'static str,
    /// A person's choice of columns.
    pub columns: ColumnChoice,
    /// Rows in all.
    pub total: usize,
    /// The selected row.
    pub cursor: usize,
    /// The first row on the screen.
    pub top: usize,
    /// The first answer has come.
    pub loaded: bool,
    filter: Filter,
    generation: u64,
    /// The search whose answer is on the screen.
    answered: u64,
    height: usize,
    window_start: usize,
    window: Vec<Option<Summary>>,
    /// The last thing asked for was the end of the list.
    wants_end: bool,
    /// Rows are being marked: what is done to the marked ones has to wait for them.
    marking: bool,
    /// The answer takes so long that a person should be told.
    pub is_slow: bool,
    marks: BTreeSet<String>,
    anchor: Option<usize>,
    /// The record to go to with the next answer.
    destination: Option<String>,
}

impl Rows {
    /// The place whose keys hold in the list.
    pub fn place(&self) -> Place {
        match self.scope {
            Scope::Connectors => Place::Connectors,
            Scope::Review => Place::Review,
            Scope::Step(_) => Place::Step,
        }
    }

    /// An empty list.
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            filter_text: TextInput::default(),
            filter_error: None,
            filter_doubt: None,
            typing: false,
            sort: Sort::default(),
            condition: "",
            columns: ColumnChoice::default(),
            total: 0,
            cursor: 0,
            top: 0,
            loaded: false,
            filter: Filter::default(),
            generation: 0,
            answered: 0,
            height: 1,
            window_start: 0,
            window: Vec::new(),
            wants_end: false,
            marking: false,
            is_slow: false,
            marks: BTreeSet::new(),
            anchor: None,
            destination: None,
        }
    }

    /// The row at a place in the list, if it is in memory.
    pub fn row(&self, at: usize) -> Option<&Summary> {
        self.window.get(at.checked_sub(self.window_start)?)?.as_ref()
    }

    /// Within the window in memory; the row itself may have been deleted meanwhile.
    fn row_is_known(&self, at: usize) -> bool {
        at >= self.window_start && at < self.window_start + self.window.len()
    }

    /// The selected row.
    pub fn current(&self) -> Option<&Summary> {
        self.row(self.cursor)
    }

    /// What is on the screen is what was asked for, and the selected row is in memory. Until then a key
    /// that is about a row could hit another one than the person means.
    pub fn is_settled(&self) -> bool {
        !self.is_working() && (self.total == 0 || self.row_is_known(self.cursor))
    }

    /// Rows that fit on the screen.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Is this record marked?
    pub fn is_marked(&self, id: &str) -> bool {
        self.marks.contains(id)
    }

    /// How many are marked.
    pub fn marked(&self) -> usize {
        self.marks.len()
    }

    /// What an action is about: the marked records, else the selected one.
    pub fn targets(&self) -> Vec<String> {
        if self.marks.is_empty() {
            self.current().map(|row| row.id.clone()).into_iter().collect()
        } else {
            self.marks.iter().cloned().collect()
        }
    }

    /// The one mark is not on the selected row, so a person may have forgotten it.
    pub fn hidden_mark(&self) -> bool {
        self.marks.len() == 1 && !self.current().is_some_and(|row| self.marks.contains(&row.id))
    }

    /// The next answer puts the cursor on this record, if the filter shows it.
    pub fn go_to(&mut self, id: &str) {
        self.destination = Some(id.to_owned());
    }

    /// The filter in force.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Is a filter in force?
    pub fn is_filtered(&self) -> bool {
        !self.filter_text.text().trim().is_empty()
    }

    /// Asks for the list anew, the cursor staying on its record.
    pub fn reload(&mut self) -> Request {
        // The answer would be about the list as it was.
        self.marking = false;
        self.generation += 1;
        Request::List(ListRequest {
            scope: self.scope,
            generation: self.generation,
            filter: self.filter.clone(),
            sort: self.sort,
            keep: self.destination.clone().or_else(|| self.current().map(|row| row.id.clone())),
            cursor: self.cursor,
            window: self.height * 2,
        })
    }

    /// Sorts by the next column, or the other way.
    fn sort_by(&mut self, next: bool) -> Request {
        if next {
            let at = SortColumn::ALL.iter().position(|column| *column == self.sort.column).unwrap_or(0);
            self.sort.column = SortColumn::ALL[(at + 1) % SortColumn::ALL.len()];
            self.sort.descending = self.sort.column == SortColumn::Updated;
        } else {
            self.sort.descending = !self.sort.descending;
        }
        self.reload()
    }

    /// Sorts by a column; the other way when it is sorted by it already.
    pub fn sort_by_column(&mut self, column: SortColumn) -> Request {
        self.sort = match self.sort.column == column {
            true => Sort { column, descending: !self.sort.descending },
            false => Sort { column, descending: column == SortColumn::Updated },
        };
        self.reload()
    }

    /// Puts the cursor on a row.
    pub fn go_to_row(&mut self, row: usize) -> Vec<Request> {
        self.move_to(row)
    }

    /// Takes over the height of the list on the screen.
    pub fn resize(&mut self, height: usize) -> Option<Request> {
        self.height = height.max(1);
        self.follow_cursor();
        self.missing_rows()
    }

    /// The answer to a search.
    pub fn listed(&mut self, generation: u64, total: usize, cursor: usize, start: usize, rows: Vec<Option<Summary>>) {
        if generation != self.generation {
            return;
        }
        self.answered = generation;
        self.loaded = true;
        self.total = total;
        self.cursor = cursor;
        self.window_start = start;
        self.window = rows;
        self.anchor = None;
        self.follow_cursor();
    }

    /// The list is as long as this; its first page came before. Who asked for its end meanwhile gets there now.
    pub fn counted(&mut self, generation: u64, total: usize) -> Vec<Request> {
        if generation != self.generation {
            return Vec::new();
        }
        self.total = total;
        if self.wants_end { self.move_to(usize::MAX) } else { Vec::new() }
    }

    /// After an answer: the record that was to be gone to is not in the list.
    pub fn missed_destination(&mut self) -> bool {
        if self.answered != self.generation {
            return false;
        }
        let destination = self.destination.take();
        destination.is_some_and(|id| self.current().is_none_or(|row| row.id != id))
    }

    /// The search failed: what is on the screen stays.
    pub fn give_up(&mut self) {
        self.marking = false;
        self.answered = self.generation;
        self.loaded = true;
    }

    /// The answer with another window.
    pub fn windowed(&mut self, generation: u64, start: usize, rows: Vec<Option<Summary>>) {
        if generation == self.generation {
            self.window_start = start;
            self.window = rows;
        }
    }

    /// Rows are being marked; what is done to the marked ones has to wait.
    pub fn is_marking(&self) -> bool {
        self.marking
    }

    /// What is shown is not the answer yet.
    pub fn is_working(&self) -> bool {
        self.marking || self.answered != self.generation
    }

    /// The answer to marking a range or all.
    pub fn ranged(&mut self, ids: Vec<String>) {
        if std::mem::take(&mut self.marking) {
            self.mark_ids(ids);
        }
    }

    /// Marks these records; unmarks them when all of them are marked.
    pub fn mark_ids(&mut self, ids: Vec<String>) {
        if ids.iter().all(|id| self.marks.contains(id)) {
            for id in &ids {
                self.marks.remove(id);
            }
        } else {
            self.marks.extend(ids);
        }
    }

    /// Takes all marks away; false when there were none.
    pub fn clear_marks(&mut self) -> bool {
        self.anchor = None;
        std::mem::take(&mut self.marking) | !std::mem::take(&mut self.marks).is_empty()
    }

    /// Takes the marks of records that are gone or done with away.
    pub fn unmark(&mut self, ids: &[String]) {
        for id in ids {
            self.marks.remove(id);
        }
    }

    /// Moving, marking, sorting and the way into the filter; `None` when the action is not about the list.
    pub fn act(&mut self, action: Action) -> Option<Vec<Request>> {
        self.wants_end = action == Action::Bottom;
        let page = self.height.saturating_sub(1).max(1);
        match action {
            Action::Down => Some(self.move_to(self.cursor.saturating_add(1))),
            Action::Up => Some(self.move_to(self.cursor.saturating_sub(1))),
            Action::PageDown => Some(self.move_to(self.cursor.saturating_add(page))),
            Action::PageUp => Some(self.move_to(self.cursor.saturating_sub(page))),
            Action::Top => Some(self.move_to(0)),
            Action::Bottom => Some(self.move_to(usize::MAX)),
            Action::Mark => Some(self.mark_current()),
            Action::MarkRange => Some(self.ids(self.anchor.unwrap_or(self.cursor), self.cursor)),
            Action::SortNext | Action::SortReverse => Some(vec![self.sort_by(action == Action::SortNext)]),
            Action::Filter => {
                self.typing = true;
                Some(Vec::new())
            }
            // To the end, however far that is: the rows may not have been counted yet.
            Action::MarkAll if self.total > 0 => Some(self.ids(0, usize::MAX - 1)),
            _ => None,
        }
    }

    fn mark_current(&mut self) -> Vec<Request> {
        if let Some(id) = self.current().map(|row| row.id.clone()) {
            self.anchor = Some(self.cursor);
            self.mark_ids(vec![id]);
        }
        self.move_to(self.cursor.saturating_add(1))
    }

    fn ids(&mut self, one: usize, other: usize) -> Vec<Request> {
        self.marking = true;
        let (start, end) = (one.min(other), one.max(other));
        vec![Request::Ids { scope: self.scope, generation: self.generation, start, len: end - start + 1 }]
    }

    fn move_to(&mut self, row: usize) -> Vec<Request> {
        self.cursor = row.min(self.total.saturating_sub(1));
        self.follow_cursor();
        self.missing_rows().into_iter().collect()
    }

    fn follow_cursor(&mut self) {
        let last_top = self.total.saturating_sub(self.height);
        let lowest = (self.cursor + 1).saturating_sub(self.height);
        self.top = self.top.clamp(lowest, self.cursor.max(lowest)).min(last_top);
    }

    /// Asks for the rows around the screen when some on it are not in memory.
    fn missing_rows(&self) -> Option<Request> {
        let end = (self.top + self.height).min(self.total);
        if self.top >= self.window_start && end <= self.window_start + self.window.len() {
            return None;
        }
        Some(Request::Rows {
            scope: self.scope,
            generation: self.generation,
            start: self.top.saturating_sub(self.height),
            len: self.height * 3,
        })
    }

    /// Takes a key into the filter line; the list follows as it is typed.
    pub fn type_filter(&mut self, key: Key) -> Option<Request> {
        let before = self.filter_text.text().to_owned();
        self.filter_text.key(key);
        if self.filter_text.text() == before { None } else { self.search() }
    }

    /// Takes pasted text into the filter line.
    ///
    /// # Errors
    /// [`TooLong`]; nothing is taken then.
    pub fn paste_filter(&mut self, text: &str) -> Result<Option<Request>, TooLong> {
        self.filter_text.insert(text)?;
        Ok(self.search())
    }

    /// Takes the filter away; `None` when there was none.
    pub fn clear_filter(&mut self) -> Option<Request> {
        self.typing = false;
        if !self.is_filtered() {
            return None;
        }
        self.filter_text = TextInput::default();
        self.apply_filter()
    }

    /// A filter being typed shows its matches from the first one; taking it away keeps the record.
    pub fn search(&mut self) -> Option<Request> {
        let mut request = self.apply_filter()?;
        if let Request::List(list) = &mut request {
            (list.keep, list.cursor) = (None, 0);
        }
        Some(request)
    }

    /// Uses the filter as typed, with the condition.
    pub fn apply_filter(&mut self) -> Option<Request> {
        self.filter_doubt = filter::unknown_keys(self.filter_text.text());
        // One after the other: an open quote of the one must not reach into the other.
        let parsed =
            Filter::parse(self.filter_text.text()).and_then(|typed| Ok(typed.and(Filter::parse(self.condition)?)));
        let is_step = matches!(self.scope, Scope::Step(_));
        match if is_step { parsed } else { parsed.and_then(Filter::of_connectors) } {
            Ok(filter) => {
                self.filter_error = None;
                self.filter = filter;
                Some(self.reload())
            }
            Err(reason) => {
                self.filter_error = Some(reason);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_the_end_of_the_whole_list_also_before_it_is_counted() {
        let mut rows = Rows::new(Scope::Connectors);
        rows.resize(10);
        let Request::List(list) = rows.reload() else { unreachable!() };
        rows.listed(list.generation, 20, 0, 0, vec![None; 20]);
        rows.act(Action::Bottom);
        let all = rows.act(Action::MarkAll).unwrap_or_default();
        assert!(matches!(all.as_slice(), [Request::Ids { start: 0, len: usize::MAX, .. }]), "{all:?}");
        rows.act(Action::Bottom);
        let asked = rows.counted(list.generation, 1000);
        assert_eq!(rows.cursor, 999);
        assert!(matches!(asked.as_slice(), [Request::Rows { start: 980, .. }]), "{asked:?}");
        rows.act(Action::Up);
        assert!(rows.counted(list.generation, 1000).is_empty(), "only who is still waiting is taken there");
    }

    #[test]
    fn what_is_done_to_marked_rows_waits_for_the_marks() {
        let mut rows = Rows::new(Scope::Connectors);
        rows.resize(10);
        let Request::List(list) = rows.reload() else { unreachable!() };
        rows.listed(list.generation, 20, 0, 0, vec![None; 20]);
        assert!(rows.is_settled());
        rows.act(Action::MarkAll);
        assert!(!rows.is_settled());
        rows.ranged(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!((rows.is_settled(), rows.marked()), (true, 2));
        // Taken away before they have come, they do not come any more.
        rows.act(Action::MarkAll);
        assert!(rows.clear_marks());
        rows.ranged(vec!["c".to_owned()]);
        assert_eq!((rows.is_settled(), rows.marked()), (true, 0));
    }
}
