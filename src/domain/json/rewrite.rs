//! The text of JSON written another way: sorted as in an export, in one way only, without blanks, for people. Its parts
//! stay as they are written.

use serde::de::Error;
use serde_json::value::RawValue;

use super::{Entries, quote, refuse_deep};

/// The text as Kibana writes it in an export: keys sorted, no blanks, strings escaped alike, numbers as they
/// stand. Of a key written twice the last stays, as in JavaScript; half of a surrogate pair stays as it is.
///
/// # Errors
/// When the text is not JSON or nested deeper than [`super::DEEPEST`], or a key holds half of a surrogate pair.
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
        return Err(Error::custom("a key appears twice"));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

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
    }
}
