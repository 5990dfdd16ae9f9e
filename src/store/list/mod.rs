//! Lists and counts: queries, the index in memory, statistics.

pub(super) mod index;
pub(super) mod query;
pub(super) mod statistics;
