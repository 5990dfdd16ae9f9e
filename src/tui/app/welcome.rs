//! The welcome screen: the file does not exist yet, and the user chooses how to begin.

use ratatui::text::Line;

use super::model::{Model, Setup};
use crate::text::terminal::wrap;
use crate::tui::screens::{Command, Item, Menu, OpenTarget};

/// The ways to begin.
pub(super) fn menu(setup: &Setup) -> Menu {
    let begin = |start| vec![Command::OpenFile(start)];
    let mut items = vec![
        Item::new("open the demo: about 200 connectors, deleted on exit", "", begin(OpenTarget::Demo)),
        Item::new("import an export of Kibana into a new file", &setup.file, begin(OpenTarget::Import)),
        Item::new("begin with an empty file", &setup.file, begin(OpenTarget::New)),
    ];
    let recent = setup.ui_state.files.iter().filter(|known| known.path != setup.path);
    items.extend(recent.map(|known| {
        let path = known.path.display().to_string();
        Item::new(format!("open {path}"), "recent", begin(OpenTarget::File(known.path.clone())))
    }));
    items.push(Item::new("quit", "", vec![Command::Quit]));
    Menu::new("Get started", items)
}

/// Draws the text behind the menu.
pub(super) fn lines(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let text = format!("Connector Admin. {} does not exist yet.", model.setup.path.display());
    wrap(&text, cells).into_iter().map(|line| Line::styled(line, model.setup.ui.theme.title())).collect()
}
