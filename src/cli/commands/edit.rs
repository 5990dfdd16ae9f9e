//! Creating, updating and deleting connectors with the request bodies of Kibana's API.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::{open, open_existing};
use crate::cli::context::Context;
use crate::cli::render::output::{Output, eprint_error};
use crate::cli::{DONE, REFUSED};
use crate::clock;
use crate::domain::{Connector, SecretEdits, SecretsState, is_plain_id, json, validate};
use crate::kibana::body;
use crate::kibana::body::{ApiError, Body};
use crate::kibana::saved_objects::LONG_IDS;
use crate::service::ServiceError;
use crate::service::edit;
use crate::service::keys::key_warnings;
use crate::store::{SaveOutcome, Store, StoreError};
use crate::text::plural;
use crate::vault::Vault;

/// The longest body; a connector has a few kilobytes.
const LONGEST_BODY: u64 = 16 << 20;

/// Reports a refusal: on standard error, with `--json` also as an API error on standard output.
pub(super) fn refuse(file: &Path, error: &ApiError, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    if json {
        output.json(&error.body())?;
    }
    eprint_error(&format!("{}: {error}", file.display()));
    Ok(REFUSED)
}

pub(super) fn create(
    context: &Context,
    id: Option<String>,
    from: &Path,
    json: bool,
    output: &mut Output,
) -> anyhow::Result<u8> {
    let file = context.file.as_path();
    let made = read_body(from).and_then(|body| body.with_id(id).create(&uuid::Uuid::new_v4().to_string()));
    let (connector, secrets) = match made {
        Ok(made) => made,
        Err(error) => return refuse(file, &error, json, output),
    };
    let (mut store, _) = open(file, output)?;
    let vault = vault(context, &store, output)?;
    match edit::create(&mut store, &vault, connector, &secrets, None, &clock::now_iso()) {
        Ok(created) => written("created", &created, json, output),
        Err(ServiceError::Store(StoreError::IdTaken(id))) => {
            let error = ApiError::conflict(format!("a connector with id {id:?} exists already; update it instead"));
            refuse(file, &error, json, output)
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) fn update(context: &Context, id: &str, from: &Path, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let file = context.file.as_path();
    let body = match read_body(from) {
        Ok(body) => body,
        Err(error) => return refuse(file, &error, json, output),
    };
    let mut store = open_existing(file, output)?;
    let vault = vault(context, &store, output)?;
    match update_in(&mut store, &vault, id, body)? {
        Ok((updated, true)) => written("updated", &updated, json, output),
        Ok((unchanged, false)) => written("unchanged:", &unchanged, json, output),
        Err(error) => refuse(file, &error, json, output),
    }
}

/// The connector after the update, and whether anything had to be written.
fn update_in(
    store: &mut Store,
    vault: &Vault,
    id: &str,
    body: Body,
) -> anyhow::Result<Result<(Connector, bool), ApiError>> {
    let Some(current) = store.get(id)? else { return Ok(Err(ApiError::not_found(id))) };
    let has_secrets = body.has_secrets();
    let (connector, secrets) = match body.update(&current) {
        Ok(updated) => updated,
        Err(error) => return Ok(Err(error)),
    };
    if connector == current && secrets == SecretEdits::default() {
        return Ok(Ok((current, false)));
    }
    if let (true, false, SecretsState::Unreadable(reason)) =
        (connector.config != current.config, has_secrets, vault.state(&current))
    {
        return Ok(Err(ApiError::bad(format!(
            "the secrets of connector {id:?} cannot be decrypted ({reason}), and with another config they would not \
             open even if the key came back; give the key, or name the secrets in the body (\"secrets\": {{}} drops \
             them)"
        ))));
    }
    let (outcome, _) = edit::save(store, vault, &connector, &secrets, &clock::now_iso())?;
    Ok(match outcome {
        SaveOutcome::Saved(saved) => Ok((*saved, true)),
        SaveOutcome::Conflict(_) => {
            Err(ApiError::conflict(format!("connector {id:?} was changed meanwhile; try again")))
        }
        SaveOutcome::Gone => Err(ApiError::not_found(id)),
    })
}

pub(super) fn delete(file: &Path, ids: &[String], json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let mut store = open_existing(file, output)?;
    for id in ids {
        if store.get(id)?.is_none() {
            return refuse(file, &ApiError::not_found(id), json, output);
        }
    }
    let deleted = store.delete(ids, &clock::now_iso())?;
    if json {
        output.json(&serde_json::json!({"deleted": deleted.changed, "step": deleted.step}))?;
    } else {
        let count = u64::try_from(deleted.changed.len()).unwrap_or(u64::MAX);
        let them = if count == 1 { "it" } else { "them" };
        output.line(&format!("deleted {}; `connector-admin undo` restores {them}", plural(count, "connector")))?;
    }
    Ok(DONE)
}

fn vault(context: &Context, store: &Store, output: &Output) -> anyhow::Result<Vault> {
    let vault = context.vault(store)?;
    for warning in key_warnings(&vault, store)? {
        output.notice(&warning);
    }
    Ok(vault)
}

fn written(verb: &str, connector: &Connector, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    if json {
        output.json_text(&json::pretty(&body::connector(connector)))?;
    } else {
        output.line(&format!("{verb} {} ({})", connector.name, connector.id))?;
    }
    if !is_plain_id(&connector.id) {
        output.notice(&format!("it is a connector {LONG_IDS}"));
    }
    for note in validate::notes(connector) {
        output.notice(&format!("{} {}", note.field, note.reason));
    }
    if connector.is_missing_secrets {
        output.notice("it needs secrets that it does not have; give them in the body, or enter them in the UI");
    }
    Ok(DONE)
}

/// Reads a body; `-` is standard input. It may hold secrets, so it is wiped.
fn read_body(from: &Path) -> Result<Body, ApiError> {
    let name = if from == Path::new("-") { "standard input".to_owned() } else { from.display().to_string() };
    let refuse = |reason: String| ApiError::bad(format!("[request body]: {name} {reason}"));
    let cannot = |error: io::Error| refuse(format!("cannot be read: {error}"));
    let mut bytes = Zeroizing::new(Vec::with_capacity(1 << 16));
    let mut reader: Box<dyn Read> = if from == Path::new("-") {
        Box::new(io::stdin())
    } else {
        let file = File::open(from).map_err(cannot)?;
        if file.metadata().map_err(cannot)?.is_dir() {
            return Err(refuse("is a directory; give a file with a JSON object".to_owned()));
        }
        Box::new(file)
    };
    let read = (&mut reader).take(LONGEST_BODY).read_to_end(&mut bytes).map_err(cannot)?;
    if read as u64 == LONGEST_BODY {
        return Err(refuse(format!("is longer than {} MiB", LONGEST_BODY >> 20)));
    }
    std::str::from_utf8(&bytes).map_or_else(|_| Err(refuse("is not UTF-8".to_owned())), Body::read)
}
