//! The list of connectors: the screen everything starts from.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::dialog::Dialog;
use super::effect::{Effect, Go};
use super::files::Purpose;
use super::menu::{Item, Menu};
use super::panel::{self, Split};
use super::prompt::{Ask, Prompt};
use super::record;
use super::rows::Rows;
use super::table::{self, Column};
use crate::clock::age;
use crate::domain::bulk::BulkEdit;
use crate::domain::{AuthMode, Group, Summary};
use crate::keymap::{Action, Place, key_of};
use crate::store::{ModeChange, SortColumn};
use crate::ui::theme::Theme;
use crate::worker::protocol::{Job, Record, Request};

/// What an action does on the list.
pub fn update(rows: &mut Rows, action: Action) -> Vec<Effect> {
    if let Some(requests) = rows.act(action) {
        return requests.into_iter().map(Effect::Read).collect();
    }
    let id = rows.current().map(|row| row.id.clone());
    match (action, id) {
        (Action::Open, Some(id)) => vec![Effect::Go(Go::Detail(id))],
        (Action::Edit, Some(id)) => vec![Effect::Go(Go::Edit(id))],
        (Action::Duplicate, Some(id)) => vec![Effect::Go(Go::Duplicate(id))],
        (Action::ToggleMode, Some(_)) => vec![toggle(rows.targets(), rows.hidden_mark())],
        (Action::Delete, Some(_)) => {
            let name = rows.current().filter(|_| rows.marked() == 0).map(|row| row.name.clone());
            vec![delete(rows.targets(), name.as_deref())]
        }
        (Action::EditMany, Some(_)) => {
            let Purpose::Export { what, .. } = export_of(rows) else { return Vec::new() };
            vec![Effect::Offer(Box::new(Menu::new(format!("Edit {what} (previewed first)"), edits(rows))))]
        }
        (Action::Compare, Some(selected)) => vec![compare(rows, selected)],
        (Action::NextMissing, _) => vec![Effect::Go(Go::NextMissing)],
        (Action::New, _) => vec![Effect::Go(Go::New)],
        (Action::Review, _) => vec![Effect::Go(Go::Review)],
        (Action::Import, _) => vec![Effect::Go(Go::File(Purpose::Import))],
        (Action::Export, _) => vec![Effect::Go(Go::File(export_of(rows)))],
        (Action::History, _) => vec![Effect::Go(Go::History)],
        (Action::Back, _) => back(rows),
        (Action::Quit, _) => vec![Effect::Quit],
        _ => Vec::new(),
    }
}

/// What can be done to the marked connectors, else to those of the filter, all at once.
pub fn edits(rows: &Rows) -> Vec<Item> {
    let Purpose::Export { ids, what } = export_of(rows) else { return Vec::new() };
    let filter = rows.filter().clone();
    let preview = |edit| {
        let (ids, filter) = (ids.clone(), filter.clone());
        vec![Effect::Write(Job::BulkPreview { ids, filter, edit }, "looking")]
    };
    let prompt = |ask| vec![Effect::Prompt(Box::new(Prompt::new(ask, what.clone(), ids.clone(), filter.clone())))];
    vec![
        Item::new(
            "set the auth mode to per-user where it makes sense",
            "OAuth with consent",
            preview(BulkEdit::FittingAuthMode(AuthMode::PerUser)),
        ),
        Item::new("set the auth mode to per-user", "", preview(BulkEdit::AuthMode(AuthMode::PerUser))),
        Item::new("set the auth mode to shared", "", preview(BulkEdit::AuthMode(AuthMode::Shared))),
        Item::new("rename by a pattern", "find => replace", prompt(Ask::Rename)),
        Item::new("set a field of the config", "field = value", prompt(Ask::Field)),
        Item::new("export", key_of(Place::Connectors, Action::Export), vec![Effect::Act(Action::Export)]),
        Item::new("delete", "", preview(BulkEdit::Delete)),
    ]
}

fn compare(rows: &Rows, selected: String) -> Effect {
    match (rows.marked(), rows.targets()) {
        (2, marked) => match <[String; 2]>::try_from(marked) {
            Ok([one, other]) => Effect::Read(Request::Compare { one, other }),
            Err(_) => Effect::info("mark two connectors first"),
        },
        (1, marked) if marked.first() != Some(&selected) => {
            Effect::Read(Request::Compare { one: marked.concat(), other: selected })
        }
        _ => Effect::info(format!(
            "mark two connectors ({}), or mark one and go to the other; then {} compares them",
            key_of(Place::Connectors, Action::Mark),
            key_of(Place::Connectors, Action::Compare)
        )),
    }
}

/// The marked connectors, else those of the filter.
fn export_of(rows: &Rows) -> Purpose {
    let (ids, what) = match (rows.marked(), rows.is_filtered()) {
        (0, false) => (Vec::new(), format!("all {}", rows.total)),
        (0, true) => (Vec::new(), format!("the {} of the filter", rows.total)),
        (marked, _) => (rows.targets(), format!("the {marked} marked")),
    };
    Purpose::Export { ids, what }
}

/// Esc takes the innermost thing away; the program stays.
fn back(rows: &mut Rows) -> Vec<Effect> {
    if rows.clear_marks() {
        return Vec::new();
    }
    match rows.clear_filter() {
        Some(request) => vec![Effect::Read(request)],
        None => vec![Effect::info(format!("{} quits", key_of(Place::Connectors, Action::Quit)))],
    }
}

/// Toggles at once for one connector that is in view; asks when there are several, or when the only mark
/// is not on the selected row.
pub fn toggle(ids: Vec<String>, is_elsewhere: bool) -> Effect {
    let count = ids.len();
    let job = Effect::Write(Job::SetAuthMode { ids, change: ModeChange::Toggle }, "setting the auth mode");
    if count <= 1 && !is_elsewhere {
        return job;
    }
    Effect::Ask(Box::new(
        Dialog::new("Toggle the auth mode", "Cancel")
            .line(format!(
                "{} gets the mode it does not have. Secrets and config stay as they are. This is one step for undo.",
                if count == 1 {
                    "The marked connector (not the selected one)".to_owned()
                } else {
                    format!("Each of the {count} marked connectors, also outside the filter,")
                }
            ))
            .choice(format!("Toggle {count}"), vec![job]),
    ))
}

/// Asks before deleting: one connector by its name, else the marked ones.
pub fn delete(ids: Vec<String>, name: Option<&str>) -> Effect {
    let (what, answer) = match (name, ids.len()) {
        (Some(name), _) => (format!("Delete the connector “{name}”?"), "Delete".to_owned()),
        (None, 1) => (format!("Delete the marked connector, {}?", ids.concat()), "Delete 1".to_owned()),
        (None, count) => {
            (format!("Delete the {count} marked connectors, also those outside the filter?"), format!("Delete {count}"))
        }
    };
    let job = Effect::Write(Job::Delete { ids }, "deleting");
    Effect::Ask(Box::new(
        Dialog::new("Delete", "Cancel")
            .line(what)
            .line("Rules in Kibana that use it would fail. Undo brings it back.")
            .choice(answer, vec![job]),
    ))
}

/// Rows of the list that fit in `area`.
pub fn height(area: Rect) -> usize {
    usize::from(area.height.saturating_sub(table::HEAD))
}

/// Where the list is.
pub fn list_area(area: Rect) -> Rect {
    panel::split_beside(area).list
}

/// Draws the list, and the selected connector beside it where there is room.
pub fn view(rows: &Rows, preview: Option<&Record>, frame: &mut Frame<'_>, area: Rect, now: Timestamp, theme: Theme) {
    let Split { list, panel, .. } = panel::split_beside(area);
    let key = |action| key_of(Place::Connectors, action);
    let empty = [
        "No connectors yet.".to_owned(),
        String::new(),
        format!("{}  import an export of Kibana", key(Action::Import)),
        format!("{}  create a connector", key(Action::New)),
        format!("{}  pull from a Kibana", key(Action::Sync)),
    ];
    table::view(rows, &columns(rows, usize::from(list.width), now, theme), &empty, frame, list, theme);
    if panel.area() > 0 {
        view_panel(preview, frame, panel, now, theme);
    }
}

fn view_panel(preview: Option<&Record>, frame: &mut Frame<'_>, area: Rect, now: Timestamp, theme: Theme) {
    let inside = panel::edge(frame, area, true, theme);
    if let Some(record) = preview {
        let mut lines = record::lines(record, now, theme, usize::from(inside.width));
        let height = usize::from(inside.height);
        if lines.len() > height && height > 0 {
            lines.truncate(height - 1);
            lines.push(Line::styled(format!("… {} shows all", key_of(Place::Connectors, Action::Open)), theme.muted()));
        }
        frame.render_widget(Paragraph::new(lines), inside);
    }
}

/// A column of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    name: &'static str,
    /// What a click on its head sorts by.
    pub sort: Option<SortColumn>,
    /// It shows the auth mode.
    pub is_mode: bool,
    /// The list has to be so wide for it.
    from: usize,
}

const fn kind(name: &'static str, sort: Option<SortColumn>, from: usize) -> Kind {
    Kind { name, sort, is_mode: matches!(sort, Some(SortColumn::AuthMode)), from }
}

/// The columns in their order; the name is always there.
const KINDS: [Kind; 6] = [
    kind("NAME", Some(SortColumn::Name), 0),
    kind("TYPE", Some(SortColumn::Type), 60),
    kind("AUTH TYPE", Some(SortColumn::AuthType), 90),
    kind("MODE", Some(SortColumn::AuthMode), 0),
    kind("FLAGS", None, 50),
    kind("AGE", Some(SortColumn::Updated), 70),
];

/// Names of the columns that can be left out.
pub fn optional_columns() -> impl Iterator<Item = &'static str> {
    KINDS.iter().skip(1).map(|kind| kind.name)
}

/// The columns that fit and are wanted, with their widths.
fn kinds(rows: &Rows, width: usize) -> Vec<(Kind, usize)> {
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
        "AGE" => 5,
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
pub fn column_at(rows: &Rows, width: u16, x: u16) -> Option<Kind> {
    let mut end = 2;
    kinds(rows, usize::from(width)).into_iter().find_map(|(kind, cells)| {
        end += cells + 1;
        (usize::from(x) < end).then_some(kind)
    })
}

fn columns<'a>(rows: &Rows, width: usize, now: Timestamp, theme: Theme) -> Vec<Column<'a>> {
    let head = |kind: &Kind| {
        let arrow = if rows.sort.descending { " ▼" } else { " ▲" };
        if kind.sort == Some(rows.sort.column) { format!("{}{arrow}", kind.name) } else { kind.name.to_owned() }
    };
    let cell = |kind: &Kind, cells: usize| -> table::Cell<'a> {
        match kind.name {
            "TYPE" => Box::new(move |row| (row.type_label().to_owned(), theme.muted())),
            "AUTH TYPE" => Box::new(move |row| (auth_type(row), theme.muted())),
            "MODE" => Box::new(move |row| mode(row, theme)),
            "FLAGS" => Box::new(move |row| (flags(row, cells), flag_style(row, theme))),
            "AGE" => Box::new(move |row| (age(row.updated_at.as_deref(), now), theme.muted())),
            _ => Box::new(move |row| (row.name.clone(), theme.text())),
        }
    };
    let kinds = kinds(rows, width);
    kinds.iter().map(|(kind, cells)| Column { head: head(kind), width: *cells, cell: cell(kind, *cells) }).collect()
}

fn auth_type(row: &Summary) -> String {
    row.auth_type.as_deref().map_or("-".to_owned(), |id| record::auth_type_name(id).to_owned())
}

/// The mode; in brackets when the record has none and only behaves so.
pub(super) fn mode(row: &Summary, theme: Theme) -> (String, ratatui::style::Style) {
    match row.auth_mode {
        Some(mode) if mode == crate::domain::AuthMode::PerUser => (mode.to_string(), theme.good()),
        Some(mode) => (mode.to_string(), theme.text()),
        None => ("(shared)".to_owned(), theme.muted()),
    }
}

/// All flags where they fit, else the most pressing one and how many more there are.
fn flags(row: &Summary, cells: usize) -> String {
    let flags = row.flags();
    let all = flags.join(", ");
    match flags.first() {
        Some(first) if all.len() > cells => format!("{first} +{}", flags.len() - 1),
        _ => all,
    }
}

fn flag_style(row: &Summary, theme: Theme) -> ratatui::style::Style {
    if row.is_malformed || row.group == Some(Group::Blocked) { theme.bad() } else { theme.warning() }
}
