//! Connectors as text: Kibana's saved-object export (`ndjson`, `export`, with `stamp` and `older` for what releases
//! differ in, `documents` and `forms` for how else saved objects are written down) and its API (`api`).

pub mod api;
mod documents;
mod export;
pub mod files;
mod forms;
mod ndjson;
mod older;
mod stamp;

use std::path::Path;

use crate::domain::connector_type::ConnectorType;
use crate::domain::derived::Derived;
use crate::domain::secret::Sealed as _;
use crate::domain::{Catalogue, Connector, Group, SecretsState, model_version};
use crate::parallel::read_ahead;
use crate::store::{ImportOptions, ImportOutcome, NewConnector, OnConflict, PlanCounts, Progress, Store, StoreError};
use crate::vault::{Vault, VaultError};

pub use export::{ExportReport, export};
pub use ndjson::{Export, Incoming, LONG_IDS, Notices};

/// Why text was refused.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A line of an export that cannot be taken; nothing was.
    #[error("{source_name}, line {line}: {reason}. Nothing was imported")]
    Line {
        /// The file, or `standard input`.
        source_name: String,
        /// From 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// The whole text is not an export.
    #[error("{source_name} {reason}. Nothing was imported")]
    NotAnExport {
        /// The file, or `standard input`.
        source_name: String,
        /// What it is instead.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("{name}: {cause}")]
    Io {
        /// The file.
        name: String,
        /// The system's word.
        cause: std::io::Error,
    },
    /// Secrets cannot be sealed; nothing was written.
    #[error("{0}. Nothing was changed")]
    Vault(VaultError),
    /// A file would take the place of one that must stay.
    #[error("{path} is {what}; name another file")]
    Taken {
        /// The file.
        path: std::path::PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A file cannot be made at a path; nothing was begun.
    #[error("{path} cannot be written: {reason}; name another file")]
    NoPlace {
        /// The path.
        path: std::path::PathBuf,
        /// Why.
        reason: String,
    },
    /// The connector that was to be copied is gone.
    #[error("the original was deleted meanwhile, and its secrets with it; nothing was created")]
    OriginalGone,
    /// The connectors file refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

// Not the source of the error too: it would be told twice.
impl From<VaultError> for TransferError {
    fn from(error: VaultError) -> Self {
        TransferError::Vault(error)
    }
}

/// A connector as an export would bring it back: its keys in the order of Kibana, without what no export holds.
pub fn as_exported(connector: &Connector) -> Connector {
    let read = || {
        let (line, _) = export::line_of(connector).ok()?;
        Export::read("a line", Box::new(std::io::Cursor::new(line))).next()?.ok()
    };
    read().map_or_else(|| connector.clone(), |incoming| incoming.connector)
}

/// One connector as a line of an export, and whether it says that secrets are missing.
///
/// # Errors
/// When its config or extra is not JSON, for people.
pub fn as_line(connector: &Connector) -> Result<(String, bool), String> {
    export::line_of(connector)
}

/// What is imported, and how.
#[derive(Clone, Copy, Debug)]
pub struct Importing<'a> {
    /// The export; `-` is standard input.
    pub source: &'a Path,
    /// About ids that exist.
    pub on_conflict: OnConflict,
    /// Keep a copy of the file before a large import, as in [`ImportOptions`].
    pub keep_copy: bool,
}

/// Told the old and the new id of each connector that gets a new one.
pub type Renamed<'a> = &'a mut dyn FnMut(&str, &str) -> Result<(), TransferError>;

/// Imports an export. All or nothing. Plain secrets, which no export of Kibana has but a hand may have written,
/// are sealed before they reach the file. The total that `progress` is told is a guess.
///
/// # Errors
/// A line that cannot be taken, with its number; a file that cannot be read or written.
pub fn import(
    store: &mut Store,
    vault: &Vault,
    importing: Importing<'_>,
    now: &str,
    renamed: Renamed<'_>,
    progress: Progress<'_>,
) -> Result<(ImportOutcome, Notices), TransferError> {
    let Importing { source, on_conflict, keep_copy } = importing;
    let copies = on_conflict == OnConflict::CreateNewCopies;
    let export = Export::open(source)?;
    // Under new ids nothing comes twice for the file.
    let mut export = if copies { export.with_memory_of_ids()? } else { export };
    let length = export.length();
    let name =
        source.file_name().map_or_else(|| "standard input".to_owned(), |name| name.to_string_lossy().into_owned());
    let name = if source == Path::new("-") { "standard input" } else { &name };
    let options = ImportOptions { on_conflict, keep_copy, source: name };
    let mut line = 0;
    // The next lines are read and derived from while the ones before are written.
    let parsed = export.by_ref().map(|found| {
        found.map(|incoming| {
            let derived = Derived::of(&incoming.connector);
            (incoming, derived)
        })
    });
    let outcome = read_ahead(parsed, |parsed| {
        let mut connectors = parsed.map(|found| {
            let (incoming, derived) = found?;
            line = incoming.line;
            let connector = ready(vault, incoming, copies.then_some(&mut *renamed))?;
            Ok::<_, TransferError>(NewConnector { connector, derived })
        });
        let keep = &mut |current: &Connector, incoming: &mut Connector| keep_secrets(vault, current, incoming);
        store.import(&mut connectors, options, keep, now, |read| progress(read, length.guess(read)))
    });
    let outcome = match outcome {
        Err(TransferError::Store(StoreError::Repeated(id))) => return Err(export.refuse(line, ndjson::repeated(&id))),
        outcome => outcome?,
    };
    Ok((outcome, export.into_notices(on_conflict)?))
}

/// Makes a connector of an export ready for the file: under a new id where `renamed` is told of one, its plain secrets
/// encrypted.
fn ready(vault: &Vault, incoming: Incoming, renamed: Option<Renamed<'_>>) -> Result<Connector, TransferError> {
    let Incoming { mut connector, plain_secrets, .. } = incoming;
    if let Some(renamed) = renamed {
        let new_id = uuid::Uuid::new_v4().to_string();
        renamed(&connector.id, &new_id)?;
        connector.id = new_id;
        connector.extra = ndjson::without_origin(&connector.extra);
        // Ciphertext is bound to the id it had.
        connector.is_missing_secrets |= connector.secrets.take().is_some();
    }
    if let Some(secret) = plain_secrets {
        connector.is_missing_secrets = Catalogue::current().misses_secrets(&connector, &secret.state());
        connector.secrets = Some(vault.seal(&connector, secret.secret())?);
    }
    Ok(connector)
}

/// Gives a connector that replaces another one the secrets of that one: an export holds none, and those that are stored
/// are wanted as long as type and config ask for the same. They stay byte for byte where they can.
fn keep_secrets(vault: &Vault, current: &Connector, incoming: &mut Connector) -> Result<(), TransferError> {
    if incoming.secrets.is_some() || current.secrets.is_none() {
        return Ok(());
    }
    let is_missing_secrets = current.is_missing_secrets;
    let same = Connector { is_missing_secrets, secrets: current.secrets.clone(), ..incoming.clone() };
    if same.associated_data() == current.associated_data() {
        *incoming = same;
        return Ok(());
    }
    let Ok(open) = vault.open(current) else { return Ok(()) };
    if still_fit(current, incoming, &open.state()) {
        incoming.is_missing_secrets = false;
        incoming.secrets = Some(vault.seal(incoming, open.secret())?);
    }
    Ok(())
}

/// Whether secrets are right for what replaces their connector.
fn still_fit(current: &Connector, incoming: &Connector, state: &SecretsState) -> bool {
    let catalogue = Catalogue::current();
    let known = catalogue.get(&incoming.connector_type_id);
    // The auth type among the secrets is that of the config too.
    let is_same_way = match known.is_some_and(ConnectorType::keeps_auth_type_in_secrets) {
        true => incoming.auth_type().name().is_none_or(|name| Some(name) == state.auth_type()),
        false => incoming.auth_type() == current.auth_type(),
    };
    current.connector_type_id == incoming.connector_type_id
        && known.is_some()
        && is_same_way
        && !catalogue.misses_secrets(incoming, state)
}

/// What an import would do, and what the migration would do with the imported.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// What would happen.
    pub outcome: ImportOutcome,
    /// What else there is.
    pub notices: Notices,
    /// The plan of the imported connectors.
    pub plan: PlanCounts,
    /// So many have the name of another connector that is in the file.
    pub same_names: u64,
}

/// What an import would do; nothing is written. Without a store the file does not exist yet.
///
/// # Errors
/// As [`import`].
pub fn preview(
    store: Option<(&Store, &Vault)>,
    source: &Path,
    on_conflict: OnConflict,
    progress: Progress<'_>,
) -> Result<Preview, TransferError> {
    let mut export = Export::open(source)?.with_memory_of_ids()?;
    let length = export.length();
    let (mut outcome, mut plan, mut read) = (ImportOutcome::default(), PlanCounts::default(), 0);
    let mut same_names = 0;
    for connector in export.by_ref() {
        let Incoming { mut connector, plain_secrets, .. } = connector?;
        let exists = match store {
            Some((store, _)) => store.row_id(&connector.id)?.is_some(),
            None => false,
        };
        if let (Some((store, vault)), true, None, OnConflict::Overwrite) = (store, exists, &plain_secrets, on_conflict)
            && let Some(current) = store.get(&connector.id)?
        {
            keep_secrets(vault, &current, &mut connector)?;
            outcome.count_secrets(&current, &connector);
        }
        outcome.missing_secrets += u64::from(connector.is_missing_secrets && plain_secrets.is_none());
        match model_version::plan(&connector).map(|plan| plan.group) {
            Some(Group::Backfill) => plan.backfill += 1,
            Some(Group::StampOnly) => plan.stamp_only += 1,
            Some(Group::Blocked) => plan.blocked += 1,
            None => {}
        }
        if let (Some((store, _)), false) = (store, exists) {
            same_names += u64::from(store.has_name(&connector.name)?);
        }
        match (exists, on_conflict) {
            (true, OnConflict::Report) => outcome.conflicts.push(connector.id),
            (true, OnConflict::Overwrite) => outcome.replaced += 1,
            _ => outcome.added += 1,
        }
        read += 1;
        if read % 500 == 0 && !progress(read, length.guess(read)) {
            return Err(StoreError::Cancelled.into());
        }
    }
    Ok(Preview { outcome, plan, same_names, notices: export.into_notices(on_conflict)? })
}
