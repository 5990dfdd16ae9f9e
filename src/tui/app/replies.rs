//! Replies of the worker threads.

use super::model::{AwaitedForm, Model, Screen};
use super::outcomes;
use crate::domain::Connector;
use crate::domain::diff::changes;
use crate::messages;
use crate::store::{Backup, HistoryEntry, RecordChange, Restored, Scope};
use crate::tui::keymap::{Action, KeyContext, KeyMap};
use crate::tui::overlays::dialog::{Tone, change_lines};
use crate::tui::overlays::file_picker;
use crate::tui::screens::command::connectors as count_of;
use crate::tui::screens::{Command, Dialog, OpenTarget, Route, connectors, form, overview, review};
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::paged_list::PagedList;
use crate::worker::{FileJob, Opened, Query, Record, Reply};

/// Handles a reply.
pub(super) fn update(model: &mut Model, reply: Reply) -> Vec<Command> {
    match reply {
        Reply::Upgrading(stage) => model.upgrade_stage = Some(stage),
        Reply::Opened(opened) => return opened_file(model, *opened),
        Reply::KeyWarning(warning) => return vec![Command::warning(messages::keys::warning(&warning))],
        Reply::OpenFailed(reason) => {
            model.fatal = Some(reason);
            return vec![Command::Quit];
        }
        Reply::Died => {
            model.fatal =
                Some("a part of the program failed; the file is safe, changes reported as done are kept".to_owned());
            return vec![Command::Quit];
        }
        Reply::Displaced { reason, is_replaced } => return displaced(model, reason, is_replaced),
        Reply::Listed { scope, generation, total, cursor, start, rows } => {
            let keys = model.setup.ui.keys;
            let Some(list) = list(model, scope) else { return Vec::new() };
            list.listed(generation, total, cursor, start, rows);
            return filter_hides(list, keys);
        }
        Reply::Rows { scope, generation, start, rows } => {
            if let Some(list) = list(model, scope) {
                list.windowed(generation, start, rows);
            }
        }
        Reply::Counted { scope, generation, total } => {
            if let Some(list) = list(model, scope) {
                return list.counted(generation, total).into_iter().map(Command::Read).collect();
            }
        }
        Reply::Ids { scope, ids } => {
            if let Some(list) = list(model, scope) {
                list.ranged(ids);
            }
        }
        Reply::Steps(steps) => steps_came(model, &steps),
        Reply::Change { step, id, change } => change_came(model, step, &id, change.as_deref()),
        Reply::Folder(folder, entries) => {
            if let Some(file) = &mut model.file {
                file.listed(&folder, entries);
            }
        }
        Reply::Compared(None) => return vec![Command::info("One of the two does not exist any more")],
        Reply::Compared(Some(sides)) => return vec![Command::OpenDialog(Box::new(comparison(&sides)))],
        Reply::Statistics(statistics) => {
            for screen in &mut model.screens {
                if let Screen::Overview(state) = screen {
                    state.statistics = Some(statistics.clone());
                }
            }
        }
        Reply::Backups(found) => backups_loaded(model, &found),
        Reply::Synced(view) => {
            for screen in &mut model.screens {
                if let Screen::Sync(state) = screen {
                    state.take(view.clone());
                }
            }
        }
        Reply::Phase(title) => {
            if let Some(job) = &mut model.job {
                (job.title, job.done, job.total, job.started) = (title, 0, 0, model.now);
            }
        }
        Reply::Record { id, record } => {
            return record_came(model, &id, record.map(|record| *record));
        }
        Reply::NextMissing { id, total } => return next_missing(model, id, total),
        Reply::Overview(overview) => return overview_came(model, *overview),
        Reply::ChangedOnDisk => {
            // Our own jobs reload when they end; this is about other programs.
            if model.job.is_none() {
                return reload(model);
            }
        }
        Reply::Progress { done, total } => {
            if let Some(job) = &mut model.job {
                (job.done, job.total, job.is_waiting) = (done, total, false);
            }
        }
        Reply::Waiting => {
            if let Some(job) = &mut model.job {
                job.is_waiting = true;
            }
        }
        Reply::Done(_) | Reply::Failed(_) if model.quits_after_job => return vec![Command::Quit],
        Reply::Done(done) => {
            job_ended(model);
            let mut commands = outcomes::job_done(model, done);
            commands.extend(reload(model));
            return commands;
        }
        Reply::OlderSchema(schema) => return older_schema(model, schema),
        Reply::ReadFailed(reason) => return read_failed(model, reason),
        Reply::Failed(reason) => {
            job_ended(model);
            // A reason can be long, and none of it may be lost at the edge of the footer.
            let dialog = Dialog::new("The action failed", "OK").line(reason);
            let dialog = if model.is_displaced { with_rescue(dialog) } else { dialog };
            let mut commands = vec![Command::OpenDialog(Box::new(dialog))];
            commands.extend(reload(model));
            return commands;
        }
    }
    Vec::new()
}

/// A question about the job has no answer any more.
fn job_ended(model: &mut Model) {
    model.job = None;
    // A push changes the history of a record and not its revision.
    model.preview_of = None;
    model.dialog.take_if(|dialog| dialog.closes_with_job());
}

/// Two connectors, or two states of one, field by field.
fn comparison([(left, one), (right, other)]: &[(String, Connector); 2]) -> Dialog {
    let lines = change_lines(&changes(one, other));
    let dialog = Dialog::new("Compare", "OK")
        .lines([(Tone::Minus, format!("- {left} ({})", one.id)), (Tone::Plus, format!("+ {right} ({})", other.id))]);
    if lines.is_empty() { dialog.line("They do not differ.") } else { dialog.lines(lines) }
}

/// The list that an answer is for; none when its screen has been left.
fn list(model: &mut Model, scope: Scope) -> Option<&mut PagedList> {
    match scope {
        Scope::Connectors => Some(&mut model.connectors),
        Scope::Review => Some(&mut model.review.rows),
        Scope::Step(step) => model.screens.iter_mut().find_map(|screen| match screen {
            Screen::HistoryEntry(state) if state.step == step => Some(&mut state.rows),
            _ => None,
        }),
    }
}

fn steps_came(model: &mut Model, steps: &[HistoryEntry]) {
    for screen in &mut model.screens {
        match screen {
            Screen::History(history) => history.take(steps),
            Screen::Overview(overview) => overview.steps = steps.to_vec(),
            _ => {}
        }
    }
}

fn backups_loaded(model: &mut Model, found: &[Backup]) {
    for screen in &mut model.screens {
        if let Screen::Backups(backups) = screen {
            backups.backups = Some(found.to_vec());
        }
    }
}

fn change_came(model: &mut Model, step: i64, id: &str, change: Option<&RecordChange>) {
    for screen in &mut model.screens {
        if let Screen::HistoryEntry(state) = screen
            && state.step == step
            && state.rows.current().is_some_and(|row| row.id == id)
        {
            state.change = change.cloned();
        }
    }
}

/// Reports that the file is no longer at its path. The open content stays on the screen and can be saved elsewhere.
fn displaced(model: &mut Model, reason: String, is_replaced: bool) -> Vec<Command> {
    model.is_displaced = true;
    let title = if is_replaced { "Another file is in its place" } else { "The file does not exist any more" };
    let mut dialog = Dialog::new(title, "Look around")
        .line(reason)
        .line("What the program has open can still be written to a new file, with its history and secrets.");
    if is_replaced {
        dialog = dialog.choice(
            "Open the file that is there now",
            vec![Command::OpenFile(OpenTarget::File(model.setup.path.clone()))],
        );
    }
    vec![Command::OpenDialog(Box::new(with_rescue(dialog)))]
}

fn with_rescue(dialog: Dialog) -> Dialog {
    dialog.choice("Save to a new file", vec![Command::Route(Route::File(file_picker::Purpose::SaveAs))])
}

/// Not repeated automatically, which could fail endlessly.
fn read_failed(model: &mut Model, reason: String) -> Vec<Command> {
    give_up(model);
    let dialog = Dialog::new("The file cannot be read", "OK").line(reason).line(format!(
        "{} reads it again; Ctrl-c quits.",
        model.setup.ui.keys.key_of(model.context_below(), Action::Refresh)
    ));
    vec![Command::OpenDialog(Box::new(dialog))]
}

fn give_up(model: &mut Model) {
    model.connectors.give_up();
    model.review.rows.give_up();
    // A screen that waits for its first answer would wait endlessly.
    while matches!(model.screens.last(), Some(Screen::History(_) | Screen::HistoryEntry(_) | Screen::Backups(_))) {
        model.screens.pop();
    }
    model.pending.form = None;
    model.pending.next_missing = false;
    model.pending.keys.clear();
}

/// The file is another one now; only opening it again helps.
fn older_schema(model: &mut Model, schema: i64) -> Vec<Command> {
    give_up(model);
    let dialog = Dialog::new("The file was replaced", "Later")
        .line(format!("Another program replaced this file with one of schema {schema}; the screen shows the old one."))
        .line("Opening it again upgrades its schema, after a backup.")
        .choice("Open it again", vec![Command::Reopen(None)])
        .default_to_last();
    vec![Command::OpenDialog(Box::new(dialog))]
}

/// The record that was to be gone to is not in the list.
fn filter_hides(list: &mut PagedList, keys: KeyMap) -> Vec<Command> {
    if list.missed_destination() && list.is_filtered() {
        let key = keys.key_of(list.context(), Action::Back);
        return vec![Command::success(format!("Done; the filter hides the connector, {key} clears the filter"))];
    }
    Vec::new()
}

fn opened_file(model: &mut Model, opened: Opened) -> Vec<Command> {
    model.review.upgraded = opened.upgraded.clone();
    model.upgrade_stage = None;
    model.is_displaced = false;
    let overview = opened.overview.clone();
    model.opened = Some(opened);
    let body = model.body();
    model.connectors.resize(connectors::height(body));
    model.connectors.columns = model.setup.ui_state.columns.clone();
    let mut commands = vec![Command::Read(first_list(model))];
    if std::mem::take(&mut model.pending.import) {
        commands.push(Command::Route(Route::File(file_picker::Purpose::Import)));
    }
    if let Some(warning) = key_warning(model) {
        commands.push(warning);
    }
    if let Some(outcome) = model.opened.as_ref().and_then(|opened| opened.restored.clone()) {
        model.pending.restore = false;
        commands.push(restored(outcome));
    }
    match overview {
        Some(overview) => {
            model.overview = overview;
            commands.extend(first_counts(model));
        }
        None => {
            model.pending.counts = true;
            commands.push(Command::Read(Query::Overview));
        }
    }
    commands
}

/// The list as it was shown when the file was open last.
fn first_list(model: &mut Model) -> Query {
    let known = model.setup.ui_state.of(&model.setup.path).cloned().filter(|_| !model.setup.is_demo);
    if let Some(known) = known {
        model.connectors.sort = known.sort();
        model.connectors.filter_text = TextInput::new(&known.filter);
        if let Some(request) = model.connectors.apply_filter() {
            return request;
        }
        // A filter that this release does not accept is dropped.
        model.connectors.filter_text = TextInput::default();
        model.connectors.filter_error = None;
    }
    model.connectors.reload()
}

/// Returns the commands of the first counts of an opened file.
fn first_counts(model: &Model) -> Vec<Command> {
    let opened = model.opened.as_ref();
    if opened.is_some_and(|opened| opened.restored.is_some()) {
        return Vec::new();
    }
    let was_upgraded = opened.is_some_and(|opened| opened.upgraded.is_some());
    let plan = &model.overview.plan;
    if model.setup.apply_migration && plan.to_apply() > 0 {
        return vec![Command::Route(Route::Review), Command::write(FileJob::Apply, "migrating")];
    }
    if was_upgraded && plan.pending() > 0 {
        return vec![Command::Route(Route::Review)];
    }
    if let Some(run) = &model.overview.interrupted_run {
        let text = "a migration run was interrupted after";
        let done = count_of(run.records);
        let review = model.setup.ui.keys.key_of(KeyContext::Connectors, Action::Review);
        let (apply, undo) = (
            model.setup.ui.keys.key_of(KeyContext::Review, Action::Apply),
            model.setup.ui.keys.key_of(KeyContext::Review, Action::Rollback),
        );
        return vec![Command::warning(format!(
            "{text} {done}: {review} reviews it, {apply} resumes it, {undo} to undo"
        ))];
    }
    match plan.pending() {
        0 => Vec::new(),
        pending => {
            let key = model.setup.ui.keys.key_of(KeyContext::Connectors, Action::Review);
            vec![Command::info(format!("{} to migrate: {key} reviews that", count_of(pending)))]
        }
    }
}

/// Reports the result of a restore.
fn restored(outcome: Result<Restored, String>) -> Command {
    let name = |path: &std::path::Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let dialog = match outcome {
        Ok(restored) => {
            let kept = restored.kept.as_deref().map(name).unwrap_or_default();
            Dialog::new("The backup is restored", "OK")
                .line(format!(
                    "{} holds what it held in {}: {}.",
                    "The file",
                    name(&restored.from),
                    count_of(restored.records)
                ))
                .line(format!("What it was before is kept as {kept}."))
        }
        Err(reason) => Dialog::new("The backup was not restored", "OK").line(reason).line("The file is as it was."),
    };
    Command::OpenDialog(Box::new(dialog))
}

fn key_warning(model: &Model) -> Option<Command> {
    let warnings = &model.opened.as_ref()?.key_warnings;
    let dialog = Dialog::new("About the keys", "OK")
        .lines(warnings.iter().map(|warning| (Tone::Plain, messages::keys::warning(warning))));
    (!warnings.is_empty()).then(|| Command::OpenDialog(Box::new(dialog)))
}

/// Reloads the contents of the screens.
pub(super) fn reload(model: &mut Model) -> Vec<Command> {
    if model.opened.is_none() {
        return Vec::new();
    }
    let mut commands = vec![Command::Read(model.connectors.reload()), Command::Read(Query::Overview)];
    for screen in model.screens.iter_mut().rev() {
        match screen {
            Screen::History(_) => commands.push(Command::Read(Query::Steps)),
            Screen::HistoryEntry(step) => commands.push(Command::Read(step.read_again())),
            Screen::Overview(_) => commands.extend(overview::requests().map(Command::Read)),
            Screen::Backups(_) => commands.push(Command::Read(Query::Backups)),
            Screen::Sync(state) => commands.push(Command::Read(state.request())),
            Screen::Review => commands.push(Command::Read(model.review.rows.reload())),
            Screen::Detail(detail) => {
                commands.push(Command::Read(Query::Record { id: detail.id.clone(), is_preview: false }));
            }
            _ => {}
        }
    }
    commands
}

fn record_came(model: &mut Model, id: &str, record: Option<Record>) -> Vec<Command> {
    if let Some((wanted, form)) = model.pending.form.take() {
        if wanted == id {
            return open_form(model, form, record);
        }
        model.pending.form = Some((wanted, form));
    }
    for screen in &mut model.screens {
        if let Screen::Detail(detail) = screen
            && detail.id == id
        {
            detail.gone = record.is_none();
            detail.record = record.clone();
        }
    }
    if model.preview_of.as_ref().is_some_and(|(wanted, _)| wanted == id) {
        model.preview = record;
    }
    Vec::new()
}

fn open_form(model: &mut Model, awaited: AwaitedForm, record: Option<Record>) -> Vec<Command> {
    let Some(record) = record else {
        return vec![Command::warning("This connector has been deleted")];
    };
    if record.connector.is_newer_than_known() {
        return vec![Command::warning(
            "Written by a newer Kibana than this program knows: it can be viewed, not edited",
        )];
    }
    let form = match awaited {
        AwaitedForm::Edit => form::State::edit(record, model.setup.ui),
        AwaitedForm::Fill => {
            model.filled = Some((record.connector.name.clone(), record.connector.id.clone()));
            let mut form = form::State::edit(record, model.setup.ui);
            form.go_to_secrets();
            form
        }
        AwaitedForm::Duplicate => {
            let connector = form::duplicate_of(&record.connector, &(model.setup.new_id)());
            let duplicate = Record::new(connector, record.secrets);
            form::State::create(duplicate, Some(record.connector.id), model.setup.ui)
        }
    };
    let shows_auth_type = awaited == AwaitedForm::Fill && form.shows_auth_type();
    model.screens.push(Screen::Form(Box::new(form)));
    if shows_auth_type {
        let (next, previous) = (
            model.setup.ui.keys.key_of(KeyContext::Form, Action::Right),
            model.setup.ui.keys.key_of(KeyContext::Form, Action::Left),
        );
        let text = format!("choose the auth type first ({next}, {previous}); its secrets follow");
        return vec![Command::info(text)];
    }
    Vec::new()
}

/// Returns where the search for the next missing secrets begins: after the last one filled in, if the cursor is still
/// there; at the current row, if it is missing secrets; else after it.
pub(super) fn fill_after(model: &Model) -> Option<(String, String)> {
    let (name, id, is_missing) = match model.screen() {
        Screen::Detail(detail) => {
            let connector = &detail.record.as_ref()?.connector;
            (connector.name.clone(), connector.id.clone(), connector.is_missing_secrets)
        }
        _ => {
            let row = model.connectors.current()?;
            (row.name.clone(), row.id.clone(), row.is_missing_secrets)
        }
    };
    let was_filled = model.filled.as_ref().is_some_and(|(_, filled)| *filled == id);
    // An id is never empty, so this is just before the selected one.
    let id = if is_missing && !was_filled { String::new() } else { id };
    Some((name, id))
}

fn next_missing(model: &mut Model, id: Option<String>, total: u64) -> Vec<Command> {
    model.pending.next_missing = false;
    let Some(id) = id else {
        return vec![Command::info("No connector is missing secrets")];
    };
    if matches!(model.screen(), Screen::Detail(_)) {
        model.screens.pop();
    }
    model.connectors.go_to(&id);
    let save = model.setup.ui.keys.key_of(KeyContext::Form, Action::Save);
    let text = format!("{} without secrets; enter this one's, {save} saves", count_of(total));
    vec![Command::Read(model.connectors.reload()), Command::Route(Route::Fill(id)), Command::info(text)]
}

/// Handles the counts; the result of a run is reported with them.
fn overview_came(model: &mut Model, overview: crate::worker::Overview) -> Vec<Command> {
    model.overview = overview;
    if std::mem::take(&mut model.pending.counts) {
        return first_counts(model);
    }
    match model.pending.result.take() {
        Some(applied) => {
            vec![Command::OpenDialog(Box::new(review::result(&applied, &model.overview.plan, model.setup.ui.keys)))]
        }
        None => Vec::new(),
    }
}
