//! Message in, state changed, effects out.

use std::path::PathBuf;

use ratatui::crossterm::event::KeyCode;

use super::message::Message;
use super::model::{AwaitedForm, Model, RunningJob, Screen, TOAST, Toast};
use super::{actions, mouse, replies};
use crate::domain::SecretsState;
use crate::keymap::{Action, Key, Place, key_of};
use crate::screens::{
    Effect, Go, Start, connectors, copies, detail, files, form, help, history, overview, review, step, sync,
};
use crate::ui::input::TextInput;
use crate::worker::protocol::{Job, Record, Request};

/// Changes the state; what is returned is to be done by the runtime: reads, jobs, cancel, quit, suspend.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    let wanted = match message {
        // Esc and a key typed right after it reach the program as Alt and that key; nothing is bound to Alt.
        Message::Key(key) if key.alt => {
            let escape = Key { code: KeyCode::Esc, ctrl: false, alt: false };
            let mut effects = update(model, Message::Key(escape));
            effects.extend(update(model, Message::Key(Key { alt: false, ..key })));
            return effects;
        }
        Message::Key(key) => actions::key(model, key),
        Message::Mouse(event) => mouse::update(model, event),
        Message::Paste(text) => actions::paste(model, &text),
        Message::Edited(outcome) => edited(model, outcome),
        Message::Switched(Ok(path)) => switched(model, path),
        Message::Switched(Err(reason)) => vec![Effect::error(reason)],
        Message::Copied(Ok(())) => vec![Effect::success("copied, if the terminal allows it")],
        Message::Copied(Err(reason)) => vec![Effect::error(reason)],
        Message::Resize(width, height) => resize(model, width, height),
        Message::Worker(reply) => replies::update(model, reply),
        Message::Tick => {
            expire_toast(model);
            Vec::new()
        }
        Message::Terminate => vec![Effect::Quit],
    };
    let mut outside = Vec::new();
    for effect in wanted {
        perform(model, effect, &mut outside);
    }
    while let Some(effects) = actions::waiting_key(model) {
        for effect in effects {
            perform(model, effect, &mut outside);
        }
    }
    follow_selection(model, &mut outside);
    model.watch_list();
    outside
}

/// Does what can be done inside; passes the rest on.
fn perform(model: &mut Model, effect: Effect, outside: &mut Vec<Effect>) {
    match effect {
        Effect::Say(severity, text) => model.toast = Some(Toast { severity, text, since: model.now }),
        Effect::Ask(dialog) => model.dialog = Some(*dialog),
        Effect::Offer(menu) => model.menu = Some(*menu),
        Effect::Act(action) => {
            for effect in actions::screen_action(model, model.place(), action) {
                perform(model, effect, outside);
            }
        }
        Effect::Prompt(prompt) => model.prompt = Some(*prompt),
        Effect::Start(start) => begin(model, start, outside),
        Effect::KeepFilter(filter, is_kept) => {
            model.setup.memory.keep_filter(&filter, is_kept);
            let key = key_of(Place::Connectors, Action::Filters);
            let word = if is_kept { format!("kept: {key} brings it back") } else { "forgotten".to_owned() };
            perform(model, Effect::success(word), outside);
            outside.push(Effect::Remember(Box::new(model.memory())));
        }
        Effect::ToggleColumn(name) => {
            model.setup.memory.columns.toggle(name);
            columns_chosen(model, outside);
        }
        Effect::WidenColumn(name, cells) => {
            model.setup.memory.columns.widen(name, cells);
            columns_chosen(model, outside);
        }
        Effect::Press(key) => {
            for effect in actions::key(model, key) {
                perform(model, effect, outside);
            }
        }
        Effect::Filter(text) => {
            model.screens.truncate(1);
            model.connectors.filter_text = TextInput::new(&text);
            outside.extend(model.connectors.search().map(Effect::Read));
        }
        Effect::Go(go) => navigate(model, go, outside),
        Effect::Rebase(theirs, keep_mine) => {
            if let Some(Screen::Form(form)) = model.screens.last_mut() {
                form.rebase(*theirs, keep_mine);
            }
        }
        Effect::Write(job, title) => {
            // One job at a time; keeping a few decisions is too quick to be worth a word.
            if !matches!(&job, Job::Decide { ids, .. } if ids.len() < MANY) {
                let is_long = is_long(model, &job);
                model.job = Some(RunningJob { is_long, ..RunningJob::new(title, model.now) });
            }
            outside.push(Effect::Write(job, title));
        }
        Effect::Reopen(copy) => {
            *model = model.reopened(copy.is_some());
            outside.push(Effect::Reopen(copy));
        }
        Effect::QuitAfterJob if model.job.is_some() => {
            model.quits_after_job = true;
            perform(model, Effect::CancelJob, outside);
        }
        Effect::CancelJob => {
            if let Some(job) = &mut model.job {
                job.is_stopping = true;
            }
            outside.push(Effect::CancelJob);
        }
        Effect::Quit | Effect::QuitAfterJob => {
            model.quitting = true;
            outside.push(Effect::Quit);
        }
        other => outside.push(other),
    }
}

fn columns_chosen(model: &mut Model, outside: &mut Vec<Effect>) {
    model.connectors.columns = model.setup.memory.columns.clone();
    outside.push(Effect::Remember(Box::new(model.memory())));
}

/// The person has said how to begin.
fn begin(model: &mut Model, start: Start, outside: &mut Vec<Effect>) {
    model.menu = None;
    match &start {
        Start::New => {}
        Start::Import => model.awaiting_import = true,
        Start::Demo => {
            model.setup.is_demo = true;
            model.setup.file = "the demo".to_owned();
        }
        // Another one in place of the one that is open: only when it can be.
        Start::File(_) if model.opened.is_some() => {}
        Start::File(path) => {
            model.setup.file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            model.setup.path.clone_from(path);
        }
    }
    outside.push(Effect::Start(start));
}

/// Another file is being opened in place of the one before.
fn switched(model: &mut Model, path: PathBuf) -> Vec<Effect> {
    let memory = model.memory();
    *model = model.reopened(false);
    model.setup.memory = memory;
    model.setup.is_demo = false;
    model.setup.file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    model.setup.path = path;
    Vec::new()
}

/// From so many connectors on a quick job takes long.
const MANY: usize = 1000;

/// Does it take so long that the program goes on meanwhile?
fn is_long(model: &Model, job: &Job) -> bool {
    let has_many = |step: &Option<crate::store::Step>| step.as_ref().is_some_and(|step| step.records >= MANY as u64);
    match job {
        Job::Apply
        | Job::Rollback
        | Job::Import { .. }
        | Job::Preview { .. }
        | Job::BulkPreview { .. }
        | Job::Bulk { .. }
        | Job::Export { .. }
        | Job::BackUp
        | Job::Fetch
        | Job::Pull { .. }
        | Job::Push { .. }
        | Job::Execute { .. }
        | Job::TakeBack { only: None, .. } => true,
        Job::Decide { .. } => true,
        Job::Undo => has_many(&model.overview.last_step),
        Job::Redo => has_many(&model.overview.next_redo),
        _ => false,
    }
}

fn navigate(model: &mut Model, go: Go, outside: &mut Vec<Effect>) {
    match go {
        Go::Back => {
            if model.screens.len() > 1 {
                model.screens.pop();
            }
        }
        Go::Detail(id) => {
            outside.push(Effect::Read(Request::Record { id: id.clone(), is_preview: false }));
            model.screens.push(Screen::Detail(Box::new(detail::State::new(id))));
        }
        Go::Edit(id) => await_form(model, id, AwaitedForm::Edit, outside),
        Go::Fill(id) => await_form(model, id, AwaitedForm::Fill, outside),
        Go::NextMissing => {
            model.awaiting_missing = true;
            outside.push(Effect::Read(Request::NextMissing { after: replies::fill_after(model) }));
        }
        Go::Missing => perform(model, Effect::Filter("missing:secrets".to_owned()), outside),
        Go::Home => model.screens.truncate(1),
        Go::Duplicate(id) => await_form(model, id, AwaitedForm::Duplicate, outside),
        Go::New => {
            let template = form::new_connector(&(model.setup.new_id)());
            let record = Record::new(template, SecretsState::None);
            model.screens.push(Screen::Form(Box::new(form::State::create(record, None))));
        }
        Go::Review => {
            model.screens.push(Screen::Review);
            let body = model.body();
            let height = review::height(&model.review, body);
            model.review.rows.resize(height);
            outside.push(Effect::Read(model.review.rows.reload()));
        }
        Go::Overview => {
            outside.extend(overview::requests().map(Effect::Read));
            model.screens.push(Screen::Overview(overview::State::default()));
        }
        Go::History => {
            outside.push(Effect::Read(Request::Steps));
            model.screens.push(Screen::History(history::State::default()));
        }
        Go::Step(step, filter) => {
            let mut state = step::State::new(step, filter);
            let body = model.body();
            state.rows.resize(step::height(body));
            outside.extend(state.rows.apply_filter().map(Effect::Read));
            model.screens.push(Screen::Step(Box::new(state)));
        }
        Go::Copies => {
            outside.push(Effect::Read(Request::Copies));
            model.screens.push(Screen::Copies(copies::State::default()));
        }
        Go::Sync => {
            let state = sync::State::default();
            outside.push(Effect::Read(state.request()));
            model.screens.push(Screen::Sync(Box::new(state)));
        }
        Go::File(purpose) => {
            let text = match &purpose {
                files::Purpose::Import => &model.last_path,
                files::Purpose::Export { .. } => &model.last_export,
                files::Purpose::SaveAs => &String::new(),
            };
            let mut state = files::State::new(purpose, text);
            outside.extend(state.wanted_folder().map(|folder| Effect::Read(Request::Folder(folder))));
            model.file = Some(state);
        }
        Go::Help => {
            let place = model.place();
            model.screens.push(Screen::Help(help::State::new(place)));
        }
    }
}

fn await_form(model: &mut Model, id: String, form: AwaitedForm, outside: &mut Vec<Effect>) {
    outside.push(Effect::Read(Request::Record { id: id.clone(), is_preview: false }));
    model.awaiting_form = Some((id, form));
}

/// The editor is done: what it left goes into the field it came from.
/// Said when the editor changed nothing.
const UNCHANGED: &str =
    "the editor changed nothing; one that opens a window of its own has to wait for it (EDITOR=\"code --wait\")";

fn edited(model: &mut Model, outcome: Result<String, String>) -> Vec<Effect> {
    match (outcome, model.screens.last_mut()) {
        (Ok(text), Some(Screen::Form(form))) => {
            let is_same = form.edited(&text);
            // An editor with a window of its own that does not wait has just begun: what is typed there comes too late.
            is_same.then(|| Effect::info(UNCHANGED.to_owned())).into_iter().collect()
        }
        (Ok(_), _) => Vec::new(),
        (Err(reason), _) => vec![Effect::error(reason)],
    }
}

fn resize(model: &mut Model, width: u16, height: u16) -> Vec<Effect> {
    model.size = (width, height);
    let body = model.body();
    let mut requests = vec![
        model.connectors.resize(connectors::height(body)),
        model.review.rows.resize(review::height(&model.review, body)),
    ];
    for screen in &mut model.screens {
        if let Screen::Step(step) = screen {
            requests.push(step.rows.resize(step::height(body)));
        }
    }
    if model.opened.is_none() {
        return Vec::new();
    }
    requests.into_iter().flatten().map(Effect::Read).collect()
}

fn expire_toast(model: &mut Model) {
    let is_over = model.toast.as_ref().is_some_and(|toast| {
        toast.severity.expires()
            && model.now.duration_since(toast.since) >= jiff::SignedDuration::try_from(TOAST).unwrap_or_default()
    });
    if is_over {
        model.toast = None;
    }
}

/// Asks for the selected row's record when it is another one, or was changed.
fn follow_selection(model: &mut Model, outside: &mut Vec<Effect>) {
    if let Some(Screen::Step(step)) = model.screens.last_mut() {
        outside.extend(step.follow().map(Effect::Read));
        return;
    }
    let selected = match model.screen() {
        Screen::Review => model.review.rows.current(),
        _ => model.connectors.current(),
    };
    let wanted = selected.map(|row| (row.id.clone(), row.revision));
    if wanted == model.preview_of {
        return;
    }
    if model.preview.as_ref().map(|record| &record.connector.id) != wanted.as_ref().map(|(id, _)| id) {
        model.preview = None;
    }
    model.preview_of = wanted.clone();
    // The answer to a form or a detail that is awaited must not be superseded by this question.
    let is_awaiting = model.awaiting_form.is_some()
        || outside.iter().any(|effect| matches!(effect, Effect::Read(Request::Record { .. })));
    if let (Some((id, _)), false) = (wanted, is_awaiting) {
        outside.push(Effect::Read(Request::Record { id, is_preview: true }));
    }
}
