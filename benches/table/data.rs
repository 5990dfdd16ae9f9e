//! Records like those of a real deployment, generated in the same way every time.

use std::path::Path;

use connector_admin::domain::{AuthMode, Connector};
use connector_admin::store::Store;

const TYPES: [&str; 8] = [".webhook", ".jira", ".slack_api", ".email", ".index", ".pagerduty", ".mcp", ".servicenow"];
const PLACES: [&str; 6] = ["prod", "staging", "EU", "réseau", "日本", "demo"];
const AUTH: [&str; 5] = [
    r#""authType":"basic","#,
    r#""authType":"oauth_authorization_code","#,
    "",
    r#""authType":"","#,
    r#""authType":"webhook-authentication-basic","#,
];

/// So many records of about 1 kB below the newest model version.
pub fn connectors(records: usize) -> Vec<Connector> {
    let mut state = 42_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    (0..records)
        .map(|at| {
            let (kind, place, auth) = (next(TYPES.len()), next(PLACES.len()), next(AUTH.len()));
            let notes = "n".repeat(500 + next(200));
            let auth_mode = (next(10) == 0).then_some(AuthMode::PerUser);
            Connector {
                name: format!("{} {} {}", PLACES[place], TYPES[kind].trim_start_matches('.'), next(records)),
                config: format!(r#"{{{}"url":"https://host-{at}.example/hook","notes":"{notes}"}}"#, AUTH[auth]),
                secrets: Some("c".repeat(200)),
                auth_mode,
                is_missing_secrets: next(20) == 0,
                model_version: 1,
                created_at: Some("2024-01-01T00:00:00.000Z".to_owned()),
                updated_at: Some(format!("2025-01-{:02}T00:00:{:02}.000Z", 1 + next(28), next(60))),
                // Not in the order of the row ids, as saved object ids are not.
                ..Connector::new(&format!("{:016x}-{at}", (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)), TYPES[kind])
            }
        })
        .collect()
}

/// A file of schema 1 with so many records.
pub fn schema_1(path: &Path, records: usize) {
    std::fs::write(path, "").unwrap();
    Store::write_schema_1(path, &connectors(records)).unwrap();
}
