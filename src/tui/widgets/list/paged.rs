//! A list with only a window in memory: cursor, selection, filter and sort.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::layout::{Position, Rect};

use super::{Click, Cursor, HEADS, Shown};
use crate::domain::{Filter, Summary};
use crate::store::{Scope, Sort, SortColumn};
use crate::text::terminal::width;
use crate::tui::delay::{SLOW, age, until_slow};
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::layout::cut_top;
use crate::tui::widgets::pane::inside;
use crate::worker::{ListQuery, Query};

/// The state of a list.
#[derive(Debug)]
pub struct PagedList {
    scope: Scope,
    context: KeyContext,
    /// The filter as typed.
    pub filter_text: TextInput,
    /// The error of the filter as typed; the list keeps the last valid one.
    pub(super) filter_error: Option<String>,
    /// A possible mistake in the filter.
    pub(super) filter_warning: Option<String>,
    /// The filter line has the focus.
    pub typing: bool,
    /// The order.
    pub sort: Sort,
    /// A condition in addition to the filter, in the filter language.
    pub condition: &'static str,
    /// Rows in all.
    pub total: usize,
    cursor: Cursor,
    /// The first answer has come.
    pub loaded: bool,
    pub(super) filter: Filter,
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
    /// Since when the answer has been awaited.
    working_since: Option<Timestamp>,
    /// The answer is so slow that the screen shows it.
    is_slow: bool,
    selected: BTreeSet<String>,
    anchor: Option<usize>,
    /// The record to go to with the next answer.
    destination: Option<String>,
}

impl PagedList {
    /// The context of the keys of the list.
    pub fn context(&self) -> KeyContext {
        self.context
    }

    /// The records of the list.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Returns an empty list of these records, whose screen has these keys.
    pub fn new(scope: Scope, context: KeyContext) -> Self {
        Self {
            scope,
            context,
            filter_text: TextInput::default(),
            filter_error: None,
            filter_warning: None,
            typing: false,
            sort: Sort::default(),
            condition: "",
            total: 0,
            cursor: Cursor::default(),
            loaded: false,
            filter: Filter::default(),
            generation: 0,
            answered: 0,
            height: 1,
            window_start: 0,
            window: Vec::new(),
            wants_end: false,
            marking: false,
            working_since: None,
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

    /// Returns the width of the longest cell of the rows in memory.
    pub fn longest(&self, cell: impl Fn(&Summary) -> Shown) -> usize {
        self.window.iter().flatten().map(|row| width(&cell(row).0)).max().unwrap_or(0)
    }

    /// Returns whether the window in memory contains the position; the row itself may have been deleted since.
    fn row_is_known(&self, at: usize) -> bool {
        at >= self.window_start && at < self.window_start + self.window.len()
    }

    /// The row with the cursor.
    pub fn current(&self) -> Option<&Summary> {
        self.row(self.cursor.row)
    }

    /// The cursor and the first row on the screen.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Returns whether the screen shows the requested list with the current row in memory. Until then a key could act
    /// on another row than the user means.
    pub fn is_settled(&self) -> bool {
        !self.is_working() && (self.total == 0 || self.row_is_known(self.cursor.row))
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
            cursor: self.cursor.row,
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

    /// Moves the cursor to a row that was clicked; `area` is that of the pane.
    pub fn click(&mut self, at: Position, area: Rect) -> Click {
        let area = inside(area);
        let (head, rows) = cut_top(area, HEADS);
        if head.contains(at) {
            return Click::Head(at.x - area.x);
        }
        match self.cursor.row_at(rows, at, self.total) {
            None => Click::Outside,
            Some(row) if row == self.cursor.row => Click::Current(at.x - area.x),
            Some(row) => Click::Moved(self.move_to(row)),
        }
    }

    /// Adapts the list to the area of its pane.
    pub fn resize(&mut self, area: Rect) -> Option<Query> {
        let height = usize::from(inside(area).height.saturating_sub(HEADS)).max(1);
        if height == self.height {
            return None;
        }
        self.height = height;
        self.cursor.follow(self.total, self.height);
        self.missing_rows()
    }

    /// Notes whether the answer to the last request is slow, which the screen shows.
    pub fn watch(&mut self, now: Timestamp) {
        self.working_since = self.is_working().then(|| self.working_since.unwrap_or(now));
        self.is_slow = self.working_since.is_some_and(|since| age(since, now) >= SLOW);
    }

    /// Returns when the screen next changes without a message.
    pub fn next_tick(&self, now: Timestamp) -> Option<Duration> {
        self.working_since.and_then(|since| until_slow(since, now))
    }

    /// Returns whether the answer is so slow that the screen shows it.
    pub fn is_slow(&self) -> bool {
        self.is_slow
    }

    /// The answer to a search.
    pub fn listed(&mut self, generation: u64, total: usize, cursor: usize, start: usize, rows: Vec<Option<Summary>>) {
        if generation != self.generation {
            return;
        }
        self.answered = generation;
        self.loaded = true;
        self.total = total;
        self.window_start = start;
        self.window = rows;
        self.anchor = None;
        self.cursor.row = cursor;
        self.cursor.follow(total, self.height);
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

    /// Handles a failed request: the rows in memory stay, and the cursor goes to one of them.
    pub fn give_up(&mut self) {
        self.marking = false;
        self.answered = self.generation;
        self.loaded = true;
        if !self.row_is_known(self.cursor.row) {
            let last = self.window_start + self.window.len().saturating_sub(1);
            self.cursor.go_to(self.cursor.row.clamp(self.window_start, last), self.total, self.height);
        }
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
        if self.cursor.act(action, self.total, self.height) {
            self.wants_end = action == Action::Bottom;
            return Some(self.missing_rows().into_iter().collect());
        }
        match action {
            Action::Select => Some(self.select_current()),
            Action::SelectRange => Some(self.ids(self.anchor.unwrap_or(self.cursor.row), self.cursor.row)),
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

    /// Moves several times, as far as the list goes.
    pub fn repeat(&mut self, action: Action, count: usize) -> Vec<Query> {
        for _ in 0..count.min(self.total) {
            self.cursor.act(action, self.total, self.height);
        }
        self.missing_rows().into_iter().collect()
    }

    fn select_current(&mut self) -> Vec<Query> {
        if let Some(id) = self.current().map(|row| row.id.clone()) {
            self.anchor = Some(self.cursor.row);
            self.select_ids(vec![id]);
        }
        self.move_to(self.cursor.row.saturating_add(1))
    }

    fn ids(&mut self, one: usize, other: usize) -> Vec<Query> {
        self.marking = true;
        let (start, end) = (one.min(other), one.max(other));
        vec![Query::Ids { scope: self.scope, generation: self.generation, start, len: end - start + 1 }]
    }

    fn move_to(&mut self, row: usize) -> Vec<Query> {
        self.cursor.go_to(row, self.total, self.height);
        self.missing_rows().into_iter().collect()
    }

    /// Requests the rows around the screen if some of them are not in memory.
    fn missing_rows(&self) -> Option<Query> {
        let top = self.cursor.top;
        let end = (top + self.height).min(self.total);
        if top >= self.window_start && end <= self.window_start + self.window.len() {
            return None;
        }
        Some(Query::Rows {
            scope: self.scope,
            generation: self.generation,
            start: top.saturating_sub(self.height),
            len: self.height * 3,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_reaches_the_last_row_before_the_count_is_known() {
        let mut rows = PagedList::new(Scope::Connectors, KeyContext::Connectors);
        rows.resize(Rect::new(0, 0, 80, 13));
        let Query::List(list) = rows.reload() else { unreachable!() };
        rows.listed(list.generation, 20, 0, 0, vec![None; 20]);
        rows.act(Action::Bottom);
        let all = rows.act(Action::SelectAll).unwrap_or_default();
        assert!(matches!(all.as_slice(), [Query::Ids { start: 0, len: usize::MAX, .. }]), "{all:?}");
        rows.act(Action::Bottom);
        let queries = rows.counted(list.generation, 1000);
        assert_eq!(rows.cursor().row, 999);
        assert!(matches!(queries.as_slice(), [Query::Rows { start: 980, .. }]), "{queries:?}");
        rows.act(Action::Up);
        assert!(rows.counted(list.generation, 1000).is_empty(), "only who is still waiting is taken there");
    }

    #[test]
    fn failed_request_leaves_the_cursor_on_a_row_in_memory() {
        let mut rows = PagedList::new(Scope::Connectors, KeyContext::Connectors);
        rows.resize(Rect::new(0, 0, 80, 13));
        let Query::List(list) = rows.reload() else { unreachable!() };
        rows.listed(list.generation, 1000, 0, 0, vec![None; 20]);
        rows.act(Action::Bottom);
        assert!(!rows.is_settled());
        rows.give_up();
        assert_eq!((rows.is_settled(), rows.cursor().row), (true, 19));
    }

    #[test]
    fn action_waits_for_the_selection_to_load() {
        let mut rows = PagedList::new(Scope::Connectors, KeyContext::Connectors);
        rows.resize(Rect::new(0, 0, 80, 13));
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
