//! The loop: receive, update, do the effects, draw. It waits without a timer unless something on the
//! screen depends on time.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::clock;
use crate::config::Config;
use crate::demo::Demo;
use crate::domain::Catalogue;
use crate::fs::paths::file_name;
use crate::store::{self, Reading, StoreError};
use crate::tui::app;
use crate::tui::app::Effect;
use crate::tui::app::{Message, Model, Setup};
use crate::tui::command::OpenTarget;
use crate::tui::terminal::{Session, clipboard, editor, input, session, signals};
use crate::tui::ui::Ui;
use crate::tui::ui_state::UiState;
use crate::tui::widgets::theme::Theme;
use crate::vault::KeyOptions;
use crate::worker::Reply;
use crate::worker::{OpenOptions, Worker};

/// A frame waits this long for its rows: most keys then show their result at once.
const FRAME_DEADLINE: Duration = Duration::from_millis(8);

/// The options of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file.
    pub open: OpenOptions,
    /// Accept the whole migration plan at once.
    pub apply_migration: bool,
    /// The user's configuration.
    pub config: Config,
    /// The file of the UI state; `None` keeps none.
    pub ui_state_file: Option<PathBuf>,
    /// The file is deleted on exit.
    pub is_demo: bool,
}

/// With `--read-only` nothing at all is written.
fn reading(is_read_only: bool) -> Reading {
    if is_read_only { Reading::Untouched } else { Reading::Shared }
}

enum Event {
    Message(Message),
    /// Of the worker threads, with the number of their start.
    Answer(usize, Reply),
    Redraw,
    Resized,
}

/// Runs the terminal UI until the user quits or a signal arrives, which is returned.
///
/// # Errors
/// If the file is refused or cannot be upgraded, or there is no terminal. The terminal is restored.
pub fn run(mut options: Options) -> anyhow::Result<Option<i32>> {
    // Refusals come before the screen changes.
    let is_read_only = options.open.read_only;
    let found = store::inspect(&options.open.path, reading(is_read_only))?;
    match found {
        store::Inspection::Connectors { writable: false, .. } => options.open.read_only = true,
        store::Inspection::Missing if options.open.read_only => {
            anyhow::bail!("{}: no such file", options.open.path.display());
        }
        _ => {}
    }
    session::restore_on_panic();
    let mouse = !options.config.is_without_mouse;
    let mut session = Session::enter(mouse)?;
    let (send, events) = mpsc::channel();
    listen(&send)?;
    let path = std::path::absolute(&options.open.path).unwrap_or_else(|_| options.open.path.clone());
    let is_new = found == store::Inspection::Missing;
    let mut session_state = FileSession::new(&options, is_read_only, send);
    if !is_new {
        session_state.open_file(None);
    }
    let catalogue = options.open.catalogue;
    let mut model = Model::new(Setup {
        path,
        is_new,
        ui_state: options.ui_state_file.as_deref().map(UiState::read).unwrap_or_default(),
        file: file_name(&options.open.path),
        ui: Ui { theme: Theme::from_environment(options.config.scheme), keys: options.config.keys, catalogue },
        mouse,
        configuration: options.config.path.clone(),
        apply_migration: options.apply_migration,
        is_demo: options.is_demo,
        new_id: || uuid::Uuid::new_v4().to_string(),
        size: session.size()?,
        now: clock::now(),
    });
    let outcome = event_loop(&mut session, &mut model, &mut session_state, &events);
    drop(session);
    session_state.stop();
    if let Some(kept) = session_state.save_ui_state(model.ui_state()) {
        let _ = kept.join();
    }
    outcome?;
    match model.fatal() {
        Some(reason) => Err(anyhow::Error::msg(reason.to_owned())),
        None => Ok(signals::received()),
    }
}

/// The worker threads, with the options to start them again.
struct FileSession {
    threads: Option<Worker>,
    open: OpenOptions,
    send: Sender<Event>,
    /// Counts the starts: answers of threads that have been stopped are not for the new state.
    starts: usize,
    ui_state_file: Option<PathBuf>,
    /// Nothing may be written, whatever file is open.
    is_read_only: bool,
    /// The user's keys; the demo has its own, which must not reach another file.
    keys: KeyOptions,
    /// The demo that was chosen to begin with; gone when this is.
    demo: Option<Demo>,
}

impl FileSession {
    fn new(options: &Options, is_read_only: bool, send: Sender<Event>) -> Self {
        let ui_state_file = options.ui_state_file.clone();
        Self {
            threads: None,
            open: options.open.clone(),
            send,
            starts: 0,
            ui_state_file,
            is_read_only,
            keys: options.open.keys.clone(),
            demo: None,
        }
    }

    /// Opens the file as the user chose.
    fn begin(&mut self, start: OpenTarget, catalogue: &'static Catalogue) -> anyhow::Result<()> {
        match start {
            OpenTarget::New | OpenTarget::Import => {}
            OpenTarget::Demo => {
                let demo = Demo::create(None, catalogue)?;
                self.open.path = demo.path().to_owned();
                self.open.keys = crate::demo::keys_of(demo.path());
                self.demo = Some(demo);
            }
            OpenTarget::File(path) => return Ok(self.switch(&path).map(drop)?),
        }
        self.open_file(None);
        Ok(())
    }

    /// Opens another file, if it is one that can be opened.
    fn switch(&mut self, path: &Path) -> Result<PathBuf, StoreError> {
        self.open.read_only = match store::inspect(path, reading(self.is_read_only))? {
            store::Inspection::Missing => return Err(StoreError::Missing(path.to_owned())),
            store::Inspection::Connectors { writable, .. } => self.is_read_only || !writable,
        };
        self.open.path = path.to_owned();
        self.open.keys = self.keys.clone();
        self.open_file(None);
        Ok(path.to_owned())
    }

    /// Saves the UI state on a separate thread. A failure only loses that state.
    fn save_ui_state(&self, ui_state: UiState) -> Option<JoinHandle<()>> {
        let path = self.ui_state_file.clone()?;
        Some(thread::spawn(move || {
            let _ = ui_state.write(&path);
        }))
    }

    /// Opens the file again, with a restore first if requested.
    fn open_file(&mut self, restore: Option<PathBuf>) {
        self.stop();
        self.starts += 1;
        let (send, start) = (self.send.clone(), self.starts);
        let open = OpenOptions { restore, ..self.open.clone() };
        self.threads = Some(Worker::start(open, move |reply| {
            let _ = send.send(Event::Answer(start, reply));
        }));
    }

    fn stop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.stop();
        }
    }
}

fn listen(send: &Sender<Event>) -> anyhow::Result<()> {
    let to_loop = send.clone();
    signals::start(move |reads| {
        let _ = to_loop.send(match reads {
            signals::SignalEvent::ToEnd => Event::Message(Message::Terminate),
            signals::SignalEvent::ToRedraw => Event::Redraw,
            signals::SignalEvent::ToResize => Event::Resized,
        });
    })
    .context("signals cannot be handled")?;
    let to_loop = send.clone();
    input::start(move |message| to_loop.send(Event::Message(message)).is_ok()).context("the terminal cannot be read")
}

fn event_loop(
    session: &mut Session,
    model: &mut Model,
    session_state: &mut FileSession,
    events: &Receiver<Event>,
) -> anyhow::Result<()> {
    session.draw(|frame| app::view(model, frame))?;
    let mut redraw_key = model.redraw_key();
    loop {
        let mut reads = step(session, model, session_state, next(events, model)?)?;
        // All waiting events are handled before the next frame; requested rows get a moment to arrive.
        let until = Instant::now() + FRAME_DEADLINE;
        loop {
            let wait = if reads { until.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
            match events.recv_timeout(wait) {
                Ok(event) => {
                    let is_answer = matches!(event, Event::Answer(..));
                    let reads_again = step(session, model, session_state, event)?;
                    reads = reads_again || (reads && !is_answer);
                }
                Err(_) => break,
            }
        }
        if model.is_quitting() {
            return Ok(());
        }
        if model.redraw_key() != redraw_key {
            redraw_key = model.redraw_key();
            session.clean()?;
        }
        session.draw(|frame| app::view(model, frame))?;
    }
}

/// The next event; a tick when the screen changes by itself before.
fn next(events: &Receiver<Event>, model: &Model) -> anyhow::Result<Event> {
    match model.next_tick() {
        None => events.recv().context("the program's threads have ended"),
        Some(wait) => match events.recv_timeout(wait) {
            Ok(event) => Ok(event),
            Err(RecvTimeoutError::Timeout) => Ok(Event::Message(Message::Tick)),
            Err(RecvTimeoutError::Disconnected) => {
                anyhow::bail!("the program's threads have ended")
            }
        },
    }
}

/// Handles one event and its effects; returns whether rows were requested.
fn step(
    session: &mut Session,
    model: &mut Model,
    session_state: &mut FileSession,
    event: Event,
) -> anyhow::Result<bool> {
    let message = match event {
        Event::Message(message) => message,
        Event::Answer(start, _) if start != session_state.starts => return Ok(false),
        Event::Answer(_, reply) => Message::Worker(reply),
        Event::Resized => {
            let (width, height) = session.size()?;
            Message::Resize(width, height)
        }
        Event::Redraw => {
            session.resume()?;
            let (width, height) = session.size()?;
            Message::Resize(width, height)
        }
    };
    let mut reads = false;
    let mut messages = VecDeque::from([message]);
    while let Some(message) = messages.pop_front() {
        model.set_now(clock::now());
        for effect in app::update(model, message) {
            reads |= perform(session, session_state, effect, &mut messages, model.ui().catalogue)?;
        }
    }
    Ok(reads)
}

/// Performs an effect; returns whether rows were requested. Immediate results are added to `messages`.
fn perform(
    session: &mut Session,
    session_state: &mut FileSession,
    effect: Effect,
    messages: &mut VecDeque<Message>,
    catalogue: &'static Catalogue,
) -> anyhow::Result<bool> {
    match effect {
        Effect::Read(request) => {
            if let Some(threads) = &session_state.threads {
                threads.request(request);
            }
            return Ok(true);
        }
        Effect::Write(job) => {
            if let Some(threads) = &session_state.threads {
                threads.job(job);
            }
        }
        Effect::CancelJob => {
            if let Some(threads) = &session_state.threads {
                threads.cancel();
            }
        }
        Effect::Reopen(backup) => session_state.open_file(backup),
        Effect::Suspend => session.suspend()?,
        Effect::Redraw => session.clean()?,
        Effect::EditText { text, is_json } => {
            let outcome = session.lend(|| editor::edit(&text, is_json))?;
            messages.push_back(Message::Edited(outcome));
            // The terminal may have been resized in the meantime.
            let (width, height) = session.size()?;
            messages.push_back(Message::Resize(width, height));
        }
        Effect::OpenFile(OpenTarget::File(path)) if session_state.threads.is_some() => {
            messages.push_back(Message::Switched(session_state.switch(&path).map_err(|error| error.to_string())));
        }
        Effect::OpenFile(start) => session_state.begin(start, catalogue)?,
        Effect::SaveUiState(ui_state) => {
            session_state.save_ui_state(*ui_state);
        }
        Effect::Mouse(mouse) => session.use_mouse(mouse)?,
        Effect::Copy(text) => {
            let result = clipboard::copy(&text);
            messages.push_back(Message::Copied(result));
        }
    }
    Ok(false)
}
