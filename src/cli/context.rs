//! The common context of all commands: the connectors file, the keys, the user's connector types.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use etcetera::BaseStrategy;
use zeroize::Zeroizing;

use super::args::UiArgs;
use super::render::output::{Output, prompt_hidden};
use crate::clock;
use crate::config::Config;
use crate::demo::keys_of;
use crate::domain::{Catalogue, Filter};
use crate::fs;
use crate::service::keys::{check_passphrase, find_unreadable_keys};
use crate::store::{self, Inspection, Reading, Store, StoreError, UpgradeReport};
use crate::vault::{KeyOptions, PASSPHRASE_PREFIX, Passphrase, Vault};

/// The environment variable with the passphrase.
const PASSPHRASE: &str = "CONNECTOR_ADMIN_PASSPHRASE";

/// The global arguments of a command.
pub(super) struct Session {
    /// The file that the arguments name.
    pub(super) file: Option<PathBuf>,
    pub(super) reading: Reading,
    pub(super) key_file: Option<PathBuf>,
    pub(super) prompt_passphrase: bool,
    pub(super) ui: UiArgs,
    /// The user's configuration, for commands that use it.
    pub(super) config: Config,
    /// The connector types that the program knows.
    pub(super) catalogue: &'static Catalogue,
}

impl Session {
    /// Returns the connectors file with its keys; the environment and the platform's directories fill in.
    pub(super) fn context(&self) -> anyhow::Result<Context> {
        Context::new(self.file.clone(), self.reading, self.key_file.clone(), self.prompt_passphrase, self.catalogue)
    }
}

/// The file and the keys that the arguments and the environment name.
pub(super) struct Context {
    pub(super) file: PathBuf,
    pub(super) reading: Reading,
    key_file: Option<PathBuf>,
    prompt_passphrase: bool,
    pub(super) catalogue: &'static Catalogue,
}

impl Context {
    fn new(
        file: Option<PathBuf>,
        reading: Reading,
        key_file: Option<PathBuf>,
        prompt_passphrase: bool,
        catalogue: &'static Catalogue,
    ) -> anyhow::Result<Self> {
        let file = match file.or_else(|| path_in("CONNECTOR_ADMIN_FILE")) {
            Some(file) => file,
            None => directories()
                .context("name the file with --file FILE or $CONNECTOR_ADMIN_FILE")?
                .data_dir()
                .join("connector-admin")
                .join("connectors.db"),
        };
        Ok(Self { file, reading, key_file, prompt_passphrase, catalogue })
    }

    /// Opens the file for writing, after an upgrade if one is needed; creates it if it does not exist.
    pub(super) fn open(&self, output: &Output) -> anyhow::Result<(Store, Option<UpgradeReport>)> {
        self.open_at(&self.file, output)
    }

    /// Opens another path for writing as [`Context::open`] does.
    pub(super) fn open_at(&self, file: &Path, output: &Output) -> anyhow::Result<(Store, Option<UpgradeReport>)> {
        let progress = output.progress();
        let opened = Store::open(file, &Arc::default(), &mut |stage| {
            progress.text(&stage.to_string());
            Ok(())
        });
        drop(progress);
        let (mut store, upgraded) = opened?;
        let progress = output.progress();
        store.when_waiting(move || {
            progress.text("waiting for another program that is writing to the file");
        });
        let limits = store.history_limits()?;
        store.prune(limits, clock::now(), &mut |_, _| true)?;
        let store = store.with_commit_flag(output.commit_flag()).with_catalogue(self.catalogue);
        if let Some(report) = &upgraded {
            output.notice(&format!(
                "upgraded {} from schema {} to {}; backup: {}",
                file.display(),
                report.from,
                report.to,
                report.backup.display()
            ));
        }
        Ok((store, upgraded))
    }

    /// Opens an existing file for writing, after an upgrade if one is needed.
    pub(super) fn open_existing(&self, output: &Output) -> anyhow::Result<Store> {
        if store::inspect(&self.file, Reading::Shared)? == Inspection::Missing {
            return Err(no_such_file(&self.file));
        }
        Ok(self.open(output)?.0)
    }

    /// Opens the file for a command that only reads it.
    pub(super) fn read(&self) -> anyhow::Result<Store> {
        let store = Store::open_read_only(&self.file, self.reading).map_err(|error| match error {
            StoreError::Missing(file) => no_such_file(&file),
            error => error.into(),
        });
        store.map(|store| store.with_catalogue(self.catalogue))
    }

    /// Opens the file for reading, with the keys if the filter depends on them.
    pub(super) fn read_for(&self, filter: &Filter) -> anyhow::Result<Store> {
        let mut store = self.read()?;
        self.find_keys(&mut store, filter)?;
        Ok(store)
    }

    /// Finds the available keys, if the filter depends on them.
    pub(super) fn find_keys(&self, store: &mut Store, filter: &Filter) -> anyhow::Result<()> {
        if filter.reads_keys() {
            find_unreadable_keys(&self.vault(store)?, store)?;
        }
        Ok(())
    }

    /// Inspects the file, as [`Context::read`] would open it.
    pub(super) fn inspect(&self) -> Result<Inspection, StoreError> {
        store::inspect(&self.file, self.reading)
    }

    /// The key file, made or not.
    pub(super) fn key_file(&self) -> anyhow::Result<PathBuf> {
        if let Some(path) = self.key_file.clone().or_else(|| path_in("CONNECTOR_ADMIN_KEY_FILE")) {
            return Ok(path);
        }
        // A demo that was kept has its key file next to it.
        let next_to_file = keys_of(&self.file).key_file;
        if next_to_file.is_file() {
            return Ok(next_to_file);
        }
        let directories = directories().context("name the key file with --key-file or $CONNECTOR_ADMIN_KEY_FILE")?;
        Ok(directories.config_dir().join("connector-admin").join("keys"))
    }

    /// Returns the source of the keys; prompts for the passphrase if one is needed.
    pub(super) fn keys(&self) -> anyhow::Result<KeyOptions> {
        self.key_options(self.passphrase(|| self.is_new_passphrase())?)
    }

    fn key_options(&self, passphrase: Option<Passphrase>) -> anyhow::Result<KeyOptions> {
        let key_file = self.key_file()?;
        let next_to_file = Some(keys_of(&self.file).key_file).filter(|found| *found != key_file);
        Ok(KeyOptions { key_file, next_to_file, passphrase })
    }

    fn passphrase(&self, is_new: impl FnOnce() -> bool) -> anyhow::Result<Option<Passphrase>> {
        if let Some(given) = secret_in(PASSPHRASE)? {
            return Ok(Some(given));
        }
        if !self.prompt_passphrase {
            return Ok(None);
        }
        let prompt = "Passphrase for the secrets: ";
        if is_new() { prompt_twice(prompt, PASSPHRASE) } else { prompt_for(prompt, PASSPHRASE) }.map(Some)
    }

    /// Returns whether no secret of the file was encrypted with a passphrase yet, so that a typing error would go
    /// unnoticed. Only for a file that this process has not opened: inspecting it would drop its locks (a rule of
    /// POSIX).
    fn is_new_passphrase(&self) -> bool {
        let exists = matches!(self.inspect(), Ok(Inspection::Connectors { .. }));
        let encrypted = exists.then(|| Ok::<_, anyhow::Error>(self.read()?.encrypted_with_prefix(PASSPHRASE_PREFIX)?));
        !matches!(encrypted, Some(Ok(encrypted)) if !encrypted.is_empty())
    }

    /// The vault for a file that is open.
    pub(super) fn vault(&self, store: &Store) -> anyhow::Result<Vault> {
        let is_new = || store.encrypted_with_prefix(PASSPHRASE_PREFIX).is_ok_and(|encrypted| encrypted.is_empty());
        let vault = Vault::new(self.key_options(self.passphrase(is_new)?)?);
        check_passphrase(&vault, store)??;
        Ok(vault)
    }
}

pub(super) fn no_such_file(file: &Path) -> anyhow::Error {
    anyhow::anyhow!("{}: no such file; import an export to create it, or name another with --file", file.display())
}

/// Returns the default path of the user's connector types.
pub(super) fn types_file() -> anyhow::Result<PathBuf> {
    match path_in("CONNECTOR_ADMIN_TYPES") {
        Some(named) => Ok(named),
        None => Ok(directories()?.config_dir().join("connector-admin").join("connector_types.json")),
    }
}

/// Returns the catalogue with the user's connector types: `--types`, `$CONNECTOR_ADMIN_TYPES`, or `connector_types.json` in
/// the platform's configuration directory.
pub(super) fn load_catalogue(named: Option<PathBuf>) -> anyhow::Result<&'static Catalogue> {
    let is_named = named.is_some() || path_in("CONNECTOR_ADMIN_TYPES").is_some();
    let Some(path) = named.or_else(|| types_file().ok()).filter(|path| is_named || path.exists()) else {
        return Ok(Catalogue::built_in());
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| anyhow::anyhow!("{} cannot be read: {}", path.display(), fs::reason(&error)))?;
    match Catalogue::from_built_in().with(&text) {
        // It lives as long as the program, like the built-in one.
        Ok(catalogue) => Ok(Box::leak(Box::new(catalogue))),
        Err(reason) => bail!("{}, {reason}. None of its types is used", path.display()),
    }
}

/// Returns the default path of the configuration.
pub(super) fn config_file() -> anyhow::Result<PathBuf> {
    match path_in("CONNECTOR_ADMIN_CONFIG") {
        Some(named) => Ok(named),
        None => Ok(directories()?.config_dir().join("connector-admin").join("config.toml")),
    }
}

/// Returns the path of the UI state; `None` without a home, or if `$CONNECTOR_ADMIN_STATE` is empty.
pub(super) fn state_file() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CONNECTOR_ADMIN_STATE") {
        return Some(PathBuf::from(named)).filter(|path| !path.as_os_str().is_empty());
    }
    let directories = directories().ok()?;
    let folder = directories.state_dir().unwrap_or_else(|| directories.data_dir());
    Some(folder.join("connector-admin").join("state.json"))
}

/// Loads the configuration with the user's keys.
pub(super) fn load_config(named: Option<PathBuf>) -> anyhow::Result<Config> {
    let is_named = named.is_some() || path_in("CONNECTOR_ADMIN_CONFIG").is_some();
    let path = named.or_else(|| config_file().ok());
    let Some(path) = path.clone().filter(|path| is_named || path.exists()) else {
        return Ok(Config { path, ..Config::default() });
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| anyhow::anyhow!("{} cannot be read: {}", path.display(), fs::reason(&error)))?;
    match Config::read(&text) {
        Ok(config) => Ok(Config { path: Some(path), ..config }),
        Err(reason) => Err(anyhow::anyhow!("{}, {reason}", path.display())),
    }
}

fn path_in(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A passphrase from the environment.
pub(super) fn secret_in(variable: &str) -> anyhow::Result<Option<Passphrase>> {
    match std::env::var(variable) {
        // An empty one is a mistake of a script, which must not end in another kind of key.
        Ok(text) if text.is_empty() => bail!("${variable} is set but empty; give the passphrase or unset it"),
        Ok(text) => Ok(Passphrase::new(Zeroizing::new(text))),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => bail!("${variable} is not UTF-8"),
    }
}

fn prompt_for(prompt: &str, variable: &str) -> anyhow::Result<Passphrase> {
    let Ok(text) = prompt_hidden(prompt) else {
        bail!("no terminal to prompt for the passphrase; set ${variable}");
    };
    Passphrase::new(text).context("the passphrase is empty; nothing was done")
}

/// Prompts for a new passphrase, twice.
pub(super) fn prompt_twice(prompt: &str, variable: &str) -> anyhow::Result<Passphrase> {
    let first = prompt_for(prompt, variable)?;
    if prompt_for("The same again: ", variable)? != first {
        bail!("these were two different passphrases; nothing was done");
    }
    Ok(first)
}

fn directories() -> anyhow::Result<impl BaseStrategy> {
    etcetera::choose_base_strategy().context("no home directory")
}
