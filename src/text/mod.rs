//! Text for users: times, sizes, counts, and text that is safe for a terminal.

mod plural;
pub mod size;
pub mod terminal;
pub mod time;

pub use plural::{capitalized, grouped, plural};
