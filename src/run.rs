//! The loop: receive, update, do the effects, draw. It waits without a timer unless something on the
//! screen depends on time.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::app::{self, Message, Model, Setup};
use crate::clock;
use crate::config::Config;
use crate::demo::Demo;
use crate::memory::Memory;
use crate::screens::{Effect, Start};
use crate::store::{self, Reading, StoreError};
use crate::terminal::{Session, clipboard, editor, input, session, signals};
use crate::ui::theme::Theme;
use crate::vault::KeyOptions;
use crate::worker::protocol::Reply;
use crate::worker::{OpenOptions, Worker};

/// A frame waits this long for the rows it asked for: most keys then show their result at once.
const PATIENCE: Duration = Duration::from_millis(8);

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file.
    pub open: OpenOptions,
    /// Accept the whole migration plan at once.
    pub apply_migration: bool,
    /// A person's choices.
    pub config: Config,
    /// Where it is kept what is remembered; none: nothing is.
    pub memory_file: Option<PathBuf>,
    /// The file is thrown away at the end.
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

/// Opens the terminal UI and returns when the person has quit, or a signal (given back) asked for it.
///
/// # Errors
/// When the file is refused or cannot be upgraded, or there is no terminal. The terminal is as before.
pub fn run(mut options: Options) -> anyhow::Result<Option<i32>> {
    // What can be refused is refused before the screen changes.
    let is_read_only = options.open.read_only;
    let found = store::inspect(&options.open.path, reading(is_read_only))?;
    match found {
        store::Inspection::Connectors { writable: false, .. } => options.open.read_only = true,
        store::Inspection::Missing if options.open.read_only => {
            anyhow::bail!("{}: there is no such file", options.open.path.display());
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
    let mut hands = Hands::new(&options, is_read_only, send);
    if !is_new {
        hands.open_file(None);
    }
    let mut model = Model::new(Setup {
        path,
        is_new,
        memory: options.memory_file.as_deref().map(Memory::read).unwrap_or_default(),
        file: options.open.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        theme: Theme::from_environment(options.config.scheme),
        mouse,
        apply_migration: options.apply_migration,
        is_demo: options.is_demo,
        new_id: || uuid::Uuid::new_v4().to_string(),
        size: session.size()?,
        now: clock::now(),
    });
    let outcome = event_loop(&mut session, &mut model, &mut hands, &events);
    drop(session);
    hands.stop();
    if let Some(kept) = hands.remember(model.memory()) {
        let _ = kept.join();
    }
    outcome?;
    match model.fatal() {
        Some(reason) => Err(anyhow::Error::msg(reason.to_owned())),
        None => Ok(signals::received()),
    }
}

/// The worker threads, and what it takes to start them again.
struct Hands {
    threads: Option<Worker>,
    open: OpenOptions,
    send: Sender<Event>,
    /// Counts the starts: answers of threads that have been stopped are not for the new state.
    starts: usize,
    memory_file: Option<PathBuf>,
    /// The person asked that nothing is written, whatever file is open.
    is_read_only: bool,
    /// The person's keys; the demo has others, which must not reach another file.
    keys: KeyOptions,
    /// The demo that was chosen to begin with; gone when this is.
    demo: Option<Demo>,
}

impl Hands {
    fn new(options: &Options, is_read_only: bool, send: Sender<Event>) -> Self {
        let memory_file = options.memory_file.clone();
        Self {
            threads: None,
            open: options.open.clone(),
            send,
            starts: 0,
            memory_file,
            is_read_only,
            keys: options.open.keys.clone(),
            demo: None,
        }
    }

    /// Begins as the person said.
    fn begin(&mut self, start: Start) -> anyhow::Result<()> {
        match start {
            Start::New | Start::Import => {}
            Start::Demo => {
                let demo = Demo::create(None)?;
                self.open.path = demo.path().to_owned();
                self.open.keys = crate::demo::keys_of(demo.path());
                self.demo = Some(demo);
            }
            Start::File(path) => return Ok(self.switch(&path).map(drop)?),
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

    /// Keeps what is remembered, on a thread of its own. A failure costs only that.
    fn remember(&self, memory: Memory) -> Option<JoinHandle<()>> {
        let path = self.memory_file.clone()?;
        Some(thread::spawn(move || {
            let _ = memory.write(&path);
        }))
    }

    /// Closes the file if it is open, and opens it, a copy put back first if there is to be one.
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
    signals::start(move |asked| {
        let _ = to_loop.send(match asked {
            signals::Asked::ToEnd => Event::Message(Message::Terminate),
            signals::Asked::ToRedraw => Event::Redraw,
            signals::Asked::ToResize => Event::Resized,
        });
    })
    .context("signals cannot be handled")?;
    let to_loop = send.clone();
    input::start(move |message| to_loop.send(Event::Message(message)).is_ok()).context("the terminal cannot be read")
}

fn event_loop(
    session: &mut Session,
    model: &mut Model,
    hands: &mut Hands,
    events: &Receiver<Event>,
) -> anyhow::Result<()> {
    session.draw(|frame| app::view(model, frame))?;
    let mut ground = model.ground();
    loop {
        let mut asked = step(session, model, hands, next(events, model)?)?;
        // Everything that waits is taken in before the next frame; what was asked gets a moment.
        let until = Instant::now() + PATIENCE;
        loop {
            let wait = if asked { until.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
            match events.recv_timeout(wait) {
                Ok(event) => {
                    let is_answer = matches!(event, Event::Answer(..));
                    let asked_again = step(session, model, hands, event)?;
                    asked = asked_again || (asked && !is_answer);
                }
                Err(_) => break,
            }
        }
        if model.is_quitting() {
            return Ok(());
        }
        if model.ground() != ground {
            ground = model.ground();
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

/// Takes one event in and does its effects; true when rows were asked for.
fn step(session: &mut Session, model: &mut Model, hands: &mut Hands, event: Event) -> anyhow::Result<bool> {
    let message = match event {
        Event::Message(message) => message,
        Event::Answer(start, _) if start != hands.starts => return Ok(false),
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
    let mut asked = false;
    let mut messages = VecDeque::from([message]);
    while let Some(message) = messages.pop_front() {
        model.set_now(clock::now());
        for effect in app::update(model, message) {
            asked |= perform(session, hands, effect, &mut messages)?;
        }
    }
    Ok(asked)
}

/// Does an effect; true when rows were asked for. What it leads to at once is added to `messages`.
fn perform(
    session: &mut Session,
    hands: &mut Hands,
    effect: Effect,
    messages: &mut VecDeque<Message>,
) -> anyhow::Result<bool> {
    match effect {
        Effect::Read(request) => {
            if let Some(threads) = &hands.threads {
                threads.request(request);
            }
            return Ok(true);
        }
        Effect::Write(job, _) => {
            if let Some(threads) = &hands.threads {
                threads.job(job);
            }
        }
        Effect::CancelJob => {
            if let Some(threads) = &hands.threads {
                threads.cancel();
            }
        }
        Effect::Reopen(copy) => hands.open_file(copy),
        Effect::Suspend => session.suspend()?,
        Effect::Redraw => session.clean()?,
        Effect::EditText { text, is_json } => {
            let outcome = session.lend(|| editor::edit(&text, is_json))?;
            messages.push_back(Message::Edited(outcome));
            // It may have been resized meanwhile.
            let (width, height) = session.size()?;
            messages.push_back(Message::Resize(width, height));
        }
        Effect::Start(Start::File(path)) if hands.threads.is_some() => {
            messages.push_back(Message::Switched(hands.switch(&path).map_err(|error| error.to_string())));
        }
        Effect::Start(start) => hands.begin(start)?,
        Effect::Remember(memory) => {
            hands.remember(*memory);
        }
        Effect::Mouse(mouse) => session.use_mouse(mouse)?,
        Effect::Copy(text) => {
            let said = clipboard::copy(&text);
            messages.push_back(Message::Copied(said));
        }
        // Done inside the model, or seen by the loop.
        Effect::Quit | Effect::QuitAfterJob | Effect::Go(_) | Effect::Rebase(..) | Effect::Say(..) | Effect::Ask(_) => {
        }
        Effect::Offer(_) | Effect::Act(_) | Effect::Press(_) | Effect::Filter(_) => {}
        Effect::KeepFilter(..) | Effect::ToggleColumn(_) | Effect::WidenColumn(..) | Effect::Prompt(_) => {}
    }
    Ok(false)
}
