//! The append-only list of schema versions (`PRAGMA user_version`).

/// `PRAGMA application_id`: "CONN".
pub const APPLICATION_ID: i64 = 1_129_270_862;

/// The newest schema version.
pub const LATEST: i64 = 5;

/// Schema 1, as existing files have it.
pub const SCHEMA_1: &str = include_str!("../../assets/schema/1.sql");

/// One part of an upgrade: what it does, for people, and its SQL.
pub(super) struct SqlStep {
    pub(super) title: &'static str,
    pub(super) sql: &'static str,
}

/// Steps of schema 2 whose indexes schema 3 replaces: a file that is on its way there goes without them.
const REPLACED_BY_3: [&str; 4] =
    ["index the connector types", "index the auth types", "index the auth modes", "index the migration plan"];

/// The steps that lead from one schema version to the newest.
pub(super) fn steps_to_latest(version: i64) -> Vec<SqlStep> {
    let steps = (version..LATEST).flat_map(steps_from);
    steps.filter(|step| version >= 2 || !REPLACED_BY_3.contains(&step.title)).collect()
}

/// The steps that make a new file of a schema version.
pub(super) fn steps_of_new(version: i64) -> Vec<SqlStep> {
    if version == LATEST { steps_to_latest(0) } else { (0..version).flat_map(steps_from).collect() }
}

/// The steps that lead from one schema version to the next.
fn steps_from(version: i64) -> Vec<SqlStep> {
    match version {
        0 => vec![SqlStep { title: "create the connectors", sql: SCHEMA_1 }],
        1 => split(include_str!("../../assets/schema/2.sql")),
        2 => split(include_str!("../../assets/schema/3.sql")),
        3 => split(include_str!("../../assets/schema/4.sql")),
        4 => split(include_str!("../../assets/schema/5.sql")),
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

/// The tables that an upgrade makes.
pub(super) const OWN_TABLES: [&str; 9] = [
    "history",
    "history_changes",
    "migration_decisions",
    "settings",
    "remotes",
    "remote_connectors",
    "remote_types",
    "remote_bases",
    "remote_requests",
];

/// The triggers that an upgrade makes on the table of connectors.
pub(super) const OWN_TRIGGERS: [&str; 3] =
    ["connectors_foreign_revision", "connectors_foreign_insert", "connectors_deleted"];

/// Makes ids unique in a table made by hand.
pub(super) const UNIQUE_IDS: &str = "CREATE UNIQUE INDEX connectors_id ON connectors (id)";

/// Columns of schema 2, without which a file that says so is damaged.
pub(super) const COLUMNS_2: [&str; 4] = ["auth_mode", "revision", "auth_type", "migration_group"];

/// Temporary views and empty tables that show an older file as if it were upgraded, for files opened
/// read-only.
pub(super) fn view_of(version: i64) -> String {
    if version >= LATEST {
        return String::new();
    }
    if version >= 3 {
        return REMOTES.to_owned();
    }
    let history = if version < 2 {
        view_of_schema_1()
            + "CREATE TEMP TABLE history (step, kind, state, started_at, records, reverts, subject, bytes);
               CREATE TEMP TABLE history_changes (step, connector_id, before, after, revision);"
    } else {
        "CREATE TEMP VIEW history AS SELECT *, NULL AS subject, 0 AS bytes FROM main.history;".to_owned()
    };
    history + "CREATE TEMP TABLE settings (name PRIMARY KEY, value);" + REMOTES
}

/// The tables of schema 5, empty.
const REMOTES: &str =
    "CREATE TEMP TABLE remotes (name, url, space, ca_file, proxy, timeout, allow_http, credential, is_default,
       version, knows_modes, seen_at);
     CREATE TEMP TABLE remote_connectors (remote, id, base, seen, sent_secrets, managed_by, referenced_by,
       found_by_look, base_before, found_after);
     CREATE TEMP TABLE remote_types (remote, id, name);
     CREATE TEMP TABLE remote_bases (step, connector_id, remote, before, after);
     CREATE TEMP TABLE remote_requests (step, connector_id, number, remote, call, state, expected, secrets, detail);";

/// The table of connectors, made from the upgrade's own text, so that the two cannot drift apart.
fn view_of_schema_1() -> String {
    let upgrade = include_str!("../../assets/schema/2.sql");
    let base = format!("SELECT rowid AS rowid, {}, 0 AS revision FROM main.connectors", COLUMNS_1.join(", "));
    let auth_mode = "CASE WHEN NOT is_odd_extra AND json_valid(extra) THEN CASE \
         WHEN json_extract(extra, '$.attributes.authMode') IN ('shared', 'per-user') \
         THEN json_extract(extra, '$.attributes.authMode') END END";
    // Each column may use the ones before it, so each is a view of its own around them.
    let around = |inner: &str, name: &str, expression: &str| {
        format!("SELECT inside.*, ({expression}) AS {name} FROM ({inner}) AS inside")
    };
    let mut view = base;
    for column in upgrade.split("ADD COLUMN ").skip(1) {
        let Some((name, rest)) = column.split_once(' ') else { continue };
        let Some((_, expression)) = rest.split_once("GENERATED ALWAYS AS (") else { continue };
        let Some((expression, _)) = expression.split_once(") VIRTUAL") else { continue };
        view = around(&view, name, expression);
        if name == "is_odd_extra" {
            view = around(&view, "auth_mode", auth_mode);
        }
    }
    format!(
        "CREATE TEMP VIEW connectors AS {view};
         CREATE TEMP TABLE migration_decisions (connector_id PRIMARY KEY, decision);"
    )
}

fn split(sql: &'static str) -> Vec<SqlStep> {
    sql.split("-- step: ")
        .skip(1)
        .filter_map(|part| part.split_once('\n'))
        .map(|(title, sql)| SqlStep { title: title.trim(), sql })
        .collect()
}
