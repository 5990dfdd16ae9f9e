//! Any size, any key, any text.

use std::cell::RefCell;
use std::rc::Rc;

use proptest::prelude::*;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use connector_admin::tui::app::Mouse;
use connector_admin::worker::Reply;

use crate::support::{App, TestDir, execute};

/// Text that tries to move the cursor, set the title, change colours, hide or overrun.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31m\u{9b}5;5H\u{202e}txet\u{200b}\r\n\ta\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}";

#[test]
fn no_control_character_reaches_a_cell() {
    let dir = TestDir::new();
    let path = dir.demo();
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
    let dir = TestDir::new();
    let path = dir.demo();
    execute(&path, "UPDATE connectors SET name = CAST(x'41ff42' AS TEXT) WHERE name LIKE 'Ticket%'");
    let mut app = App::open(&path, 120, 40);
    app.press("Esc /").type_text("B").expect("A\u{fffd}B");
}

#[test]
fn failed_thread_ends_the_program_safely() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 80, 24);
    app.deliver(Reply::Died);
    assert!(app.is_quitting());
    assert!(app.fatal().is_some_and(|reason| reason.contains("the file is safe")));
}

#[test]
fn every_size_can_be_drawn() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 80, 24);
    for keys in ["", "A", "Esc Esc", "Enter", "Esc e", "Esc n", "Esc Esc ?", "Esc i", "Esc d"] {
        app.press(keys);
        for (width, height) in
            [(0, 0), (1, 1), (2, 40), (200, 2), (29, 7), (30, 8), (31, 9), (40, 10), (60, 16), (200, 60)]
        {
            app.resize(width, height).screen();
        }
    }
    app.resize(20, 5).expect("30x8 needed");
}

/// Texts that try to control a terminal, to hide or to overrun, and texts that are only wide.
fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("\u{1b}]0;owned\u{7}"),
        Just("\u{1b}]52;c;b3duZWQ=\u{7}"),
        Just("\u{1b}[2J\u{1b}[1;1H"),
        Just("\u{1b}[?1049l\u{1b}c"),
        Just("\u{9b}5;5H\u{9d}0;x\u{9c}"),
        Just("\u{1b}P1$r0m\u{1b}\\"),
        Just("\r\n\t\u{8}\u{0}\u{b}"),
        Just("\u{202e}\u{2066}\u{200b}\u{feff}\u{ad}"),
        Just("a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}"),
        Just("障害対応"),
        Just("🚒 fire"),
        Just("\u{e0001}\u{fff9}\u{3164}"),
        Just("name"),
    ];
    let known = proptest::collection::vec(part, 1..6).prop_map(|parts| parts.concat());
    // Of scripts whose widths programs agree on.
    let letters = prop_oneof![
        proptest::char::range('\0', '\u{52f}'),
        proptest::char::range('\u{2000}', '\u{206f}'),
        proptest::char::range('\u{3041}', '\u{3096}'),
        proptest::char::range('\u{4e00}', '\u{9fff}'),
        proptest::char::range('\u{e0000}', '\u{e007f}'),
        proptest::char::range('\u{fff0}', '\u{fffb}'),
    ];
    let any = proptest::collection::vec(letters, 0..20).prop_map(String::from_iter);
    prop_oneof![2 => known, 1 => any]
}

#[derive(Default)]
struct Touched(Vec<String>);

impl vt100::Callbacks for Touched {
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.0.push(format!("title {title:?}"));
    }
    fn set_window_icon_name(&mut self, _: &mut vt100::Screen, name: &[u8]) {
        self.0.push(format!("icon {name:?}"));
    }
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.0.push(format!("clipboard {data:?}"));
    }
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.0.push("bell".to_owned());
    }
}

/// A terminal that is sent what changes from screen to screen.
struct Emulator {
    terminal: Terminal<CrosstermBackend<Sent>>,
    sent: Sent,
    parser: vt100::Parser<Touched>,
}

/// Output that was not examined yet.
#[derive(Clone, Default)]
struct Sent(Rc<RefCell<Vec<u8>>>);

impl std::io::Write for Sent {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Emulator {
    fn new(columns: u16, rows: u16) -> Self {
        let sent = Sent::default();
        let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
        let options = TerminalOptions { viewport };
        let size = |cells: u16| std::num::NonZero::new(cells).unwrap();
        Self {
            terminal: Terminal::with_options(CrosstermBackend::new(sent.clone()), options).unwrap(),
            sent,
            parser: vt100::Parser::new_with_callbacks(size(rows), size(columns), 0, Touched::default()),
        }
    }

    /// The terminal shows, cell by cell, what the program drew: no remains, no shift, no mode set.
    #[track_caller]
    fn shows(&mut self, app: &mut App) {
        app.draw_on(&mut self.terminal);
        self.parser.process(&self.sent.0.take());
        assert_eq!(self.parser.callbacks().0, Vec::<String>::new());
        let buffer = app.buffer();
        for y in 0..buffer.area.height {
            let mut x = 0;
            while x < buffer.area.width {
                let drawn = buffer[(x, y)].symbol();
                let shown = self.parser.screen().cell(y, x).unwrap().contents();
                assert_eq!(if shown.is_empty() { " " } else { shown }, drawn, "{x},{y}\n{}", app.screen());
                x += u16::try_from(connector_admin::text::terminal::width(drawn)).unwrap().max(1);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_file_text_controls_the_terminal(texts in proptest::collection::vec(hostile(), 4), wide in any::<bool>()) {
        let dir = TestDir::new();
        let path = dir.demo();
        let (width, height) = if wide { (140, 30) } else { (60, 20) };
        drop(App::open(&path, width, height));
        let config = serde_json::json!({"authType": texts[2], &texts[0]: texts[1]}).to_string();
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection
            .execute(
                "UPDATE connectors SET name = ?1, connector_type_id = ?2, config = ?3, updated_at = ?4 WHERE rowid % 2",
                [&texts[0], &texts[1], &config, &texts[3]],
            )
            .unwrap();
        drop(connection);
        let mut app = App::open(&path, width, height);
        let mut emulator = Emulator::new(width, height);
        for keys in ["", "Enter", "Esc m", "Enter", "Esc Esc e", "Ctrl-s", "Esc Esc t", "H", "Enter", "Esc Esc d", "Esc n"] {
            app.press(keys);
            emulator.shows(&mut app);
        }
        app.press("Esc Esc Esc /").paste(&texts[1]);
        emulator.shows(&mut app);
        app.press("Esc Esc i").paste(&texts[0]).press("Enter");
        emulator.shows(&mut app);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_input_at_any_size_can_be_drawn(
        keys in proptest::collection::vec(0usize..KEYS.len(), 1..60),
        width in 0u16..130,
        height in 0u16..45,
        clicks in proptest::collection::vec((0u16..140, 0u16..50, 0u8..3), 60),
    ) {
        let dir = TestDir::new();
        let mut app = App::open(&dir.demo(), width, height);
        for (key, (x, y, what)) in keys.into_iter().zip(clicks) {
            app.press(KEYS[key]);
            app.screen();
            app.mouse([Mouse::Click(x, y), Mouse::WheelUp, Mouse::WheelDown][usize::from(what)]);
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
    ":",
    "D",
    "E",
    "=",
    "F",
    "C",
    "y",
    "T",
    "M",
    "H",
    "N",
    "Ctrl-o",
    "Ctrl-r",
    "Ctrl-s",
    "Ctrl-u",
    "Ctrl-k",
    "Ctrl-c",
    "{",
    "\"",
    "漢",
    "F1",
];
