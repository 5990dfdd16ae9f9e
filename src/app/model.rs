//! The state of the program. What has the focus is part of it, never a product of drawing.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::welcome;
use crate::keymap::{Key, Place};
use crate::memory::{FileMemory, Memory};
use crate::screens::prompt::Prompt;
use crate::screens::{
    Dialog, Menu, Severity, copies, detail, files, form, help, history, overview, review, rows::Rows, step, sync,
};
use crate::store::{Scope, Stage, Step};
use crate::ui::layout::{cut_bottom, cut_top};
use crate::ui::theme::Theme;
use crate::worker::protocol::{Opened, Overview, Record};

/// What the program is started with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The file's name for people.
    pub file: String,
    /// The file, absolute.
    pub path: PathBuf,
    /// The file is not there: a person is asked how to begin.
    pub is_new: bool,
    /// What is remembered.
    pub memory: Memory,
    /// Colours.
    pub theme: Theme,
    /// The mouse is wanted.
    pub mouse: bool,
    /// Accept the whole migration plan at once.
    pub apply_migration: bool,
    /// The file is thrown away at the end.
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
    /// What is in the file, in numbers.
    Overview(overview::State),
    /// The history.
    History(history::State),
    /// One step of it.
    Step(Box<step::State>),
    /// The copies of the file.
    Copies(copies::State),
    /// What differs from Kibana.
    Sync(Box<sync::State>),
    /// All keys.
    Help(help::State),
}

/// A line for the person, until it expires or a key is pressed.
#[derive(Clone, Debug)]
pub(super) struct Toast {
    pub(super) severity: Severity,
    pub(super) text: String,
    pub(super) since: Timestamp,
}

/// Below this the program only says what it needs.
pub(super) const SMALLEST: (u16, u16) = (30, 8);

/// How long a line stays that goes away by itself.
pub(super) const TOAST: Duration = Duration::from_secs(5);

/// From then on a person is told that an answer takes its time.
const SLOW: Duration = Duration::from_millis(200);

/// A job of the writer thread.
#[derive(Clone, Debug)]
pub(super) struct RunningJob {
    pub(super) title: &'static str,
    /// It may take long, and the program stays alive meanwhile.
    pub(super) is_long: bool,
    /// Another program is writing to the file.
    pub(super) is_waiting: bool,
    /// It was asked to stop.
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

/// The whole state.
#[derive(Debug)]
pub struct Model {
    pub(super) setup: Setup,
    pub(super) now: Timestamp,
    pub(super) size: (u16, u16),
    /// What the file is; none while it is being opened.
    pub(super) opened: Option<Opened>,
    pub(super) upgrade_stage: Option<Stage>,
    pub(super) overview: Overview,
    pub(super) screens: Vec<Screen>,
    pub(super) connectors: Rows,
    pub(super) review: review::State,
    pub(super) dialog: Option<Dialog>,
    pub(super) menu: Option<Menu>,
    pub(super) prompt: Option<Prompt>,
    pub(super) file: Option<files::State>,
    /// The path of an import that has not succeeded, to be corrected.
    pub(super) last_path: String,
    /// The path of the last export.
    pub(super) last_export: String,
    pub(super) toast: Option<Toast>,
    pub(super) job: Option<RunningJob>,
    /// The person leaves when the job has ended.
    pub(super) quits_after_job: bool,
    /// The record of the selected row, for the panels.
    pub(super) preview: Option<Record>,
    /// Id and revision that the preview was asked for.
    pub(super) preview_of: Option<(String, i64)>,
    /// A form that opens when its record arrives.
    pub(super) awaiting_form: Option<(String, AwaitedForm)>,
    /// The next record that misses its secrets is being looked for.
    pub(super) awaiting_missing: bool,
    /// Name and id of the record that was last opened to be filled in.
    pub(super) filled: Option<(String, String)>,
    /// The result of a run that is shown when the counts after it arrive.
    pub(super) awaiting_result: Option<crate::store::Applied>,
    /// Keys pressed while the answer to an earlier one is on its way; they are taken when it has come.
    pub(super) waiting_keys: VecDeque<Key>,
    /// Since when the list on the screen has been made.
    working_since: Option<Timestamp>,
    /// The file that is open is not at its path any more.
    pub(super) is_displaced: bool,
    /// The message the program ends with.
    pub(super) fatal: Option<String>,
    /// An export is asked for as soon as the file is open.
    pub(super) awaiting_import: bool,
    /// The first counts of the file are on their way.
    pub(super) awaiting_counts: bool,
    /// A copy is being put back before the file is opened again.
    pub(super) is_restoring: bool,
    pub(super) quitting: bool,
}

/// Which form a record was asked for.
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
            connectors: Rows::new(Scope::Connectors),
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
            awaiting_form: None,
            awaiting_missing: false,
            filled: None,
            awaiting_result: None,
            waiting_keys: VecDeque::new(),
            working_since: None,
            is_displaced: false,
            fatal: None,
            is_restoring: false,
            awaiting_import: false,
            awaiting_counts: false,
            quitting: false,
            setup,
        }
    }

    /// The state before the file is opened again, with a copy put back or as it is.
    pub fn reopened(&self, is_restoring: bool) -> Self {
        let setup =
            Setup { size: self.size, now: self.now, apply_migration: false, is_new: false, ..self.setup.clone() };
        Self { is_restoring, ..Self::new(setup) }
    }

    /// The program is to end.
    pub fn is_quitting(&self) -> bool {
        self.quitting
    }

    /// What is remembered, with how this file's list is shown now.
    pub fn memory(&self) -> Memory {
        let mut memory = self.setup.memory.clone();
        if self.opened.is_some() && !self.setup.is_demo {
            let rows = &self.connectors;
            memory.note(FileMemory::new(&self.setup.path, rows.filter_text.text().trim(), rows.sort));
        }
        memory
    }

    /// The message the program ends with, if it fails.
    pub fn fatal(&self) -> Option<&str> {
        self.fatal.as_deref()
    }

    /// Takes over the time, before each message.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Changes with the screen or question on show. Terminals disagree on the width of some characters; a
    /// new screen is drawn on a clean ground, so that nothing of them is left from the one before.
    pub fn ground(&self) -> (usize, bool) {
        (
            self.screens.len(),
            self.dialog.is_some() || self.file.is_some() || self.menu.is_some() || self.prompt.is_some(),
        )
    }

    /// When the screen next changes by itself; none: only a message changes it.
    pub fn next_tick(&self) -> Option<Duration> {
        let age = |since| Duration::try_from(self.now.duration_since(since)).unwrap_or_default();
        let toast = self.toast.as_ref().filter(|toast| toast.severity.expires());
        let toast = toast.map(|toast| TOAST.saturating_sub(age(toast.since)));
        let slow = self.working_since.and_then(|since| SLOW.checked_sub(age(since))).filter(|wait| !wait.is_zero());
        let silent = self.job.as_ref().filter(|job| job.done == 0 && !job.is_waiting);
        let silent = silent.and_then(|job| SLOW.checked_sub(age(job.started))).filter(|wait| !wait.is_zero());
        toast.into_iter().chain(slow).chain(silent).min()
    }

    /// A job that is worth a word: it has told how far it is, or takes its time.
    pub(super) fn shown_job(&self) -> Option<&RunningJob> {
        let age = |job: &RunningJob| Duration::try_from(self.now.duration_since(job.started)).unwrap_or_default();
        self.job.as_ref().filter(|job| job.done > 0 || job.is_waiting || job.is_stopping || age(job) >= SLOW)
    }

    /// Notes whether the list on the screen is still being made, and says so when that takes long.
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

    /// What has the focus.
    pub(super) fn place(&self) -> Place {
        if self.dialog.is_some() {
            return Place::Dialog;
        }
        if self.menu.is_some() {
            return Place::Picker;
        }
        self.place_below()
    }

    /// What has the focus where no question and no list to choose from lies over it.
    pub(super) fn place_below(&self) -> Place {
        if self.file.is_some() || self.prompt.is_some() {
            return Place::Input;
        }
        match self.screen() {
            Screen::Connectors if self.connectors.typing => Place::Input,
            Screen::Review if self.review.rows.typing => Place::Input,
            Screen::Step(step) if step.rows.typing => Place::Input,
            Screen::Connectors => Place::Connectors,
            Screen::Detail(_) => Place::Detail,
            Screen::Review => Place::Review,
            Screen::Overview(_) => Place::Overview,
            Screen::History(_) => Place::History,
            Screen::Step(_) => Place::Step,
            Screen::Copies(_) => Place::Copies,
            Screen::Sync(_) => Place::Sync,
            Screen::Form(form) => form.place(),
            Screen::Help(_) => Place::Help,
        }
    }

    /// The answer to an earlier key is on its way: what a further key is about is not known yet.
    pub(super) fn is_waiting(&self) -> bool {
        if self.awaiting_missing || self.job.as_ref().is_some_and(|job| !job.is_long) {
            return true;
        }
        match self.place() {
            Place::Connectors => self.awaiting_form.is_some() || !self.connectors.is_settled(),
            Place::Review => self.awaiting_form.is_some() || !self.review.rows.is_settled(),
            Place::Detail => self.awaiting_form.is_some(),
            Place::Step => matches!(self.screen(), Screen::Step(step) if !step.is_settled()),
            Place::History => matches!(self.screen(), Screen::History(history) if history.steps.is_none()),
            _ => false,
        }
    }

    /// The list that the screen shows, if it shows one.
    pub(super) fn rows(&mut self) -> Option<&mut Rows> {
        match self.screens.last_mut() {
            Some(Screen::Connectors) => Some(&mut self.connectors),
            Some(Screen::Review) => Some(&mut self.review.rows),
            Some(Screen::Step(step)) => Some(&mut step.rows),
            _ => None,
        }
    }

    /// Why the filter being typed cannot be used.
    pub(super) fn filter_error(&self) -> Option<&str> {
        let rows = match self.screen() {
            Screen::Connectors => &self.connectors,
            Screen::Review => &self.review.rows,
            Screen::Step(step) => &step.rows,
            _ => return None,
        };
        rows.filter_error.as_deref().filter(|_| rows.typing).or(rows.filter_doubt.as_deref())
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.opened.as_ref().is_some_and(|opened| opened.read_only)
    }

    /// A step of the history, if the history has come.
    pub(super) fn step(&self, step: i64) -> Option<&Step> {
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
