//! The welcome screen: the file does not exist yet, and the user chooses how to begin.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::Screen;
use crate::text::terminal::wrap;
use crate::tui::command::{Command, OpenTarget};
use crate::tui::context::Context;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::overlays::{Item, Menu};

/// The text behind the menu of the ways to begin.
#[derive(Debug)]
pub(super) struct WelcomeScreen;

impl Screen for WelcomeScreen {
    fn key_context(&self) -> KeyContext {
        KeyContext::Picker
    }

    fn title(&self) -> &'static str {
        "Welcome"
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context) {
        let text = format!("Connector Admin. {} does not exist yet.", cx.path.display());
        let lines = wrap(&text, area.width.into()).into_iter().map(|line| Line::styled(line, cx.ui.theme.title()));
        frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), area);
    }

    fn on_action(&mut self, _action: Action, _cx: &Context) -> Option<Vec<Command>> {
        None
    }
}

/// Returns the menu of the ways to begin.
pub fn menu(cx: &Context) -> Menu {
    let begin = |start| vec![Command::OpenFile(start)];
    let mut items = vec![
        Item::new("open the demo: about 200 connectors, deleted on exit", "", begin(OpenTarget::Demo)),
        Item::new("import an export of Kibana into a new file", &cx.file, begin(OpenTarget::Import)),
        Item::new("begin with an empty file", &cx.file, begin(OpenTarget::New)),
    ];
    let recent = cx.ui_state.files.iter().filter(|known| known.path != cx.path);
    items.extend(recent.map(|known| {
        let path = known.path.display().to_string();
        Item::new(format!("open {path}"), "recent", begin(OpenTarget::File(known.path.clone())))
    }));
    items.push(Item::new("quit", "", vec![Command::Quit]));
    Menu::new("Get started", items).on_cancel(vec![Command::Quit])
}
