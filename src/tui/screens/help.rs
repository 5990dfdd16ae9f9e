//! All keys, written from the table of actions.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Screen;
use super::connectors::columns::BADGES;
use crate::domain::filter;
use crate::text::terminal::{fit, width, wrap};
use crate::tui::command::Command;
use crate::tui::context::Context;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::ui::Ui;
use crate::tui::widgets::pane::text_cells;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::theme::Theme;

/// The help, opened from a place, whose keys come first.
#[derive(Debug)]
pub(super) struct HelpScreen {
    place: KeyContext,
    scroll: Scroll,
}

impl HelpScreen {
    /// Returns the help of a place.
    pub(super) fn new(place: KeyContext) -> Self {
        Self { place, scroll: Scroll::default() }
    }
}

impl Screen for HelpScreen {
    fn key_context(&self) -> KeyContext {
        KeyContext::Help
    }

    fn title(&self) -> &'static str {
        "Keys"
    }

    fn on_action(&mut self, action: Action, cx: &Context) -> Option<Vec<Command>> {
        let body = cx.body();
        let lines = lines(self.place, text_cells(body), Ui { theme: Theme::new(false), ..cx.ui }).len();
        self.scroll.act(action, body, lines).then(Vec::new)
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        let lines = lines(self.place, text_cells(area), cx.ui);
        self.scroll.view("Keyboard shortcuts", lines, frame, area, cx.ui.theme);
    }
}

fn lines(place: KeyContext, columns: usize, ui: Ui) -> Vec<Line<'static>> {
    let Ui { theme, keys, .. } = ui;
    let cells = columns;
    let others = KeyContext::ALL.iter().copied().filter(|other| *other != place);
    let mut lines = Vec::new();
    for place in std::iter::once(place).chain(others) {
        lines.push(Line::styled(format!("keys: {}", place.label()), theme.title()));
        for binding in keys.bindings(place) {
            push_row(&mut lines, &binding.shown_keys(), binding.help, cells, theme);
        }
        lines.push(Line::default());
    }
    lines.push(Line::styled("flags", theme.title()));
    for (flag, letter, meaning) in BADGES {
        push_row(&mut lines, &format!("{letter}  {flag}"), meaning, cells, theme);
    }
    lines.push(Line::default());
    lines.push(Line::styled("filter", theme.title()));
    push_row(&mut lines, "word", "in name, id or type; all words must match", cells, theme);
    push_row(&mut lines, "\"a phrase\"", "words with blanks between", cells, theme);
    for (key, what) in filter::TERMS {
        push_row(&mut lines, key, what, cells, theme);
    }
    push_row(&mut lines, "-term", "not that", cells, theme);
    lines
}

/// The width of the keys; a longer list gets its own line.
const KEYS: usize = 18;

fn push_row(lines: &mut Vec<Line<'static>>, left: &str, right: &str, cells: usize, theme: Theme) {
    let indent = KEYS.min(cells / 2);
    let is_long = width(left) + 2 > indent;
    if is_long {
        lines.push(Line::styled(format!("  {left}"), theme.accent()));
    }
    for (at, part) in wrap(right, cells.saturating_sub(indent + 2)).into_iter().enumerate() {
        let left = if at == 0 && !is_long { left } else { "" };
        lines.push(Line::from(vec![
            Span::styled(format!("  {}", fit(left, indent)), theme.accent()),
            Span::styled(part, theme.text()),
        ]));
    }
}
