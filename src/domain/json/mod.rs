//! JSON objects whose values stay as they were written, byte for byte, and whose keys keep their order.

mod rewrite;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

pub use rewrite::{canonical, compact, pretty, sorted};

/// An object as a list of entries. A key that occurs twice is refused: JavaScript reads the last one and SQLite the
/// first one.
#[derive(Clone, Debug, Default)]
pub struct RawObject(pub Vec<(String, Box<RawValue>)>);

impl RawObject {
    /// Parses an object.
    ///
    /// # Errors
    /// If the text is not one JSON object, or a key occurs twice.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        // The error of the parser would contain the text, which may be a secret.
        if !text.trim_start().starts_with('{') {
            return Err(serde_json::Error::custom("it is not an object"));
        }
        serde_json::from_str(text)
    }

    /// The text of a value as it was written.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.get())
    }

    /// Removes an entry and returns it.
    pub fn take(&mut self, key: &str) -> Option<Box<RawValue>> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(at).1)
    }

    /// Replaces an entry in its place, or appends it.
    pub fn set(&mut self, key: &str, value: Box<RawValue>) {
        match self.0.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    /// Puts the keys in the order of Kibana's exports, by UTF-16 unit.
    pub fn sort(&mut self) {
        self.0.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    }

    /// The object as JSON text without spaces between entries.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }
}

impl Serialize for RawObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for RawObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Entries(entries) = Entries::deserialize(deserializer)?;
        match repeated(&entries) {
            Some(key) => Err(D::Error::custom(format_args!("the key {key:?} appears twice"))),
            None => Ok(RawObject(entries)),
        }
    }
}

/// A key that appears twice.
fn repeated<V>(entries: &[(String, V)]) -> Option<&str> {
    // Nearly all objects are so small that comparing each with each costs less than hashing.
    if entries.len() <= 16 {
        let is_redo = |(at, (key, _)): &(usize, &(String, V))| entries[..*at].iter().any(|(other, _)| other == key);
        return entries.iter().enumerate().find(is_redo).map(|(_, (key, _))| key.as_str());
    }
    let mut seen = HashSet::new();
    entries.iter().find(|(key, _)| !seen.insert(key.as_str())).map(|(key, _)| key.as_str())
}

/// The entries of an object as they come, keys written twice too.
struct Entries<V>(Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Entries<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Reader<V> {
            type Value = Entries<V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<V>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Reader(PhantomData))
    }
}

/// Returns how often a key occurs in an object; 0 if the text is not an object.
pub fn count_of_key(text: &str, key: &str) -> usize {
    struct Count<'a>(&'a str);
    impl<'de> Visitor<'de> for Count<'_> {
        type Value = usize;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<usize, A::Error> {
            let mut count = 0;
            while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
                count += usize::from(name == self.0);
            }
            Ok(count)
        }
    }
    serde_json::Deserializer::from_str(text).deserialize_map(Count(key)).unwrap_or(0)
}

/// Some members of an object, with the number of times that each key occurs. Of duplicate keys the last one counts, as
/// in [`parse_lossy`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members(Vec<(&'static str, Option<Value>, usize)>);

impl Members {
    /// The members of an object that was read whole, and of its text.
    pub fn of(mut object: Map<String, Value>, text: &str, keys: &[&'static str]) -> Self {
        Self(keys.iter().map(|key| (*key, object.remove(*key), count_of_key(text, key))).collect())
    }

    /// Returns a member, if the object has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, ..)| *name == key)?.1.as_ref()
    }

    /// Returns how often a key is in the object.
    pub fn count(&self, key: &str) -> usize {
        self.0.iter().find(|(name, ..)| *name == key).map_or(0, |(_, _, count)| *count)
    }
}

/// Parses some members of an object and skips the others, at a fraction of the cost of [`parse_lossy`]. Returns `None` if the
/// text is not an object, or if only [`parse_lossy`] can read it.
pub fn members(text: &str, keys: &[&'static str]) -> Option<Members> {
    struct Pick<'k>(&'k [&'static str]);
    impl<'de> Visitor<'de> for Pick<'_> {
        type Value = Members;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
            let mut found = Members(self.0.iter().map(|key| (*key, None, 0)).collect());
            while let Some(Key(key)) = map.next_key()? {
                match found.0.iter_mut().find(|(name, ..)| *name == key) {
                    Some((_, value, count)) => {
                        *value = Some(map.next_value()?);
                        *count += 1;
                    }
                    None => {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
            }
            Ok(found)
        }
    }
    if depth(text) > DEEPEST {
        return None;
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = reader.deserialize_map(Pick(keys)).ok()?;
    reader.end().ok()?;
    Some(found)
}

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

/// The deepest nesting that is read whole; no connector comes near it.
pub const DEEPEST: usize = 100;

/// The deepest nesting that SQLite accepts as JSON.
const DEEPEST_IN_SQLITE: usize = 1000;

/// Returns how deep arrays and objects are nested in a text; its brackets need not match.
pub fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Parses a JSON value of at most [`DEEPEST`] levels.
///
/// # Errors
/// If the text is not JSON or is nested deeper.
pub fn read(text: &str) -> Result<Value, serde_json::Error> {
    refuse_deep(text)?;
    serde_json::from_str(text)
}

fn refuse_deep(text: &str) -> Result<(), serde_json::Error> {
    if depth(text) > DEEPEST {
        return Err(serde_json::Error::custom(format_args!("nested deeper than {DEEPEST} levels")));
    }
    Ok(())
}

/// Parses as JavaScript and SQLite do: a lone surrogate, which Rust's strings cannot hold, becomes U+FFFD, and a value
/// that is nested too deep becomes a note about that. The result is for inspection, never for writing back.
///
/// # Errors
/// If the text is not JSON, or nested deeper than SQLite accepts.
pub fn parse_lossy(text: &str) -> Result<Value, serde_json::Error> {
    if (DEEPEST + 1..=DEEPEST_IN_SQLITE).contains(&depth(text)) {
        return parse_surface(text);
    }
    read(text).or_else(|error| match without_lone_surrogates(text) {
        Some(text) => read(&text),
        None => Err(error),
    })
}

fn parse_surface(text: &str) -> Result<Value, serde_json::Error> {
    let entries = RawObject::parse(text)?.0;
    let shown = |value: &RawValue| read(value.get()).unwrap_or_else(|_| Value::from("(nested too deep to be shown)"));
    Ok(Value::Object(entries.iter().map(|(key, value)| (key.clone(), shown(value))).collect()))
}

/// Does the text hold half of a surrogate pair, which Rust's strings cannot hold?
pub fn has_lone_surrogate(text: &str) -> bool {
    // Nearly all texts have no such escape at all.
    (text.contains("\\ud") || text.contains("\\uD")) && without_lone_surrogates(text).is_some()
}

/// The text with lone surrogate escapes replaced; `None` when it has none.
fn without_lone_surrogates(text: &str) -> Option<String> {
    let unit = |at: usize| {
        let escape = text.get(at..at + 6)?;
        let hex = escape.strip_prefix("\\u")?;
        u16::from_str_radix(hex, 16).ok()
    };
    let mut fixed = String::with_capacity(text.len());
    let (mut at, mut kept, mut found) = (0, 0, false);
    while let Some(step) = text[at..].find('\\') {
        at += step;
        match (unit(at), unit(at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => at += 12,
            (Some(0xd800..=0xdfff), _) => {
                fixed.push_str(&text[kept..at]);
                fixed.push_str("\\ufffd");
                at += 6;
                kept = at;
                found = true;
            }
            _ => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    fixed.push_str(&text[kept..]);
    found.then_some(fixed)
}

/// A JSON string literal of `text`.
pub fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// Returns one JSON value as a raw value.
///
/// # Errors
/// If the text is not one JSON value.
pub fn raw(text: impl Into<String>) -> Result<Box<RawValue>, serde_json::Error> {
    RawValue::from_string(text.into())
}

/// A raw boolean.
pub fn raw_bool(value: bool) -> Box<RawValue> {
    if value { RawValue::TRUE.to_owned() } else { RawValue::FALSE.to_owned() }
}

/// A raw string value.
pub fn raw_string(text: &str) -> Box<RawValue> {
    raw(quote(text)).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Returns whether an object has a duplicate key at its top level.
pub fn has_repeated_key(text: &str) -> bool {
    let mut seen = HashSet::new();
    serde_json::from_str::<Entries<IgnoredAny>>(text)
        .is_ok_and(|Entries(entries)| entries.into_iter().any(|(key, _)| !seen.insert(key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lone_surrogate_is_read() {
        for (text, expected) in [
            (r#"["\ud800"]"#, "\u{fffd}"),
            (r#"["\ud83d\ude00"]"#, "😀"),
            (r#"["\udc00\ud83d\ude00"]"#, "\u{fffd}😀"),
            (r#"["\ud83dx"]"#, "\u{fffd}x"),
            (r#"["\\ud800"]"#, "\\ud800"),
        ] {
            assert_eq!(parse_lossy(text).expect(text)[0], expected, "{text}");
        }
        assert!(parse_lossy(r#"["\ud800""#).is_err());
    }

    #[test]
    fn selected_members_are_read_without_the_rest() {
        let keys = ["a", "b"];
        let found = members(r#"{"x":[1,{"a":2}],"a":1,"\u0061":[1e400]}"#, &keys).expect("an object");
        assert_eq!(
            (found.get("a"), found.count("a"), found.get("b")),
            (Some(&parse_lossy("[1e400]").expect("JSON")), 2, None)
        );
        for text in ["", "[]", "7", "{", r#"{"a":1} x"#, r#"{"a":"\ud800"}"#] {
            assert_eq!(members(text, &keys), None, "{text}");
        }
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&nested(DEEPEST)).is_ok());
        assert!(read(&nested(DEEPEST + 1)).is_err_and(|error| error.to_string().contains("nested deeper")));
        assert_eq!(depth(r#"{"a[[":["]\\"[",{}]}"#), 3);
    }

    #[test]
    fn too_deep_value_is_inspected_without_recursion() {
        let nested = |levels| format!(r#"{{"authType":"x","d":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        let looked = parse_lossy(&nested(150)).expect("an object");
        assert_eq!(
            (&looked["authType"], &looked["d"]),
            (&Value::from("x"), &Value::from("(nested too deep to be shown)"))
        );
        assert!(parse_lossy(&nested(1000)).is_err() && parse_lossy(&"[".repeat(150)).is_err());
    }

    proptest! {
        #[test]
        fn selected_members_equal_the_full_parse(text in r#"[{}\[\]",:ab\\u0d8 1]{0,24}"#) {
            let whole = parse_lossy(&text).ok().and_then(|value| value.as_object().cloned());
            if let Some(found) = members(&text, &["a", "ab"]) {
                let whole = whole.expect("an object");
                prop_assert_eq!(found, Members::of(whole, &text, &["a", "ab"]));
            }
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "[\\\\ud8c0\"\\[\\]é{}:,]{0,40}") {
            let _ = (pretty(&text), compact(&text), sorted(&text));
            let _ = parse_lossy(&text);
            let _ = count_of_key(&text, "d");
        }
    }
}
