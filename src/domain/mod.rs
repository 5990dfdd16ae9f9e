//! What a connector is and which rules hold for it. Pure: no SQL, no terminal, no clock.
//!
//! Everything above (store, transfer, screens, cli) asks this module instead of deciding itself, so a
//! rule stands in one place: the auth mode in [`auth`], the migration in [`model_version`], what a
//! connector type expects in [`connector_type`] and [`validate`], the search in [`filter`], what differs from a
//! Kibana and what a push may do in [`sync`].

pub mod auth;
pub mod bulk;
pub mod change;
pub mod check;
pub mod connector;
pub mod connector_type;
pub mod derived;
pub mod filter;
pub mod json;
pub mod model_version;
pub mod remote;
pub mod secret;
pub mod sync;
pub mod validate;

pub use auth::{AuthMode, AuthType, StoredAuthMode};
pub use connector::{Connector, RawText, Summary, has_no_address, is_plain_id};
pub use connector_type::{Catalogue, ConnectorType, ReportedTypes, test_params};
pub use filter::Filter;
pub use model_version::Group;
pub use remote::Remote;
pub use secret::{SecretEdits, SecretsState};
