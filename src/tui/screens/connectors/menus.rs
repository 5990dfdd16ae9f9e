//! The menus of the list: saved views, columns, recent files.

use super::columns::optional_columns;
use crate::tui::command::{Command, OpenTarget};
use crate::tui::context::Context;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::overlays::{Item, Menu};
use crate::tui::ui_state::UiStateChange;
use crate::tui::widgets::list::PagedList;

/// Returns the saved views, and the item that saves or deletes the view of the filter in use.
pub(super) fn saved_views(list: &PagedList, cx: &Context) -> Menu {
    let filters = &cx.ui_state.filters;
    let now = list.filter_text.text().trim().to_owned();
    let mut items: Vec<Item> = filters
        .iter()
        .rev()
        .map(|filter| Item::new(filter.clone(), "", vec![Command::Filter(filter.clone())]))
        .collect();
    if filters.contains(&now) {
        let commands =
            vec![Command::ChangeUiState(UiStateChange::DeleteView(now.clone())), Command::success("View deleted")];
        items.push(Item::new(format!("Delete view: {now}"), "", commands));
    } else if !now.is_empty() {
        let key = cx.key(KeyContext::Connectors, Action::SavedViews);
        let commands = vec![
            Command::ChangeUiState(UiStateChange::SaveView(now.clone())),
            Command::success(format!("View saved ({key} to open)")),
        ];
        items.push(Item::new(format!("Save view: {now}"), "", commands));
    }
    if items.is_empty() {
        let mut item = Item::new("No saved views", "", Vec::new());
        let key = cx.key(KeyContext::Connectors, Action::Filter);
        item.blocked = Some(format!("type a filter with {key}, then save it here"));
        items.push(item);
    }
    Menu::new("Saved views", items)
}

/// Returns the columns with what can be changed about them.
pub(super) fn columns(cx: &Context) -> Menu {
    Menu::checklist("Columns", column_items, cx)
}

fn column_items(cx: &Context) -> Vec<Item> {
    let choice = &cx.ui_state.columns;
    let item = |name: &'static str| {
        let change = |change| vec![Command::ChangeUiState(change)];
        let mark = if choice.is_hidden(name) { "[ ]" } else { "[x]" };
        let toggle = Item::new(format!("{mark} {name}"), "", change(UiStateChange::ToggleColumn(name)));
        let mut items = vec![toggle.keywords("show hide")];
        for (word, cells) in [("wider", 4), ("narrower", -4)] {
            let mut item = Item::new(format!("{name} {word}"), "", change(UiStateChange::WidenColumn(name, cells)));
            item.blocked = choice.is_hidden(name).then(|| "the column is hidden".to_owned());
            items.push(item);
        }
        items
    };
    optional_columns().flat_map(item).collect()
}

/// Returns the recent files.
pub(super) fn files(cx: &Context) -> Menu {
    let others = cx.ui_state.files.iter().filter(|known| known.path != cx.path);
    let mut items: Vec<Item> = others
        .map(|known| {
            let path = known.path.display().to_string();
            Item::new(path, known.filter.clone(), vec![Command::OpenFile(OpenTarget::File(known.path.clone()))])
        })
        .collect();
    if items.is_empty() {
        let mut item = Item::new("No recent files", "", Vec::new());
        item.blocked = Some("name one on the command line: connector-admin FILE".to_owned());
        items.push(item);
    }
    Menu::new("Open another file", items)
}
