//! Differences from a remote, pushes and pulls in words.

use crate::domain::Remote;
use crate::domain::remote::{ApiCall, BlockReason, LostSecrets, Manager, PushNote, ResultingMode, SyncStatus};
use crate::service::remote::{Entry, SkipReason, Unresolvable};

/// How the user permits what a push does not do by itself: flags on the command line, keys in the UI.
#[derive(Clone, Debug)]
pub struct Permits {
    /// Permits deletes in Kibana.
    pub delete: String,
    /// Permits the loss of secrets.
    pub loss: String,
}

impl Permits {
    /// Returns the flags of the command line.
    pub fn flags() -> Self {
        Self { delete: "--delete".to_owned(), loss: "--allow-secret-loss".to_owned() }
    }
}

/// Returns notes about the push, or why it is blocked, line by line.
pub fn explained(entry: &Entry, permits: &Permits) -> Vec<String> {
    match &entry.status {
        SyncStatus::ToPush { calls, mode, notes, .. } => {
            let calls: Vec<&str> = calls.iter().map(|call| call.as_str()).collect();
            let carrier = carrier(entry).unwrap_or_default();
            let mode = match mode {
                ResultingMode::AsLocal(mode) => format!("; auth mode in Kibana afterwards: {mode}, by {carrier}"),
                ResultingMode::Unknown => format!("; the auth mode is carried by {carrier}"),
                ResultingMode::Deleted => String::new(),
            };
            let first = format!("{}{mode}", calls.join(" then "));
            std::iter::once(first).chain(notes.iter().map(push_note)).collect()
        }
        SyncStatus::Blocked(reason) => vec![block_reason(reason, permits)],
        SyncStatus::ReadOnly(_) => vec!["Kibana manages it: it cannot be changed, so it is not in the file".to_owned()],
        SyncStatus::Conflict if !entry.is_remote => vec!["changed locally, deleted in Kibana".to_owned()],
        SyncStatus::Conflict if !entry.is_local => vec!["deleted locally, changed in Kibana".to_owned()],
        SyncStatus::InSync | SyncStatus::Conflict | SyncStatus::ToPull => Vec::new(),
    }
}

/// Names the request that sets the auth mode in Kibana; `None` if nothing is sent.
pub fn carrier(entry: &Entry) -> Option<&'static str> {
    let SyncStatus::ToPush { calls, mode, .. } = &entry.status else { return None };
    Some(match (mode, calls.as_slice()) {
        (ResultingMode::Unknown, _) => "nothing: this Kibana does not know auth modes",
        (ResultingMode::Deleted, _) => "nothing: the connector is deleted",
        (_, [ApiCall::Import, ..]) => "the saved-object import",
        (_, [ApiCall::Create, ..]) => "the create, which infers it from the auth type",
        _ => "the update, which keeps the one that Kibana has",
    })
}

/// Describes the change in a word or two for a list.
pub fn summary(entry: &Entry) -> String {
    match &entry.status {
        SyncStatus::ReadOnly(manager) => manager_text(*manager).to_owned(),
        _ => entry.change(),
    }
}

/// Describes who manages a connector.
pub fn manager_text(manager: Manager) -> &'static str {
    match manager {
        Manager::Kibana => "a system connector",
        Manager::Configuration => "preconfigured in kibana.yml",
    }
}

/// Explains why a push cannot send a connector.
pub fn block_reason(reason: &BlockReason, permits: &Permits) -> String {
    match reason {
        BlockReason::ConfigTooDeep => {
            "its config in Kibana is nested deeper than 100 levels, which this file cannot hold".to_owned()
        }
        BlockReason::Managed(manager) => {
            format!("Kibana has a connector of this id that is {}; it cannot be changed", manager_text(*manager))
        }
        BlockReason::IdNotInUrl { is_deleted: true } => {
            "its id cannot be part of a URL of Kibana's API; delete it in Kibana".to_owned()
        }
        BlockReason::IdNotInUrl { is_deleted: false } => "its id cannot be part of a URL of Kibana's API".to_owned(),
        BlockReason::DeleteNotPermitted => {
            format!("it was deleted in the file; a push deletes in Kibana only with {}", permits.delete)
        }
        BlockReason::ChangedInKibana => "Kibana has newer changes of it; pull them, then it can be pushed".to_owned(),
        BlockReason::TypeChanged => {
            "Kibana cannot change the type of a connector; delete it and create another one".to_owned()
        }
        BlockReason::ModeSupportUnknown(inferred) => format!(
            "a create would make it {inferred} if this Kibana knows auth modes, and its version is not known; give it \
             with `remote add NAME URL --replace --kibana-version V`"
        ),
        BlockReason::NewerModelVersion(version) => {
            format!("it belongs to model version {version}, which this program does not know")
        }
        BlockReason::AuthTypeOfPerUser => "Kibana refuses another auth type for a per-user connector".to_owned(),
        BlockReason::AuthTypeSetByKibana(auth_type) => {
            format!("the auth type {auth_type} is set by Kibana and cannot be sent")
        }
        BlockReason::NoUpdateOfShared { auth_type, is_after_import: true } => format!(
            "Kibana refuses every update of a shared connector with the auth type {auth_type}: after the import, which \
             removes the secrets, none could be entered. Make it per-user, or choose another auth type"
        ),
        BlockReason::NoUpdateOfShared { auth_type, is_after_import: false } => format!(
            "Kibana refuses every update of a shared connector with the auth type {auth_type}; make it per-user too"
        ),
        BlockReason::IdRemovedOnImport => {
            "only a saved-object import sets the auth mode, and Kibana removes a connector \
            on import whose id is not 1 to 36 lower-case letters, digits and hyphens; other changes of it can be pushed"
                .to_owned()
        }
        BlockReason::IdNotAccepted => "this Kibana creates connectors only with ids of 1 to 36 lower-case letters, \
            digits and hyphens; give it another id (export it, and import it with --create-new-copies)"
            .to_owned(),
        BlockReason::SystemType => "Kibana creates system connectors itself".to_owned(),
        BlockReason::InvalidConfig(problem) => format!("{problem}; repair it first"),
        BlockReason::NotUtf8(column) => format!("its {column} is not UTF-8; repair it first"),
        BlockReason::InvalidValue { field, problem } => {
            format!("Kibana would refuse its {field}: {problem}; repair it first")
        }
        _ => secrets_reason(reason, permits),
    }
}

/// The reasons that concern secrets.
fn secrets_reason(reason: &BlockReason, permits: &Permits) -> String {
    match reason {
        BlockReason::ImportLosesSecrets(lost) => format!(
            "only a saved-object import sets the auth mode, and it removes the secrets; {} (or allow the loss: {})",
            lost_secrets(*lost),
            permits.loss
        ),
        BlockReason::UpdateLosesSecrets(lost) => {
            format!("an update replaces the secrets; {} (or allow the loss: {})", lost_secrets(*lost), permits.loss)
        }
        BlockReason::UpdateNeedsSecrets(lost) => {
            format!("{}; Kibana refuses an update without them", lost_secrets(*lost))
        }
        BlockReason::SecretsIncomplete(missing) => {
            let missing = if missing.is_empty() { String::new() } else { format!(" ({})", missing.join(", ")) };
            format!(
                "the secrets in the file are not complete{missing}, so Kibana would refuse them after the import has \
                 removed its own; enter the rest first"
            )
        }
        BlockReason::UnreadableSecrets(why) => format!("its secrets cannot be decrypted ({why}); enter them again"),
        _ => {
            "its secrets are not in this file, and Kibana does not create it without them; enter them first".to_owned()
        }
    }
}

fn lost_secrets(lost: LostSecrets) -> &'static str {
    match lost {
        LostSecrets::MissingOnBothSides => "its secrets are missing on both sides; enter them first",
        LostSecrets::OnlyInKibana => "its secrets are in Kibana only, which never returns them; enter them first",
        LostSecrets::MaybeInKibana => "it may have secrets in Kibana, which never returns them; enter them first",
    }
}

/// Describes what to consider before a push.
pub fn push_note(note: &PushNote) -> String {
    let text = match note {
        PushNote::UsedBy(used) => return format!("{used} rules or others use it in Kibana and will fail"),
        PushNote::ModeByImport { inferred, mode } => {
            return format!("a create would make it {inferred}, by its auth type; the import sets {mode}");
        }
        PushNote::DoubtfulValue { field, note } => return format!("{field} {note}"),
        PushNote::ModeNotSupported => "this Kibana does not know auth modes: per-user stays in the file only",
        PushNote::SecretsRemoved => "its secrets in Kibana are lost: it cannot run until they are entered again",
        PushNote::SecretsMayBeRemoved => "secrets that it may have in Kibana are lost",
        PushNote::DownUntilUpdate => "it cannot run until the update has sent the secrets of the file",
        PushNote::SecretsMissingInKibana => {
            "Kibana has no secrets for it and cannot run it; the update sends those of the file"
        }
        PushNote::SecretsReplaced => {
            "the secrets of this file are sent too and replace those in Kibana, which may be newer"
        }
        PushNote::UsersDisconnected => "all its users are disconnected in Kibana, and each has to connect again",
    };
    text.to_owned()
}

/// Explains why a connector of the plan was not sent.
pub fn skip_reason(reason: &SkipReason, permits: &Permits) -> String {
    let text = match reason {
        SkipReason::Error(error) => return error.clone(),
        SkipReason::ChangedAfterImport => {
            "it was changed in Kibana right after the import; its secrets are not sent yet"
        }
        SkipReason::Status(SyncStatus::Blocked(reason)) => return block_reason(reason, permits),
        SkipReason::Status(SyncStatus::ReadOnly(manager)) => return format!("it is {}", manager_text(*manager)),
        SkipReason::Status(SyncStatus::Conflict) => {
            "it was changed in Kibana too since the plan was made; compare both sides"
        }
        SkipReason::Status(SyncStatus::ToPull) => "it was changed in Kibana since the plan was made; pull that first",
        SkipReason::Status(_) => "the plan has changed since it was shown; review it again",
    };
    text.to_owned()
}

/// The note for a connector of which only the import was accepted.
pub const HALF_DONE: &str = "the import was done, so its secrets in Kibana are removed and it cannot run until the update \
                             sends them: push again to resume";

/// Explains why a difference cannot be resolved for a side.
pub fn unresolvable(reason: Unresolvable) -> &'static str {
    match reason {
        Unresolvable::Managed => "Kibana manages it",
        Unresolvable::NoConflict => "it is not a conflict",
        Unresolvable::TypeChanged => {
            "Kibana cannot change the type of a connector; use Kibana's side, or delete one of the two"
        }
        Unresolvable::NotInKibana => "Kibana does not have it",
        Unresolvable::Equal => "both sides are equal",
    }
}

/// Returns a note about auth modes, unless the remote supports them.
pub fn modes_note(remote: &Remote) -> Option<&'static str> {
    match (remote.fetched_at.is_some(), remote.knows_modes, remote.version.is_some()) {
        (false, ..) | (_, true, _) => None,
        (_, false, true) => Some("this Kibana does not know auth modes: they stay in the file, and are not compared"),
        (_, false, false) => Some(
            "this Kibana reports no version and has no connector that shows one; set it with `connector-admin remote \
             add NAME URL --replace --kibana-version 9.4.0`",
        ),
    }
}
