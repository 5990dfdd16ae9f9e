//! The schemas (`PRAGMA user_version`): 1, as existing files have it, and 2, which is this program's.

/// `PRAGMA application_id`: "CONN".
pub const APPLICATION_ID: i64 = 1_129_270_862;

/// The newest schema version.
pub const LATEST: i64 = 2;

/// Schema 1, as existing files have it.
pub const SCHEMA_1: &str = include_str!("../../../assets/schema/1.sql");

/// A part of a schema: its title and its SQL.
pub(in crate::store) struct SqlStep {
    pub(in crate::store) title: &'static str,
    pub(in crate::store) sql: &'static str,
}

/// The steps that make schema 2, the table of connectors first.
pub(in crate::store) fn steps() -> Vec<SqlStep> {
    split(include_str!("../../../assets/schema/2.sql"))
}

/// The indexes of the connectors, which a large import into a new file makes after the rows.
pub(in crate::store) fn indexes() -> impl Iterator<Item = SqlStep> {
    steps().into_iter().filter(|step| step.title.starts_with("index "))
}

/// The columns of schema 1, which identify a file made by hand.
pub(in crate::store) const COLUMNS_1: [&str; 10] = [
    "id",
    "connector_type_id",
    "name",
    "config",
    "secrets",
    "is_missing_secrets",
    "extra",
    "model_version",
    "created_at",
    "updated_at",
];

/// The tables that an upgrade makes.
pub(in crate::store) const OWN_TABLES: [&str; 10] = [
    "history",
    "history_changes",
    "past_connectors",
    "migration_decisions",
    "settings",
    "remotes",
    "remote_connectors",
    "remote_types",
    "remote_bases",
    "remote_requests",
];

/// The triggers that an upgrade makes on the table of connectors.
pub(in crate::store) const OWN_TRIGGERS: [&str; 3] =
    ["connectors_changed_elsewhere", "connectors_added_elsewhere", "connectors_deleted"];

/// The columns that schema 2 adds; a file of schema 2 without them is damaged.
pub(in crate::store) const COLUMNS_2: [&str; 9] = [
    "key",
    "auth_mode",
    "revision",
    "auth_type",
    "migration_group",
    "is_malformed",
    "is_deprecated_use",
    "key_id",
    "is_derived",
];

/// A column of the schemas that this program had while it was developed.
pub(in crate::store) const DEVELOPMENT_COLUMN: &str = "is_odd";

/// The name of the schema 1 table while an upgrade fills the new one.
pub(in crate::store) const OLD_TABLE: &str = "connectors_of_schema_1";

/// Empty tables that show a file of schema 1 as if it were upgraded, where it is opened read-only.
pub(in crate::store) const EMPTY_TABLES: &str =
    "CREATE TEMP TABLE history (step, kind, state, started_at, records, reverts, subject, bytes);
     CREATE TEMP TABLE history_changes (step, key, connector_id, before, after, revision);
     CREATE TEMP TABLE past_connectors (id PRIMARY KEY, key);
     CREATE TEMP TABLE migration_decisions (key INTEGER PRIMARY KEY, decision);
     CREATE TEMP TABLE settings (name PRIMARY KEY, value);
     CREATE TEMP TABLE remotes (name, url, space, ca_file, proxy, timeout, allow_http, credential, is_default,
       version, knows_modes, fetched_at);
     CREATE TEMP TABLE remote_connectors (remote, id, base, fetched, sent_secrets, managed_by, referenced_by,
       is_detected, base_before, detected_after);
     CREATE TEMP TABLE remote_types (remote, id, name);
     CREATE TEMP TABLE remote_bases (step, connector_id, remote, before, after);
     CREATE TEMP TABLE remote_requests (step, connector_id, number, remote, call, state, expected, secrets, detail);";

fn split(sql: &'static str) -> Vec<SqlStep> {
    sql.split("-- step: ")
        .skip(1)
        .filter_map(|part| part.split_once('\n'))
        .map(|(title, sql)| SqlStep { title: title.trim(), sql })
        .collect()
}
