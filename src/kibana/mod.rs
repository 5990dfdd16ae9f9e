//! Kibana's formats and its HTTP API, for one space of one server. Calls block and can be cancelled.
//!
//! `saved_objects` and `body` are the formats, `credential` authenticates, `client` sends requests (time-outs, retries,
//! limits, no redirects), `endpoints` are the calls, and `redaction` masks values that a server must not repeat.

pub mod body;
mod client;
mod credential;
mod endpoints;
mod error;
mod redaction;
pub mod saved_objects;
mod server;

pub use credential::Credential;
pub use endpoints::{ExecutionResult, Imported, Kibana};
pub use error::KibanaError;
pub use server::Server;
