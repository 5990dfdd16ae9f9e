//! The reader: keeps the order of each list and reads the rows of its windows.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use super::ReaderControl;
use super::{ListQuery, Overview, Query, Record, Reply, SyncView};
use crate::domain::remote::PushOptions;
use crate::domain::{Filter, Remote, Summary};
use crate::fs::paths;
use crate::service::keys::find_unreadable_keys;
use crate::service::remote;
use crate::service::remote::{Report, SyncError};
use crate::store::{self, LATEST_SCHEMA, Lists, RowIds, Scope, Sort, Store, StoreError, TextState};
use crate::vault::Vault;

/// Answers questions about the file.
pub struct Reader {
    store: Store,
    vault: Vault,
    orders: HashMap<Scope, Order>,
    lists: Lists,
    text_state: TextState,
    data_version: i64,
    /// The list whose first page was given before its rows were counted.
    uncounted: Option<Scope>,
    /// The file had an older schema when it was opened read-only.
    is_older: bool,
    /// The default remote, with which the rows of the list are compared.
    remote: Option<Remote>,
    /// The file is not at its path any more, which has been reported.
    is_displaced: bool,
}

/// The number of steps in the history screen; older ones are available on the command line.
const STEPS: usize = 10_000;

/// From this number of rows on, scanning all ids is faster than looking each up.
const FULL_SCAN_FROM: usize = 10_000;

/// Steps that are shown with one record.
const STEPS_OF_A_RECORD: usize = 20;

/// The rows of a list in order. Records of a step that no longer exist have no row id; they come last.
#[derive(Default)]
struct Order {
    generation: u64,
    row_ids: RowIds,
    gone: Vec<String>,
    /// Only the first page was read, with this order.
    first_page_of: Option<Sort>,
}

impl Order {
    fn is_first_page(&self) -> bool {
        self.first_page_of.is_some()
    }

    fn len(&self) -> usize {
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
    /// Creates a reader with its own connection.
    pub fn new(mut store: Store, vault: Vault) -> Self {
        // A failure is reported when the list is read.
        let _ = find_unreadable_keys(&vault, &mut store);
        let data_version = store.data_version().unwrap_or(0);
        let is_older = store.schema_version().is_ok_and(|schema| schema < LATEST_SCHEMA);
        let text_state = store.text_state().unwrap_or_default();
        let (orders, lists) = (HashMap::new(), Lists::default());
        let remote = remote::remote_of(&store, None).ok();
        Self {
            store,
            vault,
            orders,
            lists,
            text_state,
            data_version,
            uncounted: None,
            is_older,
            remote,
            is_displaced: false,
        }
    }

    /// A reader whose running statement stops when the flag is set.
    pub(super) fn interrupted_by(mut self, flag: &Arc<AtomicBool>) -> Self {
        self.store = self.store.cancelled_by(flag);
        self
    }

    /// Answers until the channel closes. Of several waiting questions of one kind only the newest counts.
    pub(super) fn run(mut self, incoming: &Receiver<Query>, reading: &ReaderControl, reply: &impl Fn(Reply)) {
        let mut waiting = VecDeque::new();
        loop {
            waiting.extend(incoming.try_iter());
            if waiting.is_empty() && !reading.stopping.load(Ordering::Relaxed) {
                reading.interrupt.store(false, Ordering::Relaxed);
                if self.read_ahead(reply) {
                    continue;
                }
                let Ok(request) = incoming.recv() else { return };
                waiting.push_back(request);
                waiting.extend(incoming.try_iter());
            }
            if reading.stopping.load(Ordering::Relaxed) {
                return;
            }
            let Some(request) = waiting.pop_front() else { continue };
            if waiting.iter().any(|later: &Query| later.supersedes(&request)) {
                continue;
            }
            reading.interrupt.store(false, Ordering::Relaxed);
            if !self.try_answer(&request, reply) {
                // Interrupted: run again after the queries that came in the meantime, which are shorter more often than
                // not.
                waiting.push_back(request);
            }
        }
    }

    /// Does a part of the likely next query while none waits; false when nothing is left to do. A failure is reported
    /// by the query itself.
    fn read_ahead(&mut self, reply: &impl Fn(Reply)) -> bool {
        if self.is_older {
            return false;
        }
        if let Some(scope) = self.uncounted {
            return match self.store.count_rows() {
                Ok(total) => {
                    self.uncounted = None;
                    if let Some(order) = self.orders.get(&scope) {
                        reply(Reply::Counted { scope, generation: order.generation, total });
                    }
                    true
                }
                Err(error) => matches!(error, StoreError::Cancelled),
            };
        }
        if let Some(scope) = self.orders.iter().find(|(_, order)| order.is_first_page()).map(|(scope, _)| *scope) {
            return match self.complete(scope) {
                Ok(()) => true,
                Err(error) => matches!(error, StoreError::Cancelled),
            };
        }
        match self.lists.read_more(&self.store) {
            Ok(more) => more,
            Err(error) => matches!(error, StoreError::Cancelled),
        }
    }

    /// Answers one query and sends what results from it.
    pub fn answer(&mut self, request: &Query, reply: &impl Fn(Reply)) {
        self.try_answer(request, reply);
        while self.read_ahead(reply) {}
    }

    /// False when it was interrupted before it had an answer.
    fn try_answer(&mut self, request: &Query, reply: &impl Fn(Reply)) -> bool {
        let answered = match request {
            Query::List(list) => self.list(list),
            Query::Rows { scope, generation, start, len } => self.rows(*scope, *generation, *start, *len),
            Query::Ids { scope, generation, start, len } => self.ids(*scope, *generation, *start, *len),
            Query::Record { id, .. } => self.record(id),
            Query::NextMissing { after } => {
                let after = after.as_ref().map(|(name, id)| (name.as_str(), id.as_str()));
                self.store.next_missing(after).map(|(id, total)| Some(Reply::NextMissing { id, total }))
            }
            Query::Steps => self.store.steps(None, STEPS).map(|steps| Some(Reply::Steps(steps))),
            Query::Change { step, id } => self
                .store
                .change(*step, id)
                .map(|change| Some(Reply::Change { step: *step, id: id.clone(), change: change.map(Box::new) })),
            Query::Compare { one, other } => self.compared(one, other).map(Some),
            Query::CompareBefore { step, id } => self.compared_before(*step, id).map(Some),
            Query::Statistics => self.store.statistics().map(|statistics| Some(Reply::Statistics(statistics))),
            Query::Backups => store::backups_of(self.store.path()).map(|backups| Some(Reply::Backups(backups))),
            Query::Folder(folder) => {
                let entries = paths::entries(&paths::expand_home(folder));
                Ok(Some(Reply::Folder(folder.clone(), entries)))
            }
            Query::Sync(options) => self.synced(*options).map(Some),
            // A check for changes follows every answer.
            Query::CheckForChanges => Ok(None),
            Query::Forget => self.forget().map(|()| None),
            Query::Overview => overview(&self.store).map(|counts| Some(Reply::Overview(Box::new(counts)))),
        };
        match answered {
            Ok(Some(answer)) => reply(answer),
            Ok(None) => {}
            Err(StoreError::Cancelled) => return false,
            Err(error) => reply(match self.store.schema_version() {
                Ok(schema) if schema < LATEST_SCHEMA && !self.is_older => Reply::OlderSchema(schema),
                _ => Reply::ReadFailed(error.to_string()),
            }),
        }
        self.report_displaced(reply);
        // SQLite reports cheaply whether another connection (the writer included) has written.
        if self.check_for_changes().unwrap_or(false) {
            reply(Reply::ChangedOnDisk);
        }
        true
    }

    /// Reports once that the file was deleted, moved or replaced.
    fn report_displaced(&mut self, reply: &impl Fn(Reply)) {
        let place = self.store.check_location();
        let was_displaced = std::mem::replace(&mut self.is_displaced, place.is_err());
        if let (Err(error), false) = (place, was_displaced) {
            let is_replaced = matches!(error, StoreError::AnotherFile(_));
            reply(Reply::Displaced { reason: error.to_string(), is_replaced });
        }
    }

    /// Drops the data in memory.
    fn forget(&mut self) -> Result<(), StoreError> {
        self.lists = Lists::default();
        self.text_state = self.store.text_state()?;
        find_unreadable_keys(&self.vault, &mut self.store)?;
        self.store.read_reported_types()?;
        self.remote = remote::remote_of(&self.store, None).ok();
        Ok(())
    }

    fn record(&self, id: &str) -> Result<Option<Reply>, StoreError> {
        let Some(connector) = self.store.get(id)? else {
            return Ok(Some(Reply::Record { id: id.to_owned(), record: None }));
        };
        let secrets = self.vault.state(&connector);
        let history = self.store.history_of(id, STEPS_OF_A_RECORD)?;
        let record = Some(Box::new(Record {
            reported_type: self
                .store
                .reported_types()
                .name(&connector.connector_type_id, self.store.catalogue())
                .map(str::to_owned),
            connector,
            secrets,
            history,
        }));
        Ok(Some(Reply::Record { id: id.to_owned(), record }))
    }

    fn list(&mut self, list: &ListQuery) -> Result<Option<Reply>, StoreError> {
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

    /// Drops stale data if any other connection (the writer included) has written.
    fn check_for_changes(&mut self) -> Result<bool, StoreError> {
        let version = self.store.data_version()?;
        if version == self.data_version {
            return Ok(false);
        }
        self.data_version = version;
        self.store.derive()?;
        self.remote = remote::remote_of(&self.store, None).ok();
        find_unreadable_keys(&self.vault, &mut self.store)?;
        self.store.read_reported_types()?;
        let state = self.store.text_state()?;
        let changes = self.store.text_changes(&self.text_state, &state)?;
        self.text_state = state;
        self.lists.forget(&self.store, &changes)?;
        Ok(true)
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
    fn complete(&mut self, scope: Scope) -> Result<(), StoreError> {
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

    fn synced(&self, options: PushOptions) -> Result<Reply, StoreError> {
        let Some(remote) = self.remote.clone() else {
            return Ok(Reply::Synced(Box::new(SyncView { remote: None, report: Report::default() })));
        };
        match remote::report(&self.store, &self.vault, &remote, options, &|_| true, &mut |_, _| true) {
            Ok(report) => Ok(Reply::Synced(Box::new(SyncView { remote: Some(remote), report }))),
            Err(SyncError::Store(error)) => Err(error),
            Err(error) => Ok(Reply::ReadFailed(error.to_string())),
        }
    }

    /// A record that is not in the file any more, as a step left or found it.
    fn of_step(&self, step: i64, id: &str) -> Result<Option<Summary>, StoreError> {
        Ok(self.store.change(step, id)?.map(|change| change.summary(self.store.catalogue())))
    }

    fn rows(&mut self, scope: Scope, generation: u64, start: usize, len: usize) -> Result<Option<Reply>, StoreError> {
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

    fn ids(&mut self, scope: Scope, generation: u64, start: usize, len: usize) -> Result<Option<Reply>, StoreError> {
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

/// The counts of the header.
impl Reader {
    fn compared(&self, one: &str, other: &str) -> Result<Reply, StoreError> {
        let (one, mut other) = (self.store.get(one)?, self.store.get(other)?);
        // Two encrypted values always differ, whatever their content.
        if let (Some(one), Some(other)) = (&one, &mut other)
            && one.secrets.is_some()
            && other.secrets.is_some()
        {
            other.secrets.clone_from(&one.secrets);
        }
        let pair =
            one.zip(other).map(|(one, other)| Box::new([one, other].map(|record| (record.name.clone(), record))));
        Ok(Reply::Compared(pair))
    }

    fn compared_before(&self, step: i64, id: &str) -> Result<Reply, StoreError> {
        let sides = self.store.change(step, id)?.and_then(|change| change.before.zip(change.now));
        Ok(Reply::Compared(
            sides.map(|(before, now)| Box::new([(format!("before step {step}"), before), ("now".to_owned(), now)])),
        ))
    }
}

pub(super) fn overview(store: &Store) -> Result<Overview, StoreError> {
    let (total, missing_secrets) = store.totals()?;
    Ok(Overview {
        total,
        missing_secrets,
        unreadable_secrets: store.count_unreadable_secrets()?,
        reported_types: store.reported_types().clone(),
        plan: store.plan_counts()?,
        last_step: store.last_step()?,
        next_redo: store.next_redo()?,
        last_run: store.last_run()?,
        interrupted_run: store.interrupted_run()?,
        remote: remote::remote_of(store, None).ok().map(|remote| remote.name),
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::demo::{Demo, keys_of};
    use crate::domain::Catalogue;

    /// The first page comes before its rows are counted; a filter that comes in between has its own count.
    #[test]
    fn late_count_is_not_used_for_a_newer_filter() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("demo.db");
        Demo::create(Some(&path), Catalogue::built_in())?.finish();
        let store = Store::open(&path, &Arc::default(), &mut |_| Ok(()))?.0;
        let mut reader = Reader::new(store.reader()?, Vault::new(keys_of(&path)));
        let replies = RefCell::new(Vec::new());
        let reply = |answer| replies.borrow_mut().push(answer);
        let list = |generation, filter: &str| -> Result<Query, String> {
            let (scope, sort) = (Scope::Connectors, Sort::default());
            let filter = Filter::parse(filter)?;
            Ok(Query::List(ListQuery { scope, generation, filter, sort, keep: None, cursor: 0, window: 10 }))
        };
        reader.try_answer(&list(1, "")?, &reply);
        reader.try_answer(&list(2, "type:jira")?, &reply);
        while reader.read_ahead(&reply) {}
        let replies = replies.into_inner();
        let listed = replies.iter().filter(|reply| matches!(reply, Reply::Listed { .. })).count();
        let counted = replies.iter().any(|reply| matches!(reply, Reply::Counted { .. }));
        assert_eq!((listed, counted), (2, false));
        Ok(())
    }
}
