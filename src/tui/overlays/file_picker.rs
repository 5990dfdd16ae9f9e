//! Naming a file: typed, completed, or picked from the folder.

use std::path::{Path, PathBuf};

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use crate::fs::paths::Entry;
use crate::text::size::bytes_text;
use crate::text::terminal::{clip, fit};
use crate::tui::keymap::{Action, Key, KeyContext};
use crate::tui::ui::Ui;
use crate::tui::widgets::input::{TextInput, TooLong};
use crate::tui::widgets::layout::centered;
use crate::tui::widgets::theme::Theme;

/// The purpose of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Reading an export.
    Import,
    /// Export the selected connectors, or those of the filter.
    Export {
        /// The selected ids; empty for those of the filter.
        ids: Vec<String>,
        /// A description of the exported connectors.
        what: String,
    },
    /// Write the open file to a new file.
    SaveAs,
}

/// A file that is being named.
#[derive(Debug)]
pub struct State {
    /// The purpose.
    pub purpose: Purpose,
    input: TextInput,
    folder: Option<PathBuf>,
    entries: Result<Vec<Entry>, String>,
    /// The highlighted entry among the matching ones.
    chosen: Option<usize>,
}

/// The result of a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The folder is to be read.
    Folder(PathBuf),
    /// The file has been named.
    Named(String),
    /// Nothing.
    Nothing,
}

impl State {
    /// Nothing but a beginning was typed.
    pub fn new(purpose: Purpose, text: &str) -> Self {
        Self { purpose, input: TextInput::new(text), folder: None, entries: Ok(Vec::new()), chosen: None }
    }

    /// Returns the folder of the typed path, if it has to be read.
    pub fn wanted_folder(&mut self) -> Option<PathBuf> {
        let folder = PathBuf::from(self.parts().0);
        let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
        if self.folder.as_ref() == Some(&folder) {
            return None;
        }
        self.folder = Some(folder.clone());
        self.entries = Ok(Vec::new());
        Some(folder)
    }

    /// The folder has been read.
    pub fn listed(&mut self, folder: &Path, entries: Result<Vec<Entry>, String>) {
        if self.folder.as_deref() == Some(folder) {
            self.entries = entries;
        }
    }

    /// The folder as typed, with its slash, and the beginning of a name.
    fn parts(&self) -> (&str, &str) {
        let text = self.input.text();
        text.split_at(text.rfind('/').map_or(0, |at| at + 1))
    }

    /// Returns the entries that begin with the typed text.
    fn fitting(&self) -> Vec<&Entry> {
        let beginning = self.parts().1.to_lowercase();
        let entries = self.entries.as_deref().unwrap_or_default();
        entries.iter().filter(|entry| entry.name.to_lowercase().starts_with(&beginning)).collect()
    }

    fn chosen(&self) -> Option<&Entry> {
        self.fitting().get(self.chosen?).copied()
    }

    /// Completes the text with the highlighted or the only entry.
    fn complete(&mut self) -> bool {
        let fitting = self.fitting();
        let entry = self.chosen().or(if let [only] = fitting.as_slice() { Some(only) } else { None });
        let Some(entry) = entry else { return false };
        let slash = if entry.is_folder { "/" } else { "" };
        let text = format!("{}{}{slash}", self.parts().0, entry.name);
        self.input.replace(&text);
        self.chosen = None;
        true
    }

    /// Handles a key other than Esc.
    pub fn key(&mut self, key: Key) -> Outcome {
        use crossterm::event::KeyCode;
        let last = self.fitting().len().checked_sub(1);
        match key.code {
            KeyCode::Down => self.chosen = last.map(|last| self.chosen.map_or(0, |at| (at + 1).min(last))),
            KeyCode::Up => self.chosen = self.chosen.and_then(|at| at.checked_sub(1)),
            KeyCode::Tab => {
                self.complete();
            }
            _ => {
                self.input.key(key);
                self.chosen = None;
            }
        }
        self.wanted_folder().map_or(Outcome::Nothing, Outcome::Folder)
    }

    /// Handles pasted text.
    ///
    /// # Errors
    /// [`TooLong`]; nothing is inserted then.
    pub fn paste(&mut self, text: &str) -> Result<Outcome, TooLong> {
        self.input.insert(text.trim())?;
        Ok(self.wanted_folder().map_or(Outcome::Nothing, Outcome::Folder))
    }

    /// Enter: into a folder, or done.
    pub fn confirm(&mut self) -> Outcome {
        if self.chosen.is_some() && self.complete() && self.input.text().ends_with('/') {
            return self.wanted_folder().map_or(Outcome::Nothing, Outcome::Folder);
        }
        let text = self.input.text().trim().to_owned();
        if text.is_empty() || text.ends_with('/') { Outcome::Nothing } else { Outcome::Named(text) }
    }
}

/// Entries that are shown at once.
const VISIBLE_ROWS: usize = 8;

/// Draws the question for a file.
pub fn view(state: &State, frame: &mut Frame<'_>, body: Rect, ui: Ui) {
    let Ui { theme, keys, .. } = ui;
    let height = u16::try_from(VISIBLE_ROWS).unwrap_or(8) + 5;
    let place = centered(body, 76, height.min(body.height));
    let title = match &state.purpose {
        Purpose::Import => " Import: path of an export (.ndjson) ".to_owned(),
        Purpose::Export { what, .. } => format!(" Export {what} to "),
        Purpose::SaveAs => " Save what is open to a new file ".to_owned(),
    };
    let block = Block::bordered().border_style(theme.border()).title(Span::styled(title, theme.title()));
    let inside = block.inner(place);
    frame.render_widget(Clear, place);
    frame.render_widget(block, place);
    let width = usize::from(inside.width);
    let mut lines = state.input.view(width, 1, true, theme);
    let what = match &state.purpose {
        Purpose::Import => "shows what would be imported",
        Purpose::Export { .. } => "writes it, without secrets",
        Purpose::SaveAs => "writes it, with its history and secrets",
    };
    let key = |action| keys.key_of(KeyContext::Input, action);
    // A user's own key for something else comes before these.
    let is_free = |name| Key::parse(name).is_some_and(|key| keys.action(KeyContext::Input, key).is_none());
    let others = [("Tab", "; Tab completes"), ("Down", ", Down picks")];
    let others: String = others.iter().filter(|(name, _)| is_free(name)).map(|(_, text)| *text).collect();
    let hint = format!("{} {what}{others}, {} closes", key(Action::Confirm), key(Action::Back));
    lines.push(Line::styled(clip(&hint, width), theme.muted()));
    lines.push(Line::default());
    lines.extend(entry_lines(state, width, usize::from(inside.height).saturating_sub(3), theme));
    frame.render_widget(Paragraph::new(lines), inside);
}

fn entry_lines(state: &State, width: usize, height: usize, theme: Theme) -> Vec<Line<'static>> {
    if let Err(reason) = &state.entries {
        return vec![Line::styled(clip(reason, width), theme.bad())];
    }
    let fitting = state.fitting();
    if fitting.is_empty() {
        return vec![Line::styled(clip("no folder or .ndjson file starts with this", width), theme.muted())];
    }
    let first = state.chosen.map_or(0, |at| (at + 1).saturating_sub(height.max(1)));
    let line = |(at, entry): (usize, &&Entry)| {
        let size = if entry.is_folder { "folder".to_owned() } else { bytes_text(entry.bytes) };
        let name = format!("{}{}", entry.name, if entry.is_folder { "/" } else { "" });
        let is_chosen = state.chosen == Some(at);
        let sign = if is_chosen { "> " } else { "  " };
        let line = Line::raw(format!("{sign}{} {size:>8}", fit(&name, width.saturating_sub(12))));
        if is_chosen { line.style(theme.selected()) } else { line }
    };
    fitting.iter().enumerate().skip(first).take(height).map(line).collect()
}
