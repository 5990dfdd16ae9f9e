//! Lists to choose from: everything that can be done, what can be copied, filters, columns.

use super::actions::availability;
use super::model::{Model, Screen};
use crate::domain::{json, test_params};
use crate::kibana::body;
use crate::tui::keymap::{Action, Binding, KeyContext, KeyMap};
use crate::tui::overlays::prompt::Prompt;
use crate::tui::screens::{Command, Item, Menu, OpenTarget, Route, connectors};

/// Returns the command palette of a screen: its own commands, then those of the list of connectors. Unavailable
/// commands show the reason.
pub(super) fn palette(model: &Model, context: KeyContext) -> Menu {
    let mut items: Vec<Item> = chosen(context, model.setup.ui.keys)
        .map(|binding| item(model, context, binding, vec![Command::RunAction(binding.action)]))
        .collect();
    if context != KeyContext::Connectors {
        let here: Vec<Action> = chosen(context, model.setup.ui.keys).map(|binding| binding.action).collect();
        let others =
            chosen(KeyContext::Connectors, model.setup.ui.keys).filter(|binding| !here.contains(&binding.action));
        items.extend(others.map(|binding| {
            let commands = vec![Command::Route(Route::Home), Command::RunAction(binding.action)];
            item(model, KeyContext::Connectors, binding, commands)
        }));
    }
    let can_write = availability(model, KeyContext::Connectors, Action::BulkEdit);
    items.extend(connectors::edits(&model.connectors, model.setup.ui.keys).into_iter().map(|edit| Item {
        label: format!("bulk edit: {}", edit.label),
        detail: model.setup.ui.keys.key_of(KeyContext::Connectors, Action::BulkEdit),
        blocked: can_write.clone().err(),
        commands: [vec![Command::Route(Route::Home)], edit.commands].concat(),
    }));
    Menu::new("Commands", items)
}

/// Moving about is left to the keys.
fn chosen(context: KeyContext, keys: KeyMap) -> impl Iterator<Item = &'static Binding> {
    use Action::{Back, Bottom, Down, Left, PageDown, PageUp, Palette, Right, Top, Up};
    let is_moving =
        |action| matches!(action, Up | Down | Left | Right | PageUp | PageDown | Top | Bottom | Back | Palette);
    keys.bindings(context).filter(move |binding| !is_moving(binding.action))
}

fn item(model: &Model, context: KeyContext, binding: &Binding, commands: Vec<Command>) -> Item {
    let blocked = availability(model, context, binding.action).err();
    Item { label: binding.help.to_owned(), detail: binding.shown_keys(), blocked, commands }
}

/// Opens the prompt for the parameters of a test run.
pub(super) fn run(model: &Model) -> Command {
    let row = model.connectors.current().map(|row| (row.id.clone(), row.connector_type_id.clone(), row.name.clone()));
    let of_detail = match model.screen() {
        Screen::Detail(state) => state.record.as_ref().map(|record| &record.connector),
        _ => None,
    };
    let shown = of_detail.map(|record| (record.id.clone(), record.connector_type_id.clone(), record.name.clone()));
    let Some((id, type_id, name)) = shown.or(row) else { return Command::info("No connector to test") };
    Command::OpenPrompt(Box::new(Prompt::run(id, name, test_params::of(&type_id))))
}

/// The saved views, and the item that saves or deletes the view of the filter in use.
pub(super) fn filters(model: &Model) -> Menu {
    let ui_state = &model.setup.ui_state;
    let now = model.connectors.filter_text.text().trim().to_owned();
    let mut items: Vec<Item> = ui_state
        .filters
        .iter()
        .rev()
        .map(|filter| Item::new(filter.clone(), "", vec![Command::Filter(filter.clone())]))
        .collect();
    let is_kept = ui_state.filters.contains(&now);
    if !now.is_empty() {
        let (word, keep) = if is_kept { ("Delete", false) } else { ("Save", true) };
        items.push(Item::new(format!("{word} view: {now}"), "", vec![Command::KeepView(now, keep)]));
    }
    if items.is_empty() {
        let mut item = Item::new("No saved views", "", Vec::new());
        let key = model.setup.ui.keys.key_of(KeyContext::Connectors, Action::Filter);
        item.blocked = Some(format!("type a filter with {key}, then save it here"));
        items.push(item);
    }
    Menu::new("Saved views", items)
}

pub(super) fn columns(model: &Model) -> Menu {
    let choice = &model.setup.ui_state.columns;
    let item = |name: &'static str| {
        let again = Command::RunAction(Action::Columns);
        let (word, state) = if choice.is_hidden(name) { ("Show", "hidden") } else { ("Hide", "shown") };
        let mut items =
            vec![Item::new(format!("{word} {name}"), state, vec![Command::ToggleColumn(name), again.clone()])];
        if !choice.is_hidden(name) {
            for (word, cells) in [("Wider", 4), ("Narrower", -4)] {
                let commands = vec![Command::WidenColumn(name, cells), again.clone()];
                items.push(Item::new(format!("{word} {name}"), "", commands));
            }
        }
        items
    };
    Menu::new("Columns", connectors::optional_columns().flat_map(item).collect())
}

/// The recent files.
pub(super) fn files(model: &Model) -> Menu {
    let others = model.setup.ui_state.files.iter().filter(|known| known.path != model.setup.path);
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

/// Returns the menu of copyable parts of the connector, without secrets.
pub(super) fn copy(model: &Model) -> Command {
    let record = match model.screen() {
        Screen::Detail(state) => state.record.as_ref(),
        _ => model.preview.as_ref(),
    };
    let Some(connector) = record.map(|record| &record.connector) else {
        return Command::info("No connector to copy from");
    };
    let json = json::pretty(&body::connector(connector, model.setup.ui.catalogue));
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
    Command::OpenMenu(Box::new(Menu::new("Copy", parts.map(item).into())))
}
