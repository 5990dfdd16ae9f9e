//! What is loaded about the row with the cursor, for the panel of a list.

use super::list::PagedList;

/// What is known of the row with the cursor, once loaded.
#[derive(Debug)]
pub struct Preview<T> {
    /// Id and revision of the row that was requested.
    requested: Option<(String, i64)>,
    /// The id of a row, and what there is of it.
    loaded: Option<(String, Option<T>)>,
}

impl<T> Default for Preview<T> {
    fn default() -> Self {
        Self { requested: None, loaded: None }
    }
}

impl<T> Preview<T> {
    /// Returns what is loaded.
    pub fn get(&self) -> Option<&T> {
        self.loaded.as_ref().and_then(|(_, loaded)| loaded.as_ref())
    }

    /// Returns whether the reply about the row with the cursor has come.
    pub fn is_of_current(&self, list: &PagedList) -> bool {
        list.current().map(|row| &row.id) == self.loaded.as_ref().map(|(id, _)| id)
    }

    /// Returns the id of the row with the cursor, to be requested, if that is another one or was changed.
    pub fn follow(&mut self, list: &PagedList) -> Option<String> {
        let wanted = list.current().map(|row| (row.id.clone(), row.revision));
        if wanted == self.requested {
            return None;
        }
        self.requested = wanted;
        self.loaded.take_if(|(id, _)| list.current().is_none_or(|row| row.id != *id));
        list.current().map(|row| row.id.clone())
    }

    /// Requests the row again with the next [`Preview::follow`]. A push changes the history of a record and not its
    /// revision.
    pub fn forget(&mut self) {
        self.requested = None;
    }

    /// Keeps the reply about a row, if it was requested.
    pub fn set(&mut self, id: &str, reply: Option<T>) {
        if self.requested.as_ref().is_some_and(|(wanted, _)| wanted == id) {
            self.loaded = Some((id.to_owned(), reply));
        }
    }
}
