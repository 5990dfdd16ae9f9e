//! The overview: bars by auth mode, migration, secrets and connector type, and the recent changes. Each opens its
//! connectors.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Route, Screen};
use crate::domain::AuthMode;
use crate::messages::history::about;
use crate::store::{HistoryEntry, Statistics};
use crate::text::terminal::{fit, width};
use crate::text::time::age;
use crate::tui::command::Command;
use crate::tui::context::Context;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::widgets::list::Cursor;
use crate::tui::widgets::pane::{Pane, inside};
use crate::tui::widgets::theme::Theme;
use crate::worker::{Query, Reply};

/// The numbers of the file, once they have come.
#[derive(Debug, Default)]
pub(super) struct OverviewScreen {
    statistics: Option<Statistics>,
    /// The newest steps.
    steps: Vec<HistoryEntry>,
    cursor: Cursor,
}

/// Steps that are shown.
const STEPS: usize = 5;

/// A line of the overview.
struct Row {
    head: Option<&'static str>,
    label: String,
    value: Value,
}

/// What a line shows, and opens.
enum Value {
    /// A number of connectors, with the filter that lists them.
    Count(u64, String),
    /// A step of the history.
    Step(Box<HistoryEntry>),
}

impl Row {
    fn new(label: impl Into<String>, count: u64, filter: impl Into<String>) -> Self {
        Self { head: None, label: label.into(), value: Value::Count(count, filter.into()) }
    }

    fn of_step(step: &HistoryEntry) -> Self {
        let label = format!("{} of {}", step.word(), about(step));
        Self { head: None, label, value: Value::Step(Box::new(step.clone())) }
    }

    fn command(self) -> Command {
        match self.value {
            Value::Count(_, filter) => Command::Filter(filter),
            Value::Step(step) => Command::Open(Route::Step(step, "")),
        }
    }
}

impl Screen for OverviewScreen {
    fn key_context(&self) -> KeyContext {
        KeyContext::Overview
    }

    fn title(&self) -> &'static str {
        "Overview"
    }

    fn queries(&mut self) -> Vec<Query> {
        vec![Query::Statistics, Query::Steps]
    }

    fn on_reply(&mut self, reply: &Reply, _cx: &Context) -> Vec<Command> {
        match reply {
            Reply::Statistics(statistics) => self.statistics = Some(statistics.clone()),
            Reply::Steps(steps) => self.steps = steps.iter().take(STEPS).cloned().collect(),
            _ => {}
        }
        Vec::new()
    }

    fn is_waiting(&self) -> bool {
        self.statistics.is_none()
    }

    fn on_action(&mut self, action: Action, cx: &Context) -> Option<Vec<Command>> {
        let rows = rows(self, cx);
        let height = usize::from(inside(cx.body()).height).saturating_sub(1);
        if self.cursor.act(action, rows.len(), height) {
            return Some(Vec::new());
        }
        let current = self.cursor.row.min(rows.len().saturating_sub(1));
        (action == Action::Open).then(|| rows.into_iter().nth(current).map(Row::command).into_iter().collect())
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        let rows = rows(self, cx);
        if rows.is_empty() {
            return frame.render_widget(Paragraph::new("  counting …"), area);
        }
        let area = Pane::new("Overview").focused().view(frame, area, cx.ui.theme);
        let theme = cx.ui.theme;
        let current = self.cursor.row.min(rows.len() - 1);
        let (mut lines, mut selected) = (Vec::new(), 0);
        for (at, row) in rows.iter().enumerate() {
            if let Some(head) = row.head {
                if at > 0 {
                    lines.push(Line::default());
                }
                lines.push(Line::styled(head, theme.title()));
            }
            let is_selected = at == current;
            if is_selected {
                selected = lines.len();
            }
            let cells = usize::from(area.width);
            lines.push(match &row.value {
                Value::Count(count, _) => bar(row, *count, cx.overview.total, is_selected, cells, theme),
                Value::Step(step) => step_line(row, step, cx.now, is_selected, cells, theme),
            });
        }
        let height = usize::from(area.height);
        let first = (selected + 1).saturating_sub(height);
        frame.render_widget(Paragraph::new(lines.into_iter().skip(first).take(height).collect::<Vec<_>>()), area);
    }
}

fn rows(state: &OverviewScreen, cx: &Context) -> Vec<Row> {
    let Some(statistics) = &state.statistics else { return Vec::new() };
    let overview = &cx.overview;
    let of_mode = |mode| statistics.modes.iter().find(|(known, _)| *known == mode).map_or(0, |(_, count)| *count);
    let plan = &overview.plan;
    let mut sections = vec![
        (
            "Auth mode",
            vec![
                Row::new("shared", of_mode(Some(AuthMode::Shared)), "auth:shared"),
                Row::new("per-user", of_mode(Some(AuthMode::PerUser)), "auth:per-user"),
                Row::new("not set (behaves as shared)", of_mode(None), "auth:none"),
            ],
        ),
        (
            "Migration",
            vec![
                Row::new("backfill", plan.backfill, "is:backfill"),
                Row::new("stamp only", plan.stamp_only, "is:stamp-only"),
                Row::new("blocked", plan.blocked, "is:blocked"),
            ],
        ),
        (
            "Secrets",
            vec![
                Row::new("missing", overview.missing_secrets, "missing:secrets"),
                Row::new("unreadable", overview.unreadable_secrets, "unreadable:secrets"),
            ],
        ),
    ];
    sections.push(("Recent changes", state.steps.iter().map(Row::of_step).collect()));
    let of_type = |(id, count): &(String, u64)| {
        let id_in_quotes = id.replace('"', "");
        Row::new(overview.reported_types.label(id, cx.ui.catalogue), *count, format!("type:\"{id_in_quotes}\""))
    };
    sections.push(("Connector types", statistics.types.iter().map(of_type).collect()));
    let mut all = Vec::new();
    for (head, mut rows) in sections {
        if let Some(first) = rows.first_mut() {
            first.head = Some(head);
        }
        all.extend(rows);
    }
    all
}

fn step_line(
    row: &Row,
    step: &HistoryEntry,
    now: Timestamp,
    is_selected: bool,
    cells: usize,
    theme: Theme,
) -> Line<'static> {
    let age = format!("{} ago", age(Some(&step.started_at), now));
    let text = format!("{}{}", sign(is_selected), fit(&format!("{age:<9} {}", row.label), cells.saturating_sub(2)));
    Line::styled(text, if is_selected { theme.selected() } else { theme.text() })
}

fn sign(is_selected: bool) -> &'static str {
    if is_selected { "> " } else { "  " }
}

/// The label, the number, and a bar that is as long as its share.
fn bar(row: &Row, count: u64, total: u64, is_selected: bool, cells: usize, theme: Theme) -> Line<'static> {
    let label = (cells / 2).clamp(12, 36);
    let number = format!("{count:>8} ");
    let room = cells.saturating_sub(label + width(&number) + 4);
    let part = usize::try_from(u128::from(count) * room as u128 / u128::from(total.max(1))).unwrap_or(0);
    // Every count above zero gets a visible bar.
    let bar = part.max(usize::from(count > 0)).min(room);
    let spans = vec![
        Span::raw(format!("{}{}", sign(is_selected), fit(&row.label, label))),
        Span::raw(number),
        Span::styled("█".repeat(bar), if is_selected { theme.text() } else { theme.accent() }),
        Span::raw(" ".repeat(room - bar)),
    ];
    let line = Line::from(spans);
    if is_selected { line.patch_style(theme.selected()) } else { line }
}
