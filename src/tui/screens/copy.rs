//! The menu of what can be copied of a connector.

use crate::domain::{Connector, json};
use crate::kibana::body;
use crate::tui::command::Command;
use crate::tui::context::Context;
use crate::tui::overlays::{Item, Menu};
use crate::tui::widgets::list::PagedList;
use crate::tui::widgets::preview::Preview;
use crate::worker::Record;

/// Opens the menu for the current row of a list; `None` while its record has not come.
pub(super) fn of_current(preview: &Preview<Record>, list: &PagedList, cx: &Context) -> Option<Command> {
    preview.is_of_current(list).then(|| menu(preview.get().map(|record| &record.connector), cx))
}

/// Opens the menu of copyable parts of the connector, without secrets.
pub(super) fn menu(connector: Option<&Connector>, cx: &Context) -> Command {
    let Some(connector) = connector else {
        return Command::info("No connector to copy from");
    };
    let json = json::pretty(&body::connector(connector, cx.ui.catalogue));
    let parts = [
        ("id", connector.id.clone()),
        ("name", connector.name.clone()),
        ("connector type id", connector.connector_type_id.clone()),
        ("config, as JSON", connector.config.clone()),
        ("the whole connector, as the JSON of Kibana's API (without secrets)", json),
    ];
    let item = |(label, text): (&str, String)| {
        let shown = text.lines().next().unwrap_or_default().to_owned();
        Item::new(label, shown, vec![Command::Copy(text)])
    };
    Command::menu(Menu::new("Copy", parts.map(item).into()))
}
