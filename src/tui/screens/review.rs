//! The migration review: the plan for each record, the user's decisions, apply, and rollback.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::form::FormStart;
use super::{Route, Screen, copy};
use crate::domain::migration;
use crate::domain::migration::Decision;
use crate::domain::{Catalogue, Group, Summary};
use crate::fs::paths::file_name;
use crate::store::{Applied, HistoryEntry, PlanCounts, Scope};
use crate::text::grouped;
use crate::text::terminal::{clip, safe};
use crate::tui::command::{Command, connectors};
use crate::tui::context::Context;
use crate::tui::keymap::{Action, KeyContext, KeyMap};
use crate::tui::overlays::{Dialog, Tone};
use crate::tui::ui::Ui;
use crate::tui::widgets::connector_details;
use crate::tui::widgets::layout::cut_top;
use crate::tui::widgets::list::{Click, PagedColumn, PagedList, PagedView, Shown};
use crate::tui::widgets::pane::{Pane, inside};
use crate::tui::widgets::preview::Preview;
use crate::tui::widgets::split;
use crate::tui::widgets::split::Split;
use crate::tui::widgets::theme::Theme;
use crate::worker::{FileJob, JobResult, Query, Record, Reply};

/// The state of the review.
#[derive(Debug)]
pub(super) struct ReviewScreen {
    /// The records of the plan.
    rows: PagedList,
    preview: Preview<Record>,
    group: Option<Group>,
    /// The result of a run, which is shown when the counts after it arrive.
    applied: Option<Applied>,
    /// The menu of what can be copied opens when the record has come.
    is_copying: bool,
}

impl Default for ReviewScreen {
    fn default() -> Self {
        let rows = PagedList::new(Scope::Review, KeyContext::Review);
        Self { rows, preview: Preview::default(), group: None, applied: None, is_copying: false }
    }
}

impl ReviewScreen {
    /// Opens the menu of what can be copied, as soon as the record of the current row is there.
    fn copy(&mut self, cx: &Context) -> Vec<Command> {
        let menu = copy::of_current(&self.preview, &self.rows, cx);
        self.is_copying = menu.is_none();
        menu.into_iter().collect()
    }
}

impl Screen for ReviewScreen {
    fn key_context(&self) -> KeyContext {
        KeyContext::Review
    }

    fn title(&self) -> &'static str {
        "Migration review"
    }

    fn list(&self) -> Option<&PagedList> {
        Some(&self.rows)
    }

    fn list_mut(&mut self) -> Option<&mut PagedList> {
        Some(&mut self.rows)
    }

    fn list_area(&self, cx: &Context) -> Rect {
        areas(cx.upgraded.is_some(), cx.body()).list
    }

    /// A plan is reviewed in several visits.
    fn is_kept(&self) -> bool {
        true
    }

    fn queries(&mut self) -> Vec<Query> {
        self.preview.forget();
        vec![self.rows.reload()]
    }

    fn follow(&mut self) -> Option<Query> {
        self.preview.follow(&self.rows).map(|id| Query::Record { id, preview_of: Some(self.rows.scope()) })
    }

    fn on_reply(&mut self, reply: &Reply, cx: &Context) -> Vec<Command> {
        match reply {
            Reply::Record { id, record } => {
                self.preview.set(id, record.as_deref().cloned());
                if self.is_copying {
                    return self.copy(cx);
                }
            }
            Reply::Done(JobResult::Decided(count)) if *count > 1 => {
                self.rows.clear_selection();
            }
            Reply::Done(JobResult::Applied(applied)) => {
                self.rows.clear_selection();
                self.applied = Some(applied.clone());
            }
            Reply::Overview(_) => {
                let result = self.applied.take().map(|applied| result(&applied, &cx.overview.plan, cx.ui.keys));
                return result.map(Command::dialog).into_iter().collect();
            }
            _ => {}
        }
        Vec::new()
    }

    fn is_waiting(&self) -> bool {
        self.is_copying || !self.rows.is_settled()
    }

    fn give_up(&mut self) {
        self.is_copying = false;
        self.rows.give_up();
    }

    fn unavailable(&self, action: Action, cx: &Context) -> Option<String> {
        match action {
            Action::Rollback if cx.overview.last_run.is_none() => Some("no migration run to roll back".to_owned()),
            Action::Apply if cx.overview.plan.to_apply() == 0 => Some("nothing to apply".to_owned()),
            _ => None,
        }
    }

    fn on_action(&mut self, action: Action, cx: &Context) -> Option<Vec<Command>> {
        let keys = cx.ui.keys;
        Some(match action {
            Action::ChooseFirst => choose(self, 0, keys),
            Action::ChooseSecond => choose(self, 1, keys),
            Action::Skip => decide(self, Some(Decision::Skip), keys),
            Action::ResetDecision => decide(self, None, keys),
            Action::NextGroup => next_group(self),
            Action::Apply => vec![confirm_apply(&cx.overview.plan, keys)],
            Action::Rollback => vec![confirm_roll_back(cx.overview.last_run.as_ref())],
            Action::Edit => {
                let id = self.rows.current().map(|row| row.id.clone());
                id.map(|id| Command::Open(Route::Form(FormStart::Edit(id)))).into_iter().collect()
            }
            Action::CopyText => self.copy(cx),
            Action::Back => return back(self),
            _ => return None,
        })
    }

    fn on_click(&mut self, at: Position, cx: &Context) -> Vec<Command> {
        match self.rows.click(at, self.list_area(cx)) {
            Click::Moved(queries) => Command::reads(queries),
            Click::Current(_) => vec![Command::RunAction(Action::Edit)],
            Click::Head(_) | Click::Outside => Vec::new(),
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        let Ui { theme, keys, .. } = cx.ui;
        let areas = areas(cx.upgraded.is_some(), area);
        frame.render_widget(Paragraph::new(banner(self, cx, areas.banner)), areas.banner);
        let empty = [
            "Every record is migrated; nothing to review.".to_owned(),
            String::new(),
            format!("{:<4} roll the last run back", keys.key_of(KeyContext::Review, Action::Rollback)),
            format!("{:<4} back to the connectors", keys.key_of(KeyContext::Review, Action::Back)),
        ];
        let columns = columns(&self.rows, inside(areas.list).width.into(), theme, cx.ui.catalogue);
        self.rows.view(&PagedView { title: "Plan", columns: &columns, empty: &empty }, frame, areas.list, cx.ui);
        if areas.panel.area() > 0 {
            view_panel(self, frame, areas.panel, areas.is_side_by_side, cx.ui);
        }
    }
}

/// Clears the selection, then the filter, then the group; `None` goes back.
fn back(state: &mut ReviewScreen) -> Option<Vec<Command>> {
    if state.rows.clear_selection() {
        return Some(Vec::new());
    }
    if let Some(query) = state.rows.clear_filter() {
        return Some(vec![Command::Read(query)]);
    }
    state.group.is_some().then(|| set_group(state, None))
}

/// Decides for one of the choices that the newest step of the migration offers.
fn choose(state: &mut ReviewScreen, at: usize, keys: KeyMap) -> Vec<Command> {
    let choice = migration::current().choices().get(at).copied();
    choice.map_or_else(Vec::new, |choice| decide(state, Some(Decision::Choose(choice)), keys))
}

fn decide(state: &mut ReviewScreen, decision: Option<Decision>, keys: KeyMap) -> Vec<Command> {
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

fn next_group(state: &mut ReviewScreen) -> Vec<Command> {
    let next = match state.group {
        None => Some(Group::Backfill),
        Some(Group::Backfill) => Some(Group::StampOnly),
        Some(Group::StampOnly) => Some(Group::Blocked),
        Some(Group::Blocked) => None,
    };
    set_group(state, next)
}

fn set_group(state: &mut ReviewScreen, group: Option<Group>) -> Vec<Command> {
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
    Command::dialog(
        Dialog::new("Apply the migration", "Cancel")
            .line(format!("{} to model version {}:", connectors(plan.to_apply()), migration::latest()))
            .lines(apply_lines(plan))
            .line("This is the whole plan, whatever is filtered or selected.")
            .line(format!("Secrets, config and everything else stay byte for byte. The run can be stopped with {} and rolled back as one step.", keys.key_of(KeyContext::Review, Action::Back)))
            .choice(format!("Apply to {}", plan.to_apply()), vec![job]),
    )
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
    Command::dialog(
        Dialog::new("Roll back", "Cancel")
            .line(format!("Roll the migration run of {} back (step {})?", connectors(run.left()), run.step))
            .line("Each goes back exactly to what it was. Connectors edited since are listed and skipped.")
            .choice("Roll back", vec![Command::write(FileJob::Rollback, "rolling back")]),
    )
}

/// The result of a run, with the way back.
fn result(applied: &Applied, pending: &PlanCounts, keys: KeyMap) -> Dialog {
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

struct Areas {
    banner: Rect,
    list: Rect,
    panel: Rect,
    is_side_by_side: bool,
}

/// Returns the areas; the banner has a line for the upgrade of the schema.
fn areas(has_upgrade: bool, area: Rect) -> Areas {
    let banner_height = if area.height < 10 { 1 } else { 1 + u16::from(has_upgrade) };
    let (banner, rest) = cut_top(area, banner_height);
    let Split { list, panel, is_side_by_side } = split::split(rest, area.height);
    Areas { banner, list, panel, is_side_by_side }
}

fn banner(state: &ReviewScreen, cx: &Context, area: Rect) -> Vec<Line<'static>> {
    let theme = cx.ui.theme;
    let plan = &cx.overview.plan;
    let mut lines = Vec::new();
    if let (Some(report), true) = (&cx.upgraded, area.height > 1) {
        let backup = file_name(&report.backup);
        let text = format!(
            "Schema upgraded {} to {}; the records are not migrated yet. Backup: {backup}",
            report.from, report.to
        );
        lines.push(Line::styled(clip(&text, area.width.into()), theme.good()));
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

/// Returns the columns; each is as wide as what it holds, and the names get the rest.
fn columns<'a>(rows: &PagedList, width: usize, theme: Theme, catalogue: &'static Catalogue) -> Vec<PagedColumn<'a>> {
    let kind = move |row: &Summary| (row.type_label(catalogue).to_owned(), theme.muted());
    let group = move |row: &Summary| (row.group.map_or("", Group::label).to_owned(), group_style(row, theme));
    let after = move |row: &Summary| after_cell(row, theme);
    let column = |head: &str, most: usize, cell: Box<dyn Fn(&Summary) -> Shown + 'a>| PagedColumn {
        head: head.to_owned(),
        width: rows.longest(&cell).clamp(head.len(), most),
        cell,
    };
    let name = Box::new(move |row: &Summary| (row.name.clone(), theme.text()));
    let mut columns = vec![PagedColumn { head: "NAME".to_owned(), width: 0, cell: name }];
    if width >= 60 {
        columns.push(column("TYPE", (width / 5).clamp(12, 26), Box::new(kind)));
    }
    if width >= 50 {
        columns.push(column("GROUP", 10, Box::new(group)));
    }
    columns.push(column("AFTER", 15, Box::new(after)));
    let used: usize = columns.iter().skip(1).map(|column| column.width + 1).sum();
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

fn view_panel(state: &ReviewScreen, frame: &mut Frame<'_>, area: Rect, is_side_by_side: bool, ui: Ui) {
    let theme = ui.theme;
    let name = state.preview.get().map_or("", |record| record.connector.name.as_str());
    let inside = Pane::new(name).view(frame, area, theme);
    let (Some(row), Some(record)) = (state.rows.current(), state.preview.get()) else {
        return;
    };
    let connector = &record.connector;
    let Some(plan) = migration::plan(connector) else {
        return;
    };
    let cells = usize::from(inside.width);
    let mut lines = connector_details::plan_lines(connector, &plan, row.decision, ui, cells);
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
