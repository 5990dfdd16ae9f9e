//! Connector Admin: a terminal program that opens a SQLite file of Kibana connectors, brings its schema
//! up to date safely, and lets an administrator find, edit and migrate connectors without fear.
//!
//! # The map
//!
//! Data flows one way: a terminal event becomes a [`tui::app::Message`], [`tui::app::update`] changes the state and
//! returns effects, a thread of [`worker`] does the work and answers with a message, [`tui::app::view`] draws.
//!
//! A key press on its way to a write and back:
//!
//! 1. [`tui::terminal`] decodes bytes to a [`tui::app::Message::Key`].
//! 2. [`tui::keymap`] names the action that the key has in the context of the focused screen.
//! 3. The screen returns a [`tui::command::Command::Write`] with a [`worker::Job`].
//! 4. [`tui::app::update`] notes that a job runs, and returns a [`tui::app::Effect::Write`].
//! 5. [`tui::run`] sends the job to [`worker`]: to the thread that writes, or to the one that talks to Kibana.
//! 6. The thread calls a use case of [`service`], or [`store`] itself.
//! 7. [`store`] writes the records and their history step in one transaction.
//! 8. The [`worker::JobResult`] comes back as a [`tui::app::Message::Worker`].
//! 9. Screens take from it what is theirs, the user gets a report, and the reader gets the screens' queries again.
//! 10. The rows arrive as replies, and [`tui::app::view`] draws them.
//!
//! Two front ends, [`tui`] and [`cli`], stand on one layer of use cases, [`service`]. Imports point down only;
//! `tests/architecture.rs` reads this table and the `use` lines, and fails on one that the table does not allow.
//!
//! | room | what is in it | what it may use |
//! | --- | --- | --- |
//! | [`domain`] | connectors, auth mode and auth type, connector types, the migration, three-way comparison with a remote, validation, filter: rules without I/O | |
//! | [`clock`] | the time now, as records store it | |
//! | [`text`] | times, sizes and counts as users read them; text that is safe on a terminal | |
//! | [`fs`] | temporary files, atomic writes, paths that users name | |
//! | [`parallel`] | a second thread that prepares what the first one waits for | |
//! | [`vault`] | keys; encrypting and decrypting secrets | `domain`, `fs` |
//! | [`store`] | the SQLite file and everything in it; the only room that knows SQL | `clock`, `domain`, `fs`, `parallel` |
//! | [`kibana`] | Kibana's formats and its HTTP API | `domain`, `fs`, `vault` |
//! | [`service`] | use cases: edit, bulk edit, import, export, keys, and everything with a remote | `clock`, `domain`, `fs`, `kibana`, `parallel`, `store`, `vault` |
//! | [`demo`] | a file to try everything on | `domain`, `fs`, `kibana`, `store`, `vault` |
//! | [`messages`] | typed reasons and outcomes in words, for both front ends | `domain`, `kibana`, `service`, `store`, `text` |
//! | [`worker`] | the threads of the UI: queries, jobs and replies | `clock`, `demo`, `domain`, `fs`, `kibana`, `service`, `store`, `vault` |
//! | [`tui`] | the terminal UI: keys, widgets, overlays, screens, the app, the terminal | `clock`, `config`, `demo`, `domain`, `fs`, `kibana`, `messages`, `service`, `store`, `text`, `vault`, `worker` |
//! | [`config`] | the user's configuration: theme, mouse, keys | `tui` |
//! | [`cli`] | the commands | `clock`, `config`, `demo`, `domain`, `fs`, `kibana`, `messages`, `service`, `store`, `text`, `tui`, `vault`, `worker` |
//!
//! To change what a migration does, start at [`domain::migration`]; what a key does, at [`tui::keymap::TABLE`]; the
//! file's schema, at `assets/schema` and `store::file::schema`; a column of a connector, at `store::records::columns`;
//! what a connector type expects, at `assets/connector_types.json`; what is encrypted and authenticated, at
//! [`domain::secrets`]; what a push may do, at [`domain::remote`]; an endpoint, at [`kibana`].

pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod domain;
pub mod fs;
pub mod kibana;
pub mod messages;
pub mod parallel;
pub mod service;
pub mod store;
pub mod text;
pub mod tui;
pub mod vault;
pub mod worker;
