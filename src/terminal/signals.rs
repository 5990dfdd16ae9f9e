//! Signals: the program ends by its normal way, and in any case.

use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{input, session};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To end.
    ToEnd,
    /// To draw anew: the process was stopped from outside and goes on.
    ToRedraw,
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

/// Starts listening.
///
/// # Errors
/// When the system refuses.
pub fn start(send: impl Fn(Asked) + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGCONT])?;
    thread::spawn(move || {
        let mut asked_before = false;
        for signal in &mut signals {
            // Keys for an editor that runs in this terminal reach the whole group of processes.
            if input::is_lent() && matches!(signal, SIGINT | SIGQUIT | SIGCONT) {
                continue;
            }
            if signal == SIGCONT {
                send(Asked::ToRedraw);
                continue;
            }
            if asked_before {
                end(signal);
            }
            asked_before = true;
            RECEIVED.store(signal, Ordering::SeqCst);
            send(Asked::ToEnd);
            thread::spawn(move || {
                thread::sleep(PATIENCE);
                end(signal);
            });
        }
    });
    Ok(())
}

fn end(signal: i32) -> ! {
    session::leave();
    std::process::exit(128 + signal);
}
