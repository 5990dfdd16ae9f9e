//! Everything that reads a text from outside.

use std::io::Cursor;

use connector_admin::config::Config;
use connector_admin::domain::filter::warnings;
use connector_admin::domain::{Catalogue, Connector, Filter, Summary, json, migration, validate};
use connector_admin::kibana::body;
use connector_admin::kibana::body::Body;
use connector_admin::kibana::saved_objects::ExportReader;
use connector_admin::messages::transfer::import_notes;
use connector_admin::vault::{KeyOptions, Vault};

use crate::change::try_inputs;

/// The secret that is planted in texts.
const PLANTED: &str = "planted-hunter2";

/// A mutated text may have the secret in a key or in an id, which are printed.
#[track_caller]
fn contains_no_secret(reason: &str) {
    let shows_a_name =
        ["appears twice", "is not a key", "is not a secret", "is on an earlier line", "cannot be changed"];
    let is_told = reason.contains(PLANTED) && !shows_a_name.iter().any(|name| reason.contains(name));
    assert!(!reason.is_empty() && !is_told, "{reason}");
}

/// Reads everything in a record that the screens and commands read.
fn read_all(connector: &Connector) {
    let summary = Summary::of(connector, Catalogue::built_in());
    let _ = (
        summary.flags(Catalogue::built_in()),
        connector.auth_type(),
        connector.stored_auth_mode(),
        validate::problems(connector, Catalogue::built_in()),
    );
    if let Some(plan) = migration::plan(connector) {
        assert!(!plan.reason.is_empty());
        if let Some(after) = migration::apply(connector, None, true) {
            let kept = (&after.config, &after.secrets, &after.extra);
            assert_eq!(kept, (&connector.config, &connector.secrets, &connector.extra));
        }
    }
    let message = json::parse_lossy(&body::connector(connector, Catalogue::built_in())).expect("an answer is JSON");
    assert_eq!(message["id"], connector.id.as_str());
}

#[test]
fn filter_language_accepts_any_text() {
    let connector = Connector::new("ops-1", ".webhook");
    let summary = Summary::of(&connector, Catalogue::built_in());
    try_inputs("filter", include_bytes!("corpus/filter.txt"), "\n", |input| {
        let text = String::from_utf8_lossy(input);
        assert!(warnings(&text).iter().all(|warning| !warning.is_empty()));
        match Filter::parse(&text) {
            Ok(filter) => assert!(filter.matches(&summary, Catalogue::built_in()) || !filter.is_empty()),
            Err(reason) => assert!(!reason.is_empty()),
        }
    });
}

#[test]
fn export_reader_accepts_any_bytes() {
    try_inputs("export", include_bytes!("corpus/export.ndjson"), "\n", |input| {
        let mut export = ExportReader::new("an export", Box::new(Cursor::new(input.to_vec())));
        for incoming in export.by_ref() {
            match incoming {
                Ok(incoming) => {
                    assert!(!incoming.connector.id.is_empty());
                    read_all(&incoming.connector);
                }
                Err(error) => return contains_no_secret(&error.to_string()),
            }
        }
        match export.into_warnings() {
            Ok(notices) => assert!(import_notes(&notices).iter().all(|line| !line.is_empty())),
            Err(error) => contains_no_secret(&error.to_string()),
        }
    });
}

#[test]
fn config_parser_accepts_any_text() {
    try_inputs("config", include_bytes!("corpus/config.txt"), "\n", |input| {
        let text = String::from_utf8_lossy(input).into_owned();
        let connector = Connector { config: text.clone(), ..Connector::new("a", ".webhook") };
        read_all(&connector);
        let (looked, pretty) = (json::parse_lossy(&text), json::pretty(&text));
        if let Ok(compact) = json::compact(&text) {
            assert_eq!(json::compact(&compact).ok(), Some(compact.clone()));
            assert_eq!(json::compact(&pretty).ok(), Some(compact));
        }
        if let Ok(sorted) = json::sorted(&text) {
            assert_eq!(json::sorted(&sorted).ok(), Some(sorted.clone()));
            assert!(looked.is_ok() && json::parse_lossy(&sorted).is_ok());
        }
        if let Some(canonical) = json::canonical(&text) {
            assert_eq!(json::sorted(&text).ok(), Some(canonical));
        }
    });
}

#[test]
fn request_bodies_accept_any_bytes() {
    let current = Connector { config: r#"{"index":"a"}"#.to_owned(), ..Connector::new("a", ".index") };
    try_inputs("body", include_bytes!("corpus/body.txt"), "\n", |input| {
        let text = String::from_utf8_lossy(input);
        for refused in [
            Body::read(&text)
                .and_then(|body| body.create("new", Catalogue::built_in()))
                .map(|(made, _)| read_all(&made))
                .err(),
            Body::read(&text)
                .and_then(|body| body.update(&current, Catalogue::built_in()))
                .map(|(made, _)| read_all(&made))
                .err(),
        ]
        .into_iter()
        .flatten()
        {
            contains_no_secret(&refused.to_string());
        }
    });
}

#[test]
fn key_file_accepts_any_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys");
    try_inputs("key file", include_bytes!("corpus/keys.txt"), "\n\n", |input| {
        std::fs::write(&path, input).expect("Written");
        let vault = Vault::new(KeyOptions { key_file: path.clone(), next_to_file: None, passphrase: None });
        if let Err(error) = vault.key_ids() {
            // No part of a key is printed, although an invalid line may be one.
            assert!(!error.to_string().contains("AAAAAAAA"), "{error}");
        }
    });
}

#[test]
fn types_file_accepts_any_text() {
    try_inputs("types file", include_bytes!("corpus/types.txt"), "\n\n", |input| {
        let text = String::from_utf8_lossy(input);
        match Catalogue::default().with(&text) {
            Ok(catalogue) => assert!(catalogue.types().iter().all(|known| !known.id.is_empty())),
            Err(reason) => assert!(!reason.is_empty()),
        }
    });
}

#[test]
fn user_config_accepts_any_text() {
    try_inputs("configuration file", include_bytes!("corpus/config.toml.txt"), "\n\n", |input| {
        let text = String::from_utf8_lossy(input);
        if let Err(reason) = Config::read(&text) {
            assert!(reason.starts_with("line "), "{reason}");
        }
    });
}
