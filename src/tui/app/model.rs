//! The state of the program, including the focus.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::welcome;
use crate::store::{HistoryEntry, Scope, Stage};
use crate::tui::keymap::{Key, KeyContext};
use crate::tui::overlays::file_picker;
use crate::tui::overlays::prompt::Prompt;
use crate::tui::screens::{
    Dialog, Menu, Severity, backups, detail, form, help, history, history_entry, overview, review, sync,
};
use crate::tui::ui::Ui;
use crate::tui::ui_state::{FileUiState, UiState};
use crate::tui::widgets::layout::{cut_bottom, cut_top};
use crate::tui::widgets::paged_list::PagedList;
use crate::worker::{Opened, Overview, Record};

/// The options of a start.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The display name of the file.
    pub file: String,
    /// The file, absolute.
    pub path: PathBuf,
    /// The file does not exist: the user chooses how to begin.
    pub is_new: bool,
    /// The UI state.
    pub ui_state: UiState,
    /// The styles and the key map.
    pub ui: Ui,
    /// The mouse is on.
    pub mouse: bool,
    /// Accept the whole migration plan at once.
    pub apply_migration: bool,
    /// The file is deleted on exit.
    pub is_demo: bool,
    /// Makes ids of new connectors.
    pub new_id: fn() -> String,
    /// The size of the terminal.
    pub size: (u16, u16),
    /// Now.
    pub now: Timestamp,
}

/// A screen; the last one of the stack has the focus.
#[derive(Debug)]
pub(super) enum Screen {
    /// The list, always at the bottom.
    Connectors,
    /// One connector.
    Detail(Box<detail::State>),
    /// The review.
    Review,
    /// The form.
    Form(Box<form::State>),
    /// The overview.
    Overview(overview::State),
    /// The history.
    History(history::State),
    /// One step of it.
    HistoryEntry(Box<history_entry::State>),
    /// The backups of the file.
    Backups(backups::State),
    /// The screen of a remote.
    Sync(Box<sync::State>),
    /// All keys.
    Help(help::State),
}

/// A message, shown until it expires or a key is pressed.
#[derive(Clone, Debug)]
pub(super) struct Toast {
    pub(super) severity: Severity,
    pub(super) text: String,
    pub(super) since: Timestamp,
}

/// A smaller terminal only shows a notice.
pub(super) const SMALLEST: (u16, u16) = (30, 8);

/// How long an expiring message is shown.
pub(super) const TOAST: Duration = Duration::from_secs(5);

/// The delay after which a pending answer is shown as slow.
const SLOW: Duration = Duration::from_millis(200);

/// A job of the writer thread.
#[derive(Clone, Debug)]
pub(super) struct RunningJob {
    pub(super) title: &'static str,
    /// The job may take long, and the UI stays usable.
    pub(super) is_long: bool,
    /// Another program is writing to the file.
    pub(super) is_waiting: bool,
    /// A cancel was requested.
    pub(super) is_stopping: bool,
    pub(super) done: u64,
    pub(super) total: u64,
    pub(super) started: Timestamp,
}

impl RunningJob {
    pub(super) fn new(title: &'static str, now: Timestamp) -> Self {
        Self { title, is_long: false, is_waiting: false, is_stopping: false, done: 0, total: 0, started: now }
    }
}

/// What the app waits for.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// A form that opens when its record arrives.
    pub(super) form: Option<(String, AwaitedForm)>,
    /// The next record that is missing secrets is being searched.
    pub(super) next_missing: bool,
    /// The result of a run that is shown when the counts after it arrive.
    pub(super) result: Option<crate::store::Applied>,
    /// The import prompt opens as soon as the file is open.
    pub(super) import: bool,
    /// The first counts of the file are on their way.
    pub(super) counts: bool,
    /// A backup is being restored before the file is opened again.
    pub(super) restore: bool,
    /// Keys pressed while the answer to an earlier key is pending; they are handled after it.
    pub(super) keys: VecDeque<Key>,
}

/// The whole state.
#[derive(Debug)]
pub struct Model {
    pub(super) setup: Setup,
    pub(super) now: Timestamp,
    pub(super) size: (u16, u16),
    /// The open file; `None` while it is being opened.
    pub(super) opened: Option<Opened>,
    pub(super) upgrade_stage: Option<Stage>,
    pub(super) overview: Overview,
    pub(super) screens: Vec<Screen>,
    pub(super) connectors: PagedList,
    pub(super) review: review::State,
    pub(super) dialog: Option<Dialog>,
    pub(super) menu: Option<Menu>,
    pub(super) prompt: Option<Prompt>,
    pub(super) file: Option<file_picker::State>,
    /// The path of an import that has not succeeded, to be corrected.
    pub(super) last_path: String,
    /// The path of the last export.
    pub(super) last_export: String,
    pub(super) toast: Option<Toast>,
    pub(super) job: Option<RunningJob>,
    /// The program quits when the job has ended.
    pub(super) quits_after_job: bool,
    /// The record of the selected row, for the panels.
    pub(super) preview: Option<Record>,
    /// Id and revision of the requested preview.
    pub(super) preview_of: Option<(String, i64)>,
    /// Name and id of the record that was last opened to be filled in.
    pub(super) filled: Option<(String, String)>,
    /// Since when the list on the screen has been made.
    working_since: Option<Timestamp>,
    /// The file that is open is not at its path any more.
    pub(super) is_displaced: bool,
    /// The message the program ends with.
    pub(super) fatal: Option<String>,
    pub(super) quitting: bool,
    pub(super) pending: Pending,
}

/// The form that a requested record opens in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AwaitedForm {
    Edit,
    /// At the missing secrets.
    Fill,
    Duplicate,
}

impl Model {
    /// The state before anything has happened.
    pub fn new(setup: Setup) -> Self {
        let menu = setup.is_new.then(|| welcome::menu(&setup));
        Self {
            now: setup.now,
            size: setup.size,
            opened: None,
            upgrade_stage: None,
            overview: Overview::default(),
            screens: vec![Screen::Connectors],
            connectors: PagedList::new(Scope::Connectors),
            review: review::State::default(),
            dialog: None,
            menu,
            prompt: None,
            file: None,
            last_path: String::new(),
            last_export: String::new(),
            toast: None,
            job: None,
            quits_after_job: false,
            preview: None,
            preview_of: None,
            filled: None,
            working_since: None,
            is_displaced: false,
            fatal: None,
            quitting: false,
            pending: Pending::default(),
            setup,
        }
    }

    /// Returns the state before the file is opened again, with or without a restore.
    pub fn reopened(&self, is_restoring: bool) -> Self {
        let setup =
            Setup { size: self.size, now: self.now, apply_migration: false, is_new: false, ..self.setup.clone() };
        let pending = Pending { restore: is_restoring, ..Pending::default() };
        Self { pending, ..Self::new(setup) }
    }

    /// The program is to end.
    pub fn is_quitting(&self) -> bool {
        self.quitting
    }

    /// Returns the UI state, with the current settings of the list.
    pub fn ui_state(&self) -> UiState {
        let mut ui_state = self.setup.ui_state.clone();
        if self.opened.is_some() && !self.setup.is_demo {
            let rows = &self.connectors;
            ui_state.note(FileUiState::new(&self.setup.path, rows.filter_text.text().trim(), rows.sort));
        }
        ui_state
    }

    /// The message the program ends with, if it fails.
    pub fn fatal(&self) -> Option<&str> {
        self.fatal.as_deref()
    }

    /// Returns what every screen is drawn with.
    pub fn ui(&self) -> Ui {
        self.setup.ui
    }

    /// Sets the time, before each message.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Changes with the screen or question on show. Terminals disagree on the width of some characters; a
    /// new screen is drawn on a clean ground, so that nothing of them is left from the one before.
    pub fn redraw_key(&self) -> (usize, bool) {
        (
            self.screens.len(),
            self.dialog.is_some() || self.file.is_some() || self.menu.is_some() || self.prompt.is_some(),
        )
    }

    /// Returns when the screen next changes without a message.
    pub fn next_tick(&self) -> Option<Duration> {
        let age = |since| Duration::try_from(self.now.duration_since(since)).unwrap_or_default();
        let toast = self.toast.as_ref().filter(|toast| toast.severity.expires());
        let toast = toast.map(|toast| TOAST.saturating_sub(age(toast.since)));
        let slow = self.working_since.and_then(|since| SLOW.checked_sub(age(since))).filter(|wait| !wait.is_zero());
        let silent = self.job.as_ref().filter(|job| job.done == 0 && !job.is_waiting);
        let silent = silent.and_then(|job| SLOW.checked_sub(age(job.started))).filter(|wait| !wait.is_zero());
        toast.into_iter().chain(slow).chain(silent).min()
    }

    /// Returns the running job, if it has reported progress or takes its time.
    pub(super) fn shown_job(&self) -> Option<&RunningJob> {
        let age = |job: &RunningJob| Duration::try_from(self.now.duration_since(job.started)).unwrap_or_default();
        self.job.as_ref().filter(|job| job.done > 0 || job.is_waiting || job.is_stopping || age(job) >= SLOW)
    }

    /// Updates whether the list is being loaded, and shows it when that takes long.
    pub(super) fn watch_list(&mut self) {
        let (now, since) = (self.now, self.working_since);
        let Some(rows) = self.rows() else { return };
        let since = rows.is_working().then(|| since.unwrap_or(now));
        rows.is_slow =
            since.is_some_and(|since| Duration::try_from(now.duration_since(since)).unwrap_or_default() >= SLOW);
        self.working_since = since;
    }

    /// Nothing can be shown, so nothing can be done but leave.
    pub(super) fn is_too_small(&self) -> bool {
        self.size.0 < SMALLEST.0 || self.size.1 < SMALLEST.1
    }

    pub(super) fn screen(&self) -> &Screen {
        self.screens.last().unwrap_or(&Screen::Connectors)
    }

    /// Returns the key context of the focused part.
    pub fn context(&self) -> KeyContext {
        if self.dialog.is_some() {
            return KeyContext::Dialog;
        }
        if self.menu.is_some() {
            return KeyContext::Picker;
        }
        self.context_below()
    }

    /// Returns the key context below dialogs and menus.
    pub(super) fn context_below(&self) -> KeyContext {
        if self.file.is_some() || self.prompt.is_some() {
            return KeyContext::Input;
        }
        match self.screen() {
            Screen::Connectors if self.connectors.typing => KeyContext::Input,
            Screen::Review if self.review.rows.typing => KeyContext::Input,
            Screen::HistoryEntry(step) if step.rows.typing => KeyContext::Input,
            Screen::Connectors => KeyContext::Connectors,
            Screen::Detail(_) => KeyContext::Detail,
            Screen::Review => KeyContext::Review,
            Screen::Overview(_) => KeyContext::Overview,
            Screen::History(_) => KeyContext::History,
            Screen::HistoryEntry(_) => KeyContext::Step,
            Screen::Backups(_) => KeyContext::Backups,
            Screen::Sync(_) => KeyContext::Sync,
            Screen::Form(form) => form.context(),
            Screen::Help(_) => KeyContext::Help,
        }
    }

    /// Returns whether the answer to an earlier key is pending, so that the subject of the next key is unknown.
    pub(super) fn is_waiting(&self) -> bool {
        if self.pending.next_missing || self.job.as_ref().is_some_and(|job| !job.is_long) {
            return true;
        }
        match self.context() {
            KeyContext::Connectors => self.pending.form.is_some() || !self.connectors.is_settled(),
            KeyContext::Review => self.pending.form.is_some() || !self.review.rows.is_settled(),
            KeyContext::Detail => self.pending.form.is_some(),
            KeyContext::Step => matches!(self.screen(), Screen::HistoryEntry(step) if !step.is_settled()),
            KeyContext::History => matches!(self.screen(), Screen::History(history) if history.steps.is_none()),
            _ => false,
        }
    }

    /// The list that the screen shows, if it shows one.
    pub(super) fn rows(&mut self) -> Option<&mut PagedList> {
        match self.screens.last_mut() {
            Some(Screen::Connectors) => Some(&mut self.connectors),
            Some(Screen::Review) => Some(&mut self.review.rows),
            Some(Screen::HistoryEntry(step)) => Some(&mut step.rows),
            _ => None,
        }
    }

    /// Returns the error of the filter being typed.
    pub(super) fn filter_error(&self) -> Option<&str> {
        let rows = match self.screen() {
            Screen::Connectors => &self.connectors,
            Screen::Review => &self.review.rows,
            Screen::HistoryEntry(step) => &step.rows,
            _ => return None,
        };
        rows.filter_error.as_deref().filter(|_| rows.typing).or(rows.filter_warning.as_deref())
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.opened.as_ref().is_some_and(|opened| opened.read_only)
    }

    /// A step of the history, if the history has come.
    pub(super) fn step(&self, step: i64) -> Option<&HistoryEntry> {
        let of_history = self.screens.iter().find_map(|screen| match screen {
            Screen::History(history) => history.steps.as_ref()?.iter().find(|found| found.step == step),
            _ => None,
        });
        let known = [&self.overview.last_run, &self.overview.last_step, &self.overview.next_redo];
        of_history.or_else(|| known.into_iter().flatten().find(|found| found.step == step))
    }

    /// The middle of the screen: without header and footer.
    pub(super) fn body(&self) -> Rect {
        let all = Rect { x: 0, y: 0, width: self.size.0, height: self.size.1 };
        let (_, rest) = cut_top(all, 1);
        cut_bottom(rest, 1).0
    }
}
