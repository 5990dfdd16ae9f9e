//! `rekey`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::{Access, Run};
use crate::cli::context;
use crate::cli::context::Session;
use crate::cli::render::output::Output;
use crate::cli::value_enums::KeyKind;
use crate::cli::{DONE, NEEDS_ATTENTION};
use crate::domain::Remote;
use crate::service::ServiceError;
use crate::store::{Store, StoreError};
use crate::text::grouped;
use crate::vault::{PASSPHRASE_PREFIX, Reencryption, Vault, key_id_of};

const EXAMPLES: &str = "\
Examples:
  connector-admin rekey --dry-run
  connector-admin rekey
  connector-admin rekey --to passphrase";

/// Re-encrypt all secrets with a new key (resumable)
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Rekey {
    /// Switch to this kind of key; a new passphrase comes from $CONNECTOR_ADMIN_NEW_PASSPHRASE or a prompt
    #[arg(long, value_enum)]
    to: Option<KeyKind>,
    /// Show how many secrets each key encrypts, change nothing
    #[arg(long, conflicts_with = "to")]
    dry_run: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Rekey {
    fn access(&self) -> Access {
        if self.dry_run { Access::Read } else { Access::Write }
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        if self.dry_run {
            return count(&context.read()?, self.json, output);
        }
        let mut store = context.open_existing(output)?;
        let vault = context.vault(&store)?;
        if !has_secrets(&store)? {
            bail!("{}: no secrets to encrypt, so no key was created", context.file.display());
        }
        let key = choose_key(&vault, &store, self.to)?;
        let rotation = rotate(&mut store, &vault, output)?;
        report(&key, &rotation, self.json, output)?;
        if !vault.uses_passphrase() {
            let file = context.key_file()?;
            output.notice(&format!("the key is in {}; keep a copy of it", file.display()));
        }
        Ok(if rotation.is_complete && rotation.unreadable.is_empty() { DONE } else { NEEDS_ATTENTION })
    }
}

/// The result of a rotation.
#[derive(Default)]
struct Rotation {
    reencrypted: u64,
    current: u64,
    unreadable: Vec<(String, String)>,
    is_complete: bool,
}

/// The environment variable with the new passphrase.
const NEW_PASSPHRASE: &str = "CONNECTOR_ADMIN_NEW_PASSPHRASE";

/// Values that an earlier, unfinished change encrypted with a third passphrase would stay apart from the rest.
fn refuse_a_third_passphrase(vault: &Vault, store: &Store) -> anyhow::Result<()> {
    if store.encrypted_with_prefix(PASSPHRASE_PREFIX)?.iter().any(|encrypted| vault.is_of_another_passphrase(encrypted))
    {
        bail!(
            "some secrets are encrypted with another passphrase than the old and the new one, for example by a \
             rekey that was stopped. Nothing was changed: give that one as the new passphrase to finish, or as the \
             old one"
        );
    }
    Ok(())
}

fn has_secrets(store: &Store) -> Result<bool, StoreError> {
    let mut has_any = store.remotes()?.iter().any(|remote| remote.credential.is_some());
    store.each::<StoreError>(|connector| {
        has_any |= connector.secrets.is_some();
        Ok(())
    })?;
    Ok(has_any)
}

/// Returns the key to encrypt with: for a key file a new one, or that of an unfinished rotation, which is resumed.
fn choose_key(vault: &Vault, store: &Store, to: Option<KeyKind>) -> anyhow::Result<String> {
    match to {
        Some(KeyKind::Passphrase) => {
            let new = match context::secret_in(NEW_PASSPHRASE)? {
                Some(given) => given,
                None => context::prompt_twice("New passphrase for the secrets: ", NEW_PASSPHRASE)?,
            };
            vault.rotate(Some(new))?;
            refuse_a_third_passphrase(vault, store)?;
        }
        None if vault.uses_passphrase() => {}
        None | Some(KeyKind::KeyFile) => {
            let newest = vault.key_ids()?.pop();
            let (mut is_finished, mut can_decrypt) = (true, false);
            store.each::<StoreError>(|connector| {
                let id = connector.secrets.as_deref().and_then(key_id_of);
                let opens = id.is_some() && vault.open(&connector).is_ok();
                can_decrypt |= opens;
                // A value without an available key does not wait for a rotation.
                is_finished &= id == newest || !opens;
                Ok(())
            })?;
            for remote in store.remotes()?.iter().filter(|remote| remote.credential.is_some()) {
                let id = remote.credential.as_deref().and_then(key_id_of);
                let opens = vault.open(remote).is_ok();
                can_decrypt |= opens;
                is_finished &= id == newest || !opens;
            }
            if !can_decrypt {
                bail!(
                    "no available key decrypts the secrets, so no key was created; name the right one with --key-file"
                );
            }
            match newest {
                Some(_) if !is_finished => vault.encrypt_with_key_file(),
                _ => drop(vault.rotate(None)?),
            }
        }
    }
    Ok(vault.sealing_key_id()?.as_str().to_owned())
}

/// Ctrl-C stops between two batches; finished batches are kept.
fn rotate(store: &mut Store, vault: &Vault, output: &Output) -> anyhow::Result<Rotation> {
    let stop = Arc::new(AtomicBool::new(false));
    let handler =
        signal_hook::flag::register(signal_hook::consts::SIGINT, stop.clone()).context("Ctrl-C cannot be handled")?;
    let mut rotation = Rotation::default();
    let progress = output.progress();
    let whole = store.reencrypt::<ServiceError>(
        |connector| match vault.reencrypt(connector)? {
            Reencryption::Current => {
                rotation.current += 1;
                Ok(None)
            }
            Reencryption::Reencrypted(encrypted) => {
                rotation.reencrypted += 1;
                Ok(Some(encrypted))
            }
            Reencryption::Unreadable(reason) => {
                rotation.unreadable.push((connector.id.clone(), reason.to_string()));
                Ok(None)
            }
        },
        &mut |done, total| {
            progress.bar("re-encrypted", done, total, "secrets (Ctrl-C stops, run again to resume)");
            !stop.load(Ordering::Relaxed)
        },
    );
    drop(progress);
    signal_hook::low_level::unregister(handler);
    rotation.is_complete = whole?;
    if rotation.is_complete {
        reencrypt_credentials(store, vault, &mut rotation.unreadable)?;
        // Another key makes other fingerprints; without new ones all would count as never sent.
        store.refingerprint::<ServiceError>(|record, old| match vault.open(record) {
            Ok(open) if vault.is_fingerprint(old, &record.id, open.secret()) => {
                Ok(Some(vault.fingerprint(&record.id, open.secret())?))
            }
            _ => Ok(None),
        })?;
    }
    Ok(rotation)
}

/// Re-encrypts the credentials of all remotes with the newest key; unreadable ones are added to `unreadable`.
fn reencrypt_credentials(
    store: &mut Store,
    vault: &Vault,
    unreadable: &mut Vec<(String, String)>,
) -> anyhow::Result<()> {
    for remote in store.remotes()?.into_iter().filter(|remote| remote.credential.is_some()) {
        match vault.reencrypt(&remote)? {
            Reencryption::Current => {}
            Reencryption::Reencrypted(encrypted) => {
                store.put_remote(&Remote { credential: Some(encrypted), ..remote })?;
            }
            Reencryption::Unreadable(reason) => {
                unreadable.push((format!("remote {}", remote.name), reason.to_string()));
            }
        }
    }
    Ok(())
}

fn report(key: &str, rotation: &Rotation, json: bool, output: &mut Output) -> anyhow::Result<()> {
    if json {
        let unreadable: Vec<Value> =
            rotation.unreadable.iter().map(|(id, reason)| json!({"id": id, "reason": reason})).collect();
        output.json(&json!({
            "key": key,
            "reencrypted": rotation.reencrypted,
            "current": rotation.current,
            "unreadable": unreadable,
            "stopped": !rotation.is_complete,
        }))?;
        return Ok(());
    }
    output.line(&format!(
        "key {key}: {} re-encrypted, {} already encrypted with it",
        grouped(rotation.reencrypted),
        grouped(rotation.current)
    ))?;
    for (id, reason) in &rotation.unreadable {
        output.line(&format!("skipped {id}: {reason}"))?;
    }
    if !rotation.is_complete {
        output.line("Stopped before the end; run `connector-admin rekey` again to resume")?;
    }
    Ok(())
}

/// Counts the secrets of each key.
fn count(store: &Store, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let mut by_key: BTreeMap<String, u64> = BTreeMap::new();
    store.each::<StoreError>(|connector| {
        if let Some(secrets) = &connector.secrets {
            let key = key_id_of(secrets).map_or_else(|| "another program".to_owned(), |id| id.as_str().to_owned());
            *by_key.entry(key).or_default() += 1;
        }
        Ok(())
    })?;
    for key in store.remotes()?.iter().filter_map(|remote| key_id_of(remote.credential.as_deref()?)) {
        *by_key.entry(key.as_str().to_owned()).or_default() += 1;
    }
    if json {
        output.json(&json!(by_key))?;
    } else {
        let rows: Vec<Vec<String>> = by_key.into_iter().map(|(key, count)| vec![key, count.to_string()]).collect();
        output.table(&["ENCRYPTED WITH KEY", "SECRETS"], &rows)?;
    }
    Ok(DONE)
}
