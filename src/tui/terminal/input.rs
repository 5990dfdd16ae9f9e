//! The thread that reads the terminal, and stops reading while another program has it.

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::decoder::{Decoder, Input};
use crate::tui::app::Message;

/// Bytes that are read at once.
const CHUNK: usize = 4096;

/// How long to wait for the rest of a sequence: longer than any terminal takes, over any line.
const SEQUENCE_TIMEOUT: Duration = Duration::from_millis(500);

/// Starts the input thread, which ends when the terminal is gone or the channel closes.
///
/// # Errors
/// If the system has no sockets left.
pub fn start(send: impl Fn(Message) -> bool + Send + 'static) -> io::Result<()> {
    let (waker, wakes) = UnixStream::pair()?;
    wakes.set_nonblocking(true)?;
    turn().waker = Some(waker);
    thread::spawn(move || {
        if !read(&wakes, &send) {
            send(Message::Terminate);
        }
    });
    Ok(())
}

/// Reads until the channel closes, which returns true, or the terminal is gone.
fn read(wakes: &UnixStream, send: &impl Fn(Message) -> bool) -> bool {
    let stdin = io::stdin();
    let mut decoder = Decoder::default();
    let mut found = Vec::new();
    loop {
        let timeout = decoder.is_waiting().then_some(SEQUENCE_TIMEOUT);
        match wait(&stdin, wakes, timeout) {
            // Only a wake-up: another program is to have the terminal.
            Ready::Woken => {
                let _ = (&*wakes).read(&mut [0; 16]);
                wait_while_lent();
                continue;
            }
            Ready::Nothing => decoder.give_up(&mut found),
            Ready::Gone => return false,
            Ready::Bytes => {
                let mut bytes = Zeroizing::new([0; CHUNK]);
                match rustix::io::read(&stdin, bytes.as_mut_slice()) {
                    Ok(0) => return false,
                    Ok(count) => decoder.take(bytes.get(..count).unwrap_or_default(), count == CHUNK, &mut found),
                    Err(Errno::INTR | Errno::AGAIN) => {}
                    Err(_) => return false,
                }
            }
        }
        for input in found.drain(..) {
            let message = match input {
                Input::Key(key) => Message::Key(key),
                Input::Mouse(mouse) => Message::Mouse(mouse),
                Input::Paste(text) => Message::Paste(text),
            };
            if !send(message) {
                return true;
            }
        }
    }
}

enum Ready {
    Bytes,
    Woken,
    Nothing,
    Gone,
}

fn wait(stdin: &io::Stdin, wakes: &UnixStream, timeout: Option<Duration>) -> Ready {
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    loop {
        let mut watched = [PollFd::from_borrowed_fd(wakes.as_fd(), PollFlags::IN), PollFd::new(stdin, PollFlags::IN)];
        match poll(&mut watched, timeout.as_ref()) {
            Ok(0) => return Ready::Nothing,
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(_) => return Ready::Gone,
        }
        let [woken, typed] = watched.map(|fd| fd.revents());
        if woken.intersects(PollFlags::IN) {
            return Ready::Woken;
        }
        if typed.intersects(PollFlags::IN) {
            return Ready::Bytes;
        }
        if typed.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Ready::Gone;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Us,
    /// Another program is to have it.
    Wanted,
    Lent,
}

struct Turn {
    owner: Owner,
    /// Wakes the reader up.
    waker: Option<UnixStream>,
}

static TURN: Mutex<Turn> = Mutex::new(Turn { owner: Owner::Us, waker: None });
static CHANGED: Condvar = Condvar::new();

fn turn() -> std::sync::MutexGuard<'static, Turn> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long the input thread may take to release the terminal; it only has to wake up.
const HANDOVER_TIMEOUT: Duration = Duration::from_secs(2);

fn wait_while_lent() {
    let mut turn = turn();
    if turn.owner == Owner::Wanted {
        turn.owner = Owner::Lent;
        CHANGED.notify_all();
    }
    while turn.owner != Owner::Us {
        turn = CHANGED.wait(turn).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Runs `work` while the input thread does not read, so that every key goes to the other program.
pub fn lend<T>(work: impl FnOnce() -> T) -> T {
    let mut wanted = turn();
    wanted.owner = Owner::Wanted;
    if let Some(waker) = &mut wanted.waker {
        // A reader that has ended reads nothing any more.
        let _ = waker.write_all(&[0]);
    }
    let (lent, _) = CHANGED
        .wait_timeout_while(wanted, HANDOVER_TIMEOUT, |turn| turn.owner == Owner::Wanted)
        .unwrap_or_else(PoisonError::into_inner);
    drop(lent);
    let outcome = work();
    turn().owner = Owner::Us;
    CHANGED.notify_all();
    outcome
}

/// Another program has the terminal, or is about to.
pub(super) fn is_lent() -> bool {
    turn().owner != Owner::Us
}
