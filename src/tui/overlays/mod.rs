//! Overlays: what opens over a screen, and has the keys until it closes.

mod dialog;
pub mod file_picker;
mod menu;
mod prompt;

pub use dialog::{Dialog, Tone, change_lines};
pub use menu::{Item, Menu, moved};
pub use prompt::{Prompt, PromptKind};

use std::fmt::Debug;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use crate::tui::command::Command;
use crate::tui::context::Context;
use crate::tui::keymap::{Action, Key, KeyContext};
use crate::tui::widgets::input::TooLong;
use crate::worker::Reply;

/// An overlay. The app holds a stack of them; the last one has the keys and the mouse.
pub trait Overlay: Debug {
    /// Returns the title. An overlay replaces an open one with the same title.
    fn title(&self) -> &str;

    /// Returns the context of its keys.
    fn key_context(&self) -> KeyContext;

    /// Handles a key; `action` is what it is bound to.
    fn on_key(&mut self, key: Key, action: Option<Action>, cx: &Context) -> Flow;

    /// Handles pasted text.
    ///
    /// # Errors
    /// [`TooLong`]; nothing is inserted then.
    fn on_paste(&mut self, _text: &str) -> Result<Flow, TooLong> {
        Ok(Flow::stay())
    }

    /// Handles a click; `area` is that of the screen below.
    fn on_click(&mut self, _at: Position, _area: Rect) -> Flow {
        Flow::stay()
    }

    /// Handles a turn of the wheel: up or down.
    fn on_wheel(&mut self, _action: Action) {}

    /// Handles a reply of a thread; it receives the same as screens do.
    fn on_reply(&mut self, _reply: &Reply) {}

    /// Adapts the overlay to what has changed. Called after each message, while it is the last one.
    fn settle(&mut self, _cx: &Context) {}

    /// Returns whether the overlay is about the running job, and closes when that ends.
    fn closes_with_job(&self) -> bool {
        false
    }

    /// Returns whether the footer shows an action now.
    fn shows(&self, _action: Action) -> bool {
        true
    }

    /// Draws the overlay; `area` is that of the screen below.
    fn view(&self, frame: &mut Frame<'_>, area: Rect, cx: &Context);
}

/// Whether an overlay stays open, and the commands that follow.
#[derive(Debug)]
pub enum Flow {
    /// It stays open.
    Stay(Vec<Command>),
    /// It closes.
    Close(Vec<Command>),
}

impl Flow {
    /// It stays open, and nothing follows.
    pub fn stay() -> Self {
        Flow::Stay(Vec::new())
    }

    /// It closes, and nothing follows.
    pub fn close() -> Self {
        Flow::Close(Vec::new())
    }
}
