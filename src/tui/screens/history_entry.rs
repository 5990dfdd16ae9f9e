//! An entry of the history: its records before and after, and the revert of some of them.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::command::{Command, Route, connectors};
use super::history::PUSHED;
use crate::domain::diff::{ChangeState, changes};
use crate::domain::{Catalogue, Summary};
use crate::messages::history::{about, progress};
use crate::store::{HistoryEntry, RecordChange, RevertPreview, Scope};
use crate::text::terminal::{clip, safe, wrap};
use crate::text::time::age;
use crate::tui::keymap::{Action, KeyContext, KeyMap};
use crate::tui::overlays::dialog::{Dialog, change_lines};
use crate::tui::ui::Ui;
use crate::tui::widgets::connector_details;
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::layout::cut_top;
use crate::tui::widgets::paged_list::PagedList;
use crate::tui::widgets::split;
use crate::tui::widgets::split::Split;
use crate::tui::widgets::table;
use crate::tui::widgets::table::Column;
use crate::tui::widgets::theme::Theme;
use crate::worker::{FileJob, Query};

/// The state of the screen.
#[derive(Debug)]
pub struct State {
    /// The step's number.
    pub step: i64,
    /// The records.
    pub rows: PagedList,
    /// The change of the current record, once loaded.
    pub change: Option<RecordChange>,
    /// Id and revision of the row whose change was requested.
    requested: Option<(String, i64)>,
}

impl State {
    /// The screen on a step, with a filter.
    pub fn new(step: i64, filter: &str) -> Self {
        let mut rows = PagedList::new(Scope::Step(step));
        rows.filter_text = TextInput::new(filter);
        Self { step, rows, change: None, requested: None }
    }

    /// Requests the change of the current row if it is another one or was changed.
    pub fn follow(&mut self) -> Option<Query> {
        let wanted = self.rows.current().map(|row| (row.id.clone(), row.revision));
        if wanted == self.requested {
            return None;
        }
        self.requested = wanted.clone();
        if self.change.as_ref().map(|change| &change.id) != wanted.as_ref().map(|(id, _)| id) {
            self.change = None;
        }
        wanted.map(|(id, _)| Query::Change { step: self.step, id })
    }

    /// Requests the change of the current row again.
    pub fn read_again(&mut self) -> Query {
        self.requested = None;
        self.rows.reload()
    }

    /// Returns whether the loaded change belongs to the current row.
    pub fn is_settled(&self) -> bool {
        self.rows.is_settled()
            && self.rows.current().map(|row| &row.id) == self.change.as_ref().map(|change| &change.id)
    }
}

/// Handles an action.
pub fn update(state: &mut State, action: Action, keys: KeyMap) -> Vec<Command> {
    if let Some(requests) = state.rows.act(action) {
        return requests.into_iter().map(Command::Read).collect();
    }
    match action {
        Action::Revert => revert(state, keys),
        Action::Open => match state.change.as_ref() {
            Some(RecordChange { now: Some(record), .. }) => vec![Command::Route(Route::Detail(record.id.clone()))],
            _ => vec![Command::info("This connector is not in the file now")],
        },
        Action::Back => back(state),
        Action::Quit => vec![Command::Route(Route::Back)],
        _ => Vec::new(),
    }
}

fn back(state: &mut State) -> Vec<Command> {
    if state.rows.clear_selection() {
        return Vec::new();
    }
    match state.rows.clear_filter() {
        Some(request) => vec![Command::Read(request)],
        None => vec![Command::Route(Route::Back)],
    }
}

/// Reverts the selected records of the step, or the current one.
fn revert(state: &State, keys: KeyMap) -> Vec<Command> {
    if state.change.as_ref().is_some_and(|change| change.sent.is_some()) {
        return vec![Command::info(PUSHED)];
    }
    if state.rows.selected() > 0 {
        let ids = state.rows.targets();
        let count = ids.len();
        let job = Command::write(FileJob::Revert { step: state.step, only: Some(ids) }, "reverting a step");
        let dialog = Dialog::new("Revert", "Cancel")
            .line(format!("Revert what step {} changed in the selected {}?", state.step, connectors(count as u64)))
            .line("Each goes back exactly to what it was. Those that were changed since are listed and skipped.")
            .choice(format!("Revert {count}"), vec![job]);
        return vec![Command::OpenDialog(Box::new(dialog))];
    }
    match &state.change {
        Some(change) if change.state == ChangeState::Undone => {
            vec![Command::info("This was undone already")]
        }
        Some(change) if change.back == RevertPreview::Unknown => {
            let key = keys.key_of(KeyContext::History, Action::Backups);
            let text = format!(
                "another program deleted it, and the history holds only what this step changed; a backup may have \
                 it ({key} in the history)"
            );
            vec![Command::warning(text)]
        }
        Some(change) => vec![Command::OpenDialog(Box::new(confirm_for_one(change, keys)))],
        None => Vec::new(),
    }
}

/// Confirms the revert of one record, with both sides.
fn confirm_for_one(change: &RecordChange, keys: KeyMap) -> Dialog {
    let (id, name) = (change.id.clone(), change.name());
    let is_applied = change.state == ChangeState::Applied;
    let step = change.step;
    let mut dialog = Dialog::new(if is_applied { "Revert" } else { "Changed since" }, "Cancel");
    dialog = dialog.line(match (&change.now, &change.back) {
        (_, RevertPreview::Deleted) => format!("Step {step} created “{name}”; reverting it deletes the connector."),
        (None, _) => format!("“{name}” is not in the file; reverting step {step} restores it."),
        (Some(_), _) if is_applied => format!("Put “{name}” back to what it was before step {step}?"),
        (Some(_), _) => format!("“{name}” was changed after step {step}. Only what that step changed would go back:"),
    });
    if let (Some(now), RevertPreview::Record(back)) = (&change.now, &change.back) {
        let lines = change_lines(&changes(now, back));
        dialog = if lines.is_empty() { dialog.line("Nothing of it is left to revert.") } else { dialog.lines(lines) };
    }
    let job = if is_applied {
        FileJob::Revert { step, only: Some(vec![id]) }
    } else {
        FileJob::ForceRevert { step, id, seen: change.now.as_ref().map(|record| record.revision) }
    };
    let answer = if is_applied { "Revert" } else { "Revert anyway" };
    let dialog = dialog
        .line(format!("{} undoes the revert.", keys.key_of(KeyContext::Step, Action::Undo)))
        .choice(answer, vec![Command::write(job, "reverting a step")]);
    if is_applied { dialog.default_to_last() } else { dialog }
}

/// Rows of the list that fit in `area`.
pub fn height(area: Rect) -> usize {
    usize::from(areas(area).1.height.saturating_sub(table::HEAD))
}

/// Returns the area of the list.
pub fn list_area(area: Rect) -> Rect {
    areas(area).1
}

/// Returns the areas of headline, list and panel, and whether the panel is to the right.
fn areas(area: Rect) -> (Rect, Rect, Rect, bool) {
    let (head, rest) = cut_top(area, 1);
    let Split { list, panel, is_side_by_side } = split::split(rest, area.height);
    (head, list, panel, is_side_by_side)
}

/// Draws the entry; `step` is its header.
pub fn view(state: &State, step: Option<&HistoryEntry>, frame: &mut Frame<'_>, area: Rect, now: Timestamp, ui: Ui) {
    let Ui { theme, keys, .. } = ui;
    let (head, list, panel, is_side_by_side) = areas(area);
    frame.render_widget(Paragraph::new(headline(state, step, usize::from(head.width), now, theme)), head);
    let empty = [
        "No connector was changed in this step.".to_owned(),
        String::new(),
        format!("{}  back to the history", keys.key_of(KeyContext::Step, Action::Back)),
    ];
    let columns = columns(usize::from(list.width), theme, ui.catalogue);
    table::view(&state.rows, &columns, &empty, frame, list, ui);
    if panel.area() > 0 {
        view_panel(state, frame, panel, is_side_by_side, ui);
    }
}

fn headline(state: &State, step: Option<&HistoryEntry>, cells: usize, now: Timestamp, theme: Theme) -> Line<'static> {
    let Some(step) = step else {
        return Line::styled(format!("Step {}", state.step), theme.title());
    };
    let word = progress(step);
    let mut text =
        format!("Step {}: {} of {}, {} ago", step.step, step.word(), about(step), age(Some(&step.started_at), now));
    if !word.is_empty() {
        text.push_str(&format!(", {word}"));
    }
    Line::styled(clip(&text, cells), theme.title())
}

fn columns<'a>(width: usize, theme: Theme, catalogue: &'static Catalogue) -> Vec<Column<'a>> {
    let name_width = if width >= 60 { width / 3 } else { width.saturating_sub(18).max(6) };
    let mut columns = vec![Column {
        head: "NAME".to_owned(),
        width: name_width,
        cell: Box::new(move |row: &Summary| (row.name.clone(), theme.text())),
    }];
    if width >= 75 {
        columns.push(Column {
            head: "TYPE".to_owned(),
            width: 14,
            cell: Box::new(move |row| (row.type_label(catalogue).to_owned(), theme.muted())),
        });
    }
    if width >= 60 {
        let used: usize = columns.iter().map(|column| column.width + 1).sum();
        columns.push(Column {
            head: "CHANGE".to_owned(),
            width: width.saturating_sub(used + 18).max(6),
            cell: Box::new(move |row| {
                (row.change.as_ref().map_or_else(String::new, |change| change.text.clone()), theme.text())
            }),
        });
    }
    columns.push(Column {
        head: "NOW".to_owned(),
        width: 14,
        cell: Box::new(move |row| match row.change.as_ref().map(|change| change.state) {
            Some(state @ (ChangeState::ModifiedSince | ChangeState::DeletedSince)) => {
                (state.label().to_owned(), theme.warning())
            }
            Some(state) => (state.label().to_owned(), theme.muted()),
            None => (String::new(), theme.muted()),
        }),
    });
    columns
}

fn view_panel(state: &State, frame: &mut Frame<'_>, area: Rect, is_side_by_side: bool, ui: Ui) {
    let theme = ui.theme;
    let inside = split::edge(frame, area, is_side_by_side, theme);
    if let Some(change) = &state.change {
        frame.render_widget(Paragraph::new(change_panel(change, usize::from(inside.width), ui)), inside);
    }
}

fn change_panel(change: &RecordChange, cells: usize, ui: Ui) -> Vec<Line<'static>> {
    let Ui { theme, keys, .. } = ui;
    let record = change.record();
    let mut lines = vec![Line::styled(clip(change.name(), cells), theme.accent())];
    match (&change.before, &change.after) {
        _ if change.sent.is_some() => {
            let sent = change.sent.as_deref().unwrap_or_default();
            lines.extend(wrap(sent, cells).into_iter().map(Line::from));
        }
        (Some(before), Some(after)) => {
            for (tone, text) in change_lines(&changes(before, after)) {
                lines.push(Line::styled(clip(&text, cells), tone.style(theme)));
            }
        }
        (None, Some(_)) => lines.push(Line::styled("+ created", theme.good())),
        (_, None) => lines.push(Line::styled("- deleted", theme.bad())),
    }
    let key = keys.key_of(KeyContext::Step, Action::Revert);
    let note = match change.state {
        _ if change.sent.is_some() => "sent to Kibana; the file did not change".to_owned(),
        _ if change.back == RevertPreview::Unknown => {
            "deleted by another program; the history has no other data of it".to_owned()
        }
        ChangeState::Applied => format!("as this step left it ({key} to undo)"),
        ChangeState::Undone => "undone".to_owned(),
        ChangeState::ModifiedSince => format!("changed since; {key} shows both sides"),
        ChangeState::DeletedSince => format!("deleted since; {key} restores it as it was before this step"),
    };
    lines.push(Line::from(Span::styled(clip(&note, cells), theme.muted())));
    if let Some(record) = record {
        lines.push(Line::from(safe(&connector_details::type_text(&record.connector_type_id, ui.catalogue))));
    }
    lines
}
