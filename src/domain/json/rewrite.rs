//! Other spellings of a JSON text: sorted as in an export, canonical, compact, pretty. Numbers and strings keep their
//! spelling.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Entries, Key, quote, refuse_deep};

/// Returns the text as Kibana writes it in an export: sorted keys, no blanks, uniform escapes, numbers unchanged. Of
/// duplicate keys the last one stays, as in JavaScript; a lone surrogate stays as it is.
///
/// # Errors
/// If the text is not JSON or nested deeper than [`super::DEEPEST`], or a key holds a lone surrogate.
pub fn sorted(text: &str) -> Result<String, serde_json::Error> {
    write_sorted(text, Warning::Settled)
}

/// As [`sorted`], for a text that can be read in one way only. `None` where two readers could differ about it:
/// no JSON, a key twice, half of a surrogate pair, nested too deep.
pub fn canonical(text: &str) -> Option<String> {
    write_sorted(text, Warning::Refused).ok()
}

/// Returns one JSON value without blanks; its strings and numbers keep their spelling.
///
/// # Errors
/// If the text is not one JSON value.
pub fn compact(text: &str) -> Result<String, serde_json::Error> {
    let _: &RawValue = serde_json::from_str(text)?;
    Ok(parts(text).filter(|part| !part.trim().is_empty()).collect())
}

/// Returns the text with one entry per line, as `serde_json` formats it; strings and numbers keep their spelling.
pub fn pretty(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut is_empty = false;
    for part in parts(text).filter(|part| !part.trim().is_empty()) {
        let is_closing = matches!(part, "}" | "]");
        depth -= usize::from(is_closing && depth > 0);
        // An opening bracket ends its line, unless it is closed at once.
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

/// How to treat a text that parsers read differently.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Warning {
    Refused,
    Settled,
}

/// Returns whether a text is already as [`sorted`] would write it, which is true for most stored texts.
fn is_sorted(text: &str) -> bool {
    has_plain_form(text) && refuse_deep(text).is_ok() && serde_json::from_str::<Sorted>(text).is_ok()
}

/// No blanks between the parts, and no escapes that could be written in another way.
fn has_plain_form(text: &str) -> bool {
    let (mut in_string, mut escaped) = (false, false);
    text.bytes().all(|byte| match byte {
        _ if escaped => {
            escaped = false;
            matches!(byte, b'"' | b'\\' | b'n' | b'r' | b't' | b'b' | b'f')
        }
        b'\\' => {
            escaped = true;
            in_string
        }
        b'"' => {
            in_string = !in_string;
            true
        }
        b' ' | b'\n' | b'\r' | b'\t' => in_string,
        _ => true,
    })
}

/// A value whose keys are sorted at every level, none of them twice.
struct Sorted;

impl<'de> Deserialize<'de> for Sorted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Sorted)
    }
}

impl<'de> Visitor<'de> for Sorted {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with sorted keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut last: Option<Cow<'de, str>> = None;
        while let Some(Key(key)) = map.next_key()? {
            if last.is_some_and(|last| !last.encode_utf16().lt(key.encode_utf16())) {
                return Err(A::Error::custom("the keys are not sorted"));
            }
            map.next_value::<Self>()?;
            last = Some(key);
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
}

fn write_sorted(text: &str, warning: Warning) -> Result<String, serde_json::Error> {
    if is_sorted(text) {
        return Ok(text.to_owned());
    }
    refuse_deep(text)?;
    let mut out = String::with_capacity(text.len());
    write_value(serde_json::from_str(text)?, warning, &mut out)?;
    Ok(out)
}

fn write_value(value: &RawValue, warning: Warning, out: &mut String) -> Result<(), serde_json::Error> {
    let text = value.get().trim();
    match text.as_bytes().first() {
        Some(b'{') => {
            out.push('{');
            for (at, (key, value)) in sorted_entries(text, warning)?.into_iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                out.push_str(&quote(&key));
                out.push(':');
                write_value(value, warning, out)?;
            }
            out.push('}');
        }
        Some(b'[') => {
            out.push('[');
            for (at, item) in serde_json::from_str::<Vec<&RawValue>>(text)?.into_iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                write_value(item, warning, out)?;
            }
            out.push(']');
        }
        Some(b'"') => match serde_json::from_str::<String>(text) {
            Ok(string) => out.push_str(&quote(&string)),
            Err(error) if warning == Warning::Refused => return Err(error),
            Err(_) => out.push_str(text),
        },
        _ => out.push_str(text),
    }
    Ok(())
}

fn sorted_entries(text: &str, warning: Warning) -> Result<Vec<(String, &RawValue)>, serde_json::Error> {
    let Entries(mut entries) = serde_json::from_str::<Entries<&RawValue>>(text)?;
    let written = entries.len();
    // The last of a key written twice comes first, and stays.
    entries.reverse();
    entries.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    entries.dedup_by(|(one, _), (other, _)| one == other);
    if warning == Warning::Refused && entries.len() < written {
        return Err(Error::custom("a key appears twice"));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn canonical_json_has_one_form() {
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

    proptest::proptest! {
        #[test]
        fn sorting_is_idempotent(text in r#"[{}\[\]",:abé\\nu0 1.e-]{0,24}"#) {
            if is_sorted(&text) {
                let value: Box<RawValue> = serde_json::from_str(&text).expect("JSON");
                let mut out = String::new();
                write_value(&value, Warning::Refused, &mut out).expect("one way to read it");
                proptest::prop_assert_eq!(out, text);
            }
        }
    }

    #[test]
    fn sorted_text_is_detected() {
        for text in [r#"{"a":[1.50,{"b":null,"c":"é\n"}],"b":1e400}"#, "[]", "{}", "7", r#""x y""#] {
            assert!(is_sorted(text), "{text}");
            assert_eq!(sorted(text).expect("JSON"), text);
        }
        for text in [
            r#"{"b":1,"a":2}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a": 1}"#,
            r#"["\u00e9"]"#,
            r#"["\/"]"#,
            "{",
            "",
            "[1]x",
            "nul",
        ] {
            assert!(!is_sorted(text), "{text}");
        }
    }

    #[test]
    fn numbers_and_escapes_keep_their_spelling() {
        let text = r#" { "a" : [ 1e400 , "x: {\"", { } ], "b":"\ud800" , "c" : [] } "#;
        assert_eq!(compact(text).expect("JSON"), r#"{"a":[1e400,"x: {\"",{}],"b":"\ud800","c":[]}"#);
        assert!(compact("{} x").is_err() && compact("").is_err());
        for text in [r#"{"a":[1,{"b":[]},"c"],"d":{},"e":null}"#, "[]", "7", r#"["{\"a\":1}"]"#, "[[],[[1]]]"] {
            let value: Value = serde_json::from_str(text).expect(text);
            assert_eq!(pretty(text), format!("{value:#}"));
        }
    }

    #[test]
    fn export_writes_the_stored_text() {
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
    }
}
