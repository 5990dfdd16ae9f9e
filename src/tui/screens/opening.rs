//! The opening of the file, with the stages of an upgrade of its schema.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::Screen;
use crate::store::Stage;
use crate::text::terminal::wrap;
use crate::tui::command::Command;
use crate::tui::context::Context;
use crate::tui::keymap::{Action, Key, KeyContext};
use crate::tui::widgets::layout::centered;
use crate::worker::Reply;

/// The file is being opened.
#[derive(Debug)]
pub(super) struct OpeningScreen {
    /// A backup is restored first.
    is_restoring: bool,
    stage: Option<Stage>,
}

impl OpeningScreen {
    /// Returns the screen before the first reply.
    pub(super) fn new(is_restoring: bool) -> Self {
        Self { is_restoring, stage: None }
    }

    fn lines(&self, cells: u16, cx: &Context) -> Vec<Line<'static>> {
        let theme = cx.ui.theme;
        let Some(stage) = &self.stage else {
            let title = if self.is_restoring { "Restoring the backup …" } else { "Opening the file …" };
            return vec![Line::styled(title, theme.title())];
        };
        let mut lines = vec![
            Line::styled("Upgrading the schema of the file", theme.title()),
            Line::default(),
            Line::from(stage.to_string()),
        ];
        if let Stage::Copying { done, total } | Stage::Records { done, total } = stage {
            let room = u64::from(cells.saturating_sub(4).min(50));
            let filled = usize::try_from(done * room / (*total).max(1)).unwrap_or(0);
            let empty = usize::try_from(room).unwrap_or(0).saturating_sub(filled);
            lines.push(Line::from(format!("[{}{}]", "#".repeat(filled), ".".repeat(empty))));
        }
        let promise = format!(
            "A verified backup is made first. All or nothing: {} cancels, and the file stays as it was.",
            cx.key(KeyContext::Connectors, Action::Back)
        );
        lines.push(Line::default());
        lines.extend(wrap(&promise, cells.min(70).into()).into_iter().map(Line::from));
        lines
    }
}

impl Screen for OpeningScreen {
    fn key_context(&self) -> KeyContext {
        KeyContext::Connectors
    }

    fn title(&self) -> &'static str {
        "Connectors"
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        let lines = self.lines(area.width.saturating_sub(4), cx);
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let place = centered(area, area.width.saturating_sub(4).min(70), height);
        frame.render_widget(Paragraph::new(lines), place);
    }

    fn on_action(&mut self, _action: Action, _cx: &Context) -> Option<Vec<Command>> {
        None
    }

    /// Only leaving makes sense; an upgrade undoes itself then.
    fn on_key(&mut self, _key: Key, action: Option<Action>, _cx: &Context) -> Option<Vec<Command>> {
        Some(match action {
            Some(Action::Back | Action::Quit) => vec![Command::CancelJob],
            _ => Vec::new(),
        })
    }

    fn on_reply(&mut self, reply: &Reply, _cx: &Context) -> Vec<Command> {
        if let Reply::Upgrading(stage) = reply {
            self.stage = Some(stage.clone());
        }
        Vec::new()
    }

    /// The footer shows the keys of the list, which cannot be used yet.
    fn total(&self) -> Option<usize> {
        Some(0)
    }
}
