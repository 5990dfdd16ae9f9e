//! Imports connectors, all or nothing, as one step of the history.

use rusqlite::Connection;

use super::error::StoreError;
use super::file::backup::{COPY_FROM, create_automatic_backup};
use super::file::inspect::connect_for_writing;
use super::file::open::{INDEX_CACHE, Store, write_schema};
use super::file::schema;
use super::history::{Journal, OperationKind};
use super::migration::forget_decision;
use super::records::connectors::get;
use crate::domain::Connector;
use crate::domain::derived::{Derived, key_of};

/// What to do with ids that already exist; Kibana's import has the same choices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// Report them and change nothing.
    #[default]
    Report,
    /// Replace the records. An export holds no secrets, so those that are stored stay where they still fit.
    Overwrite,
    /// Every imported connector gets a new id.
    CreateNewCopies,
}

/// The options of an import.
#[derive(Clone, Copy, Debug)]
pub struct ImportOptions<'a> {
    /// About ids that exist.
    pub on_conflict: OnConflict,
    /// Keep a copy of the file before an import of more than [`COPY_FROM`] records.
    pub create_automatic_backup: bool,
    /// The export's name, for the history.
    pub source: &'a str,
}

/// The result of an import or of its preview.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOutcome {
    /// The history step, if anything was written.
    pub step: Option<i64>,
    /// Records added.
    pub added: u64,
    /// Records replaced.
    pub replaced: u64,
    /// Of both: records that miss their secrets.
    pub missing_secrets: u64,
    /// Replaced records that keep the secrets that were stored.
    pub kept_secrets: u64,
    /// Replaced records whose stored secrets are lost.
    pub lost_secrets: u64,
    /// Ids that already exist; if there are any, nothing was written.
    pub conflicts: Conflicts,
}

/// Ids of an import that already exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflicts {
    /// The number of ids.
    pub count: u64,
    /// The first of them, at most [`Conflicts::NAMED`].
    pub ids: Vec<String>,
}

impl Conflicts {
    /// The largest number of ids to list; all ids of a million would take a hundred megabytes.
    pub const NAMED: usize = 10_000;

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds one.
    pub fn push(&mut self, id: String) {
        self.count += 1;
        if self.ids.len() < Self::NAMED {
            self.ids.push(id);
        }
    }
}

impl ImportOutcome {
    /// Counts the effect on stored secrets when a record is replaced.
    pub fn count_secrets(&mut self, current: &Connector, replacing: &Connector) {
        match (&current.secrets, &replacing.secrets) {
            (None, _) => {}
            (Some(_), None) => self.lost_secrets += 1,
            (Some(_), Some(_)) => self.kept_secrets += 1,
        }
    }
}

/// A connector to import, with its derived values; only its secrets and its id may have changed since they were
/// derived.
#[derive(Debug)]
pub struct NewConnector {
    /// The record.
    pub connector: Connector,
    /// The derived values.
    pub derived: Derived,
}

impl From<Connector> for NewConnector {
    fn from(connector: Connector) -> Self {
        let derived = Derived::of(&connector);
        Self { connector, derived }
    }
}

/// Gives a record that replaces another one the secrets of that one, where they still fit.
pub type Keeping<'a, E> = &'a mut dyn FnMut(&Connector, &mut Connector) -> Result<(), E>;

impl Store {
    /// Imports the connectors of an iterator. An error, a conflict or a stop leaves the file unchanged.
    ///
    /// # Errors
    /// Those of `connectors` and `keep`; if the file cannot be written.
    pub fn import<C: Into<NewConnector>, E: From<StoreError>>(
        &mut self,
        connectors: &mut dyn Iterator<Item = Result<C, E>>,
        options: ImportOptions<'_>,
        keep: Keeping<'_, E>,
        now: &str,
        progress: impl FnMut(u64) -> bool,
    ) -> Result<ImportOutcome, E> {
        self.at_once(|store| store.import_at_once(connectors, options, keep, now, progress))
    }

    fn import_at_once<C: Into<NewConnector>, E: From<StoreError>>(
        &mut self,
        connectors: &mut dyn Iterator<Item = Result<C, E>>,
        options: ImportOptions<'_>,
        keep: Keeping<'_, E>,
        now: &str,
        mut progress: impl FnMut(u64) -> bool,
    ) -> Result<ImportOutcome, E> {
        let path = self.path.clone();
        let wrap = |error| StoreError::of_sqlite(&path, "importing", error);
        let mut outcome = ImportOutcome::default();
        let is_new = self.totals()?.0 == 0;
        let done = self.transaction("importing", |connection| {
            let mut journal =
                Journal::begin(connection, OperationKind::Import, None, Some(options.source), now).map_err(wrap)?;
            if is_new {
                drop_indexes(connection).map_err(wrap)?;
            }
            for connector in connectors {
                let NewConnector { mut connector, derived } = connector.map_err(Abort::Failed)?.into();
                let current = match options.on_conflict {
                    OnConflict::CreateNewCopies => None,
                    OnConflict::Report | OnConflict::Overwrite => get(connection, &connector.id).map_err(wrap)?,
                };
                // Rows of this import carry its step as the revision.
                if current.as_ref().is_some_and(|current| current.revision == journal.step()) {
                    return Err(Abort::Failed(StoreError::Repeated(connector.id).into()));
                }
                if let (Some(current), OnConflict::Overwrite) = (&current, options.on_conflict) {
                    keep(current, &mut connector).map_err(Abort::Failed)?;
                    outcome.count_secrets(current, &connector);
                }
                apply_pull(&mut journal, (current, connector, derived), options.on_conflict, &mut outcome)
                    .map_err(wrap)?;
                let read = outcome.added + outcome.replaced;
                if read == COPY_FROM && options.create_automatic_backup && !is_new {
                    // Others see the file as it was before this transaction; so does the copy.
                    create_automatic_backup(&path, &mut |_, _| true).map_err(|error| Abort::Failed(error.into()))?;
                }
                if read % 500 == 0 && !progress(read) {
                    return Err(Abort::Failed(StoreError::Cancelled.into()));
                }
            }
            if !outcome.conflicts.is_empty() {
                return Err(Abort::KeepNothing);
            }
            if is_new {
                make_indexes(connection).map_err(wrap)?;
            }
            // An empty import leaves nothing behind, not even a transaction.
            journal.finish().map_err(wrap)?.map(Some).ok_or(Abort::KeepNothing)
        });
        match done {
            Ok(step) => Ok(ImportOutcome { step, ..outcome }),
            Err(Abort::KeepNothing) => Ok(outcome),
            Err(Abort::Failed(error)) => Err(error),
        }
    }

    /// Writes a file of schema 1, as earlier programs did.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_schema_1(path: &std::path::Path, connectors: &[Connector]) -> Result<(), StoreError> {
        write_schema(path, 1)?;
        let wrap = |error| StoreError::of_sqlite(path, "writing the file", error);
        let mut connection = connect_for_writing(path)?;
        let transaction = connection.transaction().map_err(wrap)?;
        for connector in connectors {
            transaction
                .prepare_cached("INSERT INTO connectors VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)")
                .and_then(|mut statement| {
                    statement.execute(rusqlite::params![
                        connector.id,
                        connector.connector_type_id,
                        connector.name,
                        connector.config,
                        connector.secrets,
                        connector.is_missing_secrets,
                        connector.extra,
                        connector.model_version,
                        connector.created_at,
                        connector.updated_at,
                    ])
                })
                .map_err(wrap)?;
        }
        transaction.commit().map_err(wrap)
    }
}

/// Why the transaction of an import is rolled back.
enum Abort<E> {
    KeepNothing,
    Failed(E),
}

impl<E: From<StoreError>> From<StoreError> for Abort<E> {
    fn from(error: StoreError) -> Self {
        Abort::Failed(error.into())
    }
}

fn apply_pull(
    journal: &mut Journal<'_>,
    (current, mut connector, mut derived): (Option<Connector>, Connector, Derived),
    on_conflict: OnConflict,
    outcome: &mut ImportOutcome,
) -> rusqlite::Result<()> {
    outcome.missing_secrets += u64::from(connector.is_missing_secrets);
    match current {
        None => {
            derived.key_id = connector.secrets.as_deref().map(key_of).map(str::to_owned);
            journal.insert_derived(&mut connector, &derived)?;
            outcome.added += 1;
        }
        Some(current) if on_conflict == OnConflict::Overwrite => {
            journal.update(&current, &mut connector)?;
            // The decision was about the replaced record.
            forget_decision(journal.connection(), connector.key)?;
            outcome.replaced += 1;
        }
        Some(_) => outcome.conflicts.push(connector.id),
    }
    Ok(())
}

/// Building an index over all rows at once takes a fraction of the time of row after row.
fn drop_indexes(connection: &Connection) -> rusqlite::Result<()> {
    let of_schema = schema::indexes().flat_map(|step| step.sql.split("CREATE INDEX ").skip(1));
    of_schema
        .filter_map(|index| index.split_whitespace().next())
        .try_for_each(|name| connection.execute_batch(&format!("DROP INDEX IF EXISTS {name}")))
}

fn make_indexes(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "cache_size", -INDEX_CACHE)?;
    schema::indexes().try_for_each(|step| connection.execute_batch(step.sql))
}
