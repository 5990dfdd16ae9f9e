//! The reader: keeps the order of each list and reads the rows of its windows.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use super::ReaderControl;
use super::lists::Order;
use super::{Overview, Query, Record, Reply, SyncView};
use crate::domain::Remote;
use crate::domain::remote::PushOptions;
use crate::fs::paths;
use crate::service::keys::find_unreadable_keys;
use crate::service::remote;
use crate::service::remote::{Report, SyncError};
use crate::store::{self, LATEST_SCHEMA, Lists, Scope, Store, StoreError, TextState};
use crate::vault::Vault;

/// Answers questions about the file.
pub struct Reader {
    pub(super) store: Store,
    pub(super) vault: Vault,
    pub(super) orders: HashMap<Scope, Order>,
    pub(super) lists: Lists,
    text_state: TextState,
    data_version: i64,
    /// The list whose first page was given before its rows were counted.
    pub(super) uncounted: Option<Scope>,
    /// The file had an older schema when it was opened read-only.
    pub(super) is_older: bool,
    /// The default remote, with which the rows of the list are compared.
    pub(super) remote: Option<Remote>,
    /// The file is not at its path any more, which has been reported.
    is_displaced: bool,
}

/// The number of steps in the history screen; older ones are available on the command line.
const STEPS: usize = 10_000;

/// Steps that are shown with one record.
const STEPS_OF_A_RECORD: usize = 20;

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
            Query::Step(step) => self.store.step(*step).map(|step| step.map(|step| Reply::Step(Box::new(step)))),
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

    /// Drops stale data if any other connection (the writer included) has written.
    pub(super) fn check_for_changes(&mut self) -> Result<bool, StoreError> {
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
    use crate::domain::Filter;
    use crate::store::Sort;
    use crate::worker::ListQuery;

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
