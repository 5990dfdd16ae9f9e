//! Everything that can be done from here, as a list to search.

use super::actions::availability;
use super::model::Model;
use crate::keymap::{self, Action, Binding, Place};
use crate::screens::{Effect, Go, Item, Menu};

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
    let blocked = availability(model, place, binding.action).err().map(str::to_owned);
    Item { label: binding.help.to_owned(), detail: binding.keys.join(" "), blocked, effects }
}
