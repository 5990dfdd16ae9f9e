//! Connector Admin: a terminal program that opens a SQLite file of Kibana connectors, brings its schema
//! up to date safely, and lets an administrator find, edit and migrate connectors without fear.
//!
//! # The map
//!
//! Data flows one way: a terminal event becomes a [`app::Message`], [`app::update`] changes the state and
//! returns effects, a thread of [`worker`] does the work and answers with a message, [`app::view`] draws.
//!
//! | module | what is in it | what it may know |
//! | --- | --- | --- |
//! | [`domain`] | connectors, auth mode and auth type, the model versions and their migration, remotes and three sides of a connector, connector types, validation and checks, filter | nothing below |
//! | [`vault`] | keys; sealing and opening secrets | `domain` |
//! | [`store`] | the SQLite file: schema and its upgrade, records, windows of lists, migration runs, history and undo, copies, remotes and what was sent to them | `domain` |
//! | [`transfer`] | Kibana's export format and API objects | `domain`, `store`, `vault` |
//! | [`kibana`] | Kibana's HTTP API: credentials, requests, time-outs, retries | `domain` |
//! | [`sync`] | the file and a Kibana as two sides: what differs, pull, push, conflicts | `domain`, `store`, `vault`, `transfer`, `kibana` |
//! | [`worker`] | the threads that own the file or speak with Kibana, and the words they speak | `store`, `vault`, `transfer`, `sync` |
//! | [`keymap`] | the one table of actions and keys | nothing |
//! | [`ui`] | safe text, text and secret input, JSON, theme, layout | `keymap` |
//! | [`screens`] | list, detail, form, review, sync, history, copies, help, questions: state, update and view of each | `domain`, `ui`, `keymap`, the worker's words |
//! | [`app`] | the model, the focus, the router between screens | `screens` |
//! | [`terminal`] | entering, leaving, suspending, signals, keys, a person's editor | `app`'s messages |
//! | [`run`] | the loop that ties `app`, `worker` and `terminal` together | all |
//! | [`fs`] | temporary files, folders, sidecar files | nothing |
//! | [`parallel`] | a second thread that makes ready what the first one waits for | nothing |
//! | [`config`] | a person's choices: theme, mouse, keys | `keymap`, `ui` |
//! | [`memory`] | what is remembered from one start to the next | `store`'s orders |
//! | [`cli`] | the same jobs without a screen | `store`, `vault`, `transfer`, `sync`, `run` |
//!
//! To change what a migration does, start at [`domain::model_version`]; what a key does, at
//! [`keymap::TABLE`]; the file's schema, at `assets/schema` and `store::schema`; what a connector type
//! expects, at `assets/connector_types.json`; what is sealed and authenticated, at [`domain::secret`]; what a push may do, at
//! [`domain::sync`]; an endpoint, at [`kibana`].

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod domain;
pub mod fs;
pub mod keymap;
pub mod kibana;
pub mod memory;
pub mod parallel;
pub mod run;
pub mod screens;
pub mod store;
pub mod sync;
pub mod terminal;
pub mod transfer;
pub mod ui;
pub mod vault;
pub mod worker;
