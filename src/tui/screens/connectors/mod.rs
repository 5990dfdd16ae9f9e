//! The list of connectors: the screen everything starts from.

pub(super) mod columns;
mod menus;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::form::{self, FormStart};
use super::{Route, Screen, copy};
use crate::domain::bulk::BulkEdit;
use crate::domain::{AuthMode, test_params};
use crate::store::{ModeChange, Scope};
use crate::text::grouped;
use crate::tui::command::Command;
use crate::tui::context::Context;
use crate::tui::keymap::{Action, KeyContext, KeyMap};
use crate::tui::overlays::file_picker;
use crate::tui::overlays::file_picker::Purpose;
use crate::tui::overlays::{Dialog, Item, Menu, Prompt, PromptKind};
use crate::tui::ui_state::FileUiState;
use crate::tui::widgets::connector_details;
use crate::tui::widgets::list::{Click, PagedList, PagedView};
use crate::tui::widgets::pane::{Pane, inside};
use crate::tui::widgets::preview::Preview;
use crate::tui::widgets::split;
use crate::tui::widgets::split::Split;
use crate::worker::{FileJob, JobResult, Query, Record, Reply};

/// The list of connectors, with the current one in the panel.
#[derive(Debug)]
pub(super) struct ConnectorsScreen {
    list: PagedList,
    preview: Preview<Record>,
    /// The next connector that is missing secrets is being searched.
    is_searching: bool,
    /// The connector that was last opened to be filled in.
    last_filled: Option<String>,
    /// The menu of what can be copied opens when the record has come.
    is_copying: bool,
}

impl ConnectorsScreen {
    /// Returns the list as it was shown when the file was open last.
    pub(super) fn new(cx: &Context) -> Self {
        let mut list = PagedList::new(Scope::Connectors, KeyContext::Connectors);
        if let Some(known) = cx.ui_state.of(&cx.path).filter(|_| !cx.is_demo) {
            list.sort = known.sort();
            list.set_filter(&known.filter);
            // A filter that this release does not accept is dropped.
            if !list.has_valid_filter() {
                list.set_filter("");
            }
        }
        Self { list, preview: Preview::default(), is_searching: false, last_filled: None, is_copying: false }
    }

    /// Searches from the current row, or after it if it was the last one to be filled in.
    fn search_missing(&mut self) -> Command {
        self.is_searching = true;
        let after = self.list.current().map(|row| {
            let was_filled = self.last_filled.as_ref() == Some(&row.id);
            form::start_of_search(&row.name, &row.id, row.is_missing_secrets && !was_filled)
        });
        Command::Read(Query::NextMissing { after })
    }

    /// The cursor goes to the connector that is filled in next.
    fn next_missing(&mut self, id: Option<&str>, total: u64, cx: &Context) -> Vec<Command> {
        let mut commands = Vec::new();
        if let Some(id) = id {
            self.list.go_to(id);
            self.last_filled = Some(id.to_owned());
            commands.push(Command::Read(self.list.reload()));
        }
        if std::mem::take(&mut self.is_searching) {
            commands.extend(form::fill_next(id, total, cx));
        }
        commands
    }

    /// Opens the menu of what can be copied, as soon as the record of the current row is there.
    fn copy(&mut self, cx: &Context) -> Vec<Command> {
        let menu = copy::of_current(&self.preview, &self.list, cx);
        self.is_copying = menu.is_none();
        menu.into_iter().collect()
    }

    /// Esc goes back one level and never quits.
    fn back(&mut self, cx: &Context) -> Vec<Command> {
        if self.list.clear_selection() {
            return Vec::new();
        }
        match self.list.clear_filter() {
            Some(query) => vec![Command::Read(query)],
            None => vec![Command::info(format!("{} quits", cx.key(KeyContext::Connectors, Action::Quit)))],
        }
    }

    fn column_at(&self, x: u16, cx: &Context) -> Option<columns::Kind> {
        columns::column_at(&self.list, inside(self.list_area(cx)).width, x, cx)
    }

    fn on_row(&self, action: Action, id: String, cx: &Context) -> Option<Vec<Command>> {
        let list = &self.list;
        Some(vec![match action {
            Action::Open => Command::Open(Route::Detail(id)),
            Action::Edit => Command::Open(Route::Form(FormStart::Edit(id))),
            Action::Duplicate => Command::Open(Route::Form(FormStart::Duplicate(id))),
            Action::ToggleMode => toggle(list.targets(), list.hidden_selection()),
            Action::Delete => {
                let name = list.current().filter(|_| list.selected() == 0).map(|row| row.name.clone());
                delete(list.targets(), name.as_deref())
            }
            Action::BulkEdit => {
                let title = format!("Edit {} (previewed first)", target_text(list));
                Command::menu(Menu::new(title, edits(list, cx.ui.keys)))
            }
            Action::Compare => compare(list, id, cx.ui.keys),
            Action::Execute => {
                let row = list.current()?;
                run(id, &row.connector_type_id, row.name.clone())
            }
            _ => return None,
        }])
    }
}

impl Screen for ConnectorsScreen {
    fn key_context(&self) -> KeyContext {
        KeyContext::Connectors
    }

    fn title(&self) -> &'static str {
        "Connectors"
    }

    fn list(&self) -> Option<&PagedList> {
        Some(&self.list)
    }

    fn list_mut(&mut self) -> Option<&mut PagedList> {
        Some(&mut self.list)
    }

    fn list_area(&self, cx: &Context) -> Rect {
        split::split_side_by_side(cx.body()).list
    }

    fn queries(&mut self) -> Vec<Query> {
        self.preview.forget();
        vec![self.list.reload()]
    }

    fn follow(&mut self) -> Option<Query> {
        self.preview.follow(&self.list).map(|id| Query::Record { id, preview_of: Some(self.list.scope()) })
    }

    fn is_waiting(&self) -> bool {
        self.is_searching || self.is_copying || !self.list.is_settled()
    }

    fn give_up(&mut self) {
        (self.is_searching, self.is_copying) = (false, false);
        self.list.give_up();
    }

    fn on_reply(&mut self, reply: &Reply, cx: &Context) -> Vec<Command> {
        match reply {
            Reply::Record { id, record } => {
                self.preview.set(id, record.as_deref().cloned());
                if self.is_copying {
                    return self.copy(cx);
                }
            }
            Reply::NextMissing { id, total } => return self.next_missing(id.as_deref(), *total, cx),
            Reply::Done(JobResult::Created(created)) => self.list.go_to(&created.id),
            Reply::Done(JobResult::Deleted(written)) => self.list.unmark(&written.changed),
            Reply::Done(JobResult::Bulked(_)) => {
                self.list.clear_selection();
            }
            Reply::Done(JobResult::Reverted(reverted)) => {
                if let Some((id, _)) = &reverted.only {
                    self.list.go_to(id);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn unavailable(&self, action: Action, _cx: &Context) -> Option<String> {
        let is_empty = self.list.total == 0 && self.list.selected() == 0;
        (action == Action::Export && is_empty).then(|| "no connector to export".to_owned())
    }

    fn palette_items(&self, cx: &Context) -> Vec<(Action, Item)> {
        let in_palette = |edit: Item| {
            let (label, detail) =
                (format!("bulk edit: {}", edit.label), cx.key(KeyContext::Connectors, Action::BulkEdit));
            (Action::BulkEdit, Item { label, detail, ..edit })
        };
        edits(&self.list, cx.ui.keys).into_iter().map(in_palette).collect()
    }

    fn on_action(&mut self, action: Action, cx: &Context) -> Option<Vec<Command>> {
        if let Some(id) = self.list.current().map(|row| row.id.clone())
            && let Some(commands) = self.on_row(action, id, cx)
        {
            return Some(commands);
        }
        Some(match action {
            Action::NextMissing => vec![self.search_missing()],
            Action::New => vec![Command::Open(Route::Form(FormStart::New))],
            Action::Review => vec![Command::Open(Route::Review)],
            Action::Import => file_picker::open(Purpose::Import, cx),
            Action::Export => file_picker::open(export_of(&self.list), cx),
            Action::SavedViews => vec![Command::menu(menus::saved_views(&self.list, cx))],
            Action::Columns => vec![Command::menu(menus::columns(cx))],
            Action::OpenFile if cx.job.is_some() => vec![Command::info("Wait for the running job first")],
            Action::OpenFile => vec![Command::menu(menus::files(cx))],
            Action::CopyText => self.copy(cx),
            Action::Execute => vec![Command::info("No connector to test")],
            Action::Back => self.back(cx),
            _ => return None,
        })
    }

    /// A click on a head sorts; one on the auth mode of the current row toggles it.
    fn on_click(&mut self, at: Position, cx: &Context) -> Vec<Command> {
        match self.list.click(at, self.list_area(cx)) {
            Click::Moved(queries) => Command::reads(queries),
            Click::Head(x) => {
                let sort = self.column_at(x, cx).and_then(|column| column.sort);
                Command::reads(sort.map(|column| self.list.sort_by_column(column)))
            }
            Click::Current(x) => {
                let is_mode = self.column_at(x, cx).is_some_and(|column| column.is_mode);
                vec![Command::RunAction(if is_mode { Action::ToggleMode } else { Action::Open })]
            }
            Click::Outside => Vec::new(),
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        let Split { list, panel, .. } = split::split_side_by_side(area);
        let key = |action| cx.key(KeyContext::Connectors, action);
        let empty = [
            "No connectors yet.".to_owned(),
            String::new(),
            format!("{}  import an export of Kibana", key(Action::Import)),
            format!("{}  create a connector", key(Action::New)),
            format!("{}  pull from a Kibana", key(Action::Sync)),
        ];
        let columns = columns::columns(&self.list, inside(list).width.into(), cx);
        let shown = PagedView { title: "Connectors", columns: &columns, empty: &empty };
        self.list.view(&shown, frame, list, cx.ui);
        if panel.area() > 0 {
            view_panel(&self.preview, frame, panel, cx);
        }
    }

    fn ui_state(&self, cx: &Context) -> Option<FileUiState> {
        Some(FileUiState::new(&cx.path, self.list.filter_text.text().trim(), self.list.sort))
    }
}

/// Returns the bulk actions for the selected connectors, else for those of the filter.
fn edits(rows: &PagedList, keys: KeyMap) -> Vec<Item> {
    let (ids, filter, what) = (target_ids(rows), rows.filter().clone(), target_text(rows));
    let preview = |edit| {
        let (ids, filter) = (ids.clone(), filter.clone());
        vec![Command::write(FileJob::BulkPreview { ids, filter, edit }, "previewing")]
    };
    let prompt =
        |kind| vec![Command::OpenOverlay(Box::new(Prompt::new(kind, what.clone(), ids.clone(), filter.clone())))];
    vec![
        Item::new(
            "set the auth mode to per-user where it makes sense",
            "OAuth with consent",
            preview(BulkEdit::FittingAuthMode(AuthMode::PerUser)),
        ),
        Item::new("set the auth mode to per-user", "", preview(BulkEdit::AuthMode(AuthMode::PerUser))),
        Item::new("set the auth mode to shared", "", preview(BulkEdit::AuthMode(AuthMode::Shared))),
        Item::new("find and replace in names", "find => replace", prompt(PromptKind::Rename))
            .keywords("rename regex pattern substitute sed"),
        Item::new("set a field of the config", "field = value", prompt(PromptKind::Field)).keywords("url assign value"),
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
    Purpose::Export { ids: target_ids(rows), filter: rows.filter().clone(), what: target_text(rows) }
}

/// Returns the selected connectors; none stand for those of the filter.
fn target_ids(rows: &PagedList) -> Vec<String> {
    if rows.selected() > 0 { rows.targets() } else { Vec::new() }
}

/// Returns the connectors of a bulk action in words.
fn target_text(rows: &PagedList) -> String {
    match (rows.selected(), rows.is_filtered()) {
        (0, false) => format!("all {}", grouped(rows.total)),
        (0, true) => format!("the {} of the filter", grouped(rows.total)),
        (selected, _) => format!("the {selected} selected"),
    }
}

/// Opens the prompt for the parameters of a test run.
pub(super) fn run(id: String, connector_type_id: &str, name: String) -> Command {
    Command::OpenOverlay(Box::new(Prompt::run(id, name, test_params::of(connector_type_id))))
}

/// Toggles a single visible connector at once; confirms for several, or if the only selected one is not the current
/// row.
pub(super) fn toggle(ids: Vec<String>, is_elsewhere: bool) -> Command {
    let count = ids.len();
    let job = Command::write(FileJob::SetAuthMode { ids, change: ModeChange::Toggle }, "setting the auth mode");
    if count <= 1 && !is_elsewhere {
        return job;
    }
    Command::dialog(
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
    )
}

/// Confirms a delete: of one connector by its name, else of the selection.
pub(super) fn delete(ids: Vec<String>, name: Option<&str>) -> Command {
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
    Command::dialog(
        Dialog::new("Delete", "Cancel")
            .line(what)
            .line(format!("Rules in Kibana that use {them} would fail. Undo restores {them}."))
            .destructive_choice(answer, vec![job]),
    )
}

fn view_panel(preview: &Preview<Record>, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
    let theme = cx.ui.theme;
    let name = preview.get().map_or("", |record| record.connector.name.as_str());
    let inside = Pane::new(name).view(frame, area, theme);
    let Some(record) = preview.get() else { return };
    let mut lines = connector_details::lines(record, cx.now, cx.ui, inside.width.into());
    let height = usize::from(inside.height);
    if lines.len() > height && height > 0 {
        lines.truncate(height - 1);
        let key = cx.key(KeyContext::Connectors, Action::Open);
        lines.push(Line::styled(format!("… {key} shows all"), theme.muted()));
    }
    frame.render_widget(Paragraph::new(lines), inside);
}
