//! The UI state that is kept between runs: recent files, the settings of their lists, saved views. A JSON file in the
//! platform's state directory; an unreadable one is replaced.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::fs::{TemporaryFile, folder_of};
use crate::store::{Sort, SortColumn};

/// The number of recent files.
const FILES: usize = 20;
/// Commands that are kept.
const RECENT: usize = 5;
/// Filters that are kept.
const FILTERS: usize = 50;

/// The UI state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UiState {
    /// The last one first.
    pub files: Vec<FileUiState>,
    /// Filters, the newest last.
    pub filters: Vec<String>,
    /// Hidden columns and changed widths.
    pub columns: ColumnChoice,
    /// The names of the commands that were last chosen in the command palette, the newest first.
    pub recent: Vec<String>,
}

/// A change of the UI state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UiStateChange {
    /// Saves a view: a filter.
    SaveView(String),
    /// Deletes a view.
    DeleteView(String),
    /// Shows a column, or hides it.
    ToggleColumn(&'static str),
    /// Gives a column more cells, or fewer.
    WidenColumn(&'static str, i16),
    /// Notes that a command was chosen in the command palette.
    UseCommand(String),
}

/// The user's changes to the columns of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ColumnChoice {
    /// The names of hidden columns.
    pub hidden: Vec<String>,
    /// Cells that one has more or fewer than usual.
    pub wider: BTreeMap<String, i16>,
}

impl ColumnChoice {
    /// Is this one left out?
    pub fn is_hidden(&self, name: &str) -> bool {
        self.hidden.iter().any(|hidden| hidden == name)
    }

    /// The width of a column that usually has so many cells.
    pub fn width(&self, name: &str, usual: usize) -> usize {
        let wider = self.wider.get(name).copied().unwrap_or(0);
        usual.saturating_add_signed(isize::from(wider)).clamp(4, 60)
    }

    /// Shows a column, or leaves it out.
    fn toggle(&mut self, name: &str) {
        let was_hidden = self.is_hidden(name);
        self.hidden.retain(|hidden| hidden != name);
        if !was_hidden {
            self.hidden.push(name.to_owned());
        }
    }

    /// Gives a column more cells, or fewer.
    fn widen(&mut self, name: &str, cells: i16) {
        let wider = self.wider.entry(name.to_owned()).or_default();
        *wider = wider.saturating_add(cells).clamp(-40, 40);
    }
}

/// The settings of the list of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileUiState {
    /// The file, absolute.
    pub path: PathBuf,
    /// The filter.
    #[serde(default)]
    pub filter: String,
    /// The label of the column it was sorted by.
    #[serde(default)]
    pub sort: String,
    /// From its end.
    #[serde(default)]
    pub descending: bool,
}

impl FileUiState {
    /// A file and how its list is shown.
    pub fn new(path: &Path, filter: &str, sort: Sort) -> Self {
        Self {
            path: path.to_owned(),
            filter: filter.to_owned(),
            sort: sort.column.label().to_owned(),
            descending: sort.descending,
        }
    }

    /// The order of the list.
    pub fn sort(&self) -> Sort {
        let column = SortColumn::ALL.iter().find(|column| column.label() == self.sort);
        column.map_or_else(Sort::default, |column| Sort { column: *column, descending: self.descending })
    }
}

impl UiState {
    /// Reads the file; what cannot be read is nothing.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Writes the file atomically. It is not synced: after a power cut the previous one may be back.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        // A path that was named by mistake may be anything.
        let is_ours = |key: &String| ["files", "filters", "columns", "recent"].contains(&key.as_str());
        let is_state = |text: Vec<u8>| {
            // One that was cut off, or that a newer program wrote, begins as this one does.
            let keys =
                serde_json::from_slice::<BTreeMap<String, serde::de::IgnoredAny>>(&text).map(BTreeMap::into_keys);
            match keys {
                Ok(mut keys) => keys.any(|key| is_ours(&key)),
                Err(_) => text.is_empty() || text.trim_ascii_start().starts_with(b"{\n  \"files\""),
            }
        };
        if fs::read(path).is_ok_and(|found| !is_state(found)) {
            return Err(io::Error::other("it is not a file of this program's state"));
        }
        let folder = folder_of(path);
        fs::create_dir_all(folder)?;
        let file = TemporaryFile::new_in(folder)?;
        file.as_file().write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        file.persist(path)
    }

    /// Returns the settings of a file.
    pub fn of(&self, path: &Path) -> Option<&FileUiState> {
        self.files.iter().find(|known| known.path == path)
    }

    /// A file was open last.
    pub fn note(&mut self, file: FileUiState) {
        self.files.retain(|known| known.path != file.path);
        self.files.insert(0, file);
        self.files.truncate(FILES);
    }

    /// Makes a change of the user.
    pub fn apply(&mut self, change: UiStateChange) {
        match change {
            UiStateChange::SaveView(filter) => {
                self.filters.retain(|known| *known != filter);
                self.filters.push(filter);
                let too_many = self.filters.len().saturating_sub(FILTERS);
                self.filters.drain(..too_many);
            }
            UiStateChange::DeleteView(filter) => self.filters.retain(|known| *known != filter),
            UiStateChange::ToggleColumn(name) => self.columns.toggle(name),
            UiStateChange::WidenColumn(name, cells) => self.columns.widen(name, cells),
            UiStateChange::UseCommand(name) => {
                self.recent.retain(|known| *known != name);
                self.recent.insert(0, name);
                self.recent.truncate(RECENT);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ui_state_round_trips() {
        let mut ui_state = UiState::default();
        let sort = Sort { column: SortColumn::Updated, descending: true };
        for number in 0..30 {
            ui_state.note(FileUiState::new(Path::new(&format!("/f{number}")), "type:jira", sort));
        }
        for change in [
            UiStateChange::SaveView("a".to_owned()),
            UiStateChange::SaveView("b".to_owned()),
            UiStateChange::DeleteView("a".to_owned()),
            UiStateChange::ToggleColumn("UPDATED"),
            UiStateChange::WidenColumn("TYPE", 4),
        ] {
            ui_state.apply(change);
        }
        assert_eq!((ui_state.columns.width("TYPE", 14), ui_state.columns.width("MODE", 8)), (18, 8));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.json");
        ui_state.write(&path).expect("written");
        let again = UiState::read(&path);
        assert_eq!(again, ui_state);
        assert_eq!((again.files.len(), again.filters.len()), (FILES, 1));
        assert_eq!(again.of(Path::new("/f29")).map(FileUiState::sort), Some(sort));
        std::fs::write(&path, "{ not JSON").expect("written");
        assert_eq!(UiState::read(&path), UiState::default());
    }
}
