//! Three sides of a connector, field by field.

use serde_json::Value;
use serde_json::value::RawValue;

use super::snapshot::Snapshot;
use crate::domain::json::{self, RawObject};
use crate::domain::{AuthMode, Connector};

/// The side that changed a field since the merge base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// This file: a push carries it.
    Local,
    /// Kibana changed it; a pull merges it.
    Remote,
    /// Both sides changed it to different values; the user decides.
    Both,
}

/// A field with different values on both sides; `None` is an absent value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDrift {
    /// `name`, `connector type`, `auth mode`, `config.url` …
    pub field: String,
    /// The value of the merge base.
    pub base: Option<String>,
    /// In the file.
    pub local: Option<String>,
    /// In Kibana.
    pub remote: Option<String>,
    /// The side that changed it.
    pub drift: Drift,
}

/// Returns the fields with different values. Without a merge base each of them is a conflict. The mode is compared only
/// if the server supports modes. Missing secrets are not a field, because they depend on which side has them.
pub fn three_way(base: Option<&Snapshot>, local: &Snapshot, remote: &Snapshot) -> Vec<FieldDrift> {
    let mut found = Found { has_base: base.is_some(), fields: Vec::new() };
    let text = |snapshot: Option<&Snapshot>, of: fn(&Snapshot) -> &str| snapshot.map(|it| of(it).to_owned());
    let name = |it: &Snapshot| -> Option<String> { Some(it.name.clone()) };
    found.text("name", base.and_then(name), name(local), name(remote));
    let type_of = |snapshot| text(snapshot, |it| &it.connector_type_id);
    found.text("connector type", type_of(base), type_of(Some(local)), type_of(Some(remote)));
    if remote.auth_mode.is_some() {
        let mode = |it: &Snapshot| it.auth_mode.map(|mode| mode.as_str().to_owned());
        // A server that was upgraded reports a mode that the merge base does not hold; that is not an edit.
        let base_mode = base.map(|base| mode(base).or_else(|| mode(remote)));
        found.text("auth mode", base_mode.flatten(), mode(local), mode(remote));
    }
    found.config(base, local, remote);
    found.fields
}

/// Returns whether two states are equal in every field that a server reports.
pub fn is_same_snapshot(one: &Snapshot, other: &Snapshot) -> bool {
    one.is_missing_secrets == other.is_missing_secrets && three_way(None, one, other).is_empty()
}

/// Returns the record with Kibana's one-sided changes merged.
#[must_use]
pub fn merged(record: &Connector, remote: &Snapshot, fields: &[FieldDrift]) -> Connector {
    let mut merged = record.clone();
    let taken = || fields.iter().filter(|field| field.drift == Drift::Remote);
    let theirs = RawObject::parse(&remote.config).unwrap_or_default();
    if let (Ok(mut config), true) =
        (RawObject::parse(&record.config), taken().any(|it| it.field.starts_with("config.")))
    {
        for key in taken().filter_map(|field| field.field.strip_prefix("config.")) {
            match theirs.get(key).map(|value| json::raw(value.to_owned())) {
                Some(Ok(value)) => config.set(key, value),
                _ => drop(config.take(key)),
            }
        }
        merged.config = config.to_text();
    }
    for field in taken() {
        match field.field.as_str() {
            "name" => merged.name.clone_from(&remote.name),
            "connector type" => merged.connector_type_id.clone_from(&remote.connector_type_id),
            "auth mode" => merged = with_mode(merged, remote.auth_mode),
            "config" => merged.config.clone_from(&remote.config),
            _ => {}
        }
    }
    merged
}

fn with_mode(record: Connector, mode: Option<AuthMode>) -> Connector {
    Connector { auth_mode: mode.or(record.auth_mode), ..record }
}

struct Found {
    has_base: bool,
    fields: Vec<FieldDrift>,
}

impl Found {
    fn text(&mut self, field: &str, base: Option<String>, local: Option<String>, remote: Option<String>) {
        let (is_same, is_local, is_remote) = (local == remote, local != base, remote != base);
        self.push(field, [base, local, remote], is_same, is_local, is_remote);
    }

    fn push(&mut self, field: &str, sides: [Option<String>; 3], is_same: bool, is_local: bool, is_remote: bool) {
        if is_same {
            return;
        }
        let drift = match (self.has_base, is_local, is_remote) {
            (true, true, false) => Drift::Local,
            (true, false, true) => Drift::Remote,
            _ => Drift::Both,
        };
        let [base, local, remote] = sides;
        self.fields.push(FieldDrift { field: field.to_owned(), base, local, remote, drift });
    }

    fn config(&mut self, base: Option<&Snapshot>, local: &Snapshot, remote: &Snapshot) {
        let parsed = |snapshot: &Snapshot| RawObject::parse(&snapshot.config).ok();
        let (Some(mine), Some(theirs)) = (parsed(local), parsed(remote)) else {
            let text = |it: &Snapshot| Some(it.config.clone());
            return self.text("config", base.and_then(text), text(local), text(remote));
        };
        let base = base.map(|base| parsed(base).unwrap_or_default()).unwrap_or_default();
        let mut keys: Vec<&str> = Vec::new();
        for (key, _) in mine.0.iter().chain(&theirs.0) {
            if !keys.contains(&key.as_str()) {
                keys.push(key);
            }
        }
        for key in keys {
            let (old, local, remote) = (base.get(key), mine.get(key), theirs.get(key));
            let sides = [old, local, remote].map(|value| value.map(shown));
            let is_same = is_same_value(local, remote);
            self.push(
                &format!("config.{key}"),
                sides,
                is_same,
                !is_same_value(old, local),
                !is_same_value(old, remote),
            );
        }
    }
}

/// A string without its quotes, else the JSON text.
fn shown(value: &str) -> String {
    serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned())
}

/// Kibana fills absent fields with null, and JavaScript writes 1.0 as 1: neither is a difference.
fn is_same_value(one: Option<&str>, other: Option<&str>) -> bool {
    match (one.filter(is_remote), other.filter(is_remote)) {
        (None, None) => true,
        (Some(one), Some(other)) => one == other || is_same_json(one, other),
        _ => false,
    }
}

fn is_remote(text: &&str) -> bool {
    text.trim() != "null"
}

fn is_same_json(one: &str, other: &str) -> bool {
    match (json::read(one), json::read(other)) {
        (Ok(one), Ok(other)) => is_same(&one, &other),
        _ => compact(one) == compact(other),
    }
}

fn compact(text: &str) -> Option<String> {
    let value: &RawValue = serde_json::from_str(text).ok()?;
    json::compact(value.get()).ok()
}

fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || matches!((one.as_f64(), other.as_f64()), (Some(one), Some(other)) if one == other)
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let absent = &Value::Null;
            one.keys()
                .chain(other.keys())
                .all(|key| is_same(one.get(key).unwrap_or(absent), other.get(key).unwrap_or(absent)))
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn snapshot(name: &str, config: &str, mode: Option<AuthMode>) -> Snapshot {
        Snapshot {
            name: name.into(),
            connector_type_id: ".webhook".into(),
            config: config.into(),
            auth_mode: mode,
            is_missing_secrets: false,
        }
    }

    fn drifts(base: Option<&Snapshot>, local: &Snapshot, remote: &Snapshot) -> Vec<(String, Drift)> {
        three_way(base, local, remote).into_iter().map(|field| (field.field, field.drift)).collect()
    }

    #[test]
    fn three_way_diff_names_the_changed_side() {
        let shared = Some(AuthMode::Shared);
        let base = snapshot("n", r#"{"url":"a","method":"post","hasAuth":true,"gone":1}"#, shared);
        let local = snapshot("mine", r#"{"url":"b","method":"put","hasAuth":true}"#, Some(AuthMode::PerUser));
        let remote = snapshot("n", r#"{"url":"c","method":"post","hasAuth":false,"gone":1,"headers":null}"#, shared);
        let expected = [
            ("name", Drift::Local),
            ("auth mode", Drift::Local),
            ("config.url", Drift::Both),
            ("config.method", Drift::Local),
            ("config.hasAuth", Drift::Remote),
            ("config.gone", Drift::Local),
        ];
        assert_eq!(drifts(Some(&base), &local, &remote), expected.map(|(field, drift)| (field.to_owned(), drift)));
        // Both to the same value is no drift; without a base every difference is a conflict.
        assert_eq!(drifts(Some(&base), &local, &local), []);
        assert!(drifts(None, &local, &remote).iter().all(|(_, drift)| *drift == Drift::Both));
    }

    #[test]
    fn server_normalization_is_no_difference() {
        let one = snapshot("n", r#"{"a":1.0,"b":{"c":null,"d":[1e2]},"e":null}"#, None);
        let other = snapshot("n", r#"{ "b": {"d":[100]}, "a": 1 }"#, None);
        assert_eq!(drifts(None, &one, &other), []);
    }

    #[test]
    fn mode_is_compared_only_if_the_server_supports_it() {
        let local = snapshot("n", "{}", Some(AuthMode::PerUser));
        assert_eq!(drifts(Some(&local), &local, &snapshot("n", "{}", None)), []);
        // After an upgrade the server reports shared for every connector; that is not an edit.
        let (base, remote) = (snapshot("n", "{}", None), snapshot("n", "{}", Some(AuthMode::Shared)));
        assert_eq!(drifts(Some(&base), &local, &remote), [("auth mode".to_owned(), Drift::Local)]);
    }

    #[test]
    fn non_object_config_is_compared_as_one_value() {
        let (local, remote) = (snapshot("n", "[", None), snapshot("n", "{}", None));
        assert_eq!(drifts(Some(&remote), &local, &remote), [("config".to_owned(), Drift::Local)]);
    }

    proptest! {
        #[test]
        fn merged_connector_keeps_local_changes_to_push(
            base in "[abc]{0,2}", local in "[abc]{0,2}", remote in "[abc]{0,2}", keys in prop::array::uniform3(0..4_u8),
        ) {
            let config = |key: u8| match key { 0 => "{}".to_owned(), key => format!(r#"{{"k":{key},"x":{{"y":[{key}]}}}}"#) };
            let of = |name: &str, key| snapshot(name, &config(key), Some(AuthMode::Shared));
            let (base, local, remote) = (of(&base, keys[0]), of(&local, keys[1]), of(&remote, keys[2]));
            let fields = three_way(Some(&base), &local, &remote);
            let merged = Snapshot::of(&merged(&local.to_connector("id"), &remote, &fields));
            // Nothing that Kibana alone changed is left, and nothing else was touched.
            let left = three_way(Some(&base), &merged, &remote);
            let kept: Vec<_> = fields.into_iter().filter(|field| field.drift != Drift::Remote).collect();
            prop_assert_eq!(left, kept);
        }
    }
}
