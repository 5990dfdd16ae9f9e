//! Typed reasons and outcomes in words, for both front ends.
//!
//! The rooms below return types; here they become sentences. Where a sentence names a key or a flag, the front end
//! passes it.

pub mod history;
pub mod keys;
pub mod sync;
pub mod transfer;
