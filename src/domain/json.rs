//! JSON objects whose values stay as they were written, byte for byte, and whose keys keep their order.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// An object as a list of entries. A key that appears twice is refused: the two readers of such a
/// document (JavaScript takes the last, SQLite the first) would not agree on what it says.
#[derive(Clone, Debug, Default)]
pub struct RawObject(pub Vec<(String, Box<RawValue>)>);

impl RawObject {
    /// Reads an object.
    ///
    /// # Errors
    /// When the text is not one JSON object or a key appears twice.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        // Left to itself the reader would tell what stands there instead, and that may be a secret.
        if !text.trim_start().starts_with('{') {
            return Err(serde_json::Error::custom("it is not an object"));
        }
        serde_json::from_str(text)
    }

    /// The text of a value as it was written.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.get())
    }

    /// Takes an entry out.
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
        let mut seen = HashSet::new();
        match entries.iter().find(|(key, _)| !seen.insert(key.as_str())) {
            Some((key, _)) => Err(D::Error::custom(format_args!("the key {key:?} appears twice"))),
            None => Ok(RawObject(entries)),
        }
    }
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

/// How often a key stands in an object; 0 when the text is no object.
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

/// The deepest nesting that is read whole; no connector comes near it.
pub const DEEPEST: usize = 100;

/// The deepest nesting that SQLite takes for JSON.
const DEEPEST_IN_SQLITE: usize = 1000;

/// How deep arrays and objects are nested in a text; its brackets need not match.
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

/// Reads a JSON value of at most [`DEEPEST`] levels.
///
/// # Errors
/// When the text is not JSON or is nested deeper.
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

/// Reads as JavaScript and SQLite do: half of a surrogate pair in a string, which Rust's strings cannot
/// hold, reads as U+FFFD, and what is nested too deep to be read whole as a remark that it is. For looking
/// at a text, never for writing it back.
///
/// # Errors
/// When the text is not JSON, or nested deeper than even SQLite reads.
pub fn look(text: &str) -> Result<Value, serde_json::Error> {
    if (DEEPEST + 1..=DEEPEST_IN_SQLITE).contains(&depth(text)) {
        return look_at_surface(text);
    }
    read(text).or_else(|error| match without_lone_surrogates(text) {
        Some(text) => read(&text),
        None => Err(error),
    })
}

fn look_at_surface(text: &str) -> Result<Value, serde_json::Error> {
    let entries = RawObject::parse(text)?.0;
    let shown = |value: &RawValue| read(value.get()).unwrap_or_else(|_| Value::from("(nested too deep to be shown)"));
    Ok(Value::Object(entries.iter().map(|(key, value)| (key.clone(), shown(value))).collect()))
}

/// Does the text hold half of a surrogate pair, which Rust's strings cannot hold?
pub fn has_lone_surrogate(text: &str) -> bool {
    without_lone_surrogates(text).is_some()
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
    Value::from(text).to_string()
}

/// JSON text (checked to be one value) as a raw value.
///
/// # Errors
/// When the text is not one JSON value.
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

/// The text as Kibana writes it in an export: keys sorted, no blanks, strings escaped alike, numbers as they
/// stand. Of a key written twice the last stays, as in JavaScript; half of a surrogate pair stays as it is.
///
/// # Errors
/// When the text is not JSON or nested deeper than [`DEEPEST`], or a key holds half of a surrogate pair.
pub fn sorted(text: &str) -> Result<String, serde_json::Error> {
    write_sorted(text, Doubt::Settled)
}

/// As [`sorted`], for a text that can be read in one way only. `None` where two readers could differ about it:
/// no JSON, a key twice, half of a surrogate pair, nested too deep.
pub fn canonical(text: &str) -> Option<String> {
    write_sorted(text, Doubt::Refused).ok()
}

/// The text of one JSON value without blanks between its parts, which stay as they are written.
///
/// # Errors
/// When the text is not one JSON value.
pub fn compact(text: &str) -> Result<String, serde_json::Error> {
    let _: &RawValue = serde_json::from_str(text)?;
    Ok(parts(text).filter(|part| !part.trim().is_empty()).collect())
}

/// JSON text with every entry on a line of its own, as `serde_json` writes it; its parts stay as they are written.
pub fn pretty(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut is_empty = false;
    for part in parts(text).filter(|part| !part.trim().is_empty()) {
        let is_closing = matches!(part, "}" | "]");
        depth -= usize::from(is_closing && depth > 0);
        // After an opening bracket comes a line of its own, unless it is closed at once.
        if (shown.ends_with(['{', '[', ',']) && !is_closing) || (is_closing && !is_empty) {
            shown.push('\n');
            shown.extend(std::iter::repeat_n("  ", depth));
        }
        is_empty = matches!(part, "{" | "[");
        depth += usize::from(is_empty);
        shown.push_str(if part == ":" { ": " } else { part });
    }
    shown
}

/// The brackets, commas, colons, strings, other values and blanks of a JSON text.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = match first {
            '"' => end_of_string(rest),
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            _ if first.is_whitespace() => rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len()),
            _ => rest.find(|c: char| c.is_whitespace() || "{}[],:\"".contains(c)).unwrap_or(rest.len()),
        };
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(part)
    })
}

fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Does an object name a key twice, at its surface? No value is looked at.
pub fn has_repeated_key(text: &str) -> bool {
    let mut seen = HashSet::new();
    serde_json::from_str::<Entries<IgnoredAny>>(text)
        .is_ok_and(|Entries(entries)| entries.into_iter().any(|(key, _)| !seen.insert(key)))
}

/// What becomes of a text that readers differ about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubt {
    Refused,
    Settled,
}

fn write_sorted(text: &str, doubt: Doubt) -> Result<String, serde_json::Error> {
    refuse_deep(text)?;
    let mut out = String::with_capacity(text.len());
    write_value(serde_json::from_str(text)?, doubt, &mut out)?;
    Ok(out)
}

fn write_value(value: &RawValue, doubt: Doubt, out: &mut String) -> Result<(), serde_json::Error> {
    let text = value.get().trim();
    match text.as_bytes().first() {
        Some(b'{') => {
            out.push('{');
            for (at, (key, value)) in sorted_entries(text, doubt)?.into_iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                out.push_str(&quote(&key));
                out.push(':');
                write_value(value, doubt, out)?;
            }
            out.push('}');
        }
        Some(b'[') => {
            out.push('[');
            for (at, item) in serde_json::from_str::<Vec<&RawValue>>(text)?.into_iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                write_value(item, doubt, out)?;
            }
            out.push(']');
        }
        Some(b'"') => match serde_json::from_str::<String>(text) {
            Ok(string) => out.push_str(&quote(&string)),
            Err(error) if doubt == Doubt::Refused => return Err(error),
            Err(_) => out.push_str(text),
        },
        _ => out.push_str(text),
    }
    Ok(())
}

fn sorted_entries(text: &str, doubt: Doubt) -> Result<Vec<(String, &RawValue)>, serde_json::Error> {
    let Entries(mut entries) = serde_json::from_str::<Entries<&RawValue>>(text)?;
    let written = entries.len();
    // The last of a key written twice comes first, and stays.
    entries.reverse();
    entries.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    entries.dedup_by(|(one, _), (other, _)| one == other);
    if doubt == Doubt::Refused && entries.len() < written {
        return Err(serde_json::Error::custom("a key appears twice"));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn half_a_surrogate_pair_is_read() {
        for (text, expected) in [
            (r#"["\ud800"]"#, "\u{fffd}"),
            (r#"["\ud83d\ude00"]"#, "😀"),
            (r#"["\udc00\ud83d\ude00"]"#, "\u{fffd}😀"),
            (r#"["\ud83dx"]"#, "\u{fffd}x"),
            (r#"["\\ud800"]"#, "\\ud800"),
        ] {
            assert_eq!(look(text).expect(text)[0], expected, "{text}");
        }
        assert!(look(r#"["\ud800""#).is_err());
    }

    #[test]
    fn nesting_is_read_to_a_limit() {
        let nested = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&nested(DEEPEST)).is_ok());
        assert!(read(&nested(DEEPEST + 1)).is_err_and(|error| error.to_string().contains("nested deeper")));
        assert_eq!(depth(r#"{"a[[":["]\\"[",{}]}"#), 3);
    }

    #[test]
    fn what_is_nested_too_deep_is_looked_at_from_above() {
        let nested = |levels| format!(r#"{{"authType":"x","d":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        let looked = look(&nested(150)).expect("an object");
        assert_eq!(
            (&looked["authType"], &looked["d"]),
            (&Value::from("x"), &Value::from("(nested too deep to be shown)"))
        );
        assert!(look(&nested(1000)).is_err() && look(&"[".repeat(150)).is_err());
    }

    #[test]
    fn one_way_to_write_a_text() {
        for (text, expected) in [
            (
                r#" { "b" : [ 1.50 , {"z":null,"a":true} ], "a":"\u00e9\/" } "#,
                Some(r#"{"a":"é/","b":[1.50,{"a":true,"z":null}]}"#),
            ),
            (r#"{"a":1,"a":2}"#, None),
            (r#"{"x":{"a":1,"a":2}}"#, None),
            (r#"["\ud800"]"#, None),
            ("{", None),
            ("", None),
        ] {
            assert_eq!(canonical(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn parts_of_a_text_stay_as_they_are_written() {
        let text = r#" { "a" : [ 1e400 , "x: {\"", { } ], "b":"\ud800" , "c" : [] } "#;
        assert_eq!(compact(text).expect("JSON"), r#"{"a":[1e400,"x: {\"",{}],"b":"\ud800","c":[]}"#);
        assert!(compact("{} x").is_err() && compact("").is_err());
        for text in [r#"{"a":[1,{"b":[]},"c"],"d":{},"e":null}"#, "[]", "7", r#"["{\"a\":1}"]"#, "[[],[[1]]]"] {
            let value: Value = serde_json::from_str(text).expect(text);
            assert_eq!(pretty(text), format!("{value:#}"));
        }
        assert!(has_repeated_key(r#"{"a":1,"b":2,"a":3}"#) && !has_repeated_key(r#"{"a":{"b":1,"b":2}}"#));
    }

    #[test]
    fn an_export_writes_what_is_stored() {
        for (text, expected) in [
            (r#" {"b": 1e400, "a": [0.10, "\u00e9\/", "\ud800", -0 ]} "#, r#"{"a":[0.10,"é/","\ud800",-0],"b":1e400}"#),
            (r#"{"a":1,"b":{"x":1,"x":2},"a":3}"#, r#"{"a":3,"b":{"x":2}}"#),
            (r#""\udc00""#, r#""\udc00""#),
        ] {
            assert_eq!(sorted(text).expect(text), expected);
        }
        for text in [r#"{"\ud800":1}"#, "{", "", r#"{"a":1} 2"#] {
            assert!(sorted(text).is_err(), "{text}");
        }
        assert!(has_lone_surrogate(r#""\ud800""#) && !has_lone_surrogate(r#""\ud83d\ude00""#));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[\\\\ud8c0\"\\[\\]é{}:,]{0,40}") {
            let _ = (pretty(&text), compact(&text), sorted(&text));
            let _ = look(&text);
            let _ = count_of_key(&text, "d");
        }
    }
}
