//! One connector, whole.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{Screen, connectors, copy, form};
use crate::tui::command::Command;
use crate::tui::context::Context;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::overlays::{Item, Menu};
use crate::tui::screens::Route;
use crate::tui::screens::form::FormStart;
use crate::tui::ui::Ui;
use crate::tui::widgets::connector_details;
use crate::tui::widgets::pane::text_cells;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::theme::Theme;
use crate::worker::{FileJob, JobResult, Query, Record, Reply, UndoPage};

/// The connector that is shown; it arrives after the screen has opened.
#[derive(Debug)]
pub(super) struct DetailScreen {
    id: String,
    /// The record; `None` before it has come.
    record: Option<Record>,
    /// The connector was deleted in the meantime.
    is_gone: bool,
    scroll: Scroll,
    /// The next connector that is missing secrets is being searched.
    is_searching: bool,
}

impl DetailScreen {
    /// Returns the screen before the record has come.
    pub(super) fn new(id: String) -> Self {
        Self { id, record: None, is_gone: false, scroll: Scroll::default(), is_searching: false }
    }

    fn lines(&self, width: usize, now: Timestamp, ui: Ui) -> Vec<Line<'static>> {
        match (&self.record, self.is_gone) {
            (Some(record), _) => connector_details::lines(record, now, ui, width),
            (None, true) => {
                let key = ui.keys.key_of(KeyContext::Detail, Action::Back);
                vec![format!("This connector has been deleted. {key} goes back.").into()]
            }
            (None, false) => vec!["loading …".into()],
        }
    }

    /// Searches from this connector on.
    fn search_missing(&mut self) -> Command {
        self.is_searching = true;
        let connector = self.record.as_ref().map(|record| &record.connector);
        let after = connector.map(|it| form::start_of_search(&it.name, &it.id, it.is_missing_secrets));
        Command::Read(Query::NextMissing { after })
    }
}

impl Screen for DetailScreen {
    fn key_context(&self) -> KeyContext {
        KeyContext::Detail
    }

    fn title(&self) -> &'static str {
        "Connector"
    }

    fn subject(&self) -> Option<String> {
        self.record.as_ref().map(|record| record.connector.name.clone())
    }

    fn queries(&mut self) -> Vec<Query> {
        vec![Query::Record { id: self.id.clone(), preview_of: None }]
    }

    fn is_waiting(&self) -> bool {
        self.is_searching || (self.record.is_none() && !self.is_gone)
    }

    fn give_up(&mut self) {
        self.is_searching = false;
    }

    fn on_reply(&mut self, reply: &Reply, cx: &Context) -> Vec<Command> {
        match reply {
            Reply::Record { id, record } if *id == self.id => {
                self.is_gone = record.is_none();
                self.record = record.as_deref().cloned();
            }
            Reply::NextMissing { id, total } if std::mem::take(&mut self.is_searching) => {
                let mut commands = form::fill_next(id.as_deref(), *total, cx);
                if id.is_some() {
                    commands.insert(0, Command::Back);
                }
                return commands;
            }
            Reply::Done(JobResult::Deleted(_)) => return vec![Command::Back],
            _ => {}
        }
        Vec::new()
    }

    fn on_action(&mut self, action: Action, cx: &Context) -> Option<Vec<Command>> {
        let body = cx.body();
        let plain = Ui { theme: Theme::new(false), ..cx.ui };
        let lines = self.lines(text_cells(body), Timestamp::UNIX_EPOCH, plain).len();
        if self.scroll.act(action, body, lines) {
            return Some(Vec::new());
        }
        let connector = self.record.as_ref().map(|record| &record.connector);
        let id = self.id.clone();
        Some(vec![match action {
            Action::Edit => Command::Open(Route::Form(FormStart::Edit(id))),
            Action::Duplicate => Command::Open(Route::Form(FormStart::Duplicate(id))),
            Action::NextMissing => self.search_missing(),
            Action::ToggleMode => connectors::toggle(vec![id], false),
            Action::Delete => connectors::delete(vec![id], connector.map(|connector| connector.name.as_str())),
            Action::Compare => compare(self),
            Action::CopyText => copy::menu(connector, cx),
            Action::Execute => match connector {
                Some(known) => connectors::run(id, &known.connector_type_id, known.name.clone()),
                None => Command::info("No connector to test"),
            },
            Action::Undo | Action::Redo => {
                let is_redo = action == Action::Redo;
                let job = FileJob::UndoOnPage { page: UndoPage::Connector(id), is_redo };
                Command::write(job, if is_redo { "redoing" } else { "undoing" })
            }
            _ => return None,
        }])
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        let lines = self.lines(text_cells(area), cx.now, cx.ui);
        self.scroll.view(self.subject().as_deref().unwrap_or("Connector"), lines, frame, area, cx.ui.theme);
    }
}

/// Returns the menu of the steps that changed the connector, for a comparison.
fn compare(state: &DetailScreen) -> Command {
    let steps = state.record.as_ref().map(|record| record.history.as_slice()).unwrap_or_default();
    let items: Vec<Item> = steps
        .iter()
        .map(|step| {
            let request = Query::CompareBefore { step: step.step.step, id: state.id.clone() };
            let label = format!("before step {}: {}", step.step.step, step.step.word());
            Item::new(label, step.step.started_at.clone(), vec![Command::Read(request)])
        })
        .collect();
    if items.is_empty() {
        return Command::info("The history has no change of this connector");
    }
    Command::menu(Menu::new("Compare with an earlier state", items))
}
