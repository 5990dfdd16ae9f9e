//! A searchable list: type to search, Enter to choose. The command palette and all menus use it.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Flow, Overlay};
use crate::text::capitalized;
use crate::text::terminal::{clip, fit, width};
use crate::tui::command::Command;
use crate::tui::context::Context;
use crate::tui::keymap::{Action, Key, KeyContext};
use crate::tui::widgets::input::{TextInput, TooLong};
use crate::tui::widgets::layout::{centered, cut_top};
use crate::tui::widgets::matcher::{Searched, ranked};
use crate::tui::widgets::pane::floating;
use crate::tui::widgets::theme::Theme;

/// One thing to choose.
#[derive(Debug)]
pub struct Item {
    /// The label.
    pub label: String,
    /// Secondary text: keys, a value.
    pub detail: String,
    /// Other words that it is found by.
    pub keywords: String,
    /// Why it is unavailable.
    pub blocked: Option<String>,
    /// The commands.
    pub commands: Vec<Command>,
}

impl Item {
    /// Something that can be had.
    pub fn new(label: impl Into<String>, detail: impl Into<String>, commands: Vec<Command>) -> Self {
        Self { label: label.into(), detail: detail.into(), keywords: String::new(), blocked: None, commands }
    }
}

impl Item {
    /// Adds words that it is found by.
    #[must_use]
    pub fn keywords(mut self, keywords: &str) -> Self {
        keywords.clone_into(&mut self.keywords);
        self
    }
}

/// The list.
#[derive(Debug)]
pub struct Menu {
    title: String,
    items: Vec<Item>,
    /// The commands when it is closed without a choice.
    cancel: Vec<Command>,
    /// Makes the items again after a choice, which leaves the menu open.
    source: Option<fn(&Context) -> Vec<Item>>,
    search: TextInput,
    selected: usize,
}

/// Rows that a page moves by.
const PAGE: usize = 10;

impl Menu {
    /// A list with a title.
    pub fn new(title: impl Into<String>, items: Vec<Item>) -> Self {
        Self { title: title.into(), items, cancel: Vec::new(), source: None, search: TextInput::default(), selected: 0 }
    }

    /// Returns a menu that stays open after a choice, with items that show what has changed.
    pub fn checklist(title: impl Into<String>, source: fn(&Context) -> Vec<Item>, cx: &Context) -> Self {
        Self { source: Some(source), ..Self::new(title, source(cx)) }
    }

    /// Sets the commands that follow when the menu is closed without a choice.
    #[must_use]
    pub fn on_cancel(mut self, commands: Vec<Command>) -> Self {
        self.cancel = commands;
        self
    }

    /// Returns the items that match every typed word, the best match first.
    fn found(&self) -> Vec<&Item> {
        let places = self.found_places();
        places.into_iter().filter_map(|at| self.items.get(at)).collect()
    }

    fn found_places(&self) -> Vec<usize> {
        let searched = |item: &'_ Item| (item.label.clone(), format!("{} {}", item.keywords, item.detail));
        let texts: Vec<(String, String)> = self.items.iter().map(searched).collect();
        ranked(texts.iter().map(|(label, keywords)| Searched { label, keywords }), self.search.text())
    }

    fn move_by(&mut self, action: Action) {
        self.selected = moved(self.selected, action, self.found_places().len().saturating_sub(1));
    }

    fn choose(&mut self) -> Flow {
        let chosen = self.found_places().get(self.selected).copied();
        let Some(item) = chosen.and_then(|at| self.items.get_mut(at)) else { return Flow::stay() };
        let commands = match &item.blocked {
            Some(reason) => vec![Command::info(capitalized(reason))],
            None => std::mem::take(&mut item.commands),
        };
        if self.source.is_some() { Flow::Stay(commands) } else { Flow::Close(commands) }
    }

    fn place(&self, area: Rect) -> Rect {
        let wanted = u16::try_from(self.items.len()).unwrap_or(u16::MAX).saturating_add(4);
        centered(area, 90, wanted.clamp(4, area.height.saturating_sub(2).max(4)))
    }

    /// Rows that lie above the window, and how many it shows.
    fn window(&self, found: &[&Item], height: usize) -> (usize, usize) {
        // The reason of an unavailable item is shown below the list.
        let is_blocked = found.get(self.selected).is_some_and(|item| item.blocked.is_some());
        let height = height.saturating_sub(usize::from(is_blocked));
        ((self.selected + 1).saturating_sub(height.max(1)), height)
    }

    /// Highlights the row at a position. Returns false if no row is there.
    fn select_at(&mut self, area: Rect, at: Position) -> bool {
        let place = self.place(area);
        let list = Rect {
            x: place.x + 1,
            y: place.y + 2,
            width: place.width.saturating_sub(2),
            height: place.height.saturating_sub(3),
        };
        let found = self.found();
        let (first, height) = self.window(&found, usize::from(list.height));
        let row = first + usize::from(at.y.saturating_sub(list.y));
        let is_row = list.contains(at) && row < found.len().min(first + height);
        if is_row {
            self.selected = row;
        }
        is_row
    }

    fn draw(&self, frame: &mut Frame<'_>, area: Rect, theme: Theme) {
        let place = self.place(area);
        let title = format!(" {}: type to search ", clip(&self.title, 50));
        let inside = floating(&title, frame, place, theme);
        let (search, list) = cut_top(inside, 1);
        let mut line = vec![Span::styled("/", theme.accent())];
        let typed = self.search.view(usize::from(search.width).saturating_sub(1), 1, true, theme);
        line.extend(typed.into_iter().flat_map(|line| line.spans));
        frame.render_widget(Paragraph::new(Line::from(line)), search);
        let (height, cells) = (usize::from(list.height), usize::from(list.width));
        let found = self.found();
        if found.is_empty() {
            return frame.render_widget(Paragraph::new("No match"), list);
        }
        let reason = found.get(self.selected).and_then(|item| item.blocked.as_ref());
        let (first, height) = self.window(&found, height);
        let rows = found.iter().enumerate().skip(first).take(height);
        let mut lines: Vec<Line<'_>> = rows.map(|(at, item)| row(item, at == self.selected, cells, theme)).collect();
        lines.extend(reason.map(|reason| Line::styled(clip(&format!("  not now: {reason}"), cells), theme.warning())));
        frame.render_widget(Paragraph::new(lines), list);
    }
}

impl Overlay for Menu {
    fn title(&self) -> &str {
        &self.title
    }

    fn key_context(&self) -> KeyContext {
        KeyContext::Picker
    }

    fn on_key(&mut self, key: Key, action: Option<Action>, _cx: &Context) -> Flow {
        match action {
            Some(Action::Back) => return Flow::Close(std::mem::take(&mut self.cancel)),
            Some(Action::Confirm) => return self.choose(),
            Some(action) => self.move_by(action),
            None => {
                if self.search.key(key) {
                    self.selected = 0;
                }
            }
        }
        Flow::stay()
    }

    fn on_paste(&mut self, text: &str) -> Result<Flow, TooLong> {
        self.selected = 0;
        self.search.insert(text)?;
        Ok(Flow::stay())
    }

    fn on_click(&mut self, at: Position, area: Rect) -> Flow {
        if self.select_at(area, at) { self.choose() } else { Flow::stay() }
    }

    fn on_wheel(&mut self, action: Action) {
        self.move_by(action);
    }

    fn settle(&mut self, cx: &Context) {
        if let Some(source) = self.source {
            self.items = source(cx);
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        self.draw(frame, area, cx.ui.theme);
    }
}

/// Returns the new position in a list with this last row.
pub fn moved(selected: usize, action: Action, last: usize) -> usize {
    match action {
        Action::Down => (selected + 1).min(last),
        Action::Up => selected.saturating_sub(1),
        Action::PageDown => (selected + PAGE).min(last),
        Action::PageUp => selected.saturating_sub(PAGE),
        _ => selected,
    }
}

fn row(item: &Item, is_selected: bool, cells: usize, theme: Theme) -> Line<'static> {
    let sign = if is_selected { "> " } else { "  " };
    let detail = clip(&item.detail, cells / 3);
    let room = cells.saturating_sub(width(&detail) + 4);
    let label = if item.blocked.is_some() { format!("({})", item.label) } else { item.label.clone() };
    let spans = [
        Span::raw(sign),
        Span::styled(fit(&label, room), theme.text()),
        Span::raw("  "),
        Span::styled(detail, if is_selected { theme.text() } else { theme.accent() }),
    ];
    let line = Line::from(spans.to_vec());
    if is_selected { line.patch_style(theme.selected()) } else { line }
}

#[cfg(test)]
impl Menu {
    /// Returns the labels of the items that match a text, the best match first.
    pub fn found_labels(&mut self, typed: &str) -> Vec<String> {
        self.search = TextInput::new(typed);
        self.found().into_iter().map(|item| item.label.clone()).collect()
    }
}
