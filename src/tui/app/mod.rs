//! The program as a pure state machine: a [`Message`] comes in, [`update`](update()) changes the [`Model`] and returns effects,
//! [`view`](view()) draws the model. No thread, no clock, no terminal.

mod actions;
mod effect;
mod kibana;
mod menus;
mod message;
mod model;
mod mouse;
mod outcomes;
mod replies;
mod update;
mod view;
mod welcome;

pub use effect::Effect;
pub use message::Message;
pub use model::{Model, Setup};
pub use mouse::Mouse;
pub use update::update;
pub use view::view;
