//! The backups of the file: when each was created and why; creating and restoring one.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::Paragraph;

use super::command::{Command, Route};
use crate::store::Backup;
use crate::text::size::bytes_text;
use crate::text::time::age_of;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::overlays::dialog::Dialog;
use crate::tui::ui::Ui;
use crate::tui::widgets::list_state::{Column, ListState, Shown};
use crate::tui::widgets::theme::Theme;
use crate::worker::FileJob;

/// The backups, once they are read.
#[derive(Debug, Default)]
pub struct State {
    /// The newest first; none before they have come.
    pub backups: Option<Vec<Backup>>,
    list: ListState,
}

impl State {
    fn backups(&self) -> &[Backup] {
        self.backups.as_deref().unwrap_or_default()
    }
}

/// Handles an action.
pub fn update(state: &mut State, action: Action, height: usize) -> Vec<Command> {
    let total = state.backups().len();
    if state.list.act(action, total, height) {
        return Vec::new();
    }
    match (action, state.backups().get(state.list.at(total))) {
        (Action::CreateBackup, _) => vec![Command::write(FileJob::CreateBackup, "creating a backup")],
        (Action::Restore, Some(backup)) => vec![confirm_restore(backup)],
        (Action::Back | Action::Quit, _) => vec![Command::Route(Route::Back)],
        _ => Vec::new(),
    }
}

fn confirm_restore(backup: &Backup) -> Command {
    let name = backup.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Command::OpenDialog(Box::new(
        Dialog::new("Restore a backup", "Cancel")
            .line(format!("Restore {name}? All connectors, decisions and the history become what they were then."))
            .line("The backup is checked first, and the file as it is now is kept next to it.")
            .choice("Restore", vec![Command::Reopen(Some(backup.path.clone()))]),
    ))
}

/// Draws the backups.
pub fn view(state: &State, frame: &mut Frame<'_>, area: Rect, now: Timestamp, ui: Ui) {
    let Ui { theme, keys, .. } = ui;
    let backups = state.backups();
    if backups.is_empty() {
        let text = match state.backups {
            None => "  loading …".to_owned(),
            Some(_) => {
                let key = keys.key_of(KeyContext::Backups, Action::CreateBackup);
                format!("  No backups of this file yet.\n\n  {key}  create one now")
            }
        };
        frame.render_widget(Paragraph::new(text), area);
        return;
    }
    let columns: &[Column] = if area.width >= 60 {
        &[Column("AGE", 4), Column("SIZE", 8), Column("REASON", 22), Column("FILE", 0)]
    } else {
        &[Column("AGE", 4), Column("SIZE", 8), Column("REASON", 0)]
    };
    let row = |at: usize| backups.get(at).map_or_else(Vec::new, |backup| cells(backup, now, theme));
    state.list.view(columns, backups.len(), row, frame, area, theme);
}

fn cells(backup: &Backup, now: Timestamp, theme: Theme) -> Vec<Shown> {
    let made_at = backup.made_at.and_then(|time| Timestamp::try_from(time).ok());
    vec![
        (made_at.map_or_else(|| "?".to_owned(), |time| age_of(time, now)), theme.muted()),
        (bytes_text(backup.bytes), theme.text()),
        (backup.kind.label().to_owned(), theme.accent()),
        (backup.path.file_name().unwrap_or_default().to_string_lossy().into_owned(), theme.text()),
    ]
}
