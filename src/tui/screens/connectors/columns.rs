//! The columns of the list.

use ratatui::style::Style;

use crate::domain::{AuthMode, Catalogue, Group, Summary};
use crate::store::{Sort, SortColumn};
use crate::text::terminal::width;
use crate::text::time::age;
use crate::tui::context::Context;
use crate::tui::ui::Ui;
use crate::tui::widgets::connector_details;
use crate::tui::widgets::list::{PagedColumn, PagedList, Shown};
use crate::tui::widgets::theme::Theme;

/// A column of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    name: &'static str,
    /// The sort column of a click on the header.
    pub(super) sort: Option<SortColumn>,
    /// The column shows the auth mode.
    pub(super) is_mode: bool,
    /// The list has to be so wide for it.
    from: usize,
}

const fn kind(name: &'static str, sort: Option<SortColumn>, from: usize) -> Kind {
    Kind { name, sort, is_mode: matches!(sort, Some(SortColumn::AuthMode)), from }
}

/// The columns in order; the name is always shown.
const KINDS: [Kind; 6] = [
    kind("NAME", Some(SortColumn::Name), 0),
    kind("TYPE", Some(SortColumn::Type), 60),
    kind("AUTH TYPE", Some(SortColumn::AuthType), 90),
    kind("MODE", Some(SortColumn::AuthMode), 0),
    kind("FLAGS", None, 50),
    kind("UPDATED", Some(SortColumn::Updated), 70),
];

/// Names of the columns that can be left out.
pub(super) fn optional_columns() -> impl Iterator<Item = &'static str> {
    KINDS.iter().skip(1).map(|kind| kind.name)
}

impl Kind {
    /// Returns the most cells that the column takes in a list of this width: the names need the others.
    fn most(self, width: usize) -> usize {
        match self.name {
            "TYPE" | "AUTH TYPE" => (width / 5).clamp(12, 26),
            _ => 14,
        }
    }

    fn head(self, sort: Sort) -> String {
        let arrow = if sort.descending { " ▼" } else { " ▲" };
        if self.sort == Some(sort.column) { format!("{}{arrow}", self.name) } else { self.name.to_owned() }
    }

    fn cell(self, row: &Summary, cx: &Context) -> Shown {
        let Ui { theme, catalogue, .. } = cx.ui;
        match self.name {
            "TYPE" => (row.type_label(catalogue).to_owned(), theme.muted()),
            "AUTH TYPE" => (auth_type(row, catalogue), theme.muted()),
            "MODE" => mode(row, theme),
            "FLAGS" => (badges(row, catalogue), flag_style(row, theme)),
            "UPDATED" => (age(row.updated_at.as_deref(), cx.now), theme.muted()),
            _ => (row.name.clone(), theme.text()),
        }
    }
}

/// Returns the shown columns with their widths: each is as wide as what it holds, and the names get the rest.
fn kinds(list: &PagedList, cells: usize, cx: &Context) -> Vec<(Kind, usize)> {
    let choice = &cx.ui_state.columns;
    let measured = |kind: Kind| {
        // Measured for each frame: times have to be parsed, and all have about the same width.
        let longest = if kind.name == "UPDATED" { 7 } else { list.longest(|row| kind.cell(row, cx)) };
        choice.width(kind.name, longest.min(kind.most(cells)).max(width(&kind.head(list.sort))))
    };
    let is_shown = |kind: &&Kind| kind.from <= cells && !choice.is_hidden(kind.name);
    let mut kinds: Vec<(Kind, usize)> = KINDS.iter().filter(is_shown).map(|kind| (*kind, 0)).collect();
    for (kind, cells) in kinds.iter_mut().skip(1) {
        *cells = measured(*kind);
    }
    let used: usize = kinds.iter().skip(1).map(|(_, cells)| cells + 1).sum();
    if let Some((_, name)) = kinds.first_mut() {
        *name = cells.saturating_sub(used + 3).max(6);
    }
    kinds
}

/// The column at a cell of the list.
pub(super) fn column_at(list: &PagedList, cells: u16, x: u16, cx: &Context) -> Option<Kind> {
    let mut end = 2;
    kinds(list, cells.into(), cx).into_iter().find_map(|(kind, cells)| {
        end += cells + 1;
        (usize::from(x) < end).then_some(kind)
    })
}

/// Returns the columns of a list of this width.
pub(super) fn columns<'a>(list: &PagedList, cells: usize, cx: &'a Context) -> Vec<PagedColumn<'a>> {
    let column = |(kind, width): (Kind, usize)| PagedColumn {
        head: kind.head(list.sort),
        width,
        cell: Box::new(move |row: &Summary| kind.cell(row, cx)),
    };
    kinds(list, cells, cx).into_iter().map(column).collect()
}

fn auth_type(row: &Summary, catalogue: &'static Catalogue) -> String {
    row.auth_type.as_deref().map_or("-".to_owned(), |id| connector_details::auth_type_name(id, catalogue).to_owned())
}

/// Returns the mode; a record without one behaves as shared.
pub(super) fn mode(row: &Summary, theme: Theme) -> (String, Style) {
    match row.auth_mode {
        Some(mode) if mode == AuthMode::PerUser => (mode.to_string(), theme.good()),
        Some(mode) => (mode.to_string(), theme.text()),
        None => ("not set".to_owned(), theme.muted()),
    }
}

/// Returns a letter for each flag.
fn badges(row: &Summary, catalogue: &'static Catalogue) -> String {
    let letters: Vec<&str> = row.flags(catalogue).into_iter().map(badge).collect();
    letters.join(" ")
}

/// The letter of each flag, with what it means.
pub(in crate::tui::screens) const BADGES: [(&str, &str, &str); 7] = [
    ("malformed", "X", "config or another part is not a JSON object"),
    ("blocked", "X", "the migration is blocked; the panel says why"),
    ("no secrets", "S", "secrets are missing"),
    ("unreadable", "U", "the secrets cannot be decrypted: their key is missing"),
    ("to migrate", "M", "in the migration plan"),
    ("unknown type", "?", "the catalogue does not know the connector type"),
    ("deprecated", "D", "the connector type, or its use, is deprecated"),
];

fn badge(flag: &'static str) -> &'static str {
    BADGES.iter().find(|(known, _, _)| *known == flag).map_or(flag, |(_, letter, _)| letter)
}

/// What nearly every record has in common is quiet.
fn flag_style(row: &Summary, theme: Theme) -> Style {
    let is_bad = row.is_malformed || row.group == Some(Group::Blocked) || row.has_unreadable_secrets;
    let needs_attention = row.is_missing_secrets || row.drift.is_some();
    match (is_bad, needs_attention) {
        (true, _) => theme.bad(),
        (false, true) => theme.warning(),
        (false, false) => theme.muted(),
    }
}
