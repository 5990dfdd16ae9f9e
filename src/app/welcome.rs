//! The first minute: the file is not there yet, so a person says how to begin.

use ratatui::text::Line;

use super::model::{Model, Setup};
use crate::screens::{Effect, Item, Menu, Start};
use crate::ui::text::wrap;

/// The ways to begin.
pub(super) fn menu(setup: &Setup) -> Menu {
    let begin = |start| vec![Effect::Start(start)];
    let mut items = vec![
        Item::new("look at the demo: 200 connectors to play with, thrown away at the end", "", begin(Start::Demo)),
        Item::new("import an export of Kibana into a new file", &setup.file, begin(Start::Import)),
        Item::new("begin with an empty file", &setup.file, begin(Start::New)),
    ];
    let recent = setup.memory.files.iter().filter(|known| known.path != setup.path);
    items.extend(recent.map(|known| {
        let path = known.path.display().to_string();
        Item::new(format!("open {path}"), "recent", begin(Start::File(known.path.clone())))
    }));
    items.push(Item::new("quit", "", vec![Effect::Quit]));
    Menu::new("How to begin", items)
}

/// What stands behind the menu.
pub(super) fn lines(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let text = format!("Connector Admin. There is no file {} yet.", model.setup.path.display());
    wrap(&text, cells).into_iter().map(|line| Line::styled(line, model.setup.theme.title())).collect()
}
