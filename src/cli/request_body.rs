//! Helpers of the commands that take request bodies of Kibana's API.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::DONE;
use super::context::Context;
use super::render::output::Output;
use crate::domain::{Catalogue, Connector, is_plain_id, json, validate};
use crate::fs;
use crate::kibana::body;
use crate::kibana::body::{ApiError, Body};
use crate::messages;
use crate::messages::transfer::LONG_IDS;
use crate::service::keys::key_warnings;
use crate::store::Store;
use crate::vault::Vault;

/// The longest body; a connector has a few kilobytes.
pub(in crate::cli) const LONGEST_BODY: u64 = 16 << 20;

/// Reads a body; `-` is standard input. It may hold secrets, so it is wiped.
pub(in crate::cli) fn read_body(from: &Path) -> Result<Body, ApiError> {
    let refuse = |reason: String| ApiError::bad(format!("[request body]: {reason}"));
    let cannot = |error: io::Error| refuse(format!("cannot be read: {}", fs::reason(&error)));
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

/// Opens the vault and prints warnings about its keys.
pub(in crate::cli) fn vault_of(context: &Context, store: &Store, output: &Output) -> anyhow::Result<Vault> {
    let vault = context.vault(store)?;
    for warning in key_warnings(&vault, store)? {
        output.notice(&messages::keys::warning(&warning));
    }
    Ok(vault)
}

/// Prints a created or updated connector.
pub(in crate::cli) fn print_written(
    verb: &str,
    connector: &Connector,
    json: bool,
    output: &mut Output,
    catalogue: &Catalogue,
) -> anyhow::Result<u8> {
    if json {
        output.json_text(&json::pretty(&body::connector(connector, catalogue)))?;
    } else {
        output.line(&format!("{verb} {} ({})", connector.name, connector.id))?;
    }
    if !is_plain_id(&connector.id) {
        output.notice(&format!("it is a connector {LONG_IDS}"));
    }
    for note in validate::notes(connector, catalogue) {
        output.notice(&format!("{} {}", note.field, note.reason));
    }
    if connector.is_missing_secrets {
        output.notice("it needs secrets that it does not have; give them in the body, or enter them in the UI");
    }
    Ok(DONE)
}
