//! What a push would do about one connector, by the rules of Kibana's API: what it can change, what it refuses, and
//! which auth mode the server ends up with.
//!
//! The API infers the mode from the auth type when a connector is created, takes none in a body, and carries the
//! stored one over on an update. Only a saved-object import sets it, and that takes the secrets away.

use super::Snapshot;
use super::compare::{Drift, FieldDrift, three_way};
use crate::domain::{AuthMode, Catalogue, Connector, SecretsState, has_no_address, is_plain_id, validate};

/// A request that changes Kibana.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `POST /api/actions/connector/{id}`.
    Create,
    /// `PUT /api/actions/connector/{id}`; config and secrets are replaced.
    Update,
    /// `POST /api/saved_objects/_import?overwrite=true`; secrets are lost.
    Import,
    /// `DELETE /api/actions/connector/{id}`.
    Delete,
}

impl Call {
    /// All of them.
    pub const ALL: [Call; 4] = [Call::Create, Call::Update, Call::Import, Call::Delete];

    /// The word in the file, in JSON and for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Call::Create => "create",
            Call::Update => "update",
            Call::Import => "import",
            Call::Delete => "delete",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.as_str() == text)
    }
}

/// The three sides of one connector.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// What both last agreed on.
    pub base: Option<&'a Snapshot>,
    /// The record of the file.
    pub here: Option<&'a Connector>,
    /// What Kibana says.
    pub there: Option<&'a Snapshot>,
}

/// What is known of the secrets in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// None.
    None,
    /// Some that can be opened; the ones Kibana took from here last?
    Some {
        /// Kibana has these.
        is_sent: bool,
    },
    /// Some that cannot be opened, and why.
    Unreadable(String),
}

/// What a verdict rests on beside the three sides.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The id of the connector.
    pub id: &'a str,
    /// The secrets in the file.
    pub held: Held,
    /// What may be known of them.
    pub state: &'a SecretsState,
    /// Kibana tells auth modes.
    pub knows_modes: bool,
    /// It is known which Kibana it is. Else it may know them all the same.
    pub is_version_known: bool,
    /// Why nobody can change it there, if so: `configuration`, `kibana`, or `nested` for a config that nobody can hold here.
    pub managed_by: Option<&'a str>,
    /// Rules and others that use it.
    pub referenced_by: u64,
    /// This file made the connector there, or wrote it last, without any secrets: Kibana holds none.
    pub has_none_there: bool,
}

/// What a person allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Delete in Kibana what was deleted in the file.
    pub delete: bool,
    /// Set an auth mode although the secrets in Kibana are lost by it.
    pub lose_secrets: bool,
}

/// The auth mode that the server ends up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeAfter {
    /// The one of the file.
    AsHere(AuthMode),
    /// Kibana does not know auth modes.
    Unknown,
    /// It goes with the connector.
    Gone,
}

/// What is to be done about a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: both sides say the same.
    InStep,
    /// A push sends it.
    Send {
        /// By these requests, in this order.
        calls: Vec<Call>,
        /// The mode afterwards.
        mode: ModeAfter,
        /// What to think of before.
        notes: Vec<String>,
        /// Kibana loses secrets that the file does not have.
        loses_secrets: bool,
        /// All its users are disconnected and have to connect again.
        disconnects_users: bool,
    },
    /// A push cannot, and why.
    Blocked(String),
    /// Both sides were changed: a person decides.
    Conflict,
    /// A pull takes it.
    Take,
    /// It is Kibana's own; the file does not have it.
    ReadOnly(&'static str),
}

/// Judges one connector; with it, the fields that differ.
pub fn judge(sides: Sides<'_>, facts: &Facts<'_>, limits: Limits) -> (Verdict, Vec<FieldDrift>) {
    let (mut verdict, fields) = judged(sides, facts, limits);
    if let (Verdict::Send { calls, notes, .. }, Some(here)) = (&mut verdict, sides.here)
        && calls.iter().any(|call| matches!(call, Call::Create | Call::Update))
    {
        notes.extend(validate::notes(here).into_iter().map(|note| format!("{} {}", note.field, note.reason)));
    }
    (verdict, fields)
}

fn judged(sides: Sides<'_>, facts: &Facts<'_>, limits: Limits) -> (Verdict, Vec<FieldDrift>) {
    if facts.managed_by == Some("nested") {
        let reason =
            "its config in Kibana is nested deeper than 100 levels, which this file cannot hold; it is left as it is";
        return (Verdict::Blocked(reason.to_owned()), Vec::new());
    }
    if let Some(managed_by) = facts.managed_by {
        let why = why_managed(managed_by);
        let verdict = match sides.here {
            Some(_) => {
                Verdict::Blocked(format!("Kibana has a connector of this id that is {why}; nobody can change it there"))
            }
            None => Verdict::ReadOnly(why),
        };
        return (verdict, Vec::new());
    }
    let none = Vec::new();
    match (sides.here, sides.there) {
        (None, None) => (Verdict::InStep, none),
        (None, Some(there)) => {
            let fields = sides.base.map(|base| three_way(Some(base), base, there)).unwrap_or_default();
            let verdict = absent_here(sides.base, &fields, facts, limits);
            (verdict, fields.into_iter().map(|field| FieldDrift { here: None, ..field }).collect())
        }
        (Some(here), None) => {
            let fields = sides.base.map(|base| three_way(Some(base), &Snapshot::of(here), base)).unwrap_or_default();
            let verdict = absent_there(sides.base, here, &fields, facts);
            (verdict, fields.into_iter().map(|field| FieldDrift { there: None, ..field }).collect())
        }
        (Some(here), Some(there)) => {
            let fields = three_way(sides.base, &Snapshot::of(here), there);
            (both(here, there, &fields, facts, limits), fields)
        }
    }
}

fn why_managed(managed_by: &str) -> &'static str {
    if managed_by == "kibana" { "a system connector" } else { "preconfigured in kibana.yml" }
}

/// Deleted in the file, or new in Kibana.
fn absent_here(base: Option<&Snapshot>, changed: &[FieldDrift], facts: &Facts<'_>, limits: Limits) -> Verdict {
    match base {
        None => Verdict::Take,
        Some(_) if has_no_address(facts.id) => {
            Verdict::Blocked("its id cannot stand in an address of Kibana's API; delete it in Kibana".to_owned())
        }
        Some(_) if !changed.is_empty() => Verdict::Conflict,
        Some(_) if !limits.delete => Verdict::Blocked(
            "it was deleted here; a push deletes in Kibana only when asked to (--delete, or “allow deletes” on the screen)".to_owned(),
        ),
        Some(_) => {
            let used = facts.referenced_by;
            let note = (used > 0).then(|| format!("{used} rules or others use it in Kibana and will fail"));
            send(vec![Call::Delete], ModeAfter::Gone, note.into_iter().collect())
        }
    }
}

/// New in the file, or deleted in Kibana.
fn absent_there(base: Option<&Snapshot>, here: &Connector, changed: &[FieldDrift], facts: &Facts<'_>) -> Verdict {
    if base.is_some() {
        return if changed.is_empty() { Verdict::Take } else { Verdict::Conflict };
    }
    if let Some(reason) = cannot_be_sent(here, facts).or_else(|| cannot_be_created(here, facts)) {
        return Verdict::Blocked(reason);
    }
    let mode = here.effective_auth_mode();
    let auth_type = auth_type_sent(here, facts);
    let inferred = Catalogue::current().inferred_auth_mode(auth_type.as_deref());
    match (facts.knows_modes, mode == inferred) {
        (true, true) => send(vec![Call::Create], ModeAfter::AsHere(mode), Vec::new()),
        (true, false) => {
            if let Some(reason) = import_destroys(here, facts) {
                return Verdict::Blocked(reason);
            }
            let note = format!("a create would make it {inferred}, by its auth type; the import sets {mode}");
            send(with_secrets_after(Call::Import, facts), ModeAfter::AsHere(mode), vec![note])
        }
        (false, false) if !facts.is_version_known => Verdict::Blocked(format!(
            "a create would make it {inferred} if this Kibana knows auth modes, and its version is not known; give it with \
             `remote add NAME URL --replace --kibana-version V`"
        )),
        (false, _) => send(vec![Call::Create], ModeAfter::Unknown, old_server(mode)),
    }
}

fn send(calls: Vec<Call>, mode: ModeAfter, notes: Vec<String>) -> Verdict {
    Verdict::Send { calls, mode, notes, loses_secrets: false, disconnects_users: false }
}

fn send_losing(calls: Vec<Call>, mode: ModeAfter, mut notes: Vec<String>, note: &str) -> Verdict {
    notes.push(note.to_owned());
    Verdict::Send { calls, mode, notes, loses_secrets: true, disconnects_users: false }
}

fn old_server(mode: AuthMode) -> Vec<String> {
    match mode {
        AuthMode::Shared => Vec::new(),
        AuthMode::PerUser => vec!["this Kibana does not know auth modes: per-user stays in the file only".to_owned()],
    }
}

/// An import takes the secrets away; an update brings those of the file.
fn with_secrets_after(call: Call, facts: &Facts<'_>) -> Vec<Call> {
    match facts.held {
        Held::Some { .. } => vec![call, Call::Update],
        Held::None | Held::Unreadable(_) => vec![call],
    }
}

fn both(here: &Connector, there: &Snapshot, fields: &[FieldDrift], facts: &Facts<'_>, limits: Limits) -> Verdict {
    if fields.iter().any(|field| field.drift == Drift::Both) {
        return Verdict::Conflict;
    }
    let is_here = fields.iter().any(|field| field.drift == Drift::Here);
    let is_there = fields.iter().any(|field| field.drift == Drift::There) || flag_differs(here, there, facts);
    let has_secrets_to_send = match &facts.held {
        Held::Some { is_sent } => !is_sent || there.is_missing_secrets,
        Held::None | Held::Unreadable(_) => false,
    };
    match (is_here || has_secrets_to_send, is_there) {
        (false, false) => Verdict::InStep,
        (false, true) => Verdict::Take,
        (true, true) => {
            Verdict::Blocked("Kibana has newer changes of it; a pull takes them in, then it can be pushed".to_owned())
        }
        (true, false) => changed_here(here, there, fields, facts, limits),
    }
}

/// Without secrets in the file, whether they are missing is only known from Kibana.
fn flag_differs(here: &Connector, there: &Snapshot, facts: &Facts<'_>) -> bool {
    facts.held == Held::None && here.is_missing_secrets != there.is_missing_secrets
}

fn changed_here(
    here: &Connector,
    there: &Snapshot,
    fields: &[FieldDrift],
    facts: &Facts<'_>,
    limits: Limits,
) -> Verdict {
    let is_changed = |name: &str| fields.iter().any(|field| field.field == name);
    if is_changed("connector type") {
        return Verdict::Blocked(
            "Kibana cannot change the type of a connector; delete it and create another one".to_owned(),
        );
    }
    if let Some(reason) = cannot_be_sent(here, facts) {
        return Verdict::Blocked(reason);
    }
    let mode = here.effective_auth_mode();
    let sets_mode = is_changed("auth mode");
    let lost = lost_by_replacing(here, there, facts);
    if !sets_mode {
        return updated(here, there, lost.as_deref(), facts, limits);
    }
    if let Some(reason) = import_destroys(here, facts) {
        return Verdict::Blocked(reason);
    }
    match (lost, limits.lose_secrets) {
        (Some(reason), false) => Verdict::Blocked(format!(
            "only a saved-object import sets the auth mode, and it takes the secrets away; {reason} (or allow the loss: --lose-secrets, L on the screen)"
        )),
        (Some(_), true) => {
            let note = "its secrets in Kibana are lost: it cannot run until they are entered again";
            send_losing(vec![Call::Import], ModeAfter::AsHere(mode), Vec::new(), note)
        }
        (None, _) => {
            let note = match facts.held {
                Held::Some { .. } => Some("until the update has brought the secrets of this file it cannot run"),
                _ => None,
            };
            let notes = note.map(str::to_owned).into_iter().collect();
            send(with_secrets_after(Call::Import, facts), ModeAfter::AsHere(mode), notes)
        }
    }
}

/// An update, which leaves the mode as it is in Kibana.
fn updated(here: &Connector, there: &Snapshot, lost: Option<&str>, facts: &Facts<'_>, limits: Limits) -> Verdict {
    let mode = here.effective_auth_mode();
    let is_refused = Catalogue::current().misses_secrets(here, facts.state);
    let mut notes = if facts.knows_modes { Vec::new() } else { old_server(mode) };
    let after = if facts.knows_modes { ModeAfter::AsHere(mode) } else { ModeAfter::Unknown };
    if let Some(reason) = lost
        && is_refused
    {
        return Verdict::Blocked(format!("{reason}; Kibana refuses an update without them"));
    }
    if let (Some(reason), false) = (lost, limits.lose_secrets) {
        return Verdict::Blocked(format!(
            "an update replaces the secrets; {reason} (or allow the loss: --lose-secrets, L on the screen)"
        ));
    }
    if let Some(reason) = refused_auth_type(here, there, facts) {
        return Verdict::Blocked(reason);
    }
    if lost.is_some() {
        return send_losing(vec![Call::Update], after, notes, "secrets that it may have in Kibana are lost");
    }
    let brings_some = matches!(facts.held, Held::Some { .. });
    if brings_some && there.is_missing_secrets {
        notes.push("Kibana has no secrets of it and cannot run it; the update brings those of this file".to_owned());
    } else if facts.held == (Held::Some { is_sent: true }) {
        // Kibana takes all secrets again with every update.
        notes.push("the secrets of this file go along and replace those in Kibana, which may be newer".to_owned());
    }
    let disconnects_users = there.auth_mode == Some(AuthMode::PerUser);
    if disconnects_users {
        // Kibana deletes the tokens of a per-user connector with every update.
        notes.push("all its users are disconnected in Kibana, and each has to connect again".to_owned());
    }
    Verdict::Send { calls: vec![Call::Update], mode: after, notes, loses_secrets: false, disconnects_users }
}

/// What an import would destroy for good, if anything. It takes the secrets away, and only an update brings some: so
/// all that could make Kibana refuse that update is looked at before.
fn import_destroys(here: &Connector, facts: &Facts<'_>) -> Option<String> {
    if !is_plain_id(&here.id) {
        return Some(
            "only a saved-object import sets the auth mode, and Kibana removes a connector on import whose id is not 1 to \
             36 lower-case letters, digits and hyphens; other changes of it can be pushed"
                .to_owned(),
        );
    }
    let auth_type = auth_type_sent(here, facts);
    let implied = Catalogue::current().inferred_auth_mode(auth_type.as_deref());
    if (here.effective_auth_mode(), implied) == (AuthMode::Shared, AuthMode::PerUser) {
        return Some(format!(
            "Kibana takes no update of a shared connector with the auth type {}: after the import, which takes the secrets \
             away, nobody could give it any. Make it per-user, or choose another auth type",
            auth_type.unwrap_or_default()
        ));
    }
    if !matches!(facts.held, Held::Some { .. }) {
        return None;
    }
    let missed = Catalogue::current().missed_secrets(here, facts.state).join(", ");
    if Catalogue::current().misses_secrets(here, facts.state) {
        let which = if missed.is_empty() { String::new() } else { format!(" ({missed})") };
        return Some(format!(
            "the secrets in this file are not complete{which}, so Kibana would refuse them after the import has taken its \
             own away; enter the rest first"
        ));
    }
    let problem = validate::problems(here).into_iter().next();
    problem
        .map(|problem| format!("Kibana would refuse its {}: {}; repair it first", problem.field, problem.reason))
        .or_else(|| chosen_by_kibana(here, facts))
}

/// Reasons that hold for any request about it.
fn cannot_be_sent(here: &Connector, facts: &Facts<'_>) -> Option<String> {
    if let Some(column) = here.not_utf8().first() {
        return Some(format!("its {column} is not UTF-8; repair it first"));
    }
    if has_no_address(&here.id) {
        return Some("its id cannot stand in an address of Kibana's API".to_owned());
    }
    if let Err(reason) = here.config_object() {
        return Some(format!("{reason}; repair it first"));
    }
    if here.is_newer_than_known() {
        return Some(format!("it belongs to model version {}, which this program does not know", here.model_version));
    }
    match &facts.held {
        Held::Unreadable(reason) => Some(format!("its secrets cannot be opened here ({reason}); enter them again")),
        Held::None | Held::Some { .. } => None,
    }
}

fn cannot_be_created(here: &Connector, facts: &Facts<'_>) -> Option<String> {
    let catalogue = Catalogue::current();
    if here.id.contains('/') {
        return Some("its id cannot stand in an address of Kibana's API".to_owned());
    }
    if facts.knows_modes && !is_plain_id(&here.id) {
        return Some(
            "this Kibana makes no connector whose id is not 1 to 36 lower-case letters, digits and hyphens; give it another \
             id here (export it, and import it with --create-new-copies)"
                .to_owned(),
        );
    }
    let known = catalogue.get(&here.connector_type_id);
    if known.is_some_and(|known| known.is_system) {
        return Some("Kibana makes system connectors itself".to_owned());
    }
    if here.is_missing_secrets || catalogue.misses_secrets(here, facts.state) {
        return Some(
            "its secrets are not in this file, and Kibana does not create it without them; enter them first".to_owned(),
        );
    }
    chosen_by_kibana(here, facts)
}

fn chosen_by_kibana(here: &Connector, facts: &Facts<'_>) -> Option<String> {
    let auth_type = auth_type_sent(here, facts)?;
    let is_chosen = Catalogue::current().auth_type(&auth_type).is_some_and(|known| known.is_chosen_by_kibana);
    is_chosen.then(|| format!("the auth type {auth_type} is set by Kibana and cannot be sent"))
}

/// The auth type among the secrets counts before that of the config.
fn auth_type_sent(here: &Connector, facts: &Facts<'_>) -> Option<String> {
    facts.state.auth_type().map(str::to_owned).or_else(|| here.auth_type().name().map(str::to_owned))
}

/// Update and import replace the secrets that Kibana has. Why that would lose some, if so.
fn lost_by_replacing(here: &Connector, there: &Snapshot, facts: &Facts<'_>) -> Option<String> {
    if facts.has_none_there || matches!(facts.held, Held::Some { .. }) || !may_have_secrets(here, facts) {
        return None;
    }
    let is_needed = Catalogue::current().misses_secrets(here, facts.state);
    let text = match (there.is_missing_secrets, is_needed) {
        (true, _) => "its secrets are missing on both sides; enter them here first",
        (false, true) => "its secrets are in Kibana only, which never tells them; enter them here first",
        (false, false) => "it may have secrets in Kibana, which never tells them; enter them here first",
    };
    Some(text.to_owned())
}

/// Could a connector of this type and config have secrets? Of an unknown type nobody knows.
fn may_have_secrets(here: &Connector, facts: &Facts<'_>) -> bool {
    let Some(known) = Catalogue::current().get(&here.connector_type_id) else { return true };
    let config = here.config_object().unwrap_or_default();
    let value_of = |key: &str| match facts.state.auth_type() {
        Some(id) if key == "authType" => id.into(),
        _ => config.get(key).cloned().unwrap_or_default(),
    };
    known.needs_secrets() || known.secrets.iter().any(|field| field.applies(value_of))
}

/// What Kibana's update refuses about the auth type, when the mode stays. A shared connector whose auth type implies
/// users is refused also when that auth type did not change.
fn refused_auth_type(here: &Connector, there: &Snapshot, facts: &Facts<'_>) -> Option<String> {
    let stored_mode = there.auth_mode?;
    let (asked, stored) = (auth_type_sent(here, facts), there.auth_type());
    let implied = Catalogue::current().inferred_auth_mode(asked.as_deref());
    match (stored_mode, implied) {
        (AuthMode::PerUser, _) if asked != stored => {
            Some("Kibana refuses another auth type for a per-user connector".to_owned())
        }
        (AuthMode::Shared, AuthMode::PerUser) => Some(format!(
            "Kibana takes no update of a shared connector with the auth type {}; make it per-user too",
            asked.unwrap_or_default()
        )),
        _ => None,
    }
}
