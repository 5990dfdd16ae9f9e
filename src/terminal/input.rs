//! The thread that reads the terminal.

use std::thread;

use ratatui::crossterm::event::{self, Event, KeyEventKind};

use crate::app::Message;

/// Starts reading; ends when the terminal has gone or nobody listens.
pub fn start(send: impl Fn(Message) -> bool + Send + 'static) {
    thread::spawn(move || {
        loop {
            let message = match event::read() {
                Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => Message::Key(key.into()),
                Ok(Event::Paste(text)) => Message::Paste(text),
                Ok(Event::Resize(width, height)) => Message::Resize(width, height),
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
