//! The demo: a throw-away schema 1 file with realistic connectors, so that the whole story (upgrade,
//! review, edit) can be played at once.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufReader, Cursor};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::domain::catalogue::Field;
use crate::domain::secrets::{Secret, SecretEdits};
use crate::domain::{AuthMode, Catalogue, Connector, json};
use crate::fs::TemporaryFolder;
use crate::kibana::saved_objects::ExportReader;
use crate::store::{self, Store};
use crate::vault::{KeyOptions, Vault};

/// The connector whose secrets keep Kibana's encryption.
const FOREIGN: &str = "Release webhook (9.4)";

/// The demo's connectors, as an export.
const CONNECTORS: &str = include_str!("../assets/demo.ndjson");

/// A demo file, deleted when dropped unless it is to be kept.
pub struct Demo {
    path: PathBuf,
    folder: Option<TemporaryFolder>,
}

impl Demo {
    /// Creates the file, in a temporary folder or at `keep`.
    ///
    /// # Errors
    /// If it cannot be written, or `keep` exists.
    pub fn create(keep: Option<&Path>, catalogue: &Catalogue) -> anyhow::Result<Self> {
        let (path, folder) = match keep {
            Some(path) => (path.to_owned(), None),
            None => {
                let folder = TemporaryFolder::new().context("no temporary folder for the demo")?;
                (folder.path().join("demo.db"), Some(folder))
            }
        };
        store::check_no_stray_log(&path)?;
        anyhow::ensure!(
            !store::is_sidecar_of_a_database(&path),
            "{} is a name that SQLite uses for a file next to another database; name another file",
            path.display()
        );
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path).with_context(|| format!("{} cannot be created", path.display()))?;
        Store::write_schema_1(&path, &connectors(&Vault::new(keys_of(&path)), catalogue)?)?;
        Ok(Self { path, folder })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends the demo; gives the path if the file was to be kept.
    pub fn finish(self) -> Option<PathBuf> {
        self.folder.is_none().then_some(self.path)
    }
}

/// Returns the keys of a demo: next to its file, so that both are removed together.
pub fn keys_of(file: &Path) -> KeyOptions {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".keys");
    KeyOptions { key_file: file.with_file_name(name), next_to_file: None, passphrase: None }
}

/// Returns the demo's records as schema 1 holds them: the auth mode in `extra`, one broken row, encrypted secrets, one
/// of them by Kibana.
fn connectors(vault: &Vault, catalogue: &Catalogue) -> anyhow::Result<Vec<Connector>> {
    let mut export = ExportReader::new("the demo", Box::new(BufReader::new(Cursor::new(CONNECTORS))));
    let mut connectors = Vec::new();
    for connector in export.by_ref() {
        let mut connector = connector?.connector;
        if let Some(mode) = connector.auth_mode.take() {
            connector.extra = with_auth_mode(&connector.extra, mode)?;
        }
        // Where the export has ciphertext, the demo has its own secrets; one keeps Kibana's.
        if connector.secrets.is_some() && connector.name != FOREIGN {
            let edits = secrets_for(&connector, catalogue);
            vault.prepare_secrets(None, &mut connector, &edits, catalogue)?;
        }
        connectors.push(connector);
    }
    let mut broken = Connector::new("legacy-import-broken", ".webhook");
    broken.name = "Legacy import (cut off)".to_owned();
    broken.config = r#"{"url":"https://hooks.meridian.example/legacy","method":"po"#.to_owned();
    broken.model_version = 1;
    broken.updated_at = Some("2024-02-29T23:59:59.000Z".to_owned());
    connectors.push(broken);
    Ok(connectors)
}

/// Returns invented values for the secrets of a record's type.
fn secrets_for(connector: &Connector, catalogue: &Catalogue) -> SecretEdits {
    let config = connector.config_object().unwrap_or_default();
    let value_of = |key: &str| config.get(key).cloned().unwrap_or_default();
    let known = catalogue.get(&connector.connector_type_id);
    let fields = |is_needed: bool| {
        let is_requested = move |field: &&Field| field.applies(value_of) && (!is_needed || field.is_required());
        let value = |field: &Field| (field.name.clone(), Some(Secret::text(&format!("demo-{}", field.name))));
        known.iter().flat_map(|known| &known.secrets).filter(is_requested).map(value).collect::<BTreeMap<_, _>>()
    };
    let by_name = [fields(true), fields(false)].into_iter().find(|fields| !fields.is_empty()).unwrap_or_default();
    // Types of a plugin, and types without known fields, get none.
    let whole = by_name.is_empty().then(|| Secret::json(r#"{"token":"demo-token"}"#.to_owned().into()));
    SecretEdits { by_name, whole }
}

fn with_auth_mode(extra: &str, mode: AuthMode) -> anyhow::Result<String> {
    let mut extra = json::RawObject::parse(extra)?;
    let attributes = format!(r#"{{"authMode":{}}}"#, json::quote(mode.as_str()));
    extra.set("attributes", json::raw(&attributes)?);
    Ok(extra.to_text())
}
