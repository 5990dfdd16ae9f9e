//! The append-only list of schema versions (`PRAGMA user_version`).

/// `PRAGMA application_id`: "CONN".
pub const APPLICATION_ID: i64 = 1_129_270_862;

/// The newest schema version.
pub const LATEST: i64 = 2;

/// Schema 1, as existing files have it.
pub const SCHEMA_1: &str = include_str!("../../assets/schema/1.sql");

/// One part of an upgrade: what it does, for people, and its SQL.
pub(super) struct SqlStep {
    pub(super) title: &'static str,
    pub(super) sql: &'static str,
}

/// The steps that lead from one schema version to the next.
pub(super) fn steps_from(version: i64) -> Vec<SqlStep> {
    match version {
        0 => vec![SqlStep { title: "create the connectors", sql: SCHEMA_1 }],
        1 => split(include_str!("../../assets/schema/2.sql")),
        _ => Vec::new(),
    }
}

/// The columns of schema 1, by which a file made by hand is recognised.
pub(super) const COLUMNS_1: [&str; 10] = [
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

/// A temporary view that shows a schema 1 file as if it were upgraded, for files opened read-only, with
/// empty tables beside it. It is made from the upgrade's own text, so that the two cannot drift apart.
pub(super) fn view_of_schema_1() -> String {
    let upgrade = include_str!("../../assets/schema/2.sql");
    let generated: String = upgrade
        .split("ADD COLUMN ")
        .skip(1)
        .filter_map(|column| {
            let (name, rest) = column.split_once(' ')?;
            let (_, expression) = rest.split_once("GENERATED ALWAYS AS (")?;
            let (expression, _) = expression.split_once(") VIRTUAL")?;
            Some(format!(", ({expression}) AS {name}"))
        })
        .collect();
    format!(
        "CREATE TEMP VIEW connectors AS
         SELECT upgraded.*{generated} FROM (
           SELECT rowid AS rowid, {columns}, 0 AS revision,
             CASE WHEN json_valid(extra) THEN CASE
               WHEN json_extract(extra, '$.attributes.authMode') IN ('shared', 'per-user')
               THEN json_extract(extra, '$.attributes.authMode') END END AS auth_mode
           FROM main.connectors) AS upgraded;
         CREATE TEMP TABLE history (step, kind, state, started_at, records, reverts);
         CREATE TEMP TABLE migration_decisions (connector_id PRIMARY KEY, decision);",
        columns = COLUMNS_1.join(", ")
    )
}

fn split(sql: &'static str) -> Vec<SqlStep> {
    sql.split("-- step: ")
        .skip(1)
        .filter_map(|part| part.split_once('\n'))
        .map(|(title, sql)| SqlStep { title: title.trim(), sql })
        .collect()
}
