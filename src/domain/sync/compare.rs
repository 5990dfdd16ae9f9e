//! Three sides of a connector, field by field.

use serde_json::Value;
use serde_json::value::RawValue;

use super::Snapshot;
use crate::domain::json::{self, RawObject};
use crate::domain::{AuthMode, Connector};

/// Who changed a field since both sides agreed on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// This file: a push carries it.
    Here,
    /// Kibana: a pull takes it.
    There,
    /// Both, to different values: a person decides.
    Both,
}

/// One field in which the two sides differ. `None` stands for an absent value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDrift {
    /// `name`, `connector type`, `auth mode`, `config.url` …
    pub field: String,
    /// What both sides last agreed on.
    pub base: Option<String>,
    /// In the file.
    pub here: Option<String>,
    /// In Kibana.
    pub there: Option<String>,
    /// Who changed it.
    pub drift: Drift,
}

/// The fields in which the two sides differ. Without a base the two never agreed: then each is a conflict. A mode
/// is compared where the server knows modes. Whether secrets are missing follows from who has them, so it is no field.
pub fn three_way(base: Option<&Snapshot>, here: &Snapshot, there: &Snapshot) -> Vec<FieldDrift> {
    let mut found = Found { has_base: base.is_some(), fields: Vec::new() };
    let text = |snapshot: Option<&Snapshot>, of: fn(&Snapshot) -> &str| snapshot.map(|it| of(it).to_owned());
    let name = |it: &Snapshot| -> Option<String> { Some(it.name.clone()) };
    found.text("name", base.and_then(name), name(here), name(there));
    let type_of = |snapshot| text(snapshot, |it| &it.connector_type_id);
    found.text("connector type", type_of(base), type_of(Some(here)), type_of(Some(there)));
    if there.auth_mode.is_some() {
        let mode = |it: &Snapshot| it.auth_mode.map(|mode| mode.as_str().to_owned());
        // A server that was upgraded meanwhile tells a mode that the base does not hold: what it tells now is no edit.
        let base_mode = base.map(|base| mode(base).or_else(|| mode(there)));
        found.text("auth mode", base_mode.flatten(), mode(here), mode(there));
    }
    found.config(base, here, there);
    found.fields
}

/// Do two states say the same, in every field a server tells?
pub fn is_same_snapshot(one: &Snapshot, other: &Snapshot) -> bool {
    one.is_missing_secrets == other.is_missing_secrets && three_way(None, one, other).is_empty()
}

/// The record with what only Kibana changed taken over.
#[must_use]
pub fn merged(record: &Connector, there: &Snapshot, fields: &[FieldDrift]) -> Connector {
    let mut merged = record.clone();
    let taken = || fields.iter().filter(|field| field.drift == Drift::There);
    let theirs = RawObject::parse(&there.config).unwrap_or_default();
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
            "name" => merged.name.clone_from(&there.name),
            "connector type" => merged.connector_type_id.clone_from(&there.connector_type_id),
            "auth mode" => merged = with_mode(merged, there.auth_mode),
            "config" => merged.config.clone_from(&there.config),
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
    fn text(&mut self, field: &str, base: Option<String>, here: Option<String>, there: Option<String>) {
        let (is_same, is_here, is_there) = (here == there, here != base, there != base);
        self.push(field, [base, here, there], is_same, is_here, is_there);
    }

    fn push(&mut self, field: &str, sides: [Option<String>; 3], is_same: bool, is_here: bool, is_there: bool) {
        if is_same {
            return;
        }
        let drift = match (self.has_base, is_here, is_there) {
            (true, true, false) => Drift::Here,
            (true, false, true) => Drift::There,
            _ => Drift::Both,
        };
        let [base, here, there] = sides;
        self.fields.push(FieldDrift { field: field.to_owned(), base, here, there, drift });
    }

    fn config(&mut self, base: Option<&Snapshot>, here: &Snapshot, there: &Snapshot) {
        let parsed = |snapshot: &Snapshot| RawObject::parse(&snapshot.config).ok();
        let (Some(mine), Some(theirs)) = (parsed(here), parsed(there)) else {
            let text = |it: &Snapshot| Some(it.config.clone());
            return self.text("config", base.and_then(text), text(here), text(there));
        };
        let base = base.map(|base| parsed(base).unwrap_or_default()).unwrap_or_default();
        let mut keys: Vec<&str> = Vec::new();
        for (key, _) in mine.0.iter().chain(&theirs.0) {
            if !keys.contains(&key.as_str()) {
                keys.push(key);
            }
        }
        for key in keys {
            let (old, here, there) = (base.get(key), mine.get(key), theirs.get(key));
            let sides = [old, here, there].map(|value| value.map(shown));
            let is_same = is_same_value(here, there);
            self.push(&format!("config.{key}"), sides, is_same, !is_same_value(old, here), !is_same_value(old, there));
        }
    }
}

/// A string without its quotes, else the JSON text.
fn shown(value: &str) -> String {
    serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned())
}

/// Kibana fills absent fields with null, and JavaScript writes 1.0 as 1: neither is a difference.
fn is_same_value(one: Option<&str>, other: Option<&str>) -> bool {
    match (one.filter(is_there), other.filter(is_there)) {
        (None, None) => true,
        (Some(one), Some(other)) => one == other || is_same_json(one, other),
        _ => false,
    }
}

fn is_there(text: &&str) -> bool {
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

    fn drifts(base: Option<&Snapshot>, here: &Snapshot, there: &Snapshot) -> Vec<(String, Drift)> {
        three_way(base, here, there).into_iter().map(|field| (field.field, field.drift)).collect()
    }

    #[test]
    fn each_field_says_who_changed_it() {
        let shared = Some(AuthMode::Shared);
        let base = snapshot("n", r#"{"url":"a","method":"post","hasAuth":true,"gone":1}"#, shared);
        let here = snapshot("mine", r#"{"url":"b","method":"put","hasAuth":true}"#, Some(AuthMode::PerUser));
        let there = snapshot("n", r#"{"url":"c","method":"post","hasAuth":false,"gone":1,"headers":null}"#, shared);
        let expected = [
            ("name", Drift::Here),
            ("auth mode", Drift::Here),
            ("config.url", Drift::Both),
            ("config.method", Drift::Here),
            ("config.hasAuth", Drift::There),
            ("config.gone", Drift::Here),
        ];
        assert_eq!(drifts(Some(&base), &here, &there), expected.map(|(field, drift)| (field.to_owned(), drift)));
        // Both to the same value is no drift; without a base every difference is a conflict.
        assert_eq!(drifts(Some(&base), &here, &here), []);
        assert!(drifts(None, &here, &there).iter().all(|(_, drift)| *drift == Drift::Both));
    }

    #[test]
    fn what_a_server_writes_another_way_is_no_difference() {
        let one = snapshot("n", r#"{"a":1.0,"b":{"c":null,"d":[1e2]},"e":null}"#, None);
        let other = snapshot("n", r#"{ "b": {"d":[100]}, "a": 1 }"#, None);
        assert_eq!(drifts(None, &one, &other), []);
    }

    #[test]
    fn a_mode_is_compared_where_the_server_knows_modes() {
        let here = snapshot("n", "{}", Some(AuthMode::PerUser));
        assert_eq!(drifts(Some(&here), &here, &snapshot("n", "{}", None)), []);
        // After the server was upgraded it says shared for all; that is not somebody's edit.
        let (base, there) = (snapshot("n", "{}", None), snapshot("n", "{}", Some(AuthMode::Shared)));
        assert_eq!(drifts(Some(&base), &here, &there), [("auth mode".to_owned(), Drift::Here)]);
    }

    #[test]
    fn a_config_that_is_no_object_is_compared_as_a_whole() {
        let (here, there) = (snapshot("n", "[", None), snapshot("n", "{}", None));
        assert_eq!(drifts(Some(&there), &here, &there), [("config".to_owned(), Drift::Here)]);
    }

    proptest! {
        #[test]
        fn a_merge_leaves_what_a_push_carries(
            base in "[abc]{0,2}", here in "[abc]{0,2}", there in "[abc]{0,2}", keys in prop::array::uniform3(0..4_u8),
        ) {
            let config = |key: u8| match key { 0 => "{}".to_owned(), key => format!(r#"{{"k":{key},"x":{{"y":[{key}]}}}}"#) };
            let of = |name: &str, key| snapshot(name, &config(key), Some(AuthMode::Shared));
            let (base, here, there) = (of(&base, keys[0]), of(&here, keys[1]), of(&there, keys[2]));
            let fields = three_way(Some(&base), &here, &there);
            let merged = Snapshot::of(&merged(&here.to_connector("id"), &there, &fields));
            // Nothing that Kibana alone changed is left, and nothing else was touched.
            let left = three_way(Some(&base), &merged, &there);
            let kept: Vec<_> = fields.into_iter().filter(|field| field.drift != Drift::There).collect();
            prop_assert_eq!(left, kept);
        }
    }
}
