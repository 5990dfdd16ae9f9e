//! A question with a few answers. The first answer is the safe one and has the focus.

use ratatui::Frame;
use ratatui::layout::{Alignment, Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Flow, Overlay};
use crate::text::terminal::{clip, width, wrap};
use crate::tui::command::Command;
use crate::tui::context::Context;
use crate::tui::keymap::{Action, Key, KeyContext};
use crate::tui::ui::Ui;
use crate::tui::widgets::layout::centered;
use crate::tui::widgets::pane::floating;
use crate::tui::widgets::theme::Theme;

/// Lines that a long question is scrolled by: fewer than the smallest screen shows of it.
const SCROLL: usize = 3;

/// The style of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As text.
    Plain,
    /// A removed value; the line begins with `-`.
    Minus,
    /// As something added; the line begins with `+`.
    Plus,
    /// As a head.
    Head,
    /// Secondary text.
    Muted,
}

/// An answer and its commands.
#[derive(Debug)]
struct Choice {
    label: String,
    commands: Vec<Command>,
    is_destructive: bool,
}

/// A question.
#[derive(Debug)]
pub struct Dialog {
    title: String,
    body: Vec<(Tone, String)>,
    choices: Vec<Choice>,
    selected: usize,
    scroll: usize,
    closes_with_job: bool,
}

impl Dialog {
    /// A question whose only answer so far is to do nothing.
    pub fn new(title: impl Into<String>, cancel: &str) -> Self {
        Self {
            title: title.into(),
            body: Vec::new(),
            choices: vec![Choice { label: cancel.to_owned(), commands: Vec::new(), is_destructive: false }],
            selected: 0,
            scroll: 0,
            closes_with_job: false,
        }
    }

    /// Adds a line.
    #[must_use]
    pub fn line(mut self, text: impl Into<String>) -> Self {
        self.body.push((Tone::Plain, text.into()));
        self
    }

    /// Adds lines.
    #[must_use]
    pub fn lines(mut self, lines: impl IntoIterator<Item = (Tone, String)>) -> Self {
        self.body.extend(lines);
        self
    }

    /// Adds an answer.
    #[must_use]
    pub fn choice(mut self, label: impl Into<String>, commands: Vec<Command>) -> Self {
        self.choices.push(Choice { label: label.into(), commands, is_destructive: false });
        self
    }

    /// Adds an answer that destroys something.
    #[must_use]
    pub fn destructive_choice(mut self, label: impl Into<String>, commands: Vec<Command>) -> Self {
        self.choices.push(Choice { label: label.into(), commands, is_destructive: true });
        self
    }

    /// Closes the dialog when the running job ends.
    #[must_use]
    pub fn close_with_job(mut self) -> Self {
        self.closes_with_job = true;
        self
    }

    /// Returns the first line of the text on its last page.
    fn last_scroll(&self, cx: &Context) -> usize {
        let (inner_width, place) = self.place(cx.body(), cx.ui.theme);
        let answers = self.answer_lines(inner_width, cx.ui.theme).len();
        let room = usize::from(place.height.saturating_sub(2)).saturating_sub(answers + 1);
        self.wrapped(inner_width, cx.ui.theme).len().saturating_sub(room)
    }

    /// Closes the dialog with an answer.
    fn answer(&mut self, at: usize) -> Flow {
        self.choices.get_mut(at).map_or_else(Flow::stay, |choice| Flow::Close(std::mem::take(&mut choice.commands)))
    }

    /// Returns the answer at a position.
    fn answer_at(&self, area: Rect, at: Position) -> Option<usize> {
        let theme = Theme::new(false);
        let (inner_width, place) = self.place(area, theme);
        let answers = self.answer_lines(inner_width, theme);
        let first_line = place.bottom().saturating_sub(1 + fit_u16(answers.len()));
        let line = usize::from(at.y.checked_sub(first_line)?);
        let buttons = &answers.get(line)?.spans;
        let total: usize = buttons.iter().map(|button| width(&button.content)).sum();
        // The answers end at the right edge, inside the border.
        let mut end = usize::from(place.right().saturating_sub(2)).saturating_sub(total);
        let before = if answers.len() > 1 { line } else { 0 };
        for (offset, button) in buttons.iter().enumerate() {
            let start = end;
            end += width(&button.content);
            if (start..end).contains(&usize::from(at.x)) {
                return Some(before + offset);
            }
        }
        None
    }

    /// The width inside, and the place on the screen.
    fn place(&self, area: Rect, theme: Theme) -> (usize, Rect) {
        let inner_width = usize::from(area.width).saturating_sub(8).clamp(1, 88);
        let wanted = self.wrapped(inner_width, theme).len() + self.answer_lines(inner_width, theme).len() + 3;
        (inner_width, centered(area, fit_u16(inner_width + 4), fit_u16(wanted)))
    }

    fn draw(&self, frame: &mut Frame<'_>, area: Rect, ui: Ui) {
        let Ui { theme, keys, .. } = ui;
        let (inner_width, place) = self.place(area, theme);
        let body = self.wrapped(inner_width, theme);
        let answers = self.answer_lines(inner_width, theme);
        let inside = floating(&format!(" {} ", clip(&self.title, inner_width)), frame, place, theme);
        let room = usize::from(inside.height).saturating_sub(answers.len() + 1);
        let scroll = self.scroll.min(body.len().saturating_sub(room));
        let mut lines: Vec<Line<'_>> = body.iter().skip(scroll).take(room).cloned().collect();
        if scroll + room < body.len()
            && let Some(last) = lines.last_mut()
        {
            *last = Line::styled(
                format!("… {} for more", keys.key_of(KeyContext::Dialog, Action::PageDown)),
                theme.muted(),
            );
        }
        let pad = Rect { x: inside.x + 1.min(inside.width), width: inside.width.saturating_sub(2), ..inside };
        frame.render_widget(Paragraph::new(lines), pad);
        let height = fit_u16(answers.len()).min(pad.height);
        let foot = Rect { y: pad.bottom().saturating_sub(height), height, ..pad };
        frame.render_widget(Paragraph::new(answers).alignment(Alignment::Right), foot);
    }

    fn wrapped(&self, cells: usize, theme: Theme) -> Vec<Line<'static>> {
        self.body
            .iter()
            .flat_map(|(tone, text)| {
                let style = tone.style(theme);
                wrap(text, cells).into_iter().map(move |line| Line::styled(line, style))
            })
            .collect()
    }

    /// Lays the answers out in a row, or in a column if there is no room.
    fn answer_lines(&self, cells: usize, theme: Theme) -> Vec<Line<'static>> {
        let buttons: Vec<Span<'static>> = self
            .choices
            .iter()
            .enumerate()
            .map(|(at, choice)| {
                let chosen = at == self.selected;
                let text = if chosen { format!("[ {} ]", choice.label) } else { format!("  {}  ", choice.label) };
                let style = if choice.is_destructive { theme.bad() } else { theme.text() };
                Span::styled(clip(&text, cells), if chosen { style.patch(theme.selected()) } else { style })
            })
            .collect();
        if buttons.iter().map(|button| width(&button.content)).sum::<usize>() <= cells {
            return vec![Line::from(buttons)];
        }
        buttons.into_iter().map(Line::from).collect()
    }
}

impl Overlay for Dialog {
    fn title(&self) -> &str {
        &self.title
    }

    fn key_context(&self) -> KeyContext {
        KeyContext::Dialog
    }

    fn on_key(&mut self, _key: Key, action: Option<Action>, cx: &Context) -> Flow {
        let count = self.choices.len();
        match action {
            Some(Action::Right) => self.selected = (self.selected + 1) % count,
            Some(Action::Left) => self.selected = (self.selected + count - 1) % count,
            Some(Action::PageDown) => self.scroll = (self.scroll + SCROLL).min(self.last_scroll(cx)),
            Some(Action::PageUp) => self.scroll = self.scroll.saturating_sub(SCROLL),
            Some(Action::Confirm) => return self.answer(self.selected),
            Some(Action::No) => return self.answer(0),
            // With several answers that act, the user has to look which one it is.
            Some(Action::Yes) if count <= 2 => return self.answer(count - 1),
            Some(Action::Back) => return Flow::close(),
            _ => {}
        }
        Flow::stay()
    }

    fn on_click(&mut self, at: Position, area: Rect) -> Flow {
        self.answer_at(area, at).map_or_else(Flow::stay, |answer| self.answer(answer))
    }

    fn closes_with_job(&self) -> bool {
        self.closes_with_job
    }

    fn shows(&self, action: Action) -> bool {
        match action {
            Action::Right | Action::No => self.choices.len() > 1,
            Action::Yes => self.choices.len() == 2,
            _ => true,
        }
    }

    /// Draws the question in the middle of `area`.
    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        self.draw(frame, area, cx.ui);
    }
}

impl Tone {
    /// Returns the style.
    pub fn style(self, theme: Theme) -> Style {
        match self {
            Tone::Plain => theme.text(),
            Tone::Minus => theme.bad(),
            Tone::Plus => theme.good(),
            Tone::Head => theme.accent(),
            Tone::Muted => theme.muted(),
        }
    }
}

fn fit_u16(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// Returns the lines of a diff: each field with its removed and added value.
pub fn change_lines(changes: &[crate::domain::diff::Change]) -> Vec<(Tone, String)> {
    let mut lines = Vec::new();
    for change in changes {
        lines.push((Tone::Head, change.field.clone()));
        for (tone, sign, value) in [(Tone::Minus, '-', &change.before), (Tone::Plus, '+', &change.after)] {
            lines.push((tone, format!("  {sign} {}", value.as_deref().unwrap_or("(none)"))));
        }
    }
    lines
}
