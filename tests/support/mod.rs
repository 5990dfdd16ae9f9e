//! Shared helpers: the program driven by keys without threads, data sets, reading files.
#![allow(dead_code, reason = "not every test program uses all of it")]
#![allow(clippy::disallowed_methods, reason = "a test has its own terminal")]

pub mod svg;
pub mod tool;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use connector_admin::demo::{Demo, keys_of};
use connector_admin::domain::Catalogue;
use connector_admin::tui::app;
use connector_admin::tui::app::Effect;
use connector_admin::tui::app::{Message, Model, Mouse, Setup};
use connector_admin::tui::keymap;
use connector_admin::tui::keymap::{Key, KeyMap};
use connector_admin::tui::ui::Ui;
use connector_admin::tui::ui_state::UiState;
use connector_admin::tui::widgets::theme::Theme;
use connector_admin::worker::{FileJob, Job, Reply};
use connector_admin::worker::{OpenOptions, Reader, Writer};
use ratatui::Terminal;
use ratatui::backend::{Backend, TestBackend};
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

/// The sample export of the project's documentation: lines of every Kibana release.
pub const SAMPLE: &str = include_str!("sample-export.ndjson");

/// A folder with a file in it.
pub struct TestDir {
    pub folder: tempfile::TempDir,
}

impl TestDir {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The demo at schema 1.
    pub fn demo(&self) -> PathBuf {
        let path = self.path("demo.db");
        Demo::create(Some(&path), Catalogue::built_in()).expect("the demo").finish();
        path
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("Written");
        path
    }

    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder.path())
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

/// All columns of all records but the revision, as one text a record.
pub fn records(path: &Path) -> Vec<String> {
    rows(
        path,
        "SELECT id, connector_type_id, name, config, secrets, is_missing_secrets, extra, model_version, created_at, updated_at, auth_mode FROM connectors ORDER BY id",
    )
}

/// Returns what a migration must never change, as one text per record.
pub fn untouched(path: &Path) -> Vec<String> {
    rows(
        path,
        "SELECT id, connector_type_id, name, config, secrets, is_missing_secrets, extra, created_at, updated_at FROM connectors ORDER BY id",
    )
}

/// The rows of a query, each as one text.
pub fn rows(path: &Path, sql: &str) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).expect("opens");
    let mut statement = connection.prepare(sql).expect("a query");
    let columns = statement.column_count();
    statement
        .query_map([], |row| {
            let show = |at| match row.get_ref(at).expect("a value") {
                rusqlite::types::ValueRef::Text(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
                other => format!("{other:?}"),
            };
            Ok((0..columns).map(show).collect::<Vec<_>>().join("|"))
        })
        .expect("rows")
        .map(|row| row.expect("a row"))
        .collect()
}

pub fn execute(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).expect("opens").execute_batch(sql).expect(sql);
}

thread_local! {
    static IDS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Returns `new-connector-id`, `new-connector-id-2` …, starting over in each test.
fn new_id() -> String {
    match IDS.replace(IDS.get() + 1) {
        0 => "new-connector-id".to_owned(),
        earlier => format!("new-connector-id-{}", earlier + 1),
    }
}

/// The program without threads and terminal: keys in, screen out.
pub struct App {
    model: Model,
    reader: Reader,
    writer: Writer,
    replies: Rc<RefCell<VecDeque<Reply>>>,
    terminal: Terminal<TestBackend>,
    options: OpenOptions,
    pub jobs: usize,
    /// The last text in the clipboard.
    pub copied: String,
    /// The result of the user's editor.
    pub editor: fn(&str) -> Result<String, String>,
}

/// The focused field of a form.
pub struct Field<'a>(&'a mut App);

impl<'a> Field<'a> {
    /// Replaces the text of the field.
    pub fn set(self, text: &str) -> &'a mut App {
        self.0.press("End");
        for _ in 0..200 {
            self.0.press("Backspace");
        }
        self.0.type_text(text)
    }

    /// Types at the end of the text.
    pub fn append(self, text: &str) -> &'a mut App {
        self.0.press("End").type_text(text)
    }

    /// Runs actions on the field.
    #[track_caller]
    pub fn act(self, actions: &str) -> &'a mut App {
        self.0.act(actions)
    }

    /// Checks the screen while the field has the focus.
    #[track_caller]
    pub fn expect(self, text: &str) -> &'a mut App {
        self.0.expect(text)
    }
}

impl App {
    pub fn open(path: &Path, width: u16, height: u16) -> Self {
        Self::start(path, width, height, true, false)
    }

    pub fn start(path: &Path, width: u16, height: u16, colour: bool, read_only: bool) -> Self {
        let replies = Rc::new(RefCell::new(VecDeque::new()));
        let sink = replies.clone();
        let options = OpenOptions {
            path: path.to_owned(),
            read_only,
            keys: keys_of(path),
            restore: None,
            catalogue: Catalogue::built_in(),
        };
        let (writer, reader) =
            Writer::open(&options, &Arc::default(), &move |reply| sink.borrow_mut().push_back(reply)).expect("opens");
        let model = Model::new(Setup {
            file: path.file_name().unwrap().to_string_lossy().into_owned(),
            ui: Ui { theme: Theme::new(colour), keys: KeyMap::default(), catalogue: Catalogue::built_in() },
            mouse: true,
            configuration: None,
            path: path.to_owned(),
            is_new: false,
            ui_state: UiState::default(),
            apply_migration: false,
            is_demo: false,
            new_id,
            size: (width, height),
            now: "2026-11-25T12:00:00Z".parse().unwrap(),
        });
        let terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
        let mut app = Self {
            model,
            reader,
            writer,
            replies,
            terminal,
            options,
            jobs: 0,
            copied: String::new(),
            editor: |text| Ok(text.to_owned()),
        };
        app.reconcile();
        app
    }

    fn send(&mut self, message: Message) {
        for effect in app::update(&mut self.model, message) {
            let sink = self.replies.clone();
            let reply = move |reply| sink.borrow_mut().push_back(reply);
            match effect {
                Effect::Read(request) => self.reader.answer(&request, &reply),
                Effect::Write(mut job) => {
                    self.jobs += 1;
                    // Any keys can type any name; none of them may end up outside of the test's own folder.
                    if let Job::File(FileJob::Export { path, .. }) = &mut job
                        && let Some(folder) = self.options.path.parent()
                        && !path.starts_with(folder)
                    {
                        *path = folder.join(path.strip_prefix("/").unwrap_or(path));
                    }
                    match job {
                        Job::File(job) => self.writer.run(job, &reply),
                        Job::Remote(job) => self.writer.network().run(job, &reply),
                    }
                }
                Effect::EditText { text, .. } => {
                    let outcome = (self.editor)(&text);
                    self.send(Message::Edited(outcome));
                }
                Effect::Copy(text) => {
                    self.copied = text;
                    self.send(Message::Copied(Ok(())));
                }
                Effect::Reopen(backup) => {
                    let options = OpenOptions { restore: backup, ..self.options.clone() };
                    let opened = Writer::open(&options, &Arc::default(), &reply).expect("opens again");
                    (self.writer, self.reader) = opened;
                }
                _ => {}
            }
        }
    }

    /// Delivers a reply of a thread.
    pub fn deliver(&mut self, reply: Reply) -> &mut Self {
        self.send(Message::Worker(reply));
        self
    }

    /// Returns the error that ended the program.
    pub fn fatal(&self) -> Option<&str> {
        self.model.fatal()
    }

    fn reconcile(&mut self) {
        loop {
            let reply = self.replies.borrow_mut().pop_front();
            match reply {
                Some(reply) => self.send(Message::Worker(reply)),
                None => return,
            }
        }
    }

    /// Runs actions by their names in the configuration, through the keys that are bound to them where they are needed.
    #[track_caller]
    pub fn act(&mut self, actions: &str) -> &mut Self {
        for name in actions.split_whitespace() {
            let context = self.model.context();
            let binding = KeyMap::default().bindings(context).find(|binding| keymap::name(binding.action) == name);
            let key = binding.and_then(|binding| binding.keys().flatten().next());
            let key = key.unwrap_or_else(|| panic!("{name} has no key in {}:\n{}", context.label(), self.screen()));
            self.send(Message::Key(key));
            self.reconcile();
        }
        self
    }

    /// Presses keys, named and separated by blanks.
    #[track_caller]
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for name in keys.split_whitespace() {
            let key = Key::parse(name).unwrap_or_else(|| panic!("{name} is no key"));
            self.send(Message::Key(key));
            self.reconcile();
        }
        self
    }

    pub fn mouse(&mut self, mouse: Mouse) -> &mut Self {
        self.send(Message::Mouse(mouse));
        self.reconcile();
        self
    }

    /// Clicks on a text of the screen.
    #[track_caller]
    pub fn click(&mut self, text: &str) -> &mut Self {
        let screen = self.screen();
        let found =
            screen.lines().enumerate().find_map(|(y, line)| Some((y, line[..line.find(text)?].chars().count())));
        let (y, x) = found.unwrap_or_else(|| panic!("{text:?} is not on the screen:\n{screen}"));
        self.mouse(Mouse::Click(u16::try_from(x).unwrap(), u16::try_from(y).unwrap()))
    }

    /// Types text.
    pub fn type_text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            let key = Key::parse(&character.to_string().replace(' ', "Space")).expect("a key");
            self.send(Message::Key(key));
            self.reconcile();
        }
        self
    }

    /// Moves the focus of the form to the field with this label.
    #[track_caller]
    pub fn field(&mut self, label: &str) -> Field<'_> {
        // No form has more fields; after the last comes the first again.
        for _ in 0..60 {
            let is_focused = |line: &str| {
                line.trim_start_matches(['│', ' ']).strip_prefix("> ").is_some_and(|rest| rest.starts_with(label))
            };
            if self.screen().lines().any(is_focused) {
                return Field(self);
            }
            self.act("next-field");
        }
        panic!("the form has no field {label:?}:\n{}", self.screen());
    }

    pub fn paste(&mut self, text: &str) -> &mut Self {
        self.send(Message::Paste(text.to_owned().into()));
        self.reconcile();
        self
    }

    pub fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.terminal.backend_mut().resize(width, height);
        self.send(Message::Resize(width, height));
        self.reconcile();
        self
    }

    pub fn is_quitting(&self) -> bool {
        self.model.is_quitting()
    }

    pub fn buffer(&mut self) -> Buffer {
        let model = &self.model;
        // Draws everything: the backend keeps cells that a terminal would have cleared under wide characters.
        self.terminal.clear().expect("cleared");
        self.terminal.draw(|frame| app::view(model, frame)).expect("drawn");
        self.terminal.backend().buffer().clone()
    }

    /// Draws the screen on another terminal.
    pub fn draw_on<B: Backend<Error: std::fmt::Debug>>(&self, terminal: &mut Terminal<B>) {
        terminal.draw(|frame| app::view(&self.model, frame)).expect("drawn");
    }

    /// The screen as text.
    pub fn screen(&mut self) -> String {
        text_of(&self.buffer())
    }

    #[track_caller]
    pub fn expect(&mut self, text: &str) -> &mut Self {
        let screen = self.screen();
        assert!(screen.contains(text), "{text:?} is not on the screen:\n{screen}");
        self
    }

    #[track_caller]
    pub fn expect_not(&mut self, text: &str) -> &mut Self {
        let screen = self.screen();
        assert!(!screen.contains(text), "{text:?} is on the screen:\n{screen}");
        self
    }
}

/// A screen as text, without blanks at the ends of lines.
pub fn text_of(buffer: &Buffer) -> String {
    lines_of(buffer, |cell| cell.symbol().to_owned())
}

/// The styles of a screen, one letter a cell: reverse R, bold B, underlined U, and the colours c g m r.
pub fn styles_of(buffer: &Buffer) -> String {
    lines_of(buffer, |cell| {
        let letter = match (cell.modifier, cell.fg) {
            (modifier, _) if modifier.contains(Modifier::REVERSED) => "R",
            (_, Color::Cyan) => "c",
            (_, Color::Green) => "g",
            (_, Color::Magenta) => "m",
            (_, Color::Red) => "r",
            (_, Color::Reset) if cell.modifier.contains(Modifier::UNDERLINED) => "U",
            (_, Color::Reset) if cell.modifier.contains(Modifier::BOLD) => "B",
            (_, Color::Reset) => " ",
            _ => "?",
        };
        letter.to_owned()
    })
}

fn lines_of(buffer: &Buffer, show: impl Fn(&ratatui::buffer::Cell) -> String) -> String {
    let area = buffer.area;
    let mut text = String::new();
    for y in 0..area.height {
        let mut line = String::new();
        let mut x = 0;
        while x < area.width {
            let cell = &buffer[(x, y)];
            line.push_str(&show(cell));
            x += u16::try_from(connector_admin::text::terminal::width(cell.symbol())).unwrap().max(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
