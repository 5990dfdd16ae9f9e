//! Import of an export, with a preview.

use std::path::Path;

use super::ServiceError;
use crate::domain::catalogue::ConnectorType;
use crate::domain::derived::Derived;
use crate::domain::secrets::SecretHolder as _;
use crate::domain::{Catalogue, Connector, Group, SecretsState, migration};
use crate::kibana::saved_objects::{ExportReader, ImportWarnings, ImportedConnector, without_origin};
use crate::parallel::read_ahead;
use crate::store::{
    ImportOptions, ImportOutcome, NewConnector, OnConflict, PlanCounts, Progress, Store, StoreError, TempIdSet,
};
use crate::vault::Vault;

/// The source and the options of an import.
#[derive(Clone, Copy, Debug)]
pub struct ImportRequest<'a> {
    /// The export; `-` is standard input.
    pub source: &'a Path,
    /// About ids that exist.
    pub on_conflict: OnConflict,
    /// Keep a copy of the file before a large import, as in [`ImportOptions`].
    pub create_automatic_backup: bool,
}

/// Called with the old and the new id of each duplicate.
pub type Renamed<'a> = &'a mut dyn FnMut(&str, &str) -> Result<(), ServiceError>;

/// Imports an export, all or nothing. Plain secrets, which Kibana never exports but a hand-written file may contain,
/// are encrypted before they reach the file. The total in `progress` is an estimate.
///
/// # Errors
/// The number of an invalid line and the reason; if a file cannot be read or written.
pub fn import(
    store: &mut Store,
    vault: &Vault,
    importing: ImportRequest<'_>,
    now: &str,
    renamed: Renamed<'_>,
    progress: Progress<'_>,
) -> Result<(ImportOutcome, ImportWarnings), ServiceError> {
    let catalogue = store.catalogue();
    let ImportRequest { source, on_conflict, create_automatic_backup } = importing;
    let creates_new_copies = on_conflict == OnConflict::CreateNewCopies;
    let mut export = ExportReader::open(source)?;
    // Under new ids no connector comes twice for the file.
    let ids = creates_new_copies.then(TempIdSet::new).transpose()?;
    let length = export.length();
    let name =
        source.file_name().map_or_else(|| "standard input".to_owned(), |name| name.to_string_lossy().into_owned());
    let name = if source == Path::new("-") { "standard input" } else { &name };
    let options = ImportOptions { on_conflict, create_automatic_backup, source: name };
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
            refuse_repeated(ids.as_ref(), &incoming.connector.id)?;
            let connector = ready(vault, incoming, creates_new_copies.then_some(&mut *renamed), catalogue)?;
            Ok::<_, ServiceError>(NewConnector { connector, derived })
        });
        let keep =
            &mut |current: &Connector, incoming: &mut Connector| keep_secrets(vault, current, incoming, catalogue);
        store.import(&mut connectors, options, keep, now, |read| progress(read, length.guess(read)))
    });
    let outcome = match outcome {
        Err(ServiceError::Store(StoreError::Repeated(id))) => {
            return Err(export.refuse_repeated(line, &id).into());
        }
        outcome => outcome?,
    };
    Ok((outcome, warnings_of(export, on_conflict)?))
}

/// Refuses an id that came before in the same export.
fn refuse_repeated(ids: Option<&TempIdSet>, id: &str) -> Result<(), StoreError> {
    match ids.map(|ids| ids.insert(id)).transpose()? {
        Some(false) => Err(StoreError::Repeated(id.to_owned())),
        _ => Ok(()),
    }
}

/// Returns the warnings about a completely read export.
fn warnings_of(export: ExportReader, on_conflict: OnConflict) -> Result<ImportWarnings, ServiceError> {
    let mut warnings = export.into_warnings()?;
    if on_conflict == OnConflict::CreateNewCopies {
        // Duplicates get new ids.
        warnings.long_ids = 0;
    }
    Ok(warnings)
}

/// Prepares a connector of an export for the file: a new id if `renamed` is given, and its plain secrets encrypted.
fn ready(
    vault: &Vault,
    incoming: ImportedConnector,
    renamed: Option<Renamed<'_>>,
    catalogue: &Catalogue,
) -> Result<Connector, ServiceError> {
    let ImportedConnector { mut connector, plain_secrets, .. } = incoming;
    if let Some(renamed) = renamed {
        let new_id = uuid::Uuid::new_v4().to_string();
        renamed(&connector.id, &new_id)?;
        connector.id = new_id;
        connector.extra = without_origin(&connector.extra);
        // Ciphertext is bound to the id it had.
        connector.is_missing_secrets |= connector.secrets.take().is_some();
    }
    if let Some(secret) = plain_secrets {
        connector.is_missing_secrets = catalogue.misses_secrets(&connector, &secret.state());
        connector.secrets = Some(vault.encrypt(&connector, secret.secret())?);
    }
    Ok(connector)
}

/// Gives a connector that replaces another one the stored secrets: an export holds none, and the stored ones are kept
/// as long as type and config need the same. They stay byte for byte where possible.
fn keep_secrets(
    vault: &Vault,
    current: &Connector,
    incoming: &mut Connector,
    catalogue: &Catalogue,
) -> Result<(), ServiceError> {
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
    if still_fit(current, incoming, &open.state(), catalogue) {
        incoming.is_missing_secrets = false;
        incoming.secrets = Some(vault.encrypt(incoming, open.secret())?);
    }
    Ok(())
}

/// Returns whether stored secrets fit the replacing connector.
fn still_fit(current: &Connector, incoming: &Connector, state: &SecretsState, catalogue: &Catalogue) -> bool {
    let known = catalogue.get(&incoming.connector_type_id);
    // The auth type among the secrets is that of the config too.
    let is_same_connection = match known.is_some_and(ConnectorType::keeps_auth_type_in_secrets) {
        true => incoming.auth_type().name().is_none_or(|name| Some(name) == state.auth_type()),
        false => incoming.auth_type() == current.auth_type(),
    };
    current.connector_type_id == incoming.connector_type_id
        && known.is_some()
        && is_same_connection
        && !catalogue.misses_secrets(incoming, state)
}

/// The preview of an import, with the migration of the imported connectors.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// The result.
    pub outcome: ImportOutcome,
    /// The warnings.
    pub notices: ImportWarnings,
    /// The plan of the imported connectors.
    pub plan: PlanCounts,
    /// So many have the name of another connector that is in the file.
    pub same_names: u64,
}

/// Returns the effect of an import; nothing is written. Without a store the file does not exist yet.
///
/// # Errors
/// As for [`import`].
pub fn preview(
    store: Option<(&Store, &Vault)>,
    source: &Path,
    on_conflict: OnConflict,
    progress: Progress<'_>,
    catalogue: &Catalogue,
) -> Result<Preview, ServiceError> {
    let mut export = ExportReader::open(source)?;
    let ids = TempIdSet::new()?;
    let length = export.length();
    let (mut outcome, mut plan, mut read) = (ImportOutcome::default(), PlanCounts::default(), 0);
    let mut same_names = 0;
    while let Some(imported) = export.next() {
        let ImportedConnector { mut connector, plain_secrets, line, .. } = imported?;
        if !ids.insert(&connector.id)? {
            return Err(export.refuse_repeated(line, &connector.id).into());
        }
        let exists = match store {
            Some((store, _)) => store.row_id(&connector.id)?.is_some(),
            None => false,
        };
        if let (Some((store, vault)), true, None, OnConflict::Overwrite) = (store, exists, &plain_secrets, on_conflict)
            && let Some(current) = store.get(&connector.id)?
        {
            keep_secrets(vault, &current, &mut connector, catalogue)?;
            outcome.count_secrets(&current, &connector);
        }
        outcome.missing_secrets += u64::from(connector.is_missing_secrets && plain_secrets.is_none());
        match migration::plan(&connector).map(|plan| plan.group) {
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
    Ok(Preview { outcome, plan, same_names, notices: warnings_of(export, on_conflict)? })
}
