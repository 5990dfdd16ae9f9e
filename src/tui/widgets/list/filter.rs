//! The filter of a paged list: typed, pasted, set and cleared.

use crossterm::event::KeyCode;

use super::PagedList;
use crate::domain::{Filter, filter};
use crate::store::Scope;
use crate::tui::keymap::{Action, Key};
use crate::tui::widgets::input::{TextInput, TooLong};
use crate::worker::Query;

impl PagedList {
    /// Returns the error of the filter being typed, or a possible mistake in it.
    pub fn filter_error(&self) -> Option<&str> {
        self.filter_error.as_deref().filter(|_| self.typing).or(self.filter_warning.as_deref())
    }

    /// Returns whether the filter as typed can be used.
    pub fn has_valid_filter(&self) -> bool {
        self.filter_error.is_none()
    }

    /// The filter in force.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Is a filter in force?
    pub fn is_filtered(&self) -> bool {
        !self.filter_text.text().trim().is_empty()
    }

    /// Handles a key while the filter is typed.
    pub fn on_filter_key(&mut self, key: Key, action: Option<Action>) -> Vec<Query> {
        let query = match (action, key.code) {
            (Some(Action::Back), _) => self.clear_filter(),
            (Some(Action::Confirm), _) => {
                self.typing = false;
                None
            }
            // The list can be walked while the filter is typed.
            (_, KeyCode::Down) => return self.act(Action::Down).unwrap_or_default(),
            (_, KeyCode::Up) => return self.act(Action::Up).unwrap_or_default(),
            _ => self.type_filter(key),
        };
        query.into_iter().collect()
    }

    /// Handles a key in the filter line; the list follows each key.
    fn type_filter(&mut self, key: Key) -> Option<Query> {
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

    /// Sets the filter before the first request. One that cannot be used stays as typed, with its error.
    pub fn set_filter(&mut self, text: &str) {
        self.filter_text = TextInput::new(text);
        self.parse_filter();
    }

    /// Filters by a text that another part of the program chose.
    pub fn filter_by(&mut self, text: &str) -> Option<Query> {
        self.filter_text = TextInput::new(text);
        self.search()
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
        self.parse_filter().then(|| self.reload())
    }

    fn parse_filter(&mut self) -> bool {
        self.filter_warning = filter::unknown_keys(self.filter_text.text());
        // One after the other: an open quote of the one must not reach into the other.
        let parsed =
            Filter::parse(self.filter_text.text()).and_then(|typed| Ok(typed.and(Filter::parse(self.condition)?)));
        let is_step = matches!(self.scope(), Scope::Step(_));
        match if is_step { parsed } else { parsed.and_then(Filter::of_connectors) } {
            Ok(filter) => {
                self.filter_error = None;
                self.filter = filter;
                true
            }
            Err(reason) => {
                self.filter_error = Some(reason);
                false
            }
        }
    }
}
