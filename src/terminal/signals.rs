//! Signals, and a terminal that has gone: the program ends by its normal way, and in any case.

use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};
use signal_hook::iterator::Signals;

use super::{input, session};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To end.
    ToEnd,
    /// To draw anew: the process was stopped from outside and goes on.
    ToRedraw,
    /// To look how large the terminal is now.
    ToResize,
}

/// The signal that asked the program to end.
static RECEIVED: AtomicI32 = AtomicI32::new(0);

/// The signal that asked the program to end, if one did.
pub fn received() -> Option<i32> {
    Some(RECEIVED.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
}

/// How long the normal way out may take before the process ends itself: a terminal that has gone can
/// leave a reader spinning for ever.
const PATIENCE: Duration = Duration::from_secs(2);

/// A signal that comes so soon after another one is the same asking: a terminal that goes sends SIGHUP to the leader
/// of its processes and to all of them.
const SOON: Duration = Duration::from_millis(500);

/// Starts listening.
///
/// # Errors
/// When the system refuses.
pub fn start(send: impl Fn(Asked) + Clone + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGCONT, SIGWINCH])?;
    let for_terminal = send.clone();
    thread::spawn(move || {
        if wait_for_hangup() {
            ask_to_end(SIGHUP, &for_terminal);
        }
    });
    thread::spawn(move || {
        let mut asked: Option<Instant> = None;
        for signal in &mut signals {
            // Keys for an editor that runs in this terminal reach the whole group of processes.
            if input::is_lent() && matches!(signal, SIGINT | SIGQUIT | SIGCONT) {
                continue;
            }
            if matches!(signal, SIGCONT | SIGWINCH) {
                send(if signal == SIGCONT { Asked::ToRedraw } else { Asked::ToResize });
                continue;
            }
            match asked {
                Some(first) if first.elapsed() > SOON => end(signal),
                Some(_) => {}
                None => {
                    asked = Some(Instant::now());
                    ask_to_end(signal, &send);
                }
            }
        }
    });
    Ok(())
}

fn ask_to_end(signal: i32, send: &impl Fn(Asked)) {
    RECEIVED.store(signal, Ordering::SeqCst);
    send(Asked::ToEnd);
    thread::spawn(move || {
        thread::sleep(PATIENCE);
        end(signal);
    });
}

/// Waits for the terminal to go; false where that cannot be seen. SIGHUP reaches only the leader of the terminal's
/// processes, and a read of a terminal that has gone says again and again that there is nothing.
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
