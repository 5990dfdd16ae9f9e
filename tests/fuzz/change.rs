//! Inputs: texts of a corpus, changed.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

/// One change of a text.
#[derive(Clone, Debug)]
enum Change {
    Delete(Index, Index),
    Repeat(Index, Index, u8),
    Replace(Index, u8),
    Insert(Index, Index),
    /// The rest is that of another text.
    Join(Index, Index, Index),
}

/// Texts that are known to break parsers.
const PIECES: [&[u8]; 34] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"-",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xc3",
    b"\\ud800",
    b"\\udc00",
    b"\\u0000",
    b"1e999",
    b"-0",
    b"9007199254740993",
    b"null",
    b"true",
    b"\x1b[2J",
    b"\xe2\x80\xae",
    b"\"authMode\":",
    b"\"authType\":",
    b"\"id\":",
    b"\"secrets\":{\"password\":\"planted-hunter2\"}",
    b"type:",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    b"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":",
    b"10.2.0",
    b"#",
];

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        (at(), at()).prop_map(|(from, to)| Change::Delete(from, to)),
        (at(), at(), 1u8..40).prop_map(|(from, to, times)| Change::Repeat(from, to, times)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        (at(), at()).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (at(), at(), at()).prop_map(|(at, other, from)| Change::Join(at, other, from)),
    ]
}

fn changed(corpus: &[&[u8]], first: Index, changes: &[Change]) -> Vec<u8> {
    let mut text = first.get(corpus).to_vec();
    for change in changes {
        let dir = |at: &Index, len: usize| at.index(len + 1);
        match change {
            Change::Delete(from, to) => drop(text.drain(range(from, to, text.len()))),
            Change::Repeat(from, to, times) => {
                let range = range(from, to, text.len().min(200));
                let (end, part) = (range.end, text[range].repeat(usize::from(*times)));
                text.splice(end..end, part);
            }
            Change::Replace(at, byte) if !text.is_empty() => {
                let at = at.index(text.len());
                text[at] = *byte;
            }
            Change::Replace(..) => {}
            Change::Insert(at, piece) => {
                let at = dir(at, text.len());
                text.splice(at..at, piece.get(&PIECES).iter().copied());
            }
            Change::Join(at, other, from) => {
                text.truncate(dir(at, text.len()));
                let other = other.get(corpus);
                text.extend_from_slice(&other[dir(from, other.len())..]);
            }
        }
        text.truncate(1 << 16);
    }
    text
}

fn range(from: &Index, to: &Index, len: usize) -> std::ops::Range<usize> {
    let (from, to) = (from.index(len + 1), to.index(len + 1));
    from.min(to)..from.max(to)
}

/// An input; a failure shows it as text.
struct Input(Vec<u8>);

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

/// Returns the number of inputs per target.
fn inputs() -> u32 {
    std::env::var("CONNECTOR_ADMIN_INPUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(3000)
}

/// Passes the texts of its corpus, and many mutations of them, to the target.
pub fn try_inputs(target: &str, corpus: &'static [u8], separator: &str, check: impl Fn(&[u8])) {
    let corpus: Vec<&[u8]> = split(corpus, separator.as_bytes());
    assert!(corpus.len() > 3, "a corpus");
    corpus.iter().for_each(|text| check(text));
    let config = ProptestConfig { cases: inputs(), failure_persistence: None, ..ProptestConfig::default() };
    let strategy = (any::<Index>(), proptest::collection::vec(change(), 0..8))
        .prop_map(|(first, changes)| Input(changed(&corpus, first, &changes)));
    TestRunner::new(config)
        .run(&strategy, |input| {
            check(&input.0);
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{target}: {failure}"));
    println!("FIGURE {target}: {} inputs of {} texts", inputs(), corpus.len());
}

fn split<'a>(text: &'a [u8], separator: &[u8]) -> Vec<&'a [u8]> {
    let mut found = Vec::new();
    let mut rest = text.trim_ascii_end();
    while let Some(at) = rest.windows(separator.len()).position(|window| window == separator) {
        found.push(&rest[..at]);
        rest = &rest[at + separator.len()..];
    }
    found.push(rest);
    found
}
