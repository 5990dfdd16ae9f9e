//! A terminal with the program in it: sends keys, and waits for the expected screen.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Far longer than any step takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn cells(number: u16) -> NonZero<u16> {
    NonZero::new(number).unwrap()
}

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_connector-admin");

struct Seen {
    parser: vt100::Parser<Titles>,
    raw: Vec<u8>,
    ended: bool,
}

/// A record must never reach the title and the clipboard.
#[derive(Default)]
pub struct Titles(pub Vec<String>);

impl vt100::Callbacks for Titles {
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.0.push(String::from_utf8_lossy(title).into_owned());
    }

    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.0.push(String::from_utf8_lossy(data).into_owned());
    }
}

pub struct Terminal {
    seen: Arc<(Mutex<Seen>, Condvar)>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    pub fn start(arguments: &[&str], columns: u16, rows: u16) -> Self {
        Self::start_in(Path::new("."), arguments, columns, rows, &[])
    }

    pub fn start_in(folder: &Path, arguments: &[&str], columns: u16, rows: u16, environment: &[(&str, &str)]) -> Self {
        Self::start_program(PROGRAM, folder, arguments, columns, rows, environment)
    }

    pub fn start_program(
        program: &str,
        folder: &Path,
        arguments: &[&str],
        columns: u16,
        rows: u16,
        environment: &[(&str, &str)],
    ) -> Self {
        let pair =
            native_pty_system().openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(folder);
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        command.env_remove("CONNECTOR_ADMIN_FILE");
        // No state is shared with other tests or with this machine.
        command.env("CONNECTOR_ADMIN_STATE", "");
        command.env("CONNECTOR_ADMIN_CONFIG", "/dev/null");
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let parser = vt100::Parser::new_with_callbacks(cells(rows), cells(columns), 0, Titles::default());
        let seen = Arc::new((Mutex::new(Seen { parser, raw: Vec::new(), ended: false }), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let shared = seen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            loop {
                let read = reader.read(&mut bytes).unwrap_or(0);
                let mut seen = shared.0.lock().unwrap();
                seen.raw.extend_from_slice(&bytes[..read]);
                seen.parser.process(&bytes[..read]);
                seen.ended = read == 0;
                shared.1.notify_all();
                if read == 0 {
                    return;
                }
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Self { seen, writer, child, master: pair.master }
    }

    pub fn send(&mut self, keys: &str) -> &mut Self {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
        self
    }

    /// Waits until the screen shows a text.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> &mut Self {
        self.wait(text, |screen| screen.contents().contains(text))
    }

    /// Waits for a text on the last line of the screen.
    #[track_caller]
    pub fn expect_footer(&mut self, text: &str) -> &mut Self {
        self.wait(text, |screen| {
            let (rows, columns) = (screen.size().0.get(), screen.size().1.get());
            screen.contents_between(rows - 1, 0, rows - 1, columns).contains(text)
        })
    }

    #[track_caller]
    pub fn wait(&mut self, what: &str, holds: impl Fn(&vt100::Screen) -> bool) -> &mut Self {
        let until = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().unwrap();
        while !holds(seen.parser.screen()) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !seen.ended,
                "waited for {what:?}; the screen:\n{}",
                seen.parser.screen().contents()
            );
            seen = self.seen.1.wait_timeout(seen, left).unwrap().0;
        }
        drop(seen);
        self
    }

    pub fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.seen.0.lock().unwrap().parser.screen_mut().set_size(cells(rows), cells(columns));
        self.master.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
        self
    }

    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    pub fn signal(&mut self, name: &str) -> &mut Self {
        let done = std::process::Command::new("sh").args(["-c", &format!("kill -{name} {}", self.pid())]).status();
        assert!(done.unwrap().success());
        self
    }

    pub fn screen<T>(&self, look: impl Fn(&vt100::Screen) -> T) -> T {
        look(self.seen.0.lock().unwrap().parser.screen())
    }

    /// Another program writes on the same terminal.
    pub fn scribble(&self, text: &str) {
        self.seen.0.lock().unwrap().parser.process(text.as_bytes());
    }

    pub fn titles(&self) -> Vec<String> {
        self.seen.0.lock().unwrap().parser.callbacks().0.clone()
    }

    /// Waits for the end; the exit code, and everything the program wrote.
    #[track_caller]
    pub fn end(mut self) -> (u32, String) {
        let until = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().unwrap();
        while !seen.ended {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the program does not end; the screen:\n{}", seen.parser.screen().contents());
            seen = self.seen.1.wait_timeout(seen, left).unwrap().0;
        }
        let raw = String::from_utf8_lossy(&seen.raw).into_owned();
        drop(seen);
        (self.child.wait().unwrap().exit_code(), raw)
    }

    /// Ends, and the terminal is as it was: main screen, cursor, modes.
    #[track_caller]
    pub fn end_restored(self) -> (u32, String) {
        let seen = self.seen.clone();
        let (code, raw) = self.end();
        let seen = seen.0.lock().unwrap();
        let screen = seen.parser.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is shown");
        assert!(!screen.bracketed_paste(), "bracketed paste is off");
        assert_eq!(raw.matches("\u{1b}[?1049h").count(), raw.matches("\u{1b}[?1049l").count());
        (code, raw)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
