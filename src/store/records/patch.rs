//! The patch of a record in the history: some of its columns, as a JSON object.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value, json};

use crate::domain::Connector;
use crate::store::records::columns::{Column, changeable};

/// Columns of a record, and the revision it had, under their names in the table.
pub(in crate::store) type ColumnPatch = Map<String, Value>;

/// The columns in which two states of a record differ.
pub(in crate::store) fn differing(before: &Connector, after: &Connector) -> Vec<&'static Column> {
    changeable().iter().filter(|column| (column.get)(before) != (column.get)(after)).collect()
}

/// Some columns of a record.
pub(in crate::store) fn image(record: &Connector, columns: &[&'static Column]) -> ColumnPatch {
    columns.iter().map(|column| (column.name.to_owned(), json_value((column.get)(record)))).collect()
}

/// The whole record as it was, with its revision.
pub(in crate::store) fn whole(record: &Connector) -> ColumnPatch {
    with_revision(image(record, &changeable().iter().collect::<Vec<_>>()), record.revision)
}

fn json_value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Integer(number) => json!(number),
        ValueRef::Text(bytes) => match str::from_utf8(bytes) {
            Ok(text) => json!(text),
            // JSON has no place for it as it is.
            Err(_) => json!({ BYTES: BASE64.encode(bytes) }),
        },
        _ => Value::Null,
    }
}

/// The key of a text that is not UTF-8, in base64.
const BYTES: &str = "base64";

/// The bytes that [`json_value`] wrote.
fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    BASE64.decode(value.get(BYTES)?.as_str()?).ok()
}

/// Adds the revision to return to.
pub(in crate::store) fn with_revision(mut image: ColumnPatch, revision: i64) -> ColumnPatch {
    image.insert("revision".to_owned(), json!(revision));
    // Plain secrets that were written by hand must not be stored a second time.
    let is_in_the_clear = |text: &str| text.trim_start().starts_with('{') && text.trim() != "{}";
    if image.get("secrets").and_then(Value::as_str).is_some_and(is_in_the_clear) {
        image.remove("secrets");
    }
    image
}

/// Returns the revision to return to.
pub(in crate::store) fn revision_of(image: &ColumnPatch) -> i64 {
    image.get("revision").and_then(Value::as_i64).unwrap_or(0)
}

/// Returns a record with the columns of a patch.
pub(in crate::store) fn with_columns(mut connector: Connector, image: &ColumnPatch) -> Connector {
    for column in changeable() {
        let Some(value) = image.get(column.name) else { continue };
        let bytes = bytes_of(value);
        let value = match (&bytes, value) {
            (Some(bytes), _) => ValueRef::Text(bytes),
            (None, Value::String(text)) => ValueRef::Text(text.as_bytes()),
            (None, value) => value.as_i64().map_or(ValueRef::Null, ValueRef::Integer),
        };
        (column.set)(&mut connector, value);
    }
    connector
}

/// The image of a deleted record has all columns; that of a change only those that it changed.
pub(in crate::store) fn is_complete(image: &ColumnPatch) -> bool {
    changeable().iter().all(|column| image.contains_key(column.name) || column.name == "secrets")
}

/// The columns of the associated data, and the secrets: they are restored together or not at all.
const BOUND: [&str; 4] = ["connector_type_id", "config", "is_missing_secrets", "secrets"];

/// Returns a record with a patch applied; the secrets and their associated data are taken from `before` together.
pub(in crate::store) fn merge_patch(current: Connector, image: &ColumnPatch, before: &Connector) -> Connector {
    let back = with_columns(current, image);
    if !BOUND.iter().any(|name| image.contains_key(*name)) {
        return back;
    }
    let mut raw = back.raw.clone();
    for column in ["connector_type_id", "config", "secrets"] {
        raw.remove(column);
    }
    for (column, text) in [
        ("connector_type_id", Some(&before.connector_type_id)),
        ("config", Some(&before.config)),
        ("secrets", before.secrets.as_ref()),
    ] {
        if let Some(bytes) = text.and_then(|text| before.raw.bytes(column, text)) {
            raw.insert(column, bytes);
        }
    }
    Connector {
        raw,
        connector_type_id: before.connector_type_id.clone(),
        config: before.config.clone(),
        is_missing_secrets: before.is_missing_secrets,
        secrets: before.secrets.clone(),
        ..back
    }
}

/// Parses a stored patch; `None` for a record that did not exist, or text that is no patch.
pub(in crate::store) fn parse(text: Option<String>) -> Option<ColumnPatch> {
    text.and_then(|text| serde_json::from_str(&text).ok())
}
