//! The migration review: the plan for each record, the user's decisions, apply, and rollback.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::command::{Command, Route, connectors};
use crate::domain::migration;
use crate::domain::migration::Decision;
use crate::domain::{Catalogue, Connector, Group, Summary};
use crate::store::{Applied, HistoryEntry, PlanCounts, Scope, UpgradeReport};
use crate::text::grouped;
use crate::text::terminal::{clip, safe};
use crate::tui::keymap::{Action, KeyContext, KeyMap};
use crate::tui::overlays::dialog::{Dialog, Tone};
use crate::tui::ui::Ui;
use crate::tui::widgets::connector_details;
use crate::tui::widgets::layout::cut_top;
use crate::tui::widgets::paged_list::PagedList;
use crate::tui::widgets::split;
use crate::tui::widgets::split::Split;
use crate::tui::widgets::table;
use crate::tui::widgets::table::Column;
use crate::tui::widgets::theme::Theme;
use crate::worker::FileJob;

/// The state of the review.
#[derive(Debug)]
pub struct State {
    /// The records of the plan.
    pub rows: PagedList,
    /// The upgrade that has just run; shown once.
    pub upgraded: Option<UpgradeReport>,
    group: Option<Group>,
}

impl Default for State {
    fn default() -> Self {
        Self { rows: PagedList::new(Scope::Review), upgraded: None, group: None }
    }
}

/// The facts about the file that the review depends on.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The plan's counts.
    pub plan: &'a PlanCounts,
    /// The newest run that can be rolled back.
    pub last_run: Option<&'a HistoryEntry>,
}

/// Handles an action.
pub fn update(state: &mut State, action: Action, facts: Facts<'_>, keys: KeyMap) -> Vec<Command> {
    if let Some(requests) = state.rows.act(action) {
        return requests.into_iter().map(Command::Read).collect();
    }
    match action {
        Action::ChooseFirst => choose(state, 0, keys),
        Action::ChooseSecond => choose(state, 1, keys),
        Action::Skip => decide(state, Some(Decision::Skip), keys),
        Action::ResetDecision => decide(state, None, keys),
        Action::NextGroup => next_group(state),
        Action::Apply => vec![confirm_apply(facts.plan, keys)],
        Action::Rollback => vec![confirm_roll_back(facts.last_run)],
        Action::Edit => {
            state.rows.current().map(|row| Command::Route(Route::Edit(row.id.clone()))).into_iter().collect()
        }
        Action::History => vec![Command::Route(Route::History)],
        Action::Back => back(state),
        Action::Quit => vec![Command::Route(Route::Back)],
        _ => Vec::new(),
    }
}

fn back(state: &mut State) -> Vec<Command> {
    if state.rows.clear_selection() {
        return Vec::new();
    }
    if let Some(request) = state.rows.clear_filter() {
        return vec![Command::Read(request)];
    }
    if state.group.is_some() {
        return set_group(state, None);
    }
    vec![Command::Route(Route::Back)]
}

/// Decides for one of the choices that the newest step of the migration offers.
fn choose(state: &mut State, at: usize, keys: KeyMap) -> Vec<Command> {
    let choice = migration::current().choices().get(at).copied();
    choice.map_or_else(Vec::new, |choice| decide(state, Some(Decision::Choose(choice)), keys))
}

fn decide(state: &mut State, decision: Option<Decision>, keys: KeyMap) -> Vec<Command> {
    let is_single = state.rows.selected() == 0;
    if is_single && state.rows.current().is_some_and(|row| row.group == Some(Group::Blocked)) {
        let key = keys.key_of(KeyContext::Review, Action::Edit);
        return vec![Command::warning(format!("This record is blocked: repair it first ({key} opens it in the form)"))];
    }
    let ids = state.rows.targets();
    if ids.is_empty() {
        return Vec::new();
    }
    let mut commands = vec![Command::write(FileJob::Decide { ids, decision }, "saving the decision")];
    if is_single {
        commands.extend(state.rows.act(Action::Down).unwrap_or_default().into_iter().map(Command::Read));
    }
    commands
}

fn next_group(state: &mut State) -> Vec<Command> {
    let next = match state.group {
        None => Some(Group::Backfill),
        Some(Group::Backfill) => Some(Group::StampOnly),
        Some(Group::StampOnly) => Some(Group::Blocked),
        Some(Group::Blocked) => None,
    };
    set_group(state, next)
}

fn set_group(state: &mut State, group: Option<Group>) -> Vec<Command> {
    state.group = group;
    state.rows.condition = match group {
        None => "",
        Some(Group::Backfill) => "is:backfill",
        Some(Group::StampOnly) => "is:stamp-only",
        Some(Group::Blocked) => "is:blocked",
    };
    // A group opens at its first record; leaving it keeps the record.
    let request = if group.is_some() { state.rows.search() } else { state.rows.apply_filter() };
    request.map(Command::Read).into_iter().collect()
}

fn confirm_apply(plan: &PlanCounts, keys: KeyMap) -> Command {
    if plan.to_apply() == 0 {
        return Command::info(match plan.pending() {
            0 => "Nothing to apply: every record is migrated".to_owned(),
            _ => format!("Nothing to apply: {} skipped, {} blocked", grouped(plan.skipped()), grouped(plan.blocked)),
        });
    }
    let job = Command::write(FileJob::Apply, "migrating");
    Command::OpenDialog(Box::new(
        Dialog::new("Apply the migration", "Cancel")
            .line(format!("{} to model version {}:", connectors(plan.to_apply()), migration::latest()))
            .lines(apply_lines(plan))
            .line("This is the whole plan, whatever is filtered or selected.")
            .line(format!("Secrets, config and everything else stay byte for byte. The run can be stopped with {} and rolled back as one step.", keys.key_of(KeyContext::Review, Action::Back)))
            .choice(format!("Apply to {}", plan.to_apply()), vec![job]),
    ))
}

fn apply_lines(plan: &PlanCounts) -> Vec<(Tone, String)> {
    let choices = migration::current().choices();
    let planned = choices.first().map_or_else(|| "backfill".to_owned(), |proposed| format!("backfill: {proposed}"));
    let mut counts = vec![(plan.to_backfill(), planned)];
    counts.extend(choices.iter().map(|choice| (plan.chosen(choice), format!("{choice}, as you decided"))));
    counts.push((plan.to_stamp(), "stamp only".to_owned()));
    counts.push((plan.skipped(), "skipped by you, not migrated".to_owned()));
    counts.push((plan.blocked, "blocked, not migrated".to_owned()));
    tally(counts)
}

/// Returns the counts as lines, without those that are zero.
fn tally(counts: Vec<(u64, String)>) -> Vec<(Tone, String)> {
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    counts.map(|(count, text)| (Tone::Plain, format!("{:>7} {text}", grouped(count)))).collect()
}

fn confirm_roll_back(last_run: Option<&HistoryEntry>) -> Command {
    let Some(run) = last_run else {
        return Command::info("No migration run to roll back");
    };
    Command::OpenDialog(Box::new(
        Dialog::new("Roll back", "Cancel")
            .line(format!("Roll the migration run of {} back (step {})?", connectors(run.left()), run.step))
            .line("Each goes back exactly to what it was. Connectors edited since are listed and skipped.")
            .choice("Roll back", vec![Command::write(FileJob::Rollback, "rolling back")]),
    ))
}

/// The result of a run, with the way back.
pub fn result(applied: &Applied, pending: &PlanCounts, keys: KeyMap) -> Dialog {
    let title = if applied.stopped { "Migration stopped" } else { "Migration applied" };
    let chosen: u64 = applied.chosen.values().sum();
    let mut counts = vec![(applied.backfilled - chosen, "backfilled as planned".to_owned())];
    counts.extend(applied.chosen.iter().map(|(choice, count)| (*count, format!("{choice}, as you decided"))));
    counts.push((applied.stamped, "stamp only".to_owned()));
    let mut dialog =
        Dialog::new(title, "OK").line(format!("{} migrated:", connectors(applied.written()))).lines(tally(counts));
    if pending.pending() > 0 {
        dialog = dialog.line(format!("{} still pending:", connectors(pending.pending()))).lines(tally(vec![
            (pending.skipped(), "skipped by you".to_owned()),
            (pending.blocked, "blocked".to_owned()),
            (pending.to_apply(), "not reached".to_owned()),
        ]));
    }
    if applied.run.is_some() {
        dialog = dialog
            .lines(resumed_note(applied))
            .line(format!(
                "In the review, {} rolls this run back, now or later.",
                keys.key_of(KeyContext::Review, Action::Rollback)
            ))
            .choice("Roll back", vec![Command::write(FileJob::Rollback, "rolling back")]);
    }
    dialog
}

/// Returns a note that a resumed run includes the earlier part.
fn resumed_note(applied: &Applied) -> Option<(Tone, String)> {
    let before = applied.of_run.saturating_sub(applied.written());
    (before > 0).then(|| {
        (Tone::Plain, format!("With the {before} before the stop, this run is about {}.", connectors(applied.of_run)))
    })
}

/// Rows of the list that fit in `area`.
pub fn height(state: &State, area: Rect) -> usize {
    usize::from(areas(state, area).list.height.saturating_sub(table::HEAD))
}

/// Returns the area of the list.
pub fn list_area(state: &State, area: Rect) -> Rect {
    areas(state, area).list
}

struct Areas {
    banner: Rect,
    list: Rect,
    panel: Rect,
    is_side_by_side: bool,
}

fn areas(state: &State, area: Rect) -> Areas {
    let banner_height = if area.height < 10 { 1 } else { 1 + u16::from(state.upgraded.is_some()) };
    let (banner, rest) = cut_top(area, banner_height);
    let Split { list, panel, is_side_by_side } = split::split(rest, area.height);
    Areas { banner, list, panel, is_side_by_side }
}

/// Draws the review.
pub fn view(state: &State, plan: &PlanCounts, preview: Option<&Connector>, frame: &mut Frame<'_>, area: Rect, ui: Ui) {
    let Ui { theme, keys, .. } = ui;
    let areas = areas(state, area);
    frame.render_widget(Paragraph::new(banner(state, plan, areas.banner, theme)), areas.banner);
    let empty = [
        "Every record is migrated; nothing to review.".to_owned(),
        String::new(),
        format!("{:<4} roll the last run back", keys.key_of(KeyContext::Review, Action::Rollback)),
        format!("{:<4} back to the connectors", keys.key_of(KeyContext::Review, Action::Back)),
    ];
    let columns = columns(usize::from(areas.list.width), theme, ui.catalogue);
    table::view(&state.rows, &columns, &empty, frame, areas.list, ui);
    if areas.panel.area() > 0 {
        view_panel(state, preview, frame, areas.panel, areas.is_side_by_side, ui);
    }
}

fn banner(state: &State, plan: &PlanCounts, area: Rect, theme: Theme) -> Vec<Line<'static>> {
    let width = usize::from(area.width);
    let mut lines = Vec::new();
    if let (Some(report), true) = (&state.upgraded, area.height > 1) {
        let backup = report.backup.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = format!(
            "Schema upgraded {} to {}; the records are not migrated yet. Backup: {backup}",
            report.from, report.to
        );
        lines.push(Line::styled(clip(&text, width), theme.good()));
    }
    let group = |name: Group, count: u64| {
        let text = format!("{} {count}", name.label());
        Span::styled(text, if state.group == Some(name) { theme.selected() } else { theme.text() })
    };
    let mut spans = vec![
        Span::styled(format!("{} pending: ", grouped(plan.pending())), theme.title()),
        group(Group::Backfill, plan.backfill),
        Span::raw(", "),
        group(Group::StampOnly, plan.stamp_only),
        Span::raw(", "),
        group(Group::Blocked, plan.blocked),
    ];
    let choices = migration::current().choices().iter().map(|choice| (plan.chosen(choice), *choice));
    let decided = choices.chain([(plan.skipped(), "skip")]).filter(|(count, _)| *count > 0);
    let decided: Vec<String> = decided.map(|(count, word)| format!("{} {word}", grouped(count))).collect();
    if !decided.is_empty() {
        spans.push(Span::styled(format!(" · you: {}", decided.join(", ")), theme.warning()));
    }
    lines.push(Line::from(spans));
    lines
}

fn columns<'a>(width: usize, theme: Theme, catalogue: &'static Catalogue) -> Vec<Column<'a>> {
    let mut columns = vec![Column {
        head: "NAME".to_owned(),
        width: 0,
        cell: Box::new(move |row: &Summary| (row.name.clone(), theme.text())),
    }];
    if width >= 60 {
        columns.push(Column {
            head: "TYPE".to_owned(),
            width: 14,
            cell: Box::new(move |row| (row.type_label(catalogue).to_owned(), theme.muted())),
        });
    }
    if width >= 50 {
        columns.push(Column {
            head: "GROUP".to_owned(),
            width: 10,
            cell: Box::new(move |row| (row.group.map_or("", Group::label).to_owned(), group_style(row, theme))),
        });
    }
    columns.push(Column {
        head: "AFTER".to_owned(),
        width: if width >= 60 { 15 } else { 10 },
        cell: Box::new(move |row| after_cell(row, theme)),
    });
    let used: usize = columns.iter().map(|column| column.width + 1).sum();
    if let Some(name) = columns.first_mut() {
        name.width = width.saturating_sub(used + 3).max(6);
    }
    columns
}

fn group_style(row: &Summary, theme: Theme) -> ratatui::style::Style {
    match row.group {
        Some(Group::Blocked) => theme.bad(),
        Some(Group::Backfill) => theme.accent(),
        _ => theme.muted(),
    }
}

/// Returns the auth mode after the run, with the user's decision.
fn after_cell(row: &Summary, theme: Theme) -> (String, ratatui::style::Style) {
    match (row.group, row.decision) {
        (Some(Group::Blocked), _) => ("not migrated".to_owned(), theme.bad()),
        (_, Some(Decision::Skip)) => ("skipped".to_owned(), theme.warning()),
        (_, Some(Decision::Choose(choice))) => (format!("{choice} (you)"), theme.good()),
        (Some(Group::Backfill), None) => {
            (migration::current().choices().first().copied().unwrap_or_default().to_owned(), theme.text())
        }
        (Some(Group::StampOnly), None) => match row.auth_mode {
            Some(mode) => (format!("{mode} (kept)"), theme.muted()),
            None => ("not set".to_owned(), theme.muted()),
        },
        (None, None) => ("migrated".to_owned(), theme.muted()),
    }
}

fn view_panel(
    state: &State,
    preview: Option<&Connector>,
    frame: &mut Frame<'_>,
    area: Rect,
    is_side_by_side: bool,
    ui: Ui,
) {
    let theme = ui.theme;
    let inside = split::edge(frame, area, is_side_by_side, theme);
    let (Some(row), Some(connector)) = (state.rows.current(), preview) else {
        return;
    };
    let Some(plan) = migration::plan(connector) else {
        return;
    };
    let cells = usize::from(inside.width);
    let mut lines = vec![Line::styled(clip(&connector.name, cells), theme.accent())];
    lines.extend(connector_details::plan_lines(connector, &plan, row.decision, ui, cells));
    if is_side_by_side {
        lines.push(Line::default());
        lines.push(Line::from(safe(&connector_details::type_text(&connector.connector_type_id, ui.catalogue))));
        lines.extend(
            crate::domain::json::parse_lossy(&connector.config)
                .map(|config| crate::tui::widgets::json::lines(&config, theme))
                .unwrap_or_else(|_| vec![Line::from(clip(&connector.config, cells))]),
        );
    }
    frame.render_widget(Paragraph::new(lines), inside);
}
