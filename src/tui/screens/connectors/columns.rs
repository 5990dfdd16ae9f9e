//! The columns of the list.

use ratatui::style::Style;

use crate::domain::{AuthMode, Catalogue, Group, Summary};
use crate::store::{Sort, SortColumn};
use crate::text::time::age;
use crate::tui::context::Context;
use crate::tui::ui::Ui;
use crate::tui::ui_state::ColumnChoice;
use crate::tui::widgets::connector_details;
use crate::tui::widgets::list::{PagedColumn, Shown};
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

/// Returns the shown columns with their widths.
fn kinds(choice: &ColumnChoice, width: usize) -> Vec<(Kind, usize)> {
    let is_shown = |kind: &&Kind| kind.from <= width && !choice.is_hidden(kind.name);
    let cells = |kind: &Kind| match kind.name {
        "TYPE" => {
            if width >= 90 {
                20
            } else {
                14
            }
        }
        "AUTH TYPE" => 18,
        "MODE" => 8,
        "FLAGS" => {
            if width >= 70 {
                13
            } else {
                10
            }
        }
        "UPDATED" => 7,
        _ => 0,
    };
    let width_of = |kind: &Kind| match cells(kind) {
        0 => 0,
        usual => choice.width(kind.name, usual),
    };
    let mut kinds: Vec<(Kind, usize)> = KINDS.iter().filter(is_shown).map(|kind| (*kind, width_of(kind))).collect();
    let used: usize = kinds.iter().map(|(_, cells)| cells + 1).sum();
    if let Some((_, name)) = kinds.first_mut() {
        *name = width.saturating_sub(used + 3).max(6);
    }
    kinds
}

/// The column at a cell of the list.
pub(super) fn column_at(choice: &ColumnChoice, width: u16, x: u16) -> Option<Kind> {
    let mut end = 2;
    kinds(choice, usize::from(width)).into_iter().find_map(|(kind, cells)| {
        end += cells + 1;
        (usize::from(x) < end).then_some(kind)
    })
}

pub(super) fn columns<'a>(sort: Sort, width: usize, cx: &Context) -> Vec<PagedColumn<'a>> {
    let (now, Ui { theme, catalogue, .. }) = (cx.now, cx.ui);
    let head = |kind: &Kind| {
        let arrow = if sort.descending { " ▼" } else { " ▲" };
        if kind.sort == Some(sort.column) { format!("{}{arrow}", kind.name) } else { kind.name.to_owned() }
    };
    let cell = |kind: &Kind, cells: usize| -> Box<dyn Fn(&Summary) -> Shown + 'a> {
        match kind.name {
            "TYPE" => Box::new(move |row| (row.type_label(catalogue).to_owned(), theme.muted())),
            "AUTH TYPE" => Box::new(move |row| (auth_type(row, catalogue), theme.muted())),
            "MODE" => Box::new(move |row| mode(row, theme)),
            "FLAGS" => Box::new(move |row| (flags(row, cells, catalogue), flag_style(row, theme))),
            "UPDATED" => Box::new(move |row| (age(row.updated_at.as_deref(), now), theme.muted())),
            _ => Box::new(move |row| (row.name.clone(), theme.text())),
        }
    };
    let kinds = kinds(&cx.ui_state.columns, width);
    kinds
        .iter()
        .map(|(kind, cells)| PagedColumn { head: head(kind), width: *cells, cell: cell(kind, *cells) })
        .collect()
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

/// Returns all flags if they fit, else the most urgent one and the number of others.
fn flags(row: &Summary, cells: usize, catalogue: &'static Catalogue) -> String {
    let flags = row.flags(catalogue);
    let all = flags.join(", ");
    match flags.first() {
        Some(first) if all.len() > cells => format!("{first} +{}", flags.len() - 1),
        _ => all,
    }
}

fn flag_style(row: &Summary, theme: Theme) -> Style {
    if row.is_malformed || row.group == Some(Group::Blocked) { theme.bad() } else { theme.warning() }
}
