//! The stack of screens.

use crate::tui::context::Context;
use crate::tui::screens::{Route, Screen, screen};
use crate::worker::Query;

/// The open screens: the last one has the focus, the first one always stays.
#[derive(Debug)]
pub(super) struct Screens {
    first: Box<dyn Screen>,
    above: Vec<Box<dyn Screen>>,
    /// Screens that were left, and keep their state for the next time.
    kept: Vec<Box<dyn Screen>>,
    /// Counts the changes of the focused screen.
    changes: u64,
}

impl Screens {
    /// Returns a stack with this screen.
    pub(super) fn new(route: Route, cx: &Context) -> Self {
        Self { first: screen(route, cx), above: Vec::new(), kept: Vec::new(), changes: 0 }
    }

    pub(super) fn top(&self) -> &dyn Screen {
        self.above.last().unwrap_or(&self.first).as_ref()
    }

    pub(super) fn top_mut(&mut self) -> &mut dyn Screen {
        self.above.last_mut().unwrap_or(&mut self.first).as_mut()
    }

    pub(super) fn first(&self) -> &dyn Screen {
        self.first.as_ref()
    }

    /// Returns a number that differs whenever another screen has got the focus.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn depth(&self) -> usize {
        self.above.len()
    }

    /// Returns the open screens, the focused one last.
    pub(super) fn open(&self) -> impl Iterator<Item = &dyn Screen> {
        std::iter::once(&self.first).chain(&self.above).map(Box::as_ref)
    }

    /// Returns the open screens, the focused one last.
    pub(super) fn open_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Box<dyn Screen>> {
        std::iter::once(&mut self.first).chain(&mut self.above)
    }

    /// Returns all screens, those that were left and kept first.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Box<dyn Screen>> {
        self.kept.iter_mut().chain(std::iter::once(&mut self.first)).chain(&mut self.above)
    }

    /// Opens the screen of a route, and returns its queries.
    pub(super) fn open_route(&mut self, route: Route, cx: &Context) -> Vec<Query> {
        self.push(screen(route, cx), cx)
    }

    /// Opens a screen, and returns its queries. The rows of a list go to one screen only: a screen on the same list that
    /// is open or was kept takes the place of the new one, with its filter if that has one.
    pub(super) fn push(&mut self, opened: Box<dyn Screen>, cx: &Context) -> Vec<Query> {
        let scope = opened.list().map(|list| list.scope());
        let is_same = |other: &dyn Screen| scope.is_some() && other.list().map(|list| list.scope()) == scope;
        let others = self.above.extract_if(.., |other| is_same(other.as_ref()));
        let others: Vec<_> = others.chain(self.kept.extract_if(.., |other| is_same(other.as_ref()))).collect();
        let mut other = others.into_iter().next();
        if let (Some(list), Some(new)) = (other.as_mut().and_then(|other| other.list_mut()), opened.list())
            && new.is_filtered()
        {
            list.set_filter(new.filter_text.text());
        }
        self.above.push(other.unwrap_or(opened));
        self.changes += 1;
        fit(self.top_mut(), cx);
        self.top_mut().queries()
    }

    /// Leaves the focused screen, if it is not the first one.
    pub(super) fn back(&mut self) {
        let Some(left) = self.above.pop() else { return };
        self.changes += 1;
        if left.is_kept() {
            self.kept.push(left);
        }
    }

    /// Leaves all screens but the first one.
    pub(super) fn home(&mut self) {
        while self.depth() > 0 {
            self.back();
        }
    }
}

/// Adapts the list of a screen to its area; returns the query for rows that are missing then.
pub(super) fn fit(screen: &mut dyn Screen, cx: &Context) -> Option<Query> {
    let area = screen.list_area(cx);
    screen.list_mut()?.resize(area)
}
