//! The reader: keeps the order of each list and reads the rows of its windows.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use super::Reading;
use super::protocol::{ListRequest, Overview, Record, Reply, Request};
use crate::store::{Scope, Store, StoreError};
use crate::vault::Vault;

/// Answers questions about the file.
pub struct Reader {
    store: Store,
    vault: Vault,
    orders: HashMap<Scope, Order>,
    data_version: i64,
}

struct Order {
    generation: u64,
    row_ids: Vec<i64>,
}

impl Reader {
    /// A reader on a connection of its own.
    pub fn new(store: Store, vault: Vault) -> Self {
        let data_version = store.data_version().unwrap_or(0);
        Self { store, vault, orders: HashMap::new(), data_version }
    }

    /// A reader whose running statement stops when the flag is set.
    pub(super) fn interrupted_by(mut self, flag: &Arc<AtomicBool>) -> Self {
        self.store = self.store.cancelled_by(flag);
        self
    }

    /// Answers until the channel closes. Of several waiting questions of one kind only the newest counts.
    pub(super) fn run(mut self, incoming: &Receiver<Request>, reading: &Reading, reply: &impl Fn(Reply)) {
        let mut waiting = VecDeque::new();
        loop {
            if waiting.is_empty() {
                let Ok(request) = incoming.recv() else { return };
                waiting.push_back(request);
            }
            waiting.extend(incoming.try_iter());
            if reading.stopping.load(Ordering::Relaxed) {
                return;
            }
            let Some(request) = waiting.pop_front() else { continue };
            let slot = request.slot();
            if slot.is_some() && waiting.iter().any(|later: &Request| later.slot() == slot) {
                continue;
            }
            reading.interrupt.store(false, Ordering::Relaxed);
            if !self.try_answer(&request, reply) {
                // Interrupted: asked again, unless the newer question is of the same kind.
                waiting.push_front(request);
            }
        }
    }

    /// Answers one question.
    pub fn answer(&mut self, request: &Request, reply: &impl Fn(Reply)) {
        self.try_answer(request, reply);
    }

    /// False when it was interrupted before it had an answer.
    fn try_answer(&mut self, request: &Request, reply: &impl Fn(Reply)) -> bool {
        let answered = match request {
            Request::List(list) => self.list(list),
            Request::Rows { scope, generation, start, len } => self.rows(*scope, *generation, *start, *len),
            Request::Ids { scope, generation, start, len } => self.ids(*scope, *generation, *start, *len),
            Request::Record { id } => self.record(id),
            Request::NextMissing { after } => {
                let after = after.as_ref().map(|(name, id)| (name.as_str(), id.as_str()));
                self.store.next_missing(after).map(|(id, total)| Some(Reply::NextMissing { id, total }))
            }
            Request::Overview => overview(&self.store).map(|counts| Some(Reply::Overview(Box::new(counts)))),
        };
        match answered {
            Ok(Some(answer)) => reply(answer),
            Ok(None) => {}
            Err(StoreError::Cancelled) => return false,
            Err(error) => reply(Reply::ReadFailed(error.to_string())),
        }
        // SQLite tells cheaply that someone else (our writer included) has written.
        if let Ok(version) = self.store.data_version()
            && version != self.data_version
        {
            self.data_version = version;
            reply(Reply::ChangedOnDisk);
        }
        true
    }

    fn record(&self, id: &str) -> Result<Option<Reply>, StoreError> {
        let record = self.store.get(id)?.map(|connector| {
            let secrets = self.vault.state(&connector);
            Box::new(Record { connector, secrets })
        });
        Ok(Some(Reply::Record { id: id.to_owned(), record }))
    }

    fn list(&mut self, list: &ListRequest) -> Result<Option<Reply>, StoreError> {
        self.data_version = self.store.data_version()?;
        let row_ids = self.store.order(list.scope, &list.filter, list.sort)?;
        let total = row_ids.len();
        let kept = match &list.keep {
            Some(id) => self.store.row_id(id)?.and_then(|row_id| row_ids.iter().position(|&found| found == row_id)),
            None => None,
        };
        let cursor = kept.unwrap_or(list.cursor).min(total.saturating_sub(1));
        let start = cursor.saturating_sub(list.window);
        let window = window(&row_ids, start, list.window * 2);
        let rows = self.store.summaries(window)?;
        self.orders.insert(list.scope, Order { generation: list.generation, row_ids });
        Ok(Some(Reply::Listed { scope: list.scope, generation: list.generation, total, cursor, start, rows }))
    }

    fn rows(&self, scope: Scope, generation: u64, start: usize, len: usize) -> Result<Option<Reply>, StoreError> {
        let Some(order) = self.orders.get(&scope).filter(|order| order.generation == generation) else {
            return Ok(None);
        };
        let rows = self.store.summaries(window(&order.row_ids, start, len))?;
        Ok(Some(Reply::Rows { scope, generation, start, rows }))
    }

    fn ids(&self, scope: Scope, generation: u64, start: usize, len: usize) -> Result<Option<Reply>, StoreError> {
        let Some(order) = self.orders.get(&scope).filter(|order| order.generation == generation) else {
            return Ok(None);
        };
        let ids = self.store.ids(window(&order.row_ids, start, len))?;
        Ok(Some(Reply::Ids { scope, ids }))
    }
}

fn window(row_ids: &[i64], start: usize, len: usize) -> &[i64] {
    let start = start.min(row_ids.len());
    let end = start.saturating_add(len).min(row_ids.len());
    row_ids.get(start..end).unwrap_or_default()
}

/// The counts of the header.
pub(super) fn overview(store: &Store) -> Result<Overview, StoreError> {
    let (total, missing_secrets) = store.totals()?;
    Ok(Overview {
        total,
        missing_secrets,
        plan: store.plan_counts()?,
        last_step: store.last_step()?,
        last_run: store.last_run()?,
    })
}
