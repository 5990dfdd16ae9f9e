//! The screen of a remote: local changes to push and remote changes to pull, connector by connector with the three
//! sides of each field; push, pull, resolve.

mod view;

use std::collections::{BTreeMap, BTreeSet};

use super::command::{Command, Route, connectors};
use crate::domain::remote::{ApiCall, Drift, PushOptions, SyncStatus};
use crate::messages::sync::{Permits, push_note, unresolvable};
use crate::service::remote::{Entry, Planned, Side, SyncGroup};
use crate::text::terminal::clip;
use crate::tui::keymap::{Action, KeyContext, KeyMap};
use crate::tui::overlays::dialog::{Dialog, Tone};
use crate::tui::widgets::list_state::ListState;
use crate::worker::{Query, RemoteJob, SyncView};

pub use view::{height, view};

/// The state of the screen.
#[derive(Debug, Default)]
pub struct State {
    /// The comparison, once loaded.
    pub view: Option<Box<SyncView>>,
    /// The permissions of a push.
    pub options: PushOptions,
    list: ListState,
    group: Option<SyncGroup>,
    selected: BTreeSet<String>,
}

impl State {
    /// Sets the comparison; the cursor stays on its connector.
    pub fn take(&mut self, view: Box<SyncView>) {
        let selected = self.current().map(|entry| entry.id.clone());
        self.view = Some(view);
        let ids: BTreeSet<String> = self.entries().iter().map(|entry| entry.id.clone()).collect();
        self.selected.retain(|id| ids.contains(id));
        if let Some(at) = self.entries().iter().position(|entry| Some(&entry.id) == selected.as_ref()) {
            self.list.go_to(at);
        }
    }

    /// Requests the comparison again.
    pub fn request(&self) -> Query {
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

    /// Rows of the list.
    pub fn total(&self) -> usize {
        self.entries().len()
    }

    /// The file has a remote.
    pub fn has_remote(&self) -> bool {
        self.view.as_ref().is_some_and(|view| view.remote.is_some())
    }

    /// Returns the selected entries, else the current one.
    fn targets(&self) -> Vec<&Entry> {
        if self.selected.is_empty() {
            return self.current().into_iter().collect();
        }
        self.entries().into_iter().filter(|entry| self.selected.contains(&entry.id)).collect()
    }
}

/// Handles an action.
pub fn update(state: &mut State, action: Action, height: usize, keys: KeyMap) -> Vec<Command> {
    let total = state.total();
    if state.list.act(action, total, height) {
        return Vec::new();
    }
    match action {
        Action::Select => toggle_selected(state, height),
        Action::SelectAll => select_all(state),
        Action::NextGroup => next_group(state),
        Action::AllowDelete => {
            state.options.delete = !state.options.delete;
            vec![Command::Read(state.request())]
        }
        Action::AllowLoss => {
            state.options.lose_secrets = !state.options.lose_secrets;
            vec![Command::Read(state.request())]
        }
        Action::Fetch => vec![Command::write(RemoteJob::Fetch, "fetching")],
        Action::Pull => vec![Command::write(RemoteJob::Pull { deletes_most: false }, "pulling")],
        Action::Push => vec![confirm_push(state, keys)],
        Action::KeepLocal => vec![confirm_resolve(state, Side::Local, keys)],
        Action::UseRemote => vec![confirm_resolve(state, Side::Remote, keys)],
        Action::Open => open(state, keys),
        Action::Edit => edit(state, keys),
        Action::Back => back(state),
        Action::Quit => vec![Command::Route(Route::Back)],
        _ => Vec::new(),
    }
}

fn toggle_selected(state: &mut State, height: usize) -> Vec<Command> {
    if let Some(id) = state.current().map(|entry| entry.id.clone())
        && !state.selected.remove(&id)
    {
        state.selected.insert(id);
    }
    state.list.act(Action::Down, state.total(), height);
    Vec::new()
}

fn select_all(state: &mut State) -> Vec<Command> {
    // Connectors that Kibana manages allow no action.
    let can_be_meant = state.entries().into_iter().filter(|entry| entry.group() != Some(SyncGroup::ReadOnly));
    let all: BTreeSet<String> = can_be_meant.map(|entry| entry.id.clone()).collect();
    state.selected = if state.selected == all { BTreeSet::new() } else { all };
    Vec::new()
}

fn next_group(state: &mut State) -> Vec<Command> {
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

fn back(state: &mut State) -> Vec<Command> {
    if !state.selected.is_empty() {
        state.selected.clear();
        return Vec::new();
    }
    if state.group.take().is_some() {
        return Vec::new();
    }
    vec![Command::Route(Route::Back)]
}

/// All that differs, and a way to the connector itself.
fn open(state: &State, keys: KeyMap) -> Vec<Command> {
    let Some(entry) = state.current() else { return Vec::new() };
    let group = entry.group().map_or("in sync", SyncGroup::label);
    let mut dialog = Dialog::new(format!("{} ({group})", entry.name), "Close").lines(view::details(entry, keys));
    if entry.is_local {
        dialog = dialog.choice("The connector", vec![Command::Route(Route::Detail(entry.id.clone()))]);
    }
    vec![Command::OpenDialog(Box::new(dialog))]
}

fn edit(state: &State, keys: KeyMap) -> Vec<Command> {
    match state.current() {
        Some(entry) if entry.is_local => vec![Command::Route(Route::Edit(entry.id.clone()))],
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
fn confirm_push(state: &State, keys: KeyMap) -> Command {
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
    Command::OpenDialog(Box::new(dialog.choice(format!("Push {}", plan.len()), vec![Command::write(job, "pushing")])))
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

fn confirm_resolve(state: &State, side: Side, keys: KeyMap) -> Command {
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
    Command::OpenDialog(Box::new(
        dialog.choice(answer, vec![Command::write(RemoteJob::Resolve { ids, side }, "resolving")]),
    ))
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
pub(in crate::tui) fn permits(keys: KeyMap) -> Permits {
    let key = |action| keys.key_of(KeyContext::Sync, action);
    Permits { delete: key(Action::AllowDelete), loss: key(Action::AllowLoss) }
}
