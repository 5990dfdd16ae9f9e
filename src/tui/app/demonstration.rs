//! A screen that the app has never heard of works like all others: the proof that the app knows screens by their trait
//! only.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::Paragraph;

use super::mouse::Mouse;
use super::tests::{opened_model, press, shown};
use super::{Effect, Message, update};
use crate::tui::command::Command;
use crate::tui::context::Context;
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::screens::Screen;
use crate::worker::{FileJob, Job, Query, Reply};

/// Counts the backups of the file, and makes one.
#[derive(Debug, Default)]
struct Demonstration {
    count: Option<usize>,
    clicked: bool,
}

impl Screen for Demonstration {
    fn key_context(&self) -> KeyContext {
        KeyContext::Backups
    }

    fn title(&self) -> &'static str {
        "Demonstration"
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, _cx: &Context) {
        let text = format!("backups: {:?}, clicked: {}", self.count, self.clicked);
        frame.render_widget(Paragraph::new(text), area);
    }

    fn queries(&mut self) -> Vec<Query> {
        vec![Query::Backups]
    }

    fn is_waiting(&self) -> bool {
        self.count.is_none()
    }

    fn on_reply(&mut self, reply: &Reply, _cx: &Context) -> Vec<Command> {
        if let Reply::Backups(backups) = reply {
            self.count = Some(backups.len());
        }
        Vec::new()
    }

    fn on_action(&mut self, action: Action, _cx: &Context) -> Option<Vec<Command>> {
        (action == Action::CreateBackup).then(|| vec![Command::write(FileJob::CreateBackup, "creating a backup")])
    }

    fn on_click(&mut self, _at: Position, _cx: &Context) -> Vec<Command> {
        self.clicked = true;
        Vec::new()
    }

    fn unavailable(&self, action: Action, _cx: &Context) -> Option<String> {
        (action == Action::Restore).then(|| "this is a demonstration".to_owned())
    }
}

#[test]
fn screen_unknown_to_the_app_works_like_the_others() {
    let mut model = opened_model();
    let queries = model.screens.push(Box::new(Demonstration::default()), &model.cx);
    assert!(matches!(queries.as_slice(), [Query::Backups]), "{queries:?}");

    // Keys wait for the first answer, which comes to the screen.
    assert!(press(&mut model, "b").is_empty());
    let effects = update(&mut model, Message::Worker(Reply::Backups(Vec::new())));
    assert!(matches!(effects.as_slice(), [Effect::Write(Job::File(FileJob::CreateBackup))]), "{effects:?}");
    assert!(shown(&model).contains("backups: Some(0)"), "{}", shown(&model));

    // When the job ends, the queries of the screen are sent again.
    let effects = update(&mut model, Message::Worker(Reply::Failed("no room".to_owned())));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Read(Query::Backups))), "{effects:?}");
    press(&mut model, "Enter");

    // Header, footer, palette, mouse and the way back are those of every screen.
    assert!(shown(&model).contains("Demonstration"), "{}", shown(&model));
    assert!(shown(&model).contains("b back up"), "{}", shown(&model));
    press(&mut model, "Enter");
    assert!(shown(&model).contains("This is a demonstration"), "{}", shown(&model));
    press(&mut model, ":");
    assert!(shown(&model).contains("create a backup of the file"), "{}", shown(&model));
    press(&mut model, "Esc");
    update(&mut model, Message::Mouse(Mouse::Click(3, 3)));
    assert!(shown(&model).contains("clicked: true"), "{}", shown(&model));
    press(&mut model, "Esc");
    assert!(!shown(&model).contains("Demonstration"), "{}", shown(&model));
}
