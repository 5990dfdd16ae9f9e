//! Migrations of Kibana releases before model versions, for exports of 7.10 to 8.2. Each names the version below which
//! it applies. Kibana runs them on import too.

use super::model_version;
use crate::domain::Connector;
use crate::domain::json::{RawObject, raw, raw_string};

/// The first release with model versions.
const LAST: [u32; 3] = [8, 3, 0];

/// The outcome for a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The connector is from a release with model versions.
    NotOld,
    /// The connector was migrated and stamped 8.3.0.
    Migrated,
    /// The ciphertext is bound to the config, or there is no config to migrate; the connector is unchanged.
    Skipped,
}

/// Runs the missing migrations of a connector. `has_login`: its secrets include a user or a password, which an export
/// does not show.
pub(super) fn migrate(connector: &mut Connector, has_login: bool) -> Outcome {
    let Some(from) = model_version::release(&connector.extra).filter(|release| *release < LAST) else {
        return Outcome::NotOld;
    };
    let Ok(mut config) = RawObject::parse(&connector.config) else { return Outcome::Skipped };
    if connector.secrets.is_some() {
        return Outcome::Skipped;
    }
    let before = config.to_text();
    let type_id = connector.connector_type_id.as_str();
    if from < [7, 10, 0] {
        if let Some(cases) = config.take("casesConfiguration") {
            config.set("incidentConfiguration", cases);
        }
        set_has_auth(&mut config, type_id == ".email", has_login);
    }
    if from < [7, 11, 0] {
        config.take("incidentConfiguration");
        config.take("isCaseOwned");
        set_has_auth(&mut config, matches!(type_id, ".email" | ".webhook"), has_login);
    }
    if from < [7, 14, 0] {
        connector.is_missing_secrets = false;
    }
    if from < [7, 16, 0] {
        set(&mut config, "usesTableApi", "true", matches!(type_id, ".servicenow" | ".servicenow-sir"));
        if type_id == ".email" && config.get("service").is_none_or(|service| service == "null") {
            config.set("service", raw_string("other"));
        }
    }
    set(&mut config, "isOAuth", "false", matches!(type_id, ".servicenow" | ".servicenow-sir" | ".servicenow-itom"));
    let after = config.to_text();
    // The parts that no migration changes stay byte for byte.
    if after != before {
        connector.config = after;
    }
    connector.extra = model_version::with_release(&connector.extra, "8.3.0");
    Outcome::Migrated
}

fn set_has_auth(config: &mut RawObject, is_concerned: bool, has_login: bool) {
    set(config, "hasAuth", if has_login { "true" } else { "false" }, is_concerned);
}

fn set(config: &mut RawObject, key: &str, value: &str, is_concerned: bool) {
    if let (true, Ok(value)) = (is_concerned, raw(value)) {
        config.set(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(type_id: &str, config: &str, extra: &str) -> Connector {
        Connector { config: config.into(), extra: extra.into(), ..Connector::new("id", type_id) }
    }

    #[test]
    fn line_gets_only_its_missing_migrations() {
        for (type_id, stamp, config, expected) in [
            (".servicenow", "7.14.0", r#"{"apiUrl":"u"}"#, r#"{"apiUrl":"u","usesTableApi":true,"isOAuth":false}"#),
            (".servicenow", "7.16.0", r#"{"usesTableApi":false}"#, r#"{"usesTableApi":false,"isOAuth":false}"#),
            (".servicenow-itom", "7.14.0", r#"{"isOAuth":true}"#, r#"{"isOAuth":false}"#),
            (".email", "7.15.0", r#"{ "from": "a@b" }"#, r#"{"from":"a@b","service":"other"}"#),
            (".email", "7.15.0", r#"{"service":null}"#, r#"{"service":"other"}"#),
            (".email", "7.16.0", r#"{"service":null}"#, r#"{"service":null}"#),
            (".email", "7.15.0", r#"{"service":"gmail"}"#, r#"{"service":"gmail"}"#),
            (".webhook", "7.10.0", r#"{"url":"u"}"#, r#"{"url":"u","hasAuth":true}"#),
            (".jira", "7.9.0", r#"{"casesConfiguration":{},"isCaseOwned":true,"a":1}"#, r#"{"a":1}"#),
            (".slack", "7.14.0", r#"{ "a": 1.0 }"#, r#"{ "a": 1.0 }"#),
        ] {
            let mut connector = of(type_id, config, &format!(r#"{{"migrationVersion":{{"action":"{stamp}"}},"x":1}}"#));
            assert_eq!(migrate(&mut connector, true), Outcome::Migrated);
            assert_eq!(connector.config, expected, "{type_id} of {stamp}");
            assert_eq!(connector.extra, r#"{"migrationVersion":{"action":"8.3.0"},"x":1}"#);
            let again = connector.clone();
            assert_eq!((migrate(&mut connector, true), &connector), (Outcome::NotOld, &again));
        }
    }

    #[test]
    fn line_without_version_is_the_oldest() {
        for (extra, stamped) in [
            (r#"{"x":1}"#, r#"{"x":1,"typeMigrationVersion":"8.3.0"}"#),
            (r#"{"migrationVersion":{}}"#, r#"{"migrationVersion":{"action":"8.3.0"}}"#),
        ] {
            let mut connector = of(".servicenow", "{}", extra);
            assert_eq!(migrate(&mut connector, false), Outcome::Migrated);
            assert_eq!(connector.config, r#"{"usesTableApi":true,"isOAuth":false}"#);
            assert_eq!(connector.extra, stamped);
        }
    }

    #[test]
    fn new_or_bound_secrets_are_not_migrated() {
        for extra in [r#"{"typeMigrationVersion":"8.3.0"}"#, r#"{"typeMigrationVersion":"10.1.0"}"#, "[]"] {
            let mut connector = of(".servicenow", "{}", extra);
            assert_eq!((migrate(&mut connector, false), connector.config.as_str()), (Outcome::NotOld, "{}"));
        }
        let old = r#"{"typeMigrationVersion":"8.0.0"}"#;
        let mut bound = Connector { secrets: Some("c".into()), ..of(".servicenow", "{}", old) };
        assert_eq!((migrate(&mut bound, false), bound.config.as_str()), (Outcome::Skipped, "{}"));
        let mut broken = of(".servicenow", "null", old);
        assert_eq!((migrate(&mut broken, false), broken.config.as_str()), (Outcome::Skipped, "null"));
        let mut flagged =
            Connector { is_missing_secrets: true, ..of(".index", "{}", r#"{"typeMigrationVersion":"7.13.0"}"#) };
        migrate(&mut flagged, false);
        assert_eq!(
            (flagged.is_missing_secrets, flagged.extra.as_str()),
            (false, r#"{"typeMigrationVersion":"8.3.0"}"#)
        );
    }
}
