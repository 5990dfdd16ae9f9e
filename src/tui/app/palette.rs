//! The command palette.

use super::actions::availability;
use super::model::Model;
use crate::tui::command::Command;
use crate::tui::keymap::{Action, Binding, KeyContext, KeyMap};
use crate::tui::overlays::{Item, Menu};
use crate::tui::screens::Screen;

/// Returns the command palette of the focused screen: its own commands, then those of the list of connectors.
/// Unavailable commands show the reason.
pub(super) fn menu(model: &Model) -> Menu {
    let (screen, first) = (model.screens.top(), model.screens.first());
    let (here, there) = (screen.key_context(), first.key_context());
    let keys = model.cx.ui.keys;
    let mut items: Vec<Item> = commands_of(here, keys)
        .map(|binding| item(model, screen, binding, vec![Command::RunAction(binding.action)]))
        .collect();
    if here != there {
        let own: Vec<Action> = commands_of(here, keys).map(|binding| binding.action).collect();
        let others = commands_of(there, keys).filter(|binding| !own.contains(&binding.action));
        items.extend(
            others.map(|binding| item(model, first, binding, vec![Command::Home, Command::RunAction(binding.action)])),
        );
    }
    items.extend(first.palette_items(&model.cx).into_iter().map(|(action, item)| Item {
        blocked: availability(model, first, there, action).err(),
        commands: std::iter::once(Command::Home).chain(item.commands).collect(),
        ..item
    }));
    Menu::new("Commands", items)
}

/// Moving about is left to the keys.
fn commands_of(context: KeyContext, keys: KeyMap) -> impl Iterator<Item = &'static Binding> {
    keys.bindings(context).filter(|binding| !binding.action.is_navigation() && binding.action != Action::Palette)
}

fn item(model: &Model, screen: &dyn Screen, binding: &Binding, commands: Vec<Command>) -> Item {
    let blocked = availability(model, screen, screen.key_context(), binding.action).err();
    Item { label: binding.help.to_owned(), detail: binding.shown_keys(), blocked, commands }
}
