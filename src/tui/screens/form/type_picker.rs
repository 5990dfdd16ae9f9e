//! The picker of connector types: type to search, Enter to choose.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::domain::catalogue::TypeGroup;
use crate::domain::filter::fold;
use crate::domain::{Catalogue, ConnectorType};
use crate::text::terminal::{clip, fit};
use crate::tui::keymap::{Action, Key};
use crate::tui::overlays::moved;
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::layout::{centered, cut_top};
use crate::tui::widgets::pane::floating;
use crate::tui::widgets::theme::Theme;

/// The picker.
#[derive(Debug)]
pub(super) struct TypePicker {
    search: TextInput,
    selected: usize,
    catalogue: &'static Catalogue,
}

impl TypePicker {
    /// The picker, before a search.
    pub(super) fn new(catalogue: &'static Catalogue) -> Self {
        Self { search: TextInput::default(), selected: 0, catalogue }
    }

    fn found(&self) -> Vec<&'static ConnectorType> {
        let wanted = fold(self.search.text().trim());
        let matches = |known: &&ConnectorType| {
            [known.name.as_str(), &known.id, &known.description, known.group().label()]
                .into_iter()
                .any(|text| fold(text).contains(&wanted))
        };
        let mut found: Vec<&ConnectorType> =
            self.catalogue.types().iter().filter(|known| !known.is_system).filter(matches).collect();
        // Stable: within a group the types stay in the order of their names. A name that matches comes first.
        let is_it = |known: &&ConnectorType| fold(&known.id) == wanted || fold(&known.name) == wanted;
        found.sort_by_key(|known| (!is_it(known), self.group_of(known)));
        found
    }

    /// Returns the group of a type; `None` if only its description matches.
    fn group_of(&self, known: &ConnectorType) -> (bool, Option<TypeGroup>) {
        let wanted = fold(self.search.text().trim());
        let is_named = [known.name.as_str(), &known.id, known.group().label()]
            .into_iter()
            .any(|text| fold(text).contains(&wanted));
        (!is_named, is_named.then(|| known.group()))
    }

    /// Handles an action; returns the id of the chosen type.
    pub(super) fn act(&mut self, action: Action) -> Option<String> {
        let last = self.found().len().saturating_sub(1);
        if action == Action::Confirm {
            return self.chosen();
        }
        self.selected = moved(self.selected, action, last);
        None
    }

    /// Returns the highlighted type, or the typed id if no type matches: plugins have their own types.
    fn chosen(&self) -> Option<String> {
        let found = self.found();
        match found.get(self.selected) {
            Some(known) => Some(known.id.clone()),
            None => Some(self.search.text().trim().to_owned()).filter(|id| id.len() > 1 && id.starts_with('.')),
        }
    }

    /// Handles a key of the search.
    pub(super) fn key(&mut self, key: Key) {
        if self.search.key(key) {
            self.selected = 0;
        }
    }

    /// Draws the picker over the form.
    pub(super) fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: Theme) {
        let place = centered(area, 74, area.height.saturating_sub(2).max(3));
        let inside = floating(" Connector type: type to search ", frame, place, theme);
        let (search, list) = cut_top(inside, 1);
        let mut line = vec![Span::styled("/", theme.accent())];
        line.extend(
            self.search
                .view(usize::from(search.width).saturating_sub(1), 1, true, theme)
                .into_iter()
                .flat_map(|l| l.spans),
        );
        frame.render_widget(Paragraph::new(Line::from(line)), search);
        let (height, width) = (usize::from(list.height), usize::from(list.width));
        let found = self.found();
        if found.is_empty() {
            frame.render_widget(
                Paragraph::new("No connector type matches. An id such as .acme-pager can still be entered."),
                list,
            );
            return;
        }
        let (lines, selected) = self.lines(&found, width, theme);
        let first = (selected + 1).saturating_sub(height.max(1));
        let shown: Vec<Line<'_>> = lines.into_iter().skip(first).take(height).collect();
        frame.render_widget(Paragraph::new(shown), list);
    }

    /// The types under the heads of their groups, and the line of the selected one.
    fn lines(&self, found: &[&ConnectorType], width: usize, theme: Theme) -> (Vec<Line<'static>>, usize) {
        let (mut lines, mut selected, mut group) = (Vec::new(), 0, None);
        for (at, known) in found.iter().enumerate() {
            let (_, own) = self.group_of(known);
            if group != Some(own) {
                group = Some(own);
                let head = own.map_or("Mentioned in the description", TypeGroup::label);
                lines.push(Line::styled(clip(head, width), theme.accent()));
            }
            if at == self.selected {
                selected = lines.len();
            }
            lines.push(row(known, at == self.selected, width, theme));
        }
        (lines, selected)
    }
}

fn row(known: &ConnectorType, selected: bool, width: usize, theme: Theme) -> Line<'static> {
    let note = if known.is_deprecated { "deprecated. " } else { "" };
    let text = format!("{}{note}{}", fit(&known.name, 26.min(width)), known.description);
    let text = format!("{} {}", if selected { ">" } else { " " }, clip(&text, width.saturating_sub(2)));
    if selected { Line::styled(fit(&text, width), theme.selected()) } else { Line::styled(text, theme.text()) }
}
