//! The messages that were shown since the start, the newest first.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Screen;
use crate::text::terminal::wrap;
use crate::text::time::age_of;
use crate::tui::command::Command;
use crate::tui::context::Context;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::widgets::pane::text_cells;
use crate::tui::widgets::scroll::Scroll;

/// The room for the age of a message.
const AGE: usize = 6;

/// The list of messages.
#[derive(Debug, Default)]
pub(super) struct MessagesScreen {
    scroll: Scroll,
}

fn lines(cx: &Context, cells: usize) -> Vec<Line<'static>> {
    let theme = cx.ui.theme;
    if cx.messages.is_empty() {
        return vec![Line::styled("No message has been shown yet.", theme.muted())];
    }
    let room = cells.saturating_sub(AGE);
    let mut lines = Vec::new();
    for message in cx.messages.iter().rev() {
        for (at, text) in wrap(&message.shown(), room).into_iter().enumerate() {
            let age = if at == 0 { age_of(message.at, cx.now) } else { String::new() };
            lines.push(Line::from(vec![
                Span::styled(format!("{age:<AGE$}"), theme.muted()),
                Span::styled(text, message.severity.style(theme)),
            ]));
        }
    }
    lines
}

impl Screen for MessagesScreen {
    fn key_context(&self) -> KeyContext {
        KeyContext::Messages
    }

    fn title(&self) -> &'static str {
        "Messages"
    }

    fn on_action(&mut self, action: Action, cx: &Context) -> Option<Vec<Command>> {
        let body = cx.body();
        self.scroll.act(action, body, lines(cx, text_cells(body)).len()).then(Vec::new)
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        self.scroll.view("Messages, the newest first", lines(cx, text_cells(area)), frame, area, cx.ui.theme);
    }
}
