//! What screens and overlays may know of the program.

use std::collections::VecDeque;
use std::path::PathBuf;

use jiff::Timestamp;
use ratatui::layout::Rect;

use crate::store::UpgradeReport;
use crate::tui::command::Severity;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::running_job::RunningJob;
use crate::tui::ui::Ui;
use crate::tui::ui_state::UiState;
use crate::tui::widgets::layout::{cut_bottom, cut_top};
use crate::worker::Overview;

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
    /// The configuration file, which need not exist.
    pub configuration: Option<PathBuf>,
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

/// A message that was shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// How urgent it is.
    pub severity: Severity,
    /// The text.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

impl Shown {
    /// Returns the text with the sign of its severity.
    pub fn shown(&self) -> String {
        format!("{}{}", self.severity.sign(), self.text)
    }
}

/// The messages that are kept.
const MESSAGES: usize = 200;

/// The facts that screens and overlays depend on. They read them; only the app changes them.
#[derive(Clone, Debug)]
pub struct Context {
    /// The display name of the file.
    pub file: String,
    /// The file, absolute.
    pub path: PathBuf,
    /// The file is deleted on exit.
    pub is_demo: bool,
    /// Nothing can be written.
    pub is_read_only: bool,
    /// The upgrade of the schema at the start, until the migration is applied.
    pub upgraded: Option<UpgradeReport>,
    /// The counts of the file.
    pub overview: Overview,
    /// The running job.
    pub job: Option<RunningJob>,
    /// The path of an import that has not succeeded, to be corrected.
    pub last_import: String,
    /// The path of the last export.
    pub last_export: String,
    /// The messages that were shown, the newest last.
    pub messages: VecDeque<Shown>,
    /// The theme, the key map and the catalogue.
    pub ui: Ui,
    /// The UI state.
    pub ui_state: UiState,
    /// The mouse is on.
    pub has_mouse: bool,
    /// The configuration file, which need not exist.
    pub configuration: Option<PathBuf>,
    /// Makes ids of new connectors.
    pub new_id: fn() -> String,
    /// The size of the terminal.
    pub size: (u16, u16),
    /// Now.
    pub now: Timestamp,
}

impl Context {
    /// Returns the facts before the file is open.
    pub fn new(setup: Setup) -> Self {
        Self {
            file: setup.file,
            path: setup.path,
            is_demo: setup.is_demo,
            is_read_only: false,
            upgraded: None,
            overview: Overview::default(),
            job: None,
            last_import: String::new(),
            last_export: String::new(),
            messages: VecDeque::new(),
            ui: setup.ui,
            ui_state: setup.ui_state,
            has_mouse: setup.mouse,
            configuration: setup.configuration,
            new_id: setup.new_id,
            size: setup.size,
            now: setup.now,
        }
    }

    /// Returns the facts before another file is open, or the same one again.
    pub fn without_file(&self) -> Self {
        Self {
            is_read_only: false,
            upgraded: None,
            overview: Overview::default(),
            job: None,
            last_import: String::new(),
            last_export: String::new(),
            ..self.clone()
        }
    }

    /// Keeps a message.
    pub fn note(&mut self, severity: Severity, text: String) {
        // A message again in a row is one message.
        self.messages.pop_back_if(|last| last.text == text);
        self.messages.push_back(Shown { severity, text, at: self.now });
        if self.messages.len() > MESSAGES {
            self.messages.pop_front();
        }
    }

    /// Returns the area of a screen: without header and footer.
    pub fn body(&self) -> Rect {
        let all = Rect { x: 0, y: 0, width: self.size.0, height: self.size.1 };
        let (_, rest) = cut_top(all, 1);
        cut_bottom(rest, 1).0
    }

    /// Returns the key of an action, for a text.
    pub fn key(&self, context: KeyContext, action: Action) -> String {
        self.ui.keys.key_of(context, action)
    }
}

#[cfg(test)]
impl Context {
    /// Returns the facts about an empty file, for tests.
    pub fn for_tests() -> Self {
        use crate::domain::Catalogue;
        use crate::tui::keymap::KeyMap;
        use crate::tui::widgets::theme::Theme;
        Self::new(Setup {
            file: "file.db".to_owned(),
            path: PathBuf::from("/file.db"),
            is_new: false,
            ui_state: UiState::default(),
            ui: Ui { theme: Theme::new(false), keys: KeyMap::default(), catalogue: Catalogue::built_in() },
            mouse: true,
            configuration: None,
            apply_migration: false,
            is_demo: false,
            new_id: || "new-id".to_owned(),
            size: (80, 24),
            now: Timestamp::UNIX_EPOCH,
        })
    }
}
