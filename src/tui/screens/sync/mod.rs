//! The screen of a remote: local changes to push and remote changes to pull, connector by connector with the three
//! sides of each field; push, pull, resolve.

mod view;

use std::collections::{BTreeMap, BTreeSet};

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use super::form::FormStart;
use super::{Route, Screen};
use crate::domain::remote::{ApiCall, Drift, PushOptions, SyncStatus};
use crate::messages::sync::{Permits, push_note, unresolvable};
use crate::service::remote::{Entry, Planned, Side, SyncGroup};
use crate::text::terminal::clip;
use crate::tui::command::{Command, connectors};
use crate::tui::context::Context;
use crate::tui::keymap::{Action, KeyContext, KeyMap};
use crate::tui::overlays::{Dialog, Tone};
use crate::tui::widgets::list::{Click, MemoryList};
use crate::worker::{JobResult, Query, RemoteJob, Reply, SyncView};

/// The comparison with a remote.
#[derive(Debug, Default)]
pub(super) struct SyncScreen {
    /// The comparison, once loaded.
    view: Option<Box<SyncView>>,
    /// The permissions of a push.
    options: PushOptions,
    list: MemoryList,
    group: Option<SyncGroup>,
    selected: BTreeSet<String>,
}

impl SyncScreen {
    /// Sets the comparison; the cursor stays on its connector.
    fn set_view(&mut self, view: Box<SyncView>) {
        let selected = self.current().map(|entry| entry.id.clone());
        self.view = Some(view);
        let ids: BTreeSet<String> = self.entries().iter().map(|entry| entry.id.clone()).collect();
        self.selected.retain(|id| ids.contains(id));
        if let Some(at) = self.entries().iter().position(|entry| Some(&entry.id) == selected.as_ref()) {
            self.list.go_to(at);
        }
    }

    /// Requests the comparison again.
    fn request(&self) -> Query {
        Query::Sync(self.options)
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

    /// Returns the selected entries, else the current one.
    fn targets(&self) -> Vec<&Entry> {
        if self.selected.is_empty() {
            return self.current().into_iter().collect();
        }
        self.entries().into_iter().filter(|entry| self.selected.contains(&entry.id)).collect()
    }
}

impl Screen for SyncScreen {
    fn key_context(&self) -> KeyContext {
        KeyContext::Sync
    }

    fn title(&self) -> &'static str {
        "Sync with Kibana"
    }

    fn queries(&mut self) -> Vec<Query> {
        vec![self.request()]
    }

    fn on_reply(&mut self, reply: &Reply, _cx: &Context) -> Vec<Command> {
        match reply {
            Reply::Synced(view) => self.set_view(view.clone()),
            // Permissions apply to one push.
            Reply::Done(JobResult::Pushed(_)) => self.options = PushOptions::default(),
            _ => {}
        }
        Vec::new()
    }

    fn total(&self) -> Option<usize> {
        Some(self.entries().len())
    }

    fn list_area(&self, cx: &Context) -> Rect {
        view::list_area(cx.body())
    }

    fn on_action(&mut self, action: Action, cx: &Context) -> Option<Vec<Command>> {
        let (area, keys) = (self.list_area(cx), cx.ui.keys);
        if self.list.act(action, self.entries().len(), area) {
            return Some(Vec::new());
        }
        Some(match action {
            Action::Select => toggle_selected(self, area),
            Action::SelectAll => select_all(self),
            Action::NextGroup => next_group(self),
            Action::AllowDelete => {
                self.options.delete = !self.options.delete;
                vec![Command::Read(self.request())]
            }
            Action::AllowLoss => {
                self.options.lose_secrets = !self.options.lose_secrets;
                vec![Command::Read(self.request())]
            }
            Action::Fetch => vec![Command::write(RemoteJob::Fetch, "fetching")],
            Action::Pull => vec![Command::write(RemoteJob::Pull { deletes_most: false }, "pulling")],
            Action::Push => vec![confirm_push(self, keys)],
            Action::KeepLocal => vec![confirm_resolve(self, Side::Local, keys)],
            Action::UseRemote => vec![confirm_resolve(self, Side::Remote, keys)],
            Action::Open => open(self, keys),
            Action::Edit => edit(self, keys),
            Action::Back => return back(self),
            _ => return None,
        })
    }

    fn on_click(&mut self, at: Position, cx: &Context) -> Vec<Command> {
        let area = self.list_area(cx);
        match self.list.click(at, self.entries().len(), area) {
            Click::Current(_) => vec![Command::RunAction(Action::Open)],
            _ => Vec::new(),
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        view::view(self, frame, area, cx.ui);
    }
}

fn toggle_selected(state: &mut SyncScreen, area: Rect) -> Vec<Command> {
    if let Some(id) = state.current().map(|entry| entry.id.clone())
        && !state.selected.remove(&id)
    {
        state.selected.insert(id);
    }
    let total = state.entries().len();
    state.list.act(Action::Down, total, area);
    Vec::new()
}

fn select_all(state: &mut SyncScreen) -> Vec<Command> {
    // Connectors that Kibana manages allow no action.
    let can_be_meant = state.entries().into_iter().filter(|entry| entry.group() != Some(SyncGroup::ReadOnly));
    let all: BTreeSet<String> = can_be_meant.map(|entry| entry.id.clone()).collect();
    state.selected = if state.selected == all { BTreeSet::new() } else { all };
    Vec::new()
}

fn next_group(state: &mut SyncScreen) -> Vec<Command> {
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

/// Clears the selection, then the group; `None` goes back.
fn back(state: &mut SyncScreen) -> Option<Vec<Command>> {
    if !state.selected.is_empty() {
        state.selected.clear();
        return Some(Vec::new());
    }
    state.group.take().map(|_| Vec::new())
}

/// All that differs, and a way to the connector itself.
fn open(state: &SyncScreen, keys: KeyMap) -> Vec<Command> {
    let Some(entry) = state.current() else { return Vec::new() };
    let group = entry.group().map_or("in sync", SyncGroup::label);
    let mut dialog = Dialog::new(format!("{} ({group})", entry.name), "Close").lines(view::details(entry, keys));
    if entry.is_local {
        dialog = dialog.choice("The connector", vec![Command::Open(Route::Detail(entry.id.clone()))]);
    }
    vec![Command::dialog(dialog)]
}

fn edit(state: &SyncScreen, keys: KeyMap) -> Vec<Command> {
    match state.current() {
        Some(entry) if entry.is_local => vec![Command::Open(Route::Form(FormStart::Edit(entry.id.clone())))],
        Some(entry) if matches!(entry.status, SyncStatus::ReadOnly(_)) => {
            vec![Command::info("Kibana manages this connector: it cannot be changed, so it is not in the file")]
        }
        Some(entry) if entry.has_base => {
            let key = keys.key_of(KeyContext::Sync, Action::UseRemote);
            vec![Command::info(format!("It was deleted in the file; {key} restores it from Kibana"))]
        }
        Some(_) => vec![Command::info("It is in Kibana only; a pull adds it")],
        None => Vec::new(),
    }
}

/// Confirms a push of the selected entries, else of all that can be pushed: a push of the current one alone would be a
/// surprise.
fn confirm_push(state: &SyncScreen, keys: KeyMap) -> Command {
    let Some((view, remote)) = state.view.as_ref().and_then(|view| Some((view, view.remote.as_ref()?))) else {
        return Command::info("This file has no remote");
    };
    let is_wanted = |entry: &&Entry| state.selected.is_empty() || state.selected.contains(&entry.id);
    let wanted: Vec<Entry> = view.report.entries.iter().filter(is_wanted).cloned().collect();
    let plan = Planned::of(&wanted);
    if plan.is_empty() {
        return Command::info("Nothing to push; each blocked connector shows its reason");
    }
    let count_of = |call: ApiCall| plan.iter().filter(|planned| planned.calls.first() == Some(&call)).count();
    let mut dialog =
        Dialog::new("Push", "Cancel").line(format!("Send {} to {}?", connectors(plan.len() as u64), remote.place()));
    dialog = dialog.line(which(&wanted, !state.selected.is_empty()));
    for (call, text) in [
        (ApiCall::Create, "created"),
        (ApiCall::Update, "updated"),
        (ApiCall::Import, "sent as a saved-object import, which sets the auth mode"),
        (ApiCall::Delete, "DELETED in Kibana"),
    ] {
        if count_of(call) > 0 {
            dialog = dialog.line(format!("  {} {text}", count_of(call)));
        }
    }
    let lossy = wanted.iter().filter(|entry| entry.loses_secrets()).count();
    if lossy > 0 {
        let text = format!(
            "- The secrets of {} are LOST in Kibana by it: they have to be entered again before {} can run.",
            connectors(lossy as u64),
            if lossy == 1 { "it" } else { "they" }
        );
        dialog = dialog.lines([(Tone::Minus, text)]);
    }
    let disconnected = wanted.iter().filter(|entry| entry.disconnects_users()).count();
    if disconnected > 0 {
        let text =
            format!("- {disconnected} of them per-user: all their users are DISCONNECTED and have to connect again.");
        dialog = dialog.lines([(Tone::Minus, text)]);
    }
    for (note, about) in notes(&wanted).into_iter().take(4) {
        dialog = dialog.line(format!("Note{about}: {note}."));
    }
    dialog = dialog.line(format!(
        "What was changed in Kibana since is not overwritten. {} stops after the one being sent.",
        keys.key_of(KeyContext::Sync, Action::Back)
    ));
    let job = RemoteJob::Push { plan: plan.clone(), options: state.options };
    Command::dialog(dialog.choice(format!("Push {}", plan.len()), vec![Command::write(job, "pushing")]))
}

/// Returns the distinct notes, with the connector's name for those that do not concern all.
fn notes(wanted: &[Entry]) -> Vec<(String, String)> {
    let mut about: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut sent = 0;
    for entry in wanted {
        let SyncStatus::ToPush { notes, loses_secrets, disconnects_users, .. } = &entry.status else { continue };
        sent += 1;
        // Lost secrets and disconnected users are summed over all connectors.
        let is_in_notes = usize::from(*loses_secrets || *disconnects_users);
        for note in notes.iter().rev().skip(is_in_notes) {
            about.entry(push_note(note)).or_default().push(&entry.name);
        }
    }
    let of = |names: Vec<&str>| match names.as_slice() {
        [name] if sent > 1 => format!(" on {}", clip(name, 30)),
        names if names.len() < sent => format!(" on {} of them", names.len()),
        _ => String::new(),
    };
    about.into_iter().map(|(note, names)| (note, of(names))).collect()
}

/// Returns the first names of the pushed connectors.
fn which(wanted: &[Entry], is_selected: bool) -> String {
    const NAMED: usize = 4;
    let names: Vec<&str> = wanted
        .iter()
        .filter(|entry| entry.group() == Some(SyncGroup::ToPush))
        .map(|entry| entry.name.as_str())
        .collect();
    let first = names.iter().take(NAMED).map(|name| clip(name, 30)).collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{first}{more}", if is_selected { "Of the selected: " } else { "" })
}

fn confirm_resolve(state: &SyncScreen, side: Side, keys: KeyMap) -> Command {
    let targets = state.targets();
    let (meant, left): (Vec<&Entry>, Vec<&Entry>) =
        targets.into_iter().partition(|entry| entry.can_be_resolved(side).is_ok());
    if let Some(reason) = left.first().filter(|_| meant.is_empty()).and_then(|entry| entry.can_be_resolved(side).err())
    {
        return Command::info(format!(
            "Nothing to resolve with {}: {}",
            keys.key_of(KeyContext::Sync, if side == Side::Local { Action::KeepLocal } else { Action::UseRemote }),
            unresolvable(reason)
        ));
    }
    let ids: Vec<String> = meant.iter().map(|entry| entry.id.clone()).collect();
    if ids.is_empty() {
        return Command::info("No row is selected");
    }
    let (what, answer) = match side {
        Side::Local => ("the file's version is kept, and a push can send it", "Keep local"),
        Side::Remote => ("Kibana's version replaces the file's", "Use remote"),
    };
    let dialog = Dialog::new("Resolve", "Cancel")
        .line(format!("For {}: {what}.", connectors(ids.len() as u64)))
        .lines(side_effects(&meant, side))
        .line(format!("{} to undo.", keys.key_of(KeyContext::Sync, Action::Undo)));
    Command::dialog(dialog.choice(answer, vec![Command::write(RemoteJob::Resolve { ids, side }, "resolving")]))
}

/// Returns the side commands of resolving for a side.
fn side_effects(entries: &[&Entry], side: Side) -> Vec<(Tone, String)> {
    let accepts = |entry: &&Entry| {
        entry.status == SyncStatus::Conflict && entry.fields.iter().any(|field| field.drift == Drift::Remote)
    };
    let mut lines = Vec::new();
    if side == Side::Local && entries.iter().any(accepts) {
        lines.push((Tone::Plain, "What only Kibana changed is pulled."));
    }
    if side == Side::Remote && entries.iter().any(|entry| !entry.is_remote) {
        lines.push((Tone::Minus, "- What Kibana does not have is deleted in the file."));
    }
    if side == Side::Remote && entries.iter().any(|entry| entry.has_new_secrets) {
        lines.push((Tone::Minus, "- Secrets that were entered in the file and not sent are lost too."));
    }
    lines.into_iter().map(|(tone, text)| (tone, text.to_owned())).collect()
}

/// Returns the keys that permit what a push does not do by itself.
pub fn permits(keys: KeyMap) -> Permits {
    let key = |action| keys.key_of(KeyContext::Sync, action);
    Permits { delete: key(Action::AllowDelete), loss: key(Action::AllowLoss) }
}
