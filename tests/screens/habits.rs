//! Keys that users of other programs have in their fingers, and the messages that stay.

use crate::support::{App, TestDir};

fn opened(dir: &TestDir) -> App {
    let mut app = App::open(&dir.demo(), 100, 30);
    app.act("back").expect("1 of 197");
    app
}

#[test]
fn counts_and_gg_move_in_lists() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.press("5").expect("5 …").press("j").expect("6 of 197").press("2 k").expect("4 of 197");
    app.press("1 2 0 G").expect("120 of 197").press("g").expect("g …").press("g").expect("1 of 197");
    app.press("G").expect("197 of 197").press("3 g g").expect("3 of 197");
    app.press("9 9 9 9 j").expect("197 of 197").press("9 9 9 9 k").expect("1 of 197");
    // A count is over after any other key.
    app.press("7 Esc j").expect("2 of 197");
    app.press("Ctrl-f").expect("26 of 197").press("Ctrl-b").expect("2 of 197");
}

#[test]
fn counts_move_on_other_screens() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("toggle-mode down toggle-mode down toggle-mode history").expect("> 3");
    app.press("2 j").expect("> 1").press("g g").expect("> 3");
    app.act("back help").expect("> Enter").press("2 j").expect("> t").press("g g").expect("> Enter");
}

#[test]
fn y_and_n_answer_questions() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("delete").expect("y yes  n no").press("n").expect("of 197").act("delete").press("y").expect("of 196");
    // With several answers that act there is no yes.
    app.act("filter").type_text("jira").act("confirm select-all toggle-mode").expect("y yes").press("Esc");
}

#[test]
fn unbound_key_says_so_and_names_the_help() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.press("Z").expect("Z does nothing here; ? lists the keys").press("Z Z").act("messages");
    let screen = app.screen();
    assert_eq!(screen.matches("does nothing here").count(), 1, "{screen}");
}

#[test]
fn help_is_searched_and_runs_what_it_finds() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("help").expect("Keyboard shortcuts").press("/").type_text("dashboard").expect("1 found");
    app.press("Enter").expect("> D").press("Enter").expect("Auth mode").act("back").expect("1 of 197");
    // The keys of other screens are there after Tab, to read.
    app.act("help filter").type_text("what the plan proposes").expect("0 found").press("Enter Tab");
    app.expect("1 found").press("Enter").expect("Only keys of the screen below can be run from here");
    app.press("Esc").expect("Keyboard shortcuts").press("Esc").expect("1 of 197");
}

#[test]
fn columns_menu_stays_open_at_its_place() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("columns down confirm").expect("> TYPE wider").act("confirm confirm").expect("> TYPE wider").act("back");
    app.expect("1 of 197");
}

#[test]
fn messages_stay_in_the_log() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("messages").expect("Messages").act("back toggle-mode").expect("is per-user now").act("down");
    app.expect_not("is per-user now").act("messages").expect("✓ Acme pager (plugin type) is per-user now");
    app.act("back").expect("2 of 197");
}

#[test]
fn about_names_version_file_and_configuration() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("about").expect(concat!("connector-admin ", env!("CARGO_PKG_VERSION"))).expect("demo.db").expect("theme");
    app.press("y").expect("1 of 197");
}

#[test]
fn palette_shows_the_last_command_first() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("palette").type_text("dashboard").act("confirm").expect("Auth mode").act("back palette");
    app.expect("> overview in numbers");
}

#[test]
fn footer_stays_below_a_message() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("toggle-mode").expect("is per-user now").expect("q quit");
}

#[test]
fn unreadable_and_pending_connectors_are_filtered() {
    let dir = TestDir::new();
    let mut app = opened(&dir);
    app.act("filter").type_text("is:unreadable").expect("1 of 1").act("back filter").type_text("is:pending");
    app.expect("1 of 189");
}
