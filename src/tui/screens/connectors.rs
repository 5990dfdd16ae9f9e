//! The list of connectors: the screen everything starts from.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::command::{Command, Route};
use crate::domain::bulk::BulkEdit;
use crate::domain::{AuthMode, Catalogue, Group, Summary};
use crate::store::{ModeChange, SortColumn};
use crate::text::grouped;
use crate::text::time::age;
use crate::tui::keymap::{Action, KeyContext, KeyMap};
use crate::tui::overlays::dialog::Dialog;
use crate::tui::overlays::file_picker::Purpose;
use crate::tui::overlays::menu::{Item, Menu};
use crate::tui::overlays::prompt::{Prompt, PromptKind};
use crate::tui::ui::Ui;
use crate::tui::widgets::connector_details;
use crate::tui::widgets::paged_list::PagedList;
use crate::tui::widgets::split;
use crate::tui::widgets::split::Split;
use crate::tui::widgets::table;
use crate::tui::widgets::table::Column;
use crate::tui::widgets::theme::Theme;
use crate::worker::{FileJob, Query, Record};

/// Handles an action on the list.
pub fn update(rows: &mut PagedList, action: Action, keys: KeyMap) -> Vec<Command> {
    if let Some(requests) = rows.act(action) {
        return requests.into_iter().map(Command::Read).collect();
    }
    let id = rows.current().map(|row| row.id.clone());
    match (action, id) {
        (Action::Open, Some(id)) => vec![Command::Route(Route::Detail(id))],
        (Action::Edit, Some(id)) => vec![Command::Route(Route::Edit(id))],
        (Action::Duplicate, Some(id)) => vec![Command::Route(Route::Duplicate(id))],
        (Action::ToggleMode, Some(_)) => vec![toggle(rows.targets(), rows.hidden_selection())],
        (Action::Delete, Some(_)) => {
            let name = rows.current().filter(|_| rows.selected() == 0).map(|row| row.name.clone());
            vec![delete(rows.targets(), name.as_deref())]
        }
        (Action::BulkEdit, Some(_)) => {
            let Purpose::Export { what, .. } = export_of(rows) else { return Vec::new() };
            vec![Command::OpenMenu(Box::new(Menu::new(format!("Edit {what} (previewed first)"), edits(rows, keys))))]
        }
        (Action::Compare, Some(selected)) => vec![compare(rows, selected, keys)],
        (Action::NextMissing, _) => vec![Command::Route(Route::NextMissing)],
        (Action::New, _) => vec![Command::Route(Route::New)],
        (Action::Review, _) => vec![Command::Route(Route::Review)],
        (Action::Import, _) => vec![Command::Route(Route::File(Purpose::Import))],
        (Action::Export, _) => vec![Command::Route(Route::File(export_of(rows)))],
        (Action::History, _) => vec![Command::Route(Route::History)],
        (Action::Back, _) => back(rows, keys),
        (Action::Quit, _) => vec![Command::Quit],
        _ => Vec::new(),
    }
}

/// Returns the bulk actions for the selected connectors, else for those of the filter.
pub fn edits(rows: &PagedList, keys: KeyMap) -> Vec<Item> {
    let Purpose::Export { ids, what } = export_of(rows) else { return Vec::new() };
    let filter = rows.filter().clone();
    let preview = |edit| {
        let (ids, filter) = (ids.clone(), filter.clone());
        vec![Command::write(FileJob::BulkPreview { ids, filter, edit }, "previewing")]
    };
    let prompt =
        |kind| vec![Command::OpenPrompt(Box::new(Prompt::new(kind, what.clone(), ids.clone(), filter.clone())))];
    vec![
        Item::new(
            "set the auth mode to per-user where it makes sense",
            "OAuth with consent",
            preview(BulkEdit::FittingAuthMode(AuthMode::PerUser)),
        ),
        Item::new("set the auth mode to per-user", "", preview(BulkEdit::AuthMode(AuthMode::PerUser))),
        Item::new("set the auth mode to shared", "", preview(BulkEdit::AuthMode(AuthMode::Shared))),
        Item::new("find and replace in names", "find => replace", prompt(PromptKind::Rename)),
        Item::new("set a field of the config", "field = value", prompt(PromptKind::Field)),
        Item::new(
            "export",
            keys.key_of(KeyContext::Connectors, Action::Export),
            vec![Command::RunAction(Action::Export)],
        ),
        Item::new("delete", "", preview(BulkEdit::Delete)),
    ]
}

fn compare(rows: &PagedList, current: String, keys: KeyMap) -> Command {
    match (rows.selected(), rows.targets()) {
        (2, selected) => match <[String; 2]>::try_from(selected) {
            Ok([one, other]) => Command::Read(Query::Compare { one, other }),
            Err(_) => Command::info("Select two connectors first"),
        },
        (1, selected) if selected.first() != Some(&current) => {
            Command::Read(Query::Compare { one: selected.concat(), other: current })
        }
        _ => Command::info(format!(
            "Select two connectors ({}), or select one and move to the other; then {} compares them",
            keys.key_of(KeyContext::Connectors, Action::Select),
            keys.key_of(KeyContext::Connectors, Action::Compare)
        )),
    }
}

/// Returns the export of the selected connectors, else of those of the filter.
fn export_of(rows: &PagedList) -> Purpose {
    let (ids, what) = match (rows.selected(), rows.is_filtered()) {
        (0, false) => (Vec::new(), format!("all {}", grouped(rows.total))),
        (0, true) => (Vec::new(), format!("the {} of the filter", grouped(rows.total))),
        (selected, _) => (rows.targets(), format!("the {selected} selected")),
    };
    Purpose::Export { ids, what }
}

/// Esc goes back one level and never quits.
fn back(rows: &mut PagedList, keys: KeyMap) -> Vec<Command> {
    if rows.clear_selection() {
        return Vec::new();
    }
    match rows.clear_filter() {
        Some(request) => vec![Command::Read(request)],
        None => vec![Command::info(format!("{} quits", keys.key_of(KeyContext::Connectors, Action::Quit)))],
    }
}

/// Toggles a single visible connector at once; confirms for several, or if the only selected one is not the current
/// row.
pub fn toggle(ids: Vec<String>, is_elsewhere: bool) -> Command {
    let count = ids.len();
    let job = Command::write(FileJob::SetAuthMode { ids, change: ModeChange::Toggle }, "setting the auth mode");
    if count <= 1 && !is_elsewhere {
        return job;
    }
    Command::OpenDialog(Box::new(
        Dialog::new("Toggle the auth mode", "Cancel")
            .line(format!(
                "{} gets the mode it does not have. Secrets and config stay as they are. This is one step for undo.",
                if count == 1 {
                    "The selected connector (not the current one)".to_owned()
                } else {
                    format!("Each of the {count} selected connectors, also outside the filter,")
                }
            ))
            .choice(format!("Toggle {count}"), vec![job]),
    ))
}

/// Confirms a delete: of one connector by its name, else of the selection.
pub fn delete(ids: Vec<String>, name: Option<&str>) -> Command {
    let (what, answer) = match (name, ids.len()) {
        (Some(name), _) => (format!("Delete the connector “{name}”?"), "Delete".to_owned()),
        (None, 1) => (format!("Delete the selected connector, {}?", ids.concat()), "Delete 1".to_owned()),
        (None, count) => (
            format!("Delete the {count} selected connectors, also those that a filter hides?"),
            format!("Delete {count}"),
        ),
    };
    let them = if name.is_some() || ids.len() == 1 { "it" } else { "them" };
    let job = Command::write(FileJob::Delete { ids }, "deleting");
    Command::OpenDialog(Box::new(
        Dialog::new("Delete", "Cancel")
            .line(what)
            .line(format!("Rules in Kibana that use {them} would fail. Undo restores {them}."))
            .choice(answer, vec![job]),
    ))
}

/// Rows of the list that fit in `area`.
pub fn height(area: Rect) -> usize {
    usize::from(area.height.saturating_sub(table::HEAD))
}

/// Returns the area of the list.
pub fn list_area(area: Rect) -> Rect {
    split::split_side_by_side(area).list
}

/// Draws the list, and the current connector in the panel.
pub fn view(rows: &PagedList, preview: Option<&Record>, frame: &mut Frame<'_>, area: Rect, now: Timestamp, ui: Ui) {
    let Ui { theme, keys, .. } = ui;
    let Split { list, panel, .. } = split::split_side_by_side(area);
    let key = |action| keys.key_of(KeyContext::Connectors, action);
    let empty = [
        "No connectors yet.".to_owned(),
        String::new(),
        format!("{}  import an export of Kibana", key(Action::Import)),
        format!("{}  create a connector", key(Action::New)),
        format!("{}  pull from a Kibana", key(Action::Sync)),
    ];
    table::view(rows, &columns(rows, usize::from(list.width), now, theme, ui.catalogue), &empty, frame, list, ui);
    if panel.area() > 0 {
        view_panel(preview, frame, panel, now, ui);
    }
}

fn view_panel(preview: Option<&Record>, frame: &mut Frame<'_>, area: Rect, now: Timestamp, ui: Ui) {
    let Ui { theme, keys, .. } = ui;
    let inside = split::edge(frame, area, true, theme);
    if let Some(record) = preview {
        let mut lines = connector_details::lines(record, now, ui, usize::from(inside.width));
        let height = usize::from(inside.height);
        if lines.len() > height && height > 0 {
            lines.truncate(height - 1);
            lines.push(Line::styled(
                format!("… {} shows all", keys.key_of(KeyContext::Connectors, Action::Open)),
                theme.muted(),
            ));
        }
        frame.render_widget(Paragraph::new(lines), inside);
    }
}

/// A column of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    name: &'static str,
    /// The sort column of a click on the header.
    pub sort: Option<SortColumn>,
    /// The column shows the auth mode.
    pub is_mode: bool,
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
pub fn optional_columns() -> impl Iterator<Item = &'static str> {
    KINDS.iter().skip(1).map(|kind| kind.name)
}

/// Returns the shown columns with their widths.
fn kinds(rows: &PagedList, width: usize) -> Vec<(Kind, usize)> {
    let is_shown = |kind: &&Kind| kind.from <= width && !rows.columns.is_hidden(kind.name);
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
        usual => rows.columns.width(kind.name, usual),
    };
    let mut kinds: Vec<(Kind, usize)> = KINDS.iter().filter(is_shown).map(|kind| (*kind, width_of(kind))).collect();
    let used: usize = kinds.iter().map(|(_, cells)| cells + 1).sum();
    if let Some((_, name)) = kinds.first_mut() {
        *name = width.saturating_sub(used + 3).max(6);
    }
    kinds
}

/// The column at a cell of the list.
pub fn column_at(rows: &PagedList, width: u16, x: u16) -> Option<Kind> {
    let mut end = 2;
    kinds(rows, usize::from(width)).into_iter().find_map(|(kind, cells)| {
        end += cells + 1;
        (usize::from(x) < end).then_some(kind)
    })
}

fn columns<'a>(
    rows: &PagedList,
    width: usize,
    now: Timestamp,
    theme: Theme,
    catalogue: &'static Catalogue,
) -> Vec<Column<'a>> {
    let head = |kind: &Kind| {
        let arrow = if rows.sort.descending { " ▼" } else { " ▲" };
        if kind.sort == Some(rows.sort.column) { format!("{}{arrow}", kind.name) } else { kind.name.to_owned() }
    };
    let cell = |kind: &Kind, cells: usize| -> table::Cell<'a> {
        match kind.name {
            "TYPE" => Box::new(move |row| (row.type_label(catalogue).to_owned(), theme.muted())),
            "AUTH TYPE" => Box::new(move |row| (auth_type(row, catalogue), theme.muted())),
            "MODE" => Box::new(move |row| mode(row, theme)),
            "FLAGS" => Box::new(move |row| (flags(row, cells, catalogue), flag_style(row, theme))),
            "UPDATED" => Box::new(move |row| (age(row.updated_at.as_deref(), now), theme.muted())),
            _ => Box::new(move |row| (row.name.clone(), theme.text())),
        }
    };
    let kinds = kinds(rows, width);
    kinds.iter().map(|(kind, cells)| Column { head: head(kind), width: *cells, cell: cell(kind, *cells) }).collect()
}

fn auth_type(row: &Summary, catalogue: &'static Catalogue) -> String {
    row.auth_type.as_deref().map_or("-".to_owned(), |id| connector_details::auth_type_name(id, catalogue).to_owned())
}

/// Returns the mode; a record without one behaves as shared.
pub(super) fn mode(row: &Summary, theme: Theme) -> (String, ratatui::style::Style) {
    match row.auth_mode {
        Some(mode) if mode == crate::domain::AuthMode::PerUser => (mode.to_string(), theme.good()),
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

fn flag_style(row: &Summary, theme: Theme) -> ratatui::style::Style {
    if row.is_malformed || row.group == Some(Group::Blocked) { theme.bad() } else { theme.warning() }
}
