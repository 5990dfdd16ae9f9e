//! Keys: the focused part handles a key first, and passes on what it does not use.

use std::path::PathBuf;

use super::model::{Model, RunningJob, Screen};
use super::{menus, replies};
use crate::store::OnConflict;
use crate::text::capitalized;
use crate::tui::keymap::{Action, Binding, Key, KeyContext};
use crate::tui::overlays::file_picker;
use crate::tui::screens::{
    Command, Dialog, Route, backups, connectors, detail, form, help, history, history_entry, overview, review, sync,
};
use crate::tui::widgets::input::TooLong;
use crate::tui::widgets::paged_list::PagedList;
use crate::tui::widgets::theme::Theme;
use crate::worker::{FileJob, Query};

/// A key was pressed.
pub(super) fn key(model: &mut Model, key: Key) -> Vec<Command> {
    // A message stays until the next key, or until it expires.
    model.toast = None;
    let context = model.context();
    let action = model.setup.ui.keys.action(context, key);
    match action {
        Some(Action::QuitNow) => return quit_now(model),
        Some(Action::Suspend) => return vec![Command::Suspend],
        Some(Action::Redraw) => return vec![Command::Redraw],
        Some(Action::Help) if context == KeyContext::Form && model.opened.is_some() => {
            return vec![Command::Route(Route::Help)];
        }
        Some(Action::Back) if model.job.is_some() && model.dialog.is_none() => {
            return vec![Command::CancelJob];
        }
        Some(Action::Back) if model.rows().is_some_and(|rows| rows.is_marking()) && model.dialog.is_none() => {
            model.pending.keys.clear();
            model.rows().map(PagedList::clear_selection);
            return Vec::new();
        }
        _ if model.is_too_small() => return Vec::new(),
        // Before the first file is chosen nothing else is available.
        Some(Action::Back) if model.opened.is_none() && model.menu.is_some() => return vec![Command::Quit],
        _ if model.opened.is_none() && model.menu.is_some() => return menu_key(model, key, action),
        _ if model.opened.is_none() => return opening(action),
        _ => {}
    }
    if model.is_waiting() || !model.pending.keys.is_empty() {
        model.pending.keys.push_back(key);
        return Vec::new();
    }
    focused_key(model, context, key, action)
}

/// Returns the commands of the next queued key, if it can be handled now.
pub(super) fn waiting_key(model: &mut Model) -> Option<Vec<Command>> {
    if model.is_waiting() {
        return None;
    }
    let key = model.pending.keys.pop_front()?;
    let context = model.context();
    Some(focused_key(model, context, key, model.setup.ui.keys.action(context, key)))
}

fn focused_key(model: &mut Model, context: KeyContext, key: Key, action: Option<Action>) -> Vec<Command> {
    match context {
        KeyContext::Dialog => dialog(model, action),
        KeyContext::Input => input(model, key, action),
        KeyContext::Picker if model.menu.is_some() => menu_key(model, key, action),
        KeyContext::Form | KeyContext::Picker => form_key(model, key),
        KeyContext::Connectors
        | KeyContext::Detail
        | KeyContext::Review
        | KeyContext::Overview
        | KeyContext::History
        | KeyContext::Step
        | KeyContext::Backups
        | KeyContext::Sync
        | KeyContext::Help => match action {
            Some(action) => screen_action(model, context, action),
            None => Vec::new(),
        },
    }
}

/// While the file is being opened only leaving it makes sense; the upgrade undoes itself then.
fn opening(action: Option<Action>) -> Vec<Command> {
    match action {
        Some(Action::Back | Action::Quit) => vec![Command::CancelJob],
        _ => Vec::new(),
    }
}

/// Quits on Ctrl-C; requires confirmation only if unsaved input would be lost.
fn quit_now(model: &mut Model) -> Vec<Command> {
    if model.quits_after_job {
        return vec![Command::Quit];
    }
    // A second Ctrl-C confirms: an interrupted step may be incomplete.
    if model.dialog.take_if(|dialog| dialog.closes_with_job()).is_some() {
        return vec![Command::QuitAfterJob];
    }
    if let Some(job) = &model.job {
        return vec![confirm_stop(job)];
    }
    let is_dirty = matches!(model.screen(), Screen::Form(form) if form.is_dirty());
    if !is_dirty || model.dialog.is_some() {
        return vec![Command::Quit];
    }
    vec![Command::OpenDialog(Box::new(
        Dialog::new("Quit", "Keep editing")
            .line("Quit and drop what you changed in this form?")
            .choice("Quit", vec![Command::Quit]),
    ))]
}

/// A job runs that would be cut off.
fn confirm_stop(job: &RunningJob) -> Command {
    Command::OpenDialog(Box::new(
        Dialog::new("Quit", "Stay")
            .line(format!("A job is running: {}. Stop it and quit? The current step is finished first.", job.title))
            .choice("Stop and quit", vec![Command::QuitAfterJob])
            .close_with_job(),
    ))
}

fn dialog(model: &mut Model, action: Option<Action>) -> Vec<Command> {
    let Some(dialog) = &mut model.dialog else {
        return Vec::new();
    };
    let answer = action.and_then(|action| dialog.update(action));
    match answer {
        Some(commands) => {
            model.dialog = None;
            commands
        }
        None => Vec::new(),
    }
}

/// The filter line and the import path.
fn input(model: &mut Model, key: Key, action: Option<Action>) -> Vec<Command> {
    if let Some(prompt) = &mut model.prompt {
        let command = match action {
            Some(Action::Back) => {
                model.prompt = None;
                return Vec::new();
            }
            Some(Action::Confirm) => prompt.confirm(),
            _ => {
                prompt.key(key);
                None
            }
        };
        if command.is_some() {
            model.prompt = None;
        }
        return command.into_iter().collect();
    }
    if let Some(file) = &mut model.file {
        let outcome = match action {
            Some(Action::Back) => {
                model.file = None;
                return Vec::new();
            }
            Some(Action::Confirm) => file.confirm(),
            _ => file.key(key),
        };
        return file_outcome(model, outcome);
    }
    let Some(rows) = model.rows() else {
        return Vec::new();
    };
    let request = match action {
        Some(Action::Back) => rows.clear_filter(),
        Some(Action::Confirm) => {
            rows.typing = false;
            None
        }
        _ => match key.code {
            // The list can be walked while the filter is typed.
            crossterm::event::KeyCode::Down => {
                return rows.act(Action::Down).unwrap_or_default().into_iter().map(Command::Read).collect();
            }
            crossterm::event::KeyCode::Up => {
                return rows.act(Action::Up).unwrap_or_default().into_iter().map(Command::Read).collect();
            }
            _ => rows.type_filter(key),
        },
    };
    request.map(Command::Read).into_iter().collect()
}

/// Handles the result of the file picker.
fn file_outcome(model: &mut Model, outcome: file_picker::Outcome) -> Vec<Command> {
    match outcome {
        file_picker::Outcome::Nothing => Vec::new(),
        file_picker::Outcome::Folder(folder) => vec![Command::Read(Query::Folder(folder))],
        file_picker::Outcome::Named(text) => match model.file.take().map(|state| state.purpose) {
            None => Vec::new(),
            Some(file_picker::Purpose::Import) => {
                model.last_path.clone_from(&text);
                vec![Command::write(FileJob::Preview { path: text.into() }, "reading the export")]
            }
            Some(file_picker::Purpose::Export { ids, what: _ }) => {
                model.last_export.clone_from(&text);
                let filter = model.connectors.filter().clone();
                vec![Command::write(FileJob::Export { path: text.into(), ids, filter, replace: false }, "exporting")]
            }
            Some(file_picker::Purpose::SaveAs) => {
                vec![Command::write(FileJob::SaveAs { path: text.into() }, "saving to a new file")]
            }
        },
    }
}

/// The job of an import.
pub(super) fn import(path: PathBuf, on_conflict: OnConflict) -> Command {
    Command::write(FileJob::Import { path, on_conflict }, "importing")
}

fn menu_key(model: &mut Model, key: Key, action: Option<Action>) -> Vec<Command> {
    match (&mut model.menu, action) {
        (Some(_), Some(Action::Back)) => {
            model.menu = None;
            Vec::new()
        }
        (Some(_), Some(action)) => menu_chosen(model, action).unwrap_or_default(),
        (Some(menu), None) => {
            menu.key(key);
            Vec::new()
        }
        (None, _) => Vec::new(),
    }
}

/// Passes an action to the menu; returns the commands of the chosen item, if that closes it.
pub(super) fn menu_chosen(model: &mut Model, action: Action) -> Option<Vec<Command>> {
    let commands = model.menu.as_mut()?.act(action)?;
    model.menu = None;
    Some(commands)
}

fn form_key(model: &mut Model, key: Key) -> Vec<Command> {
    let is_busy = model.job.is_some();
    match model.screens.last_mut() {
        Some(Screen::Form(form)) if !is_busy => form::update(form, key),
        _ => Vec::new(),
    }
}

/// Reads the file again, including everything in memory.
fn read_again(model: &mut Model) -> Vec<Command> {
    model.preview_of = None;
    let mut commands = vec![Command::Read(Query::Forget)];
    commands.extend(replies::reload(model));
    commands.push(Command::info("Read again"));
    commands
}

pub(super) fn screen_action(model: &mut Model, context: KeyContext, action: Action) -> Vec<Command> {
    if let Err(reason) = availability(model, context, action) {
        return vec![Command::info(capitalized(&reason))];
    }
    if action == Action::Help {
        return vec![Command::Route(Route::Help)];
    }
    match action {
        Action::Palette => return vec![Command::OpenMenu(Box::new(menus::palette(model, context)))],
        Action::CopyText => return vec![menus::copy(model)],
        Action::SavedViews => return vec![Command::OpenMenu(Box::new(menus::filters(model)))],
        Action::Columns => return vec![Command::OpenMenu(Box::new(menus::columns(model)))],
        Action::OpenFile if model.job.is_some() => return vec![Command::info("Wait for the running job first")],
        Action::OpenFile => return vec![Command::OpenMenu(Box::new(menus::files(model)))],
        Action::Mouse => {
            model.setup.mouse = !model.setup.mouse;
            let (word, text) =
                if model.setup.mouse { ("on", "") } else { ("off", ": the terminal selects text again") };
            return vec![Command::Mouse(model.setup.mouse), Command::info(format!("Mouse {word}{text}"))];
        }
        Action::Overview => return vec![Command::Route(Route::Overview)],
        Action::Sync => return vec![Command::Route(Route::Sync)],
        Action::Execute => return vec![menus::run(model)],
        Action::Theme => {
            let scheme = model.setup.ui.theme.scheme().next();
            model.setup.ui.theme = Theme::of(scheme);
            let text = format!("Theme {0}; theme = \"{0}\" in the configuration file keeps it", scheme.name());
            return vec![Command::info(text)];
        }
        Action::Undo => return vec![undo(model, false)],
        Action::Redo => return vec![undo(model, true)],
        _ => {}
    }
    if let (Action::Quit, KeyContext::Connectors, Some(job)) = (action, context, &model.job) {
        return vec![confirm_stop(job)];
    }
    if action == Action::Refresh {
        return read_again(model);
    }
    let body = model.body();
    let size = (usize::from(body.width), usize::from(body.height));
    match model.screens.last_mut() {
        Some(Screen::Connectors) => connectors::update(&mut model.connectors, action, model.setup.ui.keys),
        Some(Screen::Review) => {
            let facts = review::Facts { plan: &model.overview.plan, last_run: model.overview.last_run.as_ref() };
            review::update(&mut model.review, action, facts, model.setup.ui.keys)
        }
        Some(Screen::Detail(state)) => detail::update(state, action, size, model.setup.ui),
        Some(Screen::Overview(state)) => {
            overview::update(state, action, &model.overview, size.1, model.setup.ui.catalogue)
        }
        Some(Screen::History(state)) => history::update(state, action, &model.overview, size.1),
        Some(Screen::HistoryEntry(state)) => history_entry::update(state, action, model.setup.ui.keys),
        Some(Screen::Backups(state)) => backups::update(state, action, size.1),
        Some(Screen::Sync(state)) => sync::update(state, action, sync::height(body), model.setup.ui.keys),
        Some(Screen::Help(state)) => {
            if help::update(state, action, size, model.setup.ui) {
                Vec::new()
            } else {
                vec![Command::Route(Route::Back)]
            }
        }
        Some(Screen::Form(_)) | None => Vec::new(),
    }
}

/// On the page of a connector or a step, undo of something else is confirmed first.
fn undo(model: &Model, is_redo: bool) -> Command {
    let (id, step) = match model.screen() {
        Screen::Detail(page) => (Some(page.id.clone()), None),
        Screen::HistoryEntry(page) => (None, Some(page.step)),
        _ if is_redo => return history::redo(model.overview.next_redo.as_ref()),
        _ => return history::undo(model.overview.last_step.as_ref(), model.setup.ui.keys),
    };
    Command::write(FileJob::UndoOnPage { id, step, is_redo }, if is_redo { "redoing" } else { "undoing" })
}

/// Can this be done now? If not, why.
pub(super) fn availability(model: &Model, context: KeyContext, action: Action) -> Result<(), String> {
    let writes = model
        .setup
        .ui
        .keys
        .bindings(context)
        .find(|binding| binding.action == action)
        .is_some_and(|binding| binding.writes);
    if writes && model.is_read_only() {
        return Err("the file is open read-only: nothing can be changed".to_owned());
    }
    if writes && model.job.is_some() {
        return Err(format!(
            "wait for the running job, or stop it with {}",
            model.setup.ui.keys.key_of(context, Action::Back)
        ));
    }
    let needs_row = matches!(
        action,
        Action::Open
            | Action::Edit
            | Action::ToggleMode
            | Action::Duplicate
            | Action::Delete
            | Action::BulkEdit
            | Action::Select
            | Action::ChooseFirst
            | Action::ChooseSecond
            | Action::Skip
            | Action::Revert
            | Action::Restore
    );
    let total = match context {
        KeyContext::Connectors => model.connectors.total,
        KeyContext::Review => model.review.rows.total,
        KeyContext::Step | KeyContext::History | KeyContext::Backups | KeyContext::Sync => rows_of(model.screen()),
        _ => 1,
    };
    if needs_row && total == 0 {
        return Err("no row is selected".to_owned());
    }
    if matches!(action, Action::Fetch | Action::Pull | Action::Push | Action::Execute)
        && model.overview.remote.is_none()
    {
        return Err("this file has no remote; add one with connector-admin remote add".to_owned());
    }
    match action {
        Action::Undo if model.overview.last_step.is_none() => Err("nothing to undo".to_owned()),
        Action::Redo if model.overview.next_redo.is_none() => Err("nothing to redo".to_owned()),
        Action::Export if model.connectors.total == 0 && model.connectors.selected() == 0 => {
            Err("no connector to export".to_owned())
        }
        Action::Rollback if model.overview.last_run.is_none() => Err("no migration run to roll back".to_owned()),
        Action::Apply if model.overview.plan.to_apply() == 0 => Err("nothing to apply".to_owned()),
        _ => Ok(()),
    }
}

/// Returns whether a hint of the footer applies now.
fn is_of_use(model: &Model, action: Action) -> bool {
    match (action, model.screen()) {
        (Action::NextMissing, _) => model.overview.missing_secrets > 0,
        (Action::Sync, _) => model.overview.remote.is_some(),
        (Action::OpenEditor, Screen::Form(form)) => form.has_text(),
        (Action::ClearField, Screen::Form(form)) => form.can_be_cleared(),
        (Action::Change, Screen::Form(form)) => !form.is_typed(),
        _ => true,
    }
}

fn rows_of(screen: &Screen) -> usize {
    match screen {
        Screen::HistoryEntry(step) => step.rows.total,
        Screen::History(history) => history.steps.as_ref().map_or(0, Vec::len),
        Screen::Sync(sync) => sync.total(),
        Screen::Backups(backups) => backups.backups.as_ref().map_or(0, Vec::len),
        _ => 1,
    }
}

/// The bindings of the footer, each with whether it can be used now.
pub(super) fn footer(model: &Model) -> Vec<(&'static Binding, bool)> {
    let context = model.context();
    model
        .setup
        .ui
        .keys
        .bindings(context)
        .filter(|binding| binding.hint().is_some() && !binding.keys.is_empty())
        .filter(|binding| binding.action != Action::Right || model.dialog.as_ref().is_none_or(Dialog::has_choice))
        .map(|binding| (binding, availability(model, context, binding.action).is_ok()))
        // A hint without command only takes room from the others.
        .filter(|(binding, is_usable)| {
            *is_usable || !matches!(binding.action, Action::Undo | Action::Redo | Action::Rollback | Action::Apply)
        })
        .filter(|(binding, _)| is_of_use(model, binding.action))
        .collect()
}

/// Text was pasted: it goes into a text or nowhere, never to the keys.
pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Command> {
    take_paste(model, text).unwrap_or_else(|error| vec![Command::error(error.to_string())])
}

fn take_paste(model: &mut Model, text: &str) -> Result<Vec<Command>, TooLong> {
    if model.dialog.is_some() || model.is_too_small() {
        return Ok(Vec::new());
    }
    if let Some(menu) = &mut model.menu {
        menu.paste(text)?;
        return Ok(Vec::new());
    }
    if let Some(prompt) = &mut model.prompt {
        prompt.paste(text)?;
        return Ok(Vec::new());
    }
    if let Some(file) = &mut model.file {
        let outcome = file.paste(text)?;
        return Ok(file_outcome(model, outcome));
    }
    if let Some(Screen::Form(form)) = model.screens.last_mut() {
        form.paste(text)?;
        return Ok(Vec::new());
    }
    Ok(match model.rows() {
        Some(rows) if rows.typing => rows.paste_filter(text)?.map(Command::Read).into_iter().collect(),
        _ => {
            let key = model.setup.ui.keys.key_of(model.context(), Action::Filter);
            vec![Command::info(format!("Text cannot be pasted here; {key} opens the filter"))]
        }
    })
}
