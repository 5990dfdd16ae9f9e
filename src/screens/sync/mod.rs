//! The two sides: what a push would send to the Kibana of this file and what a pull would take, record by record, with
//! the three sides of each field; sending, taking, deciding.

mod view;

use std::collections::{BTreeMap, BTreeSet};

use super::dialog::{Dialog, Tone};
use super::effect::{Effect, Go, connectors};
use super::listing::Listing;
use crate::domain::sync::{Call, Drift, Limits, Verdict};
use crate::keymap::{Action, Place, key_of};
use crate::sync::{Entry, Planned, Side, SyncGroup};
use crate::ui::text::clip;
use crate::worker::protocol::{Job, Request, SyncView};

pub use view::{height, view};

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
        Action::Pull => vec![Effect::Write(Job::Pull { deletes_most: false }, "pulling")],
        Action::Push => vec![ask_to_push(state)],
        Action::TakeHere => vec![ask_to_resolve(state, Side::Here)],
        Action::TakeThere => vec![ask_to_resolve(state, Side::There)],
        Action::Open => open(state),
        Action::Edit => edit(state),
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
    // Nothing can be done with what is Kibana's own.
    let can_be_meant = state.entries().into_iter().filter(|entry| entry.group() != Some(SyncGroup::ReadOnly));
    let all: BTreeSet<String> = can_be_meant.map(|entry| entry.id.clone()).collect();
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

/// All that differs, and a way to the connector itself.
fn open(state: &State) -> Vec<Effect> {
    let Some(entry) = state.current() else { return Vec::new() };
    let group = entry.group().map_or("in step", SyncGroup::label);
    let mut dialog = Dialog::new(format!("{} ({group})", entry.name), "Close").lines(view::told(entry));
    if entry.is_here {
        dialog = dialog.choice("The connector", vec![Effect::Go(Go::Detail(entry.id.clone()))]);
    }
    vec![Effect::Ask(Box::new(dialog))]
}

fn edit(state: &State) -> Vec<Effect> {
    match state.current() {
        Some(entry) if entry.is_here => vec![Effect::Go(Go::Edit(entry.id.clone()))],
        Some(entry) if matches!(entry.verdict, Verdict::ReadOnly(_)) => {
            vec![Effect::info("it is Kibana's own: nobody can change it, so it is not in the file")]
        }
        Some(entry) if entry.has_base => {
            let key = key_of(Place::Sync, Action::TakeThere);
            vec![Effect::info(format!("it was deleted here; {key} takes it from Kibana again"))]
        }
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
        key_of(Place::Sync, Action::Back)
    ));
    let job = Job::Push { plan: plan.clone(), limits: state.limits };
    Effect::Ask(Box::new(dialog.choice(format!("Push {}", plan.len()), vec![Effect::Write(job, "pushing")])))
}

/// What to think of before, once each, and of which connector when it is not said of all.
fn notes(wanted: &[Entry]) -> Vec<(&str, String)> {
    let mut about: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut sent = 0;
    for entry in wanted {
        let Verdict::Send { notes, loses_secrets, disconnects_users, .. } = &entry.verdict else { continue };
        sent += 1;
        // That secrets are lost, or users disconnected, is said of all together.
        let is_said = usize::from(*loses_secrets || *disconnects_users);
        for note in notes.iter().rev().skip(is_said) {
            about.entry(note.as_str()).or_default().push(&entry.name);
        }
    }
    let of = |names: Vec<&str>| match names.as_slice() {
        [name] if sent > 1 => format!(" on {}", clip(name, 30)),
        names if names.len() < sent => format!(" on {} of them", names.len()),
        _ => String::new(),
    };
    about.into_iter().map(|(note, names)| (note, of(names))).collect()
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
    let targets = state.targets();
    let (meant, left): (Vec<&Entry>, Vec<&Entry>) =
        targets.into_iter().partition(|entry| entry.can_be_decided(side).is_ok());
    if let Some(reason) = left.first().filter(|_| meant.is_empty()).and_then(|entry| entry.can_be_decided(side).err()) {
        return Effect::info(format!(
            "{reason}: nothing to decide with {}",
            key_of(Place::Sync, if side == Side::Here { Action::TakeHere } else { Action::TakeThere })
        ));
    }
    let ids: Vec<String> = meant.iter().map(|entry| entry.id.clone()).collect();
    if ids.is_empty() {
        return Effect::info("there is no row to do this with");
    }
    let (what, answer) = match side {
        Side::Here => ("what this file says counts, and a push can send it", "Take this file's"),
        Side::There => ("what Kibana says takes the place of what is here", "Take Kibana's"),
    };
    let dialog = Dialog::new("Decide", "Cancel")
        .line(format!("For {}: {what}.", connectors(ids.len() as u64)))
        .lines(what_follows(&meant, side))
        .line(format!("{} takes it back.", key_of(Place::Sync, Action::Undo)));
    Effect::Ask(Box::new(dialog.choice(answer, vec![Effect::Write(Job::Resolve { ids, side }, "deciding")])))
}

/// What else comes of deciding for a side.
fn what_follows(entries: &[&Entry], side: Side) -> Vec<(Tone, String)> {
    let takes_in = |entry: &&Entry| {
        entry.verdict == Verdict::Conflict && entry.fields.iter().any(|field| field.drift == Drift::There)
    };
    let mut lines = Vec::new();
    if side == Side::Here && entries.iter().any(takes_in) {
        lines.push((Tone::Plain, "What Kibana alone changed of it is taken in."));
    }
    if side == Side::There && entries.iter().any(|entry| !entry.is_there) {
        lines.push((Tone::Minus, "- What Kibana does not have is deleted here."));
    }
    if side == Side::There && entries.iter().any(|entry| entry.has_new_secrets) {
        lines.push((Tone::Minus, "- Secrets that were entered here and not sent are given up too."));
    }
    lines.into_iter().map(|(tone, text)| (tone, text.to_owned())).collect()
}
