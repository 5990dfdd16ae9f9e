//! Findings about one record, each with its repair.

use super::auth::StoredAuthMode;
use super::catalogue::Catalogue;
use super::connector::Connector;
use super::json;
use super::migration;
use super::migration::Group;
use super::secrets::SecretsState;
use super::validate;
use strum::IntoStaticStr;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    /// The connector does not work, or its record cannot be used as it is.
    Problem,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// Returns the word for the UI and for JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One thing that is wrong or worth knowing, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The severity.
    pub severity: Severity,
    /// `name`, `config`, `config.<key>`, `secrets` …
    pub field: String,
    /// The problem.
    pub reason: String,
    /// The repair.
    pub repair: &'static str,
}

const IN_FORM: &str = "edit it: the form opens at this field";

const WITH_SQLITE: &str = "give it another id with `sqlite3 FILE`, for example by its rowid";

/// Checks a record against its schema, the catalogue, the migration and its secrets.
pub fn findings(connector: &Connector, secrets: &SecretsState, catalogue: &Catalogue) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut push = |severity, field: &str, reason: String, repair| {
        found.push(Finding { severity, field: field.to_owned(), reason, repair });
    };
    if connector.id.is_empty() {
        push(Severity::Problem, "id", "the id is empty".to_owned(), "export it and import it with --create-new-copies");
    }
    for problem in validate::problems(connector, catalogue) {
        // A record is found by its id, and the one that is stored cannot be written.
        let repair = if problem.field == "id" { WITH_SQLITE } else { IN_FORM };
        push(Severity::Problem, &problem.field, problem.reason, repair);
    }
    for (field, text) in [("config", &connector.config), ("extra", &connector.extra)] {
        // Text that is not JSON has been reported already.
        if json::canonical(text).is_none() && json::sorted(text).is_ok() {
            let reason = "it has a duplicate key, or half of a surrogate pair: programs read it differently".to_owned();
            push(Severity::Note, field, reason, "rewrite it in the form, or with `update`");
        }
    }
    for note in validate::notes(connector, catalogue) {
        push(Severity::Note, &note.field, note.reason, "edit it if that was not meant");
    }
    of_migration(connector, &mut push);
    of_type(connector, &mut push, catalogue);
    of_secrets(connector, secrets, &mut push, catalogue);
    for (field, time) in [("created_at", &connector.created_at), ("updated_at", &connector.updated_at)] {
        if let Some(text) = time.as_deref().filter(|text| text.parse::<jiff::Timestamp>().is_err()) {
            push(
                Severity::Note,
                field,
                format!("{text:?} is not a time"),
                "saving it in the form sets the time of the update",
            );
        }
    }
    found
}

type Push<'a> = dyn FnMut(Severity, &str, String, &'static str) + 'a;

fn of_migration(connector: &Connector, push: &mut Push<'_>) {
    if connector.model_version < 1 {
        let reason = format!("{} is not a model version", connector.model_version);
        push(Severity::Problem, "model_version", reason, "migrate it: that stamps the newest one");
    }
    let Some(plan) = migration::plan(connector) else { return };
    if plan.group != Group::Blocked {
        let reason = format!("needs migration ({}): {}", plan.group.label(), plan.reason);
        return push(Severity::Note, "model_version", reason, "review the migration, or `migrate --apply`");
    }
    if connector.is_newer_than_known() {
        return push(Severity::Problem, "model_version", plan.reason, "open the file with a newer connector-admin");
    }
    // Text that is not a JSON object has been reported already.
    if connector.config_object().is_ok() && connector.extra_object().is_ok() {
        let is_mode = matches!(connector.stored_auth_mode(), StoredAuthMode::Unknown(_));
        push(Severity::Problem, if is_mode { "authMode" } else { "config.authType" }, plan.reason, IN_FORM);
    }
}

fn of_type(connector: &Connector, push: &mut Push<'_>, catalogue: &Catalogue) {
    if catalogue.get(&connector.connector_type_id).is_none() {
        let reason = format!("{:?} is not in the catalogue", connector.connector_type_id);
        push(Severity::Note, "connector_type_id", reason, "add the type with --types FILE, or edit its config as JSON");
    }
    if connector.is_deprecated(catalogue) {
        let reason = "deprecated in Kibana".to_owned();
        push(Severity::Note, "connector_type_id", reason, "create a new connector of the type that replaces it");
    }
    let mode = connector.effective_auth_mode();
    if let Some(warning) = validate::auth_mode_warning(mode, connector.auth_type().name(), catalogue) {
        push(Severity::Note, "authMode", warning, "toggle it if that was not meant");
    }
}

fn of_secrets(connector: &Connector, secrets: &SecretsState, push: &mut Push<'_>, catalogue: &Catalogue) {
    match secrets {
        SecretsState::Missing => {
            let reason = "the secrets are missing".to_owned();
            push(Severity::Problem, "secrets", reason, "enter them in the form");
        }
        SecretsState::Unreadable(reason) => {
            push(
                Severity::Problem,
                "secrets",
                reason.clone(),
                "give the key that encrypted them, or enter them again in the form",
            );
        }
        SecretsState::Set { .. } | SecretsState::None => {
            let missed = catalogue.missed_secrets(connector, secrets);
            // The required secrets of an unreadable config are unknown.
            if missed.is_empty() || connector.config_object().is_err() {
                return;
            }
            // The secrets may not be lost: after a pull they are in Kibana.
            if *secrets == SecretsState::None {
                let reason = format!("not in this file: {}", missed.join(", "));
                return push(Severity::Note, "secrets", reason, "enter them in the form to have them sent");
            }
            let reason = format!("missing: {}", missed.join(", "));
            push(Severity::Problem, "secrets", reason, "enter them in the form");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(connector: &Connector, secrets: &SecretsState) -> Vec<String> {
        let findings = findings(connector, secrets, Catalogue::built_in());
        assert!(findings.iter().all(|finding| !finding.repair.is_empty() && !finding.reason.is_empty()));
        findings.iter().map(|finding| format!("{} {}", finding.severity.as_str(), finding.field)).collect()
    }

    #[test]
    fn each_finding_is_listed_once_with_its_repair() {
        let good = Connector {
            name: "a".to_owned(),
            config: r#"{"url":"https://a.example","method":"post","hasAuth":false,"authType":null}"#.to_owned(),
            ..Connector::new("a", ".webhook")
        };
        assert_eq!(keys(&good, &SecretsState::None), Vec::<String>::new());
        let with = |change: fn(&mut Connector)| {
            let mut record = good.clone();
            change(&mut record);
            record
        };
        type Case = (fn(&mut Connector), &'static [&'static str]);
        let cases: &[Case] = &[
            (|record| record.name.clear(), &["problem name"]),
            (|record| record.config = "{".to_owned(), &["problem config"]),
            (
                |record| {
                    record.config = "{".to_owned();
                    record.model_version = 1;
                },
                &["problem config"],
            ),
            (|record| record.config = record.config.replace("{", r#"{"method":"put","#), &["note config"]),
            (|record| record.extra = "[]".to_owned(), &["problem extra"]),
            (|record| record.model_version = 1, &["note model_version"]),
            (|record| record.model_version = 9, &["problem model_version"]),
            (|record| record.model_version = 0, &["problem model_version", "note model_version"]),
            (|record| record.connector_type_id = ".nowhere".to_owned(), &["note connector_type_id"]),
            (|record| record.updated_at = Some("yesterday".to_owned()), &["note updated_at"]),
            (
                |record| {
                    record.auth_mode = None;
                    record.model_version = 1;
                    record.extra = r#"{"attributes":{"authMode":"mine"}}"#.to_owned();
                },
                &["problem authMode"],
            ),
        ];
        for (change, expected) in cases {
            assert_eq!(keys(&with(*change), &SecretsState::None), *expected);
        }
        assert_eq!(keys(&good, &SecretsState::Missing), ["problem secrets"]);
        assert_eq!(keys(&good, &SecretsState::Unreadable("why".to_owned())), ["problem secrets"]);
    }
}
