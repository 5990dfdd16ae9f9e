//! The state of the program, including the focus.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use super::prefix::Prefix;
use super::stack::Screens;
use crate::tui::command::{Command, Severity};
use crate::tui::context::{Context, Setup, Shown};
use crate::tui::delay::age;
use crate::tui::keymap::{Action, Key, KeyContext};
use crate::tui::overlays::Overlay;
use crate::tui::running_job::RunningJob;
use crate::tui::screens::{self, Route};
use crate::tui::ui::Ui;
use crate::tui::ui_state::UiState;
use crate::worker::Query;

/// A smaller terminal only shows a notice.
pub(super) const SMALLEST: (u16, u16) = (30, 8);

/// How long an expiring message is shown.
const MESSAGE: Duration = Duration::from_secs(5);

/// What the app waits for.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// An action that runs as soon as the file is open.
    pub(super) action: Option<Action>,
    /// The first counts of the file are on their way.
    pub(super) counts: bool,
    /// Keys pressed while the answer to an earlier key is pending; they are handled after it.
    pub(super) keys: VecDeque<Key>,
}

/// How the file came to be open, for the message after its first counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Start {
    /// Accept the whole migration plan at once.
    pub(super) applies_migration: bool,
    /// The schema was upgraded.
    pub(super) was_upgraded: bool,
    /// A backup was restored.
    pub(super) was_restored: bool,
}

/// The whole state.
#[derive(Debug)]
pub struct Model {
    /// What screens and overlays may know.
    pub(super) cx: Context,
    pub(super) screens: Screens,
    pub(super) overlays: Vec<Box<dyn Overlay>>,
    /// The newest message of the context is shown until it expires or a key is pressed.
    pub(super) shows_message: bool,
    /// The file is open.
    pub(super) is_open: bool,
    pub(super) start: Start,
    pub(super) pending: Pending,
    pub(super) prefix: Prefix,
    /// The program quits when the job has ended.
    pub(super) quits_after_job: bool,
    /// The file that is open is not at its path any more.
    pub(super) is_displaced: bool,
    /// The message the program ends with.
    pub(super) fatal: Option<String>,
    pub(super) quitting: bool,
}

impl Model {
    /// Returns the state before anything has happened.
    pub fn new(setup: Setup) -> Self {
        let (is_new, applies_migration) = (setup.is_new, setup.apply_migration);
        let cx = Context::new(setup);
        let route = if is_new { Route::Welcome } else { Route::Opening(false) };
        let mut model = Self::before_open(cx, route);
        model.start.applies_migration = applies_migration;
        if is_new {
            model.overlays.push(Box::new(screens::welcome_menu(&model.cx)));
        }
        model
    }

    /// Returns the state before the file is open.
    pub(super) fn before_open(cx: Context, route: Route) -> Self {
        Self {
            screens: Screens::new(route, &cx),
            cx,
            overlays: Vec::new(),
            shows_message: false,
            is_open: false,
            start: Start::default(),
            pending: Pending::default(),
            prefix: Prefix::default(),
            quits_after_job: false,
            is_displaced: false,
            fatal: None,
            quitting: false,
        }
    }

    /// Returns to the state before the file is opened, with or without a restore.
    pub(super) fn reopen(&mut self, is_restoring: bool) {
        let cx = Context { ui_state: self.ui_state(), ..self.cx.without_file() };
        *self = Self::before_open(cx, Route::Opening(is_restoring));
    }

    /// The program is to end.
    pub fn is_quitting(&self) -> bool {
        self.quitting
    }

    /// Returns the UI state, with the current settings of the list.
    pub fn ui_state(&self) -> UiState {
        let mut ui_state = self.cx.ui_state.clone();
        if !self.cx.is_demo
            && let Some(of_file) = self.screens.first().ui_state(&self.cx)
        {
            ui_state.note(of_file);
        }
        ui_state
    }

    /// The message the program ends with, if it fails.
    pub fn fatal(&self) -> Option<&str> {
        self.fatal.as_deref()
    }

    /// Returns what every screen is drawn with.
    pub fn ui(&self) -> Ui {
        self.cx.ui
    }

    /// Sets the time, before each message.
    pub fn set_now(&mut self, now: Timestamp) {
        self.cx.now = now;
    }

    /// Changes with the screen or overlay on show. Terminals disagree on the width of some characters; a new screen is
    /// drawn on a clean ground, so that nothing of them is left from the one before.
    pub fn redraw_key(&self) -> (u64, usize) {
        (self.screens.changes(), self.overlays.len())
    }

    /// Returns when the screen next changes without a message.
    pub fn next_tick(&self) -> Option<Duration> {
        let now = self.cx.now;
        let message = self.message().filter(|message| message.severity.expires());
        let message = message.map(|message| MESSAGE.saturating_sub(age(message.at, now)));
        let list = self.screens.top().list().and_then(|list| list.next_tick(now));
        let job = self.cx.job.as_ref().and_then(|job| job.next_tick(now));
        message.into_iter().chain(list).chain(job).min()
    }

    /// Returns the running job, if it has reported progress or takes its time.
    pub(super) fn shown_job(&self) -> Option<&RunningJob> {
        self.cx.job.as_ref().filter(|job| job.is_shown(self.cx.now))
    }

    /// Nothing can be shown, so nothing can be done but leave.
    pub(super) fn is_too_small(&self) -> bool {
        self.cx.size.0 < SMALLEST.0 || self.cx.size.1 < SMALLEST.1
    }

    /// Returns the key context of the focused part.
    pub fn context(&self) -> KeyContext {
        self.overlays.last().map_or_else(|| self.context_below(), |overlay| overlay.key_context())
    }

    /// Returns the key context below the overlays.
    pub(super) fn context_below(&self) -> KeyContext {
        if self.is_typing_filter() { KeyContext::Input } else { self.screens.top().key_context() }
    }

    /// Returns whether the user has typed something that is not saved.
    pub(super) fn has_unsaved(&self) -> bool {
        self.screens.open().any(|screen| screen.is_dirty())
    }

    /// Returns whether a filter is being typed.
    pub(super) fn is_typing_filter(&self) -> bool {
        self.screens.top().list().is_some_and(|list| list.typing)
    }

    /// Returns whether the answer to an earlier key is pending, so that the subject of the next key is unknown.
    pub(super) fn is_waiting(&self) -> bool {
        let has_quick_job = self.cx.job.as_ref().is_some_and(|job| !job.is_long);
        let has_pending_answer = !self.is_typing_filter() && self.screens.top().is_waiting();
        self.overlays.is_empty() && (has_quick_job || has_pending_answer)
    }

    /// Opens an overlay, in place of one with the same title.
    pub(super) fn open_overlay(&mut self, overlay: Box<dyn Overlay>) {
        self.overlays.retain(|open| open.title() != overlay.title());
        self.overlays.push(overlay);
    }

    /// Shows a message.
    pub(super) fn notify(&mut self, severity: Severity, text: String) {
        self.cx.note(severity, text);
        self.shows_message = true;
    }

    /// Returns the message that is shown.
    pub(super) fn message(&self) -> Option<&Shown> {
        self.cx.messages.back().filter(|_| self.shows_message)
    }

    /// Hides a message that has been shown long enough.
    pub(super) fn expire_message(&mut self) {
        let now = self.cx.now;
        let is_over = |message: &Shown| message.severity.expires() && age(message.at, now) >= MESSAGE;
        self.shows_message = self.message().is_some_and(|message| !is_over(message));
    }

    /// Returns the commands that reload the contents of the screens.
    pub(super) fn reload(&mut self) -> Vec<Command> {
        if !self.is_open {
            return Vec::new();
        }
        let queries = self.screens.open_mut().rev().flat_map(|screen| screen.queries());
        let mut commands = Command::reads(queries);
        commands.push(Command::Read(Query::Overview));
        commands
    }
}
