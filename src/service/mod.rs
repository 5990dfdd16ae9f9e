//! Use cases of both front ends: the UI and the command line.
//!
//! All calls block; the UI reaches them through its worker threads.

pub mod bulk;
pub mod edit;
mod error;
pub mod export;
pub mod import;
pub mod keys;
pub mod output_file;
pub mod remote;

pub use error::ServiceError;
