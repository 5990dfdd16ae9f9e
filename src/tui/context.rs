//! What screens and overlays may know of the program.

use std::path::PathBuf;

use jiff::Timestamp;
use ratatui::layout::Rect;

use crate::store::UpgradeReport;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::running_job::RunningJob;
use crate::tui::ui::Ui;
use crate::tui::ui_state::UiState;
use crate::tui::widgets::layout::{cut_bottom, cut_top};
use crate::worker::Overview;

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
    /// The theme, the key map and the catalogue.
    pub ui: Ui,
    /// The UI state.
    pub ui_state: UiState,
    /// The mouse is on.
    pub has_mouse: bool,
    /// Makes ids of new connectors.
    pub new_id: fn() -> String,
    /// The size of the terminal.
    pub size: (u16, u16),
    /// Now.
    pub now: Timestamp,
}

impl Context {
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
        Self {
            file: "file.db".to_owned(),
            path: PathBuf::from("/file.db"),
            is_demo: false,
            is_read_only: false,
            upgraded: None,
            overview: Overview::default(),
            job: None,
            last_import: String::new(),
            last_export: String::new(),
            ui: Ui { theme: Theme::new(false), keys: KeyMap::default(), catalogue: Catalogue::built_in() },
            ui_state: UiState::default(),
            has_mouse: true,
            new_id: || "new-id".to_owned(),
            size: (80, 24),
            now: Timestamp::UNIX_EPOCH,
        }
    }
}
