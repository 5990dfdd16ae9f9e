//! Version stamps of documents: `typeMigrationVersion` (`10.N.0` is model version N) and, up to 8.7,
//! `migrationVersion.action`.

use serde_json::{Map, Value};

/// The model version that the stamps of a document (or of a record's `extra`) name; `None` without one.
/// Stamps of releases before model versions (`7.14.0` … `8.3.0`) read as 1.
///
/// # Errors
/// When a stamp is not a version, for people.
pub(super) fn model_version(document: &Map<String, Value>) -> Result<Option<i64>, String> {
    let stamp = match (document.get("typeMigrationVersion"), document.get("migrationVersion")) {
        (Some(stamp), _) => stamp,
        (None, Some(Value::Object(by_type))) => match by_type.get("action") {
            Some(stamp) => stamp,
            None => return Ok(None),
        },
        (None, Some(_)) => return Err("migrationVersion is not an object".to_owned()),
        (None, None) => return Ok(None),
    };
    let Value::String(text) = stamp else {
        return Err("typeMigrationVersion is not a string".to_owned());
    };
    parse(text).map(Some).ok_or_else(|| format!("{text:?} is not a version such as 10.2.0"))
}

fn parse(text: &str) -> Option<i64> {
    let numbers: Vec<u32> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let &[major, minor, _] = numbers.as_slice() else {
        return None;
    };
    Some(match major {
        0..=9 => 1,
        10 => i64::from(minor).max(1),
        // Newer than anything known: shown as blocked, kept whole.
        _ => i64::from(major) * 1000 + i64::from(minor),
    })
}

/// The stamp of a model version.
pub(super) fn of(model_version: i64) -> String {
    format!("10.{model_version}.0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_of_every_release() {
        for (document, expected) in [
            (r#"{"typeMigrationVersion":"10.2.0"}"#, Ok(Some(2))),
            (r#"{"typeMigrationVersion":"10.5.0"}"#, Ok(Some(5))),
            (r#"{"typeMigrationVersion":"8.3.0"}"#, Ok(Some(1))),
            (r#"{"migrationVersion":{"action":"7.14.0"}}"#, Ok(Some(1))),
            (r#"{"migrationVersion":{}}"#, Ok(None)),
            (r#"{"typeMigrationVersion":"11.0.0"}"#, Ok(Some(11000))),
            ("{}", Ok(None)),
            (r#"{"typeMigrationVersion":7}"#, Err(())),
            (r#"{"typeMigrationVersion":"new"}"#, Err(())),
            (r#"{"migrationVersion":"8"}"#, Err(())),
        ] {
            let Ok(Value::Object(map)) = serde_json::from_str(document) else { panic!("{document}") };
            assert_eq!(model_version(&map).map_err(|_| ()), expected, "{document}");
        }
    }
}
