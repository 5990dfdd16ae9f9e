//! The footer: the keys that can be used now.

use ratatui::text::{Line, Span};

use super::actions::availability;
use super::model::Model;
use crate::text::terminal::width;
use crate::tui::command::Command;
use crate::tui::keymap::{Action, Binding, KeyContext};

/// A key of the footer, and the cells that it is drawn on.
pub(super) struct Hint {
    binding: &'static Binding,
    is_usable: bool,
    pub(super) cells: std::ops::Range<u16>,
}

impl Hint {
    /// Returns the command of a click.
    pub(super) fn press(&self, context: KeyContext) -> Command {
        match (context, self.binding.keys().next().flatten()) {
            (KeyContext::Connectors, _) | (_, None) => Command::RunAction(self.binding.action),
            (_, Some(key)) => Command::SendKey(key),
        }
    }
}

/// Draws the hints.
pub(super) fn line(model: &Model, cells: usize) -> Line<'static> {
    let theme = model.cx.ui.theme;
    let mut spans = Vec::new();
    if let Some(prefix) = model.prefix.shown() {
        spans.push(Span::styled(format!("{prefix} …  "), theme.warning()));
    }
    for hint in hints(model, cells.saturating_sub(spans.iter().map(Span::width).sum())) {
        let key = hint.binding.keys.first().copied().unwrap_or_default();
        let text = hint.binding.hint().unwrap_or_default();
        let (key_style, style) =
            if hint.is_usable { (theme.accent(), theme.text()) } else { (theme.dimmed(), theme.dimmed()) };
        spans.push(Span::styled(key, key_style));
        spans.push(Span::styled(format!(" {text}  "), style));
    }
    Line::from(spans)
}

/// Returns the keys that can be used, as many as fit.
pub(super) fn hints(model: &Model, cells: usize) -> Vec<Hint> {
    let bindings = bindings(model);
    // Commands, help and quit stay visible when there is no room for the others.
    let stays = |action| matches!(action, Action::Palette | Action::Back | Action::Help);
    let last = bindings.iter().position(|(binding, _)| stays(binding.action));
    let kept = last.and_then(|at| bindings.get(at..)).unwrap_or_default();
    let reserved: usize = kept.iter().map(|(binding, _)| hint_width(binding)).sum();
    let (mut hints, mut used) = (Vec::new(), 0);
    for (at, (binding, is_usable)) in bindings.into_iter().enumerate() {
        let is_kept = last.is_some_and(|last| at >= last);
        let needed = hint_width(binding);
        let room = if is_kept { cells } else { cells.saturating_sub(reserved) };
        if used + needed <= room + 2 {
            let cell = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
            hints.push(Hint { binding, is_usable, cells: cell(used)..cell(used + needed - 2) });
            used += needed;
        }
    }
    hints
}

/// Returns the bindings of the footer, each with whether it can be used now.
fn bindings(model: &Model) -> Vec<(&'static Binding, bool)> {
    let (context, screen) = (model.context(), model.screens.top());
    let is_shown = |action| match (action, model.overlays.last()) {
        (_, Some(overlay)) => overlay.shows(action),
        (Action::NextMissing, None) => model.cx.overview.missing_secrets > 0,
        (Action::Sync, None) => model.cx.overview.remote.is_some(),
        (_, None) => screen.shows(action),
    };
    // A hint without command only takes room from the others.
    let needs_use = |action| matches!(action, Action::Undo | Action::Redo | Action::Rollback | Action::Apply);
    model
        .cx
        .ui
        .keys
        .bindings(context)
        .filter(|binding| binding.hint().is_some() && !binding.keys.is_empty() && is_shown(binding.action))
        .map(|binding| (binding, availability(model, screen, context, binding.action).is_ok()))
        .filter(|(binding, is_usable)| *is_usable || !needs_use(binding.action))
        .collect()
}

fn hint_width(binding: &Binding) -> usize {
    width(binding.keys.first().copied().unwrap_or_default()) + width(binding.hint().unwrap_or_default()) + 3
}
