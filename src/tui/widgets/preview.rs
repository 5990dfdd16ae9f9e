//! The record of the row with the cursor, for the panel of a list.

use super::list::PagedList;
use crate::worker::{Query, Record, Reply};

/// The record, once loaded.
#[derive(Debug, Default)]
pub struct Preview {
    /// Id and revision of the row whose record was requested.
    requested: Option<(String, i64)>,
    record: Option<Record>,
}

impl Preview {
    /// Returns the record.
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// Requests the record of the row with the cursor, if that is another one or was changed.
    pub fn follow(&mut self, list: &PagedList) -> Option<Query> {
        let wanted = list.current().map(|row| (row.id.clone(), row.revision));
        if wanted == self.requested {
            return None;
        }
        if self.record.as_ref().map(|record| &record.connector.id) != wanted.as_ref().map(|(id, _)| id) {
            self.record = None;
        }
        self.requested = wanted.clone();
        wanted.map(|(id, _)| Query::Record { id, preview_of: Some(list.scope()) })
    }

    /// Requests the record again with the next [`Preview::follow`]. A push changes the history of a record and not its
    /// revision.
    pub fn forget(&mut self) {
        self.requested = None;
    }

    /// Keeps the record, if it is the requested one.
    pub fn on_reply(&mut self, reply: &Reply) {
        if let Reply::Record { id, record } = reply
            && self.requested.as_ref().is_some_and(|(wanted, _)| wanted == id)
        {
            self.record = record.as_deref().cloned();
        }
    }
}
