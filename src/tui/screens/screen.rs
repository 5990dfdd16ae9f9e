//! What the app knows of a screen.

use std::fmt::Debug;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use crate::tui::command::Command;
use crate::tui::context::Context;
use crate::tui::keymap::{Action, Key, KeyContext};
use crate::tui::overlays::Item;
use crate::tui::ui_state::FileUiState;
use crate::tui::widgets::input::TooLong;
use crate::tui::widgets::list::{Click, PagedList};
use crate::worker::{Query, Record, Reply};

/// A screen. The app holds a stack of them; the last one has the focus. It calls nothing but these methods, and none of
/// them blocks: what takes time is a query or a job, whose reply comes to [`Screen::on_reply`].
pub trait Screen: Debug {
    /// Returns the context of its keys.
    fn key_context(&self) -> KeyContext;

    /// Returns the title for the header.
    fn title(&self) -> &'static str;

    /// Returns the name of what the screen shows, for the header.
    fn subject(&self) -> Option<String> {
        None
    }

    /// Draws the screen.
    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context);

    /// Handles an action; `None` leaves it to the app.
    fn on_action(&mut self, action: Action, cx: &Context) -> Option<Vec<Command>>;

    /// Returns the queries that fill the screen. The app sends them when it opens and when the file has changed.
    fn queries(&mut self) -> Vec<Query> {
        Vec::new()
    }

    /// Returns the query for what the row with the cursor needs, if that is another row than before. Called after each
    /// message, while the screen has the focus.
    fn follow(&mut self) -> Option<Query> {
        None
    }

    /// Handles a reply of a thread. Every screen receives the replies to queries, but for the rows of lists, and the results
    /// of jobs that succeeded; it uses what is its own. Only the focused one can go back.
    fn on_reply(&mut self, _reply: &Reply, _cx: &Context) -> Vec<Command> {
        Vec::new()
    }

    /// The file cannot be read: stops waiting for the answers to queries. A screen above the first one that waits for its
    /// answer is left instead.
    fn give_up(&mut self) {
        if let Some(list) = self.list_mut() {
            list.give_up();
        }
    }

    /// Handles a key before its action; `None` leaves it to the action. For screens that are typed into.
    fn on_key(&mut self, _key: Key, _action: Option<Action>, _cx: &Context) -> Option<Vec<Command>> {
        None
    }

    /// Handles a message of a dialog or the app.
    fn on_message(&mut self, _message: ScreenMessage) -> Vec<Command> {
        Vec::new()
    }

    /// Handles pasted text; `None` if text cannot be pasted here.
    ///
    /// # Errors
    /// [`TooLong`]; nothing is inserted then.
    fn on_paste(&mut self, _text: &str) -> Option<Result<Vec<Command>, TooLong>> {
        None
    }

    /// Handles a click. A click on a row moves the cursor there, one on the row with the cursor opens it.
    fn on_click(&mut self, at: Position, cx: &Context) -> Vec<Command> {
        let area = self.list_area(cx);
        match self.list_mut().map(|list| list.click(at, area)) {
            Some(Click::Moved(queries)) => Command::reads(queries),
            Some(Click::Current(_)) => vec![Command::RunAction(Action::Open)],
            Some(Click::Head(_) | Click::Outside) | None => Vec::new(),
        }
    }

    /// Returns why an action is unavailable, for reasons that only the screen knows.
    fn unavailable(&self, _action: Action, _cx: &Context) -> Option<String> {
        None
    }

    /// Returns whether the footer shows an action now.
    fn shows(&self, _action: Action) -> bool {
        true
    }

    /// Returns whether the answer on which the meaning of the next key depends is pending.
    fn is_waiting(&self) -> bool {
        self.list().is_some_and(|list| !list.is_settled())
    }

    /// Returns whether the user has typed something that is not saved.
    fn is_dirty(&self) -> bool {
        false
    }

    /// Returns whether the state is kept when the screen is left, for the next screen on the same paged list.
    fn is_kept(&self) -> bool {
        false
    }

    /// Returns what the command palette offers in addition to the actions, each with the action that it is a part of.
    fn palette_items(&self, _cx: &Context) -> Vec<(Action, Item)> {
        Vec::new()
    }

    /// Returns the settings of the file's list, to be kept between runs.
    fn ui_state(&self, _cx: &Context) -> Option<FileUiState> {
        None
    }

    /// Returns the number of rows, if the actions on a row need one.
    fn total(&self) -> Option<usize> {
        self.list().map(|list| list.total)
    }

    /// The paged list of the screen, if it has one: the app passes it its actions, rows and filter.
    fn list(&self) -> Option<&PagedList> {
        None
    }

    /// The paged list of the screen, to change it.
    fn list_mut(&mut self) -> Option<&mut PagedList> {
        None
    }

    /// Returns the area of the list.
    fn list_area(&self, cx: &Context) -> Rect {
        cx.body()
    }
}

/// A message to the focused screen.
#[derive(Debug)]
pub enum ScreenMessage {
    /// The user's editor returned this text.
    Edited(String),
    /// The form is put on what someone else saved, with or without the edits made in it.
    ReplaceBase(Box<Record>, bool),
}
