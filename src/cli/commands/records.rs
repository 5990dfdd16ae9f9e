//! Commands for connectors: `list`, `get`, `toggle`.

use serde_json::Value;

use super::edit::refuse;
use super::{open_existing, parse_filter, parse_filter_to_write};
use crate::cli::context::Context;
use crate::cli::render::output::Output;
use crate::cli::render::stream::{List, Sheet, Table};
use crate::cli::{DONE, NEEDS_ATTENTION};
use crate::clock;
use crate::domain::{Catalogue, Connector, Filter, StoredAuthMode, json, migration, validate};
use crate::kibana::body;
use crate::kibana::body::ApiError;
use crate::service::keys::find_unreadable_keys;
use crate::store::{LATEST_SCHEMA, Lists, ModeChange, RowIds, Scope, Sort, Store};
use crate::text::plural;
use crate::vault::Vault;

/// The format of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Table,
    Json,
    JsonLines,
    Csv,
}

pub(super) fn list(
    context: &Context,
    filter: Option<&str>,
    sort: Sort,
    form: Form,
    output: &mut Output,
) -> anyhow::Result<u8> {
    let filter = parse_filter(filter, output)?;
    let mut store = context.read_for(&filter)?;
    if matches!(form, Form::Table | Form::Csv) {
        // Without a home there is no default key file; the list can still be printed.
        if let Ok(keys) = context.keys() {
            find_unreadable_keys(&Vault::new(keys), &mut store)?;
        }
    }
    let order = in_order(&store, &filter, sort)?;
    match form {
        Form::Table => list_table(&store, &order, output)?,
        Form::Csv => return Ok(warn_of_replaced(list_csv(&store, &order, output)?, output)),
        Form::Json => {
            let mut list = List::array(output)?;
            let not_utf8 =
                each_connector(&store, &order, |connector| Ok(list.push_text(&body::connector(connector), output)?))?;
            list.end(&[], output)?;
            return Ok(warn_of_replaced(not_utf8, output));
        }
        Form::JsonLines => {
            let not_utf8 = each_connector(&store, &order, |connector| {
                Ok(output.text(&format!("{}\n", body::connector(connector)))?)
            })?;
            output.flush()?;
            return Ok(warn_of_replaced(not_utf8, output));
        }
    }
    Ok(DONE)
}

/// Warns of connectors whose text JSON cannot represent, so that the output is not mistaken for it.
fn warn_of_replaced(not_utf8: u64, output: &Output) -> u8 {
    if not_utf8 == 0 {
        return DONE;
    }
    let count = plural(not_utf8, "connector");
    output
        .notice(&format!("{count} with text that is not UTF-8, printed with U+FFFD in its place; `check` names them"));
    NEEDS_ATTENTION
}

/// The rows that a filter lets through. From indexes and from names in memory, as in the UI; a file that has not
/// got them yet is gone through.
fn in_order(store: &Store, filter: &Filter, sort: Sort) -> anyhow::Result<RowIds> {
    if filter.is_empty() || store.schema_version()? < LATEST_SCHEMA {
        return Ok(store.order(Scope::Connectors, filter, sort)?);
    }
    Ok(Lists::default().order(store, Scope::Connectors, filter, sort)?)
}

fn each_connector(
    store: &Store,
    order: &RowIds,
    mut each: impl FnMut(&Connector) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let mut not_utf8 = 0;
    for window in order.windows(WINDOW) {
        for row_id in window {
            if let Some(connector) = store.get_row(row_id)? {
                not_utf8 += u64::from(!connector.not_utf8().is_empty());
                each(&connector)?;
            }
        }
    }
    Ok(not_utf8)
}

fn list_table(store: &Store, order: &RowIds, output: &mut Output) -> anyhow::Result<()> {
    let mut table = Table::new(&["NAME", "ID", "TYPE", "AUTH TYPE", "AUTH MODE", "FLAGS"]);
    for window in order.windows(WINDOW) {
        for row in store.summaries(&window)?.into_iter().flatten() {
            let mode = row.auth_mode.map_or("not set", |mode| mode.as_str()).to_owned();
            let (flags, auth_type) = (row.flags().join(", "), row.auth_type.unwrap_or_else(|| "-".to_owned()));
            table.push(vec![row.name, row.id, row.connector_type_id, auth_type, mode, flags], output)?;
        }
    }
    Ok(table.end(true, output)?)
}

fn list_csv(store: &Store, order: &RowIds, output: &mut Output) -> anyhow::Result<u64> {
    let mut not_utf8 = 0;
    let mut sheet = Sheet::new(&[
        "id",
        "name",
        "connector_type_id",
        "auth_type",
        "auth_mode",
        "is_missing_secrets",
        "migration",
        "flags",
        "updated_at",
    ]);
    for window in order.windows(WINDOW) {
        for row in store.summaries(&window)?.into_iter().flatten() {
            let flags = row.flags().join(", ");
            let is_unusual = [&row.name, &row.connector_type_id].iter().any(|text| text.contains('\u{fffd}'));
            if is_unusual && store.get(&row.id)?.is_some_and(|record| !record.not_utf8().is_empty()) {
                not_utf8 += 1;
            }
            let cells = [
                row.id,
                row.name,
                row.connector_type_id,
                row.auth_type.unwrap_or_default(),
                row.auth_mode.map_or("", |mode| mode.as_str()).to_owned(),
                row.is_missing_secrets.to_string(),
                row.group.map_or("", |group| group.as_str()).to_owned(),
                flags,
                row.updated_at.unwrap_or_default(),
            ];
            sheet.push(&cells, output)?;
        }
    }
    sheet.end(output)?;
    Ok(not_utf8)
}

/// Rows read at once.
const WINDOW: usize = 500;

pub(super) fn get(context: &Context, id: &str, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let file = context.file.as_path();
    let vault = Vault::new(context.keys()?);
    let store = context.read()?;
    let Some(connector) = store.get(id)? else {
        return refuse(file, &ApiError::not_found(id), json, output);
    };
    if json {
        output.json_text(&json::pretty(&body::connector(&connector)))?;
        return Ok(warn_of_replaced(u64::from(!connector.not_utf8().is_empty()), output));
    }
    if let Some(warning) = vault.exposure() {
        output.notice(&warning);
    }
    let mode = match connector.stored_auth_mode() {
        StoredAuthMode::None => "none (behaves as shared)".to_owned(),
        StoredAuthMode::Known(mode) => mode.to_string(),
        StoredAuthMode::Unknown(value) => format!("{value} (not a mode; behaves as shared)"),
    };
    for (label, value) in [
        ("name", connector.name.clone()),
        ("id", connector.id.clone()),
        ("connector type", connector.connector_type_id.clone()),
        ("auth type", connector.auth_type().name().unwrap_or("none").to_owned()),
        ("auth mode", mode),
        ("secrets", Catalogue::current().describe_secrets(&connector, &vault.state(&connector))),
        ("model version", connector.model_version.to_string()),
        ("created", connector.created_at.clone().unwrap_or_else(|| "not recorded".to_owned())),
        ("updated", connector.updated_at.clone().unwrap_or_else(|| "not recorded".to_owned())),
        ("config", connector.config.clone()),
    ] {
        output.line(&format!("{label:<15} {value}"))?;
    }
    if let Some(plan) = migration::plan(&connector) {
        output.line(&format!("{:<15} {}: {}", "migration", plan.group.label(), plan.reason))?;
    }
    for problem in validate::problems(&connector) {
        output.line(&format!("{:<15} {}: {}", "problem", problem.field, problem.reason))?;
    }
    for note in validate::notes(&connector) {
        output.line(&format!("{:<15} {}: {}", "note", note.field, note.reason))?;
    }
    Ok(DONE)
}

pub(super) fn toggle(
    context: &Context,
    mut ids: Vec<String>,
    filter: Option<&str>,
    change: ModeChange,
    json: bool,
    output: &mut Output,
) -> anyhow::Result<u8> {
    let file = context.file.as_path();
    let filter = filter.map(parse_filter_to_write).transpose()?;
    let mut store = open_existing(file, output)?;
    if let Some(filter) = filter {
        context.find_keys(&mut store, &filter)?;
        let order = in_order(&store, &filter, Sort::default())?;
        ids = store.ids(&order.window(0, usize::MAX))?;
        if ids.is_empty() {
            output.notice("the filter lets no connector through");
        }
    }
    let missing: Vec<&String> = {
        let mut missing = Vec::new();
        for id in &ids {
            if store.get(id)?.is_none() {
                missing.push(id);
            }
        }
        missing
    };
    if let Some(id) = missing.first() {
        return refuse(file, &ApiError::not_found(id), json, output);
    }
    let written = store.set_auth_mode(&ids, change, &clock::now_iso())?;
    if json {
        let refused: Vec<Value> =
            written.refused.iter().map(|(id, reason)| serde_json::json!({"id": id, "reason": reason})).collect();
        output.json(
            &serde_json::json!({"changed": written.changed, "unchanged": written.unchanged, "refused": refused}),
        )?;
    } else {
        for id in &written.changed {
            let mode = store.get(id)?.map(|connector| connector.effective_auth_mode().to_string());
            output.line(&format!("{id}: {}", mode.unwrap_or_default()))?;
        }
        for id in &written.unchanged {
            output.line(&format!("{id}: unchanged"))?;
        }
        for (id, reason) in &written.refused {
            output.line(&format!("{id}: skipped, {reason}"))?;
        }
    }
    Ok(if written.refused.is_empty() { DONE } else { NEEDS_ATTENTION })
}
