//! The one table of the columns of a record. Reading, writing, comparing and the history are built from it.

use std::fmt::Write as _;

use rusqlite::Row;
use rusqlite::types::ValueRef;

use crate::domain::derived::Derived;
use crate::domain::{AuthMode, Connector, Group};

/// A column of the table of connectors.
pub(in crate::store) struct Column {
    /// The name in the table and in the history.
    pub(in crate::store) name: &'static str,
    /// The value that a record has in it.
    pub(in crate::store) get: fn(&Connector) -> ValueRef<'_>,
    /// Gives a record a value of it.
    pub(in crate::store) set: fn(&mut Connector, ValueRef<'_>),
}

/// All columns of a record. The history keeps those between the id and the revision.
const COLUMNS: [Column; 13] = [
    Column {
        name: "id",
        get: |record| text(record, "id", Some(&record.id)),
        set: |record, value| record.id = set_text(record, "id", value).unwrap_or_default(),
    },
    Column {
        name: "connector_type_id",
        get: |record| text(record, "connector_type_id", Some(&record.connector_type_id)),
        set: |record, value| {
            record.connector_type_id = set_text(record, "connector_type_id", value).unwrap_or_default();
        },
    },
    Column {
        name: "name",
        get: |record| text(record, "name", Some(&record.name)),
        set: |record, value| record.name = set_text(record, "name", value).unwrap_or_default(),
    },
    Column {
        name: "config",
        get: |record| text(record, "config", Some(&record.config)),
        set: |record, value| record.config = set_text(record, "config", value).unwrap_or_default(),
    },
    Column {
        name: "secrets",
        get: |record| text(record, "secrets", record.secrets.as_ref()),
        set: |record, value| record.secrets = set_text(record, "secrets", value),
    },
    Column {
        name: "is_missing_secrets",
        get: |record| ValueRef::Integer(i64::from(record.is_missing_secrets)),
        set: |record, value| record.is_missing_secrets = integer(value) != 0,
    },
    Column {
        name: "extra",
        get: |record| text(record, "extra", Some(&record.extra)),
        set: |record, value| record.extra = set_text(record, "extra", value).unwrap_or_default(),
    },
    Column {
        name: "model_version",
        get: |record| ValueRef::Integer(record.model_version),
        set: |record, value| record.model_version = integer(value),
    },
    Column {
        name: "created_at",
        get: |record| text(record, "created_at", record.created_at.as_ref()),
        set: |record, value| record.created_at = set_text(record, "created_at", value),
    },
    Column {
        name: "updated_at",
        get: |record| text(record, "updated_at", record.updated_at.as_ref()),
        set: |record, value| record.updated_at = set_text(record, "updated_at", value),
    },
    Column {
        name: "auth_mode",
        get: |record| word(record.auth_mode.map(AuthMode::as_str)),
        set: |record, value| record.auth_mode = value.as_str().ok().and_then(AuthMode::parse),
    },
    Column {
        name: "revision",
        get: |record| ValueRef::Integer(record.revision),
        set: |record, value| record.revision = integer(value),
    },
    Column {
        name: "key",
        get: |record| ValueRef::Integer(record.key),
        set: |record, value| record.key = integer(value),
    },
];

/// The columns that a history step can change.
pub(in crate::store) fn changeable() -> &'static [Column] {
    &COLUMNS[1..11]
}

/// The columns that a new record is written with; the file gives it its key.
pub(in crate::store) fn of_new() -> &'static [Column] {
    &COLUMNS[..12]
}

/// The number of columns of [`select`].
pub(in crate::store) const WIDTH: usize = COLUMNS.len();

/// A column that the program derives from the others.
pub(in crate::store) struct DerivedColumn {
    /// The name in the table.
    pub(in crate::store) name: &'static str,
    /// The columns that it is derived from.
    pub(in crate::store) from: &'static [&'static str],
    /// The value.
    pub(in crate::store) get: fn(&Derived) -> ValueRef<'_>,
}

/// The derived columns.
pub(in crate::store) const DERIVED: [DerivedColumn; 6] = [
    DerivedColumn { name: "auth_type", from: &["config"], get: |derived| word(derived.auth_type.as_deref()) },
    DerivedColumn {
        name: "migration_group",
        from: &["config", "extra", "model_version", "auth_mode"],
        get: |derived| word(derived.group.map(Group::as_str)),
    },
    DerivedColumn {
        name: "is_malformed",
        from: &["config", "extra"],
        get: |derived| ValueRef::Integer(i64::from(derived.is_malformed)),
    },
    DerivedColumn {
        name: "is_deprecated_use",
        from: &["connector_type_id", "config"],
        get: |derived| ValueRef::Integer(i64::from(derived.is_deprecated_use)),
    },
    DerivedColumn { name: "key_id", from: &["secrets"], get: |derived| word(derived.key_id.as_deref()) },
    DerivedColumn { name: "is_derived", from: &[], get: |_| ValueRef::Integer(1) },
];

/// The columns of a record for a SELECT, each with a prefix such as `c.`.
pub(in crate::store) fn select(prefix: &str) -> String {
    let mut list = String::new();
    for column in &COLUMNS {
        let comma = if list.is_empty() { "" } else { ", " };
        let _ = write!(list, "{comma}{prefix}{}", column.name);
    }
    list
}

/// Reads a record from a row that begins with what [`select`] names. A foreign file can hold text that is not UTF-8: it
/// is shown with replacement characters, and its bytes are kept.
pub(in crate::store) fn read(row: &Row<'_>) -> rusqlite::Result<Connector> {
    read_from(row, 0)
}

/// As [`read`], from a column on.
pub(in crate::store) fn read_from(row: &Row<'_>, first: usize) -> rusqlite::Result<Connector> {
    let mut record = Connector::default();
    for (at, column) in (first..).zip(&COLUMNS) {
        (column.set)(&mut record, row.get_ref(at)?);
    }
    Ok(record)
}

/// A text as the file has it, UTF-8 or not.
fn text<'a>(record: &'a Connector, column: &str, value: Option<&'a String>) -> ValueRef<'a> {
    value.map_or(ValueRef::Null, |text| ValueRef::Text(record.raw.bytes(column, text).unwrap_or(text.as_bytes())))
}

fn word(value: Option<&str>) -> ValueRef<'_> {
    value.map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes()))
}

/// Sets a text; bytes that are not UTF-8 are kept next to it.
fn set_text(record: &mut Connector, column: &'static str, value: ValueRef<'_>) -> Option<String> {
    record.raw.remove(column);
    match value {
        ValueRef::Null => None,
        ValueRef::Text(bytes) => Some(match str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                record.raw.insert(column, bytes);
                String::from_utf8_lossy(bytes).into_owned()
            }
        }),
        ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
    }
}

fn integer(value: ValueRef<'_>) -> i64 {
    value.as_i64().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connector::sample;

    #[test]
    fn every_field_of_a_connector_has_a_column() {
        let (wanted, mut copied) = (sample(), Connector::default());
        for column in &COLUMNS {
            (column.set)(&mut copied, (column.get)(&wanted));
        }
        assert_eq!(copied, wanted);
    }
}
