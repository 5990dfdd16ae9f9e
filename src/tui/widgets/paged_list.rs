//! A list with only a window in memory: cursor, selection, filter and sort. The review and the list of connectors use
//! it.

use std::collections::BTreeSet;

use crate::domain::{Filter, Summary, filter};
use crate::store::{Scope, Sort, SortColumn};
use crate::tui::keymap::{Action, Key, KeyContext};
use crate::tui::ui_state::ColumnChoice;
use crate::tui::widgets::input::{TextInput, TooLong};
use crate::worker::{ListQuery, Query};

/// The state of a list.
#[derive(Debug)]
pub struct PagedList {
    scope: Scope,
    /// The filter as typed.
    pub filter_text: TextInput,
    /// The error of the filter as typed; the list keeps the last valid one.
    pub filter_error: Option<String>,
    /// A possible mistake in the filter.
    pub filter_warning: Option<String>,
    /// The filter line has the focus.
    pub typing: bool,
    /// The order.
    pub sort: Sort,
    /// A condition in addition to the filter, in the filter language.
    pub condition: &'static str,
    /// The user's choice of columns.
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
    /// The end of the list was requested last.
    wants_end: bool,
    /// Rows are being selected; an action on the selection has to wait.
    marking: bool,
    /// The answer is so slow that the screen shows it.
    pub is_slow: bool,
    selected: BTreeSet<String>,
    anchor: Option<usize>,
    /// The record to go to with the next answer.
    destination: Option<String>,
}

impl PagedList {
    /// The place whose keys hold in the list.
    pub fn context(&self) -> KeyContext {
        match self.scope {
            Scope::Connectors => KeyContext::Connectors,
            Scope::Review => KeyContext::Review,
            Scope::Step(_) => KeyContext::Step,
        }
    }

    /// An empty list.
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            filter_text: TextInput::default(),
            filter_error: None,
            filter_warning: None,
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
            selected: BTreeSet::new(),
            anchor: None,
            destination: None,
        }
    }

    /// The row at a place in the list, if it is in memory.
    pub fn row(&self, at: usize) -> Option<&Summary> {
        self.window.get(at.checked_sub(self.window_start)?)?.as_ref()
    }

    /// Returns whether the window in memory contains the position; the row itself may have been deleted since.
    fn row_is_known(&self, at: usize) -> bool {
        at >= self.window_start && at < self.window_start + self.window.len()
    }

    /// The selected row.
    pub fn current(&self) -> Option<&Summary> {
        self.row(self.cursor)
    }

    /// Returns whether the screen shows the requested list with the current row in memory. Until then a key could act
    /// on another row than the user means.
    pub fn is_settled(&self) -> bool {
        !self.is_working() && (self.total == 0 || self.row_is_known(self.cursor))
    }

    /// Rows that fit on the screen.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns whether a record is selected.
    pub fn is_selected(&self, id: &str) -> bool {
        self.selected.contains(id)
    }

    /// Returns the number of selected records.
    pub fn selected(&self) -> usize {
        self.selected.len()
    }

    /// Returns the targets of an action: the selected records, else the current one.
    pub fn targets(&self) -> Vec<String> {
        if self.selected.is_empty() {
            self.current().map(|row| row.id.clone()).into_iter().collect()
        } else {
            self.selected.iter().cloned().collect()
        }
    }

    /// Returns whether the only selected record is not the current row, so that the user may not see it.
    pub fn hidden_selection(&self) -> bool {
        self.selected.len() == 1 && !self.current().is_some_and(|row| self.selected.contains(&row.id))
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

    /// Requests the list again; the cursor stays on its record.
    pub fn reload(&mut self) -> Query {
        // The answer would be about the list as it was.
        self.marking = false;
        self.generation += 1;
        Query::List(ListQuery {
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
    fn sort_by(&mut self, next: bool) -> Query {
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
    pub fn sort_by_column(&mut self, column: SortColumn) -> Query {
        self.sort = match self.sort.column == column {
            true => Sort { column, descending: !self.sort.descending },
            false => Sort { column, descending: column == SortColumn::Updated },
        };
        self.reload()
    }

    /// Puts the cursor on a row.
    pub fn go_to_row(&mut self, row: usize) -> Vec<Query> {
        self.move_to(row)
    }

    /// Sets the height of the list on the screen.
    pub fn resize(&mut self, height: usize) -> Option<Query> {
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

    /// Sets the length of a list whose first page came before; a pending move to the end is completed.
    pub fn counted(&mut self, generation: u64, total: usize) -> Vec<Query> {
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

    /// Handles a failed search: the screen stays.
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

    /// Returns whether rows are being selected; an action on the selection has to wait.
    pub fn is_marking(&self) -> bool {
        self.marking
    }

    /// Returns whether the screen does not show the answer yet.
    pub fn is_working(&self) -> bool {
        self.marking || self.answered != self.generation
    }

    /// The answer to marking a range or all.
    pub fn ranged(&mut self, ids: Vec<String>) {
        if std::mem::take(&mut self.marking) {
            self.select_ids(ids);
        }
    }

    /// Selects these records; deselects them if all are selected.
    pub fn select_ids(&mut self, ids: Vec<String>) {
        if ids.iter().all(|id| self.selected.contains(id)) {
            for id in &ids {
                self.selected.remove(id);
            }
        } else {
            self.selected.extend(ids);
        }
    }

    /// Clears the selection; false if it was empty.
    pub fn clear_selection(&mut self) -> bool {
        self.anchor = None;
        std::mem::take(&mut self.marking) | !std::mem::take(&mut self.selected).is_empty()
    }

    /// Deselects deleted or finished records.
    pub fn unmark(&mut self, ids: &[String]) {
        for id in ids {
            self.selected.remove(id);
        }
    }

    /// Moving, marking, sorting and the way into the filter; `None` when the action is not about the list.
    pub fn act(&mut self, action: Action) -> Option<Vec<Query>> {
        self.wants_end = action == Action::Bottom;
        let page = self.height.saturating_sub(1).max(1);
        match action {
            Action::Down => Some(self.move_to(self.cursor.saturating_add(1))),
            Action::Up => Some(self.move_to(self.cursor.saturating_sub(1))),
            Action::PageDown => Some(self.move_to(self.cursor.saturating_add(page))),
            Action::PageUp => Some(self.move_to(self.cursor.saturating_sub(page))),
            Action::Top => Some(self.move_to(0)),
            Action::Bottom => Some(self.move_to(usize::MAX)),
            Action::Select => Some(self.select_current()),
            Action::SelectRange => Some(self.ids(self.anchor.unwrap_or(self.cursor), self.cursor)),
            Action::SortNext | Action::SortReverse => Some(vec![self.sort_by(action == Action::SortNext)]),
            Action::Filter => {
                self.typing = true;
                Some(Vec::new())
            }
            // Moves to the end even before the rows are counted.
            Action::SelectAll if self.total > 0 => Some(self.ids(0, usize::MAX - 1)),
            _ => None,
        }
    }

    fn select_current(&mut self) -> Vec<Query> {
        if let Some(id) = self.current().map(|row| row.id.clone()) {
            self.anchor = Some(self.cursor);
            self.select_ids(vec![id]);
        }
        self.move_to(self.cursor.saturating_add(1))
    }

    fn ids(&mut self, one: usize, other: usize) -> Vec<Query> {
        self.marking = true;
        let (start, end) = (one.min(other), one.max(other));
        vec![Query::Ids { scope: self.scope, generation: self.generation, start, len: end - start + 1 }]
    }

    fn move_to(&mut self, row: usize) -> Vec<Query> {
        self.cursor = row.min(self.total.saturating_sub(1));
        self.follow_cursor();
        self.missing_rows().into_iter().collect()
    }

    fn follow_cursor(&mut self) {
        let last_top = self.total.saturating_sub(self.height);
        let lowest = (self.cursor + 1).saturating_sub(self.height);
        self.top = self.top.clamp(lowest, self.cursor.max(lowest)).min(last_top);
    }

    /// Requests the rows around the screen if some of them are not in memory.
    fn missing_rows(&self) -> Option<Query> {
        let end = (self.top + self.height).min(self.total);
        if self.top >= self.window_start && end <= self.window_start + self.window.len() {
            return None;
        }
        Some(Query::Rows {
            scope: self.scope,
            generation: self.generation,
            start: self.top.saturating_sub(self.height),
            len: self.height * 3,
        })
    }

    /// Handles a key in the filter line; the list follows each key.
    pub fn type_filter(&mut self, key: Key) -> Option<Query> {
        let before = self.filter_text.text().to_owned();
        self.filter_text.key(key);
        if self.filter_text.text() == before { None } else { self.search() }
    }

    /// Inserts pasted text into the filter line.
    ///
    /// # Errors
    /// [`TooLong`]; nothing is inserted then.
    pub fn paste_filter(&mut self, text: &str) -> Result<Option<Query>, TooLong> {
        self.filter_text.insert(text)?;
        Ok(self.search())
    }

    /// Clears the filter; `None` if there was none.
    pub fn clear_filter(&mut self) -> Option<Query> {
        self.typing = false;
        if !self.is_filtered() {
            return None;
        }
        self.filter_text = TextInput::default();
        self.apply_filter()
    }

    /// A filter being typed shows its first match; a cleared filter keeps the record.
    pub fn search(&mut self) -> Option<Query> {
        let mut request = self.apply_filter()?;
        if let Query::List(list) = &mut request {
            (list.keep, list.cursor) = (None, 0);
        }
        Some(request)
    }

    /// Uses the filter as typed, with the condition.
    pub fn apply_filter(&mut self) -> Option<Query> {
        self.filter_warning = filter::unknown_keys(self.filter_text.text());
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
    fn end_reaches_the_last_row_before_the_count_is_known() {
        let mut rows = PagedList::new(Scope::Connectors);
        rows.resize(10);
        let Query::List(list) = rows.reload() else { unreachable!() };
        rows.listed(list.generation, 20, 0, 0, vec![None; 20]);
        rows.act(Action::Bottom);
        let all = rows.act(Action::SelectAll).unwrap_or_default();
        assert!(matches!(all.as_slice(), [Query::Ids { start: 0, len: usize::MAX, .. }]), "{all:?}");
        rows.act(Action::Bottom);
        let queries = rows.counted(list.generation, 1000);
        assert_eq!(rows.cursor, 999);
        assert!(matches!(queries.as_slice(), [Query::Rows { start: 980, .. }]), "{queries:?}");
        rows.act(Action::Up);
        assert!(rows.counted(list.generation, 1000).is_empty(), "only who is still waiting is taken there");
    }

    #[test]
    fn action_waits_for_the_selection_to_load() {
        let mut rows = PagedList::new(Scope::Connectors);
        rows.resize(10);
        let Query::List(list) = rows.reload() else { unreachable!() };
        rows.listed(list.generation, 20, 0, 0, vec![None; 20]);
        assert!(rows.is_settled());
        rows.act(Action::SelectAll);
        assert!(!rows.is_settled());
        rows.ranged(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!((rows.is_settled(), rows.selected()), (true, 2));
        // A selection cleared before its rows arrive stays empty.
        rows.act(Action::SelectAll);
        assert!(rows.clear_selection());
        rows.ranged(vec!["c".to_owned()]);
        assert_eq!((rows.is_settled(), rows.selected()), (true, 0));
    }
}
