//! What the UI asks of the worker threads (`asked`), and what they answer (`told`).

mod asked;
mod told;

pub use asked::{Job, ListRequest, Request};
pub use told::{Done, Opened, Overview, Record, Reply, SyncView};
