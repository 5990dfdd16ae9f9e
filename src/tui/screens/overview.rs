//! The overview: bars by auth mode, migration, secrets and connector type, and the recent changes. Each opens its
//! connectors.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::command::{Command, Route};
use crate::domain::{AuthMode, Catalogue};
use crate::messages::history::about;
use crate::store::{HistoryEntry, Statistics};
use crate::text::terminal::{fit, width};
use crate::text::time::age;
use crate::tui::keymap::Action;
use crate::tui::widgets::theme::Theme;
use crate::worker::{Overview, Query};

/// The state of the screen.
#[derive(Debug, Default)]
pub struct State {
    /// The numbers, once they have come.
    pub statistics: Option<Statistics>,
    /// The newest steps.
    pub steps: Vec<HistoryEntry>,
    cursor: usize,
}

/// Steps that are shown.
const STEPS: usize = 5;

/// A line of the overview.
struct Row {
    head: Option<&'static str>,
    label: String,
    count: Option<u64>,
    command: Command,
}

impl Row {
    fn new(label: impl Into<String>, count: u64, filter: impl Into<String>) -> Self {
        Self { head: None, label: label.into(), count: Some(count), command: Command::Filter(filter.into()) }
    }
}

/// Returns the queries of the screen.
pub fn requests() -> [Query; 2] {
    [Query::Statistics, Query::Steps]
}

/// Handles an action.
pub fn update(
    state: &mut State,
    action: Action,
    overview: &Overview,
    height: usize,
    catalogue: &'static Catalogue,
) -> Vec<Command> {
    let rows = rows(state, overview, catalogue);
    let last = rows.len().saturating_sub(1);
    let page = height.saturating_sub(2).max(1);
    match action {
        Action::Down => state.cursor = (state.cursor + 1).min(last),
        Action::Up => state.cursor = state.cursor.saturating_sub(1),
        Action::PageDown => state.cursor = (state.cursor + page).min(last),
        Action::PageUp => state.cursor = state.cursor.saturating_sub(page),
        Action::Top => state.cursor = 0,
        Action::Bottom => state.cursor = last,
        Action::Open => return rows.into_iter().nth(state.cursor).map(|row| row.command).into_iter().collect(),
        Action::Back | Action::Quit => return vec![Command::Route(Route::Back)],
        _ => {}
    }
    Vec::new()
}

fn rows(state: &State, overview: &Overview, catalogue: &'static Catalogue) -> Vec<Row> {
    let Some(statistics) = &state.statistics else { return Vec::new() };
    let of_mode = |mode| statistics.modes.iter().find(|(known, _)| *known == mode).map_or(0, |(_, count)| *count);
    let plan = &overview.plan;
    let mut sections = vec![
        (
            "Auth mode",
            vec![
                Row::new("shared", of_mode(Some(AuthMode::Shared)), "auth:shared"),
                Row::new("per-user", of_mode(Some(AuthMode::PerUser)), "auth:per-user"),
                Row::new("none yet (behaves as shared)", of_mode(None), "auth:none"),
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
    let of_step = |step: &HistoryEntry| Row {
        head: None,
        label: format!("{} of {}", step.word(), about(step)),
        count: None,
        command: Command::Route(Route::Step(step.step, "")),
    };
    sections.push(("Recent changes", state.steps.iter().take(STEPS).map(of_step).collect()));
    let of_type = |(id, count): &(String, u64)| {
        let id_in_quotes = id.replace('"', "");
        Row::new(overview.reported_types.label(id, catalogue), *count, format!("type:\"{id_in_quotes}\""))
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

/// Draws the overview.
pub fn view(
    state: &State,
    overview: &Overview,
    frame: &mut Frame<'_>,
    area: Rect,
    now: Timestamp,
    theme: Theme,
    catalogue: &'static Catalogue,
) {
    let rows = rows(state, overview, catalogue);
    if rows.is_empty() {
        return frame.render_widget(Paragraph::new("  counting …"), area);
    }
    let cells = usize::from(area.width);
    let (mut lines, mut selected) = (Vec::new(), 0);
    for (at, row) in rows.iter().enumerate() {
        if let Some(head) = row.head {
            if at > 0 {
                lines.push(Line::default());
            }
            lines.push(Line::styled(head, theme.title()));
        }
        if at == state.cursor {
            selected = lines.len();
        }
        let age = state
            .steps
            .iter()
            .find(|step| matches!(row.command, Command::Route(Route::Step(of, _)) if of == step.step));
        let age = age.map_or(String::new(), |step| format!("{} ago", age_of(step, now)));
        lines.push(line(row, &age, overview.total, at == state.cursor, cells, theme));
    }
    let height = usize::from(area.height);
    let first = (selected + 1).saturating_sub(height);
    frame.render_widget(Paragraph::new(lines.into_iter().skip(first).take(height).collect::<Vec<_>>()), area);
}

fn age_of(step: &HistoryEntry, now: Timestamp) -> String {
    age(Some(&step.started_at), now)
}

/// The label, the number, and a bar that is as long as its share.
fn line(row: &Row, age: &str, total: u64, is_selected: bool, cells: usize, theme: Theme) -> Line<'static> {
    let sign = if is_selected { "> " } else { "  " };
    let label = (cells / 2).clamp(12, 36);
    let Some(count) = row.count else {
        let text = format!("{sign}{}", fit(&format!("{age:<9} {}", row.label), cells.saturating_sub(2)));
        return Line::styled(text, if is_selected { theme.selected() } else { theme.text() });
    };
    let number = format!("{count:>8} ");
    let room = cells.saturating_sub(label + width(&number) + 4);
    let part = |of: usize| usize::try_from(u128::from(count) * of as u128 / u128::from(total.max(1))).unwrap_or(0);
    // Every count above zero gets a visible bar.
    let bar = part(room).max(usize::from(count > 0)).min(room);
    let spans = vec![
        Span::raw(format!("{sign}{}", fit(&row.label, label))),
        Span::raw(number),
        Span::styled("█".repeat(bar), if is_selected { theme.text() } else { theme.accent() }),
        Span::raw(" ".repeat(room - bar)),
    ];
    let line = Line::from(spans);
    if is_selected { line.patch_style(theme.selected()) } else { line }
}
