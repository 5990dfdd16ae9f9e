//! The connector and its rules. Pure: no SQL, no terminal, no clock.
//!
//! Every rule has one place: the auth mode in [`auth`], the migration in [`migration`], the fields of a connector type
//! in [`catalogue`] and [`validate`], the search in [`filter`], the differences from a Kibana and the effects of a push
//! in [`remote`].

pub mod auth;
pub mod bulk;
pub mod catalogue;
pub mod connector;
pub mod derived;
pub mod diff;
pub mod filter;
pub mod findings;
pub mod json;
pub mod migration;
pub mod remote;
pub mod secrets;
pub mod similar;
pub mod validate;

pub use auth::{AuthMode, AuthType, StoredAuthMode};
pub use catalogue::{Catalogue, ConnectorType, ReportedTypes, test_params};
pub use connector::{Connector, RawText, Summary, has_no_address, is_plain_id};
pub use filter::Filter;
pub use migration::Group;
pub use remote::Remote;
pub use secrets::{SecretEdits, SecretsState};
