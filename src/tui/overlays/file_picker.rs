//! Naming a file: typed, completed, or picked from the folder.

use std::path::PathBuf;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::{Flow, Overlay};
use crate::domain::Filter;
use crate::fs::paths::Entry;
use crate::text::size::bytes_text;
use crate::text::terminal::{clip, fit};
use crate::tui::command::Command;
use crate::tui::context::Context;
use crate::tui::keymap::{Action, Key, KeyContext};
use crate::tui::ui::Ui;
use crate::tui::widgets::input::{TextInput, TooLong};
use crate::tui::widgets::layout::centered;
use crate::tui::widgets::pane::floating;
use crate::tui::widgets::theme::Theme;
use crate::worker::{FileJob, Query, Reply};

/// The purpose of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Reading an export.
    Import,
    /// Export the selected connectors, or those of the filter.
    Export {
        /// The selected ids; empty for those of the filter.
        ids: Vec<String>,
        /// The filter.
        filter: Filter,
        /// A description of the exported connectors.
        what: String,
    },
    /// Write the open file to a new file.
    SaveAs,
}

impl Purpose {
    fn title(&self) -> String {
        match self {
            Purpose::Import => "Import: path of an export (.ndjson)".to_owned(),
            Purpose::Export { what, .. } => format!("Export {what} to"),
            Purpose::SaveAs => "Save what is open to a new file".to_owned(),
        }
    }

    /// Returns the command that uses the named file.
    fn command(&self, path: PathBuf) -> Command {
        match self {
            Purpose::Import => Command::write(FileJob::Preview { path }, "reading the export"),
            Purpose::Export { ids, filter, what: _ } => {
                let (ids, filter) = (ids.clone(), filter.clone());
                Command::write(FileJob::Export { path, ids, filter, replace: false }, "exporting")
            }
            Purpose::SaveAs => Command::write(FileJob::SaveAs { path }, "saving to a new file"),
        }
    }
}

/// Returns the commands that open the picker.
pub fn open(purpose: Purpose, cx: &Context) -> Vec<Command> {
    let text = match &purpose {
        Purpose::Import => cx.last_import.as_str(),
        Purpose::Export { .. } => &cx.last_export,
        Purpose::SaveAs => "",
    };
    let mut picker = FilePicker::new(purpose, text);
    let folder = picker.wanted_folder();
    let mut commands = vec![Command::OpenOverlay(Box::new(picker))];
    commands.extend(folder.map(|folder| Command::Read(Query::Folder(folder))));
    commands
}

/// A file that is being named.
#[derive(Debug)]
struct FilePicker {
    title: String,
    purpose: Purpose,
    input: TextInput,
    folder: Option<PathBuf>,
    entries: Result<Vec<Entry>, String>,
    /// The highlighted entry among the matching ones.
    chosen: Option<usize>,
}

impl FilePicker {
    /// Nothing but a beginning was typed.
    fn new(purpose: Purpose, text: &str) -> Self {
        Self {
            title: purpose.title(),
            purpose,
            input: TextInput::new(text),
            folder: None,
            entries: Ok(Vec::new()),
            chosen: None,
        }
    }

    /// Returns the folder of the typed path, if it has to be read.
    fn wanted_folder(&mut self) -> Option<PathBuf> {
        let folder = PathBuf::from(self.parts().0);
        let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
        if self.folder.as_ref() == Some(&folder) {
            return None;
        }
        self.folder = Some(folder.clone());
        self.entries = Ok(Vec::new());
        Some(folder)
    }

    /// Reads the folder of the typed path, if it is another one.
    fn read_folder(&mut self) -> Flow {
        Flow::Stay(self.wanted_folder().map(|folder| Command::Read(Query::Folder(folder))).into_iter().collect())
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

    fn edit(&mut self, key: Key) -> Flow {
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
        self.read_folder()
    }

    /// Enter: into a folder, or done.
    fn confirm(&mut self) -> Flow {
        if self.chosen.is_some() && self.complete() && self.input.text().ends_with('/') {
            return self.read_folder();
        }
        let text = self.input.text().trim();
        if text.is_empty() || text.ends_with('/') {
            return Flow::stay();
        }
        Flow::Close(vec![self.purpose.command(text.into())])
    }
}

impl Overlay for FilePicker {
    fn title(&self) -> &str {
        &self.title
    }

    fn key_context(&self) -> KeyContext {
        KeyContext::Input
    }

    fn on_key(&mut self, key: Key, action: Option<Action>, _cx: &Context) -> Flow {
        match action {
            Some(Action::Back) => Flow::close(),
            Some(Action::Confirm) => self.confirm(),
            _ => self.edit(key),
        }
    }

    fn on_paste(&mut self, text: &str) -> Result<Flow, TooLong> {
        self.input.insert(text.trim())?;
        Ok(self.read_folder())
    }

    fn on_reply(&mut self, reply: &Reply) {
        if let Reply::Folder(folder, entries) = reply
            && self.folder.as_ref() == Some(folder)
        {
            self.entries = entries.clone();
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        draw(self, frame, area, cx.ui);
    }
}

/// Entries that are shown at once.
const VISIBLE_ROWS: usize = 8;

/// Draws the question for a file.
fn draw(state: &FilePicker, frame: &mut Frame<'_>, body: Rect, ui: Ui) {
    let Ui { theme, keys, .. } = ui;
    let height = u16::try_from(VISIBLE_ROWS).unwrap_or(8) + 5;
    let place = centered(body, 76, height.min(body.height));
    let title = format!(" {} ", state.title);
    let inside = floating(&title, frame, place, theme);
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

fn entry_lines(state: &FilePicker, width: usize, height: usize, theme: Theme) -> Vec<Line<'static>> {
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
