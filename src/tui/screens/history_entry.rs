//! An entry of the history: its records before and after, and the revert of some of them.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::history::PUSHED;
use super::{Route, Screen};
use crate::domain::diff::{ChangeState, changes};
use crate::domain::{Catalogue, Summary};
use crate::messages::history::{about, progress};
use crate::store::{HistoryEntry, RecordChange, RevertPreview, Scope};
use crate::text::terminal::{clip, safe, wrap};
use crate::text::time::age;
use crate::tui::command::{Command, connectors};
use crate::tui::context::Context;
use crate::tui::keymap::{Action, KeyContext, KeyMap};
use crate::tui::overlays::{Dialog, change_lines};
use crate::tui::ui::Ui;
use crate::tui::widgets::connector_details;
use crate::tui::widgets::layout::cut_top;
use crate::tui::widgets::list::{PagedColumn, PagedList, PagedView};
use crate::tui::widgets::pane::{Pane, inside};
use crate::tui::widgets::preview::Preview;
use crate::tui::widgets::split;
use crate::tui::widgets::split::Split;
use crate::tui::widgets::theme::Theme;
use crate::worker::{FileJob, Query, Reply, UndoPage};

/// A step of the history.
#[derive(Debug)]
pub(super) struct HistoryEntryScreen {
    step: HistoryEntry,
    /// The records.
    rows: PagedList,
    /// The change of the current record.
    change: Preview<RecordChange>,
}

impl HistoryEntryScreen {
    /// Returns the screen of a step, with a filter.
    pub(super) fn new(step: HistoryEntry, filter: &str) -> Self {
        let mut rows = PagedList::new(Scope::Step(step.step), KeyContext::Step);
        rows.set_filter(filter);
        Self { step, rows, change: Preview::default() }
    }

    fn undo(&self, is_redo: bool) -> Command {
        let job = FileJob::UndoOnPage { page: UndoPage::Step(self.step.step), is_redo };
        Command::write(job, if is_redo { "redoing" } else { "undoing" })
    }

    fn open(&self) -> Command {
        match self.change.get() {
            Some(RecordChange { now: Some(record), .. }) => Command::Open(Route::Detail(record.id.clone())),
            _ => Command::info("This connector is not in the file now"),
        }
    }
}

impl Screen for HistoryEntryScreen {
    fn key_context(&self) -> KeyContext {
        KeyContext::Step
    }

    fn title(&self) -> &'static str {
        "One step"
    }

    fn list(&self) -> Option<&PagedList> {
        Some(&self.rows)
    }

    fn list_mut(&mut self) -> Option<&mut PagedList> {
        Some(&mut self.rows)
    }

    fn list_area(&self, cx: &Context) -> Rect {
        areas(cx.body()).1
    }

    fn queries(&mut self) -> Vec<Query> {
        self.change.forget();
        vec![self.rows.reload(), Query::Step(self.step.step)]
    }

    fn follow(&mut self) -> Option<Query> {
        self.change.follow(&self.rows).map(|id| Query::Change { step: self.step.step, id })
    }

    /// The loaded change has to belong to the current row.
    fn is_waiting(&self) -> bool {
        !self.rows.is_settled() || !self.change.is_of_current(&self.rows)
    }

    fn on_reply(&mut self, reply: &Reply, _cx: &Context) -> Vec<Command> {
        match reply {
            Reply::Step(step) if step.step == self.step.step => self.step = step.as_ref().clone(),
            Reply::Change { step, id, change } if *step == self.step.step => {
                self.change.set(id, change.as_deref().cloned());
            }
            _ => {}
        }
        Vec::new()
    }

    fn on_action(&mut self, action: Action, cx: &Context) -> Option<Vec<Command>> {
        Some(match action {
            Action::Revert => revert(self, cx.ui.keys),
            Action::Open => vec![self.open()],
            Action::Undo | Action::Redo => vec![self.undo(action == Action::Redo)],
            Action::Back => return back(self),
            _ => return None,
        })
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        let Ui { theme, keys, .. } = cx.ui;
        let (head, list, panel) = areas(area);
        frame.render_widget(Paragraph::new(headline(&self.step, head.width.into(), cx)), head);
        let empty = [
            "No connector was changed in this step.".to_owned(),
            String::new(),
            format!("{}  back to the history", keys.key_of(KeyContext::Step, Action::Back)),
        ];
        let columns = columns(inside(list).width.into(), theme, cx.ui.catalogue);
        self.rows.view(&PagedView { title: "Connectors", columns: &columns, empty: &empty }, frame, list, cx.ui);
        if panel.area() > 0 {
            view_panel(self, frame, panel, cx.ui);
        }
    }
}

/// Clears the selection, then the filter; `None` goes back.
fn back(state: &mut HistoryEntryScreen) -> Option<Vec<Command>> {
    if state.rows.clear_selection() {
        return Some(Vec::new());
    }
    state.rows.clear_filter().map(|query| vec![Command::Read(query)])
}

/// Reverts the selected records of the step, or the current one.
fn revert(state: &HistoryEntryScreen, keys: KeyMap) -> Vec<Command> {
    if state.change.get().is_some_and(|change| change.sent.is_some()) {
        return vec![Command::info(PUSHED)];
    }
    if state.rows.selected() > 0 {
        let ids = state.rows.targets();
        let count = ids.len();
        let job = Command::write(FileJob::Revert { step: state.step.step, only: Some(ids) }, "reverting a step");
        let dialog = Dialog::new("Revert", "Cancel")
            .line(format!("Revert what step {} changed in the selected {}?", state.step.step, connectors(count as u64)))
            .line("Each goes back exactly to what it was. Those that were changed since are listed and skipped.")
            .choice(format!("Revert {count}"), vec![job]);
        return vec![Command::dialog(dialog)];
    }
    match state.change.get() {
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
        Some(change) => vec![Command::dialog(confirm_for_one(change, keys))],
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
    dialog
        .line(format!("{} undoes the revert.", keys.key_of(KeyContext::Step, Action::Undo)))
        .choice(answer, vec![Command::write(job, "reverting a step")])
}

/// Returns the areas of headline, list and panel.
fn areas(area: Rect) -> (Rect, Rect, Rect) {
    let (head, rest) = cut_top(area, 1);
    let Split { list, panel, .. } = split::split(rest, area.height);
    (head, list, panel)
}

fn headline(step: &HistoryEntry, cells: usize, cx: &Context) -> Line<'static> {
    let word = progress(step);
    let age = age(Some(&step.started_at), cx.now);
    let mut text = format!("Step {}: {} of {}, {age} ago", step.step, step.word(), about(step));
    if !word.is_empty() {
        text.push_str(&format!(", {word}"));
    }
    Line::styled(clip(&text, cells), cx.ui.theme.title())
}

fn columns<'a>(width: usize, theme: Theme, catalogue: &'static Catalogue) -> Vec<PagedColumn<'a>> {
    let name_width = if width >= 60 { width / 3 } else { width.saturating_sub(18).max(6) };
    let mut columns = vec![PagedColumn {
        head: "NAME".to_owned(),
        width: name_width,
        cell: Box::new(move |row: &Summary| (row.name.clone(), theme.text())),
    }];
    if width >= 75 {
        columns.push(PagedColumn {
            head: "TYPE".to_owned(),
            width: 14,
            cell: Box::new(move |row| (row.type_label(catalogue).to_owned(), theme.muted())),
        });
    }
    if width >= 60 {
        let used: usize = columns.iter().map(|column| column.width + 1).sum();
        columns.push(PagedColumn {
            head: "CHANGE".to_owned(),
            width: width.saturating_sub(used + 18).max(6),
            cell: Box::new(move |row| {
                (row.change.as_ref().map_or_else(String::new, |change| change.text.clone()), theme.text())
            }),
        });
    }
    columns.push(PagedColumn {
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

fn view_panel(state: &HistoryEntryScreen, frame: &mut Frame<'_>, area: Rect, ui: Ui) {
    let theme = ui.theme;
    let name = state.change.get().map_or("", |change| change.name());
    let inside = Pane::new(name).view(frame, area, theme);
    if let Some(change) = state.change.get() {
        frame.render_widget(Paragraph::new(change_panel(change, usize::from(inside.width), ui)), inside);
    }
}

fn change_panel(change: &RecordChange, cells: usize, ui: Ui) -> Vec<Line<'static>> {
    let Ui { theme, keys, .. } = ui;
    let record = change.record();
    let mut lines = Vec::new();
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
