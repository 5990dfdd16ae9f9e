//! `list`.

use super::{Access, Run};
use crate::cli::DONE;
use crate::cli::context::Session;
use crate::cli::filters::parse_filter;
use crate::cli::help::with_filter_keys;
use crate::cli::records::{WINDOW, in_order, warn_of_replaced};
use crate::cli::render::output::Output;
use crate::cli::render::stream::{List as JsonList, Sheet, Table};
use crate::cli::value_enums::SortArg;
use crate::domain::Connector;
use crate::kibana::body;
use crate::service::keys::find_unreadable_keys;
use crate::store::{RowIds, Store};
use crate::vault::Vault;

const EXAMPLES: &str = "\
Examples:
  connector-admin list
  connector-admin list --filter 'type:webhook needs:migration'
  connector-admin list --sort updated --descending --json";

/// List connectors
#[derive(clap::Args)]
#[command(after_help = with_filter_keys(EXAMPLES))]
pub(in crate::cli) struct List {
    /// Only connectors that pass this filter, for example 'type:webhook needs:migration'
    #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true)]
    filter: Option<String>,
    /// Sort by this column
    #[arg(long, value_enum, default_value_t = SortArg::Name)]
    sort: SortArg,
    /// Sort in descending order
    #[arg(long)]
    descending: bool,
    /// Print a JSON array of Kibana's API objects
    #[arg(long)]
    json: bool,
    /// Print Kibana's API objects, one per line
    #[arg(long, conflicts_with = "json")]
    jsonl: bool,
    /// Print CSV; cells that a spreadsheet would run as a formula begin with '
    #[arg(long, conflicts_with_all = ["json", "jsonl"])]
    csv: bool,
}

impl Run for List {
    fn access(&self) -> Access {
        Access::Read
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        let filter = parse_filter(self.filter.as_deref(), output)?;
        let mut store = context.read_for(&filter)?;
        if !self.json && !self.jsonl {
            // Without a home there is no default key file; the list can still be printed.
            if let Ok(keys) = context.keys() {
                find_unreadable_keys(&Vault::new(keys), &mut store)?;
            }
        }
        let order = in_order(&store, &filter, self.sort.sort(self.descending))?;
        let not_utf8 = match self {
            Self { json: true, .. } => print_json(&store, &order, output)?,
            Self { jsonl: true, .. } => print_json_lines(&store, &order, output)?,
            Self { csv: true, .. } => print_csv(&store, &order, output)?,
            _ => {
                print_table(&store, &order, output)?;
                return Ok(DONE);
            }
        };
        Ok(warn_of_replaced(not_utf8, output))
    }
}

fn print_json(store: &Store, order: &RowIds, output: &mut Output) -> anyhow::Result<u64> {
    let mut list = JsonList::array(output)?;
    let not_utf8 = each_connector(store, order, |connector| {
        Ok(list.push_text(&body::connector(connector, store.catalogue()), output)?)
    })?;
    list.end(&[], output)?;
    Ok(not_utf8)
}

fn print_json_lines(store: &Store, order: &RowIds, output: &mut Output) -> anyhow::Result<u64> {
    let not_utf8 = each_connector(store, order, |connector| {
        Ok(output.text(&format!("{}\n", body::connector(connector, store.catalogue())))?)
    })?;
    output.flush()?;
    Ok(not_utf8)
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

fn print_table(store: &Store, order: &RowIds, output: &mut Output) -> anyhow::Result<()> {
    let mut table = Table::new(&["NAME", "ID", "TYPE", "AUTH TYPE", "AUTH MODE", "FLAGS"]);
    for window in order.windows(WINDOW) {
        for row in store.summaries(&window)?.into_iter().flatten() {
            let mode = row.auth_mode.map_or("not set", |mode| mode.as_str()).to_owned();
            let (flags, auth_type) =
                (row.flags(store.catalogue()).join(", "), row.auth_type.unwrap_or_else(|| "-".to_owned()));
            table.push(vec![row.name, row.id, row.connector_type_id, auth_type, mode, flags], output)?;
        }
    }
    Ok(table.end(true, output)?)
}

fn print_csv(store: &Store, order: &RowIds, output: &mut Output) -> anyhow::Result<u64> {
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
            let flags = row.flags(store.catalogue()).join(", ");
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
