//! Splits a text into JSON documents: one per line, as Kibana exports them, but also pretty-printed, several on a line,
//! in an array, or in UTF-16 with a byte order mark.

use std::collections::VecDeque;
use std::io::{BufRead, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// The longest line and the longest document; Kibana accepts 25 MiB for a whole import.
const LONGEST: u64 = 64 << 20;

/// One document, and the line it begins on. It may hold secrets.
pub(super) struct Document {
    pub(super) text: Zeroizing<String>,
    pub(super) line: u64,
}

/// The length of an export, estimated from its size and the bytes read.
#[derive(Clone, Debug, Default)]
pub struct Length {
    /// 0 when unknown.
    pub(super) bytes: u64,
    read: Arc<AtomicU64>,
}

impl Length {
    /// Estimates the number of connectors to three digits, from the number read so far; 0 if unknown.
    pub fn guess(&self, connectors: u64) -> u64 {
        let (Some(each), true) = (self.read.load(Ordering::Relaxed).checked_div(connectors), self.bytes > 0) else {
            return 0;
        };
        let guessed = self.bytes / each.max(1);
        let digit = 10_u64.pow(guessed.checked_ilog10().unwrap_or(0).saturating_sub(2));
        connectors.max(guessed / digit * digit)
    }
}

/// Reads documents one after the other.
pub(super) struct Documents {
    reader: Box<dyn BufRead + Send>,
    /// Lines that were read.
    line: u64,
    waiting: VecDeque<Document>,
    pub(super) length: Length,
}

impl Documents {
    pub(super) fn new(reader: Box<dyn BufRead + Send>) -> Self {
        Self { reader, line: 0, waiting: VecDeque::new(), length: Length::default() }
    }

    /// The last line that was read; 1 before the first.
    pub(super) fn line(&self) -> u64 {
        self.line.max(1)
    }

    /// Returns the next document, or a line that has to be [split](Self::split_line).
    ///
    /// # Errors
    /// Explains the problem with the text.
    pub(super) fn next(&mut self) -> Result<Option<Document>, String> {
        if let Some(waiting) = self.waiting.pop_front() {
            return Ok(Some(waiting));
        }
        if self.line == 0 {
            self.check_beginning()?;
        }
        while let Some(text) = self.next_line()? {
            if !text.trim().is_empty() {
                let text = Zeroizing::new(text.trim().to_owned());
                return Ok(Some(Document { text, line: self.line }));
            }
        }
        Ok(None)
    }

    /// Has these documents come next. They stood in one that began on `line`.
    pub(super) fn put_first(&mut self, documents: Vec<String>, line: u64) {
        for text in documents.into_iter().rev() {
            self.waiting.push_front(Document { text: Zeroizing::new(text), line });
        }
    }

    /// Splits a line that is not a document: an array, several documents, or the beginning of a longer one. Returns
    /// whether it was one of these; its documents come next.
    ///
    /// # Errors
    /// Explains the problem with the text.
    pub(super) fn split_line(&mut self, begun: &Document) -> Result<bool, String> {
        let mut text = Zeroizing::new(begun.text.to_string());
        let mut nesting = Nesting::default();
        nesting.take(text.as_bytes(), 0);
        if !nesting.ends.is_empty() && nesting.is_between() {
            return Ok(self.split(&text, &nesting.ends, begun));
        }
        if !continues(&text) {
            return Ok(nesting.ends.len() > 1 && self.split(&text, &nesting.ends, begun));
        }
        while !nesting.is_between() {
            let Some(more) = self.next_line()? else { return Ok(false) };
            let from = text.len() + 1;
            if (from + more.len()) as u64 > LONGEST {
                return Err(format!("holds a document that is longer than {} MiB", LONGEST >> 20));
            }
            text.push('\n');
            text.push_str(&more);
            nesting.take(more.as_bytes(), from);
        }
        Ok(self.split(&text, &nesting.ends, begun))
    }

    /// Queues the documents of a text and of its arrays; false if the result equals the input.
    fn split(&mut self, text: &str, ends: &[usize], begun: &Document) -> bool {
        let mut found = Vec::new();
        let mut from = 0;
        for end in ends.iter().copied().chain([text.len()]) {
            let part = text.get(from..end).unwrap_or_default();
            from = end;
            if part.trim().is_empty() {
                continue;
            }
            let elements = match part.trim_start().starts_with('[') {
                true => serde_json::from_str::<Vec<&RawValue>>(part).ok(),
                false => None,
            };
            match elements {
                Some(elements) => found.extend(elements.into_iter().map(RawValue::get)),
                None => found.push(part.trim()),
            }
        }
        if found == [begun.text.as_str()] {
            return false;
        }
        let line_of = |part: &str| {
            let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
            begun.line + text.as_bytes().iter().take(start).filter(|byte| **byte == b'\n').count() as u64
        };
        for part in found.into_iter().rev() {
            // A value of several lines is one document.
            self.waiting.push_front(Document { text: Zeroizing::new(part.to_owned()), line: line_of(part) });
        }
        true
    }

    fn next_line(&mut self) -> Result<Option<Zeroizing<String>>, String> {
        let mut bytes = Vec::new();
        let read = (&mut self.reader)
            .take(LONGEST)
            .read_until(b'\n', &mut bytes)
            .map_err(|error| format!("cannot be read: {error}"))?;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        self.length.read.fetch_add(read as u64, Ordering::Relaxed);
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        } else if bytes.len() as u64 == LONGEST {
            return Err(format!("is longer than {} MiB", LONGEST >> 20));
        }
        let text = String::from_utf8(bytes)
            .map(Zeroizing::new)
            .map_err(|error| format!("is not UTF-8 (at byte {})", error.utf8_error().valid_up_to() + 1))?;
        match text.strip_prefix('\u{feff}').filter(|_| self.line == 1) {
            Some(rest) => Ok(Some(Zeroizing::new(rest.to_owned()))),
            None => Ok(Some(text)),
        }
    }

    /// Refuses text that cannot be JSON and names its format; UTF-16 is converted as a whole.
    fn check_beginning(&mut self) -> Result<(), String> {
        let begins = self.reader.fill_buf().map_err(|error| format!("cannot be read: {error}"))?;
        let reason = match begins {
            [0x1f, 0x8b, ..] => "is compressed with gzip; decompress it first (gunzip)",
            [b'P', b'K', 3, 4, ..] => "is a zip archive; take the export out of it first",
            [0x28, 0xb5, 0x2f, 0xfd, ..] => "is compressed with zstd; decompress it first (zstd -d)",
            begins if begins.starts_with(b"SQLite format 3\0") => {
                "is a SQLite file, such as a connectors file; open it with --file, and export from it first"
            }
            [0xff, 0xfe, ..] => return self.read_utf_16(u16::from_le_bytes),
            [0xfe, 0xff, ..] => return self.read_utf_16(u16::from_be_bytes),
            begins => match kind_of_text(begins) {
                Some(reason) => reason,
                None => return Ok(()),
            },
        };
        self.line = 1;
        Err(reason.to_owned())
    }

    fn read_utf_16(&mut self, unit: fn([u8; 2]) -> u16) -> Result<(), String> {
        let mut bytes = Zeroizing::new(Vec::new());
        (&mut self.reader).take(LONGEST).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
        if bytes.len() as u64 == LONGEST {
            return Err(format!("is in UTF-16 and longer than {} MiB; save it as UTF-8", LONGEST >> 20));
        }
        let units = bytes.chunks(2).map(|pair| unit([pair[0], pair.get(1).copied().unwrap_or(0)]));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        let text = text.map_err(|_| "is in UTF-16 and damaged; save it as UTF-8".to_owned())?;
        self.reader = Box::new(Cursor::new(text.into_bytes()));
        Ok(())
    }
}

/// Names the format of a text that is not JSON, with advice, by its beginning.
fn kind_of_text(begins: &[u8]) -> Option<&'static str> {
    let text = begins.get(..begins.len().min(4096)).unwrap_or_default().utf8_chunks().next()?.valid();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let first = text.lines().next().unwrap_or_default().trim();
    let is_name = |text: &str| {
        !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-'))
    };
    let table = first.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let table = table.map(|inner| inner.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(inner));
    let is_word = |text: &str| is_name(text) && text.starts_with(|letter: char| letter.is_alphabetic());
    match first {
        _ if first.starts_with("HTTP/") => {
            Some("begins with the headers of an HTTP answer; save the body alone (curl without -i)")
        }
        _ if first.starts_with('<') => {
            Some("is an HTML or XML page, such as a sign-in page; give the request an API key, and save its answer")
        }
        _ if table.is_some_and(|name| is_word(name) && !matches!(name, "true" | "false" | "null")) => {
            Some("is TOML; export the connectors from Kibana as NDJSON (Stack Management, Saved Objects)")
        }
        "---" => Some(YAML),
        _ if first.starts_with("#!") => Some("is a script; give the export that it writes"),
        _ if first.starts_with('#') => Some(YAML),
        _ if first.split_once(':').is_some_and(|(name, _)| is_word(name)) => Some(YAML),
        _ => None,
    }
}

const YAML: &str = "is YAML, such as kibana.yml; connectors that are configured there cannot be exported. Export \
                    the other connectors from Kibana as NDJSON (Stack Management, Saved Objects)";

/// Returns whether a line begins a document of several lines, as JSON printers write it. A truncated line ends
/// elsewhere.
fn continues(line: &str) -> bool {
    line.ends_with(['{', '[', ','])
}

/// The bracket depth of a text, and whether it is between two documents.
#[derive(Default)]
struct Nesting {
    depth: usize,
    in_text: bool,
    escaped: bool,
    /// The ends of the documents.
    ends: Vec<usize>,
}

impl Nesting {
    fn is_between(&self) -> bool {
        self.depth == 0 && !self.in_text
    }

    /// Goes through more of the text, which begins at `from`.
    fn take(&mut self, bytes: &[u8], from: usize) {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_text => self.escaped = true,
                b'"' => self.in_text = !self.in_text,
                b'{' | b'[' if !self.in_text => self.depth += 1,
                b'}' | b']' if !self.in_text => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        self.ends.push(from + at + 1);
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the documents of a text with their line numbers, split as far as possible.
    fn read(text: &str) -> Result<Vec<(u64, String)>, String> {
        let mut documents = Documents::new(Box::new(Cursor::new(text.as_bytes().to_vec())));
        let mut found = Vec::new();
        while let Some(document) = documents.next()? {
            if serde_json::from_str::<std::collections::BTreeMap<String, &RawValue>>(&document.text).is_ok()
                || !documents.split_line(&document)?
            {
                found.push((document.line, document.text.to_string()));
            }
        }
        Ok(found)
    }

    #[test]
    fn documents_are_found_in_every_layout() {
        let [a, b] = [r#"{"a":"}{"}"#, r#"{"b":[{"c":"\"]"}]}"#];
        for (text, expected) in [
            (format!("{a}\n{b}\n"), vec![(1, a), (2, b)]),
            (format!("\u{feff}{a}{b}"), vec![(1, a), (1, b)]),
            (format!("{a} {b}\n\n{a}"), vec![(1, a), (1, b), (3, a)]),
            (format!("[{a},{b}]"), vec![(1, a), (1, b)]),
            (format!("[\n{a},\n{b}\n]\n{a}"), vec![(2, a), (3, b), (5, a)]),
            ("{\n\"a\": 1\n}\n{\n\"b\": 2\n}".to_owned(), vec![(1, "{\n\"a\": 1\n}"), (4, "{\n\"b\": 2\n}")]),
            // The line was truncated; the following lines are complete.
            (format!("{{\"a\": 1\n{b}"), vec![(1, "{\"a\": 1"), (2, b)]),
            (format!("{a}]\n{b}"), vec![(1, a), (1, "]"), (2, b)]),
        ] {
            let expected: Vec<(u64, String)> =
                expected.into_iter().map(|(line, text)| (line, text.to_owned())).collect();
            assert_eq!(read(&text), Ok(expected), "{text}");
        }
    }
}
