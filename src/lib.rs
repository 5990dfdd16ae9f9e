//! Connector Admin.
#![allow(missing_docs)]
pub mod domain;
pub mod store;
pub mod transfer;
