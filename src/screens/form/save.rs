//! Saving: what is checked, what is asked, and what happens when someone else was faster.

use super::Purpose;
use super::State;
use crate::domain::change::changes;
use crate::domain::{Connector, SecretEdits, SecretsState};
use crate::screens::dialog::{Dialog, Tone, change_lines};
use crate::screens::effect::{Effect, Go};
use crate::screens::record;
use crate::worker::protocol::{Job, Record};

pub(super) fn close(state: &State) -> Vec<Effect> {
    if !state.is_dirty() {
        return vec![Effect::Go(Go::Back)];
    }
    vec![Effect::Ask(Box::new(
        Dialog::new("Unsaved changes", "Keep editing")
            .line("Drop what you changed in this form?")
            .choice("Drop the changes", vec![Effect::Go(Go::Back)]),
    ))]
}

/// Checks everything; the first field that is wrong gets the focus. What was wrong in the file already
/// and was not touched does not stand in the way of another edit.
pub(super) fn save(state: &mut State) -> Vec<Effect> {
    let places = state.shown_places();
    let are_entered = state.secrets_are_entered();
    for &at in &places {
        let problem = state.fields[at].check().err();
        let is_missed = are_entered && state.is_missed(&state.fields[at]);
        state.fields[at].problem = problem.or_else(|| is_missed.then(|| "a value is needed".to_owned()));
    }
    let is_wrong = |at: &usize| {
        let field = &state.fields[*at];
        field.problem.is_some() && (state.purpose == Purpose::Create || field.is_changed() || !field.had_problem)
    };
    if let Some(at) = places.into_iter().find(is_wrong) {
        state.focus = at;
        let field = &state.fields[at];
        let reason = field.problem.clone().unwrap_or_default();
        return vec![Effect::error(format!("{}: {reason}", field.label))];
    }
    let (draft, edits) = match (state.draft(), state.secret_edits()) {
        (Ok(draft), Ok(edits)) => (draft, edits),
        (Err(reason), _) | (_, Err(reason)) => return vec![Effect::error(reason)],
    };
    if state.purpose == Purpose::Edit && !state.is_dirty() {
        return vec![Effect::info("nothing has changed")];
    }
    vec![Effect::Ask(Box::new(confirm(state, draft, edits)))]
}

fn confirm(state: &State, draft: Connector, edits: SecretEdits) -> Dialog {
    let mut found = state.secret_changes(&edits);
    found.extend(changes(&state.base, &draft));
    let title = match state.purpose {
        Purpose::Edit => "Save these changes?",
        Purpose::Create => "Create this connector?",
    };
    let mut dialog = Dialog::new(title, "Keep editing");
    if state.purpose == Purpose::Create {
        dialog = dialog
            .line(format!("{} of type {}", draft.name, record::type_text(&draft.connector_type_id)))
            .line(format!("auth mode {}", draft.effective_auth_mode()));
    }
    // What a person may not expect stands first, where it is seen without scrolling.
    for remark in remarks(state, &draft, &edits) {
        dialog = dialog.line(remark);
    }
    if state.purpose == Purpose::Edit {
        dialog = dialog.lines(change_lines(&found));
    }
    let connector = Box::new(draft);
    let (verb, job) = match state.purpose {
        Purpose::Edit => ("Save", Job::Save { connector, secrets: edits }),
        Purpose::Create => ("Create", Job::Create { connector, secrets: edits, copy_of: state.copy_of.clone() }),
    };
    dialog.choice(verb, vec![Effect::Write(job, "saving")]).default_to_last()
}

/// What saving means for the secrets, where that is not plain.
fn remarks(state: &State, draft: &Connector, edits: &SecretEdits) -> Vec<String> {
    let is_set = matches!(state.secrets, SecretsState::Set { .. });
    let is_unreadable = matches!(state.secrets, SecretsState::Unreadable(_));
    let is_create = state.purpose == Purpose::Create;
    let mut remarks = Vec::new();
    if is_create && !edits.is_empty() {
        remarks.push("Its secrets are sealed.".to_owned());
    } else if is_create && is_set && state.copy_of.is_some() {
        remarks.push("Its secrets are copied from the original.".to_owned());
    } else if is_create && is_unreadable {
        remarks.push("The secrets of the original cannot be opened, so the copy is marked as missing them.".to_owned());
    } else if is_create && draft.is_missing_secrets {
        remarks.push("It needs secrets, which are marked as missing.".to_owned());
    }
    if !is_create && is_unreadable && edits.is_empty() && draft.config != state.base.config {
        remarks.push(
            "Its secrets cannot be opened now. With another config they will not open even if the key comes back; \
             they stay in the file, and undo brings the old config back."
                .to_owned(),
        );
    }
    let missed = state.missed_secrets();
    if !is_create && !is_unreadable && !missed.is_empty() {
        remarks.push(format!("It needs secrets that are missing then: {}.", missed.join(", ")));
    }
    if is_unreadable && !edits.is_empty() {
        remarks.push("The secrets entered take the place of all those that cannot be opened.".to_owned());
    }
    remarks
}

/// Someone else saved the record first: both sides, and the ways on.
pub fn conflict(state: &State, theirs: &Record) -> Dialog {
    let mine = state.draft().unwrap_or_else(|_| state.base.clone());
    Dialog::new("Changed by someone else", "Keep editing")
        .line("This connector was changed in the file since you opened it. Nothing has been saved.")
        .lines([(Tone::Head, "their changes:".to_owned())])
        .lines(change_lines(&changes(&state.base, &theirs.connector)))
        .lines([(Tone::Head, "your changes:".to_owned())])
        .lines(change_lines(&changes(&state.base, &mine)))
        .choice("Take theirs, drop mine", vec![Effect::Rebase(Box::new(theirs.clone()), false)])
        .choice("Take theirs, put mine on top", vec![Effect::Rebase(Box::new(theirs.clone()), true)])
}

/// Someone else deleted the record: what was typed can be kept as a new one.
pub fn gone(state: &State) -> Dialog {
    let dialog = Dialog::new("Deleted by someone else", "Keep editing")
        .line("This connector was deleted from the file since you opened it. Nothing has been saved.");
    match state.draft() {
        Ok(connector) => {
            let secrets = state.secret_edits().unwrap_or_default();
            let job = Job::Create { connector: Box::new(connector), secrets, copy_of: None };
            dialog.choice("Create it anew", vec![Effect::Write(job, "saving")])
        }
        Err(_) => dialog,
    }
}
