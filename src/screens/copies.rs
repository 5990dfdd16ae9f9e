//! The copies of the file: when they were made and why, making one, putting one back.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::Paragraph;

use super::dialog::Dialog;
use super::effect::{Effect, Go};
use super::listing::{Column, Listing, Shown};
use crate::clock::{age_of, bytes_text};
use crate::keymap::Action;
use crate::store::FileCopy;
use crate::ui::theme::Theme;
use crate::worker::protocol::Job;

/// The copies, once they have come.
#[derive(Debug, Default)]
pub struct State {
    /// The newest first; none before they have come.
    pub copies: Option<Vec<FileCopy>>,
    list: Listing,
}

impl State {
    fn copies(&self) -> &[FileCopy] {
        self.copies.as_deref().unwrap_or_default()
    }
}

/// What an action does here.
pub fn update(state: &mut State, action: Action, height: usize) -> Vec<Effect> {
    let total = state.copies().len();
    if state.list.act(action, total, height) {
        return Vec::new();
    }
    match (action, state.copies().get(state.list.at(total))) {
        (Action::BackUp, _) => vec![Effect::Write(Job::BackUp, "copying the file")],
        (Action::Restore, Some(copy)) => vec![ask_to_restore(copy)],
        (Action::Back | Action::Quit, _) => vec![Effect::Go(Go::Back)],
        _ => Vec::new(),
    }
}

fn ask_to_restore(copy: &FileCopy) -> Effect {
    let name = copy.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Effect::Ask(Box::new(
        Dialog::new("Put a copy back", "Cancel")
            .line(format!(
                "Put {name} in place of the file? All connectors, decisions and the history become what they were then."
            ))
            .line("The copy is checked first, and the file as it is now is kept beside it.")
            .choice("Put it back", vec![Effect::Reopen(Some(copy.path.clone()))]),
    ))
}

/// Draws the copies.
pub fn view(state: &State, frame: &mut Frame<'_>, area: Rect, now: Timestamp, theme: Theme) {
    let copies = state.copies();
    if copies.is_empty() {
        let text = match state.copies {
            None => "  loading …",
            Some(_) => "  No copies of this file yet.\n\n  b  make one now",
        };
        frame.render_widget(Paragraph::new(text), area);
        return;
    }
    let columns: &[Column] = if area.width >= 60 {
        &[Column("AGE", 4), Column("SIZE", 8), Column("MADE", 22), Column("FILE", 0)]
    } else {
        &[Column("AGE", 4), Column("SIZE", 8), Column("MADE", 0)]
    };
    let row = |at: usize| copies.get(at).map_or_else(Vec::new, |copy| cells(copy, now, theme));
    state.list.view(columns, copies.len(), row, frame, area, theme);
}

fn cells(copy: &FileCopy, now: Timestamp, theme: Theme) -> Vec<Shown> {
    let made_at = copy.made_at.and_then(|time| Timestamp::try_from(time).ok());
    vec![
        (made_at.map_or_else(|| "?".to_owned(), |time| age_of(time, now)), theme.muted()),
        (bytes_text(copy.bytes), theme.text()),
        (copy.kind.label().to_owned(), theme.accent()),
        (copy.path.file_name().unwrap_or_default().to_string_lossy().into_owned(), theme.text()),
    ]
}
