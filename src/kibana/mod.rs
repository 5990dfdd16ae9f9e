//! Kibana's HTTP API: one space of one server, spoken to by blocking calls that can be stopped.
//!
//! `credential` says who asks, `client` carries requests and answers (time-outs, retries, limits, no redirects), `api`
//! knows the endpoints, `redaction` what a server must not repeat. Nothing here knows a file.

mod api;
mod client;
mod credential;
mod error;
mod redaction;

pub use api::{Executed, Imported, Kibana, Server};
pub use credential::Credential;
pub use error::KibanaError;
