//! The keys of a screen, written from the table of actions: searched, and run from here.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Screen;
use super::connectors::columns::BADGES;
use crate::domain::filter;
use crate::text::terminal::{fit, width, wrap};
use crate::tui::command::Command;
use crate::tui::context::Context;
use crate::tui::keymap::{Action, Binding, Key, KeyContext};
use crate::tui::widgets::input::{TextInput, TooLong};
use crate::tui::widgets::list::Cursor;
use crate::tui::widgets::pane::{Pane, inside, padded, text_cells, thumb};
use crate::tui::widgets::theme::Theme;

/// The help, opened from a place, whose keys come first.
#[derive(Debug)]
pub(super) struct HelpScreen {
    place: KeyContext,
    /// The keys of the other screens are shown too.
    shows_all: bool,
    search: TextInput,
    typing: bool,
    /// The selected entry among those that are found.
    cursor: Cursor,
}

/// An entry of the help.
struct Entry {
    section: String,
    left: String,
    right: String,
    /// What it is found by, in addition.
    keywords: &'static str,
    /// What Enter runs.
    action: Option<Action>,
}

impl Entry {
    fn of_binding(context: KeyContext, place: KeyContext, binding: &Binding) -> Self {
        let moving = if binding.action.is_navigation() { ", moving" } else { "" };
        Self {
            section: format!("{}{moving}", context.label()),
            left: binding.shown_keys(),
            right: binding.help.to_owned(),
            keywords: binding.action.aliases(),
            action: (context == place).then_some(binding.action),
        }
    }

    fn of_text(section: &str, left: impl Into<String>, right: &str) -> Self {
        let (section, right) = (section.to_owned(), right.to_owned());
        Self { section, left: left.into(), right, keywords: "", action: None }
    }

    fn is_found(&self, words: &[String]) -> bool {
        let text = filter::fold(&format!("{} {} {} {}", self.section, self.left, self.right, self.keywords));
        words.iter().all(|word| text.contains(word))
    }

    /// Returns the lines of the entry.
    fn lines(&self, is_selected: bool, cells: usize, theme: Theme) -> Vec<Line<'static>> {
        let indent = KEYS.min(cells / 2);
        let is_long = width(&self.left) + 2 > indent;
        let sign = if is_selected { "> " } else { "  " };
        let mut lines = Vec::new();
        if is_long {
            lines.push(Line::styled(format!("{sign}{}", self.left), theme.accent()));
        }
        for (at, part) in wrap(&self.right, cells.saturating_sub(indent + 2)).into_iter().enumerate() {
            let is_first = at == 0 && !is_long;
            let (sign, left) = if is_first { (sign, self.left.as_str()) } else { ("  ", "") };
            lines.push(Line::from(vec![
                Span::styled(format!("{sign}{}", fit(left, indent)), theme.accent()),
                Span::styled(part, theme.text()),
            ]));
        }
        if is_selected {
            // One calm bar: colours of cells would break a reversed row into pieces.
            lines = lines.iter().map(|line| Line::styled(fit(&line.to_string(), cells), theme.selected())).collect();
        }
        lines
    }
}

/// The width of the keys; a longer list gets its own line.
const KEYS: usize = 18;

impl HelpScreen {
    /// Returns the help of a place.
    pub(super) fn new(place: KeyContext) -> Self {
        Self { place, shows_all: false, search: TextInput::default(), typing: false, cursor: Cursor::default() }
    }

    /// Returns the entries that hold all words of the search.
    fn entries(&self, cx: &Context) -> Vec<Entry> {
        let words: Vec<String> = filter::fold(self.search.text()).split_whitespace().map(str::to_owned).collect();
        let others = KeyContext::ALL.iter().copied().filter(|other| *other != self.place && self.shows_all);
        let mut entries = Vec::new();
        for context in std::iter::once(self.place).chain(others) {
            let bindings: Vec<&Binding> = cx.ui.keys.bindings(context).collect();
            let (moving, acting): (Vec<&Binding>, Vec<&Binding>) =
                bindings.into_iter().partition(|binding| binding.action.is_navigation());
            let all = acting.into_iter().chain(moving);
            entries.extend(all.map(|binding| Entry::of_binding(context, self.place, binding)));
        }
        entries.extend(
            BADGES.map(|(flag, letter, meaning)| Entry::of_text("flags", format!("{letter}  {flag}"), meaning)),
        );
        entries.push(Entry::of_text("filter", "word", "in name, id or type; all words must match"));
        entries.push(Entry::of_text("filter", "\"a phrase\"", "words with blanks between"));
        entries.extend(filter::TERMS.iter().map(|(key, what)| Entry::of_text("filter", *key, what)));
        entries.push(Entry::of_text("filter", "-term", "not that"));
        entries.retain(|entry| entry.is_found(&words));
        entries
    }

    /// Leaves the help and runs the selected entry.
    fn run(&self, cx: &Context) -> Vec<Command> {
        let entries = self.entries(cx);
        match entries.get(self.cursor.row.min(entries.len().saturating_sub(1))).map(|entry| entry.action) {
            Some(Some(action)) => vec![Command::Back, Command::RunAction(action)],
            _ => vec![Command::info("Only keys of the screen below can be run from here")],
        }
    }

    fn right(&self, cells: usize, found: usize, theme: Theme) -> Vec<Span<'static>> {
        let mut spans = Vec::new();
        if self.typing || !self.search.text().is_empty() {
            spans.push(Span::styled("/", theme.accent()));
            let typed = self.search.view(cells / 3, 1, self.typing, theme);
            spans.extend(typed.into_iter().flat_map(|line| line.spans));
            spans.push(Span::raw("  "));
        }
        spans.push(Span::styled(format!("{found} found"), theme.muted()));
        spans
    }
}

impl Screen for HelpScreen {
    fn key_context(&self) -> KeyContext {
        if self.typing { KeyContext::Input } else { KeyContext::Help }
    }

    fn title(&self) -> &'static str {
        "Keys"
    }

    fn subject(&self) -> Option<String> {
        Some(self.place.label().to_owned())
    }

    fn on_key(&mut self, key: Key, action: Option<Action>, cx: &Context) -> Option<Vec<Command>> {
        use crossterm::event::KeyCode::{Down, Up};
        if !self.typing {
            return None;
        }
        match (action, key.code) {
            (Some(Action::Back), _) => (self.typing, self.search) = (false, TextInput::default()),
            (Some(Action::Confirm), _) => self.typing = false,
            (_, Down) => return self.on_action(Action::Down, cx),
            (_, Up) => return self.on_action(Action::Up, cx),
            _ => {
                self.search.key(key);
                self.cursor = Cursor::default();
            }
        }
        Some(Vec::new())
    }

    fn on_paste(&mut self, text: &str) -> Option<Result<Vec<Command>, TooLong>> {
        self.typing.then(|| self.search.insert(text).map(|()| Vec::new()))
    }

    fn on_action(&mut self, action: Action, cx: &Context) -> Option<Vec<Command>> {
        let total = self.entries(cx).len();
        if self.cursor.act(action, total, inside(cx.body()).height.into()) {
            return Some(Vec::new());
        }
        match action {
            Action::Open => return Some(self.run(cx)),
            Action::Filter => self.typing = true,
            Action::NextGroup => self.shows_all = !self.shows_all,
            Action::Back if !self.search.text().is_empty() => self.search = TextInput::default(),
            _ => return None,
        }
        Some(Vec::new())
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        let theme = cx.ui.theme;
        let entries = self.entries(cx);
        let current = self.cursor.row.min(entries.len().saturating_sub(1));
        let (mut lines, mut selected) = (Vec::new(), 0..0);
        let mut section = "";
        for (at, entry) in entries.iter().enumerate() {
            if entry.section != section {
                if at > 0 {
                    lines.push(Line::default());
                }
                lines.push(Line::styled(entry.section.clone(), theme.title()));
                section = &entry.section;
            }
            let first = lines.len();
            lines.extend(entry.lines(at == current, text_cells(area), theme));
            if at == current {
                selected = first..lines.len();
            }
        }
        if lines.is_empty() {
            lines.push(Line::from("No key or term has these words."));
        }
        let total = lines.len();
        let title = if self.shows_all { "Keyboard shortcuts of all screens" } else { "Keyboard shortcuts" };
        let right = self.right(area.width.into(), entries.len(), theme);
        let room = Pane::new(title).focused().right(right).view(frame, area, theme);
        let height = usize::from(room.height);
        // The head of the first section stays in view with its first entry.
        let first = if current == 0 { 0 } else { selected.end.saturating_sub(height).min(selected.start) };
        let shown: Vec<Line<'_>> = lines.into_iter().skip(first).take(height).collect();
        frame.render_widget(Paragraph::new(shown), padded(room));
        thumb(frame, room, first, total, theme.focus());
    }
}
