//! Signals, and a terminal that has gone: the program ends by its normal way, and in any case.

use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};
use signal_hook::iterator::Signals;

use super::{input, session};

/// The request of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalEvent {
    /// To end.
    ToEnd,
    /// Redraw: the process was stopped from outside and continues.
    ToRedraw,
    /// Read the size of the terminal.
    ToResize,
}

/// The signal that requested the end of the program.
static RECEIVED: AtomicI32 = AtomicI32::new(0);

/// Returns the signal that requested the end of the program.
pub fn received() -> Option<i32> {
    Some(RECEIVED.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
}

/// The limit for a normal exit, after which the process ends itself: a lost terminal can leave a reader spinning.
const EXIT_DEADLINE: Duration = Duration::from_secs(2);

/// A signal within this time of another one is the same request: a closing terminal sends SIGHUP to the session leader
/// and to all processes.
const DUPLICATE_SIGNAL_WINDOW: Duration = Duration::from_millis(500);

/// Starts to listen for signals.
///
/// # Errors
/// If the system refuses.
pub fn start(send: impl Fn(SignalEvent) + Clone + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGCONT, SIGWINCH])?;
    let for_terminal = send.clone();
    thread::spawn(move || {
        if wait_for_hangup() {
            confirm_end(SIGHUP, &for_terminal);
        }
    });
    thread::spawn(move || {
        let mut last_signal: Option<Instant> = None;
        for signal in &mut signals {
            // Keys for an editor that runs in this terminal reach the whole group of processes.
            if input::is_lent() && matches!(signal, SIGINT | SIGQUIT | SIGCONT) {
                continue;
            }
            if matches!(signal, SIGCONT | SIGWINCH) {
                send(if signal == SIGCONT { SignalEvent::ToRedraw } else { SignalEvent::ToResize });
                continue;
            }
            match last_signal {
                Some(first) if first.elapsed() > DUPLICATE_SIGNAL_WINDOW => end(signal),
                Some(_) => {}
                None => {
                    last_signal = Some(Instant::now());
                    confirm_end(signal, &send);
                }
            }
        }
    });
    Ok(())
}

fn confirm_end(signal: i32, send: &impl Fn(SignalEvent)) {
    RECEIVED.store(signal, Ordering::SeqCst);
    send(SignalEvent::ToEnd);
    thread::spawn(move || {
        thread::sleep(EXIT_DEADLINE);
        end(signal);
    });
}

/// Waits for the terminal to hang up; false if that cannot be observed. SIGHUP reaches only the session leader, and a
/// read from a lost terminal returns nothing endlessly.
fn wait_for_hangup() -> bool {
    let stdin = std::io::stdin();
    loop {
        let mut watched = [PollFd::new(&stdin, PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_) => return watched.iter().any(|fd| fd.revents().intersects(PollFlags::HUP | PollFlags::ERR)),
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

fn end(signal: i32) -> ! {
    session::leave();
    std::process::exit(128 + signal);
}
