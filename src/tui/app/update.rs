//! Message in, state changed, effects out.

use super::effect::Effect;
use super::message::Message;
use super::model::Model;
use super::stack::fit;
use super::{actions, file, keys, mouse, replies};
use crate::tui::command::{Command, Severity};
use crate::tui::keymap::{Action, Key};
use crate::tui::running_job::RunningJob;
use crate::tui::screens::ScreenMessage;
use crate::worker::{FileJob, Job};
use crossterm::event::KeyCode;

/// Changes the state and returns the effects for the runtime: queries, jobs, cancel, suspend.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    let is_reply = matches!(message, Message::Worker(_));
    let overlays = model.overlays.len();
    let commands = match message {
        // Esc and a key typed right after it reach the program as Alt and that key; nothing is bound to Alt.
        Message::Key(key) if key.alt => {
            let escape = Key { code: KeyCode::Esc, ctrl: false, alt: false };
            let mut effects = update(model, Message::Key(escape));
            effects.extend(update(model, Message::Key(Key { alt: false, ..key })));
            return effects;
        }
        Message::Key(key) => keys::on_key(model, key),
        Message::Mouse(event) => mouse::on_mouse(model, event),
        Message::Paste(text) => keys::on_paste(model, &text),
        Message::Edited(Ok(text)) => vec![Command::Send(ScreenMessage::Edited(text))],
        Message::Switched(Ok(path)) => {
            file::switched(model, path);
            Vec::new()
        }
        Message::Copied(Ok(())) => vec![Command::success("Copied, if the terminal allows it")],
        Message::Edited(Err(reason)) | Message::Switched(Err(reason)) | Message::Copied(Err(reason)) => {
            vec![Command::error(reason)]
        }
        Message::Resize(width, height) => {
            model.cx.size = (width, height);
            let is_open = model.is_open;
            Command::reads(
                model.screens.open_mut().filter_map(|screen| fit(screen.as_mut(), &model.cx)).filter(|_| is_open),
            )
        }
        Message::Worker(reply) => replies::on_reply(model, reply),
        Message::Tick => {
            model.expire_message();
            Vec::new()
        }
        Message::Terminate => vec![Command::Quit],
    };
    let mut effects = Vec::new();
    perform_all(model, commands, &mut effects);
    settle(model, &mut effects);
    if is_reply && model.overlays.len() > overlays {
        // Keys typed before a dialog appeared were not meant for it.
        model.pending.keys.clear();
    }
    while let Some(commands) = keys::next_waiting_key(model) {
        perform_all(model, commands, &mut effects);
        settle(model, &mut effects);
    }
    effects
}

/// Adapts the overlay and the focused screen to what has changed: the area, and the row with the cursor.
fn settle(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(overlay) = model.overlays.last_mut() {
        overlay.settle(&model.cx);
    }
    let top = model.screens.top_mut();
    if model.is_open {
        effects.extend(fit(top, &model.cx).map(Effect::Read));
        effects.extend(top.follow().map(Effect::Read));
    }
    if let Some(list) = top.list_mut() {
        list.watch(model.cx.now);
    }
}

fn perform_all(model: &mut Model, commands: Vec<Command>, effects: &mut Vec<Effect>) {
    for command in commands {
        perform(model, command, effects);
    }
}

/// Carries out a command: changes the state, and adds what only the runtime can do to `effects`.
fn perform(model: &mut Model, command: Command, effects: &mut Vec<Effect>) {
    match command {
        Command::Notify(severity, text) => model.notify(severity, text),
        Command::OpenOverlay(overlay) => model.open_overlay(overlay),
        Command::Open(route) => {
            effects.extend(model.screens.open_route(route, &model.cx).into_iter().map(Effect::Read));
        }
        Command::Back => model.screens.back(),
        Command::Home => model.screens.home(),
        Command::Filter(text) => {
            model.screens.home();
            effects.extend(model.screens.top_mut().list_mut().and_then(|list| list.filter_by(&text)).map(Effect::Read));
        }
        Command::RunAction(action) => {
            let commands = actions::run(model, model.context(), action);
            perform_all(model, commands, effects);
        }
        Command::SendKey(key) => {
            let commands = keys::on_key(model, key);
            perform_all(model, commands, effects);
        }
        Command::Send(message) => {
            let commands = model.screens.top_mut().on_message(message);
            perform_all(model, commands, effects);
        }
        Command::OpenFile(target) => effects.push(file::open(model, target)),
        Command::Reopen(backup) => {
            model.reopen(backup.is_some());
            effects.push(Effect::Reopen(backup));
        }
        Command::ChangeUiState(change) => {
            model.cx.ui_state.apply(change);
            effects.push(Effect::SaveUiState(Box::new(model.ui_state())));
        }
        Command::Write(..) if model.cx.job.is_some() => {
            let key = model.cx.key(model.context_below(), Action::Back);
            model.notify(Severity::Info, format!("Wait for the running job, or stop it with {key}"));
        }
        Command::Write(job, title) => effects.push(write(model, job, title)),
        Command::QuitAfterJob if model.cx.job.is_some() => {
            model.quits_after_job = true;
            effects.push(cancel(model));
        }
        Command::CancelJob => effects.push(cancel(model)),
        Command::Quit | Command::QuitAfterJob => model.quitting = true,
        Command::Read(query) => effects.push(Effect::Read(query)),
        Command::EditText { text, is_json } => effects.push(Effect::EditText { text, is_json }),
        Command::Mouse(is_on) => effects.push(Effect::Mouse(is_on)),
        Command::Copy(text) => effects.push(Effect::Copy(text)),
        Command::Suspend => effects.push(Effect::Suspend),
        Command::Redraw => effects.push(Effect::Redraw),
    }
}

/// Notes that a job runs; the paths of imports and exports are proposed the next time.
fn write(model: &mut Model, job: Job, title: &'static str) -> Effect {
    match &job {
        Job::File(FileJob::Preview { path }) => model.cx.last_import = path.display().to_string(),
        Job::File(FileJob::Export { path, replace: false, .. }) => model.cx.last_export = path.display().to_string(),
        _ => {}
    }
    if let Some(running) = RunningJob::start(&job, title, &model.cx.overview, model.cx.now) {
        model.cx.job = Some(running);
    }
    Effect::Write(job)
}

fn cancel(model: &mut Model) -> Effect {
    if let Some(job) = &mut model.cx.job {
        job.is_stopping = true;
    }
    Effect::CancelJob
}
