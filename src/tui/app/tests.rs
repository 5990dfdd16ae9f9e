//! Tests of the app without a file: messages in, screen and effects out.

use ratatui::backend::TestBackend;
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal};

use super::mouse::Mouse;
use super::{Effect, Message, Model, update, view};
use crate::store::Scope;
use crate::tui::command::{Command, Severity};
use crate::tui::context::Context;
use crate::tui::keymap::{Action, Key, KeyContext};
use crate::tui::overlays::Dialog;
use crate::tui::running_job::RunningJob;
use crate::tui::screens::{Route, Screen};
use crate::worker::{FileJob, Job, Opened, Overview, Query, Reply};

/// Returns the app with an empty file open.
pub(super) fn opened_model() -> Model {
    let opened = Opened {
        schema: 2,
        read_only: false,
        upgraded: None,
        overview: Some(Overview::default()),
        key_warnings: Vec::new(),
        restored: None,
    };
    let mut model = Model::before_open(Context::for_tests(), Route::Opening(false));
    update(&mut model, Message::Worker(Reply::Opened(Box::new(opened))));
    let (scope, rows) = (Scope::Connectors, Vec::new());
    update(&mut model, Message::Worker(Reply::Listed { scope, generation: 1, total: 0, cursor: 0, start: 0, rows }));
    model
}

/// Returns the screen as text.
#[allow(clippy::disallowed_methods, reason = "no terminal sees it")]
pub(super) fn shown(model: &Model) -> String {
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).expect("a terminal");
    terminal.draw(|frame| view(model, frame)).expect("drawn");
    terminal.backend().to_string()
}

/// Presses a key.
pub(super) fn press(model: &mut Model, key: &str) -> Vec<Effect> {
    update(model, Message::Key(Key::parse(key).expect("a key")))
}

fn reply(model: &mut Model, reply: Reply) -> Vec<Effect> {
    update(model, Message::Worker(reply))
}

fn run_quick_job(model: &mut Model) {
    let job = Job::File(FileJob::Redo);
    model.cx.job = RunningJob::start(&job, "redoing", &model.cx.overview, model.cx.now);
}

fn run_long_job(model: &mut Model) {
    let job = Job::File(FileJob::CreateBackup);
    model.cx.job = RunningJob::start(&job, "creating a backup", &model.cx.overview, model.cx.now);
}

#[test]
fn dialog_below_another_is_still_there_afterwards() {
    let mut model = opened_model();
    reply(&mut model, Reply::Failed("the disk is full".to_owned()));
    reply(&mut model, Reply::ReadFailed("an input/output error".to_owned()));
    assert!(shown(&model).contains("an input/output error"), "{}", shown(&model));
    press(&mut model, "Enter");
    assert!(shown(&model).contains("the disk is full"), "{}", shown(&model));
    // The same question is not shown twice.
    reply(&mut model, Reply::Failed("the disk is still full".to_owned()));
    press(&mut model, "Enter");
    assert!(!shown(&model).contains("The action failed"), "{}", shown(&model));
}

#[test]
fn esc_closes_the_menu_before_it_stops_the_job() {
    let mut model = opened_model();
    run_long_job(&mut model);
    press(&mut model, ":");
    assert!(shown(&model).contains("Commands"), "{}", shown(&model));
    assert!(press(&mut model, "Esc").is_empty());
    assert!(!shown(&model).contains("Commands"), "{}", shown(&model));
    assert!(matches!(press(&mut model, "Esc").as_slice(), [Effect::CancelJob]));
}

#[test]
fn two_pages_of_connectors_are_both_reloaded() {
    let mut model = opened_model();
    for id in ["one", "two"] {
        model.screens.open_route(Route::Detail(id.to_owned()), &model.cx);
    }
    let queries: Vec<Query> = reply(&mut model, Reply::ChangedOnDisk)
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Read(query @ Query::Record { .. }) => Some(query),
            _ => None,
        })
        .collect();
    assert_eq!(queries.len(), 2);
    assert!(!queries[0].supersedes(&queries[1]) && !queries[1].supersedes(&queries[0]));
}

#[test]
fn screen_on_the_same_list_is_open_once() {
    let mut model = opened_model();
    for _ in 0..2 {
        model.screens.open_route(Route::Review, &model.cx);
        model.screens.open_route(Route::Help(KeyContext::Review), &model.cx);
    }
    // The connectors, the first help, the review, the second help.
    assert_eq!(model.screens.open().count(), 4);
}

#[test]
fn review_keeps_its_state_when_it_is_left() {
    let mut model = opened_model();
    let open = |model: &mut Model| model.screens.open_route(Route::Review, &model.cx);
    open(&mut model);
    model.screens.top_mut().on_action(Action::NextGroup, &model.cx);
    assert!(shown(&model).contains("Migration review"));
    model.screens.back();
    let queries = open(&mut model);
    let is_of_group = |query: &Query| match query {
        Query::List(list) => !list.filter.is_empty(),
        _ => false,
    };
    assert!(queries.iter().any(is_of_group), "{queries:?}");
}

#[test]
fn footer_cannot_be_clicked_while_the_file_is_opened() {
    let mut model = Model::before_open(Context::for_tests(), Route::Opening(false));
    for x in 0..80 {
        let effects = update(&mut model, Message::Mouse(Mouse::Click(x, 23)));
        assert!(effects.is_empty() && !model.is_quitting() && model.screens.depth() == 0, "cell {x}");
    }
}

#[test]
fn page_without_its_first_answer_is_left_after_a_read_error() {
    let mut model = opened_model();
    model.screens.open_route(Route::Backups, &model.cx);
    press(&mut model, "Esc");
    reply(&mut model, Reply::ReadFailed("an input/output error".to_owned()));
    assert_eq!(model.screens.depth(), 0);
    // The key pressed before the error is forgotten.
    press(&mut model, "Enter");
    assert!(shown(&model).contains("Connectors"), "{}", shown(&model));
}

#[test]
fn job_is_refused_while_another_one_runs() {
    let mut model = opened_model();
    run_long_job(&mut model);
    let job = Command::write(FileJob::CreateBackup, "creating a backup");
    model.open_overlay(Box::new(Dialog::new("Two jobs", "No").choice("Yes", vec![job])));
    assert!(press(&mut model, "y").is_empty());
    assert!(shown(&model).contains("Wait for the running job, or stop it with Esc"), "{}", shown(&model));
}

#[test]
fn unsaved_input_below_the_help_is_not_dropped_by_quitting() {
    /// A screen with unsaved input.
    #[derive(Debug)]
    struct Unsaved;

    impl Screen for Unsaved {
        fn key_context(&self) -> KeyContext {
            KeyContext::Form
        }

        fn title(&self) -> &'static str {
            "Unsaved"
        }

        fn view(&self, _frame: &mut Frame<'_>, _area: Rect, _cx: &Context) {}

        fn on_action(&mut self, _action: Action, _cx: &Context) -> Option<Vec<Command>> {
            None
        }

        fn is_dirty(&self) -> bool {
            true
        }
    }

    let mut model = opened_model();
    model.screens.push(Box::new(Unsaved), &model.cx);
    model.screens.open_route(Route::Help(KeyContext::Form), &model.cx);
    press(&mut model, "Ctrl-c");
    assert!(!model.is_quitting());
    assert!(shown(&model).contains("drop what you changed"), "{}", shown(&model));
}

#[test]
fn question_takes_its_keys_while_a_quick_job_waits() {
    let mut model = opened_model();
    run_quick_job(&mut model);
    // These are for the list, when the job is done.
    press(&mut model, "D");
    press(&mut model, "Ctrl-c");
    assert!(shown(&model).contains("Stop and quit"), "{}", shown(&model));
    press(&mut model, "Right");
    let effects = press(&mut model, "Enter");
    assert!(matches!(effects.as_slice(), [Effect::CancelJob]), "{effects:?}");
    reply(&mut model, Reply::Failed("cancelled".to_owned()));
    assert!(model.is_quitting());
}

#[test]
fn keys_typed_before_a_dialog_appears_do_not_answer_it() {
    let mut model = opened_model();
    run_quick_job(&mut model);
    press(&mut model, "Enter");
    reply(&mut model, Reply::Failed("the disk is full".to_owned()));
    assert!(shown(&model).contains("the disk is full"), "{}", shown(&model));
}

#[test]
fn click_on_a_message_runs_no_key_below_it() {
    let mut model = opened_model();
    let columns: Vec<u16> = (0..80).collect();
    for x in columns {
        model.notify(Severity::Info, "a message that is as long as the footer would be ".repeat(2));
        let effects = update(&mut model, Message::Mouse(Mouse::Click(x, 23)));
        assert!(effects.is_empty() && !model.is_quitting() && model.screens.depth() == 0, "cell {x}");
    }
}

#[test]
fn palette_runs_what_only_keys_ran_before() {
    let mut model = opened_model();
    for (words, wanted) in [("suspend to the shell", "Suspend"), ("redraw the screen", "Redraw")] {
        press(&mut model, ":");
        for letter in words.chars() {
            press(&mut model, &letter.to_string().replace(' ', "Space"));
        }
        let effects = press(&mut model, "Enter");
        assert!(effects.iter().any(|effect| format!("{effect:?}") == wanted), "{effects:?}");
    }
}
