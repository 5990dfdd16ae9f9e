//! The file on disk: inspect, open, lock, upgrade and back up.

pub(super) mod backup;
pub(super) mod inspect;
pub(super) mod integrity;
pub(super) mod location;
pub(super) mod open;
pub(super) mod schema;
pub(super) mod suitability;
pub(super) mod upgrade;
pub(super) mod write_lock;
