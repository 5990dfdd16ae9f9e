//! The program as a pure state machine: a [`Message`] comes in, [`update`] changes the [`Model`] and
//! returns what is to be done outside, [`view`] draws the model. No thread, no clock, no terminal.

mod actions;
mod message;
mod model;
mod outcomes;
mod palette;
mod replies;
mod update;
mod view;

pub use message::Message;
pub use model::{Model, Setup};
pub use update::update;
pub use view::view;
