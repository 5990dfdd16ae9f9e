//! The lists of the reader: their order, and the rows of their windows.

use super::reader::Reader;
use super::{ListQuery, Reply};
use crate::domain::remote::PushOptions;
use crate::domain::{Filter, Summary};
use crate::service::remote;
use crate::store::{RowIds, Scope, Sort, StoreError};

/// From this number of rows on, scanning all ids is faster than looking each up.
const FULL_SCAN_FROM: usize = 10_000;

/// The rows of a list in order. Records of a step that no longer exist have no row id; they come last.
#[derive(Default)]
pub(super) struct Order {
    pub(super) generation: u64,
    row_ids: RowIds,
    gone: Vec<String>,
    /// Only the first page was read, with this order.
    first_page_of: Option<Sort>,
}

impl Order {
    pub(super) fn is_first_page(&self) -> bool {
        self.first_page_of.is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.row_ids.len() + self.gone.len()
    }

    /// Returns the row ids of a window, and the ids of records that no longer exist.
    fn window(&self, start: usize, len: usize) -> (Vec<i64>, &[String]) {
        let present = self.row_ids.window(start, len);
        let first_missing = start.saturating_sub(self.row_ids.len()).min(self.gone.len());
        let end = first_missing.saturating_add(len - present.len()).min(self.gone.len());
        (present, self.gone.get(first_missing..end).unwrap_or_default())
    }
}

impl Reader {
    pub(super) fn list(&mut self, list: &ListQuery) -> Result<Option<Reply>, StoreError> {
        self.check_for_changes()?;
        if let Some(reply) = self.first_page(list)? {
            return Ok(Some(reply));
        }
        let order = self.order(list)?;
        let total = order.len();
        let kept = match &list.keep {
            Some(id) => match order.gone.iter().position(|gone| gone == id) {
                Some(place) => Some(order.row_ids.len() + place),
                None => self.store.row_id(id)?.and_then(|row_id| order.row_ids.position(row_id)),
            },
            None => None,
        };
        let cursor = kept.unwrap_or(list.cursor).min(total.saturating_sub(1));
        let start = cursor.saturating_sub(list.window);
        let rows = self.summaries(list.scope, &order, start, list.window * 2)?;
        // The list to count is no longer shown.
        self.uncounted = self.uncounted.filter(|scope| *scope != list.scope);
        self.orders.insert(list.scope, order);
        Ok(Some(Reply::Listed { scope: list.scope, generation: list.generation, total, cursor, start, rows }))
    }

    /// Returns the first page of a list at once, if the whole order is not available yet.
    fn first_page(&mut self, list: &ListQuery) -> Result<Option<Reply>, StoreError> {
        // No more than is soon on the screen: each row is somewhere else in the file.
        let len = list.window;
        let is_plain = list.filter.is_empty() && list.keep.is_none() && !matches!(list.scope, Scope::Step(_));
        if !is_plain || self.is_older || list.cursor >= list.window || self.lists.has_order(list.scope, list.sort) {
            return Ok(None);
        }
        let Some(row_ids) = self.store.first_rows(list.scope, list.sort, len)? else { return Ok(None) };
        let mut rows = self.store.summaries(&row_ids)?;
        self.note_drift(list.scope, &mut rows)?;
        // The rows are counted next; until then the list is as long as this page.
        let total = row_ids.len();
        let cursor = list.cursor.min(total.saturating_sub(1));
        let first_page_of = (total == len).then_some(list.sort);
        self.uncounted = first_page_of.map(|_| list.scope);
        let row_ids = row_ids.into_iter().collect();
        let order = Order { generation: list.generation, row_ids, gone: Vec::new(), first_page_of };
        self.orders.insert(list.scope, order);
        Ok(Some(Reply::Listed { scope: list.scope, generation: list.generation, total, cursor, start: 0, rows }))
    }

    /// Reads the rest of a list whose first page has been given.
    pub(super) fn complete(&mut self, scope: Scope) -> Result<(), StoreError> {
        let Some(sort) = self.orders.get(&scope).and_then(|order| order.first_page_of) else { return Ok(()) };
        let row_ids = self.lists.order(&self.store, scope, &Filter::default(), sort)?;
        if let Some(order) = self.orders.get_mut(&scope) {
            (order.row_ids, order.first_page_of) = (row_ids, None);
        }
        Ok(())
    }

    fn order(&mut self, list: &ListQuery) -> Result<Order, StoreError> {
        let row_ids = if self.is_older {
            self.store.order(list.scope, &list.filter, list.sort)?
        } else {
            self.lists.order(&self.store, list.scope, &list.filter, list.sort)?
        };
        let mut order = Order { generation: list.generation, row_ids, gone: Vec::new(), first_page_of: None };
        if let Scope::Step(step) = list.scope {
            order.gone = self.store.deleted_since(step)?;
            if !list.filter.is_empty() {
                let mut matching = Vec::new();
                for id in std::mem::take(&mut order.gone) {
                    if self
                        .of_step(step, &id)?
                        .is_some_and(|summary| list.filter.matches(&summary, self.store.catalogue()))
                    {
                        matching.push(id);
                    }
                }
                order.gone = matching;
            }
        }
        Ok(order)
    }

    fn summaries(
        &self,
        scope: Scope,
        order: &Order,
        start: usize,
        len: usize,
    ) -> Result<Vec<Option<Summary>>, StoreError> {
        let (present, gone) = order.window(start, len);
        let mut rows = self.store.summaries(&present)?;
        self.note_drift(scope, &mut rows)?;
        if let Scope::Step(step) = scope {
            for summary in rows.iter_mut().flatten() {
                summary.change = self.store.change(step, &summary.id)?.map(|change| change.in_step());
            }
            for id in gone {
                rows.push(self.of_step(step, id)?);
            }
        }
        Ok(rows)
    }

    /// Marks each row of the list of connectors with its difference from the remote.
    fn note_drift(&self, scope: Scope, rows: &mut [Option<Summary>]) -> Result<(), StoreError> {
        let (Some(remote), Scope::Connectors) = (&self.remote, scope) else { return Ok(()) };
        // Nothing is known yet of a remote that was never read: then all would be new.
        if remote.fetched_at.is_none() {
            return Ok(());
        }
        for summary in rows.iter_mut().flatten() {
            let both = self.store.both_sides(&remote.name, &summary.id)?;
            summary.drift =
                remote::entry_of(&self.vault, remote, &both, PushOptions::default(), self.store.catalogue()).sign();
        }
        Ok(())
    }

    /// A record that is not in the file any more, as a step left or found it.
    fn of_step(&self, step: i64, id: &str) -> Result<Option<Summary>, StoreError> {
        Ok(self.store.change(step, id)?.map(|change| change.summary(self.store.catalogue())))
    }

    pub(super) fn rows(
        &mut self,
        scope: Scope,
        generation: u64,
        start: usize,
        len: usize,
    ) -> Result<Option<Reply>, StoreError> {
        self.reach(scope, start + len)?;
        let Some(order) = self.orders.get(&scope).filter(|order| order.generation == generation) else {
            return Ok(None);
        };
        let rows = self.summaries(scope, order, start, len)?;
        Ok(Some(Reply::Rows { scope, generation, start, rows }))
    }

    /// Makes sure that the order goes as far as a window.
    fn reach(&mut self, scope: Scope, end: usize) -> Result<(), StoreError> {
        let is_short = self.orders.get(&scope).is_some_and(|order| order.is_first_page() && order.row_ids.len() < end);
        if is_short { self.complete(scope) } else { Ok(()) }
    }

    pub(super) fn ids(
        &mut self,
        scope: Scope,
        generation: u64,
        start: usize,
        len: usize,
    ) -> Result<Option<Reply>, StoreError> {
        self.reach(scope, start.saturating_add(len))?;
        let Some(order) = self.orders.get(&scope).filter(|order| order.generation == generation) else {
            return Ok(None);
        };
        let (present, gone) = order.window(start, len);
        let mut ids = if present.len() < FULL_SCAN_FROM {
            self.store.ids(&present)?
        } else {
            self.store.ids_of_many(&present)?
        };
        ids.extend(gone.iter().cloned());
        Ok(Some(Reply::Ids { scope, ids }))
    }
}
