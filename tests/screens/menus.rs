//! The palette, and what else offers things to choose from.

use connector_admin::app::Mouse;

use crate::support::{App, Place};

fn opened(place: &Place) -> App {
    let mut app = App::open(&place.demo(), 100, 30);
    app.press("Esc");
    app
}

#[test]
fn the_palette_finds_what_can_be_done_and_does_it() {
    let place = Place::new();
    let mut app = opened(&place);
    app.press(":").expect("Everything").expect("edit the connector in the form");
    app.type_text("migration review").expect("review the migration of the records").expect_not("edit the connector");
    app.press("Enter").expect("Migration review").expect("WILL BE");
    // What is not of this place is done from the list.
    app.press(":").type_text("create a connector").press("Enter").expect("Connector type");
}

#[test]
fn what_cannot_be_done_says_why() {
    let place = Place::new();
    let mut app = opened(&place);
    app.press(":").type_text("take the last change back").expect("there is nothing to undo");
    app.press("Enter").expect("there is nothing to undo").expect_not("Everything");
    let path = place.path("demo.db");
    let mut app = App::start(&path, 100, 30, true, true);
    app.press("Esc :").type_text("delete").expect("read-only");
}

#[test]
fn esc_closes_a_menu_and_nothing_is_done() {
    let place = Place::new();
    let mut app = opened(&place);
    app.press(":").type_text("quit").press("Esc").expect_not("Everything");
    assert!(!app.is_quitting());
    app.press(":").type_text("zzz").expect("Nothing matches").press("Enter").expect("Nothing matches");
}

#[test]
fn parts_of_a_connector_are_copied_and_never_secrets() {
    let place = Place::new();
    let mut app = opened(&place);
    app.press("/").type_text("Ticket webhook").press("Enter y").expect("Copy").press("Enter").expect("copied");
    assert!(app.copied.len() == 36, "{}", app.copied);
    app.press("y Down Enter");
    assert_eq!(app.copied, "Ticket webhook (9.4)");
    app.press("Enter y").type_text("api").press("Enter");
    let copied: serde_json::Value = serde_json::from_str(&app.copied).expect("JSON");
    assert_eq!(copied["name"], "Ticket webhook (9.4)");
    assert!(copied.get("secrets").is_none());
}

#[test]
fn every_bar_of_the_overview_leads_to_its_connectors() {
    let place = Place::new();
    let mut app = opened(&place);
    app.press("D").expect("Overview").expect("Auth mode").expect("Connector types").expect("Migration");
    app.expect("backfill").press("Down Down Down Enter");
    app.expect("/is:backfill").expect("of 73");
    app.press("Esc t D").expect("auth mode of").press("Down Down Down Down Down Down Down Enter").expect("Step 1");
    app.press("q").expect("Overview").press("Home Down Enter").expect("/auth:per-user");
}

#[test]
fn colours_change_on_the_spot() {
    let place = Place::new();
    let mut app = opened(&place);
    app.press("T").expect("theme dark").press("T").expect("theme light").press("T T").expect("theme none");
    assert!(!crate::support::styles_of(&app.buffer()).contains('c'));
    app.press("T").expect("theme auto");
}

#[test]
fn the_mouse_selects_opens_sorts_toggles_and_answers() {
    let place = Place::new();
    let mut app = opened(&place);
    app.click("Aurora ass").expect("> Aurora ass").click("Aurora ass").expect("connector type").click("Esc back");
    app.expect("197 connectors").click("TYPE").expect("TYPE ▲").click("TYPE").expect("TYPE ▼").click("NAME");
    app.mouse(Mouse::WheelDown).expect("8 of 197").mouse(Mouse::WheelUp).expect("5 of 197");
    let line = |app: &mut App| app.screen().lines().find(|line| line.starts_with("> ")).unwrap().to_owned();
    let before = line(&mut app);
    app.click(&before).expect("Connector").press("Esc");
    let (y, x) = {
        let screen = app.screen();
        let (y, text) = screen.lines().enumerate().find(|(_, line)| line.starts_with("> ")).unwrap();
        (y, text[..text.find("shared").unwrap()].chars().count())
    };
    app.mouse(Mouse::Click(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())).expect("is per-user now");
    app.press("d")
        .click("Cancel")
        .expect_not("Undo brings it back")
        .press("d")
        .click("Delete  ")
        .expect_not("Delete the");
    app.press(":").click("create a connector").expect("Connector type");
}

#[test]
fn filters_are_kept_and_columns_left_out() {
    let place = Place::new();
    let mut app = opened(&place);
    app.press("F").expect("no filter is kept yet").press("Esc /").type_text("type:jira auth:none").press("Enter F");
    app.expect("keep the filter: type:jira auth:none").press("Enter").expect("kept").press("Esc").expect("of 197");
    app.press("F Enter").expect("/type:jira auth:none").press("F").expect("forget the filter").press("Down Enter");
    app.expect("forgotten").press("F").expect("keep the filter").press("Esc Esc");
    app.expect("FLAGS").press("C").type_text("flags").press("Enter").expect_not("FLAGS").press("C");
    app.type_text("flags").expect("show FLAGS").press("Enter").expect("FLAGS");
}
