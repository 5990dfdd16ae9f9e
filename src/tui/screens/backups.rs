//! The backups of the file: when each was created and why; creating and restoring one.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::Paragraph;

use super::Screen;
use crate::fs::paths::file_name;
use crate::store::Backup;
use crate::text::size::bytes_text;
use crate::text::time::age_of;
use crate::tui::command::Command;
use crate::tui::context::Context;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::overlays::Dialog;
use crate::tui::widgets::list::{Click, Column, MemoryList, Rows, Shown};
use crate::tui::widgets::theme::Theme;
use crate::worker::{FileJob, Query, Reply};

/// The backups, once they are read.
#[derive(Debug, Default)]
pub(super) struct BackupsScreen {
    /// The newest first; none before they have come.
    backups: Option<Vec<Backup>>,
    list: MemoryList,
}

impl BackupsScreen {
    fn backups(&self) -> &[Backup] {
        self.backups.as_deref().unwrap_or_default()
    }

    fn current(&self) -> Option<&Backup> {
        self.backups().get(self.list.at(self.backups().len()))
    }
}

impl Screen for BackupsScreen {
    fn key_context(&self) -> KeyContext {
        KeyContext::Backups
    }

    fn title(&self) -> &'static str {
        "Backups"
    }

    fn queries(&mut self) -> Vec<Query> {
        vec![Query::Backups]
    }

    fn on_reply(&mut self, reply: &Reply, _cx: &Context) -> Vec<Command> {
        if let Reply::Backups(found) = reply {
            self.backups = Some(found.clone());
        }
        Vec::new()
    }

    fn is_waiting(&self) -> bool {
        self.backups.is_none()
    }

    fn total(&self) -> Option<usize> {
        Some(self.backups().len())
    }

    fn on_action(&mut self, action: Action, cx: &Context) -> Option<Vec<Command>> {
        let total = self.backups().len();
        if self.list.act(action, total, cx.body()) {
            return Some(Vec::new());
        }
        match (action, self.current()) {
            (Action::CreateBackup, _) => Some(vec![Command::write(FileJob::CreateBackup, "creating a backup")]),
            (Action::Restore, Some(backup)) => Some(vec![confirm_restore(backup)]),
            _ => None,
        }
    }

    fn on_click(&mut self, at: Position, cx: &Context) -> Vec<Command> {
        match self.list.click(at, self.backups().len(), cx.body()) {
            Click::Current(_) => vec![Command::RunAction(Action::Restore)],
            _ => Vec::new(),
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        let backups = self.backups();
        if backups.is_empty() {
            let text = match self.backups {
                None => "  loading …".to_owned(),
                Some(_) => {
                    let key = cx.key(KeyContext::Backups, Action::CreateBackup);
                    format!("  No backups of this file yet.\n\n  {key}  create one now")
                }
            };
            return frame.render_widget(Paragraph::new(text), area);
        }
        let mut columns = vec![Column::new("AGE", 4), Column::new("SIZE", 8)];
        if area.width >= 60 {
            columns.extend([Column::new("REASON", 22), Column::new("FILE", 0)]);
        } else {
            columns.push(Column::new("REASON", 0));
        }
        let theme = cx.ui.theme;
        let cells = |at: usize| backups.get(at).map_or_else(Vec::new, |backup| cells(backup, cx.now, theme));
        self.list.view(&columns, Rows { title: "Backups", total: backups.len(), cells: &cells }, frame, area, theme);
    }
}

fn confirm_restore(backup: &Backup) -> Command {
    let name = file_name(&backup.path);
    Command::dialog(
        Dialog::new("Restore a backup", "Cancel")
            .line(format!("Restore {name}? All connectors, decisions and the history become what they were then."))
            .line("The backup is checked first, and the file as it is now is kept next to it.")
            .destructive_choice("Restore", vec![Command::Reopen(Some(backup.path.clone()))]),
    )
}

fn cells(backup: &Backup, now: Timestamp, theme: Theme) -> Vec<Shown> {
    let made_at = backup.made_at.and_then(|time| Timestamp::try_from(time).ok());
    vec![
        (made_at.map_or_else(|| "?".to_owned(), |time| age_of(time, now)), theme.muted()),
        (bytes_text(backup.bytes), theme.text()),
        (backup.kind.label().to_owned(), theme.accent()),
        (file_name(&backup.path), theme.text()),
    ]
}
