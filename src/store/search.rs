//! Searching without looking at every record: each term of a filter is a set of rows from an index of SQLite or
//! from the texts in memory, and a list is an order walked through those sets. What a term means is the domain's
//! word ([`Filter::matches`]); a test proves that both say the same.

use std::collections::HashMap;

use rusqlite::{Connection, params_from_iter};

use super::connectors::text;
use super::error::StoreError;
use super::open::Store;
use super::page::{self, Scope, Sort, SortColumn};
use super::row_set::RowSet;
use super::text::TextIndex;
use crate::domain::Catalogue;
use crate::domain::filter::{Filter, Term, Test, fold, is_of_type};

/// Orders and sets that answered earlier questions, for as long as the file stays as it is.
#[derive(Debug, Default)]
pub struct Lists {
    texts: TextIndex,
    orders: HashMap<(Scope, Sort), Vec<i64>>,
    sets: HashMap<Test, RowSet>,
    /// Rows that SQLite does not judge.
    odd: Option<Vec<i64>>,
}

/// Orders that are kept: eight bytes a record each.
const ORDERS: usize = 3;

impl Lists {
    /// Forgets what a change of the file may have made wrong; the texts take a few changes over.
    ///
    /// # Errors
    /// When the file cannot be read; nothing wrong is kept.
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

    /// Reads some more of the texts; false when there was nothing left to read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_more(&mut self, store: &Store) -> Result<bool, StoreError> {
        self.texts.read_more(store)
    }

    /// The whole order of a list is at hand, or can be had at once.
    pub fn has_order(&self, scope: Scope, sort: Sort) -> bool {
        self.orders.contains_key(&(scope, sort)) || self.by_name(scope, sort).is_some()
    }

    /// The row ids of a list, in order.
    ///
    /// # Errors
    /// When the file cannot be read or the search was stopped.
    pub fn order(&mut self, store: &Store, scope: Scope, filter: &Filter, sort: Sort) -> Result<Vec<i64>, StoreError> {
        // What has become of each change is asked record by record.
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
        let odd = if filter.is_empty() { RowSet::default() } else { self.odd_matching(store, filter)? };
        let odd_rows: RowSet = self.odd.iter().flatten().copied().collect();
        let terms: Vec<(&Term, &RowSet)> =
            filter.terms().iter().filter_map(|term| Some((term, self.sets.get(&term.test)?))).collect();
        let passes = |row_id: i64| {
            if odd_rows.contains(row_id) {
                return odd.contains(row_id);
            }
            terms.iter().all(|(term, set)| set.contains(row_id) != term.negated)
        };
        let passes = |row_id: &i64| filter.is_empty() || passes(*row_id);
        Ok(match self.by_name(scope, sort) {
            Some(by_name) => by_name.iter().copied().map(i64::from).filter(passes).collect(),
            None => self.base(scope, sort).iter().copied().filter(passes).collect(),
        })
    }

    /// The order of the names in memory, where that is what is asked for.
    fn by_name(&self, scope: Scope, sort: Sort) -> Option<&[u32]> {
        self.texts.by_name().filter(|_| (scope, sort) == FIRST)
    }

    /// Another order of a list without a filter, which [`Lists::sort`] has found.
    fn base(&self, scope: Scope, sort: Sort) -> &[i64] {
        self.orders.get(&(scope, sort)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Finds the order of a list without a filter.
    fn sort(&mut self, store: &Store, scope: Scope, sort: Sort) -> Result<(), StoreError> {
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
    fn by_column(&mut self, store: &Store, sort: Sort) -> Result<Vec<i64>, StoreError> {
        self.read_names(store)?;
        let Some(by_name) = self.texts.by_name() else {
            return store.order(Scope::Connectors, &Filter::default(), sort);
        };
        let mut order: Vec<i64> = match sort.column {
            SortColumn::Name | SortColumn::Updated => by_name.iter().copied().map(i64::from).collect(),
            SortColumn::Type => deal(by_name, &store.row_ids_by("connector_type_id")?),
            SortColumn::AuthType => deal(by_name, &store.row_ids_by("auth_type")?),
            SortColumn::AuthMode => deal(by_name, &store.row_ids_by("auth_mode")?),
        };
        if sort.descending {
            order.reverse();
        }
        Ok(order)
    }

    fn read_names(&mut self, store: &Store) -> Result<(), StoreError> {
        while self.texts.by_name().is_none() && self.texts.read_more(store)? {}
        Ok(())
    }

    /// The plan, group by group, each in the order of the whole list; last what SQLite does not judge.
    fn plan_order(&mut self, store: &Store, sort: Sort) -> Result<Vec<i64>, StoreError> {
        if sort == Sort::FIRST {
            self.read_names(store)?;
        }
        self.sort(store, Scope::Connectors, sort)?;
        let mut order = Vec::new();
        for group in page::PLAN_GROUPS {
            let rows: RowSet = store.rows_of_group(group)?.into_iter().collect();
            match self.by_name(Scope::Connectors, sort) {
                Some(all) => order.extend(all.iter().copied().map(i64::from).filter(|row_id| rows.contains(*row_id))),
                None => {
                    let all = self.base(Scope::Connectors, sort);
                    order.extend(all.iter().copied().filter(|row_id| rows.contains(*row_id)));
                }
            }
        }
        Ok(order)
    }

    /// Fills the set of a test in.
    fn find(&mut self, store: &Store, test: &Test) -> Result<(), StoreError> {
        if self.sets.contains_key(test) {
            return Ok(());
        }
        let set = match test {
            Test::Text(wanted) => {
                while self.texts.read_more(store)? {}
                let mut set = self.texts.find(wanted);
                let types = store.types_where(|id| fold(id).contains(wanted))?;
                store.rows_of_types(&types)?.into_iter().for_each(|row_id| set.insert(row_id));
                set
            }
            Test::Type(wanted) => {
                let types = store.types_where(|id| is_of_type(id, wanted))?;
                store.rows_of_types(&types)?.into_iter().collect()
            }
            Test::UnknownType => {
                let types = store.types_where(|id| Catalogue::current().get(id).is_none())?;
                store.rows_of_types(&types)?.into_iter().collect()
            }
            test => store.rows_of(test)?.into_iter().collect(),
        };
        self.sets.insert(test.clone(), set);
        Ok(())
    }

    /// Of the rows that SQLite does not judge, those that the domain lets through.
    fn odd_matching(&mut self, store: &Store, filter: &Filter) -> Result<RowSet, StoreError> {
        if self.odd.is_none() {
            self.odd = Some(store.odd_rows()?);
        }
        let odd = self.odd.as_deref().unwrap_or_default();
        let summaries = store.summaries(odd)?;
        let passing =
            odd.iter().zip(summaries).filter(|(_, found)| found.as_ref().is_some_and(|row| filter.matches(row)));
        Ok(passing.map(|(row_id, _)| *row_id).collect())
    }
}

/// Rows in the order of `groups`, within each as `by_name` has them.
fn deal(by_name: &[u32], groups: &[Vec<i64>]) -> Vec<i64> {
    let largest = by_name.iter().max().map_or(0, |row_id| *row_id as usize);
    let mut group_of = vec![0_u32; largest + 1];
    for (number, rows) in (0..).zip(groups) {
        for row_id in rows {
            if let Some(group) = usize::try_from(*row_id).ok().and_then(|row_id| group_of.get_mut(row_id)) {
                *group = number;
            }
        }
    }
    let mut dealt: Vec<Vec<i64>> = groups.iter().map(|rows| Vec::with_capacity(rows.len())).collect();
    for row_id in by_name {
        let group = group_of.get(*row_id as usize).copied().unwrap_or_default();
        if let Some(rows) = dealt.get_mut(group as usize) {
            rows.push(i64::from(*row_id));
        }
    }
    dealt.concat()
}

/// What tells whether the names and ids may have changed: what other programs did, and the newest step of the
/// history that was about more than auth modes and model versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextState {
    foreign: Option<String>,
    step: Option<i64>,
}

/// Which names and ids have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextChanges {
    /// None.
    None,
    /// At most those of these records.
    Of(Vec<String>),
    /// Many, or nobody knows.
    Many,
}

/// More changed records than this are not taken over one by one.
const FEW: usize = 64;

/// The order of the list when it opens.
const FIRST: (Scope, Sort) = (Scope::Connectors, Sort::FIRST);

impl Store {
    /// See [`TextState`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn text_state(&self) -> Result<TextState, StoreError> {
        self.run("looking for changes", |connection| {
            use rusqlite::OptionalExtension;
            let foreign = connection
                .prepare_cached("SELECT value FROM settings WHERE name = 'foreign_changes'")?
                .query_row([], |row| row.get(0))
                .optional()?;
            let step = connection
                .prepare_cached(&format!("SELECT step FROM history WHERE {TEXT_KINDS} ORDER BY step DESC LIMIT 1"))?
                .query_row([], |row| row.get(0))
                .optional()?;
            Ok(TextState { foreign, step })
        })
    }

    /// The names and ids that changed after a state.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn text_changes(&self, before: &TextState, now: &TextState) -> Result<TextChanges, StoreError> {
        if before == now {
            return Ok(TextChanges::None);
        }
        if before.foreign != now.foreign || now.step < before.step {
            return Ok(TextChanges::Many);
        }
        self.run("looking for changes", |connection| {
            let ids: Vec<String> = connection
                .prepare_cached(&format!(
                    "SELECT DISTINCT c.connector_id FROM history AS h CROSS JOIN history_changes AS c ON c.step = h.step
                     WHERE h.step > ?1 AND {TEXT_KINDS} LIMIT {}",
                    FEW + 1
                ))?
                .query_map([before.step.unwrap_or(0)], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            Ok(if ids.len() > FEW { TextChanges::Many } else { TextChanges::Of(ids) })
        })
    }

    /// The first rows of a list without a filter, where an index gives them in order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn first_rows(&self, scope: Scope, sort: Sort, len: usize) -> Result<Option<Vec<i64>>, StoreError> {
        if scope != Scope::Connectors || !matches!(sort.column, SortColumn::Name | SortColumn::Updated) {
            return Ok(None);
        }
        self.row_ids(&format!("SELECT rowid FROM connectors ORDER BY {} LIMIT {len}", sort.sql()), &[]).map(Some)
    }

    /// How many rows the list of all connectors has.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn count_rows(&self) -> Result<usize, StoreError> {
        self.run("counting the connectors", |connection| {
            connection
                .prepare_cached("SELECT count(*) FROM connectors")?
                .query_row([], |row| super::connectors::count(row, 0))
                .map(|count| usize::try_from(count).unwrap_or(usize::MAX))
        })
    }

    fn row_ids(&self, sql: &str, values: &[String]) -> Result<Vec<i64>, StoreError> {
        self.run("searching the connectors", |connection| {
            connection.prepare_cached(sql)?.query_map(params_from_iter(values), |row| row.get(0))?.collect()
        })
    }

    /// The rows that an index finds for a test of a column.
    fn rows_of(&self, test: &Test) -> Result<Vec<i64>, StoreError> {
        let select = |condition: &str| format!("SELECT rowid FROM connectors WHERE {condition}");
        match test {
            Test::AuthMode(Some(mode)) => self.row_ids(&select("auth_mode = ?1"), &[mode.as_str().to_owned()]),
            Test::AuthMode(None) => self.row_ids(&select("auth_mode IS NULL"), &[]),
            Test::AuthType(None) => self.row_ids(&select("auth_type IS NULL"), &[]),
            Test::AuthType(Some(wanted)) => {
                let found = self.distinct("auth_type", |auth_type| fold(auth_type).contains(wanted))?;
                self.row_ids(&select(&format!("auth_type IN ({})", marks(found.len()))), &found)
            }
            Test::NeedsMigration => self.row_ids(&select("migration_group IS NOT NULL"), &[]),
            Test::InGroup(group) => self.rows_of_group(group.as_str()),
            Test::MissingSecrets => self.row_ids(&select("is_missing_secrets <> 0"), &[]),
            Test::Deprecated => {
                let types = self.types_where(|id| Catalogue::current().is_deprecated(id, false))?;
                let mut rows = self.rows_of_types(&types)?;
                // The rest of the types that can be used in a deprecated way is named by the column itself.
                let in_use = "connector_type_id IN ('.servicenow', '.servicenow-sir') AND is_deprecated_use <> 0";
                rows.extend(self.row_ids(&select(in_use), &[])?);
                Ok(rows)
            }
            Test::Malformed => self.row_ids(&select("(is_malformed <> 0 OR is_odd <> 0) AND is_malformed <> 0"), &[]),
            Test::Text(_) | Test::Type(_) | Test::UnknownType | Test::Change(_) => Ok(Vec::new()),
        }
    }

    fn odd_rows(&self) -> Result<Vec<i64>, StoreError> {
        self.row_ids("SELECT rowid FROM connectors WHERE (is_malformed <> 0 OR is_odd <> 0) AND is_odd <> 0", &[])
    }

    fn rows_of_types(&self, types: &[String]) -> Result<Vec<i64>, StoreError> {
        let sql = format!("SELECT rowid FROM connectors WHERE connector_type_id IN ({})", marks(types.len()));
        self.row_ids(&sql, types)
    }

    fn rows_of_group(&self, group: &str) -> Result<Vec<i64>, StoreError> {
        self.row_ids("SELECT rowid FROM connectors WHERE migration_group = ?1", &[group.to_owned()])
    }

    /// The rows of each value of an indexed column, the values in order, none first.
    fn row_ids_by(&self, column: &str) -> Result<Vec<Vec<i64>>, StoreError> {
        self.run("sorting the connectors", |connection| {
            let mut statement = connection
                .prepare_cached(&format!("SELECT {column}, rowid FROM connectors ORDER BY {column}, rowid"))?;
            let mut rows = statement.query([])?;
            let (mut groups, mut last): (Vec<Vec<i64>>, Option<Option<Vec<u8>>>) = (Vec::new(), None);
            while let Some(row) = rows.next()? {
                let value = row.get_ref(0)?.as_bytes_or_null().unwrap_or_default();
                if last.as_ref().map(Option::as_deref) != Some(value) {
                    last = Some(value.map(<[u8]>::to_vec));
                    groups.push(Vec::new());
                }
                if let Some(group) = groups.last_mut() {
                    group.push(row.get(1)?);
                }
            }
            Ok(groups)
        })
    }

    fn types_where(&self, holds: impl Fn(&str) -> bool) -> Result<Vec<String>, StoreError> {
        self.distinct("connector_type_id", holds)
    }

    /// The values of an indexed column for which something holds, found by jumping from one to the next.
    fn distinct(&self, column: &str, holds: impl Fn(&str) -> bool) -> Result<Vec<String>, StoreError> {
        self.run("searching the connectors", |connection| {
            let mut found = Vec::new();
            let mut last = next_value(connection, column, None)?;
            while let Some(value) = last {
                last = next_value(connection, column, Some(&value))?;
                if holds(&value) {
                    found.push(value);
                }
            }
            Ok(found)
        })
    }
}

fn next_value(connection: &Connection, column: &str, after: Option<&str>) -> rusqlite::Result<Option<String>> {
    use rusqlite::OptionalExtension;
    let condition = if after.is_some() { format!("{column} > ?1") } else { format!("{column} IS NOT NULL") };
    let sql = format!("SELECT {column} FROM connectors WHERE {condition} ORDER BY {column} LIMIT 1");
    connection
        .prepare_cached(&sql)?
        .query_row(params_from_iter(after), |row| text(row, 0))
        .optional()
        .map(Option::flatten)
}

/// Steps that may have changed a name or an id; taking a run back changes none either.
const TEXT_KINDS: &str = "kind NOT IN ('auth mode', 'migration', 'rollback')";

/// `?,?,?` for so many values.
fn marks(count: usize) -> String {
    vec!["?"; count].join(",")
}
