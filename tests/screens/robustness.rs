//! Any size, any key, any text.

use proptest::prelude::*;

use crate::support::{App, Place, execute};

/// Text that tries to move the cursor, set the title, change colours, hide or overrun.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31m\u{9b}5;5H\u{202e}txet\u{200b}\r\n\ta\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}";

#[test]
fn text_of_records_reaches_no_cell_as_a_control() {
    let place = Place::new();
    let path = place.demo();
    drop(App::open(&path, 120, 40));
    let connection = rusqlite::Connection::open(&path).unwrap();
    let config = serde_json::json!({"authType": HOSTILE, HOSTILE: HOSTILE}).to_string();
    connection
        .execute(
            "UPDATE connectors SET name = ?1, connector_type_id = ?1, config = ?2, updated_at = ?1",
            [HOSTILE, &config],
        )
        .unwrap();
    let mut app = App::open(&path, 120, 40);
    for keys in ["", "Enter", "Esc e", "Esc m", "Esc Esc d", "Esc / a", "Esc ?", "Esc t", "Esc n"] {
        app.press(keys);
        for cell in app.buffer().content() {
            assert!(
                !cell.symbol().chars().any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)),
                "{cell:?}"
            );
        }
    }
    app.press("Esc Esc Esc").expect("␛]0;owned␇");
}

#[test]
fn text_that_is_not_utf8_is_shown() {
    let place = Place::new();
    let path = place.demo();
    execute(&path, "UPDATE connectors SET name = CAST(x'41ff42' AS TEXT) WHERE name LIKE 'Ticket%'");
    let mut app = App::open(&path, 120, 40);
    app.press("Esc /").type_text("B").expect("A\u{fffd}B");
}

#[test]
fn every_size_can_be_drawn() {
    let place = Place::new();
    let mut app = App::open(&place.demo(), 80, 24);
    for keys in ["", "A", "Esc Esc", "Enter", "Esc e", "Esc n", "Esc Esc ?", "Esc i", "Esc d"] {
        app.press(keys);
        for (width, height) in
            [(0, 0), (1, 1), (2, 40), (200, 2), (29, 7), (30, 8), (31, 9), (40, 10), (60, 16), (200, 60)]
        {
            app.resize(width, height).screen();
        }
    }
    app.resize(20, 5).expect("terminal too small");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_keys_at_any_size_leave_a_program_that_draws(
        keys in proptest::collection::vec(0usize..KEYS.len(), 1..60),
        width in 0u16..130,
        height in 0u16..45,
    ) {
        let place = Place::new();
        let mut app = App::open(&place.demo(), width, height);
        for key in keys {
            app.press(KEYS[key]);
            app.screen();
        }
    }
}

const KEYS: &[&str] = &[
    "Down",
    "Up",
    "PgDn",
    "PgUp",
    "Home",
    "End",
    "Enter",
    "Esc",
    "Tab",
    "Shift-Tab",
    "Space",
    "Left",
    "Right",
    "Del",
    "Backspace",
    "/",
    "*",
    "v",
    "a",
    "p",
    "s",
    "S",
    "r",
    "g",
    "A",
    "U",
    "u",
    "t",
    "e",
    "n",
    "c",
    "d",
    "i",
    "m",
    "R",
    "?",
    "q",
    "x",
    "Ctrl-s",
    "Ctrl-u",
    "Ctrl-k",
    "Ctrl-c",
    "{",
    "\"",
    "漢",
    "F1",
];
