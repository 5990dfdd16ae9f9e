//! Version stamps of documents: `typeMigrationVersion` (`10.N.0` is model version N) and, up to 8.7,
//! `migrationVersion.action`.

use crate::domain::json::{RawObject, raw, raw_string};

/// Returns the model version of a document (or of a record's `extra`); `None` without a stamp. Stamps before model
/// versions (`7.14.0` … `8.3.0`) count as 1.
///
/// # Errors
/// If a stamp is not a version.
pub(super) fn model_version(document: &RawObject) -> Result<Option<i64>, String> {
    let stamp = match (document.get(BY_TYPE), document.get(BY_TYPES)) {
        (Some(stamp), _) => stamp.to_owned(),
        (None, Some(by_type)) => {
            let by_type = RawObject::parse(by_type).map_err(|_| "migrationVersion is not an object".to_owned())?;
            match by_type.get("action") {
                Some(stamp) => stamp.to_owned(),
                None => return Ok(None),
            }
        }
        (None, None) => return Ok(None),
    };
    let text: String = serde_json::from_str(&stamp).map_err(|_| "typeMigrationVersion is not a string".to_owned())?;
    parse(&text).map(Some).ok_or_else(|| format!("{text:?} is not a version such as 10.2.0"))
}

fn parse(text: &str) -> Option<i64> {
    let [major, minor, _] = numbers(text)?;
    Some(match major {
        0..=9 => 1,
        10 => i64::from(minor).max(1),
        // Newer than anything known: shown as blocked, kept whole.
        _ => i64::from(major) * 1000 + i64::from(minor),
    })
}

fn numbers(text: &str) -> Option<[u32; 3]> {
    let numbers: Vec<u32> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

/// Returns the release or virtual version that stamped a record, from its `extra`. Kibana treats a record without a
/// stamp as the oldest.
pub(super) fn release(extra: &str) -> Option<[u32; 3]> {
    const OLDEST: [u32; 3] = [0; 3];
    let extra = RawObject::parse(extra).ok()?;
    let text = |stamp: &str| serde_json::from_str::<String>(stamp).ok();
    let by_types = extra.get(BY_TYPES).map(RawObject::parse);
    match (extra.get(BY_TYPE), by_types) {
        (Some(stamp), _) => numbers(&text(stamp)?),
        (None, Some(by_types)) => by_types.ok()?.get("action").map_or(Some(OLDEST), |stamp| numbers(&text(stamp)?)),
        (None, None) => Some(OLDEST),
    }
}

/// The `extra` with its stamp replaced by a release's.
pub(super) fn with_release(extra: &str, release: &str) -> String {
    let stamped = || {
        let mut object = RawObject::parse(extra).ok()?;
        if object.get(BY_TYPE).is_some() || object.get(BY_TYPES).is_none() {
            object.set(BY_TYPE, raw_string(release));
        } else {
            let mut by_types = RawObject::parse(object.get(BY_TYPES)?).ok()?;
            by_types.set("action", raw_string(release));
            object.set(BY_TYPES, raw(by_types.to_text()).ok()?);
        }
        Some(object.to_text())
    };
    stamped().unwrap_or_else(|| extra.to_owned())
}

const BY_TYPE: &str = "typeMigrationVersion";
const BY_TYPES: &str = "migrationVersion";

/// The stamp of a model version.
pub(super) fn of(model_version: i64) -> String {
    format!("10.{model_version}.0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_version_stamps_by_release() {
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
            let parsed = RawObject::parse(document).expect(document);
            assert_eq!(model_version(&parsed).map_err(|_| ()), expected, "{document}");
        }
    }
}
