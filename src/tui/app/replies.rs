//! Replies of the worker threads: the app keeps the counts and the running job, screens and overlays the rest.

use super::file;
use super::model::Model;
use crate::messages;
use crate::store::Scope;
use crate::tui::command::Command;
use crate::tui::keymap::Action;
use crate::tui::outcomes::{self, Place};
use crate::tui::widgets::list::PagedList;
use crate::worker::{JobResult, Reply};

/// Handles a reply.
pub(super) fn on_reply(model: &mut Model, reply: Reply) -> Vec<Command> {
    match reply {
        Reply::Opened(opened) => file::opened(model, *opened),
        Reply::OpenFailed(reason) => fail(model, reason),
        Reply::Died => {
            fail(model, "a part of the program failed; the file is safe, changes reported as done are kept".to_owned())
        }
        Reply::KeyWarning(warning) => vec![Command::warning(messages::keys::warning(&warning))],
        Reply::Displaced { reason, is_replaced } => file::displaced(model, reason, is_replaced),
        Reply::Listed { scope, generation, total, cursor, start, rows } => {
            let Some(list) = list(model, scope) else { return Vec::new() };
            list.listed(generation, total, cursor, start, rows);
            let is_hidden = list.missed_destination() && list.is_filtered();
            let is_focused = model.screens.top().list().is_some_and(|list| list.scope() == scope);
            (is_hidden && is_focused).then(|| filter_hides(model)).into_iter().collect()
        }
        Reply::Rows { scope, generation, start, rows } => {
            if let Some(list) = list(model, scope) {
                list.windowed(generation, start, rows);
            }
            Vec::new()
        }
        Reply::Counted { scope, generation, total } => {
            Command::reads(list(model, scope).into_iter().flat_map(|list| list.counted(generation, total)))
        }
        Reply::Ids { scope, ids } => {
            if let Some(list) = list(model, scope) {
                list.ranged(ids);
            }
            Vec::new()
        }
        Reply::Compared(None) => vec![Command::info("One of the two does not exist any more")],
        Reply::Compared(Some(sides)) => vec![Command::dialog(outcomes::comparison(&sides))],
        // Our own jobs reload when they end; this is about other programs.
        Reply::ChangedOnDisk if model.cx.job.is_some() => Vec::new(),
        Reply::ChangedOnDisk => model.reload(),
        Reply::Phase(_) | Reply::Progress { .. } | Reply::Waiting => progress(model, &reply),
        Reply::Done(_) | Reply::Failed(_) if model.quits_after_job => vec![Command::Quit],
        Reply::Failed(reason) => failed(model, reason),
        Reply::Done(result) => done(model, result),
        Reply::Overview(overview) => {
            model.cx.overview = (*overview).clone();
            let mut commands =
                if std::mem::take(&mut model.pending.counts) { file::first_counts(model) } else { Vec::new() };
            commands.extend(broadcast(model, &Reply::Overview(overview)));
            commands
        }
        Reply::OlderSchema(schema) => {
            give_up(model);
            vec![Command::dialog(outcomes::older_schema(schema))]
        }
        Reply::ReadFailed(reason) => {
            give_up(model);
            vec![Command::dialog(outcomes::read_failed(reason, model.context_below(), &model.cx))]
        }
        reply => broadcast(model, &reply),
    }
}

fn fail(model: &mut Model, reason: String) -> Vec<Command> {
    model.fatal = Some(reason);
    vec![Command::Quit]
}

/// Passes a reply to all overlays and screens. Only the focused screen can go back, which it does at once: what follows is
/// about the screen below.
fn broadcast(model: &mut Model, reply: &Reply) -> Vec<Command> {
    for overlay in &mut model.overlays {
        overlay.on_reply(reply);
    }
    let mut all = Vec::new();
    let mut goes_back = false;
    for screen in model.screens.all_mut() {
        let mut commands = screen.on_reply(reply, &model.cx);
        // The focused screen is the last one.
        goes_back = commands.extract_if(.., |command| matches!(command, Command::Back)).count() > 0;
        all.extend(commands);
    }
    if goes_back {
        model.screens.back();
    }
    all
}

/// Returns the open list of these records; none when its screen has been left.
fn list(model: &mut Model, of: Scope) -> Option<&mut PagedList> {
    model.screens.open_mut().filter_map(|screen| screen.list_mut()).find(|list| list.scope() == of)
}

/// The record that was to be gone to is not in the list.
fn filter_hides(model: &Model) -> Command {
    let key = model.cx.key(model.screens.top().key_context(), Action::Back);
    Command::success(format!("Done; the filter hides the connector, {key} clears the filter"))
}

fn progress(model: &mut Model, reply: &Reply) -> Vec<Command> {
    let now = model.cx.now;
    if let Some(job) = &mut model.cx.job {
        match reply {
            Reply::Phase(title) => job.begin_phase(title, now),
            Reply::Progress { done, total } => (job.done, job.total, job.is_waiting) = (*done, *total, false),
            _ => job.is_waiting = true,
        }
    }
    Vec::new()
}

fn done(model: &mut Model, result: JobResult) -> Vec<Command> {
    job_ended(model);
    match &result {
        JobResult::Imported { .. } => model.cx.last_import.clear(),
        JobResult::Applied(_) => model.cx.upgraded = None,
        _ => {}
    }
    let mut commands = broadcast(model, &Reply::Done(result.clone()));
    let place = Place { context: model.context_below(), has_unsaved: model.has_unsaved(), cx: &model.cx };
    commands.extend(outcomes::report(result, &place));
    commands.extend(model.reload());
    commands
}

fn failed(model: &mut Model, reason: String) -> Vec<Command> {
    job_ended(model);
    let mut commands = vec![Command::dialog(outcomes::failed(reason, model.is_displaced, &model.cx))];
    commands.extend(model.reload());
    commands
}

/// A question about the job has no answer any more.
fn job_ended(model: &mut Model) {
    model.cx.job = None;
    model.overlays.retain(|overlay| !overlay.closes_with_job());
}

/// A screen that waits for its first answer would wait endlessly.
fn give_up(model: &mut Model) {
    while model.screens.depth() > 0 && model.screens.top().is_waiting() {
        model.screens.back();
    }
    for screen in model.screens.all_mut() {
        screen.give_up();
    }
    model.pending.keys.clear();
}
