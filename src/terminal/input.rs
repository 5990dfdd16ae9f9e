//! The thread that reads the terminal, and stops reading while another program has it.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use signal_hook::consts::SIGWINCH;
use zeroize::Zeroizing;

use crate::app::{Message, Mouse};

/// Starts reading; ends when the terminal has gone or nobody listens.
pub fn start(send: impl Fn(Message) -> bool + Send + 'static) {
    thread::spawn(move || {
        loop {
            let event = event::read();
            wait_while_lent();
            let message = match event {
                Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => Message::Key(key.into()),
                Ok(Event::Paste(text)) => Message::Paste(Zeroizing::new(text)),
                Ok(Event::Resize(width, height)) => Message::Resize(width, height),
                Ok(Event::Mouse(mouse)) => match mouse_of(mouse) {
                    Some(mouse) => Message::Mouse(mouse),
                    None => continue,
                },
                Ok(_) => continue,
                Err(_) => {
                    send(Message::Terminate);
                    return;
                }
            };
            if !send(message) {
                return;
            }
        }
    });
}

/// What is of use; moving alone is none.
fn mouse_of(event: MouseEvent) -> Option<Mouse> {
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Mouse::Click(event.column, event.row)),
        MouseEventKind::ScrollUp => Some(Mouse::WheelUp),
        MouseEventKind::ScrollDown => Some(Mouse::WheelDown),
        _ => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Ours,
    /// Asked for by another program.
    Wanted,
    Lent,
}

static TURN: Mutex<Turn> = Mutex::new(Turn::Ours);
static CHANGED: Condvar = Condvar::new();

/// How long the reader may take to let go; it only has to notice a signal.
const PATIENCE: Duration = Duration::from_secs(2);

fn wait_while_lent() {
    let mut turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if *turn == Turn::Wanted {
        *turn = Turn::Lent;
        CHANGED.notify_all();
    }
    while *turn != Turn::Ours {
        turn = CHANGED.wait(turn).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Runs `work` while nothing here reads the terminal, so that every key goes to the other program.
pub fn lend<T>(work: impl FnOnce() -> T) -> T {
    let mut turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    *turn = Turn::Wanted;
    // The reader sits in a read that only an event ends; this signal makes one of no consequence.
    let _ = signal_hook::low_level::raise(SIGWINCH);
    let (turn, _) = CHANGED
        .wait_timeout_while(turn, PATIENCE, |turn| *turn == Turn::Wanted)
        .unwrap_or_else(PoisonError::into_inner);
    drop(turn);
    let outcome = work();
    *TURN.lock().unwrap_or_else(PoisonError::into_inner) = Turn::Ours;
    CHANGED.notify_all();
    outcome
}

/// Another program has the terminal, or is about to.
pub(super) fn is_lent() -> bool {
    *TURN.lock().unwrap_or_else(PoisonError::into_inner) != Turn::Ours
}
