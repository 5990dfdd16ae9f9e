//! The effect of a push on one connector, by the rules of Kibana's API: allowed changes, refusals, and the resulting
//! auth mode.
//!
//! The API infers the mode from the auth type when a connector is created, accepts none in a body, and keeps the stored
//! one on an update. Only a saved-object import sets it, and an import removes the secrets.

use super::reason::{BlockReason, LostSecrets, Manager, PushNote};
use super::snapshot::Snapshot;
use super::three_way::{Drift, FieldDrift, three_way};
use crate::domain::{AuthMode, Catalogue, Connector, SecretsState, has_no_address, is_plain_id, validate};
use strum::{EnumString, IntoStaticStr};

/// A request that changes Kibana.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum ApiCall {
    /// `POST /api/actions/connector/{id}`.
    Create,
    /// `PUT /api/actions/connector/{id}`; config and secrets are replaced.
    Update,
    /// `POST /api/saved_objects/_import?overwrite=true`; secrets are lost.
    Import,
    /// `DELETE /api/actions/connector/{id}`.
    Delete,
}

impl ApiCall {
    /// Returns the word for the file, for JSON and for the UI.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The three sides of one connector.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// The merge base.
    pub base: Option<&'a Snapshot>,
    /// The record of the file.
    pub local: Option<&'a Connector>,
    /// The state in Kibana.
    pub remote: Option<&'a Snapshot>,
}

/// The secrets of the local connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalSecrets {
    /// None.
    None,
    /// Secrets that can be decrypted, and whether Kibana received these last.
    Some {
        /// Kibana has these.
        is_sent: bool,
    },
    /// Some that cannot be opened, and why.
    Unreadable(String),
}

/// The facts besides the three sides that a classification depends on.
#[derive(Clone, Debug)]
pub struct ClassifyContext<'a> {
    /// The connector types that the program knows.
    pub catalogue: &'a Catalogue,
    /// The id of the connector.
    pub id: &'a str,
    /// The secrets in the file.
    pub secrets: LocalSecrets,
    /// The state of the secrets.
    pub state: &'a SecretsState,
    /// Kibana reports auth modes.
    pub knows_modes: bool,
    /// The version of Kibana is known; otherwise it may support auth modes.
    pub is_version_known: bool,
    /// Why the connector cannot be changed in Kibana: `configuration`, `kibana`, or `nested` for a config that is too
    /// deep for this program.
    pub managed_by: Option<&'a str>,
    /// Rules and others that use it.
    pub referenced_by: u64,
    /// This file created or last wrote the connector without secrets, so Kibana holds none.
    pub lacks_remote: bool,
}

/// What the user permits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PushOptions {
    /// Delete connectors in Kibana that were deleted locally.
    pub delete: bool,
    /// Set an auth mode although the secrets in Kibana are lost by it.
    pub lose_secrets: bool,
}

/// The auth mode that the server ends up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultingMode {
    /// The one of the file.
    AsLocal(AuthMode),
    /// Kibana does not know auth modes.
    Unknown,
    /// The mode is deleted with the connector.
    Deleted,
}

/// The sync status of a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncStatus {
    /// Both sides are equal.
    InSync,
    /// A push sends it.
    ToPush {
        /// By these requests, in this order.
        calls: Vec<ApiCall>,
        /// The mode afterwards.
        mode: ResultingMode,
        /// Notes to show before a push.
        notes: Vec<PushNote>,
        /// Kibana loses secrets that the file does not have.
        loses_secrets: bool,
        /// All its users are disconnected and have to connect again.
        disconnects_users: bool,
    },
    /// A push cannot, and why.
    Blocked(BlockReason),
    /// Both sides changed; the user decides.
    Conflict,
    /// A pull updates the local connector.
    ToPull,
    /// Kibana manages the connector, and the file does not have it.
    ReadOnly(Manager),
}

/// Classifies one connector and returns the fields that differ.
pub fn classify(
    sides: Sides<'_>,
    context: &ClassifyContext<'_>,
    options: PushOptions,
) -> (SyncStatus, Vec<FieldDrift>) {
    let (mut status, fields) = classified(sides, context, options);
    if let (SyncStatus::ToPush { calls, notes, .. }, Some(local)) = (&mut status, sides.local)
        && calls.iter().any(|call| matches!(call, ApiCall::Create | ApiCall::Update))
    {
        let doubtful = validate::notes(local, context.catalogue).into_iter();
        notes.extend(doubtful.map(|note| PushNote::DoubtfulValue { field: note.field, note: note.reason }));
    }
    (status, fields)
}

fn classified(sides: Sides<'_>, context: &ClassifyContext<'_>, options: PushOptions) -> (SyncStatus, Vec<FieldDrift>) {
    if context.managed_by == Some("nested") {
        return (SyncStatus::Blocked(BlockReason::ConfigTooDeep), Vec::new());
    }
    if let Some(managed_by) = context.managed_by {
        let manager = if managed_by == "kibana" { Manager::Kibana } else { Manager::Configuration };
        let status = match sides.local {
            Some(_) => SyncStatus::Blocked(BlockReason::Managed(manager)),
            None => SyncStatus::ReadOnly(manager),
        };
        return (status, Vec::new());
    }
    let none = Vec::new();
    match (sides.local, sides.remote) {
        (None, None) => (SyncStatus::InSync, none),
        (None, Some(remote)) => {
            let fields = sides.base.map(|base| three_way(Some(base), base, remote)).unwrap_or_default();
            let status = missing_locally(sides.base, &fields, context, options);
            (status, fields.into_iter().map(|field| FieldDrift { local: None, ..field }).collect())
        }
        (Some(local), None) => {
            let fields = sides.base.map(|base| three_way(Some(base), &Snapshot::of(local), base)).unwrap_or_default();
            let status = missing_remotely(sides.base, local, &fields, context);
            (status, fields.into_iter().map(|field| FieldDrift { remote: None, ..field }).collect())
        }
        (Some(local), Some(remote)) => {
            let fields = three_way(sides.base, &Snapshot::of(local), remote);
            (both(local, remote, &fields, context, options), fields)
        }
    }
}

/// Deleted in the file, or new in Kibana.
fn missing_locally(
    base: Option<&Snapshot>,
    changed: &[FieldDrift],
    context: &ClassifyContext<'_>,
    options: PushOptions,
) -> SyncStatus {
    match base {
        None => SyncStatus::ToPull,
        Some(_) if has_no_address(context.id) => SyncStatus::Blocked(BlockReason::IdNotInUrl { is_deleted: true }),
        Some(_) if !changed.is_empty() => SyncStatus::Conflict,
        Some(_) if !options.delete => SyncStatus::Blocked(BlockReason::DeleteNotPermitted),
        Some(_) => {
            let used = context.referenced_by;
            let note = (used > 0).then_some(PushNote::UsedBy(used));
            send(vec![ApiCall::Delete], ResultingMode::Deleted, note.into_iter().collect())
        }
    }
}

/// New in the file, or deleted in Kibana.
fn missing_remotely(
    base: Option<&Snapshot>,
    local: &Connector,
    changed: &[FieldDrift],
    context: &ClassifyContext<'_>,
) -> SyncStatus {
    if base.is_some() {
        return if changed.is_empty() { SyncStatus::ToPull } else { SyncStatus::Conflict };
    }
    if let Some(reason) = cannot_be_sent(local, context).or_else(|| cannot_be_created(local, context)) {
        return SyncStatus::Blocked(reason);
    }
    let mode = local.effective_auth_mode();
    let auth_type = auth_type_sent(local, context);
    let inferred = context.catalogue.inferred_auth_mode(auth_type.as_deref());
    match (context.knows_modes, mode == inferred) {
        (true, true) => send(vec![ApiCall::Create], ResultingMode::AsLocal(mode), Vec::new()),
        (true, false) => {
            if let Some(reason) = import_destroys(local, context) {
                return SyncStatus::Blocked(reason);
            }
            let note = PushNote::ModeByImport { inferred, mode };
            send(with_secrets_after(ApiCall::Import, context), ResultingMode::AsLocal(mode), vec![note])
        }
        (false, false) if !context.is_version_known => SyncStatus::Blocked(BlockReason::ModeSupportUnknown(inferred)),
        (false, _) => send(vec![ApiCall::Create], ResultingMode::Unknown, old_server(mode)),
    }
}

fn send(calls: Vec<ApiCall>, mode: ResultingMode, notes: Vec<PushNote>) -> SyncStatus {
    SyncStatus::ToPush { calls, mode, notes, loses_secrets: false, disconnects_users: false }
}

fn send_losing(calls: Vec<ApiCall>, mode: ResultingMode, mut notes: Vec<PushNote>, note: PushNote) -> SyncStatus {
    notes.push(note);
    SyncStatus::ToPush { calls, mode, notes, loses_secrets: true, disconnects_users: false }
}

fn old_server(mode: AuthMode) -> Vec<PushNote> {
    match mode {
        AuthMode::Shared => Vec::new(),
        AuthMode::PerUser => vec![PushNote::ModeNotSupported],
    }
}

/// An import removes the secrets; the update after it sends the local ones.
fn with_secrets_after(call: ApiCall, context: &ClassifyContext<'_>) -> Vec<ApiCall> {
    match context.secrets {
        LocalSecrets::Some { .. } => vec![call, ApiCall::Update],
        LocalSecrets::None | LocalSecrets::Unreadable(_) => vec![call],
    }
}

fn both(
    local: &Connector,
    remote: &Snapshot,
    fields: &[FieldDrift],
    context: &ClassifyContext<'_>,
    options: PushOptions,
) -> SyncStatus {
    if fields.iter().any(|field| field.drift == Drift::Both) {
        return SyncStatus::Conflict;
    }
    let is_local = fields.iter().any(|field| field.drift == Drift::Local);
    let is_remote = fields.iter().any(|field| field.drift == Drift::Remote) || flag_differs(local, remote, context);
    let has_secrets_to_send = match &context.secrets {
        LocalSecrets::Some { is_sent } => !is_sent || remote.is_missing_secrets,
        LocalSecrets::None | LocalSecrets::Unreadable(_) => false,
    };
    match (is_local || has_secrets_to_send, is_remote) {
        (false, false) => SyncStatus::InSync,
        (false, true) => SyncStatus::ToPull,
        (true, true) => SyncStatus::Blocked(BlockReason::ChangedInKibana),
        (true, false) => changed_locally(local, remote, fields, context, options),
    }
}

/// Without secrets in the file, whether they are missing is only known from Kibana.
fn flag_differs(local: &Connector, remote: &Snapshot, context: &ClassifyContext<'_>) -> bool {
    context.secrets == LocalSecrets::None && local.is_missing_secrets != remote.is_missing_secrets
}

fn changed_locally(
    local: &Connector,
    remote: &Snapshot,
    fields: &[FieldDrift],
    context: &ClassifyContext<'_>,
    options: PushOptions,
) -> SyncStatus {
    let is_changed = |name: &str| fields.iter().any(|field| field.field == name);
    if is_changed("connector type") {
        return SyncStatus::Blocked(BlockReason::TypeChanged);
    }
    if let Some(reason) = cannot_be_sent(local, context) {
        return SyncStatus::Blocked(reason);
    }
    let mode = local.effective_auth_mode();
    let sets_mode = is_changed("auth mode");
    let lost = lost_by_replacing(local, remote, context);
    if !sets_mode {
        return updated(local, remote, lost, context, options);
    }
    if let Some(reason) = import_destroys(local, context) {
        return SyncStatus::Blocked(reason);
    }
    match (lost, options.lose_secrets) {
        (Some(lost), false) => SyncStatus::Blocked(BlockReason::ImportLosesSecrets(lost)),
        (Some(_), true) => {
            let mode = ResultingMode::AsLocal(mode);
            send_losing(vec![ApiCall::Import], mode, Vec::new(), PushNote::SecretsRemoved)
        }
        (None, _) => {
            let notes = match context.secrets {
                LocalSecrets::Some { .. } => vec![PushNote::DownUntilUpdate],
                _ => Vec::new(),
            };
            send(with_secrets_after(ApiCall::Import, context), ResultingMode::AsLocal(mode), notes)
        }
    }
}

/// An update, which leaves the mode as it is in Kibana.
fn updated(
    local: &Connector,
    remote: &Snapshot,
    lost: Option<LostSecrets>,
    context: &ClassifyContext<'_>,
    options: PushOptions,
) -> SyncStatus {
    let mode = local.effective_auth_mode();
    let is_refused = context.catalogue.misses_secrets(local, context.state);
    let mut notes = if context.knows_modes { Vec::new() } else { old_server(mode) };
    let after = if context.knows_modes { ResultingMode::AsLocal(mode) } else { ResultingMode::Unknown };
    if let Some(lost) = lost
        && is_refused
    {
        return SyncStatus::Blocked(BlockReason::UpdateNeedsSecrets(lost));
    }
    if let (Some(lost), false) = (lost, options.lose_secrets) {
        return SyncStatus::Blocked(BlockReason::UpdateLosesSecrets(lost));
    }
    if let Some(reason) = refused_auth_type(local, remote, context) {
        return SyncStatus::Blocked(reason);
    }
    if lost.is_some() {
        return send_losing(vec![ApiCall::Update], after, notes, PushNote::SecretsMayBeRemoved);
    }
    let brings_some = matches!(context.secrets, LocalSecrets::Some { .. });
    if brings_some && remote.is_missing_secrets {
        notes.push(PushNote::SecretsMissingInKibana);
    } else if context.secrets == (LocalSecrets::Some { is_sent: true }) {
        // Kibana replaces all secrets with every update.
        notes.push(PushNote::SecretsReplaced);
    }
    let disconnects_users = remote.auth_mode == Some(AuthMode::PerUser);
    if disconnects_users {
        // Kibana deletes the tokens of a per-user connector with every update.
        notes.push(PushNote::UsersDisconnected);
    }
    SyncStatus::ToPush { calls: vec![ApiCall::Update], mode: after, notes, loses_secrets: false, disconnects_users }
}

/// Returns what an import would destroy, if anything. An import removes the secrets and only the update after it sends
/// some, so every reason for Kibana to refuse that update is checked first.
fn import_destroys(local: &Connector, context: &ClassifyContext<'_>) -> Option<BlockReason> {
    if !is_plain_id(&local.id) {
        return Some(BlockReason::IdRemovedOnImport);
    }
    let auth_type = auth_type_sent(local, context);
    let implied = context.catalogue.inferred_auth_mode(auth_type.as_deref());
    if (local.effective_auth_mode(), implied) == (AuthMode::Shared, AuthMode::PerUser) {
        let auth_type = auth_type.unwrap_or_default();
        return Some(BlockReason::NoUpdateOfShared { auth_type, is_after_import: true });
    }
    if !matches!(context.secrets, LocalSecrets::Some { .. }) {
        return None;
    }
    if context.catalogue.misses_secrets(local, context.state) {
        let missing = context.catalogue.missed_secrets(local, context.state);
        return Some(BlockReason::SecretsIncomplete(missing.into_iter().map(str::to_owned).collect()));
    }
    let problem = validate::problems(local, context.catalogue).into_iter().next();
    problem
        .map(|problem| BlockReason::InvalidValue { field: problem.field, problem: problem.reason })
        .or_else(|| chosen_by_kibana(local, context))
}

/// Reasons that hold for any request about it.
fn cannot_be_sent(local: &Connector, context: &ClassifyContext<'_>) -> Option<BlockReason> {
    if let Some(column) = local.not_utf8().first() {
        return Some(BlockReason::NotUtf8(column));
    }
    if has_no_address(&local.id) {
        return Some(BlockReason::IdNotInUrl { is_deleted: false });
    }
    if let Err(reason) = local.config_object() {
        return Some(BlockReason::InvalidConfig(reason));
    }
    if local.is_newer_than_known() {
        return Some(BlockReason::NewerModelVersion(local.model_version));
    }
    match &context.secrets {
        LocalSecrets::Unreadable(reason) => Some(BlockReason::UnreadableSecrets(reason.clone())),
        LocalSecrets::None | LocalSecrets::Some { .. } => None,
    }
}

fn cannot_be_created(local: &Connector, context: &ClassifyContext<'_>) -> Option<BlockReason> {
    let catalogue = context.catalogue;
    if local.id.contains('/') {
        return Some(BlockReason::IdNotInUrl { is_deleted: false });
    }
    if context.knows_modes && !is_plain_id(&local.id) {
        return Some(BlockReason::IdNotAccepted);
    }
    let known = catalogue.get(&local.connector_type_id);
    if known.is_some_and(|known| known.is_system) {
        return Some(BlockReason::SystemType);
    }
    if local.is_missing_secrets || catalogue.misses_secrets(local, context.state) {
        return Some(BlockReason::SecretsMissing);
    }
    chosen_by_kibana(local, context)
}

fn chosen_by_kibana(local: &Connector, context: &ClassifyContext<'_>) -> Option<BlockReason> {
    let auth_type = auth_type_sent(local, context)?;
    let is_chosen = context.catalogue.auth_type(&auth_type).is_some_and(|known| known.is_chosen_by_kibana);
    is_chosen.then_some(BlockReason::AuthTypeSetByKibana(auth_type))
}

/// The auth type among the secrets counts before that of the config.
fn auth_type_sent(local: &Connector, context: &ClassifyContext<'_>) -> Option<String> {
    context.state.auth_type().map(str::to_owned).or_else(|| local.auth_type().name().map(str::to_owned))
}

/// Update and import replace the secrets that Kibana has. Returns which of them would be lost.
fn lost_by_replacing(local: &Connector, remote: &Snapshot, context: &ClassifyContext<'_>) -> Option<LostSecrets> {
    if context.lacks_remote || matches!(context.secrets, LocalSecrets::Some { .. }) || !may_have_secrets(local, context)
    {
        return None;
    }
    let is_needed = context.catalogue.misses_secrets(local, context.state);
    Some(match (remote.is_missing_secrets, is_needed) {
        (true, _) => LostSecrets::MissingOnBothSides,
        (false, true) => LostSecrets::OnlyInKibana,
        (false, false) => LostSecrets::MaybeInKibana,
    })
}

/// Returns whether a connector of this type and config can have secrets. For an unknown type it can.
fn may_have_secrets(local: &Connector, context: &ClassifyContext<'_>) -> bool {
    let Some(known) = context.catalogue.get(&local.connector_type_id) else { return true };
    let config = local.config_object().unwrap_or_default();
    let value_of = |key: &str| match context.state.auth_type() {
        Some(id) if key == "authType" => id.into(),
        _ => config.get(key).cloned().unwrap_or_default(),
    };
    known.needs_secrets() || known.secrets.iter().any(|field| field.applies(value_of))
}

/// Returns why Kibana's update would refuse the auth type while the mode stays. A shared connector with a per-user auth
/// type is refused even if that auth type did not change.
fn refused_auth_type(local: &Connector, remote: &Snapshot, context: &ClassifyContext<'_>) -> Option<BlockReason> {
    let stored_mode = remote.auth_mode?;
    let (requested, stored) = (auth_type_sent(local, context), remote.auth_type());
    let implied = context.catalogue.inferred_auth_mode(requested.as_deref());
    match (stored_mode, implied) {
        (AuthMode::PerUser, _) if requested != stored => Some(BlockReason::AuthTypeOfPerUser),
        (AuthMode::Shared, AuthMode::PerUser) => {
            let auth_type = requested.unwrap_or_default();
            Some(BlockReason::NoUpdateOfShared { auth_type, is_after_import: false })
        }
        _ => None,
    }
}
