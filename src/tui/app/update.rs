//! Message in, state changed, effects out.

use std::path::PathBuf;

use crossterm::event::KeyCode;

use super::effect::Effect;
use super::message::Message;
use super::model::{AwaitedForm, Model, RunningJob, Screen, TOAST, Toast};
use super::{actions, mouse, replies};
use crate::domain::SecretsState;
use crate::tui::keymap::{Action, Key, KeyContext};
use crate::tui::overlays::file_picker;
use crate::tui::screens::{
    Command, OpenTarget, Route, backups, connectors, detail, form, help, history, history_entry, overview, review, sync,
};
use crate::tui::widgets::input::TextInput;
use crate::worker::{FileJob, Job, Query, Record, RemoteJob};

/// Changes the state and returns the effects for the runtime: queries, jobs, cancel, quit, suspend.
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
        Message::Switched(Err(reason)) => vec![Command::error(reason)],
        Message::Copied(Ok(())) => vec![Command::success("Copied, if the terminal allows it")],
        Message::Copied(Err(reason)) => vec![Command::error(reason)],
        Message::Resize(width, height) => resize(model, width, height),
        Message::Worker(reply) => replies::update(model, reply),
        Message::Tick => {
            expire_toast(model);
            Vec::new()
        }
        Message::Terminate => vec![Command::Quit],
    };
    let mut outside = Vec::new();
    for command in wanted {
        perform(model, command, &mut outside);
    }
    while let Some(commands) = actions::waiting_key(model) {
        for command in commands {
            perform(model, command, &mut outside);
        }
    }
    follow_selection(model, &mut outside);
    model.watch_list();
    outside
}

/// Carries out a command: changes the state, and adds what only the runtime can do to `outside`.
fn perform(model: &mut Model, command: Command, outside: &mut Vec<Effect>) {
    match command {
        Command::Notify(severity, text) => model.toast = Some(Toast { severity, text, since: model.now }),
        Command::OpenDialog(dialog) => model.dialog = Some(*dialog),
        Command::OpenMenu(menu) => model.menu = Some(*menu),
        Command::RunAction(action) => {
            for command in actions::screen_action(model, model.context(), action) {
                perform(model, command, outside);
            }
        }
        Command::OpenPrompt(prompt) => model.prompt = Some(*prompt),
        Command::OpenFile(start) => begin(model, start, outside),
        Command::KeepView(filter, is_kept) => {
            model.setup.ui_state.keep_view(&filter, is_kept);
            let key = model.setup.ui.keys.key_of(KeyContext::Connectors, Action::SavedViews);
            let word = if is_kept { format!("View saved ({key} to open)") } else { "View deleted".to_owned() };
            perform(model, Command::success(word), outside);
            outside.push(Effect::SaveUiState(Box::new(model.ui_state())));
        }
        Command::ToggleColumn(name) => {
            model.setup.ui_state.columns.toggle(name);
            columns_chosen(model, outside);
        }
        Command::WidenColumn(name, cells) => {
            model.setup.ui_state.columns.widen(name, cells);
            columns_chosen(model, outside);
        }
        Command::SendKey(key) => {
            for command in actions::key(model, key) {
                perform(model, command, outside);
            }
        }
        Command::Filter(text) => {
            model.screens.truncate(1);
            model.connectors.filter_text = TextInput::new(&text);
            outside.extend(model.connectors.search().map(Effect::Read));
        }
        Command::Route(go) => navigate(model, go, outside),
        Command::ReplaceFormBase(theirs, keep_mine) => {
            if let Some(Screen::Form(form)) = model.screens.last_mut() {
                form.rebase(*theirs, keep_mine);
            }
        }
        Command::Write(job, title) => {
            // One job at a time; keeping a few decisions is too quick to be worth a word.
            if !matches!(&job, Job::File(FileJob::Decide { ids, .. }) if ids.len() < CONFIRM_FROM) {
                let is_long = is_long(model, &job);
                model.job = Some(RunningJob { is_long, ..RunningJob::new(title, model.now) });
            }
            outside.push(Effect::Write(job));
        }
        Command::Reopen(backup) => {
            *model = model.reopened(backup.is_some());
            outside.push(Effect::Reopen(backup));
        }
        Command::QuitAfterJob if model.job.is_some() => {
            model.quits_after_job = true;
            perform(model, Command::CancelJob, outside);
        }
        Command::CancelJob => {
            if let Some(job) = &mut model.job {
                job.is_stopping = true;
            }
            outside.push(Effect::CancelJob);
        }
        Command::Quit | Command::QuitAfterJob => {
            model.quitting = true;
        }
        Command::Read(query) => outside.push(Effect::Read(query)),
        Command::EditText { text, is_json } => outside.push(Effect::EditText { text, is_json }),
        Command::Mouse(is_on) => outside.push(Effect::Mouse(is_on)),
        Command::Copy(text) => outside.push(Effect::Copy(text)),
        Command::Suspend => outside.push(Effect::Suspend),
        Command::Redraw => outside.push(Effect::Redraw),
    }
}

fn columns_chosen(model: &mut Model, outside: &mut Vec<Effect>) {
    model.connectors.columns = model.setup.ui_state.columns.clone();
    outside.push(Effect::SaveUiState(Box::new(model.ui_state())));
}

/// Opens the file as the user chose.
fn begin(model: &mut Model, start: OpenTarget, outside: &mut Vec<Effect>) {
    model.menu = None;
    match &start {
        OpenTarget::New => {}
        OpenTarget::Import => model.pending.import = true,
        OpenTarget::Demo => {
            model.setup.is_demo = true;
            model.setup.file = "the demo".to_owned();
        }
        // Another one in place of the one that is open: only when it can be.
        OpenTarget::File(_) if model.opened.is_some() => {}
        OpenTarget::File(path) => {
            model.setup.file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            model.setup.path.clone_from(path);
        }
    }
    outside.push(Effect::OpenFile(start));
}

/// Another file is being opened in place of the one before.
fn switched(model: &mut Model, path: PathBuf) -> Vec<Command> {
    let ui_state = model.ui_state();
    *model = model.reopened(false);
    model.setup.ui_state = ui_state;
    model.setup.is_demo = false;
    model.setup.file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    model.setup.path = path;
    Vec::new()
}

/// From this number of connectors on, a quick job takes long.
const CONFIRM_FROM: usize = 1000;

/// Returns whether a job takes so long that the user can continue in the meantime.
fn is_long(model: &Model, job: &Job) -> bool {
    let is_bulk = |step: &Option<crate::store::HistoryEntry>| {
        step.as_ref().is_some_and(|step| step.records >= CONFIRM_FROM as u64)
    };
    match job {
        Job::Remote(job) => !matches!(job, RemoteJob::Resolve { .. }),
        Job::File(
            FileJob::Apply
            | FileJob::Rollback
            | FileJob::Import { .. }
            | FileJob::Preview { .. }
            | FileJob::BulkPreview { .. }
            | FileJob::Bulk { .. }
            | FileJob::Export { .. }
            | FileJob::CreateBackup
            | FileJob::Decide { .. }
            | FileJob::Revert { only: None, .. },
        ) => true,
        Job::File(FileJob::Undo) => is_bulk(&model.overview.last_step),
        Job::File(FileJob::Redo) => is_bulk(&model.overview.next_redo),
        Job::File(_) => false,
    }
}

fn navigate(model: &mut Model, go: Route, outside: &mut Vec<Effect>) {
    match go {
        Route::Back => {
            if model.screens.len() > 1 {
                model.screens.pop();
            }
        }
        Route::Detail(id) => {
            outside.push(Effect::Read(Query::Record { id: id.clone(), is_preview: false }));
            model.screens.push(Screen::Detail(Box::new(detail::State::new(id))));
        }
        Route::Edit(id) => await_form(model, id, AwaitedForm::Edit, outside),
        Route::Fill(id) => await_form(model, id, AwaitedForm::Fill, outside),
        Route::NextMissing => {
            model.pending.next_missing = true;
            outside.push(Effect::Read(Query::NextMissing { after: replies::fill_after(model) }));
        }
        Route::Missing => perform(model, Command::Filter("missing:secrets".to_owned()), outside),
        Route::Home => model.screens.truncate(1),
        Route::Duplicate(id) => await_form(model, id, AwaitedForm::Duplicate, outside),
        Route::New => {
            let template = form::new_connector(&(model.setup.new_id)());
            let record = Record::new(template, SecretsState::None);
            model.screens.push(Screen::Form(Box::new(form::State::create(record, None, model.setup.ui))));
        }
        Route::Review => {
            model.screens.push(Screen::Review);
            let body = model.body();
            let height = review::height(&model.review, body);
            model.review.rows.resize(height);
            outside.push(Effect::Read(model.review.rows.reload()));
        }
        Route::Overview => {
            outside.extend(overview::requests().map(Effect::Read));
            model.screens.push(Screen::Overview(overview::State::default()));
        }
        Route::History => {
            outside.push(Effect::Read(Query::Steps));
            model.screens.push(Screen::History(history::State::default()));
        }
        Route::Step(step, filter) => {
            let mut state = history_entry::State::new(step, filter);
            let body = model.body();
            state.rows.resize(history_entry::height(body));
            outside.extend(state.rows.apply_filter().map(Effect::Read));
            model.screens.push(Screen::HistoryEntry(Box::new(state)));
        }
        Route::Backups => {
            outside.push(Effect::Read(Query::Backups));
            model.screens.push(Screen::Backups(backups::State::default()));
        }
        Route::Sync => {
            let state = sync::State::default();
            outside.push(Effect::Read(state.request()));
            model.screens.push(Screen::Sync(Box::new(state)));
        }
        Route::File(purpose) => {
            let text = match &purpose {
                file_picker::Purpose::Import => &model.last_path,
                file_picker::Purpose::Export { .. } => &model.last_export,
                file_picker::Purpose::SaveAs => &String::new(),
            };
            let mut state = file_picker::State::new(purpose, text);
            outside.extend(state.wanted_folder().map(|folder| Effect::Read(Query::Folder(folder))));
            model.file = Some(state);
        }
        Route::Help => {
            let context = model.context();
            model.screens.push(Screen::Help(help::State::new(context)));
        }
    }
}

fn await_form(model: &mut Model, id: String, form: AwaitedForm, outside: &mut Vec<Effect>) {
    outside.push(Effect::Read(Query::Record { id: id.clone(), is_preview: false }));
    model.pending.form = Some((id, form));
}

/// The message after an editor without a change.
const UNCHANGED: &str =
    "The editor changed nothing; one that opens its window separately has to wait for it (EDITOR=\"code --wait\")";

fn edited(model: &mut Model, outcome: Result<String, String>) -> Vec<Command> {
    match (outcome, model.screens.last_mut()) {
        (Ok(text), Some(Screen::Form(form))) => {
            let is_same = form.edited(&text);
            // A windowed editor that returns at once has only just started: its text would come too late.
            is_same.then(|| Command::info(UNCHANGED.to_owned())).into_iter().collect()
        }
        (Ok(_), _) => Vec::new(),
        (Err(reason), _) => vec![Command::error(reason)],
    }
}

fn resize(model: &mut Model, width: u16, height: u16) -> Vec<Command> {
    model.size = (width, height);
    let body = model.body();
    let mut requests = vec![
        model.connectors.resize(connectors::height(body)),
        model.review.rows.resize(review::height(&model.review, body)),
    ];
    for screen in &mut model.screens {
        if let Screen::HistoryEntry(step) = screen {
            requests.push(step.rows.resize(history_entry::height(body)));
        }
    }
    if model.opened.is_none() {
        return Vec::new();
    }
    requests.into_iter().flatten().map(Command::Read).collect()
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

/// Requests the record of the current row if it is another one or was changed.
fn follow_selection(model: &mut Model, outside: &mut Vec<Effect>) {
    if let Some(Screen::HistoryEntry(step)) = model.screens.last_mut() {
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
    let is_awaiting = model.pending.form.is_some()
        || outside.iter().any(|effect| matches!(effect, Effect::Read(Query::Record { .. })));
    if let (Some((id, _)), false) = (wanted, is_awaiting) {
        outside.push(Effect::Read(Query::Record { id, is_preview: true }));
    }
}
