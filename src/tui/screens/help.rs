//! All keys, written from the table of actions.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::filter;
use crate::text::terminal::{fit, width, wrap};
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::ui::Ui;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::theme::Theme;

/// The help, opened from a place, whose keys come first.
#[derive(Debug)]
pub struct State {
    place: KeyContext,
    scroll: Scroll,
}

impl State {
    /// The help of a place.
    pub fn new(place: KeyContext) -> Self {
        Self { place, scroll: Scroll::default() }
    }
}

/// Scrolls; false when the action leaves the help.
pub fn update(state: &mut State, action: Action, size: (usize, usize), ui: Ui) -> bool {
    let lines = lines(state.place, size.0, Ui { theme: Theme::new(false), ..ui }).len();
    state.scroll.act(action, size.1, lines) || !matches!(action, Action::Back | Action::Quit)
}

/// Draws the help.
pub fn view(state: &State, frame: &mut Frame<'_>, area: Rect, ui: Ui) {
    let keys = ui.keys;
    state.scroll.view(lines(state.place, usize::from(area.width), ui), KeyContext::Help, frame, area, keys);
}

fn lines(place: KeyContext, columns: usize, ui: Ui) -> Vec<Line<'static>> {
    let Ui { theme, keys, .. } = ui;
    let cells = columns.saturating_sub(2);
    let others = KeyContext::ALL.into_iter().filter(|other| *other != place);
    let mut lines = Vec::new();
    for place in std::iter::once(place).chain(others) {
        lines.push(Line::styled(format!("keys: {}", place.label()), theme.title()));
        for binding in keys.bindings(place) {
            push_row(&mut lines, &binding.shown_keys(), binding.help, cells, theme);
        }
        lines.push(Line::default());
    }
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
