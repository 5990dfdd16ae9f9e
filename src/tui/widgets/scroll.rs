//! A text longer than the screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use crate::tui::keymap::Action;
use crate::tui::widgets::pane::{Pane, inside, padded, thumb};
use crate::tui::widgets::theme::Theme;

/// The first line shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scroll(usize);

impl Scroll {
    /// Scrolls in the pane at `area`; `lines` estimates the number of lines, so that "up" does not lag after a long way
    /// down. Returns false for actions that do not scroll.
    pub fn act(&mut self, action: Action, area: Rect, lines: usize) -> bool {
        let height = usize::from(inside(area).height);
        let page = height.saturating_sub(1).max(1);
        self.0 = match action {
            Action::Down => self.0 + 1,
            Action::Up => self.0.saturating_sub(1),
            Action::PageDown => self.0 + page,
            Action::PageUp => self.0.saturating_sub(page),
            Action::Top => 0,
            Action::Bottom => lines,
            _ => return false,
        };
        self.0 = self.0.min(lines.saturating_sub(height));
        true
    }

    /// Draws a pane with the lines that are in view.
    pub fn view(self, title: &str, lines: Vec<Line<'static>>, frame: &mut Frame<'_>, area: Rect, theme: Theme) {
        let total = lines.len();
        let height = usize::from(inside(area).height);
        let first = self.0.min(total.saturating_sub(height));
        let last = (first + height).min(total);
        let place = if total > height { format!("{last}/{total}") } else { String::new() };
        let room = Pane::new(title).focused().bottom(place).view(frame, area, theme);
        let shown: Vec<Line<'_>> = lines.into_iter().skip(first).take(height).collect();
        frame.render_widget(Paragraph::new(shown), padded(room));
        thumb(frame, room, first, total, theme.focus());
    }
}
