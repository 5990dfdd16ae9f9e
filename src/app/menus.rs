//! Lists to choose from: everything that can be done, what can be copied, filters, columns.

use super::actions::availability;
use super::model::{Model, Screen};
use crate::domain::{json, test_params};
use crate::keymap::{self, Action, Binding, Place, key_of};
use crate::screens::prompt::Prompt;
use crate::screens::{Effect, Go, Item, Menu, Start, connectors};
use crate::transfer::api;

/// The palette of a place: what its keys do, then what the list of connectors offers. What cannot be done now says why.
pub(super) fn palette(model: &Model, place: Place) -> Menu {
    let mut items: Vec<Item> =
        chosen(place).map(|binding| item(model, place, binding, vec![Effect::Act(binding.action)])).collect();
    if place != Place::Connectors {
        let here: Vec<Action> = chosen(place).map(|binding| binding.action).collect();
        let others = chosen(Place::Connectors).filter(|binding| !here.contains(&binding.action));
        items.extend(others.map(|binding| {
            let effects = vec![Effect::Go(Go::Home), Effect::Act(binding.action)];
            item(model, Place::Connectors, binding, effects)
        }));
    }
    let can_write = availability(model, Place::Connectors, Action::EditMany);
    items.extend(connectors::edits(&model.connectors).into_iter().map(|edit| Item {
        label: format!("many at once: {}", edit.label),
        detail: key_of(Place::Connectors, Action::EditMany),
        blocked: can_write.clone().err(),
        effects: [vec![Effect::Go(Go::Home)], edit.effects].concat(),
    }));
    Menu::new("Everything", items)
}

/// Moving about is left to the keys.
fn chosen(place: Place) -> impl Iterator<Item = &'static Binding> {
    use Action::{Back, Bottom, Down, Left, PageDown, PageUp, Palette, Right, Top, Up};
    let is_moving =
        |action| matches!(action, Up | Down | Left | Right | PageUp | PageDown | Top | Bottom | Back | Palette);
    keymap::bindings(place).filter(move |binding| !is_moving(binding.action))
}

fn item(model: &Model, place: Place, binding: &Binding, effects: Vec<Effect>) -> Item {
    let blocked = availability(model, place, binding.action).err();
    Item { label: binding.help.to_owned(), detail: binding.shown_keys(), blocked, effects }
}

/// What a connector is to do when Kibana runs it.
pub(super) fn run(model: &Model) -> Effect {
    let row = model.connectors.current().map(|row| (row.id.clone(), row.connector_type_id.clone(), row.name.clone()));
    let of_detail = match model.screen() {
        Screen::Detail(state) => state.record.as_ref().map(|record| &record.connector),
        _ => None,
    };
    let shown = of_detail.map(|record| (record.id.clone(), record.connector_type_id.clone(), record.name.clone()));
    let Some((id, type_id, name)) = shown.or(row) else { return Effect::info("there is no connector to run") };
    Effect::Prompt(Box::new(Prompt::run(id, name, test_params::of(&type_id))))
}

/// Filters that were kept, and keeping the one in use.
pub(super) fn filters(model: &Model) -> Menu {
    let memory = &model.setup.memory;
    let now = model.connectors.filter_text.text().trim().to_owned();
    let mut items: Vec<Item> = memory
        .filters
        .iter()
        .rev()
        .map(|filter| Item::new(filter.clone(), "use it", vec![Effect::Filter(filter.clone())]))
        .collect();
    let is_kept = memory.filters.contains(&now);
    if !now.is_empty() {
        let (word, keep) = if is_kept { ("forget", false) } else { ("keep", true) };
        items.push(Item::new(format!("{word} the filter: {now}"), word, vec![Effect::KeepFilter(now, keep)]));
    }
    if items.is_empty() {
        let mut item = Item::new("no filter is kept yet", "", Vec::new());
        let key = key_of(Place::Connectors, Action::Filter);
        item.blocked = Some(format!("type one with {key}, then come here to keep it"));
        items.push(item);
    }
    Menu::new("Filters", items)
}

pub(super) fn columns(model: &Model) -> Menu {
    let choice = &model.setup.memory.columns;
    let item = |name: &'static str| {
        let again = Effect::Act(Action::Columns);
        let (word, state) =
            if choice.is_hidden(name) { ("show", "left out") } else { ("leave out", "shown where it fits") };
        let mut items =
            vec![Item::new(format!("{word} {name}"), state, vec![Effect::ToggleColumn(name), again.clone()])];
        if !choice.is_hidden(name) {
            for (word, cells) in [("wider", 4), ("narrower", -4)] {
                let effects = vec![Effect::WidenColumn(name, cells), again.clone()];
                items.push(Item::new(format!("{word} {name}"), "", effects));
            }
        }
        items
    };
    Menu::new("Columns", connectors::optional_columns().flat_map(item).collect())
}

/// Files that were open lately.
pub(super) fn files(model: &Model) -> Menu {
    let others = model.setup.memory.files.iter().filter(|known| known.path != model.setup.path);
    let mut items: Vec<Item> = others
        .map(|known| {
            let path = known.path.display().to_string();
            Item::new(path, known.filter.clone(), vec![Effect::Start(Start::File(known.path.clone()))])
        })
        .collect();
    if items.is_empty() {
        let mut item = Item::new("no other file was open lately", "", Vec::new());
        item.blocked = Some("name one on the command line: connector-admin FILE".to_owned());
        items.push(item);
    }
    Menu::new("Open another file", items)
}

/// What of the connector can be copied; never its secrets.
pub(super) fn copy(model: &Model) -> Effect {
    let record = match model.screen() {
        Screen::Detail(state) => state.record.as_ref(),
        _ => model.preview.as_ref(),
    };
    let Some(connector) = record.map(|record| &record.connector) else {
        return Effect::info("there is no connector here to copy from");
    };
    let json = json::pretty(&api::connector(connector));
    let parts = [
        ("id", connector.id.clone()),
        ("name", connector.name.clone()),
        ("connector type id", connector.connector_type_id.clone()),
        ("config, as JSON", connector.config.clone()),
        ("the whole connector, as the JSON of Kibana's API (without secrets)", json),
    ];
    let item = |(label, text): (&str, String)| {
        let shown = text.lines().next().unwrap_or_default().to_owned();
        Item::new(label, shown, vec![Effect::Copy(text)])
    };
    Effect::Offer(Box::new(Menu::new("Copy", parts.map(item).into())))
}
