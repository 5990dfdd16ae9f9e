//! A text longer than the screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use crate::tui::keymap::{Action, KeyContext, KeyMap};

/// The first line shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scroll(usize);

impl Scroll {
    /// Scrolls; `lines` estimates the number of lines, so that "up" does not lag after a long way down. Returns false
    /// for actions that do not scroll.
    pub fn act(&mut self, action: Action, height: usize, lines: usize) -> bool {
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

    /// Draws the lines that are in view.
    pub fn view(self, lines: Vec<Line<'static>>, place: KeyContext, frame: &mut Frame<'_>, area: Rect, keys: KeyMap) {
        let height = usize::from(area.height);
        let first = self.0.min(lines.len().saturating_sub(height));
        let more = lines.len() > first + height;
        let mut shown: Vec<Line<'_>> = lines.into_iter().skip(first).take(height).collect();
        if let (true, Some(last)) = (more, shown.last_mut()) {
            *last = Line::from(format!("… {} for more", keys.key_of(place, Action::PageDown)));
        }
        let area = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
        frame.render_widget(Paragraph::new(shown), area);
    }
}
