//! The terminal: entering and leaving it on every way out, keys, signals.

pub mod input;
pub mod session;
pub mod signals;

pub use session::Session;
