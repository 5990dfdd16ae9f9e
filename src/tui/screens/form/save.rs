//! Saving: validation, confirmation, and concurrent changes.

use super::Form;
use super::Purpose;
use crate::domain::diff::changes;
use crate::domain::{Connector, SecretEdits, SecretsState};
use crate::tui::command::Command;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::overlays::{Dialog, Tone, change_lines};
use crate::tui::screens::ScreenMessage;
use crate::tui::widgets::connector_details;
use crate::worker::{FileJob, Record};

pub(super) fn close(state: &Form) -> Vec<Command> {
    if !state.is_dirty() {
        return vec![Command::Back];
    }
    vec![Command::dialog(
        Dialog::new("Unsaved changes", "Keep editing")
            .line("Discard changes?")
            .destructive_choice("Discard", vec![Command::Back]),
    )]
}

/// Validates all fields; the first invalid one is focused. A stored problem that was not touched does not prevent a
/// save.
pub(super) fn save(state: &mut Form) -> Vec<Command> {
    let places = state.shown_places();
    let are_entered = state.secrets_are_entered();
    for &at in &places {
        let problem = state.fields[at].check(state.keys).err();
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
        return vec![Command::error(format!("{}: {reason}", field.label))];
    }
    let (draft, edits) = match (state.draft(), state.secret_edits()) {
        (Ok(draft), Ok(edits)) => (draft, edits),
        (Err(reason), _) | (_, Err(reason)) => return vec![Command::error(reason)],
    };
    if state.purpose == Purpose::Edit && !state.is_dirty() {
        return vec![Command::info("Nothing has changed")];
    }
    vec![Command::dialog(confirm(state, draft, edits))]
}

fn confirm(state: &Form, draft: Connector, edits: SecretEdits) -> Dialog {
    let mut found = state.secret_changes(&edits);
    found.extend(changes(&state.base, &draft));
    let title = match state.purpose {
        Purpose::Edit => "Save these changes?",
        Purpose::Create => "Create this connector?",
    };
    let mut dialog = Dialog::new(title, "Keep editing");
    if state.purpose == Purpose::Create {
        dialog = dialog
            .line(format!(
                "{} of type {}",
                draft.name,
                connector_details::type_text(&draft.connector_type_id, state.catalogue)
            ))
            .line(format!("auth mode {}", draft.effective_auth_mode()));
    }
    // Unexpected commands come first, visible without scrolling.
    for note in notes(state, &draft, &edits) {
        dialog = dialog.line(note);
    }
    if state.purpose == Purpose::Edit {
        dialog = dialog.lines(change_lines(&found));
    }
    let connector = Box::new(draft);
    let (verb, job) = match state.purpose {
        Purpose::Edit => ("Save", FileJob::Save { connector, secrets: edits }),
        Purpose::Create => {
            ("Create", FileJob::Create { connector, secrets: edits, duplicate_of: state.duplicate_of.clone() })
        }
    };
    dialog.choice(verb, vec![Command::write(job, "saving")])
}

/// Returns notes about the command on the secrets, where it is not obvious.
fn notes(state: &Form, draft: &Connector, edits: &SecretEdits) -> Vec<String> {
    let is_set = matches!(state.secrets, SecretsState::Set { .. });
    let is_unreadable = matches!(state.secrets, SecretsState::Unreadable(_));
    let is_create = state.purpose == Purpose::Create;
    let mut notes = Vec::new();
    if is_create && !edits.is_empty() {
        notes.push("Its secrets are encrypted.".to_owned());
    } else if is_create && is_set && state.duplicate_of.is_some() {
        notes.push("Its secrets are copied from the original.".to_owned());
    } else if is_create && is_unreadable {
        notes.push("The secrets of the original cannot be decrypted, so the duplicate is missing them.".to_owned());
    } else if is_create && draft.is_missing_secrets {
        notes.push("Secrets will be missing.".to_owned());
    }
    if !is_create && is_unreadable && edits.is_empty() && draft.config != state.base.config {
        notes.push(
            "Its secrets cannot be decrypted now. With another config they cannot be decrypted even with the key; \
             they stay in the file, and undo restores the old config."
                .to_owned(),
        );
    }
    let missed = state.missed_secrets();
    if !is_create && !is_unreadable && !missed.is_empty() {
        notes.push(format!("Secrets will be missing: {}.", missed.join(", ")));
    }
    if is_unreadable && !edits.is_empty() {
        notes.push("The secrets entered take the place of all those that cannot be decrypted.".to_owned());
    }
    notes
}

/// Someone else saved the record first: both sides, and the ways on.
pub(super) fn conflict(state: &Form, theirs: &Record) -> Dialog {
    let mine = state.draft().unwrap_or_else(|_| state.base.clone());
    Dialog::new("Changed by someone else", "Keep editing")
        .line("This connector was changed in the file since you opened it. Nothing has been saved.")
        .lines([(Tone::Head, "Their changes:".to_owned())])
        .lines(change_lines(&changes(&state.base, &theirs.connector)))
        .lines([(Tone::Head, "Your changes:".to_owned())])
        .lines(change_lines(&changes(&state.base, &mine)))
        .destructive_choice(
            "Discard my changes",
            vec![Command::Send(ScreenMessage::ReplaceBase(Box::new(theirs.clone()), false))],
        )
        .choice(
            "Apply my changes to it",
            vec![
                Command::Send(ScreenMessage::ReplaceBase(Box::new(theirs.clone()), true)),
                Command::info(format!(
                    "Your changes are on top of the stored version; {} saves",
                    state.keys.key_of(KeyContext::Form, Action::Save)
                )),
            ],
        )
}

/// Handles a record that someone else deleted: it can be saved as a new one.
pub(super) fn gone(state: &Form) -> Dialog {
    let mut dialog = Dialog::new("Deleted by someone else", "Keep editing")
        .line("This connector was deleted from the file since you opened it. Nothing has been saved.");
    let had_secrets = matches!(state.secrets, SecretsState::Set { .. } | SecretsState::Unreadable(_));
    if had_secrets {
        dialog = dialog.line("Its stored secrets were deleted with it: only those entered in this form are saved.");
    }
    match state.draft() {
        Ok(connector) => {
            let secrets = state.secret_edits().unwrap_or_default();
            let job = FileJob::Create { connector: Box::new(connector), secrets, duplicate_of: None };
            dialog.choice("Create it again", vec![Command::write(job, "saving")])
        }
        Err(_) => dialog,
    }
}
