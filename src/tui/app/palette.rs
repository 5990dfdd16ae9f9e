//! The command palette.

use super::actions::availability;
use super::model::Model;
use crate::tui::command::Command;
use crate::tui::keymap::{Action, Binding, KeyContext, KeyMap, name};
use crate::tui::overlays::{Item, Menu};
use crate::tui::screens::Screen;
use crate::tui::ui_state::UiStateChange;

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
        keywords: format!("bulk-edit {}", item.keywords),
        ..item
    }));
    let recent = &model.cx.ui_state.recent;
    let place = |item: &Item| recent.iter().position(|name| item.keywords.split(' ').next() == Some(name.as_str()));
    items.sort_by_key(|item| place(item).unwrap_or(usize::MAX));
    Menu::new("Commands", items)
}

/// Moving about is left to the keys.
fn commands_of(context: KeyContext, keys: KeyMap) -> impl Iterator<Item = &'static Binding> {
    keys.bindings(context).filter(|binding| !binding.action.is_navigation() && binding.action != Action::Palette)
}

fn item(model: &Model, screen: &dyn Screen, binding: &Binding, commands: Vec<Command>) -> Item {
    let blocked = availability(model, screen, screen.key_context(), binding.action).err();
    let keywords = format!("{} {}", name(binding.action), binding.action.aliases());
    // Used again from the palette, it comes first.
    let note = Command::ChangeUiState(UiStateChange::UseCommand(name(binding.action)));
    let commands = std::iter::once(note).chain(commands).collect();
    Item { label: binding.help.to_owned(), detail: binding.shown_keys(), keywords, blocked, commands }
}

#[cfg(test)]
mod tests {
    use super::super::tests::opened_model;
    use super::menu;
    use crate::tui::keymap::{TABLE, name};

    /// Words of git, vim, k9s, lazygit, Kibana and the menus of desktop programs, with the command that each means.
    const WORDS: &[(&str, &str)] = &[
        ("undo", "undo"),
        ("redo", "redo"),
        ("repeat", "redo"),
        ("revert", "history"),
        ("history", "history"),
        ("log", "history"),
        ("changes", "history"),
        ("reflog", "history"),
        ("timeline", "history"),
        ("audit", "history"),
        ("journal", "history"),
        ("events", "history"),
        ("blame", "history"),
        ("help", "help"),
        ("keys", "help"),
        ("shortcuts", "help"),
        ("bindings", "help"),
        ("keyboard", "help"),
        ("manual", "help"),
        ("docs", "help"),
        ("cheatsheet", "help"),
        ("theme", "theme"),
        ("colors", "theme"),
        ("dark", "theme"),
        ("light", "theme"),
        ("contrast", "theme"),
        ("settings", "about"),
        ("config", "about"),
        ("preferences", "about"),
        ("options", "about"),
        ("version", "about"),
        ("about", "about"),
        ("info", "about"),
        ("messages", "messages"),
        ("notifications", "messages"),
        ("errors", "messages"),
        ("warnings", "messages"),
        ("quit", "quit"),
        ("exit", "quit"),
        ("close", "quit"),
        (":q", "quit"),
        ("suspend", "suspend"),
        ("background", "suspend"),
        ("refresh", "refresh"),
        ("reload", "refresh"),
        ("sync", "sync"),
        ("kibana", "sync"),
        ("remote", "sync"),
        ("push", "sync"),
        ("pull", "sync"),
        ("fetch", "sync"),
        ("login", "sync"),
        ("deploy", "sync"),
        ("conflicts", "sync"),
        ("migrate", "review"),
        ("migration", "review"),
        ("upgrade", "review"),
        ("plan", "review"),
        ("rollback", "review"),
        ("backfill", "review"),
        ("apply", "review"),
        ("open", "open"),
        ("details", "open"),
        ("describe", "open"),
        ("inspect", "open"),
        ("edit", "edit"),
        ("modify", "edit"),
        ("update", "edit"),
        ("change", "edit"),
        ("fix", "edit"),
        ("new", "new"),
        ("create", "new"),
        ("add", "new"),
        ("insert", "new"),
        ("duplicate", "duplicate"),
        ("clone", "duplicate"),
        ("cp", "duplicate"),
        ("delete", "delete"),
        ("remove", "delete"),
        ("rm", "delete"),
        ("kill", "delete"),
        ("erase", "delete"),
        ("toggle", "toggle-mode"),
        ("switch", "toggle-mode"),
        ("mode", "toggle-mode"),
        ("bulk", "bulk-edit"),
        ("batch", "bulk-edit"),
        ("mass", "bulk-edit"),
        ("filter", "filter"),
        ("search", "filter"),
        ("find", "filter"),
        ("grep", "filter"),
        ("query", "filter"),
        ("bookmarks", "saved-views"),
        ("favorites", "saved-views"),
        ("views", "saved-views"),
        ("sort", "sort-next"),
        ("order", "sort-next"),
        ("columns", "columns"),
        ("hide", "columns"),
        ("select", "select"),
        ("mark", "select"),
        ("visual", "select"),
        ("import", "import"),
        ("load", "import"),
        ("export", "export"),
        ("dump", "export"),
        ("recent", "open-file"),
        ("overview", "overview"),
        ("dashboard", "overview"),
        ("stats", "overview"),
        ("summary", "overview"),
        ("missing", "next-missing"),
        ("credentials", "next-missing"),
        ("tokens", "next-missing"),
        ("passwords", "next-missing"),
        ("test", "execute"),
        ("run", "execute"),
        ("compare", "compare"),
        ("diff", "compare"),
        ("versus", "compare"),
        ("copy", "copy-text"),
        ("yank", "copy-text"),
        ("clipboard", "copy-text"),
        ("mouse", "mouse"),
        ("backup", "backups"),
        ("snapshot", "backups"),
        ("restore", "backups"),
        ("archive", "backups"),
        ("rename", "find and replace"),
        ("regex", "find and replace"),
        ("replace", "find and replace"),
    ];

    #[test]
    fn natural_words_find_their_command() {
        let model = opened_model();
        let mut missed = Vec::new();
        for (word, wanted) in WORDS {
            let found = menu(&model).found_labels(word);
            let first = found.first().map(String::as_str).unwrap_or_default();
            let is_wanted = TABLE.iter().any(|binding| binding.help == first && name(binding.action) == *wanted)
                || first.contains(wanted) && first.starts_with("bulk edit");
            if !is_wanted {
                missed.push(format!("{word}: {first:?} instead of {wanted}"));
            }
        }
        assert!(WORDS.len() >= 80 && missed.is_empty(), "{}", missed.join("\n"));
    }

    #[test]
    fn words_of_one_command_are_in_the_table_once() {
        let mut words: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
        words.sort_unstable();
        let all = words.len();
        words.dedup();
        assert_eq!(words.len(), all);
    }
}
