//! A frame with a title, and what belongs into its border.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Borders, Clear, Paragraph};

use crate::text::terminal::clip;
use crate::tui::widgets::theme::Theme;

/// A lower pane has no room for a lower border.
const LOWEST: u16 = 8;

/// A pane.
#[derive(Debug, Default)]
pub struct Pane {
    title: String,
    right: Vec<Span<'static>>,
    bottom: String,
    is_focused: bool,
}

impl Pane {
    /// Returns a pane with a title.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Gives the pane the colour of the focus.
    #[must_use]
    pub fn focused(mut self) -> Self {
        self.is_focused = true;
        self
    }

    /// Adds what stands at the right end of the upper border.
    #[must_use]
    pub fn right(mut self, spans: Vec<Span<'static>>) -> Self {
        self.right = spans;
        self
    }

    /// Adds a text at the right end of the lower border.
    #[must_use]
    pub fn bottom(mut self, text: impl Into<String>) -> Self {
        self.bottom = text.into();
        self
    }

    /// Draws the frame, and returns the room inside.
    pub fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: Theme) -> Rect {
        let style = if self.is_focused { theme.focus() } else { theme.border() };
        let cells = usize::from(area.width.saturating_sub(4));
        let taken: usize = self.right.iter().map(Span::width).sum();
        let room = if taken > 0 { cells.saturating_sub(taken + 2) } else { cells };
        let block = Block::new().borders(borders(area)).border_type(BorderType::Rounded).border_style(style);
        let block = if room > 0 && !self.title.is_empty() {
            block.title(Span::styled(format!(" {} ", clip(&self.title, room.saturating_sub(2))), theme.title()))
        } else {
            block
        };
        let block = if taken > 0 && taken <= cells {
            let mut spans = vec![Span::raw(" ")];
            spans.extend(self.right.iter().cloned());
            spans.push(Span::raw(" "));
            block.title(Line::from(spans).alignment(Alignment::Right))
        } else {
            block
        };
        let block = if self.bottom.is_empty() || area.height < LOWEST {
            block
        } else {
            block.title_bottom(
                Line::styled(format!(" {} ", clip(&self.bottom, cells)), theme.muted()).alignment(Alignment::Right),
            )
        };
        let inside = block.inner(area);
        frame.render_widget(block, area);
        inside
    }
}

/// Draws the frame of an overlay over what lies below, and returns the room inside.
pub fn floating(title: &str, frame: &mut Frame<'_>, place: Rect, theme: Theme) -> Rect {
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme.focus())
        .title(Span::styled(title.to_owned(), theme.title()));
    let inside = block.inner(place);
    frame.render_widget(Clear, place);
    frame.render_widget(block, place);
    inside
}

/// Returns the room inside a pane.
pub fn inside(area: Rect) -> Rect {
    Block::new().borders(borders(area)).inner(area)
}

/// Returns an area without its first and last column.
pub fn padded(area: Rect) -> Rect {
    Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area }
}

/// Returns the number of cells for the text in a padded pane.
pub fn text_cells(area: Rect) -> usize {
    padded(inside(area)).width.into()
}

fn borders(area: Rect) -> Borders {
    if area.height < LOWEST { Borders::TOP } else { Borders::ALL }
}

/// Draws the thumb of a scroll bar in the right border of a pane whose inside shows some of the rows.
pub fn thumb(frame: &mut Frame<'_>, inside: Rect, top: usize, total: usize, style: Style) {
    let height = usize::from(inside.height);
    let x = inside.right();
    if total <= height || height == 0 || x >= frame.area().right() {
        return;
    }
    let length = (height * height / total).max(1);
    let range = total - height;
    let start = (height - length) * top.min(range) / range;
    let area = Rect {
        x,
        y: inside.y + u16::try_from(start).unwrap_or(0),
        width: 1,
        height: u16::try_from(length).unwrap_or(1),
    };
    let bar: Vec<Line<'_>> = (0..length).map(|_| Line::styled("┃", style)).collect();
    frame.render_widget(Paragraph::new(bar), area);
}
