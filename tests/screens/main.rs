//! The screens, driven by keys: what a person does and sees, without threads or a terminal.

#[path = "../support/mod.rs"]
mod support;

mod form;
mod journey;
mod list;
mod pictures;
mod robustness;
mod snapshots;
