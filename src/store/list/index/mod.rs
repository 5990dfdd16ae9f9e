//! Searching without reading every record: each term of a filter is a set of rows, from an index of SQLite or from the
//! texts in memory, and a list is an order restricted to those sets. The domain defines the meaning of a term
//! ([`Filter::matches`]); a test proves that both agree.

use std::collections::HashMap;
use std::sync::Arc;

pub use queries::{TextChanges, TextState};
pub use row_ids::RowIds;
use row_set::RowSet;
use text::TextIndex;

use super::query;
use super::query::{Scope, Sort, SortColumn};
use crate::domain::filter::{Filter, Term, Test, fold, is_of_type};
use crate::store::error::StoreError;
use crate::store::file::open::Store;

mod column;
mod ids;
mod queries;
mod row_ids;
mod row_set;
mod text;
mod types;

/// Orders and sets that answered earlier questions, for as long as the file stays as it is.
#[derive(Debug, Default)]
pub struct Lists {
    texts: TextIndex,
    orders: HashMap<(Scope, Sort), RowIds>,
    sets: HashMap<Test, RowSet>,
}

/// Orders that are kept: four bytes a record each.
const ORDERS: usize = 2;

impl Lists {
    /// Drops what a change of the file may have made stale; a few changed texts are updated in place.
    ///
    /// # Errors
    /// If the file cannot be read; nothing stale is kept.
    pub fn forget(&mut self, store: &Store, changed: &TextChanges) -> Result<(), StoreError> {
        let mut texts = std::mem::take(&mut self.texts);
        *self = Self::default();
        let is_kept = match changed {
            TextChanges::None => true,
            TextChanges::Of(ids) => texts.patch(store, ids)?,
            TextChanges::Many => false,
        };
        if is_kept {
            self.texts = texts;
        }
        Ok(())
    }

    /// Loads more texts; false when everything is loaded.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read_more(&mut self, store: &Store) -> Result<bool, StoreError> {
        self.texts.read_more(store)
    }

    /// Returns whether the complete order of a list is available at once.
    pub fn has_order(&self, scope: Scope, sort: Sort) -> bool {
        self.orders.contains_key(&(scope, sort)) || self.by_name(scope, sort).is_some()
    }

    /// Returns the row ids of a list, in order.
    ///
    /// # Errors
    /// If the file cannot be read or the search was cancelled.
    pub fn order(&mut self, store: &Store, scope: Scope, filter: &Filter, sort: Sort) -> Result<RowIds, StoreError> {
        // The state of a change is determined record by record.
        if filter.reads_changes() || self.texts.is_unusable() {
            return store.order(scope, filter, sort);
        }
        for term in filter.terms() {
            self.find(store, &term.test)?;
        }
        if self.texts.is_unusable() {
            return store.order(scope, filter, sort);
        }
        self.sort(store, scope, sort)?;
        let all = self.base(scope, sort);
        if filter.is_empty() {
            return Ok(all);
        }
        let terms: Vec<(&Term, &RowSet)> =
            filter.terms().iter().filter_map(|term| Some((term, self.sets.get(&term.test)?))).collect();
        let passes = |row_id: &i64| terms.iter().all(|(term, set)| set.contains(*row_id) != term.negated);
        Ok(all.iter().filter(passes).collect())
    }

    /// Returns the order of the names in memory, if that is the requested one.
    fn by_name(&self, scope: Scope, sort: Sort) -> Option<RowIds> {
        let names = self.texts.by_name().filter(|_| (scope, sort) == FIRST)?;
        Some(RowIds::from(names.clone()))
    }

    /// The order of a list without a filter, which [`Lists::sort`] has found.
    fn base(&self, scope: Scope, sort: Sort) -> RowIds {
        self.by_name(scope, sort).or_else(|| self.orders.get(&(scope, sort)).cloned()).unwrap_or_default()
    }

    /// Finds the order of a list without a filter.
    fn sort(&mut self, store: &Store, scope: Scope, sort: Sort) -> Result<(), StoreError> {
        if (scope, sort) == FIRST {
            self.read_names(store)?;
        }
        if self.has_order(scope, sort) {
            return Ok(());
        }
        let order = match (scope, sort.column) {
            (Scope::Step(_), _) | (Scope::Connectors, SortColumn::Updated) => {
                store.order(scope, &Filter::default(), sort)?
            }
            (Scope::Connectors, _) => self.by_column(store, sort)?,
            (Scope::Review, _) => self.plan_order(store, sort)?,
        };
        if self.orders.len() >= ORDERS {
            self.orders.clear();
        }
        self.orders.insert((scope, sort), order);
        Ok(())
    }

    /// The order by a column and then by name: the order by name, dealt out to the values of the column.
    fn by_column(&mut self, store: &Store, sort: Sort) -> Result<RowIds, StoreError> {
        self.read_names(store)?;
        let Some(by_name) = self.texts.by_name() else {
            return store.order(Scope::Connectors, &Filter::default(), sort);
        };
        let column = match sort.column {
            SortColumn::Name | SortColumn::Updated => None,
            SortColumn::Type => Some("connector_type_id"),
            SortColumn::AuthType => Some("auth_type"),
            SortColumn::AuthMode => Some("auth_mode"),
        };
        let mut order = match column {
            None => by_name.to_vec(),
            Some(column) => deal(by_name, &store.ranks(column, by_name.len() + 1)?),
        };
        if sort.descending {
            order.reverse();
        }
        Ok(RowIds::from(Arc::new(order)))
    }

    fn read_names(&mut self, store: &Store) -> Result<(), StoreError> {
        while self.texts.by_name().is_none() && self.texts.read_more(store)? {}
        Ok(())
    }

    /// The plan, group by group, each in the order of the whole list.
    fn plan_order(&mut self, store: &Store, sort: Sort) -> Result<RowIds, StoreError> {
        if sort == Sort::FIRST {
            self.read_names(store)?;
        }
        self.sort(store, Scope::Connectors, sort)?;
        let all = self.base(Scope::Connectors, sort);
        let groups = query::PLAN_GROUPS.map(|group| store.rows_of_group(group));
        let groups = groups.into_iter().collect::<Result<Vec<RowSet>, _>>()?;
        Ok(groups.iter().flat_map(|group| all.iter().filter(|row_id| group.contains(*row_id))).collect())
    }

    /// Fills the set of a test in.
    fn find(&mut self, store: &Store, test: &Test) -> Result<(), StoreError> {
        if self.sets.contains_key(test) {
            return Ok(());
        }
        let set = match test {
            Test::Text(wanted) => {
                while self.texts.read_more(store)? {}
                self.texts.find(wanted)
            }
            Test::Type(wanted) => {
                let reported = store.reported_types();
                let is_reported =
                    |id: &str| reported.name(id, store.catalogue()).is_some_and(|name| fold(name).contains(wanted));
                self.of_types(store, |id| is_of_type(id, wanted, store.catalogue()) || is_reported(id))?
            }
            Test::UnknownType => self.of_types(store, |id| store.catalogue().get(id).is_none())?,
            test => store.rows_of(test)?,
        };
        self.sets.insert(test.clone(), set);
        Ok(())
    }

    fn of_types(&self, store: &Store, holds: impl Fn(&str) -> bool) -> Result<RowSet, StoreError> {
        match self.texts.find_types(&holds) {
            Some(found) => Ok(found),
            None => store.rows_of_types(&store.types_where(holds)?),
        }
    }
}

/// Rows in the order of their ranks, within each as `by_name` has them. `ranks` goes by row id.
fn deal(by_name: &[u32], ranks: &[u32]) -> Vec<u32> {
    let rank = |row_id: &u32| ranks.get(*row_id as usize).copied().unwrap_or_default() as usize;
    let mut next = vec![0; ranks.iter().max().map_or(0, |rank| *rank as usize) + 2];
    by_name.iter().for_each(|row_id| next[rank(row_id) + 1] += 1);
    for at in 1..next.len() {
        next[at] += next[at - 1];
    }
    let mut dealt = vec![0; by_name.len()];
    for row_id in by_name {
        let place = &mut next[rank(row_id)];
        dealt[*place] = *row_id;
        *place += 1;
    }
    dealt
}

/// The order of the list when it opens.
const FIRST: (Scope, Sort) = (Scope::Connectors, Sort::FIRST);
