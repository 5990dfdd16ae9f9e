//! The two sides: what a push would send to the Kibana of this file and what a pull would take, record by record, with
//! the three sides of each field; sending, taking, deciding.

use std::collections::BTreeSet;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::dialog::{Dialog, Tone};
use super::effect::{Effect, Go, connectors};
use super::listing::{Column, Listing, Shown};
use super::panel::{self, Split};
use super::record::type_name;
use crate::domain::sync::{Call, Drift, Limits, Verdict};
use crate::keymap::Action;
use crate::sync::{Entry, Planned, Side, SyncGroup};
use crate::ui::layout::{cut_bottom, cut_top};
use crate::ui::text::{clip, wrap};
use crate::ui::theme::Theme;
use crate::worker::protocol::{Job, Request, SyncView};

/// The state of the screen.
#[derive(Debug, Default)]
pub struct State {
    /// What differs, once that has come.
    pub view: Option<Box<SyncView>>,
    /// What a push may do.
    pub limits: Limits,
    list: Listing,
    group: Option<SyncGroup>,
    marked: BTreeSet<String>,
}

impl State {
    /// What has come takes the place of what was there; the cursor stays on its connector.
    pub fn take(&mut self, view: Box<SyncView>) {
        let selected = self.current().map(|entry| entry.id.clone());
        self.view = Some(view);
        let ids: BTreeSet<String> = self.entries().iter().map(|entry| entry.id.clone()).collect();
        self.marked.retain(|id| ids.contains(id));
        if let Some(at) = self.entries().iter().position(|entry| Some(&entry.id) == selected.as_ref()) {
            self.list.go_to(at);
        }
    }

    /// Asks for the comparison again.
    pub fn request(&self) -> Request {
        Request::Sync(self.limits)
    }

    /// The rows of the group that is shown.
    fn entries(&self) -> Vec<&Entry> {
        let all = self.view.iter().flat_map(|view| &view.report.entries);
        all.filter(|entry| self.group.is_none() || entry.group() == self.group).collect()
    }

    fn current(&self) -> Option<&Entry> {
        let entries = self.entries();
        entries.get(self.list.at(entries.len())).copied()
    }

    /// Rows of the list.
    pub fn total(&self) -> usize {
        self.entries().len()
    }

    /// The file has a remote.
    pub fn has_remote(&self) -> bool {
        self.view.as_ref().is_some_and(|view| view.remote.is_some())
    }

    /// The marked ones, else the selected one.
    fn targets(&self) -> Vec<&Entry> {
        if self.marked.is_empty() {
            return self.current().into_iter().collect();
        }
        self.entries().into_iter().filter(|entry| self.marked.contains(&entry.id)).collect()
    }
}

/// What an action does here.
pub fn update(state: &mut State, action: Action, height: usize) -> Vec<Effect> {
    let total = state.total();
    if state.list.act(action, total, height) {
        return Vec::new();
    }
    match action {
        Action::Mark => mark(state, height),
        Action::MarkAll => mark_all(state),
        Action::NextGroup => next_group(state),
        Action::AllowDelete => {
            state.limits.delete = !state.limits.delete;
            vec![Effect::Read(state.request())]
        }
        Action::AllowLoss => {
            state.limits.lose_secrets = !state.limits.lose_secrets;
            vec![Effect::Read(state.request())]
        }
        Action::Fetch => vec![Effect::Write(Job::Fetch, "asking Kibana")],
        Action::Pull => vec![Effect::Write(Job::Pull, "pulling")],
        Action::Push => vec![ask_to_push(state)],
        Action::TakeHere => vec![ask_to_resolve(state, Side::Here)],
        Action::TakeThere => vec![ask_to_resolve(state, Side::There)],
        Action::Open | Action::Edit => open(state, action),
        Action::Refresh => vec![Effect::Read(state.request()), Effect::info("read again")],
        Action::Back => back(state),
        Action::Quit => vec![Effect::Go(Go::Back)],
        _ => Vec::new(),
    }
}

fn mark(state: &mut State, height: usize) -> Vec<Effect> {
    if let Some(id) = state.current().map(|entry| entry.id.clone())
        && !state.marked.remove(&id)
    {
        state.marked.insert(id);
    }
    state.list.act(Action::Down, state.total(), height);
    Vec::new()
}

fn mark_all(state: &mut State) -> Vec<Effect> {
    let all: BTreeSet<String> = state.entries().iter().map(|entry| entry.id.clone()).collect();
    state.marked = if state.marked == all { BTreeSet::new() } else { all };
    Vec::new()
}

fn next_group(state: &mut State) -> Vec<Effect> {
    let groups: Vec<SyncGroup> = SyncGroup::ALL
        .into_iter()
        .filter(|group| state.view.as_ref().is_some_and(|view| view.report.count(*group) > 0))
        .collect();
    let next = match state.group {
        None => 0,
        Some(group) => groups.iter().position(|found| *found == group).map_or(0, |at| at + 1),
    };
    state.group = groups.get(next).copied();
    state.list.go_to(0);
    Vec::new()
}

fn back(state: &mut State) -> Vec<Effect> {
    if !state.marked.is_empty() {
        state.marked.clear();
        return Vec::new();
    }
    if state.group.take().is_some() {
        return Vec::new();
    }
    vec![Effect::Go(Go::Back)]
}

fn open(state: &State, action: Action) -> Vec<Effect> {
    match state.current() {
        Some(entry) if entry.is_here && action == Action::Edit => vec![Effect::Go(Go::Edit(entry.id.clone()))],
        Some(entry) if entry.is_here => vec![Effect::Go(Go::Detail(entry.id.clone()))],
        Some(entry) if matches!(entry.verdict, Verdict::ReadOnly(_)) => {
            vec![Effect::info("it is Kibana's own: nobody can change it, so it is not in the file")]
        }
        Some(entry) if entry.has_base => vec![Effect::info("it was deleted here; t takes it from Kibana again")],
        Some(_) => vec![Effect::info("it is in Kibana only; a pull brings it")],
        None => Vec::new(),
    }
}

/// The marked ones, else all that can be sent: a push of the selected one alone would surprise.
fn ask_to_push(state: &State) -> Effect {
    let Some((view, remote)) = state.view.as_ref().and_then(|view| Some((view, view.remote.as_ref()?))) else {
        return Effect::info("this file has no remote");
    };
    let is_wanted = |entry: &&Entry| state.marked.is_empty() || state.marked.contains(&entry.id);
    let wanted: Vec<Entry> = view.report.entries.iter().filter(is_wanted).cloned().collect();
    let plan = Planned::of(&wanted);
    if plan.is_empty() {
        return Effect::info("there is nothing to send; what cannot be sent says why");
    }
    let count_of = |call: Call| plan.iter().filter(|planned| planned.calls.first() == Some(&call)).count();
    let mut dialog =
        Dialog::new("Push", "Cancel").line(format!("Send {} to {}?", connectors(plan.len() as u64), remote.place()));
    dialog = dialog.line(which(&wanted, !state.marked.is_empty()));
    for (call, text) in [
        (Call::Create, "created"),
        (Call::Update, "updated"),
        (Call::Import, "sent as a saved-object import, which sets the auth mode"),
        (Call::Delete, "DELETED in Kibana"),
    ] {
        if count_of(call) > 0 {
            dialog = dialog.line(format!("  {} {text}", count_of(call)));
        }
    }
    let lossy = wanted.iter().filter(|entry| entry.loses_secrets()).count();
    if lossy > 0 {
        let text = format!(
            "- {} LOST in Kibana by it: they have to be entered again before it can run.",
            if lossy == 1 {
                "The secrets of 1 connector are".to_owned()
            } else {
                format!("The secrets of {lossy} connectors are")
            }
        );
        dialog = dialog.lines([(Tone::Minus, text)]);
    }
    let notes: BTreeSet<&String> = wanted
        .iter()
        .filter_map(|entry| match &entry.verdict {
            Verdict::Send { notes, .. } => Some(notes),
            _ => None,
        })
        .flatten()
        .collect();
    for note in notes.into_iter().take(4) {
        dialog = dialog.line(format!("Note: {note}."));
    }
    dialog = dialog.line("What was changed in Kibana since is not overwritten. Esc stops after the one being sent.");
    let job = Job::Push { plan: plan.clone(), limits: state.limits };
    Effect::Ask(Box::new(dialog.choice(format!("Push {}", plan.len()), vec![Effect::Write(job, "pushing")])))
}

/// The first names of what is sent.
fn which(wanted: &[Entry], is_marked: bool) -> String {
    const NAMED: usize = 4;
    let names: Vec<&str> =
        wanted.iter().filter(|entry| entry.group() == Some(SyncGroup::Send)).map(|entry| entry.name.as_str()).collect();
    let first = names.iter().take(NAMED).map(|name| clip(name, 30)).collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{first}{more}", if is_marked { "Of the marked ones: " } else { "" })
}

fn ask_to_resolve(state: &State, side: Side) -> Effect {
    // Kibana's side can be taken of anything that differs.
    let is_meant = |entry: &&Entry| entry.verdict == Verdict::Conflict || (side == Side::There && entry.is_there);
    let targets = state.targets().into_iter().filter(is_meant);
    let ids: Vec<String> = targets.map(|entry| entry.id.clone()).collect();
    if ids.is_empty() {
        return Effect::info("h decides conflicts, t also takes what Kibana has of anything that differs");
    }
    let (what, answer) = match side {
        Side::Here => ("what this file says counts; the list then says what a push can do with it", "Take this file's"),
        Side::There => {
            ("what Kibana says counts; it takes the place of what is here, and u brings that back", "Take Kibana's")
        }
    };
    let dialog = Dialog::new("Decide", "Cancel")
        .line(format!("For {}: {what}.", connectors(ids.len() as u64)))
        .choice(answer, vec![Effect::Write(Job::Resolve { ids, side }, "deciding")]);
    Effect::Ask(Box::new(dialog))
}

/// The headlines, the list, the panel, and whether that stands beside the list.
fn areas(area: Rect) -> (Rect, Rect, Rect, bool) {
    let (head, rest) = cut_top(area, if area.height < 10 { 1 } else { 2 });
    let split = panel::split(rest, area.height);
    let Split { list, panel, beside } = split;
    // Below the list it has room for the reason and the three sides of a field.
    if !beside && panel.area() > 0 {
        let (list, panel) = cut_bottom(rest, (rest.height / 2).min(13));
        return (head, list, panel, beside);
    }
    (head, list, panel, beside)
}

/// Rows of the list and its head that fit in `area`.
pub fn height(area: Rect) -> usize {
    usize::from(areas(area).1.height)
}

/// All columns; a narrow list leaves some out.
const COLUMNS: [(&str, usize); 5] = [("", 1), ("NAME", 0), ("TYPE", 12), ("GROUP", 9), ("WHAT", 22)];

/// Draws the screen.
pub fn view(state: &State, frame: &mut Frame<'_>, area: Rect, theme: Theme) {
    let (head, list, panel, beside) = areas(area);
    let Some(view) = &state.view else {
        return frame.render_widget(Paragraph::new("  comparing …"), area);
    };
    if view.remote.is_none() {
        return frame.render_widget(Paragraph::new(without_remote(usize::from(area.width), theme)), area);
    }
    frame.render_widget(Paragraph::new(headlines(state, view, head, theme)), head);
    let entries = state.entries();
    if entries.is_empty() {
        let text = match view.remote.as_ref().and_then(|remote| remote.seen_at.as_ref()) {
            None => "  Kibana was not asked yet: f asks it, p pulls its connectors.",
            Some(_) if state.group.is_some() => "  No connector in this group; g goes on to the next.",
            Some(_) => "  Nothing to send, nothing to take.",
        };
        return frame.render_widget(Paragraph::new(text), list);
    }
    let is_shown = |name: &str| match name {
        "TYPE" => list.width >= 75,
        "WHAT" => list.width >= 55,
        _ => true,
    };
    let shown: Vec<usize> = (0..COLUMNS.len()).filter(|at| is_shown(COLUMNS[*at].0)).collect();
    let columns: Vec<Column> = shown.iter().map(|at| Column(COLUMNS[*at].0, COLUMNS[*at].1)).collect();
    let row = |at: usize| {
        let Some(entry) = entries.get(at) else { return Vec::new() };
        let cells = cells(state, entry, theme);
        cells.into_iter().enumerate().filter(|(at, _)| shown.contains(at)).map(|(_, cell)| cell).collect()
    };
    state.list.view(&columns, entries.len(), row, frame, list, theme);
    if panel.area() > 0
        && let Some(entry) = state.current()
    {
        let inside = panel::edge(frame, panel, beside, theme);
        frame.render_widget(Paragraph::new(panel_lines(entry, usize::from(inside.width), theme)), inside);
    }
}

fn without_remote(cells: usize, theme: Theme) -> Vec<Line<'static>> {
    let text = "This file is not a working copy of a Kibana yet. On the command line:";
    let mut lines: Vec<Line<'_>> = wrap(text, cells.saturating_sub(4)).into_iter().map(Line::from).collect();
    lines.push(Line::default());
    for command in ["connector-admin remote add NAME https://KIBANA:5601", "connector-admin remote login"] {
        lines.push(Line::styled(clip(&format!("  {command}"), cells), theme.accent()));
    }
    lines.push(Line::default());
    lines.push(Line::styled("R reads the file again; Esc goes back.", theme.muted()));
    lines
}

fn headlines(state: &State, view: &SyncView, area: Rect, theme: Theme) -> Vec<Line<'static>> {
    let cells = usize::from(area.width);
    let mut lines = Vec::new();
    if let (Some(remote), true) = (&view.remote, area.height > 1) {
        let version = remote.version.as_deref().map_or_else(String::new, |version| format!(", Kibana {version}"));
        let modes =
            if remote.knows_modes || remote.seen_at.is_none() { "" } else { ", which does not know auth modes" };
        let seen = remote.seen_at.as_deref().map_or("never asked", |seen| seen.get(..16).unwrap_or(seen));
        let text = format!("{}: {}{version}{modes} · seen {}", remote.name, remote.place(), seen.replace('T', " "));
        lines.push(Line::styled(clip(&text, cells), theme.muted()));
    }
    let mut spans = Vec::new();
    for group in SyncGroup::ALL {
        let count = view.report.count(group);
        if count > 0 {
            let style = if state.group == Some(group) { theme.selected() } else { group_style(group, theme) };
            spans.push(Span::styled(format!("{} {count}", group.label()), style));
            spans.push(Span::raw(", "));
        }
    }
    spans.push(Span::styled(format!("in step {}", view.report.in_step), theme.muted()));
    if let Some(group) = state.group {
        spans.push(Span::styled(format!(" · only {} (g)", group.label()), theme.warning()));
    }
    if !state.marked.is_empty() {
        spans.push(Span::styled(format!(" · {} marked", state.marked.len()), theme.accent()));
    }
    if view.report.was_cut_off() {
        let way = if view.report.last_push.as_ref().is_some_and(|push| push.is_open) { ": f finds out" } else { "" };
        spans.push(Span::styled(format!(" · the last push was not done whole{way}"), theme.bad()));
    }
    if state.limits.delete {
        spans.push(Span::styled(" · deletes allowed", theme.warning()));
    }
    if state.limits.lose_secrets {
        spans.push(Span::styled(" · loss of secrets allowed", theme.warning()));
    }
    lines.push(Line::from(spans));
    lines
}

fn group_style(group: SyncGroup, theme: Theme) -> Style {
    match group {
        SyncGroup::Conflict => theme.bad(),
        SyncGroup::Send => theme.good(),
        SyncGroup::Blocked => theme.warning(),
        SyncGroup::Take => theme.accent(),
        SyncGroup::ReadOnly => theme.muted(),
    }
}

fn cells(state: &State, entry: &Entry, theme: Theme) -> Vec<Shown> {
    let group = entry.group();
    let mark = if state.marked.contains(&entry.id) { "*" } else { "" };
    vec![
        (mark.to_owned(), theme.accent()),
        (entry.name.clone(), theme.text()),
        (type_name(&entry.connector_type_id).to_owned(), theme.muted()),
        (group.map_or("", SyncGroup::label).to_owned(), group.map_or(theme.text(), |group| group_style(group, theme))),
        (entry.what(), theme.muted()),
    ]
}

/// What is to be done and why, then each field with its three sides.
fn panel_lines(entry: &Entry, cells: usize, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled(clip(&entry.name, cells), theme.accent())];
    let line = |text: String, style: Style| Line::styled(clip(&text, cells), style);
    for text in entry.explained() {
        lines.extend(wrap(&text, cells).into_iter().map(Line::from));
    }
    for field in &entry.fields {
        let who = match field.drift {
            Drift::Here => "changed here",
            Drift::There => "changed in Kibana",
            Drift::Both => "changed on both sides",
        };
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
        lines.push(line(format!("{} ({who})", field.field), theme.title()));
        if entry.has_base && field.drift == Drift::Both {
            lines.push(line(format!("  base   {}", value(&field.base)), theme.muted()));
        }
        lines.push(line(format!("  there  {}", value(&field.there)), theme.bad()));
        lines.push(line(format!("  here   {}", value(&field.here)), theme.good()));
    }
    if entry.fields.is_empty() {
        lines.push(line(entry.what(), theme.title()));
    } else if entry.has_new_secrets {
        lines.push(line("secrets (changed here, or never sent)".to_owned(), theme.title()));
    }
    lines
}
