//! One step of the history: its records with before and after, and taking some of them back.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::dialog::{Dialog, change_lines};
use super::effect::{Effect, Go, connectors};
use super::history::PUSHED;
use super::panel::{self, Split};
use super::record;
use super::rows::Rows;
use super::table::{self, Column};
use crate::clock::age;
use crate::domain::Summary;
use crate::domain::change::{ChangeState, changes};
use crate::keymap::{Action, Place, key_of};
use crate::store::{Back, RecordChange, Scope, Step};
use crate::ui::input::TextInput;
use crate::ui::layout::cut_top;
use crate::ui::text::{clip, safe, wrap};
use crate::ui::theme::Theme;
use crate::worker::protocol::{Job, Request};

/// The state of the screen.
#[derive(Debug)]
pub struct State {
    /// The step's number.
    pub step: i64,
    /// Its records.
    pub rows: Rows,
    /// What it did to the selected one, once that has come.
    pub change: Option<RecordChange>,
    /// Id and revision of the row whose change was asked for.
    asked: Option<(String, i64)>,
}

impl State {
    /// The screen on a step, with a filter.
    pub fn new(step: i64, filter: &str) -> Self {
        let mut rows = Rows::new(Scope::Step(step));
        rows.filter_text = TextInput::new(filter);
        Self { step, rows, change: None, asked: None }
    }

    /// Asks for the change of the selected row when it is another one, or was changed.
    pub fn follow(&mut self) -> Option<Request> {
        let wanted = self.rows.current().map(|row| (row.id.clone(), row.revision));
        if wanted == self.asked {
            return None;
        }
        self.asked = wanted.clone();
        if self.change.as_ref().map(|change| &change.id) != wanted.as_ref().map(|(id, _)| id) {
            self.change = None;
        }
        wanted.map(|(id, _)| Request::Change { step: self.step, id })
    }

    /// Asks for the change of the selected row again.
    pub fn read_again(&mut self) -> Request {
        self.asked = None;
        self.rows.reload()
    }

    /// The selected row and what is known of it are the same record.
    pub fn is_settled(&self) -> bool {
        self.rows.is_settled()
            && self.rows.current().map(|row| &row.id) == self.change.as_ref().map(|change| &change.id)
    }
}

/// What an action does here.
pub fn update(state: &mut State, action: Action) -> Vec<Effect> {
    if let Some(requests) = state.rows.act(action) {
        return requests.into_iter().map(Effect::Read).collect();
    }
    match action {
        Action::TakeBack => take_back(state),
        Action::Open => match state.change.as_ref() {
            Some(RecordChange { now: Some(record), .. }) => vec![Effect::Go(Go::Detail(record.id.clone()))],
            _ => vec![Effect::info("this connector is not in the file now")],
        },
        Action::Back => back(state),
        Action::Quit => vec![Effect::Go(Go::Back)],
        _ => Vec::new(),
    }
}

fn back(state: &mut State) -> Vec<Effect> {
    if state.rows.clear_marks() {
        return Vec::new();
    }
    match state.rows.clear_filter() {
        Some(request) => vec![Effect::Read(request)],
        None => vec![Effect::Go(Go::Back)],
    }
}

/// Takes the marked records of the step back, or the selected one.
fn take_back(state: &State) -> Vec<Effect> {
    if state.change.as_ref().is_some_and(|change| change.sent.is_some()) {
        return vec![Effect::info(PUSHED)];
    }
    if state.rows.marked() > 0 {
        let ids = state.rows.targets();
        let count = ids.len();
        let job = Effect::Write(Job::TakeBack { step: state.step, only: Some(ids) }, "taking a step back");
        let dialog = Dialog::new("Take back", "Cancel")
            .line(format!("Take back what step {} did to the marked {}?", state.step, connectors(count as u64)))
            .line("Each goes back exactly to what it was. Those that were changed since are listed and left alone.")
            .choice(format!("Take back {count}"), vec![job]);
        return vec![Effect::Ask(Box::new(dialog))];
    }
    match &state.change {
        Some(change) if change.state == ChangeState::TakenBack => {
            vec![Effect::info("this was taken back already")]
        }
        Some(change) if change.back == Back::Unknown => {
            let key = key_of(Place::History, Action::Copies);
            let text = format!(
                "another program deleted it, and the history holds only what this step changed; a copy of the file may \
                 have it ({key} in the history)"
            );
            vec![Effect::warning(text)]
        }
        Some(change) => vec![Effect::Ask(Box::new(ask_for_one(change)))],
        None => Vec::new(),
    }
}

/// Both sides of one record: what it is now, and what it would be.
fn ask_for_one(change: &RecordChange) -> Dialog {
    let (id, name) = (change.id.clone(), change.name());
    let is_in_force = change.state == ChangeState::InForce;
    let step = change.step;
    let mut dialog = Dialog::new(if is_in_force { "Take back" } else { "Changed since" }, "Cancel");
    dialog = dialog.line(match (&change.now, &change.back) {
        (_, Back::Gone) => format!("Step {step} created “{name}”; taking that back deletes it."),
        (None, _) => format!("“{name}” is not in the file now; taking step {step} back puts it there again."),
        (Some(_), _) if is_in_force => format!("Put “{name}” back to what it was before step {step}?"),
        (Some(_), _) => format!("“{name}” was changed after step {step}. Only what that step changed would go back:"),
    });
    if let (Some(now), Back::Record(back)) = (&change.now, &change.back) {
        let lines = change_lines(&changes(now, back));
        dialog =
            if lines.is_empty() { dialog.line("Nothing of it is left to take back.") } else { dialog.lines(lines) };
    }
    let job = if is_in_force {
        Job::TakeBack { step, only: Some(vec![id]) }
    } else {
        Job::TakeBackOver { step, id, seen: change.now.as_ref().map(|record| record.revision) }
    };
    let answer = if is_in_force { "Take back" } else { "Take back all the same" };
    let dialog = dialog
        .line(format!("{} brings it again.", key_of(Place::Step, Action::Redo)))
        .choice(answer, vec![Effect::Write(job, "taking a step back")]);
    if is_in_force { dialog.default_to_last() } else { dialog }
}

/// Rows of the list that fit in `area`.
pub fn height(area: Rect) -> usize {
    usize::from(areas(area).1.height.saturating_sub(table::HEAD))
}

/// Where the list is.
pub fn list_area(area: Rect) -> Rect {
    areas(area).1
}

/// The headline, the list, the panel, and whether that stands beside the list.
fn areas(area: Rect) -> (Rect, Rect, Rect, bool) {
    let (head, rest) = cut_top(area, 1);
    let Split { list, panel, beside } = panel::split(rest, area.height);
    (head, list, panel, beside)
}

/// Draws the step; `step` is what the history says of it.
pub fn view(state: &State, step: Option<&Step>, frame: &mut Frame<'_>, area: Rect, now: Timestamp, theme: Theme) {
    let (head, list, panel, beside) = areas(area);
    frame.render_widget(Paragraph::new(headline(state, step, usize::from(head.width), now, theme)), head);
    let empty = [
        "No connector was changed in this step.".to_owned(),
        String::new(),
        format!("{}  back to the history", key_of(Place::Step, Action::Back)),
    ];
    let columns = columns(usize::from(list.width), theme);
    table::view(&state.rows, &columns, &empty, frame, list, theme);
    if panel.area() > 0 {
        view_panel(state, frame, panel, beside, theme);
    }
}

fn headline(state: &State, step: Option<&Step>, cells: usize, now: Timestamp, theme: Theme) -> Line<'static> {
    let Some(step) = step else {
        return Line::styled(format!("Step {}", state.step), theme.title());
    };
    let word = step.progress();
    let mut text =
        format!("Step {}: {} of {}, {} ago", step.step, step.word(), step.about(), age(Some(&step.started_at), now));
    if !word.is_empty() {
        text.push_str(&format!(", {word}"));
    }
    Line::styled(clip(&text, cells), theme.title())
}

fn columns<'a>(width: usize, theme: Theme) -> Vec<Column<'a>> {
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
            cell: Box::new(move |row| (row.type_label().to_owned(), theme.muted())),
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
        width: 13,
        cell: Box::new(move |row| match row.change.as_ref().map(|change| change.state) {
            Some(state @ (ChangeState::ChangedSince | ChangeState::DeletedSince)) => {
                (state.label().to_owned(), theme.warning())
            }
            Some(state) => (state.label().to_owned(), theme.muted()),
            None => (String::new(), theme.muted()),
        }),
    });
    columns
}

fn view_panel(state: &State, frame: &mut Frame<'_>, area: Rect, beside: bool, theme: Theme) {
    let inside = panel::edge(frame, area, beside, theme);
    if let Some(change) = &state.change {
        frame.render_widget(Paragraph::new(change_panel(change, usize::from(inside.width), theme)), inside);
    }
}

fn change_panel(change: &RecordChange, cells: usize, theme: Theme) -> Vec<Line<'static>> {
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
    let key = key_of(Place::Step, Action::TakeBack);
    let said = match change.state {
        _ if change.sent.is_some() => "sent to Kibana; the file did not change".to_owned(),
        _ if change.back == Back::Unknown => {
            "deleted by another program; of the rest of it the history knows nothing".to_owned()
        }
        ChangeState::InForce => format!("as this step left it; {key} takes it back"),
        ChangeState::TakenBack => "taken back".to_owned(),
        ChangeState::ChangedSince => format!("changed since; {key} shows both sides"),
        ChangeState::DeletedSince => format!("deleted since; {key} puts it back as it was before this step"),
    };
    lines.push(Line::from(Span::styled(clip(&said, cells), theme.muted())));
    if let Some(record) = record {
        lines.push(Line::from(safe(&record::type_text(&record.connector_type_id))));
    }
    lines
}
