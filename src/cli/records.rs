//! Helpers of commands that find connectors.

use std::path::Path;

use super::render::output::{Output, eprint_error};
use super::{DONE, NEEDS_ATTENTION, REFUSED};
use crate::domain::Filter;
use crate::kibana::body::ApiError;
use crate::store::{LATEST_SCHEMA, Lists, RowIds, Scope, Sort, Store};
use crate::text::plural;

/// Rows read at once.
pub(in crate::cli) const WINDOW: usize = 500;

/// The rows that a filter lets through. From indexes and from names in memory, as in the UI; a file that has not
/// got them yet is gone through.
pub(in crate::cli) fn in_order(store: &Store, filter: &Filter, sort: Sort) -> anyhow::Result<RowIds> {
    if filter.is_empty() || store.schema_version()? < LATEST_SCHEMA {
        return Ok(store.order(Scope::Connectors, filter, sort)?);
    }
    Ok(Lists::default().order(store, Scope::Connectors, filter, sort)?)
}

/// Warns of connectors whose text JSON cannot represent, so that the output is not mistaken for it.
pub(in crate::cli) fn warn_of_replaced(not_utf8: u64, output: &Output) -> u8 {
    if not_utf8 == 0 {
        return DONE;
    }
    let count = plural(not_utf8, "connector");
    output
        .notice(&format!("{count} with text that is not UTF-8, printed with U+FFFD in its place; `check` names them"));
    NEEDS_ATTENTION
}

/// Reports a refusal: on standard error, with `--json` also as an API error on standard output.
pub(in crate::cli) fn refuse(file: &Path, error: &ApiError, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    if json {
        output.json(&error.body())?;
    }
    let name = if file == Path::new("-") { "standard input".into() } else { file.display().to_string() };
    eprint_error(&format!("{name}: {error}"));
    Ok(REFUSED)
}

/// Returns the error that names all ids that the file does not have, if there are any.
pub(in crate::cli) fn unknown_ids(store: &Store, ids: &[String]) -> anyhow::Result<Option<ApiError>> {
    let mut unknown = Vec::new();
    for id in ids {
        if store.get(id)?.is_none() {
            unknown.push(id.as_str());
        }
    }
    Ok((!unknown.is_empty()).then(|| ApiError::not_found(&unknown)))
}
