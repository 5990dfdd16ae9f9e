//! What the journal keeps of a record: some of its columns, as a JSON object.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value, json};

use crate::domain::Connector;
use crate::store::columns::{Column, changeable};

/// Columns of a record, and the revision it had, under their names in the table.
pub(super) type Image = Map<String, Value>;

/// The columns in which two states of a record differ.
pub(super) fn differing(before: &Connector, after: &Connector) -> Vec<&'static Column> {
    changeable().iter().filter(|column| (column.get)(before) != (column.get)(after)).collect()
}

/// Some columns of a record.
pub(super) fn image(record: &Connector, columns: &[&'static Column]) -> Image {
    columns.iter().map(|column| (column.name.to_owned(), json_value((column.get)(record)))).collect()
}

/// The whole record as it was, with its revision.
pub(super) fn whole(record: &Connector) -> Image {
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

/// An image of what was, with the revision to go back to.
pub(super) fn with_revision(mut image: Image, revision: i64) -> Image {
    image.insert("revision".to_owned(), json!(revision));
    // What a hand wrote into the file in the clear does not get a second place to lie in.
    let is_in_the_clear = |text: &str| text.trim_start().starts_with('{') && text.trim() != "{}";
    if image.get("secrets").and_then(Value::as_str).is_some_and(is_in_the_clear) {
        image.remove("secrets");
    }
    image
}

/// The revision that an image of what was goes back to.
pub(super) fn revision_of(image: &Image) -> i64 {
    image.get("revision").and_then(Value::as_i64).unwrap_or(0)
}

/// A record with the columns of `image` in place of its own.
pub(super) fn with_columns(mut connector: Connector, image: &Image) -> Connector {
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
pub(super) fn is_whole(image: &Image) -> bool {
    changeable().iter().all(|column| image.contains_key(column.name) || column.name == "secrets")
}

/// Columns that the secrets are sealed with, and the secrets: they go back together or not at all.
const SEALED: [&str; 4] = ["connector_type_id", "config", "is_missing_secrets", "secrets"];

/// A record with what `image` holds put over it; what secrets are sealed with is taken from `before` as a whole.
pub(super) fn put_over(current: Connector, image: &Image, before: &Connector) -> Connector {
    let back = with_columns(current, image);
    if !SEALED.iter().any(|name| image.contains_key(*name)) {
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

/// Reads an image as the table holds it; none for a record that was not there, or text that is no image.
pub(super) fn parse(text: Option<String>) -> Option<Image> {
    text.and_then(|text| serde_json::from_str(&text).ok())
}
