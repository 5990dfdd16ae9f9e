//! Encodings that hide a value: base64, hex, escapes, invisible characters.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::{Forms, SHORTEST_MASKED};

/// Escapes within escapes that are decoded.
const DEPTH: usize = 3;

/// A text as it reads once some of its escapes are decoded.
pub(super) struct Reading {
    /// The decoded text.
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// The position in the original of each byte and of the end; `None` if they are equal.
    starts: Option<Vec<usize>>,
}

impl Reading {
    /// Returns the range in the original. A hit in base64 or hex covers the whole word, because the rest would reveal
    /// more.
    pub(super) fn span(&self, at: usize, length: usize) -> Range<usize> {
        let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(byte);
        let found = self.bytes.get(at..at + length).unwrap_or_default();
        let (mut from, mut to) = (at, at + length);
        if length >= SHORTEST_ENCODED && found.iter().all(is_of_word) {
            from -= self.bytes.iter().take(at).rev().take_while(|byte| is_of_word(byte)).count();
            to += self.bytes.iter().skip(to).take_while(|byte| is_of_word(byte)).count();
        }
        self.place(from)..self.place(to)
    }

    fn place(&self, at: usize) -> usize {
        self.starts.as_ref().map_or(at, |starts| starts.get(at).copied().unwrap_or_default())
    }
}

/// Shorter pieces of base64 are everywhere by chance.
const SHORTEST_ENCODED: usize = 6;

/// Returns a text as it is, and as it reads with its escapes decoded once, twice and so on, while that changes it.
pub(super) fn readings(text: &str) -> impl Iterator<Item = Reading> {
    let first = Reading { bytes: Zeroizing::new(text.as_bytes().to_vec()), starts: None };
    let mut next = Some(first);
    let mut left = DEPTH;
    std::iter::from_fn(move || {
        let reading = next.take()?;
        if left > 0 {
            left -= 1;
            next = decoded(&reading);
        }
        Some(reading)
    })
}

/// Decodes the escapes of JSON, URLs and HTML, and drops invisible characters. Returns `None` if there are none.
fn decoded(reading: &Reading) -> Option<Reading> {
    let first = (0..reading.bytes.len()).find(|at| escape(&reading.bytes[*at..]).is_some())?;
    let mut out = Zeroizing::new(Vec::with_capacity(reading.bytes.len()));
    out.extend_from_slice(&reading.bytes[..first]);
    let mut starts: Vec<usize> = (0..first).map(|at| reading.place(at)).collect();
    let mut at = first;
    while let Some(rest) = reading.bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let start = reading.place(at);
        let (length, letter) = escape(rest).unwrap_or((1, Letter::Byte(rest[0])));
        let before = out.len();
        match letter {
            Letter::Byte(byte) => out.push(byte),
            Letter::Char(letter) => out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
            Letter::Unseen => {}
        }
        starts.extend(std::iter::repeat_n(start, out.len() - before));
        at += length;
    }
    starts.push(reading.place(reading.bytes.len()));
    Some(Reading { bytes: out, starts: Some(starts) })
}

/// The meaning of an escape.
enum Letter {
    Byte(u8),
    Char(char),
    /// An invisible character.
    Unseen,
}

/// Parses the escape at the beginning of a text: its length and its meaning.
fn escape(rest: &[u8]) -> Option<(usize, Letter)> {
    let hex = |range: Range<usize>| {
        let digits = rest.get(range)?;
        digits.iter().all(u8::is_ascii_hexdigit).then(|| u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok())?
    };
    match (rest[0], rest.get(1)) {
        (b'%', _) => Some((3, Letter::Byte(u8::try_from(hex(1..3)?).ok()?))),
        (b'\\', Some(b'u')) => {
            let code = hex(2..6)?;
            match char::from_u32(code) {
                Some(letter) if !is_unseen(letter) => Some((6, Letter::Char(letter))),
                Some(_) => Some((6, Letter::Unseen)),
                None => Some(surrogates(rest, code, hex(8..12)).unwrap_or((6, Letter::Unseen))),
            }
        }
        (b'\\', Some(b'x')) => Some((4, Letter::Byte(u8::try_from(hex(2..4)?).ok()?))),
        (b'\\', Some(byte @ (b'"' | b'\\' | b'/' | b'\''))) => Some((2, Letter::Byte(*byte))),
        (b'\\', Some(b'n')) => Some((2, Letter::Byte(b'\n'))),
        (b'\\', Some(b'r')) => Some((2, Letter::Byte(b'\r'))),
        (b'\\', Some(b't')) => Some((2, Letter::Byte(b'\t'))),
        (b'&', Some(b'#')) => entity(rest),
        (b'&', _) => named_entity(rest),
        (byte, _) if byte < 0x20 && byte != b'\n' && byte != b'\r' && byte != b'\t' => Some((1, Letter::Unseen)),
        (byte, _) if byte >= 0x80 => {
            let text = rest.get(..rest.len().min(4)).unwrap_or_default().utf8_chunks().next()?.valid();
            let letter = text.chars().next().filter(|letter| is_unseen(*letter))?;
            Some((letter.len_utf8(), Letter::Unseen))
        }
        _ => None,
    }
}

/// A letter beyond the first 65,536, which JSON writes as two escapes.
fn surrogates(rest: &[u8], high: u32, low: Option<u32>) -> Option<(usize, Letter)> {
    let low = low.filter(|low| (0xdc00..0xe000).contains(low) && rest.get(6..8) == Some(b"\\u"))?;
    let letter = char::from_u32(0x1_0000 + ((high.checked_sub(0xd800)?) << 10) + (low - 0xdc00))?;
    Some((12, Letter::Char(letter)))
}

fn entity(rest: &[u8]) -> Option<(usize, Letter)> {
    let end = rest.iter().take(10).position(|byte| *byte == b';')?;
    let digits = str::from_utf8(rest.get(2..end)?).ok()?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some((end + 1, Letter::Char(char::from_u32(code)?)))
}

fn named_entity(rest: &[u8]) -> Option<(usize, Letter)> {
    let known: [(&[u8], u8); 5] =
        [(b"&amp;", b'&'), (b"&lt;", b'<'), (b"&gt;", b'>'), (b"&quot;", b'"'), (b"&apos;", b'\'')];
    known.iter().find(|(name, _)| rest.starts_with(name)).map(|(name, byte)| (name.len(), Letter::Byte(*byte)))
}

/// Returns whether a character has no width.
fn is_unseen(letter: char) -> bool {
    (letter.is_control() && !matches!(letter, '\n' | '\r' | '\t'))
        || matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// The forms in which values come back once escapes are decoded: as they are, line by line, in base64, in hex.
pub(super) fn forms_of(values: &[Zeroizing<String>]) -> Forms {
    /// Shorter lines of a key or certificate are too common to mask.
    const SHORTEST_LINE: usize = 16;
    let mut forms: Forms = Vec::new();
    for value in values {
        if value.len() < SHORTEST_MASKED {
            forms.extend(in_quotes(value));
            continue;
        }
        // Masking works on decoded texts, so a value with escapes is registered in its decoded forms too.
        forms.extend(readings(value).map(|reading| reading.bytes));
        forms.extend(encoded(value.as_bytes()));
        let lines = value.lines().filter(|line| line.len() >= SHORTEST_LINE && line.len() < value.len());
        forms.extend(lines.map(|line| Zeroizing::new(line.as_bytes().to_vec())));
    }
    forms.sort_unstable_by(|one, other| one.as_slice().cmp(other.as_slice()));
    forms.dedup();
    forms
}

/// Returns the quoted forms of a value that is too short to mask everywhere.
fn in_quotes(value: &str) -> impl Iterator<Item = Zeroizing<Vec<u8>>> {
    let quotes = if value.is_empty() { &[][..] } else { &['"', '\'', '`'] };
    quotes.iter().map(move |quote| Zeroizing::new(format!("{quote}{value}{quote}").into_bytes()))
}

/// A value in base64, also as part of a longer text, and in hex.
fn encoded(value: &[u8]) -> Forms {
    let mut forms: Forms = Vec::new();
    for before in 0..3 {
        let mut padded = Zeroizing::new(vec![0; before]);
        padded.extend_from_slice(value);
        // Drops letters that also hold bits of their neighbours.
        let (first, last) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = Zeroizing::new(engine.encode(padded.as_slice()));
            let core = text.as_bytes().get(first..last).unwrap_or_default();
            if core.len() >= SHORTEST_ENCODED {
                forms.push(Zeroizing::new(core.to_vec()));
            }
        }
    }
    let hex = |upper: bool| {
        let digits: &[u8] = if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
        let letters = value.iter().flat_map(|byte| [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
        Zeroizing::new(letters.collect::<Vec<u8>>())
    };
    forms.extend([hex(false), hex(true)]);
    forms
}
