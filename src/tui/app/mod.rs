//! The program as a pure state machine: a [`Message`] comes in, [`update`](update()) changes the [`Model`] and returns effects,
//! [`view`](view()) draws the model. No thread, no clock, no terminal. The app knows screens and overlays by their traits,
//! and names none but by its route.

mod actions;
#[cfg(test)]
mod demonstration;
mod effect;
mod file;
mod footer;
mod keys;
mod message;
mod model;
mod mouse;
mod palette;
mod prefix;
mod replies;
mod stack;
#[cfg(test)]
mod tests;
mod update;
mod view;

pub use crate::tui::context::Setup;
pub use effect::Effect;
pub use message::Message;
pub use model::Model;
pub use mouse::Mouse;
pub use update::update;
pub use view::view;
